//! Notices that the clock was set back, and how much of it the state does not know yet; and that nobody was there to look at it
//! for a while. It reads no clock.

use tocsin_domain::state::KnownClock;
use tocsin_domain::time::Timestamp;

/// A clock that goes back by less is being corrected, and what waits may wait for that long.
const TOLERANCE_MS: u64 = 2_000;
/// Who looks at it every second, and finds that so much has gone by, was held up meanwhile with the whole process or machine; or
/// the clock was put forward, which looks the same.
const AWAY_MS: u64 = 30_000;

/// What the clock showed, and how far it was set back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClockWatch {
    /// The latest that it showed since it was set back last.
    seen: Timestamp,
    /// How far it was set back, all times together, before this run and in it.
    set_back_ms: u64,
}

impl ClockWatch {
    /// Goes on from what the journal tells of the clock, and from a time that it is known to have shown since.
    pub(crate) fn after(known: KnownClock, seen: Option<Timestamp>) -> Self {
        // What it showed before it was set back is nothing to compare with.
        let seen = seen.filter(|seen| known.before.is_none_or(|before| *seen > before));
        Self {
            seen: seen.map_or(known.seen, |seen| seen.max(known.seen)),
            set_back_ms: known.set_back_ms,
        }
    }

    /// Looks at the clock, which shows `now`; says whether nobody was there for a while before that.
    pub(crate) fn look(&mut self, now: Timestamp) -> bool {
        let was_away = now.ms_since(self.seen) >= AWAY_MS;
        let back_ms = self.seen.ms_since(now);
        if back_ms > TOLERANCE_MS {
            tracing::warn!(%now, before = %self.seen, "the clock was set back; what waits for some time waits no longer for that");
            self.set_back_ms = self.set_back_ms.saturating_add(back_ms);
            self.seen = now;
        }
        self.seen = self.seen.max(now);
        was_away
    }

    /// How far it was set back that the state does not know of: what was told may have been lost with its commit.
    pub(crate) fn untold_ms(&self, known: KnownClock) -> Option<u64> {
        let untold_ms = self.set_back_ms.saturating_sub(known.set_back_ms);
        (untold_ms > 0).then_some(untold_ms)
    }
}

/// A way of the canary through the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leg {
    /// From who sent it to delivery.
    Out,
    /// From delivery back.
    Back,
}

/// What is noted of the canary of this run when it is there.
pub(crate) fn canary_note(run: u64, leg: Leg, now: Timestamp) -> String {
    format!("{run} {leg:?} {}", now.as_millis())
}

/// What the clock showed when the canary was where its note says.
#[must_use]
pub fn canary_was_seen_at(note: &str) -> Option<Timestamp> {
    let millis = note.rsplit(' ').next()?.parse().ok()?;
    Some(Timestamp::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_000_000_000 + seconds * 1_000)
    }

    fn known(seen: Timestamp, set_back_ms: u64) -> KnownClock {
        KnownClock {
            seen,
            set_back_ms,
            before: None,
        }
    }

    #[test]
    fn a_clock_that_goes_on_or_is_corrected_a_little_was_not_set_back() {
        let start = known(at(0), 0);
        let mut clock = ClockWatch::after(start, None);
        for now in [0, 10, 9, 8, 3_600, 3_599] {
            clock.look(at(now));
        }
        assert_eq!(clock.untold_ms(start), None);
    }

    #[test]
    fn who_finds_half_a_minute_gone_between_two_looks_was_away() {
        let mut clock = ClockWatch::after(known(at(0), 0), None);
        let looks = [1, 30, 60, 61, 3_661, 61, 62, 92].map(|now| clock.look(at(now)));
        let away = [false, false, true, false, true, false, false, true];
        assert_eq!(looks, away, "a clock that goes back tells of no time");
    }

    #[test]
    fn every_set_back_counts_until_the_state_knows_of_it() {
        let start = known(at(0), 500);
        let mut clock = ClockWatch::after(start, None);
        clock.look(at(3_600));
        clock.look(at(0));
        assert_eq!(clock.untold_ms(start), Some(3_600_000));
        clock.look(at(1));
        clock.look(at(-9));
        assert_eq!(clock.untold_ms(start), Some(3_610_000));
        assert_eq!(clock.untold_ms(known(at(0), 3_600_500)), Some(10_000));
        assert_eq!(clock.untold_ms(known(at(0), 3_610_500)), None);
    }

    #[test]
    fn small_corrections_add_up() {
        let start = known(at(10), 0);
        let mut clock = ClockWatch::after(start, None);
        for now in [9, 8, 7] {
            clock.look(at(now));
        }
        assert_eq!(clock.untold_ms(start), Some(3_000));
    }

    #[test]
    fn a_clock_that_was_set_back_while_nothing_ran_is_noticed_by_the_latest_that_is_known_of_it() {
        let start = known(at(0), 0);
        let mut clock = ClockWatch::after(start, Some(at(300)));
        clock.look(at(-60));
        assert_eq!(clock.untold_ms(start), Some(360_000));
    }

    #[test]
    fn a_time_from_before_a_set_back_that_is_known_does_not_count_again() {
        let told = KnownClock {
            seen: at(10),
            set_back_ms: 3_600_000,
            before: Some(at(3_600)),
        };
        let mut clock = ClockWatch::after(told, Some(at(3_500)));
        clock.look(at(20));
        assert_eq!(clock.untold_ms(told), None);
        assert_eq!(canary_was_seen_at("7 Back 1000020000"), Some(at(20)));
        let note = canary_note(7, Leg::Back, at(20));
        assert_eq!(canary_was_seen_at(&note), Some(at(20)));
        assert_eq!(canary_was_seen_at("7 Back"), None);
    }
}
