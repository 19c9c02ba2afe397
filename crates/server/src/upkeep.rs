//! The upkeep of the stores, from time to time on a thread of its own. When a store needs it is the store's to say.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tocsin_engine::{Clock, EngineHandle};
use tocsin_journal::JournalReader;
use tocsin_telemetry::Store;

use crate::evidence;
use crate::system::SystemClock;

/// Upkeep at least this often.
const UPKEEP_EVERY: Duration = Duration::from_secs(60);
/// How often it is looked whether it is time, or told to stop.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Seals and forgets telemetry, and gives the journal its reserve back, until told to stop.
pub(crate) fn start(
    store: &Arc<Store>,
    engine: &EngineHandle,
    reader: &JournalReader,
    stopping: Arc<AtomicBool>,
) -> std::io::Result<JoinHandle<()>> {
    let (store, engine, reader) = (Arc::clone(store), engine.clone(), reader.clone());
    let upkeep = move || {
        let mut last = Instant::now();
        while !stopping.load(Ordering::Relaxed) {
            std::thread::sleep(LOOK_EVERY);
            if last.elapsed() < UPKEEP_EVERY && !store.is_sealing_due() {
                continue;
            }
            last = Instant::now();
            reader.restore_reserve();
            let now = SystemClock.now();
            let pins = engine.read(|state| evidence::pins(state, now));
            if let Err(error) = store.maintain(now, &pins) {
                tracing::error!(%error, "upkeep of telemetry could not be finished; what it did not do is tried again");
            }
        }
    };
    std::thread::Builder::new()
        .name("upkeep".to_owned())
        .spawn(upkeep)
}
