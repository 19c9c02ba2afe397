//! What a step leaves to the next one, because too many of its decisions ended in a panic. Each of those makes the state anew, and
//! meanwhile nobody is paged; what is left is not lost, and neither is whoever waits for an answer.

use std::mem;

use tocsin_domain::command::Command;
use tocsin_domain::signal::Batch;
use tocsin_domain::time::Timestamp;

use super::canary::Asked;
use crate::group::Reply;
use crate::handle::AskError;

/// Panics that a step lives through while it decides what was asked, and as many while it judges what arrived.
pub(super) const PANICS_BORNE: usize = 8;
/// The next step is due at once, whatever the clock says.
const AT_ONCE: Timestamp = Timestamp::from_micros(i64::MIN);
/// Commands that may wait for the next step, and batches; memory stays bounded.
const PUT_OFF_MAX: usize = 4_096;

/// What was asked and what arrived, and was left to the next step.
#[derive(Default)]
pub(super) struct PutOff {
    commands: Asked,
    batches: Vec<Batch>,
}

impl PutOff {
    /// When the next step is due for it, if there is any.
    pub(super) fn due(&self) -> Option<Timestamp> {
        let is_empty = self.commands.is_empty() && self.batches.is_empty();
        (!is_empty).then_some(AT_ONCE)
    }

    /// Takes these up, after what was left to this step.
    pub(super) fn take_up(&mut self, commands: Asked, batches: Vec<Batch>) -> (Asked, Vec<Batch>) {
        let mut all = (mem::take(&mut self.commands), mem::take(&mut self.batches));
        all.0.extend(commands);
        all.1.extend(batches);
        all
    }

    /// Leaves these commands to the next step. Who finds no room is told to come again.
    pub(super) fn leave(&mut self, commands: impl Iterator<Item = (Command, Reply)>) {
        for (command, reply) in commands {
            if self.commands.len() < PUT_OFF_MAX {
                self.commands.push((command, reply));
            } else {
                reply(Err(AskError::Busy));
            }
        }
        if !self.commands.is_empty() {
            tracing::error!(
                commands = self.commands.len(),
                "too many commands of one step ended in a fault of Tocsin itself; the others wait for the next one"
            );
        }
    }

    /// Leaves these batches to the next step, the newest ones where there are too many.
    pub(super) fn leave_batches(&mut self, batches: Vec<Batch>) {
        self.batches.extend(batches);
        let surplus = self.batches.len().saturating_sub(PUT_OFF_MAX);
        self.batches.drain(..surplus);
    }
}
