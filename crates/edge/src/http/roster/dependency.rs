//! Which services support which, of both kinds. What is possible is decided elsewhere.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use tocsin_domain::business::{AnyService, Dependency};
use tocsin_domain::command::BusinessAsk;
use tocsin_domain::id::ServiceId;
use tocsin_domain::state;
use tocsin_wire::pagerduty::rest::business::RELATIONSHIPS_MAX;
use utoipa::ToSchema;

use super::business::{NamedService, ServiceKind, changed, named_service_of};
use crate::access::who::Caller;
use crate::app::App;
use crate::http::body::{Json as Body, Params};
use crate::http::page::{Page, PageQuery};
use crate::http::problem::Problem;
use crate::http::shape::Id;

/// One service needs another.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ServiceDependency {
    /// It stands for the two services.
    id: String,
    /// The one that needs the other.
    dependent: NamedService,
    /// The one that is needed.
    supporting: NamedService,
}

/// Services that need others.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ServiceDependencies {
    dependencies: Vec<ServiceDependency>,
}

/// A service of either kind.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceReference {
    kind: ServiceKind,
    #[schema(value_type = Id)]
    id: String,
}

/// One service needs another.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceDependencyRequest {
    /// The one that needs the other.
    dependent: ServiceReference,
    /// The one that is needed.
    supporting: ServiceReference,
}

/// Services that are to need others.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceDependenciesRequest {
    /// 1 to 100.
    #[schema(min_items = 1, max_items = 100)]
    dependencies: Vec<ServiceDependencyRequest>,
}

/// Which dependencies.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DependencyQuery {
    /// What this service of either kind needs directly, and what needs it.
    #[param(pattern = "^Q[A-Z2-7]{13}$")]
    service_id: Option<String>,
    /// Items wanted, 1 to 200; 50 when not given.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

fn text_of(service: &AnyService) -> &str {
    match service {
        AnyService::Business(id) => id.as_str(),
        AnyService::Technical(id) => id.as_str(),
    }
}

/// A dependency has no id of its own: it stands for what it is between.
fn id_of(one: &Dependency) -> String {
    format!("{}-{}", text_of(&one.dependent), text_of(&one.supporting))
}

fn shown(state: &state::State, one: &Dependency) -> ServiceDependency {
    ServiceDependency {
        id: id_of(one),
        dependent: named_service_of(state, one.dependent),
        supporting: named_service_of(state, one.supporting),
    }
}

/// Which services support which
#[utoipa::path(get, path = "/api/tocsin/v1/service-dependencies", tag = "oncall", params(DependencyQuery),
    responses((status = 200, body = Page<ServiceDependency>), (status = 400)))]
pub(crate) async fn list_dependencies(
    State(app): State<App>,
    Params(query): Params<DependencyQuery>,
) -> Result<Json<Page<ServiceDependency>>, Problem> {
    let page = PageQuery {
        limit: query.limit,
        cursor: query.cursor,
    };
    let of = query.service_id.as_deref();
    if of.is_some_and(|of| of.parse::<ServiceId>().is_err()) {
        return Err(Problem::bad("service_id: not an id of a service"));
    }
    let is_wanted = |one: &Dependency| {
        let sides = [text_of(&one.dependent), text_of(&one.supporting)];
        of.is_none_or(|of| sides.contains(&of))
    };
    app.read(|state| {
        let all = state.business.dependencies().filter(is_wanted);
        let all: Vec<(String, Dependency)> = all.map(|one| (id_of(&one), one)).collect();
        let cut = page.cut(all, |(id, _)| id.as_str())?;
        let items = cut.items.iter();
        Ok(Json(Page {
            items: items.map(|(_, one)| shown(state, one)).collect(),
            next_cursor: cut.next_cursor,
        }))
    })
}

fn read(place: &str, side: &ServiceReference) -> Result<AnyService, String> {
    let wrong = |_| format!("{place}.id: not an id of a service");
    match side.kind {
        ServiceKind::Business => side.id.parse().map(AnyService::Business).map_err(wrong),
        ServiceKind::Technical => side.id.parse().map(AnyService::Technical).map_err(wrong),
    }
}

fn read_all(asked: &[ServiceDependencyRequest]) -> Result<Vec<Dependency>, Problem> {
    if asked.is_empty() || asked.len() > RELATIONSHIPS_MAX {
        let why = format!("dependencies: 1 to {RELATIONSHIPS_MAX}");
        return Err(Problem::bad(why));
    }
    let (mut all, mut reasons) = (Vec::new(), Vec::new());
    for (index, one) in asked.iter().enumerate() {
        let place = |side: &str| format!("dependencies[{index}].{side}");
        let dependent = read(&place("dependent"), &one.dependent);
        let supporting = read(&place("supporting"), &one.supporting);
        match (dependent, supporting) {
            (Ok(dependent), Ok(supporting)) => all.push(Dependency {
                dependent,
                supporting,
            }),
            (dependent, supporting) => {
                reasons.extend([dependent.err(), supporting.err()].into_iter().flatten());
            }
        }
    }
    if reasons.is_empty() {
        Ok(all)
    } else {
        Err(Problem::invalid(reasons))
    }
}

/// Say that services need others, all of it or nothing
///
/// What is so already stays. No service may support itself, directly or through others.
#[utoipa::path(post, path = "/api/tocsin/v1/service-dependencies", tag = "oncall", request_body = ServiceDependenciesRequest,
    responses((status = 200, body = ServiceDependencies), (status = 400), (status = 404), (status = 409)))]
pub(crate) async fn add_dependencies(
    State(app): State<App>,
    caller: Caller,
    Body(request): Body<ServiceDependenciesRequest>,
) -> Result<Json<ServiceDependencies>, Problem> {
    let all = read_all(&request.dependencies)?;
    changed(&app, &caller.actor, BusinessAsk::Associate(all.clone())).await?;
    let dependencies = app.read(|state| all.iter().map(|one| shown(state, one)).collect());
    Ok(Json(ServiceDependencies { dependencies }))
}

/// Say that a service needs another no more
#[utoipa::path(delete, path = "/api/tocsin/v1/service-dependencies/{id}", tag = "oncall", params(("id" = String, Path)),
    responses((status = 204), (status = 404)))]
pub(crate) async fn remove_dependency(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let known = app.read(|state| {
        let mut all = state.business.dependencies();
        all.find(|one| id_of(one) == id)
    });
    let missing = || Problem::not_found(&format!("service dependency {id}"));
    let gone = vec![known.ok_or_else(missing)?];
    changed(&app, &caller.actor, BusinessAsk::Disassociate(gone)).await?;
    Ok(StatusCode::NO_CONTENT)
}
