//! How a service and an integration look to PagerDuty's clients.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Value, json};
use tocsin_domain::id::ServiceId;
use tocsin_domain::incident::Status;
use tocsin_domain::people::Urgency;
use tocsin_domain::service::{Integration, Service, Speaks};
use tocsin_domain::state::{Dated, State};
use tocsin_domain::time::Timestamp;
use tocsin_wire::json_text::JsonText;
use tocsin_wire::pagerduty::rest::grouping;
use tocsin_wire::pagerduty::rest::support;
use tocsin_wire::pagerduty::rest::vendor::Vendor;

use super::described::told;
use super::place::{Place, whole};

/// The word for a service on which nothing is open.
const ACTIVE: &str = "active";

/// How services stand on which something is open, and what raises alerts on them, found in one pass each for all that a request
/// shows.
#[derive(Debug, Default)]
pub(crate) struct Standings<'a> {
    words: BTreeMap<ServiceId, &'static str>,
    integrations: BTreeMap<ServiceId, Vec<&'a Integration>>,
}

impl<'a> Standings<'a> {
    /// Of these services: what fails and is urgent, what somebody has, what is worked on. Maintenance is not looked at here, since it
    /// needs the time.
    pub(crate) fn of(state: &'a State, services: &BTreeSet<ServiceId>) -> Self {
        let mut words = BTreeMap::new();
        // From the list, where they lie close together: looking up each of thousands takes longer than all else that is shown.
        for one in state.numbers.open() {
            let worst = words.entry(one.service).or_insert(ACTIVE);
            *worst = match (one.status, one.urgency) {
                (Status::Triggered, Urgency::High) => "critical",
                (Status::Triggered, Urgency::Low) | (Status::Acknowledged, _)
                    if *worst == ACTIVE =>
                {
                    "warning"
                }
                (Status::Triggered, Urgency::Low)
                | (Status::Acknowledged | Status::Resolved, _) => *worst,
            };
        }
        let mut integrations: BTreeMap<ServiceId, Vec<&Integration>> = BTreeMap::new();
        for one in state.integrations.values() {
            if services.contains(&one.service) {
                integrations.entry(one.service).or_default().push(one);
            }
        }
        Self {
            words,
            integrations,
        }
    }

    fn word(&self, service: ServiceId) -> &'static str {
        self.words.get(&service).copied().unwrap_or(ACTIVE)
    }

    /// What raises alerts on one of them.
    pub(crate) fn integrations(&self, service: ServiceId) -> &[&'a Integration] {
        let own = self.integrations.get(&service).map(Vec::as_slice);
        own.unwrap_or_default()
    }
}

/// When something was made, and when it was changed last; since the installation was set up, where nothing else is known.
fn ages(state: &State, place: &Place, dated: Option<&Dated>) -> (Option<String>, Option<String>) {
    let known = dated.map(|dated| (dated.made_at, dated.changed_at));
    let set_up = state.dates.set_up.map(|moment| (moment.at, moment.at));
    let written = |(made, changed): (Timestamp, Timestamp)| (place.time(made), place.time(changed));
    known.or(set_up).map(written).unzip()
}

/// A service.
pub(crate) fn service(
    state: &State,
    place: &Place,
    known: &Service,
    standings: &Standings<'_>,
) -> Value {
    let mut out = JsonText::default();
    write_service(&mut out, state, place, known, standings);
    out.into_value()
}

/// The same, for whoever writes it at once. Its fields stand in the order of their names, as those of a value do.
pub(super) fn write_service(
    out: &mut JsonText,
    state: &State,
    place: &Place,
    known: &Service,
    standings: &Standings<'_>,
) {
    let default = state.installation.as_ref().map(|all| all.default_policy);
    let policy = known.policy.or(default);
    let own = standings.integrations(known.id).iter();
    let resolve_s = known.intake.resolve_after_ms.map(|ms| ms / 1_000);
    let followed = policy.and_then(|policy| state.policies.get(&policy));
    let timeout_s = known.acknowledgement_timeout_ms(followed);
    let timeout_s = timeout_s.map(|ms| ms / 1_000);
    let (created_at, updated_at) = ages(state, place, state.dates.services.get(&known.id));
    let newest = state.last_opened.get(&known.id);
    let newest = newest.map(|at| place.time(*at));
    let id = known.id.as_str();
    let urgency = support::shown(&known.intake.urgency);
    let text = |out: &mut JsonText, text: Option<&str>| out.or_null(text, JsonText::text);
    out.object(|out| {
        out.field("acknowledgement_timeout")
            .or_null(timeout_s, JsonText::number);
        out.field("addons").raw("[]");
        out.field("alert_creation")
            .text("create_alerts_and_incidents");
        // A client that has once read the older fields sends them on beside whatever it says by the newer form.
        out.field("alert_grouping").null();
        out.field("alert_grouping_parameters")
            .value(&grouping::shown(&known.intake.grouping));
        out.field("alert_grouping_timeout").null();
        out.field("auto_pause_notifications_parameters")
            .raw(r#"{"enabled":false,"timeout":null}"#);
        out.field("auto_resolve_timeout")
            .or_null(resolve_s, JsonText::number);
        text(out.field("created_at"), created_at.as_deref());
        text(out.field("description"), told(&known.description));
        out.field("escalation_policy")
            .or_null(policy, |out, policy| {
                place.policy_reference(state, policy).write(out);
            });
        out.field("html_url")
            .texts(&place.page_in("settings/services/", id));
        out.field("id").text(id);
        out.field("incident_urgency_rule").value(&urgency.rule);
        out.field("integrations").list(own, |out, one| {
            out.value(&place.integration(state, one.id));
        });
        text(out.field("last_incident_timestamp"), newest.as_deref());
        out.field("name").text(&known.name);
        out.field("response_play").null();
        out.field("scheduled_actions").value(&urgency.actions);
        out.field("self").texts(&place.api_in("services/", id));
        out.field("status").text(standings.word(known.id));
        out.field("summary").text(&known.name);
        out.field("support_hours").value(&urgency.hours);
        out.field("teams")
            .list([state.team_of(known)], |out, team| {
                place.team_reference(state, team).write(out);
            });
        out.field("type").text("service");
        text(out.field("updated_at"), updated_at.as_deref());
    });
}

/// The key of an integration, and where its sender is to call.
pub(crate) struct Key {
    pub(crate) text: String,
    pub(crate) address: Option<String>,
}

impl fmt::Debug for Key {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address may hold the key.
        to.debug_struct("Key").finish_non_exhaustive()
    }
}

/// An integration, with its key where that is known and the caller may see it.
pub(crate) fn integration(
    state: &State,
    place: &Place,
    known: &Integration,
    key: Option<&Key>,
) -> Value {
    let vendor = Vendor::of_integration(known);
    let mail = key.filter(|_| known.kind.speaks() == Speaks::Email);
    let (created_at, updated_at) = ages(state, place, state.dates.integrations.get(&known.id));
    let more = json!({
        "name": known.name,
        "service": place.service(state, known.service),
        "integration_key": key.map(|key| key.text.as_str()),
        "created_at": created_at,
        "updated_at": updated_at,
        "integration_email": mail.and_then(|key| key.address.as_deref()),
        "vendor": place.vendor(vendor),
    });
    whole(place.integration(state, known.id), vendor.kind, more)
}
