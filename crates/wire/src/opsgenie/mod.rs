//! Opsgenie-style requests about alerts: what their bodies hold, and the answers that its clients read. It knows no route.
//!
//! A request to make an alert is an object whose `message` is needed; everything else is ornamental, and what of it cannot be
//! used is left out rather than refused. What it becomes is written in the mapping language ([`presets::OPSGENIE`]).

mod alert;
mod processed;
mod step;

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value, json};
use tocsin_domain::intake::form;
use tocsin_domain::monitor::Severity;

pub use alert::{Responder, Standing, shown};
pub use processed::{Kind, Outcome, Processed, processed};
pub use step::{Step, said};

use crate::mapping::{DETAIL_CHARS_MAX, Failure, Mapped, presets};

/// Bytes of a body.
pub const BODY_BYTES_MAX: usize = 512 * 1_024;
/// Characters of an alias (Opsgenie's limit).
pub const ALIAS_CHARS_MAX: usize = 512;
/// Fields that must be text where they are.
const TEXTS: &[&str] = &[
    "alias",
    "description",
    "entity",
    "source",
    "user",
    "note",
    "priority",
];

/// How bad an alert can be, and what the mapping makes of it.
const PRIORITIES: [(&str, Severity); 5] = [
    ("P1", Severity::Critical),
    ("P2", Severity::Critical),
    ("P3", Severity::Error),
    ("P4", Severity::Warning),
    ("P5", Severity::Info),
];

/// A field of a known alert that a request says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// What fails.
    Message,
    /// Where and more.
    Description,
    /// How bad.
    Priority,
}

impl Field {
    /// The field of that name in a path; of the others Tocsin changes none.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        let all = [Self::Message, Self::Description, Self::Priority];
        all.into_iter().find(|field| field.name() == name)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Description => "description",
            Self::Priority => "priority",
        }
    }
}

/// What is said otherwise of a known alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Update {
    /// What fails.
    Message(String),
    /// Where and more; empty when that is taken back.
    Description(String),
    /// How bad.
    Priority(Severity),
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// The body is not JSON.
    Syntax,
    /// The body means nothing: fields and what is wrong with each.
    Unprocessable(Vec<(String, String)>),
}

/// Reads the body of a request to make an alert.
///
/// # Errors
/// All that is wrong with it.
pub fn create(body: &[u8]) -> Result<Mapped, Rejection> {
    let object = object(body)?;
    let mut errors = Vec::new();
    match object.get("message") {
        Some(Value::String(text)) if !text.trim().is_empty() => {}
        Some(Value::String(_) | Value::Null) | None => {
            errors.push(wrong("message", "Message can not be empty."));
        }
        Some(_) => errors.push(wrong("message", "must be a string")),
    }
    for name in TEXTS {
        let value = object.get(*name).unwrap_or(&Value::Null);
        if !value.is_string() && !value.is_null() {
            errors.push(wrong(name, "must be a string"));
        }
    }
    let alias = object.get("alias").and_then(Value::as_str);
    if alias.is_some_and(|alias| alias.chars().count() > ALIAS_CHARS_MAX) {
        let limit = format!("must be at most {ALIAS_CHARS_MAX} characters");
        errors.push(wrong("alias", &limit));
    }
    if !errors.is_empty() {
        return Err(Rejection::Unprocessable(errors));
    }
    let has_alias = alias.is_some_and(|alias| !alias.trim().is_empty());
    let mut alert = mapped(&in_words(with_long_numbers(body, object)))?;
    if !has_alias {
        // Without an alias each is an alert of its own, also when two have the same words.
        alert.dedup_key.clear();
    }
    for (name, _) in alert.details.iter_mut().skip(alert.named) {
        let has_room = name.len() + form::FURTHER.len() <= DETAIL_CHARS_MAX;
        if is_called_like_a_field(name) && has_room {
            name.insert_str(0, form::FURTHER);
        }
    }
    Ok(alert)
}

/// Whether a property has the name of a field, or the one under which such a property is kept. Rules look for either in any case of
/// its letters.
fn is_called_like_a_field(name: &str) -> bool {
    let name = name.to_lowercase();
    let name = name.trim_start_matches(form::FURTHER);
    form::REQUEST
        .iter()
        .any(|field| name.eq_ignore_ascii_case(field))
}

/// The name that a property was sent with, by the one under which it is kept.
fn property_name(kept: &str) -> &str {
    let sent = kept.strip_prefix(form::FURTHER);
    sent.filter(|sent| is_called_like_a_field(sent))
        .unwrap_or(kept)
}

/// The body of a request to make an alert as its mapping reads it: each of its responders is a text.
#[must_use]
pub fn in_words(mut body: Value) -> Value {
    let Some(said) = body.get("responders") else {
        return body;
    };
    let all = said
        .as_array()
        .map_or(std::slice::from_ref(said), Vec::as_slice);
    let words: Vec<String> = all.iter().filter_map(responder).collect();
    body["responders"] = words.into();
    body
}

/// What a responder is, and by what it is named (`team DBA`); none without a name.
fn responder(said: &Value) -> Option<String> {
    let text = |value: &Value| {
        let text = value.as_str().map(str::trim);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let field = |name: &str| said.get(name).and_then(text);
    let mut names = ["name", "username", "id"].into_iter().filter_map(field);
    let Some(name) = names.next() else {
        return text(said);
    };
    Some(match field("type") {
        Some(kind) => format!("{kind} {name}"),
        None => name,
    })
}

/// What a request to make an alert becomes.
fn mapped(body: &Value) -> Result<Mapped, Rejection> {
    let failed = |why: String| Rejection::Unprocessable(vec![("message".to_owned(), why)]);
    let mapping = presets::opsgenie().ok_or_else(|| failed("cannot be read".to_owned()))?;
    let outcome = mapping
        .apply(body)
        .map_err(|failure: Failure| failed(failure.to_string()))?;
    let alert = outcome.alerts.into_iter().next();
    alert.ok_or_else(|| failed("cannot be read".to_owned()))
}

/// Reads the body of a request that says a field of a known alert otherwise. It is read as in a request to make an alert.
///
/// # Errors
/// It is not JSON, or does not hold the field.
pub fn update(field: Field, body: &[u8]) -> Result<Update, Rejection> {
    let object = object(body)?;
    let name = field.name();
    let text = text(&object, name)?;
    match field {
        Field::Message if text.is_empty() => {
            return Err(unprocessable(name, "Message can not be empty."));
        }
        Field::Priority if PRIORITIES.iter().all(|(word, _)| *word != text) => {
            return Err(unprocessable(name, "must be one of P1, P2, P3, P4, P5"));
        }
        Field::Message | Field::Description | Field::Priority => {}
    }
    // A message is needed there, whichever field this is.
    let fields = [("message", "-"), (name, text)].into_iter();
    let whole = fields.map(|(name, text)| (name.to_owned(), Value::from(text)));
    let alert = mapped(&Value::Object(whole.collect()))?;
    Ok(match field {
        Field::Message => Update::Message(alert.title),
        Field::Description => Update::Description(alert.summary),
        Field::Priority => Update::Priority(alert.severity),
    })
}

/// A field that is text where it is there.
fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Result<&'a str, Rejection> {
    match object.get(name) {
        Some(Value::String(text)) => Ok(text.trim()),
        Some(Value::Null) | None => Ok(""),
        Some(_) => Err(unprocessable(name, "must be a string")),
    }
}

fn unprocessable(field: &str, why: &str) -> Rejection {
    Rejection::Unprocessable(vec![wrong(field, why)])
}

/// The body with its long numbers as they were written. What has to be a text was looked at before: none of these was one.
fn with_long_numbers(body: &[u8], object: Map<String, Value>) -> Value {
    match crate::json::exact(body) {
        Cow::Borrowed(_) => Value::Object(object),
        Cow::Owned(quoted) => crate::json::read(&quoted).unwrap_or(Value::Object(object)),
    }
}

/// The key of an alias, as [`create`] makes it.
#[must_use]
pub fn key_of(alias: &str) -> String {
    crate::mapping::key_of(alias)
}

fn object(body: &[u8]) -> Result<Map<String, Value>, Rejection> {
    match crate::json::read(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Rejection::Unprocessable(vec![wrong(
            "body",
            "must be an object",
        )])),
        Err(_) => Err(Rejection::Syntax),
    }
}

fn wrong(field: &str, why: &str) -> (String, String) {
    (field.to_owned(), why.to_owned())
}

/// The body of the 202 for what is durably kept. It is said to each request, so that no value is made for it; its fields stand in
/// the order of their names, as those of a value do.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Accepted<'a> {
    #[serde(rename = "requestId")]
    request_id: &'a str,
    result: &'a str,
    took: f64,
}

/// What is said of a request that is durably kept.
#[must_use]
pub const fn accepted(request_id: &str, took_s: f64) -> Accepted<'_> {
    Accepted {
        request_id,
        result: "Request will be processed",
        took: took_s,
    }
}

/// The body of a refusal.
#[must_use]
pub fn refused(message: &str, request_id: &str, took_s: f64) -> Value {
    json!({"message": message, "took": took_s, "requestId": request_id})
}

/// The status and the body for a rejection.
#[must_use]
pub fn rejected(rejection: &Rejection, request_id: &str, took_s: f64) -> (u16, Value) {
    match rejection {
        Rejection::Syntax => (
            400,
            refused("Request body is not valid JSON.", request_id, took_s),
        ),
        Rejection::Unprocessable(errors) => {
            let errors: Map<String, Value> = errors
                .iter()
                .map(|(field, why)| (field.clone(), Value::from(why.as_str())))
                .collect();
            let mut body = refused(
                "Request body is not processable. Please check the errors.",
                request_id,
                took_s,
            );
            body["errors"] = Value::Object(errors);
            (422, body)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::mapping::Action;

    #[test]
    fn a_request_to_make_an_alert_becomes_one() {
        let body = json!({
            "message": "An example alert message", "alias": "Life is too short for no alias",
            "description": "Every alert needs a description", "responders": [{"name": "NOC", "type": "team"}],
            "visibleTo": [], "actions": ["Restart"], "tags": ["OverwriteQuietHours", "Critical"],
            "details": {"key1": "value1", "key2": 2}, "entity": "An example entity", "priority": "P1",
        });
        let alert = create(body.to_string().as_bytes()).unwrap();
        assert_eq!(alert.action, Action::Trigger);
        assert_eq!(alert.dedup_key, "Life is too short for no alias");
        assert_eq!(alert.dedup_key, key_of("Life is too short for no alias"));
        assert_eq!(alert.title, "An example alert message");
        assert_eq!(alert.severity, Severity::Critical);
        let detail = |name: &str| {
            let found = alert.details.iter().find(|one| one.0 == name);
            found.map(|one| one.1.as_str())
        };
        assert_eq!(detail("Tags"), Some("OverwriteQuietHours, Critical"));
        assert_eq!(
            (detail("Responders"), detail("Actions")),
            (Some("team NOC"), Some("Restart"))
        );
        assert_eq!(
            (detail("key1"), detail("key2")),
            (Some("value1"), Some("2"))
        );
    }

    #[test]
    fn responders_are_told_by_their_types_and_names() {
        let told = |responders: Value| {
            let body = json!({"message": "m", "responders": responders});
            let details = create(body.to_string().as_bytes()).unwrap().details;
            assert!(details.len() < 2, "{details:?}");
            let told = details.into_iter().next();
            told.map(|(name, text)| {
                assert_eq!(name, form::RESPONDERS);
                text
            })
        };
        for (responders, expected) in [
            (
                json!([
                    {"id": "4513b7ea", "name": "DBA", "type": "team"},
                    {"username": "ann@example.org", "type": "user"},
                    {"id": "30b1ce3f", "type": "escalation"},
                    {"name": " Nights "},
                    "NOC",
                ]),
                Some("team DBA, user ann@example.org, escalation 30b1ce3f, Nights, NOC"),
            ),
            (json!({"name": "DBA", "type": "team"}), Some("team DBA")),
            (json!("DBA"), Some("DBA")),
            (json!([{"type": "team"}, {"name": " "}, 5, null, []]), None),
            (json!([]), None),
            (Value::Null, None),
        ] {
            assert_eq!(
                told(responders.clone()).as_deref(),
                expected,
                "{responders}"
            );
        }
    }

    #[test]
    fn an_id_that_64_bits_do_not_hold_is_kept_digit_by_digit_and_no_alias() {
        let body = br#"{"message": "m", "details": {"id": 12345678901234567890123, "other": 2}}"#;
        let alert = create(body).unwrap();
        let detail = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            alert.details,
            [
                detail("id", "12345678901234567890123"),
                detail("other", "2")
            ]
        );
        let rejection = create(br#"{"message": "m", "alias": 12345678901234567890123}"#);
        let wrong = vec![wrong("alias", "must be a string")];
        assert_eq!(rejection, Err(Rejection::Unprocessable(wrong)));
    }

    #[test]
    fn what_has_no_priority_still_pages_and_what_has_no_alias_has_no_key() {
        let alert = create(br#"{"message": "m", "priority": null}"#).unwrap();
        assert_eq!(
            (alert.severity, alert.dedup_key.as_str()),
            (Severity::Error, "")
        );
    }

    #[test]
    fn what_is_said_otherwise_is_read_as_when_an_alert_is_made() {
        let read = |name: &str, body: Value| {
            update(Field::of(name).unwrap(), body.to_string().as_bytes()).ok()
        };
        let message = json!({"message": " Disk\nfull "});
        let expected = Update::Message("Disk full".to_owned());
        assert_eq!(read("message", message), Some(expected));
        let text = json!({"description": "of db1", "message": 5});
        let expected = Update::Description("of db1".to_owned());
        assert_eq!(read("description", text), Some(expected));
        let none = Update::Description(String::new());
        assert_eq!(read("description", json!({})), Some(none));
        let worst = Update::Priority(Severity::Critical);
        assert_eq!(read("priority", json!({"priority": "P1"})), Some(worst));
        for (name, body) in [
            ("message", json!({})),
            ("message", json!({"message": " "})),
            ("message", json!({"message": ["m"]})),
            ("priority", json!({"priority": "P6"})),
            ("priority", json!({"priority": null})),
            ("description", json!([])),
        ] {
            assert_eq!(read(name, body.clone()), None, "{name} {body}");
        }
        assert_eq!(Field::of("tags"), None);
    }

    #[test]
    fn refusals_are_in_opsgenies_form() {
        let rejection = create(br#"{"message": " ", "alias": 5}"#).unwrap_err();
        let (status, body) = rejected(&rejection, "id", 0.5);
        assert_eq!(status, 422);
        assert_eq!(body["errors"]["message"], "Message can not be empty.");
        assert_eq!(body["errors"]["alias"], "must be a string");
        assert_eq!(
            (body["requestId"].clone(), body["took"].clone()),
            (json!("id"), json!(0.5))
        );
        assert_eq!(rejected(&create(b"{").unwrap_err(), "", 0.0).0, 400);
        assert_eq!(rejected(&create(b"[]").unwrap_err(), "", 0.0).0, 422);
        let long = json!({"message": "m", "alias": "a".repeat(513)}).to_string();
        assert!(create(long.as_bytes()).is_err());
    }

    #[test]
    fn what_is_kept_is_told_as_opsgenie_does() {
        let check = |took_s: f64, expected: &str| {
            let written = serde_json::to_string(&accepted("id", took_s)).unwrap();
            let result = "Request will be processed";
            let value = json!({"result": result, "took": took_s, "requestId": "id"});
            assert_eq!(written, value.to_string());
            assert!(written.ends_with(expected), "{written}");
        };
        check(0.0, r#""took":0.0}"#);
        check(0.008, r#""took":0.008}"#);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "\\PC{0,40}") {
            drop(create(&bytes));
            drop(update(Field::Message, &bytes));
            drop(create(json!({"message": text, "alias": text, "details": [text]}).to_string().as_bytes()));
            drop(create(json!({"message": text, "responders": [text, {"name": text}], "actions": text}).to_string().as_bytes()));
        }
    }
}
