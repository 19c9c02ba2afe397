//! The one license, which everybody has. Terraform's provider reads that of each person, and knows nobody of whom there is none.

use serde_json::{Value, json};
use tocsin_domain::state::State;
use tocsin_wire::pagerduty::rest::roster::{LICENSE_ID, role_words};

use super::asked::{Asked, Path};
use super::reply::{Answer, Reply};
use super::users::named;

/// The license. It has no address of its own, as there.
fn license(state: &State) -> Value {
    json!({
        "id": LICENSE_ID,
        "type": "license",
        "name": "Tocsin",
        "summary": "Tocsin",
        "description": "Everybody in Tocsin has it, and there is no other",
        "role_group": "FullUser",
        "valid_roles": role_words().collect::<Vec<_>>(),
        "current_value": state.users.len(),
        "allocations_available": null,
        "self": null,
        "html_url": null,
    })
}

/// Licenses: the one that everybody has
#[utoipa::path(get, path = "/licenses", tag = "fronts", responses((status = 200, body = Object)))]
pub(crate) async fn list_licenses(asked: Asked) -> Answer {
    let one = asked.app.read(license);
    Ok(Reply::Done(json!({ "licenses": [one] })))
}

/// The license of a person, which is everybody's
#[utoipa::path(get, path = "/users/{id}/license", tag = "fronts", params(("id" = String, Path)),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn get_user_license(Path(id): Path<String>, asked: Asked) -> Answer {
    named(&asked, &id)?;
    let one = asked.app.read(license);
    Ok(Reply::Done(json!({ "license": one })))
}
