//! How far each subscription has come, kept among the settings, so that a start goes on where the run before had come to.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use tocsin_domain::id::WebhookId;

use super::progress::Progress;
use crate::lock::lock;
use crate::ports::{Accounts, StorageError};

/// The name of the setting.
const SETTING: &str = "webhook_progress";

type Known = BTreeMap<WebhookId, Progress>;

/// How far each subscription has come.
pub(super) struct Cursors {
    known: Mutex<Changing>,
    /// Where one begins of which nothing is kept, unless it was made later.
    begin: u64,
    /// Held while the setting is written, which may take long: only threads that may block take it.
    written: Mutex<u64>,
}

/// What is known, and how often something was changed.
struct Changing {
    all: Known,
    changes: u64,
}

impl Cursors {
    /// As it was kept last. What cannot be understood is not told a second time from its beginning: all go on at `published`, the
    /// place up to which the journal is known.
    ///
    /// # Errors
    /// It cannot be read. Whoever went on without it would tell everything again, and lose it with the first that is kept.
    pub(super) fn load(accounts: &dyn Accounts, published: u64) -> Result<Self, StorageError> {
        let text = accounts.setting(SETTING)?;
        let known = text.map_or_else(|| Ok(Known::new()), |text| serde_json::from_str(&text));
        let (known, begin) = match known {
            Ok(known) => (known, 0),
            Err(error) => {
                tracing::error!(%error, "how far webhook subscriptions had come cannot be understood: each goes on with what happens from now on");
                (Known::new(), published)
            }
        };
        Ok(Self {
            known: Mutex::new(Changing {
                all: known,
                changes: 0,
            }),
            begin,
            written: Mutex::new(0),
        })
    }

    /// Never held while something is written: the only thread of the lanes waits for it.
    fn lock(&self) -> MutexGuard<'_, Changing> {
        lock(&self.known)
    }

    /// How far this one has come.
    pub(super) fn get(&self, id: WebhookId) -> Progress {
        let known = self.lock().all.get(&id).cloned();
        known.unwrap_or_else(|| Progress::at(self.begin))
    }

    /// Keeps how far this one has come. May block.
    pub(super) fn keep(&self, accounts: &dyn Accounts, id: WebhookId, progress: Progress) {
        let mine = {
            let mut known = self.lock();
            known.all.insert(id, progress);
            known.changes += 1;
            known.changes
        };
        let mut written = lock(&self.written);
        if *written >= mine {
            // Whoever wrote before has written this, too.
            return;
        }
        let (text, changes) = {
            let known = self.lock();
            (serde_json::to_string(&known.all), known.changes)
        };
        let kept = text.map_err(|error| error.to_string()).and_then(|text| {
            let kept = accounts.set_setting(SETTING, &text);
            kept.map_err(|error| error.to_string())
        });
        match kept {
            Ok(()) => *written = changes,
            Err(error) => tracing::warn!(
                error,
                "how far a webhook subscription has come was not kept: after a start, some of it is sent again"
            ),
        }
    }

    /// The others were removed.
    pub(super) fn keep_only(&self, known: &[WebhookId]) {
        self.lock().all.retain(|id, _| known.contains(id));
    }
}
