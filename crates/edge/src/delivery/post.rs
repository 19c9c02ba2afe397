//! One HTTP POST to an address that a person gave: a webhook, a topic of an ntfy server.

use reqwest::{StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use tocsin_domain::time::Timestamp;
use tocsin_wire::page_message::PageMessage;
use tocsin_wire::{ntfy, webhook};

use super::exchange::{Answered, Call, Exchange};
use super::report::Report;

/// Characters of an answer's words that are kept.
const WORDS_CHARS_MAX: usize = 4_096;

/// Sends a signed webhook.
pub(super) async fn webhook(
    exchange: &Exchange,
    address: &SecretString,
    key: Option<&SecretString>,
    message: &PageMessage,
    now: Timestamp,
) -> Report {
    let Some(key) = key else {
        return Report::refused("the signing key of this webhook is gone: add the webhook again");
    };
    let body = webhook::body(message);
    let signed = match webhook::sign(key.expose_secret().as_bytes(), now, &body) {
        Ok(signed) => signed,
        Err(error) => return Report::refused(error.to_string()),
    };
    let Ok(url) = Url::parse(address.expose_secret()) else {
        return Report::refused("the address of this webhook is not a URL");
    };
    let call = Call::json(url, body)
        .with(webhook::TIMESTAMP_HEADER, signed.timestamp)
        .with(webhook::SIGNATURE_HEADER, signed.signature)
        .with(webhook::ID_HEADER, message.idempotency_key.clone());
    post(exchange, call).await
}

/// Publishes to an ntfy topic.
pub(super) async fn ntfy(
    exchange: &Exchange,
    address: &SecretString,
    token: Option<&SecretString>,
    message: &PageMessage,
) -> Report {
    let Some((url, topic)) = topic_of(address.expose_secret()) else {
        return Report::refused("the address is not the URL of an ntfy topic");
    };
    let mut call = Call::json(url, ntfy::body(&topic, message))
        .with(webhook::ID_HEADER, message.idempotency_key.clone());
    if let Some(token) = token {
        call = call.with("authorization", format!("Bearer {}", token.expose_secret()));
    }
    match exchange.send(call).await {
        Ok(answered) if answered.status.is_success() => {
            // The words repeat the secret topic: they decide, and are not told.
            if answered.status == StatusCode::OK && ntfy::is_published(&answered.body) {
                Report::of_status(&answered, "")
            } else {
                Report::foreign(&answered)
            }
        }
        Ok(answered) => with_words(&answered),
        Err(report) => report,
    }
}

/// Posts where the status alone decides; the words of a success are of no use.
pub(super) async fn post(exchange: &Exchange, call: Call) -> Report {
    let call = Call {
        reads_success: false,
        ..call
    };
    match exchange.send(call).await {
        Ok(answered) => with_words(&answered),
        Err(report) => report,
    }
}

/// What an answer's status says, with its words.
pub(super) fn with_words(answered: &Answered) -> Report {
    let words = String::from_utf8_lossy(&answered.body);
    let words: String = words.chars().take(WORDS_CHARS_MAX).collect();
    Report::of_status(answered, &words)
}

/// The server's root and the topic in a topic's URL (`https://ntfy.example/topic`).
pub(crate) fn topic_of(address: &str) -> Option<(Url, ntfy::Topic)> {
    let mut url = Url::parse(address).ok()?;
    let name = url.path_segments()?.next_back()?.to_owned();
    let topic = name.parse().ok()?;
    url.path_segments_mut().ok()?.pop().push("");
    url.set_query(None);
    url.set_fragment(None);
    Some((url, topic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_the_last_part_of_its_url() {
        let check = |address: &str, expected: Option<&str>| {
            assert_eq!(
                topic_of(address).map(|(url, _)| url.to_string()).as_deref(),
                expected,
                "{address}"
            );
        };
        check("https://ntfy.sh/my-topic", Some("https://ntfy.sh/"));
        check(
            "https://example.org/ntfy/my-topic",
            Some("https://example.org/ntfy/"),
        );
        check("https://ntfy.sh/", None);
        check("https://ntfy.sh/a%20b", None);
        check("ntfy.sh/topic", None);
    }
}
