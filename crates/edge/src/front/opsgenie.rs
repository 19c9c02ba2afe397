//! Opsgenie-style requests about alerts: to make one, to say otherwise what it says, to acknowledge and to close it by its alias. Only `wire` knows the format.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tocsin_domain::command::{AlertAsk, Ask, Restated};
use tocsin_domain::event::Actor;
use tocsin_domain::service::{Integration, IntegrationKind};
use tocsin_domain::time::Timestamp;
use tocsin_wire::opsgenie::{self, ALIAS_CHARS_MAX, BODY_BYTES_MAX, Field, Step, Update};

use super::integration;
use crate::access::cookie::hex;
use crate::app::App;
use crate::http::alert::new_key;
use crate::http::body;
use crate::http::problem::Problem;

/// The prefix under which the whole front is there again.
pub(crate) const PREFIX: &str = "/opsgenie";
/// What every path about alerts begins with.
const ALERTS: &str = "/v2/alerts";

/// The path without the front's own prefix, and whether it had that.
fn unprefixed(path: &str) -> (&str, bool) {
    match path.strip_prefix(PREFIX) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => (rest, true),
        Some(_) | None => (path, false),
    }
}

fn is_about_alerts(path: &str) -> bool {
    let rest = path.strip_prefix(ALERTS);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a request that no route takes comes from a client of Opsgenie.
pub(crate) fn is_meant(request: &Request) -> bool {
    let (path, is_prefixed) = unprefixed(request.uri().path());
    is_prefixed || is_about_alerts(path)
}

/// A refusal of what no route takes. To a question about an alert, 404 would say that there is no such alert.
pub(crate) fn refused_at(path: &str, problem: &Problem) -> Response {
    let (path, _) = unprefixed(path);
    let id = request_id();
    let refused = |status, message| answer(&id, status, opsgenie::refused(message, &id, 0.0));
    if !is_about_alerts(path) {
        return refused(problem.status(), problem.detail());
    }
    let why = "Tocsin takes alerts to create, update, acknowledge and close, and answers no other requests about them.";
    let mut response = refused(StatusCode::METHOD_NOT_ALLOWED, why);
    // A path that is there tells by itself which methods it takes; one that is not takes none.
    if problem.status() == StatusCode::NOT_FOUND {
        let none = HeaderValue::from_static("");
        response.headers_mut().insert(header::ALLOW, none);
    }
    response
}

fn request_id() -> String {
    let mut random = [0_u8; 16];
    // Without randomness the id is of no use to anybody; the request is answered all the same.
    let _ = getrandom::fill(&mut random);
    id_of(random)
}

/// An id in the form of Opsgenie's.
fn id_of(random: [u8; 16]) -> String {
    let mut id = hex(&random);
    // The last first, so that the places of the others stay.
    for place in [20, 16, 12, 8] {
        id.insert(place, '-');
    }
    id
}

fn answer(id: &str, status: StatusCode, body: impl Serialize) -> Response {
    let mut response = (status, Json(body)).into_response();
    if let Ok(id) = HeaderValue::from_str(id) {
        response.headers_mut().insert("x-request-id", id);
    }
    response
}

/// Whether the alert is named by its alias. Whatever the query is, it is refused in Opsgenie's form, not by who reads queries.
fn is_by_alias(query: Option<&str>) -> bool {
    let mut pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let kind = pairs.find(|(name, _)| name == "identifierType");
    kind.is_some_and(|(_, kind)| kind == "alias")
}

/// A request that is being answered: its id, and when it came.
struct Asked {
    id: String,
    at: Timestamp,
}

impl Asked {
    fn new(app: &App) -> Self {
        Self {
            id: request_id(),
            at: app.now(),
        }
    }

    /// How long it took so far.
    fn took_s(&self, app: &App) -> f64 {
        let ms = app.now().ms_since(self.at).min(u64::from(u32::MAX));
        u32::try_from(ms).map_or(0.0, f64::from) / 1_000.0
    }

    fn answer(&self, status: StatusCode, body: impl Serialize) -> Response {
        answer(&self.id, status, body)
    }

    fn refused(&self, app: &App, status: StatusCode, message: &str) -> Response {
        self.answer(
            status,
            opsgenie::refused(message, &self.id, self.took_s(app)),
        )
    }

    fn rejected(&self, app: &App, rejection: &opsgenie::Rejection) -> Response {
        let (status, body) = opsgenie::rejected(rejection, &self.id, self.took_s(app));
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        self.answer(status, body)
    }

    /// A refusal of ours, with a status after which clients send again where it passes.
    fn problem(&self, app: &App, problem: &Problem) -> Response {
        let passing = integration::will_pass(problem);
        let status = if passing {
            StatusCode::SERVICE_UNAVAILABLE
        } else {
            problem.status()
        };
        let mut response = self.refused(app, status, problem.detail());
        let wait = problem.retry_after_s();
        if let Some(seconds) = wait.or(passing.then_some(integration::PASSING_RETRY_S)) {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Make an alert, as Opsgenie's clients do
///
/// `Authorization: GenieKey KEY`. 202 only after it is on disk.
#[utoipa::path(post, path = "/v2/alerts", tag = "fronts", request_body(content = Object, content_type = "application/json"),
    responses((status = 202, body = Object), (status = 400, body = Object), (status = 401, body = Object),
        (status = 413, body = Object), (status = 422, body = Object), (status = 429, body = Object), (status = 503, body = Object)))]
pub(crate) async fn create(State(app): State<App>, headers: HeaderMap, content: Body) -> Response {
    let asked = Asked::new(&app);
    let (integration, bytes) = match admitted(&app, &asked, &headers, content).await {
        Ok(admitted) => admitted,
        Err(response) => return response,
    };
    let alert = match opsgenie::create(&bytes) {
        Ok(alert) => alert,
        Err(rejection) => return asked.rejected(&app, &rejection),
    };
    match integration::ask_of(&integration, alert, new_key) {
        Ok((_, ask)) => carry_out(&app, &asked, &integration, ask).await,
        Err(problem) => asked.problem(&app, &problem),
    }
}

/// Close or acknowledge an alert by its alias, as Opsgenie's clients do
///
/// `step` is `close` or `acknowledge`, with `identifierType=alias`. Others are refused.
#[utoipa::path(post, path = "/v2/alerts/{id}/{step}", tag = "fronts",
    params(("id" = String, Path), ("step" = String, Path), ("identifierType" = Option<String>, Query)),
    request_body(content = Object, content_type = "application/json"),
    responses((status = 202, body = Object), (status = 400, body = Object), (status = 401, body = Object),
        (status = 404, body = Object), (status = 413, body = Object), (status = 422, body = Object),
        (status = 429, body = Object), (status = 503, body = Object)))]
pub(crate) async fn step(
    State(app): State<App>,
    Path((alias, step)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    content: Body,
) -> Response {
    let asked = Asked::new(&app);
    let (integration, bytes) = match admitted(&app, &asked, &headers, content).await {
        Ok(admitted) => admitted,
        Err(response) => return response,
    };
    let Some(step) = Step::of(&step) else {
        let why = "Tocsin knows the steps close and acknowledge of an alert alone.";
        return asked.refused(&app, StatusCode::NOT_FOUND, why);
    };
    if let Err(rejection) = opsgenie::step(&bytes) {
        return asked.rejected(&app, &rejection);
    }
    let dedup_key = match key_in(&alias, query.as_deref()) {
        Ok(key) => key,
        Err(why) => return asked.refused(&app, StatusCode::UNPROCESSABLE_ENTITY, why),
    };
    let (service, by) = (integration.service, Some(integration.id));
    let ask = match step {
        Step::Close => AlertAsk::ResolveByKey {
            service,
            integration: by,
            dedup_key,
        },
        Step::Acknowledge => AlertAsk::AcknowledgeByKey {
            service,
            integration: by,
            dedup_key,
        },
    };
    carry_out(&app, &asked, &integration, ask).await
}

/// Say otherwise what an alert says, by its alias, as Opsgenie's clients do
///
/// `step` is `message`, `description` or `priority`, with `identifierType=alias`. An alert that fires is said again with it; one that
/// is over stays over. Others are refused.
#[utoipa::path(put, path = "/v2/alerts/{id}/{step}", tag = "fronts",
    params(("id" = String, Path), ("step" = String, Path), ("identifierType" = Option<String>, Query)),
    request_body(content = Object, content_type = "application/json"),
    responses((status = 202, body = Object), (status = 400, body = Object), (status = 401, body = Object),
        (status = 404, body = Object), (status = 413, body = Object), (status = 422, body = Object),
        (status = 429, body = Object), (status = 503, body = Object)))]
pub(crate) async fn update(
    State(app): State<App>,
    Path((alias, field)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    content: Body,
) -> Response {
    let asked = Asked::new(&app);
    let (integration, bytes) = match admitted(&app, &asked, &headers, content).await {
        Ok(admitted) => admitted,
        Err(response) => return response,
    };
    let Some(field) = Field::of(&field) else {
        let why = "Tocsin changes the message, the description and the priority of an alert alone.";
        return asked.refused(&app, StatusCode::NOT_FOUND, why);
    };
    let said = match opsgenie::update(field, &bytes) {
        Ok(Update::Message(title)) => Restated::Title(title),
        Ok(Update::Description(summary)) => Restated::Summary(summary),
        Ok(Update::Priority(severity)) => Restated::Severity(severity),
        Err(rejection) => return asked.rejected(&app, &rejection),
    };
    let dedup_key = match key_in(&alias, query.as_deref()) {
        Ok(key) => key,
        Err(why) => return asked.refused(&app, StatusCode::UNPROCESSABLE_ENTITY, why),
    };
    let ask = AlertAsk::RestateByKey {
        service: integration.service,
        integration: Some(integration.id),
        dedup_key,
        said,
    };
    carry_out(&app, &asked, &integration, ask).await
}

/// The key of the alert that a path names; or why it names none.
fn key_in(alias: &str, query: Option<&str>) -> Result<String, &'static str> {
    if !is_by_alias(query) {
        return Err("identifierType must be alias: Tocsin gives its alerts no other names.");
    }
    if alias.trim().is_empty() || alias.chars().count() > ALIAS_CHARS_MAX {
        return Err("The alias is empty or too long.");
    }
    Ok(opsgenie::key_of(alias))
}

/// The integration that asks, and its body; or the refusal.
async fn admitted(
    app: &App,
    asked: &Asked,
    headers: &HeaderMap,
    content: Body,
) -> Result<(Integration, bytes::Bytes), Response> {
    let known = integration::key_in(headers).and_then(|key| integration::of_key(app, &key));
    let known = known.filter(|one| one.kind == IntegrationKind::Opsgenie);
    let Some(known) = known else {
        return Err(asked.refused(app, StatusCode::UNAUTHORIZED, "Could not authenticate"));
    };
    if let Err(seconds) = integration::take_turn(app, &known) {
        let problem = Problem::too_many("You are making too many requests!", seconds);
        return Err(asked.problem(app, &problem));
    }
    match body::read(headers, content, BODY_BYTES_MAX).await {
        Ok(bytes) => Ok((known, bytes)),
        Err(problem) => Err(asked.problem(app, &problem)),
    }
}

async fn carry_out(app: &App, asked: &Asked, integration: &Integration, ask: AlertAsk) -> Response {
    let actor = Actor::Integration {
        integration: integration.id,
    };
    match app.ask(&actor, Ask::Alert(ask)).await {
        Ok(_) => asked.answer(
            StatusCode::ACCEPTED,
            opsgenie::accepted(&asked.id, asked.took_s(app)),
        ),
        Err(problem) => asked.problem(app, &problem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_requests_have_the_form_of_a_uuid() {
        assert_eq!(id_of([0xab; 16]), "abababab-abab-abab-abab-abababababab");
        let bytes: [u8; 16] = std::array::from_fn(|place| u8::try_from(place * 16 + 1).unwrap());
        assert_eq!(id_of(bytes), "01112131-4151-6171-8191-a1b1c1d1e1f1");
    }
}
