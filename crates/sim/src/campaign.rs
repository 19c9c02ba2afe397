//! Many worlds after each other on every core, until enough days and crashes are reached; the first wrong one ends it. Its hash tells
//! whether the same happened as in another process, or on another machine.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::check::Violation;
use crate::screen;
use crate::tally::Tally;
use crate::world::{Plan, Verdict, run};

/// How much is to be simulated.
#[derive(Clone, Copy, Debug)]
pub struct Goal {
    /// Simulated days.
    pub days: u64,
    /// Crashes of the process.
    pub crashes: u64,
    /// Where the seeds of the worlds begin.
    pub seed: u64,
    /// Days of each world.
    pub days_each: u32,
    /// One world of so many is run twice, to see that the events are the same.
    pub twice_every: u64,
    /// Whether progress is printed.
    pub is_told: bool,
    /// Whether it goes on after a world that failed.
    pub goes_on: bool,
}

/// What came out of many worlds.
#[derive(Clone, Debug, Default)]
pub struct Result {
    /// What happened in all of them.
    pub tally: Tally,
    /// The seeds that failed, and how.
    pub failures: Vec<(u64, Violation)>,
    /// One number for the events of the worlds.
    pub hash: Hash,
    /// How long it took.
    pub took: Duration,
}

/// One number for the events of many worlds: the same wherever the same happened in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hash {
    /// The number.
    pub value: u64,
    /// The seed of the last world that it stands for.
    pub last_seed: u64,
}

impl Default for Hash {
    fn default() -> Self {
        Self {
            value: HASH_OF_NOTHING,
            last_seed: 0,
        }
    }
}

/// FNV-1a.
const HASH_OF_NOTHING: u64 = 0xcbf2_9ce4_8422_2325;
const HASH_PRIME: u64 = 0x0000_0100_0000_01b3;

/// What the hash has to know of a world.
#[derive(Clone, Copy, Debug)]
struct Mark {
    days: u64,
    crashes: u64,
    fingerprint: u64,
    has_failed: bool,
}

/// Worlds that have ended.
#[derive(Default)]
struct Ended {
    result: Result,
    /// By their seeds.
    marks: BTreeMap<u64, Mark>,
}

struct Shared {
    goal: Goal,
    next: AtomicU64,
    ended: Mutex<Ended>,
}

impl Shared {
    fn ended(&self) -> MutexGuard<'_, Ended> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs worlds on all cores until the goal is reached or one fails.
#[must_use]
pub fn campaign(goal: Goal) -> Result {
    let began = Instant::now();
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let shared = Shared {
        goal,
        next: AtomicU64::new(goal.seed),
        ended: Mutex::default(),
    };
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| work(&shared, began));
        }
    });
    let ended = shared.ended.into_inner();
    let ended = ended.unwrap_or_else(PoisonError::into_inner);
    Result {
        hash: hash_of(goal, &ended.marks),
        took: began.elapsed(),
        ..ended.result
    }
}

/// The worlds from the first seed on, one by one, until they reach the goal or the first of them fails. Which others had begun by then
/// depends on the machine: they are no part of it.
fn hash_of(goal: Goal, marks: &BTreeMap<u64, Mark>) -> Hash {
    let mut hash = Hash::default();
    let (mut days, mut crashes) = (0, 0);
    for (seed, mark) in marks {
        hash = Hash {
            value: mixed(mixed(hash.value, *seed), mark.fingerprint),
            last_seed: *seed,
        };
        days += mark.days;
        crashes += mark.crashes;
        let is_reached = days >= goal.days && crashes >= goal.crashes;
        if is_reached || (mark.has_failed && !goal.goes_on) {
            break;
        }
    }
    hash
}

fn mixed(hash: u64, part: u64) -> u64 {
    let bytes = part.to_le_bytes().into_iter();
    bytes.fold(hash, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(HASH_PRIME)
    })
}

fn work(shared: &Shared, began: Instant) {
    loop {
        {
            let ended = shared.ended();
            let result = &ended.result;
            let reached = result.tally.days >= shared.goal.days
                && result.tally.crashes() >= shared.goal.crashes;
            let has_failed = !result.failures.is_empty() && !shared.goal.goes_on;
            if reached || has_failed {
                return;
            }
        }
        let seed = shared.next.fetch_add(1, Ordering::Relaxed);
        let verdict = world(shared.goal, seed);
        let mut ended = shared.ended();
        let mark = Mark {
            days: verdict.tally.days,
            crashes: verdict.tally.crashes(),
            fingerprint: verdict.fingerprint,
            has_failed: verdict.violation.is_some(),
        };
        ended.marks.insert(seed, mark);
        let result = &mut ended.result;
        let before = result.tally.worlds;
        result.tally.add(&verdict.tally);
        if let Some(violation) = verdict.violation {
            result.failures.push((seed, violation));
        }
        let tally = &result.tally;
        if shared.goal.is_told && tally.worlds / 50 > before / 50 {
            screen::line(format!(
                "{:>6.1} s  seeds {}..={seed}: {} worlds, {} days, {} crashes, {} incidents",
                began.elapsed().as_secs_f64(),
                shared.goal.seed,
                tally.worlds,
                tally.days,
                tally.crashes(),
                tally.incidents
            ));
        }
    }
}

/// One world, now and then twice.
fn world(goal: Goal, seed: u64) -> Verdict {
    let plan = Plan {
        seed,
        days: goal.days_each,
        trace: false,
    };
    let mut verdict = run(plan);
    let is_twice = goal.twice_every > 0 && (seed - goal.seed).is_multiple_of(goal.twice_every);
    if verdict.violation.is_none() && is_twice {
        let again = run(plan);
        verdict.tally.run_twice += 1;
        if again.fingerprint != verdict.fingerprint {
            verdict.violation = Some(Violation {
                check: crate::check::Check::Replay,
                at: tocsin_domain::time::Timestamp::default(),
                what: "the same seed gave other events the second time".to_owned(),
            });
        }
    }
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOAL: Goal = Goal {
        days: 6,
        crashes: 4,
        seed: 7,
        days_each: 2,
        twice_every: 0,
        is_told: false,
        goes_on: false,
    };

    /// Worlds of two days and two crashes each, in the order in which they ended.
    fn hash(worlds: &[(u64, u64)], failed: Option<u64>, goal: Goal) -> Hash {
        let marks = worlds.iter().map(|(seed, fingerprint)| {
            let mark = Mark {
                days: 2,
                crashes: 2,
                fingerprint: *fingerprint,
                has_failed: failed == Some(*seed),
            };
            (*seed, mark)
        });
        hash_of(goal, &marks.collect())
    }

    #[test]
    fn the_hash_tells_worlds_apart_and_not_when_they_ended_nor_which_were_beyond_the_goal() {
        let three = [(7, 1), (8, 2), (9, 3)];
        let expected = hash(&three, None, GOAL);
        assert_eq!(expected.last_seed, 9);
        let others = [(10, 5), (9, 3), (7, 1), (11, 6), (8, 2)];
        assert_eq!(hash(&others, None, GOAL), expected);
        for different in [[(7, 1), (8, 3), (9, 2)], [(6, 1), (8, 2), (9, 3)]] {
            assert_ne!(hash(&different, None, GOAL), expected);
        }
        let goal = Goal { crashes: 8, ..GOAL };
        assert_eq!(hash(&others, None, goal).last_seed, 10);
    }

    #[test]
    fn the_hash_ends_with_the_first_world_that_failed_unless_others_were_wanted_all_the_same() {
        let four = [(7, 1), (8, 2), (9, 3), (10, 4)];
        assert_eq!(hash(&four, Some(8), GOAL).last_seed, 8);
        let goal = Goal {
            goes_on: true,
            ..GOAL
        };
        assert_eq!(hash(&four, Some(8), goal).last_seed, 9);
    }
}
