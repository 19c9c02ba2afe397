//! Carries out what the engine decided: sends go to delivery's queue, freezing to the evidence thread, news to the live stream.

use std::sync::Arc;

use tocsin_domain::event::Event;
use tocsin_edge::delivery::queue::{Queue, Work};
use tocsin_edge::feed::Feed;
use tocsin_edge::vigil::Vigil;
use tocsin_engine::{Effect, Effects};

use crate::evidence::ToFreeze;

/// The ends of the queues that the engine fills; filling never waits.
pub(crate) struct Outlets {
    pub(crate) delivery: Queue,
    pub(crate) freeze: ToFreeze,
    pub(crate) feed: Feed,
    pub(crate) vigil: Arc<Vigil>,
}

impl Effects for Outlets {
    fn committed(&mut self, events: &[Event]) {
        self.feed.publish(events);
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Send {
                notification,
                number,
            } => self.delivery.push(Work {
                notification,
                number,
            }),
            Effect::Freeze { incident } => {
                // The thread is gone only when Tocsin stops; the next start freezes what is left.
                let _ = self.freeze.send(incident);
            }
            Effect::Canary {
                run,
                at,
                outcome,
                detail,
            } => self.vigil.canary_ended(run, at, outcome, &detail),
        }
    }
}
