//! Services, and the keys by which foreign systems raise alerts on them.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tocsin_domain::command::{Ask, RosterAsk};
use tocsin_domain::event::{Actor, RosterEvent};
use tocsin_domain::id::ServiceId;
use tocsin_domain::service;
use tocsin_domain::state;
use utoipa::ToSchema;

use super::integration::IntegrationKind;
use super::{key, lost, set_in};
use crate::access::who::Caller;
use crate::app::App;
use crate::http::body::{Json as Body, Params};
use crate::http::page::{Page, PageQuery};
use crate::http::problem::Problem;
use crate::http::shape::Id;
use crate::secret;

/// Length of a routing key; PagerDuty's clients demand it.
pub(crate) const ROUTING_KEY_CHARS: usize = 32;

/// An integration, without its key.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Integration {
    id: String,
    name: String,
    kind: IntegrationKind,
}

/// An integration that was just made.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct MadeIntegration {
    id: String,
    name: String,
    kind: IntegrationKind,
    /// Shown once.
    routing_key: String,
    /// Where its sender is pointed to; it may hold the key, and is then shown once too.
    address: String,
}

/// Something that can fail.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Service {
    id: String,
    name: String,
    /// Null for the policy of the installation.
    escalation_policy_id: Option<String>,
    integrations: Vec<Integration>,
}

fn shown_service(state: &state::State, known: &service::Service) -> Service {
    let own = state
        .integrations
        .values()
        .filter(|integration| integration.service == known.id);
    Service {
        id: known.id.to_string(),
        name: known.name.clone(),
        escalation_policy_id: known.policy.map(|policy| policy.to_string()),
        integrations: own
            .map(|one| Integration {
                id: one.id.to_string(),
                name: one.name.clone(),
                kind: IntegrationKind::of(&one.kind),
            })
            .collect(),
    }
}

/// A service to add or to change.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceRequest {
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// Null for the policy of the installation.
    #[schema(value_type = Option<Id>)]
    escalation_policy_id: Option<String>,
}

/// Services
#[utoipa::path(get, path = "/api/tocsin/v1/services", tag = "oncall", params(PageQuery),
    responses((status = 200, body = Page<Service>)))]
pub(crate) async fn list_services(
    State(app): State<App>,
    Params(page): Params<PageQuery>,
) -> Result<Json<Page<Service>>, Problem> {
    let mut all: Vec<Service> = app.read(|state| {
        state
            .services
            .values()
            .map(|known| shown_service(state, known))
            .collect()
    });
    all.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
    page.cut(all, |one| one.id.as_str()).map(Json)
}

async fn set_service(
    app: &App,
    caller: &Caller,
    id: Option<String>,
    request: ServiceRequest,
) -> Result<Json<Service>, Problem> {
    let id = id
        .map(|id| {
            id.parse()
                .map_err(|_| Problem::not_found(&format!("service {id}")))
        })
        .transpose()?;
    let wrong = |_| Problem::bad("escalation_policy_id: not an id");
    let policy = request
        .escalation_policy_id
        .map(|id| id.parse().map_err(wrong))
        .transpose()?;
    let ask = RosterAsk::SetService {
        id,
        name: request.name,
        policy,
    };
    let RosterEvent::ServiceSet { service } = set_in(app, caller, ask).await? else {
        return Err(lost());
    };
    Ok(Json(app.read(|state| shown_service(state, &service))))
}

/// Add a service
#[utoipa::path(post, path = "/api/tocsin/v1/services", tag = "oncall", request_body = ServiceRequest,
    responses((status = 201, body = Service), (status = 400), (status = 404)))]
pub(crate) async fn add_service(
    State(app): State<App>,
    caller: Caller,
    Body(request): Body<ServiceRequest>,
) -> Result<impl IntoResponse, Problem> {
    set_service(&app, &caller, None, request)
        .await
        .map(|set| (StatusCode::CREATED, set))
}

/// Change a service
#[utoipa::path(put, path = "/api/tocsin/v1/services/{id}", tag = "oncall", params(("id" = String, Path)),
    request_body = ServiceRequest, responses((status = 200, body = Service), (status = 400), (status = 404)))]
pub(crate) async fn replace_service(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<ServiceRequest>,
) -> Result<Json<Service>, Problem> {
    set_service(&app, &caller, Some(id), request).await
}

/// An integration to make.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IntegrationRequest {
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// `events_v2` when not given.
    #[serde(default)]
    kind: IntegrationKind,
    /// How JSON becomes alerts: needed for a webhook, may be given for mails.
    #[schema(value_type = Option<Object>)]
    mapping: Option<Value>,
    /// The label by which an alert of a Prometheus names the service that it belongs to, by name or id; this service where it
    /// names none.
    #[schema(min_length = 1, max_length = 200)]
    service_label: Option<String>,
}

/// Make a key by which a foreign system raises alerts on a service
#[utoipa::path(post, path = "/api/tocsin/v1/services/{id}/integrations", tag = "oncall", params(("id" = String, Path)),
    request_body = IntegrationRequest, responses((status = 201, body = MadeIntegration), (status = 400), (status = 404), (status = 409)))]
pub(crate) async fn add_integration(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<IntegrationRequest>,
) -> Result<impl IntoResponse, Problem> {
    let service = id
        .parse()
        .map_err(|_| Problem::not_found(&format!("service {id}")))?;
    let kind = request.kind;
    let speaks = kind.with(request.mapping.as_ref(), request.service_label)?;
    let (actor, name) = (&caller.actor, request.name);
    let wanted = NewIntegration {
        name,
        vendor: None,
        kind: speaks,
        key: NewKey::ShownOnce,
    };
    let made = integration_made(&app, actor, service, wanted);
    let (integration, routing_key, address) = made.await?;
    let made = MadeIntegration {
        id: integration.id.to_string(),
        name: integration.name,
        kind,
        routing_key,
        address,
    };
    Ok((StatusCode::CREATED, Json(made)))
}

/// What becomes of the key of an integration that is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NewKey {
    /// It is shown once, and not kept.
    ShownOnce,
    /// It is kept in the vault, for clients that read it again.
    Kept,
}

/// An integration that is to be made.
#[derive(Clone, Debug)]
pub(crate) struct NewIntegration {
    pub(crate) name: String,
    /// The vendor that is told back, where that does not follow from the kind.
    pub(crate) vendor: Option<String>,
    pub(crate) kind: service::IntegrationKind,
    pub(crate) key: NewKey,
}

/// Makes an integration with its key, and the address at which its sender is to call.
pub(crate) async fn integration_made(
    app: &App,
    actor: &Actor,
    service: ServiceId,
    wanted: NewIntegration,
) -> Result<(service::Integration, String, String), Problem> {
    let NewIntegration {
        name,
        vendor,
        kind,
        key: new_key,
    } = wanted;
    let (routing_key, address) = key_for(app, &kind)?;
    let key_hash = secret::key_hash(&routing_key);
    let ask = move |key_row| RosterAsk::AddIntegration {
        service,
        name,
        key_hash,
        key_row,
        vendor,
        kind,
    };
    let integration = match new_key {
        NewKey::ShownOnce => key::added(app, actor, ask(None)).await?,
        NewKey::Kept => {
            let text = SecretString::from(routing_key.clone());
            key::added_with(app, actor, text, move |row| ask(Some(row))).await?
        }
    };
    Ok((integration, routing_key, address))
}

/// A new key, and the address at which its sender is to call.
fn key_for(app: &App, speaks: &service::IntegrationKind) -> Result<(String, String), Problem> {
    let kind = IntegrationKind::of(speaks);
    let routing_key = kind.key(new_key()?);
    let address = kind.address(app, &routing_key)?;
    Ok((routing_key, address))
}

fn new_key() -> Result<String, Problem> {
    let key = secret::letters(ROUTING_KEY_CHARS);
    key.map_err(|_| Problem::internal("the system gives no random bytes"))
}

/// Remove an integration: its routing key is dead
#[utoipa::path(delete, path = "/api/tocsin/v1/services/{id}/integrations/{integration_id}", tag = "oncall",
    params(("id" = String, Path), ("integration_id" = String, Path)), responses((status = 204), (status = 404)))]
pub(crate) async fn remove_integration(
    State(app): State<App>,
    caller: Caller,
    Path((id, integration_id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let missing = || Problem::not_found(&format!("integration {integration_id} of service {id}"));
    let integration = integration_id.parse().map_err(|_| missing())?;
    let of = app.read(|state| {
        state
            .integrations
            .get(&integration)
            .map(|one| one.service.to_string())
    });
    of.filter(|service| *service == id).ok_or_else(missing)?;
    let ask = Ask::Roster(RosterAsk::RemoveIntegration(integration));
    key::removed(&app, &caller.actor, ask).await?;
    Ok(StatusCode::NO_CONTENT)
}
