//! Alerts: one failing condition each, from a monitor or from outside.

use serde::{Deserialize, Serialize};

use crate::id::{AlertId, HeartbeatId, IncidentId, IntegrationId, MonitorId, ServiceId, TargetId};
use crate::incident::Hold;
use crate::intake::Judged;
use crate::monitor::Severity;
use crate::people::Urgency;
use crate::time::Timestamp;

/// A sender by Alertmanager's API says an alert again within this time, also when nobody listened before: an alert of which it is
/// not said how long it holds is over after it. Alertmanager's default `resolve_timeout`.
pub const RESOLVE_TIMEOUT_MS: u64 = 300_000;

/// Bytes of further fields at most that are kept as they were sent.
pub const SENT_DETAILS_BYTES_MAX: usize = 8_192;
/// The summary of what a person declares without a word more.
pub const DECLARED: &str = "declared by a person";
/// The summary of what a person reopens.
pub const REOPENED: &str = "reopened by a person";
/// The summary of an event of PagerDuty's API v1, which does not say where it happened.
pub const BY_EVENTS_V1: &str = "by the Events API v1";

/// The service, and what of it fails again and again: a rule by its group and name, or an alert by its labels.
pub type Line = (ServiceId, String, String);
/// Stands for the group of a rule where alerts are known by their labels; no group has such a name.
const LABELS_LINE: &str = "\u{1f}labels";

/// Who says so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AlertSource {
    /// A monitor of ours, for one target.
    Monitor {
        /// The monitor.
        monitor: MonitorId,
        /// The target it fires for.
        target: TargetId,
    },
    /// A foreign system by PagerDuty's Events API v2.
    EventsV2 {
        /// By which integration.
        integration: IntegrationId,
    },
    /// The native API, or a person.
    Api,
    /// An alerting rule of a rule file.
    Rule {
        /// The group it stands in.
        group: String,
        /// The alert's name.
        rule: String,
    },
    /// A job that must call in.
    Heartbeat {
        /// Which.
        heartbeat: HeartbeatId,
    },
    /// A foreign system by Alertmanager's API.
    Alertmanager {
        /// By which integration, if by one.
        integration: Option<IntegrationId>,
    },
}

impl AlertSource {
    /// Whose keys its alerts have.
    #[must_use]
    pub const fn sender(&self) -> Sender {
        match self {
            Self::Monitor { .. } => Sender::Monitor,
            Self::EventsV2 { integration } => Sender::Integration(*integration),
            Self::Api => Sender::Api,
            Self::Rule { .. } => Sender::Rule,
            Self::Heartbeat { heartbeat } => Sender::Heartbeat(*heartbeat),
            Self::Alertmanager { .. } => Sender::Labels,
        }
    }

    /// The integration, when it came by one.
    #[must_use]
    pub const fn integration(&self) -> Option<IntegrationId> {
        match self {
            Self::EventsV2 { integration } => Some(*integration),
            Self::Alertmanager { integration } => *integration,
            Self::Monitor { .. } | Self::Api | Self::Rule { .. } | Self::Heartbeat { .. } => None,
        }
    }

    /// Whether its incident is over at once when nothing of it fires any more. Of several senders of the same alert, each says
    /// so at its own time, and one that does not know yet may say once more that it fires.
    #[must_use]
    pub const fn ends_at_once(&self) -> bool {
        match self {
            Self::EventsV2 { .. } | Self::Api => true,
            Self::Monitor { .. }
            | Self::Rule { .. }
            | Self::Heartbeat { .. }
            | Self::Alertmanager { .. } => false,
        }
    }

    /// Whether Tocsin judges by itself: what it sees failing is over when it sees it well, and no sooner.
    #[must_use]
    pub const fn is_own_judge(&self) -> bool {
        match self {
            Self::Monitor { .. } | Self::Rule { .. } | Self::Heartbeat { .. } => true,
            Self::EventsV2 { .. } | Self::Api | Self::Alertmanager { .. } => false,
        }
    }

    /// Of what its incidents about no target are, one after the other; none when each is by itself.
    #[must_use]
    pub fn line(&self, service: ServiceId, dedup_key: &str) -> Option<Line> {
        match self {
            Self::Rule { group, rule } => Some((service, group.clone(), rule.clone())),
            Self::Alertmanager { .. } => {
                Some((service, LABELS_LINE.to_owned(), dedup_key.to_owned()))
            }
            Self::Monitor { .. } | Self::EventsV2 { .. } | Self::Api | Self::Heartbeat { .. } => {
                None
            }
        }
    }

    /// The monitor, when it is one.
    #[must_use]
    pub const fn monitor(&self) -> Option<MonitorId> {
        match self {
            Self::Monitor { monitor, .. } => Some(*monitor),
            Self::EventsV2 { .. }
            | Self::Api
            | Self::Rule { .. }
            | Self::Heartbeat { .. }
            | Self::Alertmanager { .. } => None,
        }
    }
}

/// Whose keys they are: the same key of two senders names two alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sender {
    /// Our monitors; nobody outside can name their alerts.
    Monitor,
    /// A foreign system by this integration.
    Integration(IntegrationId),
    /// The native API.
    Api,
    /// Our rules; nobody outside can name their alerts.
    Rule,
    /// This job that must call in.
    Heartbeat(HeartbeatId),
    /// Nobody in particular: alerts that are known by their labels, whoever sends them.
    Labels,
}

/// Under what a firing alert is found again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertKey {
    /// The service it was sent to.
    pub service: ServiceId,
    /// Who says so.
    pub sender: Sender,
    /// The sender's key.
    pub key: String,
}

/// A sample that proves a statement, kept with it so that it outlives the store's retention.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvidenceSample {
    /// The series in PromQL notation.
    pub series: String,
    /// When.
    pub at: Timestamp,
    /// What; a NaN is written as null.
    #[serde(deserialize_with = "null_is_nan")]
    pub value: f64,
}

fn null_is_nan<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

/// Further fields as they were sent, as JSON in one line: kept only where their names and texts do not say the same. Nothing is decided
/// by them; they are told to clients that read back what was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentDetails(Box<str>);

impl SentDetails {
    /// What is kept of this JSON: all of it, or nothing where it is too long.
    #[must_use]
    pub fn kept(json: String) -> Option<Box<Self>> {
        let is_kept = json.len() <= SENT_DETAILS_BYTES_MAX;
        is_kept.then(|| Box::new(Self(json.into_boxed_str())))
    }

    /// The JSON.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.0
    }
}

/// Why an alert was put into an incident of its service that is not its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grouped {
    /// So many incidents of the service had opened within minutes that one more would have helped nobody.
    Storm,
    /// It has in common with the others what its service groups alerts by.
    Group,
}

impl Grouped {
    /// The reason, for a person.
    #[must_use]
    pub const fn why(self) -> &'static str {
        match self {
            Self::Storm => "many incidents of its service had opened within minutes",
            Self::Group => "its service puts together what has this in common",
        }
    }
}

/// One failing condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Its id.
    pub id: AlertId,
    /// The incident it belongs to.
    pub incident: IncidentId,
    /// The service it is about.
    pub service: ServiceId,
    /// The target it is about.
    pub target: Option<TargetId>,
    /// Two alerts of one service and one sender with the same key are one.
    pub dedup_key: String,
    /// Who says so.
    pub source: AlertSource,
    /// How bad.
    pub severity: Severity,
    /// What fails, in one line.
    pub title: String,
    /// More about it.
    pub summary: String,
    /// Further fields from outside, shown as text.
    pub details: Box<[(String, String)]>,
    /// The same as they were sent, where names and texts do not say it; boxed twice, since few have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_details: Option<Box<SentDetails>>,
    /// When the condition was true first for the judge (not the onset).
    pub opened_at: Timestamp,
    /// When it was taken in, when that was later than it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_at: Option<Timestamp>,
    /// When it was over.
    pub recovered_at: Option<Timestamp>,
    /// How far the clock had been set back, all times together, when it began; once it is over, by then. How long ago that was
    /// is counted with it.
    #[serde(skip)]
    pub set_back_ms: u64,
    /// When the failure itself began, as measured.
    pub onset: Option<Box<Onset>>,
    /// What proves it.
    pub evidence: Box<[EvidenceSample]>,
    /// How often it was said again while open.
    pub repeats: u64,
    /// Why it is in this incident, when that is not its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grouped: Option<Grouped>,
    /// Whether its incident was open already when it began: nothing but itself tells that it did.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub joined: bool,
    /// How loudly it asks for a person; none when its severity says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub urgency: Option<Urgency>,
    /// The service it was sent to, when a rule sent it on to another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_to: Option<ServiceId>,
    /// When it was said last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_at: Option<Timestamp>,
    /// What rules and settings made of it, when they made anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<Box<Judged>>,
    /// When it is over unless it is said again, if its sender says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// How long nobody is paged for it by itself, since it may be over by then, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Box<Hold>>,
}

impl Alert {
    /// Under what it is found again while it fires.
    #[must_use]
    pub fn key(&self) -> AlertKey {
        AlertKey {
            service: self.sent_to.unwrap_or(self.service),
            sender: self.source.sender(),
            key: self.dedup_key.clone(),
        }
    }

    /// Whether it is found under this key while it fires.
    #[must_use]
    pub fn is_under(&self, key: &AlertKey) -> bool {
        key.service == self.sent_to.unwrap_or(self.service)
            && key.sender == self.source.sender()
            && key.key == self.dedup_key
    }

    /// What its sender said besides what fails; empty where the summary holds words of ours, since they said nothing. Whoever says those
    /// very words said nothing either.
    #[must_use]
    pub fn said(&self) -> &str {
        match self.summary.as_str() {
            DECLARED | REOPENED | BY_EVENTS_V1 => "",
            said => said,
        }
    }

    /// How loudly it asks for a person.
    #[must_use]
    pub const fn urgency(&self) -> Urgency {
        match self.urgency {
            Some(urgency) => urgency,
            None => self.severity.urgency(),
        }
    }

    /// Makes it ask that loudly.
    pub(crate) fn set_urgency(&mut self, urgency: Urgency) {
        self.urgency = (urgency != self.severity.urgency()).then_some(urgency);
    }

    /// Why nobody is paged for it, if a rule says so.
    #[must_use]
    pub fn suppressed(&self) -> Option<&str> {
        self.judged.as_ref()?.suppressed.as_deref()
    }

    /// Whether it fails now and pages.
    #[must_use]
    pub const fn is_burning(&self) -> bool {
        self.is_firing() && matches!(self.urgency(), Urgency::High)
    }

    /// Whether it fails now.
    #[must_use]
    pub const fn is_firing(&self) -> bool {
        self.recovered_at.is_none()
    }
}

/// When a failure began: at `at` or up to `uncertainty_ms` before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Onset {
    /// The first sample outside the objective.
    pub at: Timestamp,
    /// Distance to the last good sample before it, or the resolution of the event source.
    pub uncertainty_ms: u64,
    /// The first bad sample.
    pub evidence: EvidenceSample,
}
