//! Business services with what supports them and what hurts them now. They are made and changed as PagerDuty's clients do it.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tocsin_domain::business::{AnyService, Gathering, Impacts};
use tocsin_domain::id::BusinessServiceId;
use tocsin_domain::{business, incident, state};
use utoipa::ToSchema;

use crate::app::App;
use crate::http::body::Params;
use crate::http::incident::summary::Status;
use crate::http::page::{Page, PageQuery};
use crate::http::problem::Problem;
use crate::http::shape::{Instant, Named, named_service};

/// Incidents that are shown of each business service at most.
const INCIDENTS_MAX: usize = 20;
/// Open incidents that are looked at at once, while the engine waits to publish.
const INCIDENTS_AT_ONCE: usize = 1_000;

/// Of which kind a service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ServiceKind {
    /// One that is made of others.
    Business,
    /// One that incidents belong to.
    Technical,
}

/// A service that supports another.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SupportingService {
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
    supported_by: Vec<SupportingService>,
    /// Whether an urgent incident is open on something that supports it, directly or through others.
    impacted: bool,
    /// How many such incidents there are.
    incident_count: usize,
    /// The newest 20 of them, the newest first.
    incidents: Vec<ImpactingIncident>,
}

fn supporting(state: &state::State, service: AnyService) -> SupportingService {
    let (kind, named) = match service {
        AnyService::Business(id) => {
            let known = state.business.services.get(&id);
            let name = known.map_or_else(String::new, |known| known.name.clone());
            let id = id.to_string();
            (ServiceKind::Business, Named { id, name })
        }
        AnyService::Technical(id) => (ServiceKind::Technical, named_service(state, id)),
    };
    SupportingService {
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
        supported_by: supported_by.map(|one| supporting(state, one)).collect(),
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
/// They are made and changed under `/business_services` and `/service_dependencies`, as by PagerDuty's clients.
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
