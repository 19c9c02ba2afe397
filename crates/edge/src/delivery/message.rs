//! What a message says and where it goes, from the committed state and the vault; it knows no channel's form.

use std::collections::{BTreeSet, VecDeque};

use secrecy::SecretString;
use tocsin_domain::alert::{Alert, AlertSource};
use tocsin_domain::id::{NotificationId, SecretId, UserId};
use tocsin_domain::incident::{Incident, Status};
use tocsin_domain::intake::place_in;
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::{Delivery, Notification, PUT_OFF_MAX, Purpose};
use tocsin_domain::people::{self, ChannelKind, ContactMethod};
use tocsin_domain::service::IntegrationKind;
use tocsin_domain::state::{Provider, State};
use tocsin_wire::page_message::{Kind, Onset, PageMessage, Urgency, names};
use tocsin_wire::slack;

use super::place::Place;
use super::queue::{Rank, Route, Work};
use super::walk::{Carrier, aside};
use super::word;
use crate::answers;
use crate::links::Bound;

/// Incidents that a message names beside its own.
const OTHERS_MAX: usize = 10;
/// Alerts whose own details a message shows.
const DETAILED_MAX: usize = 3;
/// Further alerts that a message names.
const ALERTS_MAX: usize = 5;

/// Everything an attempt needs but the secrets themselves.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    /// What it says; the code of an unproved method is still missing.
    pub(crate) message: PageMessage,
    /// What its links are signed for; none without a message of the core.
    pub(crate) bound: Option<Bound>,
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
    /// The accounts of its channel that left it to others.
    pub(crate) aside: Vec<Place>,
    /// Whether it is put off where its provider asked to be left alone.
    pub(crate) may_wait: bool,
    /// The run of the canary that it is of: it goes to the canary's sink.
    pub(crate) canary: Option<u64>,
}

/// The secrets of an attempt.
pub(crate) struct Secrets {
    pub(crate) address: SecretString,
    pub(crate) signing_key: Option<SecretString>,
    /// The accounts that it may go by, in the order in which they are tried; none where the channel needs none, or none is set up.
    pub(crate) carriers: VecDeque<Carrier>,
}

/// Whether one person alone reads what is sent there: who else reads a link could answer in that person's name. Groups of
/// Telegram have negative numbers, and channels have names; an incoming webhook of Slack posts into a channel; keys of Pushover
/// begin with a `u` for a user, with a `g` for a group. A topic of ntfy is as secret as its name, and is its owner's.
pub(crate) fn reaches_one_person(channel: ChannelKind, address: &str) -> bool {
    match channel {
        ChannelKind::Telegram => !address.starts_with(['-', '@']),
        ChannelKind::Slack => slack::is_member(address),
        ChannelKind::Pushover => address.starts_with('u'),
        ChannelKind::Email
        | ChannelKind::Webhook
        | ChannelKind::Ntfy
        | ChannelKind::Sms
        | ChannelKind::Voice
        | ChannelKind::WebPush
        | ChannelKind::PagerDuty => true,
    }
}

/// Rank and route of an attempt that is still wanted.
pub(crate) fn sort(state: &State, work: Work) -> Option<(Rank, Route)> {
    let message = wanted(state, work)?;
    let incident = message.purpose.incident();
    let incident = incident.and_then(|id| state.incidents.get(&id));
    let is_critical = incident.is_some_and(|known| known.severity == Severity::Critical);
    let rank = rank(message.purpose, is_critical);
    let route = Route {
        channel: message.channel,
        provider: Provider::of_message(message),
    };
    Some((rank, route))
}

/// Whoever is asked to help is needed as much as whoever was paged.
const fn rank(purpose: Purpose, is_critical: bool) -> Rank {
    match purpose {
        Purpose::Page(_) | Purpose::Request(_) if is_critical => Rank::Critical,
        Purpose::Page(_) | Purpose::Request(_) => Rank::Page,
        Purpose::Resolved(_) | Purpose::Acknowledged(_) => Rank::Resolved,
        Purpose::Notice(_) => Rank::Notice,
        Purpose::Test | Purpose::Word(_) => Rank::Test,
    }
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

/// Why an attempt goes no further, whose letter was written; `None` while it is wanted.
pub(crate) fn called_off(state: &State, work: Work) -> Option<&'static str> {
    let Some(notification) = wanted(state, work) else {
        return Some("nobody waits for this attempt any more");
    };
    if let Err(why) = way(state, notification) {
        return Some(why);
    }
    notification.purpose.incident()?;
    let mut left = left_to_tell(state, notification).peekable();
    if left.peek().is_none() {
        return Some(moot(notification.purpose));
    }
    // Whoever it was taken from is tried no further, as the core sees it too.
    let is_given_away =
        left.all(|(one, incident)| one.purpose.page().is_some() && incident.has_withdrawn(one));
    is_given_away.then_some("meanwhile the incident was given to others")
}

/// What is said in a call about a page, while somebody is still wanted for it.
pub(crate) fn spoken(state: &State, id: NotificationId, public_url: &str) -> Option<PageMessage> {
    let notification = state.notifications.get(&id)?;
    let message = told(state, notification, public_url)?;
    (message.kind == Kind::Page).then_some(message)
}

fn write(
    state: &State,
    notification: &Notification,
    number: u32,
    public_url: &str,
) -> Result<Letter, &'static str> {
    let method = way(state, notification)?;
    let message = match notification.purpose {
        Purpose::Test => test(notification, method.pending_code.is_some(), public_url),
        Purpose::Word(about) => word::write(state, notification, about, public_url),
        Purpose::Page(_)
        | Purpose::Notice(_)
        | Purpose::Request(_)
        | Purpose::Resolved(_)
        | Purpose::Acknowledged(_) => {
            told(state, notification, public_url).ok_or_else(|| moot(notification.purpose))?
        }
    };
    Ok(Letter {
        message,
        bound: Some(Bound::to(notification)),
        number,
        channel: method.kind,
        address: method.address,
        signing_key: method.signing_key,
        pending_code: method
            .pending_code
            .filter(|_| notification.purpose == Purpose::Test),
        aside: aside(&notification.attempts),
        may_wait: may_wait(state, notification),
        canary: None,
    })
}

/// Where a message goes, or why it cannot go there any more.
fn way<'a>(
    state: &'a State,
    notification: &Notification,
) -> Result<&'a ContactMethod, &'static str> {
    let user = state.users.get(&notification.user);
    let method = user.and_then(|user| user.contact_method(notification.contact_method));
    let method = method.ok_or("the contact method was removed")?;
    match method.gone_at {
        Some(_) => Err("the address of the contact method is gone"),
        None => Ok(method),
    }
}

/// Whether a message may be put off where its provider asked to be left alone: nothing critical is, nor what was put off often enough.
fn may_wait(state: &State, notification: &Notification) -> bool {
    let all = answers::carried(state, notification);
    let mut incidents = all.filter_map(|one| state.incidents.get(&one.purpose.reaches()?));
    let is_critical = incidents.any(|incident| incident.severity == Severity::Critical);
    notification.tells_a_mirror() || (!is_critical && notification.not_made() < PUT_OFF_MAX)
}

/// Why a message is not sent of which nothing is left to tell.
const fn moot(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Page(_) => "meanwhile the incident was taken, silenced or over",
        Purpose::Request(_) => "meanwhile they answered, or the incident is over",
        Purpose::Notice(_) => "meanwhile the incident was taken or is over",
        Purpose::Acknowledged(_) => "meanwhile the incident is over, or fails again",
        Purpose::Resolved(_) | Purpose::Test | Purpose::Word(_) => "there is no such incident",
    }
}

/// What is said of all that a message tells and that is still to be told; the first of it leads.
fn told(state: &State, notification: &Notification, public_url: &str) -> Option<PageMessage> {
    let all: Vec<(&Notification, &Incident)> = left_to_tell(state, notification).collect();
    let (first, incident) = *all.first()?;
    let kind = match first.purpose {
        Purpose::Resolved(_) => Kind::Resolved,
        Purpose::Acknowledged(_) => Kind::Acknowledged,
        Purpose::Page(_) | Purpose::Notice(_) | Purpose::Request(_) => Kind::Page,
        Purpose::Test | Purpose::Word(_) => return None,
    };
    let mut message = about(state, incident, first, kind, public_url);
    message.idempotency_key = notification.id.to_string();
    if let Purpose::Request(_) = first.purpose {
        message = asking(message, incident, first.user);
    }
    let along: Vec<&Incident> = all.iter().map(|(_, incident)| *incident).collect();
    Some(with_others(message, incident, &along, public_url))
}

/// What a message tells and that is still to be told.
fn left_to_tell<'a>(
    state: &'a State,
    notification: &'a Notification,
) -> impl Iterator<Item = (&'a Notification, &'a Incident)> {
    answers::carried(state, notification)
        .filter_map(move |one| Some((one, state.incidents.get(&one.purpose.incident()?)?)))
        .filter(move |(one, incident)| still_to_tell(state, one, incident))
}

fn still_to_tell(state: &State, message: &Notification, incident: &Incident) -> bool {
    match message.purpose {
        Purpose::Page(_) => state.wants_pages(incident) && !incident.spares(message.user),
        Purpose::Request(_) => incident.awaits(message.user),
        Purpose::Notice(_) => incident.status == Status::Triggered,
        Purpose::Resolved(_) => true,
        Purpose::Acknowledged(_) => {
            let known = state.incidents.get(&state.part_of(incident.id));
            known.is_some_and(|known| known.status == Status::Acknowledged)
        }
        Purpose::Test | Purpose::Word(_) => false,
    }
}

/// The message, with the incidents that are told along: a few by name, all in number.
fn with_others(
    mut message: PageMessage,
    lead: &Incident,
    along: &[&Incident],
    public_url: &str,
) -> PageMessage {
    // In a storm there are thousands, and the state is looked at meanwhile.
    let mut seen = BTreeSet::from([lead.id]);
    let others = along.iter().filter(|told| seen.insert(told.id));
    let others: Vec<&Incident> = others.copied().collect();
    if others.is_empty() {
        return message;
    }
    let count = others.len();
    message.others = count;
    let named = others.iter().take(OTHERS_MAX).map(|told| {
        let name = format!("Also #{}", told.number);
        (
            name,
            format!("{} {public_url}/ui/incidents/{}", told.title, told.id),
        )
    });
    let mut details: Vec<(String, String)> = named.collect();
    if count > OTHERS_MAX {
        let rest = format!("{} more: {public_url}/ui/incidents", count - OTHERS_MAX);
        details.push(("And".to_owned(), rest));
    }
    details.append(&mut message.details);
    message.details = details;
    message
}

/// What somebody who is asked to help is asked stands first.
fn asking(mut message: PageMessage, incident: &Incident, user: UserId) -> PageMessage {
    let mut asked = incident.responders.iter();
    if let Some(responder) = asked.find(|one| one.user == user) {
        let asked = (
            "You are asked to help".to_owned(),
            responder.message.clone(),
        );
        message.details.insert(0, asked);
    }
    message
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
        others: 0,
        urgency: urgency(incident.urgency),
        service: state
            .services
            .get(&incident.service)
            .map(|one| one.name.clone())
            .unwrap_or_default(),
        target: target
            .map(|one| one.identity.name.clone())
            .or_else(|| place(state, incident, &alerts)),
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

/// Where it fails by the words of whoever sent it; none where the title says so.
fn place(state: &State, incident: &Incident, alerts: &[&Alert]) -> Option<String> {
    let same = alerts.iter().filter(|alert| alert.title == incident.title);
    let mut places: Vec<&str> = Vec::new();
    for place in same.filter_map(|alert| place_of(state, alert)) {
        let is_told = names(&incident.title, place) || places.contains(&place);
        if !is_told && places.len() < DETAILED_MAX {
            places.push(place);
        }
    }
    (!places.is_empty()).then(|| places.join(", "))
}

/// The source of an event: those that must name one have nothing else in their summary. What a person declares is known by nothing
/// from what came by the native API, so of both only a place of one word is one.
fn place_of<'a>(state: &State, alert: &'a Alert) -> Option<&'a str> {
    let names_source = match &alert.source {
        AlertSource::Api => alert.summary.split_whitespace().count() == 2,
        AlertSource::EventsV2 { integration } => {
            let known = state.integrations.get(integration);
            known.is_some_and(|known| matches!(known.kind, IntegrationKind::EventsV2))
        }
        AlertSource::Monitor { .. }
        | AlertSource::Rule { .. }
        | AlertSource::Heartbeat { .. }
        | AlertSource::Alertmanager { .. } => false,
    };
    let place = names_source.then(|| place_in(&alert.summary));
    place.flatten().filter(|place| !place.trim().is_empty())
}

fn details(incident: &Incident, alerts: &[&Alert], kind: Kind) -> Vec<(String, String)> {
    let mut details = Vec::new();
    if let (Kind::Resolved, Some(at)) = (kind, incident.resolved_at) {
        details.push(("Resolved".to_owned(), at.to_rfc3339()));
    }
    let same = alerts.iter().filter(|alert| alert.title == incident.title);
    for alert in same.take(DETAILED_MAX) {
        details.extend(alert.details.iter().cloned());
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
        others: 0,
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

#[cfg(test)]
mod tests;
