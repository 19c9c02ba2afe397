//! The escapes that Apache puts into logged values, and their removal.

/// The text of a logged value. Apache writes `\"`, `\\`, `\b`, `\n`, `\r`, `\t`, `\v` and, for every other byte that is not
/// printable ASCII, `\xhh`. Bytes that are UTF-8 together are read so, others as Latin-1, which is what old browsers send.
pub(super) fn unescape(raw: &[u8]) -> String {
    if !raw.contains(&b'\\') {
        return decode(raw.to_vec());
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((&first, after)) = rest.split_first() {
        if first == b'\\' {
            let (byte, length) = escaped(after);
            bytes.push(byte);
            rest = after.get(length..).unwrap_or_default();
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    decode(bytes)
}

/// The byte that stands behind a backslash, and how many characters of `after` it took.
fn escaped(after: &[u8]) -> (u8, usize) {
    match after {
        [b'x', high, low, ..] => match (hex(*high), hex(*low)) {
            (Some(high), Some(low)) => (high << 4 | low, 3),
            _ => (b'\\', 0),
        },
        [b'b', ..] => (8, 1),
        [b'n', ..] => (b'\n', 1),
        [b'r', ..] => (b'\r', 1),
        [b't', ..] => (b'\t', 1),
        [b'v', ..] => (11, 1),
        [symbol @ (b'"' | b'\\'), ..] => (*symbol, 1),
        _ => (b'\\', 0),
    }
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

fn decode(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| {
        let bytes = error.into_bytes();
        bytes.into_iter().map(char::from).collect()
    })
}

/// The inverse of [`unescape`], as Apache does it, for tests that render lines.
#[cfg(test)]
pub(super) fn escape(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            8 => out.push_str("\\b"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            11 => out.push_str("\\v"),
            0x20..=0x7e => out.push(char::from(byte)),
            _ => write!(out, "\\x{byte:02x}").unwrap(),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(raw: &str, expected: &str) {
        assert_eq!(unescape(raw.as_bytes()), expected);
    }

    #[test]
    fn apaches_escapes_are_undone() {
        check(r#"probe \"quoted\" \\ back"#, r#"probe "quoted" \ back"#);
        check(r"http://x/\xc3\xa9", "http://x/é");
        check(r"fr\xe9e", "frée");
        check(r"b\tob\x16", "b\tob\u{16}");
    }

    #[test]
    fn what_is_not_an_escape_stays_as_it_is() {
        check(r"C:\dir", r"C:\dir");
        check(r"\xzz \x1", r"\xzz \x1");
        check("end\\", "end\\");
    }
}
