//! Whether the mail servers answer: asked now and then, since many look.

use std::time::Duration;

use tocsin_domain::time::Timestamp;
use tokio::sync::Mutex;

use super::{Check, is_good};
use crate::app::App;
use crate::delivery::mail::{self, mail_server};
use crate::delivery::place::Place;

/// A knock at the mail server is good for this long.
const PROBE_GOOD_MS: u64 = 30_000;
/// A knock may take this long.
const PROBE_WAIT: Duration = Duration::from_secs(5);

/// The last knock at the mail server of each place.
#[derive(Default)]
pub(crate) struct MailProbe {
    first: LastKnock,
    second: LastKnock,
    third: LastKnock,
}

type LastKnock = Mutex<Option<(Timestamp, MailState)>>;

impl MailProbe {
    const fn at(&self, place: Place) -> &LastKnock {
        match place {
            Place::First => &self.first,
            Place::Second => &self.second,
            Place::Third => &self.third,
        }
    }
}

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

/// How the mail servers of all places are; those that hang keep nobody waiting for the others.
pub(super) async fn mail_states(app: &App) -> [(Place, MailState); 3] {
    let (first, second, third) = tokio::join!(
        mail_state(app, Place::First),
        mail_state(app, Place::Second),
        mail_state(app, Place::Third),
    );
    [
        (Place::First, first),
        (Place::Second, second),
        (Place::Third, third),
    ]
}

/// Knocks at the mail server of a place, unless somebody did a moment ago.
pub(crate) async fn mail_state(app: &App, place: Place) -> MailState {
    let mut last = app.inner().mail_probe.at(place).lock().await;
    let now = app.now();
    if let Some((at, state)) = last.as_ref()
        && is_good(*at, now, PROBE_GOOD_MS)
    {
        return state.clone();
    }
    let state = match mail_server(&app.accounts, &app.vault, place).await {
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
pub(crate) async fn forget_mail_state(app: &App, place: Place) {
    *app.inner().mail_probe.at(place).lock().await = None;
}

/// What is to be said about the mail servers; `wanted`: somebody is to be reached by mail.
pub(super) fn checks(all: &[(Place, MailState)], wanted: bool) -> Vec<Check> {
    let set_up = all.iter().filter(|(_, mail)| *mail != MailState::Unset);
    let mut checks: Vec<Check> = set_up
        .map(|(place, mail)| check(&name(*place), mail, wanted))
        .collect();
    if checks.is_empty() {
        checks.push(check(&name(Place::First), &MailState::Unset, wanted));
    }
    checks
}

fn name(place: Place) -> String {
    match place {
        Place::First => "mail server".to_owned(),
        Place::Second | Place::Third => format!("{} mail server", place.word()),
    }
}

fn check(name: &str, mail: &MailState, wanted: bool) -> Check {
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
