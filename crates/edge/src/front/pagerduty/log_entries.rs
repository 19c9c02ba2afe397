//! Log entries: what happened to incidents, event by event, under PagerDuty's kinds. What has no kind there is left out; the
//! native timeline has all of it.

use serde_json::{Map, Value, json};
use tocsin_domain::event::{Event, EventBody, IncidentWhat, NotificationWhat, Response};
use tocsin_domain::id::{IncidentId, TeamId, UserId};
use tocsin_domain::incident::Assigned;
use tocsin_domain::page::{Outcome, Purpose};
use tocsin_domain::people::Urgency;
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;
use tocsin_wire::pagerduty::rest::{Paging, Refusal, id, time};

use super::asked::{Asked, Path};
use super::incident_shape::urgency_word;
use super::include::Named;
use super::lookup;
use super::parameters::{LogEntries, LogEntryInclude, Page};
use super::reply::{Answer, Refused, Reply};
use super::users::named;

/// What can be shown wholly, and where it stands; channels always are.
pub(super) const INCLUDED: &[Named] = &[
    ("incidents", &["incident"]),
    ("services", &["service"]),
    ("teams", &["teams"]),
    ("users", &["agent"]),
    ("users", &["user"]),
    ("users", &["assignees"]),
];
/// The word of `include[]` for the entry by which an incident began.
pub(super) const FIRST_ENTRIES: &str = "first_trigger_log_entries";
/// Events that are read at once, from the newest back.
const EVENTS_PAGE: u64 = 1_000;
/// Events of all incidents that are looked at at most.
const EVENTS_MAX: u64 = 20_000;
/// The kinds of an overview.
const OVERVIEW: [&str; 6] = [
    "trigger",
    "acknowledge",
    "unacknowledge",
    "escalate",
    "resolve",
    "assign",
];

/// What an event is there: its kind, a summary, and what only this kind has.
struct Told {
    incident: IncidentId,
    kind: &'static str,
    summary: String,
    more: Value,
}

fn told(asked: &Asked, state: &State, event: &Event) -> Option<Told> {
    match &event.body {
        EventBody::Incident(about) => {
            let (kind, summary, more) = match by_hand(asked, state, event) {
                Some(known) => known,
                None => of_incident(asked, state, &about.what)?,
            };
            Some(Told {
                incident: about.incident,
                kind,
                summary,
                more,
            })
        }
        EventBody::Notification(about) => {
            let message = state.notifications.get(&about.notification)?;
            let incident = match message.purpose {
                Purpose::Page(id) | Purpose::Notice(id) | Purpose::Request(id) => Some(id),
                Purpose::Resolved(_)
                | Purpose::Acknowledged(_)
                | Purpose::Test
                | Purpose::Word(_) => None,
            };
            let sent = match &about.what {
                NotificationWhat::AttemptFinished { outcome, .. } => *outcome == Outcome::Accepted,
                NotificationWhat::Planned { .. }
                | NotificationWhat::Advanced { .. }
                | NotificationWhat::Gathers { .. }
                | NotificationWhat::ToldTogether { .. }
                | NotificationWhat::Postponed { .. }
                | NotificationWhat::AttemptStarted { .. }
                | NotificationWhat::Receipt { .. }
                | NotificationWhat::Cancelled { .. } => false,
            };
            let user = asked.place.user(state, message.user);
            let summary = format!("Notified {} by {}", text(&user), message.channel.word());
            let channel = json!({"type": message.channel.word(), "notification": {
                "type": message.channel.word(), "address": null, "status": "success",
            }});
            sent.then_some(Told {
                incident: incident?,
                kind: "notify",
                summary,
                more: json!({"user": user, "channel": channel}),
            })
        }
        EventBody::Installation(_)
        | EventBody::People(_)
        | EventBody::Roster(_)
        | EventBody::Watch(_)
        | EventBody::Alert(_)
        | EventBody::Input(_) => None,
    }
}

fn text(reference: &Value) -> &str {
    reference["summary"].as_str().unwrap_or_default()
}

type Kind = (&'static str, String, Value);

/// What somebody did that may also come by itself, with who it was.
fn by_hand(asked: &Asked, state: &State, event: &Event) -> Option<Kind> {
    // Of thousands of events few are any of these: only for those is it looked up who it was.
    let (kind, done, more) = if event.is_reopened_by_hand() {
        let more = json!({"channel": {"type": "api"}});
        ("trigger", "Reopened", more)
    } else if event.is_resolved_by_hand() {
        ("resolve", "Resolved", json!({}))
    } else {
        return None;
    };
    let agent = asked.place.agent(state, &event.actor);
    Some((kind, format!("{done} by {}", text(&agent)), more))
}

fn of_incident(asked: &Asked, state: &State, what: &IncidentWhat) -> Option<Kind> {
    let people = |ids: &[UserId]| -> Vec<Value> {
        ids.iter()
            .map(|user| asked.place.user(state, *user))
            .collect()
    };
    let names = |all: &[Value]| all.iter().map(text).collect::<Vec<_>>().join(", ");
    match what {
        IncidentWhat::Opened { title, .. } => {
            let channel = json!({"channel": {"type": "api", "summary": title}});
            Some(("trigger", format!("Triggered: {title}"), channel))
        }
        IncidentWhat::LevelReached {
            policy,
            level,
            round,
            recipients,
            ..
        } => {
            let assignees = people(recipients);
            let kind = match (*level, *round) {
                (0, 0) => "assign",
                (0, _) => "repeat_escalation_path",
                (_, _) => "escalate",
            };
            let summary = assigned(&names(&assignees), policy.map(|_| *level));
            Some((kind, summary, json!({ "assignees": assignees })))
        }
        IncidentWhat::FallbackReached { recipients, .. } => {
            let assignees = people(recipients);
            let summary = format!(
                "The escalation path is exhausted; assigned to {}",
                names(&assignees)
            );
            Some((
                "exhaust_escalation_path",
                summary,
                json!({ "assignees": assignees }),
            ))
        }
        IncidentWhat::Acknowledged { .. } => {
            Some(("acknowledge", "Acknowledged".to_owned(), json!({})))
        }
        IncidentWhat::NoteAdded { text } => Some(noted(text)),
        IncidentWhat::Relapsed { reopened: true, .. } => {
            let summary = "Triggered again: the failure came back".to_owned();
            Some(("trigger", summary, json!({"channel": {"type": "api"}})))
        }
        IncidentWhat::Resolved { why } => Some(("resolve", format!("Resolved: {why}"), json!({}))),
        IncidentWhat::UrgencySet {
            urgency,
            hours_passed,
            ..
        } => urgency_set(*urgency, *hours_passed),
        IncidentWhat::Response(response) => of_response(asked, state, response),
        IncidentWhat::Raised { .. }
        | IncidentWhat::PageHeld { .. }
        | IncidentWhat::PageSuppressed { .. }
        | IncidentWhat::QuietEnded
        | IncidentWhat::Recovered { .. }
        | IncidentWhat::Relapsed {
            reopened: false, ..
        }
        | IncidentWhat::EvidenceFrozen { .. } => None,
    }
}

fn noted(text: &str) -> Kind {
    let channel = json!({"type": "note", "summary": text, "content": text});
    let more = json!({ "channel": channel });
    ("annotate", format!("Note: {text}"), more)
}

/// Whom an incident was given to by hand stand on no level.
fn assigned(names: &str, level: Option<usize>) -> String {
    match level {
        Some(level) => format!("Assigned to {names} (level {})", level + 1),
        None => format!("Assigned to {names}"),
    }
}

/// Support hours that have passed put off what they would have raised: the urgency is what it was.
fn urgency_set(urgency: Urgency, hours_passed: bool) -> Option<Kind> {
    (!hours_passed).then(|| urgency_change(urgency))
}

fn urgency_change(urgency: Urgency) -> Kind {
    let word = urgency_word(urgency);
    (
        "urgency_change",
        format!("The urgency is {word}"),
        json!({ "urgency": word }),
    )
}

fn of_response(asked: &Asked, state: &State, response: &Response) -> Option<Kind> {
    match response {
        Response::PartlyAcknowledged { .. } => Some((
            "acknowledge",
            "Acknowledged by one of several".to_owned(),
            json!({}),
        )),
        Response::AcknowledgementEnded { why, .. } => {
            Some(("unacknowledge", format!("Unacknowledged: {why}"), json!({})))
        }
        Response::SnoozeEnded => Some((
            "unacknowledge",
            "Unacknowledged: the snooze is over".to_owned(),
            json!({}),
        )),
        Response::Snoozed { until, .. } => {
            let at = time::written(*until);
            let action = json!([{"type": "unacknowledge", "at": at}]);
            Some((
                "snooze",
                format!("Snoozed until {at}"),
                json!({ "changed_actions": action }),
            ))
        }
        Response::Reassigned { to } => {
            let assignees: Vec<Value> = match to {
                Assigned::People(people) => people
                    .iter()
                    .map(|user| asked.place.user(state, *user))
                    .collect(),
                Assigned::Policy(policy) => vec![asked.place.policy(state, *policy)],
            };
            let names: Vec<&str> = assignees.iter().map(text).collect();
            let summary = format!("Reassigned to {}", names.join(", "));
            Some(("assign", summary, json!({ "assignees": assignees })))
        }
        Response::UrgencySet { urgency } => Some(urgency_change(*urgency)),
        Response::PrioritySet { priority } => {
            let priority = priority
                .as_ref()
                .map(|name| asked.place.priority(name, "priority_reference"));
            let name = priority.as_ref().map_or("none", text).to_owned();
            Some((
                "priority_change",
                format!("The priority is {name}"),
                json!({ "priority": priority }),
            ))
        }
        Response::SnoozeCancelled { .. }
        | Response::EscalatedByHand { .. }
        | Response::RespondersRequested { .. }
        | Response::ResponderAnswered { .. }
        | Response::Merged { .. }
        | Response::MergedInto { .. }
        | Response::TitleSet { .. } => None,
    }
}

fn shown(asked: &Asked, state: &State, event: &Event, wanted: &Wanted) -> Option<Value> {
    let told = told(asked, state, event)?;
    let known = state.incidents.get(&told.incident);
    let among = |set: &Vec<TeamId>| known.is_some_and(|known| set.contains(&known.team));
    let is_of_teams = wanted.teams.as_ref().is_none_or(among);
    if !is_of_teams || (wanted.overview && !OVERVIEW.contains(&told.kind)) {
        return None;
    }
    let agent = asked.place.agent(state, &event.actor);
    if wanted
        .person
        .is_some_and(|user| !names(user, &agent, &told.more))
    {
        return None;
    }
    let entry = id::of_position(event.position);
    let service = known.map(|known| asked.place.service(state, known.service));
    let team = known.map(|known| asked.place.team(state, known.team));
    let mut shown = Map::new();
    let common = json!({
        "id": entry,
        "type": format!("{}_log_entry", told.kind),
        "summary": told.summary,
        "self": asked.place.api(&format!("log_entries/{entry}")),
        "html_url": asked.place.page(&format!("incidents/{}", told.incident)),
        "created_at": time::written(event.at),
        "agent": agent,
        "channel": {"type": "auto"},
        "incident": asked.place.incident(state, told.incident),
        "service": service,
        "teams": team.into_iter().collect::<Vec<_>>(),
        "contexts": [],
        "note": null,
        "acknowledgement_timeout": null,
        "event_details": {},
    });
    for part in [common, told.more] {
        if let Value::Object(part) = part {
            shown.extend(part);
        }
    }
    Some(Value::Object(shown))
}

/// Whether a person did it, was told of it or was given it.
fn names(user: UserId, agent: &Value, more: &Value) -> bool {
    let is_them = |reference: &Value| reference["id"] == user.as_str();
    let mut assignees = more["assignees"].as_array().into_iter().flatten();
    is_them(agent) || is_them(&more["user"]) || assignees.any(is_them)
}

/// Which entries are wanted.
#[derive(Default)]
struct Wanted {
    /// Those of one person alone.
    person: Option<UserId>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    teams: Option<Vec<TeamId>>,
    overview: bool,
}

impl Wanted {
    fn read(asked: &Asked) -> Result<Self, Refused> {
        Ok(Self {
            person: None,
            since: asked.parameters.time("since")?,
            until: asked.parameters.time("until")?,
            teams: asked.parameters.ids("team_ids")?,
            overview: asked.parameters.flag("is_overview")?,
        })
    }

    /// Whether it was made in the span that is asked for.
    fn spans(&self, event: &Event) -> bool {
        self.since.is_none_or(|since| event.at >= since)
            && self.until.is_none_or(|until| event.at < until)
    }
}

async fn page(asked: &Asked, paging: Paging, found: Vec<Value>) -> Answer {
    let mut cut = paging.cut(found);
    cut.items = asked.included(cut.items, INCLUDED).await?;
    Ok(Reply::page(paging, "log_entries", cut))
}

/// Log entries of an incident, newest first
#[utoipa::path(get, path = "/incidents/{id}/log_entries", tag = "fronts", params(("id" = String, Path), Page, LogEntries),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn list_incident_log_entries(Path(id): Path<String>, asked: Asked) -> Answer {
    let incident = lookup::incident(&asked.app, &id)?;
    let paging = asked.paging()?;
    let wanted = Wanted::read(&asked)?;
    let events = asked.events_of(incident).await?;
    let found: Vec<Value> = asked.app.read(|state| {
        let within = events.iter().rev().filter(|event| wanted.spans(event));
        within
            .filter_map(|event| shown(&asked, state, event, &wanted))
            .collect()
    });
    page(&asked, paging, found).await
}

/// Log entries of all incidents, newest first, of the newest 20000 events
#[utoipa::path(get, path = "/log_entries", tag = "fronts", params(Page, LogEntries), responses((status = 200, body = Object)))]
pub(crate) async fn list_log_entries(asked: Asked) -> Answer {
    let wanted = Wanted::read(&asked)?;
    newest(&asked, &wanted).await
}

/// Log entries of what a person did, was told of or was given, newest first, of the newest 20000 events
#[utoipa::path(get, path = "/users/{id}/log_entries", tag = "fronts", params(("id" = String, Path), Page, LogEntries),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn list_user_log_entries(Path(id): Path<String>, asked: Asked) -> Answer {
    let person = named(&asked, &id)?.id;
    let wanted = Wanted {
        person: Some(person),
        ..Wanted::read(&asked)?
    };
    newest(&asked, &wanted).await
}

/// The page of the entries that are wanted.
async fn newest(asked: &Asked, wanted: &Wanted) -> Answer {
    let paging = asked.paging()?;
    let mut end = asked.app.read(|state| state.position);
    let oldest = end.saturating_sub(EVENTS_MAX);
    // One more than the page tells whether there are more; all, when they are to be counted.
    let enough = if paging.counted {
        usize::MAX
    } else {
        paging.offset + paging.limit + 1
    };
    let mut found: Vec<Value> = Vec::new();
    while end > oldest && found.len() < enough {
        let begin = end.saturating_sub(EVENTS_PAGE).max(oldest);
        let count = usize::try_from(end - begin).unwrap_or(0);
        let events = asked
            .app
            .blocking(move |parts| parts.events.after(begin, count))
            .await?;
        let is_past = events
            .first()
            .zip(wanted.since)
            .is_some_and(|(first, since)| first.recorded_at < since);
        found.extend(asked.app.read(|state| {
            let within = events.iter().rev().filter(|event| wanted.spans(event));
            within
                .filter_map(|event| shown(asked, state, event, wanted))
                .collect::<Vec<_>>()
        }));
        if is_past {
            break;
        }
        end = begin;
    }
    page(asked, paging, found).await
}

/// One log entry
#[utoipa::path(get, path = "/log_entries/{id}", tag = "fronts", params(("id" = String, Path), LogEntryInclude),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn get_log_entry(Path(entry): Path<String>, asked: Asked) -> Answer {
    let missing = || Refusal::no_such("log entry");
    let position = id::position_of(&entry).ok_or_else(missing)?;
    let event = asked
        .app
        .blocking(move |parts| parts.events.at(position))
        .await?;
    let event = event.ok_or_else(missing)?;
    let found = asked
        .app
        .read(|state| shown(&asked, state, &event, &Wanted::default()));
    let found = found.ok_or_else(missing)?;
    let found = asked.included_one(found, INCLUDED).await?;
    Ok(Reply::Done(json!({ "log_entry": found })))
}

impl Asked {
    /// Shows the entries by which incidents began wholly, where `include[]` names them.
    pub(crate) async fn first_entries(&self, incidents: &mut [Value]) -> Result<(), Refused> {
        if !self.parameters.includes(FIRST_ENTRIES) {
            return Ok(());
        }
        for one in incidents {
            let entry = one["first_trigger_log_entry"]["id"].as_str();
            let Some(position) = entry.and_then(id::position_of) else {
                continue;
            };
            let event = self
                .app
                .blocking(move |parts| parts.events.at(position))
                .await?;
            let all = Wanted::default();
            let whole =
                event.and_then(|event| self.app.read(|state| shown(self, state, &event, &all)));
            if let Some(whole) = whole {
                one["first_trigger_log_entry"] = whole;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn support_hours_that_have_passed_are_no_change_of_urgency() {
        let kind = |hours_passed| urgency_set(Urgency::Low, hours_passed).map(|(kind, ..)| kind);
        assert_eq!(kind(false), Some("urgency_change"));
        assert_eq!(kind(true), None);
    }
}
