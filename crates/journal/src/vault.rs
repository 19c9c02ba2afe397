//! Secrets and contact addresses, encrypted row by row; events name the rows and never their text.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use secrecy::{ExposeSecret, SecretString};
use tocsin_domain::id::{Entropy, SecretId, UserId};

use crate::connection::{self, SharedConnection};
use crate::data_dir::DataDirLock;
use crate::disk;
use crate::error::AccessError;
use crate::key::{MasterKey, Sealed};
use crate::schema::{vault, vault_check};

/// Bytes of one secret at most.
pub const SECRET_BYTES_MAX: usize = 64 * 1024;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/access");
/// The purpose of rows that hold the key of an integration.
const INTEGRATION_KEY: &str = "integration key";
/// What the check row says under the right key.
const CHECK_TEXT: &[u8] = b"this vault was sealed under this key";
const CHECK_CONTEXT: &str = "vault check";

/// The vault of one data directory; any thread may use it.
pub struct Vault {
    database: SharedConnection,
    key: Arc<MasterKey>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Vault")
            .field("file", &self.database.file())
            .finish_non_exhaustive()
    }
}

#[derive(Insertable, Queryable, Selectable, AsChangeset)]
#[diesel(table_name = vault, check_for_backend(diesel::sqlite::Sqlite))]
#[diesel(treat_none_as_null = true)]
struct Row {
    id: String,
    owner: Option<String>,
    lookup: Option<String>,
    nonce: Vec<u8>,
    ciphertext: Vec<u8>,
    purpose: Option<String>,
}

impl Row {
    /// What the text is bound to: a row that was copied over another one, or given to someone else, does not open.
    fn context(&self) -> String {
        let owner = self.owner.as_deref().unwrap_or("nobody");
        format!("vault {} {owner}", self.id)
    }
}

impl Vault {
    /// Opens the vault of a directory. The key is that of `key_file` (the shell passes `$TOCSIN_KEY_FILE` or the
    /// configured path), else that of `secret.key` in the directory, which is made together with a new vault.
    ///
    /// # Errors
    /// When the key file is missing, readable by others or not the vault's, or the database cannot be opened.
    pub fn open(
        lock: &DataDirLock,
        key_file: Option<&Path>,
        entropy: &mut (impl Entropy + ?Sized),
    ) -> Result<Self, AccessError> {
        let file = lock.directory().join("access.sqlite3");
        let mut connection =
            connection::open_writer(&file).map_err(|fault| fault.in_access(&file))?;
        connection::check_integrity(&mut connection, &file)
            .and_then(|()| connection::migrate(&mut connection, MIGRATIONS, &file))
            .map_err(|fault| fault.in_access(&file))?;
        disk::sync_directory(lock.directory()).map_err(|error| AccessError::Io {
            file: file.clone(),
            detail: error.to_string(),
        })?;
        let database = SharedConnection::new(file, connection);
        let key = right_key(&database, lock.directory(), key_file, entropy)?;
        Ok(Self {
            database,
            key: Arc::new(key),
        })
    }

    pub(crate) fn key(&self) -> Arc<MasterKey> {
        Arc::clone(&self.key)
    }

    /// Stores `secret` under `id`, replacing what was there. On disk when this returns.
    ///
    /// # Errors
    /// When it is too large, or when the database refuses.
    pub fn put(
        &self,
        id: SecretId,
        owner: Option<UserId>,
        secret: &SecretString,
        entropy: &mut (impl Entropy + ?Sized),
    ) -> Result<(), AccessError> {
        let row = self.sealed(id, owner, secret, None, entropy)?;
        self.database.write(|connection| store(connection, &row))?;
        Ok(())
    }

    /// Stores the e-mail address that a person signs in with, which [`Vault::find_sign_in`] finds. Nothing is stored, and
    /// the answer is `false`, when somebody else signs in with it.
    ///
    /// # Errors
    /// When it is too large, or when the database refuses.
    pub fn put_sign_in(
        &self,
        id: SecretId,
        owner: Option<UserId>,
        address: &SecretString,
        entropy: &mut (impl Entropy + ?Sized),
    ) -> Result<bool, AccessError> {
        let lookup = self.lookup_of(address.expose_secret());
        let row = self.sealed(id, owner, address, Some(lookup), entropy)?;
        self.database.write(|connection| store(connection, &row))
    }

    /// Stores the key of an integration under `id`. It stays as long as an integration names it: [`Vault::keep_only`].
    ///
    /// # Errors
    /// When it is too large, or when the database refuses.
    pub fn put_key(
        &self,
        id: SecretId,
        key: &SecretString,
        entropy: &mut (impl Entropy + ?Sized),
    ) -> Result<(), AccessError> {
        let row = Row {
            purpose: Some(INTEGRATION_KEY.to_owned()),
            ..self.sealed(id, None, key, None, entropy)?
        };
        self.database.write(|connection| store(connection, &row))?;
        Ok(())
    }

    fn sealed(
        &self,
        id: SecretId,
        owner: Option<UserId>,
        secret: &SecretString,
        lookup: Option<String>,
        entropy: &mut (impl Entropy + ?Sized),
    ) -> Result<Row, AccessError> {
        let plain = secret.expose_secret();
        if plain.len() > SECRET_BYTES_MAX {
            return Err(AccessError::Refused {
                what: format!("a secret may have {SECRET_BYTES_MAX} bytes at most"),
            });
        }
        let mut row = Row {
            id: id.to_string(),
            owner: owner.map(|owner| owner.to_string()),
            lookup,
            nonce: Vec::new(),
            ciphertext: Vec::new(),
            purpose: None,
        };
        let sealed = self.key.seal(&row.context(), plain.as_bytes(), entropy)?;
        (row.nonce, row.ciphertext) = (sealed.nonce, sealed.ciphertext);
        Ok(row)
    }

    /// The secret under `id`.
    ///
    /// # Errors
    /// When the row was changed from outside, or the database cannot be read.
    pub fn get(&self, id: SecretId) -> Result<Option<SecretString>, AccessError> {
        let row = self.database.read(|connection| {
            vault::table
                .find(id.as_str())
                .select(Row::as_select())
                .first(connection)
                .optional()
        })?;
        row.map(|row| self.opened(id, row)).transpose()
    }

    /// Removes the row of `id`; says whether there was one.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn delete(&self, id: SecretId) -> Result<bool, AccessError> {
        let removed = self.database.write(|connection| {
            diesel::delete(vault::table.find(id.as_str())).execute(connection)
        })?;
        Ok(removed > 0)
    }

    /// Removes every row that belongs to `owner`; returns how many.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn delete_owned_by(&self, owner: UserId) -> Result<usize, AccessError> {
        self.database
            .write(|connection| delete_owned_by(connection, owner))
    }

    /// Removes what a crash left behind: addresses that none of `users` (each with the row of the address they sign in
    /// with) signs in with, rows of people who are not among them, and keys of integrations that are none of `keys`. Returns
    /// how many.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn keep_only(
        &self,
        users: &BTreeMap<UserId, SecretId>,
        keys: &BTreeSet<SecretId>,
    ) -> Result<usize, AccessError> {
        let owners: BTreeSet<&str> = users.keys().map(UserId::as_str).collect();
        let addresses: BTreeSet<&str> = users.values().map(SecretId::as_str).collect();
        let keys: BTreeSet<&str> = keys.iter().map(SecretId::as_str).collect();
        self.database.write(|connection| {
            let belongs = vault::owner
                .is_not_null()
                .or(vault::lookup.is_not_null())
                .or(vault::purpose.is_not_null());
            let rows = vault::table
                .filter(belongs)
                .select((
                    vault::id,
                    vault::owner,
                    vault::lookup.is_not_null(),
                    vault::purpose,
                ))
                .load::<(String, Option<String>, bool, Option<String>)>(connection)?;
            let mut removed = 0;
            for (id, owner, signs_in, purpose) in rows {
                let is_nobodys = owner.is_some_and(|owner| !owners.contains(owner.as_str()));
                let is_lost = signs_in && !addresses.contains(id.as_str());
                let is_key = purpose.as_deref() == Some(INTEGRATION_KEY);
                if is_nobodys || is_lost || (is_key && !keys.contains(id.as_str())) {
                    removed += diesel::delete(vault::table.find(&id)).execute(connection)?;
                }
            }
            Ok(removed)
        })
    }

    /// The row of the address somebody signs in with, in any case and with blanks around it.
    ///
    /// # Errors
    /// When the row was changed from outside, or the database cannot be read.
    pub fn find_sign_in(&self, address: &str) -> Result<Option<SecretId>, AccessError> {
        let row = self.database.read(|connection| {
            vault::table
                .filter(vault::lookup.eq(self.lookup_of(address)))
                .select(Row::as_select())
                .first(connection)
                .optional()
        })?;
        let Some(row) = row else {
            return Ok(None);
        };
        let id: SecretId = row.id.parse().map_err(|_| AccessError::Corrupt {
            file: self.database.file().to_owned(),
            detail: "a row of the vault has no id".to_owned(),
        })?;
        // The lookup column is not sealed: only the text itself proves that the row is about this address.
        let text = self.opened(id, row)?;
        if folded(text.expose_secret()) == folded(address) {
            Ok(Some(id))
        } else {
            Err(AccessError::Tampered { id })
        }
    }

    fn opened(&self, id: SecretId, row: Row) -> Result<SecretString, AccessError> {
        let context = row.context();
        let sealed = Sealed {
            nonce: row.nonce,
            ciphertext: row.ciphertext,
        };
        self.key
            .unseal(&context, &sealed)
            .and_then(|plain| std::str::from_utf8(&plain).ok().map(SecretString::from))
            .ok_or(AccessError::Tampered { id })
    }

    fn lookup_of(&self, address: &str) -> String {
        self.key.lookup("sign-in e-mail", &folded(address))
    }
}

/// An address as it is compared: nobody remembers how they wrote it last time.
fn folded(address: &str) -> String {
    address.trim().to_lowercase()
}

/// Writes the row, unless another one signs in with the same address; says whether it did.
fn store(connection: &mut SqliteConnection, row: &Row) -> QueryResult<bool> {
    if let Some(lookup) = &row.lookup {
        let taken = diesel::select(diesel::dsl::exists(
            vault::table
                .filter(vault::lookup.eq(lookup))
                .filter(vault::id.ne(&row.id)),
        ))
        .get_result::<bool>(connection)?;
        if taken {
            return Ok(false);
        }
    }
    diesel::insert_into(vault::table)
        .values(row)
        .on_conflict(vault::id)
        .do_update()
        .set(row)
        .execute(connection)?;
    Ok(true)
}

pub(crate) fn delete_owned_by(
    connection: &mut SqliteConnection,
    owner: UserId,
) -> QueryResult<usize> {
    diesel::delete(vault::table.filter(vault::owner.eq(owner.as_str()))).execute(connection)
}

/// The key of this vault, made if the vault is new, and proved by the check row.
fn right_key(
    database: &SharedConnection,
    directory: &Path,
    given: Option<&Path>,
    entropy: &mut (impl Entropy + ?Sized),
) -> Result<MasterKey, AccessError> {
    let own = directory.join("secret.key");
    let file = given.unwrap_or(&own);
    let check = database.read(|connection| {
        vault_check::table
            .select((vault_check::nonce, vault_check::ciphertext))
            .first::<(Vec<u8>, Vec<u8>)>(connection)
            .optional()
    })?;
    let key = match MasterKey::read(file)? {
        Some(key) => key,
        None if given.is_none() && check.is_none() => MasterKey::create(file, entropy)?,
        None => return Err(missing(file, check.is_some())),
    };
    match check {
        None => add_check(database, &key, entropy)?,
        Some((nonce, ciphertext)) => {
            let sealed = Sealed { nonce, ciphertext };
            let text = key.unseal(CHECK_CONTEXT, &sealed);
            if text.is_none_or(|text| text.as_slice() != CHECK_TEXT) {
                return Err(AccessError::WrongKey {
                    file: file.to_owned(),
                });
            }
        }
    }
    Ok(key)
}

fn missing(file: &Path, vault_is_sealed: bool) -> AccessError {
    let path = file.display();
    let why = if vault_is_sealed {
        "it is missing, and the secrets of this directory open with it alone; put it back (a backup of Tocsin never has it)".to_owned()
    } else {
        format!("it is missing; make it with `(umask 077; head -c 32 /dev/urandom > {path})`")
    };
    AccessError::KeyFile {
        file: file.to_owned(),
        why,
    }
}

fn add_check(
    database: &SharedConnection,
    key: &MasterKey,
    entropy: &mut (impl Entropy + ?Sized),
) -> Result<(), AccessError> {
    let sealed = key.seal(CHECK_CONTEXT, CHECK_TEXT, entropy)?;
    database.write(|connection| {
        diesel::insert_into(vault_check::table)
            .values((
                vault_check::id.eq(1),
                vault_check::nonce.eq(&sealed.nonce),
                vault_check::ciphertext.eq(&sealed.ciphertext),
            ))
            .execute(connection)
    })?;
    Ok(())
}
