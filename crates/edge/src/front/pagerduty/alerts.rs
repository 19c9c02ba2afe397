//! Alerts of an incident: read, and ended by whoever may answer for them. What Tocsin itself sees failing cannot be talked well.

use std::cmp::Ordering;
use std::slice;

use serde_json::{Value, json};
use tocsin_domain::alert::Alert;
use tocsin_domain::command::{AlertAsk, Ask};
use tocsin_domain::id::{AlertId, IncidentId};
use tocsin_domain::people::Role;
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;
use tocsin_wire::pagerduty::rest::incident::{self as bodies, AlertUpdate, Status};
use tocsin_wire::pagerduty::rest::{Refusal, in_order, time};

use super::asked::{Asked, Path};
use super::carried::Carried;
use super::include::Named;
use super::lookup;
use super::parameters;
use super::place::Place;
use super::reply::{Answer, Refused, Reply};
use crate::http::incident::alert::end;

/// What a list of alerts is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Created,
    Resolved,
}

pub(super) const SORTS: [(&str, Sort); 2] = [
    ("created_at", Sort::Created),
    ("resolved_at", Sort::Resolved),
];

/// Whether an alert with this status fails.
pub(super) const STATUSES: [(&str, bool); 2] = [("triggered", true), ("resolved", false)];

/// What can be shown wholly, and where it stands.
pub(super) const INCLUDED: &[Named] = &[("services", &["service"]), ("incidents", &["incident"])];

/// An alert, with where in the journal the log entry is by which it began, if that is known.
fn shown(state: &State, place: &Place, alert: &Alert, begin: Option<u64>) -> Value {
    let path = Place::alert_path(alert.incident, alert.id);
    let page = format!("incidents/{}", alert.incident);
    let head = place.named("alert", alert.id.as_str(), &alert.title, &path, &page);
    let integration = alert.source.integration();
    let integration = integration.map(|known| place.integration(state, known));
    let trigger = begin.map(|position| Value::from(place.trigger(alert.incident, position)));
    let status = if alert.is_firing() {
        "triggered"
    } else {
        "resolved"
    };
    let more = json!({
        "created_at": time::written(alert.opened_at),
        "updated_at": time::written(alert.recovered_at.or(alert.heard_at).unwrap_or(alert.opened_at)),
        "resolved_at": alert.recovered_at.map(time::written),
        "status": status,
        "alert_key": alert.dedup_key,
        "severity": alert.severity.word(),
        "suppressed": alert.suppressed().is_some(),
        "service": place.service(state, alert.service),
        "incident": place.incident(state, alert.incident),
        "first_trigger_log_entry": trigger,
        "integration": integration,
        "body": Carried::by(state, alert).body(alert),
    });
    super::place::whole(head, "alert", more)
}

/// How two alerts stand in the order that is wanted; what is equal in it stays as it is.
fn order(sorts: &[(Sort, bool)], one: &Alert, other: &Alert) -> Ordering {
    in_order(sorts, |sort| match sort {
        Sort::Created => one.opened_at.cmp(&other.opened_at),
        Sort::Resolved => one.recovered_at.cmp(&other.recovered_at),
    })
}

/// Alerts of an incident
#[utoipa::path(get, path = "/incidents/{id}/alerts", tag = "fronts",
    params(("id" = String, Path), parameters::Page, parameters::Alerts, parameters::AlertInclude),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn list_alerts(Path(id): Path<String>, asked: Asked) -> Answer {
    let incident = lookup::incident(&asked.app, &id)?;
    let paging = asked.paging()?;
    let firing = asked.parameters.words("statuses", &STATUSES)?;
    let sorts = asked.parameters.sorts(&SORTS)?;
    let key = asked.parameters.get("alert_key");
    let cut = asked.app.read(|state| {
        let of = state.incidents.get(&incident);
        let ids = of.map_or(&[][..], |one| one.alerts.as_slice());
        let known = ids.iter().filter_map(|id| state.alerts.get(id));
        let wanted = |alert: &&Alert| {
            let firing = firing.as_ref();
            let of_status = firing.is_none_or(|set| set.contains(&alert.is_firing()));
            of_status && key.is_none_or(|key| alert.dedup_key == key)
        };
        let mut found: Vec<&Alert> = known.filter(wanted).collect();
        found.sort_by(|one, other| order(&sorts, one, other));
        let cut = paging.cut(found);
        cut.map(|one| Some(one.id))
    });
    let begins = asked.begins(incident, cut.items.iter().copied()).await?;
    let mut cut = asked.app.read(|state| {
        cut.map(|id| {
            let alert = state.alerts.get(&id)?;
            Some(shown(state, &asked.place, alert, begins.get(&id).copied()))
        })
    });
    cut.items = asked.included(cut.items, INCLUDED).await?;
    asked.first_entries(&mut cut.items).await?;
    Ok(Reply::page(paging, "alerts", cut))
}

/// One alert
#[utoipa::path(get, path = "/incidents/{id}/alerts/{alert_id}", tag = "fronts",
    params(("id" = String, Path), ("alert_id" = String, Path), parameters::AlertInclude),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn get_alert(Path((id, alert)): Path<(String, String)>, asked: Asked) -> Answer {
    let incident = lookup::incident(&asked.app, &id)?;
    let alert = asked
        .app
        .read(|state| lookup::alert(state, incident, &alert))?;
    let shown = one(&asked, incident, alert).await?;
    let mut shown = asked.included_one(shown, INCLUDED).await?;
    asked.first_entries(slice::from_mut(&mut shown)).await?;
    Ok(Reply::Done(json!({ "alert": shown })))
}

async fn one(asked: &Asked, incident: IncidentId, alert: AlertId) -> Result<Value, Refused> {
    let mut all = several(asked, incident, &[alert]).await?;
    Ok(all.pop().unwrap_or_default())
}

/// These alerts of an incident, which must be there.
async fn several(
    asked: &Asked,
    incident: IncidentId,
    alerts: &[AlertId],
) -> Result<Vec<Value>, Refused> {
    let begins = asked.begins(incident, alerts.iter().copied()).await?;
    let found: Option<Vec<Value>> = asked.app.read(|state| {
        let each = alerts.iter().map(|id| {
            let alert = state.alerts.get(id)?;
            Some(shown(state, &asked.place, alert, begins.get(id).copied()))
        });
        each.collect()
    });
    Ok(found.ok_or_else(|| Refusal::no_such("alert"))?)
}

/// End an alert
#[utoipa::path(put, path = "/incidents/{id}/alerts/{alert_id}", tag = "fronts",
    params(("id" = String, Path), ("alert_id" = String, Path)), request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn update_alert(
    Path((id, alert)): Path<(String, String)>,
    asked: Asked,
) -> Answer {
    let incident = lookup::incident(&asked.app, &id)?;
    let alert = asked
        .app
        .read(|state| lookup::alert(state, incident, &alert))?;
    let update = bodies::alert(&asked.body)?;
    carry_out(&asked, incident, &[(alert, update)]).await?;
    let shown = one(&asked, incident, alert).await?;
    Ok(Reply::Done(json!({ "alert": shown })))
}

/// End several alerts
#[utoipa::path(put, path = "/incidents/{id}/alerts", tag = "fronts", params(("id" = String, Path)), request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn update_alerts(Path(id): Path<String>, asked: Asked) -> Answer {
    let incident = lookup::incident(&asked.app, &id)?;
    let updates = bodies::alerts(&asked.body)?;
    let named = asked.app.read(|state| {
        let named = updates.into_iter().enumerate().map(|(index, update)| {
            let place = format!("alerts[{index}].id");
            let id = update.id.clone().unwrap_or_default();
            let alert = lookup::alert_in_body(state, incident, &place, &id)?;
            Ok::<_, Refused>((alert, update))
        });
        named.collect::<Result<Vec<_>, _>>()
    })?;
    carry_out(&asked, incident, &named).await?;
    let ids: Vec<AlertId> = named.iter().map(|(alert, _)| *alert).collect();
    let shown = several(&asked, incident, &ids).await?;
    Ok(Reply::Done(json!({ "alerts": shown })))
}

/// Does all of it, or nothing where it is seen at once that something cannot be done.
async fn carry_out(
    asked: &Asked,
    incident: IncidentId,
    updates: &[(AlertId, AlertUpdate)],
) -> Result<(), Refused> {
    let now = asked.app.now();
    let asks = asked.app.read(|state| {
        let asks = updates
            .iter()
            .map(|(alert, update)| ask_for(state, incident, (*alert, update), now));
        asks.collect::<Result<Vec<_>, Refused>>()
    })?;
    let by = asked.requester(Role::Responder).await?;
    let asks = asks.into_iter().flatten().map(Ask::Alert).collect();
    for outcome in asked.app.ask_all(&by.actor, asks).await? {
        outcome?;
    }
    Ok(())
}

fn ask_for(
    state: &State,
    incident: IncidentId,
    (alert, update): (AlertId, &AlertUpdate),
    now: Timestamp,
) -> Result<Option<AlertAsk>, Refused> {
    if update
        .incident
        .as_deref()
        .is_some_and(|other| other != incident.as_str())
    {
        let why =
            "'incident' is not supported: an alert stays in its incident; merge the incidents";
        return Err(Refusal::bad(why).into());
    }
    let Some(alert) = state.alerts.get(&alert) else {
        return Err(Refusal::no_such("alert").into());
    };
    match (update.status, alert.is_firing()) {
        (None, _) | (Some(Status::Triggered), true) => Ok(None),
        (Some(Status::Triggered | Status::Acknowledged), _) => {
            let why = "'status' is not supported: an alert can be resolved, and fails again when it is said again";
            Err(Refusal::bad(why).into())
        }
        (Some(Status::Resolved), _) => Ok(end(alert, now).map_err(Refusal::bad)?),
    }
}
