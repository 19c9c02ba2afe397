//! How long to wait after commits that failed, and what of it is worth a line in the log. It asks no clock and writes nothing.

use tocsin_domain::time::Timestamp;

use crate::ports::NotDurable;

/// The first wait after a failed commit.
const WAIT_MS_MIN: u64 = 100;
/// The longest one.
const WAIT_MS_MAX: u64 = 2_000;

/// Commits fail, since when and how often.
#[derive(Clone, Debug)]
pub(crate) struct Setback {
    pub(crate) failures: u64,
    failed_at: Timestamp,
    wait_ms: u64,
    why: NotDurable,
}

impl Setback {
    /// One more failure after `before`; says whether it is news.
    pub(crate) fn after(before: Option<&Self>, why: &NotDurable, now: Timestamp) -> (Self, bool) {
        let wait_ms = before.map_or(WAIT_MS_MIN, |one| (one.wait_ms * 2).min(WAIT_MS_MAX));
        let setback = Self {
            failures: before.map_or(0, |one| one.failures) + 1,
            failed_at: now,
            wait_ms,
            why: why.clone(),
        };
        (setback, before.is_none_or(|one| one.why != *why))
    }

    /// When to try again, if nobody asks before.
    pub(crate) fn until(&self) -> Timestamp {
        self.failed_at.plus_ms(self.wait_ms)
    }

    /// Whether it is too early to try again. A clock that was set back does not make the wait longer.
    pub(crate) fn waits(&self, now: Timestamp) -> bool {
        self.failed_at <= now && now < self.until()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(text: &str) -> NotDurable {
        NotDurable {
            why: text.to_owned(),
            disk_full: false,
        }
    }

    #[test]
    fn waits_double_up_to_two_seconds_and_only_a_new_reason_is_news() {
        let mut now = Timestamp::from_millis(1_000_000);
        let mut last = None;
        let mut waits = Vec::new();
        let mut news = Vec::new();
        for text in ["full", "full", "full", "gone", "gone", "gone"] {
            let (setback, is_news) = Setback::after(last.as_ref(), &why(text), now);
            waits.push(setback.until().ms_since(now));
            news.push(is_news);
            now = setback.until();
            last = Some(setback);
        }
        assert_eq!(waits, [100, 200, 400, 800, 1_600, 2_000]);
        assert_eq!(news, [true, false, false, true, false, false]);
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_make_the_wait_longer() {
        let now = Timestamp::from_millis(10_000_000);
        let (setback, _) = Setback::after(None, &why("full"), now);
        assert!(setback.waits(now.plus_ms(99)));
        assert!(!setback.waits(now.plus_ms(100)));
        assert!(!setback.waits(now.minus_ms(7_200_000)));
    }
}
