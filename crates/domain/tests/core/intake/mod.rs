//! How alerts come in: rules, urgency, grouping, maintenance, heartbeats; and that none of it loses a page.

mod grouping;
mod heartbeat;
mod labelled;
mod merged;
mod pauses;
mod pauses_and_work;
mod quiet_groups;
mod rules;
mod settings;
mod silences;
mod silences_changed;
mod walk;
mod windows;

use tocsin_domain::alert::Alert;
use tocsin_domain::command::{AlertAsk, Ask, AskedRule, IntakeAsk, RosterAsk};
use tocsin_domain::id::ServiceId;
use tocsin_domain::intake::{Action, Condition, Field, GroupBy, Test, UrgencyBy};
use tocsin_domain::monitor::Severity;
use tocsin_domain::oncall::Hours;

use crate::world::World;

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;

/// Monday to Friday, 09:00 to 17:00 in Paris. The world begins on a Sunday at 05:00 there.
fn office() -> Hours {
    let day = |day: &str| {
        serde_json::json!({"kind": "weekly", "from": {"weekday": day, "time": "09:00"},
                           "until": {"weekday": day, "time": "17:00"}})
    };
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday"].map(day);
    let hours = serde_json::json!({"time_zone": "Europe/Paris", "windows": days});
    serde_json::from_value(hours).unwrap()
}

impl World {
    fn default_service(&self) -> ServiceId {
        self.state.installation.as_ref().unwrap().default_service
    }

    fn add_service(&mut self, name: &str) -> ServiceId {
        self.ask(Ask::Roster(RosterAsk::SetService {
            id: None,
            name: name.to_owned(),
            policy: None,
        }));
        let mut services = self.state.services.values();
        services.find(|service| service.name == name).unwrap().id
    }

    fn take_in(&mut self, urgency: UrgencyBy, grouping: GroupBy, resolve_after_ms: Option<u64>) {
        let service = self.default_service();
        self.ask(Ask::Intake(IntakeAsk::SetService {
            service,
            urgency,
            grouping,
            resolve_after_ms,
        }));
    }

    fn set_rules_of(&mut self, service: Option<ServiceId>, rules: Vec<AskedRule>) {
        self.ask(Ask::Intake(IntakeAsk::SetRules { service, rules }));
    }

    /// An alert with further fields.
    fn trigger_with(
        &mut self,
        service: Option<ServiceId>,
        key: &str,
        severity: Severity,
        details: &[(&str, &str)],
    ) {
        let details = details.iter();
        self.ask(Ask::Alert(AlertAsk::Trigger {
            service,
            integration: None,
            dedup_key: Some(key.to_owned()),
            severity,
            title: format!("{key} fails"),
            summary: "on web-01".to_owned(),
            details: details
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            sent_details: None,
            at: None,
        }));
    }

    fn resolve_key(&mut self, service: ServiceId, key: &str) {
        self.ask(Ask::Alert(AlertAsk::ResolveByKey {
            service,
            integration: None,
            dedup_key: key.to_owned(),
        }));
    }

    /// The newest alert under a key.
    fn alert(&self, key: &str) -> &Alert {
        let alerts = self.state.alerts.values();
        let of_key = alerts.filter(|alert| alert.dedup_key == key);
        of_key.max_by_key(|alert| alert.opened_at).unwrap()
    }
}

/// Nobody is paged before so long, and somebody is then.
#[track_caller]
fn is_paged_after(world: &mut World, ms: u64) {
    let before = world.pages().len();
    world.wait_ms(ms - 1);
    assert_eq!(world.pages().len(), before, "too early");
    world.wait_ms(1);
    assert_eq!(world.pages().len(), before + 1);
}

fn rule(name: &str, when: Condition, then: Vec<Action>) -> AskedRule {
    AskedRule {
        id: None,
        name: name.to_owned(),
        when,
        then,
        go_on: false,
    }
}

fn title_contains(text: &str) -> Condition {
    Condition::Field {
        field: Field::Title,
        test: Test::Contains(text.to_owned()),
    }
}
