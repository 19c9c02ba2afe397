//! What an event carries besides what fails, as the details of its alert, and told from one another when they are read back. It knows
//! no route.

use std::collections::BTreeMap;
use std::iter;

use serde_json::{Map, Value, json};
use tocsin_domain::alert::{Alert, AlertSource, SentDetails};
use tocsin_domain::intake::form::{
    self, CLASS, CLIENT, CLIENT_ADDRESS, COMPONENT, GROUP, IMAGE, LINK, NOTE,
};
use tocsin_domain::intake::place_in;
use tocsin_domain::service::IntegrationKind;
use tocsin_domain::state::State;
use tocsin_wire::pagerduty::events_v2::{Event, Image, Link, Payload};
use tocsin_wire::plain::cut;

use crate::http::alert::{flat, is_flat};

/// What is between the name of a link or of an image and its words.
const WORDS: &str = ": ";
/// What is behind the name of an image where it is told where that leads.
const LEADS: &str = " (link)";
/// Characters of a name at most.
const NAME_CHARS_MAX: usize = 1_000;
/// The name of custom details that are a list or a single value, where they stand among fields.
const WHOLE: &str = "details";

/// All that an event carries, in the order in which it is shown.
pub(super) fn details_of(event: Event, payload: &mut Payload) -> Vec<(String, String)> {
    let mut details = Vec::new();
    let mut add = |name: &str, value: Option<String>| {
        details.extend(value.map(|value| (name.to_owned(), value)));
    };
    add(COMPONENT, payload.component.take());
    add(GROUP, payload.group.take());
    add(CLASS, payload.class.take());
    add(CLIENT, event.client);
    add(CLIENT_ADDRESS, event.client_url);
    details.extend(event.links.into_iter().map(kept_link));
    details.extend(event.images.into_iter().flat_map(kept_image));
    let custom = payload.custom_details.as_ref();
    let custom = custom.map(flat).unwrap_or_default();
    details.extend(custom.into_iter().map(kept_custom));
    let notes = event.notes.into_iter();
    details.extend(notes.map(|note| (NOTE.to_owned(), note)));
    details
}

/// Custom details as they were sent, where they would not be read back so from their names and texts.
pub(super) fn sent_details_of(payload: &Payload) -> Option<Box<SentDetails>> {
    let custom = payload.custom_details.as_ref()?;
    if is_read_back(custom) {
        return None;
    }
    SentDetails::kept(custom.to_string())
}

/// Whether names and texts give the same again.
fn is_read_back(custom: &Value) -> bool {
    let fields = custom.as_object().filter(|_| is_flat(custom));
    // A longer name may be cut where it is kept behind another word.
    let fits = |name: &String| name.len() <= NAME_CHARS_MAX - form::FURTHER.len();
    fields.is_some_and(|fields| fields.keys().all(fits))
}

fn kept_link(link: Link) -> (String, String) {
    (named(LINK, link.text), link.href)
}

/// What is shown of an image: what it shows, where it is and where it leads.
fn kept_image(image: Image) -> impl Iterator<Item = (String, String)> {
    let name = named(IMAGE, image.alt);
    let href = image.href.map(|href| (format!("{name}{LEADS}"), href));
    iter::once((name, image.src)).chain(href)
}

fn named(kind: &str, words: Option<String>) -> String {
    words.map_or_else(|| kind.to_owned(), |words| format!("{kind}{WORDS}{words}"))
}

fn kept_custom<T>((name, value): (String, T)) -> (String, T) {
    if is_called_like_a_field(&name) {
        let further = format!("{}{name}", form::FURTHER);
        (cut(&further, NAME_CHARS_MAX), value)
    } else {
        (name, value)
    }
}

/// Whether a custom detail has a name by which something else is kept, or the one under which such a detail is. Rules look for either
/// in any case of its letters.
fn is_called_like_a_field(name: &str) -> bool {
    let name = name.to_lowercase();
    let name = name.trim_start_matches(form::FURTHER);
    let leads = name.strip_suffix(LEADS).unwrap_or(name);
    let is_called = |field: &str| name.eq_ignore_ascii_case(field);
    let is_kind = |name: &str, kind: &str| {
        let parts = name.split_at_checked(kind.len());
        parts.is_some_and(|(head, rest)| {
            head.eq_ignore_ascii_case(kind) && words_behind(rest).is_some()
        })
    };
    form::EVENT.into_iter().any(is_called)
        || is_called(NOTE)
        || is_kind(name, LINK)
        || is_kind(leads, IMAGE)
}

/// The name that a custom detail was sent with.
fn sent_name(kept: &str) -> &str {
    let sent = kept.strip_prefix(form::FURTHER);
    sent.filter(|sent| is_called_like_a_field(sent))
        .unwrap_or(kept)
}

/// The words of a link or of an image, which are empty where it has none.
fn words_of<'a>(name: &'a str, kind: &str) -> Option<&'a str> {
    words_behind(name.strip_prefix(kind)?)
}

/// The words that stand behind what kind it is.
fn words_behind(rest: &str) -> Option<&str> {
    if rest.is_empty() {
        return Some(rest);
    }
    rest.strip_prefix(WORDS)
}

/// Whether a detail is no custom one of an event: those that are called alike are kept behind another word.
fn is_field(name: &str) -> bool {
    !name.starts_with(form::FURTHER) && is_called_like_a_field(name)
}

fn read(sent: &SentDetails) -> Option<Value> {
    serde_json::from_str(sent.json()).ok()
}

/// All that an event told, by its names, with its custom details as they were sent.
pub(super) fn told_as_sent(details: &[(String, String)], sent: &SentDetails) -> Option<Value> {
    let custom = match read(sent)? {
        Value::Object(custom) => custom,
        other @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)) => Map::from_iter([(WHOLE.to_owned(), other)]),
    };
    let fields = details.iter().filter(|(name, _)| is_field(name));
    let fields = fields.map(|(name, text)| (name.clone(), Value::from(text.as_str())));
    let all: Map<String, Value> = fields.chain(custom.into_iter().map(kept_custom)).collect();
    Some(Value::Object(all))
}

/// What an event carried, out of the details of its alert.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Carried<'a> {
    /// Its fields, by the names under which they are kept.
    fields: BTreeMap<&'a str, &'a str>,
    /// Where it happened.
    source: Option<&'a str>,
    /// What fails, and more.
    description: &'a str,
    /// Links and images.
    contexts: Vec<Value>,
    /// Custom details, as they were sent where that is kept, and else each once by its name.
    details: Value,
}

impl<'a> Carried<'a> {
    /// What an alert carries. What came by no such event has nothing but details.
    pub(super) fn by(state: &State, alert: &'a Alert) -> Self {
        let is_event = match alert.source {
            AlertSource::EventsV2 { integration } => {
                let known = state.integrations.get(&integration);
                known.is_none_or(|known| known.kind == IntegrationKind::EventsV2)
            }
            AlertSource::Monitor { .. }
            | AlertSource::Api
            | AlertSource::Rule { .. }
            | AlertSource::Heartbeat { .. }
            | AlertSource::Alertmanager { .. } => false,
        };
        let mut carried = if is_event {
            Self::of(&alert.details)
        } else {
            let details = alert.details.iter();
            let details = details.map(|(name, text)| (name.clone(), Value::from(text.as_str())));
            Self {
                details: Value::Object(details.collect()),
                ..Self::default()
            }
        };
        let sent = alert.sent_details.as_deref();
        carried.details = sent.and_then(read).unwrap_or(carried.details);
        let says_where = is_event || alert.source == AlertSource::Api;
        let said = alert.said();
        carried.source = place_in(said).filter(|_| says_where);
        // A summary that says where says nothing else.
        let is_told = is_event || carried.source.is_some() || said.is_empty();
        carried.description = if is_told { &alert.title } else { said };
        carried
    }

    fn of(details: &'a [(String, String)]) -> Self {
        let (mut carried, mut custom) = (Self::default(), Map::new());
        let mut all = details.iter().peekable();
        while let Some((name, text)) = all.next() {
            let (name, text) = (name.as_str(), text.as_str());
            if form::EVENT.contains(&name) && !carried.fields.contains_key(name) {
                carried.fields.insert(name, text);
            } else if let Some(words) = words_of(name, LINK) {
                let link = json!({"type": "link", "href": text, "text": said(words)});
                carried.contexts.push(link);
            } else if let Some(words) = words_of(name, IMAGE) {
                let leads = format!("{name}{LEADS}");
                let href = all.next_if(|(next, _)| *next == leads);
                let href = href.map(|(_, href)| href.as_str());
                let image = json!({"type": "image", "src": text, "href": href, "alt": said(words)});
                carried.contexts.push(image);
            } else if name != NOTE {
                let name = sent_name(name).to_owned();
                custom.insert(name, text.into());
            }
        }
        carried.details = Value::Object(custom);
        carried
    }

    /// The body of the alert, as PagerDuty shows it.
    pub(super) fn body(self, alert: &Alert) -> Value {
        let field = |name: &str| self.fields.get(name).copied();
        let cef = json!({
            "client": field(CLIENT),
            "client_url": field(CLIENT_ADDRESS),
            "contexts": self.contexts,
            "dedup_key": alert.dedup_key,
            "description": self.description,
            "details": self.details,
            "event_class": field(CLASS),
            "message": alert.title,
            "service_group": field(GROUP),
            "severity": alert.severity.word(),
            "source_component": field(COMPONENT),
            "source_origin": self.source,
        });
        json!({
            "type": "alert_body",
            "contexts": self.contexts,
            "details": self.details,
            "cef_details": cef,
        })
    }
}

fn said(words: &str) -> Option<&str> {
    Some(words).filter(|words| !words.is_empty())
}

#[cfg(test)]
mod tests {
    use tocsin_domain::alert::SENT_DETAILS_BYTES_MAX;
    use tocsin_wire::pagerduty::events_v2;

    use super::*;

    const PAGE: &str = "https://example.org/page";
    const PICTURE: &str = "https://example.org/load.png";

    /// The details of the alert that an event becomes.
    fn kept(more: &Value, payload: &Value) -> Vec<(String, String)> {
        let (event, mut payload) = parsed(more, payload);
        details_of(event, &mut payload)
    }

    /// An event with these fields besides the needed ones.
    fn parsed(more: &Value, payload: &Value) -> (Event, Payload) {
        let mut event = json!({
            "routing_key": "R0123456789ABCDEFGHIJabcdefghij0", "event_action": "trigger",
            "payload": {"summary": "x", "source": "web1", "severity": "error"},
        });
        for (place, part) in [("", more), ("/payload", payload)] {
            let place = event.pointer_mut(place).unwrap().as_object_mut().unwrap();
            place.extend(part.as_object().unwrap().clone());
        }
        let mut event = events_v2::parse(event.to_string().as_bytes(), None).unwrap();
        let payload = event.payload.take().unwrap();
        (event, payload)
    }

    #[test]
    fn what_an_event_carried_is_told_from_one_another() {
        let more = json!({
            "client": "Probe", "client_url": PAGE,
            "links": [{"href": PAGE, "text": "Runbook"}, {"href": PAGE}],
            "images": [{"src": PICTURE, "href": PAGE, "alt": "Load"}, {"src": PICTURE}],
        });
        let payload =
            json!({"component": "disk", "class": "io", "custom_details": {"free": "1 %"}});
        let details = kept(&more, &payload);
        let carried = Carried::of(&details);
        let fields = [
            (CLASS, "io"),
            (CLIENT, "Probe"),
            (CLIENT_ADDRESS, PAGE),
            (COMPONENT, "disk"),
        ];
        assert_eq!(carried.fields, BTreeMap::from(fields));
        let contexts = json!([
            {"type": "link", "href": PAGE, "text": "Runbook"},
            {"type": "link", "href": PAGE, "text": null},
            {"type": "image", "src": PICTURE, "href": PAGE, "alt": "Load"},
            {"type": "image", "src": PICTURE, "href": null, "alt": null},
        ]);
        assert_eq!(json!(carried.contexts), contexts);
        assert_eq!(json!(carried.details), json!({"free": "1 %"}));
    }

    #[test]
    fn custom_details_are_read_back_by_their_names_whatever_these_are() {
        let custom = json!({
            "Class": "own", "component": "small", "Note": "n", "Link": "l", "Link: a": "b", "Image": "i", "Image (link)": "j",
            "Image: a (link)": "k", "details.Class": "deep", "details.a": "c", "Links": "many",
            "Details.group": "upper", "CLIENT": "big", "link: c": "d",
        });
        for payload in [
            json!({"custom_details": custom}),
            json!({"class": "theirs", "custom_details": custom}),
        ] {
            let details = kept(&json!({"links": [{"href": "javascript:1"}]}), &payload);
            let carried = Carried::of(&details);
            assert_eq!(json!(carried.details), custom);
            assert_eq!(json!(carried.fields.get(CLASS)), payload["class"]);
            assert!(carried.contexts.is_empty(), "{:?}", carried.contexts);
        }
    }

    #[test]
    fn custom_details_are_kept_as_they_were_sent_where_names_and_texts_say_something_else() {
        let sent = |custom: &Value| {
            let (_, payload) = parsed(&json!({}), &json!({"custom_details": custom}));
            sent_details_of(&payload)
        };
        for custom in [
            json!(null),
            json!({}),
            json!({"free": "1 %", "Class": "own", "details.Class": "deep", "a.b": ""}),
        ] {
            assert_eq!(sent(&custom), None, "{custom}");
        }
        let long = format!("Link: {}", "x".repeat(NAME_CHARS_MAX - 6));
        for custom in [
            json!({"n": 1, "a": {"b": true, "c": [null, 1.5, {}]}}),
            json!({"": "no name"}),
            json!({"long": "x".repeat(1_001)}),
            json!({long: "a name that is cut"}),
            json!("text"),
            json!([1, 2]),
        ] {
            let kept = sent(&custom).unwrap();
            assert_eq!(read(&kept), Some(custom));
        }
        let text = "x".repeat(SENT_DETAILS_BYTES_MAX);
        assert_eq!(
            sent(&json!({"text": text})),
            None,
            "it is more than is kept"
        );
    }

    #[test]
    fn what_was_told_at_once_has_the_fields_of_the_event_beside_what_was_sent() {
        let more = json!({"client": "Probe", "links": [{"href": PAGE}], "images": [{"src": PICTURE, "href": PAGE}]});
        let told = |custom: Value| {
            let (event, mut payload) =
                parsed(&more, &json!({"class": "io", "custom_details": custom}));
            let sent = sent_details_of(&payload).unwrap();
            told_as_sent(&details_of(event, &mut payload), &sent).unwrap()
        };
        let mut expected = json!({"Class": "io", "Client": "Probe", "Link": PAGE, "Image": PICTURE, "Image (link)": PAGE,
            "details.Class": 1, "a": {"b": true}});
        assert_eq!(told(json!({"Class": 1, "a": {"b": true}})), expected);
        let fields = expected.as_object_mut().unwrap();
        fields.retain(|name, _| is_field(name));
        fields.insert(WHOLE.to_owned(), json!([1]));
        assert_eq!(told(json!([1])), expected);
    }

    #[test]
    fn a_custom_detail_is_told_from_a_field_that_differs_in_the_case_of_its_letters_alone() {
        let payload = json!({"class": "io", "custom_details": {"class": "own", "host": "web1"}});
        let details = kept(&json!({}), &payload);
        let expected = [(CLASS, "io"), ("details.class", "own"), ("host", "web1")];
        let expected = expected.map(|(name, text)| (name.to_owned(), text.to_owned()));
        assert_eq!(details, expected);
    }
}
