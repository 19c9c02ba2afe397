//! One request as an access log tells it; the log's format is compiled elsewhere.

use std::collections::BTreeMap;

use tocsin_domain::time::Timestamp;

use super::escape::unescape;
use super::format::{Item, LogFormat, Meaning, Shape, Value, nickname};
use super::time::Parts;
use super::{LINE_BYTES_MAX, matching};

/// Names of headers that proxies and applications use for the user's name.
const USER_NAMES: [&str; 13] = [
    "user",
    "user-id",
    "userid",
    "user-name",
    "username",
    "x-user",
    "x-user-id",
    "x-userid",
    "x-user-name",
    "x-username",
    "x-remote-user",
    "remote-user",
    "x-forwarded-user",
];

/// Which header, environment variable, note or cookie tells the user and the user's tier, where that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldNames {
    /// Name of the field with the tier; without it, the first whose name contains `tier` or `plan`.
    pub tier: Option<String>,
    /// Name of the field with the user; without it, the first with a usual name (`X-User-Id`). `%u` goes first.
    pub user: Option<String>,
}

impl FieldNames {
    pub(super) fn is_tier(&self, name: &str) -> bool {
        match &self.tier {
            Some(wanted) => name.eq_ignore_ascii_case(wanted),
            None => {
                let name = name.to_ascii_lowercase();
                name.contains("tier") || name.contains("plan")
            }
        }
    }

    pub(super) fn is_user(&self, name: &str) -> bool {
        match &self.user {
            Some(wanted) => name.eq_ignore_ascii_case(wanted),
            None => USER_NAMES.contains(&name.to_ascii_lowercase().replace('_', "-").as_str()),
        }
    }
}

/// What one line of an access log says. What the format does not log, or the line has as `-`, is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessLine {
    /// HTTP status; the one sent, where both were logged.
    pub status: Option<u16>,
    /// Method, if it is one.
    pub method: Option<String>,
    /// Path without query, as the client sent it where `%r` is logged, else after rewriting (`%U`).
    pub path: Option<String>,
    /// Query with its `?`.
    pub query: Option<String>,
    /// `HTTP/1.1`.
    pub protocol: Option<String>,
    /// When the request began.
    pub time: Option<Timestamp>,
    /// How finely `time` is known, in microseconds: 1,000,000 for a plain `%t`; zero without a time.
    pub time_unit_us: u32,
    /// When the request ended, where the format tells.
    pub end: Option<Timestamp>,
    /// Microseconds the request took; the most precise of the fields that tell.
    pub duration_us: Option<u64>,
    /// The user's name.
    pub user: Option<String>,
    /// The user's tier.
    pub tier: Option<String>,
    /// `User-Agent`.
    pub user_agent: Option<String>,
    /// `Referer`.
    pub referer: Option<String>,
    /// The client's address or host name.
    pub remote: Option<String>,
    /// The virtual host that answered.
    pub server_name: Option<String>,
    /// The canonical port of the server, which is not always the one it listens on.
    pub server_port: Option<u16>,
    /// Bytes sent, with headers where the format tells.
    pub bytes: Option<u64>,
    /// Bytes received, with headers.
    pub bytes_received: Option<u64>,
    /// The id that an error line of the same request carries.
    pub log_id: Option<String>,
    /// Whether the client went away before the answer was complete.
    pub aborted: Option<bool>,
    /// All other fields, by their directive as written in the format (`%{X-Request-Id}i`).
    pub extra: BTreeMap<String, String>,
}

/// Why a line of an access log was not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// The line is longer than [`LINE_BYTES_MAX`].
    #[error("the line is longer than {LINE_BYTES_MAX} bytes")]
    TooLong,
    /// The line does not have the format.
    #[error("the line does not have the log format that was expected")]
    OtherFormat,
}

impl LogFormat {
    /// Reads one line, with or without its line end.
    ///
    /// # Errors
    /// When the line is too long or does not have this format.
    pub fn parse_line(&self, line: &[u8]) -> Result<AccessLine, LineError> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.len() > LINE_BYTES_MAX {
            return Err(LineError::TooLong);
        }
        let spans = matching::spans(self, line).ok_or(LineError::OtherFormat)?;
        let mut reading = Reading::default();
        for (item, (start, end)) in self.items.iter().zip(spans) {
            let raw = line.get(start..end).unwrap_or_default();
            if let Item::Value(value) = item {
                // For `%X` a `-` is a word of its own: the connection was closed after the answer.
                let absent =
                    raw.is_empty() || (raw == b"-" && value.meaning != Meaning::Connection);
                if !absent {
                    reading.take(value, raw);
                }
            }
        }
        Ok(reading.finish())
    }
}

/// A line while its values are being gathered.
#[derive(Default)]
struct Reading {
    line: AccessLine,
    begin: Parts,
    end: Parts,
    duration_unit_us: u32,
    named_user: Option<String>,
}

impl Reading {
    fn take(&mut self, value: &Value, raw: &[u8]) {
        match &value.shape {
            Shape::Text => self.take_text(value, unescape(raw)),
            Shape::Number => self.take_number(value, raw),
            Shape::Time(steps) => {
                let parts = if value.meaning == Meaning::End {
                    &mut self.end
                } else {
                    &mut self.begin
                };
                let mut rest = raw;
                for step in steps {
                    rest = parts.read(step, rest).unwrap_or_default();
                }
            }
        }
    }

    fn take_text(&mut self, value: &Value, text: String) {
        let line = &mut self.line;
        match value.meaning {
            Meaning::RequestLine => self.take_request_line(&text),
            Meaning::Method => line.method = line.method.take().or_else(|| method(&text)),
            Meaning::Path | Meaning::PathAndQuery => {
                if line.path.is_none() {
                    self.take_target(&text);
                }
            }
            Meaning::Query => line.query = line.query.take().or(Some(text)),
            Meaning::Protocol => line.protocol = line.protocol.take().or(Some(text)),
            // `""` is what Apache logs for a user name that is empty.
            Meaning::User => line.user = Some(text).filter(|user| user != "\"\""),
            Meaning::NamedUser => self.named_user = Some(text),
            Meaning::Tier => line.tier = Some(text),
            Meaning::UserAgent => line.user_agent = Some(text),
            Meaning::Referer => line.referer = Some(text),
            Meaning::Remote => line.remote = line.remote.take().or(Some(text)),
            Meaning::ServerName => line.server_name = Some(text),
            Meaning::LogId => line.log_id = Some(text),
            Meaning::Connection => line.aborted = Some(text == "X"),
            Meaning::Status { .. }
            | Meaning::ServerPort
            | Meaning::BytesSent
            | Meaning::BytesBody
            | Meaning::BytesReceived
            | Meaning::Duration { .. }
            | Meaning::Begin
            | Meaning::End
            | Meaning::Other => {
                line.extra.insert(value.directive.clone(), text);
            }
        }
    }

    fn take_number(&mut self, value: &Value, raw: &[u8]) {
        let Some(number) = std::str::from_utf8(raw)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
        else {
            return;
        };
        let line = &mut self.line;
        match value.meaning {
            Meaning::Status { last } => {
                if last || line.status.is_none() {
                    line.status = u16::try_from(number)
                        .ok()
                        .filter(|status| (100..1_000).contains(status));
                }
            }
            Meaning::ServerPort => line.server_port = u16::try_from(number).ok(),
            Meaning::BytesSent => line.bytes = Some(number),
            Meaning::BytesBody => line.bytes = line.bytes.or(Some(number)),
            Meaning::BytesReceived => line.bytes_received = Some(number),
            Meaning::Duration { unit_us } => {
                if line.duration_us.is_none() || unit_us < self.duration_unit_us {
                    line.duration_us = Some(number.saturating_mul(u64::from(unit_us)));
                    self.duration_unit_us = unit_us;
                }
            }
            Meaning::RequestLine
            | Meaning::Method
            | Meaning::Path
            | Meaning::PathAndQuery
            | Meaning::Query
            | Meaning::Protocol
            | Meaning::User
            | Meaning::NamedUser
            | Meaning::Tier
            | Meaning::UserAgent
            | Meaning::Referer
            | Meaning::Remote
            | Meaning::ServerName
            | Meaning::Begin
            | Meaning::End
            | Meaning::LogId
            | Meaning::Connection
            | Meaning::Other => {
                line.extra
                    .insert(value.directive.clone(), number.to_string());
            }
        }
    }

    /// `GET /path?query HTTP/1.1`. What a broken client sent instead stays readable in `extra`.
    fn take_request_line(&mut self, text: &str) {
        let mut words = text.split(' ');
        let (first, target) = (words.next().unwrap_or_default(), words.next());
        let Some(verb) = method(first) else {
            self.line.extra.insert("%r".to_owned(), text.to_owned());
            return;
        };
        self.line.method = Some(verb);
        self.line.path = None;
        self.line.query = None;
        if let Some(target) = target.filter(|target| !target.is_empty()) {
            self.take_target(target);
        }
        if let Some(protocol) = words.next_back().filter(|word| word.starts_with("HTTP/")) {
            self.line.protocol = Some(protocol.to_owned());
        }
    }

    fn take_target(&mut self, target: &str) {
        let local = match target.split_once("://") {
            Some((scheme, rest)) if scheme.chars().all(|symbol| symbol.is_ascii_alphabetic()) => {
                rest.find('/').map_or("/", |slash| &rest[slash..])
            }
            _ => target,
        };
        let (path, query) = match local.find('?') {
            Some(mark) => local.split_at(mark),
            None => (local, ""),
        };
        self.line.path = Some(path.to_owned());
        if !query.is_empty() {
            self.line.query = Some(query.to_owned());
        }
    }

    fn finish(self) -> AccessLine {
        let mut line = self.line;
        if self.begin.seen() {
            // Every way to log a time but a `strftime` without `%z` names its zone; such a one is taken as UTC.
            line.time = self.begin.instant(0);
            line.time_unit_us = self.begin.unit_us();
        }
        if self.end.seen() {
            line.end = self.end.instant(0);
        }
        if let (None, Some(begin), Some(end)) = (line.duration_us, line.time, line.end) {
            line.duration_us =
                u64::try_from(end.as_micros().saturating_sub(begin.as_micros())).ok();
        }
        line.user = line.user.or(self.named_user);
        line
    }
}

/// The text as a method: letters, digits, `-` and `_`, in capitals, as all registered ones are.
fn method(text: &str) -> Option<String> {
    let good = |symbol: char| {
        symbol.is_ascii_uppercase() || symbol.is_ascii_digit() || symbol == '-' || symbol == '_'
    };
    let fits = !text.is_empty() && text.len() <= 32 && text.chars().all(good);
    fits.then(|| text.to_owned())
}

/// A format found by trying.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detected {
    /// `vhost_combined`, `combined` or `common`.
    pub name: &'static str,
    /// The compiled format.
    pub format: LogFormat,
    /// How many of the lines it read.
    pub lines_read: usize,
}

/// Finds the format of a log from some of its lines: the known one that reads the most of them, and at least half.
#[must_use]
pub fn detect(lines: &[&[u8]], names: &FieldNames) -> Option<Detected> {
    let mut best: Option<Detected> = None;
    for name in ["vhost_combined", "combined", "common"] {
        let format = LogFormat::compile(nickname(name)?, names).ok()?;
        let lines_read = lines
            .iter()
            .filter(|line| format.parse_line(line).is_ok())
            .count();
        // A line with the virtual host in front could pass for one without, never the other way: first come wins.
        if lines_read > best.as_ref().map_or(0, |best| best.lines_read) {
            best = Some(Detected {
                name,
                format,
                lines_read,
            });
        }
    }
    best.filter(|best| best.lines_read * 2 >= lines.len())
}
