//! The hunt for bugs that were let loose on purpose: worlds are run with one bug switched on, until a check catches it.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tocsin_domain::bugs::{self, BUGS, Bug};

use crate::check::Violation;
use crate::screen;
use crate::world::{Plan, run};

/// How a bug was caught.
#[derive(Clone, Debug)]
pub struct Catch {
    /// Which bug.
    pub bug: Bug,
    /// The seed of the world that showed it, and the check that saw it; `None`: it got away.
    pub caught: Option<(u64, Violation)>,
    /// Worlds that were run.
    pub worlds: u64,
    /// How long it took.
    pub took: Duration,
}

/// Runs worlds with the bug on until it is caught, or the patience ends.
#[must_use]
pub fn hunt(bug: Bug, seed: u64, days_each: u32, patience: Duration) -> Catch {
    let began = Instant::now();
    bugs::switch(Some(bug));
    let mut worlds = 0;
    let mut caught = None;
    while caught.is_none() && began.elapsed() < patience {
        let seed = seed + worlds;
        worlds += 1;
        let verdict = run(Plan {
            seed,
            days: days_each,
            trace: false,
        });
        caught = verdict.violation.map(|violation| (seed, violation));
    }
    bugs::switch(None);
    Catch {
        bug,
        caught,
        worlds,
        took: began.elapsed(),
    }
}

/// Hunts every bug, on all cores, and says how each was caught. Gives those that got away.
#[must_use]
pub fn hunt_all(seed: u64, days_each: u32, patience: Duration) -> Vec<Bug> {
    let next = AtomicUsize::new(0);
    let missed = Mutex::new(Vec::new());
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(bug) = BUGS.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let catch = hunt(*bug, seed, days_each, patience);
                    let mut missed = missed.lock().unwrap_or_else(PoisonError::into_inner);
                    tell(&catch);
                    if catch.caught.is_none() {
                        missed.push(*bug);
                    }
                }
            });
        }
    });
    missed.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn tell(catch: &Catch) {
    let seconds = catch.took.as_secs_f64();
    let name = format!("{:?}", catch.bug);
    match &catch.caught {
        Some((seed, violation)) => screen::line(format!(
            "  caught  {name:<30} {seconds:>6.2} s  seed {seed}, by \"{}\"",
            violation.check.words()
        )),
        None => screen::line(format!(
            "  MISSED  {name:<30} {seconds:>6.2} s  {} worlds",
            catch.worlds
        )),
    }
}
