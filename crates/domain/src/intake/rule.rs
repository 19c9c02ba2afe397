//! Rules about alerts: on what they depend and what they do. Whether one holds for an alert is read from the alert and the
//! time alone.

use serde::{Deserialize, Serialize};

use super::judge::Incoming;
use super::{form, glob};
use crate::id::{IntegrationId, RuleId, ServiceId};
use crate::monitor::Severity;
use crate::oncall::Hours;
use crate::time::Timestamp;

/// Rules of one list at most.
pub const RULES_MAX: usize = 100;
/// Conditions of one rule at most, those inside of others counted.
const CONDITIONS_MAX: usize = 50;
/// How deep they may stand in each other.
const DEPTH_MAX: usize = 5;
/// Characters of a text that is compared with.
const TEXT_MAX: usize = 500;
/// Actions of one rule at most.
const ACTIONS_MAX: usize = 10;
/// The longest pause: an hour.
const PAUSE_MS_MAX: u64 = 3_600_000;

/// One rule of an ordered list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Its id.
    pub id: RuleId,
    /// What it is for.
    pub name: String,
    /// When it applies.
    pub when: Condition,
    /// What it does then.
    pub then: Vec<Action>,
    /// Whether the rules after it are looked at too.
    #[serde(default)]
    pub go_on: bool,
}

/// When a rule applies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Condition {
    /// Each of them holds; none of them: always.
    All {
        /// Which.
        of: Vec<Condition>,
    },
    /// One of them holds.
    Any {
        /// Which.
        of: Vec<Condition>,
    },
    /// It does not hold.
    Not {
        /// What.
        of: Box<Condition>,
    },
    /// A field of the alert has such a value.
    Field {
        /// Which field.
        field: Field,
        /// What is asked of it.
        test: Test,
    },
    /// It is one of these hours.
    Hours {
        /// Which.
        hours: Hours,
    },
}

/// A field of an alert, as it came in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "name", content = "of", rename_all = "snake_case")]
pub enum Field {
    /// What fails, in one line.
    Title,
    /// What senders call so, which is the title, and what is told beside it: a test holds when it holds for one of them.
    Summary,
    /// `info`, `warning`, `error` or `critical`.
    Severity,
    /// Where it fails.
    Source,
    /// The part that fails.
    Component,
    /// Its logical group.
    Group,
    /// Its class.
    Class,
    /// A further field by its name, whatever the case of its letters.
    Detail(String),
    /// The id or the name of the integration.
    Integration,
    /// The id or the name of the service.
    Service,
}

/// What is asked of a field. Letters match in either case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", content = "text", rename_all = "snake_case")]
pub enum Test {
    /// It is this text.
    Equals(String),
    /// This text stands in it.
    Contains(String),
    /// It begins with this text.
    StartsWith(String),
    /// It fits this pattern: `*` stands for any text, `?` for one character.
    Matches(String),
    /// There is such a field, and it is not empty.
    Exists,
}

/// What a rule does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Action {
    /// The alert belongs to another service.
    Route {
        /// Which.
        service: ServiceId,
    },
    /// It is as bad as this.
    SetSeverity {
        /// How bad.
        severity: Severity,
    },
    /// It has this priority.
    SetPriority {
        /// Its name.
        priority: String,
    },
    /// It is kept and shown; nobody is paged.
    Suppress,
    /// Nobody is paged unless it still fails after so long.
    Pause {
        /// How long.
        ms: u64,
    },
    /// It is thrown away, and counted.
    Drop,
    /// A note is added to its incident.
    Note {
        /// The text.
        text: String,
    },
}

/// Where something fails by the words of whoever sent it: alerts from outside keep that in their summary.
#[must_use]
pub fn place_in(summary: &str) -> Option<&str> {
    summary.strip_prefix("on ")
}

impl Field {
    /// Its value; none when the alert has no such field.
    pub(super) fn of(&self, alert: &Incoming<'_>) -> Option<String> {
        match self {
            Self::Title => Some(alert.title.to_owned()),
            Self::Summary => Some(alert.summary.to_owned()),
            Self::Severity => Some(alert.severity.word().to_owned()),
            Self::Source => {
                detail(alert, "source").or_else(|| place_in(alert.summary).map(str::to_owned))
            }
            Self::Component => detail(alert, "component"),
            Self::Group => detail(alert, "group"),
            Self::Class => detail(alert, "class"),
            Self::Detail(name) => further(alert, name),
            Self::Integration => alert.integration.map(|id| id.to_string()),
            Self::Service => Some(alert.service.to_string()),
        }
    }

    /// Whether something else that is meant by it is so: a service and an integration have names too, and what every sender calls
    /// summary is the title.
    fn is_otherwise(&self, alert: &Incoming<'_>, names: &impl Named, test: &Test) -> bool {
        let is_so = |value: &str| test.holds(value);
        match self {
            Self::Service => names.service(alert.service).is_some_and(is_so),
            Self::Integration => {
                let name = alert.integration.and_then(|id| names.integration(id));
                name.is_some_and(is_so)
            }
            Self::Summary => {
                // Every alert has a title: that there is a summary says that more is told.
                let by_title = *test != Test::Exists && is_so(alert.title);
                by_title || detail(alert, "summary").is_some_and(|told| is_so(&told))
            }
            Self::Title
            | Self::Severity
            | Self::Source
            | Self::Component
            | Self::Group
            | Self::Class
            | Self::Detail(_) => false,
        }
    }

    pub(super) fn violation(&self, place: &str) -> Option<String> {
        match self {
            Self::Detail(name) if name.is_empty() || name.chars().count() > TEXT_MAX => {
                Some(format!("{place}: a name has 1 to {TEXT_MAX} characters"))
            }
            Self::Detail(_)
            | Self::Title
            | Self::Summary
            | Self::Severity
            | Self::Source
            | Self::Component
            | Self::Group
            | Self::Class
            | Self::Integration
            | Self::Service => None,
        }
    }
}

fn detail(alert: &Incoming<'_>, name: &str) -> Option<String> {
    named(alert, name).map(|(_, value)| value.clone())
}

fn named<'a>(alert: &Incoming<'a>, name: &str) -> Option<&'a (String, String)> {
    let name = name.to_lowercase();
    let mut details = alert.details.iter();
    details.find(|(known, _)| known.to_lowercase() == name)
}

/// A further field. One that is called like a field of its sender's form is kept apart from that by a prefix, and is meant where both
/// are there. Of others, what is within something called `details` has the same prefix, and is another field.
fn further(alert: &Incoming<'_>, name: &str) -> Option<String> {
    let found = named(alert, name);
    let itself = found.filter(|(known, _)| !form::keeps(known));
    let meant = itself.or_else(|| named(alert, &format!("{}{name}", form::FURTHER)));
    meant.or(found).map(|(_, value)| value.clone())
}

impl Test {
    pub(super) fn holds(&self, value: &str) -> bool {
        let value = value.to_lowercase();
        match self {
            Self::Equals(text) => value == text.to_lowercase(),
            Self::Contains(text) => value.contains(&text.to_lowercase()),
            Self::StartsWith(text) => value.starts_with(&text.to_lowercase()),
            Self::Matches(pattern) => glob::fits(pattern, &value),
            Self::Exists => !value.is_empty(),
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::Equals(text)
            | Self::Contains(text)
            | Self::StartsWith(text)
            | Self::Matches(text) => Some(text),
            Self::Exists => None,
        }
    }
}

/// The names by which a service and an integration can be meant too.
pub(super) trait Named {
    fn service(&self, id: ServiceId) -> Option<&str>;
    fn integration(&self, id: IntegrationId) -> Option<&str>;
}

impl Condition {
    /// Whether it holds for an alert at `now`.
    pub(super) fn holds(&self, alert: &Incoming<'_>, names: &impl Named, now: Timestamp) -> bool {
        match self {
            Self::All { of } => of.iter().all(|one| one.holds(alert, names, now)),
            Self::Any { of } => of.iter().any(|one| one.holds(alert, names, now)),
            Self::Not { of } => !of.holds(alert, names, now),
            Self::Field { field, test } => {
                let itself = field.of(alert);
                itself.is_some_and(|value| test.holds(&value))
                    || field.is_otherwise(alert, names, test)
            }
            Self::Hours { hours } => hours.around(now).is_some(),
        }
    }

    /// Why it cannot be asked; empty when it can.
    #[must_use]
    pub fn violations(&self, place: &str) -> Vec<String> {
        let (mut reasons, mut count) = (Vec::new(), 0);
        self.check(place, 1, &mut count, &mut reasons);
        if count > CONDITIONS_MAX {
            reasons.push(format!("{place}: at most {CONDITIONS_MAX} conditions"));
        }
        reasons
    }

    fn check(&self, place: &str, depth: usize, count: &mut usize, reasons: &mut Vec<String>) {
        *count += 1;
        if depth > DEPTH_MAX {
            reasons.push(format!(
                "{place}: conditions stand at most {DEPTH_MAX} deep in each other"
            ));
            return;
        }
        match self {
            Self::All { of } | Self::Any { of } => {
                for one in of {
                    one.check(place, depth + 1, count, reasons);
                }
            }
            Self::Not { of } => of.check(place, depth + 1, count, reasons),
            Self::Field { field, test } => {
                reasons.extend(field.violation(place));
                let is_good = |text: &str| !text.is_empty() && text.chars().count() <= TEXT_MAX;
                if test.text().is_some_and(|text| !is_good(text)) {
                    reasons.push(format!("{place}: a text has 1 to {TEXT_MAX} characters"));
                }
            }
            Self::Hours { hours } => reasons.extend(hours.violations(place)),
        }
    }
}

impl Rule {
    /// Why it cannot be used; empty when it can. Whether what it names exists is checked elsewhere.
    pub(crate) fn violations(&self, place: &str) -> Vec<String> {
        let mut reasons = self.when.violations(&format!("{place}.when"));
        if self.then.is_empty() || self.then.len() > ACTIONS_MAX {
            reasons.push(format!("{place}.then: 1 to {ACTIONS_MAX} actions"));
        }
        let is_text = |text: &str| !text.trim().is_empty() && text.chars().count() <= TEXT_MAX;
        for action in &self.then {
            match action {
                Action::Pause { ms } if !(1_000..=PAUSE_MS_MAX).contains(ms) => {
                    reasons.push(format!("{place}.then: a pause is 1 second to 1 hour"));
                }
                Action::SetPriority { priority: text } | Action::Note { text }
                    if !is_text(text) =>
                {
                    reasons.push(format!(
                        "{place}.then: a text has 1 to {TEXT_MAX} characters"
                    ));
                }
                Action::Pause { .. }
                | Action::SetPriority { .. }
                | Action::Note { .. }
                | Action::Route { .. }
                | Action::SetSeverity { .. }
                | Action::Suppress
                | Action::Drop => {}
            }
        }
        reasons
    }
}
