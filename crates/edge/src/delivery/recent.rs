//! Addresses and keys that were taken out of the vault a moment ago, for the many messages of a storm that go the same ways. They
//! are read again after a few seconds, so that what was removed from the vault is not kept here.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use secrecy::SecretString;
use tocsin_domain::id::SecretId;
use tocsin_domain::time::Timestamp;

use crate::lock::lock;

/// How long what was read is taken to be true.
const KEPT_MS: u64 = 5_000;
/// How many are kept; more than that are read anew.
const KEPT_MAX: usize = 512;

/// What was read, and when.
#[derive(Default)]
pub(super) struct Recent(Mutex<HashMap<SecretId, (Timestamp, SecretString)>>);

impl Recent {
    fn lock(&self) -> MutexGuard<'_, HashMap<SecretId, (Timestamp, SecretString)>> {
        lock(&self.0)
    }

    /// A secret that was read within the last seconds.
    pub(super) fn get(&self, id: SecretId, now: Timestamp) -> Option<SecretString> {
        let read = self.lock();
        let (read_at, secret) = read.get(&id)?;
        is_fresh(*read_at, now).then(|| secret.clone())
    }

    /// Keeps what was read at this time, unless something newer is kept.
    pub(super) fn keep(&self, id: SecretId, secret: &SecretString, read_at: Timestamp) {
        let mut read = self.lock();
        if read.get(&id).is_some_and(|(known, _)| *known > read_at) {
            return;
        }
        if read.len() >= KEPT_MAX {
            read.clear();
        }
        read.insert(id, (read_at, secret.clone()));
    }

    /// Drops what is too old: a secret stays no longer than it may be used.
    pub(super) fn forget_old(&self, now: Timestamp) {
        self.lock()
            .retain(|_, (read_at, _)| is_fresh(*read_at, now));
    }

    /// Drops everything.
    pub(super) fn forget_all(&self) {
        self.lock().clear();
    }
}

/// Whether it is not too old; a clock that went back makes it so.
fn is_fresh(read_at: Timestamp, now: Timestamp) -> bool {
    read_at <= now && now.ms_since(read_at) < KEPT_MS
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    const AT: fn(i64) -> Timestamp = Timestamp::from_millis;

    fn known(recent: &Recent, id: SecretId, now: i64) -> Option<String> {
        let text = recent.get(id, AT(now))?;
        Some(text.expose_secret().to_owned())
    }

    #[test]
    fn what_was_read_is_known_for_some_seconds_and_then_read_again() {
        let id: SecretId = "QAAAAAAAAAAAAA".parse().unwrap();
        let secret = SecretString::from("https://a.example");
        let recent = Recent::default();
        assert_eq!(known(&recent, id, 1_000_000), None);
        recent.keep(id, &secret, AT(1_000_100));
        let text = known(&recent, id, 1_005_099);
        assert_eq!(text.as_deref(), Some("https://a.example"));
        assert_eq!(known(&recent, id, 1_005_100), None);
        assert_eq!(known(&recent, id, 1_000_000), None, "the clock went back");
    }

    #[test]
    fn what_is_kept_late_takes_nothing_newer_away() {
        let [one, other]: [SecretId; 2] =
            ["QAAAAAAAAAAAAA", "QAAAAAAAAAAAAB"].map(|text| text.parse().unwrap());
        let recent = Recent::default();
        recent.keep(one, &SecretString::from("new"), AT(1_000_100));
        // Whoever read before needed longer.
        recent.keep(other, &SecretString::from("other"), AT(1_000_000));
        recent.keep(one, &SecretString::from("old"), AT(1_000_000));
        assert_eq!(known(&recent, one, 1_000_200).as_deref(), Some("new"));
        assert_eq!(known(&recent, other, 1_000_200).as_deref(), Some("other"));
    }

    #[test]
    fn what_is_too_old_is_dropped_without_being_asked_for() {
        let id: SecretId = "QAAAAAAAAAAAAA".parse().unwrap();
        let recent = Recent::default();
        recent.keep(id, &SecretString::from("secret"), AT(1_000_000));
        recent.forget_old(AT(1_004_999));
        assert_eq!(recent.lock().len(), 1);
        recent.forget_old(AT(1_005_000));
        assert_eq!(recent.lock().len(), 0);
        recent.keep(id, &SecretString::from("secret"), AT(1_005_000));
        recent.forget_all();
        assert_eq!(recent.lock().len(), 0);
    }
}
