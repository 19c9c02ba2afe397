//! An id of ours as a UUID and back: Alertmanager's clients take nothing else for the id of a silence. Nothing has to be kept for
//! it, and each UUID that is not of this kind is no id.

use tocsin_domain::id::MaintenanceId;

/// RFC 4648 base 32, as ids are spelt.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Characters of an id after its first, of five bits each.
const CHARACTERS: u32 = 13;
/// The high half up to the version: "tocsin". Version 4 and the variant of RFC 9562 stand where they must; some clients look.
const HIGH: u64 = 0x746f_6373_696e_4000;
const VARIANT: u64 = 0x8000_0000_0000_0000;
/// Bits of the low half below the variant.
const LOW_BITS: u32 = 62;

/// The UUID of an id.
#[must_use]
pub fn uuid_of_id(id: MaintenanceId) -> String {
    let digits = id.as_str().bytes().skip(1);
    let number = digits.fold(0_u128, |sum, byte| {
        let place = ALPHABET.iter().position(|one| *one == byte);
        sum << 5 | place.unwrap_or_default() as u128
    });
    let low_mask = (1_u128 << LOW_BITS) - 1;
    let high = u128::from(HIGH) | number >> LOW_BITS;
    let all = high << 64 | u128::from(VARIANT) | number & low_mask;
    let hex = format!("{all:032x}");
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    parts.join("-")
}

/// The id of a UUID, in either case of its letters and with or without dashes: none when `text` is no UUID, and none inside
/// when it is one of no id of ours.
#[must_use]
pub fn id_of_uuid(text: &str) -> Option<Option<MaintenanceId>> {
    let hex: String = match text.len() {
        32 => text.to_owned(),
        36 => {
            let dashes = text.char_indices().filter(|(_, one)| *one == '-');
            if dashes.map(|(at, _)| at).ne([8, 13, 18, 23]) {
                return None;
            }
            text.replace('-', "")
        }
        _ => return None,
    };
    // A sign would be read as part of a number.
    if !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let all = u128::from_str_radix(&hex, 16).ok()?;
    let (high, low) = (all >> 64, all & u128::from(u64::MAX));
    let number = (high ^ u128::from(HIGH)) << LOW_BITS | (low & ((1 << LOW_BITS) - 1));
    let is_ours =
        (high ^ u128::from(HIGH)) < 8 && low >> LOW_BITS == u128::from(VARIANT >> LOW_BITS);
    if !is_ours {
        return Some(None);
    }
    let mut id = String::from("Q");
    for place in (0..CHARACTERS).rev() {
        let digit = usize::try_from(number >> (5 * place) & 31).unwrap_or_default();
        id.push(char::from(ALPHABET[digit]));
    }
    Some(id.parse().ok())
}
