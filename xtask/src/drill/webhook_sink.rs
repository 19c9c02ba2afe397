//! Takes signed POSTs, writes down when each came and whether its signature is right; it does not act on them.

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use super::inbox::Inbox;
use crate::http::server::{Request, Response, serve};

/// One POST as it came.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) body: Value,
    /// Right, by the secret that was known when it came.
    pub(crate) signed: bool,
}

/// The secret that signatures are checked with; unknown until Tocsin has shown it.
#[derive(Clone, Default)]
pub(crate) struct Secret(Arc<Mutex<String>>);

impl Secret {
    pub(crate) fn set(&self, secret: &str) {
        secret.clone_into(
            &mut self
                .0
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        );
    }

    fn get(&self) -> String {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone()
    }
}

/// Listens on a free loopback port until the process ends.
pub(crate) fn start() -> io::Result<(SocketAddr, Inbox<Call>, Secret)> {
    let (inbox, secret) = (Inbox::new(), Secret::default());
    let (filled, known) = (inbox.clone(), secret.clone());
    let address = serve(move |request| {
        if request.method != "POST" {
            return Response::new(404, "only POST is taken here\n");
        }
        let signed = is_signed(&request, &known.get());
        let body = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        filled.put(Call { body, signed });
        Response::new(202, "{}").with("Content-Type", "application/json")
    })?;
    Ok((address, inbox, secret))
}

fn is_signed(request: &Request, secret: &str) -> bool {
    let (Some(given), Some(timestamp)) = (
        request.headers.get("x-tocsin-signature"),
        request.headers.get("x-tocsin-timestamp"),
    ) else {
        return false;
    };
    let right = signature(secret, timestamp, &request.body);
    // More than one comes while a secret is being replaced.
    given.split(',').any(|given| given.trim() == right)
}

/// `v1=` and the hexadecimal HMAC-SHA256 of timestamp, dot and body.
fn signature(secret: &str, timestamp: &str, body: &[u8]) -> String {
    // HMAC takes keys of every length, so the error cannot happen.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    let mut text = "v1=".to_owned();
    for byte in mac.finalize().into_bytes() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The six digits that prove a new contact method: under a key that says `code`, else the only six digits in a row.
pub(crate) fn code_in(body: &Value) -> Option<String> {
    named_code(body).or_else(|| six_digits(&body.to_string()))
}

fn named_code(value: &Value) -> Option<String> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .find_map(|(key, value)| {
                key.contains("code")
                    .then(|| six_digits(&value.to_string()))
                    .flatten()
            })
            .or_else(|| fields.values().find_map(named_code)),
        Value::Array(items) => items.iter().find_map(named_code),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn six_digits(text: &str) -> Option<String> {
    let runs = text.split(|letter: char| !letter.is_ascii_alphanumeric());
    let mut found =
        runs.filter(|run| run.len() == 6 && run.bytes().all(|byte| byte.is_ascii_digit()));
    found.next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::client::{Ask, ask};
    use std::time::Duration;

    fn post(address: SocketAddr, signature: &str, body: &str) -> u16 {
        let headers = [
            ("X-Tocsin-Timestamp", "1700000000"),
            ("X-Tocsin-Signature", signature),
        ];
        let limit = Duration::from_secs(5);
        let question = Ask {
            method: "POST",
            path: "/page",
            headers: &headers,
            body: body.as_bytes(),
            limit,
        };
        ask(address, question).unwrap().status
    }

    #[test]
    fn a_signature_is_right_only_for_its_own_secret_and_body() {
        let (address, inbox, secret) = start().unwrap();
        secret.set("key");
        let body = r#"{"title":"down"}"#;
        let right = signature("key", "1700000000", body.as_bytes());
        for (given, sent) in [
            (right.as_str(), body),
            (right.as_str(), "{}"),
            ("v1=00", body),
        ] {
            assert_eq!(post(address, given, sent), 202);
        }
        let signed: Vec<bool> = inbox
            .since(0)
            .iter()
            .map(|arrival| arrival.item.signed)
            .collect();
        assert_eq!(signed, [true, false, false]);
    }

    #[test]
    fn the_signature_is_what_other_programs_calculate() {
        // As `openssl dgst -sha256 -hmac Jefe` gives it for `1700000000.{}`.
        let expected = "v1=d3793e2b4103edfbd98cc19591832f5fad701d413db9fcae0ae7dab8184ed207";
        assert_eq!(signature("Jefe", "1700000000", b"{}"), expected);
    }

    #[track_caller]
    fn check_code(body: Value, expected: Option<&str>) {
        assert_eq!(code_in(&body).as_deref(), expected, "{body}");
    }

    #[test]
    fn a_code_is_found_where_it_is_named_or_alone() {
        check_code(
            serde_json::json!({"at": 123_456, "verification_code": "654321"}),
            Some("654321"),
        );
        check_code(
            serde_json::json!({"text": "Your code is 000123."}),
            Some("000123"),
        );
        check_code(
            serde_json::json!({"test": {"code": 222_333}}),
            Some("222333"),
        );
        check_code(
            serde_json::json!({"id": "Q12345678", "at": 1_700_000_000}),
            None,
        );
    }
}
