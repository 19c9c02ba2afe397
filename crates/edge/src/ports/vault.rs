//! The vault, as the sockets need it. It knows no key of its own and no table.

use secrecy::SecretString;
use tocsin_domain::id::{SecretId, UserId};

use super::StorageError;

/// Keeps secrets and addresses, encrypted.
pub trait Vault: Send + Sync + 'static {
    /// Keeps a secret; `owner` is the person whose removal removes it.
    ///
    /// # Errors
    /// It was not kept.
    fn put(&self, secret: &SecretString, owner: Option<UserId>) -> Result<SecretId, StorageError>;

    /// Keeps the key of an integration, until no integration names it any more.
    ///
    /// # Errors
    /// It was not kept.
    fn put_key(&self, key: &SecretString) -> Result<SecretId, StorageError>;

    /// Keeps the address that a person signs in with; `None`, and nothing kept, when somebody else signs in with it.
    ///
    /// # Errors
    /// It was not kept.
    fn put_sign_in(&self, address: &SecretString) -> Result<Option<SecretId>, StorageError>;

    /// The row of the address that somebody signs in with, however it is capitalised.
    ///
    /// # Errors
    /// The vault cannot be read, or the row cannot be decrypted.
    fn find_sign_in(&self, address: &str) -> Result<Option<SecretId>, StorageError>;

    /// Reads a secret; `None` when the row is gone.
    ///
    /// # Errors
    /// The vault cannot be read, or the row cannot be decrypted.
    fn get(&self, id: SecretId) -> Result<Option<SecretString>, StorageError>;

    /// Removes rows; unknown ones are ignored.
    ///
    /// # Errors
    /// They may still be there.
    fn remove(&self, ids: &[SecretId]) -> Result<(), StorageError>;
}
