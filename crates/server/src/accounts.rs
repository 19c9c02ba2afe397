//! Vault, passwords, sessions, tokens and settings as the sockets want them.

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tocsin_domain::id::{Entropy, SecretId, TokenId, UserId};
use tocsin_domain::time::Timestamp;
use tocsin_edge::ports::{Accounts, ApiToken, NewToken, Once, StorageError, Vault};
use tocsin_engine::Clock;
use tocsin_journal::{
    Access, AccessError, Idempotency, NewApiToken, OneTimePurpose, hash_password,
    verify_decoy_password, verify_password,
};

use crate::system::{OsEntropy, SystemClock, hex};

/// A session lasts this long without being used.
const SESSION_MS: u64 = 30 * 86_400_000;
/// An answer is kept this long for repeated requests.
const ONCE_MS: u64 = 86_400_000;
/// A one-time login link lives this long.
pub(crate) const LOGIN_LINK_MS: u64 = 3_600_000;

/// Secrets and addresses.
pub(crate) struct Secrets(pub(crate) std::sync::Arc<tocsin_journal::Vault>);

fn storage(error: &AccessError) -> StorageError {
    StorageError {
        why: error.to_string(),
        disk_full: matches!(error, AccessError::DiskFull { .. }),
    }
}

impl Vault for Secrets {
    fn put(&self, secret: &SecretString, owner: Option<UserId>) -> Result<SecretId, StorageError> {
        let id = SecretId::random(&mut OsEntropy);
        self.0
            .put(id, owner, secret, &mut OsEntropy)
            .map_err(|error| storage(&error))?;
        Ok(id)
    }

    fn put_key(&self, key: &SecretString) -> Result<SecretId, StorageError> {
        let id = SecretId::random(&mut OsEntropy);
        self.0
            .put_key(id, key, &mut OsEntropy)
            .map_err(|error| storage(&error))?;
        Ok(id)
    }

    fn put_sign_in(&self, address: &SecretString) -> Result<Option<SecretId>, StorageError> {
        let id = SecretId::random(&mut OsEntropy);
        let kept = self.0.put_sign_in(id, None, address, &mut OsEntropy);
        let kept = kept.map_err(|error| storage(&error))?;
        Ok(kept.then_some(id))
    }

    fn find_sign_in(&self, address: &str) -> Result<Option<SecretId>, StorageError> {
        self.0
            .find_sign_in(address)
            .map_err(|error| storage(&error))
    }

    fn get(&self, id: SecretId) -> Result<Option<SecretString>, StorageError> {
        self.0.get(id).map_err(|error| storage(&error))
    }

    fn remove(&self, ids: &[SecretId]) -> Result<(), StorageError> {
        for id in ids {
            self.0.delete(*id).map_err(|error| storage(&error))?;
        }
        Ok(())
    }
}

/// Passwords, sessions, tokens, links, settings, kept answers.
pub(crate) struct Doors {
    pub(crate) access: Access,
    pub(crate) vault: std::sync::Arc<tocsin_journal::Vault>,
}

impl Accounts for Doors {
    fn set_password(&self, user: UserId, password: &SecretString) -> Result<(), StorageError> {
        let hash = hash_password(password, &mut OsEntropy).map_err(|error| StorageError {
            why: error.to_string(),
            disk_full: false,
        })?;
        let changed = self.access.set_password(user, &hash, SystemClock.now());
        changed
            .and_then(|()| self.access.end_sessions_of(user))
            .map(|_| ())
            .map_err(|error| storage(&error))
    }

    fn has_password(&self, user: UserId) -> Result<bool, StorageError> {
        let hash = self.access.password_hash(user);
        hash.map(|hash| hash.is_some())
            .map_err(|error| storage(&error))
    }

    fn password_matches(
        &self,
        user: Option<UserId>,
        password: &SecretString,
    ) -> Result<bool, StorageError> {
        let hash = match user {
            Some(user) => self
                .access
                .password_hash(user)
                .map_err(|error| storage(&error))?,
            None => None,
        };
        Ok(match hash {
            Some(hash) => verify_password(&hash, password),
            None => {
                verify_decoy_password(password);
                false
            }
        })
    }

    fn begin_session(&self, user: UserId, now: Timestamp) -> Result<String, StorageError> {
        let session =
            self.access
                .create_session(user, now, now.plus_ms(SESSION_MS), &mut OsEntropy);
        session
            .map(|made| made.token.expose_secret().to_owned())
            .map_err(|error| storage(&error))
    }

    fn session(&self, cookie: &str, now: Timestamp) -> Result<Option<UserId>, StorageError> {
        let session = self
            .access
            .session(cookie, now)
            .map_err(|error| storage(&error))?;
        Ok(session.map(|session| session.user))
    }

    fn end_session(&self, cookie: &str) -> Result<(), StorageError> {
        self.access
            .end_session(cookie)
            .map(|_| ())
            .map_err(|error| storage(&error))
    }

    fn forget_user(&self, user: UserId) -> Result<(), StorageError> {
        let forgotten = self.access.delete_user(user);
        forgotten
            .and_then(|()| self.vault.delete_owned_by(user))
            .map(|_| ())
            .map_err(|error| storage(&error))
    }

    fn add_token(
        &self,
        token: NewToken,
        now: Timestamp,
    ) -> Result<(ApiToken, String), StorageError> {
        let id = TokenId::random(&mut OsEntropy);
        let new = NewApiToken {
            id,
            name: &token.name,
            role: token.role,
            user: token.user,
            made_by: token.made_by,
            expires_at: token.expires_at,
            bounds: token.bounds,
        };
        let text = self
            .access
            .create_api_token(&new, now, &mut OsEntropy)
            .map_err(|error| storage(&error))?;
        let made = ApiToken {
            id,
            name: token.name,
            role: token.role,
            user: token.user,
            made_by: token.made_by,
            created_at: now,
            expires_at: token.expires_at,
            last_used: None,
            bounds: token.bounds,
        };
        Ok((made, text.expose_secret().to_owned()))
    }

    fn token(&self, text: &str, now: Timestamp) -> Result<Option<ApiToken>, StorageError> {
        let found = self
            .access
            .api_token(text, now)
            .map_err(|error| storage(&error))?;
        if let Some(found) = &found {
            let noted = self.access.touch_api_token(found, now);
            noted.map_err(|error| storage(&error))?;
        }
        Ok(found.map(token_of))
    }

    fn tokens(&self) -> Result<Vec<ApiToken>, StorageError> {
        let all = self
            .access
            .api_tokens(None)
            .map_err(|error| storage(&error))?;
        Ok(all
            .into_iter()
            .filter(|token| token.revoked_at.is_none())
            .map(token_of)
            .collect())
    }

    fn revoke_token(&self, id: TokenId) -> Result<bool, StorageError> {
        self.access
            .revoke_api_token(id, SystemClock.now())
            .map_err(|error| storage(&error))
    }

    fn redeem_login(&self, token: &str, now: Timestamp) -> Result<Option<UserId>, StorageError> {
        let outcome = self
            .access
            .consume_one_time(OneTimePurpose::SignIn, token, now);
        let user = outcome.map_err(|error| storage(&error))?.ok().flatten();
        if let Some(user) = user {
            // Whoever comes by a link has no password they know: the next one is set without it.
            self.access
                .remove_password(user)
                .map_err(|error| storage(&error))?;
        }
        Ok(user)
    }

    fn setup_token_matches(&self, token: &str, now: Timestamp) -> Result<bool, StorageError> {
        let outcome = self
            .access
            .one_time_is_good(OneTimePurpose::Setup, token, now);
        outcome.map_err(|error| storage(&error))
    }

    fn finish_setup(&self) -> Result<(), StorageError> {
        let withdrawn = self.access.withdraw_one_time(OneTimePurpose::Setup);
        withdrawn.map(|_| ()).map_err(|error| storage(&error))
    }

    fn begin_once(
        &self,
        scope: &str,
        key: &str,
        request: &str,
        now: Timestamp,
    ) -> Result<Once, StorageError> {
        let expires = now.plus_ms(ONCE_MS);
        let known = self
            .access
            .begin_idempotent(scope, key, request, now, expires)
            .map_err(|error| storage(&error))?;
        Ok(match known {
            Idempotency::New => Once::New,
            Idempotency::Running => Once::Underway,
            Idempotency::Done { status, body } => Once::Answered { status, body },
            Idempotency::Mismatch => Once::Mismatch,
        })
    }

    fn finish_once(
        &self,
        scope: &str,
        key: &str,
        status: u16,
        body: &[u8],
    ) -> Result<(), StorageError> {
        self.access
            .finish_idempotent(scope, key, status, body, &mut OsEntropy)
            .map_err(|error| storage(&error))
    }

    fn abandon_once(&self, scope: &str, key: &str) -> Result<(), StorageError> {
        self.access
            .abandon_idempotent(scope, key)
            .map_err(|error| storage(&error))
    }

    fn setting(&self, name: &str) -> Result<Option<String>, StorageError> {
        let value = self.access.setting(name).map_err(|error| storage(&error))?;
        Ok(value.map(|value| value.to_string()))
    }

    fn set_setting(&self, name: &str, value: &str) -> Result<(), StorageError> {
        let value: Value = serde_json::from_str(value).map_err(|error| StorageError {
            why: format!("the setting {name} was not changed: it is not JSON ({error})"),
            disk_full: false,
        })?;
        self.access
            .set_setting(name, &value)
            .map_err(|error| storage(&error))
    }
}

fn token_of(token: tocsin_journal::ApiToken) -> ApiToken {
    ApiToken {
        id: token.id,
        name: token.name,
        role: token.role,
        user: token.user,
        made_by: token.made_by,
        created_at: token.created_at,
        expires_at: token.expires_at,
        last_used: token.last_used,
        bounds: token.bounds,
    }
}

/// The key under which users' names are hashed, made once for an installation: the same person has the same hash in every log.
pub(crate) fn user_key(access: &Access, vault: &tocsin_journal::Vault) -> anyhow::Result<Vec<u8>> {
    const SETTING: &str = "user_hash_key";
    let row = access
        .setting(SETTING)?
        .and_then(|row| row.as_str()?.parse::<SecretId>().ok());
    if let Some(key) = row.map(|id| vault.get(id)).transpose()?.flatten() {
        return Ok(key.expose_secret().as_bytes().to_owned());
    }
    let mut bytes = [0_u8; 32];
    OsEntropy.fill(&mut bytes);
    let key = hex(&bytes);
    let id = SecretId::random(&mut OsEntropy);
    let secret = SecretString::from(key.clone());
    vault.put(id, None, &secret, &mut OsEntropy)?;
    access.set_setting(SETTING, &Value::String(id.to_string()))?;
    Ok(key.into_bytes())
}

#[cfg(test)]
mod tests {
    use tocsin_domain::people::{Role, TokenBounds};

    use super::*;
    use crate::data;

    #[test]
    fn a_token_tells_when_it_was_used_and_one_of_the_installation_stays_when_its_maker_goes() {
        let folder = tempfile::tempdir().unwrap();
        let data = data::open(folder.path(), None).unwrap();
        let doors = Doors {
            access: data.access,
            vault: data.vault,
        };
        let maker = UserId::random(&mut OsEntropy);
        let new = NewToken {
            name: "Terraform".to_owned(),
            role: Role::Responder,
            user: None,
            made_by: Some(maker),
            expires_at: None,
            bounds: TokenBounds::default(),
        };
        let now = SystemClock.now();
        let (made, text) = doors.add_token(new, now).unwrap();
        assert_eq!((made.made_by, made.last_used), (Some(maker), None));
        assert!(doors.token(&text, now).unwrap().is_some());
        doors.forget_user(maker).unwrap();
        let used = ApiToken {
            last_used: Some(now),
            ..made
        };
        assert_eq!(doors.tokens().unwrap(), vec![used]);
    }
}
