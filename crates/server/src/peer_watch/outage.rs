//! When an outage of the peer is told, and to which places, again and over: pure, so that a restart of the watcher can take it up
//! where it was.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tocsin_domain::page::Outcome;
use tocsin_domain::taken::take_in;
use tocsin_domain::time::Timestamp;

/// How patient the watcher is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Patience {
    /// The peer may fail for this long.
    pub(crate) fails_ms: u64,
    /// An outage is told again this often.
    pub(crate) remind_ms: u64,
    /// A place that may have got a message, or that stands alone in not taking it, is told it again this often.
    pub(crate) again_ms: u64,
}

/// What is known of the peer, and by whom; kept over restarts of the watcher. Places are known by their marks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outage {
    /// Since when it fails, milliseconds since 1970.
    since_ms: Option<i64>,
    /// When the newest message about that was first taken by a place; none while no place has taken it.
    told_ms: Option<i64>,
    /// How many messages about that were taken by a place.
    #[serde(default)]
    times: u32,
    /// It is back, and that is still to be told: since when it had failed.
    #[serde(default)]
    back_from_ms: Option<i64>,
    /// When that was first taken by a place.
    #[serde(default)]
    back_told_ms: Option<i64>,
    /// Who took the newest message about the outage.
    #[serde(default)]
    took: BTreeSet<String>,
    /// Who took that it is back.
    #[serde(default)]
    took_back: BTreeSet<String>,
    /// When those were tried who are to wait before they are told the same again.
    #[serde(default)]
    tried_ms: BTreeMap<String, i64>,
}

/// What is to be told now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// The peer fails.
    Down {
        /// Since when.
        since: Timestamp,
        /// How many messages about that were taken before.
        before: u32,
    },
    /// The peer is well again.
    Back {
        /// Since when it had failed.
        since: Timestamp,
    },
}

/// What is to be told now, and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    /// What.
    pub(crate) news: News,
    /// To whom: their numbers among all places.
    pub(crate) places: Vec<usize>,
}

impl Outage {
    /// As it is taken up after a start: a failure that nobody can know of may have been over meanwhile, so it counts anew.
    pub(crate) fn taken_up(mut self, places: &[String]) -> Self {
        if !self.may_be_known() && self.back_from_ms.is_none() {
            return Self::default();
        }
        // An older watcher told all places at once, and wrote none of them down.
        if self.told_ms.is_some() && self.took.is_empty() {
            self.took.extend(places.iter().cloned());
        }
        self
    }

    /// Takes in for how long the peer was found to fail at `now`, if it does; gives what is to be told to which of these places.
    pub(crate) fn seen(
        &mut self,
        fails_for: Option<Duration>,
        now: Timestamp,
        patience: Patience,
        places: &[String],
    ) -> Option<Due> {
        // Nothing is wrong, and nothing was.
        if fails_for.is_none() && self.since_ms.is_none() && self.back_from_ms.is_none() {
            return None;
        }
        self.forget_the_future(now.as_millis());
        let news = match fails_for {
            None => self.back(now, patience, places)?,
            Some(fails_for) => self.down(fails_for, now, patience)?,
        };
        let took = match news {
            News::Down { .. } => &self.took,
            News::Back { .. } => &self.took_back,
        };
        let waits = |place: &String| {
            let tried = self.tried_ms.get(place).copied();
            let tried = tried.map(Timestamp::from_millis);
            tried.is_some_and(|tried| now.ms_since(tried) < patience.again_ms)
        };
        let due = places.iter().enumerate();
        let due = due.filter(|&(_, place)| !took.contains(place) && !waits(place));
        let places: Vec<usize> = due.map(|(number, _)| number).collect();
        (!places.is_empty()).then_some(Due { news, places })
    }

    /// Takes in what became of what was due: of each place its outcome, in the same order.
    pub(crate) fn went(
        &mut self,
        due: &Due,
        outcomes: &[Outcome],
        now: Timestamp,
        places: &[String],
    ) {
        let now_ms = now.as_millis();
        let each = due.places.iter().zip(outcomes);
        let each =
            each.filter_map(|(place, outcome)| Some((places.get(*place)?.clone(), *outcome)));
        let results: Vec<(String, Outcome)> = each.collect();
        let took = match due.news {
            News::Down { .. } => &mut self.took,
            News::Back { .. } => &mut self.took_back,
        };
        let is_first = take_in(took, &mut self.tried_ms, &results, now_ms);
        match due.news {
            News::Down { .. } if is_first => {
                self.told_ms = Some(now_ms);
                self.times += 1;
            }
            News::Back { .. } if is_first => self.back_told_ms = Some(now_ms),
            News::Down { .. } | News::Back { .. } => {}
        }
    }

    /// A clock that was set back must not make anything wait.
    fn forget_the_future(&mut self, now_ms: i64) {
        let moments = [
            &mut self.since_ms,
            &mut self.told_ms,
            &mut self.back_told_ms,
        ];
        let moments = moments.into_iter().flatten();
        for moment in moments.chain(self.tried_ms.values_mut()) {
            *moment = (*moment).min(now_ms);
        }
    }

    /// Whether somebody may have heard of the outage.
    fn may_be_known(&self) -> bool {
        self.times > 0 || self.told_ms.is_some() || !self.tried_ms.is_empty()
    }

    /// Whether somebody may have heard that it is over.
    fn may_be_known_to_be_over(&self) -> bool {
        !self.took_back.is_empty() || !self.tried_ms.is_empty()
    }

    /// The peer is well.
    fn back(&mut self, now: Timestamp, patience: Patience, places: &[String]) -> Option<News> {
        if let Some(since_ms) = self.since_ms.take() {
            if !self.may_be_known() {
                *self = Self::default();
                return None;
            }
            self.back_from_ms = Some(since_ms);
            self.tried_ms.clear();
        }
        let since = Timestamp::from_millis(self.back_from_ms?);
        // Who does not take it while others know is told for as long as an outage would be before the next message about it.
        let told = self.back_told_ms.map(Timestamp::from_millis);
        let is_enough = told.is_some_and(|told| now.ms_since(told) >= patience.remind_ms);
        if is_enough || places.iter().all(|place| self.took_back.contains(place)) {
            *self = Self::default();
            return None;
        }
        Some(News::Back { since })
    }

    /// The peer fails.
    fn down(&mut self, fails_for: Duration, now: Timestamp, patience: Patience) -> Option<News> {
        if let Some(from_ms) = self.back_from_ms.take() {
            if self.may_be_known_to_be_over() {
                *self = Self::default();
            } else {
                // For all who were told it is one outage.
                self.since_ms = Some(from_ms);
            }
        }
        let since_ms = *self.since_ms.get_or_insert(now.as_millis());
        let since = Timestamp::from_millis(since_ms);
        let told = self.told_ms.map(Timestamp::from_millis);
        if told.is_some_and(|told| now.ms_since(told) >= patience.remind_ms) {
            self.told_ms = None;
            self.took.clear();
            self.tried_ms.clear();
        }
        // By the clock it may be any time since then: a clock is set, and a machine sleeps.
        let is_long = fails_for > Duration::from_millis(patience.fails_ms);
        let before = match self.told_ms {
            // Others have not taken the message yet that was counted.
            Some(_) => self.times.saturating_sub(1),
            None if is_long || self.times > 0 => self.times,
            None => return None,
        };
        Some(News::Down { since, before })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        fails_ms: 45_000,
        remind_ms: 900_000,
        again_ms: 60_000,
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(1_795_417_200_000 + second * 1_000)
    }

    /// Places of these marks.
    fn places(marks: &[&str]) -> Vec<String> {
        marks.iter().map(|mark| (*mark).to_owned()).collect()
    }

    /// What was told when to which place.
    type Told = Vec<(i64, usize, News)>;

    /// Looks every 15 s, and gives what was told; each place answers as `answer` says, by its number and the second.
    fn look(
        outage: &mut Outage,
        seconds: std::ops::Range<i64>,
        is_well: bool,
        marks: &[&str],
        answer: impl Fn(usize, i64) -> Outcome,
    ) -> Told {
        let (marks, mut all) = (places(marks), Vec::new());
        let first = seconds.start;
        for second in seconds.step_by(15) {
            let ran = u64::try_from(second - first).unwrap();
            let fails_for = (!is_well).then_some(Duration::from_secs(ran));
            let Some(due) = outage.seen(fails_for, at(second), PATIENCE, &marks) else {
                continue;
            };
            let each = due.places.iter();
            let outcomes: Vec<Outcome> = each.map(|place| answer(*place, second)).collect();
            outage.went(&due, &outcomes, at(second), &marks);
            let each = due.places.iter();
            all.extend(each.map(|place| (second, *place, due.news.clone())));
        }
        all
    }

    /// The same with one place that takes all.
    fn told(outage: &mut Outage, seconds: std::ops::Range<i64>, is_well: bool) -> Vec<(i64, News)> {
        let all = look(outage, seconds, is_well, &["a"], |_, _| Outcome::Accepted);
        let all = all.into_iter().map(|(second, _, news)| (second, news));
        all.collect()
    }

    fn down(since: i64, before: u32) -> News {
        News::Down {
            since: at(since),
            before,
        }
    }

    fn back(since: i64) -> News {
        News::Back { since: at(since) }
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
        assert_eq!(all, [(2_010, back(0))]);
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
        let refuses = |_: usize, second: i64| {
            if second < 90 {
                Outcome::Refused
            } else {
                Outcome::Accepted
            }
        };
        let all = look(&mut outage, 0..150, false, &["a"], refuses);
        let once = |second| (second, 0, down(0, 0));
        assert_eq!(all, [once(60), once(75), once(90)]);
        let fails = |_: usize, _: i64| Outcome::Failed;
        let all = look(&mut outage, 150..180, true, &["a"], fails);
        assert_eq!(all, [(150, 0, back(0)), (165, 0, back(0))]);
    }

    #[test]
    fn a_place_that_hangs_is_told_the_same_message_every_minute_until_it_takes_it() {
        for hangs in [Outcome::TimedOut, Outcome::Unanswered] {
            let mut outage = Outage::default();
            let answer = |_: usize, second: i64| {
                if second < 200 {
                    hangs
                } else {
                    Outcome::Accepted
                }
            };
            let all = look(&mut outage, 0..1_200, false, &["a"], answer);
            let same = |second| (second, 0, down(0, 0));
            let expected = [
                same(60),
                same(120),
                same(180),
                same(240),
                (1_140, 0, down(0, 1)),
            ];
            assert_eq!(all, expected);
        }
    }

    #[test]
    fn a_place_that_hangs_masks_no_other() {
        let mut outage = Outage::default();
        let answer = |place: usize, second: i64| match place {
            0 => Outcome::TimedOut,
            _ if second < 90 => Outcome::Failed,
            _ => Outcome::Accepted,
        };
        let all = look(&mut outage, 0..200, false, &["hangs", "fails"], answer);
        let expected: Told = [(60, 0), (60, 1), (75, 1), (90, 1), (120, 0), (180, 0)]
            .into_iter()
            .map(|(second, place)| (second, place, down(0, 0)))
            .collect();
        assert_eq!(all, expected);
    }

    #[test]
    fn a_place_that_fails_alone_is_told_every_minute_and_the_others_are_not_told_again() {
        let mut outage = Outage::default();
        let answer = |place: usize, second: i64| match place {
            1 if second < 1_000 => Outcome::Refused,
            _ => Outcome::Accepted,
        };
        let both = ["takes", "refuses"];
        let all = look(&mut outage, 0..250, false, &both, answer);
        let expected: Told = [(60, 0), (60, 1), (120, 1), (180, 1), (240, 1)]
            .into_iter()
            .map(|(second, place)| (second, place, down(0, 0)))
            .collect();
        assert_eq!(all, expected);
        // The next message is one for all again.
        let all = look(&mut outage, 250..1_100, false, &both, answer);
        let all: Told = all
            .into_iter()
            .filter(|(_, place, _)| *place == 0)
            .collect();
        assert_eq!(all, [(970, 0, down(0, 1))]);
    }

    #[test]
    fn that_it_is_over_is_told_to_each_place_once_and_for_a_while_to_one_that_does_not_take_it() {
        let mut outage = Outage::default();
        let both = ["takes", "refuses"];
        let answer = |place: usize, _: i64| match place {
            0 => Outcome::Accepted,
            _ => Outcome::Refused,
        };
        look(&mut outage, 0..100, false, &both, answer);
        let all = look(&mut outage, 105..2_000, true, &both, answer);
        assert_eq!(all[..2], [(105, 0, back(0)), (105, 1, back(0))]);
        assert!(all[2..].iter().all(|(_, place, _)| *place == 1), "{all:?}");
        assert_eq!(all.last(), Some(&(945, 1, back(0))));
        assert_eq!(outage, Outage::default());
    }

    #[test]
    fn an_outage_that_only_a_place_that_hangs_may_know_of_is_told_to_be_over() {
        let mut outage = Outage::default();
        let hangs_once = |_: usize, second: i64| {
            if second < 75 {
                Outcome::TimedOut
            } else {
                Outcome::Refused
            }
        };
        look(&mut outage, 0..150, false, &["a"], hangs_once);
        assert_eq!(told(&mut outage, 150..200, true), [(150, back(0))]);
        look(&mut outage, 200..275, false, &["a"], hangs_once);
        assert_eq!(told(&mut outage, 275..400, true), []);
    }

    #[test]
    fn what_fails_again_is_one_outage_only_while_nobody_can_know_that_it_was_over() {
        fn check(answer: Outcome, expected: &[(i64, News)]) {
            let mut outage = Outage::default();
            told(&mut outage, 0..75, false);
            look(&mut outage, 75..90, true, &["a"], |_, _| answer);
            assert_eq!(told(&mut outage, 90..975, false), expected, "{answer:?}");
        }
        let one = [(960, down(0, 1))];
        let another = [(150, down(90, 0))];
        check(Outcome::Failed, &one);
        check(Outcome::Refused, &one);
        check(Outcome::TimedOut, &another);
        check(Outcome::Accepted, &another);
    }

    #[test]
    fn a_restart_of_the_watcher_tells_nothing_twice() {
        let again = |outage: &Outage| {
            let kept = serde_json::to_string(outage).unwrap();
            let again: Outage = serde_json::from_str(&kept).unwrap();
            again.taken_up(&places(&["a", "b"]))
        };
        let mut outage = Outage::default();
        let answer = |place: usize, _: i64| match place {
            0 => Outcome::Accepted,
            _ => Outcome::TimedOut,
        };
        look(&mut outage, 0..75, false, &["a", "b"], answer);
        let mut again_known = again(&outage);
        let all = look(&mut again_known, 75..150, false, &["a", "b"], answer);
        assert_eq!(all, [(120, 1, down(0, 0))]);
        assert_eq!(told(&mut again_known, 915..930, true).len(), 1);
        let mut untold = Outage::default();
        untold.seen(Some(Duration::ZERO), at(0), PATIENCE, &places(&["a"]));
        let mut again_unknown = again(&untold);
        assert_eq!(told(&mut again_unknown, 600..615, false), []);
    }

    #[test]
    fn what_an_older_watcher_wrote_down_tells_nothing_twice() {
        let since = at(0).as_millis();
        let (told_ms, both) = (at(60).as_millis(), ["a", "b"]);
        let kept =
            format!(r#"{{"since_ms":{since},"told_ms":{told_ms},"times":1,"back_from_ms":null}}"#);
        let outage: Outage = serde_json::from_str(&kept).unwrap();
        let mut outage = outage.taken_up(&places(&both));
        let takes = |_: usize, _: i64| Outcome::Accepted;
        let all = look(&mut outage, 75..1_000, false, &both, takes);
        assert_eq!(all, [(960, 0, down(0, 1)), (960, 1, down(0, 1))]);
    }

    #[test]
    fn a_clock_that_is_set_back_makes_nothing_wait() {
        let mut outage = Outage::default();
        told(&mut outage, 7_200..7_300, false);
        assert_eq!(told(&mut outage, 0..890, false), []);
        assert_eq!(told(&mut outage, 900..915, false).len(), 1);
        let mut outage = Outage::default();
        let hangs = |_: usize, _: i64| Outcome::TimedOut;
        look(&mut outage, 7_200..7_300, false, &["a"], hangs);
        let all = look(&mut outage, 0..75, false, &["a"], hangs);
        assert_eq!(all, [(60, 0, down(0, 0))]);
    }
}
