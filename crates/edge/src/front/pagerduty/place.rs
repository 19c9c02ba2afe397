//! References to what the API shows: each with its id, its kind, its name and where it is found; and by whose clocks times are
//! written. Addresses are built from the server's own public address, never from what a request says.

use std::borrow::Cow;

use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Value, json};
use tocsin_domain::event::Actor;
use tocsin_domain::id::{
    AlertId, BusinessServiceId, IncidentId, IntegrationId, PolicyId, ScheduleId, ServiceId, TeamId,
    UserId,
};
use tocsin_domain::service::{Service, Speaks};
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;
use tocsin_wire::pagerduty::rest::vendor::Vendor;
use tocsin_wire::pagerduty::rest::{id, time};

use super::PREFIX;

/// Where links lead, and by whose clocks times are read and written.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    api: String,
    ui: String,
    zone: TimeZone,
}

/// A reference, for whoever writes very many without making a value of each. Its fields stand in the order of their names, as those
/// of a value do.
#[derive(Debug, Serialize)]
pub(crate) struct Reference<'a> {
    html_url: Option<String>,
    id: Cow<'a, str>,
    #[serde(rename = "self")]
    address: Option<String>,
    summary: Cow<'a, str>,
    #[serde(rename = "type")]
    kind: &'a str,
}

impl From<Reference<'_>> for Value {
    fn from(one: Reference<'_>) -> Self {
        // What was made is moved and not copied: most of what lists show are references.
        let fields = [
            ("html_url", one.html_url.map_or(Self::Null, Self::String)),
            ("id", Self::from(one.id)),
            ("self", one.address.map_or(Self::Null, Self::String)),
            ("summary", Self::from(one.summary)),
            ("type", Self::from(one.kind)),
        ];
        fields.into_iter().collect()
    }
}

impl Place {
    /// Under the server's address; with the front's prefix for whoever uses that.
    pub(crate) fn new(public_url: &str, is_prefixed: bool) -> Self {
        let prefix = if is_prefixed { PREFIX } else { "" };
        Self {
            api: [public_url, prefix].concat(),
            ui: [public_url, "/ui"].concat(),
            zone: TimeZone::UTC,
        }
    }

    /// The same by the clocks of another zone.
    pub(crate) fn in_zone(self, zone: TimeZone) -> Self {
        Self { zone, ..self }
    }

    /// By whose clocks times are.
    pub(crate) const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// An instant as it is written.
    pub(crate) fn time(&self, at: Timestamp) -> String {
        time::written_in(at, &self.zone)
    }

    /// The address of something in the API.
    pub(crate) fn api(&self, path: &str) -> String {
        [self.api.as_str(), "/", path].concat()
    }

    /// The address of a page for people.
    pub(crate) fn page(&self, path: &str) -> String {
        [self.ui.as_str(), "/", path].concat()
    }

    /// What every object begins with, and all that a reference has.
    pub(crate) fn named(
        &self,
        kind: &str,
        id: &str,
        summary: &str,
        path: &str,
        page: &str,
    ) -> Value {
        self.reference(kind, id, summary, path, page).into()
    }

    /// The same, for whoever writes it at once.
    pub(super) fn reference<'a>(
        &self,
        kind: &'a str,
        id: impl Into<Cow<'a, str>>,
        summary: impl Into<Cow<'a, str>>,
        path: &str,
        page: &str,
    ) -> Reference<'a> {
        Reference {
            html_url: (!page.is_empty()).then(|| self.page(page)),
            id: id.into(),
            address: Some(self.api(path)),
            summary: summary.into(),
            kind,
        }
    }

    /// A reference to what may be gone: its name, or what it is called then, without addresses, since nothing is found there any more.
    fn named_if_there<'a>(
        &self,
        kind: &'a str,
        id: impl Into<Cow<'a, str>>,
        (name, gone): (Option<&'a str>, &'a str),
        path: &str,
        page: &str,
    ) -> Reference<'a> {
        let mut reference = self.reference(kind, id, name.unwrap_or(gone), path, page);
        if name.is_none() {
            reference.address = None;
            reference.html_url = None;
        }
        reference
    }

    /// A person; one who was removed keeps a place in old records.
    pub(crate) fn user(&self, state: &State, user: UserId) -> Value {
        self.user_reference(state, user).into()
    }

    /// The same, for whoever writes it at once.
    pub(super) fn user_reference<'a>(&self, state: &'a State, user: UserId) -> Reference<'a> {
        let known = state.users.get(&user);
        let name = (known.map(|known| known.name.as_str()), "a removed person");
        let id = user.as_str().to_owned();
        let (path, page) = (["users/", &id].concat(), ["people/", &id].concat());
        self.named_if_there("user_reference", id, name, &path, &page)
    }

    /// A service.
    pub(crate) fn service(&self, state: &State, service: ServiceId) -> Value {
        self.service_reference(state, service).into()
    }

    /// The same, for whoever writes it at once.
    pub(super) fn service_reference<'a>(
        &self,
        state: &'a State,
        service: ServiceId,
    ) -> Reference<'a> {
        if let Some(known) = state.services.get(&service) {
            return self.known_service(known);
        }
        let id = service.as_str().to_owned();
        let path = ["services/", &id].concat();
        let gone = (None, "a removed service");
        self.named_if_there("service_reference", id, gone, &path, "")
    }

    /// A service that is there.
    pub(crate) fn known_service<'a>(&self, known: &'a Service) -> Reference<'a> {
        let id = known.id.as_str();
        let path = ["services/", id].concat();
        let page = ["settings/services/", id].concat();
        self.reference("service_reference", id, known.name.as_str(), &path, &page)
    }

    /// A business service.
    pub(crate) fn business_service(&self, state: &State, service: BusinessServiceId) -> Value {
        let known = state.business.services.get(&service);
        let name = (
            known.map(|known| known.name.as_str()),
            "a removed business service",
        );
        let path = format!("business_services/{service}");
        let kind = "business_service_reference";
        let reference = self.named_if_there(kind, service.as_str(), name, &path, "");
        reference.into()
    }

    /// An integration of a service.
    pub(crate) fn integration(&self, state: &State, integration: IntegrationId) -> Value {
        let known = state.integrations.get(&integration);
        let speaks = known.map_or(Speaks::EventsV2, |known| known.kind.speaks());
        let name = (
            known.map(|known| known.name.as_str()),
            "a removed integration",
        );
        let service = known.map_or_else(String::new, |known| known.service.to_string());
        let path = format!("services/{service}/integrations/{integration}");
        let kind = format!("{}_reference", Vendor::of(speaks).kind);
        let reference = self.named_if_there(&kind, integration.as_str(), name, &path, "");
        reference.into()
    }

    /// A way in which foreign systems speak.
    pub(crate) fn vendor(&self, vendor: &Vendor) -> Value {
        let id = vendor.id();
        let path = format!("vendors/{id}");
        self.named("vendor_reference", &id, vendor.name, &path, "")
    }

    /// An escalation policy.
    pub(crate) fn policy(&self, state: &State, policy: PolicyId) -> Value {
        self.policy_reference(state, policy).into()
    }

    /// The same, for whoever writes it at once.
    pub(super) fn policy_reference<'a>(&self, state: &'a State, policy: PolicyId) -> Reference<'a> {
        let known = state.policies.get(&policy);
        let gone = state.removed_policies.name_of(policy);
        let gone = gone.unwrap_or("a removed policy");
        let name = (known.map(|known| known.name.as_str()), gone);
        let id = policy.as_str().to_owned();
        let path = ["escalation_policies/", &id].concat();
        let page = ["oncall/policies/", &id].concat();
        let kind = "escalation_policy_reference";
        self.named_if_there(kind, id, name, &path, &page)
    }

    /// A schedule.
    pub(crate) fn schedule(&self, state: &State, schedule: ScheduleId) -> Value {
        let known = state.schedules.get(&schedule);
        let name = (known.map(|known| known.name.as_str()), "a removed schedule");
        let path = format!("schedules/{schedule}");
        let page = format!("oncall/schedules/{schedule}");
        let kind = "schedule_reference";
        let reference = self.named_if_there(kind, schedule.as_str(), name, &path, &page);
        reference.into()
    }

    /// A team.
    pub(crate) fn team(&self, state: &State, team: TeamId) -> Value {
        self.team_reference(state, team).into()
    }

    /// The same, for whoever writes it at once.
    pub(super) fn team_reference<'a>(&self, state: &'a State, team: TeamId) -> Reference<'a> {
        let known = state.teams.get(&team);
        let name = (known.map(|known| known.name.as_str()), "a removed team");
        let id = team.as_str().to_owned();
        let path = ["teams/", &id].concat();
        self.named_if_there("team_reference", id, name, &path, "people/teams")
    }

    /// An incident.
    pub(crate) fn incident(&self, state: &State, incident: IncidentId) -> Value {
        let known = state.incidents.get(&incident);
        let summary = known.map_or_else(String::new, |known| {
            format!("[#{}] {}", known.number, known.title)
        });
        let path = format!("incidents/{incident}");
        self.named(
            "incident_reference",
            incident.as_str(),
            &summary,
            &path,
            &path,
        )
    }

    /// The log entry at this place of the journal, by which something of an incident began.
    pub(super) fn trigger(&self, incident: IncidentId, position: u64) -> Reference<'static> {
        let entry = id::of_position(position);
        let path = ["log_entries/", &entry].concat();
        let page = ["incidents/", incident.as_str()].concat();
        let kind = "trigger_log_entry_reference";
        self.reference(kind, entry, "Triggered", &path, &page)
    }

    /// An alert.
    pub(crate) fn alert_path(incident: IncidentId, alert: AlertId) -> String {
        format!("incidents/{incident}/alerts/{alert}")
    }

    /// A priority of the installation's list.
    pub(crate) fn priority(&self, name: &str, kind: &str) -> Value {
        let id = id::of_name(name);
        let path = format!("priorities/{id}");
        self.named(kind, &id, name, &path, "settings")
    }

    /// Who did something.
    pub(crate) fn agent(&self, state: &State, actor: &Actor) -> Value {
        match actor {
            Actor::Person { user } | Actor::Channel { user, .. } | Actor::OnBehalf { user, .. } => {
                self.user(state, *user)
            }
            Actor::Integration { integration } => self.integration(state, *integration),
            Actor::Token { token, name } => {
                let kind = "api_key_reference";
                let name = name.as_deref().unwrap_or("an API token");
                self.named(kind, token.as_str(), name, "api_keys", "settings/tokens")
            }
            Actor::System | Actor::Monitor { .. } | Actor::Rule { .. } => {
                // What Tocsin does by itself it does for its first team, which is the account.
                let team = state.installation.as_ref().map(|all| all.team);
                let id = team.map_or_else(String::new, |team| team.to_string());
                self.named("account_reference", &id, "Tocsin", "abilities", "settings")
            }
        }
    }
}

/// A reference turned into the object itself: its kind without the suffix, and these fields more.
pub(crate) fn whole(mut reference: Value, kind: &str, more: Value) -> Value {
    if let (Some(object), Value::Object(more)) = (reference.as_object_mut(), more) {
        object.insert("type".to_owned(), json!(kind));
        object.extend(more);
    }
    reference
}
