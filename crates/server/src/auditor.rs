//! Runs the auditor on a thread of its own: a look every 30 s, the canary every 5 minutes, until told to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tocsin_edge::auditor::Auditor;

/// Looks at everything this often.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// The canary is sent this often.
const CANARY_EVERY: Duration = Duration::from_secs(300);
/// The first look and the first canary come this long after the start.
const FIRST_AFTER: Duration = Duration::from_secs(5);
/// How often it is seen whether it is time, or told to stop.
const STEP: Duration = Duration::from_millis(250);

/// Audits until told to stop.
pub(crate) fn start(
    mut auditor: Auditor,
    stopping: Arc<AtomicBool>,
) -> std::io::Result<JoinHandle<()>> {
    let audit = move || {
        let mut pause = |wait: Duration| {
            let end = Instant::now() + wait;
            while Instant::now() < end && !stopping.load(Ordering::Relaxed) {
                std::thread::sleep(STEP.min(wait));
            }
        };
        pause(FIRST_AFTER);
        let (mut next_look, mut next_canary) = (Instant::now(), Instant::now());
        while !stopping.load(Ordering::Relaxed) {
            let now = Instant::now();
            if now >= next_look || auditor.misses_the_canary() {
                next_look = now + LOOK_EVERY;
                auditor.audit(&mut pause);
            }
            if now >= next_canary && auditor.send_canary() {
                next_canary = now + CANARY_EVERY;
            }
            pause(STEP);
        }
    };
    std::thread::Builder::new()
        .name("auditor".to_owned())
        .spawn(audit)
}
