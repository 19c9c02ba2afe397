//! Ids for what Tocsin has no id of its own for (events by their place in the journal, and priorities by their name), and for what has
//! longer ones there. Each has the form that PagerDuty's clients demand.

use sha2::{Digest, Sha256};
use tocsin_domain::id::ChangeId;

/// RFC 4648 base 32.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Characters after the first one: 65 bits, so that every place has a spelling.
const LETTERS: usize = 13;
/// What stands behind the id of a change, which has 26 characters there. No id of Tocsin has a zero.
const CHANGE_END: &str = "000000000000";

/// The id of the event at a place of the journal.
#[must_use]
pub fn of_position(position: u64) -> String {
    let mut id = String::with_capacity(1 + LETTERS);
    id.push('P');
    for index in (0..LETTERS).rev() {
        id.push(letter((position >> (5 * index)) & 31));
    }
    id
}

/// The place of the journal that such an id names.
#[must_use]
pub fn position_of(id: &str) -> Option<u64> {
    let letters = id.strip_prefix('P').filter(|rest| rest.len() == LETTERS)?;
    let mut value: u128 = 0;
    for byte in letters.bytes() {
        let digit = ALPHABET.iter().position(|known| *known == byte)?;
        value = (value << 5) | digit as u128;
    }
    u64::try_from(value).ok()
}

/// An id that a name always has, and hardly any other.
#[must_use]
pub fn of_name(name: &str) -> String {
    let digest = Sha256::digest(name.as_bytes());
    let letters = digest.iter().take(LETTERS);
    let letters = letters.map(|byte| letter(u64::from(byte & 31)));
    std::iter::once('P').chain(letters).collect()
}

/// The id of a change.
#[must_use]
pub fn of_change(id: ChangeId) -> String {
    format!("{id}{CHANGE_END}")
}

/// Tocsin's own id of the change that is named so, or by that.
#[must_use]
pub fn change_of(id: &str) -> &str {
    id.strip_suffix(CHANGE_END).unwrap_or(id)
}

/// The letter of five bits.
fn letter(bits: u64) -> char {
    let index = usize::try_from(bits).unwrap_or(0);
    ALPHABET.get(index).map_or('A', |byte| char::from(*byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_id_has_the_form_that_clients_demand() {
        assert_eq!(of_position(1), "PAAAAAAAAAAAAB");
        assert_eq!(of_name("P1").len(), 14);
        assert_ne!(of_name("P1"), of_name("P2"));
        for text in [
            "",
            "P",
            "QAAAAAAAAAAAAB",
            "PAAAAAAAAAAAA1",
            "P7777777777777",
        ] {
            assert_eq!(position_of(text), None, "{text}");
        }
    }

    #[test]
    fn a_change_is_found_by_its_long_id_and_by_its_own() {
        let id: ChangeId = "QABCDEFGHIJKLM".parse().unwrap();
        let long = of_change(id);
        assert_eq!(long.len(), 26);
        for named in [long.as_str(), id.as_str()] {
            assert_eq!(change_of(named).parse(), Ok(id), "{named}");
        }
        for other in ["", "QABCDEFGHIJKLM0", "QABCDEFGHIJKLM000000000001"] {
            assert!(change_of(other).parse::<ChangeId>().is_err(), "{other}");
        }
    }

    proptest! {
        #[test]
        fn a_place_is_found_by_its_id(position: u64) {
            prop_assert_eq!(position_of(&of_position(position)), Some(position));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,20}") {
            let _ = position_of(&text);
        }
    }
}
