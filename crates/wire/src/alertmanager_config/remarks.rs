//! Words on what could not be carried over, the gravest first. It translates nothing.

use std::collections::BTreeSet;

/// Remarks at most, so that no configuration fills the memory with them; the rest is counted.
pub(super) const REMARKS_MAX: usize = 10_000;

/// What a remark is about, in the order in which they are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum About {
    /// A route, or a rule that came of one, is left out or cannot be told from another: alerts go elsewhere than they went there.
    Lost,
    /// Whatever else routes and the whole said.
    Route,
    /// What a receiver had.
    Receiver,
}

/// Remarks, each of them once.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    kept: BTreeSet<(About, String)>,
    left_out: usize,
}

impl Remarks {
    /// Where there are too many, the least grave one gives way.
    pub(super) fn add(&mut self, about: About, text: String) {
        if self.kept.insert((about, text)) && self.kept.len() > REMARKS_MAX {
            self.kept.pop_last();
            self.left_out += 1;
        }
    }

    /// All of them, in their order.
    pub(super) fn into_lines(self) -> Vec<String> {
        let mut lines: Vec<String> = self.kept.into_iter().map(|(_, text)| text).collect();
        if self.left_out > 0 {
            lines.push(format!("and {} more", self.left_out));
        }
        lines
    }
}
