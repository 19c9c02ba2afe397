//! The names under which things stand in files, by the ids that they had, and what is remarked about them.

use std::collections::{BTreeMap, BTreeSet};

use tocsin_domain::service::DESCRIPTION_CHARS_MAX;

use crate::plain::{is_bad, tidy};

/// Characters of a name at most: 200 are taken by the core, and a number may stand behind it.
const NAME_CHARS_MAX: usize = 190;
/// Remarks at most; the rest is counted.
const REMARKS_MAX: usize = 1_000;

/// What could not be carried over: each once, in the order in which it was found.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    lines: Vec<String>,
    known: BTreeSet<String>,
    left_out: usize,
}

impl Remarks {
    pub(super) fn add(&mut self, text: impl Into<String>) {
        let text = text.into();
        if self.known.contains(&text) {
            return;
        }
        if self.lines.len() >= REMARKS_MAX {
            self.left_out += 1;
            return;
        }
        self.known.insert(text.clone());
        self.lines.push(text);
    }

    pub(super) fn into_lines(mut self) -> Vec<String> {
        if self.left_out > 0 {
            self.lines
                .push(format!("and {} more of such lines", self.left_out));
        }
        self.lines
    }
}

/// The keys of things of one kind.
#[derive(Debug, Default)]
pub(super) struct Names {
    by_id: BTreeMap<String, String>,
    taken: BTreeSet<String>,
    /// The last number behind each name that is there more than once.
    numbers: BTreeMap<String, usize>,
}

impl Names {
    /// Gives a thing its key: its name, with a number behind it when another thing has that name already, which is told.
    pub(super) fn give(
        &mut self,
        noun: &str,
        id: Option<&str>,
        name: &str,
        remarks: &mut Remarks,
    ) -> String {
        let name = tidy(name, NAME_CHARS_MAX);
        let name = if name.is_empty() {
            noun.rsplit(": ").next().unwrap_or(noun).to_owned()
        } else {
            name
        };
        let mut key = name.clone();
        if self.taken.contains(&key) {
            let number = self.numbers.entry(name.clone()).or_insert(1);
            while self.taken.contains(&key) {
                *number += 1;
                key = format!("{name}#{number}");
            }
            remarks.add(format!(
                "{noun} {name:?}: another one has this name too, so that this one is {key:?}"
            ));
        }
        self.keep(id, key.clone());
        key
    }

    /// Whether a key was free; then it is the thing's.
    pub(super) fn keep(&mut self, id: Option<&str>, key: String) -> bool {
        if !self.taken.insert(key.clone()) {
            return false;
        }
        if let Some(id) = id {
            self.by_id.insert(id.to_owned(), key);
        }
        true
    }

    /// The key of the thing that had this id.
    pub(super) fn of(&self, id: Option<&str>) -> Option<&str> {
        self.by_id.get(id?).map(String::as_str)
    }
}

/// What is said of a thing beside its name, in its lines, and as much of it as is kept here.
pub(super) fn said(text: Option<&str>, place: &str, remarks: &mut Remarks) -> String {
    let letters = text.unwrap_or_default().chars();
    let kept = letters.filter(|letter| matches!(letter, '\n' | '\t') || !is_bad(*letter));
    let mut kept: String = kept.collect();
    if let Some((end, _)) = kept.char_indices().nth(DESCRIPTION_CHARS_MAX) {
        kept.truncate(end);
        remarks.add(format!(
            "{place}: of its description the first {DESCRIPTION_CHARS_MAX} characters are kept"
        ));
    }
    kept
}
