//! `tocsin service …`: what can fail, and the keys by which other systems raise alerts about it.

use clap::Subcommand;
use serde::Deserialize;
use serde_json::json;

use super::api::Api;
use super::failure::Failure;
use super::given::{self, choose, whole};
use super::look::Look;
use super::plain::Plain;
use super::screen::Screen;
use super::shape::{Named, names};
use super::table::Table;

/// What can be done with services.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Verb {
    /// List services and their integrations
    List,
    /// Make a routing key by which another system raises alerts; it is shown this once
    AddIntegration {
        /// The service, by name or id
        service: String,
        /// What the other system is called
        #[arg(long)]
        name: String,
        /// How it speaks: events_v2, alertmanager, grafana, opsgenie or email
        #[arg(long, default_value = "events_v2")]
        kind: String,
        /// The label by which an alert of a Prometheus names another service that it belongs to
        #[arg(long)]
        service_label: Option<String>,
    },
}

#[derive(Debug, Deserialize)]
struct Service {
    id: Plain,
    name: Plain,
    #[serde(default)]
    escalation_policy_id: Option<Plain>,
    #[serde(default)]
    integrations: Vec<Named>,
}

#[derive(Deserialize)]
struct Made {
    routing_key: Plain,
    address: Plain,
}

/// The id of the service that a person names.
pub(super) fn named(api: &Api, given: &str) -> Result<Plain, Failure> {
    let all: Vec<Service> = given::all(api, &["services"])?;
    choose(all, "service", given, |one| &one.id, |one| vec![&one.name]).map(|found| found.id)
}

pub(super) fn run(verb: &Verb, api: &Api, screen: &Screen) -> Result<(), Failure> {
    match verb {
        Verb::List => {
            let answer = api.get(&["services"], &whole())?;
            // A service names its policy by id alone.
            let policies: Vec<Named> = if screen.wants_json() {
                Vec::new()
            } else {
                given::all(api, &["escalation-policies"])?
            };
            screen.show_list(&answer, |all: &[Service], look| list(all, &policies, look))
        }
        Verb::AddIntegration {
            service,
            name,
            kind,
            service_label,
        } => {
            let service = named(api, service)?;
            let answer = api.post(
                &["services", service.as_str(), "integrations"],
                &json!({ "name": name, "kind": kind, "service_label": service_label }),
            )?;
            let made: Made = answer.parsed()?;
            screen.done(&answer, &made.routing_key.to_string())?;
            screen.note(&format!(
                "This is the only time the key is shown. Point the other system to {}",
                made.address
            ));
            Ok(())
        }
    }
}

fn list(all: &[Service], policies: &[Named], look: &Look) -> String {
    let mut table = Table::new(&["NAME", "POLICY", "INTEGRATIONS", "ID"]);
    for one in all {
        let policy = one.escalation_policy_id.as_ref().map(|id| {
            let found = policies.iter().find(|policy| policy.id == *id);
            found.map_or(id, |policy| &policy.name).to_string()
        });
        let policy = policy.unwrap_or_else(|| "the default".to_owned());
        table.row([
            (&one.name).into(),
            policy.into(),
            names(&one.integrations).into(),
            (&one.id).into(),
        ]);
    }
    table.draw(look, "There are no services.")
}
