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

/// Fields that the core calls otherwise than files do, by the kind of the part they are of.
const CALLED_OTHERWISE: [(Kind, &str, &str); 7] = [
    (Kind::Schedules, "turn.every", "every"),
    (Kind::Services, "urgency.hours", "urgency.support_hours"),
    (Kind::Services, "grouping.within", "grouping.time.within"),
    (Kind::Services, "grouping.fields", "grouping.content"),
    (Kind::Installation, "users", "fallback"),
    (Kind::Installation, "names", "priorities"),
    (Kind::MaintenanceWindows, "repeat.minutes", "repeat.lasts"),
];

impl Fault {
    /// The core refuses a part. Its reasons name fields as files do, so that they are found there.
    pub(crate) fn of(part: Part, refusal: Refusal) -> Self {
        let refusal = match refusal {
            Refusal::Invalid { reasons } => Refusal::Invalid {
                reasons: reasons
                    .iter()
                    .map(|reason| as_in_files(part.kind, reason))
                    .collect(),
            },
            other @ (Refusal::NotFound { .. }
            | Refusal::Conflict { .. }
            | Refusal::Forbidden { .. }) => other,
        };
        Self { part, refusal }
    }

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

/// A reason of the core with the word that its field has in files.
fn as_in_files(kind: Kind, reason: &str) -> String {
    let renamed = reason.split_once(": ").and_then(|(path, what)| {
        let mut known = CALLED_OTHERWISE.iter().filter(|(of, _, _)| *of == kind);
        known.find_map(|(_, word, in_files)| {
            let (before, after) = path.split_once(word)?;
            let is_whole = (before.is_empty() || before.ends_with('.'))
                && (after.is_empty() || after.starts_with(['.', '[']));
            is_whole.then(|| format!("{before}{in_files}{after}: {what}"))
        })
    });
    renamed.unwrap_or_else(|| reason.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_told_by_the_word_that_it_has_in_files() {
        let check = |kind: Kind, reason: &str, expected: &str| {
            let refused = Fault::of(Part::new(kind, "x"), Refusal::invalid(reason));
            assert_eq!(refused.refusal, Refusal::invalid(expected));
        };
        for (kind, reason, expected) in [
            (
                Kind::Schedules,
                "layers[1].turn.every: must be 1 to 366",
                "layers[1].every: must be 1 to 366",
            ),
            (
                Kind::Services,
                "urgency.hours.windows[0]: ends when it begins",
                "urgency.support_hours.windows[0]: ends when it begins",
            ),
            (
                Kind::Services,
                "grouping.fields: 1 to 5",
                "grouping.content: 1 to 5",
            ),
            (Kind::Installation, "names: 1 to 10", "priorities: 1 to 10"),
        ] {
            check(kind, reason, expected);
        }
        // What is no field of that name stays as it is.
        for (kind, reason) in [
            (Kind::Schedules, "layers[1].start: turn.every: no"),
            (Kind::Installation, "nicknames: no"),
            (Kind::Teams, "names: no"),
            (Kind::Services, "say urgency.hours"),
        ] {
            check(kind, reason, reason);
        }
    }

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
