//! Whether facts follow from evidence: every citation is found again, every duration is the difference of its ends, and
//! everything is recomputed and compared. What does not follow must not be printed.

use super::case::{notation, number_text};
use super::evidence::Evidence;
use super::facts::{self, Duration, Facts};
use super::kinds;
use super::ledger::{Source, Stated};
use super::mask::clean;
use super::moment::Moment;
use super::requests;
use crate::alert::EvidenceSample;
use crate::event::{AlertEvent, Cause, EventBody};

/// Something stated that does not follow from the evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The part of the facts.
    pub what: String,
    /// What is wrong with it.
    pub why: String,
}

/// All that does not follow; empty when the facts may be printed.
#[must_use]
pub fn verify(evidence: &Evidence, stated: &Facts) -> Vec<Mismatch> {
    let mut found = unresolved(evidence, stated);
    found.extend(wrong_lengths(stated));
    found.extend(different(&facts::facts(evidence), stated));
    found
}

fn mismatch(what: &str, why: impl Into<String>) -> Mismatch {
    Mismatch {
        what: what.to_owned(),
        why: why.into(),
    }
}

fn unresolved(evidence: &Evidence, stated: &Facts) -> Vec<Mismatch> {
    stated
        .evidence
        .iter()
        .enumerate()
        .filter(|(_, source)| !resolves(evidence, source))
        .map(|(index, source)| {
            let why = format!("entry {} is not in the bundle: {source:?}", index + 1);
            mismatch("evidence", why)
        })
        .collect()
}

fn resolves(evidence: &Evidence, source: &Source) -> bool {
    match source {
        Source::Event {
            position,
            at,
            event,
        } => evidence.events.iter().any(|found| {
            found.position == *position
                && Moment::from(found.at) == *at
                && kinds::kind(&found.body) == event
        }),
        Source::Sample { series, at, value } => {
            inlined(evidence).any(|sample| {
                clean(&sample.series, 200) == *series
                    && Moment::from(sample.at) == *at
                    && number_text(sample.value) == *value
            }) || frozen(evidence, series, *at, value)
        }
        Source::Logs {
            query,
            from,
            until,
            count,
        } => requests::answer(evidence, query, *from, *until) == *count,
        Source::Fact { index, at, fact } => evidence.facts.get(*index).is_some_and(|found| {
            Moment::from(found.at) == *at && kinds::fact_kind(&found.what) == fact
        }),
    }
}

/// Samples that travel with alerts, onsets and causes.
fn inlined(evidence: &Evidence) -> impl Iterator<Item = &EvidenceSample> {
    let onsets = evidence
        .alerts
        .iter()
        .filter_map(|alert| alert.onset.as_deref())
        .chain(&evidence.incident.onset)
        .map(|onset| &onset.evidence);
    let of_alerts = evidence
        .alerts
        .iter()
        .flat_map(|alert| alert.evidence.iter());
    let of_events = evidence.events.iter().flat_map(|event| {
        let cause = match &event.cause {
            Cause::Sample { sample } => Some(sample),
            Cause::Request | Cause::Event { .. } | Cause::Due { .. } => None,
        };
        let recovered =
            if let EventBody::Alert(AlertEvent::Recovered { evidence, .. }) = &event.body {
                evidence.as_slice()
            } else {
                &[]
            };
        let opened = if let EventBody::Alert(AlertEvent::Opened { alert }) = &event.body {
            &alert.evidence[..]
        } else {
            &[]
        };
        cause.into_iter().chain(recovered).chain(opened)
    });
    onsets.chain(of_alerts).chain(of_events)
}

fn frozen(evidence: &Evidence, series: &str, at: Moment, value: &str) -> bool {
    evidence
        .series
        .iter()
        .filter(|found| clean(&notation(&found.labels), 200) == series)
        .flat_map(|found| &found.samples)
        .any(|(ms, bits)| *ms == at.as_millis() && number_text(f64::from_bits(*bits)) == value)
}

fn wrong_lengths(stated: &Facts) -> Vec<Mismatch> {
    let moments = &stated.moments;
    let pairs: [(&str, &Duration, &Stated<Moment>, &Stated<Moment>); 4] = [
        (
            "time to detect",
            &stated.durations.detect,
            &moments.onset,
            &moments.detected,
        ),
        (
            "time to acknowledge",
            &stated.durations.acknowledge,
            &moments.paged,
            &moments.acknowledged,
        ),
        (
            "time to mitigate",
            &stated.durations.mitigate,
            &moments.onset,
            &moments.recovered,
        ),
        (
            "time to resolve",
            &stated.durations.resolve,
            &moments.onset,
            &moments.resolved,
        ),
    ];
    let mut found = Vec::new();
    for (name, duration, from, until) in pairs {
        let length = from
            .value
            .zip(until.value)
            .and_then(|(from, until)| until.ms_since(from));
        if length != duration.ms {
            found.push(mismatch(name, "it is not the difference of its ends"));
        }
    }
    for phase in &stated.phases {
        if phase.ends.ms_since(phase.starts) != Some(phase.ms) {
            found.push(mismatch(
                phase.to.phase(),
                "the phase is not the difference of its ends",
            ));
        }
    }
    found
}

fn different(fresh: &Facts, stated: &Facts) -> Vec<Mismatch> {
    let parts = [
        ("version", fresh.version == stated.version),
        (
            "tocsin_version",
            fresh.tocsin_version == stated.tocsin_version,
        ),
        ("identity", fresh.identity == stated.identity),
        ("failure", fresh.failure == stated.failure),
        ("symptoms", fresh.symptoms == stated.symptoms),
        ("moments", fresh.moments == stated.moments),
        ("durations", fresh.durations == stated.durations),
        ("phases", fresh.phases == stated.phases),
        ("detection", fresh.detection == stated.detection),
        ("paging", fresh.paging == stated.paging),
        ("impact", fresh.impact == stated.impact),
        ("changes", fresh.changes == stated.changes),
        ("cause", fresh.cause == stated.cause),
        ("notes", fresh.notes == stated.notes),
        ("resolution", fresh.resolution == stated.resolution),
        ("measures", fresh.measures == stated.measures),
        ("lessons", fresh.lessons == stated.lessons),
        ("timeline", fresh.timeline == stated.timeline),
        (
            "timeline_left_out",
            fresh.timeline_left_out == stated.timeline_left_out,
        ),
        ("log_lines", fresh.log_lines == stated.log_lines),
        ("charts", fresh.charts == stated.charts),
        ("evidence", fresh.evidence == stated.evidence),
    ];
    parts
        .into_iter()
        .filter(|(_, same)| !same)
        .map(|(what, _)| mismatch(what, "it differs from what the evidence gives"))
        .collect()
}
