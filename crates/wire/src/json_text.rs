//! JSON as it is written, field by field. Where an answer is long and made often, a value of it, or a serializer that looks at each
//! byte of what is known to be plain, costs several times as much. It knows no fields.

use std::fmt::Write as _;
use std::ops::Range;

use serde_json::Value;

/// Digits of a number of 64 bits at most.
const DIGITS_MAX: usize = 20;

/// JSON that is being written. Commas are put where they belong; whoever writes gives each name a value.
#[derive(Debug, Default)]
pub struct JsonText(String);

impl JsonText {
    /// Nothing yet, with room for so many bytes.
    #[must_use]
    pub fn with_room(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    /// Bytes written so far.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.len()
    }

    /// What was written.
    #[must_use]
    pub fn into_text(self) -> String {
        self.0
    }

    /// The same as a value.
    #[must_use]
    pub fn into_value(self) -> Value {
        let read = serde_json::from_str(&self.0);
        debug_assert!(read.is_ok(), "{}", self.0);
        read.unwrap_or_default()
    }

    /// An object, whose fields `write` writes.
    pub fn object(&mut self, write: impl FnOnce(&mut Self)) {
        self.separate();
        self.0.push('{');
        write(self);
        self.0.push('}');
    }

    /// A list of what `write` makes of each item.
    pub fn list<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T),
    ) {
        self.separate();
        self.0.push('[');
        for item in items {
            write(self, item);
        }
        self.0.push(']');
    }

    /// The name of a field, whose value comes next. A name has nothing in it that would have to be escaped.
    #[expect(
        clippy::inline_always,
        reason = "where the name is known, no byte of it is counted or copied by a call: an answer has a hundred of them"
    )]
    #[inline(always)]
    pub fn field(&mut self, name: &str) -> &mut Self {
        debug_assert!(is_plain(name), "{name}");
        self.0.push_str(if self.is_begun() { "\"" } else { ",\"" });
        self.0.push_str(name);
        self.0.push_str("\":");
        self
    }

    /// A text.
    pub fn text(&mut self, text: &str) {
        self.separate();
        self.0.push('"');
        self.part(text);
        self.0.push('"');
    }

    /// One text that is put together of several.
    pub fn texts(&mut self, parts: &[&str]) {
        self.separate();
        self.0.push('"');
        for part in parts {
            self.part(part);
        }
        self.0.push('"');
    }

    fn part(&mut self, text: &str) {
        if is_plain(text) {
            self.0.push_str(text);
        } else {
            self.escaped(text);
        }
    }

    /// A whole number.
    pub fn number(&mut self, number: u64) {
        self.separate();
        // By the library's formatting, a number takes as long as a text of a hundred bytes.
        let (mut digits, mut begin, mut rest) = ([b'0'; DIGITS_MAX], DIGITS_MAX, number);
        while rest > 0 || begin == DIGITS_MAX {
            begin -= 1;
            let [digit, ..] = (rest % 10).to_le_bytes();
            digits[begin] += digit;
            rest /= 10;
        }
        self.0
            .extend(digits[begin..].iter().copied().map(char::from));
    }

    /// Yes or no.
    pub fn flag(&mut self, is_so: bool) {
        self.raw(if is_so { "true" } else { "false" });
    }

    /// Nothing.
    pub fn null(&mut self) {
        self.raw("null");
    }

    /// What `write` makes of it, or nothing.
    pub fn or_null<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        match value {
            Some(value) => write(self, value),
            None => self.null(),
        }
    }

    /// A value.
    pub fn value(&mut self, value: &Value) {
        self.separate();
        // A text takes all that is written into it.
        let _ = write!(self.0, "{value}");
    }

    /// What is JSON already.
    pub fn raw(&mut self, json: &str) {
        self.separate();
        self.0.push_str(json);
    }

    /// What was written there already, once more. It is a whole value.
    pub fn again(&mut self, at: Range<usize>) {
        self.separate();
        self.0.extend_from_within(at);
    }

    /// A comma, unless something was only begun.
    #[inline]
    fn separate(&mut self) {
        if !self.is_begun() {
            self.0.push(',');
        }
    }

    /// Whether nothing stands before what comes next: whatever is complete ends in another character than these.
    #[inline]
    fn is_begun(&self) -> bool {
        matches!(self.0.as_bytes().last(), None | Some(b'{' | b'[' | b':'))
    }

    /// As RFC 8259, section 7, has it; what need not be escaped is not.
    fn escaped(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '"' => self.0.push_str("\\\""),
                '\\' => self.0.push_str("\\\\"),
                '\n' => self.0.push_str("\\n"),
                '\r' => self.0.push_str("\\r"),
                '\t' => self.0.push_str("\\t"),
                '\u{8}' => self.0.push_str("\\b"),
                '\u{c}' => self.0.push_str("\\f"),
                control @ '\0'..' ' => {
                    // A text takes all that is written into it.
                    let _ = write!(self.0, "\\u{:04x}", u32::from(control));
                }
                other => self.0.push(other),
            }
        }
    }
}

/// Whether nothing of it has to be escaped. Many bytes are looked at together, and the last ones again where they do not come out even.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    if let Some(last) = bytes.last_chunk::<16>() {
        let (whole, _) = bytes.as_chunks();
        return whole.iter().all(are_plain::<16>) && are_plain(last);
    }
    match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(first), Some(last)) => are_plain(first) && are_plain(last),
        _ => bytes.iter().all(|byte| are_plain(&[*byte])),
    }
}

/// The same of so many bytes, without a branch: the compiler makes one comparison of them all.
fn are_plain<const COUNT: usize>(bytes: &[u8; COUNT]) -> bool {
    let is_special = |byte: &u8| (*byte < b' ') | (*byte == b'"') | (*byte == b'\\');
    let special = bytes.iter().map(|byte| u8::from(is_special(byte)));
    special.fold(0, |some, one| some | one) == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn commas_stand_between_what_is_beside_each_other() {
        let mut out = JsonText::with_room(64);
        out.object(|out| {
            out.field("empty").object(|_| ());
            out.field("none").list([(); 0], |_, ()| ());
            out.field("list").list([1, 2], JsonText::number);
            out.field("objects").list(["a", "b"], |out, name| {
                out.object(|out| out.field(name).null());
            });
            out.field("flag").flag(true);
            out.field("not").flag(false);
            out.field("whole").texts(&["one ", "\"two\""]);
            out.field("some").or_null(Some("x"), JsonText::text);
            out.field("nothing").or_null(None, JsonText::text);
            out.field("value").value(&json!({"a": [1.5, null]}));
            out.field("ends").text(":");
            out.field("raw").raw("[]");
            let begin = out.field("once").bytes();
            out.object(|out| out.field("x").number(1));
            let once = begin..out.bytes();
            out.field("again")
                .list([(), ()], |out, ()| out.again(once.clone()));
        });
        let expected = r#"{"empty":{},"none":[],"list":[1,2],"objects":[{"a":null},{"b":null}],"flag":true,"not":false,"whole":"one \"two\"","some":"x","nothing":null,"value":{"a":[1.5,null]},"ends":":","raw":[],"once":{"x":1},"again":[{"x":1},{"x":1}]}"#;
        assert_eq!(out.bytes(), expected.len());
        assert_eq!(out.into_text(), expected);
    }

    proptest! {
        #[test]
        fn texts_are_written_as_the_library_writes_them(parts in prop::collection::vec(".*|[\\x00-\\x7f]{0,40}", 0..4)) {
            let mut out = JsonText::default();
            out.texts(&parts.iter().map(String::as_str).collect::<Vec<_>>());
            prop_assert_eq!(out.into_text(), serde_json::to_string(&parts.concat()).unwrap());
        }

        #[test]
        fn what_has_to_be_escaped_is_found_wherever_it_stands(before in "[ -!#-\\[\\]-~é]{0,20}", found in "[\\x00-\\x1f\"\\\\]", after in "[ -!#-\\[\\]-~é]{0,20}") {
            prop_assert!(is_plain(&before));
            let whole = [before.as_str(), found.as_str(), after.as_str()].concat();
            prop_assert!(!is_plain(&whole));
        }

        #[test]
        fn numbers_are_written_as_the_library_writes_them(number: u64) {
            let mut out = JsonText::default();
            out.number(number);
            prop_assert_eq!(out.into_text(), number.to_string());
        }
    }
}
