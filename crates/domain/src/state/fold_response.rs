//! Folds what people do about an incident beyond taking it.

use std::collections::BTreeSet;

use super::State;
use super::fold_acknowledgers::pass_on;
use super::fold_incident::{page_anew, stop_escalation};
use crate::event::{AskedLevel, IncidentWhat, Response};
use crate::id::{AlertId, IncidentId, PolicyId, UserId};
use crate::incident::{AlsoAsked, Assigned, Given, Incident, PolicyRequest, Responder, Status};
use crate::people::Urgency;
use crate::time::Timestamp;

impl State {
    /// The alerts of one incident belong to another from now on; whatever joins by them joins that one.
    pub(super) fn move_alerts(&mut self, from: IncidentId, to: IncidentId, alerts: &[AlertId]) {
        for alert in alerts {
            if let Some(alert) = self.alerts.get_mut(alert) {
                alert.incident = to;
            }
        }
        let (mut counts, mut is_urgent, mut closed) = ((0, 0), false, None);
        if let Some(source) = self.incidents.get_mut(&from) {
            counts = (source.firing, source.burning);
            is_urgent = source.urgent_by_hand;
            closed.clone_from(&source.closed);
            let first = source.alerts.first().copied().map(Box::new);
            source.began_with = source.began_with.take().or(first);
            // Of both there may be many.
            let moved: BTreeSet<AlertId> = alerts.iter().copied().collect();
            source.alerts.retain(|alert| !moved.contains(alert));
            (source.firing, source.burning) = (0, 0);
        }
        if let Some(target) = self.incidents.get_mut(&to) {
            target.alerts.extend(alerts);
            target.firing += counts.0;
            target.burning += counts.1;
            // No alert of it may say so.
            target.urgent_by_hand |= is_urgent;
            target.closed = target.closed.take().or(closed);
            if counts.0 > 0 {
                target.healthy_since = None;
            }
        }
        let last = self.last_of_target.values_mut();
        for known in last.chain(self.last_of_rule.values_mut()) {
            if *known == from {
                *known = to;
            }
        }
        for known in self.open_of_group.values_mut() {
            go_on_in(known, from, to);
        }
    }
}

/// What would join the one incident of a group joins the other, which may be one of the group already.
fn go_on_in(known: &mut Vec<IncidentId>, from: IncidentId, to: IncidentId) {
    if known.contains(&to) {
        known.retain(|id| *id != from);
    }
    for id in known.iter_mut().filter(|id| **id == from) {
        *id = to;
    }
}

pub(super) fn fold_response(incident: &mut Incident, response: &Response, at: Timestamp) {
    match response {
        Response::PartlyAcknowledged { by, .. } => {
            if let Some(paging) = &mut incident.paging {
                paging.each_done.push(*by);
            }
        }
        Response::AcknowledgementEnded { .. } | Response::SnoozeEnded => {
            trigger_again(incident, at)
        }
        Response::PassedOn { to, .. } => pass_on(incident, *to, at),
        Response::Snoozed { by, until } => {
            incident.status = Status::Acknowledged;
            incident.acknowledged = Some((Some(*by), at));
            incident.acknowledgement_ends_at = None;
            incident.snoozed_until = Some(*until);
            incident.hold = None;
            stop_escalation(incident);
        }
        Response::SnoozeCancelled { ends_at } => {
            incident.snoozed_until = None;
            incident.acknowledgement_ends_at = *ends_at;
        }
        Response::Reassigned { to } => {
            page_anew(incident);
            incident.hold = None;
            incident.assigned = Some(to.clone());
        }
        Response::EscalatedByHand { spared } => escalate_by_hand(incident, spared, at),
        Response::RespondersRequested {
            people,
            policy,
            message,
            level,
            ..
        } => {
            let level = policy.zip(level.as_ref());
            ask_for_help(incident, people, message, level, at);
        }
        Response::ResponderAnswered { user, accepted } => {
            let mut asked = incident.responders.iter_mut();
            if let Some(responder) = asked.find(|known| known.user == *user) {
                responder.answer = Some((*accepted, at));
            }
        }
        Response::Merged {
            source,
            severity,
            urgency,
            pages,
            ..
        } => {
            incident.merged.push(*source);
            incident.severity = *severity;
            incident.urgency = *urgency;
            incident.low_by_hand &= *urgency == Urgency::Low;
            if *pages {
                page_anew(incident);
                incident.hold = None;
            }
        }
        Response::MergedInto { into, .. } => incident.merged_into = Some(*into),
        Response::PrioritySet { priority } => incident.priority.clone_from(priority),
        Response::TitleSet { title } => {
            incident.title.clone_from(title);
            incident.titled_by_hand = true;
        }
        Response::UrgencySet { urgency } => set_urgency(incident, *urgency),
    }
}

/// Whose pages are meant since it was given to somebody else last.
pub(super) fn keep_given(incident: &mut Incident, what: &IncidentWhat, position: u64) {
    if let IncidentWhat::Response(Response::Reassigned { .. }) = what {
        incident.given = Some(Box::new(Given {
            event: position,
            called: Vec::new(),
        }));
    }
    if let IncidentWhat::LevelReached { recipients, .. }
    | IncidentWhat::FallbackReached { recipients, .. } = what
        && let Some(given) = &mut incident.given
    {
        given.call(recipients);
    }
}

fn set_urgency(incident: &mut Incident, urgency: Urgency) {
    incident.urgency = urgency;
    incident.urgent_by_hand = urgency == Urgency::High;
    incident.low_by_hand = urgency == Urgency::Low;
    if urgency == Urgency::Low {
        incident.paging = None;
        incident.hold = None;
    }
}

/// Whoever was asked already counts for the level of a policy that names them too, and is not asked anew.
fn ask_for_help(
    incident: &mut Incident,
    people: &[UserId],
    message: &str,
    level: Option<(PolicyId, &AskedLevel)>,
    at: Timestamp,
) {
    for user in people {
        let mut known = incident.responders.iter();
        let place = known.position(|known| known.user == *user);
        let known = place.map(|place| incident.responders.remove(place));
        let named = level.filter(|(_, level)| level.people.contains(user));
        let named = named.map(|(policy, level)| (policy, level.index));
        let also = known.as_ref().map(|known| asked_also(known, named));
        // Whom a policy has asked, and who is asked by name now, is still asked by the policy too.
        let kept = known.filter(|known| named.is_none() && known.level.is_some());
        incident.responders.push(Responder {
            user: *user,
            asked_at: at,
            // Put in where the clock is known.
            asked_set_back_ms: 0,
            // Put in where who did it is known.
            asked_by: None,
            message: message.to_owned(),
            answer: None,
            level: named.or_else(|| kept.as_ref()?.level),
            by_policy: kept.map(PolicyRequest::of),
            also: also.unwrap_or_default(),
        });
    }
    let Some((policy, level)) = level else {
        return;
    };
    for known in &mut incident.responders {
        let counts = level.people.contains(&known.user) && !people.contains(&known.user);
        if counts && known.level.is_none_or(|(of, _)| of == policy) {
            known.level = Some((policy, level.index));
            known.by_policy = None;
        } else if counts {
            known.also.retain(|one| one.level.0 != policy);
            known.also.push(AlsoAsked {
                level: (policy, level.index),
                request: PolicyRequest {
                    at: known.asked_at,
                    set_back_ms: known.asked_set_back_ms,
                    message: message.to_owned(),
                    answered: known.answer.is_some(),
                },
            });
        }
    }
}

/// By which other policies somebody is still asked who is asked anew now, by this level of a policy or by name.
fn asked_also(known: &Responder, now: Option<(PolicyId, usize)>) -> Vec<AlsoAsked> {
    let mut also = known.also.clone();
    for one in &mut also {
        one.request.answered |= known.answer.is_some();
    }
    // By name, the policy that asked them last stays where it is.
    if let Some((policy, _)) = now {
        let last = known.level.map(|level| AlsoAsked {
            level,
            request: PolicyRequest::of(known.clone()),
        });
        also.extend(last);
        also.retain(|one| one.level.0 != policy);
    }
    also
}

/// Nobody has it any more: the level that was reached is paged again.
fn trigger_again(incident: &mut Incident, at: Timestamp) {
    incident.status = Status::Triggered;
    incident.acknowledged = None;
    incident.forget_acknowledgers();
    incident.acknowledgement_ends_at = None;
    incident.snoozed_until = None;
    if let Some(paging) = &mut incident.paging {
        paging.next_at = Some(at);
        paging.again = true;
        paging.each_done.clear();
        paging.each_before.clear();
    }
}

/// The level after the one that was reached is due now. Whoever did their part is not rung for it again, and has not taken what was
/// escalated either. After the people it was given to, that is the policy's first, unless they are gone and it follows that already.
fn escalate_by_hand(incident: &mut Incident, spared: &[UserId], at: Timestamp) {
    let paging = incident.paging.take();
    page_anew(incident);
    incident.hold = None;
    let stands_on = paging.as_ref().and_then(|paging| paging.policy);
    if matches!(incident.assigned, Some(Assigned::People(_))) {
        incident.assigned = None;
        if stands_on.is_none() {
            return;
        }
    }
    incident.paging = paging.map(|mut paging| {
        paging.next_at = Some(at);
        paging.again = false;
        paging.each_done.clear();
        paging.each_before = spared.to_vec();
        paging
    });
}
