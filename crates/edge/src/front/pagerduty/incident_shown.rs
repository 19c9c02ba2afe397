//! A whole incident as PagerDuty's clients read it: written at once, or as a value where something is put into it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Range;

use serde_json::{Value, json};
use tocsin_domain::alert::Alert;
use tocsin_domain::id::{PolicyId, ServiceId, TeamId, UserId};
use tocsin_domain::incident::Incident;
use tocsin_domain::state::State;
use tocsin_wire::json_text::JsonText;

use super::incident_shape::{
    Include, acknowledgement, acknowledger, assignees, body, first_alert, pending, policy_of,
    requests, responders, status_word, urgency_word,
};
use super::place::Place;
use super::small::priority as priority_shown;
use super::team_shape::team;
use super::user_shape::{Mails, user};

/// Something that incidents share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shared {
    Service(ServiceId),
    Policy(PolicyId),
    Person(UserId),
    Team(TeamId),
}

/// Where in an answer stands what it says of something, referring to it or wholly. Mostly one and the same person has an incident,
/// is asked for it and changed it last, and incidents of one list have few services and policies.
#[derive(Debug, Default)]
pub(super) struct Said(BTreeMap<(Shared, bool), Range<usize>>);

impl Said {
    /// Writes it, where a value is due that stands behind no other: once, and copies it from there on.
    fn write(
        &mut self,
        out: &mut JsonText,
        what: (Shared, bool),
        write: impl FnOnce(&mut JsonText),
    ) {
        match self.0.entry(what) {
            Entry::Occupied(known) => out.again(known.get().clone()),
            Entry::Vacant(vacant) => {
                let begin = out.bytes();
                write(out);
                vacant.insert(begin..out.bytes());
            }
        }
    }
}

/// Where in what is written a reference stands that gives way to what it names.
pub(super) type Mark = (Range<usize>, Shared);

/// An incident, with references to its service and its policy.
pub(crate) fn incident(
    state: &State,
    place: &Place,
    one: &Incident,
    include: &Include,
    mails: &Mails,
) -> Value {
    let mut out = JsonText::default();
    let mut said = Said::default();
    write_incident(&mut out, &mut said, state, (place, include, mails), one);
    out.into_value()
}

/// The same, for whoever writes it at once; tells where what it shares with others stands that `include` names, in that order. Its
/// fields stand in the order of their names, as those of a value do, and without one: to make and to drop a value costs several
/// times as much as to write it.
pub(super) fn write_incident(
    out: &mut JsonText,
    said: &mut Said,
    state: &State,
    (place, include, mails): (&Place, &Include, &Mails),
    one: &Incident,
) -> [Option<Mark>; 2] {
    let mut shown = Shown {
        state,
        place,
        one,
        include,
        mails,
        first: first_alert(state, one),
        changed: place.time(one.status_set_at),
        said,
    };
    let mut marks = [None, None];
    out.object(|out| {
        let policy = shown.write_first(out).filter(|_| include.policies);
        let service = shown.write_last(out);
        marks = [policy, include.services.then_some(service)];
    });
    marks
}

/// What is shown, and to whom.
struct Shown<'a> {
    state: &'a State,
    place: &'a Place,
    one: &'a Incident,
    include: &'a Include,
    mails: &'a Mails,
    first: Option<&'a Alert>,
    /// When its status changed last.
    changed: String,
    said: &'a mut Said,
}

impl Shown<'_> {
    /// Writes the fields up to the entry by which it began; tells where its policy stands.
    fn write_first(&mut self, out: &mut JsonText) -> Option<Mark> {
        let Self {
            state, place, one, ..
        } = *self;
        let by_hand = state.people_given(one).is_some();
        self.write_acknowledgements(out.field("acknowledgements"));
        self.write_alert_counts(out.field("alert_counts"));
        out.field("alert_grouping").null();
        out.field("assigned_via").text(if by_hand {
            "direct_assignment"
        } else {
            "escalation_policy"
        });
        self.write_assignments(out.field("assignments"));
        out.field("basic_alert_grouping").null();
        if self.include.body {
            out.field("body").value(&body(self.first));
        }
        out.field("conference_bridge").null();
        out.field("created_at").text(&place.time(one.opened_at));
        out.field("description").text(&one.title);
        let policy = policy_of(state, one);
        let begin = out.field("escalation_policy").bytes();
        out.or_null(policy, |out, policy| {
            self.said
                .write(out, (Shared::Policy(policy), false), |out| {
                    place.policy_reference(state, policy).write(out);
                });
        });
        let stands = begin..out.bytes();
        // Where that stands is not known of old ones.
        let entry = one.opened_event;
        out.field("first_trigger_log_entry")
            .or_null(entry, |out, position| {
                place.trigger(one.id, position).write(out);
            });
        policy.map(|policy| (stands, Shared::Policy(policy)))
    }

    /// Writes the fields that follow; tells where its service stands.
    fn write_last(&mut self, out: &mut JsonText) -> Mark {
        let Self {
            state, place, one, ..
        } = *self;
        let id = one.id.as_str();
        let number = one.number.to_string();
        let over = one.resolved_at.filter(|_| !one.is_open());
        let key = self.first.map(|alert| alert.dedup_key.as_str());
        let values = |out: &mut JsonText, values: &[Value]| out.list(values, JsonText::value);
        out.field("html_url")
            .texts(&place.page_in("incidents/", id));
        out.field("id").text(id);
        out.field("impacted_services")
            .list([()], |out, ()| self.write_service(out));
        out.field("incident_key").or_null(key, JsonText::text);
        out.field("incident_number").number(one.number);
        let helpers = responders(state, place, one);
        values(out.field("incidents_responders"), &helpers);
        out.field("is_mergeable").flag(one.is_open());
        out.field("last_status_change_at").text(&self.changed);
        let by = out.field("last_status_change_by");
        match changed_by(one) {
            Some(user) => self.write_reference(by, user),
            None => self.write_service(by),
        }
        values(out.field("pending_actions"), &pending(place, one));
        let priority = one.priority.as_ref();
        out.field("priority").or_null(priority, |out, name| {
            out.value(&priority_shown(state, place, name));
        });
        let merged = one.merged_into;
        out.field("resolve_reason").or_null(merged, |out, into| {
            let into = place.incident(state, into);
            out.value(&json!({"type": "merge_resolve_reason", "incident": into}));
        });
        let over = over.map(|at| place.time(at));
        out.field("resolved_at")
            .or_null(over.as_deref(), JsonText::text);
        let asked = requests(state, place, one);
        values(out.field("responder_requests"), &asked);
        out.field("self").texts(&place.api_in("incidents/", id));
        let begin = out.field("service").bytes();
        self.write_service(out);
        let stands = begin..out.bytes();
        out.field("status").text(status_word(one.status));
        values(out.field("subscriber_requests"), &[]);
        out.field("summary")
            .texts(&["[#", &number, "] ", &one.title]);
        out.field("teams")
            .list([()], |out, ()| self.write_team(out));
        out.field("title").text(&one.title);
        out.field("type").text("incident");
        out.field("updated_at").text(&self.changed);
        out.field("urgency").text(urgency_word(one.urgency));
        (stands, Shared::Service(one.service))
    }

    /// Writes a person, as a whole where that is wanted.
    fn write_user(&mut self, out: &mut JsonText, id: UserId, wholly: bool) {
        let known = self.state.users.get(&id).filter(|_| wholly);
        let Some(known) = known else {
            return self.write_reference(out, id);
        };
        let what = (Shared::Person(id), true);
        self.said.write(out, what, |out| {
            out.value(&user(self.state, self.place, known, self.mails));
        });
    }

    /// Refers to a person.
    fn write_reference(&mut self, out: &mut JsonText, id: UserId) {
        let what = (Shared::Person(id), false);
        self.said.write(out, what, |out| {
            self.place.user_reference(self.state, id).write(out);
        });
    }

    /// Refers to its service.
    fn write_service(&mut self, out: &mut JsonText) {
        let id = self.one.service;
        self.said.write(out, (Shared::Service(id), false), |out| {
            self.place.service_reference(self.state, id).write(out);
        });
    }

    /// Who was asked to take it, and when.
    fn write_assignments(&mut self, out: &mut JsonText) {
        let paging = self.one.paging.as_ref();
        let at = paging.map_or(self.one.opened_at, |paging| paging.reached_at);
        out.list(assignees(self.state, self.one), |out, id| {
            out.object(|out| {
                self.write_user(out.field("assignee"), id, self.include.assignees);
                out.field("at").text(&self.place.time(at));
            });
        });
    }

    /// Who took it, or the service one of whose events did, and when.
    fn write_acknowledgements(&mut self, out: &mut JsonText) {
        out.list(acknowledgement(self.one), |out, (by, _)| {
            out.object(|out| {
                let out = out.field("acknowledger");
                match by {
                    Some(id) => self.write_user(out, id, self.include.acknowledgers),
                    // Clients take an incident without any acknowledgement for one that nobody has.
                    None => self.write_service(out),
                }
                // What is taken was changed last when it was.
                out.field("at").text(&self.changed);
            });
        });
    }

    /// How many alerts it has.
    fn write_alert_counts(&self, out: &mut JsonText) {
        let all = &self.one.alerts;
        let known = all.iter().filter_map(|id| self.state.alerts.get(id));
        let firing = known.filter(|alert| alert.is_firing()).count();
        out.object(|out| {
            out.field("all").number(all.len() as u64);
            out.field("resolved").number((all.len() - firing) as u64);
            out.field("triggered").number(firing as u64);
        });
    }

    /// Writes its team, as a whole where that is wanted.
    fn write_team(&mut self, out: &mut JsonText) {
        let id = self.one.team;
        let wholly = self.include.teams;
        self.said.write(out, (Shared::Team(id), wholly), |out| {
            match self.state.teams.get(&id).filter(|_| wholly) {
                Some(known) => out.value(&team(self.state, self.place, known)),
                None => self.place.team_reference(self.state, id).write(out),
            }
        });
    }
}

/// Who ended or took it; none where it is its service.
fn changed_by(one: &Incident) -> Option<UserId> {
    let resolver = one.resolved_by.filter(|_| !one.is_open());
    resolver.or(acknowledger(one).map(|(user, _)| user))
}
