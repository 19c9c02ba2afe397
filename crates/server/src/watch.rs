//! Hosts the agent inside the server: what it sees is stored first and judged then; and tells how the agent is.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tocsin_agent::{Agent, AgentStatus, Host, NotRecorded};
use tocsin_domain::command::{Ask, Command, WatchAsk};
use tocsin_domain::event::Actor;
use tocsin_domain::id::TargetId;
use tocsin_domain::signal::Batch;
use tocsin_domain::target::TargetIdentity;
use tocsin_domain::time::Timestamp;
use tocsin_edge::ports::{Hindrance, Watch, Watching};
use tocsin_engine::{Clock, EngineHandle};
use tocsin_telemetry::Store;

use crate::rules::RulesHandle;
use crate::system::{SystemClock, hex};

/// Where the agent stands.
pub(crate) enum Standing {
    /// The configuration switches it off.
    Off,
    /// It was not started yet, or was stopped.
    NotYet,
    /// It could not be started, and why.
    Refused(String),
    /// It runs.
    Running(Arc<Agent>),
}

/// Tells how the agent is, to whoever asks.
pub(crate) struct Sight(Mutex<Standing>);

impl Sight {
    pub(crate) fn new(standing: Standing) -> Self {
        Self(Mutex::new(standing))
    }

    pub(crate) fn set(&self, standing: Standing) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = standing;
    }
}

impl Watch for Sight {
    fn watching(&self) -> Watching {
        let agent = match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Standing::Off => return Watching::Off,
            Standing::NotYet => return Watching::NotYet,
            Standing::Refused(why) => return Watching::NotRunning(why.clone()),
            Standing::Running(agent) => Arc::clone(agent),
        };
        Watching::Running(hindrances(&agent.status()))
    }
}

fn hindrances(status: &AgentStatus) -> Vec<Hindrance> {
    let mut all = Vec::new();
    for target in &status.targets {
        // The status page has a check of its own, with the lines to paste.
        let problems = target.problems.iter().filter(|one| one.part != "status");
        all.extend(problems.map(|one| Hindrance {
            about: target.name.clone(),
            what: one.text.clone(),
            fix: fix(one.part).to_owned(),
        }));
    }
    all
}

/// What to do about a part of the agent that does not work.
fn fix(part: &str) -> &'static str {
    match part {
        "logs" => {
            "let the user that Tocsin runs as read the logs: on Debian and Ubuntu add it to the group adm, then restart Tocsin"
        }
        "inotify" => "raise fs.inotify.max_user_instances with sysctl, then restart Tocsin",
        "queue" => {
            "run Tocsin where it may use sock_diag: not in a sandbox that forbids it (AF_NETLINK), and in the network of the server"
        }
        "parent" => {
            "run Tocsin where it may use pidfd_open (Linux 5.3 or newer, no filter of system calls that forbids it)"
        }
        "config" => "run Tocsin as root, or as a user who may run the server's own test",
        "positions" => "make the data directory writable and free some space",
        _ => "see the log of `tocsin serve`",
    }
}

/// The agent's host: the store and the engine of this process.
pub(crate) struct LocalHost {
    pub(crate) store: Arc<Store>,
    pub(crate) engine: EngineHandle,
    pub(crate) rules: RulesHandle,
    /// Key of the hashes that stand for users' names.
    pub(crate) user_key: Vec<u8>,
    /// Whether the last batch could not be written: the log tells of changes only.
    pub(crate) write_fails: AtomicBool,
}

impl Host for LocalHost {
    fn deliver(&self, batch: Batch) {
        let outcome = self.store.append(&batch, SystemClock.now());
        let was_failing = self.write_fails.swap(outcome.is_err(), Ordering::Relaxed);
        match outcome {
            // It is in memory, so that a full disk does not stop detection; doctor tells.
            Err(error) if !was_failing => {
                tracing::error!(%error, "telemetry could not be written; it is tried again with whatever comes next");
            }
            Ok(_) if was_failing => tracing::info!("telemetry is written again"),
            Ok(_) | Err(_) => {}
        }
        self.rules.batch_arrived(&batch);
        self.engine.arrived(batch);
    }

    fn target_found(&self, identity: TargetIdentity) -> Result<Option<TargetId>, NotRecorded> {
        let config_path = identity.config_path.clone();
        let command = Command {
            actor: Actor::System,
            ask: Ask::Watch(WatchAsk::Seen(identity)),
        };
        if let Err(error) = self.engine.ask_and_wait(command) {
            tracing::warn!(%error, config_path, "a web server was found but could not be recorded; it is tried again");
            return Err(NotRecorded);
        }
        Ok(self.engine.read(|state| {
            let known = state
                .targets
                .values()
                .find(|target| target.identity.config_path == config_path);
            known.map(|target| target.id)
        }))
    }

    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    fn user_hash(&self, user: &str) -> String {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.user_key).expect("HMAC takes keys of any length");
        mac.update(user.as_bytes());
        hex(&mac.finalize().into_bytes()[..8])
    }
}

#[cfg(test)]
mod tests {
    use tocsin_agent::{Problem, TargetStatus};
    use tocsin_domain::id::TargetId;

    use super::*;
    use crate::system::OsEntropy;

    #[test]
    fn what_the_agent_cannot_see_is_told_with_what_to_do() {
        let problem = |part, text: &str| Problem {
            part,
            text: text.to_owned(),
        };
        let status = AgentStatus {
            targets: vec![TargetStatus {
                id: TargetId::random(&mut OsEntropy),
                name: "Apache".to_owned(),
                config_path: "/etc/apache2/apache2.conf".to_owned(),
                parent: None,
                problems: vec![
                    problem("logs", "access.log cannot be read"),
                    problem("status", "the status page cannot be read"),
                ],
            }],
            not_watched: Vec::new(),
        };
        let found = hindrances(&status);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].about, "Apache");
        assert_eq!(found[0].what, "access.log cannot be read");
        assert!(found[0].fix.contains("group adm"), "{}", found[0].fix);
    }

    #[test]
    fn an_agent_that_was_refused_is_told() {
        let sight = Sight::new(Standing::NotYet);
        assert_eq!(sight.watching(), Watching::NotYet);
        sight.set(Standing::Refused("no threads".to_owned()));
        assert_eq!(
            sight.watching(),
            Watching::NotRunning("no threads".to_owned())
        );
    }
}
