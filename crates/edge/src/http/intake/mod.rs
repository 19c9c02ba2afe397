//! How alerts come in: settings of services, rules, maintenance windows, heartbeats. What they mean is decided elsewhere.

pub(crate) mod call;
pub(crate) mod dry_run;
pub(crate) mod heartbeat;
pub(crate) mod hours;
pub(crate) mod mapping;
pub(crate) mod rule;
pub(crate) mod settings;
pub(crate) mod window;

use serde::Serialize;
use tocsin_domain::command::{Ask, IntakeAsk};
use tocsin_domain::event::RosterEvent;
use tocsin_domain::id::ServiceId;
use tocsin_domain::intake;
use utoipa::ToSchema;

use super::problem::Problem;
use super::roster::set_by;
use crate::access::who::Caller;
use crate::app::App;

/// A rule that held for an alert.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RuleHit {
    rule_id: String,
    /// Its name then.
    name: String,
    /// What it did, each in words.
    did: Vec<String>,
}

impl RuleHit {
    pub(crate) fn of(hit: &intake::RuleHit) -> Self {
        Self {
            rule_id: hit.rule.to_string(),
            name: hit.name.clone(),
            did: hit.did.clone(),
        }
    }
}

/// Asks the core and gives the event that came of it.
async fn set_in(app: &App, caller: &Caller, ask: IntakeAsk) -> Result<RosterEvent, Problem> {
    set_by(app, caller, Ask::Intake(ask)).await
}

fn service_named(id: &str) -> Result<ServiceId, Problem> {
    id.parse()
        .map_err(|_| Problem::not_found(&format!("service {id}")))
}
