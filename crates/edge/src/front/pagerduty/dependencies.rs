//! Which services support which, of both kinds.

use serde_json::{Value, json};
use tocsin_domain::business::{AnyService, Dependency};
use tocsin_domain::command::BusinessAsk;
use tocsin_domain::id::ServiceId;
use tocsin_domain::state::State;
use tocsin_wire::pagerduty::rest::business::{self as bodies, Kind, Side};
use tocsin_wire::pagerduty::rest::id;

use super::asked::{Asked, Path};
use super::reply::{Answer, Refused, Reply};
use super::{business, lookup};
use crate::http::roster::business::changed;

/// The id of a service, and the kind of a reference to it.
fn words(service: &AnyService) -> (&str, &'static str) {
    match service {
        AnyService::Business(id) => (id.as_str(), "business_service_reference"),
        AnyService::Technical(id) => (id.as_str(), "technical_service_reference"),
    }
}

fn side(service: &AnyService) -> Value {
    let (id, kind) = words(service);
    json!({"id": id, "type": kind})
}

/// A dependency has no id of its own: it stands for what it is between.
fn shown(one: &Dependency) -> Value {
    let (dependent, supporting) = (words(&one.dependent).0, words(&one.supporting).0);
    json!({
        "id": id::of_name(&format!("dependency/{dependent}/{supporting}")),
        "type": "service_dependency",
        "supporting_service": side(&one.supporting),
        "dependent_service": side(&one.dependent),
    })
}

fn listed(all: &[Dependency]) -> Reply {
    let shown: Vec<Value> = all.iter().map(shown).collect();
    Reply::Done(json!({ "relationships": shown }))
}

fn found(state: &State, place: &str, side: &Side) -> Result<AnyService, Refused> {
    let id = &side.id;
    match side.kind {
        Kind::Business => lookup::business_service(state, place, id).map(AnyService::Business),
        Kind::Technical => lookup::service(state, place, id).map(AnyService::Technical),
    }
}

/// The dependencies that a body names.
fn read(asked: &Asked) -> Result<Vec<Dependency>, Refused> {
    let read = bodies::relationships(&asked.body)?;
    asked.app.read(|state| {
        let all = read.iter().enumerate().map(|(index, one)| {
            let place = |side: &str| format!("relationships[{index}].{side}");
            Ok(Dependency {
                dependent: found(state, &place("dependent_service"), &one.dependent)?,
                supporting: found(state, &place("supporting_service"), &one.supporting)?,
            })
        });
        all.collect()
    })
}

/// Say that services need others, all of it or nothing; no service may support itself
#[utoipa::path(post, path = "/service_dependencies/associate", tag = "fronts", request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object)))]
pub(crate) async fn associate_services(asked: Asked) -> Answer {
    let all = read(&asked)?;
    let ask = BusinessAsk::Associate(all.clone());
    changed(&asked.app, &asked.caller.actor, ask).await?;
    Ok(listed(&all))
}

/// Say that services need others no more, all of it or nothing
#[utoipa::path(post, path = "/service_dependencies/disassociate", tag = "fronts", request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn disassociate_services(asked: Asked) -> Answer {
    let all = read(&asked)?;
    let ask = BusinessAsk::Disassociate(all.clone());
    changed(&asked.app, &asked.caller.actor, ask).await?;
    Ok(listed(&all))
}

/// What a service needs directly, and what needs it.
fn around(asked: &Asked, service: AnyService) -> Reply {
    let all = asked.app.read(|state| state.business.naming(service));
    listed(&all)
}

/// What a business service needs directly, and what needs it
#[utoipa::path(get, path = "/service_dependencies/business_services/{id}", tag = "fronts", params(("id" = String, Path)),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn list_business_dependencies(Path(id): Path<String>, asked: Asked) -> Answer {
    let known = business::named(&asked, &id)?;
    Ok(around(&asked, AnyService::Business(known.id)))
}

/// What a service needs directly, and what needs it
#[utoipa::path(get, path = "/service_dependencies/technical_services/{id}", tag = "fronts", params(("id" = String, Path)),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn list_technical_dependencies(Path(id): Path<String>, asked: Asked) -> Answer {
    let known = |state: &State, id: ServiceId| state.services.get(&id).map(|one| one.id);
    let known = lookup::in_path(&asked.app, "service", &id, known)?;
    Ok(around(&asked, AnyService::Technical(known)))
}
