//! Many worlds after each other on every core, until enough days and crashes are reached; the first wrong one ends it.

use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
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
    /// How long it took.
    pub took: Duration,
}

struct Shared {
    goal: Goal,
    next: AtomicU64,
    result: Mutex<Result>,
}

/// Runs worlds on all cores until the goal is reached or one fails.
#[must_use]
pub fn campaign(goal: Goal) -> Result {
    let began = Instant::now();
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let shared = Shared {
        goal,
        next: AtomicU64::new(goal.seed),
        result: Mutex::new(Result::default()),
    };
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| work(&shared, began));
        }
    });
    let mut result = shared
        .result
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    result.took = began.elapsed();
    result
}

fn work(shared: &Shared, began: Instant) {
    loop {
        {
            let result = shared.result.lock().unwrap_or_else(PoisonError::into_inner);
            let reached = result.tally.days >= shared.goal.days
                && result.tally.crashes() >= shared.goal.crashes;
            let has_failed = !result.failures.is_empty() && !shared.goal.goes_on;
            if reached || has_failed {
                return;
            }
        }
        let seed = shared.next.fetch_add(1, Ordering::Relaxed);
        let verdict = world(shared.goal, seed);
        let mut result = shared.result.lock().unwrap_or_else(PoisonError::into_inner);
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
