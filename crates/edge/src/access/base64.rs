//! Base64 (RFC 4648, section 4), as HTTP Basic needs it. It knows no header.

/// The bytes of `text`, padded or not; none when it is no base64 or gives more than `bytes_max`.
pub(crate) fn decode(text: &str, bytes_max: usize) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    // Six bits are no byte, and padding only fills up a group of four.
    if digits.len() % 4 == 1 || padding > 2 || (padding > 0 && !text.len().is_multiple_of(4)) {
        return None;
    }
    if digits.len() / 4 * 3 > bytes_max {
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
    Some(bytes)
}

fn value(digit: u8) -> Option<u32> {
    Some(u32::from(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

/// The text of `bytes`, padded.
pub(crate) fn encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let at = |index: usize| u32::from(three.get(index).copied().unwrap_or_default());
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place) & 0x3f) as usize];
            text.push(if place <= three.len() {
                char::from(digit)
            } else {
                '='
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_padded_and_can_be_read_again() {
        for (plain, expected) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("user:pass", "dXNlcjpwYXNz"),
        ] {
            assert_eq!(encode(plain.as_bytes()), expected);
            assert_eq!(decode(expected, 100).as_deref(), Some(plain.as_bytes()));
        }
    }

    fn check(text: &str, expected: Option<&str>) {
        let found = decode(text, 100);
        assert_eq!(found.as_deref(), expected.map(str::as_bytes), "{text}");
    }

    #[test]
    fn the_vectors_of_the_standard_are_read_and_nothing_else() {
        check("", Some(""));
        check("Zg==", Some("f"));
        check("Zm8=", Some("fo"));
        check("Zm9v", Some("foo"));
        check("Zm9vYg==", Some("foob"));
        check("Zm9vYg", Some("foob"));
        check("Zm9vYmE=", Some("fooba"));
        check("Zm9vYmFy", Some("foobar"));
        for text in [
            "Z", "Zg=", "Zg===", "Zm9v====", "Zm 9", "Zm9-", "=Zm9", "Zm=9",
        ] {
            check(text, None);
        }
        assert_eq!(decode("Zm9vYmFy", 5), None);
    }
}
