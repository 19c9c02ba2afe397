//! The lookout over a peer that is well for a thousand days, with all that happens to such a one and to the watcher, and over each
//! kind of outage. In virtual time, from a seed.

use std::collections::BTreeMap;

use super::*;
use crate::peer_watch::judge::Readiness;
use crate::peer_watch::outage::News;

const PATIENCE: Patience = Patience {
    fails_ms: 45_000,
    remind_ms: 900_000,
    again_ms: 60_000,
};
/// Between an answer and the next question.
const EVERY_MS: u64 = 15_000;
/// How long an answer is waited for.
const ANSWER_MS: u64 = 12_000;
/// Within so long of what can be seen, it is told.
const BOUND_MS: u64 = 90_000;
const DAYS: u64 = 1_000;
const DAY_MS: u64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;
/// A machine sleeps, or a process is stopped, for this long.
const ASLEEP_MS: u64 = 8 * 3_600_000;
const SEEDS: u64 = 200;

/// A xorshift generator: quick, and the same from a seed everywhere.
struct Random(u64);

impl Random {
    fn seeded(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn draw(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, count: u64) -> u64 {
        (self.draw() >> 11) % count
    }
}

/// A watcher with one place that takes everything.
struct Watcher {
    lookout: Lookout,
    ran_ms: u64,
    now_ms: i64,
    places: Vec<String>,
    told: Vec<(u64, News)>,
}

impl Watcher {
    fn start() -> Self {
        Self {
            lookout: Lookout::new(Outage::default()),
            ran_ms: 0,
            now_ms: 1_795_417_200_000,
            places: vec!["a".to_owned()],
            told: Vec::new(),
        }
    }

    fn passes(&mut self, ms: u64) {
        self.ran_ms += ms;
        self.set_clock(i64::try_from(ms).unwrap());
    }

    fn set_clock(&mut self, by_ms: i64) {
        self.now_ms += by_ms;
    }

    fn reads(&mut self, reading: &Reading) {
        let (ran, now) = (
            Duration::from_millis(self.ran_ms),
            Timestamp::from_millis(self.now_ms),
        );
        let moment = Moment { ran, now };
        let found = self
            .lookout
            .take_in(reading, moment, PATIENCE, &self.places);
        if let Some(due) = found.due {
            let outcomes = [Outcome::Accepted];
            self.lookout.went(&due, &outcomes, now, &self.places);
            self.told.push((self.ran_ms, due.news));
        }
    }
}

fn told(audit_age_ms: Option<u64>, canary_age_ms: Option<u64>) -> Reading {
    let readiness = Readiness {
        able_to_page: true,
        audit_age_ms,
        canary_age_ms,
        ..Readiness::default()
    };
    Reading::Told(200, readiness)
}

/// An answer of a peer that is well, with ages as old as they may be.
fn well(draw: u64) -> Reading {
    told(Some((draw >> 20) % 120_001), Some((draw >> 24) % 420_001))
}

fn unable() -> Reading {
    let readiness = Readiness {
        reasons: vec!["engine".to_owned()],
        ..Readiness::default()
    };
    Reading::Told(503, readiness)
}

fn nothing(why: &str) -> Reading {
    Reading::Nothing(why.to_owned())
}

/// What may happen to a peer for less than it may fail.
#[derive(Clone, Copy)]
enum Short {
    /// One request is lost.
    Lost,
    /// It is started anew, and is up from then on.
    Restarts { up_ms: u64 },
    /// It answers nothing, and then everything.
    Hangs,
    /// It says that it is not able to page.
    Unable,
}

/// A thousand days of a peer that is well. What time it really is passes on while the watcher's machine sleeps.
struct Days {
    random: Random,
    watcher: Watcher,
    real_ms: u64,
    awake_ms: u64,
    /// What happens, and until when.
    short: Option<(Short, u64)>,
    /// Nothing else happens before.
    calm_ms: u64,
    happened: BTreeMap<&'static str, u32>,
}

impl Days {
    fn of(seed: u64) -> Self {
        Self {
            random: Random::seeded(seed),
            watcher: Watcher::start(),
            real_ms: 0,
            awake_ms: 0,
            short: None,
            calm_ms: 0,
            happened: BTreeMap::new(),
        }
    }

    fn pass(&mut self, ms: u64) {
        self.real_ms += ms;
        self.awake_ms += ms;
        self.watcher.passes(ms);
    }

    fn count(&mut self, what: &'static str) {
        *self.happened.entry(what).or_default() += 1;
    }

    /// The watcher waits for its next question; its clock may be set, most likely while something happens to the peer.
    fn wait(&mut self) {
        self.pass(EVERY_MS);
        let odds = if self.short.is_some() { 8 } else { 2_000 };
        if self.random.below(odds) == 0 {
            self.disturb_the_watcher();
        }
    }

    fn disturb_the_watcher(&mut self) {
        match self.random.below(12) {
            0..=2 => self.set_clock("an hour on", HOUR_MS),
            3..=5 => self.set_clock("an hour back", -HOUR_MS),
            6 | 7 => self.set_clock("a second on", 1_000),
            8 | 9 => self.set_clock("a second back", -1_000),
            10 => {
                // What counts how long it has run stands still with the machine.
                let asleep_ms = i64::try_from(ASLEEP_MS).unwrap();
                self.set_clock("asleep", asleep_ms);
                self.wakes();
            }
            _ => {
                self.watcher.passes(ASLEEP_MS);
                self.count("stopped");
                self.wakes();
            }
        }
    }

    fn set_clock(&mut self, what: &'static str, by_ms: i64) {
        self.watcher.set_clock(by_ms);
        self.count(what);
    }

    /// Its network may not be there for the first question.
    fn wakes(&mut self) {
        self.real_ms += ASLEEP_MS;
        if self.short.is_none() && self.random.below(2) == 0 {
            self.begin(Short::Lost, 0);
        }
    }

    fn begin(&mut self, short: Short, lasts_ms: u64) {
        self.short = Some((short, self.real_ms + lasts_ms));
        self.count(match short {
            Short::Lost => "lost",
            Short::Restarts { .. } => "restarts",
            Short::Hangs => "hangs",
            Short::Unable => "unable",
        });
    }

    /// Less than it may fail.
    fn short_ms(&mut self) -> u64 {
        1_000 + self.random.below(44_000)
    }

    fn begin_something(&mut self, draw: u64) {
        match (draw >> 48) % 4_096 {
            0..=20 => self.begin(Short::Lost, 0),
            21..=24 => {
                let down_ms = self.short_ms();
                let starts_ms = 5_000 + self.random.below(40_000);
                let up_ms = self.real_ms + down_ms;
                self.begin(Short::Restarts { up_ms }, down_ms + starts_ms);
            }
            25..=28 => {
                let lasts_ms = self.short_ms();
                self.begin(Short::Hangs, lasts_ms);
            }
            29..=32 => {
                let lasts_ms = self.short_ms();
                self.begin(Short::Unable, lasts_ms);
            }
            _ => {}
        }
    }

    fn ask(&mut self) {
        let draw = self.random.draw();
        if self.short.is_none() && self.real_ms >= self.calm_ms {
            self.begin_something(draw);
        }
        let (reading, takes_ms) = self.answer(draw);
        self.pass(takes_ms);
        self.watcher.reads(&reading);
        let is_over = |(_, until_ms): (Short, u64)| self.real_ms >= until_ms;
        if self.short.is_some_and(is_over) {
            self.short = None;
            self.calm_ms = self.real_ms + 60_000;
        }
    }

    /// What comes back now, and how long it takes.
    fn answer(&self, draw: u64) -> (Reading, u64) {
        let is_slow = (draw >> 40).is_multiple_of(64);
        let takes_ms = if is_slow {
            draw % ANSWER_MS
        } else {
            draw % 2_000
        };
        let Some((short, until_ms)) = self.short else {
            return (well(draw), takes_ms);
        };
        let left_ms = until_ms.saturating_sub(self.real_ms);
        match short {
            Short::Lost if is_slow => (nothing("refused"), 0),
            Short::Lost => (nothing("no answer in time"), ANSWER_MS),
            Short::Restarts { .. } | Short::Hangs | Short::Unable if left_ms == 0 => {
                (well(draw), takes_ms)
            }
            Short::Restarts { up_ms } if self.real_ms < up_ms => (nothing("refused"), 0),
            Short::Restarts { .. } if is_slow => (told(Some(0), None), 0),
            Short::Restarts { .. } => (told(None, None), 0),
            Short::Hangs if left_ms < ANSWER_MS => (well(draw), left_ms),
            Short::Hangs => (nothing("no answer in time"), ANSWER_MS),
            Short::Unable => (unable(), 0),
        }
    }
}

#[test]
fn a_peer_that_is_well_is_not_told_of_in_a_thousand_days() {
    let mut days = Days::of(1);
    while days.awake_ms < DAYS * DAY_MS {
        days.wait();
        days.ask();
        let told = &days.watcher.told;
        assert!(told.is_empty(), "{told:?} after {} ms", days.awake_ms);
    }
    let all = [
        "lost",
        "restarts",
        "hangs",
        "unable",
        "an hour on",
        "an hour back",
        "a second on",
        "a second back",
        "asleep",
        "stopped",
    ];
    for what in all {
        let count = days.happened.get(what).copied().unwrap_or_default();
        assert!(count > 100, "{what} happened {count} times");
    }
}

/// A kind of outage: its name, what a question gets that is asked so many milliseconds after it began, how long that takes, and after
/// how many anything of it can be seen.
type Kind = (&'static str, fn(u64) -> (Reading, u64), u64);

const KINDS: [Kind; 9] = [
    ("killed", |_| (nothing("refused"), 0), 0),
    ("off, or stopped", |_| (nothing("no answer"), ANSWER_MS), 0),
    ("unable", |_| (unable(), 50), 0),
    ("another in its place", |_| (Reading::Foreign(502), 50), 0),
    (
        "a fault",
        |_| {
            let readiness = Readiness {
                able_to_page: true,
                ..Readiness::default()
            };
            (Reading::Told(500, readiness), 50)
        },
        0,
    ),
    (
        "its auditor stands still",
        |after_ms| (told(Some(30_000 + after_ms), Some(0)), 50),
        90_000,
    ),
    (
        "its canary is lost",
        |after_ms| (told(Some(0), Some(300_000 + after_ms)), 50),
        120_000,
    ),
    // A start may take a minute from the first answer on.
    ("it never audits", |_| (told(None, None), 50), 77_000),
    (
        "it starts over and over",
        |after_ms| {
            if after_ms % 40_000 < 20_000 {
                (nothing("refused"), 0)
            } else {
                (told(None, None), 0)
            }
        },
        120_000,
    ),
];

/// Watches a peer that is well for a while, has an outage, and is well again as soon as that was told.
fn outage(kind: Kind, seed: u64) -> Watcher {
    let (name, peer, seen_after_ms) = kind;
    let (mut random, mut watcher) = (Random::seeded(seed), Watcher::start());
    let begins_ms = random.below(600_000);
    while watcher.told.is_empty() {
        watcher.passes(EVERY_MS);
        if random.below(10) == 0 {
            let by_ms = [HOUR_MS, -HOUR_MS, 1_000, -1_000];
            watcher.set_clock(by_ms[usize::try_from(random.below(4)).unwrap()]);
        }
        let (reading, takes_ms) = match watcher.ran_ms.checked_sub(begins_ms) {
            Some(after_ms) => peer(after_ms),
            None => (well(random.draw()), random.below(2_000)),
        };
        watcher.passes(takes_ms);
        watcher.reads(&reading);
        let bound_ms = begins_ms + seen_after_ms + BOUND_MS;
        assert!(
            watcher.ran_ms <= bound_ms,
            "{name}, seed {seed}: not told in time"
        );
    }
    assert!(
        watcher.ran_ms > begins_ms,
        "{name}, seed {seed}: told before it began"
    );
    watcher.passes(EVERY_MS);
    watcher.reads(&well(random.draw()));
    watcher
}

#[test]
fn each_kind_of_outage_is_told_within_its_bound_and_so_is_its_end() {
    for kind in KINDS {
        for seed in 0..SEEDS {
            let told = outage(kind, seed).told;
            let news: Vec<&News> = told.iter().map(|(_, news)| news).collect();
            let is_right = matches!(news[..], [News::Down { before: 0, .. }, News::Back { .. }]);
            assert!(is_right, "{}, seed {seed}: {told:?}", kind.0);
        }
    }
}

#[test]
fn a_clock_that_is_set_while_a_peer_starts_anew_tells_nothing() {
    let mut watcher = Watcher::start();
    for by_ms in [0, HOUR_MS, 0] {
        watcher.passes(EVERY_MS);
        watcher.set_clock(by_ms);
        watcher.reads(&nothing("refused"));
    }
    watcher.passes(EVERY_MS);
    watcher.reads(&well(0));
    assert_eq!(watcher.told, []);
}
