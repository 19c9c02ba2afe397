//! Base64 for URLs (RFC 4648, section 5), as browsers and web push write it. It knows no field.

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The text of `bytes`, without padding.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let at = |index: usize| u32::from(three.get(index).copied().unwrap_or_default());
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..=three.len() {
            text.push(char::from(
                DIGITS[(bits >> (18 - 6 * place) & 0x3f) as usize],
            ));
        }
    }
    text
}

/// The bytes of `text`, padded or not; none when it is not base64 for URLs or gives more than `bytes_max`.
#[must_use]
pub fn decode(text: &str, bytes_max: usize) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    if digits.len() % 4 == 1 || text.len() - digits.len() > 2 || digits.len() / 4 * 3 > bytes_max {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len() * 3 / 4);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for digit in digits.bytes() {
        bits = (bits << 6 | value(digit)?) & 0xfff;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
        }
    }
    // Bits that stand for nothing would let one value be written in many ways.
    let rest = bits & ((1 << count) - 1);
    (rest == 0 && bytes.len() <= bytes_max).then_some(bytes)
}

fn value(digit: u8) -> Option<u32> {
    let place = DIGITS.iter().position(|one| *one == digit)?;
    u32::try_from(place).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_vectors_of_the_standard_are_written_and_read() {
        for (plain, expected) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
        ] {
            assert_eq!(encode(plain.as_bytes()), expected);
            assert_eq!(decode(expected, 10).as_deref(), Some(plain.as_bytes()));
        }
        assert_eq!(encode(&[0xfb, 0xff]), "-_8");
        assert_eq!(decode("Zg==", 10).as_deref(), Some(&b"f"[..]));
        for text in ["Z", "Zh", "Zg===", "Zm+v", "Zm 9", "=Zg"] {
            assert_eq!(decode(text, 10), None, "{text}");
        }
        assert_eq!(decode("Zm9v", 2), None);
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            prop_assert_eq!(decode(&encode(&bytes), 80), Some(bytes));
        }
    }
}
