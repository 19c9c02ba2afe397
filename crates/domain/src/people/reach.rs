//! Whether a page would reach somebody by the channels that are set up, and what is said of whom none would reach. It knows no
//! settings: which channels those are is told.

use std::collections::BTreeSet;

use super::{ChannelKind, User};

/// Whether a page would reach a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// By at least one verified way.
    Reached,
    /// None of their ways is verified.
    Unverified,
    /// Their verified ways go by these channels alone, none of which is set up.
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
    /// Whether a page would reach them while only these channels are set up.
    #[must_use]
    pub fn reach(&self, set_up: &BTreeSet<ChannelKind>) -> Reach {
        let verified = self.verified_methods();
        let channels: BTreeSet<ChannelKind> = verified.map(|method| method.kind).collect();
        if channels.is_empty() {
            Reach::Unverified
        } else if channels.is_disjoint(set_up) {
            Reach::Deaf(channels)
        } else {
            Reach::Reached
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

    /// What somebody has to set up before anything goes by it; none where the address says all that is needed.
    #[must_use]
    pub const fn needs(self) -> Option<&'static str> {
        match self {
            Self::Email => Some("mail server"),
            Self::Slack => Some("Slack app"),
            Self::Telegram => Some("Telegram bot"),
            Self::Pushover => Some("Pushover application"),
            Self::Sms | Self::Voice => Some("Twilio account"),
            Self::WebPush => Some("key for web push"),
            Self::Webhook | Self::Ntfy | Self::PagerDuty => None,
        }
    }
}

fn deaf(channels: &BTreeSet<ChannelKind>) -> String {
    let names: Vec<&str> = channels.iter().map(|channel| channel.name()).collect();
    // A text and a call need the same.
    let mut needs: Vec<&str> = channels.iter().filter_map(|one| one.needs()).collect();
    needs.dedup();
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
