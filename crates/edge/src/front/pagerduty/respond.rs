//! What clients do about incidents: open, take, end, give away, merge, snooze. What of it is allowed the core decides, as for
//! everybody else.

use axum::http::StatusCode;
use tocsin_domain::command::{self, Ask, Declared, RespondAsk};
use tocsin_domain::decide::first_refused;
use tocsin_domain::event::Actor;
use tocsin_domain::id::{IncidentId, ServiceId, UserId};
use tocsin_domain::incident::{Assigned, Incident, Status};
use tocsin_domain::monitor::Severity;
use tocsin_domain::people::{Role, Urgency};
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;
use tocsin_wire::pagerduty::rest::Refusal;
use tocsin_wire::pagerduty::rest::called::Noun;
use tocsin_wire::pagerduty::rest::incident::{self as bodies, To, Update};

use super::asked::{Asked, Path};
use super::incident_shape::{Include, policy_of};
use super::lookup;
use super::reply::{Answer, Refused, refusing};
use crate::http::incident::incident_in;
use crate::http::problem::Problem;

/// Where a body says how important an incident is.
const PRIORITY: &str = "incident.priority";

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
        To::Policy(policy) => {
            let policy = lookup::policy(state, "incident.escalation_policy", policy)?;
            Ok(Assigned::Policy(policy))
        }
        To::People(people) => {
            let place = "incident.assignments";
            let people = people.iter().map(|user| lookup::user(state, place, user));
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
        let priority = priority.map(|id| lookup::priority(state, PRIORITY, id));
        let priority = priority.transpose()?;
        let to = create
            .to
            .as_ref()
            .map(|to| assigned(state, to))
            .transpose()?;
        let service = lookup::service(state, "incident.service", &create.service)?;
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
    let done = asked.app.ask(&by.actor, Ask::Respond(ask)).await;
    let done = done.map_err(refusing(Noun::Incident))?;
    let missing = || Problem::internal("the incident was opened but not found");
    let id = incident_in(&done).ok_or_else(missing)?;
    let include = Include::read(&asked.parameters).with_body();
    asked.incident_with(id, StatusCode::CREATED, include).await
}

/// Change an incident
#[utoipa::path(put, path = "/incidents/{id}", tag = "fronts", params(("id" = String, Path)), request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn update_incident(Path(id): Path<String>, asked: Asked) -> Answer {
    let id = lookup::incident(&asked.app, &id)?;
    let update = bodies::update(&asked.body)?;
    carry_out(&asked, &[(id, update)]).await?;
    asked.incident(id, StatusCode::OK).await
}

/// Change several incidents
#[utoipa::path(put, path = "/incidents", tag = "fronts", request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 413, body = Object)))]
pub(crate) async fn update_incidents(asked: Asked) -> Answer {
    let mut named = Vec::new();
    for (index, update) in bodies::updates(&asked.body)?.into_iter().enumerate() {
        let place = format!("incidents[{index}].id");
        let id = update.id.clone().unwrap_or_default();
        let id = lookup::incident_in_body(&asked.app, &place, &id)?;
        named.push((id, update));
    }
    carry_out(&asked, &named).await?;
    let ids: Vec<IncidentId> = named.iter().map(|(id, _)| *id).collect();
    asked.incidents(&ids).await
}

/// Does all of it, or nothing where something cannot be done. Only what others do at the same moment can come between: then what
/// came before it stays done. What is refused is told with the number of its incident.
async fn carry_out(asked: &Asked, updates: &[(IncidentId, Update)]) -> Result<(), Refused> {
    let by = asked.requester(Role::Responder).await?;
    let told = |mut refused: Refused, number: Option<&u64>| {
        if let (Some(number), true) = (number, updates.len() > 1) {
            refused.0.errors.insert(0, format!("incident {number}"));
        }
        refused
    };
    let now = asked.app.now();
    let planned = asked.app.read(|state| {
        let mut planned = Vec::new();
        for (id, update) in updates {
            let missing = || Refusal::no_such("incident");
            let known = state.incidents.get(id).ok_or_else(missing)?;
            let asks = asks_for((state, now), known, update, by.user);
            let asks = asks.map_err(|refused| told(refused, Some(&known.number)))?;
            planned.extend(asks.into_iter().map(|ask| (known.number, ask)));
        }
        Ok::<_, Refused>(planned)
    })?;
    let (numbers, asks): (Vec<u64>, Vec<RespondAsk>) = planned.into_iter().unzip();
    let asks: Vec<Ask> = asks.into_iter().map(Ask::Respond).collect();
    let incidents = updates.iter().map(|(id, _)| *id).collect();
    if let Some((place, refusal)) = refused_of(asked, &by.actor, incidents, &asks).await? {
        let refused = refusing(Noun::Incident)(Problem::from(refusal));
        return Err(told(refused, numbers.get(place)));
    }
    let outcomes = asked.app.ask_all(&by.actor, asks).await?;
    for (number, outcome) in numbers.iter().zip(outcomes) {
        if let Err(error) = outcome {
            return Err(told(refusing(Noun::Incident)(error), Some(number)));
        }
    }
    Ok(())
}

/// The first of several asks about these incidents that the core would refuse, found on a copy of what bears on them; a single one is
/// refused as a whole anyway.
async fn refused_of(
    asked: &Asked,
    actor: &Actor,
    incidents: Vec<IncidentId>,
    asks: &[Ask],
) -> Result<Option<(usize, command::Refusal)>, Refused> {
    if asks.len() < 2 {
        return Ok(None);
    }
    let (state, now) = (
        asked.app.read(|state| state.about(incidents)),
        asked.app.now(),
    );
    let (actor, asks) = (actor.clone(), asks.to_vec());
    let found = asked
        .app
        .blocking(move |_| Ok(first_refused(state, &actor, &asks, now)));
    Ok(found.await?)
}

/// What a change asks of the core: what is said about the incident first, its end last.
fn asks_for(
    (state, now): (&State, Timestamp),
    known: &Incident,
    update: &Update,
    by: UserId,
) -> Result<Vec<RespondAsk>, Refused> {
    let incident = known.id;
    let mut asks = Vec::new();
    let reopens = update.status == Some(bodies::Status::Triggered);
    if reopens && known.status == Status::Resolved {
        asks.push(RespondAsk::Reopen { incident });
    } else if update.to.is_some() || update.urgency.is_some() || update.level.is_some() {
        lookup::open(state, incident)?;
    }
    if let Some(title) = update.title.clone() {
        asks.push(RespondAsk::SetTitle { incident, title });
    }
    if let Some(priority) = &update.priority {
        let priority = priority.as_ref();
        let priority = priority.map(|id| lookup::priority(state, PRIORITY, id));
        let priority = priority.transpose()?;
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
        asks.extend(escalation((state, now), known, update, level)?);
    }
    let note = update.resolution.clone();
    // Whatever pages for it anew triggers it again.
    let is_left_alone = update.level.is_none() && update.to.is_none();
    match (update.status, known.status) {
        (Some(bodies::Status::Triggered), Status::Acknowledged) if is_left_alone => {
            let why = "'status' is not supported: what somebody has is triggered again by 'escalation_level' or by 'assignments'";
            return Err(Refusal::bad(why).into());
        }
        (None | Some(bodies::Status::Triggered), _) => {
            let text = note.into_iter();
            asks.extend(text.map(|text| RespondAsk::noted(incident, text)));
        }
        (Some(bodies::Status::Acknowledged | bodies::Status::Resolved), Status::Resolved) => {
            return Err(lookup::over(state, known));
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

/// The next level can be paged now, or the first one again; none can be left out. What is reopened or given to a policy is paged from
/// its first level on.
fn escalation(
    (state, now): (&State, Timestamp),
    known: &Incident,
    update: &Update,
    level: u64,
) -> Result<Option<RespondAsk>, Refused> {
    let refused = |why: String| -> Result<Option<RespondAsk>, Refused> {
        let why = format!("'escalation_level' is not supported: {why}");
        Err(Refusal::bad(why).into())
    };
    let is_over = !known.is_open();
    let of_people = match &update.to {
        Some(To::People(_)) => true,
        Some(To::Policy(_)) => false,
        None => matches!(known.assigned, Some(Assigned::People(_))),
    };
    if is_over || update.to.is_some() {
        let urgency = update.urgency.map_or(known.urgency, urgency_of);
        return if of_people {
            refused("the people whom it is given to stand on no level".to_owned())
        } else if level != 1 {
            refused("level 1 is paged first; escalate it afterwards".to_owned())
        } else if urgency == Urgency::Low {
            refused("its urgency is low, which pages nobody".to_owned())
        } else {
            Ok(None)
        };
    }
    // After the people whom it was given to comes the first level.
    let paging = known.paging.as_ref().filter(|_| !of_people);
    let policy = policy_of(state, known).and_then(|id| state.policies.get(&id));
    let is_exhausted = paging.is_some_and(|paging| paging.exhausted);
    let reached = paging.map(|paging| paging.level as u64 + 1);
    let is_beyond = is_exhausted || reached.is_some_and(|reached| reached > 1);
    if let Some(policy) = policy.filter(|_| level == 1 && is_beyond) {
        return match why_nobody(state, known, update, now) {
            Some(why) => refused(why),
            None => Ok(Some(RespondAsk::Reassign {
                incident: known.id,
                to: Assigned::Policy(policy.id),
            })),
        };
    }
    if is_exhausted {
        let why = "no other level is left than 1, and the list of last resort is paged";
        return refused(why.to_owned());
    }
    let next = paging.map_or(1, |paging| paging.next_level() as u64 + 1);
    let levels = policy.map_or(0, |policy| policy.levels.len() as u64);
    let there_are = levels_told(levels);
    if !(1..=levels).contains(&level) {
        refused(there_are)
    } else if level == next {
        let incident = known.id;
        Ok(Some(RespondAsk::Escalate { incident }))
    } else if Some(level) == reached {
        if known.status == Status::Triggered {
            return Ok(None);
        }
        refused(format!(
            "level {level} was paged, and somebody has it: escalate it further, or give it away"
        ))
    } else if next > levels {
        refused(format!(
            "{there_are}, and none of them comes after the one that was paged last, but for 1, which begins anew"
        ))
    } else {
        refused(format!(
            "{there_are}, and the next one is {next}: none can be left out"
        ))
    }
}

/// Why nobody would be paged for it now, though it began anew at its first level: what is given to a policy is taken all the same, and
/// waits.
fn why_nobody(state: &State, known: &Incident, update: &Update, now: Timestamp) -> Option<String> {
    let urgency = update.urgency.map_or(known.urgency, urgency_of);
    if urgency == Urgency::Low {
        return Some("its urgency is low, which pages nobody".to_owned());
    }
    // What is only now said to be urgent asks by that alone, as long as something of it fails.
    let rises = urgency > known.urgency && known.firing > 0;
    if !rises && !state.burns(known) {
        return Some("nothing that pages fails in it at this moment".to_owned());
    }
    let quiet = state.quiet_at(known, now)?;
    Some(format!(
        "nobody is paged for it until {} ({}): end that first",
        quiet.until, quiet.why
    ))
}

/// Which levels there are to be asked for.
fn levels_told(levels: u64) -> String {
    match levels {
        0 => "its policy has no level".to_owned(),
        1 => "the only level of its policy is 1".to_owned(),
        last => format!("the levels of its policy are 1 to {last}"),
    }
}

/// Make one incident of several
#[utoipa::path(put, path = "/incidents/{id}/merge", tag = "fronts", params(("id" = String, Path)), request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn merge_incidents(Path(id): Path<String>, asked: Asked) -> Answer {
    let into = lookup::incident(&asked.app, &id)?;
    let sources = bodies::sources(&asked.body)?;
    let sources = sources.iter().enumerate().map(|(index, id)| {
        let place = format!("source_incidents[{index}].id");
        lookup::incident_in_body(&asked.app, &place, id)
    });
    let sources = sources.collect::<Result<Vec<_>, _>>()?;
    let by = asked.requester(Role::Responder).await?;
    asked.app.read(|state| {
        let mut all = std::iter::once(&into).chain(&sources);
        all.try_for_each(|id| lookup::open(state, *id))
    })?;
    let ask = RespondAsk::Merge { sources, into };
    let merged = asked.app.ask(&by.actor, Ask::Respond(ask)).await;
    merged.map_err(refusing(Noun::Bare))?;
    asked.incident(into, StatusCode::OK).await
}

/// Take an incident and be left in peace for a while
#[utoipa::path(post, path = "/incidents/{id}/snooze", tag = "fronts", params(("id" = String, Path)), request_body = Object,
    responses((status = 201, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn snooze_incident(Path(id): Path<String>, asked: Asked) -> Answer {
    let incident = lookup::incident(&asked.app, &id)?;
    let seconds = bodies::snooze(&asked.body)?;
    let by = asked.requester(Role::Responder).await?;
    asked.app.read(|state| lookup::open(state, incident))?;
    let ask = RespondAsk::Snooze {
        incident,
        by: by.user,
        for_ms: seconds.saturating_mul(1_000),
    };
    asked.app.ask(&by.actor, Ask::Respond(ask)).await?;
    asked.incident(incident, StatusCode::CREATED).await
}
