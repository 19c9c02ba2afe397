//! `tocsin alert send`: an alert raised, acknowledged or resolved from a script.

use clap::{Args, Subcommand, ValueEnum};
use serde::Deserialize;
use serde_json::{Value, json};

use super::api::Api;
use super::failure::Failure;
use super::look::Look;
use super::plain::Plain;
use super::screen::Screen;
use super::service;

/// What can be done with alerts.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Verb {
    /// Raise an alert, or say more about one by its key
    Send(Send),
}

/// An alert.
#[derive(Clone, Debug, Args)]
pub(crate) struct Send {
    /// What fails, in one line; needed to trigger
    #[arg(long)]
    summary: Option<String>,
    /// How bad it is; critical and error page somebody
    #[arg(long, value_enum, default_value_t = Severity::Error)]
    severity: Severity,
    /// What says so; without it, the name of this machine
    #[arg(long)]
    source: Option<String>,
    /// What is said about it
    #[arg(long, value_enum, default_value_t = Action::Trigger)]
    action: Action,
    /// Alerts with the same key are one; without it a new key is made and printed
    #[arg(long, value_name = "KEY", required_if_eq_any([("action", "acknowledge"), ("action", "resolve")]))]
    dedup_key: Option<String>,
    /// What fails, by name or id of a service
    #[arg(long)]
    service: Option<String>,
    /// More about it: a JSON object
    #[arg(long, value_name = "JSON", value_parser = details)]
    details: Option<Value>,
}

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Severity {
    /// Hurts now
    Critical,
    /// Hurts some
    Error,
    /// Will hurt if nothing is done
    Warning,
    /// Worth knowing
    Info,
}

/// What is said about an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Action {
    /// It fails
    Trigger,
    /// Somebody has it
    Acknowledge,
    /// It is over
    Resolve,
}

#[derive(Deserialize)]
struct Taken {
    dedup_key: Plain,
    #[serde(default)]
    incident_id: Option<Plain>,
}

fn details(text: &str) -> Result<Value, String> {
    let value: Value =
        serde_json::from_str(text).map_err(|error| format!("this is not JSON: {error}"))?;
    if value.is_object() {
        Ok(value)
    } else {
        Err("expected a JSON object such as {\"disk\":\"/var\"}".to_owned())
    }
}

fn body(send: &Send, service: Option<&Plain>) -> Value {
    let severity = match send.severity {
        Severity::Critical => "critical",
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    };
    let action = match send.action {
        Action::Trigger => "trigger",
        Action::Acknowledge => "acknowledge",
        Action::Resolve => "resolve",
    };
    let mut body = json!({ "action": action });
    if send.action == Action::Trigger {
        body["severity"] = json!(severity);
        body["source"] = json!(send.source.clone().unwrap_or_else(machine));
    }
    let optional = [
        (
            "summary",
            send.summary.as_ref().map(|summary| json!(summary)),
        ),
        ("dedup_key", send.dedup_key.as_ref().map(|key| json!(key))),
        ("service_id", service.map(|service| json!(service.as_str()))),
        ("details", send.details.clone()),
    ];
    for (key, value) in optional {
        if let Some(value) = value {
            body[key] = value;
        }
    }
    body
}

/// The name of this machine, as the kernel has it.
fn machine() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() {
        "unnamed machine".to_owned()
    } else {
        name.to_owned()
    }
}

pub(super) fn run(verb: &Verb, api: &Api, screen: &Screen) -> Result<(), Failure> {
    let Verb::Send(send) = verb;
    if send.action == Action::Trigger && send.summary.is_none() {
        return Err(Failure::Usage("say what fails, by --summary".to_owned()));
    }
    let service = send
        .service
        .as_ref()
        .map(|given| service::named(api, given))
        .transpose()?;
    let answer = api.post(&["alerts"], &body(send, service.as_ref()))?;
    screen.show(&answer, |taken: &Taken, _: &Look| {
        let incident = taken
            .incident_id
            .as_ref()
            .map(|id| format!(", incident {id}"))
            .unwrap_or_default();
        format!("Taken: key {}{incident}", taken.dedup_key)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_has_what_was_given_and_nothing_else() {
        let send = Send {
            summary: Some("disk full".to_owned()),
            severity: Severity::Critical,
            source: Some("db-01".to_owned()),
            action: Action::Trigger,
            dedup_key: None,
            service: None,
            details: None,
        };
        let expected = json!({"action":"trigger","summary":"disk full","severity":"critical","source":"db-01"});
        assert_eq!(body(&send, None), expected);
        let send = Send {
            dedup_key: Some("k".to_owned()),
            details: Some(json!({"free": 0})),
            ..send
        };
        let given = body(&send, Some(&Plain::new("QS")));
        assert_eq!(
            (
                &given["dedup_key"],
                &given["service_id"],
                &given["details"]["free"]
            ),
            (&json!("k"), &json!("QS"), &json!(0))
        );
    }

    #[test]
    fn a_resolve_needs_the_key_alone() {
        let send = Send {
            summary: None,
            severity: Severity::Error,
            source: None,
            action: Action::Resolve,
            dedup_key: Some("k".to_owned()),
            service: None,
            details: None,
        };
        assert_eq!(
            body(&send, None),
            json!({"action":"resolve","dedup_key":"k"})
        );
    }

    #[test]
    fn details_must_be_an_object() {
        assert!(details("{\"a\":1}").is_ok());
        assert!(details("[1]").is_err());
        assert!(details("a=1").is_err());
    }
}
