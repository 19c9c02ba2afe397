//! Log entries: what happened to incidents, event by event, of one incident, of all, and of a person.

use serde_json::json;
use tocsin_domain::id::IncidentId;
use tocsin_wire::pagerduty::rest::{Refusal, id};

use super::asked::{Asked, Path};
use super::include::Named;
use super::log_shape::{Wanted, shown};
use super::log_walk::{Found, Walk};
use super::lookup;
use super::parameters::{LogEntries, LogEntryInclude, Page, Zone};
use super::reply::{Answer, Refused, Reply};
use super::users::named;
use crate::http::problem::Problem;

/// What can be shown wholly, and where it stands, besides what is told in channels.
pub(super) const INCLUDED: &[Named] = &[
    ("incidents", &["incident"]),
    ("services", &["service"]),
    ("teams", &["teams"]),
    ("users", &["agent"]),
    ("users", &["user"]),
    ("users", &["assignees"]),
];

fn wanted(asked: &Asked) -> Result<Wanted, Refused> {
    Ok(Wanted {
        person: None,
        since: asked.time("since")?,
        until: asked.time("until")?,
        teams: asked.parameters.ids("team_ids")?,
        overview: asked.parameters.flag("is_overview")?,
    })
}

/// The page of the entries that are wanted, of one incident or of all, newest first.
async fn page(asked: &Asked, incident: Option<IncidentId>, wanted: Wanted) -> Answer {
    let paging = asked.paging()?;
    let (app, place) = (asked.app.clone(), asked.place.clone());
    let look = move || -> Result<_, Problem> {
        let walk = app.read(|state| Walk::new(state, incident, &wanted));
        let mut found = Found::new(paging);
        let stopped_at = walk.each_block(app.events.as_ref(), |events| {
            app.read(|state| {
                let within = events.iter().rev().filter(|event| wanted.spans(event));
                let mut entries = within.filter_map(|event| shown(&place, state, event, &wanted));
                entries.try_for_each(|entry| found.meet(entry))
            })
        })?;
        Ok((found, stopped_at))
    };
    let (found, stopped_at) = asked.app.walked(look).await?;
    let mut cut = found.cut(stopped_at)?;
    asked.channels(&mut cut.items).await?;
    cut.items = asked.included(cut.items, INCLUDED).await?;
    Ok(Reply::page(paging, "log_entries", cut))
}

/// Log entries of an incident, newest first
#[utoipa::path(get, path = "/incidents/{id}/log_entries", tag = "fronts", params(("id" = String, Path), Page, LogEntries, Zone),
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn list_incident_log_entries(Path(id): Path<String>, asked: Asked) -> Answer {
    let asked = asked.zoned()?;
    let incident = lookup::incident(&asked.app, &id)?;
    let wanted = wanted(&asked)?;
    page(&asked, Some(incident), wanted).await
}

/// Log entries of all incidents, newest first; one answer looks at 200000 events
#[utoipa::path(get, path = "/log_entries", tag = "fronts", params(Page, LogEntries, Zone),
    responses((status = 200, body = Object), (status = 400, body = Object)))]
pub(crate) async fn list_log_entries(asked: Asked) -> Answer {
    let asked = asked.zoned()?;
    let wanted = wanted(&asked)?;
    page(&asked, None, wanted).await
}

/// Log entries of what a person did, was told of or was given, newest first; one answer looks at 200000 events
#[utoipa::path(get, path = "/users/{id}/log_entries", tag = "fronts", params(("id" = String, Path), Page, LogEntries, Zone),
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn list_user_log_entries(Path(id): Path<String>, asked: Asked) -> Answer {
    let asked = asked.zoned()?;
    let person = named(&asked, &id)?.id;
    let wanted = Wanted {
        person: Some(person),
        ..wanted(&asked)?
    };
    page(&asked, None, wanted).await
}

/// One log entry
#[utoipa::path(get, path = "/log_entries/{id}", tag = "fronts", params(("id" = String, Path), LogEntryInclude, Zone),
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn get_log_entry(Path(entry): Path<String>, asked: Asked) -> Answer {
    let asked = asked.zoned()?;
    let missing = || Refusal::no_such("log entry");
    let position = id::position_of(&entry).ok_or_else(missing)?;
    let event = asked
        .app
        .blocking(move |parts| parts.events.at(position))
        .await?;
    let event = event.ok_or_else(missing)?;
    let found = asked
        .app
        .read(|state| shown(&asked.place, state, &event, &Wanted::default()));
    let mut found = found.ok_or_else(missing)?;
    asked.channels(std::slice::from_mut(&mut found)).await?;
    let found = asked.included_one(found, INCLUDED).await?;
    Ok(Reply::Done(json!({ "log_entry": found })))
}
