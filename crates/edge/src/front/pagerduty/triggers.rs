//! By which log entries incidents and alerts began: where those are, and what they tell where `include[]` names them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use serde_json::Value;
use tocsin_domain::event::{AlertEvent, Event, EventBody, IncidentWhat};
use tocsin_domain::id::{AlertId, IncidentId};
use tocsin_wire::pagerduty::rest::id;

use super::asked::Asked;
use super::log_life::Lives;
use super::log_shape::{Wanted, shown};
use super::reply::Refused;
use crate::ports::{EventLog, StorageError};

/// The word of `include[]` for the entry by which an incident or an alert began.
pub(super) const FIRST_ENTRIES: &str = "first_trigger_log_entries";
/// The field in which it stands.
const FIRST_ENTRY: &str = "first_trigger_log_entry";

impl Asked {
    /// Shows the entries by which these incidents or alerts began wholly, where `include[]` names them.
    pub(crate) async fn first_entries(&self, all: &mut [Value]) -> Result<(), Refused> {
        if !self.parameters.includes(FIRST_ENTRIES) {
            return Ok(());
        }
        let named: BTreeSet<u64> = all.iter().filter_map(first_entry).collect();
        // All at once: one answer goes to the journal once, and what it may look at is not counted for each.
        let read = self.app.blocking(move |parts| {
            let events = named.into_iter().map(|position| parts.events.at(position));
            events.collect::<Result<Vec<_>, StorageError>>()
        });
        let events = read.await?;
        let any = Wanted::default();
        let (positions, mut wholes): (Vec<u64>, Vec<Value>) = self.app.read(|state| {
            let events = events.iter().flatten();
            let whole = |event: &Event| {
                let whole = shown(&self.place, state, event, &any)?;
                Some((event.position, whole))
            };
            events.filter_map(whole).unzip()
        });
        self.channels(&mut wholes).await?;
        let wholes: BTreeMap<u64, Value> = positions.into_iter().zip(wholes).collect();
        for one in all {
            let whole = first_entry(one).and_then(|position| wholes.get(&position));
            if let Some(whole) = whole {
                one[FIRST_ENTRY] = whole.clone();
            }
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
            lives: Lives::new(),
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

/// Where in the journal the entry is by which an incident or an alert began.
fn first_entry(one: &Value) -> Option<u64> {
    one[FIRST_ENTRY]["id"].as_str().and_then(id::position_of)
}

/// The begins of alerts, as far as they are found.
#[derive(Debug)]
struct Begins {
    sought: BTreeSet<AlertId>,
    at: BTreeMap<AlertId, u64>,
    lives: Lives,
}

impl Begins {
    fn is_over(&self) -> bool {
        self.sought.is_empty() || self.lives.is_over()
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
        let Self { sought, at, lives } = self;
        lives.walk(log, incident, opened.unwrap_or(0), |event| {
            if let EventBody::Alert(AlertEvent::Opened { alert }) = &event.body {
                let began = if alert.joined {
                    Some(event.position)
                } else {
                    begin
                };
                if sought.remove(&alert.id) {
                    at.extend(began.map(|began| (alert.id, began)));
                }
            } else if let Some(IncidentWhat::Relapsed { reopened: true, .. }) =
                event.body.incident_part()
            {
                begin = Some(event.position);
            }
            if sought.is_empty() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
    }
}
