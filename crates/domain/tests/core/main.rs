//! Behaviour of the core, told by a small world in virtual time.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]

mod incident;
mod oncall;
mod paging;
mod world;
