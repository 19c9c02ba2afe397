//! Rules in virtual time against a store in memory.

mod alerts;
mod arrival;
mod reload;
mod restart;
mod series;
mod stage;
