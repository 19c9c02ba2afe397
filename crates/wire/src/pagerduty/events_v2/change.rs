//! The body of `POST /v2/change/enqueue` to a typed change. Only the routing key and a summary are needed; what merely adorns is
//! dropped when it cannot be read, because the change itself must not be lost for it.

use std::fmt;

use serde_json::{Value, json};
use tocsin_domain::change::{DETAILS_BYTES_MAX, LINKS_MAX, TEXT_CHARS_MAX};
use tocsin_domain::time::Timestamp;

use super::check::{Check, Fields};
use super::{
    Image, Link, Rejection, as_written, images, keyed_object, links, routing_key, summary,
    take_details, timestamp,
};

/// A change that obeys the rules.
#[derive(Clone, PartialEq, Eq)]
pub struct Change {
    /// The integration it is for.
    pub routing_key: String,
    /// What was changed, in one line.
    pub summary: String,
    /// Where.
    pub source: Option<String>,
    /// When, as the sender says.
    pub timestamp: Option<Timestamp>,
    /// Anything else, as JSON text; of what is too large only its size.
    pub details: Option<String>,
    /// Links to show; their addresses are ones of the web.
    pub links: Vec<Link>,
    /// Pictures to show; their addresses are ones of the web too.
    pub images: Vec<Image>,
}

impl fmt::Debug for Change {
    /// Without the key, by which alerts are raised.
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Change")
            .field("summary", &self.summary)
            .field("source", &self.source)
            .field("timestamp", &self.timestamp)
            .finish_non_exhaustive()
    }
}

/// Reads the body of `POST /v2/change/enqueue`, and the routing key that came beside it, which counts where the body has none.
///
/// # Errors
/// All rules that the change breaks.
pub fn parse_change(body: &[u8], key_beside: Option<&str>) -> Result<Change, Rejection> {
    let mut object = keyed_object(body, key_beside)?;
    let told = take_details(&mut object);
    let mut check = Check::default();
    let change = read(&Fields::new("", &object), &mut check);
    match change {
        Some(change) if check.errors.is_empty() => Ok(Change {
            details: told.map(|told| details(&as_written(body, told))),
            ..change
        }),
        Some(_) | None => Err(Rejection {
            status: 400,
            errors: check.errors,
        }),
    }
}

/// The change, as far as it can be read; every broken rule is added to `check`, so `None` never comes without one.
fn read(fields: &Fields<'_>, check: &mut Check) -> Option<Change> {
    let routing_key = routing_key(fields, check);
    let payload = fields.object(check, "payload");
    if payload.is_none() && !check.names("payload") {
        check.error("'payload' is missing or blank".to_owned());
    }
    let mut links = links(fields, check);
    links.truncate(LINKS_MAX);
    let mut images = images(fields, check);
    images.truncate(LINKS_MAX);
    let payload = payload?;
    let summary = summary(&payload, check);
    let source = payload.short(check, "source");
    Some(Change {
        routing_key: routing_key?,
        summary: summary?,
        source: source.and_then(|source| plain(check, "payload.source", &source)),
        timestamp: timestamp(&payload, check),
        // They were taken out before.
        details: None,
        links: links
            .into_iter()
            .map(|link| Link {
                text: link.text.and_then(|text| plain(check, "links.text", &text)),
                ..link
            })
            .collect(),
        images: images
            .into_iter()
            .map(|image| Image {
                alt: image.alt.and_then(|alt| plain(check, "images.alt", &alt)),
                ..image
            })
            .collect(),
    })
}

/// A text that only adorns, as it may be kept.
fn plain(check: &mut Check, field: &str, text: &str) -> Option<String> {
    let text = check.printable(field, text);
    let text: String = text.trim().chars().take(TEXT_CHARS_MAX).collect();
    (!text.is_empty()).then_some(text)
}

/// As an object, whatever it is.
fn details(value: &Value) -> String {
    let text = if value.is_object() {
        value.to_string()
    } else {
        json!({ "details": value }).to_string()
    };
    if text.len() <= DETAILS_BYTES_MAX {
        return text;
    }
    let left_out = format!(
        "the details have {} bytes; {DETAILS_BYTES_MAX} are kept",
        text.len()
    );
    json!({ "left_out": left_out }).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "R0123456789ABCDEFGHIJabcdefghij0";

    fn check(body: &Value) -> Result<Change, Vec<String>> {
        parse_change(body.to_string().as_bytes(), None).map_err(|rejection| rejection.errors)
    }

    #[test]
    fn a_change_of_a_client_is_read_in_full() {
        let body = json!({"routing_key": KEY, "payload": {
            "summary": "Build Success: shop 1.2", "timestamp": "2020-07-17T08:42:58.315+0000",
            "source": "ci", "custom_details": {"build": 7},
        }, "links": [{"href": "https://ci.example.org/7", "text": "Build"}, {"href": "javascript:1"}],
        "images": [{"src": "https://ci.example.org/7.png", "alt": "Load"}, {"src": "javascript:1"}]});
        let change = check(&body).unwrap();
        assert_eq!(change.summary, "Build Success: shop 1.2");
        assert_eq!(change.source.as_deref(), Some("ci"));
        assert_eq!(change.details.as_deref(), Some("{\"build\":7}"));
        assert_eq!(
            change.timestamp.map(Timestamp::as_millis),
            Some(1_594_975_378_315)
        );
        assert_eq!(change.links.len(), 1);
        let image = Image {
            src: "https://ci.example.org/7.png".to_owned(),
            href: None,
            alt: Some("Load".to_owned()),
        };
        assert_eq!(change.images, [image]);
    }

    #[test]
    fn a_key_and_a_summary_are_enough_and_needed() {
        let change = check(&json!({"routing_key": KEY, "payload": {"summary": "x"}})).unwrap();
        assert_eq!((change.source, change.details), (None, None));
        for (body, named) in [
            (json!({"payload": {"summary": "x"}}), "'routing_key'"),
            (json!({"routing_key": KEY}), "'payload'"),
            (json!({"routing_key": KEY, "payload": 1}), "'payload'"),
            (
                json!({"routing_key": KEY, "payload": {"summary": " "}}),
                "'payload.summary'",
            ),
            (
                json!({"routing_key": KEY, "payload": {"summary": "x".repeat(1_025)}}),
                "'payload.summary'",
            ),
        ] {
            let errors = check(&body).unwrap_err();
            assert!(errors[0].starts_with(named), "{errors:?}");
        }
    }

    #[test]
    fn a_change_has_the_key_that_came_beside_it() {
        let body = json!({"payload": {"summary": "x"}}).to_string();
        let change = parse_change(body.as_bytes(), Some(KEY)).unwrap();
        assert_eq!(change.routing_key, KEY);
    }

    #[test]
    fn a_number_beyond_64_bits_is_kept_as_the_text_of_its_digits() {
        let body = format!(
            r#"{{"routing_key": "{KEY}", "payload": {{"summary": "x", "custom_details": {{"build": 123456789012345678901234567890}}}}}}"#
        );
        let change = parse_change(body.as_bytes(), None).unwrap();
        let kept = r#"{"build":"123456789012345678901234567890"}"#;
        assert_eq!(change.details.as_deref(), Some(kept));
    }

    #[test]
    fn details_that_are_too_large_do_not_cost_the_change() {
        let details = json!({"text": "x".repeat(DETAILS_BYTES_MAX)});
        let body =
            json!({"routing_key": KEY, "payload": {"summary": "x", "custom_details": details}});
        let kept = check(&body).unwrap().details.unwrap();
        assert!(kept.contains("left_out") && kept.len() < 200, "{kept}");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse_change(&body, None);
        }
    }
}
