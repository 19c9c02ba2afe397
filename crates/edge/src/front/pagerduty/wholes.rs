//! Incidents as they are written into an answer, one or many. Services and policies that they show as a whole are written once,
//! however many incidents show them: a policy names every service that follows it, so that a hundred copies of one are long.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use tocsin_domain::incident::Incident;
use tocsin_domain::state::State;

use super::incident_shape::{Include, policy_of};
use super::place::Place;
use super::policy_shape::policy_shown;
use super::service_shape::{Standings, service};

/// What is shown as a whole, by its id.
#[derive(Debug, Default)]
pub(crate) struct Wholes {
    services: BTreeMap<String, Box<RawValue>>,
    policies: BTreeMap<String, Box<RawValue>>,
}

impl Wholes {
    /// What `include` names of these incidents.
    pub(crate) fn of(
        state: &State,
        place: &Place,
        include: &Include,
        incidents: &[&Incident],
    ) -> Self {
        let mut all = Self::default();
        let standings = if include.services {
            let services = incidents.iter().map(|one| one.service).collect();
            Standings::of(state, &services)
        } else {
            Standings::default()
        };
        for one in incidents {
            if include.services
                && let Some(known) = state.services.get(&one.service)
            {
                let shown = || service(state, place, known, &standings);
                keep(&mut all.services, known.id.as_str(), shown);
            }
            if include.policies
                && let Some(known) = policy_of(state, one).and_then(|id| state.policies.get(&id))
            {
                keep(&mut all.policies, known.id.as_str(), || {
                    policy_shown(state, place, known)
                });
            }
        }
        all
    }

    /// What stands in a field of an incident in place of that reference.
    fn instead(&self, field: &str, reference: &Value) -> Option<&RawValue> {
        let wholes = match field {
            "service" => &self.services,
            "escalation_policy" => &self.policies,
            _ => return None,
        };
        let whole = wholes.get(reference["id"].as_str()?)?;
        Some(whole)
    }
}

fn keep<T: Serialize>(
    wholes: &mut BTreeMap<String, Box<RawValue>>,
    id: &str,
    shown: impl FnOnce() -> T,
) {
    if wholes.contains_key(id) {
        return;
    }
    // A value can always be written; if it could not, its reference would be shown.
    if let Ok(whole) = to_raw_value(&shown()) {
        wholes.insert(id.to_owned(), whole);
    }
}

/// The incidents of one answer.
pub(crate) enum Shown {
    /// With references to what they share, and that.
    Values {
        incidents: Vec<Value>,
        wholes: Wholes,
    },
    /// Written already: what is shown as a whole in them is shared by none.
    Written(Vec<Box<RawValue>>),
}

impl Shown {
    /// Each as it is to be written.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let rows: Vec<Row<'_>> = match self {
            Self::Values { incidents, wholes } => {
                let shown = incidents.iter();
                shown.map(|shown| Row::Value { shown, wholes }).collect()
            }
            Self::Written(all) => all.iter().map(|one| Row::Written(one)).collect(),
        };
        rows.into_iter()
    }
}

/// An incident with what is shown as a whole in it.
pub(crate) enum Row<'a> {
    Value {
        shown: &'a Value,
        wholes: &'a Wholes,
    },
    Written(&'a RawValue),
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (shown, wholes) = match self {
            Self::Value { shown, wholes } => (shown, wholes),
            Self::Written(text) => return text.serialize(serializer),
        };
        let Value::Object(fields) = shown else {
            return shown.serialize(serializer);
        };
        let mut incident = serializer.serialize_map(Some(fields.len()))?;
        for (name, value) in fields {
            match wholes.instead(name, value) {
                Some(whole) => incident.serialize_entry(name, whole)?,
                None => incident.serialize_entry(name, value)?,
            }
        }
        incident.end()
    }
}
