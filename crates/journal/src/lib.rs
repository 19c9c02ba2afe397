//! The durable event journal, vault and access tables in SQL; nothing else names the database.
//!
//! One data directory holds two SQLite files: `journal.sqlite3` with the events, written by one thread alone, and
//! `access.sqlite3` with secrets, sessions and tokens. They are apart so that a flood of logins never stands between a
//! failure and its page. Neither reads a clock or draws a random number: both are arguments.

mod access;
mod by_incident;
mod changes;
mod connection;
mod data_dir;
mod disk;
mod error;
mod journal;
mod key;
mod reader;
mod record;
mod schema;
mod upcast;
mod vault;

pub use access::{
    Access, ApiToken, IDEMPOTENCY_BODY_BYTES_MAX, Idempotency, NewApiToken, NewSession,
    OneTimePurpose, OneTimeRefusal, PASSWORD_CHARACTERS_MIN, PasswordError, Session, hash_password,
    verify_decoy_password, verify_password,
};
pub use data_dir::{DATA_FORMAT, DataDir, DataDirError, DataDirLock};
pub use disk::{DiskState, RESERVE_BYTES};
pub use error::{AccessError, JournalError};
pub use journal::{EVENT_BYTES_MAX, Journal};
pub use reader::{EVENTS_PER_READ_MAX, JournalReader};
pub use vault::{SECRET_BYTES_MAX, Vault};
