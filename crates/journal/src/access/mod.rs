//! Who may come in: sessions, passwords, tokens, and what guards them; only hashes of what people and programs present
//! are kept. It decides nothing about what a role may do.

mod api_token;
mod idempotency;
mod one_time;
mod password;
mod session;
mod setting;

use std::sync::Arc;

use diesel::prelude::*;
use secrecy::SecretString;
use tocsin_domain::id::{Entropy, UserId};
use tocsin_domain::people::Role;
use tocsin_domain::time::Timestamp;

use crate::connection::{self, SharedConnection};
use crate::data_dir::DataDirLock;
use crate::error::AccessError;
use crate::key::{MasterKey, hex};
use crate::schema::{api_tokens, one_time_tokens, passwords, sessions};
use crate::vault::{Vault, delete_owned_by};

pub use api_token::{ApiToken, NewApiToken};
pub use idempotency::{IDEMPOTENCY_BODY_BYTES_MAX, Idempotency};
pub use one_time::{OneTimePurpose, OneTimeRefusal};
pub use password::{
    PASSWORD_CHARACTERS_MIN, PasswordError, hash_password, verify_decoy_password, verify_password,
};
pub use session::{NewSession, Session};

/// Using a session or token is noted at most this often, so that reading does not become writing.
const NOTED_EVERY_MS: u64 = 60_000;

/// The access tables of one data directory; any thread may use them.
pub struct Access {
    database: SharedConnection,
    key: Arc<MasterKey>,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Access")
            .field("file", &self.database.file())
            .finish_non_exhaustive()
    }
}

impl Access {
    /// Opens the access tables beside the vault, whose key they use.
    ///
    /// # Errors
    /// When the database cannot be opened.
    pub fn open(lock: &DataDirLock, vault: &Vault) -> Result<Self, AccessError> {
        let file = lock.directory().join("access.sqlite3");
        let connection = connection::open_writer(&file).map_err(|fault| fault.in_access(&file))?;
        Ok(Self {
            database: SharedConnection::new(file, connection),
            key: vault.key(),
        })
    }

    /// Removes a person's sessions, password, tokens and vault rows, all or none of them.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn delete_user(&self, user: UserId) -> Result<(), AccessError> {
        let id = user.as_str();
        self.database.write(|connection| {
            diesel::delete(sessions::table.filter(sessions::user.eq(id))).execute(connection)?;
            diesel::delete(passwords::table.find(id)).execute(connection)?;
            diesel::delete(api_tokens::table.filter(api_tokens::user.eq(id)))
                .execute(connection)?;
            diesel::delete(one_time_tokens::table.filter(one_time_tokens::user.eq(id)))
                .execute(connection)?;
            delete_owned_by(connection, user)?;
            Ok(())
        })
    }

    /// A row that this crate did not write.
    fn damaged(&self, detail: &str) -> AccessError {
        AccessError::Corrupt {
            file: self.database.file().to_owned(),
            detail: detail.to_owned(),
        }
    }

    fn stored_user(&self, text: &str) -> Result<UserId, AccessError> {
        text.parse()
            .map_err(|_| self.damaged("a row names no user"))
    }
}

/// 256 bits that nobody can guess, in hex.
fn random_token(entropy: &mut (impl Entropy + ?Sized)) -> SecretString {
    let mut bytes = [0_u8; 32];
    entropy.fill(&mut bytes);
    hex(&bytes).into()
}

/// The latest note of a use that is old enough to be replaced at `now`.
fn noted_before(now: Timestamp) -> i64 {
    now.minus_ms(NOTED_EVERY_MS).as_micros()
}

const fn role_word(role: Role) -> &'static str {
    match role {
        Role::Viewer => "viewer",
        Role::Responder => "responder",
        Role::Admin => "admin",
    }
}

fn role_of(word: &str) -> Option<Role> {
    [Role::Viewer, Role::Responder, Role::Admin]
        .into_iter()
        .find(|role| role_word(*role) == word)
}
