//! Compiles an Apache `LogFormat` into the steps that read its lines; it does not read lines itself.

use super::access::FieldNames;
use super::time::{self, Step};

/// Directives one format may have.
const ITEMS_MAX: usize = 256;
/// Bytes one format may have; Apache's own configuration lines end at 16 MiB, real formats below 2 KiB.
const FORMAT_BYTES_MAX: usize = 16 * 1_024;

/// A compiled `LogFormat`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFormat {
    pub(super) items: Vec<Item>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Literal(Vec<u8>),
    Value(Value),
}

/// One directive: what its value means and how far it reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value {
    /// The directive as it was written, such as `%{X-Plan}i`.
    pub(super) directive: String,
    pub(super) meaning: Meaning,
    pub(super) shape: Shape,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The status, of the original or of the last internal redirect.
    Status {
        last: bool,
    },
    RequestLine,
    Method,
    Path,
    PathAndQuery,
    Query,
    Protocol,
    User,
    NamedUser,
    Tier,
    UserAgent,
    Referer,
    Remote,
    ServerName,
    ServerPort,
    BytesSent,
    BytesBody,
    BytesReceived,
    Duration {
        unit_us: u32,
    },
    Begin,
    End,
    LogId,
    Connection,
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    Number,
    Time(Vec<Step>),
}

/// Why a `LogFormat` cannot be used to read lines.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// It is empty or has no directive.
    #[error("the log format has no `%` directive, so its lines tell nothing")]
    NoDirective,
    /// It is too long.
    #[error(
        "the log format is longer than {FORMAT_BYTES_MAX} bytes or has more than {ITEMS_MAX} parts"
    )]
    TooLong,
    /// A directive breaks off.
    #[error("the log format ends inside the directive {directive:?}")]
    Unfinished {
        /// What there was of it.
        directive: String,
    },
    /// A directive that no version of Apache documents.
    #[error("the log format has the unknown directive {directive:?}")]
    Unknown {
        /// The directive.
        directive: String,
    },
    /// Nothing tells where one value ends and the next begins.
    #[error(
        "in the log format nothing stands between {first:?} and {second:?}: put a space or a quote between them"
    )]
    Touching {
        /// The first directive.
        first: String,
        /// The second directive.
        second: String,
    },
}

/// The format behind a nickname that Debian's and Red Hat's configurations define, or Apache's own default (`common` with
/// `%b`, which is also what `TransferLog` writes).
#[must_use]
pub fn nickname(name: &str) -> Option<&'static str> {
    match name {
        "vhost_combined" => Some(r#"%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i""#),
        "combined" => Some(r#"%h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i""#),
        "common" => Some(r#"%h %l %u %t "%r" %>s %b"#),
        _ => None,
    }
}

impl LogFormat {
    /// Compiles a format as Apache sees it after removing the configuration file's quotes. A `\"` that is left is taken as
    /// a quote, so text copied from a configuration file works too.
    ///
    /// # Errors
    /// When lines of this format could not be taken apart, with the place.
    pub fn compile(format: &str, names: &FieldNames) -> Result<Self, FormatError> {
        if format.len() > FORMAT_BYTES_MAX {
            return Err(FormatError::TooLong);
        }
        let mut compiler = Compiler {
            items: Vec::new(),
            literal: Vec::new(),
            names,
        };
        let mut rest = format;
        while let Some(symbol) = rest.chars().next() {
            rest = match symbol {
                '\\' => compiler.backslash(rest),
                '%' => compiler.directive(rest)?,
                _ => {
                    let (head, tail) = rest.split_at(symbol.len_utf8());
                    compiler.literal.extend_from_slice(head.as_bytes());
                    tail
                }
            };
        }
        compiler.finish()
    }

    /// Whether lines tell the user's tier.
    #[must_use]
    pub fn tells_tier(&self) -> bool {
        self.has(|meaning| meaning == Meaning::Tier)
    }

    /// Whether lines tell the user.
    #[must_use]
    pub fn tells_user(&self) -> bool {
        self.has(|meaning| matches!(meaning, Meaning::User | Meaning::NamedUser))
    }

    /// Whether lines tell how long a request took.
    #[must_use]
    pub fn tells_duration(&self) -> bool {
        self.has(|meaning| matches!(meaning, Meaning::Duration { .. } | Meaning::End))
    }

    /// Whether lines tell the status.
    #[must_use]
    pub fn tells_status(&self) -> bool {
        self.has(|meaning| matches!(meaning, Meaning::Status { .. }))
    }

    fn has(&self, wanted: impl Fn(Meaning) -> bool) -> bool {
        self.items.iter().any(|item| match item {
            Item::Literal(_) => false,
            Item::Value(value) => wanted(value.meaning),
        })
    }
}

struct Compiler<'a> {
    items: Vec<Item>,
    literal: Vec<u8>,
    names: &'a FieldNames,
}

impl Compiler<'_> {
    /// Reads an escape of the configuration language; returns the rest of the format.
    fn backslash<'a>(&mut self, rest: &'a str) -> &'a str {
        let (byte, length) = match rest.as_bytes().get(1) {
            Some(b'n') => (b'\n', 2),
            Some(b'r') => (b'\r', 2),
            Some(b't') => (b'\t', 2),
            Some(b'"') => (b'"', 2),
            Some(b'\\') => (b'\\', 2),
            _ => (b'\\', 1),
        };
        self.literal.push(byte);
        &rest[length..]
    }

    /// Reads one directive at the front of `rest`; returns what follows it.
    fn directive<'a>(&mut self, rest: &'a str) -> Result<&'a str, FormatError> {
        let unfinished = || FormatError::Unfinished {
            directive: rest.to_owned(),
        };
        let mut body = &rest[1..];
        if let Some(tail) = body.strip_prefix('%') {
            self.literal.push(b'%');
            return Ok(tail);
        }
        let mut last = false;
        let mut argument = None;
        loop {
            match body.chars().next().ok_or_else(unfinished)? {
                '<' | '!' | ',' | '0'..='9' => body = &body[1..],
                '>' => {
                    last = true;
                    body = &body[1..];
                }
                '{' => {
                    let (inside, tail) = body[1..].split_once('}').ok_or_else(unfinished)?;
                    argument = Some(inside);
                    body = tail;
                }
                _ => break,
            }
        }
        let name_length = if body.starts_with('^') {
            3
        } else {
            body.chars().next().map_or(0, char::len_utf8)
        };
        let name = body.get(..name_length).ok_or_else(unfinished)?;
        let tail = &body[name_length..];
        let directive = rest[..rest.len() - tail.len()].to_owned();
        let (meaning, shape) =
            self.interpret(name, argument, last)
                .ok_or_else(|| FormatError::Unknown {
                    directive: directive.clone(),
                })?;
        self.push(Value {
            directive,
            meaning,
            shape,
        })?;
        Ok(tail)
    }

    fn interpret(
        &self,
        name: &str,
        argument: Option<&str>,
        last: bool,
    ) -> Option<(Meaning, Shape)> {
        Some(match name {
            "s" => (Meaning::Status { last }, Shape::Number),
            "r" => (Meaning::RequestLine, Shape::Text),
            "m" => (Meaning::Method, Shape::Text),
            "U" => (Meaning::Path, Shape::Text),
            "q" => (Meaning::Query, Shape::Text),
            "H" => (Meaning::Protocol, Shape::Text),
            "u" => (Meaning::User, Shape::Text),
            // `%{c}a`, the peer behind mod_remoteip's back, is not the client when both are logged.
            "a" if argument == Some("c") => (Meaning::Other, Shape::Text),
            "h" | "a" => (Meaning::Remote, Shape::Text),
            "v" | "V" => (Meaning::ServerName, Shape::Text),
            "p" if matches!(argument, None | Some("canonical")) => {
                (Meaning::ServerPort, Shape::Number)
            }
            "b" | "B" => (Meaning::BytesBody, Shape::Number),
            "O" => (Meaning::BytesSent, Shape::Number),
            "I" => (Meaning::BytesReceived, Shape::Number),
            "D" => (Meaning::Duration { unit_us: 1 }, Shape::Number),
            "T" => (
                Meaning::Duration {
                    unit_us: duration_unit_us(argument)?,
                },
                Shape::Number,
            ),
            "t" => time_field(argument),
            "L" if argument.is_none() => (Meaning::LogId, Shape::Text),
            "X" => (Meaning::Connection, Shape::Text),
            "i" | "o" | "e" | "n" | "C" | "x" | "c" | "g" | "^ti" | "^to" => {
                (self.named(name, argument?), Shape::Text)
            }
            "S" | "k" | "p" | "^FU" | "^FB" => (Meaning::Other, Shape::Number),
            "P" if argument != Some("hextid") => (Meaning::Other, Shape::Number),
            "A" | "f" | "l" | "L" | "P" | "R" => (Meaning::Other, Shape::Text),
            _ => return None,
        })
    }

    /// What a header, variable, note or cookie of that name means to us.
    fn named(&self, kind: &str, name: &str) -> Meaning {
        let already = |wanted: Meaning| {
            self.items
                .iter()
                .any(|item| matches!(item, Item::Value(value) if value.meaning == wanted))
        };
        let trusted_kind = matches!(kind, "i" | "o" | "e" | "n" | "C");
        if trusted_kind && self.names.is_tier(name) && !already(Meaning::Tier) {
            Meaning::Tier
        } else if trusted_kind && self.names.is_user(name) && !already(Meaning::NamedUser) {
            Meaning::NamedUser
        } else if kind == "i" && name.eq_ignore_ascii_case("User-Agent") {
            Meaning::UserAgent
        } else if kind == "i" && name.eq_ignore_ascii_case("Referer") {
            Meaning::Referer
        } else {
            Meaning::Other
        }
    }

    fn push(&mut self, value: Value) -> Result<(), FormatError> {
        self.flush();
        if let Some(Item::Value(before)) = self.items.last_mut() {
            if before.meaning == Meaning::Path && value.meaning == Meaning::Query {
                before.meaning = Meaning::PathAndQuery;
                before.directive.push_str(&value.directive);
                return Ok(());
            }
            if before.shape.is_open_ended() {
                return Err(FormatError::Touching {
                    first: before.directive.clone(),
                    second: value.directive,
                });
            }
        }
        if self.items.len() >= ITEMS_MAX {
            return Err(FormatError::TooLong);
        }
        self.items.push(Item::Value(value));
        Ok(())
    }

    fn flush(&mut self) {
        if !self.literal.is_empty() {
            self.items
                .push(Item::Literal(std::mem::take(&mut self.literal)));
        }
    }

    fn finish(mut self) -> Result<LogFormat, FormatError> {
        self.flush();
        if self.items.len() > ITEMS_MAX {
            return Err(FormatError::TooLong);
        }
        if self
            .items
            .iter()
            .all(|item| matches!(item, Item::Literal(_)))
        {
            return Err(FormatError::NoDirective);
        }
        Ok(LogFormat { items: self.items })
    }
}

impl Shape {
    /// Whether a value of this shape may go on as long as there is text.
    fn is_open_ended(&self) -> bool {
        match self {
            Self::Text | Self::Number => true,
            Self::Time(steps) => {
                matches!(
                    steps.last(),
                    Some(Step::EpochSeconds | Step::EpochMillis | Step::EpochMicros)
                )
            }
        }
    }
}

fn duration_unit_us(argument: Option<&str>) -> Option<u32> {
    match argument {
        None | Some("s") => Some(1_000_000),
        Some("ms") => Some(1_000),
        Some("us") => Some(1),
        Some(_) => None,
    }
}

/// `%t` in its forms. A `strftime` conversion that is not known here makes the field plain text.
fn time_field(argument: Option<&str>) -> (Meaning, Shape) {
    let Some(argument) = argument else {
        return (Meaning::Begin, Shape::Time(time::common_log_steps()));
    };
    let (meaning, format) = match argument.strip_prefix("end:") {
        Some(format) => (Meaning::End, format),
        None => (
            Meaning::Begin,
            argument.strip_prefix("begin:").unwrap_or(argument),
        ),
    };
    let steps = match format {
        "sec" => Some(vec![Step::EpochSeconds]),
        "msec" => Some(vec![Step::EpochMillis]),
        "usec" => Some(vec![Step::EpochMicros]),
        "msec_frac" => Some(vec![Step::Millis]),
        "usec_frac" => Some(vec![Step::Micros]),
        _ => time::strftime(format),
    };
    match steps {
        Some(steps) => (meaning, Shape::Time(steps)),
        None => (Meaning::Other, Shape::Text),
    }
}
