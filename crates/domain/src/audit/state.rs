//! Invariant 2, read from the state: what is urgent and not taken is paged for, and is taken no longer than was said. Indexes and timers
//! of the core are not trusted: every incident and every message is looked at, and the limits are written here a second time.

use std::collections::BTreeMap;

use super::{About, FINDINGS_MAX, Finding, FindingKind, GRACE_MS};
use crate::id::{IncidentId, NotificationId};
use crate::incident::{Incident, Paging, Status};
use crate::monitor::Severity;
use crate::page::{Delivery, Notification, Purpose};
use crate::people::{ChannelKind, SetUp, Urgency};
use crate::state::{State, Subject};
use crate::time::Timestamp;

/// An attempt is over after this long, with an answer or without.
const ATTEMPT_MS_MAX: u64 = 20_000;
/// A provider that owes word of what it took is believed for this long.
const RECEIPT_MS_MAX: u64 = 60_000;
/// The list of last resort is paged this often once a policy is through.
const FALLBACK_MS_MAX: u64 = 15 * 60_000;
/// No level of a policy waits for longer than a day.
const LEVEL_MS_MAX: u64 = 24 * 3_600_000;

/// What is on its way for an incident.
#[derive(Clone, Copy, Debug, Default)]
struct OnItsWay {
    /// An attempt is under way and may still be answered.
    attempt: bool,
    /// A message is due, and not long ago.
    due: bool,
}

/// What is broken; of `set_up`, what messages can leave by, nothing may be known.
pub(super) fn findings(state: &State, now: Timestamp, set_up: Option<&SetUp>) -> Vec<Finding> {
    let (on_its_way, mut found) = messages(state, now);
    let hears = set_up.is_none_or(|set_up| somebody_hears(state, set_up));
    for incident in state.incidents.values() {
        if found.len() >= FINDINGS_MAX {
            break;
        }
        // It is told already, as what it is.
        if state.is_set_aside(Subject::Incident(incident.id)) {
            continue;
        }
        let coming = on_its_way.get(&incident.id).copied().unwrap_or_default();
        if let Some((kind, what)) = broken(state, incident, (coming, hears), now) {
            found.push(Finding {
                kind,
                about: About::Incident(incident.id),
                what: format!("incident #{} {what}", incident.number),
            });
        }
    }
    found
}

/// What is on its way for each incident, and the messages that are late.
fn messages(state: &State, now: Timestamp) -> (BTreeMap<IncidentId, OnItsWay>, Vec<Finding>) {
    let mut on_its_way: BTreeMap<IncidentId, OnItsWay> = BTreeMap::new();
    let mut found = Vec::new();
    for message in state.notifications.values() {
        let (due, receipt) = (Subject::Message(message.id), Subject::Receipt(message.id));
        if state.is_set_aside(due) || state.is_set_aside(receipt) {
            continue;
        }
        let Some(standing) = standing(state, message, now) else {
            continue;
        };
        match (standing, page_of(message)) {
            (Standing::Attempt, Some(incident)) => {
                on_its_way.entry(incident).or_default().attempt = true;
            }
            (Standing::Due, Some(incident)) => {
                on_its_way.entry(incident).or_default().due = true;
            }
            (Standing::Attempt | Standing::Due, None) => {}
            (Standing::Late(kind, what), _) => {
                if found.len() < FINDINGS_MAX {
                    let about = About::Message(message.id);
                    found.push(Finding { kind, about, what });
                }
            }
        }
    }
    (on_its_way, found)
}

/// Where a message stands that is not over.
enum Standing {
    /// An attempt is under way and may still be answered.
    Attempt,
    /// It is due, and not long ago; or what tells it is.
    Due,
    /// It should have been sent, or answered.
    Late(FindingKind, String),
}

fn standing(state: &State, message: &Notification, now: Timestamp) -> Option<Standing> {
    match message.state {
        Delivery::Sending { since } if is_past(since.plus_ms(ATTEMPT_MS_MAX), now) => {
            let what = format!("an attempt that began at {since} got no outcome");
            Some(Standing::Late(FindingKind::AttemptStuck, what))
        }
        Delivery::Sending { .. } => Some(Standing::Attempt),
        Delivery::Due { at } if !is_past(at, now) => Some(Standing::Due),
        Delivery::Due { at } => {
            let rests = page_of(message).is_some_and(|incident| !asks(state, incident));
            let what = format!("a message was due at {at} and was not sent");
            (!rests).then_some(Standing::Late(FindingKind::MessageOverdue, what))
        }
        Delivery::Together { by } => told_by(state, message, by, now),
        Delivery::Delivered { at } => {
            let late = owes_word(message) && is_past(at.plus_ms(RECEIPT_MS_MAX), now);
            let what =
                format!("a provider took a message at {at} and never said what became of it");
            late.then_some(Standing::Late(FindingKind::MessageOverdue, what))
        }
        Delivery::Failed { .. } | Delivery::Cancelled { .. } => None,
    }
}

/// Whether it is a text or a call that came to a phone as far as its provider knows, which is to tell more.
fn owes_word(message: &Notification) -> bool {
    let by_phone = match message.channel {
        ChannelKind::Sms | ChannelKind::Voice => true,
        ChannelKind::Email
        | ChannelKind::Webhook
        | ChannelKind::Ntfy
        | ChannelKind::Slack
        | ChannelKind::Telegram
        | ChannelKind::Pushover
        | ChannelKind::WebPush
        | ChannelKind::PagerDuty => false,
    };
    let last = message.attempts.last();
    by_phone && last.is_some_and(|last| last.reference.is_some() && last.receipt.is_none())
}

/// Where a message stands that another one tells along.
fn told_by(
    state: &State,
    message: &Notification,
    by: NotificationId,
    now: Timestamp,
) -> Option<Standing> {
    let rests = page_of(message).is_some_and(|incident| !asks(state, incident));
    let late = |what: String| Some(Standing::Late(FindingKind::MessageOverdue, what));
    match state.notifications.get(&by).map(|teller| &teller.state) {
        Some(Delivery::Sending { .. }) => Some(Standing::Attempt),
        Some(Delivery::Due { at }) if !is_past(*at, now) => Some(Standing::Due),
        Some(Delivery::Due { at }) if !rests => late(format!(
            "a message was to be told at {at} together with others, and was not sent"
        )),
        Some(Delivery::Due { .. }) => None,
        None
        | Some(
            Delivery::Together { .. }
            | Delivery::Delivered { .. }
            | Delivery::Failed { .. }
            | Delivery::Cancelled { .. },
        ) => late("a message was to be told by another that is over".to_owned()),
    }
}

/// The incident that a message wakes somebody for.
fn page_of(message: &Notification) -> Option<IncidentId> {
    match message.purpose {
        Purpose::Page(incident) => Some(incident),
        Purpose::Notice(_)
        | Purpose::Request(_)
        | Purpose::Resolved(_)
        | Purpose::Acknowledged(_)
        | Purpose::Test
        | Purpose::Word(_) => None,
    }
}

/// Whether anybody at all has proved to be reached by a way that messages can leave by.
fn somebody_hears(state: &State, set_up: &SetUp) -> bool {
    let mut methods = state.users.values().flat_map(|user| &user.contact_methods);
    methods.any(|method| method.verified_at.is_some() && set_up.carries(method))
}

/// What is broken about an incident: the end of a sentence. `hears`: whether anything that is sent could reach anybody.
fn broken(
    state: &State,
    incident: &Incident,
    (coming, hears): (OnItsWay, bool),
    now: Timestamp,
) -> Option<(FindingKind, String)> {
    let is_taken = match incident.status {
        Status::Triggered => false,
        Status::Acknowledged => true,
        Status::Resolved => return None,
    };
    if !is_urgent(incident) || !hurts(state, incident) {
        return None;
    }
    if is_taken {
        return of_taken(incident, now);
    }
    let held = incident.hold.as_ref();
    let held = held.map(|hold| overdue(hold.until, now, "was to wait no longer than until"));
    if let Some((_, until)) = &incident.suppressed {
        // What waits beside what is quiet is due by itself.
        let again = || overdue(*until, now, "was to be paged again at");
        return held.flatten().or_else(again);
    }
    if coming.attempt {
        return None;
    }
    if let Some(held) = held {
        return held;
    }
    match &incident.paging {
        Some(paging) if paging.exhausted && !hears => {
            let what = "pages nobody: nobody can be reached by a channel that is set up".to_owned();
            Some((FindingKind::NobodyReached, what))
        }
        Some(paging) => of_paging(paging, coming, now),
        None if coming.due => None,
        None => {
            let opened_at = incident.opened_at;
            let since = state.clock.counted(opened_at, incident.opened_set_back_ms);
            is_past(since, now).then(|| {
                let what = format!("is urgent since {opened_at}, and nothing is planned for it");
                (FindingKind::Forgotten, what)
            })
        }
    }
}

/// Where it was said until when somebody has it, nobody has it after that. A snooze counts, and not how long an acknowledgement holds.
fn of_taken(incident: &Incident, now: Timestamp) -> Option<(FindingKind, String)> {
    match (incident.snoozed_until, incident.acknowledgement_ends_at) {
        (Some(until), _) => overdue(until, now, "was snoozed until"),
        (None, Some(until)) => overdue(until, now, "was acknowledged until"),
        (None, None) => None,
    }
}

fn of_paging(paging: &Paging, coming: OnItsWay, now: Timestamp) -> Option<(FindingKind, String)> {
    if paging.exhausted && paging.recipients.is_empty() {
        let what = "pages nobody: nobody in this installation can be reached".to_owned();
        return Some((FindingKind::NobodyReached, what));
    }
    let Some(next) = paging.next_at else {
        return (!coming.due).then(|| {
            let what = "was not taken, and nobody else will be paged for it".to_owned();
            (FindingKind::Forgotten, what)
        });
    };
    let wait_ms = next.ms_since(paging.reached_at);
    if paging.exhausted && wait_ms > FALLBACK_MS_MAX + GRACE_MS {
        let what = format!("pages the list of last resort only at {next} again");
        return Some((FindingKind::FallbackLate, what));
    }
    if wait_ms > LEVEL_MS_MAX + GRACE_MS {
        let what = format!("pages nobody further before {next}");
        return Some((FindingKind::TooLate, what));
    }
    overdue(next, now, "was to be escalated at")
}

fn overdue(due: Timestamp, now: Timestamp, what: &str) -> Option<(FindingKind, String)> {
    is_past(due, now).then(|| {
        let what = format!("{what} {due}, and nothing happened");
        (FindingKind::Overdue, what)
    })
}

/// Whether a page that waits for its time is waited for: nobody is paged for what rests.
fn asks(state: &State, incident: IncidentId) -> bool {
    let Some(incident) = state.incidents.get(&incident) else {
        return true;
    };
    is_untaken(incident) && incident.suppressed.is_none() && hurts(state, incident)
}

fn is_untaken(incident: &Incident) -> bool {
    let triggered = match incident.status {
        Status::Triggered => true,
        Status::Acknowledged | Status::Resolved => false,
    };
    triggered && is_urgent(incident)
}

const fn is_urgent(incident: &Incident) -> bool {
    match incident.urgency {
        Urgency::High => true,
        Urgency::Low => false,
    }
}

/// Whether something that pages fails. Of an incident without any alert nobody knows better, so it counts as failing.
fn hurts(state: &State, incident: &Incident) -> bool {
    let alerts = incident.alerts.iter();
    let mut known = alerts.filter_map(|id| state.alerts.get(id)).peekable();
    if known.peek().is_none() {
        return true;
    }
    known.any(|alert| {
        let by_severity = match alert.severity {
            Severity::Error | Severity::Critical => Urgency::High,
            Severity::Info | Severity::Warning => Urgency::Low,
        };
        // Support hours, a rule or a person may have said otherwise.
        let pages = match alert.urgency.unwrap_or(by_severity) {
            Urgency::High => true,
            Urgency::Low => incident.urgent_by_hand,
        };
        pages && alert.recovered_at.is_none()
    })
}

fn is_past(due: Timestamp, now: Timestamp) -> bool {
    due.plus_ms(GRACE_MS) < now
}
