//! Hosts the agent inside the server: what it sees is stored first and judged then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tocsin_agent::{Host, NotRecorded};
use tocsin_domain::command::{Ask, Command, WatchAsk};
use tocsin_domain::event::Actor;
use tocsin_domain::id::TargetId;
use tocsin_domain::signal::Batch;
use tocsin_domain::target::TargetIdentity;
use tocsin_domain::time::Timestamp;
use tocsin_engine::{Clock, EngineHandle};
use tocsin_telemetry::Store;

use crate::system::SystemClock;

/// The agent's host: the store and the engine of this process.
pub(crate) struct LocalHost {
    pub(crate) store: Arc<Store>,
    pub(crate) engine: EngineHandle,
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
        let digest = mac.finalize().into_bytes();
        digest
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}
