//! Opsgenie-style requests about alerts: to make one, to read it back, to say otherwise what it says, to acknowledge, to close and to
//! note something about it, and what became of such a request. Only `wire` knows the format.

pub(crate) mod alert;
mod meant;
mod naming;
mod outcome;
mod requests;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tocsin_domain::command::{AlertAsk, Ask, RespondAsk, Restated, SaidOf};
use tocsin_domain::event::Actor;
use tocsin_domain::service::{Integration, IntegrationKind};
use tocsin_domain::time::Timestamp;
use tocsin_engine::Done;
use tocsin_wire::opsgenie::{self, BODY_BYTES_MAX, Field, Kind, Outcome, Processed, Step, Update};

use super::integration;
use crate::access::cookie::hex;
use crate::app::App;
use crate::http::alert::new_key;
use crate::http::body;
use crate::http::problem::Problem;
use meant::{is_about_alerts, unprefixed};
use naming::{Named, named};
use outcome::{done_about, raised};

pub(crate) use meant::is_meant;
pub(crate) use requests::OpsgenieRequests;

/// The prefix under which the whole front is there again.
pub(crate) const PREFIX: &str = "/opsgenie";
/// Why a question about alerts is not answered.
const UNASKED: &str = "Tocsin takes alerts to create, read, update, acknowledge and close, and answers no other requests about them.";
/// What is said to whoever has no key.
const UNKNOWN: &str = "Could not authenticate";
/// What is said to whoever sends too much.
const TOO_MANY: &str = "You are making too many requests!";

/// A refusal of what no route takes. To a question about an alert, 404 would say that there is no such alert.
pub(crate) fn refused_at(path: &str, problem: &Problem) -> Response {
    let (path, _) = unprefixed(path);
    let id = request_id();
    let refused = |status, message| answer(&id, status, opsgenie::refused(message, &id, 0.0));
    if !is_about_alerts(path) {
        return refused(problem.status(), problem.detail());
    }
    let mut response = refused(StatusCode::METHOD_NOT_ALLOWED, UNASKED);
    // A path that is there tells by itself which methods it takes; one that is not takes none.
    if problem.status() == StatusCode::NOT_FOUND {
        let none = HeaderValue::from_static("");
        response.headers_mut().insert(header::ALLOW, none);
    }
    response
}

/// A refusal of what reaches no handler of this front.
pub(crate) fn refused_at_the_gate(problem: &Problem) -> Response {
    let id = request_id();
    let refused = opsgenie::refused(problem.detail(), &id, 0.0);
    let mut response = answer(&id, problem.status(), refused);
    if let Some(seconds) = problem.retry_after_s() {
        let wait = HeaderValue::from(seconds);
        response.headers_mut().insert(header::RETRY_AFTER, wait);
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

    /// A refusal of a question that is not answered; `taken` are the methods that its path takes.
    fn unasked(&self, app: &App, taken: &'static str) -> Response {
        self.not_taken(app, UNASKED, taken)
    }

    /// A refusal of what is not done about alerts, which does not say that there is no such alert.
    fn not_taken(&self, app: &App, why: &str, taken: &'static str) -> Response {
        let mut response = self.refused(app, StatusCode::METHOD_NOT_ALLOWED, why);
        let taken = HeaderValue::from_static(taken);
        response.headers_mut().insert(header::ALLOW, taken);
        response
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
pub(crate) async fn create(
    State(app): State<App>,
    headers: HeaderMap,
    content: Body,
) -> Result<Response, Response> {
    let asked = Asked::new(&app);
    let (integration, bytes) = admitted(&app, &asked, &headers, content).await?;
    let alert = opsgenie::create(&bytes).map_err(|rejection| asked.rejected(&app, &rejection))?;
    let (key, ask) = integration::ask_of(&integration, alert, new_key)
        .map_err(|problem| asked.problem(&app, &problem))?;
    let wanted = Wanted {
        named: Named {
            key,
            alert: None,
            over: None,
        },
        kind: Kind::Create,
        note: None,
        ask: Some(Ask::Alert(ask)),
    };
    carry_out(&app, &asked, &integration, wanted).await
}

/// What is to be done, about which alert.
struct Wanted {
    named: Named,
    kind: Kind,
    /// What is noted before that is done.
    note: Option<Ask>,
    /// None where it is about what is over: that is done already.
    ask: Option<Ask>,
}

/// Close or acknowledge an alert, or note something about it, as Opsgenie's clients do
///
/// `step` is `close`, `acknowledge` or `notes`. Others are refused. The alert is named by its alias with `identifierType=alias`, else by
/// its id, or by that of the request that made it as long as it is remembered. The `note` of a body, with its `user` before it, is kept in
/// the incident; so is the `user` alone of whoever closes or acknowledges.
#[utoipa::path(post, path = "/v2/alerts/{id}/{step}", tag = "fronts",
    params(("id" = String, Path), ("step" = String, Path), ("identifierType" = Option<String>, Query)),
    request_body(content = Object, content_type = "application/json"),
    responses((status = 202, body = Object), (status = 400, body = Object), (status = 401, body = Object),
        (status = 404, body = Object), (status = 405, body = Object), (status = 413, body = Object), (status = 422, body = Object),
        (status = 429, body = Object), (status = 503, body = Object)))]
pub(crate) async fn step(
    State(app): State<App>,
    Path((name, step)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    content: Body,
) -> Result<Response, Response> {
    let asked = Asked::new(&app);
    let (integration, bytes) = admitted(&app, &asked, &headers, content).await?;
    let Some(step) = Step::of(&step) else {
        let why = "Tocsin knows the steps close, acknowledge and notes of an alert alone.";
        return Err(asked.not_taken(&app, why, ""));
    };
    let said =
        opsgenie::said(step, &bytes).map_err(|rejection| asked.rejected(&app, &rejection))?;
    let named = named(&app, &integration, &name, query.as_deref())
        .map_err(|(status, why)| asked.refused(&app, status, why))?;
    let wanted = wanted(&integration, named, step, said);
    carry_out(&app, &asked, &integration, wanted).await
}

/// What a step asks of the core. Of what is over nothing is asked but to keep a note: what fails by now is not meant.
fn wanted(integration: &Integration, named: Named, step: Step, said: Option<String>) -> Wanted {
    let (service, by) = (integration.service, Some(integration.id));
    let dedup_key = named.key.clone();
    let note = said.map(|text| note(integration, &named, text));
    let (kind, ask) = match step {
        Step::Note => {
            return Wanted {
                named,
                kind: Kind::Note,
                note: None,
                ask: note,
            };
        }
        Step::Close => {
            let ask = AlertAsk::ResolveByKey {
                service,
                integration: by,
                dedup_key,
            };
            (Kind::Close, ask)
        }
        Step::Acknowledge => {
            let ask = AlertAsk::AcknowledgeByKey {
                service,
                integration: by,
                dedup_key,
            };
            (Kind::Acknowledge, ask)
        }
    };
    Wanted {
        ask: named.over.is_none().then_some(Ask::Alert(ask)),
        named,
        kind,
        note,
    }
}

/// What keeps a note about an alert.
fn note(integration: &Integration, named: &Named, text: String) -> Ask {
    match named.over {
        Some(incident) => Ask::Respond(RespondAsk::noted(incident, text)),
        None => {
            let of = SaidOf {
                service: integration.service,
                integration: Some(integration.id),
                dedup_key: named.key.clone(),
            };
            Ask::Alert(AlertAsk::NoteByKey(of, text))
        }
    }
}

/// What became of a request of one of Opsgenie's clients
///
/// `id` is `requests` and `step` the id that the request was answered with; the newest 1,024 of each integration are remembered, and
/// 16,384 of all together, until Tocsin ends. No other question of this form is answered.
#[utoipa::path(get, path = "/v2/alerts/{id}/{step}", tag = "fronts",
    params(("id" = String, Path), ("step" = String, Path)),
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 401, body = Object),
        (status = 404, body = Object), (status = 405, body = Object), (status = 429, body = Object)))]
pub(crate) async fn look(
    State(app): State<App>,
    Path((noun, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let asked = Asked::new(&app);
    let integration =
        asking(&app, &asked, &headers).map_err(|problem| asked.problem(&app, &problem))?;
    if noun != "requests" {
        return Err(asked.unasked(&app, "POST,PUT"));
    }
    let known = app.inner().opsgenie_requests.find(integration.id, &id);
    let Some(known) = known else {
        let why = "No such request is known: the newest are, until Tocsin ends.";
        return Err(asked.refused(&app, StatusCode::NOT_FOUND, why));
    };
    let told = opsgenie::processed(&known, &asked.id, asked.took_s(&app));
    Ok(asked.answer(StatusCode::OK, told))
}

/// Say otherwise what an alert says, as Opsgenie's clients do
///
/// `step` is `message`, `description` or `priority`; others are refused. The alert is named as where it is closed. One that fires says it
/// from then on; one that is over stays over.
#[utoipa::path(put, path = "/v2/alerts/{id}/{step}", tag = "fronts",
    params(("id" = String, Path), ("step" = String, Path), ("identifierType" = Option<String>, Query)),
    request_body(content = Object, content_type = "application/json"),
    responses((status = 202, body = Object), (status = 400, body = Object), (status = 401, body = Object),
        (status = 404, body = Object), (status = 405, body = Object), (status = 413, body = Object), (status = 422, body = Object),
        (status = 429, body = Object), (status = 503, body = Object)))]
pub(crate) async fn update(
    State(app): State<App>,
    Path((name, field)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    content: Body,
) -> Result<Response, Response> {
    let asked = Asked::new(&app);
    let (integration, bytes) = admitted(&app, &asked, &headers, content).await?;
    let Some(field) = Field::of(&field) else {
        let why = "Tocsin changes the message, the description and the priority of an alert alone.";
        return Err(asked.not_taken(&app, why, ""));
    };
    let update = opsgenie::update(field, &bytes);
    let said = match update.map_err(|rejection| asked.rejected(&app, &rejection))? {
        Update::Message(title) => Restated::Title(title),
        Update::Description(summary) => Restated::Summary(summary),
        Update::Priority(severity) => Restated::Severity(severity),
    };
    let named = named(&app, &integration, &name, query.as_deref())
        .map_err(|(status, why)| asked.refused(&app, status, why))?;
    let of = SaidOf {
        service: integration.service,
        integration: Some(integration.id),
        dedup_key: named.key.clone(),
    };
    let ask = AlertAsk::RestateByKey(of, said);
    let wanted = Wanted {
        ask: named.over.is_none().then_some(Ask::Alert(ask)),
        kind: Kind::Update,
        note: None,
        named,
    };
    carry_out(&app, &asked, &integration, wanted).await
}

/// The integration whose key this is, if it takes such requests.
fn known_by(app: &App, headers: &HeaderMap) -> Result<Integration, Problem> {
    let known = integration::key_in(headers).and_then(|key| integration::of_key(app, &key));
    let known = known.filter(|one| one.kind == IntegrationKind::Opsgenie);
    known.ok_or_else(|| Problem::unauthenticated(UNKNOWN))
}

/// The integration that asks something.
fn asking(app: &App, asked: &Asked, headers: &HeaderMap) -> Result<Integration, Problem> {
    let known = known_by(app, headers)?;
    // Some clients ask after each alert: that must not keep an alert out.
    let counted = format!("requests/{}", known.id);
    let limit = &app.inner().front_limit;
    match limit.take(&counted, asked.at) {
        Ok(()) => Ok(known),
        Err(seconds) => Err(Problem::too_many(TOO_MANY, seconds)),
    }
}

/// The integration that says something, and its body; or the refusal.
async fn admitted(
    app: &App,
    asked: &Asked,
    headers: &HeaderMap,
    content: Body,
) -> Result<(Integration, bytes::Bytes), Response> {
    let known = known_by(app, headers).map_err(|problem| asked.problem(app, &problem))?;
    if let Err(seconds) = integration::take_turn(app, &known) {
        return Err(asked.problem(app, &Problem::too_many(TOO_MANY, seconds)));
    }
    match body::read(headers, content, BODY_BYTES_MAX).await {
        Ok(bytes) => Ok((known, bytes)),
        Err(problem) => Err(asked.problem(app, &problem)),
    }
}

/// Does what is wanted of an alert, and remembers what became of it.
async fn carry_out(
    app: &App,
    asked: &Asked,
    integration: &Integration,
    Wanted {
        named,
        kind,
        note,
        ask,
    }: Wanted,
) -> Result<Response, Response> {
    let done = all_done(app, integration, note, ask).await;
    let (outcome, alert) = match done.map_err(|problem| asked.problem(app, &problem))? {
        None => (Outcome::NotOpen, named.alert),
        Some(done) if kind == Kind::Create => raised(done.events()),
        Some(done) => {
            let fires = named.alert.is_some();
            (done_about(kind, fires, done.events()), named.alert)
        }
    };
    let processed = Processed {
        kind,
        outcome,
        alert,
        alias: named.key,
        integration: integration.id,
        at: asked.at,
    };
    let requests = &app.inner().opsgenie_requests;
    requests.remember(&asked.id, processed, |integration| {
        app.read(|state| state.integrations.contains_key(&integration))
    });
    let accepted = opsgenie::accepted(&asked.id, asked.took_s(app));
    Ok(asked.answer(StatusCode::ACCEPTED, accepted))
}

/// Keeps a note, and does what is asked for; what became of that, where anything is.
async fn all_done(
    app: &App,
    integration: &Integration,
    note: Option<Ask>,
    ask: Option<Ask>,
) -> Result<Option<Done>, Problem> {
    let actor = Actor::Integration {
        integration: integration.id,
    };
    let (note, ask) = match (note, ask) {
        (None, None) => return Ok(None),
        (None, Some(ask)) => return app.ask(&actor, ask).await.map(Some),
        (Some(note), None) => return app.ask(&actor, note).await.map(|_| None),
        (Some(note), Some(ask)) => (note, ask),
    };
    let mut done = None;
    for outcome in app.ask_all(&actor, vec![note, ask]).await? {
        done = Some(outcome?);
    }
    Ok(done)
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
