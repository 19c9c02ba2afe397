//! What clients do about incidents: open, take, end, give away, merge, snooze. What of it is allowed the core decides, as for
//! everybody else.

use axum::extract::Path;
use serde_json::{Value, json};
use tocsin_domain::command::{Ask, Declared, RespondAsk};
use tocsin_domain::id::{IncidentId, ServiceId, UserId};
use tocsin_domain::incident::{Assigned, Incident, Status};
use tocsin_domain::monitor::Severity;
use tocsin_domain::people::{Role, Urgency};
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;
use tocsin_wire::pagerduty::rest::Refusal;
use tocsin_wire::pagerduty::rest::incident::{self as bodies, To, Update};

use super::asked::Asked;
use super::incident_shape::{Include, incident};
use super::lookup;
use super::reply::{Answer, Refused, Reply};
use super::user_shape::Mails;
use crate::http::incident::incident_in;
use crate::http::problem::Problem;

fn urgency_of(urgency: bodies::Urgency) -> Urgency {
    match urgency {
        bodies::Urgency::High => Urgency::High,
        bodies::Urgency::Low => Urgency::Low,
    }
}

/// How urgent an incident is of which nothing is said: as the service takes what is critical, since somebody opened it.
fn usual_urgency(state: &State, service: ServiceId, now: Timestamp) -> Urgency {
    let known = state.services.get(&service);
    known.map_or(Urgency::High, |known| {
        let (urgency, _) = known.intake.urgency.of(Severity::Critical, now);
        urgency
    })
}

fn assigned(state: &State, to: &To) -> Result<Assigned, Refused> {
    match to {
        To::Policy(policy) => Ok(Assigned::Policy(lookup::policy(state, policy)?)),
        To::People(people) => {
            let people = people.iter().map(|user| lookup::user(state, user));
            Ok(Assigned::People(people.collect::<Result<_, _>>()?))
        }
    }
}

/// Open an incident
#[utoipa::path(post, path = "/incidents", tag = "fronts", request_body = Object,
    responses((status = 201, body = Object), (status = 400, body = Object)))]
pub(crate) async fn create_incident(asked: Asked) -> Answer {
    let create = bodies::create(&asked.body)?;
    let by = asked.requester(Role::Responder).await?;
    let ask = asked.app.read(|state| {
        let priority = create.priority.as_ref();
        let priority = priority.map(|id| lookup::priority(state, id)).transpose()?;
        let to = create
            .to
            .as_ref()
            .map(|to| assigned(state, to))
            .transpose()?;
        let service = lookup::service(state, &create.service)?;
        let urgency = create.urgency.map(urgency_of);
        let usual = || usual_urgency(state, service, asked.app.now());
        Ok::<_, Refused>(RespondAsk::Declare {
            title: create.title.clone(),
            service: Some(service),
            urgency: urgency.unwrap_or_else(usual),
            more: Box::new(Declared {
                key: create.key.clone(),
                summary: create.details.clone(),
                to,
                priority,
            }),
        })
    })?;
    let done = asked.app.ask(&by.actor, Ask::Respond(ask)).await?;
    let missing = || Problem::internal("the incident was opened but not found");
    let id = incident_in(&done).ok_or_else(missing)?;
    asked
        .incident(id, &Include::default())
        .await
        .map(Reply::Created)
}

/// Change an incident
#[utoipa::path(put, path = "/incidents/{id}", tag = "fronts", params(("id" = String, Path)), request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn update_incident(Path(id): Path<String>, asked: Asked) -> Answer {
    let id = lookup::incident(&asked.app, &id)?;
    let update = bodies::update(&asked.body)?;
    carry_out(&asked, &[(id, update)]).await?;
    asked
        .incident(id, &Include::read(&asked.parameters))
        .await
        .map(Reply::Done)
}

/// Change several incidents
#[utoipa::path(put, path = "/incidents", tag = "fronts", request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 413, body = Object)))]
pub(crate) async fn update_incidents(asked: Asked) -> Answer {
    let mut named = Vec::new();
    for update in bodies::updates(&asked.body)? {
        let id = update.id.clone().unwrap_or_default();
        named.push((lookup::incident(&asked.app, &id)?, update));
    }
    carry_out(&asked, &named).await?;
    let shown: Vec<Value> = asked.app.read(|state| {
        let known = named.iter().filter_map(|(id, _)| state.incidents.get(id));
        let include = Include::default();
        let (standings, mails) = (include.standings(state), Mails::new());
        known
            .map(|one| incident(state, &asked.place, one, &include, &standings, &mails))
            .collect()
    });
    Ok(Reply::Done(json!({ "incidents": shown })))
}

/// Does all of it, or nothing where it is seen at once that something cannot be done. What the core refuses later is told with
/// the number of its incident; what came before it stays done.
async fn carry_out(asked: &Asked, updates: &[(IncidentId, Update)]) -> Result<(), Refused> {
    let by = asked.requester(Role::Responder).await?;
    let planned = asked.app.read(|state| {
        let mut planned = Vec::new();
        for (id, update) in updates {
            let missing = || Refusal::not_found(format!("there is no incident {id}"));
            let known = state.incidents.get(id).ok_or_else(missing)?;
            let asks = asks_for(state, known, update, by.user)?;
            planned.extend(asks.into_iter().map(|ask| (known.number, ask)));
        }
        Ok::<_, Refused>(planned)
    })?;
    let (numbers, asks): (Vec<u64>, Vec<RespondAsk>) = planned.into_iter().unzip();
    let asks = asks.into_iter().map(Ask::Respond).collect();
    let outcomes = asked.app.ask_all(&by.actor, asks).await?;
    let several = updates.len() > 1;
    for (number, outcome) in numbers.into_iter().zip(outcomes) {
        let Err(error) = outcome else { continue };
        let mut refused = Refused::from(error);
        if several {
            refused.0.errors.insert(0, format!("incident {number}"));
        }
        return Err(refused);
    }
    Ok(())
}

/// What a change asks of the core: what is said about the incident first, its end last.
fn asks_for(
    state: &State,
    known: &Incident,
    update: &Update,
    by: UserId,
) -> Result<Vec<RespondAsk>, Refused> {
    let incident = known.id;
    let mut asks = Vec::new();
    if let Some(title) = update.title.clone() {
        asks.push(RespondAsk::SetTitle { incident, title });
    }
    if let Some(priority) = &update.priority {
        let priority = priority.as_ref();
        let priority = priority.map(|id| lookup::priority(state, id)).transpose()?;
        asks.push(RespondAsk::SetPriority { incident, priority });
    }
    if let Some(urgency) = update.urgency {
        let urgency = urgency_of(urgency);
        asks.push(RespondAsk::SetUrgency { incident, urgency });
    }
    if let Some(to) = &update.to {
        let to = assigned(state, to)?;
        asks.push(RespondAsk::Reassign { incident, to });
    }
    if let Some(level) = update.level {
        asks.extend(escalation(known, level, update.to.is_some())?);
    }
    let note = update.resolution.clone();
    match (update.status, known.status) {
        (None, _) | (Some(bodies::Status::Triggered), Status::Triggered) => {
            let text = note.into_iter();
            asks.extend(text.map(|text| RespondAsk::Note { incident, text }));
        }
        (Some(bodies::Status::Triggered), Status::Acknowledged | Status::Resolved) => {
            let why = "'status' is not supported: what somebody has, or what is over, is triggered again only by what fails";
            return Err(Refusal::bad(why).into());
        }
        (Some(bodies::Status::Acknowledged | bodies::Status::Resolved), Status::Resolved) => {
            return Err(Refusal::resolved_already().into());
        }
        (Some(bodies::Status::Acknowledged), Status::Triggered | Status::Acknowledged) => {
            asks.push(RespondAsk::Acknowledge { incident, by });
        }
        (Some(bodies::Status::Resolved), Status::Triggered | Status::Acknowledged) => {
            asks.push(RespondAsk::Resolve { incident, note });
        }
    }
    Ok(asks)
}

/// The next level can be paged now; none can be left out. What is given away begins at its first.
fn escalation(
    known: &Incident,
    level: u64,
    is_given_away: bool,
) -> Result<Option<RespondAsk>, Refused> {
    let paging = known.paging.as_ref().filter(|_| !is_given_away);
    if paging.is_some_and(|paging| paging.exhausted) {
        let why = "'escalation_level' is not supported: no level is left, and the list of last resort is paged";
        return Err(Refusal::bad(why).into());
    }
    let reached = paging.map(|paging| paging.level as u64 + 1);
    let next = reached.map_or(1, |reached| reached + 1);
    let incident = known.id;
    if Some(level) == reached || (is_given_away && level == next) {
        Ok(None)
    } else if level == next {
        Ok(Some(RespondAsk::Escalate { incident }))
    } else {
        let why = format!(
            "'escalation_level' is not supported: the next level is {next}, and none can be left out"
        );
        Err(Refusal::bad(why).into())
    }
}

/// Make one incident of several
#[utoipa::path(put, path = "/incidents/{id}/merge", tag = "fronts", params(("id" = String, Path)), request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn merge_incidents(Path(id): Path<String>, asked: Asked) -> Answer {
    let into = lookup::incident(&asked.app, &id)?;
    let sources = bodies::sources(&asked.body)?;
    let sources = sources.iter().map(|id| lookup::incident(&asked.app, id));
    let sources = sources.collect::<Result<Vec<_>, _>>()?;
    let by = asked.requester(Role::Responder).await?;
    let ask = RespondAsk::Merge { sources, into };
    asked.app.ask(&by.actor, Ask::Respond(ask)).await?;
    asked
        .incident(into, &Include::default())
        .await
        .map(Reply::Done)
}

/// Take an incident and be left in peace for a while
#[utoipa::path(post, path = "/incidents/{id}/snooze", tag = "fronts", params(("id" = String, Path)), request_body = Object,
    responses((status = 201, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn snooze_incident(Path(id): Path<String>, asked: Asked) -> Answer {
    let incident = lookup::incident(&asked.app, &id)?;
    let seconds = bodies::snooze(&asked.body)?;
    let by = asked.requester(Role::Responder).await?;
    let ask = RespondAsk::Snooze {
        incident,
        by: by.user,
        for_ms: seconds.saturating_mul(1_000),
    };
    asked.app.ask(&by.actor, Ask::Respond(ask)).await?;
    asked
        .incident(incident, &Include::default())
        .await
        .map(Reply::Created)
}
