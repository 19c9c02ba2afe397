//! Secrets and contact addresses, encrypted row by row; events name the rows and never their text.

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
/// What the check row says under the right key.
const CHECK_TEXT: &[u8] = b"this vault was sealed under this key";
const CHECK_CONTEXT: &str = "vault check";

/// What a row of the vault is; a row cannot pass for one of another kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretKind {
    /// The e-mail address a person signs in with; the only kind that is found by its text, and each text only once.
    SignInEmail,
    /// An e-mail address to send to.
    Email,
    /// The URL of a webhook.
    Webhook,
    /// The URL of a topic on an ntfy server.
    Ntfy,
    /// The key that signs webhooks.
    SigningKey,
    /// A code that proves an address.
    VerificationCode,
    /// A password or token of a channel, such as that of the mail server.
    ChannelSecret,
}

impl SecretKind {
    const fn word(self) -> &'static str {
        match self {
            Self::SignInEmail => "sign_in_email",
            Self::Email => "email",
            Self::Webhook => "webhook",
            Self::Ntfy => "ntfy",
            Self::SigningKey => "signing_key",
            Self::VerificationCode => "verification_code",
            Self::ChannelSecret => "channel_secret",
        }
    }
}

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
    kind: String,
    owner: Option<String>,
    lookup: Option<String>,
    nonce: Vec<u8>,
    ciphertext: Vec<u8>,
}

impl Row {
    /// What the text is bound to: a row that was copied over another one, or given to someone else, does not open.
    fn context(&self) -> String {
        let owner = self.owner.as_deref().unwrap_or("nobody");
        format!("vault {} {} {owner}", self.id, self.kind)
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
    /// When it is too large, when somebody else signs in with that address, or when the database refuses.
    pub fn put(
        &self,
        id: SecretId,
        kind: SecretKind,
        owner: Option<UserId>,
        secret: &SecretString,
        entropy: &mut (impl Entropy + ?Sized),
    ) -> Result<(), AccessError> {
        let plain = secret.expose_secret();
        if plain.len() > SECRET_BYTES_MAX {
            return Err(AccessError::Refused {
                what: format!("a secret may have {SECRET_BYTES_MAX} bytes at most"),
            });
        }
        let mut row = Row {
            id: id.to_string(),
            kind: kind.word().to_owned(),
            owner: owner.map(|owner| owner.to_string()),
            lookup: (kind == SecretKind::SignInEmail).then(|| self.lookup_of(plain)),
            nonce: Vec::new(),
            ciphertext: Vec::new(),
        };
        let sealed = self.key.seal(&row.context(), plain.as_bytes(), entropy)?;
        (row.nonce, row.ciphertext) = (sealed.nonce, sealed.ciphertext);
        let stored = self.database.write(|connection| store(connection, &row))?;
        if stored {
            Ok(())
        } else {
            Err(AccessError::Refused {
                what: "somebody else signs in with that e-mail address".to_owned(),
            })
        }
    }

    /// The secret under `id`, if there is one of that kind.
    ///
    /// # Errors
    /// When the row was changed from outside, or the database cannot be read.
    pub fn get(&self, id: SecretId, kind: SecretKind) -> Result<Option<SecretString>, AccessError> {
        let row = self.database.read(|connection| {
            vault::table
                .find(id.as_str())
                .filter(vault::kind.eq(kind.word()))
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

    /// The row of the address somebody signs in with, in any case and with blanks around it, and whose it is.
    ///
    /// # Errors
    /// When the row was changed from outside, or the database cannot be read.
    pub fn find_by_lookup(
        &self,
        address: &str,
    ) -> Result<Option<(SecretId, Option<UserId>)>, AccessError> {
        let row = self.database.read(|connection| {
            vault::table
                .filter(vault::lookup.eq(self.lookup_of(address)))
                .filter(vault::kind.eq(SecretKind::SignInEmail.word()))
                .select(Row::as_select())
                .first(connection)
                .optional()
        })?;
        let Some(row) = row else {
            return Ok(None);
        };
        let damaged = || AccessError::Corrupt {
            file: self.database.file().to_owned(),
            detail: "a row of the vault has no id".to_owned(),
        };
        let id: SecretId = row.id.parse().map_err(|_| damaged())?;
        let owner = row
            .owner
            .as_deref()
            .map(str::parse)
            .transpose()
            .map_err(|_| damaged())?;
        // The lookup column is not sealed: only the text itself proves that the row is about this address.
        let text = self.opened(id, row)?;
        if folded(text.expose_secret()) == folded(address) {
            Ok(Some((id, owner)))
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
