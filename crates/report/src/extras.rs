//! Details that a brief report adds while it has room: further facts first, then the meaning of its terms; nothing empty.

use tocsin_domain::learn::facts::Facts;
use tocsin_domain::learn::ledger::EvidenceRef;
use tocsin_domain::learn::moment::span_text;

use crate::brief::{CAUSE, Candidate, LESSONS, MEASURES, SUMMARY, TIMELINE, first_sentences};
use crate::doc::Sentence;
use crate::wording::{counted, duration, short};

/// Everything that may be added.
pub(crate) fn details(facts: &Facts) -> Vec<Candidate> {
    let mut all = measured(facts);
    all.extend(paths(facts));
    all.extend(estimate(facts));
    all.extend(terms(facts));
    all
}

fn offer(
    section: usize,
    line: usize,
    priority: u8,
    text: impl Into<String>,
    cites: &[EvidenceRef],
) -> Candidate {
    Candidate {
        section,
        line,
        priority,
        sentence: Sentence::new(text, cites),
    }
}

fn measured(facts: &Facts) -> Vec<Candidate> {
    let durations = &facts.durations;
    let text = format!(
        "Time to detect: {}; to acknowledge: {}; to mitigate: {}; to resolve: {}.",
        duration(&durations.detect),
        duration(&durations.acknowledge),
        duration(&durations.mitigate),
        duration(&durations.resolve)
    );
    let cites = [
        durations.acknowledge.evidence.as_slice(),
        &durations.resolve.evidence,
    ]
    .concat();
    let mut all = vec![offer(SUMMARY, 2, 3, text, &cites)];
    if let Some(symptom) = facts.symptoms.first()
        && let Some(text) = &symptom.value
    {
        all.push(offer(
            SUMMARY,
            0,
            2,
            first_sentences(text, 24, 180),
            &symptom.evidence,
        ));
    }
    if !facts.phases.is_empty() {
        let phases: Vec<String> = facts
            .phases
            .iter()
            .map(|phase| format!("{} {}", phase.to.phase(), span_text(phase.ms)))
            .collect();
        let text = format!("Phase by phase: {}.", phases.join(", "));
        let cites: Vec<EvidenceRef> = facts
            .phases
            .iter()
            .flat_map(|phase| &phase.evidence)
            .copied()
            .collect();
        all.push(offer(LESSONS, 2, 11, text, &cites));
    }
    if facts.identity.relapses > 0 {
        let text = format!("The failure came back {}.", times(facts.identity.relapses));
        all.push(offer(
            SUMMARY,
            0,
            1,
            text,
            &facts.moments.recovered.evidence,
        ));
    }
    all
}

fn times(count: u32) -> String {
    if count == 1 {
        "once".to_owned()
    } else {
        format!("{count} times")
    }
}

fn paths(facts: &Facts) -> Vec<Candidate> {
    let mut all = Vec::new();
    let detection = &facts.detection;
    if let Some(by) = &detection.by.value {
        let sample = detection
            .sample
            .value
            .as_ref()
            .map_or_else(String::new, |sample| {
                format!(" on {}", short(sample, 6, 80))
            });
        let by = short(by, 8, 60);
        let text = if detection.by_monitor {
            format!("The monitor “{by}” raised the first alert{sample}.")
        } else {
            format!("The first alert came from {by}{sample}.")
        };
        all.push(offer(SUMMARY, 2, 4, text, &detection.by.evidence));
    }
    if let Some(page) = facts.paging.pages.first() {
        let level = page.level.map_or_else(
            // The reason begins with what it was instead: the fallback list, or that it was given to them.
            || short(page.why.split(';').next().unwrap_or_default(), 8, 60),
            |level| format!("level {level}"),
        );
        let text = format!(
            "The page went to {} by {} ({level}), {}.",
            short(&page.person, 4, 40),
            page.channel,
            counted(crate::svg::count(page.attempts.len()), "attempt")
        );
        all.push(offer(SUMMARY, 2, 6, text, &page.evidence));
    }
    if let Some(why) = &facts.paging.hold.value {
        let text = format!("The page waited, because {}.", short(why, 16, 120));
        all.push(offer(SUMMARY, 2, 5, text, &facts.paging.hold.evidence));
    }
    if facts.identity.target.is_some() {
        let text = match facts.changes.len() {
            0 => "No change of configuration, no restart and no reload is recorded in the hour before the onset.".to_owned(),
            1 => "One change is recorded in the hour before the onset.".to_owned(),
            many => format!("{many} changes are recorded in the hour before the onset."),
        };
        let cites: Vec<EvidenceRef> = facts
            .changes
            .iter()
            .flat_map(|change| &change.evidence)
            .copied()
            .collect();
        all.push(offer(CAUSE, 2, 8, text, &cites));
    }
    if let Some(why) = &facts.resolution.closed.value {
        let text = format!(
            "The incident was closed because {}.",
            short(why.trim_end_matches('.'), 16, 120)
        );
        all.push(offer(CAUSE, 3, 9, text, &facts.resolution.closed.evidence));
    }
    if !detection.silent.is_empty() {
        let count = counted(crate::svg::count(detection.silent.len()), "other monitor");
        let text = format!("{count} in the evidence stayed silent.");
        all.push(offer(SUMMARY, 2, 13, text, &[]));
    }
    all
}

fn estimate(facts: &Facts) -> Vec<Candidate> {
    let Some(expected) = &facts.impact.expected.value else {
        if facts.impact.recorded.value.is_none() {
            return Vec::new();
        }
        return vec![offer(SUMMARY, 1, 10, facts.impact.method.clone(), &[])];
    };
    let before = expected
        .baseline_until
        .ms_since(expected.baseline_from)
        .unwrap_or_default();
    let text = format!(
        "That range is computed from the {} requests logged in the {} before; whether clients tried again is not known.",
        expected.baseline_requests,
        span_text(before)
    );
    vec![
        offer(
            SUMMARY,
            1,
            1,
            text,
            &facts.impact.expected.evidence[..facts.impact.expected.evidence.len().min(1)],
        ),
        offer(
            SUMMARY,
            1,
            14,
            "Requests of Tocsin's own probe are left out of all counts.",
            &[],
        ),
    ]
}

/// The meaning of terms; the first ones are those that a newcomer asks for first.
#[expect(clippy::too_many_lines, reason = "a list of terms")]
fn terms(facts: &Facts) -> Vec<Candidate> {
    let mut all = vec![
        offer(
            MEASURES,
            0,
            20,
            "These measures are proposed for this kind of failure; people decide which are taken, and no tracker entry is recorded yet.",
            &[],
        ),
        offer(
            TIMELINE,
            0,
            21,
            "The small marks name entries of the evidence list at the end, which was frozen with the incident.",
            &[],
        ),
        offer(
            SUMMARY,
            2,
            22,
            "Time to detect, mitigate and resolve run from the onset, time to acknowledge from the first page.",
            &[],
        ),
        offer(
            TIMELINE,
            0,
            23,
            "The onset is the first sample outside the objective; detection is the first alert; a page is an urgent message to the engineer on call.",
            &[],
        ),
        offer(
            LESSONS,
            0,
            24,
            "Every number in this report can be computed again from its evidence; what is not recorded is called unknown and not guessed.",
            &[],
        ),
        offer(
            TIMELINE,
            0,
            25,
            "Recovered means that every alert of the incident was healthy again; resolved means that this lasted, or that somebody closed the incident.",
            &[],
        ),
        offer(
            CAUSE,
            0,
            26,
            "The trigger is the event that set the failure off; causes are the conditions that let it happen, and they need the judgement of a person who knows the system.",
            &[],
        ),
        offer(
            LESSONS,
            0,
            27,
            "A review with those who took part should add what no machine records: what was tried, what misled, and what was known beforehand.",
            &[],
        ),
        offer(
            MEASURES,
            0,
            28,
            "A measure that prevents removes the failure, one that detects shortens the time until it is noticed, and one that mitigates lessens the harm.",
            &[],
        ),
    ];
    if facts.identity.target.is_some() {
        all.push(offer(
            CAUSE,
            0,
            29,
            "Apache's parent process starts and replaces the child processes that answer users.",
            &[],
        ));
    } else {
        all.push(offer(
            CAUSE,
            0,
            19,
            "The alert came from outside: Tocsin does not watch this service itself, so neither its samples nor its logs are in the evidence.",
            &[],
        ));
        all.push(offer(
            SUMMARY,
            1,
            19,
            "Without samples of its own Tocsin can tell when it was told of the failure, but not when users first felt it.",
            &[],
        ));
    }
    all
}
