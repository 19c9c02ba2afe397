//! The body of `POST /v2/enqueue` (PagerDuty Events API v2) to a typed event, and our answers; it does not route events.
//!
//! Rules: routing key of 32 letters and digits; action trigger, acknowledge or resolve; a trigger needs a payload with a
//! summary of at most 1,024 characters, a source and one of four severities; a `dedup_key` of at most 255 characters, needed
//! but for a trigger; 512 KB in all. All violations are reported at once. What is merely ornamental (a timestamp nobody can
//! read, a link that is none) is dropped and noted, because an alert must not be lost for it.

mod answer;
mod change;
mod check;

use std::fmt;

use serde_json::{Map, Value};
use tocsin_domain::time::Timestamp;

pub use answer::{accepted, change_accepted, invalid, throttled};
pub use change::{Change, parse_change};

use check::{Check, Fields};

/// Bytes of a body.
pub const BODY_BYTES_MAX: usize = 512 * 1_024;
/// Characters of a summary.
pub const SUMMARY_CHARS_MAX: usize = 1_024;
/// Characters of a dedup key.
pub const DEDUP_KEY_CHARS_MAX: usize = 255;
/// Characters of a routing key.
pub const ROUTING_KEY_CHARS: usize = 32;
/// The field of the routing key.
const ROUTING_KEY: &str = "routing_key";
/// Images and links each that are kept.
pub const ATTACHMENTS_MAX: usize = 50;
/// Characters of every other text field that are kept.
const FIELD_CHARS_MAX: usize = 1_024;

/// What an event asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Open an alert, or add to the open one with the same key.
    Trigger,
    /// Someone is working on it.
    Acknowledge,
    /// It is over.
    Resolve,
}

/// How bad it is, by PagerDuty's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// `info`
    Info,
    /// `warning`
    Warning,
    /// `error`
    Error,
    /// `critical`
    Critical,
}

impl Severity {
    /// PagerDuty's word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

/// An event that obeys the rules.
#[derive(Clone, PartialEq)]
pub struct Event {
    /// The integration it is for.
    pub routing_key: String,
    /// What it asks for.
    pub action: Action,
    /// Which alert it concerns; `None` only for a trigger, which is then given a new key.
    pub dedup_key: Option<String>,
    /// What happened; always there for a trigger.
    pub payload: Option<Payload>,
    /// Pictures to show; their addresses are ones of the web.
    pub images: Vec<Image>,
    /// Links to show; their addresses are ones of the web.
    pub links: Vec<Link>,
    /// Name of the program that sent it.
    pub client: Option<String>,
    /// Address of that program, if one of the web.
    pub client_url: Option<String>,
    /// What was dropped from the event, and why.
    pub notes: Vec<String>,
}

impl fmt::Debug for Event {
    /// Without the key, by which alerts are raised.
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Event")
            .field("action", &self.action)
            .field("dedup_key", &self.dedup_key)
            .field("payload", &self.payload)
            .field("notes", &self.notes)
            .finish_non_exhaustive()
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Payload {
    /// In one line.
    pub summary: String,
    /// Where; v1 does not say.
    pub source: Option<String>,
    /// How bad it is.
    pub severity: Severity,
    /// When the sender saw it.
    pub timestamp: Option<Timestamp>,
    /// The part that fails (`mysql`).
    pub component: Option<String>,
    /// What it belongs to (`www`).
    pub group: Option<String>,
    /// The kind of event (`High CPU`).
    pub class: Option<String>,
    /// Anything else, as it was sent.
    pub custom_details: Option<Value>,
}

/// A picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Where it is.
    pub src: String,
    /// Where it leads.
    pub href: Option<String>,
    /// What it shows.
    pub alt: Option<String>,
}

/// A link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Where it leads.
    pub href: String,
    /// Its words.
    pub text: Option<String>,
}

/// Why an event is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event is refused: {}", errors.join("; "))]
pub struct Rejection {
    /// The status to answer with: 400, or 413 for a body that is too large. Clients send neither again.
    pub status: u16,
    /// Each rule that is broken, in PagerDuty's manner.
    pub errors: Vec<String>,
}

/// Reads the body of `POST /v2/enqueue`, and the routing key that came beside it, which counts where the body has none.
///
/// # Errors
/// All rules that the event breaks.
pub fn parse(body: &[u8], key_beside: Option<&str>) -> Result<Event, Rejection> {
    let mut object = keyed_object(body, key_beside)?;
    let details = take_details(&mut object);
    let details = details.map(|details| as_written(body, details));
    let mut check = Check::default();
    let event = read(&Fields::new("", &object), &mut check);
    match event {
        Some(event) if check.errors.is_empty() => Ok(Event {
            payload: event.payload.map(|payload| Payload {
                custom_details: details,
                ..payload
            }),
            notes: check.notes,
            ..event
        }),
        _ => Err(Rejection {
            status: 400,
            errors: check.errors,
        }),
    }
}

/// The object that a body is.
fn object(body: &[u8]) -> Result<Map<String, Value>, Rejection> {
    if body.len() > BODY_BYTES_MAX {
        return Err(Rejection {
            status: 413,
            errors: vec![format!("the event is larger than {BODY_BYTES_MAX} bytes")],
        });
    }
    let refused = |error: String| Rejection {
        status: 400,
        errors: vec![error],
    };
    // A number that is too long for any kind of number costs no alert.
    let value: Value = crate::json::read(body)
        .or_else(|_| crate::json::read_exact(body))
        .map_err(|error| refused(format!("the body is not JSON: {error}")))?;
    let Value::Object(object) = value else {
        return Err(refused("the body is not a JSON object".to_owned()));
    };
    Ok(object)
}

/// The same, with the routing key that came beside it where it has none of its own.
fn keyed_object(body: &[u8], key_beside: Option<&str>) -> Result<Map<String, Value>, Rejection> {
    let mut object = object(body)?;
    let is_missing = match object.get(ROUTING_KEY) {
        None | Some(Value::Null) => true,
        Some(Value::String(key)) => key.trim().is_empty(),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => false,
    };
    if let Some(key) = key_beside.filter(|_| is_missing) {
        object.insert(ROUTING_KEY.to_owned(), key.into());
    }
    Ok(object)
}

/// What a payload tells besides, taken out of it: no rule is about that, and a copy of it would cost as much as to read it.
fn take_details(event: &mut Map<String, Value>) -> Option<Value> {
    let payload = event.get_mut("payload")?.as_object_mut()?;
    let details = payload.remove("custom_details");
    details.filter(|details| !details.is_null())
}

/// What a payload tells besides, with its long numbers as the texts of their digits: rounded, two ids could become one. What has to
/// be a text is read from the body as it is, so that no number passes for one.
fn as_written(body: &[u8], details: Value) -> Value {
    if !crate::json::may_be_rounded(&details) {
        return details;
    }
    let exact = crate::json::read_exact::<Map<String, Value>>(body).ok();
    let exact = exact.and_then(|mut event| take_details(&mut event));
    exact.unwrap_or(details)
}

/// The event, as far as it can be read; every broken rule is added to `check`, so `None` never comes without one.
fn read(fields: &Fields<'_>, check: &mut Check) -> Option<Event> {
    let routing_key = routing_key(fields, check);
    let action = action(fields, check);
    let dedup_key = dedup_key(fields, action, check);
    let payload = payload(fields, action, check);
    let images = images(fields, check);
    let links = links(fields, check);
    let client = fields.short(check, "client");
    let client_url = fields
        .short(check, "client_url")
        .and_then(|url| check.web_address("client_url", &url));
    Some(Event {
        routing_key: routing_key?,
        action: action?,
        dedup_key,
        payload,
        images,
        links,
        client,
        client_url,
        notes: Vec::new(),
    })
}

fn routing_key(fields: &Fields<'_>, check: &mut Check) -> Option<String> {
    let key = fields.required(check, ROUTING_KEY)?;
    let good =
        key.len() == ROUTING_KEY_CHARS && key.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !good {
        check.error(format!(
            "'routing_key' is invalid: it is {ROUTING_KEY_CHARS} letters and digits"
        ));
    }
    good.then_some(key)
}

fn action(fields: &Fields<'_>, check: &mut Check) -> Option<Action> {
    let word = fields.required(check, "event_action")?;
    let action = match word.as_str() {
        "trigger" => Some(Action::Trigger),
        "acknowledge" => Some(Action::Acknowledge),
        "resolve" => Some(Action::Resolve),
        _ => None,
    };
    if action.is_none() {
        check.error(
            "'event_action' is invalid: it is one of trigger, acknowledge, resolve".to_owned(),
        );
    }
    action
}

fn dedup_key(fields: &Fields<'_>, action: Option<Action>, check: &mut Check) -> Option<String> {
    let key = fields
        .text(check, "dedup_key")
        .map(|key| check.printable("dedup_key", &key))
        .filter(|key| !key.trim().is_empty());
    if key
        .as_ref()
        .is_some_and(|key| key.chars().count() > DEDUP_KEY_CHARS_MAX)
    {
        check.error(format!(
            "'dedup_key' is too long (maximum is {DEDUP_KEY_CHARS_MAX} characters)"
        ));
    }
    let needed = matches!(action, Some(Action::Acknowledge | Action::Resolve));
    if needed && key.is_none() && !check.names("dedup_key") {
        check.error("'dedup_key' is missing or blank: acknowledge and resolve need it".to_owned());
    }
    key
}

fn payload(event: &Fields<'_>, action: Option<Action>, check: &mut Check) -> Option<Payload> {
    if matches!(action, Some(Action::Acknowledge | Action::Resolve)) {
        // Clients repeat the payload here, or send left-overs of it; what is in them breaks no rule.
        let mut ignored = Check::default();
        let object = event.object(&mut ignored, "payload")?;
        return payload_of(&object, &mut ignored);
    }
    match event.object(check, "payload") {
        Some(object) => payload_of(&object, check),
        None => {
            if action.is_some() && !check.names("payload") {
                check.error("'payload' is missing or blank: a trigger needs it".to_owned());
            }
            None
        }
    }
}

fn payload_of(fields: &Fields<'_>, check: &mut Check) -> Option<Payload> {
    let summary = summary(fields, check);
    let source = fields.required(check, "source");
    let severity = severity(fields, check);
    Some(Payload {
        timestamp: timestamp(fields, check),
        component: fields.short(check, "component"),
        group: fields.short(check, "group"),
        class: fields.short(check, "class"),
        // It was taken out before.
        custom_details: None,
        summary: summary?,
        source: Some(source?),
        severity: severity?,
    })
}

/// What happened in one line, which must be there and not too long.
fn summary(fields: &Fields<'_>, check: &mut Check) -> Option<String> {
    let summary = fields
        .required(check, "summary")
        .map(|summary| check.one_line("payload.summary", &summary))
        .filter(|summary| {
            let blank = summary.trim().is_empty();
            if blank {
                check.error("'payload.summary' is missing or blank".to_owned());
            }
            !blank
        });
    if summary
        .as_ref()
        .is_some_and(|summary| summary.chars().count() > SUMMARY_CHARS_MAX)
    {
        check.error(format!(
            "'payload.summary' is too long (maximum is {SUMMARY_CHARS_MAX} characters)"
        ));
    }
    summary
}

fn severity(fields: &Fields<'_>, check: &mut Check) -> Option<Severity> {
    let word = fields.required(check, "severity")?;
    let severity = match word.as_str() {
        "critical" => Some(Severity::Critical),
        "error" => Some(Severity::Error),
        "warning" => Some(Severity::Warning),
        "info" => Some(Severity::Info),
        _ => None,
    };
    if severity.is_none() {
        check.error(
            "'payload.severity' is invalid: it is one of critical, error, warning, info".to_owned(),
        );
    }
    severity
}

/// ISO 8601 with an offset, also without its colon (`+0000`), or without any offset, which is then UTC.
fn timestamp(fields: &Fields<'_>, check: &mut Check) -> Option<Timestamp> {
    let value = fields.value("timestamp")?;
    let text = value.as_str().map(str::trim).unwrap_or_default();
    let instant = Timestamp::parse_rfc3339(text).or_else(|| {
        let zoned = format!("{}Z", text.replacen(' ', "T", 1));
        Timestamp::parse_rfc3339(&zoned)
    });
    if instant.is_none() {
        check.note("payload.timestamp was dropped: it is not an ISO 8601 time".to_owned());
    }
    instant
}

fn images(event: &Fields<'_>, check: &mut Check) -> Vec<Image> {
    let images = event.objects(check, "images").into_iter();
    images.filter_map(|one| image(&one, check)).collect()
}

fn image(image: &Fields<'_>, check: &mut Check) -> Option<Image> {
    let src = image
        .short(check, "src")
        .and_then(|src| check.web_address(&image.path("src"), &src));
    let href = image
        .short(check, "href")
        .and_then(|href| check.web_address(&image.path("href"), &href));
    let alt = image.short(check, "alt");
    src.map(|src| Image { src, href, alt })
}

fn links(event: &Fields<'_>, check: &mut Check) -> Vec<Link> {
    let links = event.objects(check, "links").into_iter();
    links.filter_map(|one| link(&one, check)).collect()
}

fn link(link: &Fields<'_>, check: &mut Check) -> Option<Link> {
    let href = link
        .short(check, "href")
        .and_then(|href| check.web_address(&link.path("href"), &href));
    let text = link.short(check, "text");
    href.map(|href| Link { href, text })
}

/// What an event of v1 has in the place of images and links.
#[derive(Debug, Default)]
pub(super) struct Contexts {
    pub(super) images: Vec<Image>,
    pub(super) links: Vec<Link>,
    /// What was dropped of them, and why.
    pub(super) notes: Vec<String>,
}

impl Contexts {
    /// Those of an event. They adorn it: none costs the alert.
    pub(super) fn of(event: &Map<String, Value>) -> Self {
        let mut contexts = Self::default();
        let mut check = Check::default();
        let event = Fields::new("", event);
        for one in event.objects(&mut check, "contexts") {
            match one.value("type").and_then(Value::as_str) {
                Some("image") => contexts.images.extend(image(&one, &mut check)),
                Some("link") => contexts.links.extend(link(&one, &mut check)),
                Some(_) | None => {
                    let path = one.path("type");
                    check.note(format!("{path} was dropped: it is neither link nor image"));
                }
            }
        }
        contexts.notes = check.notes;
        contexts
    }
}

#[cfg(test)]
mod tests;
