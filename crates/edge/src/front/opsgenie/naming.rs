//! Which alert a path of Opsgenie's clients names: by its alias, its id, or the id of the request that made it.

use axum::http::StatusCode;
use tocsin_domain::alert::{AlertKey, Sender};
use tocsin_domain::id::{AlertId, IncidentId};
use tocsin_domain::service::Integration;
use tocsin_wire::opsgenie::{self, ALIAS_CHARS_MAX};

use crate::app::App;

/// What Opsgenie has in the place of an alert's name, though no alert is meant.
const QUESTIONS: [&str; 2] = ["count", "saved-searches"];

/// What an alert is named by, if that is said. Whatever the query is, it is refused in Opsgenie's form, not by who reads queries.
fn named_by(query: Option<&str>) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let kind = pairs.find(|(name, _)| name == "identifierType");
    kind.map(|(_, kind)| kind.into_owned())
}

/// Whether a path asks something else than for the alert of that name. Who says what it is named by means an alert.
pub(super) fn is_question(name: &str, query: Option<&str>) -> bool {
    QUESTIONS.contains(&name) && named_by(query).is_none()
}

/// The alert that a path names.
pub(super) struct Named {
    /// Its key.
    pub(super) key: String,
    /// It itself, where it is known by now.
    pub(super) alert: Option<AlertId>,
    /// The incident of one that fires no more. Its key may be another's by now.
    pub(super) over: Option<IncidentId>,
}

/// The alert that a path names, or why it names none.
pub(super) fn named(
    app: &App,
    integration: &Integration,
    name: &str,
    query: Option<&str>,
) -> Result<Named, (StatusCode, &'static str)> {
    match named_by(query).as_deref().unwrap_or("id") {
        "alias" if name.trim().is_empty() || name.chars().count() > ALIAS_CHARS_MAX => {
            let why = "The alias is empty or too long.";
            Err((StatusCode::UNPROCESSABLE_ENTITY, why))
        }
        "alias" => {
            let key = AlertKey {
                service: integration.service,
                sender: Sender::Integration(integration.id),
                key: opsgenie::key_of(name),
            };
            let alert = app.read(|state| state.fires(&key).map(|alert| alert.id));
            Ok(Named {
                key: key.key,
                alert,
                over: None,
            })
        }
        "id" => {
            let why = "No alert with that id is known; after a start of Tocsin the ids of requests name none any more.";
            named_by_id(app, integration, name).ok_or((StatusCode::NOT_FOUND, why))
        }
        _ => {
            let why = "identifierType must be alias or id: Tocsin gives its alerts no other names.";
            Err((StatusCode::UNPROCESSABLE_ENTITY, why))
        }
    }
}

/// The alert of this id, or the one that a request of this id was about: some clients keep no other.
fn named_by_id(app: &App, integration: &Integration, id: &str) -> Option<Named> {
    let requests = &app.inner().opsgenie_requests;
    let alert = match requests.find(integration.id, id) {
        Some(request) => request.alert?,
        None => id.parse().ok()?,
    };
    app.read(|state| {
        let known = state.alerts.get(&alert)?;
        let is_own = known.source.integration() == Some(integration.id);
        is_own.then(|| Named {
            key: known.dedup_key.clone(),
            alert: Some(alert),
            over: (!known.is_firing()).then_some(known.incident),
        })
    })
}
