//! Tokens that work once: the link of the first set-up and links that sign somebody in.

use diesel::prelude::*;
use secrecy::{ExposeSecret, SecretString};
use tocsin_domain::id::{Entropy, UserId};
use tocsin_domain::time::Timestamp;

use super::{Access, random_token};
use crate::error::AccessError;
use crate::key::hash_of;
use crate::schema::one_time_tokens;

/// How long an ended token is remembered, so that a late visitor is told why it does not work.
const REMEMBERED_MS: u64 = 7 * 24 * 3_600_000;

/// What a token is for; it works for nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OneTimePurpose {
    /// Creating the first administrator.
    Setup,
    /// Signing in without a password.
    SignIn,
}

impl OneTimePurpose {
    const fn word(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::SignIn => "sign_in",
        }
    }
}

/// Why a token does not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OneTimeRefusal {
    /// There is no such token, or it was withdrawn.
    #[error("this link is not known or was replaced by a newer one; ask for a new link")]
    Unknown,
    /// It was used before.
    #[error("this link was used already; ask for a new link")]
    Used,
    /// It is too old.
    #[error("this link is too old; ask for a new link")]
    Expired,
}

impl Access {
    /// Makes a token.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn create_one_time(
        &self,
        purpose: OneTimePurpose,
        user: Option<UserId>,
        now: Timestamp,
        expires_at: Timestamp,
        entropy: &mut (impl Entropy + ?Sized),
    ) -> Result<SecretString, AccessError> {
        let token = random_token(entropy);
        let hash = hash_of(token.expose_secret());
        let forgotten = now.minus_ms(REMEMBERED_MS).as_micros();
        self.database.write(|connection| {
            diesel::delete(
                one_time_tokens::table.filter(one_time_tokens::expires_at.lt(forgotten)),
            )
            .execute(connection)?;
            diesel::insert_into(one_time_tokens::table)
                .values((
                    one_time_tokens::token_hash.eq(&hash),
                    one_time_tokens::purpose.eq(purpose.word()),
                    one_time_tokens::user.eq(user.map(|user| user.to_string())),
                    one_time_tokens::expires_at.eq(expires_at.as_micros()),
                ))
                .execute(connection)
        })?;
        Ok(token)
    }

    /// Uses a token up, in one step with finding it: of several who present it at once, one succeeds. Returns whom it
    /// was made for.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn consume_one_time(
        &self,
        purpose: OneTimePurpose,
        token: &str,
        now: Timestamp,
    ) -> Result<Result<Option<UserId>, OneTimeRefusal>, AccessError> {
        let hash = hash_of(token);
        let now = now.as_micros();
        let found = self.database.write(|connection| {
            let row = one_time_tokens::table
                .find(&hash)
                .filter(one_time_tokens::purpose.eq(purpose.word()))
                .select((
                    one_time_tokens::user,
                    one_time_tokens::expires_at,
                    one_time_tokens::used_at,
                ))
                .first::<(Option<String>, i64, Option<i64>)>(connection)
                .optional()?;
            let user = match row {
                None => return Ok(Err(OneTimeRefusal::Unknown)),
                Some((_, _, Some(_))) => return Ok(Err(OneTimeRefusal::Used)),
                Some((_, expires_at, None)) if expires_at <= now => {
                    return Ok(Err(OneTimeRefusal::Expired));
                }
                Some((user, _, None)) => user,
            };
            diesel::update(one_time_tokens::table.find(&hash))
                .set(one_time_tokens::used_at.eq(now))
                .execute(connection)?;
            Ok(Ok(user))
        })?;
        match found {
            Err(refusal) => Ok(Err(refusal)),
            Ok(None) => Ok(Ok(None)),
            Ok(Some(user)) => self.stored_user(&user).map(|user| Ok(Some(user))),
        }
    }

    /// Whether a token would be accepted now; it stays unused.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn one_time_is_good(
        &self,
        purpose: OneTimePurpose,
        token: &str,
        now: Timestamp,
    ) -> Result<bool, AccessError> {
        let hash = hash_of(token);
        let found = self.database.read(|connection| {
            one_time_tokens::table
                .find(&hash)
                .filter(one_time_tokens::purpose.eq(purpose.word()))
                .filter(one_time_tokens::used_at.is_null())
                .filter(one_time_tokens::expires_at.gt(now.as_micros()))
                .select(one_time_tokens::expires_at)
                .first::<i64>(connection)
                .optional()
        })?;
        Ok(found.is_some())
    }

    /// Withdraws every unused token of a purpose, as when a new set-up link is printed; returns how many.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn withdraw_one_time(&self, purpose: OneTimePurpose) -> Result<usize, AccessError> {
        self.database.write(|connection| {
            diesel::delete(one_time_tokens::table)
                .filter(one_time_tokens::purpose.eq(purpose.word()))
                .filter(one_time_tokens::used_at.is_null())
                .execute(connection)
        })
    }
}
