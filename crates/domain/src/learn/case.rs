//! The evidence of one incident opened for questions: names, the alert that matters, citations; it states nothing itself.

use super::evidence::{Evidence, FrozenSeries};
use super::facts::Identity;
use super::kinds;
use super::ledger::{Counted, EvidenceRef, Ledger, LogQuery, Source};
use super::mask::{clean, clip};
use super::moment::Moment;
use super::requests;
use crate::alert::{Alert, AlertSource, EvidenceSample, Onset};
use crate::event::{Actor, AlertEvent, Event, EventBody, IncidentWhat, NotificationEvent};
use crate::id::{NotificationId, UserId};
use crate::incident::Status;
use crate::monitor::Monitor;
use crate::page::{Notification, Purpose};
use crate::people::ChannelKind;
use crate::signal::{Fact, Labels, STALE_NAN_BITS};

/// Characters of a name at most.
pub(super) const NAME_CHARS: usize = 48;
/// Characters of a text from outside at most.
pub(super) const TEXT_CHARS: usize = 600;

/// Evidence with what is asked of it often.
pub(super) struct Case<'a> {
    pub(super) evidence: &'a Evidence,
    ledger: Ledger,
}

impl<'a> Case<'a> {
    pub(super) fn new(evidence: &'a Evidence) -> Self {
        Self {
            evidence,
            ledger: Ledger::default(),
        }
    }

    pub(super) fn into_ledger(self) -> Vec<Source> {
        self.ledger.into_entries()
    }

    pub(super) fn cite_event(&mut self, event: &Event) -> EvidenceRef {
        self.ledger.cite(Source::Event {
            position: event.position,
            at: event.at.into(),
            event: kinds::kind(&event.body).to_owned(),
        })
    }

    pub(super) fn cite_sample(&mut self, sample: &EvidenceSample) -> EvidenceRef {
        self.ledger.cite(Source::Sample {
            series: clean(&sample.series, 200),
            at: sample.at.into(),
            value: number_text(sample.value),
        })
    }

    pub(super) fn cite_frozen(
        &mut self,
        series: &FrozenSeries,
        at_ms: i64,
        bits: u64,
    ) -> EvidenceRef {
        self.ledger.cite(Source::Sample {
            series: clean(&notation(&series.labels), 200),
            at: Moment::from_millis(at_ms),
            value: number_text(f64::from_bits(bits)),
        })
    }

    pub(super) fn cite_fact(&mut self, index: usize) -> Vec<EvidenceRef> {
        let Some(fact) = self.evidence.facts.get(index) else {
            return Vec::new();
        };
        vec![self.ledger.cite(Source::Fact {
            index,
            at: fact.at.into(),
            fact: kinds::fact_kind(&fact.what).to_owned(),
        })]
    }

    /// Asks the log and cites the question with its answer.
    pub(super) fn ask_logs(
        &mut self,
        counted: Counted,
        tier: Option<&str>,
        from: Moment,
        until: Moment,
    ) -> (u64, EvidenceRef) {
        let query = LogQuery {
            counted,
            tier: tier.map(|tier| clean(tier, NAME_CHARS)),
        };
        let count = requests::answer(self.evidence, &query, from, until);
        let cited = self.ledger.cite(Source::Logs {
            query,
            from,
            until,
            count,
        });
        (count, cited)
    }

    /// The name of a person, fit to print.
    pub(super) fn person(&self, user: UserId) -> String {
        self.evidence
            .names
            .users
            .iter()
            .find(|(id, _)| *id == user)
            .map_or_else(
                || "an unnamed person".to_owned(),
                |(_, name)| printable_name(name),
            )
    }

    pub(super) fn people(&self, users: &[UserId]) -> String {
        let names: Vec<String> = users
            .iter()
            .take(5)
            .map(|user| self.person(*user))
            .collect();
        let more = users.len().saturating_sub(names.len());
        match (names.is_empty(), more) {
            (true, _) => "nobody".to_owned(),
            (false, 0) => names.join(", "),
            (false, more) => format!("{} and {more} more", names.join(", ")),
        }
    }

    /// Who acknowledged, for the beginning of a sentence: a person, a link that others may have too, or nobody known when a
    /// foreign system did.
    pub(super) fn acknowledger(&self, by: Option<UserId>, actor: &Actor) -> String {
        let shared = actor.channel().and_then(ChannelKind::read_by_others);
        match (by, shared) {
            (None, _) => "An outside system".to_owned(),
            (Some(by), None) => self.person(by),
            (Some(by), Some(place)) => format!("The link in {}’s {place}", self.person(by)),
        }
    }

    pub(super) fn actor(&self, actor: &Actor) -> String {
        match actor {
            Actor::System => "Tocsin".to_owned(),
            Actor::Person { user } | Actor::OnBehalf { user, .. } => self.person(*user),
            Actor::Channel { user, channel } => match channel.read_by_others() {
                Some(place) => format!("the link in {}’s {place}", self.person(*user)),
                None => self.person(*user),
            },
            Actor::Token { name, .. } => name.as_deref().map_or_else(
                || "an API token".to_owned(),
                |name| format!("token “{}”", printable_name(name)),
            ),
            Actor::Integration { .. } => "an outside system".to_owned(),
            Actor::Monitor { .. } => "a monitor".to_owned(),
            Actor::Rule { .. } => "an alerting rule".to_owned(),
        }
    }

    /// The alert that gave the incident its name: the worst, of those the first.
    pub(super) fn primary_alert(&self) -> Option<&'a Alert> {
        let evidence = self.evidence;
        let own = |alert: &&Alert| alert.incident == evidence.incident.id;
        let worst = evidence
            .alerts
            .iter()
            .filter(own)
            .map(|a| a.severity)
            .max()?;
        evidence
            .alerts
            .iter()
            .filter(own)
            .filter(|alert| alert.severity == worst)
            .min_by_key(|alert| (alert.opened_at, alert.id))
    }

    pub(super) fn monitor_of(&self, alert: &Alert) -> Option<&'a Monitor> {
        let AlertSource::Monitor { monitor, .. } = &alert.source else {
            return None;
        };
        self.evidence.monitors.iter().find(|m| m.id == *monitor)
    }

    /// The onset of the incident: as it stands on the incident, else of its worst alert.
    pub(super) fn onset(&self) -> Option<&'a Onset> {
        self.evidence.incident.onset.as_ref().or_else(|| {
            self.primary_alert()
                .and_then(|alert| alert.onset.as_deref())
        })
    }

    /// Pages of this incident (messages that tell that it is over are none).
    pub(super) fn pages(&self) -> Vec<&'a Notification> {
        let wanted = Purpose::Page(self.evidence.incident.id);
        self.evidence
            .notifications
            .iter()
            .filter(|notification| notification.purpose == wanted)
            .collect()
    }

    /// Attempts of its messages that were not made after all.
    pub(super) fn untried(&self) -> Vec<(NotificationId, u32)> {
        let messages = self.evidence.notifications.iter();
        let untried = messages.flat_map(|message| {
            let attempts = message.attempts.iter().filter(|one| one.not_tried);
            attempts.map(move |one| (message.id, one.number))
        });
        untried.collect()
    }

    /// Events in the order they happened.
    pub(super) fn events(&self) -> Vec<&'a Event> {
        let mut events: Vec<&Event> = self.evidence.events.iter().collect();
        events.sort_by_key(|event| (event.at, event.position));
        events
    }

    /// What was seen of the incident's target, with its index, in the order it happened.
    pub(super) fn facts(&self) -> Vec<(usize, &'a Fact)> {
        let target = self.evidence.incident.target;
        let mut facts: Vec<(usize, &Fact)> = self
            .evidence
            .facts
            .iter()
            .enumerate()
            .filter(|(_, fact)| target == Some(fact.target))
            .collect();
        facts.sort_by_key(|(index, fact)| (fact.at, *index));
        facts
    }

    /// Series of that metric of the incident's target.
    pub(super) fn series(&self, metric: &str) -> Vec<&'a FrozenSeries> {
        let target = self.evidence.incident.target.map(|id| id.to_string());
        self.evidence
            .series
            .iter()
            .filter(|series| {
                series
                    .labels
                    .get("__name__")
                    .is_some_and(|name| name == metric)
            })
            .filter(|series| target.is_none() || series.labels.get("target") == target.as_ref())
            .collect()
    }

    /// The first sample of `metric` within `[from, until]` that `wanted` accepts.
    pub(super) fn first_sample(
        &self,
        metric: &str,
        from: Moment,
        until: Moment,
        wanted: impl Fn(f64) -> bool,
    ) -> Option<(&'a FrozenSeries, i64, u64)> {
        self.series(metric)
            .into_iter()
            .flat_map(|series| {
                series
                    .samples
                    .iter()
                    .map(move |(ms, bits)| (series, *ms, *bits))
            })
            .filter(|(_, ms, bits)| {
                *ms >= from.as_millis()
                    && *ms <= until.as_millis()
                    && *bits != STALE_NAN_BITS
                    && wanted(f64::from_bits(*bits))
            })
            .min_by_key(|(_, ms, _)| *ms)
    }

    /// The target's or the service's name.
    pub(super) fn subject(&self) -> String {
        match &self.evidence.target {
            Some(target) => printable_name(&target.name),
            None => self.service(),
        }
    }

    fn service(&self) -> String {
        let service = self.evidence.incident.service;
        self.evidence
            .names
            .services
            .iter()
            .find(|(id, _)| *id == service)
            .map_or_else(
                || "an unnamed service".to_owned(),
                |(_, name)| printable_name(name),
            )
    }

    pub(super) fn is_draft(&self) -> bool {
        match self.evidence.incident.status {
            Status::Triggered | Status::Acknowledged => true,
            Status::Resolved => false,
        }
    }

    pub(super) fn identity(&self) -> Identity {
        let incident = &self.evidence.incident;
        let target = self.evidence.target.as_ref();
        Identity {
            number: incident.number,
            title: clean(&incident.title, 160),
            severity: incident.severity,
            service: self.service(),
            target: target.map(|target| printable_name(&target.name)),
            listen: target.map_or_else(Vec::new, |target| {
                target
                    .listen
                    .iter()
                    .take(8)
                    .map(|at| clip(at, NAME_CHARS))
                    .collect()
            }),
            tocsin_host: printable_name(&self.evidence.names.tocsin_host),
            people: self.people_in_order(),
            draft: self.is_draft(),
            relapses: incident.relapses,
        }
    }

    fn people_in_order(&self) -> Vec<String> {
        let mut people: Vec<UserId> = Vec::new();
        let mut add = |user: UserId| {
            if !people.contains(&user) && people.len() < 20 {
                people.push(user);
            }
        };
        for event in self.events() {
            if let Some(IncidentWhat::LevelReached { recipients, .. }) = event.body.incident_part()
            {
                recipients.iter().copied().for_each(&mut add);
            }
            if let Some(IncidentWhat::Acknowledged { by: Some(by), .. }) =
                event.body.incident_part()
            {
                add(*by);
            }
            if let Actor::Person { user }
            | Actor::Channel { user, .. }
            | Actor::OnBehalf { user, .. } = &event.actor
            {
                add(*user);
            }
        }
        people.into_iter().map(|user| self.person(user)).collect()
    }
}

/// What happened to a message, when the event is about one.
pub(super) const fn message_part(event: &Event) -> Option<&NotificationEvent> {
    match &event.body {
        EventBody::Notification(event) => Some(event),
        EventBody::Installation(_)
        | EventBody::People(_)
        | EventBody::Roster(_)
        | EventBody::Watch(_)
        | EventBody::Alert(_)
        | EventBody::Incident(_)
        | EventBody::Input(_) => None,
    }
}

/// The alert that the event opened, if it did.
pub(super) fn opened_alert(event: &Event) -> Option<&Alert> {
    let EventBody::Alert(AlertEvent::Opened { alert }) = &event.body else {
        return None;
    };
    Some(alert)
}

/// A name in one line, never empty.
pub(super) fn printable_name(name: &str) -> String {
    let name = clean(name, NAME_CHARS);
    if name.is_empty() {
        "(unnamed)".to_owned()
    } else {
        name
    }
}

/// `apache_parent_up{instance="webserver-01",target="Q…"}`.
pub(super) fn notation(labels: &Labels) -> String {
    let name = labels.get("__name__").map_or("", String::as_str);
    let others: Vec<String> = labels
        .iter()
        .filter(|(key, _)| *key != "__name__")
        .map(|(key, value)| format!("{key}={value:?}"))
        .collect();
    if others.is_empty() {
        name.to_owned()
    } else {
        format!("{name}{{{}}}", others.join(","))
    }
}

/// A sample's value as text, at most six decimals: `0`, `1`, `0.25`, `NaN`.
pub(super) fn number_text(value: f64) -> String {
    if !value.is_finite() {
        return format!("{value}");
    }
    let text = format!("{value:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}
