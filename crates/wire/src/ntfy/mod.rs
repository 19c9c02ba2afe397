//! The JSON body that publishes a page to an ntfy server; it sends nothing and knows no server's address.

use serde::{Deserialize, Serialize};

use crate::page_message::{Kind, PageMessage, Urgency, web_address};

/// Bytes of a message text; ntfy turns longer ones into attachments.
const MESSAGE_BYTES_MAX: usize = 4_000;

/// A topic's name: 1 to 64 letters, digits, `-` and `_`. On a public server it is the only secret, so it is to be long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic(String);

/// Text that cannot be a topic's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a topic is 1 to 64 letters, digits, `-` and `_`")]
pub struct NotATopic;

impl std::str::FromStr for Topic {
    type Err = NotATopic;

    fn from_str(text: &str) -> Result<Self, NotATopic> {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if (1..=64).contains(&text.len()) && text.bytes().all(good) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotATopic)
        }
    }
}

#[derive(Serialize)]
struct Body<'a> {
    topic: &'a str,
    title: String,
    message: String,
    priority: u8,
    tags: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    click: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<Action<'a>>,
}

#[derive(Serialize)]
struct Action<'a> {
    action: &'static str,
    label: &'static str,
    url: &'a str,
}

/// The body to POST to the root of an ntfy server. All text travels inside JSON, so nothing in it can become a header.
#[must_use]
pub fn body(topic: &Topic, message: &PageMessage) -> Vec<u8> {
    let link = web_address(&message.link);
    let answer = message.answer_link.as_deref().and_then(web_address);
    let runbook = message.runbook.as_deref().and_then(web_address);
    let view = |label, url| Action {
        action: "view",
        label,
        url,
    };
    let body = Body {
        topic: &topic.0,
        title: message.headline_within(250),
        message: text(message),
        priority: priority(message),
        tags: [tag(message.kind)],
        click: link,
        actions: [
            answer.map(|url| view("Acknowledge", url)),
            link.map(|url| view("Open", url)),
            runbook.map(|url| view("Runbook", url)),
        ]
        .into_iter()
        .flatten()
        .collect(),
    };
    // Serializing strings and numbers into memory has no way to fail.
    serde_json::to_vec(&body).unwrap_or_default()
}

/// 1 (silent) to 5 (breaks through), as ntfy counts.
const fn priority(message: &PageMessage) -> u8 {
    match (message.kind, message.urgency) {
        (Kind::Page | Kind::Test, Urgency::High) => 5,
        (Kind::Page | Kind::Test | Kind::Resolved | Kind::Acknowledged | Kind::Handoff, _) => 3,
        (Kind::Verification, _) => 4,
    }
}

const fn tag(kind: Kind) -> &'static str {
    match kind {
        Kind::Page => "rotating_light",
        Kind::Resolved => "white_check_mark",
        Kind::Acknowledged => "raising_hand",
        Kind::Test => "test_tube",
        Kind::Handoff => "pager",
        Kind::Verification => "key",
    }
}

fn text(message: &PageMessage) -> String {
    let mut text = String::new();
    for (name, value) in message.facts() {
        let line = format!("{name}: {value}\n");
        if text.len() + line.len() > MESSAGE_BYTES_MAX {
            text.push_str("(more on the incident's page)\n");
            break;
        }
        text.push_str(&line);
    }
    text.truncate(text.trim_end().len());
    text
}

#[derive(Deserialize)]
struct Published {
    id: String,
}

/// Whether this is how a server answers that took a message: with the message, which has an id.
#[must_use]
pub fn is_published(answer: &[u8]) -> bool {
    serde_json::from_slice::<Published>(answer).is_ok_and(|message| !message.id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page_message::tests::hostile_page;

    fn json(message: &PageMessage) -> serde_json::Value {
        let topic: Topic = "tocsin_a1B2-c3".parse().unwrap();
        serde_json::from_slice(&body(&topic, message)).unwrap()
    }

    #[test]
    fn a_page_breaks_through_and_opens_the_incident() {
        let json = json(&hostile_page());
        assert_eq!(json["topic"], "tocsin_a1B2-c3");
        assert_eq!(json["priority"], 5);
        assert_eq!(
            json["click"],
            "https://tocsin.example.org/ui/incidents/QABCDEFGHIJKLM"
        );
        assert_eq!(json["actions"][0]["action"], "view");
        assert_eq!(json["actions"][0]["label"], "Acknowledge");
        assert_eq!(json["actions"][2]["label"], "Runbook");
        assert!(!json["title"].as_str().unwrap().contains('\n'));
        assert!(
            json["message"]
                .as_str()
                .unwrap()
                .contains("Why you: level 1")
        );
    }

    #[test]
    fn a_resolution_is_quiet_and_an_address_that_is_none_is_not_linked() {
        let mut message = hostile_page();
        message.kind = Kind::Resolved;
        message.link = "javascript:alert(1)".to_owned();
        message.answer_link = None;
        message.runbook = Some("turn it off and on".to_owned());
        let json = json(&message);
        assert_eq!(json["priority"], 3);
        assert_eq!(json.get("click"), None);
        assert_eq!(json.get("actions"), None);
    }

    #[test]
    fn a_long_page_stays_within_what_ntfy_shows() {
        let mut message = hostile_page();
        message.details = vec![("n".to_owned(), "é".repeat(499)); 32];
        let json = json(&message);
        let text = json["message"].as_str().unwrap();
        assert!(
            text.len() <= MESSAGE_BYTES_MAX + 40 && text.ends_with("(more on the incident's page)")
        );
    }

    #[test]
    fn only_a_message_with_its_id_says_that_it_was_published() {
        let check = |answer: &str, expected: bool| {
            assert_eq!(is_published(answer.as_bytes()), expected, "{answer}");
        };
        check(
            r#"{"id":"hwQ2YpKdmg","time":1635528741,"event":"message","topic":"t","message":"m"}"#,
            true,
        );
        check(r#"{"id":"","event":"message"}"#, false);
        check(r#"{"id":7}"#, false);
        check(r#"{"event":"message"}"#, false);
        check("<html>Welcome to the hotel's network</html>", false);
        check("", false);
    }

    #[test]
    fn a_topic_that_could_leave_its_place_is_refused() {
        for text in ["", "a/b", "a b", "../x", "é", &"a".repeat(65)] {
            assert_eq!(text.parse::<Topic>(), Err(NotATopic), "{text}");
        }
    }
}
