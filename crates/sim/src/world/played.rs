//! What the events show that was played: what rules, pauses, planned work, groups, jobs and people did, and which attempts were left
//! to others or not made. It judges nothing.

use tocsin_domain::alert::AlertSource;
use tocsin_domain::event::{
    AlertEvent, Cause, Event, EventBody, IncidentEvent, IncidentWhat, InputEvent, IntakeEvent,
    NotificationWhat, Response, RosterEvent,
};
use tocsin_domain::incident::Assigned;

use super::World;
use crate::ledger::{Ledger, Wait};
use crate::tally::Fault;

impl World {
    /// Counts what an event shows; the second book has not seen it yet.
    pub(super) fn note_played(&mut self, event: &Event) {
        if !self.is_rough {
            return;
        }
        let mut played = Vec::new();
        match &event.body {
            EventBody::Alert(what) => of_alert(&self.ledger, what, event, &mut played),
            EventBody::Incident(what) => {
                let case = self.ledger.cases.get(&what.incident);
                played.extend(of_incident(&what.what, case.map(|case| case.wait)));
                played.extend(of_those_before(&self.ledger, what));
            }
            EventBody::Input(InputEvent::Dropped { .. }) => played.push(Fault::AlertDropped),
            EventBody::Roster(RosterEvent::Intake(what)) => played.extend(of_job(what)),
            EventBody::Notification(what) => played.extend(of_attempt(&what.what)),
            EventBody::Input(InputEvent::Ignored { .. } | InputEvent::Changed { .. })
            | EventBody::Roster(_)
            | EventBody::Installation(_)
            | EventBody::People(_)
            | EventBody::Watch(_) => {}
        }
        for fault in played {
            self.tally.note(fault);
        }
    }
}

fn of_alert(ledger: &Ledger, what: &AlertEvent, event: &Event, played: &mut Vec<Fault>) {
    match what {
        AlertEvent::Opened { alert } => {
            let judged = alert.judged.as_ref();
            let is_own = alert.source.is_own_judge();
            let joined = ledger.cases.get(&alert.incident).map(|case| case.members);
            let grouped = judged.is_some_and(|judged| judged.group.is_some());
            let is_missed = matches!(alert.source, AlertSource::Heartbeat { .. })
                && alert.title.ends_with("in time");
            let shown = [
                (alert.sent_to.is_some(), Fault::AlertRouted),
                (alert.suppressed().is_some(), Fault::AlertSuppressed),
                (alert.hold.is_some() && !is_own, Fault::AlertPaused),
                (alert.hold.is_some() && is_own, Fault::AlertHeld),
                (grouped && joined > Some(0) && !is_own, Fault::AlertGrouped),
                (is_missed, Fault::CallMissed),
                (
                    matches!(alert.source, AlertSource::Alertmanager { .. }),
                    Fault::AlertLabelled,
                ),
                (
                    ledger.is_covered(alert, event.recorded_at),
                    Fault::AlertCovered,
                ),
            ];
            played.extend(shown.into_iter().filter(|(it, _)| *it).map(|(_, one)| one));
        }
        AlertEvent::Repeated {
            alert, severity, ..
        } => {
            let known = ledger.alerts.get(alert);
            let waits = known.filter(|known| known.waits > Some(event.recorded_at));
            if let Some(known) = waits {
                played.push(if *severity > known.severity {
                    Fault::PausedWorsens
                } else {
                    Fault::PausedRepeats
                });
            }
        }
        AlertEvent::Recovered { alert, .. } => {
            let known = ledger.alerts.get(alert);
            if known.is_some_and(|known| known.waits > Some(event.recorded_at)) {
                played.push(Fault::PausedRecovers);
            }
            if matches!(event.cause, Cause::Due { .. }) {
                played.push(Fault::AlertRunsOut);
            }
        }
    }
}

fn of_incident(what: &IncidentWhat, before: Option<Wait>) -> Option<Fault> {
    match what {
        IncidentWhat::LevelReached { .. } => match before {
            Some(Wait::Quiet(_)) => Some(Fault::CoverEnds),
            Some(Wait::Hold(_)) => Some(Fault::PauseEnds),
            Some(Wait::Nothing | Wait::Level { .. }) | None => None,
        },
        IncidentWhat::UrgencySet { alerts, .. } if !alerts.is_empty() => Some(Fault::HoursBegin),
        IncidentWhat::Response(Response::Merged { .. }) => Some(Fault::Merged),
        IncidentWhat::Response(Response::Snoozed { .. }) => Some(Fault::Snoozed),
        IncidentWhat::Response(Response::Reassigned {
            to: Assigned::Policy(_),
        }) => Some(Fault::GivenToPolicy),
        IncidentWhat::Response(Response::Reassigned { .. }) => Some(Fault::Reassigned),
        IncidentWhat::Response(Response::EscalatedByHand { .. }) => Some(Fault::Escalated),
        IncidentWhat::Response(_)
        | IncidentWhat::Opened { .. }
        | IncidentWhat::Raised { .. }
        | IncidentWhat::UrgencySet { .. }
        | IncidentWhat::PageHeld { .. }
        | IncidentWhat::PageSuppressed { .. }
        | IncidentWhat::QuietEnded
        | IncidentWhat::FallbackReached { .. }
        | IncidentWhat::Acknowledged { .. }
        | IncidentWhat::NoteAdded { .. }
        | IncidentWhat::Recovered { .. }
        | IncidentWhat::Relapsed { .. }
        | IncidentWhat::Resolved { .. }
        | IncidentWhat::EvidenceFrozen { .. } => None,
    }
}

/// What is done about an incident beside what was done about it or others before.
fn of_those_before(ledger: &Ledger, event: &IncidentEvent) -> Option<Fault> {
    let id = event.incident;
    if let IncidentWhat::LevelReached {
        policy: Some(policy),
        level,
        round,
        turn: Some(_),
        ..
    } = &event.what
    {
        let is_played = ledger.repeats_turn(id, *policy, (*level, *round));
        return is_played.then_some(Fault::TurnRepeated);
    }
    let is_given = matches!(
        event.what,
        IncidentWhat::Response(Response::Reassigned { .. })
    );
    (is_given && ledger.is_being_sent(id)).then_some(Fault::ReassignedUnderWay)
}

/// What an attempt left to the next account, where it is tried on, and what was not sent.
fn of_attempt(what: &NotificationWhat) -> Option<Fault> {
    let NotificationWhat::AttemptFinished {
        retry_at,
        not_tried,
        via,
        ..
    } = what
    else {
        return None;
    };
    let is_left = via.as_ref().is_some_and(|via| via.elsewhere) && retry_at.is_some();
    if *not_tried {
        Some(Fault::NotTried)
    } else {
        is_left.then_some(Fault::AccountLeft)
    }
}

fn of_job(what: &IntakeEvent) -> Option<Fault> {
    match what {
        IntakeEvent::HeartbeatFailed { .. } => Some(Fault::JobFailed),
        IntakeEvent::HeartbeatStarted { .. } => Some(Fault::JobStarted),
        IntakeEvent::HeartbeatsSpared { .. } => Some(Fault::CallSpared),
        IntakeEvent::RulesSet { .. }
        | IntakeEvent::WindowSet { .. }
        | IntakeEvent::WindowEnded { .. }
        | IntakeEvent::WindowRemoved { .. }
        | IntakeEvent::HeartbeatSet { .. }
        | IntakeEvent::HeartbeatRemoved { .. }
        | IntakeEvent::HeartbeatCalled { .. }
        | IntakeEvent::AlertsSpared { .. } => None,
    }
}
