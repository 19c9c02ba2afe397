//! Incidents as they are written into an answer, one or many. Services and policies that they show as a whole are written once,
//! however many incidents show them: a policy names every service that follows it, so that a hundred copies of one are long.

use std::collections::BTreeMap;

use serde_json::Value;
use tocsin_domain::incident::Incident;
use tocsin_domain::state::State;
use tocsin_wire::json_text::JsonText;

use super::incident_shape::{Include, policy_of};
use super::incident_shown::Text;
use super::place::Place;
use super::policy_shape::write_policy;
use super::service_shape::{Standings, service};

/// The fields in which incidents show what they share.
const SERVICE: &str = "service";
const POLICY: &str = "escalation_policy";
/// Bytes of an incident that is a value, about, and of what is around all.
const VALUE_BYTES: usize = 4_096;
const FRAME_BYTES: usize = 256;

/// What was just written, as a value.
pub(super) fn read_back(text: &str) -> Value {
    // What was written as JSON can be read.
    serde_json::from_str(text).unwrap_or_default()
}

/// What is shown as a whole, written, by its id.
#[derive(Debug, Default)]
pub(crate) struct Wholes {
    services: BTreeMap<String, String>,
    policies: BTreeMap<String, String>,
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
                keep(&mut all.services, known.id.as_str(), |out| {
                    out.value(&service(state, place, known, &standings));
                });
            }
            if include.policies
                && let Some(known) = policy_of(state, one).and_then(|id| state.policies.get(&id))
            {
                keep(&mut all.policies, known.id.as_str(), |out| {
                    write_policy(out, state, place, known);
                });
            }
        }
        all
    }

    fn service(&self, id: &str) -> Option<&str> {
        self.services.get(id).map(String::as_str)
    }

    fn policy(&self, id: &str) -> Option<&str> {
        self.policies.get(id).map(String::as_str)
    }

    /// What stands in a field of an incident in place of that reference.
    fn instead(&self, field: &str, reference: &Value) -> Option<&str> {
        match field {
            SERVICE => self.service(reference["id"].as_str()?),
            POLICY => self.policy(reference["id"].as_str()?),
            _ => None,
        }
    }

    /// The text of an incident in its parts, with what stands in it in place of references.
    fn parts<'a>(&'a self, one: &'a Text) -> [&'a str; 5] {
        let text = one.text.as_str();
        let policy = one.policy.as_ref();
        let policy = policy.and_then(|(at, id)| Some((at.clone(), self.policy(id.as_str())?)));
        let service = one.service.as_ref();
        let service = service.and_then(|(at, id)| Some((at.clone(), self.service(id.as_str())?)));
        // The policy's name comes before the service's.
        let (policy_at, policy) = policy.unwrap_or((0..0, ""));
        let end = text.len();
        let (service_at, service) = service.unwrap_or((end..end, ""));
        let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
        [
            part(0, policy_at.start),
            policy,
            part(policy_at.end, service_at.start),
            service,
            part(service_at.end, end),
        ]
    }
}

fn keep(wholes: &mut BTreeMap<String, String>, id: &str, write: impl FnOnce(&mut JsonText)) {
    if wholes.contains_key(id) {
        return;
    }
    let mut out = JsonText::default();
    write(&mut out);
    wholes.insert(id.to_owned(), out.into_text());
}

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
    /// Writes them, one after the other.
    pub(crate) fn write(&self, out: &mut JsonText) {
        match self {
            Self::Values { incidents, wholes } => {
                let shown = incidents.iter();
                shown.for_each(|shown| write_value(out, shown, wholes));
            }
            Self::Written { incidents, wholes } => {
                for one in incidents {
                    out.raws(&wholes.parts(one));
                }
            }
        }
    }

    /// Whether there are none.
    pub(crate) const fn is_empty(&self) -> bool {
        match self {
            Self::Values { incidents, .. } => incidents.is_empty(),
            Self::Written { incidents, .. } => incidents.is_empty(),
        }
    }

    /// About how many bytes an answer has that shows them: of very many, room is made once.
    pub(crate) fn bytes(&self) -> usize {
        let rows: usize = match self {
            Self::Values { incidents, wholes } => {
                let instead = |shown: &Value| {
                    let fields = [SERVICE, POLICY];
                    let wholes = fields.map(|field| wholes.instead(field, &shown[field]));
                    wholes.into_iter().flatten().map(str::len).sum::<usize>()
                };
                let rows = incidents.iter();
                rows.map(|shown| VALUE_BYTES + instead(shown)).sum()
            }
            Self::Written { incidents, wholes } => {
                let rows = incidents.iter();
                rows.flat_map(|one| wholes.parts(one)).map(str::len).sum()
            }
        };
        rows + FRAME_BYTES
    }
}

fn write_value(out: &mut JsonText, shown: &Value, wholes: &Wholes) {
    let Value::Object(fields) = shown else {
        return out.value(shown);
    };
    out.object(|out| {
        for (name, value) in fields {
            let out = out.field(name);
            match wholes.instead(name, value) {
                Some(whole) => out.raw(whole),
                None => out.value(value),
            }
        }
    });
}
