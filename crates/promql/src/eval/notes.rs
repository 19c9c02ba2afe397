//! Remarks on a query that is answered none the less; it knows no transport.

use crate::answer::{Note, NoteLevel};
use crate::ast::Over;

use super::Evaluator;

/// How the names of counters end.
const COUNTER_ENDINGS: [&str; 4] = ["_total", "_sum", "_count", "_bucket"];

impl Evaluator<'_> {
    pub(super) fn warn(&mut self, text: String) {
        self.notes.insert(Note {
            level: NoteLevel::Warning,
            text,
        });
    }

    pub(super) fn inform(&mut self, text: String) {
        self.notes.insert(Note {
            level: NoteLevel::Info,
            text,
        });
    }

    /// Tells that a function for counters is used on what is not named like one.
    pub(super) fn inform_counter(&mut self, name: &str) {
        self.inform(format!(
            "{name} might not be a counter: its name does not end in _total, _sum, _count or _bucket"
        ));
    }
}

/// Remembers a metric that a function for counters is used on though it is not named like one. Series of one metric
/// follow each other, so one look at the name before is enough to keep the list short.
pub(super) fn note_counter(func: Over, name: &str, hinted: &mut Vec<String>) {
    if !is_for_counters(func) || name.is_empty() || hinted.last().is_some_and(|last| last == name) {
        return;
    }
    if !COUNTER_ENDINGS.iter().any(|ending| name.ends_with(ending)) {
        hinted.push(name.to_owned());
    }
}

fn is_for_counters(func: Over) -> bool {
    use crate::ast::Each;
    matches!(func, Over::Rate | Over::Increase | Over::Each(Each::Irate))
}
