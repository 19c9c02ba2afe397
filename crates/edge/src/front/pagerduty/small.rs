//! What is small: abilities, priorities and vendors.

use serde_json::{Value, json};
use tocsin_domain::service::Speaks;
use tocsin_domain::state::State;
use tocsin_wire::pagerduty::rest::Refusal;
use tocsin_wire::pagerduty::rest::vendor::{VENDORS, Vendor};

use super::asked::{Asked, Path};
use super::parameters;
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

/// Colours of priorities, the most important first, from which the command line paints them. Tocsin itself gives them none.
const COLORS: [&str; 4] = ["b3261e", "d9730d", "b58900", "3b7d4f"];
/// The colour of all below.
const COLOR_LOW: &str = "66707a";

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
#[utoipa::path(get, path = "/priorities", tag = "fronts", params(parameters::Page),
    responses((status = 200, body = Object)))]
pub(crate) async fn list_priorities(asked: Asked) -> Answer {
    let paging = asked.paging()?;
    let shown: Vec<Value> = asked.app.read(|state| {
        let names = state.installation.iter().flat_map(|all| &all.priorities);
        names
            .map(|name| priority(state, &asked.place, name))
            .collect()
    });
    Ok(Reply::page(paging, "priorities", paging.cut(shown)))
}

/// A priority. One that an old incident has and that is in the list no longer ranks below all others.
pub(super) fn priority(state: &State, place: &Place, name: &str) -> Value {
    let names = state.installation.as_ref();
    let names = names.map_or(&[][..], |all| all.priorities.as_slice());
    let rank = names.iter().position(|known| known == name);
    let color = rank.and_then(|rank| COLORS.get(rank)).unwrap_or(&COLOR_LOW);
    // The greater the number, the more important.
    let order = rank.map_or(0, |rank| names.len() - rank);
    let more = json!({"name": name, "description": null, "order": order, "color": color});
    whole(place.priority(name, "priority"), "priority", more)
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
#[utoipa::path(get, path = "/vendors", tag = "fronts", params(parameters::Page, parameters::Search),
    responses((status = 200, body = Object)))]
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
