//! Everything a postmortem states, computed from the frozen evidence of one incident and from nothing else; how it is
//! worded and drawn is not known here.

use serde::{Deserialize, Serialize};

use super::case::Case;
use super::evidence::Evidence;
use super::ledger::{EvidenceRef, Source, Stated};
use super::moment::Moment;
use super::{
    cause, charts, detection, durations, failure, impact, lessons, measures, moments, paging,
    resolution, timeline,
};
use crate::monitor::Severity;

pub use super::statements::*;

/// The version of this format.
pub const FACTS_VERSION: u16 = 1;

/// What is known of one incident. The same evidence gives the same facts, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// [`FACTS_VERSION`].
    pub version: u16,
    /// The version of Tocsin that froze the evidence.
    pub tocsin_version: String,
    /// Which incident, of what, on what.
    pub identity: Identity,
    /// What kind of failure it was.
    pub failure: Stated<FailureKind>,
    /// What it looked like from outside, one sentence each.
    pub symptoms: Vec<Stated<String>>,
    /// When what happened.
    pub moments: Moments,
    /// The four durations that are compared between incidents.
    pub durations: Durations,
    /// The time between one moment and the next, in the order of time.
    pub phases: Vec<Phase>,
    /// How it was found.
    pub detection: Detection,
    /// How people were told.
    pub paging: Paging,
    /// Who was hurt.
    pub impact: Impact,
    /// What changed in the hour before.
    pub changes: Vec<Stated<Change>>,
    /// What set it off, and why it could.
    pub cause: Cause,
    /// What people wrote down.
    pub notes: Vec<Note>,
    /// How it ended.
    pub resolution: Resolution,
    /// What is proposed so that it does not happen again.
    pub measures: Vec<Measure>,
    /// What went well, badly, and by luck.
    pub lessons: Lessons,
    /// Everything that happened, in order.
    pub timeline: Vec<Entry>,
    /// Entries that the timeline left out because of its limit.
    pub timeline_left_out: u64,
    /// Lines of the error log around the onset, secrets masked.
    pub log_lines: Vec<LogExcerpt>,
    /// What can be drawn over time.
    pub charts: Vec<Chart>,
    /// The evidence list: entry `n` is cited as `n + 1`.
    pub evidence: Vec<Source>,
}

/// Which incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Its number.
    pub number: u64,
    /// Its title, secrets masked.
    pub title: String,
    /// How bad.
    pub severity: Severity,
    /// The service.
    pub service: String,
    /// The web server, when it was a watched one.
    pub target: Option<String>,
    /// Where that listens.
    pub listen: Vec<String>,
    /// The host that Tocsin ran on.
    pub tocsin_host: String,
    /// The people who took part, in the order they appeared.
    pub people: Vec<String>,
    /// Whether the incident was still open when the evidence was frozen.
    pub draft: bool,
    /// How often the failure came back.
    pub relapses: u32,
}

/// The kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The parent process and its children were gone without a farewell.
    Crashed,
    /// The parent process was gone, its children still answered.
    Orphaned,
    /// The server ended in good order.
    Stopped,
    /// The server was found dead at the start of Tocsin.
    FoundDead,
    /// Connections were accepted and not answered; the processes stood still.
    Hung,
    /// All workers were in use.
    Saturated,
    /// Requests were answered with errors.
    ServerErrors,
    /// The configuration on disk would not be accepted.
    BadConfiguration,
    /// The listener refused, and no exit was seen.
    Unreachable,
    /// Something else, told from outside.
    Other,
}

/// When what happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moments {
    /// The first sample outside the objective.
    pub onset: Stated<Moment>,
    /// The failure began at most this long before that, in milliseconds.
    pub onset_uncertainty_ms: Option<u64>,
    /// The first alert.
    pub detected: Stated<Moment>,
    /// The first page began to be sent.
    pub paged: Stated<Moment>,
    /// The first page was accepted by its provider.
    pub page_accepted: Stated<Moment>,
    /// The first acknowledgement.
    pub acknowledged: Stated<Moment>,
    /// The objective was regained for good.
    pub recovered: Stated<Moment>,
    /// The incident was resolved for good.
    pub resolved: Stated<Moment>,
}

/// The four durations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Durations {
    /// Time to detect: onset to detected.
    pub detect: Duration,
    /// Time to acknowledge: paged to acknowledged.
    pub acknowledge: Duration,
    /// Time to mitigate: onset to recovered.
    pub mitigate: Duration,
    /// Time to resolve: onset to resolved.
    pub resolve: Duration,
}

/// One duration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duration {
    /// Whether there is one.
    pub status: DurationStatus,
    /// Milliseconds, when recorded.
    pub ms: Option<u64>,
    /// What both ends were taken from.
    pub evidence: Vec<EvidenceRef>,
}

/// Whether a duration can be stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DurationStatus {
    /// Both ends are recorded.
    Recorded,
    /// Its end may still come.
    Pending,
    /// It never began, or ended before it began.
    NotApplicable,
    /// One end happened and nothing recorded tells when.
    Unknown,
}

/// The named moments that phases lie between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Milestone {
    /// The failure began.
    Onset,
    /// It was noticed.
    Detected,
    /// The first page left.
    Paged,
    /// Somebody took it.
    Acknowledged,
    /// It was over for users.
    Recovered,
    /// It was over for the record.
    Resolved,
}

impl Milestone {
    /// The phase that ends with it, in one word.
    #[must_use]
    pub const fn phase(self) -> &'static str {
        match self {
            Self::Onset => "before",
            Self::Detected => "detection",
            Self::Paged => "paging",
            Self::Acknowledged => "acknowledgement",
            Self::Recovered => "repair",
            Self::Resolved => "confirmation",
        }
    }

    /// Its name in a table.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Onset => "onset",
            Self::Detected => "detected",
            Self::Paged => "paged",
            Self::Acknowledged => "acknowledged",
            Self::Recovered => "recovered",
            Self::Resolved => "resolved",
        }
    }
}

/// The time between two neighbouring milestones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// Where it begins.
    pub from: Milestone,
    /// Where it ends.
    pub to: Milestone,
    /// When it begins.
    pub starts: Moment,
    /// When it ends.
    pub ends: Moment,
    /// Its length in milliseconds.
    pub ms: u64,
    /// What both ends were taken from.
    pub evidence: Vec<EvidenceRef>,
}

/// Computes the facts of an incident.
#[must_use]
pub fn facts(evidence: &Evidence) -> Facts {
    let mut case = Case::new(evidence);
    let failure = failure::kind(&mut case);
    let moments = moments::moments(&mut case);
    let symptoms = failure::symptoms(&mut case, &moments);
    let detection = detection::detection(&mut case);
    let paging = paging::paging(&mut case);
    let durations = durations::durations(&case, &moments, &paging);
    let phases = durations::phases(&moments);
    let impact = impact::impact(&mut case, &moments, failure.value);
    let changes = cause::changes(&mut case, &moments);
    let cause = cause::cause(&mut case, &failure, &moments, &changes, &symptoms);
    let notes = timeline::notes(&mut case);
    let resolution = resolution::resolution(&mut case, &moments);
    let known = lessons::Known {
        failure: failure.value,
        moments: &moments,
        phases: &phases,
        paging: &paging,
        durations: &durations,
        detection: &detection,
        cause: &cause,
        impact: &impact,
    };
    let measures = measures::measures(&case, &known);
    let lessons = lessons::lessons(&case, &known);
    let (timeline, timeline_left_out) = timeline::timeline(&mut case, &moments);
    let log_lines = timeline::log_lines(&case, &moments);
    let charts = charts::charts(&mut case, &moments);
    Facts {
        version: FACTS_VERSION,
        tocsin_version: super::mask::clean(&evidence.tocsin_version, 40),
        identity: case.identity(),
        failure,
        symptoms,
        moments,
        durations,
        phases,
        detection,
        paging,
        impact,
        changes,
        cause,
        notes,
        resolution,
        measures,
        lessons,
        timeline,
        timeline_left_out,
        log_lines,
        charts,
        evidence: case.into_ledger(),
    }
}

impl Facts {
    /// The longest phase that people can shorten: the wait that confirms the recovery is by design.
    #[must_use]
    pub fn longest_phase(&self) -> Option<&Phase> {
        durations::longest(&self.phases)
    }

    /// The entry that a citation names.
    #[must_use]
    pub fn source(&self, number: EvidenceRef) -> Option<&Source> {
        let index = usize::try_from(number.0).ok()?.checked_sub(1)?;
        self.evidence.get(index)
    }
}
