//! Runs the auditor on a thread of its own: a look every 30 s, the canary every 5 minutes, and sooner after one that is lost, until
//! told to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tocsin_edge::auditor::Auditor;

/// Looks at everything this often.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// The canary is sent this often.
const CANARY_EVERY: Duration = Duration::from_secs(300);
/// After one that is known to be lost, another follows so soon: trouble that passes is over before anybody is told.
const CANARY_AGAIN: Duration = Duration::from_secs(20);
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
        let mut next_look = Instant::now();
        let mut canary_sent: Option<Instant> = None;
        while !stopping.load(Ordering::Relaxed) {
            let now = Instant::now();
            if now >= next_look || auditor.misses_the_canary() {
                next_look = now + LOOK_EVERY;
                auditor.audit(&mut pause);
            }
            let wait = if auditor.has_lost_the_canary() {
                CANARY_AGAIN
            } else {
                CANARY_EVERY
            };
            let is_due = canary_sent.is_none_or(|sent| now >= sent + wait);
            if is_due && auditor.send_canary() {
                canary_sent = Some(now);
            }
            pause(STEP);
        }
    };
    std::thread::Builder::new()
        .name("auditor".to_owned())
        .spawn(audit)
}
