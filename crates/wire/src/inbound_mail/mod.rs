//! A mail that came in, read as far as an alert needs it: subject, thread, first readable text. It knows no SMTP and no state.
//!
//! Everything in it is hostile: headers, parts, depth and decoded bytes are bounded, and what cannot be read is left out.

mod body;
mod charset;
mod decode;
mod header;
mod html;
mod subject;

use serde_json::{Map, Value, json};

use header::{Headers, ids};

pub use subject::{Subject, subject};

/// Bytes of a whole mail; a listener refuses larger ones before.
pub const MAIL_BYTES_MAX: usize = 1_024 * 1_024;
/// Characters of the text that are kept.
pub const TEXT_CHARS_MAX: usize = 16_000;
/// Message ids of the thread that are looked at.
const THREAD_IDS_MAX: usize = 20;
/// Headers that a mapping can look at.
const SHOWN_HEADERS_MAX: usize = 60;
/// Characters of a header that a mapping sees.
const SHOWN_HEADER_CHARS_MAX: usize = 1_000;
/// The header of what Tocsin itself sends.
pub const OWN_HEADER: &str = "X-Tocsin";

/// A mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mail {
    /// The subject as it came.
    pub subject: String,
    /// What the subject says without its marks.
    pub title: String,
    /// The key of the alert by its subject; empty without one.
    pub key: String,
    /// Whether the subject says that it is over.
    pub resolved: bool,
    /// Who sent it, as the mail says.
    pub from: String,
    /// Its own id.
    pub message_id: Option<String>,
    /// The ids of the mails that it answers, oldest first.
    pub thread: Vec<String>,
    /// `high`, `low` or empty.
    pub importance: &'static str,
    /// Its first readable text.
    pub text: String,
    /// Whether a program answered by itself (an absence note).
    pub is_automatic_reply: bool,
    /// Whether Tocsin sent it.
    pub is_own: bool,
    headers: Vec<(String, String)>,
}

impl Mail {
    /// Reads a mail; nothing in it is an error.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        let bytes = bytes.get(..MAIL_BYTES_MAX).unwrap_or(bytes);
        let (headers, content) = Headers::read(bytes);
        let read = subject(&headers.text("subject").unwrap_or_default());
        let mut thread: Vec<String> = headers.raw("references").map(ids).unwrap_or_default();
        thread.extend(headers.raw("in-reply-to").map(ids).unwrap_or_default());
        let surplus = thread.len().saturating_sub(THREAD_IDS_MAX);
        thread.drain(..surplus);
        let message_id = headers.raw("message-id").map(ids).unwrap_or_default();
        let submitted = headers.raw("auto-submitted").unwrap_or_default();
        Self {
            from: headers.text("from").unwrap_or_default(),
            message_id: message_id.into_iter().next(),
            thread,
            importance: importance(&headers),
            text: body::text(&headers, content),
            is_automatic_reply: submitted
                .trim()
                .to_ascii_lowercase()
                .starts_with("auto-replied"),
            is_own: headers.raw(&OWN_HEADER.to_ascii_lowercase()).is_some(),
            headers: headers
                .all()
                .take(SHOWN_HEADERS_MAX)
                .map(|(name, value)| (name, value.chars().take(SHOWN_HEADER_CHARS_MAX).collect()))
                .collect(),
            subject: read.whole,
            title: read.title,
            key: read.key,
            resolved: read.resolved,
        }
    }

    /// The mail as the JSON that a mapping is applied to.
    #[must_use]
    pub fn json(&self) -> Value {
        let headers: Map<String, Value> = self
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
            .collect();
        json!({
            "subject": self.subject,
            "title": self.title,
            "key": self.key,
            "resolved": self.resolved,
            "from": self.from,
            "message_id": self.message_id,
            "thread": self.thread,
            "importance": self.importance,
            "text": self.text,
            "headers": headers,
        })
    }
}

fn importance(headers: &Headers<'_>) -> &'static str {
    let value = |name: &str| {
        headers
            .raw(name)
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase()
    };
    let (importance, priority) = (value("importance"), value("x-priority"));
    if importance == "high" || priority.starts_with(['1', '2']) || value("priority") == "urgent" {
        "high"
    } else if importance == "low" || priority.starts_with(['4', '5']) {
        "low"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests;
