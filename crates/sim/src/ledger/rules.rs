//! Rules and settings of the intake, read slowly and obviously: what an alert becomes by them. It shares no code with the core.

use tocsin_domain::id::ServiceId;
use tocsin_domain::intake::{Action, Condition, Field, GroupBy, Rule, Test, UrgencyBy};
use tocsin_domain::monitor::Severity;
use tocsin_domain::people::Urgency;
use tocsin_domain::time::Timestamp;

use super::Ledger;
use super::hours::is_loud;
use crate::oncall::Unknown;

/// An alert as its sender told it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heard<'a> {
    /// The service it was sent to.
    pub(super) service: ServiceId,
    pub(super) severity: Severity,
    pub(super) title: &'a str,
    pub(super) details: &'a [(String, String)],
    /// When it is judged.
    pub(super) at: Timestamp,
    /// Tocsin sees it itself: it is neither sent on nor thrown away.
    pub(super) is_own: bool,
}

/// What an alert is by the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ruled {
    pub(super) service: ServiceId,
    pub(super) severity: Severity,
    pub(super) urgency: Urgency,
    pub(super) is_suppressed: bool,
    pub(super) is_dropped: bool,
    pub(super) pause_ms: Option<u64>,
    /// What the alerts of its group have in common.
    pub(super) group: Option<String>,
}

/// Whether a rule throws alerts away.
pub(super) fn drops(rule: &Rule) -> bool {
    rule.then.contains(&Action::Drop)
}

/// The severity that the title of an alert ends with, in brackets.
pub(super) fn said_in(title: &str) -> Option<Severity> {
    let (_, word) = title.strip_suffix(')')?.rsplit_once('(')?;
    let all = [
        Severity::Info,
        Severity::Warning,
        Severity::Error,
        Severity::Critical,
    ];
    all.into_iter().find(|severity| severity.word() == word)
}

impl Ledger {
    /// The rules of the installation, then those of the service that it belongs to by then, then that service's settings.
    pub(super) fn rule(&self, heard: &Heard<'_>) -> Result<Ruled, Unknown> {
        let mut ruled = Ruled {
            service: heard.service,
            severity: heard.severity,
            urgency: heard.severity.urgency(),
            is_suppressed: false,
            is_dropped: false,
            pause_ms: None,
            group: None,
        };
        obey(&self.rules, heard, &mut ruled)?;
        let service = self.services.get(&ruled.service).ok_or(Unknown)?;
        if !ruled.is_dropped {
            obey(&service.intake.rules, heard, &mut ruled)?;
        }
        let is_high = match &service.intake.urgency {
            UrgencyBy::Severity => ruled.severity >= Severity::Error,
            UrgencyBy::High => true,
            UrgencyBy::Low => false,
            UrgencyBy::SupportHours(support) => is_loud(support, ruled.severity, heard.at)?,
        };
        ruled.urgency = if is_high && !ruled.is_suppressed {
            Urgency::High
        } else {
            Urgency::Low
        };
        ruled.group = match &service.intake.grouping {
            GroupBy::Nothing => None,
            GroupBy::Time { .. } => Some(String::new()),
            GroupBy::Content { fields } => {
                let mut values = Vec::new();
                for field in fields {
                    values.push(value(field, heard, ruled.severity)?);
                }
                Some(values.join("\u{1f}"))
            }
        };
        Ok(ruled)
    }
}

fn obey(rules: &[Rule], heard: &Heard<'_>, ruled: &mut Ruled) -> Result<(), Unknown> {
    for rule in rules {
        if !holds(&rule.when, heard, ruled.severity)? {
            continue;
        }
        for action in &rule.then {
            match action {
                Action::Route { service } if !heard.is_own => ruled.service = *service,
                Action::SetSeverity { severity } => ruled.severity = *severity,
                Action::Drop if !heard.is_own => ruled.is_dropped = true,
                Action::Suppress | Action::Drop => ruled.is_suppressed = true,
                Action::Pause { ms } => ruled.pause_ms = Some(*ms),
                Action::Route { .. } | Action::SetPriority { .. } | Action::Note { .. } => {}
            }
        }
        if !rule.go_on || ruled.is_dropped {
            return Ok(());
        }
    }
    Ok(())
}

fn holds(when: &Condition, heard: &Heard<'_>, severity: Severity) -> Result<bool, Unknown> {
    match when {
        Condition::All { of } => {
            for one in of {
                if !holds(one, heard, severity)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Condition::Any { of } => {
            for one in of {
                if holds(one, heard, severity)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Condition::Not { of } => holds(of, heard, severity).map(|it| !it),
        Condition::Field { field, test } => {
            let value = value(field, heard, severity)?.to_lowercase();
            match test {
                Test::Equals(text) => Ok(value == text.to_lowercase()),
                Test::Contains(text) => Ok(value.contains(&text.to_lowercase())),
                Test::StartsWith(text) => Ok(value.starts_with(&text.to_lowercase())),
                Test::Exists => Ok(!value.is_empty()),
                Test::Matches(_) => Err(Unknown),
            }
        }
        Condition::Hours { .. } => Err(Unknown),
    }
}

/// What stands in a field; empty when the alert has none such, which no text of these worlds is compared with.
fn value(field: &Field, heard: &Heard<'_>, severity: Severity) -> Result<String, Unknown> {
    let named = |wanted: &str| {
        let mut details = heard.details.iter();
        let found = details.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    match field {
        Field::Title => Ok(heard.title.to_owned()),
        Field::Severity => Ok(severity.word().to_owned()),
        Field::Component => Ok(named("component")),
        Field::Group => Ok(named("group")),
        Field::Class => Ok(named("class")),
        Field::Detail(name) => Ok(named(name)),
        Field::Summary | Field::Source | Field::Integration | Field::Service => Err(Unknown),
    }
}
