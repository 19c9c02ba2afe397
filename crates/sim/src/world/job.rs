//! Jobs that must call in: on time, late, never for a while, or to say that they failed.

use tocsin_domain::command::{Ask, HeartbeatAsk, IntakeAsk};
use tocsin_domain::id::HeartbeatId;

use super::agenda::Happening;
use super::{HOUR, Heard, MINUTE, SECOND, Ticket, World};

/// Jobs of a world.
const JOBS: usize = 3;

impl World {
    pub(super) fn make_jobs(&mut self) {
        for _ in 0..JOBS {
            let ask = self.some_job(None);
            self.calmly(Ask::Intake(IntakeAsk::Heartbeat(ask)));
        }
        let jobs: Vec<HeartbeatId> = self.ledger.pulses.keys().copied().collect();
        for job in jobs {
            self.some_time_after(HOUR, Happening::Calls(job));
        }
    }

    /// A job has something to say.
    pub(super) fn job_calls(&mut self, heartbeat: HeartbeatId) {
        if !self.is_rough {
            return;
        }
        let at = self.wall();
        let ask = match self.random.below(100) {
            0..88 => HeartbeatAsk::Called { heartbeat, at },
            88..94 => HeartbeatAsk::Failed {
                heartbeat,
                message: "exit status 1".to_owned(),
            },
            _ => HeartbeatAsk::Started { heartbeat, at },
        };
        self.ask(
            Ask::Intake(IntakeAsk::Heartbeat(ask.clone())),
            Ticket::Job(heartbeat, Box::new(ask)),
        );
    }

    /// When a job says something again: in time, too late, or soon because nobody listened.
    pub(super) fn job_heard(&mut self, heartbeat: HeartbeatId, said: &HeartbeatAsk, heard: &Heard) {
        let Some((every_us, grace_us)) = self.ledger.pulses.get(&heartbeat).map(|one| one.pace())
        else {
            return;
        };
        let has_called = matches!(said, HeartbeatAsk::Called { .. });
        let next = match heard {
            Heard::Lost if self.random.chance(600) => self.random.between(5 * SECOND, MINUTE),
            Heard::Done(_) if !has_called => {
                // It finishes, or is run again.
                self.random.between(SECOND, 2 * grace_us)
            }
            Heard::Done(_) | Heard::Refused | Heard::Lost => match self.random.below(100) {
                0..86 => every_us + self.random.between(-MINUTE, grace_us / 2),
                86..90 => every_us + grace_us + self.random.between(-SECOND, SECOND),
                _ => every_us + grace_us + self.random.between(SECOND, 2 * HOUR),
            },
        };
        self.after(next, Happening::Calls(heartbeat));
    }

    /// No job has to call any more.
    pub(super) fn remove_jobs(&mut self) {
        let jobs: Vec<HeartbeatId> = self.ledger.pulses.keys().copied().collect();
        for job in jobs {
            let ask = IntakeAsk::Heartbeat(HeartbeatAsk::Remove(job));
            self.ask(Ask::Intake(ask), Ticket::Nobody);
        }
    }
}
