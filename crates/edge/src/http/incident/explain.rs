//! "Why was I paged?" and "why was nobody paged?": what the API answers.

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use tocsin_domain::event::{Event, EventBody, IncidentWhat, Response};
use tocsin_domain::id::{IncidentId, NotificationId};
use tocsin_domain::incident::{Incident, Status};
use tocsin_domain::page;
use tocsin_domain::people::Urgency;
use tocsin_domain::state;
use tocsin_domain::time::Timestamp;
use utoipa::ToSchema;

use super::causes::{self, Asked, OfIncident, OfMessage};
use super::timeline::Names;
use super::{chain, message_steps, shorten};
use crate::app::App;
use crate::http::notification::{Notification, shown};
use crate::http::problem::Problem;
use crate::http::shape::Instant;

/// What a step of an explanation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ExplanationStepKind)]
pub(crate) enum StepKind {
    /// Why nobody was paged.
    Nobody,
    /// The message and its way.
    Message,
    /// An attempt to deliver, or what came of it.
    Attempt,
    /// The turn, override, swap or temporary shift by which somebody was on call.
    Schedule,
    /// A level of the policy, or the list of last resort.
    Rung,
    /// Who or what was passed over.
    Skipped,
    /// The page waited.
    Wait,
    /// Pages were held back.
    Quiet,
    /// The incident.
    Incident,
    /// The alert.
    Alert,
    /// Who said that something fails: a monitor, a rule, a foreign system.
    Judge,
    /// A sample that proves it.
    Sample,
    /// A request from outside, or a time that had come.
    Request,
}

/// One step of an explanation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ExplanationStep)]
pub(crate) struct Step {
    kind: StepKind,
    /// When it happened, where there is one instant.
    at: Option<Instant>,
    /// In plain words.
    pub(super) text: String,
}

impl Step {
    pub(super) fn new(kind: StepKind, at: Option<Timestamp>, text: String) -> Self {
        Self {
            kind,
            at: at.map(Instant),
            text,
        }
    }
}

/// The incident that an explanation is about.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ExplainedIncident {
    id: String,
    number: u64,
    title: String,
}

/// Why somebody was paged, or nobody.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Explanation {
    /// Null for a test page.
    incident: Option<ExplainedIncident>,
    /// The message that is explained; null when nobody was paged.
    notification: Option<Notification>,
    /// From the message back to the sample.
    steps: Vec<Step>,
}

/// Why a message was sent
///
/// The chain of causes back to the sample, in plain words.
#[utoipa::path(get, path = "/api/tocsin/v1/notifications/{id}/explanation", tag = "oncall",
    params(("id" = String, Path)), responses((status = 200, body = Explanation), (status = 404)))]
pub(crate) async fn explain_notification(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Explanation>, Problem> {
    let missing = || Problem::not_found(&format!("message {id}"));
    let wanted: NotificationId = id.parse().map_err(|_| missing())?;
    let asked = app
        .read(|state| {
            let message = state.notifications.get(&wanted)?;
            Some(Asked::of(state, message))
        })
        .ok_or_else(missing)?;
    let read = match asked {
        None => OfMessage::default(),
        Some(asked) => {
            app.blocking(move |parts| causes::of_message(parts.events.as_ref(), &asked))
                .await?
        }
    };
    app.read(|state| {
        let message = state.notifications.get(&wanted)?;
        let names = Names(state);
        let steps = match asked {
            None => message_steps::of(message, &read, &names),
            Some(_) => chain::of_message(&read, message, &names),
        };
        Some(Json(Explanation {
            incident: asked
                .and_then(|asked| state.incidents.get(&asked.incident))
                .map(explained),
            notification: Some(shown(state, message)),
            steps,
        }))
    })
    .ok_or_else(missing)
}

/// Why somebody was paged for an incident, or nobody
///
/// Of its first page; of an incident that paged nobody, why, and how it came to be.
#[utoipa::path(get, path = "/api/tocsin/v1/incidents/{id}/explanation", tag = "incidents",
    params(("id" = String, Path, description = "Id or number")),
    responses((status = 200, body = Explanation), (status = 404)))]
pub(crate) async fn explain_incident(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Explanation>, Problem> {
    let incident = super::find(&app, &id)?;
    let ground = ground(&app, incident).await?;
    app.read(|state| {
        let known = state.incidents.get(&incident)?;
        Some(Json(Explanation {
            incident: Some(explained(known)),
            notification: ground.page(state).map(|page| shown(state, page)),
            steps: steps(state, known, &ground),
        }))
    })
    .ok_or_else(|| Problem::not_found(&format!("incident {id}")))
}

fn explained(incident: &Incident) -> ExplainedIncident {
    ExplainedIncident {
        id: incident.id.to_string(),
        number: incident.number,
        title: incident.title.clone(),
    }
}

/// What the explanation of an incident is made of, as it was read from the journal.
#[derive(Debug)]
pub(super) enum Ground {
    /// Its first page.
    Page(NotificationId, OfMessage),
    /// It paged nobody.
    Nobody(OfIncident),
}

impl Ground {
    fn page<'s>(&self, state: &'s state::State) -> Option<&'s page::Notification> {
        match self {
            Self::Page(id, _) => state.notifications.get(id),
            Self::Nobody(_) => None,
        }
    }
}

/// Reads what an incident's explanation is made of.
pub(super) async fn ground(app: &App, incident: IncidentId) -> Result<Ground, Problem> {
    let (page, opened_event) = app
        .read(|state| {
            let known = state.incidents.get(&incident)?;
            let page = first_page(state, known);
            let page = page.and_then(|page| Asked::of(state, page));
            Some((page, known.opened_event))
        })
        .ok_or_else(|| Problem::not_found(&format!("incident {incident}")))?;
    app.blocking(move |parts| {
        let log = parts.events.as_ref();
        Ok(match page {
            Some(asked) => Ground::Page(asked.message, causes::of_message(log, &asked)?),
            None => Ground::Nobody(causes::of_incident(log, incident, opened_event)?),
        })
    })
    .await
}

/// The sentences of an incident's explanation.
pub(super) fn explanation(
    state: &state::State,
    incident: &Incident,
    ground: &Ground,
) -> Vec<String> {
    let steps = steps(state, incident, ground);
    steps.into_iter().map(|step| step.text).collect()
}

fn steps(state: &state::State, incident: &Incident, ground: &Ground) -> Vec<Step> {
    let names = Names(state);
    match ground {
        Ground::Page(_, read) => {
            let page = ground.page(state);
            page.map_or_else(Vec::new, |page| chain::of_message(read, page, &names))
        }
        Ground::Nobody(read) => {
            let mut steps = vec![nobody(incident, &read.events, &names)];
            let held = read.events.iter().filter_map(held_back);
            steps.extend(shorten::ends(held.map(|step| vec![step]).collect()));
            steps.extend(chain::of_opening(&read.causes, &names));
            steps
        }
    }
}

fn first_page<'s>(state: &'s state::State, incident: &Incident) -> Option<&'s page::Notification> {
    state
        .messages_about(incident.id)
        .find(|one| chain::is_page(one))
}

/// Why nobody was paged, in one sentence.
fn nobody(incident: &Incident, events: &[Event], names: &Names<'_>) -> Step {
    let unreachable = events.iter().any(reaches_nobody);
    let text = if unreachable {
        "Nobody was paged, because nobody in this installation can be reached: a contact method must be confirmed first."
            .to_owned()
    } else if incident.urgency == Urgency::Low {
        format!(
            "Nobody was paged, because it is not urgent: {}.",
            not_urgent(incident, events, names)
        )
    } else if let Some((why, until)) = &incident.suppressed {
        format!("Nobody is paged before {until}: {why}.")
    } else if let Some(hold) = &incident.hold {
        format!(
            "Nobody was paged yet: the page waits until {} at the latest, because {}.",
            hold.until, hold.why
        )
    } else {
        match incident.status {
            Status::Triggered => "Nobody was paged yet.".to_owned(),
            Status::Acknowledged => {
                "Nobody was paged, because it was taken before the page was due.".to_owned()
            }
            Status::Resolved => {
                "Nobody was paged, because it was over before the page was due.".to_owned()
            }
        }
    };
    Step::new(StepKind::Nobody, None, text)
}

/// Why an incident of low urgency is: what made it so, as that was recorded, or its severity.
fn not_urgent(incident: &Incident, events: &[Event], names: &Names<'_>) -> String {
    let by_severity = || {
        let is_low = incident.severity.urgency() == Urgency::Low;
        is_low.then(|| format!("{} pages nobody", incident.severity.word()))
    };
    // What was told of a failure before says nothing about the one that came back.
    let anew = events.iter().rposition(begins_anew).unwrap_or_default();
    let mut recorded = events.iter().skip(anew).rev();
    recorded
        .find_map(|event| lowered(event, names))
        .or_else(by_severity)
        .or_else(|| judged_low(incident, names))
        .unwrap_or_else(|| "its urgency is low".to_owned())
}

/// Whether the incident is about something else from here on.
fn begins_anew(event: &Event) -> bool {
    let what = event.body.incident_part();
    matches!(
        what,
        Some(IncidentWhat::Relapsed {
            failing: Some(_),
            ..
        })
    )
}

/// What made it less urgent by an event, if that did.
fn lowered(event: &Event, names: &Names<'_>) -> Option<String> {
    let what = event.body.incident_part()?;
    if let IncidentWhat::UrgencySet {
        urgency: Urgency::Low,
        why,
        // That support hours have passed leaves it as urgent as it was.
        hours_passed: false,
        ..
    } = what
    {
        return Some(why.clone());
    }
    let low = Response::UrgencySet {
        urgency: Urgency::Low,
    };
    let by_hand = matches!(what, IncidentWhat::Response(response) if *response == low);
    by_hand.then(|| format!("{} set its urgency to low", names.actor_name(&event.actor)))
}

/// What rules and settings say of the alert that it is about: one that joined a lesser incident lowered nothing.
fn judged_low(incident: &Incident, names: &Names<'_>) -> Option<String> {
    let alerts = incident.alerts.iter();
    let alerts = alerts.filter_map(|id| names.0.alerts.get(id));
    alerts
        .filter(|alert| alert.severity == incident.severity && alert.urgency() == Urgency::Low)
        .find_map(|alert| alert.judged.as_ref()?.urgency_why.clone())
}

fn reaches_nobody(event: &Event) -> bool {
    let EventBody::Incident(about) = &event.body else {
        return false;
    };
    matches!(&about.what, IncidentWhat::FallbackReached { recipients, .. } if recipients.is_empty())
}

/// What held the page back, as it was decided then.
fn held_back(event: &Event) -> Option<Step> {
    let EventBody::Incident(about) = &event.body else {
        return None;
    };
    if let IncidentWhat::PageHeld { hold } = &about.what {
        let text = format!("At {} the page began to wait: {}.", event.at, hold.why);
        return Some(Step::new(StepKind::Wait, Some(event.at), text));
    }
    if let IncidentWhat::PageSuppressed { why, until, .. } = &about.what {
        let text = format!("At {} pages were held back until {until}: {why}.", event.at);
        return Some(Step::new(StepKind::Quiet, Some(event.at), text));
    }
    if let IncidentWhat::FallbackReached { why, .. } = &about.what {
        let text = format!("Passed over at {}: {}.", event.at, why.join("; "));
        return Some(Step::new(StepKind::Skipped, Some(event.at), text));
    }
    None
}
