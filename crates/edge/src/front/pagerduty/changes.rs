//! Change events: taken by the key of an integration, as PagerDuty's Events API v2 does, and read by its REST API.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};
use tocsin_domain::change::{Change, ChangeImage, ChangeLink};
use tocsin_domain::command::{Ask, ChangeAsk};
use tocsin_domain::id::{ChangeId, IntegrationId, ServiceId, TeamId};
use tocsin_domain::service::Integration;
use tocsin_domain::state;
use tocsin_wire::pagerduty::events_v2;
use tocsin_wire::pagerduty::rest::{id, time};

use super::asked::{Asked, Path};
use super::events::{Call, take};
use super::lookup;
use super::parameters;
use super::place::whole;
use super::reply::{Answer, Reply};
use crate::app::App;
use crate::http::problem::Problem;

/// A change of PagerDuty's Events API v2
///
/// 202 only after it is on disk. Where the body has no `routing_key`, that of the header `X-Routing-Key` counts.
#[utoipa::path(post, path = "/v2/change/enqueue", tag = "fronts",
    request_body(content = Object, content_type = "application/json"),
    responses((status = 202, body = Object), (status = 400, body = Object), (status = 413, body = Object), (status = 429, body = Object)))]
pub(crate) async fn enqueue_change(
    State(app): State<App>,
    headers: HeaderMap,
    content: Body,
) -> Response {
    take(&app, &headers, content, &CHANGE).await
}

const CHANGE: Call<events_v2::Change> = Call {
    parse: events_v2::parse_change,
    key: key_of,
    key_name: "routing_key",
    counted: by_itself,
    ask: told,
    accepted,
    accepted_status: StatusCode::ACCEPTED,
    throttled: events_v2::throttled,
    throttled_status: StatusCode::TOO_MANY_REQUESTS,
};

fn key_of(change: &events_v2::Change) -> &str {
    &change.routing_key
}

/// Changes are counted by themselves: whoever deploys all day must not keep an alert out.
fn by_itself(integration: &Integration) -> String {
    format!("change/{}", integration.id)
}

/// What a change asks; nobody speaks of it again, so it has no key.
fn told(integration: &Integration, change: events_v2::Change) -> Result<(Ask, String), Problem> {
    let links = change.links.into_iter();
    let images = change.images.into_iter();
    let ask = ChangeAsk {
        service: Some(integration.service),
        integration: Some(integration.id),
        at: change.timestamp,
        summary: change.summary,
        source: change.source,
        details: change.details,
        links: links
            .map(|link| ChangeLink {
                href: link.href,
                text: link.text,
            })
            .collect(),
        images: images
            .map(|image| ChangeImage {
                src: image.src,
                href: image.href,
                alt: image.alt,
            })
            .collect(),
    };
    Ok((Ask::Change(ask), String::new()))
}

fn accepted(_: &str) -> String {
    events_v2::change_accepted()
}

fn shown(asked: &Asked, state: &state::State, change: &Change) -> Value {
    let (place, id) = (&asked.place, id::of_change(change.id));
    let path = format!("change_events/{id}");
    let head = place.named("change_event", &id, &change.summary, &path, "");
    let details = change.details.as_deref();
    let details: Option<Value> = details.and_then(|text| serde_json::from_str(text).ok());
    let integration = change.integration.map(|id| place.integration(state, id));
    let links = change.links.iter();
    let links: Vec<Value> = links
        .map(|link| json!({"href": link.href, "text": link.text}))
        .collect();
    let images = change.images.iter();
    let images: Vec<Value> = images
        .map(|image| json!({"src": image.src, "href": image.href, "alt": image.alt}))
        .collect();
    let more = json!({
        "timestamp": time::written(change.at),
        "source": change.source,
        "integration": integration,
        "services": [place.service(state, change.service)],
        "custom_details": details,
        "links": links,
        "images": images,
    });
    whole(head, "change_event", more)
}

/// One page of the changes that are asked for, the newest first.
fn page(asked: &Asked, of: Option<ServiceId>) -> Answer {
    let paging = asked.paging()?;
    let parameters = &asked.parameters;
    let (since, until) = (asked.time("since")?, asked.time("until")?);
    let teams: Option<Vec<TeamId>> = parameters.ids("team_ids")?;
    let integrations: Option<Vec<IntegrationId>> = parameters.ids("integration_ids")?;
    let cut = asked.app.read(|state| {
        let of_team = |change: &Change| {
            let service = state.services.get(&change.service);
            let team = service.map(|service| state.team_of(service));
            teams
                .as_ref()
                .is_none_or(|set| team.is_some_and(|team| set.contains(&team)))
        };
        let by_integration = |change: &Change| {
            let by = change.integration;
            integrations
                .as_ref()
                .is_none_or(|set| by.is_some_and(|by| set.contains(&by)))
        };
        let all = state.changes.newest_first().map(|(_, change)| change);
        let found = all.filter(|change| {
            let change: &Change = change;
            of.is_none_or(|of| change.service == of)
                && since.is_none_or(|since| change.at >= since)
                && until.is_none_or(|until| change.at < until)
                && of_team(change)
                && by_integration(change)
        });
        let cut = paging.cut(found.collect::<Vec<_>>());
        cut.map(|change| Some(shown(asked, state, change)))
    });
    Ok(Reply::page(paging, "change_events", cut))
}

/// Changes that were told of, of the newest 2000
#[utoipa::path(get, path = "/change_events", tag = "fronts",
    params(parameters::Page, parameters::Span, parameters::Teams, parameters::Changes),
    responses((status = 200, body = Object)))]
pub(crate) async fn list_change_events(asked: Asked) -> Answer {
    page(&asked, None)
}

/// Changes of a service that were told of
#[utoipa::path(get, path = "/services/{id}/change_events", tag = "fronts",
    params(("id" = String, Path), parameters::Page, parameters::Span, parameters::Teams, parameters::Changes),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn list_service_change_events(Path(id): Path<String>, asked: Asked) -> Answer {
    let known = |state: &state::State, id: ServiceId| state.services.get(&id).map(|one| one.id);
    let id = lookup::in_path(&asked.app, "service", &id, known)?;
    page(&asked, Some(id))
}

/// One change that was told of
#[utoipa::path(get, path = "/change_events/{id}", tag = "fronts", params(("id" = String, Path)),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn get_change_event(Path(named): Path<String>, asked: Asked) -> Answer {
    let found = lookup::in_path(
        &asked.app,
        "change event",
        id::change_of(&named),
        |state: &state::State, id: ChangeId| {
            let change = state.changes.get(id)?;
            Some(shown(&asked, state, change))
        },
    )?;
    Ok(Reply::Done(json!({ "change_event": found })))
}

/// Changes of the service of an incident in the hour before it began, the last first
#[utoipa::path(get, path = "/incidents/{id}/related_change_events", tag = "fronts", params(("id" = String, Path), parameters::Page),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn list_related_change_events(Path(id): Path<String>, asked: Asked) -> Answer {
    let incident = lookup::incident(&asked.app, &id)?;
    let limit = asked.paging()?.limit;
    let found: Vec<Value> = asked.app.read(|state| {
        let Some(known) = state.incidents.get(&incident) else {
            return Vec::new();
        };
        let onset = known.onset.as_ref();
        let began = onset.map_or(known.opened_at, |onset| onset.at);
        let related = state.changes.before(known.service, began).into_iter();
        let related = related.take(limit).enumerate();
        related
            .map(|(index, (_, change))| {
                let reason = if index == 0 {
                    "most_recent"
                } else {
                    "related_service"
                };
                let mut shown = shown(&asked, state, change);
                shown["correlation_reason"] = json!({ "reason": reason });
                shown
            })
            .collect()
    });
    Ok(Reply::Done(json!({ "change_events": found })))
}
