//! What is known as Alertmanager's API shows it: firing alerts of every source, incidents as groups, maintenance windows as
//! silences. It reads no request.

use std::collections::BTreeMap;

use tocsin_domain::alert::{Alert, AlertSource, RESOLVE_TIMEOUT_MS};
use tocsin_domain::intake::{
    ANNOTATION, LabelMatcher, LabelTest, SERVICE_LABEL, TARGET_LABEL, When, Window,
};
use tocsin_domain::oncall::Span;
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;
use tocsin_wire::alertmanager::{
    AlertQuestion, AlertShown, AlertState, AlertStatus, GENERATOR_URL, GroupShown, Labels,
    MatcherShown, Receiver, SilenceShown, SilenceState, SilenceStatus, fingerprint_text,
    uuid_of_id,
};

/// Whoever made what nobody is known to have made.
pub(super) const OWN_NAME: &str = "tocsin";

/// What an answer is made from.
pub(super) struct Scene<'a> {
    pub(super) state: &'a State,
    pub(super) now: Timestamp,
    /// Where people reach this server.
    pub(super) public_url: &'a str,
}

impl Scene<'_> {
    /// An alert, when it is asked for; `lasting` are the windows that last.
    fn alert(
        &self,
        alert: &Alert,
        question: &AlertQuestion,
        lasting: &[&Window],
    ) -> Option<AlertShown> {
        if !self.state.fits(alert, &question.filters) {
            return None;
        }
        let receiver = self.receiver(alert);
        if !question.wants_receiver(&receiver.name) {
            return None;
        }
        let status = self.status(alert, lasting);
        let wanted = match status.state {
            AlertState::Active => question.active,
            AlertState::Suppressed => {
                (question.silenced || status.silenced_by.is_empty())
                    && (question.muted || status.muted_by.is_empty())
            }
        };
        if !wanted {
            return None;
        }
        let labels = self.labels(alert);
        let fingerprint = match alert.source {
            AlertSource::Alertmanager { .. } => alert.dedup_key.clone(),
            AlertSource::Monitor { .. }
            | AlertSource::EventsV2 { .. }
            | AlertSource::Api
            | AlertSource::Rule { .. }
            | AlertSource::Heartbeat { .. } => {
                let pairs = labels.iter();
                fingerprint_text(pairs.map(|(name, value)| (name.as_str(), value.as_str())))
            }
        };
        let ends_at = alert.ends_at;
        Some(AlertShown {
            annotations: annotations(alert),
            ends_at: ends_at.unwrap_or_else(|| self.now.plus_ms(RESOLVE_TIMEOUT_MS)),
            fingerprint,
            receivers: vec![receiver],
            starts_at: alert.opened_at,
            status,
            updated_at: alert.heard_at.unwrap_or(alert.opened_at),
            generator_url: Some(self.generator_url(alert)),
            labels,
        })
    }

    fn receiver(&self, alert: &Alert) -> Receiver {
        let service = self.state.services.get(&alert.service);
        Receiver {
            name: service.map_or_else(String::new, |known| known.name.clone()),
        }
    }

    /// The labels it came with; of one that came without, all that it is matched by.
    fn labels(&self, alert: &Alert) -> Labels {
        let added = self.state.added_labels(alert);
        let added = added.filter(|_| !alert.source.has_labels());
        let own = self.state.labels_of(alert).into_iter();
        own.chain(added)
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect()
    }

    /// The windows that last, of which each alert is asked: they are the same for all.
    fn lasting(&self) -> Vec<&Window> {
        let windows = self.state.windows.values();
        windows
            .filter(|window| window.around(self.now).is_some())
            .collect()
    }

    fn silenced_by(&self, alert: &Alert, lasting: &[&Window]) -> Vec<String> {
        if lasting.is_empty() {
            return Vec::new();
        }
        let labels = self.state.matched_labels(alert);
        let over = lasting.iter();
        over.filter(|window| window.covers_alert(alert, &labels))
            .map(|window| uuid_of_id(window.id))
            .collect()
    }

    fn status(&self, alert: &Alert, lasting: &[&Window]) -> AlertStatus {
        let silenced_by = self.silenced_by(alert, lasting);
        let target = alert.target.and_then(|id| self.state.targets.get(&id));
        let quiet = target.and_then(|target| target.quiet_at(self.now));
        let muted_by: Vec<String> = alert
            .suppressed()
            .map(str::to_owned)
            .into_iter()
            .chain(quiet.map(|quiet| quiet.why))
            .collect();
        let state = if silenced_by.is_empty() && muted_by.is_empty() {
            AlertState::Active
        } else {
            AlertState::Suppressed
        };
        AlertStatus {
            state,
            silenced_by,
            inhibited_by: Vec::new(),
            muted_by,
        }
    }

    /// Where its sender tells more; else the page of its incident.
    fn generator_url(&self, alert: &Alert) -> String {
        let mut details = alert.details.iter();
        let own = details.find(|(name, _)| name == GENERATOR_URL);
        own.map_or_else(
            || format!("{}/ui/incidents/{}", self.public_url, alert.incident),
            |(_, url)| url.clone(),
        )
    }

    /// The firing alerts that are asked for, by fingerprint. Each alert of the state is looked at, so it is one of those that fire.
    pub(super) fn alerts(&self, question: &AlertQuestion) -> Vec<AlertShown> {
        let lasting = self.lasting();
        let known = self.state.alerts.values();
        let mut shown: Vec<AlertShown> = known
            .filter(|alert| alert.is_firing())
            .filter_map(|alert| self.alert(alert, question, &lasting))
            .collect();
        shown.sort_by(|one, other| one.fingerprint.cmp(&other.fingerprint));
        shown
    }

    /// The same by incident, which is what somebody is paged for.
    pub(super) fn groups(&self, question: &AlertQuestion) -> Vec<GroupShown> {
        let lasting = self.lasting();
        let open = self.state.open_incidents.iter();
        let mut groups: Vec<GroupShown> = open
            .filter_map(|id| self.state.incidents.get(id))
            .filter_map(|incident| {
                let alerts = incident.alerts.iter();
                let alerts = alerts.filter_map(|id| self.state.alerts.get(id));
                let mut shown: Vec<AlertShown> = alerts
                    .filter(|alert| alert.is_firing())
                    .filter_map(|alert| self.alert(alert, question, &lasting))
                    .collect();
                shown.sort_by(|one, other| one.fingerprint.cmp(&other.fingerprint));
                let receiver = shown.first()?.receivers.first()?.clone();
                Some(GroupShown {
                    labels: in_common(&shown),
                    alerts: shown,
                    receiver,
                })
            })
            .collect();
        groups.sort_by(|one, other| {
            let of = |group: &GroupShown| (group.labels.clone(), group.receiver.clone());
            of(one).cmp(&of(other))
        });
        groups
    }

    /// A maintenance window as a silence; none when it repeats and nothing of it is left.
    pub(super) fn silence(&self, window: &Window) -> Option<(SilenceShown, Vec<LabelMatcher>)> {
        let around = window.around(self.now);
        let span = window.once().or(around).or_else(|| window.next(self.now))?;
        let state = match around {
            Some(_) => SilenceState::Active,
            None if window.next(self.now).is_some() => SilenceState::Pending,
            None => SilenceState::Expired,
        };
        let matchers = self.matchers(window);
        let silence = window.silence.as_ref();
        let created_by = window.maker(self.state).unwrap_or(OWN_NAME);
        let updated_at = silence.map_or(span.from.min(self.now), |silence| silence.updated_at);
        let shown = SilenceShown {
            id: uuid_of_id(window.id),
            status: SilenceStatus { state },
            updated_at: window.ended_at.max(Some(updated_at)).unwrap_or(updated_at),
            comment: window.reason.clone(),
            created_by: created_by.to_owned(),
            ends_at: span.until,
            matchers: matchers.iter().map(MatcherShown::from).collect(),
            starts_at: span.from,
        };
        Some((shown, matchers))
    }

    /// The conditions of a window; of one that names services, or targets, those on the labels that Tocsin adds.
    pub(super) fn matchers(&self, window: &Window) -> Vec<LabelMatcher> {
        if let Some(silence) = &window.silence {
            return silence.matchers.clone();
        }
        let services = window.services.iter();
        let services = services.filter_map(|id| self.state.services.get(id));
        let services: Vec<&str> = services.map(|known| known.name.as_str()).collect();
        let targets = window.targets.iter();
        let targets = targets.filter_map(|id| self.state.targets.get(id));
        let targets: Vec<&str> = targets.map(|known| known.identity.name.as_str()).collect();
        let (label, names) = match services.is_empty() {
            false => (SERVICE_LABEL, services),
            true => (TARGET_LABEL, targets),
        };
        let (test, value) = match names.as_slice() {
            [name] => (LabelTest::Equals, (*name).to_owned()),
            names => {
                let escaped: Vec<String> = names.iter().map(|name| escaped(name)).collect();
                (LabelTest::Fits, escaped.join("|"))
            }
        };
        // However long it is: whoever copies it must not silence more than this.
        vec![LabelMatcher::standing_in(label, test, value)]
    }
}

/// When a window that names no labels can be changed as a silence is: what it is then.
pub(super) fn moved(window: &Window, span: Span) -> Option<When> {
    match window.when {
        When::Once { .. } => Some(When::Once { span }),
        When::Repeating { .. } => None,
    }
}

fn annotations(alert: &Alert) -> Labels {
    let details = alert.details.iter();
    let mut found: Labels = if alert.source.has_labels() {
        details
            .filter(|(name, _)| name != GENERATOR_URL)
            .filter_map(|(name, text)| Some((name.strip_prefix(ANNOTATION)?, text)))
            .map(|(name, text)| (name.to_owned(), text.clone()))
            .collect()
    } else {
        details.cloned().collect()
    };
    match alert.source {
        // Exactly those that it came with.
        AlertSource::Alertmanager { .. } => {}
        AlertSource::Monitor { .. }
        | AlertSource::EventsV2 { .. }
        | AlertSource::Api
        | AlertSource::Rule { .. }
        | AlertSource::Heartbeat { .. } => {
            for (name, text) in [("summary", &alert.title), ("description", &alert.summary)] {
                if !text.is_empty() {
                    let known = found.entry(name.to_owned());
                    known.or_insert_with(|| text.clone());
                }
            }
        }
    }
    found
}

/// The labels that all of them have with the same value.
fn in_common(alerts: &[AlertShown]) -> Labels {
    let Some((first, rest)) = alerts.split_first() else {
        return BTreeMap::new();
    };
    let mut labels = first.labels.clone();
    for alert in rest {
        labels.retain(|name, value| alert.labels.get(name) == Some(value));
    }
    labels
}

/// A text as a pattern that fits it alone.
fn escaped(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for character in text.chars() {
        if r"\.+*?()|[]{}^$#&-~".contains(character) {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}
