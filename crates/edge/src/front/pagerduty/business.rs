//! Business services: made, read, changed, removed. What supports them, and what hurts them, is told elsewhere.

use serde_json::{Value, json};
use tocsin_domain::business::BusinessService;
use tocsin_domain::command::{Ask, BusinessAsk, RosterAsk};
use tocsin_domain::id::BusinessServiceId;
use tocsin_domain::state::State;
use tocsin_wire::pagerduty::rest::business as bodies;
use tocsin_wire::pagerduty::rest::called::Noun;
use tocsin_wire::pagerduty::rest::{Refusal, absent};

use super::asked::{Asked, Path};
use super::lookup;
use super::parameters;
use super::place::whole;
use super::reply::{Answer, Refused, Reply, refusing};
use crate::http::roster::business::{changed, service_in};
use crate::http::roster::set_in_turn;

/// What stands in the place of an id in PagerDuty's API; why it is not here is told.
const THRESHOLDS: &str = "priority_thresholds";
/// Its path.
const THRESHOLDS_PATH: &str = "business_services/priority_thresholds";

fn shown(asked: &Asked, state: &State, known: &BusinessService) -> Value {
    let more = json!({
        "name": known.name,
        "description": known.description,
        "point_of_contact": known.point_of_contact,
        "team": known.team.map(|team| asked.place.team(state, team)),
    });
    let reference = asked.place.business_service(state, known.id);
    whole(reference, "business_service", more)
}

/// Business services
#[utoipa::path(get, path = "/business_services", tag = "fronts", params(parameters::Page, parameters::Search),
    responses((status = 200, body = Object)))]
pub(crate) async fn list_pagerduty_business_services(asked: Asked) -> Answer {
    let all = asked.app.read(|state| {
        let all = state.business.services.values();
        all.map(|one| shown(&asked, state, one)).collect()
    });
    asked.named_page("business_services", all)
}

/// The business service that a path names.
pub(super) fn named(asked: &Asked, id: &str) -> Result<BusinessService, Refused> {
    if let Some(why) = absent::why(THRESHOLDS_PATH).filter(|_| id == THRESHOLDS) {
        return Err(Refusal::not_found(why).into());
    }
    let known = |state: &State, id: BusinessServiceId| state.business.services.get(&id).cloned();
    lookup::in_path(&asked.app, "business service", id, known)
}

fn wrapped(asked: &Asked, known: &BusinessService) -> Answer {
    let shown = asked.app.read(|state| shown(asked, state, known));
    Ok(Reply::Done(json!({ "business_service": shown })))
}

/// One business service
#[utoipa::path(get, path = "/business_services/{id}", tag = "fronts", params(("id" = String, Path)),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn get_business_service(Path(id): Path<String>, asked: Asked) -> Answer {
    wrapped(&asked, &named(&asked, &id)?)
}

/// Adds a business service or changes this one, in the turn of the roster.
async fn set(asked: &Asked, known: Option<&BusinessService>) -> Result<BusinessService, Refused> {
    let body = bodies::business_service(&asked.body)?;
    let name = body.name.or_else(|| known.map(|known| known.name.clone()));
    let name = name.ok_or_else(|| Refusal::bad("'business_service.name' is missing or blank"))?;
    let team = match body.team {
        None => known.and_then(|known| known.team),
        Some(None) => None,
        Some(Some(id)) => {
            let place = "business_service.team";
            Some(asked.app.read(|state| lookup::team(state, place, &id))?)
        }
    };
    let ask = BusinessAsk::Set {
        id: known.map(|known| known.id),
        name,
        description: body
            .description
            .or_else(|| known.map(|known| known.description.clone()))
            .unwrap_or_default(),
        point_of_contact: body
            .point_of_contact
            .or_else(|| known.map(|known| known.point_of_contact.clone()))
            .unwrap_or_default(),
        team,
    };
    let ask = Ask::Roster(RosterAsk::Business(ask));
    let event = set_in_turn(&asked.app, &asked.caller.actor, ask).await;
    let event = event.map_err(refusing(Noun::BusinessService))?;
    Ok(service_in(event)?)
}

/// Add a business service
#[utoipa::path(post, path = "/business_services", tag = "fronts", request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object)))]
pub(crate) async fn add_business_service(asked: Asked) -> Answer {
    let made = asked.in_turn(|own| async move { set(&own, None).await });
    let made = made.await?;
    // As PagerDuty does: no 201.
    wrapped(&asked, &made)
}

/// Change a business service
#[utoipa::path(put, path = "/business_services/{id}", tag = "fronts", params(("id" = String, Path)), request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn change_business_service(Path(id): Path<String>, asked: Asked) -> Answer {
    let made = asked.in_turn(|own| async move {
        let known = named(&own, &id)?;
        set(&own, Some(&known)).await
    });
    let made = made.await?;
    wrapped(&asked, &made)
}

/// Remove a business service, with what was said to support it and to need it
#[utoipa::path(delete, path = "/business_services/{id}", tag = "fronts", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Object)))]
pub(crate) async fn remove_business_service(Path(id): Path<String>, asked: Asked) -> Answer {
    let known = named(&asked, &id)?;
    let ask = BusinessAsk::Remove(known.id);
    changed(&asked.app, &asked.caller.actor, ask).await?;
    Ok(Reply::Empty)
}
