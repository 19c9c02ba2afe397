//! What PagerDuty's clients see of an incident, part by part. Nothing is shown that Tocsin does not know: what it has no counterpart
//! for is null or empty.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tocsin_domain::alert::Alert;
use tocsin_domain::id::{PolicyId, UserId};
use tocsin_domain::incident::{Assigned, Incident, Responder, Status};
use tocsin_domain::people::Urgency;
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;
use tocsin_wire::pagerduty::rest::Parameters;

use super::place::Place;

/// The words of `include[]` by which [`Include`] is read.
pub(super) const INCLUDE_WORDS: [&str; 7] = [
    "acknowledgers",
    "assignees",
    "body",
    "escalation_policies",
    "services",
    "teams",
    "users",
];

/// What of an incident is shown as a whole instead of as a reference. Services and policies are put in when it is written, since
/// incidents of one answer share them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Include {
    pub(super) assignees: bool,
    pub(super) acknowledgers: bool,
    pub(super) services: bool,
    pub(super) policies: bool,
    pub(super) teams: bool,
    pub(super) body: bool,
}

impl Include {
    pub(crate) fn read(parameters: &Parameters) -> Self {
        let users = parameters.includes("users");
        Self {
            assignees: users || parameters.includes("assignees"),
            acknowledgers: users || parameters.includes("acknowledgers"),
            services: parameters.includes("services"),
            policies: parameters.includes("escalation_policies"),
            teams: parameters.includes("teams"),
            body: parameters.includes("body"),
        }
    }

    /// With what was written of it besides: whoever opens an incident is told that.
    pub(crate) const fn with_body(mut self) -> Self {
        self.body = true;
        self
    }

    /// Whether anybody is shown as a whole.
    pub(super) const fn shows_people(&self) -> bool {
        self.assignees || self.acknowledgers
    }

    /// The people who are shown as a whole.
    pub(crate) fn people<'a>(
        &self,
        state: &State,
        incidents: impl IntoIterator<Item = &'a Incident>,
    ) -> BTreeSet<UserId> {
        let mut people = BTreeSet::new();
        for incident in incidents {
            if self.assignees {
                people.extend(assignees(state, incident));
            }
            if self.acknowledgers {
                people.extend(acknowledger(incident).map(|(user, _)| user));
            }
        }
        people
    }
}

/// Whom a request for help names.
#[derive(Clone, Copy, Debug)]
pub(super) enum Helper {
    /// A person.
    Person(UserId),
    /// Whoever a policy names.
    Policy(PolicyId),
}

/// Who has it, or is asked to take it. Nobody has what is over, and nobody was asked yet to take what still waits to be paged for.
pub(crate) fn assignees(state: &State, incident: &Incident) -> Vec<UserId> {
    let given = state.people_given(incident);
    let given = given.map(|people| {
        let people = people.iter().copied();
        people
            .filter(|user| state.users.contains_key(user))
            .collect()
    });
    asked(incident, given)
}

/// The same, `given` to these people.
fn asked(incident: &Incident, given: Option<Vec<UserId>>) -> Vec<UserId> {
    if !incident.is_open() || incident.hold.is_some() {
        return Vec::new();
    }
    let paged = || {
        let paging = incident.paging.as_ref();
        paging.map(|paging| paging.recipients.clone())
    };
    let mut found = given.or_else(paged).unwrap_or_default();
    if let Some((user, _)) = acknowledger(incident)
        && !found.contains(&user)
    {
        found.push(user);
    }
    found
}

pub(super) fn acknowledger(incident: &Incident) -> Option<(UserId, Timestamp)> {
    let (by, at) = acknowledgement(incident)?;
    Some((by?, at))
}

/// By whom and since when it is taken; by nobody who is known where an event of its service did it.
pub(super) fn acknowledgement(incident: &Incident) -> Option<(Option<UserId>, Timestamp)> {
    let is_taken = incident.status == Status::Acknowledged;
    incident.acknowledged.filter(|_| is_taken)
}

/// The policy that it follows.
pub(crate) fn policy_of(state: &State, incident: &Incident) -> Option<PolicyId> {
    if let Some(Assigned::Policy(policy)) = &incident.assigned {
        return Some(*policy);
    }
    let followed = incident.paging.as_ref().and_then(|paging| paging.policy);
    let service = state.services.get(&incident.service);
    let default = state.installation.as_ref().map(|all| all.default_policy);
    followed.or_else(|| service?.policy).or(default)
}

/// The word for where it stands.
pub(crate) const fn status_word(status: Status) -> &'static str {
    match status {
        Status::Triggered => "triggered",
        Status::Acknowledged => "acknowledged",
        Status::Resolved => "resolved",
    }
}

/// The word for how loudly it asks.
pub(crate) const fn urgency_word(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::High => "high",
        Urgency::Low => "low",
    }
}

/// The alert that an incident began with, also where it was merged into another: then it has no other.
pub(super) fn first_alert<'a>(state: &'a State, one: &Incident) -> Option<&'a Alert> {
    let first = one.alerts.first().or(one.began_with.as_deref());
    state.alerts.get(first?)
}

/// What was written of it: a text, since clients read nothing else there. The fields of its alert follow, one in each line. None where
/// nothing was.
pub(super) fn body(alert: Option<&Alert>) -> Value {
    let details = alert.and_then(|alert| {
        let said = Some(alert.said().to_owned()).filter(|text| !text.is_empty());
        let fields = alert.details.iter();
        let fields = fields.map(|(name, value)| format!("{name}: {value}"));
        let lines: Vec<String> = said.into_iter().chain(fields).collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    });
    json!({"type": "incident_body", "details": details})
}

/// What will happen by itself.
pub(super) fn pending(place: &Place, one: &Incident) -> Vec<Value> {
    let ends = one.snoozed_until.or(one.acknowledgement_ends_at);
    let ends = ends.filter(|_| one.status == Status::Acknowledged);
    let next = one.paging.as_ref().and_then(|paging| paging.next_at);
    // The end of a wait has no word there: it is no escalation.
    let next = next.filter(|_| one.status == Status::Triggered && one.hold.is_none());
    let action = |kind: &str, at: Timestamp| json!({"type": kind, "at": place.time(at)});
    let ends = ends.map(|at| action("unacknowledge", at));
    ends.into_iter()
        .chain(next.map(|at| action("escalate", at)))
        .collect()
}

/// Who was asked to help, and what they said.
pub(super) fn responders(state: &State, place: &Place, one: &Incident) -> Vec<Value> {
    let asked = one.responders.iter();
    asked
        .map(|asked| responder(state, place, one, asked))
        .collect()
}

fn responder(state: &State, place: &Place, one: &Incident, asked: &Responder) -> Value {
    let said = match asked.answer {
        None => "pending",
        Some((true, _)) => "joined",
        Some((false, _)) => "declined",
    };
    let changed = asked.answer.map_or(asked.asked_at, |(_, at)| at);
    json!({
        "state": said,
        "user": place.user(state, asked.user),
        "incident": place.incident(state, one.id),
        "updated_at": place.time(changed),
        "message": asked.message,
        "requester": asker(state, place, asked),
        "requested_at": place.time(asked.asked_at),
    })
}

fn asker(state: &State, place: &Place, asked: &Responder) -> Option<Value> {
    let by = asked.asked_by.as_ref();
    by.map(|by| place.agent(state, by))
}

/// Whom a request for help names, with those who were `asked` by it and what they said: clients walk that of every one.
pub(super) fn request_target(
    state: &State,
    place: &Place,
    one: &Incident,
    target: Helper,
    asked: &[UserId],
) -> Value {
    let mut shown = match target {
        Helper::Person(user) => place.user(state, user),
        Helper::Policy(policy) => place.policy(state, policy),
    };
    let all = one.responders.iter();
    let asked: Vec<Value> = all
        .filter(|one| asked.contains(&one.user))
        .map(|asked| responder(state, place, one, asked))
        .collect();
    shown["incidents_responders"] = asked.into();
    json!({ "responder_request_target": shown })
}

/// The requests for help that stand: who was asked at once and with the same words was asked by one.
pub(super) fn requests(state: &State, place: &Place, one: &Incident) -> Vec<Value> {
    let mut requests: BTreeMap<(Timestamp, &str), Vec<&Responder>> = BTreeMap::new();
    for asked in &one.responders {
        let request = (asked.asked_at, asked.message.as_str());
        requests.entry(request).or_default().push(asked);
    }
    let requests = requests.into_iter();
    requests
        .map(|((at, message), all)| {
            let targets = all.iter().map(|asked| {
                let user = asked.user;
                request_target(state, place, one, Helper::Person(user), &[user])
            });
            json!({
                "incident": place.incident(state, one.id),
                "requester": all.first().and_then(|asked| asker(state, place, asked)),
                "requested_at": place.time(at),
                "message": message,
                "responder_request_targets": targets.collect::<Vec<_>>(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use tocsin_domain::incident::Hold;
    use tocsin_domain::monitor::Severity;

    use super::*;

    #[test]
    fn nobody_is_told_to_have_what_still_waits_to_be_paged_for() {
        let id = |letter: char| format!("QAAAAAAAAAAAA{letter}");
        let bob: UserId = id('B').parse().unwrap();
        let at = Timestamp::from_millis(0);
        let (team, service) = (id('C').parse().unwrap(), id('D').parse().unwrap());
        let incident = id('A').parse().unwrap();
        let mut one = Incident::fresh(incident, team, service, Severity::Critical, at);
        assert_eq!(asked(&one, Some(vec![bob])), [bob]);
        one.hold = Some(Hold {
            until: at.plus_ms(60_000),
            until_clear: false,
            why: "it may pass by itself".to_owned(),
        });
        assert!(asked(&one, Some(vec![bob])).is_empty());
    }
}
