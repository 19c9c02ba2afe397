//! How far a subscription has come, and what follows from how an attempt ended. Pure.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tocsin_domain::id::SecretId;
use tocsin_domain::time::Timestamp;

use super::Patience;

/// What is older than this is not tried, or not again.
const AGE_MS_MAX: u64 = 48 * 3_600_000;
/// So many things that were given up in a row, and the receiver is left alone.
const DROPS_MAX: u32 = 3;
/// A receiver that asks for more time is left alone for so long at most.
const ASKED_MAX: Duration = Duration::from_secs(3_600);

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The receiver took it.
    Taken,
    /// It may work later; after how long, if the receiver said so.
    Later(Option<u64>),
    /// The receiver will not have it.
    Refused,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// What comes after it.
    GoOn,
    /// The same again, after a while.
    Again,
    /// It was given up, as were those before it: the receiver is to be left alone.
    LeaveAlone,
}

/// How far a subscription has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// The place in the journal up to which everything was told or given up.
    pub(super) position: u64,
    /// How much of what the event after it tells was told or given up.
    #[serde(default)]
    pub(super) part: usize,
    /// Attempts for what comes next.
    #[serde(default)]
    pub(super) attempts: u32,
    /// What comes next is not tried before.
    #[serde(default)]
    not_before: Option<Timestamp>,
    /// What was given up in a row.
    #[serde(default)]
    pub(super) drops: u32,
    /// The row of where it goes, for which the attempts count.
    #[serde(default)]
    delivery: Option<SecretId>,
}

/// Whether something of this age is too old to be told.
pub(super) const fn is_too_old(age_ms: u64) -> bool {
    age_ms >= AGE_MS_MAX
}

impl Progress {
    /// Nothing before this place is told. Whether it had not come so far.
    pub(super) fn begin_at(&mut self, since: u64) -> bool {
        let is_behind = self.position < since;
        if is_behind {
            *self = Self {
                position: since,
                drops: self.drops,
                delivery: self.delivery,
                ..Self::default()
            };
        }
        is_behind
    }

    /// It goes there. How it went elsewhere says nothing about it, so that it is tried at once.
    pub(super) fn goes_to(&mut self, delivery: SecretId) {
        if self.delivery.replace(delivery) != Some(delivery) {
            self.attempts = 0;
            self.not_before = None;
        }
    }

    /// How long nothing is tried yet.
    pub(super) fn wait(&self, now: Timestamp) -> Option<Duration> {
        let left = Duration::from_millis(self.not_before?.ms_since(now));
        // A longer one was never meant: the clock was set back.
        let is_meant = !left.is_zero() && left <= ASKED_MAX;
        is_meant.then_some(left)
    }

    /// Everything that the event at this place tells is told, given up or not wanted.
    pub(super) fn pass(&mut self, position: u64) {
        self.position = position;
        self.part = 0;
        self.attempts = 0;
        self.not_before = None;
    }

    /// The next thing is not wanted, or cannot be sent.
    pub(super) fn skip(&mut self) {
        self.part += 1;
        self.attempts = 0;
        self.not_before = None;
    }

    /// An attempt ended so; `age_ms` is how old is what it tells.
    pub(super) fn ended(
        &mut self,
        ended: Ended,
        age_ms: u64,
        now: Timestamp,
        patience: &Patience,
    ) -> Next {
        match ended {
            Ended::Taken => {
                self.skip();
                self.drops = 0;
                Next::GoOn
            }
            Ended::Later(asked_ms) if !is_too_old(age_ms) => {
                let wait = pause(self.attempts, patience);
                self.attempts = self.attempts.saturating_add(1);
                let asked = Duration::from_millis(asked_ms.unwrap_or_default());
                let wait = wait.max(asked.min(ASKED_MAX)).as_millis();
                self.not_before = Some(now.plus_ms(u64::try_from(wait).unwrap_or(u64::MAX)));
                Next::Again
            }
            Ended::Later(_) | Ended::Refused => {
                self.skip();
                self.drops += 1;
                if self.drops < DROPS_MAX {
                    return Next::GoOn;
                }
                self.drops = 0;
                Next::LeaveAlone
            }
        }
    }
}

/// How long is waited after so many attempts before, and one more, have failed.
fn pause(attempts: u32, patience: &Patience) -> Duration {
    let factor = 2_u32.saturating_pow(attempts);
    let wait = patience.retry_first.saturating_mul(factor);
    wait.min(patience.retry_max)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: u64 = 3_600_000;

    const NOW: Timestamp = Timestamp::from_millis(1_795_417_200_000);

    /// How long is waited for another attempt; none when there is none.
    fn again(attempts: u32, asked_ms: Option<u64>, age_ms: u64) -> Option<Duration> {
        let mut progress = Progress {
            attempts,
            ..Progress::default()
        };
        let ended = Ended::Later(asked_ms);
        progress.ended(ended, age_ms, NOW, &Patience::default());
        progress.wait(NOW)
    }

    #[test]
    fn what_fails_is_tried_ever_more_seldom_and_for_two_days_at_most() {
        let after = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(again(0, None, 0), after(5));
        assert_eq!(again(1, None, 0), after(10));
        assert_eq!(again(7, None, 0), after(640));
        assert_eq!(again(8, None, 0), after(900));
        assert_eq!(again(u32::MAX, None, 47 * HOUR_MS), after(900));
        assert_eq!(again(3, None, 48 * HOUR_MS), None, "it is given up");
    }

    #[test]
    fn a_receiver_that_asks_for_time_is_given_it_within_reason() {
        let after = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(again(0, Some(60_000), 0), after(60));
        assert_eq!(again(0, Some(1_000), 0), after(5));
        assert_eq!(again(0, Some(86_400_000), 0), after(3_600));
    }

    #[test]
    fn three_that_are_given_up_in_a_row_have_the_receiver_left_alone() {
        let patience = Patience::default();
        let mut progress = Progress::default();
        let mut end = |ended, age_ms| progress.ended(ended, age_ms, NOW, &patience);
        assert_eq!(end(Ended::Refused, 0), Next::GoOn);
        assert_eq!(end(Ended::Refused, 0), Next::GoOn);
        assert_eq!(end(Ended::Taken, 0), Next::GoOn);
        assert_eq!(end(Ended::Refused, 0), Next::GoOn);
        assert_eq!(end(Ended::Later(None), 48 * HOUR_MS), Next::GoOn);
        assert_eq!(end(Ended::Later(None), 0), Next::Again);
        assert_eq!(end(Ended::Refused, 0), Next::LeaveAlone);
        assert_eq!(end(Ended::Refused, 0), Next::GoOn, "they are counted anew");
    }

    #[test]
    fn what_is_through_is_not_told_again() {
        let mut progress = Progress::default();
        assert!(progress.begin_at(7));
        assert!(!progress.begin_at(7));
        let patience = Patience::default();
        assert_eq!(progress.ended(Ended::Taken, 0, NOW, &patience), Next::GoOn);
        assert_eq!((progress.position, progress.part), (7, 1));
        progress.pass(8);
        assert_eq!((progress.position, progress.part), (8, 0));
        let text = serde_json::to_string(&progress).unwrap();
        assert_eq!(serde_json::from_str::<Progress>(&text).unwrap(), progress);
    }
    #[test]
    fn a_pause_outlasts_a_start_but_no_other_address_and_no_clock_that_is_set_back() {
        let row = |id: &str| id.parse::<SecretId>().unwrap();
        let mut progress = Progress::default();
        progress.goes_to(row("QAAAAAAAAAAAAA"));
        progress.ended(Ended::Later(None), 0, NOW, &Patience::default());
        let text = serde_json::to_string(&progress).unwrap();
        let mut progress: Progress = serde_json::from_str(&text).unwrap();
        progress.goes_to(row("QAAAAAAAAAAAAA"));
        assert_eq!(progress.wait(NOW), Some(Duration::from_secs(5)));
        assert_eq!(progress.wait(NOW.plus_ms(5_000)), None);
        assert_eq!(progress.wait(NOW.minus_ms(2 * HOUR_MS)), None);
        progress.goes_to(row("QAAAAAAAAAAAA2"));
        assert_eq!(progress.wait(NOW), None);
    }

    #[test]
    fn what_an_older_version_kept_is_read() {
        let text = r#"{"position":7,"part":1,"attempts":3,"drops":2}"#;
        let progress: Progress = serde_json::from_str(text).unwrap();
        let expected = Progress {
            position: 7,
            part: 1,
            attempts: 3,
            drops: 2,
            ..Progress::default()
        };
        assert_eq!(progress, expected);
    }
}
