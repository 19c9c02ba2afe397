//! Addresses and keys that were taken out of the vault a moment ago, for the many messages of a storm that go the same ways. They
//! are read again after a few seconds, so that what was removed from the vault is not kept here.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use secrecy::SecretString;
use tocsin_domain::id::SecretId;
use tocsin_domain::time::Timestamp;

/// How long what was read is taken to be true.
const KEPT_MS: u64 = 5_000;
/// How many are kept; more than that are read anew.
const KEPT_MAX: usize = 512;

/// What was read since a moment that is not long ago.
#[derive(Default)]
pub(super) struct Recent(Mutex<Since>);

#[derive(Default)]
struct Since {
    began: Timestamp,
    read: HashMap<SecretId, SecretString>,
}

impl Recent {
    /// A secret that was read within the last seconds.
    pub(super) fn get(&self, id: SecretId, now: Timestamp) -> Option<SecretString> {
        self.of_now(now, |read| read.get(&id).cloned())
    }

    /// Keeps what was just read.
    pub(super) fn keep(&self, id: SecretId, secret: &SecretString, now: Timestamp) {
        self.of_now(now, |read| {
            if read.len() >= KEPT_MAX {
                read.clear();
            }
            read.insert(id, secret.clone());
        });
    }

    /// What is not too old at this time; a clock that went back makes all of it too old.
    fn of_now<T>(
        &self,
        now: Timestamp,
        look: impl FnOnce(&mut HashMap<SecretId, SecretString>) -> T,
    ) -> T {
        let mut since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = since.began <= now && now.ms_since(since.began) < KEPT_MS;
        if !is_fresh {
            since.began = now;
            since.read.clear();
        }
        look(&mut since.read)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn what_was_read_is_known_for_some_seconds_and_then_read_again() {
        let id: SecretId = "QAAAAAAAAAAAAA".parse().unwrap();
        let recent = Recent::default();
        let at = Timestamp::from_millis;
        let known = |now| {
            recent
                .get(id, now)
                .map(|text| text.expose_secret().to_owned())
        };
        assert_eq!(known(at(1_000_000)), None);
        recent.keep(id, &SecretString::from("https://a.example"), at(1_000_100));
        assert_eq!(known(at(1_004_999)).as_deref(), Some("https://a.example"));
        assert_eq!(known(at(1_005_000)), None);
        recent.keep(id, &SecretString::from("https://a.example"), at(1_005_000));
        assert_eq!(known(at(1_000_000)), None, "the clock went back");
    }
}
