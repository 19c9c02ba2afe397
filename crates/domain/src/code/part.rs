//! Names of the parts of a document, and what is wrong with one.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::command::Refusal;

/// Kinds of parts, in the order in which they are set: each names only what is set before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// People.
    Users,
    /// Teams.
    Teams,
    /// Schedules.
    Schedules,
    /// Escalation policies.
    EscalationPolicies,
    /// Services.
    Services,
    /// Integrations of services, named `service / integration`; [`Part::integration`] makes such a name.
    Integrations,
    /// The list of last resort and the names of priorities.
    Installation,
    /// The rules of the installation, which are one part.
    AlertRules,
    /// Heartbeats.
    Heartbeats,
    /// Monitors.
    Monitors,
    /// Planned work.
    MaintenanceWindows,
}

impl Kind {
    /// Every one, in order.
    pub const ALL: [Self; 11] = [
        Self::Users,
        Self::Teams,
        Self::Schedules,
        Self::EscalationPolicies,
        Self::Services,
        Self::Integrations,
        Self::Installation,
        Self::AlertRules,
        Self::Heartbeats,
        Self::Monitors,
        Self::MaintenanceWindows,
    ];

    /// The key of its list in a file.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Teams => "teams",
            Self::Schedules => "schedules",
            Self::EscalationPolicies => "escalation_policies",
            Self::Services => "services",
            Self::Integrations => "integrations",
            Self::Installation => "installation",
            Self::AlertRules => "alert_rules",
            Self::Heartbeats => "heartbeats",
            Self::Monitors => "monitors",
            Self::MaintenanceWindows => "maintenance_windows",
        }
    }

    /// One of them, for a person.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Users => "person",
            Self::Teams => "team",
            Self::Schedules => "schedule",
            Self::EscalationPolicies => "escalation policy",
            Self::Services => "service",
            Self::Integrations => "integration",
            Self::Installation => "installation",
            Self::AlertRules => "alert rules",
            Self::Heartbeats => "heartbeat",
            Self::Monitors => "monitor",
            Self::MaintenanceWindows => "maintenance window",
        }
    }

    /// The field that is the key of one.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Users => "email",
            Self::Monitors => "slug",
            Self::MaintenanceWindows => "reason",
            Self::Teams
            | Self::Schedules
            | Self::EscalationPolicies
            | Self::Services
            | Self::Integrations
            | Self::Installation
            | Self::AlertRules
            | Self::Heartbeats => "name",
        }
    }

    /// Whether there is one of it at most, without a name.
    #[must_use]
    pub const fn is_single(self) -> bool {
        match self {
            Self::Installation | Self::AlertRules => true,
            Self::Users
            | Self::Teams
            | Self::Schedules
            | Self::EscalationPolicies
            | Self::Services
            | Self::Integrations
            | Self::Heartbeats
            | Self::Monitors
            | Self::MaintenanceWindows => false,
        }
    }
}

/// One part of a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// Of which kind.
    pub kind: Kind,
    /// Its key; empty when there is only one of that kind.
    pub name: String,
}

impl Part {
    /// The part of that kind and key.
    #[must_use]
    pub fn new(kind: Kind, name: impl Into<String>) -> Self {
        let name = name.into();
        Self { kind, name }
    }

    /// An integration of a service.
    #[must_use]
    pub fn integration(service: &str, name: &str) -> Self {
        let (service, name) = (marked(service), marked(name));
        Self::new(Kind::Integrations, format!("{service} / {name}"))
    }
}

/// A name in which no slash follows a space, nor begins it, but for one that is marked: the slash between two such names is
/// then the only one that follows a space, so that no other two give the same text.
fn marked(name: &str) -> String {
    let mut told = String::with_capacity(name.len());
    let mut before = ' ';
    for letter in name.chars() {
        if letter == '\\' || (letter == '/' && before == ' ') {
            told.push('\\');
        }
        told.push(letter);
        before = letter;
    }
    told
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.kind.noun())?;
        if !self.kind.is_single() {
            write!(formatter, " {:?}", self.name)?;
        }
        Ok(())
    }
}

/// Why a part cannot be as it is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which part.
    pub part: Part,
    /// Why, as the core says it. Each reason of an invalid part may begin with the path of a field and a colon.
    pub refusal: Refusal,
}

impl Fault {
    /// Something is wrong at a field of a part.
    pub(crate) fn at(part: Part, path: &str, reason: &str) -> Self {
        let refusal = Refusal::invalid(format!("{path}: {reason}"));
        Self { part, refusal }
    }

    /// A field of a part names something that goes by the same document: it would not be there any more once that is true.
    pub(crate) fn names_gone(part: Part, path: &str, kind: Kind, name: &str) -> Self {
        let noun = kind.noun();
        let reason = format!("the {noun} {name:?} goes, since it stands in no file");
        Self::at(part, path, &reason)
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        let part = fault.part.to_string();
        let of = |text: &str| format!("{part}: {text}");
        match fault.refusal {
            Self::NotFound { what } => Self::invalid(of(&format!("there is no {what}"))),
            Self::Conflict { why } => Self::conflict(of(&why)),
            Self::Forbidden { why } => Self::forbidden(of(&why)),
            Self::Invalid { reasons } => Self::Invalid {
                reasons: reasons.iter().map(|reason| of(reason)).collect(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_a_service_and_an_integration_are_told_apart_wherever_slashes_stand() {
        let check = |service: &str, name: &str, expected: &str| {
            assert_eq!(Part::integration(service, name).name, expected);
        };
        check("Shop", "Probe", "Shop / Probe");
        check("Shop/EU", "CI/CD", "Shop/EU / CI/CD");
        check("Shop / EU", "Probe", r"Shop \/ EU / Probe");
        check("Shop", "EU / Probe", r"Shop / EU \/ Probe");
        check("Shop", "/ Probe", r"Shop / \/ Probe");
        check("Shop /", "Probe", r"Shop \/ / Probe");
        check(r"Shop \/ EU", "Probe", r"Shop \\/ EU / Probe");
    }
}
