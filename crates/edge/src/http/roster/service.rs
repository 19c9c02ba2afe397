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
use super::policy::{TIMEOUT_MINUTES_MAX, milliseconds, minutes};
use super::{key, lost, set_in};
use crate::access::who::Caller;
use crate::app::App;
use crate::http::body::{Json as Body, Params};
use crate::http::disclosed::Disclosed;
use crate::http::named::in_path;
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
    #[schema(value_type = String)]
    routing_key: Disclosed,
    /// Where its sender is pointed to; it may hold the key, and is then shown once too.
    #[schema(value_type = String)]
    address: Disclosed,
}

/// How long an acknowledgement of a service's incidents holds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "holds", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum ServiceHold {
    /// As the escalation policy of the service says.
    AsPolicy,
    /// Until the incident is over.
    Always,
    /// So long: what still fails then is triggered again.
    For {
        /// 1 to 10080 (7 days); fractions count.
        #[schema(minimum = 1, maximum = 10080)]
        minutes: f64,
    },
}

impl ServiceHold {
    fn of(hold: Option<service::Hold>) -> Self {
        match hold {
            None => Self::AsPolicy,
            Some(service::Hold::Always) => Self::Always,
            Some(service::Hold::ForMs(ms)) => Self::For {
                minutes: minutes(ms),
            },
        }
    }

    fn read(self) -> Result<Option<service::Hold>, Problem> {
        let wrong = || Problem::bad("acknowledgement.minutes: 1 to 10080");
        match self {
            Self::AsPolicy => Ok(None),
            Self::Always => Ok(Some(service::Hold::Always)),
            Self::For { minutes } => {
                let ms = milliseconds(minutes, TIMEOUT_MINUTES_MAX).ok_or_else(wrong)?;
                Ok(Some(service::Hold::ForMs(ms)))
            }
        }
    }
}

/// Something that can fail.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Service {
    id: String,
    name: String,
    /// Null or left out: the policy of the installation.
    escalation_policy_id: Option<String>,
    /// What it is; may be empty.
    description: String,
    acknowledgement: ServiceHold,
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
        description: known.description.clone(),
        acknowledgement: ServiceHold::of(known.acknowledgement),
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
    /// What it is, at most 1024 characters. Left out, what was said before stays.
    #[schema(max_length = 1024)]
    description: Option<String>,
    /// Left out, it stays as it was; of a new service it is as its policy says.
    acknowledgement: Option<ServiceHold>,
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

/// One service
#[utoipa::path(get, path = "/api/tocsin/v1/services/{id}", tag = "oncall", params(("id" = String, Path)),
    responses((status = 200, body = Service), (status = 404)))]
pub(crate) async fn get_service(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Service>, Problem> {
    let shown = |state: &state::State, id: ServiceId| {
        let known = state.services.get(&id)?;
        Some(shown_service(state, known))
    };
    in_path(&app, "service", &id, shown).map(Json)
}

fn service_id(id: &str) -> Result<ServiceId, Problem> {
    id.parse()
        .map_err(|_| Problem::not_found(&format!("service {id}")))
}

async fn set_service(
    app: &App,
    caller: &Caller,
    id: Option<String>,
    request: ServiceRequest,
) -> Result<Json<Service>, Problem> {
    let id = id.map(|id| service_id(&id)).transpose()?;
    let wrong = |_| Problem::bad("escalation_policy_id: not an id");
    let policy = request
        .escalation_policy_id
        .map(|id| id.parse().map_err(wrong))
        .transpose()?;
    let hold = request.acknowledgement.map(ServiceHold::read).transpose()?;
    // What the request does not say is left to the core: who changes something else at the same moment is not undone by it.
    let whole = service::WholeService {
        id,
        name: Some(request.name),
        policy: Some(policy),
        description: request.description,
        acknowledgement: hold,
        ..service::WholeService::default()
    };
    let ask = RosterAsk::SetWholeService(Box::new(whole));
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

/// Remove a service on which nothing fails and which is needed for nothing
///
/// What is about it alone goes with it: its integrations with their keys, work planned on it, webhook subscriptions to it, and what
/// was said to support it and to need it. Its incidents are kept.
#[utoipa::path(delete, path = "/api/tocsin/v1/services/{id}", tag = "oncall", params(("id" = String, Path)),
    responses((status = 204), (status = 404), (status = 409)))]
pub(crate) async fn remove_service(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    service_removed(&app, &caller.actor, service_id(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a service with the secrets of what goes with it, whoever asks for it in whatever words.
pub(crate) async fn service_removed(
    app: &App,
    actor: &Actor,
    service: ServiceId,
) -> Result<(), Problem> {
    key::removed(app, actor, Ask::Roster(RosterAsk::RemoveService(service))).await
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
    let service = service_id(&id)?;
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
        routing_key: routing_key.into(),
        address: address.into(),
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
