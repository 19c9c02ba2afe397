//! What is remembered of a group and of each of its rules between evaluations. It evaluates nothing.

use std::ops::Range;
use std::sync::Arc;

use tocsin_domain::time::Timestamp;
use tocsin_promql::{Labels, stable_hash};

use super::alerting::Alerting;
use super::recording::Recording;
use super::spec::{GroupSpec, Kind, RuleSpec};

/// A group at work.
pub(crate) struct Group {
    pub(crate) spec: GroupSpec,
    /// Its rules in the list of all.
    pub(crate) rules: Range<usize>,
    /// When it is evaluated next, by the server's clock, milliseconds.
    pub(crate) next_slot_ms: i64,
    /// A whole evaluation that is under way: its time, and the rule that comes next.
    pub(crate) cycle: Option<(i64, usize)>,
    /// When the last whole evaluation was made.
    pub(crate) evaluated_at: Option<Timestamp>,
    /// How long writing what it gave took, microseconds.
    pub(crate) writing_us: u64,
}

impl Group {
    pub(crate) fn new(spec: GroupSpec, first_rule: usize, now_ms: i64) -> Self {
        let rules = first_rule..first_rule + spec.rules.len();
        let mut group = Self {
            spec,
            rules,
            next_slot_ms: 0,
            cycle: None,
            evaluated_at: None,
            writing_us: 0,
        };
        group.next_slot_ms = group.last_slot_ms(now_ms) + group.interval_ms();
        group
    }

    /// Begins a whole evaluation if it is time. Slots that were missed are left out; a clock that was set back begins anew.
    pub(crate) fn begin_if_due(&mut self, now_ms: i64) {
        if self.next_slot_ms.saturating_sub(now_ms) > self.interval_ms() {
            self.next_slot_ms = self.last_slot_ms(now_ms) + self.interval_ms();
        }
        if self.cycle.is_some() || now_ms < self.next_slot_ms {
            return;
        }
        let slot_ms = self.last_slot_ms(now_ms);
        self.cycle = Some((slot_ms, self.rules.start));
        self.next_slot_ms = slot_ms + self.interval_ms();
    }

    pub(crate) fn interval_ms(&self) -> i64 {
        i64::try_from(self.spec.interval_ms)
            .unwrap_or(i64::MAX / 4)
            .clamp(1, i64::MAX / 4)
    }

    pub(crate) fn query_offset_ms(&self) -> i64 {
        i64::try_from(self.spec.query_offset_ms).unwrap_or(i64::MAX / 4)
    }

    /// The last time of the group's grid that is not later. Groups lie apart, so that they are not all evaluated at once.
    fn last_slot_ms(&self, now_ms: i64) -> i64 {
        let who = [
            ("file", self.spec.file.as_str()),
            ("name", self.spec.name.as_str()),
        ];
        let interval = self.interval_ms();
        let apart = stable_hash(who.into_iter()) % interval.unsigned_abs();
        let apart = i64::try_from(apart).unwrap_or(0);
        now_ms - (now_ms - apart).rem_euclid(interval)
    }
}

/// A rule at work.
pub(crate) struct Rule {
    pub(crate) spec: Arc<RuleSpec>,
    /// Its group in the list of all.
    pub(crate) group: usize,
    pub(crate) memory: Memory,
    /// The time of the last evaluation, milliseconds.
    pub(crate) last_at_ms: Option<i64>,
    /// When that was, by the server's clock.
    pub(crate) evaluated_at: Option<Timestamp>,
    pub(crate) evaluation_us: u64,
    /// Why the last evaluation failed.
    pub(crate) error: Option<String>,
    /// The newest data that wait for an evaluation, milliseconds.
    pub(crate) dirty_at_ms: Option<i64>,
    /// Before this time arrivals do not make it evaluate again, milliseconds.
    pub(crate) ready_at_ms: i64,
    /// When a pending alert of it may fire, milliseconds.
    pub(crate) wake_at_ms: Option<i64>,
    /// When data that it needs arrived first, by the server's clock, milliseconds.
    pub(crate) heard_at_ms: Option<i64>,
}

/// What a rule remembers.
pub(crate) enum Memory {
    Record(Recording),
    Alert(Alerting),
}

impl Rule {
    pub(crate) fn new(spec: Arc<RuleSpec>, group: usize) -> Self {
        let memory = match spec.kind {
            Kind::Record => Memory::Record(Recording::default()),
            Kind::Alert(_) => Memory::Alert(Alerting::default()),
        };
        Self {
            spec,
            group,
            memory,
            last_at_ms: None,
            evaluated_at: None,
            evaluation_us: 0,
            error: None,
            dirty_at_ms: None,
            ready_at_ms: i64::MIN,
            wake_at_ms: None,
            heard_at_ms: None,
        }
    }

    /// The series that are alive.
    pub(crate) fn series(&self) -> Vec<Labels> {
        match &self.memory {
            Memory::Record(recording) => recording.series().cloned().collect(),
            Memory::Alert(alerting) => alerting.series().collect(),
        }
    }
}
