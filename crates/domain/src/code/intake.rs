//! How files say what becomes of alerts: urgency, grouping and rules, to and from what the core has.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::keys::Keys;
use super::words::{HourWindow, Length};
use crate::intake::{self, Field, GroupBy, Loudness, SupportHours, Test, UrgencyBy};
use crate::monitor::Severity;
use crate::oncall;

/// Before the name of a further field.
const DETAIL: &str = "details.";

/// How urgent an alert is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// Error and critical page; the rest do not.
    #[default]
    Severity,
    /// It pages.
    High,
    /// It does not.
    Low,
    /// It depends on the hour.
    SupportHours(Support),
}

impl Urgency {
    pub(super) fn is_usual(&self) -> bool {
        *self == Self::Severity
    }

    pub(super) fn of(by: &UrgencyBy) -> Self {
        match by {
            UrgencyBy::Severity => Self::Severity,
            UrgencyBy::High => Self::High,
            UrgencyBy::Low => Self::Low,
            UrgencyBy::SupportHours(support) => {
                let SupportHours {
                    hours,
                    during,
                    outside,
                    raise,
                } = &**support;
                Self::SupportHours(Support {
                    time_zone: hours.time_zone.clone(),
                    windows: windows_of(hours),
                    during: *during,
                    outside: *outside,
                    raise: *raise,
                })
            }
        }
    }

    pub(crate) fn read(&self) -> UrgencyBy {
        match self {
            Self::Severity => UrgencyBy::Severity,
            Self::High => UrgencyBy::High,
            Self::Low => UrgencyBy::Low,
            Self::SupportHours(support) => UrgencyBy::SupportHours(Box::new(SupportHours {
                hours: hours_read(&support.time_zone, &support.windows),
                during: support.during,
                outside: support.outside,
                raise: support.raise,
            })),
        }
    }
}

/// Hours in which alerts are as urgent as it says, and what they are outside of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Support {
    /// An IANA zone.
    pub time_zone: String,
    /// The hours.
    pub windows: Vec<HourWindow>,
    /// Within them.
    pub during: Loudness,
    /// Outside of them.
    pub outside: Loudness,
    /// Whether what is open and not urgent is raised when they begin.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub raise: bool,
}

/// Recurring hours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// An IANA zone.
    pub time_zone: String,
    /// The hours.
    pub windows: Vec<HourWindow>,
}

fn windows_of(hours: &oncall::Hours) -> Vec<HourWindow> {
    hours.windows.iter().copied().map(HourWindow).collect()
}

fn hours_read(time_zone: &str, windows: &[HourWindow]) -> oncall::Hours {
    oncall::Hours {
        time_zone: time_zone.to_owned(),
        windows: windows.iter().map(|window| window.0).collect(),
    }
}

/// Which alerts of a service make one incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grouping {
    /// Each alert has its own.
    #[default]
    Nothing,
    /// Alerts that come within a span of time.
    #[serde(rename_all = "snake_case")]
    Time {
        /// How long.
        within: Length,
        /// Whether the span begins anew with each alert.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        rolling: bool,
    },
    /// Alerts with the same values of these fields.
    Content(Vec<FieldName>),
}

impl Grouping {
    pub(super) fn is_usual(&self) -> bool {
        *self == Self::Nothing
    }

    pub(super) fn of(by: &GroupBy) -> Self {
        match by {
            GroupBy::Nothing => Self::Nothing,
            GroupBy::Time { within_ms, rolling } => Self::Time {
                within: Length::of_ms(*within_ms),
                rolling: *rolling,
            },
            GroupBy::Content { fields } => {
                Self::Content(fields.iter().cloned().map(FieldName).collect())
            }
        }
    }

    pub(crate) fn read(&self) -> GroupBy {
        match self {
            Self::Nothing => GroupBy::Nothing,
            Self::Time { within, rolling } => GroupBy::Time {
                within_ms: within.ms,
                rolling: *rolling,
            },
            Self::Content(fields) => GroupBy::Content {
                fields: fields.iter().map(|field| field.0.clone()).collect(),
            },
        }
    }
}

/// The name of a field of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldName(pub Field);

impl Field {
    /// Its name in rules.
    #[must_use]
    pub fn word(&self) -> String {
        match self {
            Self::Title => "title".to_owned(),
            Self::Summary => "summary".to_owned(),
            Self::Severity => "severity".to_owned(),
            Self::Source => "source".to_owned(),
            Self::Component => "component".to_owned(),
            Self::Group => "group".to_owned(),
            Self::Class => "class".to_owned(),
            Self::Integration => "integration".to_owned(),
            Self::Service => "service".to_owned(),
            Self::Detail(name) => format!("{DETAIL}{name}"),
        }
    }

    /// The field of that name.
    ///
    /// # Errors
    /// There is none; which there are.
    pub fn named(word: &str) -> Result<Self, String> {
        let plain = [
            Self::Title,
            Self::Summary,
            Self::Severity,
            Self::Source,
            Self::Component,
            Self::Group,
            Self::Class,
            Self::Integration,
            Self::Service,
        ];
        if let Some(name) = word.strip_prefix(DETAIL) {
            return Ok(Self::Detail(name.to_owned()));
        }
        let found = plain.into_iter().find(|field| field.word() == word);
        found.ok_or_else(|| {
            format!(
                "{word:?} is no field: title, summary, severity, source, component, group, class, integration, service or {DETAIL}NAME"
            )
        })
    }
}

impl Serialize for FieldName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.word())
    }
}

impl<'de> Deserialize<'de> for FieldName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Field::named(&word).map(Self).map_err(D::Error::custom)
    }
}

/// A rule about alerts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What it is for.
    pub name: String,
    /// When it applies; always when left out.
    #[serde(default, skip_serializing_if = "Condition::is_always")]
    pub when: Condition,
    /// What it does.
    pub then: Vec<Action>,
    /// Whether the rules after it are looked at too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub go_on: bool,
}

/// What is asked of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    /// It is this text.
    Equals,
    /// This text stands in it.
    Contains,
    /// It begins with this text.
    StartsWith,
    /// It fits this pattern.
    Matches,
    /// It is there.
    Exists,
}

/// When a rule applies: one of `all`, `any`, `not`, `hours`, or `field` with `op`; nothing of these: always.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Condition {
    /// Each of these holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub all: Option<Vec<Self>>,
    /// One of these holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub any: Option<Vec<Self>>,
    /// This does not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not: Option<Box<Self>>,
    /// It is one of these hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hours: Option<Hours>,
    /// A field of the alert.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<FieldName>,
    /// What is asked of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op: Option<Operator>,
    /// With what it is compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl Condition {
    fn is_always(&self) -> bool {
        *self == Self::default()
    }

    /// A condition as files have it.
    #[must_use]
    pub fn of(condition: &intake::Condition) -> Self {
        let list = |of: &[intake::Condition]| Some(of.iter().map(Self::of).collect());
        match condition {
            intake::Condition::All { of } if of.is_empty() => Self::default(),
            intake::Condition::All { of } => Self {
                all: list(of),
                ..Self::default()
            },
            intake::Condition::Any { of } => Self {
                any: list(of),
                ..Self::default()
            },
            intake::Condition::Not { of } => Self {
                not: Some(Box::new(Self::of(of))),
                ..Self::default()
            },
            intake::Condition::Hours { hours } => Self {
                hours: Some(Hours {
                    time_zone: hours.time_zone.clone(),
                    windows: windows_of(hours),
                }),
                ..Self::default()
            },
            intake::Condition::Field { field, test } => {
                let (op, text) = Operator::of(test);
                Self {
                    field: Some(FieldName(field.clone())),
                    op: Some(op),
                    text: text.map(str::to_owned),
                    ..Self::default()
                }
            }
        }
    }

    fn read(&self) -> Result<intake::Condition, &'static str> {
        let list = |of: &[Self]| of.iter().map(Self::read).collect::<Result<Vec<_>, _>>();
        let mut found = Vec::new();
        if let Some(all) = &self.all {
            found.push(intake::Condition::All { of: list(all)? });
        }
        if let Some(any) = &self.any {
            found.push(intake::Condition::Any { of: list(any)? });
        }
        if let Some(not) = &self.not {
            let of = Box::new(not.read()?);
            found.push(intake::Condition::Not { of });
        }
        if let Some(hours) = &self.hours {
            let hours = hours_read(&hours.time_zone, &hours.windows);
            found.push(intake::Condition::Hours { hours });
        }
        match (&self.field, self.op) {
            (None, None) if self.text.is_none() => {}
            (Some(field), Some(op)) => found.push(intake::Condition::Field {
                field: field.0.clone(),
                test: op.test(self.text.clone())?,
            }),
            (None, _) | (_, None) => return Err("a field needs an op, and an op a field"),
        }
        let first = found.pop();
        if found.is_empty() {
            Ok(first.unwrap_or(intake::Condition::All { of: Vec::new() }))
        } else {
            Err("one of all, any, not, hours or field, and not two of them")
        }
    }
}

impl Operator {
    /// What a test asks, and with what it compares.
    #[must_use]
    pub fn of(test: &Test) -> (Self, Option<&str>) {
        match test {
            Test::Equals(text) => (Self::Equals, Some(text.as_str())),
            Test::Contains(text) => (Self::Contains, Some(text.as_str())),
            Test::StartsWith(text) => (Self::StartsWith, Some(text.as_str())),
            Test::Matches(text) => (Self::Matches, Some(text.as_str())),
            Test::Exists => (Self::Exists, None),
        }
    }

    /// The test that asks this.
    ///
    /// # Errors
    /// It lacks a text, or has one that it cannot use.
    pub fn test(self, text: Option<String>) -> Result<Test, &'static str> {
        match (self, text) {
            (Self::Equals, Some(text)) => Ok(Test::Equals(text)),
            (Self::Contains, Some(text)) => Ok(Test::Contains(text)),
            (Self::StartsWith, Some(text)) => Ok(Test::StartsWith(text)),
            (Self::Matches, Some(text)) => Ok(Test::Matches(text)),
            (Self::Exists, None) => Ok(Test::Exists),
            (Self::Exists, Some(_)) => Err("the op exists takes no text"),
            (Self::Equals | Self::Contains | Self::StartsWith | Self::Matches, None) => {
                Err("this op needs a text")
            }
        }
    }
}

/// What a rule does: `"suppress"`, `{ route = "Web" }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The alert belongs to another service, by its name.
    Route(String),
    /// It is as bad as this.
    SetSeverity(Severity),
    /// It has this priority.
    SetPriority(String),
    /// It is kept and shown; nobody is paged.
    Suppress,
    /// Nobody is paged unless it still fails after so long.
    Pause(Length),
    /// It is thrown away, and counted.
    Drop,
    /// A note is added to its incident.
    Note(String),
}

impl Action {
    fn of(action: &intake::Action, keys: &Keys) -> Self {
        match action {
            intake::Action::Route { service } => Self::Route(keys.services.name(*service)),
            intake::Action::SetSeverity { severity } => Self::SetSeverity(*severity),
            intake::Action::SetPriority { priority } => Self::SetPriority(priority.clone()),
            intake::Action::Suppress => Self::Suppress,
            intake::Action::Pause { ms } => Self::Pause(Length::of_ms(*ms)),
            intake::Action::Drop => Self::Drop,
            intake::Action::Note { text } => Self::Note(text.clone()),
        }
    }

    fn read(&self, keys: &Keys) -> Result<intake::Action, String> {
        Ok(match self {
            Self::Route(name) => intake::Action::Route {
                service: keys.services.id(name)?,
            },
            Self::SetSeverity(severity) => intake::Action::SetSeverity {
                severity: *severity,
            },
            Self::SetPriority(priority) => intake::Action::SetPriority {
                priority: priority.clone(),
            },
            Self::Suppress => intake::Action::Suppress,
            Self::Pause(length) => intake::Action::Pause { ms: length.ms },
            Self::Drop => intake::Action::Drop,
            Self::Note(text) => intake::Action::Note { text: text.clone() },
        })
    }
}

impl Rule {
    pub(super) fn of(rule: &intake::Rule, keys: &Keys) -> Self {
        let intake::Rule {
            id: _,
            name,
            when,
            then,
            go_on,
        } = rule;
        Self {
            name: name.clone(),
            when: Condition::of(when),
            then: then.iter().map(|one| Action::of(one, keys)).collect(),
            go_on: *go_on,
        }
    }

    /// As the core has it, but for its id; what is wrong with which field of it.
    pub(crate) fn read(
        &self,
        keys: &Keys,
    ) -> Result<(intake::Condition, Vec<intake::Action>), (String, String)> {
        let when = self.when.read();
        let when = when.map_err(|wrong| ("when".to_owned(), wrong.to_owned()))?;
        let then = self.then.iter().enumerate().map(|(index, action)| {
            let read = action.read(keys);
            read.map_err(|wrong| (format!("then[{index}]"), wrong))
        });
        Ok((when, then.collect::<Result<_, _>>()?))
    }
}
