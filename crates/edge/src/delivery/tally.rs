//! Counts what delivery did, for `/metrics` and `doctor`. It decides nothing.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

use tocsin_domain::page::{Outcome, Via};
use tocsin_domain::people::ChannelKind;
use tocsin_domain::time::Timestamp;

use super::ears::Ears;
use crate::lock::lock;

/// How the last attempt by a channel went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Last {
    /// When.
    pub at: Timestamp,
    /// How.
    pub outcome: Outcome,
    /// The provider's words, or what went wrong.
    pub detail: String,
}

#[derive(Default)]
struct Counted {
    attempts: BTreeMap<(ChannelKind, &'static str), u64>,
    last: BTreeMap<ChannelKind, Last>,
    /// By the account at a place of a channel that may have several: its host, and how the last attempt by it went.
    by_account: BTreeMap<(ChannelKind, u32), (String, Last)>,
    waiting: usize,
    /// Receipts that are owed and not asked for.
    unasked: usize,
    /// When delivery last went round.
    round: Option<Instant>,
}

/// What delivery did since the start.
#[derive(Default)]
pub struct Tally {
    counted: Mutex<Counted>,
    ears: Ears,
}

impl Tally {
    fn lock(&self) -> MutexGuard<'_, Counted> {
        lock(&self.counted)
    }

    /// Whether the buttons in messages are heard.
    pub(crate) const fn ears(&self) -> &Ears {
        &self.ears
    }

    pub(crate) fn count(&self, channel: ChannelKind, last: Last) {
        let mut counted = self.lock();
        *counted
            .attempts
            .entry((channel, outcome_word(last.outcome)))
            .or_default() += 1;
        counted.last.insert(channel, last);
    }

    /// It went so by one of the accounts of a channel, whatever came of the attempt in the end.
    pub(crate) fn tried(&self, channel: ChannelKind, via: &Via, last: Last) {
        let known = (via.name.clone(), last);
        self.lock().by_account.insert((channel, via.place), known);
    }

    /// The account at a place of a channel is another one now.
    pub(crate) fn forget_account(&self, channel: ChannelKind, place: u32) {
        self.lock().by_account.remove(&(channel, place));
    }

    /// How the last attempt by the account at a place of a channel went.
    pub(crate) fn last_by(&self, channel: ChannelKind, place: u32) -> Option<Last> {
        let counted = self.lock();
        let known = counted.by_account.get(&(channel, place));
        known.map(|(_, last)| last.clone())
    }

    /// The accounts by which something went: their channels, hosts, and how the last attempt by each went.
    pub(crate) fn by_account(&self) -> Vec<(ChannelKind, String, Last)> {
        let counted = self.lock();
        let known = counted.by_account.iter();
        known
            .map(|((channel, _), (host, last))| (*channel, host.clone(), last.clone()))
            .collect()
    }

    pub(crate) fn set_waiting(&self, waiting: usize) {
        self.lock().waiting = waiting;
    }

    /// There are too many receipts to ask for, by so many; gives how many there were before.
    pub(crate) fn set_unasked(&self, unasked: usize) -> usize {
        std::mem::replace(&mut self.lock().unasked, unasked)
    }

    pub(crate) fn goes_round(&self) {
        self.lock().round = Some(Instant::now());
    }

    /// How long ago delivery last went round, in milliseconds; nothing before it began.
    #[must_use]
    pub fn quiet_ms(&self) -> u64 {
        let round = self.lock().round;
        round.map_or(0, |round| millis(round.elapsed()))
    }

    /// Attempts by channel and outcome.
    #[must_use]
    pub fn attempts(&self) -> Vec<(ChannelKind, &'static str, u64)> {
        self.lock()
            .attempts
            .iter()
            .map(|((channel, outcome), count)| (*channel, *outcome, *count))
            .collect()
    }

    /// How the last attempt by a channel went.
    #[must_use]
    pub fn last(&self, channel: ChannelKind) -> Option<Last> {
        self.lock().last.get(&channel).cloned()
    }

    /// Messages that wait for their turn.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.lock().waiting
    }

    /// Receipts of texts and calls that are owed and not asked for, since there are too many.
    #[must_use]
    pub fn unasked(&self) -> usize {
        self.lock().unasked
    }
}

/// Milliseconds of a duration.
pub(crate) fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The word of an outcome in the API.
pub(crate) const fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted => "accepted",
        Outcome::Failed => "failed",
        Outcome::Refused => "refused",
        Outcome::TimedOut => "timed_out",
        Outcome::Unanswered => "unanswered",
    }
}
