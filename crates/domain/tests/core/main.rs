//! Behaviour of the core, told by a small world in virtual time.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]

mod due_reference;
mod incident;
mod keys;
mod oncall;
mod paging;
mod quiet;
mod returns;
mod rules;
mod sharing;
mod storms;
mod world;
