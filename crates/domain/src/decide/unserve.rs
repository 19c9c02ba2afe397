//! Decisions about services that go. What failed on them is kept, and nothing else names them afterwards.

use super::Decider;
use super::intake::going_on_as;
use crate::business::AnyService;
use crate::command::Refusal;
use crate::event::{BusinessEvent, Cause, EventBody, RosterEvent};
use crate::id::{IntegrationId, ServiceId};
use crate::intake::{Action, Rule};
use crate::webhook::WebhookScope;

impl Decider<'_> {
    /// Removes a service on which nothing fails and which is needed for nothing, with its integrations and with what is about it
    /// alone.
    pub(super) fn remove_service(&mut self, id: ServiceId) -> Result<(), Refusal> {
        let service = self.service(id)?;
        if let Some(why) = self.needed_for(id) {
            return Err(Refusal::conflict(format!(
                "the service {:?} cannot be removed: {why}",
                service.name
            )));
        }
        let integrations = self.state.integrations.values();
        let own = integrations.filter(|one| one.service == id);
        let own: Vec<IntegrationId> = own.map(|one| one.id).collect();
        for integration in own {
            let event = RosterEvent::IntegrationRemoved { integration };
            self.emit(Cause::Request, EventBody::Roster(event));
        }
        self.take_out_of_windows(id);
        self.remove_subscriptions_to(WebhookScope::Service(id));
        self.end_dependencies_of(id);
        let event = RosterEvent::ServiceRemoved { service: id };
        self.emit(Cause::Request, EventBody::Roster(event));
        Ok(())
    }

    /// Work on it and on something else goes on without it; work on it alone is called off.
    fn take_out_of_windows(&mut self, id: ServiceId) {
        for window in self.state.work_on(id) {
            let of = window.id;
            self.change_window(of, going_on_as(of, window.without(id)));
        }
    }

    fn end_dependencies_of(&mut self, id: ServiceId) {
        let dependencies = self.state.business.naming(AnyService::Technical(id));
        if !dependencies.is_empty() {
            let event = RosterEvent::Business(BusinessEvent::Disassociated { dependencies });
            self.emit(Cause::Request, EventBody::Roster(event));
        }
    }

    /// What a service is still needed for.
    fn needed_for(&self, id: ServiceId) -> Option<&'static str> {
        let state = &self.state;
        let installation = state.installation.as_ref();
        if installation.is_some_and(|all| all.default_service == id) {
            return Some("alerts that name no service belong to it");
        }
        let open = state.open_incidents.iter();
        let mut open = open.filter_map(|open| state.incidents.get(open));
        if open.any(|open| open.service == id) {
            return Some("it has open incidents: resolve them first");
        }
        if state.firing.of(id, None).next().is_some() {
            return Some("an alert of it is still firing");
        }
        if self.has_open_alerts_of(id) {
            return Some(
                "an open incident of another service has alerts that came to it: resolve that first",
            );
        }
        if state.targets.values().any(|target| target.service == id) {
            return Some("a web server that is watched belongs to it");
        }
        let mut pulses = state.pulses.values();
        if pulses.any(|pulse| pulse.heartbeat.service == id) {
            return Some("a heartbeat belongs to it: give that to another service first");
        }
        let of_services = state.services.values();
        let of_services = of_services.flat_map(|service| &service.intake.rules);
        let mut rules = state.rules.iter().chain(of_services);
        if rules.any(|rule| sends_to(rule, id)) {
            return Some("a rule sends alerts to it: change the rule first");
        }
        None
    }

    /// Whether an alert that is not over, or one of an incident that is not, is of a service or was sent to it. Its sender ends it
    /// by the service that it was sent to.
    fn has_open_alerts_of(&self, id: ServiceId) -> bool {
        let state = &self.state;
        let open = state.open_incidents.iter();
        let open = open.filter_map(|open| state.incidents.get(open));
        let joined = open.flat_map(|open| open.alerts.iter());
        let alerts = joined.chain(state.firing.values());
        let mut alerts = alerts.filter_map(|alert| state.alerts.get(alert));
        alerts.any(|alert| alert.service == id || alert.sent_to == Some(id))
    }
}

fn sends_to(rule: &Rule, id: ServiceId) -> bool {
    let mut actions = rule.then.iter();
    actions.any(|action| matches!(action, Action::Route { service } if *service == id))
}
