//! How far each subscription has come, kept among the settings, so that a start goes on where the run before had come to.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tocsin_domain::id::WebhookId;

use super::progress::Progress;
use crate::ports::Accounts;

/// The name of the setting.
const SETTING: &str = "webhook_progress";

type Known = BTreeMap<WebhookId, Progress>;

/// How far each subscription has come.
pub(super) struct Cursors(Mutex<Known>);

impl Cursors {
    /// As it was kept last.
    pub(super) fn load(accounts: &dyn Accounts) -> Self {
        let kept = accounts.setting(SETTING).map_err(|error| error.to_string());
        let known = kept.and_then(|text| {
            let text = text.unwrap_or_else(|| "{}".to_owned());
            serde_json::from_str(&text).map_err(|error| error.to_string())
        });
        let known = known.unwrap_or_else(|error| {
            tracing::error!(error, "how far webhook subscriptions had come cannot be read: each begins where it was made");
            Known::new()
        });
        Self(Mutex::new(known))
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far this one has come.
    pub(super) fn get(&self, id: WebhookId) -> Progress {
        self.lock().get(&id).cloned().unwrap_or_default()
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
