//! By which channels messages can leave, as the settings are now. It asks no provider whether it would take one.

use std::collections::BTreeSet;

use secrecy::{ExposeSecret, SecretString};
use tocsin_domain::people::ChannelKind;
use tocsin_wire::slack;

use super::account::{self, Provider};
use super::mail;
use super::place::Place;
use crate::ports::{Accounts, StorageError};

/// The channels that are set up: those that need nothing but an address, and those whose mail server, account or key there is.
///
/// # Errors
/// The settings cannot be read.
pub fn channels_set_up(accounts: &dyn Accounts) -> Result<BTreeSet<ChannelKind>, StorageError> {
    let mut set_up = BTreeSet::new();
    for channel in ChannelKind::ALL {
        if is_set_up(accounts, channel)? {
            set_up.insert(channel);
        }
    }
    Ok(set_up)
}

/// What is to be set up before anything can go to this address by this channel; none when nothing is missing.
pub(crate) fn missing(
    accounts: &dyn Accounts,
    channel: ChannelKind,
    address: &SecretString,
) -> Result<Option<&'static str>, StorageError> {
    if channel == ChannelKind::Slack && slack::is_member(address.expose_secret()) {
        // Only a webhook of Slack needs no app.
        let app = account::kept(accounts, Provider::Slack, Place::First)?;
        let speaks = app.is_some_and(|app| app.secret.is_some());
        return Ok(channel.needs().filter(|_| !speaks));
    }
    let is_set_up = is_set_up(accounts, channel)?;
    Ok(channel.needs().filter(|_| !is_set_up))
}

fn is_set_up(accounts: &dyn Accounts, channel: ChannelKind) -> Result<bool, StorageError> {
    match Provider::of(channel) {
        Some(provider) => account::is_set_up(accounts, provider),
        None if channel == ChannelKind::Email => mail::is_set_up(accounts),
        None => Ok(true),
    }
}
