//! The brief report: sentences that must be said, then true details in the order of their worth until it is long enough and
//! before it is too long. It never pads: every sentence is a fact, a definition or a statement of what is unknown.

use tocsin_domain::learn::facts::Facts;
use tocsin_domain::learn::ledger::EvidenceRef;

use crate::doc::{Block, Document, Picture, Section, Sentence};
use crate::wording::{clock, evidence_list, short, source_brief, title};
use crate::{
    BRIEF_WORDS_MAX, BRIEF_WORDS_MIN, brief_learning, brief_summary, extras, markdown, svg,
};

/// The five sections, as in the founding document.
pub(crate) const HEADINGS: [&str; 5] = [
    "Issue Summary",
    "Timeline",
    "Root Cause and Resolution",
    "Corrective and Preventative Measures",
    "Lessons Learned",
];
pub(crate) const SUMMARY: usize = 0;
pub(crate) const TIMELINE: usize = 1;
pub(crate) const CAUSE: usize = 2;
pub(crate) const MEASURES: usize = 3;
pub(crate) const LESSONS: usize = 4;

/// Said in every report.
pub(crate) const MUST: u8 = 0;
/// Entries of the timeline that a brief report offers at most.
const ENTRIES_MAX: usize = 12;
/// A brief report aims a little above its fewest words, for readers who count differently.
const WORDS_AIMED: usize = BRIEF_WORDS_MIN + 35;
/// All text of the file, the list of evidence and the marks included, stays below the most words too.
const PIECES_MAX: usize = BRIEF_WORDS_MAX - 2;

/// A sentence that may be said: sentences of one section and line stand in one paragraph or bullet.
pub(crate) struct Candidate {
    pub(crate) section: usize,
    pub(crate) line: usize,
    /// [`MUST`], or the order in which details are added.
    pub(crate) priority: u8,
    pub(crate) sentence: Sentence,
}

pub(crate) fn document(facts: &Facts) -> Document {
    let mut candidates = brief_summary::summary(facts);
    candidates.extend(timeline(facts));
    candidates.extend(brief_learning::cause(facts));
    candidates.extend(brief_learning::measures(facts));
    candidates.extend(brief_learning::lessons(facts));
    candidates.extend(extras::details(facts));
    choose(facts, candidates)
}

/// Adds details one by one, each only if there is room for it, until the report is long enough.
fn choose(facts: &Facts, candidates: Vec<Candidate>) -> Document {
    let mut chosen: Vec<bool> = candidates.iter().map(|one| one.priority == MUST).collect();
    let mut order: Vec<usize> = (0..candidates.len())
        .filter(|index| !chosen[*index])
        .collect();
    order.sort_by_key(|index| (candidates[*index].priority, *index));
    let mut document = assemble(facts, &candidates, &chosen);
    for index in order {
        if markdown::words(&markdown::render(&document)) >= WORDS_AIMED {
            break;
        }
        chosen[index] = true;
        let longer = assemble(facts, &candidates, &chosen);
        if markdown::render(&longer).split_whitespace().count() <= PIECES_MAX {
            document = longer;
        } else {
            chosen[index] = false;
        }
    }
    // Drawn once, not for each length that is tried.
    document.opening = vec![drawn_chain(facts)];
    document
}

fn assemble(facts: &Facts, candidates: &[Candidate], chosen: &[bool]) -> Document {
    let sections = HEADINGS
        .iter()
        .enumerate()
        .map(|(section, heading)| Section {
            heading,
            blocks: blocks(candidates, chosen, section),
        })
        .collect();
    let mut document = Document {
        title: title(facts),
        tags: tags(facts),
        opening: vec![chain(facts, String::new(), None)],
        sections,
        evidence: Vec::new(),
    };
    let cited = document.cited();
    document.evidence = evidence_list(facts, Some(&cited), source_brief);
    document
}

/// The picture of the chain, drawn already.
fn chain(facts: &Facts, svg: String, narrow_svg: Option<String>) -> Block {
    Block::Picture(Picture {
        svg,
        narrow_svg,
        file: Some(crate::chain_file_name(facts)),
        alt: "The chain from users to engineer".to_owned(),
    })
}

/// The picture of the chain in both of its shapes.
pub(crate) fn drawn_chain(facts: &Facts) -> Block {
    chain(
        facts,
        svg::chain::chain_svg(facts),
        Some(svg::chain::tall_chain_svg(facts)),
    )
}

/// Words under the title.
pub(crate) fn tags(facts: &Facts) -> Vec<String> {
    let mut tags = vec![
        format!("incident {}", facts.identity.number),
        facts.identity.severity.word().to_owned(),
        short(&facts.identity.service, 8, 48),
    ];
    if facts.identity.draft {
        tags.push("draft: still open".to_owned());
    }
    tags
}

fn blocks(candidates: &[Candidate], chosen: &[bool], section: usize) -> Vec<Block> {
    let mut lines: Vec<(usize, Vec<Sentence>)> = Vec::new();
    let wanted = candidates
        .iter()
        .zip(chosen)
        .filter(|(one, chosen)| **chosen && one.section == section);
    for (one, _) in wanted {
        match lines.iter_mut().find(|(line, _)| *line == one.line) {
            Some((_, sentences)) => sentences.push(one.sentence.clone()),
            None => lines.push((one.line, vec![one.sentence.clone()])),
        }
    }
    lines.sort_by_key(|(line, _)| *line);
    if section == SUMMARY {
        return lines
            .into_iter()
            .map(|(_, sentences)| Block::Paragraph(sentences))
            .collect();
    }
    let mut blocks = Vec::new();
    let mut bullets = Vec::new();
    for (line, sentences) in lines {
        // Line 0 introduces a section; all others are bullets.
        if line == 0 {
            blocks.push(Block::Paragraph(sentences));
        } else {
            bullets.push(sentences);
        }
    }
    if !bullets.is_empty() {
        blocks.push(Block::Bullets(bullets));
    }
    blocks
}

pub(crate) fn must(section: usize, line: usize, sentence: Sentence) -> Candidate {
    Candidate {
        section,
        line,
        priority: MUST,
        sentence,
    }
}

fn timeline(facts: &Facts) -> Vec<Candidate> {
    let first = facts.timeline.first().map(|entry| entry.at);
    let day = facts
        .moments
        .onset
        .value
        .or(facts.moments.detected.value)
        .or(first)
        .map(|at| at.date());
    let intro = day.as_ref().map_or_else(
        || "Nothing is recorded that could be told in order.".to_owned(),
        |day| format!("All times are in Coordinated Universal Time (UTC), on {day} unless stated."),
    );
    let mut all = vec![must(TIMELINE, 0, Sentence::new(intro, &[]))];
    let milestones = milestones(facts);
    let mut offered = 0;
    for (index, entry) in facts.timeline.iter().enumerate() {
        let is_milestone = entry.evidence.iter().any(|cite| milestones.contains(cite));
        let mut priority = if is_milestone { MUST } else { 10 };
        if !is_milestone && (!entry.key || offered >= ENTRIES_MAX) {
            continue;
        }
        if !is_milestone {
            offered += 1;
            let near = entry
                .evidence
                .iter()
                .any(|cite| facts.cause.trigger.evidence.contains(cite));
            priority = if near { 1 } else { 7 };
        }
        let late = entry.recorded.map_or_else(String::new, |at| {
            format!(" (recorded {})", clock(at, day.as_deref()))
        });
        let text = first_sentences(&entry.text, 24, 170);
        let lead = format!("{}{late}:", clock(entry.at, day.as_deref()));
        let sentence = Sentence::lead(lead, text, &entry.evidence);
        all.push(Candidate {
            section: TIMELINE,
            line: index + 1,
            priority,
            sentence,
        });
    }
    all
}

/// The events that the six moments were taken from.
fn milestones(facts: &Facts) -> Vec<EvidenceRef> {
    let moments = &facts.moments;
    [
        &moments.onset.evidence,
        &moments.detected.evidence,
        &moments.paged.evidence,
        &moments.acknowledged.evidence,
        &moments.recovered.evidence,
        &moments.resolved.evidence,
    ]
    .into_iter()
    .flatten()
    .copied()
    .collect()
}

/// Whole sentences of `text` as far as they fit; its first words when not even one does.
pub(crate) fn first_sentences(text: &str, words: usize, chars: usize) -> String {
    let fits =
        |text: &str| text.split_whitespace().count() <= words && text.chars().count() <= chars;
    if fits(text) {
        return text.to_owned();
    }
    let mut ends: Vec<usize> = text
        .match_indices([';', '.'])
        .map(|(at, _)| at)
        .filter(|at| text[at + 1..].starts_with(' '))
        .collect();
    ends.reverse();
    for end in ends {
        let head = format!("{}.", &text[..end]);
        // A quotation that was opened is not left open.
        if fits(&head) && head.matches('“').count() == head.matches('”').count() {
            return head;
        }
    }
    short(text, words, chars)
}
