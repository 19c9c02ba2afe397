//! Idempotency keys: a request that is repeated gets the first one's answer and is not carried out again.

use diesel::prelude::*;
use tocsin_domain::id::Entropy;
use tocsin_domain::time::Timestamp;

use super::Access;
use crate::error::AccessError;
use crate::key::{Sealed, hash_of};
use crate::schema::idempotency_keys;

/// Bytes of an answer at most; a larger one is not kept.
pub const IDEMPOTENCY_BODY_BYTES_MAX: usize = 64 * 1024;
const KEY_BYTES_MAX: usize = 255;
/// Keys that are remembered at a time.
const KEYS_MAX: i64 = 100_000;

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Idempotency {
    /// Nothing: it is now ours, carry the request out and finish or abandon it.
    New,
    /// The request is being carried out, or the server ended while it was; its outcome is not known.
    Running,
    /// It was carried out with this answer.
    Done {
        /// Status of the answer.
        status: u16,
        /// The answer.
        body: Vec<u8>,
    },
    /// The key was used for another request.
    Mismatch,
}

/// Fingerprint, status, and the sealed answer.
type Kept = (String, Option<i32>, Option<Vec<u8>>, Option<Vec<u8>>);

impl Access {
    /// Looks a key up within `scope` (who sends it), and takes it if it is new. `request` is what must be equal in a
    /// repetition: method, path and body.
    ///
    /// # Errors
    /// When the key is too long, too many keys are remembered, or the database refuses.
    pub fn begin_idempotent(
        &self,
        scope: &str,
        key: &str,
        request: &str,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<Idempotency, AccessError> {
        if key.len() > KEY_BYTES_MAX || scope.len() > KEY_BYTES_MAX {
            return Err(AccessError::Refused {
                what: format!("an idempotency key may have {KEY_BYTES_MAX} bytes at most"),
            });
        }
        let fingerprint = hash_of(request);
        let (kept, full) = self.database.write(|connection| {
            diesel::delete(idempotency_keys::table)
                .filter(idempotency_keys::expires_at.le(now.as_micros()))
                .execute(connection)?;
            let kept = kept_under(connection, scope, key)?;
            if kept.is_some() {
                return Ok((kept, false));
            }
            if idempotency_keys::table
                .count()
                .get_result::<i64>(connection)?
                >= KEYS_MAX
            {
                return Ok((None, true));
            }
            diesel::insert_into(idempotency_keys::table)
                .values((
                    idempotency_keys::scope.eq(scope),
                    idempotency_keys::key.eq(key),
                    idempotency_keys::fingerprint.eq(&fingerprint),
                    idempotency_keys::expires_at.eq(expires_at.as_micros()),
                ))
                .execute(connection)?;
            Ok((None, false))
        })?;
        if full {
            return Err(AccessError::Refused {
                what: format!(
                    "{KEYS_MAX} idempotency keys are remembered already; send this without one, or later"
                ),
            });
        }
        match kept {
            None => Ok(Idempotency::New),
            Some(kept) if kept.0 != fingerprint => Ok(Idempotency::Mismatch),
            Some(kept) => self.answer_of(scope, key, kept),
        }
    }

    /// Keeps the answer for repetitions, encrypted, because an answer may hold a new token. One that is too large is
    /// not kept, and the key stays taken.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn finish_idempotent(
        &self,
        scope: &str,
        key: &str,
        status: u16,
        body: &[u8],
        entropy: &mut (impl Entropy + ?Sized),
    ) -> Result<(), AccessError> {
        if body.len() > IDEMPOTENCY_BODY_BYTES_MAX {
            return Ok(());
        }
        let sealed = self.key.seal(&context(scope, key), body, entropy)?;
        self.database.write(|connection| {
            diesel::update(idempotency_keys::table.find((scope, key)))
                .set((
                    idempotency_keys::status.eq(i32::from(status)),
                    idempotency_keys::nonce.eq(&sealed.nonce),
                    idempotency_keys::body.eq(&sealed.ciphertext),
                ))
                .execute(connection)
        })?;
        Ok(())
    }

    /// Gives a key back whose request was refused before it changed anything.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn abandon_idempotent(&self, scope: &str, key: &str) -> Result<(), AccessError> {
        self.database.write(|connection| {
            diesel::delete(idempotency_keys::table.find((scope, key)))
                .filter(idempotency_keys::status.is_null())
                .execute(connection)
        })?;
        Ok(())
    }

    fn answer_of(&self, scope: &str, key: &str, kept: Kept) -> Result<Idempotency, AccessError> {
        let (_, Some(status), Some(nonce), Some(ciphertext)) = kept else {
            return Ok(Idempotency::Running);
        };
        let sealed = Sealed { nonce, ciphertext };
        let body = self.key.unseal(&context(scope, key), &sealed);
        match (u16::try_from(status), body) {
            (Ok(status), Some(body)) => Ok(Idempotency::Done {
                status,
                body: body.to_vec(),
            }),
            _ => Err(self.damaged("a kept answer does not open")),
        }
    }
}

fn context(scope: &str, key: &str) -> String {
    format!("answer {} {scope} {key}", scope.len())
}

fn kept_under(
    connection: &mut SqliteConnection,
    scope: &str,
    key: &str,
) -> QueryResult<Option<Kept>> {
    idempotency_keys::table
        .find((scope, key))
        .select((
            idempotency_keys::fingerprint,
            idempotency_keys::status,
            idempotency_keys::nonce,
            idempotency_keys::body,
        ))
        .first(connection)
        .optional()
}
