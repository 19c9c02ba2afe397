//! Ports, the step loop and effects; it decides nothing itself and does no network I/O.

mod clock;
pub mod core;
mod detect;
mod faults;
mod group;
pub mod handle;
mod onset;
pub mod ports;
pub mod rules;
mod setback;
mod writer;

pub use crate::clock::canary_was_seen_at;
pub use crate::core::{Core, Past};
pub use crate::handle::{AskError, Done, EngineHandle, Passed, start};
pub use crate::ports::{AppendError, Clock, Effect, Effects, Journal, NotDurable};
