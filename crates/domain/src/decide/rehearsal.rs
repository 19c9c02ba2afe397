//! Several commands decided on a copy of the state: whether one of them would be refused is known before any is asked for.

use super::decide;
use crate::command::{Ask, Command, Refusal};
use crate::event::Actor;
use crate::simulate::Counted;
use crate::state::State;
use crate::time::Timestamp;

/// The first of these that would be refused, by its place, when they are asked for one after the other. Of a state that
/// holds very much, what they are about is enough ([`State::about`]).
#[must_use]
pub fn first_refused(
    mut state: State,
    actor: &Actor,
    asks: &[Ask],
    now: Timestamp,
) -> Option<(usize, Refusal)> {
    let mut entropy = Counted(0);
    for (place, ask) in asks.iter().enumerate() {
        let command = Command {
            actor: actor.clone(),
            ask: ask.clone(),
        };
        if let Err(refusal) = decide(&mut state, command, now, &mut entropy) {
            return Some((place, refusal));
        }
        // What is due by it is done before the next one, as it will be.
        while state.next_due().is_some_and(|due| due <= now) {
            let tick = Command {
                actor: Actor::System,
                ask: Ask::Tick,
            };
            let done = decide(&mut state, tick, now, &mut entropy);
            if done.unwrap_or_default().is_empty() {
                break;
            }
        }
    }
    None
}
