//! Passwords: hashed slowly by Argon2id; how many are hashed at a time is the caller's to bound.

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use diesel::prelude::*;
use secrecy::{ExposeSecret, SecretString};
use tocsin_domain::id::{Entropy, UserId};
use tocsin_domain::time::Timestamp;

use super::Access;
use crate::error::AccessError;
use crate::schema::passwords;

/// Characters of a password at least.
pub const PASSWORD_CHARACTERS_MIN: usize = 12;
/// Bytes of a password at most: a longer one only costs time.
const PASSWORD_BYTES_MAX: usize = 1_024;
/// Argon2id with 46 MiB, one pass, one lane: the first choice of OWASP's Password Storage Cheat Sheet.
const MEMORY_KIB: u32 = 47_104;
const PASSES: u32 = 1;
const LANES: u32 = 1;
const SALT_BYTES: usize = 16;

/// Why a password was not hashed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too easy to guess.
    #[error(
        "a password needs at least {PASSWORD_CHARACTERS_MIN} characters; a few words in a row are good"
    )]
    TooShort,
    /// More than anyone types.
    #[error("a password may have {PASSWORD_BYTES_MAX} bytes at most")]
    TooLong,
    /// There was not enough memory, for instance.
    #[error("the password could not be hashed ({0}); nothing was changed: try again")]
    NotHashed(String),
}

fn hasher() -> Result<Argon2<'static>, PasswordError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
        .map_err(|error| PasswordError::NotHashed(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The hash to keep of a new password, with its salt and cost. Takes 46 MiB and some 50 ms.
///
/// # Errors
/// When the password is too short or too long, or there is no memory for it.
pub fn hash_password(
    password: &SecretString,
    entropy: &mut (impl Entropy + ?Sized),
) -> Result<String, PasswordError> {
    let plain = password.expose_secret();
    if plain.len() > PASSWORD_BYTES_MAX {
        return Err(PasswordError::TooLong);
    }
    if plain.chars().count() < PASSWORD_CHARACTERS_MIN {
        return Err(PasswordError::TooShort);
    }
    let mut salt = [0_u8; SALT_BYTES];
    entropy.fill(&mut salt);
    hasher()?
        .hash_password_with_salt(plain.as_bytes(), &salt)
        .map(|hash| hash.to_string())
        .map_err(|error| PasswordError::NotHashed(error.to_string()))
}

/// Whether `password` is the one that was hashed. Takes as long as hashing it; at a malformed hash it is not.
#[must_use]
pub fn verify_password(hash: &str, password: &SecretString) -> bool {
    let plain = password.expose_secret().as_bytes();
    if plain.len() > PASSWORD_BYTES_MAX {
        return false;
    }
    hasher().is_ok_and(|hasher| hasher.verify_password(plain, hash).is_ok())
}

/// Takes the time of [`verify_password`] for an account that does not exist, so that nobody can tell the two apart.
pub fn verify_decoy_password(password: &SecretString) {
    let plain = password.expose_secret().as_bytes();
    let plain = plain.get(..PASSWORD_BYTES_MAX).unwrap_or(plain);
    if let Ok(hasher) = hasher() {
        let _ = std::hint::black_box(hasher.hash_password_with_salt(plain, &[0; SALT_BYTES]));
    }
}

impl Access {
    /// Sets a person's password by its hash.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn set_password(
        &self,
        user: UserId,
        hash: &str,
        now: Timestamp,
    ) -> Result<(), AccessError> {
        let values = (
            passwords::hash.eq(hash),
            passwords::changed_at.eq(now.as_micros()),
        );
        self.database.write(|connection| {
            diesel::insert_into(passwords::table)
                .values((passwords::user.eq(user.as_str()), values))
                .on_conflict(passwords::user)
                .do_update()
                .set(values)
                .execute(connection)
        })?;
        Ok(())
    }

    /// Forgets a person's password.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn remove_password(&self, user: UserId) -> Result<(), AccessError> {
        self.database.write(|connection| {
            diesel::delete(passwords::table.find(user.as_str())).execute(connection)
        })?;
        Ok(())
    }

    /// The hash of a person's password, if they have one.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn password_hash(&self, user: UserId) -> Result<Option<String>, AccessError> {
        self.database.read(|connection| {
            passwords::table
                .find(user.as_str())
                .select(passwords::hash)
                .first(connection)
                .optional()
        })
    }
}
