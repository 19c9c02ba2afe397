//! The thread that watches web servers: it starts the agent once there is somebody to be paged, and stops it with the server.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tocsin_agent::{Agent, Settings};
use tocsin_domain::id::TargetId;
use tocsin_engine::EngineHandle;

use super::Running;
use crate::config::Config;
use crate::watch::{LocalHost, Standing};

/// How long it waits between looks at whether Tocsin is set up.
const SETUP_POLL: Duration = Duration::from_millis(500);

/// Watches web servers once somebody is there to be paged; ends, with the agent, when told to stop.
pub(super) fn start(
    parts: &Running,
    config: &Config,
    folder: &Path,
    stopping: &Arc<AtomicBool>,
) -> std::io::Result<JoinHandle<()>> {
    let settings = Settings {
        discover: config.watch.discover,
        only: config.watch.only.clone(),
        tier_field: config.watch.tier_field.clone(),
        user_field: config.watch.user_field.clone(),
        log_positions: Some(folder.join("log-positions.json")),
        ..Settings::default()
    };
    let host = LocalHost {
        store: Arc::clone(&parts.store),
        engine: parts.engine.clone(),
        rules: parts.rules.clone(),
        user_key: parts.user_key.clone(),
        write_fails: AtomicBool::new(false),
    };
    let (enabled, stopping) = (config.watch.enabled, Arc::clone(stopping));
    let sight = Arc::clone(&parts.sight);
    std::thread::Builder::new()
        .name("watch".to_owned())
        .spawn(move || {
            let engine = host.engine.clone();
            let host = Arc::new(host);
            let mut agent: Option<Arc<Agent>> = None;
            let mut removed_from = BTreeSet::new();
            while !stopping.load(Ordering::Relaxed) {
                let ready = enabled && engine.read(|state| state.installation.is_some());
                if ready && agent.is_none() {
                    let standing = start_watching(&settings, &host, &engine);
                    if let Standing::Running(started) = &standing {
                        agent = Some(Arc::clone(started));
                    }
                    sight.set(standing);
                }
                if let Some(agent) = &agent {
                    forget_removed(agent, &engine, &mut removed_from);
                }
                std::thread::sleep(SETUP_POLL);
            }
            sight.set(Standing::NotYet);
            if let Some(agent) = agent {
                agent.stop();
            }
        })
}

fn start_watching(settings: &Settings, host: &Arc<LocalHost>, engine: &EngineHandle) -> Standing {
    let known = engine.read(|state| {
        state
            .targets
            .values()
            .map(|target| (target.id, target.identity.clone()))
            .collect()
    });
    let settings = Settings {
        known,
        ..settings.clone()
    };
    match tocsin_agent::start(settings, Arc::clone(host) as _) {
        Ok(agent) => Standing::Running(Arc::new(agent)),
        Err(error) => {
            tracing::error!(%error, "the agent could not be started; it is tried again");
            Standing::Refused(error.to_string())
        }
    }
}

/// Tells the agent which targets a person removed since the last look.
fn forget_removed(agent: &Agent, engine: &EngineHandle, seen: &mut BTreeSet<TargetId>) {
    let now: BTreeSet<_> = engine.read(|state| state.targets.keys().copied().collect());
    for gone in seen.difference(&now) {
        agent.forget(*gone);
    }
    *seen = now;
}
