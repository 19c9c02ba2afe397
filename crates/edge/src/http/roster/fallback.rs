//! The list of last resort: who is paged when a policy is through, or there is none.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use tocsin_domain::command::{Ask, PeopleAsk};
use tocsin_domain::id::UserId;
use utoipa::ToSchema;

use crate::access::who::Caller;
use crate::app::App;
use crate::http::body::Json as Body;
use crate::http::problem::Problem;
use crate::http::shape::{Id, Named, named_user};

/// Who is paged when nobody else is left.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Fallback {
    /// In the order in which they were named; all of them are paged.
    users: Vec<Named>,
}

/// Who is to be paged when nobody else is left.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FallbackRequest {
    /// Ids of people; 1 to 50.
    #[schema(value_type = Vec<Id>, min_items = 1, max_items = 50)]
    users: Vec<String>,
}

/// Who is on the list of last resort
#[utoipa::path(get, path = "/api/tocsin/v1/fallback", tag = "oncall", responses((status = 200, body = Fallback)))]
pub(crate) async fn get_fallback(State(app): State<App>) -> Json<Fallback> {
    let users = app.read(|state| {
        let installation = state.installation.as_ref();
        let users = installation.map_or_else(Vec::new, |all| all.fallback.clone());
        users.iter().map(|user| named_user(state, *user)).collect()
    });
    Json(Fallback { users })
}

/// Replace the list of last resort
#[utoipa::path(put, path = "/api/tocsin/v1/fallback", tag = "oncall", request_body = FallbackRequest,
    responses((status = 200, body = Fallback), (status = 400), (status = 404)))]
pub(crate) async fn set_fallback(
    State(app): State<App>,
    caller: Caller,
    Body(request): Body<FallbackRequest>,
) -> Result<Json<Fallback>, Problem> {
    let users = request.users.iter().map(|id| {
        let id: Result<UserId, _> = id.parse();
        id.map_err(|_| Problem::bad("users: ids of people"))
    });
    let users = users.collect::<Result<_, _>>()?;
    app.ask(&caller.actor, Ask::People(PeopleAsk::SetFallback { users }))
        .await?;
    Ok(get_fallback(State(app)).await)
}
