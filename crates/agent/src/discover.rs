//! Finds the Apache servers of this machine and keeps each that was found under watch.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tocsin_domain::id::TargetId;
use tocsin_domain::target::TargetIdentity;

use crate::identify::{self, Candidate, Identified};
use crate::positions::Positions;
use crate::procfs::{self, ProcessKey, Seen};
use crate::server_args::ServerArgs;
use crate::stop::Stop;
use crate::watched::{Watched, lock};
use crate::{AgentStatus, Host, NotRecorded, Settings};

/// Names that distributions give the server's program.
pub(crate) const SERVER_NAMES: [&str; 2] = ["apache2", "httpd"];
/// Servers that one machine may have under watch.
const TARGETS_MAX: usize = 64;
const SCAN_EVERY: Duration = Duration::from_secs(2);
/// Just after the start, and while a process is still becoming a server.
const SCAN_SOON: Duration = Duration::from_millis(250);
/// A process with children that no pid file names is believed after this long.
const BELIEVED_AFTER_MS: u64 = 1_500;
/// A process without children that no pid file names is given up after this long: it is a lost child of a dead parent.
const GIVEN_UP_AFTER_MS: u64 = 20_000;

/// All targets under watch.
pub(crate) struct Fleet {
    settings: Arc<Settings>,
    host: Arc<dyn Host>,
    positions: Arc<Positions>,
    stop: Stop,
    targets: Mutex<BTreeMap<TargetId, Arc<Watched>>>,
    /// What became of each process that looks like a server, so that each is looked at once.
    looked_at: Mutex<BTreeMap<ProcessKey, Outcome>>,
    /// Whether the processes were looked through once, and each was clearly a server or not.
    scanned: Arc<AtomicBool>,
}

#[derive(Clone)]
enum Outcome {
    Watched,
    NotWatched(String),
    /// It may be a server that is still starting, or the first of two processes of one that goes to the background.
    Unsettled(Box<Identified>),
    /// It is a server.
    Server(Box<Identified>),
}

impl Fleet {
    pub(crate) fn new(settings: Settings, host: Arc<dyn Host>) -> io::Result<Self> {
        Ok(Self {
            positions: Arc::new(Positions::load(settings.log_positions.clone())),
            settings: Arc::new(settings),
            host,
            stop: Stop::new()?,
            targets: Mutex::new(BTreeMap::new()),
            looked_at: Mutex::new(BTreeMap::new()),
            scanned: Arc::new(AtomicBool::new(false)),
        })
    }

    pub(crate) fn stop_signal(&self) -> Stop {
        self.stop.clone()
    }

    /// Watches the targets found earlier.
    pub(crate) fn watch_known(&self) -> io::Result<()> {
        for (id, identity) in &self.settings.known {
            self.watch(*id, identity.clone())?;
        }
        Ok(())
    }

    pub(crate) fn targets(&self) -> Vec<Arc<Watched>> {
        lock(&self.targets).values().cloned().collect()
    }

    pub(crate) fn stop(&self) {
        self.stop.raise();
        let targets = self.targets();
        for target in &targets {
            target.stop.raise();
        }
        for target in targets {
            target.end();
        }
    }

    pub(crate) fn forget(&self, id: TargetId) {
        let target = lock(&self.targets).remove(&id);
        if let Some(target) = target {
            target.end();
        }
        // Its process may be found again, as a new target, if the host wants that.
        lock(&self.looked_at).clear();
    }

    pub(crate) fn status(&self) -> AgentStatus {
        let not_watched = lock(&self.looked_at)
            .iter()
            .filter_map(|(key, outcome)| match outcome {
                Outcome::NotWatched(reason) => Some(format!("process {}: {reason}", key.pid)),
                Outcome::Watched | Outcome::Unsettled(_) | Outcome::Server(_) => None,
            })
            .collect();
        AgentStatus {
            targets: lock(&self.targets)
                .values()
                .map(|target| target.status())
                .collect(),
            not_watched,
        }
    }

    pub(crate) fn scan_until_stopped(&self) {
        loop {
            let unsettled = self.scan();
            if !unsettled {
                self.scanned.store(true, Ordering::Relaxed);
            }
            if self
                .stop
                .wait(if unsettled { SCAN_SOON } else { SCAN_EVERY })
            {
                return;
            }
        }
    }

    /// Looks once; true when some process is not yet clearly a server or not.
    fn scan(&self) -> bool {
        let seen = procfs::named(&SERVER_NAMES);
        lock(&self.looked_at).retain(|key, _| seen.iter().any(|seen| seen.key() == *key));
        let mut unsettled = false;
        for parent in parents(&seen) {
            let before = lock(&self.looked_at).get(&parent.key()).cloned();
            let outcome = match before {
                Some(Outcome::Watched | Outcome::NotWatched(_)) => continue,
                Some(Outcome::Unsettled(identified) | Outcome::Server(identified)) => {
                    settle(&parent, &seen, *identified)
                }
                None => match look_at(&parent, &seen, &|path| self.is_wanted(path)) {
                    Some(outcome) => outcome,
                    None => continue,
                },
            };
            let outcome = match outcome {
                Outcome::Server(found) => self.found(parent.key(), *found),
                settled @ (Outcome::Watched | Outcome::NotWatched(_) | Outcome::Unsettled(_)) => {
                    settled
                }
            };
            unsettled |= matches!(outcome, Outcome::Unsettled(_));
            if let Outcome::NotWatched(reason) = &outcome {
                tracing::info!(
                    pid = parent.pid,
                    reason,
                    "a process that looks like Apache is not watched"
                );
            }
            lock(&self.looked_at).insert(parent.key(), outcome);
        }
        unsettled
    }

    fn found(&self, parent: ProcessKey, found: Identified) -> Outcome {
        let Identified { identity, program } = &found;
        let known = self.by_config(&identity.config_path);
        if known.is_none() && !self.settings.discover {
            return Outcome::NotWatched("looking for new servers is switched off".to_owned());
        }
        if known.is_none() && lock(&self.targets).len() >= TARGETS_MAX {
            return Outcome::NotWatched(format!("{TARGETS_MAX} servers are watched already"));
        }
        let changed = known
            .as_ref()
            .is_none_or(|known| *known.identity() != *identity);
        let id = if changed {
            self.host.target_found(identity.clone())
        } else {
            Ok(known.as_ref().map(|known| known.id))
        };
        let again = || Outcome::Server(Box::new(found.clone()));
        let id = match id {
            Ok(Some(id)) => id,
            Ok(None) => {
                return Outcome::NotWatched("the server does not want it watched".to_owned());
            }
            Err(NotRecorded) => return again(),
        };
        match self.watch(id, identity.clone()) {
            Ok(watched) => {
                watched.set_program(program.clone());
                watched.offer(parent);
                Outcome::Watched
            }
            Err(error) => {
                let config = &identity.config_path;
                tracing::warn!(config, %error, "watching a server could not begin; it is tried again");
                again()
            }
        }
    }

    fn is_wanted(&self, config_path: &Path) -> bool {
        let only = &self.settings.only;
        only.is_empty() || only.iter().any(|folder| config_path.starts_with(folder))
    }

    fn by_config(&self, config_path: &str) -> Option<Arc<Watched>> {
        lock(&self.targets)
            .values()
            .find(|target| target.identity().config_path == config_path)
            .cloned()
    }

    /// Watches a target, or takes note of its present identity when it is watched already.
    fn watch(&self, id: TargetId, identity: TargetIdentity) -> io::Result<Arc<Watched>> {
        let mut targets = lock(&self.targets);
        if let Some(watched) = targets.get(&id) {
            watched.set_identity(identity);
            return Ok(Arc::clone(watched));
        }
        let watched = Watched::start(
            id,
            identity,
            Arc::clone(&self.host),
            Arc::clone(&self.settings),
            Arc::clone(&self.positions),
            Arc::clone(&self.scanned),
        )?;
        targets.insert(id, Arc::clone(&watched));
        Ok(watched)
    }
}

/// What a process is that was not looked at before; `None` when that is not worth keeping.
fn look_at(parent: &Seen, all: &[Seen], wanted: &dyn Fn(&Path) -> bool) -> Option<Outcome> {
    let not_watched = |reason: &str| Some(Outcome::NotWatched(reason.to_owned()));
    let cmdline = procfs::cmdline(parent.pid);
    if cmdline.is_empty() || !ServerArgs::read(&cmdline).is_server() {
        return not_watched("it does not serve");
    }
    if is_left_over(parent, all) {
        return None;
    }
    let Some(candidate) = candidate(parent.key()) else {
        return not_watched("it ended");
    };
    Some(match identify::identify(&candidate, wanted) {
        Ok(identified) => settle(parent, all, identified),
        Err(reason) => Outcome::NotWatched(reason),
    })
}

/// Whether it is a child whose parent died: childless, in the process group of one that is gone. There may be hundreds,
/// so they are told apart before anything is run.
fn is_left_over(process: &Seen, all: &[Seen]) -> bool {
    let group = process.stat.pgrp;
    group != process.pid
        && child_of(process, all).is_none()
        && !procfs::stat(group).is_some_and(|leader| leader.is_alive())
}

/// What must be known of a process to identify it; `None` when it is gone.
pub(crate) fn candidate(key: ProcessKey) -> Option<Candidate> {
    let stat = procfs::stat(key.pid).filter(|stat| stat.start_ticks == key.start_ticks)?;
    let child = procfs::children(key.pid)
        .into_iter()
        .find(|child| child.stat.comm == stat.comm);
    Some(Candidate {
        key,
        comm: stat.comm,
        args: ServerArgs::read(&procfs::cmdline(key.pid)),
        child_owner: child.and_then(|child| procfs::owner(child.pid)),
    })
}

/// Whether an identified process is a server by now.
fn settle(parent: &Seen, all: &[Seen], identified: Identified) -> Outcome {
    if identify::pid_in(&identified.identity.pid_file) == Some(parent.pid) {
        return Outcome::Server(Box::new(identified));
    }
    let age_ms = procfs::age_ms(&parent.stat).unwrap_or(u64::MAX);
    let has_child = child_of(parent, all).is_some();
    if has_child && age_ms >= BELIEVED_AFTER_MS {
        return Outcome::Server(Box::new(identified));
    }
    if !has_child && age_ms >= GIVEN_UP_AFTER_MS {
        return Outcome::NotWatched("no pid file names it and it has no children".to_owned());
    }
    Outcome::Unsettled(Box::new(identified))
}

fn child_of<'a>(parent: &Seen, all: &'a [Seen]) -> Option<&'a Seen> {
    let comm = &parent.stat.comm;
    all.iter().find(|seen| {
        seen.stat.ppid == parent.pid && seen.stat.comm == *comm && seen.stat.is_alive()
    })
}

/// Of all processes of servers those that are nobody's child among them, zombies left out.
fn parents(seen: &[Seen]) -> Vec<Seen> {
    let is_server = |pid: u32, comm: &str| {
        seen.iter()
            .any(|other| other.pid == pid && other.stat.comm == comm)
    };
    seen.iter()
        .filter(|process| {
            process.stat.is_alive() && !is_server(process.stat.ppid, &process.stat.comm)
        })
        .cloned()
        .collect()
}
