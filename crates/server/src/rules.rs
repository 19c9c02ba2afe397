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
use tocsin_edge::ports::rules::RuleGroup;
use tocsin_engine::rules::{GroupSpec, Known, Outcome, Reading, Rules};
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
    /// The thread has ended; set while the mail is locked.
    has_ended: AtomicBool,
    rules: Mutex<Rules>,
    /// Whether there are rules at all: else nobody needs to hear of every write.
    has_rules: AtomicBool,
    /// Why rule files were left out at the start.
    trouble: Mutex<Option<String>>,
}

/// Rule files that were read without a mistake and are not used yet.
pub(crate) struct Checked(Vec<GroupSpec>);

/// Other rules to go on with, and who waits for that.
struct Change {
    groups: Vec<GroupSpec>,
    done: SyncSender<String>,
}

/// What waits for the thread.
#[derive(Default)]
struct Mail {
    arrived: BTreeSet<Arc<str>>,
    newest_ms: Option<i64>,
    changes: Vec<Change>,
    answered: bool,
    stop: bool,
}

impl RulesHandle {
    /// Reads the files; a file that cannot be used is left out, and told. Alerts whose rule may be in one of those fire on, as they
    /// do when files are missing already (`reading`).
    pub(crate) fn new(given: &Given, reading: Reading, known: Vec<Known>) -> Self {
        let mut loaded = load(given);
        let reading = if loaded.is_whole() {
            reading
        } else {
            Reading::Partial
        };
        let groups = std::mem::take(&mut loaded.groups);
        let rules = Rules::new(groups, reading, known, SystemClock.now());
        if rules.kept() > 0 {
            loaded.miss(rules.kept());
        }
        let trouble = told(&loaded);
        if let Some(trouble) = &trouble {
            tracing::error!(%trouble, "rule files that cannot be used are left out");
        }
        if let Some(kept) = told_of_kept(rules.kept()) {
            tracing::error!("{kept}");
        }
        Self(Arc::new(Shared {
            mail: Mutex::default(),
            knock: Condvar::new(),
            has_ended: AtomicBool::new(false),
            has_rules: AtomicBool::new(has_rules(&rules)),
            rules: Mutex::new(rules),
            trouble: Mutex::new(trouble),
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

    /// Reads files, and changes nothing yet.
    ///
    /// # Errors
    /// What is wrong in them.
    pub(crate) fn check(&self, given: &Given) -> Result<Checked, String> {
        let mut loaded = load(given);
        let ending = lock(&self.0.rules).would_end(&loaded.groups);
        if ending > 0 {
            loaded.miss(ending);
        }
        match told(&loaded) {
            Some(trouble) => Err(trouble),
            None => Ok(Checked(loaded.groups)),
        }
    }

    /// Goes on with what was read; tells what is evaluated from now on.
    ///
    /// # Errors
    /// The rules are evaluated no longer.
    pub(crate) fn apply(&self, checked: Checked) -> Result<String, String> {
        let (done, applied) = sync_channel(1);
        let Checked(groups) = checked;
        self.0.post(|mail| {
            if !self.0.has_ended.load(Ordering::Acquire) {
                mail.changes.push(Change { groups, done });
            }
        });
        let stopped = |_| "the rules are no longer evaluated: Tocsin is stopping".to_owned();
        applied.recv().map_err(stopped)
    }

    /// All groups as they stand.
    pub(crate) fn groups(&self) -> Vec<RuleGroup> {
        let groups = lock(&self.0.rules).groups();
        groups.into_iter().map(shown::group).collect()
    }

    /// Why rules are missing, and which alerts fire on for that.
    pub(crate) fn trouble(&self) -> Option<String> {
        let kept = told_of_kept(lock(&self.0.rules).kept());
        let parts = [lock(&self.0.trouble).clone(), kept];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    /// Asks the thread to end.
    pub(crate) fn stop(&self) {
        self.0.post(|mail| mail.stop = true);
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
                mail.arrived.is_empty() && mail.changes.is_empty() && !mail.stop && !mail.answered;
            let left = until.saturating_duration_since(Instant::now());
            if !is_empty || left.is_zero() {
                return std::mem::take(&mut *mail);
            }
            let woken = self.knock.wait_timeout(mail, left);
            mail = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn make(&self, changes: Vec<Change>) {
        for change in changes {
            // Whoever asked may be gone.
            let _ = change.done.send(self.replace(change.groups));
        }
    }

    fn replace(&self, groups: Vec<GroupSpec>) -> String {
        let count: usize = groups.iter().map(|group| group.rules.len()).sum();
        let done = format!(
            "rules that are evaluated now: {count} (groups: {})",
            groups.len()
        );
        let mut rules = lock(&self.rules);
        rules.replace(groups, SystemClock.now());
        self.has_rules.store(has_rules(&rules), Ordering::Release);
        drop(rules);
        *lock(&self.trouble) = None;
        tracing::info!(%done, "rule files were reloaded");
        done
    }
}

/// Lets nobody wait for a thread that has ended, however it did.
struct Running<'a>(&'a Shared);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.post(|mail| {
            self.0.has_ended.store(true, Ordering::Release);
            mail.changes.clear();
        });
    }
}

fn run(shared: &Arc<Shared>, engine: &EngineHandle, store: &Store) {
    let _running = Running(shared);
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
        shared.make(mail.changes);
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

/// That alerts fire on although their rules are missing.
fn told_of_kept(kept: usize) -> Option<String> {
    let alerts = match kept {
        0 => return None,
        1 => "1 alert fires on".to_owned(),
        more => format!("{more} alerts fire on"),
    };
    Some(format!(
        "{alerts} because no rule file that can be read has the rule: a reload without mistakes ends what is really gone"
    ))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    pub(crate) const DOWN: &str =
        "groups:\n- name: g\n  rules:\n  - alert: Down\n    expr: up == 0\n";
    const OTHER: &str = "groups:\n- name: h\n  rules:\n  - record: a\n    expr: up\n";

    /// An alert of the rule in [`DOWN`] that fires.
    pub(crate) fn down() -> Known {
        Known {
            key: "g/Down{job=\"a\"}".to_owned(),
            group: "g".to_owned(),
            rule: "Down".to_owned(),
            labels: [("alertname", "Down"), ("job", "a")].into_iter().collect(),
            fired_at_ms: 1_000_000_000,
            value: 0.0,
        }
    }

    pub(crate) fn given(files: &[PathBuf]) -> Given {
        Given {
            files: files.to_vec(),
            interval_ms: INTERVAL_MS,
            external_url: String::new(),
        }
    }

    /// Makes the changes that are asked for and evaluates nothing, until told to stop.
    pub(crate) fn make_changes(rules: &RulesHandle) -> JoinHandle<()> {
        let shared = Arc::clone(&rules.0);
        std::thread::spawn(move || {
            let _running = Running(&shared);
            loop {
                let mail = shared.take(IDLE_WAIT);
                if mail.stop {
                    return;
                }
                shared.make(mail.changes);
            }
        })
    }

    /// Starts with an alert that fires and this file of rules; gives how many alerts the core is told of, and the trouble.
    fn check_start(folder: &Path, file: &str, text: Option<&str>) -> (RulesHandle, usize, String) {
        let path = folder.join(file);
        if let Some(text) = text {
            std::fs::write(&path, text).unwrap();
        }
        let rules = RulesHandle::new(&given(&[path]), Reading::Whole, vec![down()]);
        let told = told_now(&rules);
        let trouble = rules.trouble().unwrap_or_default();
        (rules, told, trouble)
    }

    fn told_now(rules: &RulesHandle) -> usize {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(folder.path(), tocsin_telemetry::Options::default()).unwrap();
        let outcome = lock(&rules.0.rules).step(SystemClock.now(), &store, &|| 0);
        outcome.told.len()
    }

    #[test]
    fn a_start_without_the_file_of_a_firing_alert_ends_nothing_and_says_so() {
        for (file, text, why) in [
            ("rules.yml", Some("groups: ["), "rules.yml"),
            ("rules.yml", None, "there is no such file"),
            ("*.yml", None, "no file fits this pattern"),
            ("rules.yml", Some(OTHER), ""),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let (_, told, trouble) = check_start(folder.path(), file, text);
            assert_eq!(told, 0, "{file} {text:?}");
            assert!(trouble.contains(why), "{trouble}");
            assert!(trouble.contains("1 alert fires on"), "{trouble}");
        }
    }

    #[test]
    fn a_pattern_without_files_is_no_trouble_when_no_alert_misses_its_rule() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rules.yml");
        std::fs::write(&file, DOWN).unwrap();
        let given = given(&[file, folder.path().join("more/*.yml")]);
        let rules = RulesHandle::new(&given, Reading::Whole, vec![down()]);
        assert_eq!(rules.trouble(), None);
        assert!(rules.check(&given).is_ok());
    }

    #[test]
    fn a_reload_ends_what_is_gone_unless_a_pattern_fits_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let (rules, ..) = check_start(folder.path(), "rules.yml", Some(DOWN));
        let pattern = given(&[folder.path().join("mount/*.yml")]);
        let why = rules.check(&pattern).err().unwrap();
        assert!(why.contains("no file fits this pattern"), "{why}");
        assert_eq!(told_now(&rules), 0);
        let thread = make_changes(&rules);
        let checked = rules.check(&given(&[])).unwrap();
        rules.apply(checked).unwrap();
        assert_eq!(told_now(&rules), 1);
        rules.stop();
        thread.join().unwrap();
    }

    #[test]
    fn an_alert_whose_file_is_put_right_is_taken_up_by_its_rule() {
        let folder = tempfile::tempdir().unwrap();
        let (rules, ..) = check_start(folder.path(), "rules.yml", Some("groups: ["));
        let file = folder.path().join("rules.yml");
        std::fs::write(&file, DOWN).unwrap();
        let thread = make_changes(&rules);
        rules.apply(rules.check(&given(&[file])).unwrap()).unwrap();
        assert_eq!((told_now(&rules), rules.trouble()), (0, None));
        rules.stop();
        thread.join().unwrap();
        let checked = rules.check(&given(&[])).unwrap();
        assert!(rules.apply(checked).is_err(), "nobody is waited for");
    }
}
