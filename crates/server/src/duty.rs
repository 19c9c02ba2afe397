//! Looks from time to time who has duty, and what will keep pages from somebody in the days ahead, and tells the core. What is
//! new of that is the core's to say: looking twice tells nothing twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tocsin_domain::ahead::Roster;
use tocsin_domain::command::{Ask, Command, RosterAsk};
use tocsin_domain::event::Actor;
use tocsin_domain::oncall_command::OncallAsk;
use tocsin_edge::delivery::set_up::channels_set_up;
use tocsin_edge::ports::Accounts;
use tocsin_engine::{Clock, EngineHandle};

use crate::system::SystemClock;

/// How often it is looked who has duty.
const DUTY_EVERY: Duration = Duration::from_secs(10);
/// How often it is looked ahead.
const AHEAD_EVERY: Duration = Duration::from_secs(15 * 60);
/// A server that was just started has a moment in which it is looked ahead for the first time: people may be setting it up.
const AHEAD_FIRST: Duration = Duration::from_secs(60);
/// How often it is looked whether it is time, or told to stop.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Looks until told to stop.
pub(crate) fn start(
    engine: &EngineHandle,
    accounts: Arc<dyn Accounts>,
    stopping: Arc<AtomicBool>,
) -> std::io::Result<JoinHandle<()>> {
    let engine = engine.clone();
    let watch = move || {
        let started = Instant::now();
        let (mut duty_at, mut ahead_at) = (started + DUTY_EVERY, started + AHEAD_FIRST);
        while !stopping.load(Ordering::Relaxed) {
            std::thread::sleep(LOOK_EVERY);
            let now = Instant::now();
            if now >= duty_at {
                duty_at = now + DUTY_EVERY;
                ask(&engine, OncallAsk::NoticeHandOffs);
            }
            if now >= ahead_at {
                ahead_at = now + AHEAD_EVERY;
                look_ahead(&engine, accounts.as_ref());
            }
        }
    };
    std::thread::Builder::new()
        .name("duty".to_owned())
        .spawn(watch)
}

/// Computed here and not by the core, which must not wait for it.
fn look_ahead(engine: &EngineHandle, accounts: &dyn Accounts) {
    let set_up = match channels_set_up(accounts) {
        Ok(set_up) => set_up,
        Err(error) => {
            tracing::warn!(%error, "it could not be looked ahead, since the settings cannot be read; it is tried again");
            return;
        }
    };
    let roster = engine.read(|state| Roster::of(state, &set_up));
    let findings = roster.findings(SystemClock.now());
    ask(engine, OncallAsk::FindingsSeen { findings, set_up });
}

fn ask(engine: &EngineHandle, ask: OncallAsk) {
    let command = Command {
        actor: Actor::System,
        ask: Ask::Roster(RosterAsk::Oncall(ask)),
    };
    // What could not be told now is still new at the next look.
    if let Err(error) = engine.ask_and_wait(command) {
        tracing::warn!(%error, "who has duty could not be looked at; it is tried again");
    }
}
