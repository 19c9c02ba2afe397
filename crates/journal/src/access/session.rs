//! Sessions of browsers: a random token of which only the hash is kept, and a CSRF token that follows from it.

use diesel::prelude::*;
use secrecy::{ExposeSecret, SecretString};
use tocsin_domain::id::{Entropy, UserId};
use tocsin_domain::time::Timestamp;

use super::{Access, noted_before, random_token};
use crate::error::AccessError;
use crate::key::hash_of;
use crate::schema::sessions;

/// Sessions of one person at most; the one that was idle longest ends for a new one.
const SESSIONS_PER_USER_MAX: i64 = 50;

/// What a browser is given.
#[derive(Debug)]
pub struct NewSession {
    /// Goes into the cookie.
    pub token: SecretString,
    /// Goes into the page, and comes back with every request that changes something.
    pub csrf: SecretString,
}

/// A session that is valid.
#[derive(Debug)]
pub struct Session {
    /// Whose.
    pub user: UserId,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_seen: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// What requests that change something must bring along.
    pub csrf: SecretString,
}

/// Follows from the session's token, so that it need not be kept and nobody learns it from the database.
fn csrf_of(token: &str) -> SecretString {
    hash_of(&format!("csrf of {token}")).into()
}

impl Access {
    /// Begins a session. Expired sessions of everyone are removed on the way.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn create_session(
        &self,
        user: UserId,
        now: Timestamp,
        expires_at: Timestamp,
        entropy: &mut (impl Entropy + ?Sized),
    ) -> Result<NewSession, AccessError> {
        let token = random_token(entropy);
        let hash = hash_of(token.expose_secret());
        self.database.write(|connection| {
            diesel::delete(sessions::table.filter(sessions::expires_at.le(now.as_micros())))
                .execute(connection)?;
            end_all_but(connection, user, SESSIONS_PER_USER_MAX - 1)?;
            diesel::insert_into(sessions::table)
                .values((
                    sessions::token_hash.eq(&hash),
                    sessions::user.eq(user.as_str()),
                    sessions::created_at.eq(now.as_micros()),
                    sessions::last_seen.eq(now.as_micros()),
                    sessions::expires_at.eq(expires_at.as_micros()),
                ))
                .execute(connection)
        })?;
        let csrf = csrf_of(token.expose_secret());
        Ok(NewSession { token, csrf })
    }

    /// The session of `token`, if it is still valid.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn session(&self, token: &str, now: Timestamp) -> Result<Option<Session>, AccessError> {
        let row = self.database.read(|connection| {
            sessions::table
                .find(hash_of(token))
                .filter(sessions::expires_at.gt(now.as_micros()))
                .select((
                    sessions::user,
                    sessions::created_at,
                    sessions::last_seen,
                    sessions::expires_at,
                ))
                .first::<(String, i64, i64, i64)>(connection)
                .optional()
        })?;
        let Some((user, created_at, last_seen, expires_at)) = row else {
            return Ok(None);
        };
        Ok(Some(Session {
            user: self.stored_user(&user)?,
            created_at: Timestamp::from_micros(created_at),
            last_seen: Timestamp::from_micros(last_seen),
            expires_at: Timestamp::from_micros(expires_at),
            csrf: csrf_of(token),
        }))
    }

    /// Whether a person has a session that is still valid.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn has_session(&self, user: UserId, now: Timestamp) -> Result<bool, AccessError> {
        let found: i64 = self.database.read(|connection| {
            sessions::table
                .filter(sessions::user.eq(user.as_str()))
                .filter(sessions::expires_at.gt(now.as_micros()))
                .count()
                .get_result(connection)
        })?;
        Ok(found > 0)
    }

    /// Notes that a session was used; writes at most once a minute.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn touch_session(&self, token: &str, now: Timestamp) -> Result<(), AccessError> {
        self.database.read(|connection| {
            diesel::update(sessions::table.find(hash_of(token)))
                .filter(sessions::last_seen.lt(noted_before(now)))
                .set(sessions::last_seen.eq(now.as_micros()))
                .execute(connection)
        })?;
        Ok(())
    }

    /// Ends a session; says whether there was one.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn end_session(&self, token: &str) -> Result<bool, AccessError> {
        let ended = self.database.write(|connection| {
            diesel::delete(sessions::table.find(hash_of(token))).execute(connection)
        })?;
        Ok(ended > 0)
    }

    /// Ends every session of a person, as after a change of password; returns how many.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn end_sessions_of(&self, user: UserId) -> Result<usize, AccessError> {
        self.database
            .write(|connection| end_all_but(connection, user, 0))
    }
}

/// Ends all sessions of a person but those `kept` that were used last.
fn end_all_but(connection: &mut SqliteConnection, user: UserId, kept: i64) -> QueryResult<usize> {
    let ending: Vec<String> = sessions::table
        .filter(sessions::user.eq(user.as_str()))
        .order(sessions::last_seen.desc())
        .limit(i64::MAX)
        .offset(kept)
        .select(sessions::token_hash)
        .load(connection)?;
    diesel::delete(sessions::table.filter(sessions::token_hash.eq_any(ending))).execute(connection)
}
