//! The engine with fakes around it: a store in memory, a journal that can fail, a clock that is moved by hand.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]

mod ahead;
mod canary;
mod clock;
mod durability;
mod fakes;
mod pack;
mod rules;
mod survive;
