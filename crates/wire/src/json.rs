//! JSON of senders who cut texts between the halves of a character: no alert may be lost for that. It knows no fields.

use serde::de::DeserializeOwned;

/// Bytes of an escape such as `\ud83d`.
const ESCAPE_BYTES: usize = 6;
/// What is read in place of half a character.
const REPLACEMENT: &[u8; ESCAPE_BYTES] = br"\ufffd";

/// Reads JSON. The escape of half a surrogate pair, which no text can hold, is read as U+FFFD.
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

/// The same with a replacement for each half of a pair, if there is one. Nothing moves, so that places in it stay.
fn mended(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut mended = bytes.to_vec();
    let mut at = 0;
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
                mended[at..at + ESCAPE_BYTES].copy_from_slice(REPLACEMENT);
                ESCAPE_BYTES
            }
            Some(_) => ESCAPE_BYTES,
        };
    }
    (mended != bytes).then_some(mended)
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

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

    proptest! {
        #[test]
        fn what_is_json_is_read_as_it_is_and_nothing_makes_it_panic(text in any::<String>(), bytes in any::<Vec<u8>>()) {
            let whole = json!([text]);
            prop_assert_eq!(read::<Value>(whole.to_string().as_bytes()).unwrap(), whole);
            drop(read::<Value>(&bytes));
            drop(mended(&bytes));
        }

        #[test]
        fn texts_of_any_units_are_read_as_utf_16_reads_them(units in prop::collection::vec(0xd7fe..0xe002_u16, 0..8)) {
            let escapes: String = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
            let text = format!("\"{escapes}\"");
            prop_assert_eq!(read::<String>(text.as_bytes()).unwrap(), String::from_utf16_lossy(&units));
        }
    }
}
