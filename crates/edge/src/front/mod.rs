//! Foreign protocols: each front takes its own keys and answers in its own words.

pub(crate) mod alertmanager;
pub(crate) mod integration;
pub(crate) mod known_mappings;
pub(crate) mod mail;
pub(crate) mod opsgenie;
pub(crate) mod pagerduty;
pub(crate) mod prometheus;
pub(crate) mod twilio;
pub(crate) mod webhook;
pub(crate) mod words;
