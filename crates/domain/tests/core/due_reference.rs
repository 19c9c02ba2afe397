//! When something is due, worked out anew from every incident and message: slow, obvious, and what the ordered index of the
//! state is compared with after each command.

use tocsin_domain::incident::{Incident, RESOLVE_AFTER_HEALTHY_MS, Status};
use tocsin_domain::page::{ATTEMPT_DEADLINE_MS, Delivery, Notification, Purpose};
use tocsin_domain::people::Urgency;
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;

pub(crate) fn check(state: &State) {
    for incident in state.incidents.values() {
        let alerts = incident.alerts.iter().map(|id| &state.alerts[id]);
        let firing: Vec<_> = alerts
            .filter(|alert| alert.recovered_at.is_none())
            .collect();
        assert_eq!(incident.firing as usize, firing.len());
        let burning = firing
            .iter()
            .filter(|alert| alert.severity.urgency() == Urgency::High);
        assert_eq!(incident.burning as usize, burning.count());
    }
    let incidents = state.incidents.values().filter_map(incident_due);
    let messages = state
        .notifications
        .values()
        .filter_map(|message| message_due(state, message));
    assert_eq!(state.next_due(), incidents.chain(messages).min());
}

fn incident_due(incident: &Incident) -> Option<Timestamp> {
    if incident.status == Status::Resolved {
        return None;
    }
    if let Some(since) = incident.healthy_since {
        return Some(since.plus_ms(RESOLVE_AFTER_HEALTHY_MS));
    }
    let asks = incident.status == Status::Triggered && incident.urgency == Urgency::High;
    if !asks || incident.burning == 0 {
        return None;
    }
    let held = incident.hold.as_ref().map(|hold| hold.until);
    let quiet = incident.suppressed.as_ref().map(|(_, until)| *until);
    held.or(quiet).or(match &incident.paging {
        None => Some(incident.opened_at),
        Some(paging) => paging.next_at,
    })
}

fn message_due(state: &State, message: &Notification) -> Option<Timestamp> {
    let rests = match message.purpose {
        Purpose::Page(incident) => {
            let incident = &state.incidents[&incident];
            let unanswered = incident.status == Status::Triggered && incident.suppressed.is_none();
            let tells = |other: &Notification| matches!(other.state, Delivery::Together { by } if by == message.id);
            unanswered && incident.burning == 0 && !state.notifications.values().any(tells)
        }
        Purpose::Notice(_) | Purpose::Resolved(_) | Purpose::Test | Purpose::Word(_) => false,
    };
    match message.state {
        Delivery::Due { at } => (!rests).then_some(at),
        Delivery::Sending { since } => Some(since.plus_ms(ATTEMPT_DEADLINE_MS)),
        Delivery::Together { .. }
        | Delivery::Delivered { .. }
        | Delivery::Failed { .. }
        | Delivery::Cancelled { .. } => None,
    }
}
