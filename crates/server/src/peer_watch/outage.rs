//! When an outage of the peer is told, again and over: pure, so that a restart of the watcher can take it up where it was.

use serde::{Deserialize, Serialize};
use tocsin_domain::time::Timestamp;

/// How patient the watcher is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Patience {
    /// The peer may fail for this long.
    pub(crate) fails_ms: u64,
    /// An outage is told again this often.
    pub(crate) remind_ms: u64,
}

/// What is known of the peer; kept over restarts of the watcher.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outage {
    /// Since when it fails, milliseconds since 1970.
    since_ms: Option<i64>,
    /// When that was last told.
    told_ms: Option<i64>,
    /// How often it was told.
    #[serde(default)]
    times: u32,
    /// It is back, and that is still to be told: since when it had failed.
    #[serde(default)]
    back_from_ms: Option<i64>,
}

/// What is to be told now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// The peer fails.
    Down {
        /// Since when.
        since: Timestamp,
        /// How often that was told before.
        before: u32,
    },
    /// The peer is well again.
    Back {
        /// Since when it had failed.
        since: Timestamp,
    },
}

impl Outage {
    /// As it is taken up after a start: a failure that was not told yet may have been over meanwhile, so it counts anew.
    pub(crate) fn taken_up(self) -> Self {
        match self.told_ms {
            Some(_) => self,
            None => Self {
                back_from_ms: self.back_from_ms,
                ..Self::default()
            },
        }
    }

    /// Takes in how the peer was found at `now`; gives what is to be told.
    pub(crate) fn seen(
        &mut self,
        is_well: bool,
        now: Timestamp,
        patience: Patience,
    ) -> Option<News> {
        let now_ms = now.as_millis();
        if is_well {
            if self.told_ms.is_some() {
                self.back_from_ms = self.since_ms;
            }
            (self.since_ms, self.told_ms, self.times) = (None, None, 0);
            let since = Timestamp::from_millis(self.back_from_ms?);
            return Some(News::Back { since });
        }
        // It failed again before anybody could be told that it was back: one outage.
        if let Some(from) = self.back_from_ms.take() {
            (self.since_ms, self.told_ms) = (Some(from), Some(now_ms));
            self.times = self.times.max(1);
        }
        // A clock that was set back must not make anything wait.
        let since_ms = self.since_ms.unwrap_or(now_ms).min(now_ms);
        self.since_ms = Some(since_ms);
        self.told_ms = self.told_ms.map(|told| told.min(now_ms));
        let since = Timestamp::from_millis(since_ms);
        let due = match self.told_ms {
            None => now.ms_since(since) > patience.fails_ms,
            Some(told) => now.ms_since(Timestamp::from_millis(told)) >= patience.remind_ms,
        };
        due.then_some(News::Down {
            since,
            before: self.times,
        })
    }

    /// What was to be told has reached somebody.
    pub(crate) fn told(&mut self, news: &News, now: Timestamp) {
        match news {
            News::Down { .. } => {
                self.told_ms = Some(now.as_millis());
                self.times += 1;
            }
            News::Back { .. } => self.back_from_ms = None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        fails_ms: 45_000,
        remind_ms: 900_000,
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(1_795_417_200_000 + second * 1_000)
    }

    /// Looks every 15 s, tells whatever is to be told, and gives when what was told.
    fn told(outage: &mut Outage, seconds: std::ops::Range<i64>, is_well: bool) -> Vec<(i64, News)> {
        let mut all = Vec::new();
        for second in seconds.step_by(15) {
            if let Some(news) = outage.seen(is_well, at(second), PATIENCE) {
                outage.told(&news, at(second));
                all.push((second, news));
            }
        }
        all
    }

    fn down(since: i64, before: u32) -> News {
        News::Down {
            since: at(since),
            before,
        }
    }

    #[test]
    fn an_outage_is_told_once_again_every_15_minutes_and_when_it_is_over() {
        let mut outage = Outage::default();
        let all = told(&mut outage, 0..2_000, false);
        assert_eq!(
            all,
            [(60, down(0, 0)), (960, down(0, 1)), (1_860, down(0, 2))]
        );
        let all = told(&mut outage, 2_010..3_000, true);
        assert_eq!(all, [(2_010, News::Back { since: at(0) })]);
        assert_eq!(outage, Outage::default());
    }

    #[test]
    fn a_short_failure_is_not_told() {
        let mut outage = Outage::default();
        assert_eq!(told(&mut outage, 0..46, false), []);
        assert_eq!(told(&mut outage, 60..90, true), []);
        assert_eq!(told(&mut outage, 90..136, false), []);
    }

    #[test]
    fn what_reached_nobody_is_told_at_the_next_look() {
        let mut outage = Outage::default();
        outage.seen(false, at(0), PATIENCE);
        assert_eq!(outage.seen(false, at(60), PATIENCE), Some(down(0, 0)));
        assert_eq!(outage.seen(false, at(75), PATIENCE), Some(down(0, 0)));
        outage.told(&down(0, 0), at(75));
        assert_eq!(outage.seen(false, at(90), PATIENCE), None);
        let back = Some(News::Back { since: at(0) });
        assert_eq!(outage.seen(true, at(105), PATIENCE), back);
        assert_eq!(outage.seen(true, at(120), PATIENCE), back);
    }

    #[test]
    fn a_restart_of_the_watcher_tells_nothing_twice() {
        let mut outage = Outage::default();
        told(&mut outage, 0..100, false);
        let kept = serde_json::to_string(&outage).unwrap();
        let mut again: Outage = serde_json::from_str(&kept).unwrap();
        again = again.taken_up();
        assert_eq!(told(&mut again, 105..900, false), []);
        assert_eq!(told(&mut again, 915..930, true).len(), 1);
        let mut untold = Outage::default();
        untold.seen(false, at(0), PATIENCE);
        let mut again = untold.taken_up();
        assert_eq!(again.seen(false, at(600), PATIENCE), None);
    }

    #[test]
    fn a_clock_that_is_set_back_makes_nothing_wait() {
        let mut outage = Outage::default();
        told(&mut outage, 7_200..7_300, false);
        assert_eq!(told(&mut outage, 0..890, false), []);
        assert_eq!(told(&mut outage, 900..915, false).len(), 1);
    }
}
