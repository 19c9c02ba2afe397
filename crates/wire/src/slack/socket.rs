//! Slack's Socket Mode: what comes through the socket, and how it is answered. It opens none.

use serde::Deserialize;
use serde_json::json;

use super::ACKNOWLEDGE;

/// Something that came through the socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// The socket is ready.
    Hello,
    /// It is about to be closed: open another one.
    Disconnect,
    /// Somebody pressed our button.
    Pressed {
        /// What is to be acknowledged to Slack.
        envelope: String,
        /// The member who pressed.
        member: String,
        /// The value of the button: the message's id.
        value: String,
        /// Where a word about it may be said.
        response_url: Option<String>,
    },
    /// Something that is only acknowledged to Slack.
    Other {
        /// What is to be acknowledged, if anything.
        envelope: Option<String>,
    },
}

#[derive(Deserialize)]
struct Frame {
    #[serde(rename = "type", default)]
    kind: String,
    envelope_id: Option<String>,
    payload: Option<Payload>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Payload {
    #[serde(rename = "type")]
    kind: String,
    user: Member,
    actions: Vec<Action>,
    response_url: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Member {
    id: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Action {
    action_id: String,
    value: String,
}

/// Reads what came; what cannot be read is nothing of ours.
#[must_use]
pub fn incoming(text: &str) -> Incoming {
    let Ok(frame) = serde_json::from_str::<Frame>(text) else {
        // The payload may have a form that we do not know; its envelope is to be acknowledged all the same.
        let envelope = serde_json::from_str::<serde_json::Value>(text)
            .ok()
            .and_then(|frame| frame["envelope_id"].as_str().map(str::to_owned));
        return Incoming::Other { envelope };
    };
    match (frame.kind.as_str(), frame.envelope_id, frame.payload) {
        ("hello", _, _) => Incoming::Hello,
        ("disconnect", _, _) => Incoming::Disconnect,
        ("interactive", Some(envelope), Some(payload)) if payload.kind == "block_actions" => {
            let mut actions = payload.actions.into_iter();
            match actions.find(|action| action.action_id == ACKNOWLEDGE) {
                Some(action) => Incoming::Pressed {
                    envelope,
                    member: payload.user.id,
                    value: action.value,
                    response_url: payload.response_url,
                },
                None => Incoming::Other {
                    envelope: Some(envelope),
                },
            }
        }
        (_, envelope, _) => Incoming::Other { envelope },
    }
}

/// What tells Slack that an envelope came.
#[must_use]
pub fn acknowledgement(envelope: &str) -> String {
    json!({"envelope_id": envelope}).to_string()
}

/// The body that says a word to who pressed the button, and to nobody else.
#[must_use]
pub fn word_to_presser(text: &str) -> Vec<u8> {
    let body = json!({
        "response_type": "ephemeral", "replace_original": false, "text": super::escape(text),
    });
    body.to_string().into_bytes()
}

#[derive(Deserialize)]
struct Opened {
    ok: bool,
    url: Option<String>,
}

/// The address of the socket in the answer of `apps.connections.open`.
#[must_use]
pub fn address(body: &[u8]) -> Option<String> {
    let opened: Opened = serde_json::from_slice(body).ok()?;
    opened.url.filter(|_| opened.ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pressed_button_tells_who_and_what() {
        let text = include_str!("testdata/block_actions.json");
        assert_eq!(
            incoming(text),
            Incoming::Pressed {
                envelope: "dbdd0ef3-1543-4f94-bfb4-133d0e6c1545".to_owned(),
                member: "U024BE7LH".to_owned(),
                value: "QNOTIFICATION1".to_owned(),
                response_url: Some("https://hooks.slack.com/actions/T0/1/x".to_owned()),
            }
        );
    }

    #[test]
    fn everything_else_is_at_most_acknowledged() {
        let other = |envelope: Option<&str>| Incoming::Other {
            envelope: envelope.map(str::to_owned),
        };
        let check = |text: &str, expected: Incoming| assert_eq!(incoming(text), expected, "{text}");
        check(
            r#"{"type":"hello","num_connections":1,"debug_info":{"host":"applink"}}"#,
            Incoming::Hello,
        );
        check(
            r#"{"type":"disconnect","reason":"refresh_requested"}"#,
            Incoming::Disconnect,
        );
        check(
            r#"{"type":"events_api","envelope_id":"e","payload":{"event":{}}}"#,
            other(Some("e")),
        );
        check(
            r#"{"type":"interactive","envelope_id":"e","payload":{"type":"block_actions","actions":[{"action_id":"x"}]}}"#,
            other(Some("e")),
        );
        check(
            r#"{"type":"interactive","envelope_id":"e","payload":{"type":"view_submission","user":7}}"#,
            other(Some("e")),
        );
        check("[]", other(None));
        check("", other(None));
    }

    #[test]
    fn the_socket_has_an_address_only_when_slack_says_ok() {
        assert_eq!(
            address(br#"{"ok":true,"url":"wss://wss.slack.com/link/?ticket=1"}"#).as_deref(),
            Some("wss://wss.slack.com/link/?ticket=1")
        );
        assert_eq!(address(br#"{"ok":false,"error":"invalid_auth"}"#), None);
        assert_eq!(acknowledgement("a\"b"), r#"{"envelope_id":"a\"b"}"#);
    }
}
