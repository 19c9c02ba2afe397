//! What the rules and the settings of a service make of an alert, with the reasons. Nothing is done here, so that a dry run
//! says what would really happen.

use serde::{Deserialize, Serialize};

use super::rule::{Action, Named, Rule};
use super::settings::GroupBy;
use crate::bugs::{self, Bug};
use crate::id::{IntegrationId, RuleId, ServiceId};
use crate::monitor::Severity;
use crate::people::Urgency;
use crate::state::State;
use crate::time::Timestamp;

/// Between the values of fields in the key of a group; it stands in no text that is taken in.
const BETWEEN_VALUES: &str = "\u{1f}";

/// An alert that comes in.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// The service it is sent to.
    pub service: ServiceId,
    /// The integration it comes by.
    pub integration: Option<IntegrationId>,
    /// How bad.
    pub severity: Severity,
    /// What fails.
    pub title: &'a str,
    /// Where and more.
    pub summary: &'a str,
    /// Further fields.
    pub details: &'a [(String, String)],
    /// Whether Tocsin sees it itself: such an alert is never sent elsewhere nor thrown away.
    pub is_own: bool,
}

/// A rule that held for an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleHit {
    /// Which.
    pub rule: RuleId,
    /// Its name then.
    pub name: String,
    /// What it did, each in words.
    pub did: Vec<String>,
}

/// What was made of an alert, kept with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Judged {
    /// The rules that held, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleHit>,
    /// Its priority, if a rule gave it one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
    /// Why nobody is paged for it, if a rule says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suppressed: Option<String>,
    /// Why it is as urgent as it is, when that is not by its severity alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub urgency_why: Option<String>,
    /// The group it belongs to, when its service makes groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// What becomes of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// The service it belongs to.
    pub service: ServiceId,
    /// How bad it is taken to be.
    pub severity: Severity,
    /// How loudly it asks.
    pub urgency: Urgency,
    /// What is kept of the reasons.
    pub judged: Judged,
    /// How long nobody is paged unless it still fails then, and by which rule.
    pub pause: Option<(u64, String)>,
    /// The rule that throws it away.
    pub dropped: Option<(RuleId, String)>,
    /// Notes for its incident.
    pub notes: Vec<String>,
}

impl Named for State {
    fn service(&self, id: ServiceId) -> Option<&str> {
        self.services.get(&id).map(|known| known.name.as_str())
    }

    fn integration(&self, id: IntegrationId) -> Option<&str> {
        self.integrations.get(&id).map(|known| known.name.as_str())
    }
}

impl State {
    /// What becomes of an alert that comes in at `now`: the rules of the installation, then those of the service that it
    /// belongs to by then, then the settings of that service.
    #[must_use]
    pub fn judge(&self, incoming: Incoming<'_>, now: Timestamp) -> Ruling {
        let mut ruling = Ruling {
            service: incoming.service,
            severity: incoming.severity,
            urgency: incoming.severity.urgency(),
            judged: Judged::default(),
            pause: None,
            dropped: None,
            notes: Vec::new(),
        };
        self.follow(&self.rules, incoming, &mut ruling, now);
        let Some(service) = self.services.get(&ruling.service) else {
            return ruling;
        };
        let intake = &service.intake;
        self.follow(&intake.rules, incoming, &mut ruling, now);
        let (urgency, why) = intake.urgency.of(ruling.severity, now);
        ruling.urgency = urgency;
        ruling.judged.urgency_why = why.map(str::to_owned);
        if let Some(why) = &ruling.judged.suppressed {
            ruling.urgency = Urgency::Low;
            ruling.judged.urgency_why = Some(why.clone());
        }
        let now_as = as_ruled(incoming, &ruling);
        ruling.judged.group = match &intake.grouping {
            GroupBy::Nothing => None,
            GroupBy::Time { .. } => Some(String::new()),
            GroupBy::Content { fields } => {
                let values = fields
                    .iter()
                    .map(|field| field.of(&now_as).unwrap_or_default());
                Some(values.collect::<Vec<String>>().join(BETWEEN_VALUES))
            }
        };
        ruling
    }

    /// Lets the rules of a list act one after the other, until one of them is the last.
    fn follow(&self, rules: &[Rule], incoming: Incoming<'_>, ruling: &mut Ruling, now: Timestamp) {
        for rule in rules {
            if ruling.dropped.is_some() {
                return;
            }
            if !rule.when.holds(&as_ruled(incoming, ruling), self, now) {
                continue;
            }
            let did = rule
                .then
                .iter()
                .map(|action| self.act(action, rule, incoming.is_own, ruling))
                .collect();
            ruling.judged.rules.push(RuleHit {
                rule: rule.id,
                name: rule.name.clone(),
                did,
            });
            if !rule.go_on && !bugs::on(Bug::RulesFollowedToTheEnd) {
                return;
            }
        }
    }

    /// Lets one action act; says what it did.
    fn act(&self, action: &Action, rule: &Rule, is_own: bool, ruling: &mut Ruling) -> String {
        match action {
            Action::Route { .. } if is_own => {
                "not sent to another service, since Tocsin sees it itself".to_owned()
            }
            Action::Route { service } => match self.services.get(service) {
                Some(known) => {
                    ruling.service = *service;
                    format!("sent to the service {:?}", known.name)
                }
                None => "not sent to a service that does not exist".to_owned(),
            },
            Action::SetSeverity { severity } => {
                ruling.severity = *severity;
                format!("its severity is {}", severity.word())
            }
            Action::SetPriority { priority } => {
                ruling.judged.priority = Some(priority.clone());
                format!("its priority is {priority}")
            }
            Action::Drop if !is_own => {
                ruling.dropped = Some((rule.id, rule.name.clone()));
                "thrown away".to_owned()
            }
            // Thrown away, what Tocsin sees itself would only come again with the next look.
            Action::Suppress | Action::Drop => {
                ruling.judged.suppressed = Some(format!("the rule {:?} suppresses it", rule.name));
                "nobody is paged for it".to_owned()
            }
            Action::Pause { ms } => {
                let why = format!(
                    "the rule {:?} waits {} s whether it is over by then",
                    rule.name,
                    ms / 1_000
                );
                ruling.pause = Some((*ms, why));
                format!("its page waits {} s", ms / 1_000)
            }
            Action::Note { text } => {
                ruling.notes.push(format!("Rule {:?}: {text}", rule.name));
                "a note was added".to_owned()
            }
        }
    }
}

/// The alert as the rules before have left it.
fn as_ruled<'a>(incoming: Incoming<'a>, ruling: &Ruling) -> Incoming<'a> {
    Incoming {
        service: ruling.service,
        severity: ruling.severity,
        ..incoming
    }
}
