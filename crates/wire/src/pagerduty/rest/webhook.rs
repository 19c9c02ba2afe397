//! What can be asked about webhook subscriptions in bodies. Whether it makes sense is decided elsewhere.

use std::fmt;

use tocsin_domain::webhook::{DESCRIPTION_CHARS_MAX, WebhookKind};

use super::body::{self, Fields, Wrong};
use super::refusal::Refusal;

/// Headers that are sent along at most.
pub const HEADERS_MAX: usize = 20;
/// Characters of the value of such a header at most.
pub const VALUE_CHARS_MAX: usize = 1_024;
/// Characters of its name at most.
pub const NAME_CHARS_MAX: usize = 100;
/// Characters of an address at most.
const URL_CHARS_MAX: usize = 2_000;
/// Kinds of events in a body at most.
pub const EVENTS_MAX: usize = 100;
/// What is shown in place of a header's value; whoever sends it back wants to keep what there is.
pub const REDACTED: &str = "-- redacted --";
/// Headers that Tocsin sets itself, and those that belong to the connection.
const TAKEN: [&str; 12] = [
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

/// Of which incidents is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// All.
    Account,
    /// Those of the service of this id.
    Service(String),
    /// Those of the team of this id.
    Team(String),
}

/// A subscription to add or to change; what is not said stays.
#[derive(Clone, PartialEq, Eq)]
pub struct Subscription {
    /// What it is for; empty when that is taken back.
    pub description: Option<String>,
    /// Whether anything is sent.
    pub active: Option<bool>,
    /// What is told.
    pub events: Option<Vec<WebhookKind>>,
    /// Of which incidents.
    pub filter: Option<Filter>,
    /// Where it goes.
    pub url: Option<String>,
    /// Headers that are sent along, all of them.
    pub headers: Option<Vec<(String, String)>>,
}

impl fmt::Debug for Subscription {
    /// Without its address and its headers, which may hold secrets.
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Subscription")
            .field("description", &self.description)
            .field("active", &self.active)
            .field("events", &self.events)
            .field("filter", &self.filter)
            .finish_non_exhaustive()
    }
}

/// Reads the body of `POST /webhook_subscriptions` or `PUT /webhook_subscriptions/{id}`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn subscription(bytes: &[u8]) -> Result<Subscription, Refusal> {
    let body = body::object(bytes)?;
    let fields = body::wrapped(&body, "webhook_subscription")?;
    let mut wrong = Wrong::default();
    let description = fields.text_or_empty(&mut wrong, "description", DESCRIPTION_CHARS_MAX);
    let active = fields.flag(&mut wrong, "active");
    let events = events(&fields, &mut wrong);
    let filter = filter(&fields, &mut wrong);
    let method = fields.object(&mut wrong, "delivery_method");
    let (url, headers) = method.map_or((None, None), |method| delivery(&method, &mut wrong));
    wrong.outcome(Some(Subscription {
        description,
        active,
        events,
        filter,
        url,
        headers,
    }))
}

fn events(fields: &Fields<'_>, wrong: &mut Wrong) -> Option<Vec<WebhookKind>> {
    let path = fields.path("events");
    let Some(list) = fields.value("events")?.as_array() else {
        wrong.add(format!("'{path}' is invalid: it is an array of strings"));
        return None;
    };
    if list.len() > EVENTS_MAX {
        wrong.add(format!("'{path}' has more than {EVENTS_MAX} entries"));
        return None;
    }
    let mut kinds = Vec::new();
    for (index, entry) in list.iter().enumerate() {
        let kind = entry.as_str().and_then(WebhookKind::of_word);
        if kind.is_none() {
            let place = format!("{path}[{index}]");
            wrong.add(format!(
                "'{place}' is not supported: Tocsin has no such event"
            ));
        }
        kinds.extend(kind);
    }
    Some(kinds)
}

fn filter(fields: &Fields<'_>, wrong: &mut Wrong) -> Option<Filter> {
    let filter = fields.object(wrong, "filter")?;
    let kinds = [
        ("account_reference", 0),
        ("service_reference", 1),
        ("team_reference", 2),
        ("account", 0),
        ("service", 1),
        ("team", 2),
    ];
    let kind = filter.word(wrong, "type", &kinds);
    if filter.value("type").is_none() {
        wrong.add(format!("'{}' is missing", filter.path("type")));
    }
    let kind = kind?;
    if kind == 0 {
        return Some(Filter::Account);
    }
    let id = filter.required(wrong, "id", 64)?;
    Some(if kind == 1 {
        Filter::Service(id)
    } else {
        Filter::Team(id)
    })
}

type Delivery = (Option<String>, Option<Vec<(String, String)>>);

fn delivery(fields: &Fields<'_>, wrong: &mut Wrong) -> Delivery {
    fields.word(wrong, "type", &[("http_delivery_method", ())]);
    let url = fields.text(wrong, "url", URL_CHARS_MAX);
    let Some(listed) = fields.objects(wrong, "custom_headers") else {
        return (url, None);
    };
    if listed.len() > HEADERS_MAX {
        let path = fields.path("custom_headers");
        wrong.add(format!("'{path}' has more than {HEADERS_MAX} entries"));
        return (url, None);
    }
    let mut headers: Vec<(String, String)> = Vec::new();
    for one in listed {
        let value = one.text(wrong, "value", VALUE_CHARS_MAX);
        let value = value.unwrap_or_default();
        let Some(name) = one.required(wrong, "name", NAME_CHARS_MAX) else {
            continue;
        };
        if !may_be_named(&name) {
            let path = one.path("name");
            wrong.add(format!(
                "'{path}' is invalid: it is no name of a header, or one that Tocsin sets itself"
            ));
        } else if !may_be_value(&value) {
            let path = one.path("value");
            wrong.add(format!("'{path}' is invalid: it is printable ASCII"));
        } else {
            headers.push((name, value));
        }
    }
    (url, Some(headers))
}

/// Whether a header of this name may be sent along: it is a name, and none that Tocsin sets itself.
#[must_use]
pub fn may_be_named(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_token = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_.!#$%&'*+^`|~".contains(&byte));
    let is_ours = name.starts_with("x-pagerduty-") || name.starts_with("x-webhook-");
    !name.is_empty() && is_token && !is_ours && !TAKEN.contains(&name.as_str())
}

/// Whether a header may have this value: printable ASCII.
#[must_use]
pub fn may_be_value(value: &str) -> bool {
    value.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn read(body: &Value) -> Result<Subscription, Vec<String>> {
        let body = json!({ "webhook_subscription": body }).to_string();
        subscription(body.as_bytes()).map_err(|refusal| refusal.errors)
    }

    #[test]
    fn a_subscription_of_a_client_is_read_in_full() {
        let read = read(&json!({
            "type": "webhook_subscription", "description": "to the chat", "active": true,
            "events": ["incident.triggered", "incident.responder.added"],
            "filter": {"id": "QAAAAAAAAAAAAA", "type": "service_reference"},
            "delivery_method": {"type": "http_delivery_method", "url": "https://example.org/hook",
                "custom_headers": [{"name": "X-Foo", "value": "bar"}]},
        }));
        let read = read.unwrap();
        assert_eq!(
            read.events.unwrap(),
            [WebhookKind::Triggered, WebhookKind::ResponderAdded]
        );
        assert_eq!(
            read.filter,
            Some(Filter::Service("QAAAAAAAAAAAAA".to_owned()))
        );
        assert_eq!(read.url.as_deref(), Some("https://example.org/hook"));
        assert_eq!(
            read.headers.unwrap(),
            [("X-Foo".to_owned(), "bar".to_owned())]
        );
    }

    #[test]
    fn a_description_that_is_empty_is_taken_back_and_one_that_is_left_out_stays() {
        for (body, expected) in [
            (json!({}), None),
            (json!({"description": ""}), Some("")),
            (json!({"description": " \n"}), Some("")),
            (json!({"description": null}), Some("")),
            (json!({"description": " to all "}), Some("to all")),
        ] {
            let description = read(&body).unwrap().description;
            assert_eq!(description.as_deref(), expected, "{body}");
        }
        assert!(read(&json!({"description": 5})).is_err());
    }

    #[test]
    fn a_filter_is_of_a_kind_by_either_of_its_words() {
        let id = "QAAAAAAAAAAAAA";
        for (word, expected) in [
            ("account", Filter::Account),
            ("service", Filter::Service(id.to_owned())),
            ("team", Filter::Team(id.to_owned())),
        ] {
            for word in [word.to_owned(), format!("{word}_reference")] {
                let filter = json!({"filter": {"type": word, "id": id}});
                assert_eq!(read(&filter).unwrap().filter, Some(expected.clone()));
            }
        }
    }

    #[test]
    fn what_tocsin_has_not_is_named() {
        let header = |name: &str, value: &str| json!({"delivery_method": {"custom_headers": [{"name": name, "value": value}]}});
        for (body, named) in [
            (json!({"events": ["service.created"]}), "events[0]"),
            (json!({"events": "incident.triggered"}), "events"),
            (json!({"filter": {"type": "user_reference"}}), "filter.type"),
            (json!({"filter": {"id": "Q"}}), "filter.type"),
            (json!({"filter": {"type": "team_reference"}}), "filter.id"),
            (
                json!({"delivery_method": {"type": "email"}}),
                "delivery_method.type",
            ),
            (header("Host", "x"), "custom_headers[0].name"),
            (header("X-Webhook-Id", "x"), "custom_headers[0].name"),
            (header("a b", "x"), "custom_headers[0].name"),
            (header("X-A", "\u{e9}"), "custom_headers[0].value"),
            (header("X-A", "a\r\nb: c"), "custom_headers[0].value"),
        ] {
            let errors = read(&body).unwrap_err();
            assert!(errors[0].contains(named), "{errors:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = subscription(&body);
        }
    }
}
