//! The brief report: sentences that must be said, then true details in the order of their worth until it is long enough and
//! before it is too long. It never pads: every sentence is a fact, a definition or a statement of what is unknown.

use tocsin_domain::learn::facts::{Facts, Measure, MeasureKind, Range};
use tocsin_domain::learn::ledger::EvidenceRef;
use tocsin_domain::learn::moment::span_text;

use crate::doc::{Block, Document, Picture, Section, Sentence};
use crate::wording::{
    PREMIUM, clock, counted, did, evidence_list, expected_tier, range, recorded_tier, short,
    source_brief, subject, title,
};
use crate::{BRIEF_WORDS_MAX, BRIEF_WORDS_MIN, extras, markdown, svg};

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
const WORDS_AIMED: usize = BRIEF_WORDS_MIN + 15;
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
    let mut candidates = summary(facts);
    candidates.extend(timeline(facts));
    candidates.extend(cause(facts));
    candidates.extend(measures(facts));
    candidates.extend(lessons(facts));
    candidates.extend(extras::details(facts));
    choose(facts, candidates)
}

/// Adds details one by one, each only if there is room for it, until the report is long enough.
fn choose(facts: &Facts, candidates: Vec<Candidate>) -> Document {
    let mut chosen: Vec<bool> = candidates.iter().map(|one| one.priority == MUST).collect();
    let mut order: Vec<usize> = (0..candidates.len()).filter(|index| !chosen[*index]).collect();
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
        opening: vec![Block::Picture(Picture {
            svg: svg::chain::chain_svg(facts),
            narrow_svg: Some(svg::chain::tall_chain_svg(facts)),
            file: Some(crate::chain_file_name(facts)),
            alt: "The chain from users to engineer".to_owned(),
        })],
        sections,
        evidence: Vec::new(),
    };
    let cited = document.cited();
    document.evidence = evidence_list(facts, Some(&cited), source_brief);
    document
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
    let wanted = candidates.iter().zip(chosen).filter(|(one, chosen)| **chosen && one.section == section);
    for (one, _) in wanted {
        match lines.iter_mut().find(|(line, _)| *line == one.line) {
            Some((_, sentences)) => sentences.push(one.sentence.clone()),
            None => lines.push((one.line, vec![one.sentence.clone()])),
        }
    }
    lines.sort_by_key(|(line, _)| *line);
    if section == SUMMARY {
        return lines.into_iter().map(|(_, sentences)| Block::Paragraph(sentences)).collect();
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

fn summary(facts: &Facts) -> Vec<Candidate> {
    let mut all = vec![must(SUMMARY, 0, span_sentence(facts))];
    if let (Some(ms), true) = (facts.moments.onset_uncertainty_ms, facts.moments.onset.value.is_some()) {
        let text = format!("The onset is measured to within {}.", span_text(ms));
        all.push(must(SUMMARY, 0, Sentence::new(text, &facts.moments.onset.evidence)));
    }
    all.extend(impact(facts).into_iter().map(|sentence| must(SUMMARY, 1, sentence)));
    all.push(must(SUMMARY, 2, response(facts)));
    all
}

fn span_sentence(facts: &Facts) -> Sentence {
    let (onset, recovered) = (&facts.moments.onset, &facts.moments.recovered);
    let cites = [onset.evidence.as_slice(), &recovered.evidence].concat();
    let what = format!("{} {}", subject(facts), did(facts.failure.value));
    let text = match (onset.value, recovered.value) {
        (Some(from), Some(until)) => {
            let day = from.date();
            let length = until.ms_since(from).map_or_else(String::new, |ms| format!(", {}", span_text(ms)));
            let until = clock(until, Some(&day));
            format!("On {day} {what} from {} until {until}{length}.", from.clock())
        }
        (Some(from), None) => {
            format!("On {} {what} from {} on; a recovery is not recorded.", from.date(), from.clock())
        }
        (None, Some(until)) => {
            format!("{what} until {} {}; the onset is unknown.", until.date(), until.clock())
        }
        (None, None) => format!("{what}; neither onset nor recovery is recorded."),
    };
    Sentence::new(text, &cites)
}

/// Requests and premium users: what was counted, and what was expected while nothing was.
pub(crate) fn impact(facts: &Facts) -> Vec<Sentence> {
    let Some(counts) = facts.impact.recorded.value else {
        return vec![Sentence::new(
            "The numbers of requests and of premium users affected are unknown, since the evidence holds no access log.",
            &[],
        )];
    };
    let mut cites = facts.impact.recorded.evidence.clone();
    cites.truncate(2);
    let premium = recorded_tier(facts, PREMIUM);
    let premium_words = match premium {
        Some(tier) => {
            cites.extend(tier.evidence.get(3));
            format!("{} met a failure", counted(tier.counts.users_failed, "premium user"))
        }
        None => "premium users are not told apart in it".to_owned(),
    };
    let text = format!(
        "The access log records {} in that time, {} failed; {premium_words}.",
        counted(counts.requests, "request"),
        counts.failed
    );
    let mut sentences = vec![Sentence::new(text, &cites)];
    sentences.extend(expected(facts));
    sentences
}

fn expected(facts: &Facts) -> Option<Sentence> {
    let expected = facts.impact.expected.value.as_ref()?;
    let premium = expected_tier(expected, PREMIUM);
    let of_premium = match premium {
        Some(tier) => {
            let users = tier
                .users
                .map_or_else(String::new, |users| format!(" by {} different premium users", range(users)));
            format!(", {} of them{users}", range(tier.requests))
        }
        None => String::new(),
    };
    let silent = span_text(expected.silent_ms);
    let text = format!(
        "For {silent} nothing was logged: an estimated {} further requests were expected then{of_premium}.",
        range(expected.requests)
    );
    Some(Sentence::new(text, &facts.impact.expected.evidence))
}

/// The range of requests that met a failure or no answer, when any of it is known.
pub(crate) fn affected(facts: &Facts) -> Option<Range> {
    let failed = facts.impact.recorded.value?.failed;
    let expected = facts.impact.expected.value.as_ref().map(|expected| expected.requests);
    Some(expected.map_or(Range { low: failed, high: failed }, |range| Range {
        low: range.low.saturating_add(failed),
        high: range.high.saturating_add(failed),
    }))
}

fn response(facts: &Facts) -> Sentence {
    let moments = &facts.moments;
    let mut cites: Vec<EvidenceRef> = moments.detected.evidence.clone();
    let mut parts = Vec::new();
    parts.push(match facts.durations.detect.ms {
        Some(ms) => format!("It was detected {} after the onset", span_text(ms)),
        None => match moments.detected.value {
            Some(at) => format!("It was detected at {} {}", at.date(), at.clock()),
            None => "Its detection is not recorded".to_owned(),
        },
    });
    if let (Some(detected), Some(paged)) = (moments.detected.value, moments.paged.value) {
        cites.extend(&moments.paged.evidence);
        let later = paged.ms_since(detected).map_or_else(String::new, span_text);
        parts.push(format!("the first page left {later} later"));
        cites.extend(&moments.acknowledged.evidence);
        parts.push(match (&facts.paging.acknowledged_by.value, facts.durations.acknowledge.ms) {
            (Some(name), Some(ms)) => {
                format!("{} acknowledged {} after it", short(name, 4, 40), span_text(ms))
            }
            (Some(name), None) => format!("{} acknowledged before it", short(name, 4, 40)),
            (None, _) => "no acknowledgement is recorded".to_owned(),
        });
    } else {
        cites.extend(&facts.paging.suppressed.evidence);
        parts.push(match &facts.paging.suppressed.value {
            Some(why) => format!("nobody was paged, because {}", short(why, 14, 120)),
            None => "no page is recorded".to_owned(),
        });
    }
    Sentence::new(format!("{}.", join(&parts)), &cites)
}

/// `one`, `one and two`, `one, two and three`.
fn join(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn timeline(facts: &Facts) -> Vec<Candidate> {
    let first = facts.timeline.first().map(|entry| entry.at);
    let day = facts.moments.onset.value.or(facts.moments.detected.value).or(first).map(|at| at.date());
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
            let near = entry.evidence.iter().any(|cite| facts.cause.trigger.evidence.contains(cite));
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
    let fits = |text: &str| text.split_whitespace().count() <= words && text.chars().count() <= chars;
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

fn cause(facts: &Facts) -> Vec<Candidate> {
    let trigger = &facts.cause.trigger;
    let text = trigger.value.as_deref().unwrap_or("Unknown; nothing recorded shows it.");
    let mut all = vec![must(
        CAUSE,
        1,
        Sentence::lead("Trigger:", first_sentences(text, 26, 190), &trigger.evidence),
    )];
    all.push(must(
        CAUSE,
        2,
        Sentence::lead("Cause:", "Not determined from recorded evidence; a person must confirm it.", &[]),
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
    let text = shown.and_then(|shown| shown.value.as_deref()).unwrap_or("Nothing recorded shows how it ended.");
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
    let or_none = |fix: &Option<String>| fix.as_deref().map_or_else(|| "none recorded".to_owned(), |fix| short(fix, 20, 140));
    let text = format!(
        "Temporary: {}. Lasting: {}.",
        or_none(&resolution.temporary.value),
        or_none(&resolution.lasting.value)
    );
    let cites = [resolution.temporary.evidence.as_slice(), &resolution.lasting.evidence].concat();
    all.push(must(CAUSE, 4, Sentence::lead("Fixes:", text, &cites)));
    all
}

fn measures(facts: &Facts) -> Vec<Candidate> {
    let mut all = Vec::new();
    let firsts: Vec<usize> = [MeasureKind::Prevent, MeasureKind::Detect]
        .into_iter()
        .filter_map(|kind| facts.measures.iter().position(|measure| measure.kind == kind))
        .collect();
    for (index, measure) in facts.measures.iter().enumerate().take(4) {
        let required = firsts.contains(&index);
        all.extend(measure_lines(measure, index + 1, required));
    }
    all
}

fn measure_lines(measure: &Measure, line: usize, required: bool) -> Vec<Candidate> {
    let due = measure.due.as_deref().unwrap_or("unknown until the resolve");
    let priority = if measure.high_priority { "high" } else { "medium" };
    let owner = short(&measure.owner, 4, 40);
    let text = format!("{}.", measure.text);
    let terms = format!("Owner: {owner}; due {due}; priority {priority}; done when {}.", measure.done_when);
    let main = if required { MUST } else { 5 };
    let offer = |priority, sentence| Candidate {
        section: MEASURES,
        line,
        priority,
        sentence,
    };
    vec![
        offer(main, Sentence::lead(format!("{}:", measure.kind.word()), text, &measure.evidence)),
        offer(main, Sentence::new(terms, &[])),
        offer(
            if required { 8 } else { 12 },
            Sentence::new(format!("Check: {}.", measure.check), &[]),
        ),
    ]
}

fn lessons(facts: &Facts) -> Vec<Candidate> {
    let lessons = &facts.lessons;
    let kinds = [
        ("Went well:", &lessons.well, "Nothing recorded went notably well."),
        ("Went badly:", &lessons.badly, "Nothing recorded went notably badly."),
        ("Luck:", &lessons.lucky, "No luck is recorded."),
    ];
    let mut all = Vec::new();
    for (index, (lead, stated, none)) in kinds.into_iter().enumerate() {
        let line = index + 1;
        let Some(first) = stated.first() else {
            all.push(must(LESSONS, line, Sentence::lead(lead, none, &[])));
            continue;
        };
        let text = |value: &Option<String>| first_sentences(value.as_deref().unwrap_or_default(), 30, 220);
        all.push(must(LESSONS, line, Sentence::lead(lead, text(&first.value), &first.evidence)));
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
