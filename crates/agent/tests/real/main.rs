//! The agent beside a real, private Apache; without one installed every test says so and passes.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one kind of fact"
)]

mod apache;
mod exits;
mod logs;
mod measure;
mod recorder;
mod signals;
