//! A writer of JSON that makes no tree: what it is given goes into one buffer at once. It knows no answer.

use super::number::{write_float, write_seconds, write_whole};

const HEX: &[u8; 16] = b"0123456789abcdef";

/// JSON that grows. Commas are its own business; that brackets close is its user's.
#[derive(Default)]
pub(crate) struct Json {
    out: Vec<u8>,
    /// Whether the next thing follows another one in the same bracket.
    follows: bool,
}

impl Json {
    /// With room for so many bytes.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self {
            out: Vec::with_capacity(bytes),
            follows: false,
        }
    }

    /// Bytes written so far.
    pub(crate) fn len(&self) -> usize {
        self.out.len()
    }

    /// What was written.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    fn separate(&mut self) {
        if self.follows {
            self.out.push(b',');
        }
        self.follows = true;
    }

    /// Opens `{`.
    pub(crate) fn begin_object(&mut self) {
        self.separate();
        self.out.push(b'{');
        self.follows = false;
    }

    /// Closes it.
    pub(crate) fn end_object(&mut self) {
        self.out.push(b'}');
        self.follows = true;
    }

    /// Opens `[`.
    pub(crate) fn begin_list(&mut self) {
        self.separate();
        self.out.push(b'[');
        self.follows = false;
    }

    /// Closes it.
    pub(crate) fn end_list(&mut self) {
        self.out.push(b']');
        self.follows = true;
    }

    /// The name of what follows.
    pub(crate) fn name(&mut self, name: &str) {
        self.text(name);
        self.out.push(b':');
        self.follows = false;
    }

    /// A text.
    pub(crate) fn text(&mut self, text: &str) {
        self.separate();
        self.out.push(b'"');
        escape(&mut self.out, text);
        self.out.push(b'"');
    }

    /// A name and a text.
    pub(crate) fn named_text(&mut self, name: &str, text: &str) {
        self.name(name);
        self.text(text);
    }

    /// A whole number.
    pub(crate) fn whole(&mut self, number: u64) {
        self.separate();
        write_whole(&mut self.out, number);
    }

    /// Milliseconds since the epoch, as seconds.
    pub(crate) fn seconds(&mut self, at_ms: i64) {
        self.separate();
        write_seconds(&mut self.out, at_ms);
    }

    /// A float as a text, because JSON has no NaN and no infinity.
    pub(crate) fn float_text(&mut self, value: f64) {
        self.separate();
        self.out.push(b'"');
        write_float(&mut self.out, value);
        self.out.push(b'"');
    }

    /// The buffer, for a run of values that is written in a way of its own; the run must be whole values with their commas.
    pub(crate) fn run(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.out);
        self.follows = true;
    }

    /// Names and values.
    pub(crate) fn labels<'a>(&mut self, labels: impl Iterator<Item = (&'a str, &'a str)>) {
        self.begin_object();
        for (name, value) in labels {
            self.named_text(name, value);
        }
        self.end_object();
    }

    /// A list of texts.
    pub(crate) fn texts(&mut self, texts: impl IntoIterator<Item = impl AsRef<str>>) {
        self.begin_list();
        for text in texts {
            self.text(text.as_ref());
        }
        self.end_list();
    }
}

fn escape(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let mut rest = bytes;
    let special = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
    while let Some(at) = rest.iter().position(special) {
        let (plain, from) = rest.split_at(at);
        out.extend_from_slice(plain);
        let Some((byte, after)) = from.split_first() else {
            return;
        };
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                out.extend_from_slice(b"\\u00");
                for digit in [byte >> 4, byte & 0xf] {
                    out.extend(HEX.get(usize::from(digit)));
                }
            }
        }
        rest = after;
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_stand_between_things_and_nowhere_else() {
        let mut json = Json::default();
        json.begin_object();
        json.name("a");
        json.begin_list();
        json.whole(1);
        json.seconds(1_500);
        json.begin_object();
        json.end_object();
        json.float_text(0.5);
        json.end_list();
        json.named_text("b", "x");
        json.name("c");
        json.texts(["y", "z"]);
        json.name("d");
        json.labels([("k", "v"), ("l", "w")].into_iter());
        json.end_object();
        let text = String::from_utf8(json.into_bytes()).unwrap();
        assert_eq!(
            text,
            r#"{"a":[1,1.500,{},"0.5"],"b":"x","c":["y","z"],"d":{"k":"v","l":"w"}}"#
        );
    }

    #[test]
    fn every_text_reads_back() {
        let hostile = "\u{0}\u{1f}\u{7f}\"\\/\n\r\t\u{2028}é😀</script>";
        let mut json = Json::default();
        json.text(hostile);
        let back: String = serde_json::from_slice(&json.into_bytes()).unwrap();
        assert_eq!(back, hostile);
    }
}
