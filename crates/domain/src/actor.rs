//! Who does something; it knows nothing of what is done.

use serde::{Deserialize, Serialize};

use crate::id::{IntegrationId, MonitorId, TokenId, UserId};
use crate::people::ChannelKind;

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    /// Tocsin itself.
    System,
    /// A person, by the UI, a link or their own token.
    Person {
        /// Who.
        user: UserId,
    },
    /// A person, by a link, a button or a reply of a message that they were sent.
    Channel {
        /// Who.
        user: UserId,
        /// By which channel the message went.
        channel: ChannelKind,
    },
    /// A token of the installation that belongs to nobody.
    Token {
        /// Which.
        token: TokenId,
        /// What it is called, so that it can still be told when it was revoked; unknown of what was recorded before names were.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// A token of the installation that belongs to nobody, which says in whose name it acts.
    OnBehalf {
        /// In whose name.
        user: UserId,
        /// Which.
        token: TokenId,
        /// What it is called, where that was recorded.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// A foreign system.
    Integration {
        /// Which.
        integration: IntegrationId,
    },
    /// A monitor.
    Monitor {
        /// Which.
        monitor: MonitorId,
    },
    /// An alerting rule of a rule file.
    Rule {
        /// The group it stands in.
        group: String,
        /// The alert's name.
        rule: String,
    },
}

impl Actor {
    /// The person who did it, by whatever way, if one did.
    #[must_use]
    pub const fn person(&self) -> Option<UserId> {
        match self {
            Self::Person { user } | Self::Channel { user, .. } | Self::OnBehalf { user, .. } => {
                Some(*user)
            }
            Self::System
            | Self::Token { .. }
            | Self::Integration { .. }
            | Self::Monitor { .. }
            | Self::Rule { .. } => None,
        }
    }

    /// The channel of the message that was answered, if one was.
    #[must_use]
    pub const fn channel(&self) -> Option<ChannelKind> {
        match self {
            Self::Channel { channel, .. } => Some(*channel),
            Self::System
            | Self::Person { .. }
            | Self::OnBehalf { .. }
            | Self::Token { .. }
            | Self::Integration { .. }
            | Self::Monitor { .. }
            | Self::Rule { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_was_recorded_without_its_name_is_read_and_written_as_it_was() {
        for old in [
            r#"{"kind":"token","token":"QAAAAAAAAAAAAA"}"#,
            r#"{"kind":"on_behalf","user":"QBBBBBBBBBBBBB","token":"QAAAAAAAAAAAAA"}"#,
        ] {
            let read: Actor = serde_json::from_str(old).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), old);
        }
    }
}
