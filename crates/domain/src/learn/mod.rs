//! What is learned from an incident: frozen evidence, the facts computed from it, nothing that is not in it.

pub mod evidence;
pub mod facts;
pub mod ledger;
pub mod mask;
pub mod moment;
pub mod requests;
pub mod statements;
pub mod verify;

mod case;
mod cause;
mod charts;
mod detection;
mod durations;
mod ending;
mod expected;
mod failure;
mod impact;
mod kinds;
mod lessons;
mod measures;
mod moments;
mod paging;
mod resolution;
mod response;
mod telling;
mod timeline;

#[cfg(any(test, feature = "fixture"))]
pub mod fixture;

#[cfg(test)]
mod tests;

pub use impact::{Hurt, Question, hurt};
pub use verify::{Mismatch, verify};
