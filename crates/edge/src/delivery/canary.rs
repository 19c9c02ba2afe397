//! The canary's sink: a channel that is no person and only says that it got something. What became of it goes back through the
//! engine, as the outcome of every attempt does.

use std::sync::Arc;
use std::time::Duration;

use tocsin_engine::handle::{AskError, Leg};

use super::Courier;
use crate::vigil::Stage;

/// How often the engine is asked anew to take the answer.
const TRIES_MAX: u32 = 20;
/// The longest pause between two of these.
const WAIT_MAX: Duration = Duration::from_secs(2);

/// Takes the canary in and reports that it came.
pub(super) async fn through_the_sink(courier: Arc<Courier>, run: u64) {
    let needs = &courier.needs;
    needs.vigil.canary_at(run, Stage::Delivery);
    let mut wait = Duration::from_millis(20);
    for _ in 0..TRIES_MAX {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let reply = move |outcome| {
            // The receiver waits below; it is gone only when the runtime ends.
            let _ = sender.send(outcome);
        };
        let answer = match needs.engine.canary(run, Leg::Back, reply) {
            Ok(()) => receiver.await.unwrap_or(Err(AskError::Stopped)),
            Err(error) => Err(error),
        };
        match answer {
            Ok(()) => return needs.vigil.canary_back(run, needs.clock.now()),
            Err(AskError::Refused(_) | AskError::Fault | AskError::Stopped) => return,
            Err(AskError::Busy | AskError::NotDurable(_)) => {
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(WAIT_MAX);
            }
        }
    }
}
