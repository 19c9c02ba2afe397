//! An alert as Opsgenie's clients read it back. Nothing is told that Tocsin does not know: what it has no counterpart of is null, and
//! what was not said is empty. It does not know how the alert was found.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tocsin_domain::alert::Alert;
use tocsin_domain::id::{PolicyId, TeamId, UserId};
use tocsin_domain::intake::form;
use tocsin_domain::monitor::Severity;
use tocsin_domain::service::Integration;
use tocsin_domain::time::Timestamp;

use super::{PRIORITIES, property_name};

/// What Opsgenie calls an integration by whose key its API is asked.
const INTEGRATION_TYPE: &str = "API";

/// Who is asked to take an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Responder {
    /// The people of a team.
    Team(TeamId),
    /// Whoever an escalation policy names.
    Escalation(PolicyId),
    /// A person.
    User(UserId),
}

impl Responder {
    fn told(&self) -> Value {
        let (kind, id) = match self {
            Self::Team(id) => ("team", id.as_str()),
            Self::Escalation(id) => ("escalation", id.as_str()),
            Self::User(id) => ("user", id.as_str()),
        };
        json!({"type": kind, "id": id})
    }
}

/// Where the incident of an alert stands, as far as that is told of the alert.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Whether somebody has taken it.
    pub is_acknowledged: bool,
    /// Until when whoever took it is left in peace.
    pub snoozed_until: Option<Timestamp>,
    /// The name of who has it; empty when that is nobody in particular.
    pub owner: String,
    /// Who was asked to take it.
    pub responders: Vec<Responder>,
}

/// The body that shows an alert to the integration that sent it.
#[must_use]
pub fn shown(
    alert: &Alert,
    standing: &Standing,
    integration: &Integration,
    request_id: &str,
    took_s: f64,
) -> Value {
    let sent = Sent::of(&alert.details);
    let said_at = alert.heard_at.unwrap_or(alert.opened_at);
    let status = if alert.is_firing() { "open" } else { "closed" };
    let responders: Vec<Value> = standing.responders.iter().map(Responder::told).collect();
    let mut data = json!({
        "id": alert.id.as_str(),
        "tinyId": null,
        "alias": alert.dedup_key,
        "message": alert.title,
        "status": status,
        "acknowledged": standing.is_acknowledged,
        "isSeen": null,
        "tags": sent.list(form::TAGS),
        "snoozed": standing.snoozed_until.is_some(),
        "count": alert.repeats.saturating_add(1),
        "lastOccurredAt": said_at.to_rfc3339(),
        "createdAt": alert.opened_at.to_rfc3339(),
        "updatedAt": alert.recovered_at.unwrap_or(said_at).to_rfc3339(),
        "source": sent.field(form::SOURCE),
        "owner": standing.owner,
        "priority": priority(alert.severity, sent.field(form::PRIORITY)),
        "responders": responders,
        "actions": sent.list(form::ACTIONS),
        "entity": sent.field(form::ENTITY),
        "description": alert.summary,
    });
    data["integration"] = json!({
        "id": integration.id.as_str(),
        "name": integration.name,
        "type": INTEGRATION_TYPE,
    });
    data["details"] = Value::Object(sent.properties);
    if let Some(until) = standing.snoozed_until {
        data["snoozedUntil"] = until.to_rfc3339().into();
    }
    json!({"data": data, "took": took_s, "requestId": request_id})
}

/// The priority that was sent, as long as it stands for how bad the alert is: another request, or a rule, may have made it worse.
/// Else the first one that does.
fn priority(severity: Severity, sent: &str) -> Option<&'static str> {
    let fitting = PRIORITIES.iter().filter(|(_, known)| *known == severity);
    let mut words = fitting.map(|(word, _)| *word);
    let first = words.next()?;
    let is_sent = |word: &&str| word.eq_ignore_ascii_case(sent.trim());
    let mut all = std::iter::once(first).chain(words);
    Some(all.find(is_sent).unwrap_or(first))
}

/// What a request said beside what fails, out of the details that became of it: they begin with its other fields, each once at
/// most, and go on with its properties, of which none is kept under the name of a field. (Of alerts of an older Tocsin some are, and are
/// told from fields as far as they stand behind others.)
struct Sent<'a> {
    fields: BTreeMap<&'a str, &'a str>,
    properties: Map<String, Value>,
}

impl<'a> Sent<'a> {
    fn of(details: &'a [(String, String)]) -> Self {
        let mut sent = Self {
            fields: BTreeMap::new(),
            properties: Map::new(),
        };
        for (name, text) in details {
            let (name, text) = (name.as_str(), text.as_str());
            let is_known = form::REQUEST.contains(&name) && !sent.fields.contains_key(name);
            if is_known && sent.properties.is_empty() {
                sent.fields.insert(name, text);
            } else {
                let name = property_name(name);
                sent.properties.insert(name.to_owned(), text.into());
            }
        }
        sent
    }

    fn field(&self, name: &str) -> &'a str {
        self.fields.get(name).copied().unwrap_or_default()
    }

    /// What is several, which the mapping joins.
    fn list(&self, name: &str) -> Vec<&'a str> {
        let all = self.field(name).split(", ");
        all.filter(|one| !one.is_empty()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::opsgenie::{Field, Update, create, update};

    const TEAM: &str = "QAAAAAAAAAAAAT";

    /// The alert that a request makes.
    fn alert_of(request: &Value) -> Alert {
        let made = create(request.to_string().as_bytes()).unwrap();
        serde_json::from_value(json!({
            "id": "QAAAAAAAAAAAAB", "incident": "QAAAAAAAAAAAAC", "service": "QAAAAAAAAAAAAD", "target": null,
            "dedup_key": made.dedup_key, "source": {"kind": "events_v2", "integration": "QAAAAAAAAAAAAE"},
            "severity": made.severity, "title": made.title, "summary": made.summary, "details": made.details,
            "opened_at": Timestamp::from_millis(0), "recovered_at": null, "onset": null, "evidence": [], "repeats": 0,
        }))
        .unwrap()
    }

    fn data_of(alert: &Alert, standing: &Standing) -> Value {
        let integration = serde_json::from_value(json!({
            "id": "QAAAAAAAAAAAAE", "service": "QAAAAAAAAAAAAD", "name": "Zabbix", "key_hash": "",
        }));
        let body = shown(alert, standing, &integration.unwrap(), "id", 0.5);
        assert_eq!(
            (&body["requestId"], &body["took"]),
            (&json!("id"), &json!(0.5))
        );
        body["data"].clone()
    }

    #[test]
    fn an_alert_is_shown_as_it_was_sent() {
        let mut alert = alert_of(&json!({
            "message": "Disk full", "alias": "db1", "description": "of db1", "priority": "P2", "source": "Zabbix", "user": "me",
            "tags": ["disk", "two words"], "entity": "db1.example", "note": "first", "details": {"Rack": "7", "Tags": "own"},
            "actions": ["Restart", "Page me"], "responders": [{"type": "team", "name": "DBA"}], "visibleTo": [{"type": "team", "id": "7"}],
        }));
        let standing = Standing {
            is_acknowledged: true,
            snoozed_until: Some(Timestamp::from_millis(60_000)),
            owner: "Ada".to_owned(),
            responders: vec![Responder::Team(TEAM.parse().unwrap())],
        };
        let expected = json!({
            "id": "QAAAAAAAAAAAAB", "tinyId": null, "alias": "db1", "message": "Disk full", "status": "open", "acknowledged": true,
            "isSeen": null, "tags": ["disk", "two words"], "snoozed": true, "snoozedUntil": "1970-01-01T00:01:00.000Z", "count": 1,
            "lastOccurredAt": "1970-01-01T00:00:00.000Z", "createdAt": "1970-01-01T00:00:00.000Z",
            "updatedAt": "1970-01-01T00:00:00.000Z", "source": "Zabbix", "owner": "Ada", "priority": "P2",
            "responders": [{"type": "team", "id": TEAM}], "integration": {"id": "QAAAAAAAAAAAAE", "name": "Zabbix", "type": "API"},
            "actions": ["Restart", "Page me"], "entity": "db1.example", "description": "of db1",
            "details": {"Rack": "7", "Tags": "own"},
        });
        assert_eq!(data_of(&alert, &standing), expected);
        alert.repeats = 2;
        alert.heard_at = Some(Timestamp::from_millis(1_000));
        alert.recovered_at = Some(Timestamp::from_millis(2_000));
        let data = data_of(&alert, &Standing::default());
        assert_eq!(
            (&data["status"], &data["count"]),
            (&json!("closed"), &json!(3))
        );
        assert_eq!(data["lastOccurredAt"], "1970-01-01T00:00:01.000Z");
        assert_eq!(data["updatedAt"], "1970-01-01T00:00:02.000Z");
    }

    #[test]
    fn what_was_not_said_is_empty_and_nothing_is_made_up() {
        let data = data_of(
            &alert_of(&json!({"message": "Disk full"})),
            &Standing::default(),
        );
        for name in ["source", "owner", "entity", "description"] {
            assert_eq!(data[name], "", "{name}");
        }
        for name in ["tags", "responders", "actions"] {
            assert_eq!(data[name], json!([]), "{name}");
        }
        assert_eq!(
            (&data["details"], &data["snoozed"]),
            (&json!({}), &json!(false))
        );
        assert_eq!(data.get("snoozedUntil"), None);
    }

    #[test]
    fn a_property_of_the_name_of_a_field_is_read_back_as_that_property_wherever_it_stands() {
        for properties in [
            json!({"Source": "2"}),
            json!({"Entity": "1", "Priority": "P1", "Tags": "own", "User": "me", "Note": "n"}),
            json!({"A": "1", "Source": "2", "Tags": "3"}),
            json!({"Responders": "team DBA", "Actions": "Restart, Wait", "responders": "x"}),
            json!({"details.Source": "1", "Source": "2", "details.details.Source": "3", "details.A": "4"}),
        ] {
            let request = json!({"message": "m", "details": properties});
            let data = data_of(&alert_of(&request), &Standing::default());
            assert_eq!(data["details"], properties);
            let fields = (&data["entity"], &data["source"], &data["tags"]);
            assert_eq!(fields, (&json!(""), &json!(""), &json!([])), "{properties}");
            assert_eq!(data["actions"], json!([]), "{properties}");
            assert_eq!(data["priority"], "P3", "{properties}");
            let all = json!({"message": "m", "entity": "e", "source": "s", "tags": ["t"], "details": properties});
            let data = data_of(&alert_of(&all), &Standing::default());
            assert_eq!(data["details"], properties);
            let fields = (&data["entity"], &data["source"], &data["tags"]);
            assert_eq!(fields, (&json!("e"), &json!("s"), &json!(["t"])));
        }
    }

    #[test]
    fn an_alert_of_an_older_tocsin_is_read_back_as_before() {
        let mut alert = alert_of(&json!({"message": "m", "entity": "e"}));
        let detail = |(name, text): (&str, &str)| (name.to_owned(), text.to_owned());
        let kept = [("Entity", "e"), ("A", "1"), ("Source", "2")].map(detail);
        alert.details = kept.into();
        let data = data_of(&alert, &Standing::default());
        assert_eq!(data["details"], json!({"A": "1", "Source": "2"}));
        assert_eq!(
            (&data["entity"], &data["source"]),
            (&json!("e"), &json!(""))
        );
    }

    #[test]
    fn a_priority_is_told_as_it_was_sent_until_the_alert_is_worse() {
        for (word, severity) in PRIORITIES {
            let body = json!({"priority": word}).to_string();
            let read = update(Field::Priority, body.as_bytes());
            assert_eq!(read, Ok(Update::Priority(severity)), "{word}");
            assert_eq!(priority(severity, word), Some(word));
            let small = word.to_lowercase();
            assert_eq!(priority(severity, &small), Some(word));
        }
        for (severity, expected) in [
            (Severity::Critical, "P1"),
            (Severity::Error, "P3"),
            (Severity::Warning, "P4"),
            (Severity::Info, "P5"),
        ] {
            for sent in ["", "urgent"] {
                assert_eq!(priority(severity, sent), Some(expected), "{sent}");
            }
        }
        assert_eq!(priority(Severity::Critical, "P4"), Some("P1"));
    }
}
