//! What happened, in sentences for people: one entry for each event, every kind covered. Pure; it reads no journal.

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use tocsin_domain::event::{
    Actor, AlertEvent, Event, EventBody, IncidentWhat, InputEvent, Reworded,
};
use tocsin_domain::id::{NotificationId, ScheduleId, TargetId, UserId};
use tocsin_domain::people::ChannelKind;
use tocsin_domain::state;
use utoipa::ToSchema;

use super::{people_sentence, sentence};
use crate::app::App;
use crate::http::body::Params;
use crate::http::page::{Page, PageQuery};
use crate::http::problem::Problem;
use crate::http::shape::{Instant, named_policy, named_schedule, named_target, named_user};
use crate::kind;

/// Who did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ActorKind {
    /// A person.
    Person,
    /// Tocsin itself.
    System,
    /// A foreign system.
    Integration,
}

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct EntryActor {
    kind: ActorKind,
    name: String,
}

/// How an entry is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Tone {
    /// Neither good nor bad.
    Info,
    /// Something went well.
    Good,
    /// Something went wrong.
    Bad,
    /// A person did something.
    Person,
}

/// One line of a timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct TimelineEntry {
    /// The event's place in the journal.
    pub(crate) position: u64,
    /// When it happened.
    pub(crate) at: Instant,
    /// When it was recorded.
    pub(crate) recorded_at: Instant,
    /// The kind of event (`incident.acknowledged`).
    pub(crate) kind: String,
    /// What happened, in one sentence.
    pub(crate) title: String,
    /// More about it; may be empty.
    pub(crate) detail: String,
    pub(crate) actor: EntryActor,
    pub(crate) level: Tone,
}

/// Names of what events refer to, as they are now.
pub(crate) struct Names<'a>(pub(crate) &'a state::State);

impl Names<'_> {
    pub(super) fn user(&self, user: UserId) -> String {
        named_user(self.0, user).name
    }

    pub(super) fn users(&self, users: &[UserId]) -> String {
        let names: Vec<String> = users.iter().map(|user| self.user(*user)).collect();
        if names.is_empty() {
            "nobody".to_owned()
        } else {
            names.join(", ")
        }
    }

    pub(super) fn schedule(&self, schedule: ScheduleId) -> String {
        named_schedule(self.0, schedule).name
    }

    pub(super) fn target(&self, target: TargetId) -> String {
        named_target(self.0, target).name
    }

    pub(super) fn policy(&self, policy: Option<tocsin_domain::id::PolicyId>) -> String {
        policy.map_or_else(
            || "no policy".to_owned(),
            |policy| format!("“{}”", named_policy(self.0, policy).name),
        )
    }

    /// `Ann by email (Work)`.
    pub(super) fn message(&self, id: NotificationId) -> String {
        let Some(message) = self.0.notifications.get(&id) else {
            return "a message".to_owned();
        };
        let user = self.0.users.get(&message.user);
        let label = user
            .and_then(|user| user.contact_method(message.contact_method))
            .map(|method| &method.label);
        let label = label.map(|label| format!(" ({label})")).unwrap_or_default();
        format!(
            "{} by {}{label}",
            self.user(message.user),
            message.channel.word()
        )
    }

    /// Who answered by a message. Where others may read its link too, nobody knows that it was its owner, and the link is named.
    fn answerer(&self, user: UserId, channel: ChannelKind) -> String {
        let name = self.user(user);
        if let Some(place) = channel.read_by_others() {
            return format!("the link in {name}’s {place}");
        }
        let means = match channel {
            ChannelKind::Email => "mail link",
            ChannelKind::Slack => "Slack",
            ChannelKind::Telegram => "Telegram",
            ChannelKind::Pushover => "Pushover",
            ChannelKind::Sms => "text message",
            ChannelKind::Voice => "telephone",
            ChannelKind::Webhook
            | ChannelKind::Ntfy
            | ChannelKind::WebPush
            | ChannelKind::PagerDuty => "the link of a page",
        };
        format!("{name} by {means}")
    }

    /// What an actor is called.
    pub(crate) fn actor_name(&self, actor: &Actor) -> String {
        self.actor(actor).name
    }

    fn actor(&self, actor: &Actor) -> EntryActor {
        let of = |kind, name| EntryActor { kind, name };
        match actor {
            Actor::System => of(ActorKind::System, "Tocsin".to_owned()),
            Actor::Person { user } => of(ActorKind::Person, self.user(*user)),
            Actor::Channel { user, channel } => {
                of(ActorKind::Person, self.answerer(*user, *channel))
            }
            Actor::OnBehalf { user, name, .. } => of(
                ActorKind::Person,
                format!("{} by {}", self.user(*user), token(name.as_deref())),
            ),
            Actor::Token { name, .. } => of(ActorKind::Integration, token(name.as_deref())),
            Actor::Integration { integration } => {
                let known = self
                    .0
                    .integrations
                    .get(integration)
                    .map(|one| one.name.clone());
                of(
                    ActorKind::Integration,
                    known.unwrap_or_else(|| "a removed integration".to_owned()),
                )
            }
            Actor::Rule { group, rule } => of(
                ActorKind::System,
                format!("Rule “{rule}” of group “{group}”"),
            ),
            Actor::Monitor { monitor } => {
                let known = self
                    .0
                    .monitors
                    .get(monitor)
                    .map(|one| format!("Monitor “{}”", one.name));
                of(
                    ActorKind::System,
                    known.unwrap_or_else(|| "a removed monitor".to_owned()),
                )
            }
        }
    }
}

/// What a token of the installation is called; nothing but that it was one is known of what was recorded before names were.
fn token(name: Option<&str>) -> String {
    name.map_or_else(
        || "an API token".to_owned(),
        |name| format!("token “{name}”"),
    )
}

/// Title, detail and tone.
pub(super) type Words = (String, String, Tone);

/// The entry of an event.
pub(crate) fn entry(event: &Event, names: &Names<'_>) -> TimelineEntry {
    let (mut title, detail, level) = words(&event.body, names);
    if is_acknowledged_by_link_alone(event) {
        title = format!("Acknowledged by {}", names.actor_name(&event.actor));
    } else if event.is_reopened_by_hand() {
        title = format!("Reopened by {}", names.actor_name(&event.actor));
    } else if event.is_resolved_by_hand() {
        title = format!("Resolved by {}", names.actor_name(&event.actor));
    }
    TimelineEntry {
        position: event.position,
        at: Instant(event.at),
        recorded_at: Instant(event.recorded_at),
        kind: kind::of(&event.body),
        title,
        detail,
        actor: names.actor(&event.actor),
        level,
    }
}

/// Whether all that is known of who acknowledged is that they had a link that others may read too.
fn is_acknowledged_by_link_alone(event: &Event) -> bool {
    let what = event.body.incident_part();
    let is_acknowledged = matches!(what, Some(IncidentWhat::Acknowledged { .. }));
    let shared = event.actor.channel().and_then(ChannelKind::read_by_others);
    is_acknowledged && shared.is_some()
}

fn words(body: &EventBody, names: &Names<'_>) -> Words {
    match body {
        EventBody::Installation(event) => sentence::installation(event, names),
        EventBody::People(event) => people_sentence::people(event, names),
        EventBody::Roster(event) => sentence::roster(event, names),
        EventBody::Watch(event) => sentence::watch(event, names),
        EventBody::Alert(event) => alert(event, names),
        EventBody::Incident(event) => sentence::incident(&event.what, names),
        EventBody::Notification(event) => {
            sentence::notification(&event.what, event.notification, names)
        }
        EventBody::Input(InputEvent::Ignored { what, .. }) => (
            "Something from outside changed nothing".to_owned(),
            what.clone(),
            Tone::Info,
        ),
        EventBody::Input(InputEvent::Dropped { what, .. }) => (
            "A rule threw an alert away".to_owned(),
            what.clone(),
            Tone::Info,
        ),
        EventBody::Input(InputEvent::Changed { change }) => (
            format!("Changed: {}", change.summary),
            change.source.clone().unwrap_or_default(),
            Tone::Info,
        ),
    }
}

fn alert(event: &AlertEvent, names: &Names<'_>) -> Words {
    match event {
        AlertEvent::Opened { alert } => {
            let evidence = sentence::evidence(&alert.evidence);
            let rules = sentence::rules(alert);
            let detail = [alert.summary.as_str(), evidence.as_str(), rules.as_str()]
                .join("\n")
                .trim()
                .to_owned();
            (format!("Failing: {}", alert.title), detail, Tone::Bad)
        }
        AlertEvent::Repeated {
            summary,
            severity,
            reworded,
            ..
        } => {
            let severity = severity.word();
            let told = match reworded {
                None => format!("Said again ({severity}): {summary}"),
                Some(Reworded::Title) => format!("Called otherwise: {summary}"),
                Some(Reworded::Summary) => format!("Described otherwise: {summary}"),
                Some(Reworded::Severity) => format!("Said to be {severity}: {summary}"),
            };
            (told, String::new(), Tone::Info)
        }
        AlertEvent::Recovered {
            alert,
            evidence,
            closed,
            ..
        } => {
            let title = names
                .0
                .alerts
                .get(alert)
                .map_or("an alert", |alert| alert.title.as_str());
            match closed {
                Some(why) => (
                    format!("Closed: {title}"),
                    format!("Not seen healthy: {why}."),
                    Tone::Info,
                ),
                None => (
                    format!("Recovered: {title}"),
                    sentence::evidence(evidence),
                    Tone::Good,
                ),
            }
        }
    }
}

/// What happened, oldest first
#[utoipa::path(get, path = "/api/tocsin/v1/incidents/{id}/timeline", tag = "incidents",
    params(("id" = String, Path, description = "Id or number"), PageQuery),
    responses((status = 200, body = Page<TimelineEntry>), (status = 404)))]
pub(crate) async fn timeline(
    State(app): State<App>,
    Path(id): Path<String>,
    Params(page): Params<PageQuery>,
) -> Result<Json<Page<TimelineEntry>>, Problem> {
    let incident = super::find(&app, &id)?;
    let (limit, after) = (page.limit()?, page.after_number()?.unwrap_or(0));
    let mut events = app
        .blocking(move |parts| parts.events.of_incident(incident, after, limit + 1))
        .await?;
    let more = events.len() > limit;
    events.truncate(limit);
    let items: Vec<TimelineEntry> = app.read(|state| {
        events
            .iter()
            .map(|event| entry(event, &Names(state)))
            .collect()
    });
    let next_cursor = items
        .last()
        .filter(|_| more)
        .map(|last| last.position.to_string());
    Ok(Json(Page { items, next_cursor }))
}
