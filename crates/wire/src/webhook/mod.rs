//! Our own outgoing webhook: a JSON body and a signature that its receiver can check; it sends nothing.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use tocsin_domain::time::Timestamp;

use crate::page_message::PageMessage;

/// Header with `v1=` and the hexadecimal HMAC-SHA256 of `timestamp.body`; more than one, joined by commas, while a secret is
/// being replaced.
pub const SIGNATURE_HEADER: &str = "X-Tocsin-Signature";
/// Header with the seconds since the epoch at which the attempt was signed.
pub const TIMESTAMP_HEADER: &str = "X-Tocsin-Timestamp";
/// Header with the message's idempotency key, the same for each attempt.
pub const ID_HEADER: &str = "X-Tocsin-Id";
/// How far a receiver should let the timestamp be from its own clock.
pub const SKEW_SECONDS_DEFAULT: u64 = 300;
/// Bytes a secret must have.
pub const SECRET_BYTES_MIN: usize = 16;

const SIGNATURES_MAX: usize = 8;

/// Most bodies have fewer bytes, and are not moved while they are written.
const USUAL_BYTES: usize = 1_024;

/// The version of the body's form; raised when a receiver would have to change.
const BODY_VERSION: u32 = 1;

#[derive(Serialize)]
struct Body<'a> {
    version: u32,
    kind: &'static str,
    id: &'a str,
    headline: String,
    incident: Option<Incident<'a>>,
    title: String,
    urgency: &'static str,
    service: &'a str,
    target: Option<&'a str>,
    onset: Option<OnsetBody>,
    opened_at: String,
    reason: &'a str,
    details: Vec<Detail<'a>>,
    link: &'a str,
    answer_link: Option<&'a str>,
    runbook: Option<&'a str>,
    verification_code: Option<&'a str>,
}

#[derive(Serialize)]
struct Incident<'a> {
    id: &'a str,
    number: Option<u64>,
}

#[derive(Serialize)]
struct OnsetBody {
    at: String,
    uncertainty_ms: u64,
}

#[derive(Serialize)]
struct Detail<'a> {
    name: &'a str,
    value: &'a str,
}

/// The body of the webhook: one JSON object. Text in it is as it came, since JSON can carry it; a receiver escapes it.
#[must_use]
pub fn body(message: &PageMessage) -> Vec<u8> {
    let body = Body {
        version: BODY_VERSION,
        kind: message.kind.word(),
        id: &message.idempotency_key,
        headline: message.headline(),
        incident: (!message.incident_id.is_empty()).then_some(Incident {
            id: &message.incident_id,
            number: message.incident_number,
        }),
        title: format!("{}{}", message.title, message.and_others()),
        urgency: message.urgency.word(),
        service: &message.service,
        target: message.target.as_deref(),
        onset: message.onset.map(|onset| OnsetBody {
            at: onset.at.to_rfc3339(),
            uncertainty_ms: onset.uncertainty_ms,
        }),
        opened_at: message.opened_at.to_rfc3339(),
        reason: &message.reason,
        details: message
            .details
            .iter()
            .map(|(name, value)| Detail { name, value })
            .collect(),
        link: &message.link,
        answer_link: message.answer_link.as_deref(),
        runbook: message.runbook.as_deref(),
        verification_code: message.verification_code.as_deref(),
    };
    let mut bytes = Vec::with_capacity(USUAL_BYTES);
    // Serializing strings, numbers and options into memory has no way to fail.
    let _ = serde_json::to_writer(&mut bytes, &body);
    bytes
}

/// The headers that go with a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedHeaders {
    /// For [`TIMESTAMP_HEADER`].
    pub timestamp: String,
    /// For [`SIGNATURE_HEADER`].
    pub signature: String,
}

/// Why nothing was signed or a signature was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The secret is empty or too short to be one.
    #[error("the webhook's secret has fewer than {SECRET_BYTES_MIN} bytes; generate a longer one")]
    WeakSecret,
    /// The timestamp header is not a number of seconds.
    #[error("the timestamp header is missing or not a number of seconds")]
    NoTimestamp,
    /// The timestamp is too far from the receiver's clock: a replay, or a clock that is wrong.
    #[error("the timestamp is too far from this clock: the request is old, or a clock is wrong")]
    Stale,
    /// No signature matches.
    #[error("no signature matches: the secret differs, or the request was changed on its way")]
    Mismatch,
}

/// Signs a body for sending at `now`.
///
/// # Errors
/// [`SignatureError::WeakSecret`]
pub fn sign(secret: &[u8], now: Timestamp, body: &[u8]) -> Result<SignedHeaders, SignatureError> {
    let timestamp = now.as_micros().div_euclid(1_000_000).to_string();
    let mut signature = "v1=".to_owned();
    for byte in mac_of(secret, &timestamp, body)? {
        // Writing to a string has no way to fail.
        let _ = write!(signature, "{byte:02x}");
    }
    Ok(SignedHeaders {
        timestamp,
        signature,
    })
}

/// Checks what came with a body, as a receiver does. Signatures are compared in constant time.
///
/// # Errors
/// Why it is not to be trusted.
pub fn verify(
    secret: &[u8],
    headers: &SignedHeaders,
    body: &[u8],
    now: Timestamp,
    skew_seconds_max: u64,
) -> Result<(), SignatureError> {
    let digits = headers.timestamp.bytes().all(|byte| byte.is_ascii_digit());
    let seconds: i64 = headers
        .timestamp
        .parse()
        .map_err(|_| SignatureError::NoTimestamp)?;
    if !digits {
        return Err(SignatureError::NoTimestamp);
    }
    if seconds.abs_diff(now.as_micros().div_euclid(1_000_000)) > skew_seconds_max {
        return Err(SignatureError::Stale);
    }
    let expected = mac_of(secret, &headers.timestamp, body)?;
    let given = headers.signature.split(',').take(SIGNATURES_MAX);
    let matches = given
        .filter_map(|signature| unhex(signature.trim().strip_prefix("v1=")?))
        .fold(false, |found, mac| found | bool::from(mac.ct_eq(&expected)));
    if matches {
        Ok(())
    } else {
        Err(SignatureError::Mismatch)
    }
}

fn mac_of(secret: &[u8], timestamp: &str, body: &[u8]) -> Result<[u8; 32], SignatureError> {
    if secret.len() < SECRET_BYTES_MIN {
        return Err(SignatureError::WeakSecret);
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).map_err(|_| SignatureError::WeakSecret)?;
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    Ok(mac.finalize().into_bytes().into())
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let bytes = text.as_bytes();
    if bytes.len() != 64 {
        return None;
    }
    let mut mac = [0; 32];
    for (slot, pair) in mac.iter_mut().zip(bytes.chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).ok()?;
        if pair.starts_with('+') {
            return None;
        }
        *slot = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(mac)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::page_message::tests::hostile_page;

    const SECRET: &[u8] = b"0123456789abcdef";
    const NOW: Timestamp = Timestamp::from_millis(1_723_950_727_900);

    #[track_caller]
    fn check(
        change: impl FnOnce(&mut SignedHeaders, &mut Vec<u8>),
        now: Timestamp,
        expected: Result<(), SignatureError>,
    ) {
        let mut body = body(&hostile_page());
        let mut headers = sign(SECRET, NOW, &body).unwrap();
        change(&mut headers, &mut body);
        assert_eq!(verify(SECRET, &headers, &body, now, 300), expected);
    }

    #[test]
    fn a_signature_is_accepted_within_the_skew_and_only_then() {
        check(|_, _| {}, NOW, Ok(()));
        check(|_, _| {}, NOW.plus_ms(300_000), Ok(()));
        check(|_, _| {}, NOW.plus_ms(301_000), Err(SignatureError::Stale));
        check(|_, _| {}, NOW.minus_ms(302_000), Err(SignatureError::Stale));
    }

    #[test]
    fn any_change_on_the_way_is_noticed() {
        check(|_, body| body[10] ^= 1, NOW, Err(SignatureError::Mismatch));
        check(
            |headers, _| headers.timestamp = "1723950728".to_owned(),
            NOW,
            Err(SignatureError::Mismatch),
        );
        check(
            |headers, _| headers.timestamp = "+1723950727".to_owned(),
            NOW,
            Err(SignatureError::NoTimestamp),
        );
        check(
            |headers, _| headers.timestamp = String::new(),
            NOW,
            Err(SignatureError::NoTimestamp),
        );
        check(
            |headers, _| headers.signature = "v1=".to_owned(),
            NOW,
            Err(SignatureError::Mismatch),
        );
        check(
            |headers, _| headers.signature = headers.signature.replace("v1", "v0"),
            NOW,
            Err(SignatureError::Mismatch),
        );
    }

    #[test]
    fn during_a_change_of_secrets_one_matching_signature_is_enough() {
        check(
            |headers, _| headers.signature = format!("v1={},{}", "0".repeat(64), headers.signature),
            NOW,
            Ok(()),
        );
    }

    #[test]
    fn the_signature_is_the_plain_hmac_that_other_languages_compute() {
        // Computed with Python: hmac.new(b"0123456789abcdef", b"1723950727.{}", "sha256").hexdigest()
        let headers = sign(SECRET, NOW, b"{}").unwrap();
        assert_eq!(headers.timestamp, "1723950727");
        assert_eq!(
            headers.signature,
            "v1=ac248c0f6091cfdd2b262f29b7116226b3fc377971f6ce12a5bb48ce3bb5e5e2"
        );
    }

    #[test]
    fn a_short_secret_signs_nothing() {
        assert_eq!(sign(b"", NOW, b"{}"), Err(SignatureError::WeakSecret));
        assert_eq!(sign(b"short", NOW, b"{}"), Err(SignatureError::WeakSecret));
    }

    #[test]
    fn the_body_is_json_that_carries_every_field() {
        let json: serde_json::Value = serde_json::from_slice(&body(&hostile_page())).unwrap();
        assert_eq!(json["kind"], "page");
        assert_eq!(json["id"], "QNOTIFICATION1");
        assert_eq!(json["incident"]["number"], 7);
        assert_eq!(json["onset"]["at"], "2024-08-18T03:12:07.041Z");
        assert_eq!(json["onset"]["uncertainty_ms"], 1_000);
        assert_eq!(json["details"][0]["name"], "Last log <line>");
        assert_eq!(
            json["link"],
            "https://tocsin.example.org/ui/incidents/QABCDEFGHIJKLM"
        );
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic_or_passes(timestamp in "\\PC{0,20}", signature in "\\PC{0,80}") {
            let headers = SignedHeaders { timestamp, signature };
            let accepted = verify(SECRET, &headers, b"x", NOW, u64::MAX).is_ok();
            prop_assert!(!accepted);
        }
    }
}
