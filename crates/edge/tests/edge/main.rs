//! The sockets against the real engine on a journal in memory, with fake accounts, vault and store, and real sockets for
//! what is sent.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test picks what it looks at"
)]

mod access;
mod answer;
mod browser;
mod buttons;
mod callbacks;
mod channels;
mod evaluated;
mod fakes;
mod front;
mod hostile;
mod incident;
mod mail;
mod people;
mod post;
mod prometheus;
mod providers;
mod remote_write;
mod samples;
mod stream;
mod web_push;
mod world;
