//! The body of `POST /generic/2010-04-15/create_event.json` (PagerDuty Events API v1) to the event that v2 would have, and the
//! answers of v1. It does not route events.
//!
//! v1 knows no severity and no source: what is triggered by it pages. What is merely ornamental and cannot be read is dropped and noted.

use serde::Serialize;
use serde_json::{Value, json};

use super::events_v2::{
    Action, BODY_BYTES_MAX, Contexts, DEDUP_KEY_CHARS_MAX, Event, Payload, ROUTING_KEY_CHARS,
    Rejection, SUMMARY_CHARS_MAX, Severity,
};
use crate::page_message::web_address;
use crate::plain::{cut, is_plain};

/// Characters of a client's name that are kept.
const CLIENT_CHARS_MAX: usize = 255;

/// Reads the body.
///
/// # Errors
/// All rules that the event breaks.
pub fn parse(body: &[u8]) -> Result<Event, Rejection> {
    if body.len() > BODY_BYTES_MAX {
        let errors = vec![format!("the event is larger than {BODY_BYTES_MAX} bytes")];
        return Err(Rejection {
            status: 413,
            errors,
        });
    }
    // A number that is too long for any kind of number costs no alert.
    let read = crate::json::read::<Value>(body).or_else(|_| crate::json::read_exact(body));
    let mut value =
        read.map_err(|error| refused(vec![format!("the body is not JSON: {error}")]))?;
    let details = take_details(&mut value);
    let details = details.map(|details| as_written(body, details));
    let mut errors = Vec::new();
    match event_of(&value, &mut errors) {
        Some(event) if errors.is_empty() => Ok(Event {
            payload: event.payload.map(|payload| Payload {
                custom_details: details,
                ..payload
            }),
            ..event
        }),
        Some(_) | None => Err(refused(errors)),
    }
}

/// Taken out of the body: a copy of it would cost as much as to read it.
fn take_details(body: &mut Value) -> Option<Value> {
    let details = body.get_mut("details").map(Value::take);
    details.filter(|one| !one.is_null())
}

/// The details with their long numbers as the texts of their digits: rounded, two ids could become one.
fn as_written(body: &[u8], details: Value) -> Value {
    if !crate::json::may_be_rounded(&details) {
        return details;
    }
    let exact = crate::json::read_exact::<Value>(body).ok();
    let exact = exact.and_then(|mut body| take_details(&mut body));
    exact.unwrap_or(details)
}

fn refused(errors: Vec<String>) -> Rejection {
    Rejection {
        status: 400,
        errors,
    }
}

fn event_of(value: &Value, errors: &mut Vec<String>) -> Option<Event> {
    let Some(object) = value.as_object() else {
        errors.push("the body is not a JSON object".to_owned());
        return None;
    };
    let key = text(value, "service_key", errors).unwrap_or_default();
    let good =
        key.len() == ROUTING_KEY_CHARS && key.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !good {
        errors.push("Service key is invalid: it is 32 letters and digits".to_owned());
    }
    let action = match text(value, "event_type", errors).as_deref() {
        Some("trigger") => Some(Action::Trigger),
        Some("acknowledge") => Some(Action::Acknowledge),
        Some("resolve") => Some(Action::Resolve),
        Some(_) | None => {
            errors.push("Event type must be one of: trigger, acknowledge, resolve".to_owned());
            None
        }
    };
    let incident_key = text(value, "incident_key", errors);
    if incident_key
        .as_ref()
        .is_some_and(|key| key.chars().count() > DEDUP_KEY_CHARS_MAX)
    {
        errors.push(format!(
            "Incident key is too long (maximum is {DEDUP_KEY_CHARS_MAX} characters)"
        ));
    }
    let action = action?;
    if action != Action::Trigger && incident_key.is_none() {
        errors.push("Incident key is required for acknowledge and resolve events".to_owned());
    }
    let client = text(value, "client", &mut Vec::new());
    let client = client.map(|name| cut(&name, CLIENT_CHARS_MAX));
    let payload = match action {
        Action::Trigger => Some(payload(value, errors)?),
        Action::Acknowledge | Action::Resolve => None,
    };
    let address = text(value, "client_url", &mut Vec::new());
    let contexts = match action {
        Action::Trigger => Contexts::of(object),
        Action::Acknowledge | Action::Resolve => Contexts::default(),
    };
    Some(Event {
        routing_key: key,
        action,
        dedup_key: incident_key,
        payload,
        images: contexts.images,
        links: contexts.links,
        client,
        client_url: address.and_then(|text| web_address(&text).map(str::to_owned)),
        notes: contexts.notes,
    })
}

fn payload(value: &Value, errors: &mut Vec<String>) -> Option<Payload> {
    let Some(summary) = text(value, "description", errors) else {
        errors.push("Description is required for trigger events".to_owned());
        return None;
    };
    Some(Payload {
        // A description was longer in v1: it is cut, since an alert must not be lost for it.
        summary: cut(&summary, SUMMARY_CHARS_MAX),
        source: None,
        severity: Severity::Critical,
        timestamp: None,
        component: None,
        group: None,
        class: None,
        // They were taken out before.
        custom_details: None,
    })
}

/// A text that is not blank; a blank stands for every control character but newline and tab.
fn text(value: &Value, name: &str, errors: &mut Vec<String>) -> Option<String> {
    let found = value.get(name).filter(|one| !one.is_null())?;
    let Some(text) = found.as_str() else {
        errors.push(format!("{name} is invalid: it is a string"));
        return None;
    };
    if text.trim().is_empty() {
        return None;
    }
    if is_plain(text) {
        return Some(text.to_owned());
    }
    let unprintable =
        |character: char| character.is_control() && character != '\n' && character != '\t';
    let text = text.replace(unprintable, " ");
    (!text.trim().is_empty()).then_some(text)
}

/// What is said to each event that is kept, so that no value is made for it. Its fields stand in the order of their names, as those
/// of a value do.
#[derive(Serialize)]
struct Accepted<'a> {
    incident_key: &'a str,
    message: &'a str,
    status: &'a str,
}

/// The body of the 200 for an event that is durably kept.
#[must_use]
pub fn accepted(incident_key: &str) -> String {
    let body = Accepted {
        incident_key,
        message: "Event processed",
        status: "success",
    };
    // Texts can always be written.
    serde_json::to_string(&body).unwrap_or_default()
}

/// The body of the 403 with which v1 says that the event was not kept and is to be sent again later.
#[must_use]
pub fn throttled() -> String {
    json!({
        "status": "throttle exceeded",
        "message": "Requests for this service are arriving too quickly. Please retry later.",
        "errors": ["too many requests for this service key"],
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pagerduty::events_v2::{Image, Link};

    const KEY: &str = "R0123456789ABCDEFGHIJabcdefghij0";

    fn read(value: &Value) -> Result<Event, Vec<String>> {
        parse(value.to_string().as_bytes()).map_err(|rejection| rejection.errors)
    }

    #[test]
    fn an_event_is_read_as_clients_send_it() {
        let event = read(&json!({
            "service_key": KEY, "event_type": "trigger", "incident_key": "srv01/HTTP",
            "description": "FAILURE for production/HTTP on machine srv01",
            "client": "Sample Monitoring Service", "client_url": "https://monitoring.example.com",
            "details": {"ping time": "1500ms", "load avg": 0.75},
        }));
        let event = event.unwrap();
        assert_eq!(event.dedup_key.as_deref(), Some("srv01/HTTP"));
        assert_eq!(event.client.as_deref(), Some("Sample Monitoring Service"));
        let payload = event.payload.unwrap();
        assert_eq!(payload.source, None, "a client is no place");
        assert_eq!(payload.severity, Severity::Critical);
        assert_eq!(payload.custom_details.unwrap()["ping time"], "1500ms");
        let long = "123456789012345678901234567890";
        let body = format!(
            r#"{{"service_key": "{KEY}", "event_type": "trigger", "description": "x", "details": {{"id": {long}}}}}"#
        );
        let exact = parse(body.as_bytes()).unwrap().payload.unwrap();
        assert_eq!(exact.custom_details.unwrap()["id"], long);
        let plain = json!({"service_key": KEY, "event_type": "resolve", "incident_key": "k"});
        assert_eq!(read(&plain).unwrap().action, Action::Resolve);
    }

    #[test]
    fn contexts_are_links_and_images_and_none_costs_the_alert() {
        let (page, picture) = ("https://example.org/page", "https://example.org/load.png");
        let with = |contexts: Value| {
            read(&json!({
                "service_key": KEY, "event_type": "trigger", "description": "x", "contexts": contexts,
            }))
            .unwrap()
        };
        let event = with(json!([
            {"type": "link", "href": page, "text": "Runbook"},
            {"type": "image", "src": picture, "href": page, "alt": "Load"},
            {"type": "link", "href": page},
        ]));
        let link = |text: Option<&str>| Link {
            href: page.to_owned(),
            text: text.map(str::to_owned),
        };
        let image = Image {
            src: picture.to_owned(),
            href: Some(page.to_owned()),
            alt: Some("Load".to_owned()),
        };
        assert_eq!(event.links, [link(Some("Runbook")), link(None)]);
        assert_eq!(event.images, [image]);
        assert!(event.notes.is_empty(), "{:?}", event.notes);
        for wrong in [
            json!("none"),
            json!([1]),
            json!([{"type": "film", "src": picture}]),
            json!([{"type": "link", "href": "javascript:1"}]),
        ] {
            let event = with(wrong.clone());
            assert!(event.links.is_empty() && event.images.is_empty(), "{wrong}");
            assert_eq!(event.notes.len(), 1, "{wrong}");
        }
    }

    #[test]
    fn each_broken_rule_has_its_reason() {
        let count = |value: Value| read(&value).err().map(|errors| errors.len());
        assert_eq!(count(json!({})), Some(2));
        assert_eq!(count(json!([])), Some(1));
        assert_eq!(
            count(json!({"service_key": KEY, "event_type": "trigger"})),
            Some(1)
        );
        assert_eq!(
            count(json!({"service_key": KEY, "event_type": "resolve"})),
            Some(1)
        );
        assert_eq!(
            count(json!({"service_key": "x", "event_type": "explode"})),
            Some(2)
        );
        let long =
            json!({"service_key": KEY, "event_type": "resolve", "incident_key": "x".repeat(256)});
        assert_eq!(count(long), Some(1));
        assert_eq!(parse(b"{").unwrap_err().status, 400);
        assert_eq!(
            parse(&vec![b' '; BODY_BYTES_MAX + 1]).unwrap_err().status,
            413
        );
    }

    #[test]
    fn a_long_description_is_cut_and_costs_no_alert() {
        let event =
            json!({"service_key": KEY, "event_type": "trigger", "description": "é".repeat(5_000)});
        let payload = read(&event).unwrap().payload.unwrap();
        assert_eq!(payload.summary.chars().count(), SUMMARY_CHARS_MAX);
        let answer = r#"{"incident_key":"k","message":"Event processed","status":"success"}"#;
        assert_eq!(accepted("k"), answer);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_and_a_refusal_always_has_a_reason(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Err(rejection) = parse(&body) {
                prop_assert!(!rejection.errors.is_empty());
            }
        }
    }
}
