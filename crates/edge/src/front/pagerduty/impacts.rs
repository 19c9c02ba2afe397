//! Which business services are hurt, and by which incidents. It follows from what fails and from what supports what: nobody says it.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use serde_json::{Value, json};
use tocsin_domain::business::{AnyService, BusinessService, Impacts};
use tocsin_domain::id::{BusinessServiceId, IncidentId};
use tocsin_domain::incident::Incident;
use tocsin_domain::state::State;
use tocsin_wire::pagerduty::rest::{Refusal, id};

use super::asked::{Asked, Path};
use super::parameters;
use super::place::whole;
use super::reply::{Answer, Refused, Reply};
use super::{business, lookup};
use crate::http::roster::business::with_impacts;

/// Entries of a list at most, which has no further pages.
pub(super) const ENTRIES_MAX: usize = 200;

/// What `additional_fields[]` may name.
pub(super) const FIELDS: [&str; 2] = [HIGHEST_PRIORITY, IMPACTED_COUNT];
const HIGHEST_PRIORITY: &str = "services.highest_impacting_priority";
const IMPACTED_COUNT: &str = "total_impacted_count";

/// Entries that are wanted.
fn limit(asked: &Asked) -> Result<usize, Refused> {
    match asked.parameters.number("limit")? {
        None => Ok(ENTRIES_MAX),
        Some(0) => Err(Refusal::bad("'limit' is invalid: it is 1 or more").into()),
        Some(limit) => Ok(limit.min(ENTRIES_MAX)),
    }
}

/// The names of priorities, the most important first.
fn priorities(state: &State) -> &[String] {
    let installation = state.installation.as_ref();
    installation.map_or(&[][..], |all| &all.priorities)
}

/// The place of an incident's priority in that list.
fn rank(priorities: &[String], one: &Incident) -> Option<usize> {
    let name = one.priority.as_ref()?;
    priorities.iter().position(|known| known == name)
}

/// The most important of these priorities of incidents; the greater its number, the more important.
fn highest(priorities: &[String], of: &BTreeSet<&str>) -> Option<Value> {
    let mut known = priorities.iter();
    let best = known.position(|name| of.contains(name.as_str()))?;
    let name = priorities.get(best)?;
    Some(json!({"id": id::of_name(name), "order": priorities.len() - best}))
}

/// What is hurt first, of that what was hurt last, and then in the order of the names.
fn listed(
    asked: &Asked,
    state: &State,
    impacts: &Impacts,
    of: Vec<BusinessServiceId>,
    limit: usize,
) -> Reply {
    let known = of.into_iter();
    let known = known.filter_map(|id| state.business.services.get(&id));
    let mut all: Vec<&BusinessService> = known.collect();
    all.sort_by_cached_key(|one| {
        let newest = impacts.last_opened_at(one.id);
        (Reverse(newest), one.name.to_lowercase())
    });
    let wants = |field: &str| {
        let mut wanted = asked.parameters.list("additional_fields");
        wanted.any(|wanted| wanted == field)
    };
    let wants_priority = wants(HIGHEST_PRIORITY);
    let shown = all.iter().take(limit).map(|one| {
        let is_hurt = impacts.is_hurt(one.id);
        let mut shown = json!({
            "id": one.id.as_str(),
            "name": one.name,
            "type": "business_service",
            "status": if is_hurt { "impacted" } else { "not_impacted" },
        });
        if wants_priority {
            let highest = highest(priorities(state), &impacts.priorities(one.id));
            shown["additional_fields"] = json!({ "highest_impacting_priority": highest });
        }
        shown
    });
    let shown: Vec<Value> = shown.collect();
    let mut body = json!({"limit": limit, "more": all.len() > limit, "services": shown});
    if wants(IMPACTED_COUNT) {
        let hurt = all.iter().filter(|one| impacts.is_hurt(one.id));
        body["additional_fields"] = json!({ "total_impacted_count": hurt.count() });
    }
    Reply::Done(body)
}

/// The business services that `ids[]` names, if it does.
type Named = Option<Vec<BusinessServiceId>>;

/// The business services that are asked for: those that support no other one, unless some are named.
fn wanted(named: Named, state: &State) -> Vec<BusinessServiceId> {
    let mut wanted = named.unwrap_or_else(|| state.business.top_level());
    wanted.sort_unstable();
    wanted.dedup();
    wanted
}

/// Whether one is among those that are named, where some are.
fn is_among(named: &Named, id: &BusinessServiceId) -> bool {
    named.as_ref().is_none_or(|named| named.contains(id))
}

/// Business services and whether they are hurt, those that are first
#[utoipa::path(get, path = "/business_services/impacts", tag = "fronts", params(parameters::Impacts, parameters::ImpactFields),
    responses((status = 200, body = Object)))]
pub(crate) async fn list_impacts(asked: Asked) -> Answer {
    let limit = limit(&asked)?;
    let named: Named = asked.parameters.ids("ids")?;
    let impacts = with_impacts(&asked.app, |impacts| impacts).await?;
    Ok(asked.app.read(|state| {
        let wanted = wanted(named, state);
        listed(&asked, state, &impacts, wanted, limit)
    }))
}

/// The business services that support one directly, and whether they are hurt
#[utoipa::path(get, path = "/business_services/{id}/supporting_services/impacts", tag = "fronts",
    params(("id" = String, Path), parameters::Impacts, parameters::ImpactFields),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn list_supporting_impacts(Path(id): Path<String>, asked: Asked) -> Answer {
    let known = business::named(&asked, &id)?;
    let limit = limit(&asked)?;
    let named: Named = asked.parameters.ids("ids")?;
    let impacts = with_impacts(&asked.app, |impacts| impacts).await?;
    Ok(asked.app.read(|state| {
        let supporting = state.business.supporting(AnyService::Business(known.id));
        let of = supporting.filter_map(|one| match one {
            AnyService::Business(id) => Some(id),
            AnyService::Technical(_) => None,
        });
        let of = of.filter(|id| is_among(&named, id));
        listed(&asked, state, &impacts, of.collect(), limit)
    }))
}

/// The business services that an incident hurts
#[utoipa::path(get, path = "/incidents/{id}/business_services/impacts", tag = "fronts",
    params(("id" = String, Path), parameters::Impacts, parameters::ImpactFields),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn list_impacts_of_incident(Path(id): Path<String>, asked: Asked) -> Answer {
    let incident = lookup::incident(&asked.app, &id)?;
    let limit = limit(&asked)?;
    let named: Named = asked.parameters.ids("ids")?;
    let work = move |impacts: Impacts| (impacts.by(incident), impacts);
    let (mut hurt, impacts) = with_impacts(&asked.app, work).await?;
    hurt.retain(|id| is_among(&named, id));
    Ok(asked
        .app
        .read(|state| listed(&asked, state, &impacts, hurt, limit)))
}

/// The incidents that hurt business services, the most important first
#[utoipa::path(get, path = "/business_services/impactors", tag = "fronts", params(parameters::Impacts),
    responses((status = 200, body = Object)))]
pub(crate) async fn list_impactors(asked: Asked) -> Answer {
    let limit = limit(&asked)?;
    let named: Named = asked.parameters.ids("ids")?;
    let (wanted, priorities) = asked
        .app
        .read(|state| (wanted(named, state), priorities(state).to_vec()));
    let work = move |impacts: Impacts| impactors(&impacts, &wanted, &priorities, limit);
    let (shown, more) = with_impacts(&asked.app, work).await?;
    let shown = asked.app.read(|state| {
        let shown = shown.iter().map(|id| {
            let reference = asked.place.incident(state, *id);
            whole(reference, "incident", json!({}))
        });
        shown.collect::<Vec<Value>>()
    });
    let body = json!({"limit": limit, "more": more, "impactors": shown});
    Ok(Reply::Done(body))
}

/// The most important incidents that hurt business services, so many at most, and whether there are more.
fn impactors(
    impacts: &Impacts,
    services: &[BusinessServiceId],
    priorities: &[String],
    limit: usize,
) -> (Vec<IncidentId>, bool) {
    let mut all = impacts.on(services);
    all.sort_by_cached_key(|one| {
        let rank = rank(priorities, one).unwrap_or(usize::MAX);
        (rank, one.opened_at, one.number)
    });
    let first = all.iter().take(limit).map(|one| one.id);
    (first.collect(), all.len() > limit)
}
