//! How far a subscription has come, and what follows from how an attempt ended. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tocsin_domain::id::{IncidentId, SecretId};
use tocsin_domain::time::Timestamp;

use super::Patience;

/// What is older than this is not tried, or not again.
const AGE_MS_MAX: u64 = 48 * 3_600_000;
/// So many things that were given up in a row, and the receiver is left alone.
const DROPS_MAX: u32 = 3;
/// A receiver that asks for more time is left alone for so long at most.
const ASKED_MAX: Duration = Duration::from_secs(3_600);

/// Administrators are told when every attempt has failed for so long.
const UNANSWERED_MS: u64 = 3_600_000;
/// Incidents at most of which something waits aside; when there are so many, everything waits for what comes next.
const ASIDES_MAX: usize = 100;

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
    /// The same again, after a while; what comes after it of other incidents does not wait for it.
    Aside,
    /// It was given up, as were those before it: the receiver is to be left alone.
    LeaveAlone,
}

/// What was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tried {
    /// What comes next in the journal, at this place; the incident that it is about, if it is about one.
    Journal(u64, Option<IncidentId>),
    /// What comes next of an incident of which something was not taken.
    Aside(IncidentId),
}

/// A place in what there is to tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// The place in the journal up to which everything was told or given up.
    pub(super) position: u64,
    /// How much of what the event after it tells was told or given up.
    #[serde(default)]
    pub(super) part: usize,
    /// Attempts in a row that failed.
    #[serde(default)]
    attempts: u32,
    /// What comes next is not tried before.
    #[serde(default)]
    not_before: Option<Timestamp>,
}

/// How far a subscription has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// How far in the journal; but for what waits aside.
    #[serde(flatten)]
    pub(super) journal: Place,
    /// What was given up in a row.
    #[serde(default)]
    drops: u32,
    /// When an attempt failed after which none was taken.
    #[serde(default)]
    failing_since: Option<Timestamp>,
    /// The row of where it goes, for which the attempts count.
    #[serde(default)]
    delivery: Option<SecretId>,
    /// The place of the last ping that was heard of.
    #[serde(default)]
    pinged_at: u64,
    /// Incidents of which something was not taken, and how far each has come: what comes after it waits, but that of no other.
    #[serde(default)]
    asides: BTreeMap<IncidentId, Place>,
}

/// Whether something of this age is too old to be told.
pub(super) const fn is_too_old(age_ms: u64) -> bool {
    age_ms >= AGE_MS_MAX
}

impl Place {
    /// Everything that the event at this place tells is told, given up or not wanted.
    pub(super) const fn pass(&mut self, position: u64) {
        self.position = position;
        self.part = 0;
    }

    /// The next thing is told, given up, or not wanted.
    pub(super) const fn skip(&mut self) {
        self.part += 1;
    }

    /// Whether what comes next was tried before, and failed.
    pub(super) const fn was_tried(&self) -> bool {
        self.attempts > 0
    }

    /// What comes next is tried at once.
    const fn calm(&mut self) {
        self.attempts = 0;
        self.not_before = None;
    }

    /// An attempt failed: another is made after a while, or when the receiver asked for it.
    fn later(&mut self, asked_ms: Option<u64>, now: Timestamp, patience: &Patience) {
        let wait = pause(self.attempts, patience);
        self.attempts = self.attempts.saturating_add(1);
        let asked = Duration::from_millis(asked_ms.unwrap_or_default());
        let wait = wait.max(asked.min(ASKED_MAX)).as_millis();
        self.not_before = Some(now.plus_ms(u64::try_from(wait).unwrap_or(u64::MAX)));
    }

    /// How long nothing is tried yet.
    fn wait(&self, now: Timestamp) -> Option<Duration> {
        let left = Duration::from_millis(self.not_before?.ms_since(now));
        // A longer one was never meant: the clock was set back.
        let is_meant = !left.is_zero() && left <= ASKED_MAX;
        is_meant.then_some(left)
    }
}

impl Progress {
    /// One that has come to this place.
    pub(super) fn at(position: u64) -> Self {
        Self {
            journal: Place {
                position,
                ..Place::default()
            },
            ..Self::default()
        }
    }

    /// Nothing before this place is told. Whether it had not come so far.
    pub(super) fn begin_at(&mut self, since: u64) -> bool {
        let is_behind = self.journal.position < since;
        if is_behind {
            *self = Self {
                drops: self.drops,
                delivery: self.delivery,
                pinged_at: self.pinged_at,
                ..Self::at(since)
            };
        }
        is_behind
    }

    /// It goes there. How it went elsewhere says nothing about it, so that all is tried at once.
    pub(super) fn goes_to(&mut self, delivery: SecretId) {
        if self.delivery.replace(delivery) != Some(delivery) {
            self.begin_anew();
        }
    }

    /// The last ping is at this place. Whoever wants to see whether it arrives waits for no pause.
    pub(super) fn pinged(&mut self, at: u64) {
        if self.pinged_at < at {
            self.pinged_at = at;
            self.calm();
        }
    }

    /// Nothing is known of the receiver.
    fn begin_anew(&mut self) {
        self.failing_since = None;
        self.calm();
    }

    /// All that waits is tried at once.
    fn calm(&mut self) {
        self.journal.calm();
        self.asides.values_mut().for_each(Place::calm);
    }

    /// How long nothing of the journal is tried yet.
    pub(super) fn journal_waits(&self, now: Timestamp) -> Option<Duration> {
        self.journal.wait(now)
    }

    /// The incident that waits aside and is to be tried, the oldest first.
    pub(super) fn due_aside(&self, now: Timestamp) -> Option<IncidentId> {
        let asides = self.asides.iter();
        let due = asides.filter(|(_, place)| place.wait(now).is_none());
        let oldest = due.min_by_key(|(_, place)| place.position);
        oldest.map(|(incident, _)| *incident)
    }

    /// How long it is until the first of what waits aside is to be tried; none when nothing waits.
    pub(super) fn asides_wait(&self, now: Timestamp) -> Option<Duration> {
        let asides = self.asides.values();
        asides.filter_map(|place| place.wait(now)).min()
    }

    /// Where the telling of an incident that waits aside has come to.
    pub(super) fn aside(&mut self, incident: IncidentId) -> Option<&mut Place> {
        self.asides.get_mut(&incident)
    }

    /// Nothing waits aside of this incident any more.
    pub(super) fn rejoin(&mut self, incident: IncidentId) {
        self.asides.remove(&incident);
    }

    /// An attempt ended so at this time of the day; since when every attempt has failed, if that is long.
    pub(super) fn unanswered(&mut self, ended: Ended, now: Timestamp) -> Option<Timestamp> {
        match ended {
            Ended::Taken => {
                self.failing_since = None;
                None
            }
            Ended::Later(_) => {
                // The clock may have been set back.
                let since = self.failing_since.map_or(now, |since| since.min(now));
                self.failing_since = Some(since);
                (now.ms_since(since) >= UNANSWERED_MS).then_some(since)
            }
            // It is there. When it keeps refusing, it is left alone.
            Ended::Refused => None,
        }
    }

    fn place(&mut self, tried: Tried) -> &mut Place {
        match tried {
            Tried::Journal(..) => &mut self.journal,
            Tried::Aside(incident) => self.asides.entry(incident).or_default(),
        }
    }

    /// What was tried is not tried again.
    pub(super) fn skip(&mut self, tried: Tried) {
        self.place(tried).skip();
    }

    /// An attempt ended so; `age_ms` is how old is what it tells.
    pub(super) fn ended(
        &mut self,
        tried: Tried,
        ended: Ended,
        age_ms: u64,
        now: Timestamp,
        patience: &Patience,
    ) -> Next {
        match ended {
            Ended::Taken => {
                let place = self.place(tried);
                place.skip();
                place.calm();
                // The receiver is there.
                self.journal.calm();
                self.drops = 0;
                Next::GoOn
            }
            Ended::Later(asked_ms) if !is_too_old(age_ms) => {
                let before = self.place(tried).clone();
                self.place(tried).later(asked_ms, now, patience);
                self.after_failure(tried, before, |place| {
                    place.calm();
                    place.later(asked_ms, now, patience);
                })
            }
            Ended::Later(_) | Ended::Refused => {
                let place = self.place(tried);
                place.skip();
                place.calm();
                self.drops += 1;
                if self.drops < DROPS_MAX {
                    return Next::GoOn;
                }
                self.drops = 0;
                self.begin_anew();
                Next::LeaveAlone
            }
        }
    }

    /// What failed is put aside if there is room, so that other incidents wait for no longer than the pause.
    fn after_failure(&mut self, tried: Tried, at: Place, first: impl FnOnce(&mut Place)) -> Next {
        match tried {
            Tried::Journal(position, Some(incident)) if self.asides.len() < ASIDES_MAX => {
                let mut aside = at;
                first(&mut aside);
                self.asides.insert(incident, aside);
                self.journal.pass(position);
                Next::Aside
            }
            // Somebody wanted to see whether it arrives: it did not, and what comes after it does not wait for that.
            Tried::Journal(_, None) => {
                self.journal.skip();
                Next::GoOn
            }
            Tried::Journal(_, Some(_)) | Tried::Aside(_) => Next::Again,
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

    fn incident(index: usize) -> IncidentId {
        let digits = b"ABCDEFGHIJ";
        let (tens, ones) = (digits[index / 10 % 10], digits[index % 10]);
        let (tens, ones) = (char::from(tens), char::from(ones));
        let hundreds = char::from(digits[index / 100]);
        format!("QAAAAAAAAAA{hundreds}{tens}{ones}")
            .parse()
            .unwrap()
    }

    fn fail(progress: &mut Progress, tried: Tried) -> Next {
        progress.ended(tried, Ended::Later(None), 0, NOW, &Patience::default())
    }

    /// How long is waited for another attempt; none when there is none.
    fn again(attempts: u32, asked_ms: Option<u64>, age_ms: u64) -> Option<Duration> {
        let mut progress = Progress::default();
        progress.asides.insert(
            incident(0),
            Place {
                attempts,
                ..Place::default()
            },
        );
        let (tried, ended) = (Tried::Aside(incident(0)), Ended::Later(asked_ms));
        progress.ended(tried, ended, age_ms, NOW, &Patience::default());
        progress.asides_wait(NOW)
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
        let mut end = |ended, age_ms| {
            let tried = Tried::Journal(1, Some(incident(0)));
            progress.ended(tried, ended, age_ms, NOW, &patience)
        };
        assert_eq!(end(Ended::Refused, 0), Next::GoOn);
        assert_eq!(end(Ended::Refused, 0), Next::GoOn);
        assert_eq!(end(Ended::Taken, 0), Next::GoOn);
        assert_eq!(end(Ended::Refused, 0), Next::GoOn);
        assert_eq!(end(Ended::Later(None), 48 * HOUR_MS), Next::GoOn);
        assert_eq!(end(Ended::Later(None), 0), Next::Aside);
        assert_eq!(end(Ended::Refused, 0), Next::LeaveAlone);
        assert_eq!(end(Ended::Refused, 0), Next::GoOn, "they are counted anew");
    }

    #[test]
    fn what_is_through_is_not_told_again() {
        let mut progress = Progress::default();
        assert!(progress.begin_at(7));
        assert!(!progress.begin_at(7));
        let patience = Patience::default();
        let tried = Tried::Journal(8, None);
        let next = progress.ended(tried, Ended::Taken, 0, NOW, &patience);
        assert_eq!(next, Next::GoOn);
        let at = |progress: &Progress| (progress.journal.position, progress.journal.part);
        assert_eq!(at(&progress), (7, 1));
        progress.journal.pass(8);
        assert_eq!(at(&progress), (8, 0));
        let text = serde_json::to_string(&progress).unwrap();
        assert_eq!(serde_json::from_str::<Progress>(&text).unwrap(), progress);
    }

    #[test]
    fn a_pause_outlasts_a_start_but_no_other_address_and_no_clock_that_is_set_back() {
        let row = |id: &str| id.parse::<SecretId>().unwrap();
        let mut progress = Progress::default();
        progress.goes_to(row("QAAAAAAAAAAAAA"));
        fail(&mut progress, Tried::Journal(1, Some(incident(0))));
        let text = serde_json::to_string(&progress).unwrap();
        let mut progress: Progress = serde_json::from_str(&text).unwrap();
        progress.goes_to(row("QAAAAAAAAAAAAA"));
        let waits = |progress: &Progress, now: Timestamp| {
            let waits = (progress.journal_waits(now), progress.asides_wait(now));
            assert_eq!(waits.0, waits.1);
            waits.0
        };
        assert_eq!(waits(&progress, NOW), Some(Duration::from_secs(5)));
        assert_eq!(waits(&progress, NOW.plus_ms(5_000)), None);
        assert_eq!(waits(&progress, NOW.minus_ms(2 * HOUR_MS)), None);
        progress.goes_to(row("QAAAAAAAAAAAA2"));
        assert_eq!(waits(&progress, NOW), None);
        assert_eq!(progress.due_aside(NOW), Some(incident(0)), "it is kept");
    }

    #[test]
    fn what_an_older_version_kept_is_read() {
        let text = r#"{"position":7,"part":1,"attempts":3,"drops":2}"#;
        let progress: Progress = serde_json::from_str(text).unwrap();
        let expected = Progress {
            journal: Place {
                position: 7,
                part: 1,
                attempts: 3,
                not_before: None,
            },
            drops: 2,
            ..Progress::default()
        };
        assert_eq!(progress, expected);
    }

    #[test]
    fn what_is_not_taken_waits_aside_until_too_much_does() {
        let mut progress = Progress::default();
        for index in 0..ASIDES_MAX {
            let position = u64::try_from(index).unwrap() + 1;
            let tried = Tried::Journal(position, Some(incident(index)));
            assert_eq!(fail(&mut progress, tried), Next::Aside);
            assert_eq!(progress.journal.position, position);
        }
        let wait = progress.journal_waits(NOW);
        assert_eq!(
            wait,
            Some(Duration::from_secs(900)),
            "it is pressed no more"
        );
        let tried = Tried::Journal(101, Some(incident(ASIDES_MAX)));
        assert_eq!(fail(&mut progress, tried), Next::Again);
        assert_eq!(progress.journal.position, 100, "it is not passed");
        let first = progress.due_aside(NOW.plus_ms(5_000));
        assert_eq!(first, Some(incident(0)));
        progress.rejoin(incident(0));
        assert_eq!(fail(&mut progress, tried), Next::Aside);
    }

    #[test]
    fn a_ping_that_does_not_arrive_holds_up_nothing() {
        let mut progress = Progress::default();
        assert_eq!(fail(&mut progress, Tried::Journal(1, None)), Next::GoOn);
        assert_eq!(progress.journal.part, 1);
    }

    #[test]
    fn a_receiver_that_takes_nothing_for_an_hour_is_noticed_and_one_that_takes_something_is_not() {
        let mut progress = Progress::default();
        let mut end = |ended, after_ms| progress.unanswered(ended, NOW.plus_ms(after_ms));
        let fails = Ended::Later(None);
        assert_eq!(end(fails, 0), None);
        assert_eq!(end(fails, HOUR_MS - 1), None);
        assert_eq!(end(Ended::Refused, HOUR_MS), None);
        assert_eq!(end(fails, HOUR_MS), Some(NOW));
        assert_eq!(end(Ended::Taken, HOUR_MS), None);
        assert_eq!(end(fails, HOUR_MS + 1), None);
    }
}
