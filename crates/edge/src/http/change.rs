//! Changes that others tell of: a deployment, a new configuration. They raise nothing, and are shown with what fails soon after.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tocsin_domain::change::{self, ChangeLink};
use tocsin_domain::command::{Ask, ChangeAsk};
use tocsin_domain::id::{ChangeId, ServiceId};
use tocsin_domain::state;
use tocsin_wire::page_message::web_address;
use utoipa::ToSchema;

use super::body::{Json as Body, Params};
use super::named::in_path;
use super::page::{Page, PageQuery};
use super::problem::Problem;
use super::roster::lost;
use super::shape::{Id, Instant, Named, named_service};
use crate::access::who::Caller;
use crate::app::App;

/// A link that goes with a change.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkShape {
    /// An address of the web.
    #[schema(min_length = 1, max_length = 2048)]
    href: String,
    /// Its words.
    #[schema(min_length = 1, max_length = 1024)]
    text: Option<String>,
}

/// A change that was told of.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ChangeShape {
    id: String,
    /// When it was made.
    at: Instant,
    service: Named,
    /// What it is, in one line.
    summary: String,
    /// Where it comes from.
    source: Option<String>,
    /// Anything else.
    #[schema(value_type = Option<Object>)]
    details: Option<Value>,
    links: Vec<LinkShape>,
}

/// A change to tell of.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeRequest {
    /// What it is, in one line of at most 1024 characters.
    #[schema(min_length = 1, max_length = 1024)]
    summary: String,
    /// What was changed; the default service when none is named.
    #[schema(value_type = Option<Id>)]
    service_id: Option<String>,
    /// When it was made; now when it is not said, or lies ahead.
    at: Option<Instant>,
    /// Where it comes from.
    #[schema(min_length = 1, max_length = 1024)]
    source: Option<String>,
    /// Anything else, of at most 8192 bytes.
    #[schema(value_type = Option<Object>)]
    details: Option<Value>,
    /// At most 10.
    #[serde(default)]
    #[schema(max_items = 10)]
    links: Vec<LinkShape>,
}

/// Which changes.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChangeQuery {
    /// Those of this service alone.
    #[param(pattern = "^Q[A-Z2-7]{13}$")]
    service_id: Option<String>,
    /// Items wanted, 1 to 200; 50 when not given.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

fn shown(service: Named, known: &change::Change) -> ChangeShape {
    let details = known.details.as_deref();
    let links = known.links.iter().map(|link| LinkShape {
        href: link.href.clone(),
        text: link.text.clone(),
    });
    // An image is shown as a link to it.
    let images = known.images.iter().map(|image| LinkShape {
        href: image.src.clone(),
        text: image.alt.clone(),
    });
    ChangeShape {
        id: known.id.to_string(),
        at: Instant(known.at),
        service,
        summary: known.summary.clone(),
        source: known.source.clone(),
        details: details.and_then(|text| serde_json::from_str(text).ok()),
        links: links.chain(images).collect(),
    }
}

fn service_of(id: Option<&str>) -> Result<Option<ServiceId>, Problem> {
    let wrong = |_| Problem::bad("service_id: not an id of a service");
    id.map(|id| id.parse().map_err(wrong)).transpose()
}

/// Changes that were told of, the last first; the newest 2000 are kept
#[utoipa::path(get, path = "/api/tocsin/v1/changes", tag = "alerts", params(ChangeQuery),
    responses((status = 200, body = Page<ChangeShape>), (status = 400)))]
pub(crate) async fn list_changes(
    State(app): State<App>,
    Params(query): Params<ChangeQuery>,
) -> Result<Json<Page<ChangeShape>>, Problem> {
    let service = service_of(query.service_id.as_deref())?;
    // Everything waits for whoever looks at the state: what is shown is cut first, and read where nobody waits for it.
    let all: Vec<Arc<change::Change>> = app.read(|state| {
        let all = state.changes.kept_newest_first();
        let wanted = all.filter(|change| service.is_none_or(|service| change.service == service));
        wanted.cloned().collect()
    });
    let page = PageQuery {
        limit: query.limit,
        cursor: query.cursor,
    };
    let page = page.cut(all, |one| one.id.as_str())?;
    let services: Vec<Named> = app.read(|state| {
        let services = page.items.iter().map(|change| change.service);
        services
            .map(|service| named_service(state, service))
            .collect()
    });
    let items = services.into_iter().zip(&page.items);
    Ok(Json(Page {
        items: items
            .map(|(service, change)| shown(service, change))
            .collect(),
        next_cursor: page.next_cursor,
    }))
}

/// One change that was told of, of the newest 2000
#[utoipa::path(get, path = "/api/tocsin/v1/changes/{id}", tag = "alerts", params(("id" = String, Path)),
    responses((status = 200, body = ChangeShape), (status = 404)))]
pub(crate) async fn get_change(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<ChangeShape>, Problem> {
    let shown = |state: &state::State, id: ChangeId| {
        let known = state.changes.get(id)?;
        Some(shown(named_service(state, known.service), known))
    };
    in_path(&app, "change", &id, shown).map(Json)
}

/// Tell of a change; it raises nothing, and is shown with what fails soon after
#[utoipa::path(post, path = "/api/tocsin/v1/changes", tag = "alerts", request_body = ChangeRequest,
    responses((status = 201, body = ChangeShape, description = "On disk"), (status = 400), (status = 404)))]
pub(crate) async fn tell_change(
    State(app): State<App>,
    caller: Caller,
    Body(request): Body<ChangeRequest>,
) -> Result<impl IntoResponse, Problem> {
    if request
        .details
        .as_ref()
        .is_some_and(|details| !details.is_object())
    {
        return Err(Problem::bad("details: must be an object"));
    }
    let links = request
        .links
        .into_iter()
        .map(|link| -> Result<ChangeLink, Problem> {
            let href = web_address(&link.href).map(str::to_owned);
            let wrong = || Problem::bad("links.href: must be an address that begins with https://");
            let href = href.ok_or_else(wrong)?;
            let text = link.text;
            Ok(ChangeLink { href, text })
        });
    let ask = ChangeAsk {
        service: service_of(request.service_id.as_deref())?,
        integration: None,
        at: request.at.map(|at| at.0),
        summary: request.summary,
        source: request.source,
        details: request.details.map(|details| details.to_string()),
        links: links.collect::<Result<_, Problem>>()?,
        images: Vec::new(),
    };
    let done = app.ask(&caller.actor, Ask::Change(ask)).await?;
    let kept = done
        .events()
        .iter()
        .find_map(|event| event.body.told_change());
    let kept = kept.cloned().ok_or_else(lost)?;
    let service = app.read(|state| named_service(state, kept.service));
    Ok((StatusCode::CREATED, Json(shown(service, &kept))))
}
