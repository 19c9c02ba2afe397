//! Maintenance windows that name what is worked on by labels, as Alertmanager's silences do: which alerts each covers, and why
//! nobody is paged for an incident of which all that asks is covered.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::label::LabelMatcher;
use super::window::Window;
use crate::alert::{Alert, AlertSource};
use crate::id::{ServiceId, TargetId};
use crate::incident::{Hold, Incident};
use crate::monitor::Severity;
use crate::oncall::Span;
use crate::state::State;
use crate::target::Quiet;
use crate::time::Timestamp;

/// Conditions of one window at most.
pub const MATCHERS_MAX: usize = 64;
/// What was over for so long is removed when room is needed: 120 hours, as Alertmanager keeps its silences.
pub const SILENCE_KEPT_MS: u64 = 120 * 3_600_000;
/// Further fields of an alert whose names begin so are no labels.
pub const ANNOTATION: &str = "annotation ";
/// The label that every alert has besides its own: the name of the service that it belongs to.
pub const SERVICE_LABEL: &str = "tocsin_service";
/// The same of the watched server that it is about, when it is about one.
pub const TARGET_LABEL: &str = "tocsin_target";
/// The labels that an alert has which came without any.
const NAME_LABEL: &str = "alertname";
const SEVERITY_LABEL: &str = "severity";

/// What a window says about the alerts that it covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Whoever made it, by their own account: a text from outside. Empty for one that was planned in Tocsin.
    pub created_by: String,
    /// An alert is covered when each of these holds for it.
    pub matchers: Vec<LabelMatcher>,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What of an alert says which windows cover it; there is some also of one that has no incident yet.
#[derive(Clone, Copy, Debug)]
pub struct Features<'a> {
    /// The service it is about.
    pub service: ServiceId,
    /// The target it is about.
    pub target: Option<TargetId>,
    /// Who says so.
    pub source: &'a AlertSource,
    /// How bad.
    pub severity: Severity,
    /// What fails, in one line.
    pub title: &'a str,
    /// Further fields.
    pub details: &'a [(String, String)],
}

/// A label, by name and value.
pub type Label<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The labels of one alert, sorted by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchedLabels<'a>(Vec<Label<'a>>);

impl MatchedLabels<'_> {
    /// Whether each condition holds.
    #[must_use]
    pub fn fit(&self, matchers: &[LabelMatcher]) -> bool {
        matchers.iter().all(|matcher| {
            let found = self
                .0
                .binary_search_by(|(name, _)| (**name).cmp(&matcher.name));
            let label = found.ok().and_then(|index| self.0.get(index));
            matcher.accepts(label.map_or("", |(_, value)| value))
        })
    }
}

impl Window {
    /// Whether it is about an alert, by its service, its target or its labels.
    #[must_use]
    pub fn covers_alert(&self, alert: &Alert, labels: &MatchedLabels<'_>) -> bool {
        self.covers_one(alert.features(), labels)
    }

    fn covers_one(&self, of: Features<'_>, labels: &MatchedLabels<'_>) -> bool {
        let silence = self.silence.as_ref();
        silence.is_some_and(|silence| silence.covers(of.source, labels))
            || self.covers(of.service, of.target)
    }
}

impl Silence {
    /// Whether it covers an alert of this source with these labels. Who only says what is not meant, in the labels of a sender
    /// (`team!="web"`), thinks of alerts that have labels: what Tocsin sees itself, or is told without any, is not hidden by that.
    fn covers(&self, source: &AlertSource, labels: &MatchedLabels<'_>) -> bool {
        (source.has_labels() || self.asks_for_a_label()) && labels.fit(&self.matchers)
    }

    /// Whether one of its conditions does not hold where a label is missing.
    fn asks_for_a_label(&self) -> bool {
        self.matchers.iter().any(|matcher| !matcher.accepts(""))
    }

    /// Why it cannot be used; empty when it can.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.matchers.is_empty() {
            reasons.push("at least one matcher required".to_owned());
        } else if self.matchers.len() > MATCHERS_MAX {
            reasons.push(format!("at most {MATCHERS_MAX} matchers"));
        } else if self.matchers.iter().all(asks_for_nothing) {
            reasons.push("at least one matcher must not match the empty string".to_owned());
        }
        reasons
    }
}

/// Whether a condition is one of likeness that a missing label meets. Of those that say what is not meant, Alertmanager takes any.
fn asks_for_nothing(matcher: &LabelMatcher) -> bool {
    matcher.test.is_equal() && matcher.accepts("")
}

impl State {
    /// The labels of an alert, sorted by name: those it came with; of one that came without, what is known of it.
    #[must_use]
    pub fn labels_of<'a>(&'a self, alert: &'a Alert) -> Vec<Label<'a>> {
        self.own_labels(alert.features())
    }

    fn own_labels<'a>(&'a self, of: Features<'a>) -> Vec<Label<'a>> {
        let mut labels: Vec<Label<'a>> = if of.source.has_labels() {
            let details = of.details.iter();
            let own = details.filter(|(name, _)| !name.starts_with(ANNOTATION));
            own.map(|(name, value)| (name.into(), value.into()))
                .collect()
        } else {
            vec![
                (NAME_LABEL.into(), self.name_of(of).into()),
                (SEVERITY_LABEL.into(), of.severity.word().into()),
            ]
        };
        labels.sort();
        labels
    }

    /// The labels by which an alert is matched: its own, and those of Tocsin.
    #[must_use]
    pub fn matched_labels<'a>(&'a self, alert: &'a Alert) -> MatchedLabels<'a> {
        self.matched_by(alert.features())
    }

    fn matched_by<'a>(&'a self, of: Features<'a>) -> MatchedLabels<'a> {
        let mut labels = self.own_labels(of);
        labels.retain(|(name, _)| !matches!(&**name, SERVICE_LABEL | TARGET_LABEL));
        labels.extend(self.labels_besides(of));
        labels.sort();
        MatchedLabels(labels)
    }

    /// Whether each condition holds for the labels by which an alert is matched, as [`MatchedLabels::fit`] tells. It makes no list of
    /// them: where one question is asked of thousands of alerts, few of which fit, that takes longer than the question.
    #[must_use]
    pub fn fits(&self, alert: &Alert, matchers: &[LabelMatcher]) -> bool {
        let of = alert.features();
        let mut matchers = matchers.iter();
        matchers.all(|matcher| matcher.accepts(self.matched_label(of, &matcher.name)))
    }

    /// The value of one label by which an alert is matched; empty when it has none of that name.
    fn matched_label<'a>(&'a self, of: Features<'a>, name: &str) -> &'a str {
        let value = match name {
            SERVICE_LABEL => {
                let service = self.services.get(&of.service);
                service.map(|known| known.name.as_str())
            }
            TARGET_LABEL => {
                let target = of.target.and_then(|target| self.targets.get(&target));
                target.map(|known| known.identity.name.as_str())
            }
            _ => self.own_label(of, name),
        };
        value.unwrap_or_default()
    }

    fn own_label<'a>(&'a self, of: Features<'a>, name: &str) -> Option<&'a str> {
        if of.source.has_labels() {
            let mut details = of.details.iter();
            let own = details.find(|(label, _)| label == name && !label.starts_with(ANNOTATION));
            return own.map(|(_, value)| value.as_str());
        }
        match name {
            NAME_LABEL => Some(self.name_of(of)),
            SEVERITY_LABEL => Some(of.severity.word()),
            _ => None,
        }
    }

    /// What an alert that came without labels is called: as its monitor, or as it says itself.
    fn name_of<'a>(&'a self, of: Features<'a>) -> &'a str {
        let monitor = of.source.monitor().and_then(|id| self.monitors.get(&id));
        monitor.map_or(of.title, |monitor| monitor.name.as_str())
    }

    /// The labels that every alert has besides its own.
    pub fn added_labels<'a>(&'a self, alert: &'a Alert) -> impl Iterator<Item = Label<'a>> {
        self.labels_besides(alert.features())
    }

    fn labels_besides<'a>(&'a self, of: Features<'a>) -> impl Iterator<Item = Label<'a>> {
        let service = self.services.get(&of.service);
        let service = service.map(|known| (SERVICE_LABEL.into(), known.name.as_str().into()));
        let target = of.target.and_then(|target| self.targets.get(&target));
        let target = target.map(|known| (TARGET_LABEL.into(), known.identity.name.as_str().into()));
        service.into_iter().chain(target)
    }

    /// Whether a window is about an incident, or about an alert of it.
    pub(crate) fn concerns(&self, window: &Window, incident: &Incident) -> bool {
        let mut alerts = incident.alerts.iter().filter_map(|id| self.alerts.get(id));
        // What was merged is about other services and targets too.
        let by_alert = window.silence.is_some() || !incident.merged.is_empty();
        window.concerns(incident)
            || (by_alert
                && alerts.any(|alert| window.covers_alert(alert, &self.matched_labels(alert))))
    }

    /// The windows that cover an alert at `now`, each with the stretch of work that lasts.
    #[must_use]
    pub fn windows_over(&self, alert: &Alert, now: Timestamp) -> Vec<(&Window, Span)> {
        let mut over = self.lasting_windows(now);
        if over.is_empty() {
            return over;
        }
        let labels = self.matched_labels(alert);
        over.retain(|(window, _)| window.covers_alert(alert, &labels));
        over
    }

    /// The windows in which work lasts at `now`, each with that stretch.
    fn lasting_windows(&self, now: Timestamp) -> Vec<(&Window, Span)> {
        let windows = self.windows.values();
        let lasting = windows.filter_map(|window| Some((window, window.around(now)?)));
        lasting.collect()
    }

    /// Why nobody is paged for what is covered by its labels, or was merged of several incidents: each alert that asks must be quiet by
    /// itself, and the first that is no longer ends it for all.
    pub(super) fn silenced(&self, incident: &Incident, now: Timestamp) -> Option<Quiet> {
        // This is asked of each page: the calendars of other windows are looked at only where a silence lasts.
        let silences = self.windows.values();
        let mut silences = silences.filter(|window| window.silence.is_some());
        let none_lasts = silences.all(|window| window.around(now).is_none());
        if incident.merged.is_empty() && none_lasts {
            return None;
        }
        let windows = self.lasting_windows(now);
        let alerts = incident.alerts.iter().filter_map(|id| self.alerts.get(id));
        let firing: Vec<&Alert> = alerts.filter(|alert| alert.is_firing()).collect();
        let pages = |alert: &&Alert| alert.is_burning() || incident.urgent_by_hand;
        // What wakes somebody decides alone, where there is any.
        let some_page = firing.iter().any(pages);
        let asking = firing
            .into_iter()
            .filter(|alert| !some_page || pages(alert));
        let mut first: Option<Quiet> = None;
        for alert in asking {
            let quiet = self.quiet_among(alert.features(), &windows, now)?;
            if first.as_ref().is_none_or(|first| quiet.until < first.until) {
                first = Some(quiet);
            }
        }
        first
    }

    /// Why nobody is paged for an alert by itself.
    pub(crate) fn quiet_alert(&self, of: Features<'_>, now: Timestamp) -> Option<Quiet> {
        // In a storm this is asked of each alert: calendars are looked at for those windows alone that may cover it.
        let near = self
            .windows
            .values()
            .filter(|window| window.silence.is_some() || window.covers(of.service, of.target));
        let lasting = near.filter_map(|window| Some((window, window.around(now)?)));
        self.quiet_among(of, &lasting.collect::<Vec<_>>(), now)
    }

    /// The first wait that ends, where all that asks for somebody in an incident either waits whether it is over by then or is quiet;
    /// none where something of it does neither. It ends with the first silence beside it, if that is sooner. Once it `is_clear`, nothing
    /// waits any longer until that is so.
    pub(crate) fn waits(
        &self,
        incident: &Incident,
        now: Timestamp,
        is_clear: bool,
    ) -> Option<Hold> {
        if incident.urgent_by_hand {
            return None;
        }
        let windows = self.lasting_windows(now);
        let alerts = incident.alerts.iter().filter_map(|id| self.alerts.get(id));
        let mut first: Option<&Hold> = None;
        let mut quiet_until: Option<Timestamp> = None;
        for alert in alerts.filter(|alert| alert.is_burning()) {
            let lasts = |hold: &&Hold| hold.until > now && !(is_clear && hold.until_clear);
            let own = alert.hold.as_deref().filter(lasts);
            match own {
                Some(hold) => first = first.filter(|one| one.until <= hold.until).or(own),
                None => {
                    let quiet = self.quiet_among(alert.features(), &windows, now)?;
                    let before = quiet_until.into_iter();
                    quiet_until = before.chain([quiet.until]).min();
                }
            }
        }
        let first = first?;
        let until = quiet_until.map_or(first.until, |until| until.min(first.until));
        Some(Hold {
            until,
            ..first.clone()
        })
    }

    /// Why nobody is paged for an alert by itself, of the windows in which work lasts.
    fn quiet_among(
        &self,
        of: Features<'_>,
        windows: &[(&Window, Span)],
        now: Timestamp,
    ) -> Option<Quiet> {
        let target = of.target.and_then(|target| self.targets.get(&target));
        let own = target.and_then(|target| target.quiet_at(now));
        if windows.is_empty() {
            return own;
        }
        let labels = self.matched_by(of);
        let planned = windows
            .iter()
            .filter(|(window, _)| window.covers_one(of, &labels))
            .map(|(window, span)| window.quiet(*span));
        own.into_iter()
            .chain(planned)
            .max_by_key(|quiet| quiet.until)
    }
}

impl Alert {
    /// What says which windows cover it.
    #[must_use]
    pub fn features(&self) -> Features<'_> {
        Features {
            service: self.service,
            target: self.target,
            source: &self.source,
            severity: self.severity,
            title: &self.title,
            details: &self.details,
        }
    }
}

impl AlertSource {
    /// Whether the further fields of its alerts are labels and annotations.
    #[must_use]
    pub const fn has_labels(&self) -> bool {
        match self {
            Self::Rule { .. } | Self::Alertmanager { .. } => true,
            Self::Monitor { .. } | Self::EventsV2 { .. } | Self::Api | Self::Heartbeat { .. } => {
                false
            }
        }
    }
}
