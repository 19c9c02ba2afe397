//! The pure decisions of Tocsin: it knows no I/O, no clock and no random source.

pub mod id;
pub mod signal;
pub mod time;
