//! Everything that happened, in the order of time: events, what was seen of the target, notes, log lines.

use std::collections::BTreeSet;

use super::case::{Case, TEXT_CHARS, number_text};
use super::facts::{Entry, LogExcerpt, Moments, Note, Tone};
use super::ledger::EvidenceRef;
use super::mask::clean;
use super::moment::{Moment, span_text};
use super::requests::count;
use super::telling;
use crate::event::IncidentWhat;
use crate::signal::FactKind;

/// Entries of a timeline at most.
const ENTRIES_MAX: usize = 500;
/// Notes at most.
const NOTES_MAX: usize = 100;
/// Error-log lines before and after the onset at most.
const LINES_BEFORE: usize = 8;
const LINES_AFTER: usize = 12;
/// What was recorded this much later than it happened says so.
const LATE_MS: u64 = 5_000;

/// Sorts entries of the same millisecond: what was seen, what it meant, what was done.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Seen(usize),
    Onset,
    Done(u64),
}

/// The timeline and how many entries it left out.
pub(super) fn timeline(case: &mut Case<'_>, moments: &Moments) -> (Vec<Entry>, u64) {
    let mut entries = seen(case, moments);
    entries.extend(onset(case, moments));
    entries.extend(done(case));
    entries.sort_by_key(|(rank, entry)| (entry.at, *rank));
    let mut left_out = 0;
    let mut room_for_minor =
        ENTRIES_MAX.saturating_sub(entries.iter().filter(|(_, e)| e.key).count());
    let mut kept = Vec::new();
    for (_, entry) in entries {
        let fits = if entry.key {
            kept.len() < ENTRIES_MAX
        } else {
            room_for_minor > 0
        };
        if !fits {
            left_out += 1;
            continue;
        }
        room_for_minor = room_for_minor.saturating_sub(usize::from(!entry.key));
        kept.push(entry);
    }
    (kept, left_out)
}

fn done(case: &mut Case<'_>) -> Vec<(Rank, Entry)> {
    let mut entries = Vec::new();
    for event in case.events() {
        let Some(told) = telling::event_text(case, event) else {
            continue;
        };
        let number = case.cite_event(event);
        let late = event.recorded_at.ms_since(event.at) > LATE_MS;
        entries.push((
            Rank::Done(event.position),
            Entry {
                at: event.at.into(),
                recorded: late.then(|| event.recorded_at.into()),
                text: told.text,
                key: told.key,
                tone: told.tone,
                evidence: vec![number],
            },
        ));
    }
    entries
}

fn onset(case: &mut Case<'_>, moments: &Moments) -> Option<(Rank, Entry)> {
    let at = moments.onset.value?;
    let onset = case.onset()?;
    let name = onset.evidence.series.split('{').next().unwrap_or_default();
    let text = format!(
        "The failure began, measured to within {}: {} = {}.",
        span_text(onset.uncertainty_ms),
        clean(name, 60),
        number_text(onset.evidence.value)
    );
    let evidence = vec![case.cite_sample(&onset.evidence)];
    Some((
        Rank::Onset,
        Entry {
            at,
            recorded: None,
            text,
            key: true,
            tone: Tone::Bad,
            evidence,
        },
    ))
}

fn seen(case: &mut Case<'_>, moments: &Moments) -> Vec<(Rank, Entry)> {
    let earliest = moments.earliest(case);
    let mut told_codes: BTreeSet<&str> = BTreeSet::new();
    let mut queue_told = false;
    let mut entries = Vec::new();
    for (index, fact) in case.facts() {
        let at = Moment::from(fact.at);
        let during = at >= earliest.shifted(-10_000);
        let (key, tone) = match &fact.what {
            FactKind::ParentExited { .. } => (during, Tone::Bad),
            FactKind::ParentStarted { .. } | FactKind::Reloaded { .. } => (during, Tone::Good),
            FactKind::ConfigChanged { .. } => (true, Tone::Info),
            FactKind::ConfigTested { valid, .. } => {
                (during, if *valid { Tone::Good } else { Tone::Bad })
            }
            FactKind::ErrorLogged { code, .. } => (told_codes.insert(code) && during, Tone::Bad),
            FactKind::QueueChanged { waiting, .. } => {
                let first = during && *waiting > 0 && !queue_told;
                queue_told |= first;
                (first, Tone::Bad)
            }
            FactKind::StatusUnavailable { .. } => (false, Tone::Info),
        };
        entries.push((
            Rank::Seen(index),
            Entry {
                at,
                recorded: None,
                text: telling::fact_text(&fact.what),
                key,
                tone,
                evidence: case.cite_fact(index),
            },
        ));
    }
    entries
}

/// What people wrote down, in the order it was recorded.
pub(super) fn notes(case: &mut Case<'_>) -> Vec<Note> {
    let mut notes = Vec::new();
    for event in case.events() {
        let Some(IncidentWhat::NoteAdded { text, .. }) = event.body.incident_part() else {
            continue;
        };
        let evidence: Vec<EvidenceRef> = vec![case.cite_event(event)];
        notes.push(Note {
            at: event.at.into(),
            recorded: event.recorded_at.into(),
            by: case.actor(&event.actor),
            text: clean(text, TEXT_CHARS),
            evidence,
        });
        if notes.len() == NOTES_MAX {
            break;
        }
    }
    notes
}

/// The last lines of the error log before the onset, and the first after it.
pub(super) fn log_lines(case: &Case<'_>, moments: &Moments) -> Vec<LogExcerpt> {
    let onset = moments
        .onset
        .value
        .unwrap_or_else(|| moments.earliest(case));
    let from = moments.earliest(case).shifted(-60_000);
    let until = moments.trouble_end(case).shifted(5_000);
    let target = case.evidence.incident.target;
    let mut lines: Vec<LogExcerpt> = case
        .evidence
        .error_lines
        .iter()
        .filter(|record| target == Some(record.target))
        .filter(|record| (from..=until).contains(&record.at.into()))
        .map(|record| LogExcerpt {
            at: record.at.into(),
            text: clean(&record.raw, 400),
        })
        .collect();
    lines.sort_by_key(|line| line.at);
    let after = lines.split_off(lines.partition_point(|line| line.at < onset));
    let skipped = lines.len().saturating_sub(LINES_BEFORE);
    lines.drain(..skipped);
    lines.extend(after.into_iter().take(LINES_AFTER));
    debug_assert!(count(lines.len()) <= count(LINES_BEFORE + LINES_AFTER));
    lines
}
