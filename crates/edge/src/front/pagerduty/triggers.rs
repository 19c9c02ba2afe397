//! By which log entries incidents and alerts began: where those are, and what they tell where `include[]` names them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tocsin_domain::event::{AlertEvent, EventBody, IncidentWhat};
use tocsin_domain::id::{AlertId, IncidentId};
use tocsin_wire::pagerduty::rest::id;

use super::asked::Asked;
use super::log_shape::{Wanted, shown};
use super::reply::Refused;
use crate::ports::{EventLog, StorageError};

/// The word of `include[]` for the entry by which an incident or an alert began.
pub(super) const FIRST_ENTRIES: &str = "first_trigger_log_entries";
/// The field in which it stands.
const FIRST_ENTRY: &str = "first_trigger_log_entry";
/// Events that are looked at for the alerts of one answer at most.
const EVENTS_MAX: usize = 20_000;
/// Events that are read at once.
const BLOCK: usize = 500;

impl Asked {
    /// Shows the entries by which these incidents or alerts began wholly, where `include[]` names them.
    pub(crate) async fn first_entries(&self, all: &mut [Value]) -> Result<(), Refused> {
        if !self.parameters.includes(FIRST_ENTRIES) {
            return Ok(());
        }
        let mut found: Vec<(&mut Value, Value)> = Vec::new();
        for one in all {
            let entry = one[FIRST_ENTRY]["id"].as_str();
            let Some(position) = entry.and_then(id::position_of) else {
                continue;
            };
            let event = self
                .app
                .blocking(move |parts| parts.events.at(position))
                .await?;
            let whole = event.and_then(|event| {
                let any = Wanted::default();
                let app = &self.app;
                app.read(|state| shown(&self.place, state, &event, &any))
            });
            found.extend(whole.map(|whole| (one, whole)));
        }
        // All at once: what one answer may look at is not counted for each.
        let (places, mut wholes): (Vec<&mut Value>, Vec<Value>) = found.into_iter().unzip();
        self.channels(&mut wholes).await?;
        for (one, whole) in places.into_iter().zip(wholes) {
            one[FIRST_ENTRY] = whole;
        }
        Ok(())
    }

    /// Where in the journal the entries are by which these alerts of an incident began, of those that are found.
    pub(super) async fn begins(
        &self,
        incident: IncidentId,
        alerts: impl IntoIterator<Item = AlertId>,
    ) -> Result<BTreeMap<AlertId, u64>, Refused> {
        let mut found = Begins {
            sought: alerts.into_iter().collect(),
            at: BTreeMap::new(),
            left: EVENTS_MAX,
        };
        // Most incidents have one alert, by which they began.
        self.app.read(|state| {
            let known = state.incidents.get(&incident);
            let first =
                known.and_then(|known| known.alerts.first().copied().zip(known.opened_event));
            if let Some((alert, opened)) = first
                && found.sought.remove(&alert)
            {
                found.at.insert(alert, opened);
            }
        });
        if found.sought.is_empty() {
            return Ok(found.at);
        }
        let app = self.app.clone();
        let read = self.app.blocking(move |parts| {
            let mut ahead = vec![incident];
            let mut seen = BTreeSet::new();
            // What was merged into it brought its alerts.
            while let Some(one) = ahead.pop() {
                if !seen.insert(one) || found.is_over() {
                    continue;
                }
                let known = app.read(|state| {
                    let known = state.incidents.get(&one)?;
                    Some((known.opened_event, known.merged.clone()))
                });
                let (opened, merged) = known.unwrap_or_default();
                ahead.extend(merged);
                found.look_through(parts.events.as_ref(), one, opened)?;
            }
            Ok(found.at)
        });
        Ok(read.await?)
    }
}

/// The begins of alerts, as far as they are found.
#[derive(Debug)]
struct Begins {
    sought: BTreeSet<AlertId>,
    at: BTreeMap<AlertId, u64>,
    /// Events that may still be looked at.
    left: usize,
}

impl Begins {
    fn is_over(&self) -> bool {
        self.sought.is_empty() || self.left == 0
    }

    /// Looks through the life of an incident, from where it began on.
    fn look_through(
        &mut self,
        log: &dyn EventLog,
        incident: IncidentId,
        opened: Option<u64>,
    ) -> Result<(), StorageError> {
        // Of an alert that opened it or opened it again, that tells that it began.
        let mut begin = opened;
        let mut after = opened.unwrap_or(0);
        while !self.is_over() {
            let limit = BLOCK.min(self.left);
            let events = log.of_incident(incident, after, limit)?;
            self.left -= events.len();
            for event in &events {
                after = event.position;
                if let EventBody::Alert(AlertEvent::Opened { alert }) = &event.body {
                    let at = if alert.joined {
                        Some(event.position)
                    } else {
                        begin
                    };
                    if self.sought.remove(&alert.id) {
                        self.at.extend(at.map(|at| (alert.id, at)));
                    }
                } else if let Some(IncidentWhat::Relapsed { reopened: true, .. }) =
                    event.body.incident_part()
                {
                    begin = Some(event.position);
                }
            }
            if events.len() < limit {
                break;
            }
        }
        Ok(())
    }
}
