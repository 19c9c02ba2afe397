//! Web push: a browser's subscription, what is pushed, and the framing and keys of its encryption (RFC 8291, RFC 8188) and of
//! our own proof (RFC 8292). Curves and ciphers are the sender's; it sends nothing.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde_json::json;
use sha2::Sha256;

use crate::base64url;
use crate::page_message::{Kind, PageMessage, Urgency, web_address};

/// Bytes of an uncompressed point of P-256.
pub const POINT_BYTES: usize = 65;
/// Bytes of a subscription's secret.
pub const AUTH_BYTES: usize = 16;
/// Bytes of a salt.
pub const SALT_BYTES: usize = 16;
/// Bytes of the text before encryption; push services take 4096 with everything around it.
const PAYLOAD_BYTES_MAX: usize = 3_000;
/// Bytes of a subscription.
const SUBSCRIPTION_BYTES_MAX: usize = 4_000;
/// The record size that is told; there is one record.
const RECORD_BYTES: u32 = 4_096;

/// Where a browser is to be pushed to, and by which keys.
#[derive(Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The push service's address for this browser; whoever knows it can push, though not read.
    pub endpoint: String,
    /// The browser's public key.
    pub public_key: [u8; POINT_BYTES],
    /// The browser's secret.
    pub auth: [u8; AUTH_BYTES],
}

impl fmt::Debug for Subscription {
    /// Without the address and the secret, by which the browser is reached.
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Subscription").finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct SubscriptionBody {
    endpoint: String,
    keys: Keys,
}

#[derive(Deserialize)]
struct Keys {
    p256dh: String,
    auth: String,
}

impl Subscription {
    /// Reads what a browser's `PushSubscription.toJSON()` gives.
    ///
    /// # Errors
    /// Why it is none, for who sent it.
    pub fn read(text: &str) -> Result<Self, String> {
        if text.len() > SUBSCRIPTION_BYTES_MAX {
            return Err(format!("at most {SUBSCRIPTION_BYTES_MAX} bytes"));
        }
        let body: SubscriptionBody = serde_json::from_str(text)
            .map_err(|_| "not the JSON of a browser's push subscription".to_owned())?;
        let endpoint = web_address(&body.endpoint)
            .filter(|endpoint| endpoint.len() > 8)
            .ok_or("endpoint: not an address of the web")?;
        let public_key = base64url::decode(&body.keys.p256dh, POINT_BYTES)
            .and_then(|bytes| <[u8; POINT_BYTES]>::try_from(bytes).ok())
            .filter(|bytes| bytes[0] == 4)
            .ok_or("keys.p256dh: not an uncompressed point of P-256 in base64url")?;
        let auth = base64url::decode(&body.keys.auth, AUTH_BYTES)
            .and_then(|bytes| <[u8; AUTH_BYTES]>::try_from(bytes).ok())
            .ok_or("keys.auth: not 16 bytes in base64url")?;
        Ok(Self {
            endpoint: endpoint.to_owned(),
            public_key,
            auth,
        })
    }

    /// The same as text, without what was beside it.
    #[must_use]
    pub fn text(&self) -> String {
        json!({
            "endpoint": self.endpoint,
            "keys": {
                "p256dh": base64url::encode(&self.public_key),
                "auth": base64url::encode(&self.auth),
            },
        })
        .to_string()
    }
}

/// What the browser's side is given to show. It is JSON, and the browser shows it as text.
#[must_use]
pub fn payload(message: &PageMessage) -> Vec<u8> {
    let mut body = String::new();
    for (name, value) in message.facts() {
        let line = format!("{name}: {value}\n");
        if body.len() + line.len() > PAYLOAD_BYTES_MAX / 4 {
            break;
        }
        body.push_str(&line);
    }
    let mut payload = json!({
        "version": 1,
        "kind": message.kind.word(),
        "id": message.idempotency_key,
        "title": message.headline_within(200),
        "body": body.trim_end(),
        "urgency": message.urgency.word(),
        "link": web_address(&message.link).filter(|link| link.len() < 500),
        "answer_link": message.answer_link.as_deref().and_then(web_address).filter(|link| link.len() < 500),
        // What is told again about an incident takes the place of what was told before.
        "tag": if message.incident_id.is_empty() { &message.idempotency_key } else { &message.incident_id },
    });
    let mut bytes = payload.to_string().into_bytes();
    if bytes.len() > PAYLOAD_BYTES_MAX {
        // Text that needs many escapes.
        payload["body"] = json!("");
        bytes = payload.to_string().into_bytes();
    }
    bytes
}

/// How soon a push service is to wake a device that sleeps (RFC 8030, section 5.3).
#[must_use]
pub const fn urgency(message: &PageMessage) -> &'static str {
    match (message.kind, message.urgency) {
        (Kind::Page | Kind::Test | Kind::Verification, Urgency::High) => "high",
        (Kind::Page | Kind::Test | Kind::Verification, Urgency::Low)
        | (Kind::Resolved | Kind::Acknowledged | Kind::Handoff, _) => "normal",
    }
}

/// Key and nonce of the one record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RecordKeys {
    /// For AES-128-GCM.
    pub key: [u8; 16],
    /// For this record alone.
    pub nonce: [u8; 12],
}

impl fmt::Debug for RecordKeys {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("RecordKeys").finish_non_exhaustive()
    }
}

/// Derives key and nonce from what both sides share.
#[must_use]
pub fn record_keys(
    shared: &[u8],
    subscription: &Subscription,
    sender: &[u8; POINT_BYTES],
    salt: &[u8; SALT_BYTES],
) -> RecordKeys {
    let mut info = b"WebPush: info\0".to_vec();
    info.extend_from_slice(&subscription.public_key);
    info.extend_from_slice(sender);
    let input = expand(&mac(&subscription.auth, &[shared]), &info);
    let derived = mac(salt, &[&input]);
    let (mut key, mut nonce) = ([0; 16], [0; 12]);
    key.copy_from_slice(&expand(&derived, b"Content-Encoding: aes128gcm\0")[..16]);
    nonce.copy_from_slice(&expand(&derived, b"Content-Encoding: nonce\0")[..12]);
    RecordKeys { key, nonce }
}

/// HKDF-Expand (RFC 5869) for at most 32 bytes.
fn expand(key: &[u8; 32], info: &[u8]) -> [u8; 32] {
    mac(key, &[info, &[1]])
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return [0; 32];
    };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// The text of the last record: what is pushed, and the mark that nothing follows.
#[must_use]
pub fn record(payload: &[u8]) -> Vec<u8> {
    let mut record = payload.to_vec();
    record.push(2);
    record
}

/// What stands before the encrypted record.
#[must_use]
pub fn header(sender: &[u8; POINT_BYTES], salt: &[u8; SALT_BYTES]) -> Vec<u8> {
    let mut header = salt.to_vec();
    header.extend_from_slice(&RECORD_BYTES.to_be_bytes());
    header.push(65);
    header.extend_from_slice(sender);
    header
}

/// What is to be signed to prove who pushes, for the push service at `endpoint` until `expires_s`; none when the endpoint has
/// no origin.
#[must_use]
pub fn proof(endpoint: &str, expires_s: i64, subject: &str) -> Option<String> {
    let (scheme, rest) = endpoint.split_once("://")?;
    let host = rest
        .split(['/', '?', '#'])
        .next()
        .filter(|host| !host.is_empty())?;
    let head = json!({"typ": "JWT", "alg": "ES256"}).to_string();
    let claims = json!({"aud": format!("{scheme}://{host}"), "exp": expires_s, "sub": subject});
    Some(format!(
        "{}.{}",
        base64url::encode(head.as_bytes()),
        base64url::encode(claims.to_string().as_bytes())
    ))
}

/// The value of the `Authorization` header.
#[must_use]
pub fn authorization(proof: &str, signature: &[u8], public_key: &[u8]) -> String {
    format!(
        "vapid t={proof}.{}, k={}",
        base64url::encode(signature),
        base64url::encode(public_key)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page_message::tests::hostile_page;

    /// RFC 8291, appendix A.
    const UA_PUBLIC: &str =
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const AS_PUBLIC: &str =
        "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8";
    const SALT: &str = "DGv6ra1nlYgDCS1FRnbzlw";

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        base64url::decode(text, N).unwrap().try_into().unwrap()
    }

    fn subscription() -> Subscription {
        let text = format!(
            r#"{{"endpoint":"https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV","expirationTime":null,
                "keys":{{"p256dh":"{UA_PUBLIC}","auth":"BTBZMqHH6r4Tts7J_aSIgg"}}}}"#
        );
        Subscription::read(&text).unwrap()
    }

    #[test]
    fn keys_and_header_are_those_of_the_standard() {
        let shared: [u8; 32] = bytes("kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs");
        let (sender, salt) = (bytes(AS_PUBLIC), bytes(SALT));
        let keys = record_keys(&shared, &subscription(), &sender, &salt);
        assert_eq!(keys.key, bytes("oIhVW04MRdy2XN9CiKLxTg"));
        assert_eq!(keys.nonce, bytes("4h_95klXJ5E_qnoN"));
        assert_eq!(
            base64url::encode(&header(&sender, &salt)),
            format!("{SALT}AAEABB{}", &AS_PUBLIC)
        );
        assert_eq!(record(b"x"), b"x\x02");
    }

    #[test]
    fn a_subscription_is_read_written_and_read_again() {
        let known = subscription();
        assert_eq!(Subscription::read(&known.text()), Ok(known));
        for text in [
            "",
            "{}",
            r#"{"endpoint":"file:///x","keys":{"p256dh":"","auth":""}}"#,
            r#"{"endpoint":"https://push.example.net/x","keys":{"p256dh":"AAAA","auth":"BTBZMqHH6r4Tts7J_aSIgg"}}"#,
        ] {
            assert!(Subscription::read(text).is_err(), "{text}");
        }
        let compressed = subscription()
            .text()
            .replace(UA_PUBLIC, &format!("A{}", &UA_PUBLIC[1..]));
        assert!(Subscription::read(&compressed).is_err());
    }

    #[test]
    fn what_is_pushed_fits_into_one_record() {
        let mut page = hostile_page();
        page.details = vec![("\"\\".repeat(200), "\u{7f}\"".repeat(499)); 32];
        page.title = "\"".repeat(5_000);
        let payload = payload(&page);
        assert!(payload.len() <= PAYLOAD_BYTES_MAX, "{}", payload.len());
        let json: serde_json::Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(json["tag"], "QABCDEFGHIJKLM");
        assert_eq!(urgency(&page), "high");
    }

    #[test]
    fn the_proof_is_for_the_origin_of_the_push_service() {
        let text = proof(
            "https://push.example.net:8443/a/b?c",
            1_453_523_768,
            "mailto:push@example.com",
        )
        .unwrap();
        let (head, claims) = text.split_once('.').unwrap();
        let read = |part: &str| -> serde_json::Value {
            serde_json::from_slice(&base64url::decode(part, 500).unwrap()).unwrap()
        };
        assert_eq!(read(head), json!({"typ": "JWT", "alg": "ES256"}));
        assert_eq!(
            read(claims),
            json!({"aud": "https://push.example.net:8443", "exp": 1_453_523_768, "sub": "mailto:push@example.com"})
        );
        assert_eq!(proof("no", 1, "x"), None);
        assert_eq!(authorization("a.b", &[0xff], &[4]), "vapid t=a.b._w, k=BA");
    }
}
