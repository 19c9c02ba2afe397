//! Whether a page would reach somebody by what is set up, and what is said of whom none would reach. It knows no settings and no
//! address: what is set up is told.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{ChannelKind, ContactMethod, User};
use crate::id::ContactMethodId;

/// What messages can leave by, as whoever reads the settings found it. It is asked of each contact method: what an address needs
/// is not the same for all of a channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetUp {
    /// The channels by which messages leave, whatever the address.
    pub channels: BTreeSet<ChannelKind>,
    /// Contact methods of other channels that need nothing but their address.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub by_address: BTreeSet<ContactMethodId>,
}

impl SetUp {
    /// Whether messages can leave by this contact method.
    #[must_use]
    pub fn carries(&self, method: &ContactMethod) -> bool {
        self.carries_by(method.id, method.kind)
    }

    /// The same of a contact method of which this is known.
    pub(crate) fn carries_by(&self, method: ContactMethodId, kind: ChannelKind) -> bool {
        self.channels.contains(&kind) || self.by_address.contains(&method)
    }
}

impl FromIterator<ChannelKind> for SetUp {
    fn from_iter<T: IntoIterator<Item = ChannelKind>>(channels: T) -> Self {
        Self {
            channels: channels.into_iter().collect(),
            by_address: BTreeSet::new(),
        }
    }
}

/// Whether a page would reach a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// By at least one verified way.
    Reached,
    /// None of their ways is verified.
    Unverified,
    /// Their verified ways go by these channels alone, and none of them by what is set up.
    Deaf(BTreeSet<ChannelKind>),
}

impl Reach {
    /// Whether one would.
    #[must_use]
    pub const fn is_reached(&self) -> bool {
        match self {
            Self::Reached => true,
            Self::Unverified | Self::Deaf(_) => false,
        }
    }

    /// Why none would, as it is said after the person's name.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        match self {
            Self::Reached => None,
            Self::Unverified => Some("has no verified contact method".to_owned()),
            Self::Deaf(channels) => Some(deaf(channels)),
        }
    }
}

impl User {
    /// Whether a page would reach them while only this is set up.
    #[must_use]
    pub fn reach(&self, set_up: &SetUp) -> Reach {
        if self.verified_methods().any(|method| set_up.carries(method)) {
            return Reach::Reached;
        }
        let verified = self.verified_methods();
        let channels: BTreeSet<ChannelKind> = verified.map(|method| method.kind).collect();
        if channels.is_empty() {
            Reach::Unverified
        } else {
            Reach::Deaf(channels)
        }
    }
}

impl ChannelKind {
    /// What somebody is reached by, in a sentence.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Email => "mail",
            Self::Webhook => "webhook",
            Self::Ntfy => "ntfy",
            Self::Slack => "Slack",
            Self::Telegram => "Telegram",
            Self::Pushover => "Pushover",
            Self::Sms => "text message",
            Self::Voice => "call",
            Self::WebPush => "push to a browser",
            Self::PagerDuty => "PagerDuty",
        }
    }

    /// What somebody has to set up before anything goes by it; none where the address says all that is needed. Of Slack that is
    /// so of some addresses alone.
    #[must_use]
    pub const fn needs(self) -> Option<&'static str> {
        match self {
            Self::Email => Some("mail server"),
            Self::Slack => Some("Slack app"),
            Self::Telegram => Some("Telegram bot"),
            Self::Pushover => Some("Pushover application"),
            Self::Sms => Some("Twilio account"),
            // Texts go out from a name too.
            Self::Voice => Some("Twilio account with a number"),
            Self::WebPush => Some("key for web push"),
            Self::Webhook | Self::Ntfy | Self::PagerDuty => None,
        }
    }
}

fn deaf(channels: &BTreeSet<ChannelKind>) -> String {
    let names: Vec<&str> = channels.iter().map(|channel| channel.name()).collect();
    let mut needs: Vec<&str> = channels.iter().filter_map(|one| one.needs()).collect();
    // A call needs what a text needs, and more: who hears of neither needs the account first.
    needs.dedup_by(|later, earlier| later.starts_with(*earlier));
    let missing = match needs.as_slice() {
        [] => "that is not set up".to_owned(),
        [one] => format!("no {one} is set up"),
        several => format!("none of these is set up: {}", several.join(", ")),
    };
    format!("can be reached by {} only, and {missing}", both(&names))
}

/// The words as a list in a sentence.
fn both(words: &[&str]) -> String {
    match words {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => words.concat(),
    }
}
