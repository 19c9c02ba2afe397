//! Watches the parent process of one server: its exit the moment it happens, its return, and once a second its family.

use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tocsin_domain::signal::{Batch, ExitKind, FactKind, Sample, Supervisor, metric};
use tocsin_domain::time::Timestamp;

use crate::exit::{self, Lost};
use crate::identify::pid_in;
use crate::proc_text::Stat;
use crate::procfs::{self, ProcessKey};
use crate::queue::QueueWatch;
use crate::stop::Woken;
use crate::supervisor::{self, ChangeWatch};
use crate::watched::{Watched, flag, value};

/// How often the accept queue is looked at.
const QUEUE_EVERY: Duration = Duration::from_millis(250);
const SAMPLE_EVERY: Duration = Duration::from_secs(1);
/// How often a new parent is looked for while there is none.
const SEARCH_EVERY: Duration = Duration::from_millis(50);
/// A server that was known before is looked for this long before it is called dead.
const FIRST_SEARCH: Duration = Duration::from_millis(700);
/// And this long while the first scan of the machine's processes has not ended: one that no pid file names is found by it.
const FIRST_SCAN_MAX: Duration = Duration::from_secs(10);

/// Watches until the target is forgotten or the agent stops.
pub(crate) fn watch(watched: &Watched) {
    let mut change = ChangeWatch::default();
    let mut queue = QueueWatch::default();
    let Some(mut found) = first_parent(watched, &mut change) else {
        return;
    };
    loop {
        watched.set_parent(Some(found.lost.key));
        announce(watched, &found, &mut change);
        if !while_alive(watched, &mut found, &mut change, &mut queue) {
            return;
        }
        watched.set_parent(None);
        // Of two samples of a series in one millisecond the store keeps the first: the exit must not lose to the last look.
        let exited_at = watched.now().plus_ms(1);
        let down = Down {
            lost: &found.lost,
            unit: found.unit.clone(),
        };
        report_exit(watched, &down, exited_at, &mut change);
        match while_down(watched, &down, &mut change, &mut queue) {
            Some(next) => found = next,
            None => return,
        }
    }
}

/// A living parent and what must be known of it when it is gone.
struct Found {
    pidfd: OwnedFd,
    lost: Lost,
    unit: Option<String>,
    /// Whether it came up while we watched.
    is_new: bool,
}

/// A dead one.
struct Down<'a> {
    lost: &'a Lost,
    unit: Option<String>,
}

/// Waits for the first sight of a parent; a known server that shows none is reported as found dead.
fn first_parent(watched: &Watched, change: &mut ChangeWatch) -> Option<Found> {
    let begun = Instant::now();
    let is_early = || {
        let allowed = if watched.was_scanned_for() {
            FIRST_SEARCH
        } else {
            FIRST_SCAN_MAX
        };
        begun.elapsed() < allowed
    };
    loop {
        // Asked before the search, so that what the scan found last is still taken.
        let is_last = !is_early();
        if let Some(found) = search(watched, false) {
            return Some(found);
        }
        if is_last {
            break;
        }
        if watched.stop.wait(SEARCH_EVERY) {
            return None;
        }
    }
    let identity = watched.identity();
    let pid = pid_in(&identity.pid_file).unwrap_or(0);
    let comm = identity
        .binary
        .rsplit('/')
        .next()
        .unwrap_or("apache2")
        .to_owned();
    // A process group of its own is what a server in the background has: children left over are found by it.
    let key = ProcessKey {
        pid,
        start_ticks: 0,
    };
    let lost = Lost {
        key,
        comm,
        pgrp: pid,
        children: Vec::new(),
        had_pid_file: false,
    };
    let down = Down {
        unit: supervisor::usual_unit(&lost.comm),
        lost: &lost,
    };
    let at = watched.now();
    // How it ended nobody saw, so `apache_exit_clean` is not written.
    let mut batch = Batch {
        samples: family_while_down(watched, &down, change, at),
        ..Batch::default()
    };
    let what = FactKind::ParentExited {
        pid,
        how: ExitKind::FoundDead,
        supervisor: Supervisor::None,
        children_alive: u32::try_from(exit::orphans(&lost).len()).unwrap_or(u32::MAX),
        log_line: None,
    };
    batch.facts.push(watched.fact(at, what));
    watched.deliver(batch);
    while_down(watched, &down, change, &mut QueueWatch::default())
}

/// A parent that runs now: the one a scan offered, or the one the pid file names.
fn search(watched: &Watched, is_new: bool) -> Option<Found> {
    let offered = watched.take_offered().filter(|key| procfs::is_alive(*key));
    let named = || {
        let identity = watched.identity();
        let pid = pid_in(&identity.pid_file)?;
        let stat = procfs::stat(pid).filter(Stat::is_alive)?;
        let is_server = identity
            .binary
            .rsplit('/')
            .next()
            .is_some_and(|name| stat.comm == name);
        is_server.then_some(ProcessKey {
            pid,
            start_ticks: stat.start_ticks,
        })
    };
    adopt(watched, offered.or_else(named)?, is_new)
}

/// Takes hold of a process, so that its exit cannot be missed nor mistaken for another's.
fn adopt(watched: &Watched, key: ProcessKey, is_new: bool) -> Option<Found> {
    let pid = Pid::from_raw(i32::try_from(key.pid).ok()?)?;
    let pidfd = match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(pidfd) => pidfd,
        Err(error) => {
            let problem = format!("the exit of process {} cannot be watched: {error}", key.pid);
            watched.set_problem("parent", Some(problem));
            return None;
        }
    };
    // Only now is it certain that the descriptor and the process we mean are the same.
    let stat = procfs::stat(key.pid)
        .filter(|stat| stat.start_ticks == key.start_ticks && stat.is_alive())?;
    watched.set_problem("parent", None);
    let had_pid_file = pid_in(&watched.identity().pid_file) == Some(key.pid);
    let lost = Lost {
        key,
        comm: stat.comm,
        pgrp: stat.pgrp,
        children: Vec::new(),
        had_pid_file,
    };
    Some(Found {
        pidfd,
        lost,
        unit: supervisor::unit_of(key),
        is_new,
    })
}

fn announce(watched: &Watched, found: &Found, change: &mut ChangeWatch) {
    let at = watched.now();
    let mut batch = Batch {
        samples: family_while_alive(watched, found, &Family::of(found), change, at),
        ..Batch::default()
    };
    // How the last one ended says nothing of how this one will. Written a moment later, lest an exit in the same millisecond win.
    let exit_clean = watched.sample(metric::EXIT_CLEAN, &[], at, 0.0);
    let ended = Sample::stale(exit_clean.labels, at.plus_ms(1));
    batch.samples.push(ended);
    if found.is_new {
        batch.facts.push(watched.fact(
            at,
            FactKind::ParentStarted {
                pid: found.lost.key.pid,
            },
        ));
    }
    watched.deliver(batch);
    // This may take as long as a systemctl, so what is known must be out before.
    watched.set_supervisor(supervisor::supervisor_of(found.lost.key));
}

/// Samples until the parent ends (true) or the watch does (false).
fn while_alive(
    watched: &Watched,
    found: &mut Found,
    change: &mut ChangeWatch,
    queue: &mut QueueWatch,
) -> bool {
    let mut next_sample = Instant::now();
    let mut next_queue = Instant::now();
    loop {
        let next = next_sample.min(next_queue);
        match watched.stop.wait_with(
            Some(found.pidfd.as_fd()),
            next.saturating_duration_since(Instant::now()),
        ) {
            Woken::Stop => return false,
            Woken::Readable => return true,
            Woken::Timeout => {}
        }
        let now = Instant::now();
        if now >= next_queue {
            next_queue = now + QUEUE_EVERY;
            watched.deliver(queue.look(watched));
        }
        if now >= next_sample {
            next_sample = now + SAMPLE_EVERY;
            let family = Family::of(found);
            found.lost.children.clone_from(&family.children);
            found.lost.had_pid_file =
                pid_in(&watched.identity().pid_file) == Some(found.lost.key.pid);
            let at = watched.now();
            // A parent that ended just now is told by its descriptor, with all that belongs to it.
            if procfs::is_alive(found.lost.key) {
                let samples = family_while_alive(watched, found, &family, change, at);
                watched.deliver(Batch {
                    samples,
                    ..Batch::default()
                });
            }
        }
    }
}

/// A parent's living children and how many of all are stopped.
struct Family {
    children: Vec<ProcessKey>,
    stopped: u64,
}

impl Family {
    fn of(found: &Found) -> Self {
        let children = procfs::children(found.lost.key.pid);
        let of_server = children
            .iter()
            .filter(|child| child.stat.comm == found.lost.comm);
        let parent_stopped = procfs::stat(found.lost.key.pid).is_some_and(|stat| stat.is_stopped());
        let stopped = of_server
            .clone()
            .filter(|child| child.stat.is_stopped())
            .count()
            + usize::from(parent_stopped);
        Self {
            children: of_server.map(procfs::Seen::key).collect(),
            stopped: u64::try_from(stopped).unwrap_or(u64::MAX),
        }
    }
}

fn family_while_alive(
    watched: &Watched,
    found: &Found,
    family: &Family,
    change: &mut ChangeWatch,
    at: Timestamp,
) -> Vec<Sample> {
    let children = u64::try_from(family.children.len()).unwrap_or(u64::MAX);
    let supervised = watched.supervisor() != Supervisor::None;
    let refused =
        !found.lost.children.is_empty() && !crate::queue::any_listens(&watched.listeners());
    vec![
        watched.sample(metric::PARENT_UP, &[], at, 1.0),
        watched.sample(metric::CHILDREN, &[], at, value(children)),
        watched.sample(metric::PROCESSES_STOPPED, &[], at, value(family.stopped)),
        watched.sample(metric::SUPERVISED, &[], at, flag(supervised)),
        watched.sample(
            metric::CHANGE_RUNNING,
            &[],
            at,
            flag(change.change_runs(false)),
        ),
        watched.sample(metric::LISTENER_REFUSED, &[], at, flag(refused)),
    ]
}

/// Says, in one batch, that the parent ended, how, and what is left.
fn report_exit(watched: &Watched, down: &Down<'_>, exited_at: Timestamp, change: &mut ChangeWatch) {
    let remains = exit::wait_for_the_rest(down.lost, &watched.listeners());
    let goodbye = exit::goodbye(down.lost, &watched.identity());
    let change_runs =
        change.change_runs(true) || down.unit.as_deref().is_some_and(supervisor::unit_job_runs);
    let supervisor = watched.supervisor();
    let children = u32::try_from(remains.children.len()).unwrap_or(u32::MAX);
    let at = watched.now();
    let samples = vec![
        watched.sample(metric::PARENT_UP, &[], exited_at, 0.0),
        watched.sample(metric::EXIT_CLEAN, &[], at, flag(goodbye.clean)),
        watched.sample(
            metric::SUPERVISED,
            &[],
            at,
            flag(supervisor != Supervisor::None),
        ),
        watched.sample(metric::CHANGE_RUNNING, &[], at, flag(change_runs)),
        watched.sample(metric::LISTENER_REFUSED, &[], at, flag(remains.refused)),
        watched.sample(metric::CHILDREN, &[], at, f64::from(children)),
        watched.sample(metric::PROCESSES_STOPPED, &[], at, value(remains.stopped)),
    ];
    let what = FactKind::ParentExited {
        pid: down.lost.key.pid,
        how: if goodbye.clean {
            ExitKind::CleanStop
        } else {
            ExitKind::Crash
        },
        supervisor,
        children_alive: children,
        log_line: goodbye.line,
    };
    watched.deliver(Batch {
        samples,
        facts: vec![watched.fact(exited_at, what)],
        logs: Vec::new(),
    });
}

/// Samples what is left until a new parent is there; `None` when the watch ends.
fn while_down(
    watched: &Watched,
    down: &Down<'_>,
    change: &mut ChangeWatch,
    queue: &mut QueueWatch,
) -> Option<Found> {
    let mut next_sample = Instant::now() + SAMPLE_EVERY;
    loop {
        if let Some(found) = search(watched, true) {
            return Some(found);
        }
        if watched.stop.wait(SEARCH_EVERY) {
            return None;
        }
        if Instant::now() >= next_sample {
            next_sample = Instant::now() + SAMPLE_EVERY;
            let at = watched.now();
            watched.deliver(queue.look(watched));
            let samples = family_while_down(watched, down, change, at);
            watched.deliver(Batch {
                samples,
                ..Batch::default()
            });
        }
    }
}

fn family_while_down(
    watched: &Watched,
    down: &Down<'_>,
    change: &mut ChangeWatch,
    at: Timestamp,
) -> Vec<Sample> {
    let orphans = exit::orphans(down.lost);
    let stopped = orphans.iter().filter(|(_, stopped)| *stopped).count();
    let unit = down.unit.as_deref();
    let supervised =
        watched.supervisor() != Supervisor::None && !unit.is_some_and(supervisor::unit_failed);
    let change_runs = change.change_runs(true) || unit.is_some_and(supervisor::unit_job_runs);
    let count = |number: usize| value(u64::try_from(number).unwrap_or(u64::MAX));
    vec![
        watched.sample(metric::PARENT_UP, &[], at, 0.0),
        watched.sample(metric::CHILDREN, &[], at, count(orphans.len())),
        watched.sample(metric::PROCESSES_STOPPED, &[], at, count(stopped)),
        watched.sample(metric::SUPERVISED, &[], at, flag(supervised)),
        watched.sample(metric::CHANGE_RUNNING, &[], at, flag(change_runs)),
        watched.sample(
            metric::LISTENER_REFUSED,
            &[],
            at,
            flag(exit::is_refused(&watched.listeners(), || orphans.len())),
        ),
    ]
}
