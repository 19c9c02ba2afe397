//! JSON of senders who cut texts between the halves of a character, write them in another set of characters, or count further than 64
//! bits do: no alert may be lost for that. It knows no fields.

use std::borrow::Cow;

use encoding_rs::WINDOWS_1252;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

/// Bytes of an escape such as `\ud83d`.
const ESCAPE_BYTES: usize = 6;
/// With fewer digits, 64 bits hold any number.
const LONG_DIGITS_MIN: usize = 19;
/// Below, 64 bits hold any whole number.
const ROUNDED_MIN: f64 = 9_223_372_036_854_775_808.0;
/// What is read in place of half a character.
const REPLACEMENT: &[u8; ESCAPE_BYTES] = br"\ufffd";

/// Reads JSON. The escape of half a surrogate pair is read as U+FFFD, and each byte that is no UTF-8 as the letter that it is in
/// Windows-1252, which such senders mostly write: keys that differ in them stay apart. A body without either is read once, and not
/// copied.
///
/// # Errors
/// It cannot be read for another reason, and that one is told.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> serde_json::Result<T> {
    match serde_json::from_slice(bytes) {
        Err(error) if error.is_syntax() => match mended(bytes) {
            Some(mended) => serde_json::from_slice(&mended),
            None => Err(error),
        },
        read => read,
    }
}

/// The same, in which a whole number that 64 bits do not hold is read as the text of its digits: as a number it would be rounded, so
/// that two ids could become one.
///
/// # Errors
/// It cannot be read, and why is told of what was sent.
pub fn read_exact<T: DeserializeOwned>(bytes: &[u8]) -> serde_json::Result<T> {
    match exact(bytes) {
        Cow::Borrowed(bytes) => read(bytes),
        Cow::Owned(quoted) => read(&quoted).or_else(|_| read(bytes)),
    }
}

/// Whether a number in what [`read`] gave may be a whole one that 64 bits do not hold, and is rounded then.
#[must_use]
pub fn may_be_rounded(value: &Value) -> bool {
    match value {
        Value::Number(number) => {
            let is_held = number.is_i64() || number.is_u64();
            let size = number.as_f64().map(f64::abs);
            !is_held && size.is_some_and(|size| size >= ROUNDED_MIN)
        }
        Value::Array(items) => items.iter().any(may_be_rounded),
        Value::Object(fields) => fields.values().any(may_be_rounded),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

/// The entries of a list, each as it stands there: so that each can be read, or not, as if it were alone.
///
/// # Errors
/// It is no list, or no JSON.
pub fn entries(list: &[u8]) -> serde_json::Result<Vec<&[u8]>> {
    serde_json::from_slice::<Vec<IgnoredAny>>(list)?;
    let (mut entries, mut depth, mut begin, mut at) = (Vec::new(), 0_usize, 0, 0);
    while let Some(byte) = list.get(at) {
        let is_ended = match byte {
            b'"' => {
                at = text_end(list, at);
                continue;
            }
            b'[' | b'{' => {
                depth += 1;
                begin = if depth == 1 { at + 1 } else { begin };
                false
            }
            b']' | b'}' => {
                // What closes was opened: it is JSON.
                depth = depth.saturating_sub(1);
                depth == 0
            }
            b',' => depth == 1,
            _ => false,
        };
        if is_ended {
            entries.push(list[begin..at].trim_ascii());
            begin = at + 1;
        }
        at += 1;
    }
    // Only where there is none, nothing stands between the brackets.
    entries.retain(|entry| !entry.is_empty());
    Ok(entries)
}

/// JSON with something else for whatever no text can hold, if there is such.
fn mended(bytes: &[u8]) -> Option<Vec<u8>> {
    let is_text = std::str::from_utf8(bytes).is_ok();
    let mut mended = if is_text {
        bytes.to_vec()
    } else {
        with_letters(bytes).into_bytes()
    };
    let had_halves = replace_halves(&mut mended);
    (had_halves || !is_text).then_some(mended)
}

/// Text in which each byte that is no UTF-8 is the letter that it is in Windows-1252.
pub(crate) fn with_letters(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        let (letters, _) = WINDOWS_1252.decode_without_bom_handling(chunk.invalid());
        text.push_str(&letters);
    }
    text
}

/// Puts a replacement in the place of each half of a pair; whether there was one. Nothing moves, so that places stay.
fn replace_halves(bytes: &mut [u8]) -> bool {
    let (mut at, mut had_one) = (0, false);
    while at < bytes.len() {
        // Outside of texts, a backslash is no JSON at all.
        if bytes[at] != b'\\' {
            at += 1;
            continue;
        }
        at += match escaped(bytes, at) {
            None => 2,
            Some(0xd800..=0xdbff) if is_second(escaped(bytes, at + ESCAPE_BYTES)) => {
                2 * ESCAPE_BYTES
            }
            Some(0xd800..=0xdfff) => {
                bytes[at..at + ESCAPE_BYTES].copy_from_slice(REPLACEMENT);
                had_one = true;
                ESCAPE_BYTES
            }
            Some(_) => ESCAPE_BYTES,
        };
    }
    had_one
}

/// Whether it is the second half of a pair.
fn is_second(unit: Option<u16>) -> bool {
    matches!(unit, Some(0xdc00..=0xdfff))
}

/// What the escape that begins there stands for, if it is one by number.
fn escaped(bytes: &[u8], at: usize) -> Option<u16> {
    let escape = bytes.get(at..at + ESCAPE_BYTES)?;
    let digits = escape.strip_prefix(br"\u")?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// JSON with quotes around each whole number that 64 bits do not hold; what was sent, where there is none.
pub(crate) fn exact(bytes: &[u8]) -> Cow<'_, [u8]> {
    let (mut quoted, mut kept, mut at) = (Vec::new(), 0, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = text_end(bytes, at),
            b'-' | b'0'..=b'9' => {
                let number = number_at(bytes, at);
                let end = at + number.len();
                if is_long(number) && !is_before_a_colon(bytes, end) {
                    quoted.extend_from_slice(&bytes[kept..at]);
                    quoted.push(b'"');
                    quoted.extend_from_slice(number);
                    quoted.push(b'"');
                    kept = end;
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    if kept == 0 {
        return Cow::Borrowed(bytes);
    }
    quoted.extend_from_slice(&bytes[kept..]);
    Cow::Owned(quoted)
}

/// Whether it is a whole number, as JSON has it, that 64 bits do not hold.
pub(crate) fn is_long(number: &[u8]) -> bool {
    let digits = number.strip_prefix(b"-").unwrap_or(number);
    if digits.len() < LONG_DIGITS_MIN || digits.starts_with(b"0") {
        return false;
    }
    let text = std::str::from_utf8(number).unwrap_or_default();
    digits.iter().all(u8::is_ascii_digit)
        && text.parse::<u64>().is_err()
        && text.parse::<i64>().is_err()
}

/// What stands from there on in the letters of numbers, whether it is one or not.
fn number_at(bytes: &[u8], at: usize) -> &[u8] {
    let is_part = |byte: &&u8| matches!(**byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
    let length = bytes[at..].iter().take_while(is_part).count();
    &bytes[at..at + length]
}

/// Where the text ends that begins there.
fn text_end(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    loop {
        match bytes.get(at) {
            None => return bytes.len(),
            Some(b'"') => return at + 1,
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
        }
    }
}

/// A number is no name of a field, and must not become one.
fn is_before_a_colon(bytes: &[u8], at: usize) -> bool {
    let mut rest = bytes[at..].iter();
    rest.find(|byte| !byte.is_ascii_whitespace()) == Some(&b':')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn half_a_character_is_read_as_its_replacement_and_a_whole_one_as_itself() {
        for (text, expected) in [
            (r#""a\ud83d""#, "a\u{fffd}"),
            (r#""\ud83db""#, "\u{fffd}b"),
            (r#""\uDE00 b""#, "\u{fffd} b"),
            (r#""\ud83d\ud83d\ude00""#, "\u{fffd}\u{1f600}"),
            (r#""\ude00\ud83d\n""#, "\u{fffd}\u{fffd}\n"),
            (r#""\ud83d\ude00\ud800""#, "\u{1f600}\u{fffd}"),
            (r#""\\ud83d \ud800""#, "\\ud83d \u{fffd}"),
            (r#""\\ud83d""#, "\\ud83d"),
            (r#""\ud83d\ude00""#, "\u{1f600}"),
        ] {
            assert_eq!(read::<String>(text.as_bytes()).unwrap(), expected, "{text}");
        }
        let named = r#"{"a\ud800": ["\udfff"]}"#;
        let expected = json!({"a\u{fffd}": ["\u{fffd}"]});
        assert_eq!(read::<Value>(named.as_bytes()).unwrap(), expected);
    }

    #[test]
    fn a_byte_that_is_no_utf_8_is_read_as_a_letter_of_its_own_and_only_in_a_text() {
        let cases: [(&[u8], &str); 5] = [
            (b"\"caf\xe9\"", "caf\u{e9}"),
            (b"\"\xe9 \x84\xfc\x93\"", "\u{e9} \u{201e}\u{fc}\u{201c}"),
            (b"\"\xc3\xa9\xe9\"", "\u{e9}\u{e9}"),
            (b"\"\xe9\\ud83d\\n\"", "\u{e9}\u{fffd}\n"),
            (b"\"\xff\\\"\"", "\u{ff}\""),
        ];
        for (bytes, expected) in cases {
            assert_eq!(read::<String>(bytes).unwrap(), expected, "{bytes:?}");
        }
        let named = b"{\"a\xff\": [\"\xfe\", 12345678901234567890123]}";
        let expected = json!({"a\u{ff}": ["\u{fe}", "12345678901234567890123"]});
        assert_eq!(read_exact::<Value>(named).unwrap(), expected);
        for bytes in [
            &b"\xe9"[..],
            b"{\"a\": \xe9}",
            b"{\"a\": 1\xe9}",
            b"[\"\xe9\", ]",
            b"[\"\xe9\"",
        ] {
            let whole = with_letters(bytes);
            let expected = serde_json::from_str::<Value>(&whole).unwrap_err();
            let told = read::<Value>(bytes).unwrap_err();
            assert_eq!(told.to_string(), expected.to_string(), "{bytes:?}");
        }
    }

    #[test]
    fn what_is_wrong_besides_is_told_at_its_place() {
        for text in [r#"{"a": "\ud800", }"#, r#"["\ud800""#] {
            let whole = text.replace("d800", "00e9");
            let expected = serde_json::from_str::<Value>(&whole).unwrap_err();
            let told = read::<Value>(text.as_bytes()).unwrap_err();
            assert_eq!(told.to_string(), expected.to_string());
        }
        for text in ["{", r#""\ud8""#, r#""\uzzzz""#, r#""\x""#, r#""\"#, ""] {
            let expected = serde_json::from_str::<Value>(text).unwrap_err();
            let told = read::<Value>(text.as_bytes()).unwrap_err();
            assert_eq!(told.to_string(), expected.to_string(), "{text}");
        }
    }

    #[test]
    fn a_whole_number_that_64_bits_do_not_hold_is_read_as_its_digits() {
        for (text, expected) in [
            ("12345678901234567890123", json!("12345678901234567890123")),
            ("-9223372036854775809", json!("-9223372036854775809")),
            ("18446744073709551616", json!("18446744073709551616")),
            ("18446744073709551615", json!(u64::MAX)),
            ("-9223372036854775808", json!(i64::MIN)),
            (
                r#"{"a": [ 12345678901234567890123 , 1], "12345678901234567890124": 0}"#,
                json!({"a": ["12345678901234567890123", 1], "12345678901234567890124": 0}),
            ),
            (
                r#""\" 12345678901234567890123 \\""#,
                json!("\" 12345678901234567890123 \\"),
            ),
            (
                r#"[12345678901234567890123, "\ud800"]"#,
                json!(["12345678901234567890123", "\u{fffd}"]),
            ),
        ] {
            assert_eq!(
                read_exact::<Value>(text.as_bytes()).unwrap(),
                expected,
                "{text}"
            );
        }
        // Others are the numbers that they were.
        for text in [
            "1e22",
            "-0",
            "12345678901234567890123.5",
            "12345678901234567890123e1",
        ] {
            let (one, other) = (
                read_exact::<Value>(text.as_bytes()),
                read::<Value>(text.as_bytes()),
            );
            assert_eq!(one.unwrap(), other.unwrap(), "{text}");
        }
        // What no number of any kind holds is a text too.
        let digits = "9".repeat(500);
        assert_eq!(
            read_exact::<Value>(digits.as_bytes()).unwrap(),
            json!(digits)
        );
    }

    #[test]
    fn a_number_that_may_be_rounded_is_known_after_it_was_read() {
        for (text, expected) in [
            ("12345678901234567890123", true),
            ("-9223372036854775809", true),
            (r#"{"a": [1, {"b": 18446744073709551616}]}"#, true),
            ("18446744073709551615", false),
            ("-9223372036854775808", false),
            ("[0.5, -3, 1e10, null, true]", false),
            (r#""12345678901234567890123""#, false),
        ] {
            let read: Value = read(text.as_bytes()).unwrap();
            assert_eq!(may_be_rounded(&read), expected, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_beside_a_long_number_is_told_at_its_place() {
        for text in [
            "[12345678901234567890123, }",
            "{12345678901234567890123: 1}",
            "012345678901234567890123",
            "--12345678901234567890123",
            "12345678901234567890123-",
            "[12345678901234567890123 12345678901234567890123]",
            "nul12345678901234567890123",
        ] {
            let expected = serde_json::from_str::<Value>(text).unwrap_err();
            let told = read_exact::<Value>(text.as_bytes()).unwrap_err();
            assert_eq!(told.to_string(), expected.to_string(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_can_be_read_with_long_numbers_is_what_can_be_read(text in r#"([\[\]{}:, "\\eE.+-]|[0-9]{1,3}|[1-9][0-9]{18,22}){0,12}"#, bytes in any::<Vec<u8>>()) {
            prop_assert_eq!(read_exact::<Value>(text.as_bytes()).is_ok(), read::<Value>(text.as_bytes()).is_ok());
            drop(read_exact::<Value>(&bytes));
        }

        #[test]
        fn what_is_json_is_read_as_it_is_and_nothing_makes_it_panic(text in any::<String>(), bytes in any::<Vec<u8>>()) {
            let whole = json!([text]);
            prop_assert_eq!(read::<Value>(whole.to_string().as_bytes()).unwrap(), whole);
            drop(read::<Value>(&bytes));
            drop(mended(&bytes));
        }

        #[test]
        fn texts_of_any_bytes_are_read_as_far_as_they_are_utf_8(bytes in prop::collection::vec((0x20..=0xff_u8).prop_filter("it stands for itself", |byte| !b"\"\\".contains(byte)), 0..12)) {
            let quoted = [&b"\""[..], bytes.as_slice(), &b"\""[..]].concat();
            let text = read::<String>(&quoted).unwrap();
            match String::from_utf8(bytes.clone()) {
                Ok(valid) => prop_assert_eq!(text, valid),
                // No letter is lost, and none becomes another.
                Err(_) => {
                    let was_there = bytes.windows(3).any(|three| three == "\u{fffd}".as_bytes());
                    prop_assert_eq!(text.contains('\u{fffd}'), was_there);
                }
            }
        }

        #[test]
        fn texts_of_any_units_are_read_as_utf_16_reads_them(units in prop::collection::vec(0xd7fe..0xe002_u16, 0..8)) {
            let escapes: String = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
            let text = format!("\"{escapes}\"");
            prop_assert_eq!(read::<String>(text.as_bytes()).unwrap(), String::from_utf16_lossy(&units));
        }
    }

    #[test]
    fn the_entries_of_a_list_are_as_they_stand_there() {
        let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
        for (list, expected) in [
            ("[]", &[][..]),
            (" [ \n ] ", &[]),
            (
                r#"[ 1 , {"a":[2,"],["]} ,"\\\",[" ]"#,
                &["1", r#"{"a":[2,"],["]}"#, r#""\\\",[""#],
            ),
            ("[1e999,[],[[1,2],3]]", &["1e999", "[]", "[[1,2],3]"]),
            (&format!("[null,{deep}]"), &["null", &deep]),
        ] {
            let entries = entries(list.as_bytes()).unwrap();
            let entries = entries.into_iter().map(std::str::from_utf8);
            let entries: Vec<&str> = entries.map(Result::unwrap).collect();
            assert_eq!(entries, expected, "{list}");
        }
        for wrong in ["", "{}", "[", "[1", "[1,]", "[1]]", "[1] 2", "[\"a]"] {
            assert!(entries(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
