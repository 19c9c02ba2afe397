//! What messages can leave by, as the settings are now. It asks no provider whether it would take one.

use secrecy::{ExposeSecret, SecretString};
use tocsin_domain::id::{ContactMethodId, SecretId};
use tocsin_domain::people::{ChannelKind, SetUp};
use tocsin_domain::state::State;
use tocsin_wire::{slack, twilio};

use super::account::{self, Provider};
use super::mail;
use super::place::all_readable;
use crate::ports::{Accounts, StorageError, Vault};

/// The channels that are set up (those that need nothing but an address, and those whose mail server, account or key there is),
/// and the contact methods of others that need nothing of it. `of_state` gives what [`told_by_address`] does, and is called only
/// where that makes a difference.
///
/// # Errors
/// Settings cannot be read.
pub fn what_is_set_up(
    accounts: &dyn Accounts,
    vault: &dyn Vault,
    of_state: impl FnOnce() -> Vec<(ContactMethodId, SecretId)>,
) -> Result<SetUp, StorageError> {
    let mut set_up = SetUp::default();
    for channel in ChannelKind::ALL {
        if is_set_up(accounts, channel)? {
            set_up.channels.insert(channel);
        }
    }
    if !set_up.channels.contains(&ChannelKind::Slack) {
        for (method, address) in of_state() {
            // One that cannot be read reaches nobody, and keeps nothing from the others.
            let address = vault.get(address).unwrap_or_else(|error| {
                tracing::warn!(%error, "the address of a contact method cannot be read");
                None
            });
            if address.is_some_and(|address| is_enough(ChannelKind::Slack, &address)) {
                set_up.by_address.insert(method);
            }
        }
    }
    Ok(set_up)
}

/// The contact methods of which the address tells whether their channel must be set up for them, each with the row of it.
#[must_use]
pub fn told_by_address(state: &State) -> Vec<(ContactMethodId, SecretId)> {
    let methods = state.users.values().flat_map(|user| &user.contact_methods);
    let of_slack = methods.filter(|method| method.kind == ChannelKind::Slack);
    of_slack.map(|method| (method.id, method.address)).collect()
}

/// What is to be set up before anything can go to this address by this channel; none when nothing is missing.
pub(crate) fn missing(
    accounts: &dyn Accounts,
    channel: ChannelKind,
    address: &SecretString,
) -> Result<Option<&'static str>, StorageError> {
    let is_set_up = is_enough(channel, address) || is_set_up(accounts, channel)?;
    Ok(channel.needs().filter(|_| !is_set_up))
}

/// Whether the address says all that is needed although its channel is not set up.
fn is_enough(channel: ChannelKind, address: &SecretString) -> bool {
    // An incoming webhook of Slack needs no app, a member does.
    channel == ChannelKind::Slack && !slack::is_member(address.expose_secret())
}

fn is_set_up(accounts: &dyn Accounts, channel: ChannelKind) -> Result<bool, StorageError> {
    match Provider::of(channel) {
        // A text may come from a name or a messaging service, a call from a number alone.
        Some(provider) if channel == ChannelKind::Voice => {
            let all = all_readable(provider.places(), |place| {
                account::kept(accounts, provider, place)
            })?;
            let calls = |account: &account::Account| {
                let from = account.from.as_deref();
                account.secret.is_some() && from.is_some_and(twilio::is_number)
            };
            Ok(all.iter().any(|(_, account)| calls(account)))
        }
        Some(provider) => account::is_set_up(accounts, provider),
        None if channel == ChannelKind::Email => mail::is_set_up(accounts),
        None => Ok(true),
    }
}
