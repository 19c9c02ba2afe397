//! The pure decisions of Tocsin: it knows no I/O, no clock and no random source.

pub mod actor;
pub mod ahead;
pub mod alert;
pub mod calendar;
pub mod command;
pub mod decide;
pub mod event;
mod event_about;
pub mod id;
pub mod incident;
pub mod learn;
pub mod monitor;
pub mod oncall;
pub mod oncall_command;
pub mod oncall_event;
pub mod pack;
pub mod page;
pub mod people;
pub mod service;
pub mod signal;
pub mod state;
pub mod target;
pub mod time;
pub mod write;
