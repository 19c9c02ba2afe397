//! The rules at work: the thread that evaluates what is due, writes what it gives and tells the core; reloading. When what is
//! due, and what an answer means, is the engine's.

pub(crate) mod check;
mod glob;
pub(crate) mod load;
mod outbox;
mod shown;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tocsin_domain::signal::Batch;
use tocsin_domain::write::Arrived;
use tocsin_edge::ports;
use tocsin_edge::ports::rules::RuleGroup;
use tocsin_engine::rules::{Outcome, Rules, known_of};
use tocsin_engine::{Clock, EngineHandle};
use tocsin_telemetry::Store;

use crate::system::SystemClock;
use load::{Given, Loaded, load};
use outbox::Outbox;

/// The interval of groups that name none, unless the configuration does, milliseconds.
pub(crate) const INTERVAL_MS: u64 = 15_000;
/// The thread looks at the clock at least this often.
const IDLE_WAIT: Duration = Duration::from_secs(1);
/// Problems that are told at once.
const TOLD_MAX: usize = 5;

/// Reaches the rules from any thread; cheap to clone.
#[derive(Clone)]
pub(crate) struct RulesHandle(Arc<Shared>);

struct Shared {
    mail: Mutex<Mail>,
    knock: Condvar,
    rules: Mutex<Rules>,
    /// Whether there are rules at all: else nobody needs to hear of every write.
    has_rules: AtomicBool,
    /// Why rule files or what rules wrote could not be used.
    trouble: Mutex<Option<String>>,
    given: Mutex<Given>,
}

type Answer = Result<String, String>;

/// What waits for the thread.
#[derive(Default)]
struct Mail {
    arrived: BTreeSet<Arc<str>>,
    newest_ms: Option<i64>,
    reload: Vec<SyncSender<Answer>>,
    answered: bool,
    stop: bool,
}

impl RulesHandle {
    /// Reads the files; a file that cannot be used is left out, and told.
    pub(crate) fn new(given: Given, engine: &EngineHandle) -> Self {
        let loaded = load(&given);
        let trouble = told(&loaded);
        if let Some(trouble) = &trouble {
            tracing::error!(%trouble, "rule files that cannot be used are left out");
        }
        let known = engine.read(known_of);
        let rules = Rules::new(loaded.groups, known, SystemClock.now());
        Self(Arc::new(Shared {
            mail: Mutex::default(),
            knock: Condvar::new(),
            has_rules: AtomicBool::new(has_rules(&rules)),
            rules: Mutex::new(rules),
            trouble: Mutex::new(trouble),
            given: Mutex::new(given),
        }))
    }

    /// Starts the thread.
    pub(crate) fn start(
        &self,
        engine: EngineHandle,
        store: Arc<Store>,
    ) -> std::io::Result<JoinHandle<()>> {
        let shared = Arc::clone(&self.0);
        std::thread::Builder::new()
            .name("rules".to_owned())
            .spawn(move || run(&shared, &engine, &store))
    }

    /// Says that data are in the store.
    pub(crate) fn arrived(&self, arrived: &Arrived) {
        let Some(newest_ms) = arrived.newest_ms else {
            return;
        };
        if !self.0.has_rules.load(Ordering::Acquire) {
            return;
        }
        self.0.post(|mail| {
            mail.newest_ms = mail.newest_ms.max(Some(newest_ms));
            for metric in &arrived.metrics {
                if !mail.arrived.contains(metric) {
                    mail.arrived.insert(Arc::clone(metric));
                }
            }
        });
    }

    /// Says that a batch of the agent is in the store.
    pub(crate) fn batch_arrived(&self, batch: &Batch) {
        let names = batch
            .samples
            .iter()
            .filter_map(|one| one.labels.get("__name__"));
        let names: BTreeSet<&str> = names.map(String::as_str).collect();
        self.arrived(&Arrived {
            metrics: names.into_iter().map(Arc::from).collect(),
            newest_ms: batch.samples.iter().map(|one| one.at.as_millis()).max(),
        });
    }

    /// Takes other files; they are read by the next reload.
    pub(crate) fn use_files(&self, given: Given) {
        *lock(&self.0.given) = given;
    }

    /// Asks the thread to end.
    pub(crate) fn stop(&self) {
        self.0.post(|mail| mail.stop = true);
    }
}

impl ports::rules::Rules for RulesHandle {
    fn groups(&self) -> Vec<RuleGroup> {
        let groups = lock(&self.0.rules).groups();
        groups.into_iter().map(shown::group).collect()
    }

    fn trouble(&self) -> Option<String> {
        lock(&self.0.trouble).clone()
    }

    fn reload(&self) -> Result<String, String> {
        let (sender, answer) = sync_channel(1);
        self.0.post(|mail| mail.reload.push(sender));
        let stopped = "the rules are no longer evaluated: Tocsin is stopping".to_owned();
        answer.recv().unwrap_or(Err(stopped))
    }
}

impl Shared {
    fn post(&self, change: impl FnOnce(&mut Mail)) {
        change(&mut lock(&self.mail));
        self.knock.notify_one();
    }

    /// Waits until something is there, or for so long; takes it.
    fn take(&self, wait: Duration) -> Mail {
        let until = Instant::now() + wait;
        let mut mail = lock(&self.mail);
        loop {
            let is_empty =
                mail.arrived.is_empty() && mail.reload.is_empty() && !mail.stop && !mail.answered;
            let left = until.saturating_duration_since(Instant::now());
            if !is_empty || left.is_zero() {
                return std::mem::take(&mut *mail);
            }
            let woken = self.knock.wait_timeout(mail, left);
            mail = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn reload(&self) -> Answer {
        let given = lock(&self.given).clone();
        let loaded = load(&given);
        if let Some(trouble) = told(&loaded) {
            tracing::error!(%trouble, "rule files were not reloaded: nothing was changed");
            *lock(&self.trouble) = Some(format!("not reloaded: {trouble}"));
            return Err(trouble);
        }
        let rules: usize = loaded.groups.iter().map(|group| group.rules.len()).sum();
        let done = format!(
            "rules that are evaluated now: {rules} (groups: {})",
            loaded.groups.len()
        );
        let mut replaced = lock(&self.rules);
        replaced.replace(loaded.groups, SystemClock.now());
        self.has_rules
            .store(has_rules(&replaced), Ordering::Release);
        drop(replaced);
        *lock(&self.trouble) = None;
        tracing::info!(%done, "rule files were reloaded");
        Ok(done)
    }
}

fn run(shared: &Arc<Shared>, engine: &EngineHandle, store: &Store) {
    let begun = Instant::now();
    let clock_us = move || u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
    let mut outbox = Outbox::default();
    let answered = {
        let shared = Arc::clone(shared);
        move || shared.post(|mail| mail.answered = true)
    };
    let mut write_fails = false;
    loop {
        let now = SystemClock.now();
        let due = lock(&shared.rules).next_due(now);
        let due = due.map_or(IDLE_WAIT, |due| Duration::from_millis(due.ms_since(now)));
        let wait = due.min(outbox.wait().unwrap_or(IDLE_WAIT)).min(IDLE_WAIT);
        let mail = shared.take(wait);
        if mail.stop {
            return;
        }
        for asked in mail.reload {
            // Whoever asked may be gone.
            let _ = asked.send(shared.reload());
        }
        let now = SystemClock.now();
        let outcome = {
            let mut rules = lock(&shared.rules);
            let arrived = Arrived {
                metrics: mail.arrived.into_iter().collect(),
                newest_ms: mail.newest_ms,
            };
            rules.arrived(&arrived, now);
            rules.step(now, store, &clock_us)
        };
        let writing = clock_us();
        if !outcome.samples.is_empty() {
            write_fails = write(store, &outcome, write_fails);
        }
        if outcome.evaluated > 0 {
            lock(&shared.rules).written(clock_us().saturating_sub(writing));
        }
        outbox.add(outcome.told);
        outbox.push(engine, &answered);
    }
}

fn has_rules(rules: &Rules) -> bool {
    rules.next_due(SystemClock.now()).is_some()
}

/// Writes what rules gave; says whether that failed. The log tells of changes only.
fn write(store: &Store, outcome: &Outcome, was_failing: bool) -> bool {
    match store.write(&outcome.write(), "rules", SystemClock.now()) {
        Ok(written) => {
            if was_failing {
                tracing::info!("what rules give is written again");
            }
            if let Some(why) = written.first_refusal {
                tracing::warn!(%why, "some of what rules gave was not taken by the store");
            }
            false
        }
        Err(error) => {
            if !was_failing {
                tracing::error!(%error, "what rules gave could not be written");
            }
            true
        }
    }
}

/// What was wrong with the files, in short.
fn told(loaded: &Loaded) -> Option<String> {
    if loaded.problems.is_empty() {
        return None;
    }
    let some: Vec<String> = loaded
        .problems
        .iter()
        .take(TOLD_MAX)
        .map(ToString::to_string)
        .collect();
    let more = loaded.problems.len().saturating_sub(TOLD_MAX);
    let more = if more > 0 {
        format!("; and {more} more")
    } else {
        String::new()
    };
    Some(format!("{}{more}", some.join("; ")))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
