//! Pushover: the form that sends a page, and what its API answers and tells later. It sends nothing.

use serde::Deserialize;

use crate::page_message::{Kind, PageMessage, Urgency, one_line, web_address};

/// Seconds between two rings of a page until it is acknowledged; Pushover demands at least 30.
const RETRY_S: u32 = 30;
/// Seconds after which it stops to ring.
pub const EXPIRE_S: u32 = 3_600;
/// Characters of a message and of a title.
const MESSAGE_CHARS_MAX: usize = 1_024;
const TITLE_CHARS_MAX: usize = 250;
/// Bytes of a link.
const URL_BYTES_MAX: usize = 512;

/// Whether this has the form of a key of a user, a group or an application.
#[must_use]
pub fn is_key(text: &str) -> bool {
    text.len() == 30 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The fields of the form; the application's token and the user's key are added by who sends it.
#[must_use]
pub fn form(message: &PageMessage) -> Vec<(&'static str, String)> {
    let mut form = vec![
        ("title", message.headline_within(TITLE_CHARS_MAX - 1)),
        ("message", text(message)),
    ];
    match priority(message) {
        2 => form.extend([
            ("priority", "2".to_owned()),
            ("retry", RETRY_S.to_string()),
            ("expire", EXPIRE_S.to_string()),
        ]),
        other => form.push(("priority", other.to_string())),
    }
    let answer = message.answer_link.as_deref().and_then(web_address);
    let (url, title) = match answer {
        Some(url) => (Some(url), "Acknowledge or resolve"),
        None => (web_address(&message.link), "Open"),
    };
    if let Some(url) = url.filter(|url| url.len() <= URL_BYTES_MAX) {
        form.push(("url", url.to_owned()));
        form.push(("url_title", title.to_owned()));
    }
    form
}

/// Emergency (2) rings until somebody acknowledges it.
const fn priority(message: &PageMessage) -> i8 {
    match (message.kind, message.urgency) {
        (Kind::Page, Urgency::High) => 2,
        (Kind::Test | Kind::Verification, _) => 1,
        (Kind::Page | Kind::Resolved | Kind::Acknowledged | Kind::Handoff, _) => 0,
    }
}

fn text(message: &PageMessage) -> String {
    let mut text = String::new();
    let mut chars = 0;
    for (name, value) in message.facts() {
        let line = format!("{name}: {value}\n");
        chars += line.chars().count();
        if chars > MESSAGE_CHARS_MAX - 40 {
            text.push_str("(more on the incident's page)");
            break;
        }
        text.push_str(&line);
    }
    text.truncate(text.trim_end().len());
    text
}

/// What the API answers to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was taken; an emergency has a receipt to ask for.
    Ok {
        /// The receipt's id.
        receipt: Option<String>,
    },
    /// It was not.
    Error {
        /// Its words.
        words: String,
    },
    /// It is not Pushover that answers.
    Foreign,
}

#[derive(Deserialize)]
struct AnswerBody {
    status: i64,
    receipt: Option<String>,
    #[serde(default)]
    errors: Vec<String>,
}

/// Reads an answer.
#[must_use]
pub fn answer(body: &[u8]) -> Answer {
    match serde_json::from_slice::<AnswerBody>(body) {
        Ok(AnswerBody {
            status: 1, receipt, ..
        }) => Answer::Ok {
            receipt: receipt.filter(|receipt| is_key(receipt)),
        },
        Ok(body) => Answer::Error {
            words: one_line(&body.errors.join("; "), 300),
        },
        Err(_) => Answer::Foreign,
    }
}

/// What a receipt tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Whether it came to a device.
    pub delivered: bool,
    /// Whether the person acknowledged it in the app.
    pub acknowledged: bool,
    /// Whether it rings no more.
    pub expired: bool,
}

#[derive(Deserialize)]
struct ReceiptBody {
    status: i64,
    #[serde(default)]
    acknowledged: i64,
    #[serde(default)]
    last_delivered_at: i64,
    #[serde(default)]
    expired: i64,
}

/// Reads a receipt; none when it is none.
#[must_use]
pub fn receipt(body: &[u8]) -> Option<Receipt> {
    let body: ReceiptBody = serde_json::from_slice(body).ok()?;
    (body.status == 1).then_some(Receipt {
        delivered: body.last_delivered_at > 0,
        acknowledged: body.acknowledged == 1,
        expired: body.expired == 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page_message::tests::hostile_page;

    fn field(form: &[(&'static str, String)], name: &str) -> Option<String> {
        let found = form.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.clone())
    }

    #[test]
    fn an_urgent_page_rings_until_it_is_acknowledged() {
        let form = form(&hostile_page());
        assert_eq!(field(&form, "priority").as_deref(), Some("2"));
        assert_eq!(field(&form, "retry").as_deref(), Some("30"));
        assert_eq!(field(&form, "expire").as_deref(), Some("3600"));
        assert_eq!(
            field(&form, "url").as_deref(),
            Some("https://tocsin.example.org/a/QNOTIFICATION1.x.y")
        );
        // No field asks for HTML, so nothing in the text is markup.
        assert_eq!(field(&form, "html"), None);
    }

    #[test]
    fn what_is_over_does_not_ring() {
        let mut page = hostile_page();
        page.kind = Kind::Resolved;
        page.details = vec![("n".to_owned(), "é".repeat(499)); 32];
        let form = form(&page);
        assert_eq!(field(&form, "priority").as_deref(), Some("0"));
        assert_eq!(field(&form, "retry"), None);
        let text = field(&form, "message").unwrap();
        assert!(text.chars().count() <= MESSAGE_CHARS_MAX, "{text}");
    }

    #[test]
    fn answers_and_receipts_are_read_whatever_they_are() {
        let receipt_id = "rLqVuqTRh62UzxtmqiaLzQmVcPgiCy";
        let body = format!(r#"{{"receipt":"{receipt_id}","status":1,"request":"6d8f"}}"#);
        assert_eq!(
            answer(body.as_bytes()),
            Answer::Ok {
                receipt: Some(receipt_id.to_owned())
            }
        );
        assert_eq!(
            answer(br#"{"user":"invalid","errors":["user identifier is invalid"],"status":0,"request":"6d8f"}"#),
            Answer::Error {
                words: "user identifier is invalid".to_owned()
            }
        );
        assert_eq!(answer(b""), Answer::Foreign);
        let body = br#"{"status":1,"acknowledged":1,"acknowledged_at":1424305421,"acknowledged_by":"u","last_delivered_at":1424305379,"expired":0,"expires_at":1424308979,"called_back":0}"#;
        assert_eq!(
            receipt(body),
            Some(Receipt {
                delivered: true,
                acknowledged: true,
                expired: false
            })
        );
        assert_eq!(receipt(br#"{"status":0}"#), None);
        assert_eq!(receipt(b"[]"), None);
    }

    #[test]
    fn a_key_that_could_leave_its_place_is_refused() {
        assert!(is_key("uQiRzpo4DXghDmr9QzzfQu27cmVRsG"));
        for text in [
            "",
            "short",
            "uQiRzpo4DXghDmr9QzzfQu27cmVRs/",
            "uQiRzpo4DXghDmr9QzzfQu27cmVRsGG",
        ] {
            assert!(!is_key(text), "{text}");
        }
    }
}
