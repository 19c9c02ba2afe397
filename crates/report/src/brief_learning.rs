//! The last three sections of the brief report: cause and resolution, measures, lessons.

use tocsin_domain::learn::facts::{Facts, Measure, MeasureKind};
use tocsin_domain::learn::ledger::EvidenceRef;

use crate::brief::{CAUSE, Candidate, LESSONS, MEASURES, MUST, first_sentences, must};
use crate::doc::Sentence;
use crate::wording::short;

pub(crate) fn cause(facts: &Facts) -> Vec<Candidate> {
    let trigger = &facts.cause.trigger;
    let text = trigger
        .value
        .as_deref()
        .unwrap_or("Unknown; nothing recorded shows it.");
    let mut all = vec![must(
        CAUSE,
        1,
        Sentence::lead(
            "Trigger:",
            first_sentences(text, 26, 190),
            &trigger.evidence,
        ),
    )];
    all.push(must(
        CAUSE,
        2,
        Sentence::lead(
            "Cause:",
            "Not determined from recorded evidence; a person must confirm it.",
            &[],
        ),
    ));
    for (index, suspect) in facts.cause.suspects.iter().enumerate() {
        let Some(text) = &suspect.value else { continue };
        let text = format!("Suspect {}: {}", index + 1, first_sentences(text, 34, 240));
        all.push(Candidate {
            section: CAUSE,
            line: 2,
            priority: if index == 0 { 2 } else { 9 },
            sentence: Sentence::new(text, &suspect.evidence),
        });
    }
    let resolution = &facts.resolution;
    let shown = resolution.shown_by.first();
    let text = shown
        .and_then(|shown| shown.value.as_deref())
        .unwrap_or("Nothing recorded shows how it ended.");
    let cites = shown.map_or(&[] as &[EvidenceRef], |shown| &shown.evidence);
    all.push(must(CAUSE, 3, Sentence::lead("Resolution:", text, cites)));
    for shown in resolution.shown_by.iter().skip(1) {
        let Some(text) = &shown.value else { continue };
        all.push(Candidate {
            section: CAUSE,
            line: 3,
            priority: 4,
            sentence: Sentence::new(text.clone(), &shown.evidence),
        });
    }
    let or_none = |fix: &Option<String>| {
        fix.as_deref()
            .map_or_else(|| "none recorded".to_owned(), |fix| short(fix, 20, 140))
    };
    let text = format!(
        "Temporary: {}. Lasting: {}.",
        or_none(&resolution.temporary.value),
        or_none(&resolution.lasting.value)
    );
    let cites = [
        resolution.temporary.evidence.as_slice(),
        &resolution.lasting.evidence,
    ]
    .concat();
    all.push(must(CAUSE, 4, Sentence::lead("Fixes:", text, &cites)));
    all
}

pub(crate) fn measures(facts: &Facts) -> Vec<Candidate> {
    let mut all = Vec::new();
    let firsts: Vec<usize> = [MeasureKind::Prevent, MeasureKind::Detect]
        .into_iter()
        .filter_map(|kind| {
            facts
                .measures
                .iter()
                .position(|measure| measure.kind == kind)
        })
        .collect();
    for (index, measure) in facts.measures.iter().enumerate().take(4) {
        let required = firsts.contains(&index);
        all.extend(measure_lines(measure, index + 1, required));
    }
    all
}

fn measure_lines(measure: &Measure, line: usize, required: bool) -> Vec<Candidate> {
    let due = measure
        .due
        .as_deref()
        .unwrap_or("unknown until the resolve");
    let priority = if measure.high_priority {
        "high"
    } else {
        "medium"
    };
    let owner = short(&measure.owner, 4, 40);
    let text = format!("{}.", measure.text);
    let terms = format!(
        "Owner: {owner}; due {due}; priority {priority}; done when {}.",
        measure.done_when
    );
    let main = if required { MUST } else { 5 };
    let offer = |priority, sentence| Candidate {
        section: MEASURES,
        line,
        priority,
        sentence,
    };
    vec![
        offer(
            main,
            Sentence::lead(format!("{}:", measure.kind.word()), text, &measure.evidence),
        ),
        offer(main, Sentence::new(terms, &[])),
        offer(
            if required { 8 } else { 12 },
            Sentence::new(format!("Check: {}.", measure.check), &[]),
        ),
    ]
}

pub(crate) fn lessons(facts: &Facts) -> Vec<Candidate> {
    let lessons = &facts.lessons;
    let kinds = [
        (
            "Went well:",
            &lessons.well,
            "Nothing recorded went notably well.",
        ),
        (
            "Went badly:",
            &lessons.badly,
            "Nothing recorded went notably badly.",
        ),
        ("Luck:", &lessons.lucky, "No luck is recorded."),
    ];
    let mut all = Vec::new();
    for (index, (lead, stated, none)) in kinds.into_iter().enumerate() {
        let line = index + 1;
        let Some(first) = stated.first() else {
            all.push(must(LESSONS, line, Sentence::lead(lead, none, &[])));
            continue;
        };
        let text =
            |value: &Option<String>| first_sentences(value.as_deref().unwrap_or_default(), 30, 220);
        all.push(must(
            LESSONS,
            line,
            Sentence::lead(lead, text(&first.value), &first.evidence),
        ));
        for more in stated.iter().skip(1) {
            all.push(Candidate {
                section: LESSONS,
                line,
                priority: 6,
                sentence: Sentence::new(text(&more.value), &more.evidence),
            });
        }
    }
    all
}
