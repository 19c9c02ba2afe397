//! The full report: the five sections with everything the facts hold, for those who were there and those who come after.

use tocsin_domain::learn::facts::{Facts, Measure, Note};
use tocsin_domain::learn::ledger::{EvidenceRef, Stated};
use tocsin_domain::learn::moment::span_text;

use crate::brief::{self, HEADINGS};
use crate::doc::{Block, Cell, Document, Picture, Section, Sentence};
use crate::svg;
use crate::wording::{clock, duration, evidence_list, range, source_full, title};

pub(crate) fn document(facts: &Facts) -> Document {
    let contents = [
        summary(facts),
        timeline(facts),
        cause(facts),
        measures(facts),
        lessons(facts),
    ];
    Document {
        title: title(facts),
        tags: brief::tags(facts),
        opening: vec![brief::drawn_chain(facts)],
        sections: HEADINGS
            .into_iter()
            .zip(contents)
            .map(|(heading, blocks)| Section { heading, blocks })
            .collect(),
        evidence: evidence_list(facts, None, source_full),
    }
}

fn stated(all: &[Stated<String>]) -> Vec<Vec<Sentence>> {
    all.iter()
        .filter_map(|one| Some(vec![Sentence::new(one.value.clone()?, &one.evidence)]))
        .collect()
}

/// Bullets, or a sentence that says there is nothing to list.
fn bullets_or(bullets: Vec<Vec<Sentence>>, none: &str) -> Block {
    if bullets.is_empty() {
        Block::Paragraph(vec![Sentence::new(none, &[])])
    } else {
        Block::Bullets(bullets)
    }
}

fn summary(facts: &Facts) -> Vec<Block> {
    let mut blocks: Vec<Block> = brief::document(facts)
        .sections
        .into_iter()
        .take(1)
        .flat_map(|section| section.blocks)
        .collect();
    blocks.push(Block::Heading("What it looked like"));
    blocks.push(bullets_or(
        stated(&facts.symptoms),
        "No symptom is recorded.",
    ));
    blocks.push(Block::Heading("Durations"));
    blocks.push(durations(facts));
    blocks.push(Block::Heading("Impact"));
    blocks.extend(impact(facts));
    for (_, svg) in svg::chart::chart_svgs(facts) {
        blocks.push(Block::Picture(Picture {
            svg,
            narrow_svg: None,
            file: None,
            alt: String::new(),
        }));
    }
    blocks
}

fn durations(facts: &Facts) -> Block {
    let durations = &facts.durations;
    let rows = [
        (
            "Time to detect (TTD)",
            "onset to first alert",
            &durations.detect,
        ),
        (
            "Time to acknowledge (TTA)",
            "first page to acknowledgement",
            &durations.acknowledge,
        ),
        (
            "Time to mitigate (TTM)",
            "onset to recovery",
            &durations.mitigate,
        ),
        (
            "Time to resolve (TTR)",
            "onset to resolve",
            &durations.resolve,
        ),
    ];
    Block::Table {
        head: vec!["Duration", "From, to", "Value"],
        rows: rows
            .into_iter()
            .map(|(name, ends, value)| {
                let value = Cell::cited(duration(value), &value.evidence);
                vec![Cell::new(name), Cell::new(ends), value]
            })
            .collect(),
    }
}

fn impact(facts: &Facts) -> Vec<Block> {
    let mut blocks = Vec::new();
    let Some(all) = facts.impact.recorded.value else {
        return vec![Block::Paragraph(vec![Sentence::new(
            facts.impact.method.clone(),
            &[],
        )])];
    };
    let expected = facts.impact.expected.value.as_ref();
    let row = |name: String,
               counts: tocsin_domain::learn::facts::Recorded,
               expected: [String; 2],
               cites: &[EvidenceRef]| {
        let [requests, users] = expected;
        vec![
            Cell::cited(name, cites),
            Cell::new(counts.requests.to_string()),
            Cell::new(counts.failed.to_string()),
            Cell::new(counts.users.to_string()),
            Cell::new(counts.users_failed.to_string()),
            Cell::new(requests),
            Cell::new(users),
        ]
    };
    let none = || "none".to_owned();
    let of_all = expected.map_or_else(none, |expected| range(expected.requests));
    let mut rows = vec![row(
        "all".to_owned(),
        all,
        [of_all, String::new()],
        &facts.impact.recorded.evidence,
    )];
    for tier in &facts.impact.tiers {
        let name = if tier.tier.is_empty() {
            "tier unknown".to_owned()
        } else {
            tier.tier.clone()
        };
        let found =
            expected.and_then(|expected| crate::wording::expected_tier(expected, &tier.tier));
        let requests = found.map_or_else(none, |found| range(found.requests));
        let users = found.map_or_else(none, |found| {
            found.users.map_or_else(|| "unknown".to_owned(), range)
        });
        rows.push(row(name, tier.counts, [requests, users], &tier.evidence));
    }
    blocks.push(Block::Table {
        head: vec![
            "Tier",
            "Logged requests",
            "Failed (5xx)",
            "Users",
            "Users with failures",
            "Expected in silence (estimate)",
            "Users expected (estimate)",
        ],
        rows,
    });
    blocks.push(Block::Paragraph(vec![Sentence::new(
        facts.impact.method.clone(),
        &facts.impact.expected.evidence,
    )]));
    blocks
}

fn timeline(facts: &Facts) -> Vec<Block> {
    let mut blocks = vec![Block::Picture(Picture {
        svg: svg::waterfall::waterfall_svg(facts),
        narrow_svg: None,
        file: Some(crate::waterfall_file_name(facts)),
        alt: "Where the time went".to_owned(),
    })];
    let day = facts.timeline.first().map(|entry| entry.at.date());
    let intro = match &day {
        Some(day) => {
            format!("All times are in Coordinated Universal Time (UTC), on {day} unless stated.")
        }
        None => "Nothing is recorded that could be told in order.".to_owned(),
    };
    blocks.push(Block::Paragraph(vec![Sentence::new(intro, &[])]));
    let bullets: Vec<Vec<Sentence>> = facts
        .timeline
        .iter()
        .map(|entry| {
            let late = entry.recorded.map_or_else(String::new, |at| {
                format!(" (recorded {})", clock(at, day.as_deref()))
            });
            let lead = format!("{}{late}:", clock(entry.at, day.as_deref()));
            vec![Sentence::lead(lead, entry.text.clone(), &entry.evidence)]
        })
        .collect();
    if !bullets.is_empty() {
        blocks.push(Block::Bullets(bullets));
    }
    if facts.timeline_left_out > 0 {
        let text = format!("{} further entries are left out.", facts.timeline_left_out);
        blocks.push(Block::Paragraph(vec![Sentence::new(text, &[])]));
    }
    blocks.extend(pages(facts));
    if !facts.log_lines.is_empty() {
        blocks.push(Block::Heading(
            "Error log around the onset (secrets masked)",
        ));
        let lines = facts
            .log_lines
            .iter()
            .map(|line| format!("{} {}", line.at.clock(), line.text));
        blocks.push(Block::Lines(lines.collect()));
    }
    blocks
}

fn pages(facts: &Facts) -> Vec<Block> {
    let mut blocks = vec![Block::Heading("Pages")];
    let mut notes = Vec::new();
    if let Some(why) = &facts.paging.hold.value {
        let text = format!("The first page waited, because {why}.");
        notes.push(vec![Sentence::new(text, &facts.paging.hold.evidence)]);
    }
    if let Some(why) = &facts.paging.suppressed.value {
        let text = format!("Nobody was paged, because {why}.");
        notes.push(vec![Sentence::new(text, &facts.paging.suppressed.evidence)]);
    }
    for skipped in &facts.paging.skipped {
        let Some(why) = &skipped.value else { continue };
        notes.push(vec![Sentence::new(
            format!("Passed over: {why}."),
            &skipped.evidence,
        )]);
    }
    if !notes.is_empty() {
        blocks.push(Block::Bullets(notes));
    }
    let mut rows = Vec::new();
    for page in &facts.paging.pages {
        for attempt in &page.attempts {
            let took = attempt
                .finished
                .and_then(|end| end.ms_since(attempt.started))
                .map_or_else(|| "unknown".to_owned(), span_text);
            rows.push(vec![
                Cell::cited(page.person.clone(), &page.evidence),
                Cell::new(page.channel.clone()),
                Cell::new(
                    page.level
                        .map_or_else(|| "none".to_owned(), |level| level.to_string()),
                ),
                Cell::new(page.why.clone()),
                Cell::new(attempt.number.to_string()),
                Cell::new(attempt.started.clock()),
                Cell::new(took),
                Cell::new(format!("{}: {}", attempt.outcome, attempt.detail)),
            ]);
        }
    }
    if rows.is_empty() {
        blocks.push(Block::Paragraph(vec![Sentence::new("No page left.", &[])]));
    } else {
        blocks.push(Block::Table {
            head: vec![
                "Person", "Channel", "Level", "Why", "Attempt", "Began", "Took", "Outcome",
            ],
            rows,
        });
    }
    blocks
}

fn cause(facts: &Facts) -> Vec<Block> {
    let trigger = &facts.cause.trigger;
    let unknown = "Unknown; nothing recorded shows it.";
    let mut blocks = vec![
        Block::Heading("Trigger"),
        Block::Paragraph(vec![Sentence::new(
            trigger.value.as_deref().unwrap_or(unknown),
            &trigger.evidence,
        )]),
        Block::Heading("Causes"),
        Block::Paragraph(vec![Sentence::new(
            "Not determined from recorded evidence; a person must confirm. Suspects, the likeliest first:",
            &[],
        )]),
        bullets_or(
            stated(&facts.cause.suspects),
            "None that evidence speaks for.",
        ),
        Block::Heading("Changes in the hour before"),
    ];
    let changes: Vec<Vec<Sentence>> = facts
        .changes
        .iter()
        .filter_map(|change| {
            let known = change.value.as_ref()?;
            let lead = format!("{} {}:", known.at.date(), known.at.clock());
            Some(vec![Sentence::lead(
                lead,
                known.text.clone(),
                &change.evidence,
            )])
        })
        .collect();
    blocks.push(bullets_or(changes, "None is recorded."));
    blocks.push(Block::Heading("Resolution"));
    blocks.push(bullets_or(
        stated(&facts.resolution.shown_by),
        "Nothing recorded shows how it ended.",
    ));
    let fixes = [
        ("Temporary fix:", &facts.resolution.temporary),
        ("Lasting fix:", &facts.resolution.lasting),
    ];
    blocks.push(Block::Bullets(
        fixes
            .into_iter()
            .map(|(lead, fix)| {
                let text = fix.value.as_deref().unwrap_or("none recorded");
                vec![Sentence::lead(lead, format!("{text}."), &fix.evidence)]
            })
            .collect(),
    ));
    if !facts.notes.is_empty() {
        blocks.push(Block::Heading("Notes by people"));
        blocks.push(Block::Bullets(facts.notes.iter().map(note).collect()));
    }
    blocks
}

fn note(note: &Note) -> Vec<Sentence> {
    let lead = if note.recorded.as_millis() - note.at.as_millis() > 5_000 {
        format!(
            "{} {} (recorded {}):",
            note.at.date(),
            note.at.clock(),
            note.recorded.clock()
        )
    } else {
        format!("{} {}:", note.at.date(), note.at.clock())
    };
    let text = format!("{}: “{}”", note.by, note.text);
    vec![Sentence::lead(lead, text, &note.evidence)]
}

fn measures(facts: &Facts) -> Vec<Block> {
    let intro = match facts.longest_phase() {
        Some(phase) => format!(
            "Proposed for this kind of failure; people decide. The longest phase was {}, {}; measures that shorten it come first.",
            phase.to.phase(),
            span_text(phase.ms)
        ),
        None => "Proposed for this kind of failure; people decide.".to_owned(),
    };
    let cites = facts
        .longest_phase()
        .map_or(&[] as &[EvidenceRef], |phase| &phase.evidence);
    vec![
        Block::Paragraph(vec![Sentence::new(intro, cites)]),
        Block::Table {
            head: vec![
                "Type",
                "Measure",
                "Answers",
                "Owner",
                "Due",
                "Priority",
                "Done when",
                "Check",
                "Tracker",
            ],
            rows: facts.measures.iter().map(measure).collect(),
        },
    ]
}

fn measure(measure: &Measure) -> Vec<Cell> {
    vec![
        Cell::new(measure.kind.word()),
        Cell::new(measure.text.clone()),
        Cell::cited(measure.factor.clone(), &measure.evidence),
        Cell::new(measure.owner.clone()),
        Cell::new(measure.due.clone().unwrap_or_else(|| "unknown".to_owned())),
        Cell::new(if measure.high_priority {
            "high"
        } else {
            "medium"
        }),
        Cell::new(measure.done_when.clone()),
        Cell::new(measure.check.clone()),
        Cell::new("none recorded"),
    ]
}

fn lessons(facts: &Facts) -> Vec<Block> {
    let lessons = &facts.lessons;
    vec![
        Block::Heading("What went well"),
        bullets_or(stated(&lessons.well), "Nothing recorded went notably well."),
        Block::Heading("What went badly"),
        bullets_or(
            stated(&lessons.badly),
            "Nothing recorded went notably badly.",
        ),
        Block::Heading("Where there was luck"),
        bullets_or(stated(&lessons.lucky), "No luck is recorded."),
    ]
}
