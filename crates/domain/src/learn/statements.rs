//! The parts of the facts: what is stated of detection, paging, impact, cause, resolution, measures and lessons; how it is
//! computed is not known here.

use serde::{Deserialize, Serialize};

use super::facts::Milestone;
use super::ledger::{EvidenceRef, Stated};
use super::moment::Moment;

/// How the failure was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detection {
    /// Who raised the first alert: a monitor's name, or what kind of outside system.
    pub by: Stated<String>,
    /// Whether that was one of our monitors.
    pub by_monitor: bool,
    /// What it said.
    pub said: Stated<String>,
    /// The sample that it was said for.
    pub sample: Stated<String>,
    /// Alerts in all.
    pub alerts: u64,
    /// Monitors of the bundle that raised nothing.
    pub silent: Vec<String>,
}

/// How people were told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paging {
    /// The pages, in the order they were planned.
    pub pages: Vec<Page>,
    /// The wait before the first page, and why.
    pub hold: Stated<String>,
    /// Why nobody was paged although it was urgent.
    pub suppressed: Stated<String>,
    /// Who acknowledged.
    pub acknowledged_by: Stated<String>,
    /// Who or what was passed over, and why.
    pub skipped: Vec<Stated<String>>,
}

/// One page to one person by one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// To whom.
    pub person: String,
    /// By which transport.
    pub channel: String,
    /// The level of the policy, counted from 1; none for whom it was given to, and for the fallback list.
    pub level: Option<u64>,
    /// Why this person by this way.
    pub why: String,
    /// What was tried.
    pub attempts: Vec<PageAttempt>,
    /// Whether a provider took it.
    pub accepted: bool,
    /// Where it is recorded.
    pub evidence: Vec<EvidenceRef>,
}

/// One try to send a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageAttempt {
    /// From 1.
    pub number: u32,
    /// When it began.
    pub started: Moment,
    /// When its outcome was known.
    pub finished: Option<Moment>,
    /// How it went, in one word.
    pub outcome: String,
    /// The provider's words, secrets masked.
    pub detail: String,
}

/// Who was hurt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Impact {
    /// The span that was counted: from the earliest possible onset until recovery.
    pub from: Moment,
    /// Half open.
    pub until: Moment,
    /// What the access log recorded; unknown when there is no log.
    pub recorded: Stated<Recorded>,
    /// The same by tier of user.
    pub tiers: Vec<TierRecorded>,
    /// What was expected while nothing was logged; unknown when nothing can be said.
    pub expected: Stated<Expected>,
    /// Why nothing is expected, or how the expectation was computed.
    pub method: String,
}

/// Counts of the access log, own probes left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Requests.
    pub requests: u64,
    /// Requests answered with a status from 500 on.
    pub failed: u64,
    /// Distinct users, as far as the log names them.
    pub users: u64,
    /// Distinct users with at least one failed request.
    pub users_failed: u64,
}

/// Counts of one tier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TierRecorded {
    /// The tier; empty when the log did not name one.
    pub tier: String,
    /// Its counts.
    pub counts: Recorded,
    /// The queries that count them.
    pub evidence: Vec<EvidenceRef>,
}

/// An estimate: the truth lies between both ends, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// At least.
    pub low: u64,
    /// At most.
    pub high: u64,
}

/// What was expected while the server logged nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// The spans without a logged request.
    pub silences: Vec<Silence>,
    /// Their length in milliseconds.
    pub silent_ms: u64,
    /// The span before the onset that the expectation was computed from.
    pub baseline_from: Moment,
    /// Half open.
    pub baseline_until: Moment,
    /// Requests logged in it.
    pub baseline_requests: u64,
    /// Requests expected in the silence.
    pub requests: Range,
    /// The same by tier.
    pub tiers: Vec<TierExpected>,
}

/// A span without a logged request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// The last request before it, or the earliest possible onset.
    pub from: Moment,
    /// The first request after it, or the recovery.
    pub until: Moment,
}

/// Expectation for one tier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TierExpected {
    /// The tier; empty when the log did not name one.
    pub tier: String,
    /// Requests expected in the silence.
    pub requests: Range,
    /// Distinct users expected in the silence; none when the log names no users.
    pub users: Option<Range>,
}

/// A change before the failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// When.
    pub at: Moment,
    /// What.
    pub text: String,
}

/// What set it off, and why it could.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The event that set it off, in one or two sentences.
    pub trigger: Stated<String>,
    /// Suspects, the likeliest first, each with what speaks for it.
    pub suspects: Vec<Stated<String>>,
    /// Whether a person confirmed a cause; always false for what was computed.
    pub confirmed: bool,
}

/// Something a person wrote down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The time it speaks of.
    pub at: Moment,
    /// When it was recorded.
    pub recorded: Moment,
    /// Who wrote it.
    pub by: String,
    /// The words, secrets masked.
    pub text: String,
    /// Its event.
    pub evidence: Vec<EvidenceRef>,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// What shows that it was over.
    pub shown_by: Vec<Stated<String>>,
    /// What was done at once.
    pub temporary: Stated<String>,
    /// What was done for good.
    pub lasting: Stated<String>,
    /// Why the incident was closed.
    pub closed: Stated<String>,
}

/// The kinds of measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MeasureKind {
    /// It does not happen again.
    Prevent,
    /// It is noticed sooner.
    Detect,
    /// It hurts less.
    Mitigate,
}

impl MeasureKind {
    /// The word of a report.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Prevent => "Prevent",
            Self::Detect => "Detect",
            Self::Mitigate => "Mitigate",
        }
    }
}

/// A proposed measure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measure {
    /// What it does.
    pub kind: MeasureKind,
    /// What is to be done.
    pub text: String,
    /// What of this incident it answers.
    pub factor: String,
    /// Who is to do it.
    pub owner: String,
    /// The day it is due (UTC); unknown while the incident is open.
    pub due: Option<String>,
    /// Whether it comes first.
    pub high_priority: bool,
    /// When it is done.
    pub done_when: String,
    /// What proves it.
    pub check: String,
    /// The phase it shortens.
    pub phase: Milestone,
    /// What it answers.
    pub evidence: Vec<EvidenceRef>,
}

/// What is learned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lessons {
    /// What went well.
    pub well: Vec<Stated<String>>,
    /// What went badly.
    pub badly: Vec<Stated<String>>,
    /// Where there was luck.
    pub lucky: Vec<Stated<String>>,
}

/// One line of the timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When it happened.
    pub at: Moment,
    /// When it was recorded, if that was noticeably later.
    pub recorded: Option<Moment>,
    /// What happened, in one or two sentences.
    pub text: String,
    /// Whether a short report needs it.
    pub key: bool,
    /// How it is coloured.
    pub tone: Tone,
    /// Where it is recorded.
    pub evidence: Vec<EvidenceRef>,
}

/// How an entry feels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// Things got worse.
    Bad,
    /// Things got better.
    Good,
    /// A person acted.
    Person,
    /// All else.
    Info,
}

/// A line of the error log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogExcerpt {
    /// When the line says it happened.
    pub at: Moment,
    /// The line, secrets masked.
    pub text: String,
}

/// Values over time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chart {
    /// What it shows.
    pub title: String,
    /// What is counted.
    pub unit: String,
    /// Start of the first step.
    pub from: Moment,
    /// Length of a step in milliseconds.
    pub step_ms: u64,
    /// One line each; all have the same number of steps.
    pub lines: Vec<ChartLine>,
    /// What it was drawn from.
    pub evidence: Vec<EvidenceRef>,
}

/// One line of a chart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChartLine {
    /// What it is.
    pub name: String,
    /// How it is coloured.
    pub tone: Tone,
    /// The value of each step in thousandths of the unit; none where nothing was recorded.
    pub thousandths: Vec<Option<u64>>,
}
