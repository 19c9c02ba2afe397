//! The same alert in the words of each front and of the native API: as many facts of it as the form has room for. Whom it is sent to
//! is not known here.

use serde_json::{Map, Value, json};

use super::leg::Request;

/// What every alert tells beside its key, its title, its place and its severity.
const DETAILS: [(&str, &str); 6] = [
    ("mount", "/var/lib/db"),
    ("used", "97 %"),
    ("cluster", "eu-1"),
    ("role", "database"),
    ("rack", "b17"),
    ("runbook", "https://runbooks.example.org/disk-full"),
];

/// A front that takes alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Front {
    EventsV2,
    EventsV1,
    Alertmanager,
    Grafana,
    Opsgenie,
    Webhook,
}

/// Whether it fails or is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Fails,
    Over,
}

/// One alert.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alert<'a> {
    pub(super) key: &'a str,
    pub(super) service: &'a str,
    /// The key of the integration that it comes by.
    pub(super) secret: &'a str,
    pub(super) said: Said,
}

impl Front {
    pub(super) const ALL: [Self; 6] = [
        Self::EventsV2,
        Self::EventsV1,
        Self::Alertmanager,
        Self::Grafana,
        Self::Opsgenie,
        Self::Webhook,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::EventsV2 => "PagerDuty Events v2",
            Self::EventsV1 => "PagerDuty Events v1",
            Self::Alertmanager => "Alertmanager v2",
            Self::Grafana => "Grafana's webhook",
            Self::Opsgenie => "Opsgenie",
            Self::Webhook => "mapped webhook",
        }
    }

    /// The integration to make for it.
    pub(super) fn integration(self) -> Value {
        match self {
            Self::EventsV2 | Self::EventsV1 => json!({"name": "bench", "kind": "events_v2"}),
            Self::Alertmanager => {
                json!({"name": "bench", "kind": "alertmanager", "service_label": "service"})
            }
            Self::Grafana => json!({"name": "bench", "kind": "grafana"}),
            Self::Opsgenie => json!({"name": "bench", "kind": "opsgenie"}),
            Self::Webhook => json!({"name": "bench", "kind": "webhook", "mapping": mapping()}),
        }
    }

    /// The status of what was accepted.
    pub(super) const fn accepted(self) -> u16 {
        match self {
            Self::EventsV1 | Self::Alertmanager => 200,
            Self::EventsV2 | Self::Grafana | Self::Opsgenie | Self::Webhook => 202,
        }
    }

    /// Whether an incident is over at once when its sender says so. That of labels waits: another sender may say otherwise.
    pub(super) const fn ends_at_once(self) -> bool {
        match self {
            Self::Alertmanager => false,
            Self::EventsV2 | Self::EventsV1 | Self::Grafana | Self::Opsgenie | Self::Webhook => {
                true
            }
        }
    }

    /// Whether its sender repeats everything when it is over.
    const fn ends_whole(self) -> bool {
        match self {
            Self::Grafana | Self::Webhook | Self::Alertmanager => true,
            Self::EventsV2 | Self::EventsV1 | Self::Opsgenie => false,
        }
    }

    pub(super) fn request(self, alert: &Alert<'_>) -> Request {
        let (path, body) = match self {
            Self::EventsV2 => ("/v2/enqueue".to_owned(), events_v2(alert)),
            Self::EventsV1 => {
                let path = "/generic/2010-04-15/create_event.json";
                (path.to_owned(), events_v1(alert))
            }
            Self::Alertmanager => ("/api/v2/alerts".to_owned(), alertmanager(alert)),
            Self::Grafana => ("/intake".to_owned(), grafana(alert)),
            Self::Opsgenie => opsgenie(alert),
            Self::Webhook => ("/intake".to_owned(), webhook(alert)),
        };
        post(path, &body)
    }

    /// The native call that tells as much as this front does.
    pub(super) fn native(self, alert: &Alert<'_>) -> Request {
        let (service, key) = (alert.service, alert.key);
        let action = alert.word("trigger", "resolve");
        let body = if alert.said == Said::Fails || self.ends_whole() {
            json!({"service_id": service, "dedup_key": key, "action": action, "summary": alert.title(),
                "severity": "critical", "source": alert.source(), "details": details()})
        } else {
            json!({"service_id": service, "dedup_key": key, "action": action})
        };
        post("/api/tocsin/v1/alerts".to_owned(), &body)
    }
}

impl Alert<'_> {
    fn title(&self) -> String {
        format!("disk {} of the database is nearly full", self.key)
    }

    fn source(&self) -> String {
        format!("{}.example.org", self.key)
    }

    const fn word(&self, fails: &'static str, over: &'static str) -> &'static str {
        match self.said {
            Said::Fails => fails,
            Said::Over => over,
        }
    }

    /// As labels, with those of the form.
    fn labels(&self, own: &[(&str, &str)]) -> Value {
        let mut labels = details();
        labels.insert("severity".to_owned(), "critical".into());
        labels.insert("instance".to_owned(), self.source().into());
        let own = own.iter();
        labels.extend(own.map(|(name, value)| ((*name).to_owned(), Value::from(*value))));
        Value::Object(labels)
    }
}

fn details() -> Map<String, Value> {
    let pairs = DETAILS.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), Value::from(*value)))
        .collect()
}

fn post(path: String, body: &Value) -> Request {
    Request {
        method: "POST",
        path,
        body: body.to_string(),
    }
}

fn events_v2(alert: &Alert<'_>) -> Value {
    let (secret, key) = (alert.secret, alert.key);
    match alert.said {
        Said::Fails => {
            let payload = json!({"summary": alert.title(), "source": alert.source(), "severity": "critical",
                "custom_details": details()});
            json!({"routing_key": secret, "event_action": "trigger", "dedup_key": key, "payload": payload})
        }
        Said::Over => json!({"routing_key": secret, "event_action": "resolve", "dedup_key": key}),
    }
}

/// It knows no severity: what comes by it is critical.
fn events_v1(alert: &Alert<'_>) -> Value {
    let (secret, key) = (alert.secret, alert.key);
    match alert.said {
        Said::Fails => {
            json!({"service_key": secret, "event_type": "trigger", "incident_key": key,
                "description": alert.title(), "client": alert.source(), "details": details()})
        }
        Said::Over => json!({"service_key": secret, "event_type": "resolve", "incident_key": key}),
    }
}

/// Its end is never said here, see [`Front::ends_at_once`].
fn alertmanager(alert: &Alert<'_>) -> Value {
    let labels = alert.labels(&[("alertname", alert.key), ("service", alert.service)]);
    json!([{"labels": labels, "annotations": {"summary": alert.title()}}])
}

fn grafana(alert: &Alert<'_>) -> Value {
    let status = alert.word("firing", "resolved");
    let one = json!({"status": status, "labels": alert.labels(&[]), "annotations": {"summary": alert.title()},
        "fingerprint": alert.key});
    json!({"status": status, "alerts": [one]})
}

fn opsgenie(alert: &Alert<'_>) -> (String, Value) {
    let key = alert.key;
    match alert.said {
        Said::Fails => {
            let body = json!({"message": alert.title(), "alias": key, "priority": "P1", "source": alert.source(),
                "details": details()});
            ("/v2/alerts".to_owned(), body)
        }
        Said::Over => {
            let path = format!("/v2/alerts/{key}/close?identifierType=alias");
            (path, json!({}))
        }
    }
}

fn webhook(alert: &Alert<'_>) -> Value {
    json!({"state": alert.word("bad", "ok"), "key": alert.key, "title": alert.title(), "source": alert.source(),
        "severity": "critical", "fields": details()})
}

/// What reads [`webhook`].
fn mapping() -> Value {
    json!({
        "action": {"from": "{{ .state }}", "map": {"ok": "resolve"}, "default": "trigger"},
        "dedup_key": "{{ .key }}",
        "title": "{{ .title }}",
        "summary": "on {{ .source }}",
        "severity": "{{ .severity }}",
        "details_from": [".fields"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(said: Said) -> Alert<'static> {
        Alert {
            key: "a03-0042",
            service: "QAAAAAAAAAAAAA",
            secret: "8fJ",
            said,
        }
    }

    #[test]
    fn every_front_is_told_the_same_facts_as_the_native_api() {
        let failing = alert(Said::Fails);
        let facts = [failing.key.to_owned(), failing.title(), failing.source()];
        for front in Front::ALL {
            for request in [front.request(&failing), front.native(&failing)] {
                let all = facts.iter().map(String::as_str);
                for fact in all.chain(DETAILS.iter().map(|(_, value)| *value)) {
                    assert!(request.body.contains(fact), "{front:?}: {}", request.body);
                }
            }
        }
    }

    #[test]
    fn what_is_over_tells_no_more_than_the_native_call_beside_it() {
        let over = alert(Said::Over);
        for front in Front::ALL.into_iter().filter(|front| front.ends_at_once()) {
            let (foreign, native) = (front.request(&over), front.native(&over));
            let is_whole = |request: &Request| request.body.contains("/var/lib/db");
            assert_eq!(is_whole(&foreign), is_whole(&native), "{front:?}");
            let told = format!("{} {}", foreign.path, foreign.body);
            assert!(told.contains(over.key), "{front:?}: {told}");
        }
    }
}
