//! Maintenance windows of services, once. Those that come again and again, and those of single targets, are shown as they are
//! next and changed elsewhere.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tocsin_domain::command::{Ask, IntakeAsk};
use tocsin_domain::event::{Actor, IntakeEvent, RosterEvent};
use tocsin_domain::id::{MaintenanceId, ServiceId, TeamId};
use tocsin_domain::intake::{When, Window};
use tocsin_domain::oncall::Span;
use tocsin_domain::people::Role;
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;
use tocsin_wire::pagerduty::rest::called::Noun;
use tocsin_wire::pagerduty::rest::roster as bodies;
use tocsin_wire::pagerduty::rest::{Refusal, time};

use super::asked::{Asked, Path};
use super::include::Named;
use super::lookup;
use super::parameters;
use super::place::whole;
use super::reply::{Answer, Refused, Reply, refusing};
use crate::http::roster::{lost, set_in_turn};

/// The reason of work of which none is said.
const NO_REASON: &str = "maintenance";

/// What can be shown wholly, and where it stands.
pub(super) const INCLUDED: &[Named] = &[
    ("services", &["services"]),
    ("teams", &["teams"]),
    ("users", &["created_by"]),
];

/// When work is done, as seen from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Past,
    Future,
    Ongoing,
    Open,
    Any,
}

pub(super) const STANDINGS: [(&str, Standing); 5] = [
    ("past", Standing::Past),
    ("future", Standing::Future),
    ("ongoing", Standing::Ongoing),
    ("open", Standing::Open),
    ("all", Standing::Any),
];

/// The span that is shown: the work that is under way, else the next, else what a single one was.
fn span_of(window: &Window, now: Timestamp) -> Option<Span> {
    let single = match &window.when {
        When::Once { span } => {
            let ended = window.ended_at.filter(|ended| span.contains(*ended));
            Some(Span::new(span.from, ended.unwrap_or(span.until)))
        }
        When::Repeating { .. } => None,
    };
    let current = window.around(now).or_else(|| window.next(now));
    single.or(current)
}

/// The services that are worked on, without those that are gone.
fn services_of(state: &State, window: &Window) -> impl Iterator<Item = ServiceId> {
    let all = window.services.iter().copied();
    all.filter(|id| state.services.contains_key(id))
}

/// The teams whose services are worked on, also at single targets of theirs.
fn teams_of(state: &State, window: &Window) -> BTreeSet<TeamId> {
    let targets = window.targets.iter();
    let targets = targets.filter_map(|id| state.targets.get(id));
    let services = targets.map(|one| one.service);
    let services = services.chain(window.services.iter().copied());
    let known = services.filter_map(|id| state.services.get(&id));
    known.map(|one| state.team_of(one)).collect()
}

fn shown(asked: &Asked, state: &State, window: &Window, now: Timestamp) -> Value {
    let span = span_of(window, now);
    let services = services_of(state, window);
    let services = services.map(|id| asked.place.service(state, id));
    let teams = teams_of(state, window).into_iter();
    let teams = teams.map(|id| asked.place.team(state, id));
    let path = format!("maintenance_windows/{}", window.id);
    let head = asked.place.named(
        "maintenance_window",
        window.id.as_str(),
        &window.reason,
        &path,
        "targets/maintenance",
    );
    let more = json!({
        "sequence_number": null,
        "start_time": span.map(|span| time::written(span.from)),
        "end_time": span.map(|span| time::written(span.until)),
        "description": window.reason,
        "services": services.collect::<Vec<_>>(),
        "teams": teams.collect::<Vec<_>>(),
        "created_by": window.made_by.map(|user| asked.place.user(state, user)),
    });
    whole(head, "maintenance_window", more)
}

/// Maintenance windows
#[utoipa::path(get, path = "/maintenance_windows", tag = "fronts",
    params(parameters::Page, parameters::Services, parameters::Teams, parameters::Windows, parameters::WindowInclude),
    responses((status = 200, body = Object)))]
pub(crate) async fn list_maintenance_windows(asked: Asked) -> Answer {
    let paging = asked.paging()?;
    let now = asked.app.now();
    let services: Option<Vec<ServiceId>> = asked.parameters.ids("service_ids")?;
    let teams: Option<Vec<TeamId>> = asked.parameters.ids("team_ids")?;
    let filter = asked.parameters.word("filter", &STANDINGS)?;
    let query = asked.parameters.get("query").map(str::to_lowercase);
    let mut found: Vec<(Option<Timestamp>, Value)> = asked.app.read(|state| {
        let wanted = |window: &&Window| {
            let ongoing = window.around(now).is_some();
            let future = window.next(now).is_some();
            let of_time = match filter.unwrap_or(Standing::Any) {
                Standing::Past => !ongoing && !future,
                Standing::Future => future && !ongoing,
                Standing::Ongoing => ongoing,
                Standing::Open => ongoing || future,
                Standing::Any => true,
            };
            let of_teams = |set: &Vec<TeamId>| {
                let mut all = teams_of(state, window).into_iter();
                all.any(|team| set.contains(&team))
            };
            let of = |set: &Vec<ServiceId>| window.services.iter().any(|id| set.contains(id));
            of_time
                && services.as_ref().is_none_or(of)
                && teams.as_ref().is_none_or(of_teams)
                && query
                    .as_ref()
                    .is_none_or(|query| window.reason.to_lowercase().contains(query))
        };
        let windows = state.windows.values().filter(wanted);
        let begin = |window: &Window| span_of(window, now).map(|span| span.from);
        windows
            .map(|one| (begin(one), shown(&asked, state, one, now)))
            .collect()
    });
    found.sort_by_key(|(begin, _)| *begin);
    let found = found.into_iter().map(|(_, window)| window).collect();
    let mut cut = paging.cut(found);
    cut.items = asked.included(cut.items, INCLUDED).await?;
    Ok(Reply::page(paging, "maintenance_windows", cut))
}

/// The window that a path names, without what is gone.
fn named(asked: &Asked, id: &str) -> Result<Window, Refused> {
    let known = |state: &State, id: MaintenanceId| {
        let mut window = state.windows.get(&id)?.clone();
        window.services = services_of(state, &window).collect();
        Some(window)
    };
    lookup::in_path(&asked.app, "maintenance window", id, known)
}

async fn wrapped(asked: &Asked, window: &Window) -> Result<Value, Refused> {
    let now = asked.app.now();
    let shown = asked.app.read(|state| shown(asked, state, window, now));
    let shown = asked.included_one(shown, INCLUDED).await?;
    Ok(json!({ "maintenance_window": shown }))
}

/// One maintenance window
#[utoipa::path(get, path = "/maintenance_windows/{id}", tag = "fronts", params(("id" = String, Path), parameters::WindowInclude),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn get_maintenance_window(Path(id): Path<String>, asked: Asked) -> Answer {
    let known = named(&asked, &id)?;
    wrapped(&asked, &known).await.map(Reply::Done)
}

/// Plans work or changes this, in the turn of the roster.
async fn set(
    asked: &Asked,
    by: &Actor,
    body: bodies::Window,
    known: Option<Window>,
) -> Result<Window, Refused> {
    let repeats = |known: &Window| matches!(known.when, When::Repeating { .. });
    if known.as_ref().is_some_and(repeats) {
        return Err(Refusal::bad("it comes again and again: change it in Tocsin").into());
    }
    // As it is shown: what was ended does not begin again unless a new end is said.
    let now = asked.app.now();
    let before = known.as_ref().and_then(|known| span_of(known, now));
    let from = body.from.or_else(|| before.map(|span| span.from));
    let until = body.until.or_else(|| before.map(|span| span.until));
    let span = from.zip(until).map(|(from, until)| Span::new(from, until));
    let missing = "'maintenance_window.start_time' and 'end_time' are needed";
    let span = span.ok_or_else(|| Refusal::bad(missing))?;
    let services = asked.app.read(|state| {
        let named = body.services.as_ref().map(|ids| {
            let place = "maintenance_window.services";
            let ids = ids.iter().map(|id| lookup::service(state, place, id));
            ids.collect::<Result<Vec<_>, _>>()
        });
        named.transpose()
    })?;
    let reason = body
        .description
        .or_else(|| known.as_ref().map(|known| known.reason.clone()));
    let ask = IntakeAsk::SetWindow {
        id: known.as_ref().map(|known| known.id),
        reason: reason
            .filter(|reason| !reason.is_empty())
            .unwrap_or_else(|| NO_REASON.to_owned()),
        services: services
            .or_else(|| known.as_ref().map(|known| known.services.clone()))
            .unwrap_or_default(),
        targets: known.map(|known| known.targets).unwrap_or_default(),
        when: When::Once { span },
        matchers: None,
    };
    let event = set_in_turn(&asked.app, by, Ask::Intake(ask)).await;
    let event = event.map_err(refusing(Noun::Window))?;
    let RosterEvent::Intake(IntakeEvent::WindowSet { window }) = event else {
        return Err(lost().into());
    };
    Ok(window)
}

/// Plan work on services: alerts are recorded, nobody is paged
#[utoipa::path(post, path = "/maintenance_windows", tag = "fronts", request_body = Object,
    responses((status = 201, body = Object), (status = 400, body = Object)))]
pub(crate) async fn add_maintenance_window(asked: Asked) -> Answer {
    let body = bodies::window(&asked.body)?;
    let by = asked.author(Role::Responder).await?;
    let made = asked.in_turn(|own| async move { set(&own, &by, body, None).await });
    let made = made.await?;
    wrapped(&asked, &made).await.map(Reply::Created)
}

/// Change planned work
#[utoipa::path(put, path = "/maintenance_windows/{id}", tag = "fronts", params(("id" = String, Path)),
    request_body = Object, responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn change_maintenance_window(Path(id): Path<String>, asked: Asked) -> Answer {
    // Who names no window is told that, whatever else they say.
    named(&asked, &id)?;
    let body = bodies::window(&asked.body)?;
    let by = asked.author(Role::Responder).await?;
    let made = asked.in_turn(|own| async move {
        let known = named(&own, &id)?;
        set(&own, &by, body, Some(known)).await
    });
    let made = made.await?;
    wrapped(&asked, &made).await.map(Reply::Done)
}

/// Call planned work off, or end what is under way; what is over stays
#[utoipa::path(delete, path = "/maintenance_windows/{id}", tag = "fronts", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Object), (status = 405, body = Object)))]
pub(crate) async fn remove_maintenance_window(Path(id): Path<String>, asked: Asked) -> Answer {
    let removed = asked.in_turn(|own| async move { removed(&own, &id).await });
    removed.await?;
    Ok(Reply::Empty)
}

/// Calls this work off or ends it, in the turn of the roster.
async fn removed(asked: &Asked, id: &str) -> Result<(), Refused> {
    let known = named(asked, id)?;
    let now = asked.app.now();
    let ask = match (known.around(now), &known.when) {
        (Some(_), When::Once { .. }) => IntakeAsk::EndWindow(known.id),
        (None, When::Once { span }) if span.from <= now => {
            let why = "the maintenance window is over, and stays as it was";
            let refusal = Refusal::method_not_allowed(why);
            return Err(refusal.allowing("GET,HEAD,PUT").into());
        }
        (_, When::Once { .. } | When::Repeating { .. }) => IntakeAsk::RemoveWindow(known.id),
    };
    asked.app.ask(&asked.caller.actor, Ask::Intake(ask)).await?;
    Ok(())
}
