//! Takes a line of Apache's error log apart; every part is optional and no line is refused.

use tocsin_domain::time::Timestamp;

use super::LINE_BYTES_MAX;
use super::time::{self, Step};

/// `emerg` to `trace8`, most severe first.
pub const LEVELS: [&str; 16] = [
    "emerg", "alert", "crit", "error", "warn", "notice", "info", "debug", "trace1", "trace2",
    "trace3", "trace4", "trace5", "trace6", "trace7", "trace8",
];

/// What one line of an error log says.
///
/// Lines that programs write to the server's standard error, and those of a configuration that does not parse, have no
/// prefix: all but the message (and the code, if any) is then empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorLine {
    /// When it was written.
    pub time: Option<Timestamp>,
    /// `core`, `mpm_event`, ...; empty when not told.
    pub module: String,
    /// One of [`LEVELS`]; empty when not told.
    pub level: String,
    /// The process that wrote it.
    pub pid: Option<u32>,
    /// Its thread.
    pub tid: Option<u64>,
    /// The operating system's (or APR's) error number and text.
    pub os_error: Option<(i32, String)>,
    /// Address and port of the client whose request it concerns.
    pub client: Option<String>,
    /// `AH00484`, where the message begins with one.
    pub code: Option<String>,
    /// The message, without all of the above.
    pub message: String,
    /// The page that led to the request.
    pub referer: Option<String>,
}

impl ErrorLine {
    /// Reads one line, with or without its line end; bytes past [`LINE_BYTES_MAX`] are ignored. The time in the log is the
    /// server's local time and names no zone, so `utc_offset_seconds` (east of Greenwich positive) must be given.
    #[must_use]
    pub fn parse(line: &[u8], utc_offset_seconds: i32) -> Self {
        let line = &line[..line.len().min(LINE_BYTES_MAX)];
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end_matches(['\n', '\r']);
        let mut parsed = Self::default();
        let rest = parsed.take_brackets(text, utc_offset_seconds);
        let rest = parsed.take_source_place(rest);
        let rest = parsed.take_os_error(rest);
        // The client stands after the error number in Apache's default format, before it in some others.
        let rest = parsed.take_brackets(rest, utc_offset_seconds);
        let rest = parsed.take_os_error(rest);
        let rest = parsed.take_code(rest);
        let rest = parsed.take_referer(rest);
        rest.clone_into(&mut parsed.message);
        parsed
    }

    /// Whether the server itself wrote the prefix.
    #[must_use]
    pub fn has_prefix(&self) -> bool {
        self.time.is_some() || !self.level.is_empty()
    }

    /// Takes the bracketed parts at the front that are understood; the rest is returned.
    fn take_brackets<'a>(&mut self, text: &'a str, utc_offset_seconds: i32) -> &'a str {
        let mut rest = text;
        loop {
            let trimmed = rest.trim_start_matches(' ');
            let Some((inside, after)) = trimmed
                .strip_prefix('[')
                .and_then(|inside| inside.split_once(']'))
            else {
                return trimmed;
            };
            if !self.take_bracket(inside, utc_offset_seconds) {
                return trimmed;
            }
            rest = after;
        }
    }

    fn take_bracket(&mut self, inside: &str, utc_offset_seconds: i32) -> bool {
        if let Some(client) = inside.strip_prefix("client ") {
            self.client = Some(client.to_owned());
            return true;
        }
        if let Some(process) = inside.strip_prefix("pid ") {
            return self.take_process(process);
        }
        if let Some(time) = time_of(inside, utc_offset_seconds) {
            self.time = Some(time);
            return true;
        }
        self.take_level(inside)
    }

    /// `4639:tid 4645`, or only the process.
    fn take_process(&mut self, process: &str) -> bool {
        let (pid, tid) = process.split_once(":tid ").unwrap_or((process, ""));
        self.pid = pid.trim().parse().ok();
        self.tid = tid.trim().parse().ok();
        self.pid.is_some()
    }

    /// `core:notice`, `:error`, or only `error` as before version 2.4.
    fn take_level(&mut self, inside: &str) -> bool {
        let (module, level) = inside.rsplit_once(':').unwrap_or(("", inside));
        // A module that logs with no name of its own shows as `-`, or as nothing.
        let module = if module == "-" { "" } else { module };
        let module_is_name = module
            .chars()
            .all(|symbol| symbol.is_ascii_alphanumeric() || symbol == '_');
        if !LEVELS.contains(&level) || !module_is_name {
            return false;
        }
        module.clone_into(&mut self.module);
        level.clone_into(&mut self.level);
        true
    }

    /// `mod_ssl.c(123): `, which stands there at level debug and below.
    fn take_source_place<'a>(&self, text: &'a str) -> &'a str {
        let place = |(front, rest): (&str, &'a str)| {
            let (file, line) = front.strip_suffix(')')?.split_once('(')?;
            let is_file = file.ends_with(".c") || file.ends_with(".cpp");
            let is_line = !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit());
            (is_file && is_line && !file.contains(' ')).then_some(rest)
        };
        if self.level.is_empty() {
            return text;
        }
        text.split_once(": ").and_then(place).unwrap_or(text)
    }

    /// `(111)Connection refused: `
    fn take_os_error<'a>(&mut self, text: &'a str) -> &'a str {
        let found = || {
            let (number, after) = text.strip_prefix('(')?.split_once(')')?;
            let (words, rest) = after.split_once(": ")?;
            Some((number.parse().ok()?, words.to_owned(), rest))
        };
        match found() {
            Some((number, words, rest)) if self.os_error.is_none() => {
                self.os_error = Some((number, words));
                rest
            }
            _ => text,
        }
    }

    fn take_code<'a>(&mut self, text: &'a str) -> &'a str {
        let Some((code, rest)) = text.split_once(':') else {
            return text;
        };
        let is_code = code.len() == 7
            && code.starts_with("AH")
            && code[2..].bytes().all(|byte| byte.is_ascii_digit());
        if !is_code {
            return text;
        }
        self.code = Some(code.to_owned());
        rest.trim_start_matches(' ')
    }

    /// `, referer: http://...` at the end of lines that concern a request.
    fn take_referer<'a>(&mut self, text: &'a str) -> &'a str {
        match text.rsplit_once(", referer: ") {
            Some((message, referer)) if self.client.is_some() => {
                self.referer = Some(referer.to_owned());
                message
            }
            _ => text,
        }
    }
}

/// `Sun Aug 18 03:12:07.123456 2024`, with or without the fraction, or `2024-08-18 03:12:07.123456` (`%{cu}t`).
fn time_of(text: &str, utc_offset_seconds: i32) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let with_fraction = text.contains('.');
    let steps = if bytes.first()?.is_ascii_digit() {
        let mut steps = time::strftime(if text.contains('T') { "%FT%T" } else { "%F %T" })?;
        if with_fraction {
            steps.extend([Step::Text(".".to_owned()), Step::Micros]);
        }
        if text.ends_with('Z') || text.get(19..).is_some_and(|end| end.contains(['+', '-'])) {
            steps.push(Step::Offset);
        }
        steps
    } else {
        let mut steps = time::strftime("%a %b %d %T")?;
        if with_fraction {
            steps.extend([Step::Text(".".to_owned()), Step::Micros]);
        }
        steps.extend(time::strftime(" %Y")?);
        steps
    };
    time::read_all(&steps, bytes)?.instant(utc_offset_seconds)
}
