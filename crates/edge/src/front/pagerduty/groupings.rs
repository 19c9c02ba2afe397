//! Alert grouping settings: how the alerts of a service are grouped, under an id and a name of its own. Each is of one service, and is
//! there as long as its alerts are grouped, whoever said that they shall be.

use serde_json::{Value, json};
use tocsin_domain::command::{Ask, RosterAsk};
use tocsin_domain::id::ServiceId;
use tocsin_domain::intake::{GroupBy, GroupingLabel};
use tocsin_domain::service::{Service, WholeService};
use tocsin_domain::state::State;
use tocsin_wire::pagerduty::rest::Refusal;
use tocsin_wire::pagerduty::rest::grouping_setting::{self as bodies, Setting};
use tocsin_wire::pagerduty::rest::paging::limit_of;

use super::asked::{Asked, Path};
use super::lookup;
use super::parameters;
use super::place::Place;
use super::reply::{Answer, Refused, Reply};
use crate::http::roster::set_in_turn;

/// Where the list of services stands in a body.
const SERVICES: &str = "alert_grouping_setting.services";
/// Where the cursors stand in the parameters.
pub(super) const AFTER: &str = "after";
pub(super) const BEFORE: &str = "before";

/// A setting; none where alerts are not grouped.
fn shown(place: &Place, known: &Service) -> Option<Value> {
    let (kind, config) = bodies::shown(&known.intake.grouping)?;
    let label = known.intake.grouping_label.as_ref();
    let name = label.map_or(&known.name, |label| &label.name);
    let mut service = Value::from(place.known_service(known));
    service["name"] = json!(known.name);
    Some(json!({
        "id": bodies::id_of(known.id),
        "name": name,
        "description": label.map_or("", |label| label.description.as_str()),
        "type": kind,
        "config": config,
        "services": [service],
        "created_at": null,
        "updated_at": null,
    }))
}

fn wrapped(place: &Place, known: &Service) -> Result<Value, Refused> {
    let shown = shown(place, known).ok_or_else(missing)?;
    Ok(json!({ "alert_grouping_setting": shown }))
}

fn missing() -> Refusal {
    Refusal::no_such("alert grouping setting")
}

/// The service whose setting a path names.
fn named(state: &State, id: &str) -> Result<Service, Refused> {
    let known = bodies::service_of(id).and_then(|id| state.services.get(&id));
    let known = known.filter(|known| known.intake.grouping != GroupBy::Nothing);
    Ok(known.cloned().ok_or_else(missing)?)
}

/// Which part of all settings, in the order of their ids, is the page that comes after or before an id. The setting with that id may be
/// gone by now.
fn page_of(all: &[ServiceId], asked: &Asked, limit: usize) -> Result<(usize, usize), Refusal> {
    let named = |name: &str| -> Result<Option<ServiceId>, Refusal> {
        let Some(id) = asked.parameters.get(name) else {
            return Ok(None);
        };
        let wrong = || Refusal::bad(format!("'{name}' is invalid: {id:?} is no id of a setting"));
        bodies::service_of(id).map(Some).ok_or_else(wrong)
    };
    let after = named(AFTER)?.map(|id| all.partition_point(|known| *known <= id));
    let before = named(BEFORE)?.map(|id| all.partition_point(|known| *known < id));
    let end = before.unwrap_or(all.len());
    let begin = match (after, before) {
        (Some(after), _) => after,
        (None, Some(before)) => before.saturating_sub(limit),
        (None, None) => 0,
    };
    Ok((begin.min(end), end.min(begin + limit)))
}

/// How the alerts of services are grouped
#[utoipa::path(get, path = "/alert_grouping_settings", tag = "fronts",
    params(parameters::GroupingPage, parameters::Services), responses((status = 200, body = Object), (status = 400, body = Object)))]
pub(crate) async fn list_alert_grouping_settings(asked: Asked) -> Answer {
    let services: Option<Vec<ServiceId>> = asked.parameters.ids("service_ids")?;
    let limit = limit_of(&asked.parameters)?;
    let counted = asked.parameters.flag("total")?;
    let all: Vec<ServiceId> = asked.app.read(|state| {
        let grouped = state.services.values().filter(|one| {
            one.intake.grouping != GroupBy::Nothing
                && services.as_ref().is_none_or(|set| set.contains(&one.id))
        });
        grouped.map(|one| one.id).collect()
    });
    let (begin, end) = page_of(&all, &asked, limit)?;
    let settings: Vec<Value> = asked.app.read(|state| {
        let known = all[begin..end]
            .iter()
            .filter_map(|id| state.services.get(id));
        known
            .filter_map(|known| shown(&asked.place, known))
            .collect()
    });
    let last = all[begin..end].last().filter(|_| end < all.len());
    let first = all[begin..end].first().filter(|_| begin > 0);
    Ok(Reply::Done(json!({
        "alert_grouping_settings": settings,
        "limit": limit,
        "total": counted.then_some(all.len()),
        "after": last.copied().map(bodies::id_of),
        "before": first.copied().map(bodies::id_of),
    })))
}

/// How the alerts of one service are grouped
#[utoipa::path(get, path = "/alert_grouping_settings/{id}", tag = "fronts", params(("id" = String, Path)),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn get_alert_grouping_setting(Path(id): Path<String>, asked: Asked) -> Answer {
    let known = asked.app.read(|state| named(state, &id))?;
    wrapped(&asked.place, &known).map(Reply::Done)
}

/// The one service of a setting.
fn only(services: Vec<String>) -> Result<String, Refusal> {
    let mut services = services.into_iter();
    match (services.next(), services.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(Refusal::bad(format!("'{SERVICES}' is missing or empty"))),
        (Some(_), Some(_)) => Err(Refusal::bad(format!(
            "'{SERVICES}' is not supported: alerts of one service are grouped, and not those of several together; make a setting for each"
        ))),
    }
}

/// What a setting is called from now on, where a body says something of that.
fn label(before: GroupingLabel, setting: &Setting) -> GroupingLabel {
    let (name, description) = (setting.name.clone(), setting.description.clone());
    GroupingLabel {
        name: name.unwrap_or(before.name),
        description: description.unwrap_or(before.description),
    }
}

/// Says how the alerts of a service are grouped from now on, in the turn of the roster.
async fn set(
    asked: &Asked,
    known: &Service,
    grouping: Option<GroupBy>,
    label: Option<GroupingLabel>,
) -> Result<Service, Refused> {
    let whole = WholeService {
        id: Some(known.id),
        grouping,
        grouping_label: label,
        ..WholeService::default()
    };
    let ask = Ask::Roster(RosterAsk::SetWholeService(Box::new(whole)));
    set_in_turn(&asked.app, &asked.caller.actor, ask).await?;
    let current = asked
        .app
        .read(|state| state.services.get(&known.id).cloned());
    Ok(current.ok_or_else(missing)?)
}

/// Group the alerts of a service
#[utoipa::path(post, path = "/alert_grouping_settings", tag = "fronts", request_body = Object,
    responses((status = 201, body = Object), (status = 400, body = Object)))]
pub(crate) async fn add_alert_grouping_setting(asked: Asked) -> Answer {
    let made = asked.in_turn(|own| async move {
        let setting = bodies::setting(&own.body, None)?;
        let service = only(setting.services.clone().unwrap_or_default())?;
        let known = own.app.read(|state| -> Result<Service, Refused> {
            let id = lookup::service(state, SERVICES, &service)?;
            let known = state.services.get(&id).cloned();
            Ok(known.ok_or_else(missing)?)
        })?;
        if known.intake.grouping != GroupBy::Nothing {
            let id = bodies::id_of(known.id);
            let why = format!("'{SERVICES}' is invalid: the service has the setting {id} already");
            return Err(Refusal::bad(why).into());
        }
        let label = label(GroupingLabel::default(), &setting);
        set(&own, &known, setting.grouping, Some(label)).await
    });
    let made = made.await?;
    wrapped(&asked.place, &made).map(Reply::Created)
}

/// Group the alerts of a service otherwise
#[utoipa::path(put, path = "/alert_grouping_settings/{id}", tag = "fronts", params(("id" = String, Path)), request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn change_alert_grouping_setting(Path(id): Path<String>, asked: Asked) -> Answer {
    let made = asked.in_turn(|own| async move {
        let known = own.app.read(|state| named(state, &id))?;
        let setting = bodies::setting(&own.body, Some(&known.intake.grouping))?;
        let service = setting.services.clone().map(only).transpose()?;
        if service.is_some_and(|service| service != known.id.as_str()) {
            let why = format!(
                "'{SERVICES}' is not supported: a setting stays with its service; remove it, and make one for the other"
            );
            return Err(Refusal::bad(why).into());
        }
        let is_called = setting.name.is_some() || setting.description.is_some();
        let label = is_called.then(|| {
            // What nobody has named is called as its service is.
            let unnamed = || GroupingLabel {
                name: known.name.clone(),
                description: String::new(),
            };
            let before = known.intake.grouping_label.clone();
            label(before.unwrap_or_else(unnamed), &setting)
        });
        set(&own, &known, setting.grouping, label).await
    });
    let made = made.await?;
    wrapped(&asked.place, &made).map(Reply::Done)
}

/// Let each alert of a service have its own incident
#[utoipa::path(delete, path = "/alert_grouping_settings/{id}", tag = "fronts", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Object)))]
pub(crate) async fn remove_alert_grouping_setting(Path(id): Path<String>, asked: Asked) -> Answer {
    let gone = asked.in_turn(|own| async move {
        let known = own.app.read(|state| named(state, &id))?;
        set(&own, &known, Some(GroupBy::Nothing), None).await
    });
    gone.await?;
    Ok(Reply::Empty)
}
