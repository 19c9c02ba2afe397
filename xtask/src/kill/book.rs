//! What was accepted, as those who sent it remember it; whether it was kept is judged elsewhere.

use std::collections::BTreeSet;

/// An alert that was accepted at least once.
#[derive(Clone, Debug)]
pub(crate) struct Alert {
    /// Its key, which is its title too.
    pub(crate) key: String,
    /// The place of its service in the site's list.
    pub(crate) service: usize,
    pub(crate) critical: bool,
    pub(crate) incident: String,
    /// A resolve was accepted.
    pub(crate) resolved: bool,
}

/// What one sender, or all of them, sent and were answered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Book {
    pub(crate) alerts: Vec<Alert>,
    /// Critical incidents of which an acknowledgement was accepted.
    pub(crate) acknowledged: BTreeSet<String>,
    /// Incidents that somebody began to acknowledge or resolve before a page about them had arrived.
    pub(crate) answered_unpaged: BTreeSet<String>,
    pub(crate) resolves: u64,
    pub(crate) acknowledgements: u64,
    /// Requests that were accepted.
    pub(crate) accepted: u64,
    /// Requests without an answer, which were sent again.
    pub(crate) unanswered: u64,
    /// Requests that were told to come again.
    pub(crate) put_off: u64,
    /// Answers that should not have been given.
    pub(crate) wrong: Vec<String>,
}

impl Book {
    /// Adds what another sender wrote down.
    pub(crate) fn add(&mut self, other: Self) {
        self.alerts.extend(other.alerts);
        self.acknowledged.extend(other.acknowledged);
        self.answered_unpaged.extend(other.answered_unpaged);
        self.resolves += other.resolves;
        self.acknowledgements += other.acknowledgements;
        self.accepted += other.accepted;
        self.unanswered += other.unanswered;
        self.put_off += other.put_off;
        self.wrong.extend(other.wrong);
    }
}
