//! What a message says and where it goes, from the committed state and the vault; it knows no channel's form.

use secrecy::SecretString;
use tocsin_domain::alert::Alert;
use tocsin_domain::id::{NotificationId, SecretId};
use tocsin_domain::incident::Incident;
use tocsin_domain::page::{Delivery, Notification, Purpose};
use tocsin_domain::people::{self, ChannelKind};
use tocsin_domain::state::State;
use tocsin_wire::page_message::{Kind, Onset, PageMessage, Urgency};

use super::account::Opened;
use super::by_account::Callbacks;
use super::queue::Work;
use crate::links::Bound;

/// Further alerts that a message names.
const ALERTS_MAX: usize = 5;

/// Everything an attempt needs but the secrets themselves.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    /// What it says; the code of an unproved method is still missing.
    pub(crate) message: PageMessage,
    /// What its links are signed for.
    pub(crate) bound: Bound,
    /// Which attempt this is.
    pub(crate) number: u32,
    /// By which channel.
    pub(crate) channel: ChannelKind,
    /// Vault row of the address.
    pub(crate) address: SecretId,
    /// Vault row of the key that signs, or of an access token.
    pub(crate) signing_key: Option<SecretId>,
    /// Vault row of the code that proves the address.
    pub(crate) pending_code: Option<SecretId>,
}

/// The secrets of an attempt.
pub(crate) struct Secrets {
    pub(crate) address: SecretString,
    pub(crate) signing_key: Option<SecretString>,
    /// The account at the provider, where the channel needs one and it is set up.
    pub(crate) account: Option<Opened>,
    pub(crate) callbacks: Callbacks,
}

/// Purpose and channel of an attempt that is still wanted.
pub(crate) fn sort(state: &State, work: Work) -> Option<(Purpose, ChannelKind)> {
    let message = wanted(state, work)?;
    Some((message.purpose, message.channel))
}

/// The message, if this attempt is the one under way: no attempt starts after its message was cancelled.
fn wanted(state: &State, work: Work) -> Option<&Notification> {
    let message = state.notifications.get(&work.notification)?;
    let last = message.attempts.last()?;
    let sending = matches!(message.state, Delivery::Sending { .. });
    (sending && last.number == work.number && last.outcome.is_none()).then_some(message)
}

/// The letter of an attempt, or why it must not be made after all; `None` when it is no longer wanted.
pub(crate) fn letter(
    state: &State,
    work: Work,
    public_url: &str,
) -> Option<Result<Letter, &'static str>> {
    let notification = wanted(state, work)?;
    Some(write(state, notification, work.number, public_url))
}

/// What is said in a call about a page, while somebody is still wanted for it.
pub(crate) fn spoken(state: &State, id: NotificationId, public_url: &str) -> Option<PageMessage> {
    let notification = state.notifications.get(&id)?;
    let incident = state.incidents.get(&notification.purpose.incident()?)?;
    let is_page = matches!(notification.purpose, Purpose::Page(_));
    (is_page && state.wants_pages(incident))
        .then(|| about(state, incident, notification, Kind::Page, public_url))
}

fn write(
    state: &State,
    notification: &Notification,
    number: u32,
    public_url: &str,
) -> Result<Letter, &'static str> {
    let user = state.users.get(&notification.user);
    let method = user.and_then(|user| user.contact_method(notification.contact_method));
    let method = method.ok_or("not sent: the contact method was removed")?;
    let incident = notification.purpose.incident();
    let incident = incident.and_then(|id| state.incidents.get(&id));
    let message = match (notification.purpose, incident) {
        (Purpose::Test, _) => test(notification, method.pending_code.is_some(), public_url),
        (Purpose::Page(_), Some(incident)) if state.wants_pages(incident) => {
            about(state, incident, notification, Kind::Page, public_url)
        }
        (Purpose::Page(_), _) => {
            return Err("not sent: meanwhile the incident was taken, silenced or over");
        }
        (Purpose::Resolved(_), Some(incident)) => {
            about(state, incident, notification, Kind::Resolved, public_url)
        }
        (Purpose::Acknowledged(_), Some(incident)) if incident.is_open() => about(
            state,
            incident,
            notification,
            Kind::Acknowledged,
            public_url,
        ),
        (Purpose::Acknowledged(_), _) => return Err("not sent: meanwhile the incident is over"),
        (Purpose::Resolved(_), None) => return Err("not sent: there is no such incident"),
    };
    Ok(Letter {
        message,
        bound: Bound::to(notification),
        number,
        channel: method.kind,
        address: method.address,
        signing_key: method.signing_key,
        pending_code: method
            .pending_code
            .filter(|_| notification.purpose == Purpose::Test),
    })
}

fn about(
    state: &State,
    incident: &Incident,
    notification: &Notification,
    kind: Kind,
    public_url: &str,
) -> PageMessage {
    let alerts: Vec<&Alert> = incident
        .alerts
        .iter()
        .filter_map(|id| state.alerts.get(id))
        .collect();
    let worst = alerts
        .iter()
        .find(|alert| alert.title == incident.title)
        .or(alerts.first());
    let runbook = worst
        .and_then(|alert| state.monitors.get(&alert.source.monitor()?))
        .map(|monitor| monitor.runbook.clone())
        .filter(|text| !text.is_empty());
    let target = incident.target.and_then(|id| state.targets.get(&id));
    PageMessage {
        kind,
        idempotency_key: notification.id.to_string(),
        incident_number: Some(incident.number),
        incident_id: incident.id.to_string(),
        title: incident.title.clone(),
        urgency: urgency(incident.urgency),
        service: state
            .services
            .get(&incident.service)
            .map(|one| one.name.clone())
            .unwrap_or_default(),
        target: target.map(|one| one.identity.name.clone()),
        onset: incident.onset.as_ref().map(|onset| Onset {
            at: onset.at,
            uncertainty_ms: onset.uncertainty_ms,
        }),
        opened_at: incident.opened_at,
        reason: notification.why.clone(),
        details: details(incident, &alerts, kind),
        link: format!("{public_url}/ui/incidents/{}", incident.id),
        answer_link: None,
        runbook,
        verification_code: None,
    }
}

fn details(incident: &Incident, alerts: &[&Alert], kind: Kind) -> Vec<(String, String)> {
    let mut details = Vec::new();
    if let (Kind::Resolved, Some(at)) = (kind, incident.resolved_at) {
        details.push(("Resolved".to_owned(), at.to_rfc3339()));
    }
    for alert in alerts {
        if alert.title == incident.title {
            details.extend(alert.details.iter().cloned());
        }
    }
    let others = alerts
        .iter()
        .filter(|alert| alert.title != incident.title && alert.is_firing());
    details.extend(
        others
            .take(ALERTS_MAX)
            .map(|alert| ("Also".to_owned(), alert.title.clone())),
    );
    details
}

fn test(notification: &Notification, unproved: bool, public_url: &str) -> PageMessage {
    let (kind, title) = if unproved {
        (Kind::Verification, "Confirm that pages reach you here")
    } else {
        (Kind::Test, "This is a test: pages reach you here")
    };
    PageMessage {
        kind,
        idempotency_key: notification.id.to_string(),
        incident_number: None,
        incident_id: String::new(),
        title: title.to_owned(),
        urgency: Urgency::High,
        service: String::new(),
        target: None,
        onset: None,
        opened_at: notification.planned_at,
        reason: notification.why.clone(),
        details: Vec::new(),
        link: format!("{public_url}/ui/"),
        answer_link: None,
        runbook: None,
        verification_code: None,
    }
}

const fn urgency(urgency: people::Urgency) -> Urgency {
    match urgency {
        people::Urgency::High => Urgency::High,
        people::Urgency::Low => Urgency::Low,
    }
}
