//! Turns lines of access and error logs into records, facts and counters; it does not know where lines come from.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr, UdpSocket};

use tocsin_domain::signal::{Batch, FactKind, LogLine, LogRecord, Sample, metric};
use tocsin_domain::time::Timestamp;
use tocsin_wire::apache_log::{
    AccessLine, CodeClass, ErrorLine, FieldNames, LogFormat, class, detect,
};

use crate::probe::MARK;
use crate::watched::{Watched, value};

/// Bytes of a line that are kept.
const RAW_BYTES_MAX: usize = 8 * 1_024;
const PATH_BYTES_MAX: usize = 512;
const MESSAGE_BYTES_MAX: usize = 1_024;
/// Tiers that are told apart; what a hostile client makes up beyond them is counted as one.
const TIERS_MAX: usize = 16;
const TIER_BYTES_MAX: usize = 32;
const OTHER_TIER: &str = "other";
/// Codes of the error log that are told apart.
const CODES_MAX: usize = 256;
/// Lines read in one second, beyond which the file keeps the rest: what was written while nobody read is read at a pace that
/// leaves room for everything else.
const LINES_PER_SECOND: u32 = 50_000;
/// Facts of one code in one second.
const FACTS_PER_SECOND: u32 = 5;
/// Lines by which an unknown format is recognised.
const LINES_TO_GUESS_BY: usize = 20;
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// How the lines of one log are read.
pub(crate) enum Kind {
    Access(AccessFormat),
    Error,
}

/// The format of an access log.
pub(crate) enum AccessFormat {
    Known(Box<LogFormat>),
    /// Not known yet: the first lines, by which it is guessed.
    Guessing(Vec<Vec<u8>>),
}

impl AccessFormat {
    /// By the format's text, or to be guessed from the lines.
    pub(crate) fn new(text: &str, names: &FieldNames) -> Self {
        LogFormat::compile(text, names).map_or_else(
            |_| Self::Guessing(Vec::new()),
            |format| Self::Known(Box::new(format)),
        )
    }

    fn read(&mut self, line: &[u8], names: &FieldNames) -> Option<AccessLine> {
        if let Self::Guessing(lines) = self {
            lines.push(line.to_vec());
            let views: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
            match detect(&views, names) {
                Some(detected) => *self = Self::Known(Box::new(detected.format)),
                None if lines.len() > LINES_TO_GUESS_BY => lines.clear(),
                None => {}
            }
        }
        match self {
            Self::Known(format) => format.parse_line(line).ok(),
            Self::Guessing(_) => None,
        }
    }
}

/// Counters and what is ready to be handed over.
#[derive(Default)]
pub(crate) struct Gathered {
    requests: BTreeMap<(&'static str, String), u64>,
    tiers: BTreeSet<String>,
    /// Tiers whose series have not begun yet: they begin at zero, so that their first increase is seen.
    new_tiers: Vec<String>,
    errors: BTreeMap<(String, String), u64>,
    new_errors: Vec<(String, String)>,
    unparsed: u64,
    lines_this_second: u32,
    facts_this_second: BTreeMap<String, u32>,
    changed: bool,
    /// Records and facts since the last hand-over.
    pub(crate) batch: Batch,
}

/// What reading a line needs to know.
pub(crate) struct Reading<'a> {
    pub(crate) watched: &'a Watched,
    pub(crate) names: &'a FieldNames,
    /// Path of the status page; who fetches it is no user.
    pub(crate) status_path: &'a str,
    /// Offset of the server's local time, in which it writes its error log.
    pub(crate) utc_offset_seconds: i32,
}

impl Gathered {
    /// Begins the series of the tier that is not known, so that a log without tiers has its zeros from the start.
    pub(crate) fn new() -> Self {
        let mut gathered = Self {
            changed: true,
            ..Self::default()
        };
        gathered.begin_tier(String::new());
        gathered
    }

    /// Takes one line.
    pub(crate) fn take(
        &mut self,
        reading: &Reading<'_>,
        kind: &mut Kind,
        line: &[u8],
        is_old: bool,
    ) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let (at, understood) = match kind {
            Kind::Access(format) => match format.read(line, reading.names) {
                Some(parsed) => self.take_access(reading, parsed, is_old),
                None => {
                    self.count_unparsed(is_old);
                    (None, LogLine::Unparsed)
                }
            },
            Kind::Error => self.take_error(reading, line, is_old),
        };
        self.lines_this_second = self.lines_this_second.saturating_add(1);
        let raw = cut(
            String::from_utf8_lossy(
                line.get(..RAW_BYTES_MAX.min(line.len()))
                    .unwrap_or_default(),
            )
            .into_owned(),
            RAW_BYTES_MAX,
        );
        let at = at.unwrap_or_else(|| reading.watched.now());
        self.batch.logs.push(LogRecord {
            at,
            target: reading.watched.id,
            line: understood,
            raw,
        });
    }

    fn count_unparsed(&mut self, is_old: bool) {
        if !is_old {
            self.unparsed += 1;
            self.changed = true;
        }
    }

    fn take_access(
        &mut self,
        reading: &Reading<'_>,
        line: AccessLine,
        is_old: bool,
    ) -> (Option<Timestamp>, LogLine) {
        let Some(status) = line.status else {
            self.count_unparsed(is_old);
            return (line.time, LogLine::Unparsed);
        };
        let path = cut(line.path.clone().unwrap_or_default(), PATH_BYTES_MAX);
        let own_probe = is_own(&line, &path, reading.status_path);
        let tier = cut(line.tier.unwrap_or_default(), TIER_BYTES_MAX);
        let class = usize::from(status / 100)
            .checked_sub(1)
            .and_then(|place| CLASSES.get(place));
        if let Some(class) = class
            && !own_probe
            && !is_old
        {
            let tier = self.known_tier(&tier);
            *self.requests.entry((*class, tier)).or_default() += 1;
            self.changed = true;
        }
        let understood = LogLine::Access {
            status,
            method: line.method.unwrap_or_default(),
            path,
            duration_us: line.duration_us,
            tier,
            user: line
                .user
                .map(|user| reading.watched.host.user_hash(&user))
                .unwrap_or_default(),
            own_probe,
        };
        (line.time, understood)
    }

    fn known_tier(&mut self, tier: &str) -> String {
        let known = self.tiers.contains(tier) || self.tiers.len() < TIERS_MAX;
        let tier = if known { tier } else { OTHER_TIER };
        if !self.tiers.contains(tier) {
            self.begin_tier(tier.to_owned());
        }
        tier.to_owned()
    }

    fn begin_tier(&mut self, tier: String) {
        for class in CLASSES {
            self.requests.entry((class, tier.clone())).or_default();
        }
        self.new_tiers.push(tier.clone());
        self.tiers.insert(tier);
    }

    fn take_error(
        &mut self,
        reading: &Reading<'_>,
        line: &[u8],
        is_old: bool,
    ) -> (Option<Timestamp>, LogLine) {
        let parsed = ErrorLine::parse(line, reading.utc_offset_seconds);
        let code = parsed.code.unwrap_or_default();
        let message = cut(parsed.message, MESSAGE_BYTES_MAX);
        if !is_old {
            self.count_error(&parsed.level, &code);
        }
        let code_class = class(&code);
        if code_class == Some(CodeClass::Started) && !is_old {
            // Without a status page this line alone tells that the configuration was read anew.
            reading.watched.note_reload();
        }
        if code_class.is_some_and(is_event) {
            let count = self.facts_this_second.entry(code.clone()).or_default();
            *count += 1;
            if *count <= FACTS_PER_SECOND {
                let at = parsed.time.unwrap_or_else(|| reading.watched.now());
                let what = FactKind::ErrorLogged {
                    code: code.clone(),
                    level: parsed.level.clone(),
                    message: message.clone(),
                };
                self.batch.facts.push(reading.watched.fact(at, what));
            }
        }
        (
            parsed.time,
            LogLine::Error {
                level: parsed.level,
                module: parsed.module,
                code,
                message,
            },
        )
    }

    fn count_error(&mut self, level: &str, code: &str) {
        let mut key = (level.to_owned(), code.to_owned());
        if !self.errors.contains_key(&key) {
            if self.errors.len() >= CODES_MAX {
                key.1 = String::new();
            }
            self.new_errors.push(key.clone());
        }
        *self.errors.entry(key).or_default() += 1;
        self.changed = true;
    }

    /// Whether no more is to be read in this second.
    pub(crate) fn is_full(&self) -> bool {
        self.lines_this_second >= LINES_PER_SECOND
    }

    /// Begins another second for the limits.
    pub(crate) fn begin_second(&mut self) {
        self.lines_this_second = 0;
        self.facts_this_second.clear();
        self.changed = true;
    }

    /// Hands over what was gathered; the counters only when they changed or a second began.
    pub(crate) fn hand_over(&mut self, watched: &Watched) -> Batch {
        if std::mem::take(&mut self.changed) {
            let at = watched.now();
            self.begin_series(watched, at.minus_ms(1));
            let samples = self.samples(watched, at);
            self.batch.samples.extend(samples);
        }
        std::mem::take(&mut self.batch)
    }

    fn begin_series(&mut self, watched: &Watched, at: Timestamp) {
        for tier in std::mem::take(&mut self.new_tiers) {
            let zeros = CLASSES.map(|class| requests(watched, class, &tier, at, 0));
            self.batch.samples.extend(zeros);
        }
        for (level, code) in std::mem::take(&mut self.new_errors) {
            self.batch
                .samples
                .push(errors(watched, &level, &code, at, 0));
        }
    }

    fn samples(&self, watched: &Watched, at: Timestamp) -> Vec<Sample> {
        let by_class = self
            .requests
            .iter()
            .map(|((class, tier), count)| requests(watched, class, tier, at, *count));
        let by_code = self
            .errors
            .iter()
            .map(|((level, code), count)| errors(watched, level, code, at, *count));
        let mut samples: Vec<Sample> = by_class.chain(by_code).collect();
        samples.push(watched.sample(metric::LOG_UNPARSED_TOTAL, &[], at, value(self.unparsed)));
        samples
    }
}

/// Whether a request was our own, or another local reader's of the status page. What comes from elsewhere is not believed:
/// it could hide a failure from the counters.
fn is_own(line: &AccessLine, path: &str, status_path: &str) -> bool {
    let has_mark = |text: &Option<String>| text.as_deref().is_some_and(|text| text.contains(MARK));
    let is_status = !path.is_empty() && path == status_path;
    let is_local = || match line.remote.as_deref() {
        None | Some("localhost") => true,
        Some(remote) => remote.parse().is_ok_and(is_of_this_machine),
    };
    (has_mark(&line.query) || has_mark(&line.user_agent) || is_status) && is_local()
}

/// Whether an address is one of this machine's; a listener beyond loopback is asked from its own address.
fn is_of_this_machine(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback() || UdpSocket::bind(SocketAddr::new(ip, 0)).is_ok()
}

/// Labels with empty values are left out: to PromQL both are the same series.
fn labels<'a>(labels: [(&'a str, &'a str); 2]) -> Vec<(&'a str, &'a str)> {
    labels
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect()
}

fn requests(watched: &Watched, class: &str, tier: &str, at: Timestamp, count: u64) -> Sample {
    watched.sample(
        metric::LOG_REQUESTS_TOTAL,
        &labels([("class", class), ("tier", tier)]),
        at,
        value(count),
    )
}

fn errors(watched: &Watched, level: &str, code: &str, at: Timestamp, count: u64) -> Sample {
    watched.sample(
        metric::ERROR_LOG_TOTAL,
        &labels([("level", level), ("code", code)]),
        at,
        value(count),
    )
}

/// Codes that happen to the server, rather than to single requests by the thousand.
fn is_event(class: CodeClass) -> bool {
    match class {
        CodeClass::Started
        | CodeClass::CleanStop
        | CodeClass::Restarting
        | CodeClass::WorkersExhausted
        | CodeClass::WorkersLow
        | CodeClass::ChildCrashed
        | CodeClass::StartFailed
        | CodeClass::ConfigInvalid
        | CodeClass::TlsBroken
        | CodeClass::BackendFailed
        | CodeClass::UncleanBefore
        | CodeClass::ResourceShortage => true,
        CodeClass::ClientDenied => false,
    }
}

/// Cuts text to so many bytes, at a character.
pub(crate) fn cut(mut text: String, bytes_max: usize) -> String {
    if text.len() > bytes_max {
        text.truncate(text.floor_char_boundary(bytes_max));
    }
    text
}
