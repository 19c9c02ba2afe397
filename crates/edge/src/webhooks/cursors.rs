//! How far each subscription has come, kept among the settings, so that a start goes on where the run before had come to.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tocsin_domain::id::WebhookId;

use super::progress::Progress;
use crate::ports::{Accounts, StorageError};

/// The name of the setting.
const SETTING: &str = "webhook_progress";

type Known = BTreeMap<WebhookId, Progress>;

/// How far each subscription has come.
pub(super) struct Cursors {
    known: Mutex<Known>,
    /// Where one begins of which nothing is kept, unless it was made later.
    begin: u64,
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
            known: Mutex::new(known),
            begin,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far this one has come.
    pub(super) fn get(&self, id: WebhookId) -> Progress {
        let known = self.lock().get(&id).cloned();
        known.unwrap_or_else(|| Progress {
            position: self.begin,
            ..Progress::default()
        })
    }

    /// Keeps how far this one has come. May block.
    pub(super) fn keep(&self, accounts: &dyn Accounts, id: WebhookId, progress: Progress) {
        let mut known = self.lock();
        known.insert(id, progress);
        let kept = serde_json::to_string(&*known).map_err(|error| error.to_string());
        let kept = kept.and_then(|text| {
            let kept = accounts.set_setting(SETTING, &text);
            kept.map_err(|error| error.to_string())
        });
        if let Err(error) = kept {
            tracing::warn!(
                error,
                "how far a webhook subscription has come was not kept: after a start, some of it is sent again"
            );
        }
    }

    /// The others were removed.
    pub(super) fn keep_only(&self, known: &[WebhookId]) {
        self.lock().retain(|id, _| known.contains(id));
    }
}
