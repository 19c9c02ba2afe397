//! How a service takes its alerts in: how urgent they are, which of them make one incident, and when they end by themselves.

use serde::{Deserialize, Serialize};

use super::rule::Rule;
use crate::monitor::Severity;
use crate::oncall::Hours;
use crate::people::Urgency;
use crate::time::Timestamp;

/// Alerts of one incident at most; the next one opens another.
pub const ALERTS_PER_INCIDENT_MAX: usize = 1_000;
/// Open incidents of one group that further alerts may join at most: the newest.
pub const INCIDENTS_PER_GROUP_MAX: usize = 32;
/// The longest span that makes alerts one incident: a day.
pub const GROUP_MS_MAX: u64 = 86_400_000;
/// Fields that alerts of one incident have in common, at most.
pub const GROUP_FIELDS_MAX: usize = 5;
/// Characters of the name of a grouping at most.
pub const GROUP_NAME_CHARS_MAX: usize = 255;
/// Characters of what is said of one at most.
pub const GROUP_DESCRIPTION_CHARS_MAX: usize = 1_024;
/// The shortest silence after which an alert from outside is taken to be over: five minutes.
pub const RESOLVE_AFTER_MS_MIN: u64 = 300_000;
/// The longest: 30 days.
pub const RESOLVE_AFTER_MS_MAX: u64 = 30 * 86_400_000;

/// How a service takes its alerts in. The default: as urgent as their severity, each by itself, until whoever raised it says
/// that it is over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Intake {
    /// How urgent an alert is.
    pub urgency: UrgencyBy,
    /// Which alerts make one incident.
    pub grouping: GroupBy,
    /// What a client of another system calls this, where it does; nothing where alerts are not grouped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grouping_label: Option<GroupingLabel>,
    /// After so long without news, an alert from outside is taken to be over.
    pub resolve_after_ms: Option<u64>,
    /// Looked at in this order, after those of the installation.
    pub rules: Vec<Rule>,
}

/// How the urgency of an alert is found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum UrgencyBy {
    /// Error and critical page; the rest do not.
    #[default]
    Severity,
    /// Whatever its severity, it pages.
    High,
    /// Whatever its severity, it does not.
    Low,
    /// It depends on the hour.
    SupportHours(Box<SupportHours>),
}

/// Hours in which alerts are as urgent as it says, and what they are outside of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupportHours {
    /// When somebody is there for this service.
    pub hours: Hours,
    /// Within these hours.
    pub during: Loudness,
    /// Outside of them.
    pub outside: Loudness,
    /// Whether what is open and not urgent is raised when the hours begin.
    #[serde(default)]
    pub raise: bool,
}

/// How urgent an alert is at some hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loudness {
    /// It pages.
    High,
    /// It does not.
    Low,
    /// As its severity says.
    Severity,
}

impl Loudness {
    /// The urgency of an alert of that severity.
    #[must_use]
    pub const fn of(self, severity: Severity) -> Urgency {
        match self {
            Self::High => Urgency::High,
            Self::Low => Urgency::Low,
            Self::Severity => severity.urgency(),
        }
    }
}

impl UrgencyBy {
    /// How urgent an alert of that severity is at `now`, and why when it is not by the severity alone.
    #[must_use]
    pub fn of(&self, severity: Severity, now: Timestamp) -> (Urgency, Option<&'static str>) {
        match self {
            Self::Severity => (severity.urgency(), None),
            Self::High => (Urgency::High, Some("alerts of this service are urgent")),
            Self::Low => (
                Urgency::Low,
                Some("alerts of this service are never urgent"),
            ),
            Self::SupportHours(support) if support.hours.around(now).is_some() => (
                support.during.of(severity),
                Some("the service is in its support hours"),
            ),
            Self::SupportHours(support) => (
                support.outside.of(severity),
                Some("the service is outside of its support hours"),
            ),
        }
    }

    /// The support hours at whose beginning open incidents are raised.
    pub(crate) fn raising(&self) -> Option<&SupportHours> {
        match self {
            Self::SupportHours(support) if support.raise => Some(support),
            Self::SupportHours(_) | Self::Severity | Self::High | Self::Low => None,
        }
    }
}

/// Which alerts of a service make one incident, besides those of one target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum GroupBy {
    /// Each alert has its own.
    #[default]
    Nothing,
    /// Alerts that come within a span of time.
    Time {
        /// How long.
        within_ms: u64,
        /// Whether the span begins anew with each alert, and not with the incident alone.
        #[serde(default)]
        rolling: bool,
    },
    /// Alerts with the same values of these fields.
    Content {
        /// The names of the fields, as in rules.
        fields: Vec<super::Field>,
    },
}

/// What a client of another system calls the way in which alerts of a service are grouped, and says of it. It is told back to clients,
/// and nothing is decided by it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupingLabel {
    /// Its name; may be empty.
    pub name: String,
    /// What it is for; may be empty.
    pub description: String,
}

impl Intake {
    /// The same without a label where alerts are not grouped.
    pub(crate) fn labelled(self) -> Self {
        let is_grouped = self.grouping != GroupBy::Nothing;
        let grouping_label = self.grouping_label.filter(|_| is_grouped);
        Self {
            grouping_label,
            ..self
        }
    }

    /// Why they cannot be used; empty when they can. What rules name is checked elsewhere.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if let UrgencyBy::SupportHours(support) = &self.urgency {
            reasons.extend(support.hours.violations("urgency.hours"));
        }
        match &self.grouping {
            GroupBy::Nothing => {}
            GroupBy::Time { within_ms, .. } => {
                if !(1_000..=GROUP_MS_MAX).contains(within_ms) {
                    reasons.push("grouping.within: 1 second to 1 day".to_owned());
                }
            }
            GroupBy::Content { fields } => {
                if fields.is_empty() || fields.len() > GROUP_FIELDS_MAX {
                    reasons.push(format!("grouping.fields: 1 to {GROUP_FIELDS_MAX}"));
                }
                reasons.extend(
                    fields
                        .iter()
                        .filter_map(|field| field.violation("grouping.fields")),
                );
            }
        }
        if let Some(label) = &self.grouping_label {
            let texts = [
                ("name", &label.name, GROUP_NAME_CHARS_MAX),
                (
                    "description",
                    &label.description,
                    GROUP_DESCRIPTION_CHARS_MAX,
                ),
            ];
            let long = texts
                .into_iter()
                .filter(|(_, text, max)| text.chars().count() > *max);
            reasons.extend(
                long.map(|(what, _, max)| format!("grouping.{what}: at most {max} characters")),
            );
        }
        let range = RESOLVE_AFTER_MS_MIN..=RESOLVE_AFTER_MS_MAX;
        if self.resolve_after_ms.is_some_and(|ms| !range.contains(&ms)) {
            reasons.push("resolve_after: 5 minutes to 30 days".to_owned());
        }
        reasons
    }
}
