//! Ids of every noun: `Q` and 13 base-32 characters, the same in API, UI and the PagerDuty front, whose clients demand
//! `[PQ]\w{6,13}`.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id_map::Spread;

/// Where random bytes come from: the shell's operating system, or a seed in tests and in the simulator.
pub trait Entropy {
    /// Fills `buffer` with bytes that nobody can guess.
    fn fill(&mut self, buffer: &mut [u8]);
}

/// RFC 4648 base 32.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const LENGTH: usize = 14;

/// The text of an id: always 14 ASCII characters, the first one `Q`. Ids are in the order of their texts.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct IdText([u8; LENGTH]);

/// Text that is not an id of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAnId;

impl fmt::Display for NotAnId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an id is Q and 13 characters of A-Z and 2-7")
    }
}

impl std::error::Error for NotAnId {}

impl IdText {
    /// A new id of 65 random bits.
    pub fn random(entropy: &mut (impl Entropy + ?Sized)) -> Self {
        let mut bytes = [0_u8; LENGTH - 1];
        entropy.fill(&mut bytes);
        let mut text = [b'Q'; LENGTH];
        for (slot, byte) in text[1..].iter_mut().zip(bytes) {
            *slot = ALPHABET[usize::from(byte & 31)];
        }
        Self(text)
    }

    /// The first and the last eight bytes as numbers, which are in the order of the texts: maps by id compare ids all the time. Each
    /// is read at once; put together of single bytes it took longer than to compare those.
    #[inline]
    fn as_numbers(&self) -> (u64, u64) {
        let eight =
            |bytes: Option<&[u8; 8]>| u64::from_be_bytes(bytes.copied().unwrap_or_default());
        (eight(self.0.first_chunk()), eight(self.0.last_chunk()))
    }

    /// The five characters after the first as one number of 25 bits, at the front of 32, in the order of the texts.
    #[inline]
    fn spread(&self) -> u32 {
        let [_, a, b, c, d, e, ..] = self.0;
        let [a, b, c, d, e] = [a, b, c, d, e].map(rank);
        a << 27 | b << 22 | c << 17 | d << 12 | e << 7
    }

    /// The 14 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("Q")
    }
}

/// Whether [`ALPHABET`] has it.
const fn is_of_alphabet(byte: &u8) -> bool {
    matches!(*byte, b'A'..=b'Z' | b'2'..=b'7')
}

/// Which of the characters of ids it is, in the order of texts: digits come before letters.
#[inline]
fn rank(character: u8) -> u32 {
    // Between the last digit and the first letter there are nine others.
    let others = if character < b'A' { 0 } else { 9 };
    u32::from(character - b'2' - others)
}

impl Ord for IdText {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_numbers().cmp(&other.as_numbers())
    }
}

impl PartialOrd for IdText {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl FromStr for IdText {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let bytes: [u8; LENGTH] = text.as_bytes().try_into().map_err(|_| NotAnId)?;
        let good = bytes[0] == b'Q' && bytes[1..].iter().all(is_of_alphabet);
        if good { Ok(Self(bytes)) } else { Err(NotAnId) }
    }
}

/// Defines one id type, so that an incident's id cannot stand where a user's is wanted.
macro_rules! id {
    ($name:ident, $of:literal) => {
        #[doc = concat!("The id of ", $of, ".")]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(IdText);

        impl $name {
            /// A new random id.
            pub fn random(entropy: &mut (impl Entropy + ?Sized)) -> Self {
                Self(IdText::random(entropy))
            }

            /// The 14 characters.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                text.parse().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl Spread for $name {
            #[inline]
            fn spread(&self) -> u32 {
                self.0.spread()
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id!(UserId, "a person");
id!(TeamId, "a team");
id!(ContactMethodId, "a way to reach a person");
id!(
    NotificationRuleId,
    "a person's rule about how to be reached"
);
id!(TargetId, "a watched web server");
id!(ServiceId, "a service");
id!(BusinessServiceId, "a service that is made of others");
id!(IntegrationId, "an integration of a service");
id!(MonitorId, "a monitor");
id!(AlertId, "an alert");
id!(IncidentId, "an incident");
id!(ScheduleId, "an on-call schedule");
id!(
    OverrideId,
    "a stretch of time that one person takes over in a schedule"
);
id!(TemporaryId, "a temporary shift in a schedule");
id!(SwapId, "an exchange of shifts between two people");
id!(CalendarId, "a calendar that is subscribed to");
id!(PolicyId, "an escalation policy");
id!(
    NotificationId,
    "a message to one person by one contact method"
);
id!(MaintenanceId, "a maintenance window");
id!(RuleId, "a rule about alerts");
id!(HeartbeatId, "a job that must call in");
id!(ChangeId, "a change that somebody tells of");
id!(WebhookId, "a subscription to what happens to incidents");
id!(TokenId, "an API token");
id!(SecretId, "a row of the vault");

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting(u8);

    impl Entropy for Counting {
        fn fill(&mut self, buffer: &mut [u8]) {
            for byte in buffer {
                *byte = self.0;
                self.0 = self.0.wrapping_add(1);
            }
        }
    }

    #[test]
    fn an_id_reads_back_as_itself_and_other_text_is_refused() {
        let id = IncidentId::random(&mut Counting(0));
        assert_eq!(id.as_str(), "QABCDEFGHIJKLM");
        assert_eq!(id.as_str().parse(), Ok(id));
        for text in [
            "",
            "PABCDEFGHIJKLM",
            "QABCDEFGHIJKL",
            "QABCDEFGHIJKL1",
            "qabcdefghijklm",
            "QABCDEFGHIJKLMN",
        ] {
            assert_eq!(text.parse::<IncidentId>(), Err(NotAnId), "{text}");
        }
    }

    #[test]
    fn every_character_of_the_alphabet_is_read_and_no_other() {
        for byte in 0..=u8::MAX {
            assert_eq!(is_of_alphabet(&byte), ALPHABET.contains(&byte), "{byte}");
        }
    }

    #[test]
    fn ids_are_in_the_order_of_their_texts_whichever_character_differs() {
        for place in 1..LENGTH {
            let mut texts = [*b"QMMMMMMMMMMMMM"; 3];
            texts[1][place] = b'A';
            texts[2][place] = b'7';
            let ids = texts.map(IdText);
            for (one, id) in ids.iter().enumerate() {
                for (two, other) in ids.iter().enumerate() {
                    assert_eq!(id.cmp(other), texts[one].cmp(&texts[two]), "{place}");
                }
            }
        }
    }

    #[test]
    fn ids_are_spread_in_their_order_and_evenly() {
        let spread = |text: &str| text.parse::<IncidentId>().unwrap().spread();
        assert_eq!(spread("Q2222222222222"), 0);
        assert_eq!(spread("QZZZZZZZZZZZZZ"), u32::MAX - 127);
        assert_eq!(spread("Q22222ZZZZZZZZ"), 0, "the rest is not looked at");
        let mut characters = *ALPHABET;
        characters.sort_unstable();
        for place in 1..6 {
            let spread = characters.map(|character| {
                let mut text = *b"QMMMMMMMMMMMMM";
                text[place] = character;
                IdText(text).spread()
            });
            let step = 1 << (32 - 5 * place);
            let even = spread.windows(2).all(|two| two[1] - two[0] == step);
            assert!(even, "{place}: {spread:?}");
        }
    }

    #[test]
    fn an_id_survives_json() {
        let id = UserId::random(&mut Counting(7));
        let text = serde_json::to_string(&id).unwrap();
        assert_eq!(serde_json::from_str::<UserId>(&text).unwrap(), id);
        assert!(serde_json::from_str::<UserId>("\"root\"").is_err());
    }
}
