//! API tokens: 20 characters, of which 4 find the row and all are compared by hash in constant time.

use diesel::prelude::*;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use tocsin_domain::id::{Entropy, TokenId, UserId};
use tocsin_domain::people::{Role, Scope, Scopes, TOKEN_NAME_CHARS_MAX, TokenBounds};
use tocsin_domain::time::Timestamp;

use super::{Access, noted_before, role_of, role_word};
use crate::connection::without_waiting;
use crate::error::AccessError;
use crate::key::hash_of;
use crate::schema::api_tokens;

const TOKEN_CHARACTERS: usize = 20;
const LOOKUP_CHARACTERS: usize = 4;
/// What stands between the words of scopes.
const BETWEEN: &str = " ";
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// The largest multiple of 62 that a byte can count to: larger bytes would favour some characters.
const FAIR_BELOW: u8 = 248;

/// A token to be made.
#[derive(Clone, Debug)]
pub struct NewApiToken<'a> {
    /// Its id.
    pub id: TokenId,
    /// What its owner calls it.
    pub name: &'a str,
    /// What it may do.
    pub role: Role,
    /// Whose it is; none for one of the installation.
    pub user: Option<UserId>,
    /// Who makes it.
    pub made_by: Option<UserId>,
    /// When it ends, if it does.
    pub expires_at: Option<Timestamp>,
    /// What it is kept to beside its role.
    pub bounds: TokenBounds,
}

/// A token as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    /// Its id.
    pub id: TokenId,
    /// Its first four characters, by which its owner knows it again.
    pub lookup: String,
    /// What its owner calls it.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Whose it is; none for one of the installation, which stays when whoever made it goes.
    pub user: Option<UserId>,
    /// Who made it, where that is known; they may be gone.
    pub made_by: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends, if it does.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// What it is kept to beside its role.
    pub bounds: TokenBounds,
}

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = api_tokens, check_for_backend(diesel::sqlite::Sqlite))]
struct Row {
    id: String,
    lookup: String,
    token_hash: String,
    name: String,
    role: String,
    user: Option<String>,
    created_at: i64,
    expires_at: Option<i64>,
    last_used: Option<i64>,
    revoked_at: Option<i64>,
    made_by: Option<String>,
    scopes: Option<String>,
    requests_per_minute: Option<i64>,
}

impl Access {
    /// Makes a token; its text is returned this once and cannot be had again.
    ///
    /// # Errors
    /// When the name is too long or the database refuses.
    pub fn create_api_token(
        &self,
        new: &NewApiToken<'_>,
        now: Timestamp,
        entropy: &mut (impl Entropy + ?Sized),
    ) -> Result<SecretString, AccessError> {
        if new.name.chars().count() > TOKEN_NAME_CHARS_MAX {
            return Err(AccessError::Refused {
                what: format!("a token's name may have {TOKEN_NAME_CHARS_MAX} characters at most"),
            });
        }
        let text = random_text(entropy);
        let row = Row {
            id: new.id.to_string(),
            lookup: text.expose_secret()[..LOOKUP_CHARACTERS].to_owned(),
            token_hash: hash_of(text.expose_secret()),
            name: new.name.to_owned(),
            role: role_word(new.role).to_owned(),
            user: new.user.map(|user| user.to_string()),
            created_at: now.as_micros(),
            expires_at: new.expires_at.map(Timestamp::as_micros),
            last_used: None,
            revoked_at: None,
            made_by: new.made_by.map(|user| user.to_string()),
            scopes: new.bounds.scopes.map(|scopes| scopes.words(BETWEEN)),
            requests_per_minute: new.bounds.requests_per_minute.map(i64::from),
        };
        self.database.write(|connection| {
            diesel::insert_into(api_tokens::table)
                .values(&row)
                .execute(connection)
        })?;
        Ok(text)
    }

    /// The token of that text, if it is valid now.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn api_token(&self, text: &str, now: Timestamp) -> Result<Option<ApiToken>, AccessError> {
        let well_formed =
            text.len() == TOKEN_CHARACTERS && text.bytes().all(|byte| ALPHABET.contains(&byte));
        if !well_formed {
            return Ok(None);
        }
        let candidates: Vec<Row> = self.database.read(|connection| {
            api_tokens::table
                .filter(api_tokens::lookup.eq(&text[..LOOKUP_CHARACTERS]))
                .filter(api_tokens::revoked_at.is_null())
                .select(Row::as_select())
                .load(connection)
        })?;
        let hash = hash_of(text);
        let now = now.as_micros();
        candidates
            .into_iter()
            .filter(|row| bool::from(row.token_hash.as_bytes().ct_eq(hash.as_bytes())))
            .find(|row| row.expires_at.is_none_or(|end| end > now))
            .map(|row| self.token_of(row))
            .transpose()
    }

    /// Every token, the oldest first; those of one person if `user` is given.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn api_tokens(&self, user: Option<UserId>) -> Result<Vec<ApiToken>, AccessError> {
        let rows: Vec<Row> = self.database.read(|connection| {
            let mut query = api_tokens::table
                .order((api_tokens::created_at, api_tokens::id))
                .select(Row::as_select())
                .into_boxed();
            if let Some(user) = user {
                query = query.filter(api_tokens::user.eq(user.to_string()));
            }
            query.load(connection)
        })?;
        rows.into_iter().map(|row| self.token_of(row)).collect()
    }

    /// Notes that a token was used, at most once a minute by what was read of it. Where the disk does not take it, or another process
    /// holds a lock, it is left out: nobody with a good token is shut out for that, nor kept waiting.
    ///
    /// # Errors
    /// When the database cannot be opened.
    pub fn touch_api_token(&self, token: &ApiToken, now: Timestamp) -> Result<(), AccessError> {
        let is_noted = |at: Timestamp| at.as_micros() >= noted_before(now);
        if token.last_used.is_some_and(is_noted) {
            return Ok(());
        }
        self.database.read(|connection| {
            // One statement outside a transaction undoes itself, so the connection stays good.
            let _ = without_waiting(connection, |connection| {
                diesel::update(api_tokens::table.find(token.id.as_str()))
                    .set(api_tokens::last_used.eq(now.as_micros()))
                    .execute(connection)
            });
            Ok(())
        })
    }

    /// Ends a token; says whether it was still valid.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn revoke_api_token(&self, id: TokenId, now: Timestamp) -> Result<bool, AccessError> {
        let revoked = self.database.write(|connection| {
            diesel::update(api_tokens::table.find(id.as_str()))
                .filter(api_tokens::revoked_at.is_null())
                .set(api_tokens::revoked_at.eq(now.as_micros()))
                .execute(connection)
        })?;
        Ok(revoked > 0)
    }

    fn token_of(&self, row: Row) -> Result<ApiToken, AccessError> {
        let user = row.user.as_deref().map(|user| self.stored_user(user));
        let made_by = row.made_by.as_deref().map(|user| self.stored_user(user));
        let bounds = self.bounds_of(&row)?;
        Ok(ApiToken {
            id: row
                .id
                .parse()
                .map_err(|_| self.damaged("a token has no id"))?,
            lookup: row.lookup,
            name: row.name,
            role: role_of(&row.role).ok_or_else(|| self.damaged("a token has no role"))?,
            user: user.transpose()?,
            made_by: made_by.transpose()?,
            created_at: Timestamp::from_micros(row.created_at),
            expires_at: row.expires_at.map(Timestamp::from_micros),
            last_used: row.last_used.map(Timestamp::from_micros),
            revoked_at: row.revoked_at.map(Timestamp::from_micros),
            bounds,
        })
    }

    /// A scope that is not known shuts its token out: what it was kept to is not known either.
    fn bounds_of(&self, row: &Row) -> Result<TokenBounds, AccessError> {
        let scopes = row.scopes.as_deref().map(|words| {
            let words = words.split(BETWEEN).filter(|word| !word.is_empty());
            let scopes: Option<Scopes> = words.map(Scope::named).collect();
            scopes.ok_or_else(|| self.damaged("a token has a scope that is not known"))
        });
        let rate = row.requests_per_minute.map(|rate| {
            u32::try_from(rate).map_err(|_| self.damaged("a token has a limit that is none"))
        });
        Ok(TokenBounds {
            scopes: scopes.transpose()?,
            requests_per_minute: rate.transpose()?,
        })
    }
}

fn random_text(entropy: &mut (impl Entropy + ?Sized)) -> SecretString {
    let mut text = String::with_capacity(TOKEN_CHARACTERS);
    let mut byte = [0_u8];
    while text.len() < TOKEN_CHARACTERS {
        entropy.fill(&mut byte);
        if byte[0] < FAIR_BELOW {
            text.push(char::from(ALPHABET[usize::from(byte[0] % 62)]));
        }
    }
    text.into()
}
