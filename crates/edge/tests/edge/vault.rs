//! A vault in memory, which can hold up whoever keeps or reads something, or fail.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};

use secrecy::{ExposeSecret, SecretString};
use tocsin_domain::id::{SecretId, UserId};
use tocsin_edge::ports::{StorageError, Vault};
use tokio::sync::oneshot;

use crate::fakes::OsEntropy;
use crate::providers::Gate;

#[derive(Default)]
pub(crate) struct OpenVault {
    rows: Mutex<BTreeMap<SecretId, SecretString>>,
    held: Mutex<Option<Held>>,
    /// How often something was read.
    reads: AtomicUsize,
    /// What is still kept before something is not.
    fails_after: Mutex<Option<usize>>,
    /// Where whoever reads something is held up.
    pub(crate) reads_held: Mutex<Option<Gate>>,
    /// Whether nothing can be removed.
    pub(crate) keeps_all: AtomicBool,
}

/// Says that somebody came, and tells when they may go on.
struct Held(oneshot::Sender<()>, mpsc::Receiver<()>);

impl OpenVault {
    pub(crate) fn count(&self) -> usize {
        self.rows.lock().unwrap().len()
    }

    pub(crate) fn reads(&self) -> usize {
        self.reads.load(Ordering::Relaxed)
    }

    pub(crate) fn knows(&self, secret: &str) -> bool {
        let rows = self.rows.lock().unwrap();
        rows.values().any(|known| known.expose_secret() == secret)
    }

    /// Holds up whoever keeps something next: the one end tells that they came, the other lets them go on.
    pub(crate) fn hold_next(&self) -> (oneshot::Receiver<()>, mpsc::Sender<()>) {
        let ((came, has_come), (go_on, may_go_on)) = (oneshot::channel(), mpsc::channel());
        *self.held.lock().unwrap() = Some(Held(came, may_go_on));
        (has_come, go_on)
    }

    /// Keeps so many things more, and then once nothing.
    pub(crate) fn fail_after(&self, count: usize) {
        *self.fails_after.lock().unwrap() = Some(count);
    }

    fn fails(&self) -> bool {
        let mut left = self.fails_after.lock().unwrap();
        let fails = *left == Some(0);
        *left = left.and_then(|left| left.checked_sub(1));
        fails
    }
}

impl Vault for OpenVault {
    fn put(&self, secret: &SecretString, _: Option<UserId>) -> Result<SecretId, StorageError> {
        let held = self.held.lock().unwrap().take();
        if let Some(Held(came, may_go_on)) = held {
            // A test that has failed neither listens nor says a word.
            let _ = came.send(());
            let _ = may_go_on.recv();
        }
        if self.fails() {
            return Err(StorageError {
                why: "the disk is full".to_owned(),
                disk_full: true,
            });
        }
        let id = SecretId::random(&mut OsEntropy);
        self.rows.lock().unwrap().insert(id, secret.clone());
        Ok(id)
    }

    fn put_key(&self, key: &SecretString) -> Result<SecretId, StorageError> {
        self.put(key, None)
    }

    fn put_sign_in(&self, address: &SecretString) -> Result<Option<SecretId>, StorageError> {
        match self.find_sign_in(address.expose_secret())? {
            Some(_) => Ok(None),
            None => self.put(address, None).map(Some),
        }
    }

    fn find_sign_in(&self, address: &str) -> Result<Option<SecretId>, StorageError> {
        let rows = self.rows.lock().unwrap();
        let same = |text: &SecretString| text.expose_secret().eq_ignore_ascii_case(address);
        Ok(rows.iter().find(|(_, text)| same(text)).map(|(id, _)| *id))
    }

    fn get(&self, id: SecretId) -> Result<Option<SecretString>, StorageError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let held = self.reads_held.lock().unwrap().clone();
        if let Some(gate) = held {
            gate.pass();
        }
        Ok(self.rows.lock().unwrap().get(&id).cloned())
    }

    fn remove(&self, ids: &[SecretId]) -> Result<(), StorageError> {
        if self.keeps_all.load(Ordering::Relaxed) {
            return Err(StorageError {
                why: "the disk cannot be written".to_owned(),
                disk_full: false,
            });
        }
        let mut rows = self.rows.lock().unwrap();
        ids.iter().for_each(|id| drop(rows.remove(id)));
        Ok(())
    }
}
