//! What was told by the triggers among log entries: the words and the fields of each, in its channel. Where it was told before, it is
//! looked for in the journal, no further than is well for one answer.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use serde_json::{Value, json};
use tocsin_domain::alert::{Alert, SentDetails};
use tocsin_domain::event::{AlertEvent, Event, EventBody, IncidentWhat};
use tocsin_domain::id::{AlertId, IncidentId};
use tocsin_wire::pagerduty::rest::id;

use super::asked::Asked;
use super::carried::told_as_sent;
use super::log_life::Lives;
use super::log_shape::TRIGGER;
use super::reply::Refused;
use crate::ports::{EventLog, StorageError};

/// The word of `include[]` for what triggers told.
pub(super) const CHANNELS: &str = "channels";

impl Asked {
    /// Puts what was told by each trigger among these entries into its channel, where `include[]` names channels.
    pub(super) async fn channels(&self, entries: &mut [Value]) -> Result<(), Refused> {
        if !self.parameters.includes(CHANNELS) {
            return Ok(());
        }
        let wanted: BTreeSet<u64> = entries.iter().filter_map(trigger).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let app = self.app.clone();
        let read = self.app.blocking(move |parts| {
            let opened = |incident: IncidentId| {
                app.read(|state| {
                    let known = state.incidents.get(&incident);
                    known.and_then(|known| known.opened_event).unwrap_or(0)
                })
            };
            Said::by(parts.events.as_ref(), &wanted, opened)
        });
        let said = read.await?;
        for entry in entries {
            if let Some(position) = trigger(entry) {
                fill(&mut entry["channel"], said.get(&position));
            }
        }
        Ok(())
    }
}

/// The place of the event that an entry tells, if it is a trigger.
fn trigger(entry: &Value) -> Option<u64> {
    let id = entry["id"].as_str().filter(|_| entry["type"] == TRIGGER)?;
    id::position_of(id)
}

fn fill(channel: &mut Value, said: Option<&Said>) {
    if let Some(said) = said {
        channel["summary"] = json!(said.title);
        channel["subject"] = json!(said.title);
    }
    let details = said.and_then(|said| said.details.as_ref());
    channel["details"] = json!(details);
    channel["details_omitted"] = json!(details.is_none());
}

/// What was told by one trigger.
#[derive(Clone, Debug, PartialEq)]
struct Said {
    title: String,
    /// Its fields, or its words where it has none; nothing where that is not known.
    details: Option<Value>,
}

/// The fields of an alert, as they were sent where that is kept, or what else is said of it.
fn details_of(words: &str, details: &[(String, String)], sent: Option<&SentDetails>) -> Value {
    if let Some(told) = sent.and_then(|sent| told_as_sent(details, sent)) {
        return told;
    }
    if details.is_empty() {
        return json!(Some(words).filter(|words| !words.is_empty()));
    }
    let fields = details.iter();
    let fields: BTreeMap<&str, &str> = fields
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    json!(fields)
}

/// What is to be found in the life of one incident.
#[derive(Debug, Default)]
struct Sought {
    /// Where it began or came back: the alert is told behind it.
    begins: BTreeSet<u64>,
    /// What was said again, which alert it is of and in which words: in its details nothing was new.
    again: BTreeMap<u64, (AlertId, String)>,
}

impl Said {
    fn of(alert: &Alert) -> Self {
        Self {
            title: alert.title.clone(),
            details: Some(Self::details(alert)),
        }
    }

    fn details(alert: &Alert) -> Value {
        let sent = alert.sent_details.as_deref();
        details_of(alert.said(), &alert.details, sent)
    }

    /// What was told by the triggers at these places of the journal; `opened` gives where an incident began.
    fn by(
        log: &dyn EventLog,
        wanted: &BTreeSet<u64>,
        opened: impl Fn(IncidentId) -> u64,
    ) -> Result<BTreeMap<u64, Self>, StorageError> {
        let mut said = BTreeMap::new();
        let mut sought: BTreeMap<IncidentId, Sought> = BTreeMap::new();
        for position in wanted {
            let Some(event) = log.at(*position)? else {
                continue;
            };
            let Some(incident) = event.body.incident() else {
                continue;
            };
            if let EventBody::Alert(about) = &event.body {
                match about {
                    AlertEvent::Opened { alert } => {
                        said.insert(*position, Self::of(alert));
                    }
                    AlertEvent::Repeated {
                        summary,
                        details: Some(details),
                        sent_details,
                        ..
                    } => {
                        let details = Some(details_of("", details, sent_details.as_deref()));
                        let title = summary.clone();
                        said.insert(*position, Self { title, details });
                    }
                    AlertEvent::Repeated { alert, summary, .. } => {
                        let again = &mut sought.entry(incident).or_default().again;
                        again.insert(*position, (*alert, summary.clone()));
                    }
                    AlertEvent::Recovered { .. } => {}
                }
            } else if let Some(IncidentWhat::Opened { .. } | IncidentWhat::Relapsed { .. }) =
                event.body.incident_part()
            {
                let begins = &mut sought.entry(incident).or_default().begins;
                begins.insert(*position);
            }
        }
        let mut lives = Lives::new();
        for (incident, sought) in sought {
            sought.find(log, (incident, opened(incident)), &mut lives, &mut said)?;
        }
        Ok(said)
    }
}

impl Sought {
    /// Looks through the life of an incident that began there.
    fn find(
        mut self,
        log: &dyn EventLog,
        (incident, opened): (IncidentId, u64),
        lives: &mut Lives,
        said: &mut BTreeMap<u64, Said>,
    ) -> Result<(), StorageError> {
        let alerts: BTreeSet<AlertId> = self.again.values().map(|(alert, _)| *alert).collect();
        let mut known: BTreeMap<AlertId, Value> = BTreeMap::new();
        // What alerts told last may have been told as early as the first of them.
        let first = self.begins.first().copied().unwrap_or(opened);
        let after = if alerts.is_empty() {
            first
        } else {
            opened.min(first)
        };
        lives.walk(log, incident, after, |event| {
            self.hear(event, &alerts, &mut known, said);
            if self.begins.is_empty() && self.again.is_empty() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        for (position, (_, title)) in self.again {
            let details = None;
            said.insert(position, Said { title, details });
        }
        Ok(())
    }

    fn hear(
        &mut self,
        event: &Event,
        alerts: &BTreeSet<AlertId>,
        known: &mut BTreeMap<AlertId, Value>,
        said: &mut BTreeMap<u64, Said>,
    ) {
        let EventBody::Alert(about) = &event.body else {
            return;
        };
        match about {
            AlertEvent::Opened { alert } => {
                while let Some(begin) = self.begins.first().copied()
                    && begin < event.position
                {
                    self.begins.remove(&begin);
                    said.insert(begin, Said::of(alert));
                }
                if alerts.contains(&alert.id) {
                    known.insert(alert.id, Said::details(alert));
                }
            }
            AlertEvent::Repeated {
                alert,
                details,
                sent_details,
                ..
            } => {
                if let Some(details) = details
                    && alerts.contains(alert)
                {
                    let details = details_of("", details, sent_details.as_deref());
                    known.insert(*alert, details);
                }
                if let Some((_, title)) = self.again.remove(&event.position) {
                    let details = known.get(alert).cloned();
                    said.insert(event.position, Said { title, details });
                }
            }
            AlertEvent::Recovered { .. } => {}
        }
    }
}
