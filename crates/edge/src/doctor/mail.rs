//! Whether the mail server answers: asked now and then, since many look.

use std::time::Duration;

use tocsin_domain::time::Timestamp;
use tokio::sync::Mutex;

use super::{Check, is_good};
use crate::app::App;
use crate::delivery::mail::{self, mail_settings};

/// A knock at the mail server is good for this long.
const PROBE_GOOD_MS: u64 = 30_000;
/// A knock may take this long.
const PROBE_WAIT: Duration = Duration::from_secs(5);

/// The last knock at the mail server.
#[derive(Default)]
pub(crate) struct MailProbe(Mutex<Option<(Timestamp, MailState)>>);

/// What is known of the mail server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MailState {
    /// None is set up.
    Unset,
    /// It answered.
    Reachable,
    /// It did not, and why.
    Failing(String),
}

/// Knocks at the mail server, unless somebody did a moment ago.
pub(crate) async fn mail_state(app: &App) -> MailState {
    let mut last = app.inner().mail_probe.0.lock().await;
    let now = app.now();
    if let Some((at, state)) = last.as_ref()
        && is_good(*at, now, PROBE_GOOD_MS)
    {
        return state.clone();
    }
    let state = match mail_settings(&app.accounts, &app.vault).await {
        Ok(None) => MailState::Unset,
        Err(error) => MailState::Failing(error.to_string()),
        Ok(Some((settings, password))) => {
            let knock = mail::knock(&settings, password.as_ref(), &app.settings.egress);
            match tokio::time::timeout(PROBE_WAIT, knock).await {
                Ok(Ok(())) => MailState::Reachable,
                Ok(Err(report)) => MailState::Failing(report.detail),
                Err(_) => MailState::Failing("no answer within 5 s".to_owned()),
            }
        }
    };
    *last = Some((now, state.clone()));
    state
}

/// Forgets the last knock, because the settings changed.
pub(crate) async fn forget_mail_state(app: &App) {
    *app.inner().mail_probe.0.lock().await = None;
}

/// What is to be said about it; `wanted`: somebody is to be reached by mail.
pub(super) fn check(mail: &MailState, wanted: bool) -> Check {
    let name = "mail server";
    match mail {
        MailState::Reachable => Check::ok(name, "it answers"),
        MailState::Unset if wanted => Check::warn(
            name,
            "none is set up, but people are to be reached by mail",
            "set one up under Settings",
        ),
        MailState::Unset => Check::ok(name, "none is set up, and nobody needs one"),
        MailState::Failing(why) => Check::warn(
            name,
            why.clone(),
            "look at the mail settings and at the mail server",
        ),
    }
}
