//! Webhooks v3 as PagerDuty sends them: the body, its id and its signature. It sends nothing and knows no state.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tocsin_domain::time::Timestamp;

use super::rest::id;

/// Header with `v1=` and the hexadecimal HMAC-SHA256 of the body.
pub const SIGNATURE_HEADER: &str = "X-PagerDuty-Signature";
/// Header with the id of the event, which is the same at each attempt.
pub const ID_HEADER: &str = "X-Webhook-Id";
/// Header with the id of the subscription.
pub const SUBSCRIPTION_HEADER: &str = "X-Webhook-Subscription";
/// The name by which the sender is known to receivers.
pub const USER_AGENT: &str = "PagerDuty-Webhook/V3.0";
/// Bytes of a body at most; what is larger is not sent.
pub const BODY_BYTES_MAX: usize = 256 * 1_024;

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its id.
    pub id: String,
    /// What: `incident.triggered`.
    pub event_type: &'static str,
    /// To what kind of thing.
    pub resource_type: &'static str,
    /// When.
    pub occurred_at: Timestamp,
    /// A reference to whoever did it.
    pub agent: Option<Value>,
    /// The thing itself.
    pub data: Value,
}

impl Event {
    /// What is sent to try a subscription.
    #[must_use]
    pub fn ping(id: String, now: Timestamp) -> Self {
        Self {
            id,
            event_type: "pagey.ping",
            resource_type: "pagey",
            occurred_at: now,
            agent: None,
            data: json!({"type": "ping", "message": "Hello from Tocsin"}),
        }
    }

    /// The body that tells it.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        let event = json!({
            "id": self.id,
            "event_type": self.event_type,
            "resource_type": self.resource_type,
            "occurred_at": self.occurred_at.to_rfc3339(),
            "agent": self.agent,
            "client": null,
            "data": self.data,
        });
        json!({ "event": event }).to_string().into_bytes()
    }
}

/// The id of what is told of the event at a place of the journal; of one event several things may be told, counted from 0.
#[must_use]
pub fn event_id(position: u64, part: usize) -> String {
    format!("{}{part:012}", id::of_position(position))
}

/// What goes into [`SIGNATURE_HEADER`].
#[must_use]
pub fn signature(secret: &[u8], body: &[u8]) -> String {
    let mut text = "v1=".to_owned();
    // HMAC takes secrets of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else {
        return text;
    };
    mac.update(body);
    for byte in mac.finalize().into_bytes() {
        // Writing to a string has no way to fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_signed_as_receivers_check_it() {
        // RFC 4231, test case 2.
        assert_eq!(
            signature(b"Jefe", b"what do ya want for nothing?"),
            "v1=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn an_event_is_told_in_the_form_that_receivers_read() {
        let ping = Event::ping(event_id(1, 2), Timestamp::from_millis(1_723_950_727_900));
        let body: Value = serde_json::from_slice(&ping.body()).unwrap();
        let event = &body["event"];
        assert_eq!(event["id"], "PAAAAAAAAAAAAB000000000002");
        assert_eq!(event["event_type"], "pagey.ping");
        assert_eq!(event["occurred_at"], "2024-08-18T03:12:07.900Z");
        assert_eq!(event["data"]["type"], "ping");
        assert!(event["agent"].is_null() && event["client"].is_null());
    }

    #[test]
    fn no_two_events_have_one_id() {
        let ids = [event_id(1, 0), event_id(1, 1), event_id(2, 0)];
        assert!(ids.iter().all(|id| id.len() == 26));
        assert!(ids[0] != ids[1] && ids[0] != ids[2] && ids[1] != ids[2]);
    }
}
