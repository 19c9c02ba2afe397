//! Slack: the message of a page in Block Kit, for an incoming webhook or for a member; and what its API answers. It sends
//! nothing.

pub mod socket;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::page_message::{Kind, PageMessage, one_line, outside_address};

/// The id of the button that acknowledges.
pub const ACKNOWLEDGE: &str = "tocsin_acknowledge";
/// Characters of a header block.
const HEADER_CHARS_MAX: usize = 150;
/// Characters of a section's text.
const SECTION_CHARS_MAX: usize = 3_000;

/// Whether this is the id of a member (`U024BE7LH`), who can be written to and who can press a button.
#[must_use]
pub fn is_member(text: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    (9..=21).contains(&text.len()) && text.starts_with(['U', 'W']) && text.bytes().all(good)
}

/// Text as mrkdwn in which nothing is a link, a mention or markup any more.
#[must_use]
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// The body for an incoming webhook: its buttons are links, since a webhook hears no button.
#[must_use]
pub fn webhook_body(message: &PageMessage) -> Vec<u8> {
    bytes(&message_of(message, None))
}

/// Whether these are the words of an incoming webhook that took the message: Slack's and Mattermost's, or the object in which
/// others that take its form say so (`{"success": true}` of Rocket.Chat).
#[must_use]
pub fn is_taken(words: &[u8]) -> bool {
    if words == b"ok" {
        return true;
    }
    let Ok(Value::Object(said)) = serde_json::from_slice(words) else {
        return false;
    };
    // Who says both of them says no by one that is not true.
    let mut said = ["success", "ok"]
        .into_iter()
        .filter_map(|key| said.get(key));
    let is_true = |value: &Value| *value == Value::Bool(true);
    said.next().is_some_and(is_true) && said.all(is_true)
}

/// The body for `chat.postMessage` to a member; `with_button` when somebody listens for buttons.
#[must_use]
pub fn member_body(member: &str, message: &PageMessage, with_button: bool) -> Vec<u8> {
    let mut body = message_of(message, with_button.then_some(&message.idempotency_key));
    body["channel"] = json!(member);
    body["unfurl_links"] = json!(false);
    bytes(&body)
}

fn bytes(body: &Value) -> Vec<u8> {
    // Serializing strings into memory has no way to fail.
    serde_json::to_vec(body).unwrap_or_default()
}

/// Text from outside stands in plain text, which Slack does not interpret; only what is read aloud and shown in a
/// notification is mrkdwn, and is escaped.
fn message_of(message: &PageMessage, button: Option<&String>) -> Value {
    let headline = message.headline();
    let mut facts = String::new();
    for (name, value) in message.facts() {
        facts.push_str(&format!("{name}: {value}\n"));
    }
    let mut blocks = vec![
        json!({"type": "header", "text": plain(&message.headline_within(HEADER_CHARS_MAX - 1))}),
        json!({"type": "section", "text": plain(&shortened(&facts, SECTION_CHARS_MAX))}),
    ];
    let buttons = buttons(message, button);
    if !buttons.is_empty() {
        blocks.push(json!({"type": "actions", "elements": buttons}));
    } else if let Some(link) = crate::page_message::web_address(&message.link) {
        blocks.push(json!({"type": "section", "text": plain(link)}));
    }
    json!({"text": escape(&headline), "blocks": blocks})
}

fn plain(text: &str) -> Value {
    json!({"type": "plain_text", "text": text, "emoji": false})
}

fn shortened(text: &str, chars_max: usize) -> String {
    let text = text.trim_end();
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    let start: String = text.chars().take(chars_max - 1).collect();
    start + "…"
}

fn buttons(message: &PageMessage, button: Option<&String>) -> Vec<Value> {
    let mut buttons = Vec::new();
    if let (Kind::Page, Some(id)) = (message.kind, button) {
        buttons.push(json!({
            "type": "button", "style": "primary", "text": plain("Acknowledge"),
            "action_id": ACKNOWLEDGE, "value": id,
        }));
    }
    let answer = message.answer_link.as_deref().and_then(outside_address);
    let link = outside_address(&message.link);
    let runbook = message.runbook.as_deref().and_then(outside_address);
    let more = if buttons.is_empty() {
        "Acknowledge…"
    } else {
        "Answer…"
    };
    let links = [
        (more, "tocsin_answer", answer),
        ("Open", "tocsin_open", link),
        ("Runbook", "tocsin_runbook", runbook),
    ];
    for (label, id, url) in links {
        if let Some(url) = url {
            buttons
                .push(json!({"type": "button", "text": plain(label), "action_id": id, "url": url}));
        }
    }
    buttons
}

/// What Slack's API answers, whatever the status: `{"ok": false, "error": "channel_not_found"}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was taken.
    Ok,
    /// It was not, with Slack's word for why; `is_passing` when it may work later.
    Error {
        /// Slack's word.
        word: String,
        /// Whether it may work later.
        is_passing: bool,
    },
    /// It is not Slack that answers.
    Foreign,
}

#[derive(Deserialize)]
struct AnswerBody {
    ok: bool,
    #[serde(default)]
    error: String,
}

/// Reads an answer of the API.
#[must_use]
pub fn answer(body: &[u8]) -> Answer {
    let passing = [
        "ratelimited",
        "rate_limited",
        "internal_error",
        "fatal_error",
        "service_unavailable",
        "request_timeout",
        "message_limit_exceeded",
    ];
    match serde_json::from_slice::<AnswerBody>(body) {
        Ok(AnswerBody { ok: true, .. }) => Answer::Ok,
        Ok(AnswerBody { error, .. }) => Answer::Error {
            is_passing: passing.contains(&error.as_str()),
            word: one_line(&error, 100),
        },
        Err(_) => Answer::Foreign,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page_message::tests::hostile_page;

    fn json(bytes: &[u8]) -> Value {
        serde_json::from_slice(bytes).unwrap()
    }

    #[test]
    fn text_from_outside_is_plain_and_the_fallback_is_escaped() {
        let mut page = hostile_page();
        page.title = "<!channel> & <https://evil.example|click> *down*".to_owned();
        let body = json(&webhook_body(&page));
        assert_eq!(body["blocks"][0]["text"]["type"], "plain_text");
        assert_eq!(body["blocks"][1]["text"]["type"], "plain_text");
        assert_eq!(
            body["text"],
            "[Page #7] &lt;!channel&gt; &amp; &lt;https://evil.example|click&gt; *down*"
        );
    }

    #[test]
    fn a_webhook_has_links_and_a_member_a_button() {
        let body = json(&webhook_body(&hostile_page()));
        let elements = &body["blocks"][2]["elements"];
        assert_eq!(
            elements[0]["url"],
            "https://tocsin.example.org/a/QNOTIFICATION1.x.y"
        );
        assert_eq!(
            elements[2]["url"],
            "https://wiki.example.org/apache?a=1&b=2"
        );
        let body = json(&member_body("U024BE7LH", &hostile_page(), true));
        let first = &body["blocks"][2]["elements"][0];
        assert_eq!(body["channel"], "U024BE7LH");
        assert_eq!(first["action_id"], ACKNOWLEDGE);
        assert_eq!(first["value"], "QNOTIFICATION1");
    }

    #[test]
    fn what_nobody_else_can_open_is_no_button() {
        let mut page = hostile_page();
        page.link = "http://127.0.0.1:8700/ui/incidents/Q".to_owned();
        page.answer_link = None;
        page.runbook = None;
        let body = json(&webhook_body(&page));
        assert_eq!(body["blocks"][2]["type"], "section");
        assert_eq!(body["blocks"].as_array().unwrap().len(), 3);
    }

    #[test]
    fn a_long_page_stays_within_what_slack_takes() {
        let mut page = hostile_page();
        page.details = vec![("n".to_owned(), "é".repeat(499)); 32];
        page.title = "x".repeat(5_000);
        let body = json(&webhook_body(&page));
        let chars = |index: usize| {
            let text = body["blocks"][index]["text"]["text"].as_str().unwrap();
            text.chars().count()
        };
        assert!(chars(0) <= HEADER_CHARS_MAX && chars(1) <= SECTION_CHARS_MAX);
    }

    #[test]
    fn an_incoming_webhook_that_took_a_message_says_so_and_nothing_else() {
        for words in [
            "ok",
            r#"{"ok":true}"#,
            r#"{"success":true}"#,
            r#"{"success":true,"message":"sent"}"#,
        ] {
            assert!(is_taken(words.as_bytes()), "{words}");
        }
        for words in [
            "",
            "OK",
            "ok: sign in first",
            "\"ok\"",
            "true",
            "{}",
            r#"{"ok":false}"#,
            r#"{"success":"true"}"#,
            r#"{"success":false,"ok":true}"#,
            r#"[{"success":true}]"#,
            r#"{"status":"ok"}"#,
            "<html>{\"ok\":true}</html>",
            "no_service",
        ] {
            assert!(!is_taken(words.as_bytes()), "{words}");
        }
    }

    #[test]
    fn an_answer_is_read_whatever_it_is() {
        assert_eq!(answer(br#"{"ok":true,"ts":"1.2"}"#), Answer::Ok);
        let error = |word: &str, is_passing| Answer::Error {
            word: word.to_owned(),
            is_passing,
        };
        assert_eq!(
            answer(br#"{"ok":false,"error":"channel_not_found"}"#),
            error("channel_not_found", false)
        );
        assert_eq!(
            answer(br#"{"ok":false,"error":"ratelimited"}"#),
            error("ratelimited", true)
        );
        assert_eq!(answer(b"<html>"), Answer::Foreign);
    }

    #[test]
    fn a_member_is_known_by_the_form_of_the_id() {
        assert!(is_member("U024BE7LH") && is_member("W012A3CDE"));
        for text in [
            "",
            "U1",
            "C024BE7LH",
            "u024be7lh",
            "U024BE7L/",
            "U024BE7LH?x",
        ] {
            assert!(!is_member(text), "{text}");
        }
    }
}
