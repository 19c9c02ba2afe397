//! Behaviour of the core, told by a small world in virtual time.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]

mod incident;
mod keys;
mod oncall;
mod paging;
mod quiet;
mod receipts;
mod returns;
mod rules;
mod world;
