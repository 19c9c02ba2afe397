//! Incidents as they are written into an answer, one or many. Services and policies that they show as a whole are written once,
//! however many incidents show them: a policy names every service that follows it, so that a hundred copies of one are long.

use std::collections::BTreeMap;

use serde::ser::{Error, Serialize, SerializeMap, Serializer};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use tocsin_domain::id::{PolicyId, ServiceId};
use tocsin_domain::incident::Incident;
use tocsin_domain::state::State;

use super::incident_shape::{Include, policy_of};
use super::incident_shown::incident_shown;
use super::place::Place;
use super::policy_shape::policy_shown;
use super::service_shape::{Standings, service};
use super::user_shape::Mails;

/// The fields in which incidents show what they share.
const SERVICE: &str = "service";
const POLICY: &str = "escalation_policy";
/// Bytes of an incident that is a value, about, and of what is around all.
const VALUE_BYTES: usize = 4_096;
const FRAME_BYTES: usize = 256;

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

    fn service(&self, id: &str) -> Option<&RawValue> {
        self.services.get(id).map(Box::as_ref)
    }

    fn policy(&self, id: &str) -> Option<&RawValue> {
        self.policies.get(id).map(Box::as_ref)
    }

    /// What stands in a field of an incident in place of that reference.
    fn instead(&self, field: &str, reference: &Value) -> Option<&RawValue> {
        match field {
            SERVICE => self.service(reference["id"].as_str()?),
            POLICY => self.policy(reference["id"].as_str()?),
            _ => None,
        }
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

/// An incident that is written already, with references to what it shares with others, and what of that is shown as a whole.
pub(crate) struct Text {
    text: Box<RawValue>,
    service: Option<ServiceId>,
    policy: Option<PolicyId>,
}

impl Text {
    pub(crate) fn of(
        state: &State,
        place: &Place,
        one: &Incident,
        include: &Include,
        mails: &Mails,
    ) -> serde_json::Result<Self> {
        let shown = incident_shown(state, place, one, include, mails);
        Ok(Self {
            text: to_raw_value(&shown)?,
            service: include.services.then_some(one.service),
            policy: policy_of(state, one).filter(|_| include.policies),
        })
    }

    /// What stands in its fields in place of references.
    fn instead<'a>(&self, wholes: &'a Wholes) -> [(&'static str, Option<&'a RawValue>); 2] {
        let service = self.service.and_then(|id| wholes.service(id.as_str()));
        let policy = self.policy.and_then(|id| wholes.policy(id.as_str()));
        [(SERVICE, service), (POLICY, policy)]
    }

    /// Its fields are set beside each other anew, which costs little beside making a value of each.
    fn write<S: Serializer>(&self, wholes: &Wholes, serializer: S) -> Result<S::Ok, S::Error> {
        let instead = self.instead(wholes);
        if instead.iter().all(|(_, whole)| whole.is_none()) {
            return self.text.serialize(serializer);
        }
        let fields: Fields<'_> = serde_json::from_str(self.text.get()).map_err(S::Error::custom)?;
        let mut incident = serializer.serialize_map(Some(fields.len()))?;
        for (name, value) in fields {
            let mut whole = instead.iter().filter(|(field, _)| *field == name);
            let whole = whole.find_map(|(_, whole)| *whole);
            incident.serialize_entry(name, whole.unwrap_or(value))?;
        }
        incident.end()
    }
}

/// The fields of an object as they are written, in the order of their names.
type Fields<'a> = BTreeMap<&'a str, &'a RawValue>;

/// The incidents of one answer.
pub(crate) enum Shown {
    /// With references to what they share, and that.
    Values {
        incidents: Vec<Value>,
        wholes: Wholes,
    },
    /// The same, of what is written already.
    Written {
        incidents: Vec<Text>,
        wholes: Wholes,
    },
}

impl Shown {
    /// Each as it is to be written.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let rows: Vec<Row<'_>> = match self {
            Self::Values { incidents, wholes } => {
                let shown = incidents.iter();
                shown.map(|shown| Row::Value { shown, wholes }).collect()
            }
            Self::Written { incidents, wholes } => {
                let shown = incidents.iter();
                shown.map(|shown| Row::Text { shown, wholes }).collect()
            }
        };
        rows.into_iter()
    }

    /// About how many bytes an answer has that shows them.
    pub(crate) fn bytes(&self) -> usize {
        let rows: usize = self.rows().map(|row| row.bytes()).sum();
        rows + FRAME_BYTES
    }
}

/// An incident with what is shown as a whole in it.
pub(crate) enum Row<'a> {
    Value {
        shown: &'a Value,
        wholes: &'a Wholes,
    },
    Text {
        shown: &'a Text,
        wholes: &'a Wholes,
    },
}

impl Row<'_> {
    fn bytes(&self) -> usize {
        let (own, instead) = match self {
            Self::Value { shown, wholes } => {
                let instead = |field: &'static str| (field, wholes.instead(field, &shown[field]));
                (VALUE_BYTES, [instead(SERVICE), instead(POLICY)])
            }
            Self::Text { shown, wholes } => (shown.text.get().len(), shown.instead(wholes)),
        };
        let wholes = instead.iter().filter_map(|(_, whole)| *whole);
        own + wholes.map(|whole| whole.get().len()).sum::<usize>()
    }
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (shown, wholes) = match self {
            Self::Value { shown, wholes } => (shown, wholes),
            Self::Text { shown, wholes } => return shown.write(wholes, serializer),
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
