//! Services and the keys of their integrations.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tocsin_domain::command::{Ask, RosterAsk};
use tocsin_domain::event::{Actor, RosterEvent};
use tocsin_domain::id::{IntegrationId, PolicyId, ServiceId, TeamId};
use tocsin_domain::people::Role;
use tocsin_domain::service::{Hold, Integration, Service, Speaks, WholeService};
use tocsin_domain::state::State;
use tocsin_wire::pagerduty::rest::Refusal;
use tocsin_wire::pagerduty::rest::called::Noun;
use tocsin_wire::pagerduty::rest::service as bodies;
use tocsin_wire::pagerduty::rest::vendor::Vendor;

use super::asked::{Asked, Path};
use super::include::Named;
use super::lookup;
use super::parameters;
use super::policy_shape::policy;
use super::reply::{Answer, Refused, Reply, refusing};
use super::service_shape::{Key, Standings, integration, service};
use super::team_shape::team;
use crate::front::integration::of_key;
use crate::http::roster::integration::IntegrationKind;
use crate::http::roster::service::{
    NewIntegration, NewKey, ROUTING_KEY_CHARS, integration_made, service_removed,
};
use crate::http::roster::{key, lost, set_as, set_in_turn};

/// What of an integration can be shown wholly, and where it stands.
pub(super) const INCLUDED: &[Named] = &[("services", &["service"]), ("vendors", &["vendor"])];

/// Services
#[utoipa::path(get, path = "/services", tag = "fronts",
    params(parameters::Page, parameters::Search, parameters::NamedServices, parameters::Teams, parameters::ServiceInclude),
    responses((status = 200, body = Object)))]
pub(crate) async fn list_services(asked: Asked) -> Answer {
    let ids: Option<Vec<ServiceId>> = asked.parameters.ids("id")?;
    let teams: Option<Vec<TeamId>> = asked.parameters.ids("team_ids")?;
    let name = asked.parameters.get("name");
    let paging = asked.paging()?;
    let keyed = keyed(&asked);
    let found_by = |id: ServiceId| match keyed {
        Some((service, key)) if service == id => key,
        Some(_) | None => "",
    };
    let cut = asked.app.read(|state| {
        let all = state.services.values();
        let wanted = all.filter(|one| {
            ids.as_ref().is_none_or(|set| set.contains(&one.id))
                && name.is_none_or(|name| name == one.name)
                && teams
                    .as_ref()
                    .is_none_or(|set| set.contains(&state.team_of(one)))
        });
        let named = wanted.map(|one| (one.id, one.name.as_str(), found_by(one.id)));
        asked.named_cut(paging, named)
    })?;
    let services: BTreeSet<ServiceId> = cut.items.iter().copied().collect();
    let keys = included_keys(&asked, &services).await?;
    let cut = asked.app.read(|state| {
        let standings = Standings::of(state, &services);
        cut.map(|id| {
            let known = state.services.get(&id)?;
            Some(shown(&asked, state, known, &standings, &keys))
        })
    });
    Ok(Reply::page(paging, "services", cut))
}

/// The service with an integration of which `query` is the key, and that: some clients know a service by nothing else.
fn keyed(asked: &Asked) -> Option<(ServiceId, &str)> {
    let query = asked.parameters.get("query")?;
    let is_key =
        query.len() == ROUTING_KEY_CHARS && query.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let known = is_key.then(|| of_key(&asked.app, query)).flatten();
    known.map(|known| (known.service, query))
}

/// Keys of integrations, as far as they are kept and whoever asks may see them.
type Keys = BTreeMap<IntegrationId, Key>;

/// The keys of the integrations that are shown wholly with these services.
async fn included_keys(asked: &Asked, services: &BTreeSet<ServiceId>) -> Result<Keys, Refused> {
    if !asked.parameters.includes("integrations") {
        return Ok(Keys::new());
    }
    let of_these: Vec<Integration> = asked.app.read(|state| {
        let all = state.integrations.values();
        let own = all.filter(|one| services.contains(&one.service));
        own.cloned().collect()
    });
    kept_keys(asked, of_these).await
}

fn shown(
    asked: &Asked,
    state: &State,
    known: &Service,
    standings: &Standings<'_>,
    keys: &Keys,
) -> Value {
    let mut shown = service(state, &asked.place, known, standings);
    if asked.parameters.includes("integrations") {
        let all = standings.integrations(known.id).iter();
        let all = all.map(|one| integration(state, &asked.place, one, keys.get(&one.id)));
        shown["integrations"] = all.collect();
    }
    let default = state.installation.as_ref().map(|all| all.default_policy);
    let followed = known
        .policy
        .or(default)
        .and_then(|id| state.policies.get(&id));
    if let Some(followed) = followed
        && asked.parameters.includes("escalation_policies")
    {
        shown["escalation_policy"] = policy(state, &asked.place, followed);
    }
    if let Some(owner) = state.teams.get(&state.team_of(known))
        && asked.parameters.includes("teams")
    {
        shown["teams"] = json!([team(state, &asked.place, owner)]);
    }
    shown
}

/// The service that a path names.
fn named(asked: &Asked, id: &str) -> Result<Service, Refused> {
    let known = |state: &State, id: ServiceId| state.services.get(&id).cloned();
    lookup::in_path(&asked.app, "service", id, known)
}

async fn wrapped(asked: &Asked, known: &Service) -> Result<Value, Refused> {
    let services = BTreeSet::from([known.id]);
    let keys = included_keys(asked, &services).await?;
    let shown = asked.app.read(|state| {
        let current = state.services.get(&known.id).unwrap_or(known);
        let standings = Standings::of(state, &services);
        shown(asked, state, current, &standings, &keys)
    });
    Ok(json!({ "service": shown }))
}

/// One service
#[utoipa::path(get, path = "/services/{id}", tag = "fronts", params(("id" = String, Path), parameters::ServiceInclude),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn get_service(Path(id): Path<String>, asked: Asked) -> Answer {
    let known = named(&asked, &id)?;
    wrapped(&asked, &known).await.map(Reply::Done)
}

/// What a body makes of a service, or of nothing. What it does not say stays, and so does what it only says again: whoever changes
/// that at the same moment is not undone.
fn whole_of(
    state: &State,
    asked: &Asked,
    known: Option<&Service>,
) -> Result<WholeService, Refused> {
    let intake = known.map(|known| known.intake.clone()).unwrap_or_default();
    let body = bodies::service(&asked.body, &intake)?;
    if known.is_none() && body.name.is_none() {
        return Err(Refusal::bad("'service.name' is missing or blank").into());
    }
    let policy = body.policy.as_ref();
    let policy = policy.map(|id| lookup::policy(state, "service.escalation_policy", id));
    let policy = policy.transpose()?;
    if known.is_none() && policy.is_none() {
        return Err(Refusal::bad("'service.escalation_policy' is missing").into());
    }
    let resolve_after_ms = body
        .resolve_after_s
        .map(|seconds| seconds.map(|seconds| seconds.saturating_mul(1_000)));
    let default = state.installation.as_ref().map(|all| all.default_policy);
    let before = known.and_then(|known| known.policy.or(default));
    let own = known.and_then(|known| known.acknowledgement);
    let said = body.acknowledged_s;
    let is_new = |differs: &dyn Fn(&Service) -> bool| known.is_none_or(differs);
    Ok(WholeService {
        id: known.map(|known| known.id),
        name: body
            .name
            .filter(|name| is_new(&|known| known.name != *name)),
        // A service that follows the policy of the installation goes on to do so.
        policy: policy.filter(|policy| before != Some(*policy)).map(Some),
        description: body
            .description
            .filter(|text| is_new(&|known| known.description != *text)),
        acknowledgement: said.and_then(|seconds| held(state, policy.or(before), own, seconds)),
        urgency: body
            .urgency
            .filter(|by| is_new(&|known| known.intake.urgency != *by)),
        grouping: body.grouping.filter(|by| *by != intake.grouping),
        grouping_label: None,
        resolve_after_ms: resolve_after_ms
            .filter(|ms| is_new(&|known| known.intake.resolve_after_ms != *ms)),
    })
}

/// How long acknowledgements shall hold, where that is not as long as they do. A service that holds them so long by its policy goes on
/// to follow that.
fn held(
    state: &State,
    policy: Option<PolicyId>,
    own: Option<Hold>,
    seconds: Option<u64>,
) -> Option<Option<Hold>> {
    let default = state.installation.as_ref().map(|all| all.default_policy);
    let followed = policy.or(default).and_then(|id| state.policies.get(&id));
    let before = Hold::timeout_ms(own, followed).map(|ms| ms / 1_000);
    if before == seconds {
        return None;
    }
    let ms = seconds.map(|seconds| seconds.saturating_mul(1_000));
    Some(Some(ms.map_or(Hold::Always, Hold::ForMs)))
}

async fn set(asked: &Asked, known: Option<&Service>) -> Result<Service, Refused> {
    let whole = asked.app.read(|state| whole_of(state, asked, known))?;
    let ask = Ask::Roster(RosterAsk::SetWholeService(Box::new(whole)));
    let event = set_as(&asked.app, &asked.caller.actor, ask).await;
    let event = event.map_err(refusing(Noun::Service))?;
    let RosterEvent::ServiceSet { service } = event else {
        return Err(lost().into());
    };
    Ok(service)
}

/// Add a service
#[utoipa::path(post, path = "/services", tag = "fronts", request_body = Object,
    responses((status = 201, body = Object), (status = 400, body = Object)))]
pub(crate) async fn add_service(asked: Asked) -> Answer {
    let made = set(&asked, None).await?;
    wrapped(&asked, &made).await.map(Reply::Created)
}

/// Change a service
#[utoipa::path(put, path = "/services/{id}", tag = "fronts", params(("id" = String, Path)), request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn change_service(Path(id): Path<String>, asked: Asked) -> Answer {
    let known = named(&asked, &id)?;
    let made = set(&asked, Some(&known)).await?;
    wrapped(&asked, &made).await.map(Reply::Done)
}

/// Remove a service on which nothing fails and which is needed for nothing, with what is about it alone; its incidents are kept
#[utoipa::path(delete, path = "/services/{id}", tag = "fronts", params(("id" = String, Path)),
    responses((status = 204), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn remove_service(Path(id): Path<String>, asked: Asked) -> Answer {
    let known = named(&asked, &id)?;
    service_removed(&asked.app, &asked.caller.actor, known.id).await?;
    Ok(Reply::Empty)
}

/// Make a key by which a foreign system raises alerts on a service; administrators read it again
#[utoipa::path(post, path = "/services/{id}/integrations", tag = "fronts", params(("id" = String, Path)),
    request_body = Object, responses((status = 201, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn add_service_integration(Path(id): Path<String>, asked: Asked) -> Answer {
    let of = named(&asked, &id)?;
    let wanted = bodies::integration(&asked.body)?;
    let kind = wanted.speaks.with(None, None).map_err(|mismatch| {
        Refusal::bad(format!(
            "'integration.vendor' is not supported here: a mapping is {}, and set in Tocsin",
            mismatch.why()
        ))
    })?;
    let actor: &Actor = &asked.caller.actor;
    let wanted = NewIntegration {
        name: wanted.name,
        vendor: wanted.vendor,
        kind,
        key: NewKey::Kept,
    };
    let made = integration_made(&asked.app, actor, of.id, wanted);
    let (made, text, address) = made.await.map_err(refusing(Noun::Integration))?;
    let key = Key {
        text,
        address: Some(address),
    };
    let shown = asked
        .app
        .read(|state| integration(state, &asked.place, &made, Some(&key)));
    Ok(Reply::Created(json!({ "integration": shown })))
}

fn integration_named(asked: &Asked, of: &Service, id: &str) -> Result<Integration, Refused> {
    let known = |state: &State, id: IntegrationId| {
        let known = state.integrations.get(&id)?;
        (known.service == of.id).then(|| known.clone())
    };
    lookup::in_path(&asked.app, "integration of the service", id, known)
}

/// The keys of these integrations, where they are kept and the caller may see them.
async fn kept_keys(asked: &Asked, all: Vec<Integration>) -> Result<Keys, Refused> {
    let mut kept = all;
    kept.retain(|one| one.key_row.is_some() && asked.caller.role == Role::Admin);
    if kept.is_empty() {
        return Ok(Keys::new());
    }
    let app = asked.app.clone();
    let read = asked.app.blocking(move |parts| {
        let mut keys = Keys::new();
        for one in kept {
            let secret = one.key_row.map(|row| parts.vault.get(row)).transpose()?;
            let Some(secret) = secret.flatten() else {
                continue;
            };
            let text = secret.expose_secret().to_owned();
            // A server that takes no mail any more has no address for it.
            let address = IntegrationKind::of(&one.kind).address(&app, &text).ok();
            keys.insert(one.id, Key { text, address });
        }
        Ok(keys)
    });
    Ok(read.await?)
}

async fn wrapped_integration(asked: &Asked, known: &Integration) -> Answer {
    let keys = kept_keys(asked, vec![known.clone()]).await?;
    let shown = asked
        .app
        .read(|state| integration(state, &asked.place, known, keys.get(&known.id)));
    let shown = asked.included_one(shown, INCLUDED).await?;
    Ok(Reply::Done(json!({ "integration": shown })))
}

/// One integration, with its key for administrators where that is kept
#[utoipa::path(get, path = "/services/{id}/integrations/{integration_id}", tag = "fronts",
    params(("id" = String, Path), ("integration_id" = String, Path), parameters::IntegrationInclude),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn get_service_integration(
    Path((id, integration_id)): Path<(String, String)>,
    asked: Asked,
) -> Answer {
    let of = named(&asked, &id)?;
    let known = integration_named(&asked, &of, &integration_id)?;
    wrapped_integration(&asked, &known).await
}

/// Call an integration otherwise; its key stays, and so does how the foreign system speaks
#[utoipa::path(put, path = "/services/{id}/integrations/{integration_id}", tag = "fronts",
    params(("id" = String, Path), ("integration_id" = String, Path)), request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn change_service_integration(
    Path((id, integration_id)): Path<(String, String)>,
    asked: Asked,
) -> Answer {
    let known = asked.in_turn(|own| async move {
        let of = named(&own, &id)?;
        let known = integration_named(&own, &of, &integration_id)?;
        integration_changed(&own, known).await
    });
    wrapped_integration(&asked, &known.await?).await
}

/// Where an integration is sent mail to, if it is and its key is kept.
async fn mail_address(asked: &Asked, known: &Integration) -> Result<Option<String>, Refused> {
    if known.kind.speaks() != Speaks::Email {
        return Ok(None);
    }
    let mut keys = kept_keys(asked, vec![known.clone()]).await?;
    Ok(keys.remove(&known.id).and_then(|key| key.address))
}

/// Changes this integration, in the turn of the roster.
async fn integration_changed(asked: &Asked, known: Integration) -> Result<Integration, Refused> {
    let address = mail_address(asked, &known).await?;
    let vendor = Vendor::of_integration(&known);
    let change = bodies::integration_change(&asked.body, vendor, address.as_deref())?;
    let Some(name) = change.filter(|name| *name != known.name) else {
        return Ok(known);
    };
    let ask = RosterAsk::ChangeIntegration {
        integration: known.id,
        name,
        vendor: known.vendor,
        kind: known.kind,
    };
    let event = set_in_turn(&asked.app, &asked.caller.actor, Ask::Roster(ask)).await;
    let event = event.map_err(refusing(Noun::Integration))?;
    let RosterEvent::IntegrationChanged { integration } = event else {
        return Err(lost().into());
    };
    Ok(integration)
}

/// Remove an integration: its key is dead
#[utoipa::path(delete, path = "/services/{id}/integrations/{integration_id}", tag = "fronts",
    params(("id" = String, Path), ("integration_id" = String, Path)),
    responses((status = 204), (status = 404, body = Object)))]
pub(crate) async fn remove_service_integration(
    Path((id, integration_id)): Path<(String, String)>,
    asked: Asked,
) -> Answer {
    let of = named(&asked, &id)?;
    let known = integration_named(&asked, &of, &integration_id)?;
    let ask = Ask::Roster(RosterAsk::RemoveIntegration(known.id));
    key::removed(&asked.app, &asked.caller.actor, ask).await?;
    Ok(Reply::Empty)
}
