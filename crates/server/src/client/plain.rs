//! Text that came from the server, made safe for a terminal: a log line or a name may hold sequences that would clear the
//! screen, rename the window or reverse what is read. It must not know what the text is about.

use std::fmt;

use serde::{Deserialize, Deserializer};
use tocsin_wire::plain::is_hostile;

/// One line from the server in which nothing is left that a terminal would obey. There is no other way to get one than to
/// clean text, so what is shown of the server's words is clean.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Plain(String);

impl Plain {
    /// Cleans text to one line.
    pub(super) fn new(text: &str) -> Self {
        Self(line(text))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::new(&text))
    }
}

impl fmt::Display for Plain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

/// One line: breaks and tabs become spaces, everything else hostile goes.
pub(super) fn line(text: &str) -> String {
    let spaced = text.chars().map(|letter| {
        if matches!(letter, '\n' | '\r' | '\t') {
            ' '
        } else {
            letter
        }
    });
    spaced.filter(|letter| !is_hostile(*letter)).collect()
}

/// Several lines: newlines and tabs stay, everything else hostile goes.
pub(super) fn lines(text: &str) -> String {
    text.chars()
        .filter(|letter| matches!(letter, '\n' | '\t') || !is_hostile(*letter))
        .collect()
}

/// Several lines, each set in by two columns, with a newline after each.
pub(super) fn indented(text: &str) -> String {
    lines(text)
        .lines()
        .map(|line| format!("  {line}\n"))
        .collect()
}

/// A JSON document with the same meaning in which hostile characters are written as escapes. They can stand only inside
/// strings; outside only a carriage return can, which becomes a space.
pub(super) fn json(document: &str) -> String {
    let mut safe = String::with_capacity(document.len());
    for letter in document.chars() {
        match letter {
            '\n' | '\t' => safe.push(letter),
            '\r' => safe.push(' '),
            letter if is_hostile(letter) => {
                let mut units = [0_u16; 2];
                for unit in letter.encode_utf16(&mut units) {
                    safe.push_str(&format!("\\u{unit:04x}"));
                }
            }
            letter => safe.push(letter),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(given: &str, one_line: &str, several: &str) {
        assert_eq!(line(given), one_line);
        assert_eq!(lines(given), several);
    }

    #[test]
    fn what_a_terminal_would_obey_goes() {
        check("\u{1b}[2J\u{1b}[31mred", "[2J[31mred", "[2J[31mred");
        check("\u{1b}]0;title\u{7}x", "]0;titlex", "]0;titlex");
        check("\u{9b}31mred\u{7f}\u{8}\0", "31mred", "31mred");
        check("a\r\nb\tc", "a  b c", "a\nb\tc");
        check("over\rwritten", "over written", "overwritten");
        check(
            "abc\u{202e}fed\u{2066}\u{200f}\u{e0041}\u{feff}",
            "abcfed",
            "abcfed",
        );
    }

    #[test]
    fn ordinary_text_of_any_language_stays() {
        for text in [
            "Grüße, “x” – 50 %",
            "障害が発生しました",
            "نص",
            "👩‍🚒 🔥",
            "a\u{301}",
        ] {
            check(text, text, text);
        }
    }

    #[test]
    fn json_keeps_its_meaning() {
        let given = "{\"a\":\"x\u{9b}\u{7f}\u{202e}\u{e0041}é\"}\r\n";
        let safe = json(given);
        assert_eq!(safe, "{\"a\":\"x\\u009b\\u007f\\u202e\\udb40\\udc41é\"} \n");
        let meaning = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(meaning(&safe), meaning(given));
    }

    #[test]
    fn cleaned_text_pads_like_text() {
        assert_eq!(format!("{:<4}|", Plain::new("a\u{1b}b")), "ab  |");
    }
}
