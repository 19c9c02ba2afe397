//! A page as an event for PagerDuty's Events API v2, for a team that keeps it; our incident is its key there. It sends nothing.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::page_message::{Kind, PageMessage, Urgency, one_line, web_address};

/// Characters of a summary.
const SUMMARY_CHARS_MAX: usize = 1_024;

/// Whether this has the form of a routing key.
#[must_use]
pub fn is_routing_key(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The body of an event.
#[must_use]
pub fn body(routing_key: &str, message: &PageMessage) -> Vec<u8> {
    let action = match message.kind {
        Kind::Page | Kind::Test | Kind::Verification | Kind::Handoff => "trigger",
        Kind::Acknowledged => "acknowledge",
        Kind::Resolved => "resolve",
    };
    let key = if message.incident_id.is_empty() {
        &message.idempotency_key
    } else {
        &message.incident_id
    };
    let mut body = json!({
        "routing_key": routing_key,
        "event_action": action,
        "dedup_key": format!("tocsin-{key}"),
    });
    if action == "trigger" {
        body["payload"] = payload(message);
        body["client"] = json!("Tocsin");
        if let Some(link) = web_address(&message.link) {
            body["client_url"] = json!(link);
        }
        let runbook = message.runbook.as_deref().and_then(web_address);
        let links: Vec<Value> = [
            ("Open in Tocsin", web_address(&message.link)),
            ("Runbook", runbook),
        ]
        .into_iter()
        .filter_map(|(text, href)| Some(json!({"href": href?, "text": text})))
        .collect();
        body["links"] = json!(links);
    }
    body.to_string().into_bytes()
}

fn payload(message: &PageMessage) -> Value {
    let severity = match (message.kind, message.urgency) {
        (Kind::Page, Urgency::High) => "critical",
        (Kind::Page, Urgency::Low) => "warning",
        (
            Kind::Test | Kind::Verification | Kind::Handoff | Kind::Acknowledged | Kind::Resolved,
            _,
        ) => "info",
    };
    let details: serde_json::Map<String, Value> = message
        .facts()
        .into_iter()
        .map(|(name, value)| (name, Value::String(value)))
        .collect();
    let source = message.target.as_deref().unwrap_or("tocsin");
    let at = message.onset.map_or(message.opened_at, |onset| onset.at);
    json!({
        "summary": message.headline_within(SUMMARY_CHARS_MAX - 1),
        "source": one_line(source, 255),
        "severity": severity,
        "timestamp": at.to_rfc3339(),
        "component": one_line(&message.service, 255),
        "custom_details": details,
    })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AnswerBody {
    message: String,
    errors: Vec<String>,
}

#[derive(Deserialize)]
struct StatusBody {
    status: String,
}

/// Whether an answer says that the event was taken.
#[must_use]
pub fn is_taken(body: &[u8]) -> bool {
    serde_json::from_slice::<StatusBody>(body).is_ok_and(|body| body.status == "success")
}

/// The words of an answer that refuses.
#[must_use]
pub fn words(body: &[u8]) -> String {
    let body: AnswerBody = serde_json::from_slice(body).unwrap_or_default();
    let all: Vec<String> = [body.message].into_iter().chain(body.errors).collect();
    one_line(&all.join("; "), 300)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page_message::tests::hostile_page;

    const KEY: &str = "R0123456789ABCDEFGHIJabcdefghij0";

    fn json(message: &PageMessage) -> Value {
        serde_json::from_slice(&body(KEY, message)).unwrap()
    }

    #[test]
    fn the_incident_is_the_key_of_all_its_events() {
        let mut page = hostile_page();
        let trigger = json(&page);
        assert_eq!(trigger["event_action"], "trigger");
        assert_eq!(trigger["dedup_key"], "tocsin-QABCDEFGHIJKLM");
        assert_eq!(trigger["payload"]["severity"], "critical");
        assert_eq!(trigger["payload"]["source"], "webserver-01");
        assert_eq!(trigger["payload"]["custom_details"]["Urgency"], "high");
        page.kind = Kind::Acknowledged;
        assert_eq!(json(&page)["event_action"], "acknowledge");
        page.kind = Kind::Resolved;
        let resolve = json(&page);
        assert_eq!(resolve["event_action"], "resolve");
        assert_eq!(resolve["dedup_key"], trigger["dedup_key"]);
    }

    #[test]
    fn our_own_front_takes_what_is_forwarded() {
        let event = crate::pagerduty::events_v2::parse(&body(KEY, &hostile_page()), None);
        assert!(event.is_ok(), "{event:?}");
    }

    #[test]
    fn an_event_was_taken_when_that_is_what_is_said() {
        let front = crate::pagerduty::events_v2::accepted("tocsin-QABCDEFGHIJKLM");
        assert!(is_taken(front.as_bytes()));
        for other in [
            r#"{"status":"invalid event","message":"m","errors":[]}"#,
            r#"{"message":"success"}"#,
            "<html>Welcome to the hotel's network</html>",
            "",
        ] {
            assert!(!is_taken(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn the_words_of_a_refusal_are_read() {
        let body = br#"{"status":"invalid event","message":"Event object is invalid","errors":["'routing_key' is invalid"]}"#;
        assert_eq!(
            words(body),
            "Event object is invalid; 'routing_key' is invalid"
        );
        assert_eq!(words(b"x"), "");
        assert!(is_routing_key(KEY) && !is_routing_key("R0"));
    }
}
