//! Silences, which are maintenance windows: shown, made, changed and ended as Alertmanager does.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tocsin_domain::command::{Ask, AskedSilence, IntakeAsk};
use tocsin_domain::event::{Actor, EventBody, IntakeEvent, RosterEvent};
use tocsin_domain::id::MaintenanceId;
use tocsin_domain::intake::{LabelMatcher, Window};
use tocsin_domain::oncall::Span;
use tocsin_domain::state;
use tocsin_domain::text::shows_nothing;
use tocsin_engine::handle::Done;
use tocsin_wire::alertmanager::{
    Fault, PostedSilence, SILENCE_BYTES_MAX, SilenceShown, filters, id_of_uuid, parse_silence,
    uuid_of_id,
};

use super::alert::{read, shown};
use super::refusal::{Refusal, told};
use super::shown::{OWN_NAME, Scene, moved};
use crate::access::scope::PLANNED_WORK;
use crate::access::who::Caller;
use crate::app::App;
use crate::front::prometheus::parameters::Parameters;
use crate::http::problem::Problem;

/// The comment of a silence that came without one.
const NO_COMMENT: &str = "no comment";

/// The id of a silence that was made.
#[derive(Serialize)]
struct Made {
    #[serde(rename = "silenceID")]
    silence_id: String,
}

fn scene<'a>(app: &'a App, state: &'a state::State) -> Scene<'a> {
    Scene {
        state,
        now: app.now(),
        public_url: &app.settings.public_url,
    }
}

fn not_found() -> Fault {
    Fault::Said {
        status: 404,
        text: "silence not found".to_owned(),
    }
}

/// Whether each condition that is asked for stands among those of a silence, word for word. What a condition would accept says
/// nothing here: whoever ends all that is listed ends no other silences by that.
fn fits(silence: &[LabelMatcher], wanted: &[LabelMatcher]) -> bool {
    wanted.iter().all(|wanted| silence.contains(wanted))
}

/// Silences
#[utoipa::path(get, path = "/api/v2/silences", tag = "fronts", params(("filter" = Option<Vec<String>>, Query)),
    responses((status = 200, body = Vec<Object>), (status = 400, content_type = "application/json", body = String)))]
pub(crate) async fn silences(
    State(app): State<App>,
    given: Parameters,
) -> Result<Response, Refusal> {
    let wanted = filters(given.pairs())?;
    let mut found: Vec<SilenceShown> = app.read(|state| {
        let scene = scene(&app, state);
        let windows = state.windows.values();
        windows
            .filter_map(|window| scene.silence(window))
            .filter(|(_, matchers)| fits(matchers, &wanted))
            .map(|(silence, _)| silence)
            .collect()
    });
    SilenceShown::sort(&mut found);
    Ok(shown(&found))
}

/// The id that a path names; none when it is not one of ours.
fn id_in_path(id: &str) -> Result<Option<MaintenanceId>, Refusal> {
    let read = id_of_uuid(id);
    Ok(read.ok_or_else(|| Fault::of_type("silenceID", "path", "uuid", id))?)
}

/// A silence
#[utoipa::path(get, path = "/api/v2/silence/{silence_id}", tag = "fronts", params(("silence_id" = String, Path)),
    responses((status = 200, body = Object), (status = 404, description = "There is no such silence"), (status = 422)))]
pub(crate) async fn silence(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let id = id_in_path(&id)?;
    let found = app.read(|state| {
        let window = id.and_then(|id| state.windows.get(&id))?;
        scene(&app, state).silence(window)
    });
    Ok(match found {
        Some((silence, _)) => shown(&silence),
        None => StatusCode::NOT_FOUND.into_response(),
    })
}

/// Make a silence, or change one
///
/// It is a maintenance window of at most 90 days. Planned work is shown as a silence too: to change it needs what it needs where it was
/// planned, for a token that has scopes the scope `settings`.
#[utoipa::path(post, path = "/api/v2/silences", tag = "fronts", request_body(content = Object, content_type = "application/json"),
    responses((status = 200, body = Object), (status = 400), (status = 404), (status = 415), (status = 422)))]
pub(crate) async fn post_silence(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    content: Body,
) -> Result<Response, Refusal> {
    let bytes = read(&headers, content, SILENCE_BYTES_MAX).await?;
    let (posted, own) = (parse_silence(&bytes)?, app.clone());
    let work = async move { set_in_turn(&own, &caller, posted).await };
    let done = App::in_turn(&app.inner().roster_changes, work).await?;
    let mut set = done.events().iter().filter_map(|event| {
        let EventBody::Roster(RosterEvent::Intake(IntakeEvent::WindowSet { window })) = &event.body
        else {
            return None;
        };
        Some(window.id)
    });
    let id = set.next_back().ok_or_else(|| {
        Problem::internal(
            "the silence was kept, and its id is not known; look before you repeat it",
        )
    })?;
    let silence_id = uuid_of_id(id);
    Ok(shown(&Made { silence_id }))
}

/// Makes or changes a silence, in the turn of the roster: of a window that it moves, the rest is read and written back.
async fn set_in_turn(app: &App, caller: &Caller, posted: PostedSilence) -> Result<Done, Refusal> {
    let id = match &posted.id {
        None => None,
        Some(id) => Some(id_of_uuid(id).flatten().ok_or_else(not_found)?),
    };
    if let Some(id) = id {
        may_change(app, caller, id)?;
    }
    let ask = ask_of(app, &caller.actor, id, posted)?;
    let done = app.ask(&caller.actor, Ask::Intake(ask)).await;
    done.map_err(|problem| match problem.status() {
        StatusCode::NOT_FOUND => not_found().into(),
        StatusCode::BAD_REQUEST => {
            Refusal::from(Fault::bad(format!("silence invalid: {}", told(&problem))))
        }
        _ => Refusal::from(problem),
    })
}

/// Planned work is shown as a silence too, and is changed by whoever may change it where it was planned.
fn may_change(app: &App, caller: &Caller, id: MaintenanceId) -> Result<(), Refusal> {
    let is_planned = app.read(|state| state.windows.get(&id).is_some_and(Window::is_planned));
    if is_planned {
        let reached = caller.reach(Some(PLANNED_WORK));
        reached.map_err(|problem| Refusal::coded(&problem))?;
    }
    Ok(())
}

/// Who made a silence: by their own account, else the person who calls. A silence has somebody: it would be planned work without.
fn creator(app: &App, actor: &Actor, said: String) -> String {
    if !shows_nothing(said.trim()) {
        return said;
    }
    let name = actor
        .person()
        .and_then(|user| app.read(|state| state.users.get(&user).map(|known| known.name.clone())));
    name.unwrap_or_else(|| OWN_NAME.to_owned())
}

fn ask_of(
    app: &App,
    actor: &Actor,
    id: Option<MaintenanceId>,
    posted: PostedSilence,
) -> Result<IntakeAsk, Fault> {
    let now = app.now();
    let zero_end = || Fault::bad("silence invalid: invalid zero end timestamp");
    let until = posted.ends_at.ok_or_else(zero_end)?;
    let span = Span::new(posted.starts_at.unwrap_or(now), until);
    if span.is_empty() {
        return Err(Fault::bad(
            "Failed to create silence: start time must be before end time",
        ));
    }
    if until < now {
        return Err(Fault::bad(
            "Failed to create silence: end time can't be in the past",
        ));
    }
    let comment = posted.comment.trim();
    let comment = if shows_nothing(comment) {
        NO_COMMENT
    } else {
        comment
    };
    let comment = comment.to_owned();
    let known = id.and_then(|id| {
        app.read(|state| {
            let window = state.windows.get(&id)?;
            let same = scene(app, state).matchers(window) == posted.matchers;
            (same && window.silence.is_none()).then(|| window.clone())
        })
    });
    if let Some(window) = known {
        return moved_window(window, span, comment);
    }
    Ok(IntakeAsk::SetSilence(Box::new(AskedSilence {
        id,
        comment,
        created_by: creator(app, actor, posted.created_by),
        matchers: posted.matchers,
        span,
    })))
}

/// A window that names services or targets goes on doing so.
fn moved_window(window: Window, span: Span, reason: String) -> Result<IntakeAsk, Fault> {
    let when = moved(&window, span).ok_or_else(|| {
        Fault::bad("this is planned work that repeats: change it in Tocsin, where it was planned")
    })?;
    Ok(IntakeAsk::SetWindow {
        id: Some(window.id),
        reason,
        services: window.services,
        targets: window.targets,
        when,
        matchers: None,
    })
}

/// End a silence: what still fails is paged for
///
/// Planned work is shown as a silence too: to end it needs what it needs where it was planned, for a token that has scopes the scope
/// `settings`.
#[utoipa::path(delete, path = "/api/v2/silence/{silence_id}", tag = "fronts", params(("silence_id" = String, Path)),
    responses((status = 200), (status = 400, content_type = "application/json", body = String), (status = 404), (status = 422)))]
pub(crate) async fn delete_silence(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let id = id_in_path(&id)?.ok_or_else(not_found)?;
    let own = app.clone();
    let work = async move { end_in_turn(&own, &caller, id).await };
    App::in_turn(&app.inner().roster_changes, work).await?;
    Ok(StatusCode::OK)
}

/// Ends a silence, in the turn of the roster: it may have been planned anew since.
async fn end_in_turn(app: &App, caller: &Caller, id: MaintenanceId) -> Result<(), Refusal> {
    may_change(app, caller, id)?;
    let ask = Ask::Intake(IntakeAsk::ExpireWindow(id));
    match app.ask(&caller.actor, ask).await {
        Ok(_) => Ok(()),
        Err(problem) if problem.status() == StatusCode::NOT_FOUND => Err(not_found().into()),
        Err(problem) => Err(problem.into()),
    }
}
