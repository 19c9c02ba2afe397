//! The whole engine in virtual time: worlds with seeded faults, a second book that checks every event, and bugs let loose on
//! purpose. Development only.

mod campaign;
mod check;
mod hunt;
mod ledger;
mod machine;
mod oncall;
mod providers;
mod random;
pub mod screen;
mod sender;
mod tally;
mod world;

pub use campaign::{Goal, Hash, Result, campaign};
pub use check::{Check, Violation};
pub use hunt::{Catch, hunt, hunt_all};
pub use tally::{FAULTS, Fault, Tally};
pub use world::{Plan, Verdict, run};
