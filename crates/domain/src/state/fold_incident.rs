//! Folds events about incidents.

use super::State;
use super::fold_acknowledgers::keep_acknowledgers;
use super::fold_response::{fold_response, keep_given};
use crate::bugs::{self, Bug};
use crate::event::{Actor, Event, IncidentEvent, IncidentWhat, Response};
use crate::id::UserId;
use crate::incident::{ENGAGED_MAX, Incident, Paging, Status};
use crate::people::Urgency;
use crate::time::Timestamp;

impl State {
    pub(super) fn evolve_incident(&mut self, event: &IncidentEvent, envelope: &Event) {
        let at = envelope.at;
        let set_back_ms = self.clock.set_back_by(at, envelope.recorded_at);
        if let IncidentWhat::Opened {
            number,
            team,
            service,
            target,
            title,
            severity,
            onset,
        } = &event.what
        {
            let incident = Incident {
                number: *number,
                target: *target,
                title: title.clone(),
                onset: onset.clone(),
                opened_set_back_ms: set_back_ms,
                paging_event: envelope.position,
                opened_event: Some(envelope.position),
                ..Incident::fresh(event.incident, *team, *service, *severity, at)
            };
            self.last_number = *number;
            self.count_opened(*service, *severity, at, event.incident);
            self.last_opened.insert(*service, at);
            self.open_incidents.insert(event.incident);
            if let Some(target) = target {
                self.last_of_target.insert(*target, event.incident);
            }
            self.incidents.insert(event.incident, incident);
            return;
        }
        if let IncidentWhat::Response(Response::Merged { source, alerts, .. }) = &event.what {
            self.move_alerts(*source, event.incident, alerts);
            self.note_joined(*source, envelope.position);
        }
        self.pass_turn(event);
        self.note_return(event.incident, &event.what, envelope.position);
        let Some(incident) = self.incidents.get_mut(&event.incident) else {
            return;
        };
        fold_known(incident, &event.what, envelope, set_back_ms);
        self.fold_urgency(event);
        self.fold_end_of_groups(event);
        let Some(incident) = self.incidents.get_mut(&event.incident) else {
            return;
        };
        if bears_on_paging(&event.what) {
            incident.paging_event = envelope.position;
        }
        if incident.is_open() {
            self.open_incidents.insert(event.incident);
        } else {
            self.open_incidents.remove(&event.incident);
        }
    }

    /// An incident has this turn on a level that pages one target in turn; whose is next? What comes to a level again in the same round
    /// has the turn that it had, which was passed on then. Where that target cannot be reached any more, others are passed on the way to
    /// this one: they have had their turns too, but for those to whom other incidents gave one in between.
    fn pass_turn(&mut self, event: &IncidentEvent) {
        let IncidentWhat::LevelReached {
            policy: Some(policy),
            level,
            round,
            turn: Some(turn),
            ..
        } = &event.what
        else {
            return;
        };
        let (policy, level, round, turn) = (*policy, *level, *round, *turn);
        let place = (policy, level);
        let known = self.incidents.get(&event.incident);
        let paging = known.and_then(|incident| incident.paging.as_ref());
        let same = paging.filter(|paging| {
            paging.policy == Some(policy) && (paging.level, paging.round) == (level, round)
        });
        let before = same.and_then(|paging| paging.turn);
        let levels = self.policies.get(&policy).map(|policy| &policy.levels);
        let count = levels.and_then(|levels| Some(levels.get(level)?.targets.len()));
        if let (Some(before), Some(next), Some(count)) = (before, self.turns.get(&place), count)
            && count > 0
        {
            let passed = |until: usize| (until + count - before % count) % count;
            let given = passed(next + count - 1);
            if passed(turn) <= given && !bugs::on(Bug::TurnMovesBack) {
                return;
            }
        }
        self.turns.insert(place, turn + 1);
    }
}

/// Folds what happened to an incident that was opened before, as far as it is about that alone.
fn fold_known(incident: &mut Incident, what: &IncidentWhat, envelope: &Event, set_back_ms: u64) {
    let (at, actor) = (envelope.at, &envelope.actor);
    let before = (incident.status, incident.acknowledged);
    let had = incident.holder();
    fold_open_incident(incident, what, at);
    keep_standing(incident, before, what, at);
    keep_clock(incident, what, set_back_ms);
    keep_channel(incident, what, actor, had.is_some());
    keep_asker(incident, what, actor);
    keep_resolver(incident, what, actor);
    keep_engaged(incident, what, at);
    keep_acknowledgers(incident, had, what, envelope);
    keep_given(incident, what, envelope.position);
}

/// When its status changed last, or was said anew: what is taken by the first one who is known is taken since then.
fn keep_standing(
    incident: &mut Incident,
    before: (Status, Option<(Option<UserId>, Timestamp)>),
    what: &IncidentWhat,
    at: Timestamp,
) {
    let says_status = matches!(
        what,
        IncidentWhat::Resolved { .. } | IncidentWhat::Response(Response::Snoozed { .. })
    );
    if says_status || (incident.status, incident.acknowledged) != before {
        incident.status_set_at = at;
    }
}

/// By which channel it was taken, if by one. What was somebody's already is not taken by who acknowledges it again.
fn keep_channel(incident: &mut Incident, what: &IncidentWhat, actor: &Actor, was_theirs: bool) {
    let is_snoozed = matches!(what, IncidentWhat::Response(Response::Snoozed { .. }));
    let is_acknowledged = matches!(what, IncidentWhat::Acknowledged { .. });
    if is_snoozed || (is_acknowledged && !was_theirs) {
        incident.acknowledged_through = actor.channel();
    }
}

/// Who asked those who were asked to help now.
fn keep_asker(incident: &mut Incident, what: &IncidentWhat, actor: &Actor) {
    if let IncidentWhat::Response(Response::RespondersRequested {
        people, asked_by, ..
    }) = what
    {
        let by = asked_by.as_deref().unwrap_or(actor);
        let known = incident.responders.iter_mut();
        for asked in known.filter(|one| people.contains(&one.user)) {
            asked.asked_by = Some(by.clone());
        }
    }
}

/// By whose deed it was over, if by a person's.
fn keep_resolver(incident: &mut Incident, what: &IncidentWhat, actor: &Actor) {
    if matches!(what, IncidentWhat::Resolved { .. }) {
        incident.resolved_by = actor.person();
    }
}

/// Who has worked on it, and when it was first acknowledged: also where that counts no longer.
fn keep_engaged(incident: &mut Incident, what: &IncidentWhat, at: Timestamp) {
    let (user, takes) = if let IncidentWhat::Acknowledged { by, .. } = what {
        (*by, true)
    } else if let IncidentWhat::Response(Response::Snoozed { by, .. }) = what {
        (Some(*by), true)
    } else if let IncidentWhat::Response(Response::PartlyAcknowledged { by, .. }) = what {
        (Some(*by), false)
    } else if let IncidentWhat::Response(Response::ResponderAnswered {
        user,
        accepted: true,
    }) = what
    {
        (Some(*user), false)
    } else {
        return;
    };
    let engaged = incident.engaged.get_or_insert_default();
    if takes {
        engaged.acknowledged_at = engaged.acknowledged_at.or(Some(at));
    }
    let people = &mut engaged.people;
    let known = |user: &UserId| people.iter().any(|(known, _)| known == user);
    if let Some(user) = user.filter(|user| !known(user))
        && people.len() < ENGAGED_MAX
    {
        people.push((user, at));
    }
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each thing that can happen"
)]
fn fold_open_incident(incident: &mut Incident, what: &IncidentWhat, at: Timestamp) {
    match what {
        IncidentWhat::Opened { .. } | IncidentWhat::NoteAdded { .. } => {}
        IncidentWhat::Raised {
            title,
            severity,
            urgency,
            onset,
        } => {
            incident.title.clone_from(title);
            incident.severity = *severity;
            incident.urgency = *urgency;
            incident.low_by_hand &= *urgency == Urgency::Low;
            incident.titled_by_hand = false;
            incident.onset.clone_from(onset);
            // What was acknowledged was something lesser.
            page_anew(incident);
        }
        IncidentWhat::UrgencySet {
            urgency,
            hours_passed,
            ..
        } => {
            if *urgency > incident.urgency && incident.status == Status::Triggered {
                // Whatever was planned for something less urgent is not what this needs.
                incident.paging = None;
            }
            incident.urgency = *urgency;
            incident.low_by_hand &= *urgency == Urgency::Low;
            if *hours_passed {
                incident.hours_passed_at = Some(at);
            }
        }
        IncidentWhat::PageHeld { hold } => {
            incident.hold = Some(hold.clone());
            // What was quiet until now is so no longer. What is still quiet stays so, beside what waits.
            let quiet = incident.suppressed.as_ref();
            if quiet.is_some_and(|(_, until)| *until <= at) {
                incident.suppressed = None;
                incident.flapping = false;
            }
        }
        IncidentWhat::PageSuppressed {
            why,
            until,
            flapping,
        } => {
            incident.hold = None;
            incident.paging = None;
            incident.suppressed = Some((why.clone(), *until));
            incident.flapping = *flapping;
        }
        IncidentWhat::QuietEnded => {
            incident.suppressed = None;
            incident.flapping = false;
        }
        IncidentWhat::LevelReached {
            policy,
            level,
            round,
            recipients,
            next_at,
            turn,
            each,
            ..
        } => {
            let before = incident.paging.take();
            let before = before.filter(|paging| !paging.exhausted);
            let policy_changed = before
                .as_ref()
                .is_some_and(|paging| paging.policy_changed || paging.policy != *policy);
            let same_round = before
                .as_ref()
                .filter(|paging| paging.policy == *policy && paging.round == *round);
            let named_before =
                same_round.map_or_else(Vec::new, |paging| paging.named_before.clone());
            let (mut each_of, each_done, each_before) = before
                .map(|paging| (paging.each_of, paging.each_done, paging.each_before))
                .unwrap_or_default();
            if *each {
                each_of.extend(recipients);
            }
            let paging = Paging {
                policy: *policy,
                level: *level,
                round: *round,
                next_at: Some(*next_at),
                exhausted: false,
                recipients: recipients.clone(),
                reached_at: at,
                circle: 0,
                again: false,
                turn: *turn,
                each_of,
                each_done,
                each_before,
                policy_changed,
                goes_on_at: None,
                stands_at: None,
                named_before,
            };
            start_paging(incident, paging, at);
        }
        IncidentWhat::FallbackReached {
            recipients,
            next_at,
            circle,
            ..
        } => {
            let before = incident.paging.as_ref();
            // A wider circle adds to the round, so that nobody is asked twice in it.
            let widened = before.filter(|paging| paging.exhausted && *circle > 0);
            let mut asked = widened.map_or_else(Vec::new, |paging| paging.recipients.clone());
            asked.extend(recipients);
            let paging = Paging {
                policy: before.and_then(|paging| paging.policy),
                level: before.map_or(0, |paging| paging.level),
                round: before.map_or(0, |paging| paging.round),
                next_at: (!bugs::on(Bug::FallbackOnlyOnce)).then_some(*next_at),
                exhausted: true,
                recipients: asked,
                reached_at: at,
                circle: *circle,
                again: false,
                turn: None,
                // Whoever takes it from the last resort takes it for all.
                each_of: Vec::new(),
                each_done: Vec::new(),
                each_before: Vec::new(),
                policy_changed: false,
                // More of the same round does not wait for a policy that was changed; the next round does.
                goes_on_at: widened.and_then(|paging| paging.goes_on_at),
                stands_at: None,
                named_before: before.map_or_else(Vec::new, |paging| paging.named_before.clone()),
            };
            start_paging(incident, paging, at);
        }
        IncidentWhat::Acknowledged { by, ends_at, .. } => {
            // Whoever has it keeps it: who acknowledges after them puts off its end alone.
            if incident.holder().is_none() {
                incident.acknowledged = Some((*by, at));
            }
            incident.status = Status::Acknowledged;
            incident.acknowledgement_ends_at = *ends_at;
            incident.hold = None;
            stop_escalation(incident);
            count_part(incident, *by);
        }
        IncidentWhat::Recovered { .. } => incident.healthy_since = Some(at),
        IncidentWhat::Relapsed {
            reopened,
            pages,
            urgent,
            afresh,
            failing,
            by_hand,
        } => {
            incident.relapses += u32::from(*urgent && !*by_hand);
            if *afresh {
                incident.relapses_forgotten = incident.relapses;
            }
            incident.healthy_since = None;
            incident.closed = None;
            incident.resolved_at = None;
            if let Some(failing) = failing {
                incident.titled_by_hand &= incident.title == failing.title;
                incident.title.clone_from(&failing.title);
                incident.severity = failing.severity;
                incident.urgency = failing.severity.urgency();
                incident.urgent_by_hand = false;
                incident.low_by_hand = false;
                incident.onset.clone_from(&failing.onset);
            }
            let forgets = bugs::on(Bug::AcknowledgementLostAtReturn);
            if *reopened || *pages || failing.is_some() || forgets {
                incident.evidence = None;
                // A reason to wait was one of the failure before.
                incident.hold = None;
                page_anew(incident);
            }
        }
        IncidentWhat::Resolved { .. } => {
            incident.status = Status::Resolved;
            incident.resolved_at = Some(at);
            incident.hold = None;
            incident.acknowledgement_ends_at = None;
            incident.snoozed_until = None;
            incident.hours_passed_at = None;
            incident.forget_acknowledgers();
            stop_escalation(incident);
        }
        IncidentWhat::EvidenceFrozen { sha256, .. } => incident.evidence = Some(sha256.clone()),
        IncidentWhat::Response(response) => fold_response(incident, response, at),
    }
}

/// What is counted from now on is kept with how far the clock had been set back.
fn keep_clock(incident: &mut Incident, what: &IncidentWhat, set_back_ms: u64) {
    if matches!(what, IncidentWhat::Resolved { .. }) {
        incident.resolved_set_back_ms = set_back_ms;
    }
    if let IncidentWhat::Response(Response::RespondersRequested { people, .. }) = what {
        let known = incident.responders.iter_mut();
        for asked in known.filter(|one| people.contains(&one.user)) {
            asked.asked_set_back_ms = set_back_ms;
        }
    }
}

/// Whatever was done about something lesser or earlier does not count for what fails now.
pub(super) fn page_anew(incident: &mut Incident) {
    incident.status = Status::Triggered;
    incident.acknowledged = None;
    incident.forget_acknowledgers();
    incident.acknowledgement_ends_at = None;
    incident.snoozed_until = None;
    incident.paging = None;
    incident.suppressed = None;
    incident.flapping = false;
}

fn start_paging(incident: &mut Incident, paging: Paging, at: Timestamp) {
    incident.hold = None;
    incident.suppressed = None;
    incident.flapping = false;
    incident.paged_severity = incident.paged_severity.max(Some(incident.severity));
    incident.paged_at = incident.paged_at.or(Some(at));
    incident.paging = Some(paging);
}

pub(super) fn stop_escalation(incident: &mut Incident) {
    if let Some(paging) = &mut incident.paging {
        paging.next_at = None;
        paging.again = false;
    }
}

/// Where each must acknowledge, whoever took it did their part too, as the last of them.
fn count_part(incident: &mut Incident, by: Option<UserId>) {
    let Some((paging, by)) = incident.paging.as_mut().zip(by) else {
        return;
    };
    if paging.each_of.contains(&by) && !paging.each_done.contains(&by) {
        paging.each_done.push(by);
    }
}

/// Whether the next page, if there is one, follows from this.
const fn bears_on_paging(what: &IncidentWhat) -> bool {
    match what {
        IncidentWhat::Opened { .. }
        | IncidentWhat::Raised { .. }
        | IncidentWhat::UrgencySet {
            hours_passed: false,
            ..
        }
        | IncidentWhat::PageHeld { .. }
        | IncidentWhat::PageSuppressed { .. }
        | IncidentWhat::QuietEnded
        | IncidentWhat::LevelReached { .. }
        | IncidentWhat::FallbackReached { .. }
        | IncidentWhat::Relapsed { .. } => true,
        IncidentWhat::Response(response) => response.bears_on_paging(),
        IncidentWhat::UrgencySet {
            hours_passed: true, ..
        }
        | IncidentWhat::Acknowledged { .. }
        | IncidentWhat::NoteAdded { .. }
        | IncidentWhat::Recovered { .. }
        | IncidentWhat::Resolved { .. }
        | IncidentWhat::EvidenceFrozen { .. } => false,
    }
}
