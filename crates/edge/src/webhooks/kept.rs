//! Where the webhooks of a subscription go, with which headers and by which secret they are signed: one row of the vault.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tocsin_domain::id::SecretId;

use crate::ports::{StorageError, Vault};

/// What the row holds.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) url: String,
    /// Names and values.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) secret: String,
}

impl Kept {
    /// Reads a row; `None` when it is gone.
    pub(crate) fn read(vault: &dyn Vault, row: SecretId) -> Result<Option<Self>, StorageError> {
        let Some(text) = vault.get(row)? else {
            return Ok(None);
        };
        let read = serde_json::from_str(text.expose_secret());
        read.map(Some).map_err(|_| StorageError {
            why: "a webhook subscription's row of the vault cannot be read: make the subscription again"
                .to_owned(),
            disk_full: false,
        })
    }

    /// Keeps it in a row of its own.
    pub(crate) fn put(&self, vault: &dyn Vault) -> Result<SecretId, StorageError> {
        // Writing strings into memory has no way to fail.
        let text = serde_json::to_string(self).unwrap_or_default();
        vault.put(&SecretString::from(text), None)
    }
}
