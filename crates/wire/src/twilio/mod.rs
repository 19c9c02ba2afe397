//! Twilio's API, which other providers speak too: text messages and calls to send, what is answered and told later, and what
//! people send back. It sends nothing.

pub mod signature;
pub mod twiml;

use serde::Deserialize;
use tocsin_domain::page::Fate;

use crate::page_message::{Kind, PageMessage, one_line, outside_address};

/// Characters of a text message: two or three parts, which every phone puts together.
const TEXT_CHARS_MAX: usize = 400;
/// Characters of a title in it.
const TITLE_CHARS_MAX: usize = 160;
/// Characters at most that say where it fails.
const PLACE_CHARS_MAX: usize = 60;

/// Codes of errors that are about the number that is written to or called, whoever asks: it is none (21211, 21217), cannot be reached
/// (21214), takes no texts (21614), or its owner wants none (21610).
const ABOUT_RECEIVER: [u64; 5] = [21_211, 21_214, 21_217, 21_610, 21_614];

/// Whether a code says that whoever was to get the message is the reason why it was not taken.
#[must_use]
pub fn is_about_receiver(code: u64) -> bool {
    ABOUT_RECEIVER.contains(&code)
}

/// Whether this is a phone number in the international form (E.164): `+` and 8 to 15 digits.
#[must_use]
pub fn is_number(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (8..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Whether this has the form of an account's id (`AC` and 32 hexadecimal digits; compatible providers have others).
#[must_use]
pub fn is_account(text: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (4..=64).contains(&text.len()) && text.bytes().all(good)
}

/// Whether messages can be sent from this: a number, a messaging service (`MG…`) or a name of letters and digits.
#[must_use]
pub fn is_sender(text: &str) -> bool {
    let is_name = (1..=34).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b' ')
        && text.bytes().any(|byte| byte.is_ascii_alphabetic());
    is_number(text) || is_name
}

/// The text of a message, without an ellipsis or other letters that would make it twice as long; the link answers it.
#[must_use]
pub fn text(message: &PageMessage) -> String {
    // Before it is cut, since that makes it longer.
    let plain = PageMessage {
        title: message.title.replace('…', "..."),
        ..message.clone()
    };
    let headline = plain.headline_within(TITLE_CHARS_MAX);
    let mut text = headline.replace('…', "...");
    let headline_bytes = text.len();
    let mut add = |part: String| {
        if text.chars().count() + part.chars().count() <= TEXT_CHARS_MAX {
            text.push_str(&part);
        }
    };
    match message.kind {
        Kind::Verification => {
            let code = message.verification_code.as_deref().unwrap_or_default();
            add(format!("\nCode: {}", one_line(code, 20)));
        }
        Kind::Page => {
            if let Some(number) = message.incident_number {
                add(format!(
                    "\nReply \"ack {number}\" to acknowledge, \"resolve {number}\" when it is over"
                ));
            }
            let answer = message.answer_link.as_deref().and_then(outside_address);
            if let Some(link) = answer {
                add(format!("\n{link}"));
            }
        }
        Kind::Resolved | Kind::Acknowledged | Kind::Test | Kind::Handoff => {}
    }
    // How to answer is needed more than where it fails, which the link tells too.
    if let Some(place) = message.place_beside_title() {
        let place = format!(
            "\non {}",
            one_line(place, PLACE_CHARS_MAX).replace('…', "...")
        );
        if text.chars().count() + place.chars().count() <= TEXT_CHARS_MAX {
            text.insert_str(headline_bytes, &place);
        }
    }
    text
}

/// What the API answers to a message or a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was taken.
    Ok {
        /// Its id.
        id: String,
    },
    /// It was not.
    Error {
        /// Twilio's code.
        code: u64,
        /// Its words.
        words: String,
    },
    /// It is no API of Twilio's form that answers.
    Foreign,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AnswerBody {
    sid: Option<String>,
    code: Option<u64>,
    message: Option<String>,
    status: serde_json::Value,
    error_code: Option<u64>,
    error_message: Option<String>,
}

/// Whether this has the form of the id of a message or a call.
#[must_use]
pub fn is_id(text: &str) -> bool {
    is_account(text)
}

/// Reads the answer to a message or a call.
#[must_use]
pub fn answer(body: &[u8]) -> Answer {
    let Ok(body) = serde_json::from_slice::<AnswerBody>(body) else {
        return Answer::Foreign;
    };
    match (body.sid.filter(|id| is_id(id)), body.code) {
        (Some(id), _) => Answer::Ok { id },
        (None, Some(code)) => Answer::Error {
            code,
            words: one_line(&body.message.unwrap_or_default(), 300),
        },
        (None, None) => Answer::Foreign,
    }
}

/// What the API says of a message or a call that it took; none while that is not known yet.
#[must_use]
pub fn state(body: &[u8]) -> Option<(Fate, String)> {
    let body: AnswerBody = serde_json::from_slice(body).ok()?;
    let words = body.error_message.unwrap_or_default();
    let code = body.error_code.map(|code| code.to_string());
    fate(body.status.as_str()?, code.as_deref(), &words)
}

/// What a status means, in a report or in an answer. A phone that was busy or that nobody picked up brought nothing.
#[must_use]
pub fn fate(status: &str, error_code: Option<&str>, words: &str) -> Option<(Fate, String)> {
    let fate = match status {
        "delivered" | "answered" | "in-progress" | "completed" => Fate::Delivered,
        "read" => Fate::Read,
        "undelivered" | "failed" | "busy" | "no-answer" | "canceled" => Fate::Failed,
        _ => return None,
    };
    let code = error_code.filter(|code| !code.is_empty());
    let code = code.map(|code| format!(", error {}", one_line(code, 20)));
    let words = one_line(words, 200);
    let colon = if words.is_empty() { "" } else { ": " };
    Some((
        fate,
        format!("{status}{}{colon}{words}", code.unwrap_or_default()),
    ))
}

/// What somebody asks for by a reply or a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Take the incident.
    Acknowledge,
    /// End it.
    Resolve,
}

impl Verb {
    /// The verb of a key: 4 or 6, as PagerDuty has them.
    #[must_use]
    pub fn of_key(key: &str) -> Option<Self> {
        match key.trim() {
            "4" => Some(Self::Acknowledge),
            "6" => Some(Self::Resolve),
            _ => None,
        }
    }
}

/// A reply: what is asked for, and of which incident when it names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// What.
    pub verb: Verb,
    /// The incident's number.
    pub number: Option<u64>,
}

/// Reads a reply such as `ack 12`, `resolve`, `4` or `6 #12`; none when it is something else.
#[must_use]
pub fn reply(text: &str) -> Option<Reply> {
    let text = text.trim().to_ascii_lowercase();
    let mut words = text.split_whitespace();
    let first = words.next()?;
    let verb = match first {
        "ack" | "a" | "acknowledge" | "acked" | "taken" => Verb::Acknowledge,
        "resolve" | "r" | "resolved" | "done" => Verb::Resolve,
        key => Verb::of_key(key)?,
    };
    let number = match words.next() {
        None => None,
        Some(word) => Some(word.trim_start_matches('#').parse().ok()?),
    };
    words.next().is_none().then_some(Reply { verb, number })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page_message::tests::hostile_page;

    #[test]
    fn a_text_says_what_fails_and_how_to_answer() {
        let text = text(&hostile_page());
        assert!(
            text.starts_with("[Page #7] Apache on webserver-01"),
            "{text}"
        );
        assert!(text.contains("Reply \"ack 7\" to acknowledge"), "{text}");
        assert!(
            text.ends_with("\nhttps://tocsin.example.org/a/QNOTIFICATION1.x.y"),
            "{text}"
        );
        let mut page = hostile_page();
        page.title = "é".repeat(1_000);
        assert!(super::text(&page).chars().count() <= TEXT_CHARS_MAX);
        page.kind = Kind::Verification;
        page.verification_code = Some("123456".to_owned());
        assert!(super::text(&page).ends_with("\nCode: 123456"));
    }

    #[test]
    fn a_text_says_where_it_fails_as_far_as_there_is_room() {
        let mut page = hostile_page();
        page.title = "replication is late".to_owned();
        page.target = Some("db-1".to_owned());
        let told = text(&page);
        assert!(
            told.starts_with("[Page #7] replication is late\non db-1\nReply"),
            "{told}"
        );
        page.title = "replication of db-1 is late".to_owned();
        assert!(!text(&page).contains("\non db-1"), "it is told once");
        page.title = "x".repeat(1_000);
        page.target = Some("y".repeat(1_000));
        let told = text(&page);
        assert!(told.chars().count() <= TEXT_CHARS_MAX);
        assert!(told.contains("Reply \"ack 7\""), "{told}");
    }

    #[test]
    fn answers_are_read_whatever_they_are() {
        let taken = include_bytes!("testdata/message_created.json");
        assert_eq!(
            answer(taken),
            Answer::Ok {
                id: "SMaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned()
            }
        );
        assert_eq!(state(taken), None, "queued is not yet known");
        assert_eq!(
            answer(br#"{"code":21211,"message":"The 'To' number +1 is not a valid phone number.","more_info":"https://www.twilio.com/docs/errors/21211","status":400}"#),
            Answer::Error {
                code: 21_211,
                words: "The 'To' number +1 is not a valid phone number.".to_owned()
            }
        );
        assert_eq!(answer(b"<html>"), Answer::Foreign);
        assert_eq!(answer(b"{}"), Answer::Foreign);
        assert_eq!(answer(br#"{"sid":"../../x"}"#), Answer::Foreign);
        assert_eq!(
            state(br#"{"sid":"SM1","status":"undelivered","error_code":30003,"error_message":"Unreachable"}"#),
            Some((Fate::Failed, "undelivered, error 30003: Unreachable".to_owned()))
        );
    }

    #[test]
    fn an_error_is_about_the_receiver_or_about_the_account() {
        for code in [21_211, 21_610] {
            assert!(is_about_receiver(code), "{code}");
        }
        // Not signed in, no right to write to that country, not allowed to write from there, too many.
        for code in [20_003, 21_408, 21_606, 20_429] {
            assert!(!is_about_receiver(code), "{code}");
        }
    }

    #[test]
    fn a_status_is_news_only_when_it_ends_something() {
        for status in [
            "queued",
            "accepted",
            "sending",
            "sent",
            "initiated",
            "ringing",
            "",
            "x",
        ] {
            assert_eq!(fate(status, None, ""), None, "{status}");
        }
        for status in ["delivered", "in-progress", "completed"] {
            assert_eq!(
                fate(status, None, "").unwrap().0,
                Fate::Delivered,
                "{status}"
            );
        }
        for status in ["failed", "undelivered", "busy", "no-answer", "canceled"] {
            assert_eq!(fate(status, None, "").unwrap().0, Fate::Failed, "{status}");
        }
    }

    #[test]
    fn a_reply_is_understood_or_not_at_all() {
        let check = |text: &str, expected: Option<(Verb, Option<u64>)>| {
            let found = reply(text).map(|reply| (reply.verb, reply.number));
            assert_eq!(found, expected, "{text:?}");
        };
        check("ack 12", Some((Verb::Acknowledge, Some(12))));
        check(" ACK #12 ", Some((Verb::Acknowledge, Some(12))));
        check("4", Some((Verb::Acknowledge, None)));
        check("6 3", Some((Verb::Resolve, Some(3))));
        check("Resolved", Some((Verb::Resolve, None)));
        for text in [
            "",
            "hello",
            "ack twelve",
            "ack 1 2",
            "5",
            "8",
            "ack -1",
            "acknowledge 99999999999999999999999",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn numbers_are_international() {
        assert!(is_number("+33123456789"));
        for text in [
            "",
            "0123456789",
            "+0123456789",
            "+33 1 23",
            "+1234567",
            "+1234567890123456",
            "+3312345678a",
        ] {
            assert!(!is_number(text), "{text}");
        }
        assert!(
            is_sender("+33123456789")
                && is_sender("Tocsin")
                && is_sender("MG0123456789abcdef0123456789abcdef")
        );
        assert!(!is_sender("12345678") && !is_sender("a/b") && !is_sender(""));
        assert!(is_account("AC0123456789abcdef0123456789abcdef") && !is_account("a/../b"));
    }
}
