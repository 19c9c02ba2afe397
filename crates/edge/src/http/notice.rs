//! Whether a person wants word when duty passes to them. Who has duty is computed elsewhere.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use tocsin_domain::command::RosterAsk;
use tocsin_domain::id::UserId;
use tocsin_domain::oncall_command::OncallAsk;
use utoipa::ToSchema;

use super::body::Json as Body;
use super::problem::Problem;
use super::roster::set_in;
use crate::access::who::Caller;
use crate::app::App;

/// What a person is told without being paged.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Notices {
    /// Whether they get word when duty passes to them.
    hand_off: bool,
}

fn missing(id: &str) -> Problem {
    Problem::not_found(&format!("person {id}"))
}

/// What a person is told without being paged
#[utoipa::path(get, path = "/api/tocsin/v1/users/{id}/notices", tag = "people", params(("id" = String, Path)),
    responses((status = 200, body = Notices), (status = 404)))]
pub(crate) async fn get_notices(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Notices>, Problem> {
    let user: UserId = id.parse().map_err(|_| missing(&id))?;
    let wanted = app.read(|state| {
        let is_there = state.users.contains_key(&user);
        is_there.then(|| !state.duty.unwanted.contains(&user))
    });
    let hand_off = wanted.ok_or_else(|| missing(&id))?;
    Ok(Json(Notices { hand_off }))
}

/// Switch such notices on or off
#[utoipa::path(put, path = "/api/tocsin/v1/users/{id}/notices", tag = "people", params(("id" = String, Path)),
    request_body = Notices, responses((status = 200, body = Notices), (status = 404)))]
pub(crate) async fn set_notices(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(wanted): Body<Notices>,
) -> Result<Json<Notices>, Problem> {
    let ask = OncallAsk::SwitchNotices {
        user: id.parse().map_err(|_| missing(&id))?,
        wanted: wanted.hand_off,
    };
    set_in(&app, &caller, RosterAsk::Oncall(ask)).await?;
    Ok(Json(wanted))
}
