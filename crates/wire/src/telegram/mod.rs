//! Telegram's Bot API: the message of a page, what the API answers, and which buttons were pressed. It sends nothing.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::markup::escape;
use crate::page_message::{Kind, PageMessage, one_line, outside_address, web_address};

/// Characters of a message's text; Telegram takes 4096 after entities are resolved.
const TEXT_CHARS_MAX: usize = 4_000;
/// What the data of our button begins with.
const ACKNOWLEDGE: &str = "ack:";
/// Updates that are asked for at once.
const UPDATES_MAX: u32 = 100;

/// Whether this names a chat: the number of a person or a group, or the `@name` of a public channel.
#[must_use]
pub fn is_chat(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_number =
        (1..=16).contains(&digits.len()) && digits.bytes().all(|one| one.is_ascii_digit());
    let is_name = text.strip_prefix('@').is_some_and(|name| {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        (4..=32).contains(&name.len()) && name.bytes().all(good)
    });
    is_number || is_name
}

/// Whether this has the form of a bot's token (`110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw`).
#[must_use]
pub fn is_token(text: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    text.split_once(':').is_some_and(|(id, secret)| {
        (1..=20).contains(&id.len())
            && id.bytes().all(|one| one.is_ascii_digit())
            && (20..=100).contains(&secret.len())
            && secret.bytes().all(good)
    })
}

/// The body of `sendMessage`; with a button to acknowledge where one person alone can press it.
#[must_use]
pub fn body(chat: &str, message: &PageMessage, with_button: bool) -> Vec<u8> {
    let mut body = json!({
        "chat_id": chat,
        "text": text(message),
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": true},
    });
    let keyboard = keyboard(message, with_button);
    if !keyboard.is_empty() {
        body["reply_markup"] = json!({"inline_keyboard": [keyboard]});
    }
    body.to_string().into_bytes()
}

fn text(message: &PageMessage) -> String {
    let mut text = format!("<b>{}</b>\n\n", escape(&message.headline()));
    let mut chars = text.chars().count();
    for (name, value) in message.facts() {
        // Counted before escaping, as Telegram counts.
        chars += name.chars().count() + value.chars().count() + 3;
        if chars > TEXT_CHARS_MAX {
            text.push_str("(more on the incident's page)\n");
            break;
        }
        text.push_str(&format!("{}: {}\n", escape(&name), escape(&value)));
    }
    if outside_address(&message.link).is_none()
        && let Some(link) = web_address(&message.link)
    {
        text.push_str(&format!("\n{}\n", escape(link)));
    }
    text.truncate(text.trim_end().len());
    text
}

fn keyboard(message: &PageMessage, with_button: bool) -> Vec<Value> {
    let mut keys = Vec::new();
    // Of what is no incident, nobody would hear a press.
    let can_answer = with_button && message.incident_number.is_some();
    if message.kind == Kind::Page && can_answer {
        let data = format!("{ACKNOWLEDGE}{}", message.idempotency_key);
        keys.push(json!({"text": "Acknowledge", "callback_data": data}));
    }
    let answer = message.answer_link.as_deref().and_then(outside_address);
    let more = if keys.is_empty() {
        "Acknowledge…"
    } else {
        "Answer…"
    };
    for (label, url) in [(more, answer), ("Open", outside_address(&message.link))] {
        if let Some(url) = url {
            keys.push(json!({"text": label, "url": url}));
        }
    }
    keys
}

/// What the API answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was taken.
    Ok,
    /// It was not.
    Error {
        /// Telegram's code; that of HTTP.
        code: u16,
        /// Its words.
        words: String,
        /// For how many seconds it wants to be left alone.
        retry_after_s: Option<u64>,
    },
    /// It is not Telegram that answers.
    Foreign,
}

#[derive(Deserialize)]
struct AnswerBody {
    ok: bool,
    #[serde(default)]
    error_code: u16,
    #[serde(default)]
    description: String,
    #[serde(default)]
    parameters: Parameters,
}

#[derive(Default, Deserialize)]
struct Parameters {
    retry_after: Option<u64>,
}

/// Reads an answer.
#[must_use]
pub fn answer(body: &[u8]) -> Answer {
    match serde_json::from_slice::<AnswerBody>(body) {
        Ok(AnswerBody { ok: true, .. }) => Answer::Ok,
        Ok(body) => Answer::Error {
            code: body.error_code,
            words: one_line(&body.description, 300),
            retry_after_s: body.parameters.retry_after,
        },
        Err(_) => Answer::Foreign,
    }
}

/// A button that somebody pressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pressed {
    /// What is to be answered.
    pub query: String,
    /// The number of the person who pressed.
    pub person: i64,
    /// The message's id, when it is our button.
    pub message: Option<String>,
}

/// What is new.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Updates {
    /// What to ask for next: everything before it was seen.
    pub next_offset: Option<i64>,
    /// Buttons that were pressed.
    pub pressed: Vec<Pressed>,
}

#[derive(Deserialize)]
struct UpdatesBody {
    ok: bool,
    #[serde(default)]
    result: Vec<Update>,
}

#[derive(Deserialize)]
struct Update {
    update_id: i64,
    callback_query: Option<CallbackQuery>,
}

#[derive(Deserialize)]
struct CallbackQuery {
    id: String,
    from: From,
    #[serde(default)]
    data: String,
}

#[derive(Deserialize)]
struct From {
    id: i64,
}

/// The body of `getUpdates`.
#[must_use]
pub fn updates_body(offset: Option<i64>, wait_s: u64) -> Vec<u8> {
    let mut body = json!({
        "timeout": wait_s, "limit": UPDATES_MAX, "allowed_updates": ["callback_query"],
    });
    if let Some(offset) = offset {
        body["offset"] = json!(offset);
    }
    body.to_string().into_bytes()
}

/// Reads the answer of `getUpdates`; none when it is none.
#[must_use]
pub fn updates(body: &[u8]) -> Option<Updates> {
    let body: UpdatesBody = serde_json::from_slice(body).ok()?;
    let next_offset = body.result.iter().map(|one| one.update_id).max();
    let pressed = body.result.into_iter().filter_map(|one| one.callback_query);
    body.ok.then(|| Updates {
        next_offset: next_offset.map(|last| last.saturating_add(1)),
        pressed: pressed
            .map(|query| Pressed {
                message: query.data.strip_prefix(ACKNOWLEDGE).map(str::to_owned),
                person: query.from.id,
                query: query.id,
            })
            .collect(),
    })
}

/// The body of `answerCallbackQuery`: a word to who pressed.
#[must_use]
pub fn word_to_presser(query: &str, text: &str) -> Vec<u8> {
    let text = one_line(text, 190);
    json!({"callback_query_id": query, "text": text, "show_alert": true})
        .to_string()
        .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page_message::tests::hostile_page;

    fn json(message: &PageMessage) -> Value {
        serde_json::from_slice(&body("42", message, true)).unwrap()
    }

    #[test]
    fn text_from_outside_is_escaped_and_the_buttons_carry_the_message() {
        let body = json(&hostile_page());
        let text = body["text"].as_str().unwrap();
        assert!(
            text.starts_with("<b>[Page #7] Apache on webserver-01")
                && text.contains("&lt;script&gt;alert(1)&lt;/script&gt;")
                && !text.contains("<script>"),
            "{text}"
        );
        let keys = &body["reply_markup"]["inline_keyboard"][0];
        assert_eq!(keys[0]["callback_data"], "ack:QNOTIFICATION1");
        assert_eq!(
            keys[1]["url"],
            "https://tocsin.example.org/a/QNOTIFICATION1.x.y"
        );
        assert_eq!(keys[2]["text"], "Open");
    }

    #[test]
    fn a_page_to_many_has_no_button_that_only_one_of_them_could_press() {
        let body = body("-42", &hostile_page(), false);
        let body = String::from_utf8(body).unwrap();
        assert!(!body.contains("callback_data"), "{body}");
        assert!(body.contains("Open"), "{body}");
        // The link does what the button would.
        assert!(body.contains("Acknowledge…"), "{body}");
    }

    #[test]
    fn what_is_about_no_incident_has_no_button_to_acknowledge_it() {
        let mut page = hostile_page();
        page.incident_number = None;
        let body = json(&page).to_string();
        assert!(!body.contains("callback_data"), "{body}");
    }

    #[test]
    fn a_link_that_telegram_would_refuse_is_text() {
        let mut page = hostile_page();
        page.link = "http://localhost:8700/ui/".to_owned();
        page.answer_link = Some("http://localhost:8700/a/x".to_owned());
        let body = json(&page);
        let keys = body["reply_markup"]["inline_keyboard"][0].as_array();
        assert_eq!(keys.unwrap().len(), 1);
        assert!(
            body["text"]
                .as_str()
                .unwrap()
                .ends_with("http://localhost:8700/ui/")
        );
    }

    #[test]
    fn a_long_page_stays_within_what_telegram_takes() {
        let mut page = hostile_page();
        page.details = vec![("n".to_owned(), "é".repeat(499)); 32];
        let body = json(&page);
        assert!(body["text"].as_str().unwrap().chars().count() <= 4_096);
    }

    #[test]
    fn an_answer_tells_how_long_to_wait() {
        assert_eq!(
            answer(br#"{"ok":true,"result":{"message_id":1}}"#),
            Answer::Ok
        );
        let limited = br#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 5","parameters":{"retry_after":5}}"#;
        assert_eq!(
            answer(limited),
            Answer::Error {
                code: 429,
                words: "Too Many Requests: retry after 5".to_owned(),
                retry_after_s: Some(5),
            }
        );
        assert_eq!(answer(b"nginx"), Answer::Foreign);
    }

    #[test]
    fn pressed_buttons_are_read_from_updates() {
        let body = br#"{"ok":true,"result":[
            {"update_id":9,"callback_query":{"id":"77","from":{"id":42,"is_bot":false,"first_name":"Ada"},
             "message":{"message_id":3,"chat":{"id":42,"type":"private"}},"chat_instance":"1","data":"ack:QNOTIFICATION1"}},
            {"update_id":10,"message":{"message_id":4}}]}"#;
        let expected = Updates {
            next_offset: Some(11),
            pressed: vec![Pressed {
                query: "77".to_owned(),
                person: 42,
                message: Some("QNOTIFICATION1".to_owned()),
            }],
        };
        assert_eq!(updates(body), Some(expected));
        assert_eq!(
            updates(br#"{"ok":true,"result":[]}"#),
            Some(Updates::default())
        );
        assert_eq!(updates(br#"{"ok":false,"error_code":409}"#), None);
        assert_eq!(updates(b"no"), None);
    }

    #[test]
    fn chats_and_tokens_are_known_by_their_form() {
        assert!(is_chat("42") && is_chat("-1001234567890") && is_chat("@ops_pages"));
        for text in ["", "-", "4 2", "@a", "https://t.me/x", "４２"] {
            assert!(!is_chat(text), "{text}");
        }
        assert!(is_token("110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"));
        for text in [
            "",
            "1:short",
            "x:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
            "1:AAHdqTcvCH1vGWJxfSeofSAs0K5/../x",
        ] {
            assert!(!is_token(text), "{text}");
        }
    }
}
