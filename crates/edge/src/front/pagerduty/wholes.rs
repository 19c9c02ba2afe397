//! Incidents as they are written into an answer, one or many. Services and policies that they show as a whole are written once,
//! however many incidents show them: a policy names every service that follows it, so that a hundred copies of one are long.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;
use tocsin_domain::incident::Incident;
use tocsin_domain::state::State;
use tocsin_wire::json_text::JsonText;

use super::incident_shape::{Include, policy_of};
use super::incident_shown::{Mark, Said, Shared, write_incident};
use super::place::Place;
use super::policy_shape::write_policy;
use super::service_shape::{Standings, write_service};
use super::user_shape::Mails;

/// Bytes of an incident, about, and of what is around all.
const INCIDENT_BYTES: usize = 3_072;
const FRAME_BYTES: usize = 256;

/// What is shown as a whole, written.
#[derive(Debug, Default)]
pub(crate) struct Wholes(BTreeMap<Shared, String>);

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
                all.keep(Shared::Service(known.id), |out| {
                    write_service(out, state, place, known, &standings);
                });
            }
            if include.policies
                && let Some(known) = policy_of(state, one).and_then(|id| state.policies.get(&id))
            {
                all.keep(Shared::Policy(known.id), |out| {
                    write_policy(out, state, place, known);
                });
            }
        }
        all
    }

    fn keep(&mut self, shared: Shared, write: impl FnOnce(&mut JsonText)) {
        self.0.entry(shared).or_insert_with(|| {
            let mut out = JsonText::default();
            write(&mut out);
            out.into_text()
        });
    }

    /// What there is to stand in a field of an incident in place of that reference.
    fn instead(&self, field: &str, reference: &Value) -> Option<Shared> {
        let id = || reference["id"].as_str();
        let shared = match field {
            "service" => Shared::Service(id()?.parse().ok()?),
            "escalation_policy" => Shared::Policy(id()?.parse().ok()?),
            _ => return None,
        };
        self.0.contains_key(&shared).then_some(shared)
    }
}

/// An answer that is written as far as its incidents reach, with references to what they share, and where these stand, in their order.
#[derive(Debug)]
pub(crate) struct Written {
    text: JsonText,
    said: Said,
    marks: Vec<Mark>,
    count: usize,
}

impl Written {
    /// Begins with what stands before the incidents, of which there will be so many.
    pub(crate) fn begin(frame: &str, incidents: usize) -> Self {
        let mut text = JsonText::with_room(FRAME_BYTES + incidents * INCIDENT_BYTES);
        text.raw(frame);
        Self {
            text,
            said: Said::default(),
            marks: Vec::new(),
            count: 0,
        }
    }

    /// Writes one more.
    pub(crate) fn add(&mut self, state: &State, shown: (&Place, &Include, &Mails), one: &Incident) {
        let marks = write_incident(&mut self.text, &mut self.said, state, shown, one);
        self.marks.extend(marks.into_iter().flatten());
        self.count += 1;
    }

    /// Writes one more, of which there is a value.
    pub(crate) fn add_value(&mut self, shown: &Value, wholes: &Wholes) {
        write_value((&mut self.text, &mut self.marks), shown, wholes);
        self.count += 1;
    }

    /// How many incidents it has.
    pub(crate) const fn count(&self) -> usize {
        self.count
    }

    /// The whole answer in pieces: what is shown as a whole in place of references, and what stands behind the incidents. Of what is
    /// shown many times all pieces are one and the same: a hundred incidents of one large policy are many megabytes.
    pub(crate) fn end(self, wholes: Wholes, frame: &str) -> Vec<Bytes> {
        let text = Bytes::from(self.text.into_text() + frame);
        if self.marks.is_empty() {
            return vec![text];
        }
        let wholes = wholes.0.into_iter();
        let wholes = wholes.map(|(shared, whole)| (shared, Bytes::from(whole)));
        let wholes: BTreeMap<Shared, Bytes> = wholes.collect();
        let marks = self.marks.into_iter();
        let instead = marks.filter_map(|(at, shared)| Some((at, wholes.get(&shared)?)));
        let mut pieces = Vec::new();
        let mut from = 0;
        for (at, shown) in instead {
            debug_assert!(from <= at.start, "they stand in their order");
            pieces.push(text.slice(from..at.start));
            pieces.push(shown.clone());
            from = at.end;
        }
        pieces.push(text.slice(from..));
        pieces
    }
}

/// Writes an incident of which there is a value, and notes where references stand that give way to what they name.
fn write_value((out, marks): (&mut JsonText, &mut Vec<Mark>), shown: &Value, wholes: &Wholes) {
    let Value::Object(fields) = shown else {
        return out.value(shown);
    };
    out.object(|out| {
        for (name, value) in fields {
            let begin = out.field(name).bytes();
            out.value(value);
            let instead = wholes.instead(name, value);
            marks.extend(instead.map(|shared| (begin..out.bytes(), shared)));
        }
    });
}
