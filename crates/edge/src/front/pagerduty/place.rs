//! References to what the API shows: each with its id, its kind, its name and where it is found; and by whose clocks times are
//! written. Addresses are built from the server's own public address, never from what a request says.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::tz::TimeZone;
use serde_json::{Value, json};
use tocsin_domain::event::Actor;
use tocsin_domain::id::{
    AlertId, BusinessServiceId, IncidentId, IntegrationId, PolicyId, ScheduleId, ServiceId, TeamId,
    UserId,
};
use tocsin_domain::service::{Service, Speaks};
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;
use tocsin_wire::json_text::JsonText;
use tocsin_wire::pagerduty::rest::vendor::Vendor;
use tocsin_wire::pagerduty::rest::{id, time};

use super::PREFIX;

/// Where links lead, and by whose clocks times are read and written.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Both end with a slash.
    api: Arc<str>,
    ui: Arc<str>,
    zone: TimeZone,
}

/// Where people find something, below the pages for people.
#[derive(Clone, Debug)]
enum Page<'a> {
    /// Nowhere.
    None,
    /// In this folder, by its id.
    Own(&'static str),
    /// In this folder, by the id of what it is a part of.
    Of(&'static str, Cow<'a, str>),
    /// Here, with others of its kind.
    Among(&'static str),
}

/// A reference, for whoever writes very many: it is put together when it is written. Its fields stand in the order of their names,
/// as those of a value do.
#[derive(Clone, Debug)]
pub(crate) struct Reference<'a> {
    place: &'a Place,
    kind: &'a str,
    id: Cow<'a, str>,
    summary: Cow<'a, str>,
    /// The folder of the API where it is found by its id; none of what is gone.
    folder: Option<Cow<'a, str>>,
    page: Page<'a>,
}

impl Reference<'_> {
    /// The page for people, in pieces.
    fn page(&self) -> Option<[&str; 3]> {
        self.folder.as_ref()?;
        let (folder, id) = match &self.page {
            Page::None => return None,
            Page::Own(folder) => (*folder, &self.id),
            Page::Of(folder, id) => (*folder, id),
            Page::Among(page) => return Some(self.place.page_in(page, "")),
        };
        Some(self.place.page_in(folder, id))
    }

    /// Its address in the API, in pieces.
    fn address(&self) -> Option<[&str; 3]> {
        let folder = self.folder.as_deref()?;
        Some(self.place.api_in(folder, &self.id))
    }

    /// Writes it.
    pub(super) fn write(&self, out: &mut JsonText) {
        out.object(|out| {
            let pieces = |out: &mut JsonText, parts: [&str; 3]| out.texts(&parts);
            out.field("html_url").or_null(self.page(), pieces);
            out.field("id").text(&self.id);
            out.field("self").or_null(self.address(), pieces);
            out.field("summary").text(&self.summary);
            out.field("type").text(self.kind);
        });
    }
}

impl From<Reference<'_>> for Value {
    fn from(one: Reference<'_>) -> Self {
        let whole = |parts: Option<[&str; 3]>| parts.map_or(Self::Null, |all| all.concat().into());
        let (page, address) = (whole(one.page()), whole(one.address()));
        // What was made is moved and not copied: most of what lists show are references.
        let named = (one.id.into(), one.summary.into());
        head(one.kind, named, address, page)
    }
}

/// What every object begins with: its kind, its id and name, its address and its page.
fn head(kind: &str, (id, summary): (Value, Value), address: Value, page: Value) -> Value {
    let fields = [
        ("html_url", page),
        ("id", id),
        ("self", address),
        ("summary", summary),
        ("type", kind.into()),
    ];
    fields.into_iter().collect()
}

impl Place {
    /// Under the server's address; with the front's prefix for whoever uses that.
    pub(crate) fn new(public_url: &str, is_prefixed: bool) -> Self {
        let prefix = if is_prefixed { PREFIX } else { "" };
        Self {
            api: [public_url, prefix, "/"].concat().into(),
            ui: [public_url, "/ui/"].concat().into(),
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
        [&*self.api, path].concat()
    }

    /// The address of a page for people.
    pub(crate) fn page(&self, path: &str) -> String {
        [&*self.ui, path].concat()
    }

    /// The address of what is found by its id in a folder of the API, in pieces.
    pub(super) fn api_in<'a>(&'a self, folder: &'a str, id: &'a str) -> [&'a str; 3] {
        [&self.api, folder, id]
    }

    /// The same of a page for people.
    pub(super) fn page_in<'a>(&'a self, folder: &'a str, id: &'a str) -> [&'a str; 3] {
        [&self.ui, folder, id]
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
        let page = match page {
            "" => Value::Null,
            page => self.page(page).into(),
        };
        let address = self.api(path).into();
        head(kind, (id.into(), summary.into()), address, page)
    }

    /// A reference to what is there: it is found by its id in this folder.
    fn to<'a>(
        &'a self,
        kind: &'a str,
        (id, name): (&'a str, &'a str),
        folder: impl Into<Cow<'a, str>>,
        page: Page<'a>,
    ) -> Reference<'a> {
        Reference {
            place: self,
            kind,
            id: id.into(),
            summary: name.into(),
            folder: Some(folder.into()),
            page,
        }
    }

    /// A reference to what is gone: what it is called then, without addresses, since nothing is found there any more.
    fn gone<'a>(&'a self, kind: &'a str, id: &str, called: &'a str) -> Reference<'a> {
        Reference {
            place: self,
            kind,
            id: id.to_owned().into(),
            summary: called.into(),
            folder: None,
            page: Page::None,
        }
    }

    /// A reference to what may be gone, which has another name then.
    fn to_if_there<'a>(
        &'a self,
        kind: &'a str,
        known: Option<(&'a str, &'a str)>,
        (id, called): (&str, &'a str),
        folder: &'a str,
        page: Page<'a>,
    ) -> Reference<'a> {
        match known {
            Some(named) => self.to(kind, named, folder, page),
            None => self.gone(kind, id, called),
        }
    }

    /// A person; one who was removed keeps a place in old records.
    pub(crate) fn user(&self, state: &State, user: UserId) -> Value {
        self.user_reference(state, user).into()
    }

    /// The same, for whoever writes it at once.
    pub(super) fn user_reference<'a>(&'a self, state: &'a State, user: UserId) -> Reference<'a> {
        let known = state.users.get(&user);
        let known = known.map(|known| (known.id.as_str(), known.name.as_str()));
        let gone = (user.as_str(), "a removed person");
        self.to_if_there(
            "user_reference",
            known,
            gone,
            "users/",
            Page::Own("people/"),
        )
    }

    /// A service.
    pub(crate) fn service(&self, state: &State, service: ServiceId) -> Value {
        self.service_reference(state, service).into()
    }

    /// The same, for whoever writes it at once.
    pub(super) fn service_reference<'a>(
        &'a self,
        state: &'a State,
        service: ServiceId,
    ) -> Reference<'a> {
        match state.services.get(&service) {
            Some(known) => self.known_service(known),
            None => self.gone("service_reference", service.as_str(), "a removed service"),
        }
    }

    /// A service that is there.
    pub(crate) fn known_service<'a>(&'a self, known: &'a Service) -> Reference<'a> {
        let named = (known.id.as_str(), known.name.as_str());
        let page = Page::Own("settings/services/");
        self.to("service_reference", named, "services/", page)
    }

    /// A business service.
    pub(crate) fn business_service(&self, state: &State, service: BusinessServiceId) -> Value {
        let kind = "business_service_reference";
        let known = state.business.services.get(&service);
        let known = known.map(|known| (known.id.as_str(), known.name.as_str()));
        let gone = (service.as_str(), "a removed business service");
        let reference = self.to_if_there(kind, known, gone, "business_services/", Page::None);
        reference.into()
    }

    /// An integration of a service.
    pub(crate) fn integration(&self, state: &State, integration: IntegrationId) -> Value {
        let known = state.integrations.get(&integration);
        let speaks = known.map_or(Speaks::EventsV2, |known| known.kind.speaks());
        let kind = format!("{}_reference", Vendor::of(speaks).kind);
        let reference = match known {
            Some(known) => {
                let named = (known.id.as_str(), known.name.as_str());
                let folder = format!("services/{}/integrations/", known.service);
                self.to(&kind, named, folder, Page::None)
            }
            None => self.gone(&kind, integration.as_str(), "a removed integration"),
        };
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
    pub(super) fn policy_reference<'a>(
        &'a self,
        state: &'a State,
        policy: PolicyId,
    ) -> Reference<'a> {
        let kind = "escalation_policy_reference";
        match state.policies.get(&policy) {
            Some(known) => {
                let named = (known.id.as_str(), known.name.as_str());
                let page = Page::Own("oncall/policies/");
                self.to(kind, named, "escalation_policies/", page)
            }
            None => {
                let name = state.removed_policies.name_of(policy);
                self.gone(kind, policy.as_str(), name.unwrap_or("a removed policy"))
            }
        }
    }

    /// A schedule.
    pub(crate) fn schedule(&self, state: &State, schedule: ScheduleId) -> Value {
        let known = state.schedules.get(&schedule);
        let known = known.map(|known| (known.id.as_str(), known.name.as_str()));
        let gone = (schedule.as_str(), "a removed schedule");
        let page = Page::Own("oncall/schedules/");
        let reference = self.to_if_there("schedule_reference", known, gone, "schedules/", page);
        reference.into()
    }

    /// A team.
    pub(crate) fn team(&self, state: &State, team: TeamId) -> Value {
        self.team_reference(state, team).into()
    }

    /// The same, for whoever writes it at once.
    pub(super) fn team_reference<'a>(&'a self, state: &'a State, team: TeamId) -> Reference<'a> {
        let known = state.teams.get(&team);
        let known = known.map(|known| (known.id.as_str(), known.name.as_str()));
        let (gone, page) = (
            (team.as_str(), "a removed team"),
            Page::Among("people/teams"),
        );
        self.to_if_there("team_reference", known, gone, "teams/", page)
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
    pub(super) fn trigger(&self, incident: IncidentId, position: u64) -> Reference<'_> {
        Reference {
            place: self,
            kind: "trigger_log_entry_reference",
            id: id::of_position(position).into(),
            summary: "Triggered".into(),
            folder: Some("log_entries/".into()),
            page: Page::Of("incidents/", incident.as_str().to_owned().into()),
        }
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
