//! When something is due, worked out anew from every incident and message: slow, obvious, and what the ordered index of the
//! state is compared with after each command.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use tocsin_domain::alert::{Alert, AlertSource};
use tocsin_domain::id::NotificationId;
use tocsin_domain::incident::{Incident, RESOLVE_AFTER_HEALTHY_MS, Status};
use tocsin_domain::intake::{Loudness, Pulse, SupportHours, UrgencyBy};
use tocsin_domain::monitor::Severity;
use tocsin_domain::oncall::Hours;
use tocsin_domain::page::{ATTEMPT_DEADLINE_MS, Delivery, Notification, Purpose};
use tocsin_domain::people::{ChannelKind, Urgency};
use tocsin_domain::state::{Listed, State};
use tocsin_domain::time::Timestamp;

/// Milliseconds of an hour.
const HOUR_MS: i64 = 3_600_000;

pub(crate) fn check(state: &State) {
    for incident in state.incidents.values() {
        let own = state.alerts.values();
        let own = own.filter(|alert| alert.incident == incident.id);
        assert_eq!(incident.alerts.len(), own.count());
        let alerts = incident.alerts.iter().map(|id| &state.alerts[id]);
        let firing: Vec<_> = alerts
            .filter(|alert| alert.recovered_at.is_none())
            .collect();
        assert_eq!(incident.firing as usize, firing.len());
        let burning = firing
            .iter()
            .filter(|alert| urgency_of(alert) == Urgency::High);
        assert_eq!(incident.burning as usize, burning.count());
        let active = state.messages_about(incident.id);
        let active = active.filter(|message| state.active_notifications.contains(&message.id));
        let known = state.active_about(incident.id).map(|message| message.id);
        assert!(known.eq(active.map(|message| message.id)));
        assert_eq!(
            state.numbers.get(incident.number),
            Some(&Listed::of(incident))
        );
    }
    assert_eq!(state.numbers.all().len(), state.incidents.len());
    assert_eq!(state.numbers.open().count(), state.open_incidents.len());
    let incidents = state
        .incidents
        .values()
        .flat_map(|incident| [incident_due(incident), raised(state, incident)])
        .flatten();
    let messages = state
        .notifications
        .values()
        .filter_map(|message| message_due(state, message));
    let silent = state
        .alerts
        .values()
        .filter_map(|alert| silent(state, alert));
    let missed = state
        .pulses
        .values()
        .filter_map(|pulse| missed(state, pulse));
    for message in state.notifications.values() {
        let mut along = state.told_along(message.id);
        assert_eq!(state.tells_along(message.id), along.next().is_some());
    }
    let owed = state.notifications.values().filter_map(receipt_due);
    let owed: BTreeMap<NotificationId, Timestamp> = owed.collect();
    let known: BTreeSet<NotificationId> = state.receipts_owed().collect();
    assert_eq!(known, owed.keys().copied().collect());
    let all = incidents.chain(messages).chain(silent).chain(missed);
    let all = all.chain(owed.into_values());
    assert_eq!(state.next_due(), all.min());
}

fn urgency_of(alert: &Alert) -> Urgency {
    alert.urgency.unwrap_or(alert.severity.urgency())
}

/// When an alert that is not urgent becomes so, since support hours begin.
fn raised(state: &State, incident: &Incident) -> Option<Timestamp> {
    if incident.status != Status::Triggered || incident.healthy_since.is_some() {
        return None;
    }
    let begins = |alert: &Alert| {
        let settings = &state.services[&alert.service].intake.urgency;
        let UrgencyBy::SupportHours(support) = settings else {
            return None;
        };
        let asks = match support.during {
            Loudness::High => true,
            Loudness::Low => false,
            Loudness::Severity => alert.severity >= Severity::Error,
        };
        if !support.raise || !asks {
            return None;
        }
        // Hours that were over before anybody could be asked raise nothing any more.
        let passed = incident.hours_passed_at;
        let passed = passed.filter(|at| support.hours.around(*at).is_none());
        // As long ago as it is, however often the clock was set back since.
        let later_ms = state.clock.set_back_ms - alert.set_back_ms;
        // Hours that began before it was told of have had their chance.
        let told_at = alert.taken_at.max(Some(alert.opened_at))?;
        let told_at = Some(told_at.minus_ms(later_ms)).max(passed)?;
        let first = told_at.as_millis().div_euclid(HOUR_MS);
        begin_after(first, support)
    };
    let alerts = incident.alerts.iter().map(|id| &state.alerts[id]);
    alerts
        .filter(|alert| alert.recovered_at.is_none() && urgency_of(alert) == Urgency::Low)
        .filter(|alert| {
            let judged = alert.judged.as_ref();
            judged.is_none_or(|judged| judged.suppressed.is_none())
        })
        .filter_map(begins)
        .min()
}

/// When support hours begin, by the full hour after which that is.
type Begins = BTreeMap<i64, Option<Timestamp>>;

thread_local! {
    /// The tests have few support hours, so what was found once is not looked for again.
    static FOUND: RefCell<Vec<(Hours, Begins)>> = RefCell::default();
}

/// The first full hour after this one at which support hours begin: found by looking at each.
fn begin_after(first: i64, support: &SupportHours) -> Option<Timestamp> {
    FOUND.with_borrow_mut(|found| {
        let known = found.iter().position(|(hours, _)| *hours == support.hours);
        let place = known.unwrap_or_else(|| {
            found.push((support.hours.clone(), BTreeMap::new()));
            found.len() - 1
        });
        *found[place].1.entry(first).or_insert_with(|| {
            let hour = |count: i64| Timestamp::from_millis(count * HOUR_MS);
            let is_within = |count: i64| support.hours.around(hour(count)).is_some();
            let mut hours = first + 1..first + 200;
            let begin = hours.find(|one| is_within(*one) && !is_within(*one - 1));
            begin.map(hour)
        })
    })
}

fn silent(state: &State, alert: &Alert) -> Option<Timestamp> {
    let outside = matches!(
        alert.source,
        AlertSource::Api | AlertSource::EventsV2 { .. } | AlertSource::Alertmanager { .. }
    );
    if !outside || alert.recovered_at.is_some() {
        return None;
    }
    let after_ms = state.services[&alert.service].intake.resolve_after_ms;
    let silent = after_ms.map(|ms| alert.heard_at.expect("it was heard").plus_ms(ms));
    match (silent, alert.ends_at) {
        (Some(silent), Some(ends_at)) => Some(silent.min(ends_at)),
        (silent, ends_at) => silent.or(ends_at),
    }
}

fn missed(state: &State, pulse: &Pulse) -> Option<Timestamp> {
    let id = pulse.heartbeat.id;
    let mut alerts = state.alerts.values();
    let fires = alerts.any(|alert| {
        alert.source == AlertSource::Heartbeat { heartbeat: id } && alert.recovered_at.is_none()
    });
    let every_ms = pulse.heartbeat.every_ms;
    let called = pulse.called_at.map(|at| at.plus_ms(every_ms));
    let spared = pulse.spared_at.map(|at| at.plus_ms(every_ms));
    let latest = match (called, pulse.started_at) {
        (None, started) => started,
        (Some(called), started) => {
            let all = [Some(called), spared, started];
            all.into_iter().flatten().max()
        }
    };
    latest
        .filter(|_| !fires)
        .map(|at| at.plus_ms(pulse.heartbeat.grace_ms))
}

fn incident_due(incident: &Incident) -> Option<Timestamp> {
    if incident.status == Status::Resolved {
        return None;
    }
    if let Some(since) = incident.healthy_since {
        return Some(since.plus_ms(RESOLVE_AFTER_HEALTHY_MS));
    }
    if incident.snoozed_until.is_some() {
        assert_eq!(incident.status, Status::Acknowledged);
        return incident.snoozed_until;
    }
    let quiet = incident.suppressed.as_ref().map(|(_, until)| *until);
    let is_taken = incident.status == Status::Acknowledged;
    if incident.urgency == Urgency::Low {
        let ends_at = incident.acknowledgement_ends_at;
        let at = if is_taken { ends_at } else { quiet };
        return at.filter(|_| incident.firing > 0);
    }
    if !burns(incident) {
        return None;
    }
    if is_taken {
        return incident.acknowledgement_ends_at;
    }
    let held = incident.hold.as_ref().map(|hold| hold.until);
    held.or(quiet).or(match &incident.paging {
        // At once, also after the clock was set back.
        None => Some(Timestamp::from_micros(i64::MIN)),
        Some(paging) => paging.next_at,
    })
}

/// Something that pages fails, or a person said that what fails pages.
fn burns(incident: &Incident) -> bool {
    incident.burning > 0 || (incident.urgent_by_hand && incident.firing > 0)
}

fn message_due(state: &State, message: &Notification) -> Option<Timestamp> {
    let rests = match message.purpose {
        Purpose::Page(incident) => {
            let incident = &state.incidents[&incident];
            let asks = incident.status == Status::Triggered && incident.urgency == Urgency::High;
            let tells = |other: &Notification| matches!(other.state, Delivery::Together { by } if by == message.id);
            asks && incident.suppressed.is_none()
                && !burns(incident)
                && !state.notifications.values().any(tells)
        }
        Purpose::Notice(_)
        | Purpose::Request(_)
        | Purpose::Resolved(_)
        | Purpose::Acknowledged(_)
        | Purpose::Test
        | Purpose::Word(_) => false,
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

/// When the receipt of a text or a call counts as lost: a minute after the provider took it and gave it a name.
fn receipt_due(message: &Notification) -> Option<(NotificationId, Timestamp)> {
    let by_phone = [ChannelKind::Sms, ChannelKind::Voice].contains(&message.channel);
    let last = message.attempts.last()?;
    let owed = by_phone && last.reference.is_some() && last.receipt.is_none();
    let Delivery::Delivered { at } = message.state else {
        return None;
    };
    owed.then(|| (message.id, at.plus_ms(60_000)))
}
