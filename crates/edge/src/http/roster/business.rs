//! Business services with what supports them and what hurts them now. What they may say is decided elsewhere.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use tocsin_domain::business::{AnyService, Gathering, Impacts};
use tocsin_domain::command::{Ask, BusinessAsk, RosterAsk};
use tocsin_domain::event::{Actor, BusinessEvent, RosterEvent};
use tocsin_domain::id::BusinessServiceId;
use tocsin_domain::{business, incident, state};
use utoipa::ToSchema;

use super::{lost, set_in};
use crate::access::who::Caller;
use crate::app::App;
use crate::http::body::{Json as Body, Params};
use crate::http::incident::summary::Status;
use crate::http::page::{Page, PageQuery};
use crate::http::problem::Problem;
use crate::http::shape::{Id, Instant, Named, named_service};

/// Incidents that are shown of each business service at most.
const INCIDENTS_MAX: usize = 20;
/// Open incidents that are looked at at once, while the engine waits to publish.
const INCIDENTS_AT_ONCE: usize = 1_000;

/// Of which kind a service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ServiceKind {
    /// One that is made of others.
    Business,
    /// One that incidents belong to.
    Technical,
}

/// A service of either kind.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct NamedService {
    kind: ServiceKind,
    id: String,
    name: String,
}

/// An open incident that hurts a business service.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ImpactingIncident {
    id: String,
    number: u64,
    /// What fails, in one line.
    title: String,
    status: Status,
    /// The service that fails.
    service: Named,
    opened_at: Instant,
}

/// Something that people outside know, which works as long as what supports it works.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct BusinessService {
    id: String,
    name: String,
    /// What it is; may be empty.
    description: String,
    /// Whom to ask about it; may be empty.
    point_of_contact: String,
    /// The team that answers for it.
    team: Option<Named>,
    /// What supports it directly.
    supported_by: Vec<NamedService>,
    /// Whether an urgent incident is open on something that supports it, directly or through others.
    impacted: bool,
    /// How many such incidents there are.
    incident_count: usize,
    /// The newest 20 of them, the newest first.
    incidents: Vec<ImpactingIncident>,
}

/// A service of either kind by its name.
pub(super) fn named_service_of(state: &state::State, service: AnyService) -> NamedService {
    let (kind, named) = match service {
        AnyService::Business(id) => {
            let known = state.business.services.get(&id);
            let name = known.map_or_else(String::new, |known| known.name.clone());
            let id = id.to_string();
            (ServiceKind::Business, Named { id, name })
        }
        AnyService::Technical(id) => (ServiceKind::Technical, named_service(state, id)),
    };
    NamedService {
        kind,
        id: named.id,
        name: named.name,
    }
}

fn impacting(state: &state::State, one: &incident::Incident) -> ImpactingIncident {
    ImpactingIncident {
        id: one.id.to_string(),
        number: one.number,
        title: one.title.clone(),
        status: one.status.into(),
        service: named_service(state, one.service),
        opened_at: Instant(one.opened_at),
    }
}

fn shown(
    state: &state::State,
    impacts: &Impacts,
    known: &business::BusinessService,
) -> BusinessService {
    let newest = impacts.newest(known.id, INCIDENTS_MAX).into_iter();
    let supported_by = state.business.supporting(AnyService::Business(known.id));
    let team = known.team.and_then(|team| state.teams.get(&team));
    BusinessService {
        id: known.id.to_string(),
        name: known.name.clone(),
        description: known.description.clone(),
        point_of_contact: known.point_of_contact.clone(),
        team: team.map(|team| Named {
            id: team.id.to_string(),
            name: team.name.clone(),
        }),
        supported_by: supported_by
            .map(|one| named_service_of(state, one))
            .collect(),
        impacted: impacts.is_hurt(known.id),
        incident_count: impacts.count(known.id),
        incidents: newest.map(|one| impacting(state, one)).collect(),
    }
}

/// What is made of what hurts business services now. There may be very many open incidents: the state is looked at for a moment at
/// a time, and all else is done beside it.
pub(crate) async fn with_impacts<T: Send + 'static>(
    app: &App,
    make: impl FnOnce(Impacts) -> T + Send + 'static,
) -> Result<T, Problem> {
    let asked = app.clone();
    let work = move || {
        let mut gathering = asked.read(Gathering::begin);
        while asked.read(|state| gathering.look(state, INCIDENTS_AT_ONCE)) {}
        Ok(make(gathering.impacts()))
    };
    app.rendered(work).await
}

/// Business services, whether they are hurt, and by which incidents
///
/// What supports them is said under `/service-dependencies`.
#[utoipa::path(get, path = "/api/tocsin/v1/business-services", tag = "oncall", params(PageQuery),
    responses((status = 200, body = Page<BusinessService>)))]
pub(crate) async fn list_business_services(
    State(app): State<App>,
    Params(page): Params<PageQuery>,
) -> Result<Json<Page<BusinessService>>, Problem> {
    let impacts = with_impacts(&app, |impacts| impacts).await?;
    app.read(|state| {
        let all = state.business.services.values();
        let mut all: Vec<(&str, BusinessServiceId)> =
            all.map(|one| (one.name.as_str(), one.id)).collect();
        all.sort_unstable();
        let cut = page.cut(all, |(_, id)| id.as_str())?;
        let known = cut.items.iter();
        let known = known.filter_map(|(_, id)| state.business.services.get(id));
        Ok(Json(Page {
            items: known.map(|one| shown(state, &impacts, one)).collect(),
            next_cursor: cut.next_cursor,
        }))
    })
}

fn missing(id: &str) -> Problem {
    Problem::not_found(&format!("business service {id}"))
}

fn id_in(id: &str) -> Result<BusinessServiceId, Problem> {
    id.parse().map_err(|_| missing(id))
}

async fn shown_now(app: &App, id: BusinessServiceId) -> Result<Json<BusinessService>, Problem> {
    let impacts = with_impacts(app, |impacts| impacts).await?;
    let found = app.read(|state| {
        let known = state.business.services.get(&id)?;
        Some(shown(state, &impacts, known))
    });
    found.map(Json).ok_or_else(|| missing(id.as_str()))
}

/// One business service, whether it is hurt, and by which incidents
#[utoipa::path(get, path = "/api/tocsin/v1/business-services/{id}", tag = "oncall", params(("id" = String, Path)),
    responses((status = 200, body = BusinessService), (status = 404)))]
pub(crate) async fn get_business_service(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<BusinessService>, Problem> {
    let id = id_in(&id)?;
    // Who asks for what is not there has nothing reckoned.
    if !app.read(|state| state.business.services.contains_key(&id)) {
        return Err(missing(id.as_str()));
    }
    shown_now(&app, id).await
}

/// A business service to add or to put in another's place. What supports it stays.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BusinessServiceRequest {
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// What it is, at most 2000 characters.
    #[serde(default)]
    #[schema(max_length = 2000)]
    description: String,
    /// Whom to ask about it, at most 200 characters.
    #[serde(default)]
    #[schema(max_length = 200)]
    point_of_contact: String,
    /// The team that answers for it.
    #[schema(value_type = Option<Id>)]
    team_id: Option<String>,
}

async fn set(
    app: &App,
    caller: &Caller,
    id: Option<BusinessServiceId>,
    request: BusinessServiceRequest,
) -> Result<Json<BusinessService>, Problem> {
    let wrong = |_| Problem::bad("team_id: not an id of a team");
    let team = request.team_id.map(|id| id.parse().map_err(wrong));
    let ask = BusinessAsk::Set {
        id,
        name: request.name,
        description: request.description,
        point_of_contact: request.point_of_contact,
        team: team.transpose()?,
    };
    let set = set_in(app, caller, RosterAsk::Business(ask)).await?;
    shown_now(app, service_in(set)?.id).await
}

/// The business service that was set, whoever asked for it in whatever words.
pub(crate) fn service_in(set: RosterEvent) -> Result<business::BusinessService, Problem> {
    let RosterEvent::Business(BusinessEvent::ServiceSet { service }) = set else {
        return Err(lost());
    };
    Ok(service)
}

/// Asks for what there is nothing to show of: that a business service goes, or what supports what.
pub(crate) async fn changed(app: &App, actor: &Actor, ask: BusinessAsk) -> Result<(), Problem> {
    let ask = Ask::Roster(RosterAsk::Business(ask));
    app.ask(actor, ask).await.map(|_| ())
}

/// Add a business service
#[utoipa::path(post, path = "/api/tocsin/v1/business-services", tag = "oncall", request_body = BusinessServiceRequest,
    responses((status = 201, body = BusinessService), (status = 400), (status = 404), (status = 409)))]
pub(crate) async fn add_business_service(
    State(app): State<App>,
    caller: Caller,
    Body(request): Body<BusinessServiceRequest>,
) -> Result<impl IntoResponse, Problem> {
    set(&app, &caller, None, request)
        .await
        .map(|set| (StatusCode::CREATED, set))
}

/// Replace a business service; what supports it stays
#[utoipa::path(put, path = "/api/tocsin/v1/business-services/{id}", tag = "oncall", params(("id" = String, Path)),
    request_body = BusinessServiceRequest, responses((status = 200, body = BusinessService), (status = 400), (status = 404)))]
pub(crate) async fn replace_business_service(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<BusinessServiceRequest>,
) -> Result<Json<BusinessService>, Problem> {
    set(&app, &caller, Some(id_in(&id)?), request).await
}

/// Remove a business service, with what was said to support it and to need it
#[utoipa::path(delete, path = "/api/tocsin/v1/business-services/{id}", tag = "oncall", params(("id" = String, Path)),
    responses((status = 204), (status = 404)))]
pub(crate) async fn remove_business_service(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    changed(&app, &caller.actor, BusinessAsk::Remove(id_in(&id)?)).await?;
    Ok(StatusCode::NO_CONTENT)
}
