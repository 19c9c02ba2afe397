//! What went well, badly and by luck, each from something recorded; it praises and blames nobody.

use super::case::Case;
use super::durations::longest;
use super::facts::{
    Cause, Detection, Duration, Durations, FailureKind, Impact, Lessons, Milestone, Moments,
    Paging, Phase,
};
use super::failure::exit_at_onset;
use super::ledger::{EvidenceRef, Stated};
use super::moment::span_text;
use crate::signal::{FactKind, Supervisor};

/// Noticed within this is fast.
const FAST_DETECTION_MS: u64 = 5_000;
/// Noticed after this is slow.
const SLOW_DETECTION_MS: u64 = 60_000;

/// The facts that lessons and measures are drawn from.
pub(super) struct Known<'a> {
    pub(super) failure: Option<FailureKind>,
    pub(super) moments: &'a Moments,
    pub(super) phases: &'a [Phase],
    pub(super) paging: &'a Paging,
    pub(super) durations: &'a Durations,
    pub(super) detection: &'a Detection,
    pub(super) cause: &'a Cause,
    pub(super) impact: &'a Impact,
}

pub(super) fn lessons(case: &Case<'_>, known: &Known<'_>) -> Lessons {
    Lessons {
        well: well(known),
        badly: badly(case, known),
        lucky: lucky(known),
    }
}

fn well(known: &Known<'_>) -> Vec<Stated<String>> {
    let mut lessons = Vec::new();
    let detect = &known.durations.detect;
    if let Some(ms) = detect.ms.filter(|ms| *ms <= FAST_DETECTION_MS) {
        let text = format!("The failure was noticed {} after it began.", span_text(ms));
        lessons.push(Stated::known(text, detect.evidence.clone()));
    }
    let (detected, accepted) = (&known.moments.detected, &known.moments.page_accepted);
    if let (Some(from), Some(until)) = (detected.value, accepted.value)
        && let Some(ms) = until.ms_since(from)
    {
        let text = format!(
            "A provider had accepted the first page {} later.",
            span_text(ms)
        );
        let text = if lessons.is_empty() {
            format!(
                "A provider had accepted the first page {} after detection.",
                span_text(ms)
            )
        } else {
            text
        };
        lessons.push(Stated::known(text, both(detected, accepted)));
    }
    let acknowledge = &known.durations.acknowledge;
    if let (Some(ms), Some(name)) = (acknowledge.ms, &known.paging.acknowledged_by.value) {
        let text = format!("{name} acknowledged {} after the page left.", span_text(ms));
        lessons.push(Stated::known(text, acknowledge.evidence.clone()));
    }
    if known.paging.pages.len() == 1 && known.moments.page_accepted.value.is_some() {
        let text = "One page was enough; nobody was paged twice.".to_owned();
        lessons.push(Stated::known(text, known.paging.pages[0].evidence.clone()));
    }
    if known.paging.pages.is_empty() && known.moments.recovered.value.is_some() {
        let reason = &known.paging.hold;
        if reason.value.is_some() {
            let text =
                "Waiting before the page spared a call: the failure was over first.".to_owned();
            lessons.push(Stated::known(text, both(reason, &known.moments.recovered)));
        }
    }
    lessons
}

fn badly(case: &Case<'_>, known: &Known<'_>) -> Vec<Stated<String>> {
    let mut lessons = Vec::new();
    if let Some(phase) = longest(known.phases) {
        let text = format!(
            "{} took longest: {}.",
            capitalised(phase.to.phase()),
            span_text(phase.ms)
        );
        lessons.push(Stated::known(text, phase.evidence.clone()));
    }
    let unanswered =
        known.moments.paged.value.is_some() && known.moments.acknowledged.value.is_none();
    if unanswered {
        let text = "No acknowledgement is recorded after the page.".to_owned();
        lessons.push(Stated::known(text, known.moments.paged.evidence.clone()));
    }
    lessons.extend(failed_attempts(known));
    if let Some((_, exit)) = exit_at_onset(case)
        && let FactKind::ParentExited {
            supervisor: Supervisor::None,
            ..
        } = &exit.what
        && !known.cause.trigger.evidence.is_empty()
    {
        let text = "Nothing was set up that would start the server again by itself.".to_owned();
        lessons.push(Stated::known(text, known.cause.trigger.evidence.clone()));
    }
    if known.cause.suspects.is_empty() && !known.cause.trigger.evidence.is_empty() {
        let text = "What set the failure off left no trace in what is recorded.".to_owned();
        lessons.push(Stated::known(text, known.cause.trigger.evidence.clone()));
    }
    let slow = known
        .durations
        .detect
        .ms
        .filter(|ms| *ms >= SLOW_DETECTION_MS);
    if let Some(ms) = slow {
        let text = format!("Detection took {}.", span_text(ms));
        lessons.push(Stated::known(text, known.durations.detect.evidence.clone()));
    }
    lessons
}

fn failed_attempts(known: &Known<'_>) -> Option<Stated<String>> {
    let mut evidence: Vec<EvidenceRef> = Vec::new();
    let mut failed = 0_u64;
    for page in &known.paging.pages {
        let here = page
            .attempts
            .iter()
            .filter(|a| a.outcome != "accepted" && a.outcome != "unknown");
        let here = super::requests::count(here.count());
        if here > 0 {
            failed += here;
            evidence.extend(&page.evidence);
        }
    }
    let verb = if failed == 1 {
        "attempt to send a page was"
    } else {
        "attempts to send a page were"
    };
    (failed > 0).then(|| Stated::known(format!("{failed} {verb} not accepted."), evidence))
}

fn lucky(known: &Known<'_>) -> Vec<Stated<String>> {
    let mut lessons = Vec::new();
    if known.failure == Some(FailureKind::Orphaned)
        && let Some(counts) = known.impact.recorded.value
        && counts.requests > counts.failed
    {
        let text = format!(
            "The child processes went on answering: {} requests, {} of them failed.",
            counts.requests, counts.failed
        );
        lessons.push(Stated::known(text, known.impact.recorded.evidence.clone()));
    }
    if known.failure == Some(FailureKind::BadConfiguration) && known.cause.trigger.value.is_some() {
        let text = "The running server had read its configuration before the file was broken, and nothing made it read that file.";
        lessons.push(Stated::known(
            text.to_owned(),
            known.cause.trigger.evidence.clone(),
        ));
    }
    let first_level_only = known.paging.pages.iter().all(|page| page.level == Some(1));
    if first_level_only && known.durations.acknowledge.ms.is_some() {
        let text = "The first level answered; the levels behind it were not put to the test.";
        let evidence = known.durations.acknowledge.evidence.clone();
        lessons.push(Stated::known(text.to_owned(), evidence));
    }
    if known.detection.alerts > 0 && known.paging.pages.is_empty() {
        let stated = &known.paging.suppressed;
        if let Some(why) = &stated.value {
            let text = format!("Nobody was paged because {why}; nobody was needed in that time.");
            if known.moments.recovered.value.is_some() {
                lessons.push(Stated::known(text, stated.evidence.clone()));
            }
        }
    }
    lessons
}

fn both<A, B>(one: &Stated<A>, other: &Stated<B>) -> Vec<EvidenceRef> {
    [one.evidence.as_slice(), &other.evidence].concat()
}

/// The first letter in upper case.
pub(super) fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

/// Whether a duration is recorded and the phase it belongs to is the longest.
pub(super) fn is_longest(known: &Known<'_>, milestone: Milestone) -> bool {
    longest(known.phases).is_some_and(|phase| phase.to == milestone)
}

/// The evidence of a duration, or of what set the failure off when there is none.
pub(super) fn evidence_of(duration: &Duration, known: &Known<'_>) -> Vec<EvidenceRef> {
    if duration.evidence.is_empty() {
        known.cause.trigger.evidence.clone()
    } else {
        duration.evidence.clone()
    }
}
