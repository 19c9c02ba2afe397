//! What is small: abilities, priorities and vendors.

use axum::extract::Path;
use serde_json::{Value, json};
use tocsin_domain::service::Speaks;
use tocsin_wire::pagerduty::rest::Refusal;
use tocsin_wire::pagerduty::rest::vendor::{VENDORS, Vendor};

use super::asked::Asked;
use super::place::{Place, whole};
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

/// A vendor.
pub(super) fn vendor(place: &Place, one: &Vendor) -> Value {
    let id = one.id();
    let head = place.named("vendor", &id, one.name, &format!("vendors/{id}"), "");
    let more = json!({
        "name": one.name,
        "description": one.description,
        "website_url": null,
        "logo_url": null,
        "thumbnail_url": null,
        "integration_guide_url": null,
        "alert_creation_default": "create_alerts_and_incidents",
        "alert_creation_editable": false,
        "is_pd_cef": one.speaks == Speaks::EventsV2,
    });
    whole(head, "vendor", more)
}

/// Vendors: the ways in which foreign systems speak to Tocsin
#[utoipa::path(get, path = "/vendors", tag = "fronts", responses((status = 200, body = Object)))]
pub(crate) async fn list_vendors(asked: Asked) -> Answer {
    let all = VENDORS.iter().map(|one| vendor(&asked.place, one));
    asked.named_page("vendors", all.collect())
}

/// One vendor
#[utoipa::path(get, path = "/vendors/{id}", tag = "fronts", params(("id" = String, Path)),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn get_vendor(Path(id): Path<String>, asked: Asked) -> Answer {
    let known = Vendor::of_id(&id).ok_or_else(|| Refusal::no_such("vendor"))?;
    Ok(Reply::Done(json!({"vendor": vendor(&asked.place, known)})))
}
