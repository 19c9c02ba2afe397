//! A whole incident as PagerDuty's clients read it: written at once, or as a value where something is put into it.

use serde::Serialize;
use serde_json::{Value, json};
use tocsin_domain::id::UserId;
use tocsin_domain::incident::{Assigned, Incident, Status};
use tocsin_domain::state::State;

use super::incident_shape::{
    Include, acknowledgement, acknowledger, assignees, body, first_alert, pending, policy_of,
    requests, responders, status_word, urgency_word,
};
use super::place::{Place, Reference};
use super::small::priority as priority_shown;
use super::team_shape::team;
use super::user_shape::{Mails, user};

/// What stands as a reference, or as a whole where `include[]` names it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Linked<'a> {
    Reference(Reference<'a>),
    Whole(Value),
}

/// Who was asked to take an incident, and when.
#[derive(Debug, Serialize)]
struct Assignment<'a> {
    assignee: Linked<'a>,
    at: String,
}

/// Who took an incident, or the service one of whose events did, and when.
#[derive(Debug, Serialize)]
struct Acknowledgement<'a> {
    acknowledger: Linked<'a>,
    at: String,
}

/// How many alerts an incident has.
#[derive(Debug, Serialize)]
struct AlertCounts {
    all: usize,
    resolved: usize,
    triggered: usize,
}

/// An incident as it is written. Its fields stand in the order of their names, as those of a value do, and without one: to make
/// and to drop a value costs several times as much as to write it.
#[derive(Debug, Serialize)]
pub(super) struct IncidentShown<'a> {
    acknowledgements: Vec<Acknowledgement<'a>>,
    alert_counts: AlertCounts,
    alert_grouping: (),
    assigned_via: &'static str,
    assignments: Vec<Assignment<'a>>,
    basic_alert_grouping: (),
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
    conference_bridge: (),
    created_at: String,
    description: &'a str,
    escalation_policy: Option<Reference<'a>>,
    first_trigger_log_entry: Option<Reference<'a>>,
    html_url: String,
    id: &'a str,
    impacted_services: Vec<Reference<'a>>,
    incident_key: Option<&'a str>,
    incident_number: u64,
    incidents_responders: Vec<Value>,
    is_mergeable: bool,
    last_status_change_at: String,
    last_status_change_by: Reference<'a>,
    pending_actions: Vec<Value>,
    priority: Option<Value>,
    resolve_reason: Option<Value>,
    resolved_at: Option<String>,
    responder_requests: Vec<Value>,
    #[serde(rename = "self")]
    address: String,
    service: Reference<'a>,
    status: &'static str,
    subscriber_requests: Vec<Value>,
    summary: String,
    teams: Vec<Linked<'a>>,
    title: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    updated_at: String,
    urgency: &'static str,
}

/// An incident, with references to its service and its policy.
pub(crate) fn incident(
    state: &State,
    place: &Place,
    one: &Incident,
    include: &Include,
    mails: &Mails,
) -> Value {
    // What can be written can be made a value.
    serde_json::to_value(incident_shown(state, place, one, include, mails)).unwrap_or_default()
}

/// The same, for whoever writes it at once.
pub(super) fn incident_shown<'a>(
    state: &'a State,
    place: &Place,
    one: &'a Incident,
    include: &Include,
    mails: &Mails,
) -> IncidentShown<'a> {
    let path = ["incidents/", one.id.as_str()].concat();
    let over = one.resolved_at.filter(|_| !one.is_open());
    let changed = changed_at(place, one);
    let reason = one.merged_into.map(
        |into| json!({"type": "merge_resolve_reason", "incident": place.incident(state, into)}),
    );
    let by_hand = matches!(one.assigned, Some(Assigned::People(_)));
    let via = if by_hand {
        "direct_assignment"
    } else {
        "escalation_policy"
    };
    let priority = one.priority.as_ref();
    let first = first_alert(state, one);
    IncidentShown {
        acknowledgements: acknowledgements(state, place, one, include, mails),
        alert_counts: alert_counts(state, one),
        alert_grouping: (),
        assigned_via: via,
        assignments: assignments(state, place, one, include, mails),
        basic_alert_grouping: (),
        body: include.body.then(|| body(first)),
        conference_bridge: (),
        created_at: place.time(one.opened_at),
        description: &one.title,
        escalation_policy: policy_of(state, one).map(|id| place.policy_reference(state, id)),
        first_trigger_log_entry: first_entry(place, one),
        html_url: place.page(&path),
        id: one.id.as_str(),
        impacted_services: vec![place.service_reference(state, one.service)],
        incident_key: first.map(|alert| alert.dedup_key.as_str()),
        incident_number: one.number,
        incidents_responders: responders(state, place, one),
        is_mergeable: one.is_open(),
        last_status_change_at: changed.clone(),
        last_status_change_by: changed_by(state, place, one),
        pending_actions: pending(place, one),
        priority: priority.map(|name| priority_shown(state, place, name)),
        resolve_reason: reason,
        resolved_at: over.map(|at| place.time(at)),
        responder_requests: requests(state, place, one),
        address: place.api(&path),
        service: place.service_reference(state, one.service),
        status: status_word(one.status),
        subscriber_requests: Vec::new(),
        summary: format!("[#{}] {}", one.number, one.title),
        teams: vec![shown_team(state, place, one, include)],
        title: &one.title,
        kind: "incident",
        updated_at: changed,
        urgency: urgency_word(one.urgency),
    }
}

fn shown_user<'a>(
    state: &'a State,
    place: &Place,
    (id, wholly): (UserId, bool),
    mails: &Mails,
) -> Linked<'a> {
    match state.users.get(&id).filter(|_| wholly) {
        Some(known) => Linked::Whole(user(state, place, known, mails)),
        None => Linked::Reference(place.user_reference(state, id)),
    }
}

fn assignments<'a>(
    state: &'a State,
    place: &Place,
    one: &Incident,
    include: &Include,
    mails: &Mails,
) -> Vec<Assignment<'a>> {
    let paging = one.paging.as_ref();
    let at = paging.map_or(one.opened_at, |paging| paging.reached_at);
    let assigned = assignees(one).into_iter();
    let assigned = assigned.map(|id| Assignment {
        assignee: shown_user(state, place, (id, include.assignees), mails),
        at: place.time(at),
    });
    assigned.collect()
}

fn acknowledgements<'a>(
    state: &'a State,
    place: &Place,
    one: &Incident,
    include: &Include,
    mails: &Mails,
) -> Vec<Acknowledgement<'a>> {
    let taken = acknowledgement(one).into_iter();
    let taken = taken.map(|(by, at)| Acknowledgement {
        acknowledger: match by {
            Some(id) => shown_user(state, place, (id, include.acknowledgers), mails),
            // Clients take an incident without any acknowledgement for one that nobody has.
            None => Linked::Reference(place.service_reference(state, one.service)),
        },
        at: place.time(at),
    });
    taken.collect()
}

fn alert_counts(state: &State, one: &Incident) -> AlertCounts {
    let known = one.alerts.iter().filter_map(|id| state.alerts.get(id));
    let firing = known.filter(|alert| alert.is_firing()).count();
    AlertCounts {
        all: one.alerts.len(),
        resolved: one.alerts.len() - firing,
        triggered: firing,
    }
}

/// When it was opened, taken or ended, whichever came last.
fn changed_at(place: &Place, one: &Incident) -> String {
    let over = one.resolved_at.filter(|_| !one.is_open());
    let taken = one.acknowledged.map(|(_, at)| at);
    let changed = over.or(taken.filter(|_| one.status == Status::Acknowledged));
    place.time(changed.unwrap_or(one.opened_at))
}

/// Who ended or took it, else the service that it is of.
fn changed_by<'a>(state: &'a State, place: &Place, one: &Incident) -> Reference<'a> {
    let resolver = one.resolved_by.filter(|_| !one.is_open());
    let by = resolver.or(acknowledger(one).map(|(user, _)| user));
    match by {
        Some(user) => place.user_reference(state, user),
        None => place.service_reference(state, one.service),
    }
}

/// The entry by which it began. Where that stands is not known of old ones.
fn first_entry(place: &Place, one: &Incident) -> Option<Reference<'static>> {
    Some(place.trigger(one.id, one.opened_event?))
}

fn shown_team<'a>(
    state: &'a State,
    place: &Place,
    one: &Incident,
    include: &Include,
) -> Linked<'a> {
    match state.teams.get(&one.team).filter(|_| include.teams) {
        Some(known) => Linked::Whole(team(state, place, known)),
        None => Linked::Reference(place.team_reference(state, one.team)),
    }
}
