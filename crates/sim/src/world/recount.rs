//! The fingerprint of a world's events, and the whole journal read and folded again.

use std::io::{self, Write};

use tocsin_domain::event::Event;
use tocsin_domain::state::State;

use super::World;
use crate::check::Check;

/// FNV-1a over all that was journalled, as it is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fingerprint(u64);

impl Default for Fingerprint {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fingerprint {
    pub(super) const fn value(self) -> u64 {
        self.0
    }

    pub(super) fn add(&mut self, event: &Event) {
        // Writing to a number cannot fail, and every event can be written.
        let _ = serde_json::to_writer(self, event);
    }
}

impl Write for Fingerprint {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl World {
    /// Reads the whole journal as it would be read at a start, and compares what it folds to.
    pub(super) fn recount(&mut self) {
        self.tally.replays += 1;
        let mut state = State::with_ticks_of(self.shadow.tick_events());
        let mut unread = None;
        {
            let disk = self.machine.disk();
            for event in &disk.events {
                let text = serde_json::to_vec(event);
                let read = text.and_then(|text| serde_json::from_slice::<Event>(&text));
                match read {
                    Ok(read) if read == *event => state.evolve(&read),
                    Ok(_) => unread = Some(format!("event {} reads as another", event.position)),
                    Err(why) => unread = Some(format!("event {}: {why}", event.position)),
                }
            }
        }
        if let Some(what) = unread {
            self.wrong(Check::Replay, what);
        } else if state != self.shadow {
            self.wrong(Check::Replay, "the journal folds to another state");
        }
    }

    /// Compares what is served with the journal.
    pub(super) fn compare_published(&mut self) {
        let Some(engine) = &self.engine else {
            return;
        };
        let published = engine.published();
        let same = published.read().is_ok_and(|state| *state == self.shadow);
        if !same {
            self.wrong(
                Check::Replay,
                "what is served is not what the journal folds to",
            );
        }
    }
}
