//! When rules are evaluated: by the interval of their group, and when what they need arrives. It evaluates nothing.

use tocsin_domain::time::Timestamp;
use tocsin_domain::write::Arrived;

use super::step::Rules;

/// Arrivals make one rule evaluate again after this at the earliest, milliseconds.
const SPACING_MS: i64 = 250;
/// And after this many times as long as its evaluation took.
const SPACING_TIMES: u64 = 20;
/// After work that arrivals have caused, they rest for this many times as long: they take a fifth of one core at most.
const REST_TIMES: u64 = 4;
/// Data from the future are judged at their own time if they are at most this far ahead, milliseconds.
const AHEAD_MS_MAX: i64 = 5_000;

impl Rules {
    /// Says that data arrived: rules that need them are evaluated at their newest time, soon.
    pub fn arrived(&mut self, arrived: &Arrived, now: Timestamp) {
        let Some(newest_ms) = arrived.newest_ms else {
            return;
        };
        let now_ms = now.as_millis();
        let at_ms = newest_ms.min(now_ms + AHEAD_MS_MAX);
        for metric in &arrived.metrics {
            for rule in self.index.rules_of(metric, &self.needs) {
                let rank = self.feeds.rank[*rule];
                let one = &mut self.rules[*rule];
                one.heard_at_ms.get_or_insert(now_ms);
                let follows = self.feeds.serves_alerts[*rule]
                    && self.groups[one.group].spec.query_offset_ms == 0;
                if follows {
                    one.dirty_at_ms = Some(one.dirty_at_ms.map_or(at_ms, |old| old.max(at_ms)));
                    self.dirty.insert((rank, *rule));
                }
            }
        }
    }

    /// When there is something to do; none when there are no rules.
    #[must_use]
    pub fn next_due(&self, now: Timestamp) -> Option<Timestamp> {
        let now_ms = now.as_millis();
        let groups = self.groups.iter().map(|group| {
            if group.cycle.is_some() {
                now_ms
            } else {
                group.next_slot_ms.min(now_ms + group.interval_ms())
            }
        });
        let dirty = self
            .dirty
            .iter()
            .map(|(_, rule)| self.rules[*rule].ready_at_ms);
        let dirty = dirty.min().map(|at| at.max(self.arrivals_not_before_ms));
        let wake = self.wakes.first().map(|(at, _)| *at);
        let leaving = (!self.leaving.is_empty() || !self.untold.is_empty()).then_some(now_ms);
        groups
            .chain(dirty)
            .chain(wake)
            .chain(leaving)
            .min()
            .map(Timestamp::from_millis)
    }

    /// The rules that wait for an evaluation because of what arrived, and may have it now.
    pub(super) fn ready(&self, now_ms: i64) -> Vec<usize> {
        if now_ms < self.arrivals_not_before_ms {
            return Vec::new();
        }
        let ready = self.dirty.iter().map(|(_, rule)| *rule);
        ready
            .filter(|rule| self.rules[*rule].ready_at_ms <= now_ms)
            .collect()
    }

    /// Pending alerts whose time has come are looked at as if something had arrived for them.
    pub(super) fn wake(&mut self, now_ms: i64) {
        while let Some((at_ms, rule)) = self.wakes.first().copied().filter(|(at, _)| *at <= now_ms)
        {
            self.wakes.remove(&(at_ms, rule));
            let one = &mut self.rules[rule];
            one.wake_at_ms = None;
            one.dirty_at_ms = Some(one.dirty_at_ms.map_or(at_ms, |old| old.max(at_ms)));
            self.dirty.insert((self.feeds.rank[rule], rule));
        }
    }

    /// Rules that read what this one has just written are evaluated at the same time. In a whole evaluation the later ones of the
    /// group come anyway.
    pub(super) fn pass_on(&mut self, rule: usize, at_ms: i64, whole: bool) {
        let group = self.rules[rule].group;
        for reader in &self.feeds.readers[rule] {
            if whole && *reader > rule && self.rules[*reader].group == group {
                continue;
            }
            let follows = self.feeds.serves_alerts[*reader]
                && self.groups[self.rules[*reader].group].spec.query_offset_ms == 0;
            if follows {
                let one = &mut self.rules[*reader];
                one.dirty_at_ms = Some(one.dirty_at_ms.map_or(at_ms, |old| old.max(at_ms)));
                self.dirty.insert((self.feeds.rank[*reader], *reader));
            }
        }
    }

    /// After an evaluation: what waited up to `at_ms` is done, and the next arrival has to wait.
    pub(super) fn done(&mut self, rule: usize, at_ms: i64, now_ms: i64, by_arrival: bool) {
        let rank = self.feeds.rank[rule];
        let one = &mut self.rules[rule];
        if one
            .dirty_at_ms
            .is_some_and(|dirty| by_arrival || dirty <= at_ms)
        {
            one.dirty_at_ms = None;
            self.dirty.remove(&(rank, rule));
        }
        let long_ms = one.evaluation_us.saturating_mul(SPACING_TIMES) / 1_000;
        let long_ms = i64::try_from(long_ms).unwrap_or(i64::MAX / 4);
        one.ready_at_ms = now_ms.saturating_add(SPACING_MS.max(long_ms));
        let fires_at_ms = one.fires_at_ms().filter(|at| *at > at_ms);
        if one.wake_at_ms != fires_at_ms {
            if let Some(old) = one.wake_at_ms.take() {
                self.wakes.remove(&(old, rule));
            }
            if let Some(new) = fires_at_ms
                && self.groups[one.group].spec.query_offset_ms == 0
            {
                one.wake_at_ms = Some(new);
                self.wakes.insert((new, rule));
            }
        }
    }

    /// After work that arrivals caused, microseconds.
    pub(super) fn rest(&mut self, now_ms: i64, worked_us: u64) {
        let rest_ms = worked_us.saturating_mul(REST_TIMES) / 1_000;
        let rest_ms = i64::try_from(rest_ms).unwrap_or(i64::MAX / 4);
        self.arrivals_not_before_ms = now_ms.saturating_add(rest_ms);
    }
}
