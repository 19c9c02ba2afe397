//! Rules in virtual time against a store in memory.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]

mod alerts;
mod arrival;
mod reload;
mod restart;
mod series;
mod stage;
