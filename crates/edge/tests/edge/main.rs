//! The sockets against the real engine on a journal in memory, with fake accounts, vault and store, and real sockets for
//! what is sent.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test picks what it looks at"
)]

mod access;
mod accounts;
mod alertmanager;
mod answer;
mod audit;
mod auditor;
mod browser;
mod buttons;
mod calendar;
mod callbacks;
mod canary;
mod changes;
mod channels;
mod code;
mod described;
mod doctor;
mod emergencies;
mod evaluated;
mod explained_far;
mod explained_waits;
mod explanation;
mod fakes;
mod front;
mod hostile;
mod imported;
mod incident;
mod intake;
mod late;
mod listed;
mod listeners;
mod mail;
mod mail_intake;
mod mapped;
mod matrix;
mod native;
mod opsgenie;
mod outside;
mod pace;
mod pagerduty;
mod parameters;
mod people;
mod places;
mod post;
mod prometheus;
mod providers;
mod push_key;
mod receipts;
mod remote_write;
mod repeated;
mod respond;
mod samples;
mod schedules;
mod scopes;
mod set_up;
mod simulation;
mod stream;
mod token_limit;
mod tokens;
mod unread;
mod vault;
mod web_push;
mod webhooks;
mod world;
