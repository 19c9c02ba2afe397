//! Maintenance windows: of several services and targets, once or again and again.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use tocsin_domain::command::{Ask, IntakeAsk};
use tocsin_domain::event::{IntakeEvent, RosterEvent};
use tocsin_domain::id::MaintenanceId;
use tocsin_domain::intake::{LabelMatcher, LabelTest, MATCHERS_MAX, When, Window};
use tocsin_domain::oncall::{RepeatUnit, Repeating, Span};
use tocsin_domain::state;
use tocsin_domain::time::Timestamp;
use utoipa::ToSchema;

use super::set_in;
use crate::access::who::Caller;
use crate::app::App;
use crate::http::body::{Json as Body, Params};
use crate::http::named::in_path;
use crate::http::page::{Page, PageQuery};
use crate::http::problem::Problem;
use crate::http::roster::{asked, lost};
use crate::http::shape::{Id, Instant, Named, named_service, named_target};

/// In what repetitions are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum UnitWord {
    Days,
    Weeks,
}

/// Work that comes again at the same civil time.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RepeatShape {
    /// An IANA zone.
    time_zone: String,
    /// When the first begins by the clocks there: `2026-12-05T22:00`.
    first: String,
    /// How long each lasts.
    #[schema(minimum = 1)]
    minutes: u32,
    /// Every so many days or weeks.
    #[schema(minimum = 1, maximum = 366)]
    every: u16,
    unit: UnitWord,
    /// None begins from then on.
    until: Option<Instant>,
}

/// How the value of a label is compared: `=` and `!=` with a text, `=~` and `!~` with a regular expression that must fit the
/// whole of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) enum MatcherOperator {
    #[serde(rename = "=")]
    Equals,
    #[serde(rename = "!=")]
    Differs,
    #[serde(rename = "=~")]
    Fits,
    #[serde(rename = "!~")]
    Misfits,
}

/// A condition on a label of an alert. A label that is missing counts as empty.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MatcherShape {
    name: String,
    operator: MatcherOperator,
    value: String,
}

impl From<&LabelMatcher> for MatcherShape {
    fn from(matcher: &LabelMatcher) -> Self {
        Self {
            name: matcher.name.clone(),
            operator: match matcher.test {
                LabelTest::Equals => MatcherOperator::Equals,
                LabelTest::Differs => MatcherOperator::Differs,
                LabelTest::Fits => MatcherOperator::Fits,
                LabelTest::Misfits => MatcherOperator::Misfits,
            },
            value: matcher.value.clone(),
        }
    }
}

/// Work to plan: `from` and `until`, or `repeat`; of services, targets or alerts with some labels.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WindowRequest {
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
    #[serde(default)]
    #[schema(value_type = Vec<Id>, max_items = 100)]
    service_ids: Vec<String>,
    #[serde(default)]
    #[schema(value_type = Vec<Id>, max_items = 100)]
    target_ids: Vec<String>,
    from: Option<Instant>,
    until: Option<Instant>,
    repeat: Option<RepeatShape>,
    /// Alerts that are covered besides, by their labels: each must hold for one, 64 at most. Left out, those of known work stay;
    /// an empty list takes them away.
    #[schema(max_items = 64)]
    matchers: Option<Vec<MatcherShape>>,
}

/// Planned work: alerts are recorded, nobody is paged.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct MaintenanceWindow {
    id: String,
    reason: String,
    services: Vec<Named>,
    targets: Vec<Named>,
    /// Whether work is under way.
    active: bool,
    /// Of the work that is under way, else of the next; null when none is left.
    from: Option<Instant>,
    /// When that is over.
    until: Option<Instant>,
    repeat: Option<RepeatShape>,
    /// Conditions on labels: an alert is covered when each holds. Empty for work on services and targets alone.
    matchers: Vec<MatcherShape>,
    /// Who made it: by their own account, when it came by Alertmanager's API, else the person's name.
    created_by: Option<String>,
}

fn shown(state: &state::State, window: &Window, now: Timestamp) -> MaintenanceWindow {
    let around = window.around(now);
    let span = around.or_else(|| window.next(now));
    let services = window.services.iter();
    let targets = window.targets.iter();
    MaintenanceWindow {
        id: window.id.to_string(),
        reason: window.reason.clone(),
        services: services.map(|id| named_service(state, *id)).collect(),
        targets: targets.map(|id| named_target(state, *id)).collect(),
        active: around.is_some(),
        from: span.map(|span| Instant(span.from)),
        until: span.map(|span| Instant(span.until)),
        repeat: match &window.when {
            When::Once { .. } => None,
            When::Repeating { work } => Some(RepeatShape {
                time_zone: work.time_zone.clone(),
                first: work.first.to_string(),
                minutes: work.minutes,
                every: work.every,
                unit: match work.unit {
                    RepeatUnit::Days => UnitWord::Days,
                    RepeatUnit::Weeks => UnitWord::Weeks,
                },
                until: work.until.map(Instant),
            }),
        },
        matchers: window.silence.as_ref().map_or_else(Vec::new, |silence| {
            silence.matchers.iter().map(MatcherShape::from).collect()
        }),
        created_by: window.maker(state).map(str::to_owned),
    }
}

fn when_of(request: &WindowRequest) -> Result<When, Problem> {
    match (&request.from, &request.until, &request.repeat) {
        (Some(from), Some(until), None) => Ok(When::Once {
            span: Span::new(from.0, until.0),
        }),
        (None, None, Some(repeat)) => {
            let wrong = |error| Problem::bad(format!("repeat.first: {error}"));
            Ok(When::Repeating {
                work: Repeating {
                    time_zone: repeat.time_zone.clone(),
                    first: repeat.first.parse().map_err(wrong)?,
                    minutes: repeat.minutes,
                    every: repeat.every,
                    unit: match repeat.unit {
                        UnitWord::Days => RepeatUnit::Days,
                        UnitWord::Weeks => RepeatUnit::Weeks,
                    },
                    until: repeat.until.map(|until| until.0),
                },
            })
        }
        (_, _, _) => Err(Problem::bad("give from and until, or repeat alone")),
    }
}

fn matchers_of(given: Vec<MatcherShape>) -> Result<Vec<LabelMatcher>, Problem> {
    // Before their patterns are compiled.
    if given.len() > MATCHERS_MAX {
        return Err(Problem::bad(format!("matchers: at most {MATCHERS_MAX}")));
    }
    let read = given.into_iter().enumerate().map(|(index, one)| {
        let test = match one.operator {
            MatcherOperator::Equals => LabelTest::Equals,
            MatcherOperator::Differs => LabelTest::Differs,
            MatcherOperator::Fits => LabelTest::Fits,
            MatcherOperator::Misfits => LabelTest::Misfits,
        };
        LabelMatcher::new(one.name, test, one.value)
            .map_err(|why| Problem::bad(format!("matchers[{index}]: {why}")))
    });
    read.collect()
}

fn ids<T: std::str::FromStr>(field: &str, given: &[String]) -> Result<Vec<T>, Problem> {
    let read = given.iter().map(|id| {
        id.parse()
            .map_err(|_| Problem::bad(format!("{field}: {id:?} is not an id")))
    });
    read.collect()
}

fn window_named(id: &str) -> Result<MaintenanceId, Problem> {
    id.parse()
        .map_err(|_| Problem::not_found(&format!("maintenance window {id}")))
}

async fn set_window(
    app: &App,
    caller: &Caller,
    id: Option<MaintenanceId>,
    request: WindowRequest,
) -> Result<Json<MaintenanceWindow>, Problem> {
    let ask = IntakeAsk::SetWindow {
        id,
        services: ids("service_ids", &request.service_ids)?,
        targets: ids("target_ids", &request.target_ids)?,
        when: when_of(&request)?,
        matchers: request.matchers.map(matchers_of).transpose()?,
        reason: request.reason,
    };
    let event = set_in(app, caller, ask).await?;
    let RosterEvent::Intake(IntakeEvent::WindowSet { window }) = event else {
        return Err(lost());
    };
    let now = app.now();
    Ok(Json(app.read(|state| shown(state, &window, now))))
}

/// Maintenance windows
#[utoipa::path(get, path = "/api/tocsin/v1/maintenance-windows", tag = "oncall", params(PageQuery),
    responses((status = 200, body = Page<MaintenanceWindow>)))]
pub(crate) async fn list_windows(
    State(app): State<App>,
    Params(page): Params<PageQuery>,
) -> Result<Json<Page<MaintenanceWindow>>, Problem> {
    let now = app.now();
    let all: Vec<MaintenanceWindow> = app.read(|state| {
        let windows = state.windows.values();
        windows.map(|window| shown(state, window, now)).collect()
    });
    page.cut(all, |one| one.id.as_str()).map(Json)
}

/// One maintenance window
#[utoipa::path(get, path = "/api/tocsin/v1/maintenance-windows/{id}", tag = "oncall", params(("id" = String, Path)),
    responses((status = 200, body = MaintenanceWindow), (status = 404)))]
pub(crate) async fn get_window(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<MaintenanceWindow>, Problem> {
    let now = app.now();
    let shown = |state: &state::State, id: MaintenanceId| {
        let window = state.windows.get(&id)?;
        Some(shown(state, window, now))
    };
    in_path(&app, "maintenance window", &id, shown).map(Json)
}

/// Plan work on services, targets or alerts with some labels: alerts are recorded, nobody is paged
#[utoipa::path(post, path = "/api/tocsin/v1/maintenance-windows", tag = "oncall", request_body = WindowRequest,
    responses((status = 201, body = MaintenanceWindow), (status = 400)))]
pub(crate) async fn add_window(
    State(app): State<App>,
    caller: Caller,
    Body(request): Body<WindowRequest>,
) -> Result<impl IntoResponse, Problem> {
    let set = set_window(&app, &caller, None, request).await?;
    Ok((StatusCode::CREATED, set))
}

/// Change planned work
#[utoipa::path(put, path = "/api/tocsin/v1/maintenance-windows/{id}", tag = "oncall", params(("id" = String, Path)),
    request_body = WindowRequest, responses((status = 200, body = MaintenanceWindow), (status = 400), (status = 404)))]
pub(crate) async fn replace_window(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<WindowRequest>,
) -> Result<Json<MaintenanceWindow>, Problem> {
    set_window(&app, &caller, Some(window_named(&id)?), request).await
}

/// End work early: what still fails is paged for
#[utoipa::path(post, path = "/api/tocsin/v1/maintenance-windows/{id}/end", tag = "oncall", params(("id" = String, Path)),
    responses((status = 204), (status = 404), (status = 409, description = "No work of it is under way")))]
pub(crate) async fn end_window(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let ask = IntakeAsk::EndWindow(window_named(&id)?);
    asked(&app, &caller.actor, Ask::Intake(ask)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Remove a maintenance window: what still fails is paged for
#[utoipa::path(delete, path = "/api/tocsin/v1/maintenance-windows/{id}", tag = "oncall", params(("id" = String, Path)),
    responses((status = 204), (status = 404)))]
pub(crate) async fn remove_window(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let ask = IntakeAsk::RemoveWindow(window_named(&id)?);
    app.ask(&caller.actor, Ask::Intake(ask)).await?;
    Ok(StatusCode::NO_CONTENT)
}
