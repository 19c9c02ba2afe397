//! Walks over the text of an exposition and knows the line it is in; what the words mean is decided elsewhere.

use std::borrow::Cow;

use super::ExpositionError;

/// Letters shown of what was found instead of what was expected.
const FOUND_CHARS_MAX: usize = 24;

/// How words are kept apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spacing {
    /// By any blanks or none, as in Prometheus' text.
    Loose,
    /// By exactly one space where the format has one, as in OpenMetrics.
    Strict,
}

/// A place in a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scanner<'a> {
    rest: &'a str,
    line: usize,
    spacing: Spacing,
}

impl<'a> Scanner<'a> {
    pub(super) const fn of(text: &'a str, spacing: Spacing) -> Self {
        Self {
            rest: text,
            line: 1,
            spacing,
        }
    }

    pub(super) const fn line(&self) -> usize {
        self.line
    }

    pub(super) const fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next byte.
    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.as_bytes().first().copied()
    }

    /// Passes these letters, if they come next. None of them ends a line.
    pub(super) fn eat(&mut self, letters: &str) -> bool {
        match self.rest.strip_prefix(letters) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Passes the end of a line, or is at the end of the text.
    pub(super) fn eat_line_end(&mut self) -> bool {
        if let Some(rest) = self.rest.strip_prefix('\n') {
            self.rest = rest;
            self.line += 1;
            return true;
        }
        self.rest.is_empty()
    }

    /// Passes blanks where the format allows any.
    pub(super) fn skip_blanks(&mut self) {
        if self.spacing == Spacing::Loose {
            self.rest = self.rest.trim_start_matches([' ', '\t', '\r']);
        }
    }

    /// Passes what keeps two words apart; tells whether anything did.
    pub(super) fn eat_gap(&mut self) -> bool {
        match self.spacing {
            Spacing::Loose => {
                let before = self.rest.len();
                self.skip_blanks();
                self.rest.len() < before
            }
            Spacing::Strict => self.eat(" "),
        }
    }

    /// A metric's name without quotes; empty when none comes.
    pub(super) fn metric_name(&mut self) -> &'a str {
        self.name(|byte| byte == b':')
    }

    /// A label's name without quotes; empty when none comes.
    pub(super) fn label_name(&mut self) -> &'a str {
        self.name(|_| false)
    }

    fn name(&mut self, also: impl Fn(u8) -> bool) -> &'a str {
        let bytes = self.rest.as_bytes();
        if bytes.first().is_none_or(u8::is_ascii_digit) {
            return "";
        }
        let end = bytes
            .iter()
            .position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'_' || also(*byte)));
        self.take(end.unwrap_or(bytes.len()))
    }

    /// What comes up to a blank or the end of the line; may be empty.
    pub(super) fn word(&mut self) -> &'a str {
        let end = self.rest.bytes().position(|byte| match self.spacing {
            Spacing::Loose => matches!(byte, b' ' | b'\t' | b'\r' | b'\n'),
            Spacing::Strict => matches!(byte, b' ' | b'\n'),
        });
        self.take(end.unwrap_or(self.rest.len()))
    }

    /// What comes up to the end of the line, and passes that.
    pub(super) fn rest_of_line(&mut self) -> &'a str {
        let end = self.rest.find('\n').unwrap_or(self.rest.len());
        let found = self.take(end);
        self.eat_line_end();
        match self.spacing {
            Spacing::Loose => found.trim_end_matches('\r'),
            Spacing::Strict => found,
        }
    }

    /// Text in quotes, without its escapes.
    pub(super) fn quoted(
        &mut self,
        expected: &'static str,
    ) -> Result<Cow<'a, str>, ExpositionError> {
        let Some(inside) = self.rest.strip_prefix('"') else {
            return Err(self.unexpected(expected));
        };
        let mut is_escaped = false;
        let end = inside.bytes().position(|byte| {
            let ends = byte == b'"' && !is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            ends
        });
        let found = end.and_then(|end| inside.split_at_checked(end));
        let is_one_line = |text: &str| self.spacing == Spacing::Loose || !text.contains('\n');
        match found {
            Some((text, rest)) if is_one_line(text) => {
                self.line += text.bytes().filter(|byte| *byte == b'\n').count();
                self.rest = rest.strip_prefix('"').unwrap_or(rest);
                Ok(unescape(text, &QUOTED_ESCAPES))
            }
            Some(_) | None => Err(self.unexpected("text that ends with a quotation mark")),
        }
    }

    /// The error that tells what comes next instead of what was expected.
    pub(super) fn unexpected(&self, expected: &'static str) -> ExpositionError {
        let line = self.rest.split('\n').next().unwrap_or_default();
        let found = match line.char_indices().nth(FOUND_CHARS_MAX) {
            Some((end, _)) => format!("{:?}…", &line[..end]),
            None if !line.is_empty() => format!("{line:?}"),
            None if self.rest.is_empty() => "the end of the text".to_owned(),
            None => "the end of the line".to_owned(),
        };
        ExpositionError::Unexpected {
            line: self.line,
            expected,
            found,
        }
    }

    fn take(&mut self, end: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }
}

/// Letters that a backslash stands before in quoted text, and in the help of OpenMetrics.
pub(super) const QUOTED_ESCAPES: [char; 2] = ['\\', '"'];

/// Replaces `\n` and the escaped letters; a backslash before anything else is one, as in Prometheus.
pub(super) fn unescape<'a>(text: &'a str, escapes: &[char]) -> Cow<'a, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            out.push(letter);
            continue;
        }
        match letters.next() {
            Some('n') => out.push('\n'),
            Some(escaped) if escapes.contains(&escaped) => out.push(escaped),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    Cow::Owned(out)
}
