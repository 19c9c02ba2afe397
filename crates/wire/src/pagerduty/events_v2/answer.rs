//! The bodies that PagerDuty's clients expect in answer to an event.

use serde::Serialize;
use serde_json::json;

/// What is said to each event that is kept, so that no value is made for it. Its fields stand in the order of their names, as those
/// of a value do.
#[derive(Serialize)]
struct Accepted<'a> {
    dedup_key: &'a str,
    message: &'a str,
    status: &'a str,
}

/// The body of the 202 for an event that is durably kept. Clients fail without the `dedup_key`.
#[must_use]
pub fn accepted(dedup_key: &str) -> String {
    let body = Accepted {
        dedup_key,
        message: "Event processed",
        status: "success",
    };
    // Texts can always be written.
    serde_json::to_string(&body).unwrap_or_default()
}

/// The body of the 202 for a change that is durably kept.
#[must_use]
pub fn change_accepted() -> String {
    json!({"status": "success", "message": "Change event processed"}).to_string()
}

/// The body of a 400 (or 413).
#[must_use]
pub fn invalid(errors: &[String]) -> String {
    json!({"status": "invalid event", "message": "Event object is invalid", "errors": errors})
        .to_string()
}

/// The body of a 429: the event was not kept and is to be sent again later.
#[must_use]
pub fn throttled() -> String {
    json!({
        "status": "throttle exceeded",
        "message": "Requests for this routing key are arriving too quickly; send the event again later",
        "errors": ["too many requests for this routing key"],
    })
    .to_string()
}
