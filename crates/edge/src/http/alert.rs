//! Alerts from outside by the native API.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tocsin_domain::command::{AlertAsk, Ask};
use tocsin_domain::id::{IncidentId, ServiceId};
use tocsin_engine::handle::AskError;
use tocsin_wire::plain::cut;
use utoipa::ToSchema;

use super::alert_list::{AlertRequests, Unreadable};
use super::incident::incident_in;
use super::problem::Problem;
use super::shape::{Id, Severity};
use crate::access::who::Caller;
use crate::app::App;
use crate::secret;

/// Characters of a dedup key at most.
const KEY_CHARS_MAX: usize = 255;
/// Characters of a key that is made here.
const KEY_CHARS: usize = 32;
/// Details that are kept.
const DETAILS_MAX: usize = 64;
/// Characters of a detail's name or value that are kept.
const DETAIL_CHARS_MAX: usize = 1_000;
/// Levels of nested details that are walked into.
const DETAIL_DEPTH_MAX: usize = 8;
/// Characters of the field that says where.
const SOURCE_CHARS_MAX: usize = 255;

/// What an alert asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AlertAction {
    /// Something fails.
    Trigger,
    /// Somebody works on it.
    Acknowledge,
    /// It is over.
    Resolve,
}

/// An alert.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AlertRequest {
    /// The default service when none is named.
    #[schema(value_type = Option<Id>)]
    service_id: Option<String>,
    /// Alerts with one key are one; made here for a trigger without one.
    #[schema(min_length = 1, max_length = 255)]
    dedup_key: Option<String>,
    action: AlertAction,
    /// What fails, in one line; needed for a trigger.
    summary: Option<String>,
    /// Needed for a trigger.
    severity: Option<Severity>,
    /// Where it fails; needed for a trigger.
    source: Option<String>,
    /// Further fields.
    details: Option<Value>,
}

/// An alert that is on disk.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AlertAccepted {
    dedup_key: String,
    /// The incident it belongs to; null when nothing failed under that key.
    #[schema(required = true)]
    incident_id: Option<String>,
}

/// What became of each alert of a list, in its order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AlertsAccepted {
    alerts: Vec<AlertAnswer>,
}

/// What became of one alert of a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum AlertAnswer {
    /// It is on disk.
    Accepted(AlertAccepted),
    /// Nothing of it was kept.
    Refused {
        /// Its key; null when it has none that can be read.
        dedup_key: Option<String>,
        /// The HTTP status it would have got alone.
        status: u16,
        /// Why.
        detail: String,
    },
}

/// What became of an alert, or of each of a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum SentAlerts {
    One(AlertAccepted),
    Many(AlertsAccepted),
}

/// Raise, acknowledge or resolve an alert, or several at once
#[utoipa::path(post, path = "/api/tocsin/v1/alerts", tag = "alerts", request_body = AlertRequests,
    responses((status = 202, body = SentAlerts, description = "On disk"),
        (status = 207, body = AlertsAccepted, description = "Some of a list were refused"),
        (status = 400), (status = 404), (status = 409)))]
pub(crate) async fn send_alert(
    State(app): State<App>,
    caller: Caller,
    request: AlertRequests,
) -> Result<Response, Problem> {
    match request {
        AlertRequests::One(request) => send_one(&app, &caller, *request).await,
        AlertRequests::Many(requests) => send_many(&app, &caller, requests).await,
    }
}

async fn send_one(app: &App, caller: &Caller, request: AlertRequest) -> Result<Response, Problem> {
    let service = service_of(app, &request)?;
    let (dedup_key, ask) = ask_of(request, service)?;
    let done = app.ask(&caller.actor, Ask::Alert(ask)).await?;
    let sent = SentAlerts::One(accepted(dedup_key, incident_in(&done)));
    Ok((StatusCode::ACCEPTED, Json(sent)).into_response())
}

/// Each of a list is taken or refused for itself, whether it cannot be read or the core refuses it.
async fn send_many(
    app: &App,
    caller: &Caller,
    requests: Vec<Result<AlertRequest, Unreadable>>,
) -> Result<Response, Problem> {
    let (mut keys, mut asks) = (Vec::new(), Vec::new());
    // In the order of the list; those that are asked for have no answer yet.
    let mut alerts = Vec::new();
    for request in requests {
        match one_of(app, request) {
            Ok((key, ask)) => {
                keys.push(key);
                asks.push(Ask::Alert(ask));
                alerts.push(None);
            }
            Err(refused) => alerts.push(Some(refused)),
        }
    }
    let outcomes = app.ask_all(&caller.actor, asks).await?;
    let outcomes = keys.into_iter().zip(outcomes).map(|(key, outcome)| {
        let incident = outcome.map(|done| incident_in(&done));
        (key, incident)
    });
    let mut asked = answered(outcomes.collect())?.into_iter();
    let alerts: Vec<AlertAnswer> = alerts
        .into_iter()
        .filter_map(|refused| refused.or_else(|| asked.next()))
        .collect();
    let is_refused = |one: &AlertAnswer| matches!(one, AlertAnswer::Refused { .. });
    let status = if alerts.iter().any(is_refused) {
        StatusCode::MULTI_STATUS
    } else {
        StatusCode::ACCEPTED
    };
    let sent = SentAlerts::Many(AlertsAccepted { alerts });
    Ok((status, Json(sent)).into_response())
}

/// What became of each, by its key and by how the core answered. They are made durable together, but for those after several that
/// Tocsin itself did not cope with: a list of which nothing was kept is refused whole.
fn answered(
    outcomes: Vec<(String, Result<Option<IncidentId>, AskError>)>,
) -> Result<Vec<AlertAnswer>, Problem> {
    let is_any_kept = outcomes.iter().any(|(_, outcome)| outcome.is_ok());
    let answers = outcomes.into_iter().map(|(key, outcome)| match outcome {
        Ok(incident) => Ok(AlertAnswer::Accepted(accepted(key, incident))),
        Err(error) => {
            let is_its_own = matches!(error, AskError::Refused(_) | AskError::Fault);
            let problem = Problem::from(error);
            if is_its_own || is_any_kept {
                Ok(AlertAnswer::refused(Some(key), &problem))
            } else {
                Err(problem)
            }
        }
    });
    answers.collect()
}

/// What one of a list asks for, with its key, or the answer to it.
fn one_of(
    app: &App,
    request: Result<AlertRequest, Unreadable>,
) -> Result<(String, AlertAsk), AlertAnswer> {
    let request =
        request.map_err(|one| AlertAnswer::refused(one.dedup_key, &Problem::bad(one.why)))?;
    let dedup_key = request.dedup_key.clone();
    service_of(app, &request)
        .and_then(|service| ask_of(request, service))
        .map_err(|problem| AlertAnswer::refused(dedup_key, &problem))
}

impl AlertAnswer {
    fn refused(dedup_key: Option<String>, problem: &Problem) -> Self {
        Self::Refused {
            dedup_key,
            status: problem.status().as_u16(),
            detail: problem.detail().to_owned(),
        }
    }
}

fn accepted(dedup_key: String, incident: Option<IncidentId>) -> AlertAccepted {
    AlertAccepted {
        dedup_key,
        incident_id: incident.map(|incident| incident.to_string()),
    }
}

fn service_of(app: &App, request: &AlertRequest) -> Result<ServiceId, Problem> {
    match &request.service_id {
        Some(id) => id
            .parse()
            .map_err(|_| Problem::bad("service_id: not an id of a service")),
        None => app
            .read(|state| state.installation.as_ref().map(|all| all.default_service))
            .ok_or_else(|| Problem::conflict("set Tocsin up first")),
    }
}

fn ask_of(request: AlertRequest, service: ServiceId) -> Result<(String, AlertAsk), Problem> {
    let mut reasons = Vec::new();
    let dedup_key = match (request.dedup_key, request.action) {
        (Some(key), _) if key.trim().is_empty() || key.chars().count() > KEY_CHARS_MAX => {
            reasons.push(format!("dedup_key: 1 to {KEY_CHARS_MAX} characters"));
            String::new()
        }
        (Some(key), _) => key.trim().to_owned(),
        (None, AlertAction::Trigger) => new_key()?,
        (None, AlertAction::Acknowledge | AlertAction::Resolve) => {
            reasons.push("dedup_key: needed to acknowledge or resolve".to_owned());
            String::new()
        }
    };
    let ask = match request.action {
        AlertAction::Acknowledge => AlertAsk::AcknowledgeByKey {
            service,
            integration: None,
            dedup_key: dedup_key.clone(),
        },
        AlertAction::Resolve => AlertAsk::ResolveByKey {
            service,
            integration: None,
            dedup_key: dedup_key.clone(),
        },
        AlertAction::Trigger => {
            let mut need = |name: &str, value: Option<String>| {
                let value = value.filter(|value| !value.trim().is_empty());
                value.unwrap_or_else(|| {
                    reasons.push(format!("{name}: needed for a trigger"));
                    String::new()
                })
            };
            let title = need("summary", request.summary);
            let source = need("source", request.source);
            let severity = request.severity.unwrap_or_else(|| {
                reasons.push("severity: needed for a trigger".to_owned());
                Severity::Critical
            });
            AlertAsk::Trigger {
                service: Some(service),
                integration: None,
                dedup_key: Some(dedup_key.clone()),
                severity: severity.into(),
                title,
                summary: format!("on {}", cut(&source, SOURCE_CHARS_MAX)),
                details: request
                    .details
                    .map(|details| flat(&details))
                    .unwrap_or_default(),
                sent_details: None,
                at: None,
            }
        }
    };
    if reasons.is_empty() {
        Ok((dedup_key, ask))
    } else {
        Err(Problem::invalid(reasons))
    }
}

/// A key for an alert that came without one.
pub(crate) fn new_key() -> Result<String, Problem> {
    secret::letters(KEY_CHARS).map_err(|_| Problem::internal("the system gives no random bytes"))
}

/// Any JSON as names and texts, within limits: what is nested gets a dotted name.
pub(crate) fn flat(details: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    collect("", details, 0, &mut found);
    found
}

/// Whether names and texts say all of it: an object of nothing but texts, each within the limits.
pub(crate) fn is_flat(details: &Value) -> bool {
    let Value::Object(fields) = details else {
        return false;
    };
    // No character has less than a byte.
    let is_whole =
        |text: &str| text.len() <= DETAIL_CHARS_MAX || text.chars().count() <= DETAIL_CHARS_MAX;
    let is_told = |(name, value): (&String, &Value)| {
        !name.is_empty() && is_whole(name) && value.as_str().is_some_and(is_whole)
    };
    fields.len() <= DETAILS_MAX && fields.iter().all(is_told)
}

fn collect(name: &str, value: &Value, depth: usize, found: &mut Vec<(String, String)>) {
    if found.len() >= DETAILS_MAX {
        return;
    }
    let below = |key: &str| {
        if name.is_empty() {
            key.to_owned()
        } else {
            format!("{name}.{key}")
        }
    };
    match value {
        Value::Object(fields) if depth < DETAIL_DEPTH_MAX => {
            found.reserve(fields.len().min(DETAILS_MAX));
            for (key, value) in fields {
                collect(&below(key), value, depth + 1, found);
            }
        }
        Value::Array(items) if depth < DETAIL_DEPTH_MAX => {
            for (index, value) in items.iter().enumerate() {
                collect(&below(&index.to_string()), value, depth + 1, found);
            }
        }
        Value::String(text) => push(name, text, found),
        Value::Object(_) | Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {
            push(name, &value.to_string(), found);
        }
    }
}

fn push(name: &str, text: &str, found: &mut Vec<(String, String)>) {
    let name = if name.is_empty() { "details" } else { name };
    found.push((cut(name, DETAIL_CHARS_MAX), cut(text, DETAIL_CHARS_MAX)));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_a_list_of_which_a_part_was_kept_each_says_whether_it_was() {
        let all = |outcomes: Vec<Result<Option<IncidentId>, AskError>>| {
            let keyed = outcomes
                .into_iter()
                .map(|outcome| ("k".to_owned(), outcome));
            let answers = answered(keyed.collect()).map_err(|problem| problem.status().as_u16())?;
            let statuses = answers.iter().map(|one| match one {
                AlertAnswer::Accepted(_) => 202,
                AlertAnswer::Refused { status, .. } => *status,
            });
            Ok::<Vec<u16>, u16>(statuses.collect())
        };
        let (fault, busy) = (|| Err(AskError::Fault), || Err(AskError::Busy));
        assert_eq!(
            all(vec![Ok(None), fault(), busy()]),
            Ok(vec![202, 500, 503])
        );
        assert_eq!(all(vec![fault(), fault()]), Ok(vec![500, 500]));
        assert_eq!(all(vec![fault(), busy()]), Err(503));
    }

    #[test]
    fn details_become_names_and_texts_within_limits() {
        let check = |details: Value, expected: &[(&str, &str)]| {
            let expected: Vec<_> = expected
                .iter()
                .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
                .collect();
            assert_eq!(flat(&details), expected);
        };
        check(
            json!({"a": 1, "b": {"c": ["x", null]}}),
            &[("a", "1"), ("b.c.0", "x"), ("b.c.1", "null")],
        );
        check(json!("text"), &[("details", "text")]);
        assert_eq!(flat(&json!(vec![1; 1_000])).len(), DETAILS_MAX);
        let mut deep = json!(1);
        for _ in 0..100 {
            deep = json!([deep]);
        }
        assert_eq!(flat(&deep).len(), 1);
        assert_eq!(
            flat(&json!({"k": "é".repeat(5_000)}))[0].1.chars().count(),
            DETAIL_CHARS_MAX
        );
        // More bytes than characters.
        let short = "é".repeat(600);
        check(json!({"k": short}), &[("k", &short)]);
    }

    #[test]
    fn names_and_texts_say_all_of_texts_on_one_level_within_limits_and_of_nothing_else() {
        let many = |count: usize| -> Value {
            let fields = (0..count).map(|number| (number.to_string(), json!("x")));
            Value::Object(fields.collect())
        };
        for (details, expected) in [
            (json!({}), true),
            (json!({"a": "1", "a.b": ""}), true),
            (json!({"k": "é".repeat(DETAIL_CHARS_MAX)}), true),
            (many(DETAILS_MAX), true),
            (many(DETAILS_MAX + 1), false),
            (json!({"k": "x".repeat(DETAIL_CHARS_MAX + 1)}), false),
            (json!({"": "1"}), false),
            (json!({"a": 1}), false),
            (json!({"a": null}), false),
            (json!({"a": {}}), false),
            (json!("text"), false),
            (json!(["a"]), false),
        ] {
            assert_eq!(is_flat(&details), expected, "{details}");
        }
    }
}
