//! One watched server as its threads share it: identity, parent, supervisor, problems; it starts and ends them.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tocsin_domain::id::TargetId;
use tocsin_domain::signal::{Batch, Fact, FactKind, Sample, Supervisor};
use tocsin_domain::target::TargetIdentity;
use tocsin_domain::time::Timestamp;

use crate::identify::ServerProgram;
use crate::positions::Positions;
use crate::procfs::ProcessKey;
use crate::stop::Stop;
use crate::threads::Threads;
use crate::{Host, Problem, Settings, TargetStatus, config_watch, logs, parent, probe, status};

/// Addresses of one server that are looked at.
pub(crate) const LISTENERS_MAX: usize = 64;

/// What the threads of one target share.
pub(crate) struct Watched {
    pub(crate) id: TargetId,
    pub(crate) host: Arc<dyn Host>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) positions: Arc<Positions>,
    pub(crate) stop: Stop,
    /// Whether an access log does not tell who asked, so that our own requests need a mark in their address.
    pub(crate) mark_own_requests: AtomicBool,
    /// Whether the last probe reached its end, so that all its series live.
    pub(crate) last_probe_was_whole: AtomicBool,
    reloaded: AtomicBool,
    /// Whether the machine's processes were looked through since the agent's start.
    scanned: Arc<AtomicBool>,
    identity: Mutex<Arc<TargetIdentity>>,
    parent: Mutex<Option<ProcessKey>>,
    offered: Mutex<Option<ProcessKey>>,
    supervisor: Mutex<Supervisor>,
    program: Mutex<Option<ServerProgram>>,
    problems: Mutex<BTreeMap<&'static str, String>>,
    threads: Mutex<Threads>,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a panicking thread left is still better than no watch at all.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watched {
    /// Starts watching.
    pub(crate) fn start(
        id: TargetId,
        identity: TargetIdentity,
        host: Arc<dyn Host>,
        settings: Arc<Settings>,
        positions: Arc<Positions>,
        scanned: Arc<AtomicBool>,
    ) -> io::Result<Arc<Self>> {
        let watched = Arc::new(Self {
            id,
            host,
            settings,
            positions,
            stop: Stop::new()?,
            mark_own_requests: AtomicBool::new(false),
            last_probe_was_whole: AtomicBool::new(false),
            reloaded: AtomicBool::new(false),
            scanned,
            identity: Mutex::new(Arc::new(identity)),
            parent: Mutex::new(None),
            offered: Mutex::new(None),
            supervisor: Mutex::new(Supervisor::None),
            program: Mutex::new(None),
            problems: Mutex::new(BTreeMap::new()),
            threads: Mutex::new(Threads::default()),
        });
        let mut threads = lock(&watched.threads);
        type Work = fn(&Watched);
        let works: [(&str, Work); 6] = [
            ("tocsin-parent", parent::watch),
            ("tocsin-probe-a", probe::even_seconds),
            ("tocsin-probe-b", probe::odd_seconds),
            ("tocsin-status", status::poll),
            ("tocsin-logs", logs::follow),
            ("tocsin-config", config_watch::watch),
        ];
        for (name, work) in works {
            let shared = Arc::clone(&watched);
            threads.spawn(name, watched.stop.clone(), move || work(&shared))?;
        }
        drop(threads);
        Ok(watched)
    }

    /// Ends all its threads and waits for them.
    pub(crate) fn end(&self) {
        self.stop.raise();
        lock(&self.threads).join();
    }

    pub(crate) fn identity(&self) -> Arc<TargetIdentity> {
        Arc::clone(&lock(&self.identity))
    }

    pub(crate) fn set_identity(&self, identity: TargetIdentity) {
        *lock(&self.identity) = Arc::new(identity);
    }

    pub(crate) fn parent(&self) -> Option<ProcessKey> {
        *lock(&self.parent)
    }

    pub(crate) fn set_parent(&self, parent: Option<ProcessKey>) {
        *lock(&self.parent) = parent;
    }

    /// Tells the parent watch of a process that a scan found.
    pub(crate) fn offer(&self, parent: ProcessKey) {
        *lock(&self.offered) = Some(parent);
    }

    pub(crate) fn take_offered(&self) -> Option<ProcessKey> {
        lock(&self.offered).take()
    }

    /// Whether the processes of this machine were looked through, so that a running parent would have been offered.
    pub(crate) fn was_scanned_for(&self) -> bool {
        self.scanned.load(Ordering::Relaxed)
    }

    /// Notes that the server has read its configuration anew.
    pub(crate) fn note_reload(&self) {
        self.reloaded.store(true, Ordering::Relaxed);
    }

    pub(crate) fn take_reload(&self) -> bool {
        self.reloaded.swap(false, Ordering::Relaxed)
    }

    pub(crate) fn supervisor(&self) -> Supervisor {
        lock(&self.supervisor).clone()
    }

    pub(crate) fn set_supervisor(&self, supervisor: Supervisor) {
        *lock(&self.supervisor) = supervisor;
    }

    pub(crate) fn program(&self) -> Option<ServerProgram> {
        lock(&self.program).clone()
    }

    pub(crate) fn set_program(&self, program: ServerProgram) {
        *lock(&self.program) = Some(program);
    }

    /// Notes what keeps this part from working, or that nothing does.
    pub(crate) fn set_problem(&self, part: &'static str, problem: Option<String>) {
        let mut problems = lock(&self.problems);
        match problem {
            Some(problem) => {
                if problems.get(part) != Some(&problem) {
                    tracing::warn!(target_id = %self.id, part, problem, "the agent cannot see all of a target");
                }
                problems.insert(part, problem);
            }
            None => {
                problems.remove(part);
            }
        }
    }

    pub(crate) fn status(&self) -> TargetStatus {
        let identity = self.identity();
        TargetStatus {
            id: self.id,
            name: identity.name.clone(),
            config_path: identity.config_path.clone(),
            parent: self.parent().map(|parent| parent.pid),
            problems: lock(&self.problems)
                .iter()
                .map(|(part, text)| Problem {
                    part,
                    text: text.clone(),
                })
                .collect(),
        }
    }

    /// The listeners as addresses to connect to.
    pub(crate) fn listeners(&self) -> Vec<SocketAddr> {
        self.identity()
            .listen
            .iter()
            .take(LISTENERS_MAX)
            .filter_map(|text| text.parse().ok())
            .collect()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.host.now()
    }

    /// A sample of this target.
    pub(crate) fn sample(
        &self,
        metric: &str,
        extra: &[(&str, &str)],
        at: Timestamp,
        value: f64,
    ) -> Sample {
        let mut sample = Sample::of(metric, self.id, extra, at, value);
        sample
            .labels
            .insert("instance".to_owned(), self.identity().name.clone());
        sample
    }

    pub(crate) fn fact(&self, at: Timestamp, what: FactKind) -> Fact {
        Fact {
            at,
            target: self.id,
            what,
        }
    }

    pub(crate) fn deliver(&self, batch: Batch) {
        if !batch.is_empty() {
            self.host.deliver(batch);
        }
    }

    pub(crate) fn needs_mark(&self) -> bool {
        self.mark_own_requests.load(Ordering::Relaxed)
    }
}

/// A count as the value of a sample.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts beyond 2^53 do not occur and would only lose their last digit"
)]
pub(crate) fn value(count: u64) -> f64 {
    count as f64
}

/// A yes or no as the value of a sample.
pub(crate) fn flag(yes: bool) -> f64 {
    if yes { 1.0 } else { 0.0 }
}
