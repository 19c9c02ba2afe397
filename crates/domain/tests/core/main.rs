//! Behaviour of the core, told by a small world in virtual time.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]

mod acknowledged;
mod apart;
mod audit;
mod business;
mod clock;
mod declaring;
mod described;
mod due_reference;
mod engaged;
mod escalation;
mod helping;
mod in_person;
mod incident;
mod intake;
mod integrations;
mod joining;
mod keys;
mod last_resort;
mod load;
mod merging;
mod mirrors;
mod names;
mod nobody;
mod oncall;
mod paging;
mod quiet;
mod receipts;
mod removed_services;
mod reopening;
mod responding;
mod resting;
mod returns;
mod rules;
mod sharing;
mod simulate;
mod storms;
mod subscriptions;
mod tags;
mod teams;
mod untried;
mod walk;
mod ways;
mod world;
mod zones;
