//! What is small: abilities, priorities, vendors and tags.

use axum::extract::Path;
use serde_json::{Value, json};
use tocsin_wire::pagerduty::rest::Refusal;

use super::asked::Asked;
use super::place::whole;
use super::reply::{Answer, Reply};

/// What Tocsin does of what PagerDuty calls abilities.
const ABILITIES: [&str; 6] = [
    "coordinated_responding",
    "manage_schedules",
    "preview_incident_alert_split",
    "read_only_users",
    "teams",
    "urgencies",
];

/// What is done here
#[utoipa::path(get, path = "/abilities", tag = "fronts", responses((status = 200, body = Object)))]
pub(crate) async fn list_abilities(_: Asked) -> Answer {
    Ok(Reply::Done(json!({ "abilities": ABILITIES })))
}

/// Whether something is done here
#[utoipa::path(get, path = "/abilities/{id}", tag = "fronts", params(("id" = String, Path)),
    responses((status = 204), (status = 402, body = Object)))]
pub(crate) async fn test_ability(Path(id): Path<String>, _: Asked) -> Answer {
    if ABILITIES.contains(&id.as_str()) {
        Ok(Reply::Empty)
    } else {
        Err(Refusal::no_ability(format!("there is no ability {id:?} here")).into())
    }
}

/// Priorities, the most important first
#[utoipa::path(get, path = "/priorities", tag = "fronts", responses((status = 200, body = Object)))]
pub(crate) async fn list_priorities(asked: Asked) -> Answer {
    let paging = asked.paging()?;
    let names = asked.app.read(|state| {
        let installation = state.installation.as_ref();
        installation.map_or_else(Vec::new, |all| all.priorities.clone())
    });
    let count = names.len();
    let shown = names.iter().enumerate().map(|(index, name)| {
        let reference = asked.place.priority(name, "priority");
        // The greater the number, the more important.
        let more = json!({"name": name, "description": null, "order": count - index});
        whole(reference, "priority", more)
    });
    let shown: Vec<Value> = shown.collect();
    Ok(Reply::page(paging, "priorities", paging.cut(shown)))
}

/// Vendors, of which there are none: any system sends events by the same key
#[utoipa::path(get, path = "/vendors", tag = "fronts", responses((status = 200, body = Object)))]
pub(crate) async fn list_vendors(asked: Asked) -> Answer {
    asked.named_page("vendors", Vec::new())
}

/// One vendor, of which there are none
#[utoipa::path(get, path = "/vendors/{id}", tag = "fronts", params(("id" = String, Path)),
    responses((status = 404, body = Object)))]
pub(crate) async fn get_vendor(Path(id): Path<String>, _: Asked) -> Answer {
    let why = format!("there is no vendor {id:?}: any system sends events by a service's key");
    Err(Refusal::not_found(why).into())
}

/// Tags, of which there are none
#[utoipa::path(get, path = "/tags", tag = "fronts", responses((status = 200, body = Object)))]
pub(crate) async fn list_tags(asked: Asked) -> Answer {
    asked.named_page("tags", Vec::new())
}
