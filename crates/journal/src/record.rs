//! An event and its row in the table, both ways; it opens no connection.

use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use diesel::sqlite::Sqlite;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tocsin_domain::event::{
    AlertEvent, Cause, EVENT_VERSION, Event, EventBody, IncidentEvent, IncidentWhat, InputEvent,
    InstallationEvent, IntakeEvent, PeopleEvent, RosterEvent, WatchEvent,
};
use tocsin_domain::id::{IdText, IncidentId};
use tocsin_domain::oncall_event::OncallEvent;
use tocsin_domain::time::Timestamp;

use crate::error::JournalError;
use crate::journal::EVENT_BYTES_MAX;
use crate::schema::events;
use crate::upcast::upcast;

/// One row of `events`.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = events, check_for_backend(Sqlite))]
pub(crate) struct EventRow {
    pub(crate) position: i64,
    at: i64,
    recorded_at: i64,
    kind: String,
    version: i32,
    stream: String,
    incident: Option<String>,
    actor: String,
    cause: String,
    body: String,
}

/// Puts a row in. It is one statement for all rows, which is known by this type: the query builder's own goes through all columns
/// several times for each row, which took longer than SQLite does.
#[derive(Debug)]
pub(crate) struct Insert<'a>(pub(crate) &'a EventRow);

impl QueryId for Insert<'_> {
    type QueryId = Insert<'static>;
}

impl QueryFragment<Sqlite> for Insert<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let row = self.0;
        out.push_sql(
            "INSERT INTO events (position, at, recorded_at, kind, version, stream, incident, actor, cause, body) VALUES (",
        );
        out.push_bind_param::<BigInt, _>(&row.position)?;
        for number in [&row.at, &row.recorded_at] {
            out.push_sql(", ");
            out.push_bind_param::<BigInt, _>(number)?;
        }
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&row.kind)?;
        out.push_sql(", ");
        out.push_bind_param::<Integer, _>(&row.version)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&row.stream)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Text>, _>(&row.incident)?;
        for text in [&row.actor, &row.cause, &row.body] {
            out.push_sql(", ");
            out.push_bind_param::<Text, _>(text)?;
        }
        out.push_sql(")");
        Ok(())
    }
}

impl RunQueryDsl<SqliteConnection> for Insert<'_> {}

/// How a body names its kind.
#[derive(Deserialize)]
struct Tags<'a> {
    area: &'a str,
    kind: &'a str,
}

impl EventRow {
    /// The rows of `events`. What follows one another is mostly done by the same one for the same reason, which is written once then.
    ///
    /// # Errors
    /// When an event is too large or would not read back as it is.
    pub(crate) fn all(events: &[Event]) -> Result<Vec<Self>, JournalError> {
        let mut rows = Vec::with_capacity(events.len());
        let mut before = None;
        for event in events {
            let row = Self::written(event, before.zip(rows.last())).map_err(|detail| {
                JournalError::Refused {
                    position: event.position,
                    detail,
                }
            })?;
            rows.push(row);
            before = Some(event);
        }
        Ok(rows)
    }

    fn written(event: &Event, before: Option<(&Event, &Self)>) -> Result<Self, String> {
        let wrong = |error: serde_json::Error| error.to_string();
        let body = serde_json::to_string(&event.body).map_err(wrong)?;
        if body.len() > EVENT_BYTES_MAX {
            return Err(format!(
                "it has {} bytes, {EVENT_BYTES_MAX} are allowed",
                body.len()
            ));
        }
        let kind = kind_of(&body).map_err(wrong)?;
        // A debug build reads everything back, so that every test proves what is taken for granted elsewhere.
        if cfg!(debug_assertions) || may_read_back_otherwise(&event.body) {
            let back: EventBody = serde_json::from_str(&body).map_err(wrong)?;
            if serde_json::to_string(&back).map_err(wrong)? != body {
                return Err("it does not read back as it was written".to_owned());
            }
        }
        Ok(Self {
            position: i64::try_from(event.position).map_err(|error| error.to_string())?,
            at: event.at.as_micros(),
            recorded_at: event.recorded_at.as_micros(),
            kind,
            version: i32::from(EVENT_VERSION),
            stream: stream_of(&event.body),
            incident: event.body.incident().map(|id| id.as_str().to_owned()),
            actor: match before {
                Some((earlier, row)) if earlier.actor == event.actor => row.actor.clone(),
                Some(_) | None => serde_json::to_string(&event.actor).map_err(wrong)?,
            },
            cause: match before {
                // Zero and minus zero are equal, and are written differently.
                Some((earlier, row))
                    if earlier.cause == event.cause
                        && !matches!(event.cause, Cause::Sample { .. }) =>
                {
                    row.cause.clone()
                }
                Some(_) | None => serde_json::to_string(&event.cause).map_err(wrong)?,
            },
            body,
        })
    }

    /// The event of this row, brought up to the present version.
    ///
    /// # Errors
    /// When a newer release wrote it, or it is damaged.
    pub(crate) fn event(&self) -> Result<Event, JournalError> {
        self.read().map_err(|detail| JournalError::Unreadable {
            position: self.position.try_into().unwrap_or(0),
            kind: self.kind.clone(),
            version: self.version,
            detail,
        })
    }

    fn read(&self) -> Result<Event, String> {
        let body = if self.version == i32::from(EVENT_VERSION) {
            from_json(&self.body)?
        } else {
            let value = upcast(&self.kind, self.version, from_json(&self.body)?)?;
            serde_json::from_value(value).map_err(|error| error.to_string())?
        };
        Ok(Event {
            position: self.position.try_into().unwrap_or(0),
            at: Timestamp::from_micros(self.at),
            recorded_at: Timestamp::from_micros(self.recorded_at),
            actor: from_json(&self.actor)?,
            cause: from_json(&self.cause)?,
            body,
        })
    }
}

/// The kind of a body.
fn kind_of(body: &str) -> Result<String, serde_json::Error> {
    if let Some((area, kind)) = leading_tags(body) {
        return Ok(format!("{area}.{kind}"));
    }
    let tags: Tags<'_> = serde_json::from_str(body)?;
    Ok(format!("{}.{}", tags.area, tags.kind))
}

/// The tags of a body in which they come first, or behind nothing but ids, so that the rest of it need not be read. They are plain
/// words.
fn leading_tags(body: &str) -> Option<(&str, &str)> {
    let (area, mut rest) = word(body.strip_prefix(r#"{"area":"#)?)?;
    loop {
        let (name, value) = word(rest.strip_prefix(',')?)?;
        let value = value.strip_prefix(':')?;
        if name == "kind" {
            let (kind, _) = word(value)?;
            return Some((area, kind));
        }
        rest = match value.strip_prefix("null") {
            Some(rest) => rest,
            None => {
                let (id, rest) = word(value)?;
                id.parse::<IdText>().ok()?;
                rest
            }
        };
    }
}

/// The text between the quotation mark that `text` begins with and the next one, and what follows. Words are short: to search for a
/// mark byte by byte takes less than to set up a search does.
fn word(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix('"')?;
    let end = text.bytes().position(|byte| byte == b'"')?;
    Some((text.get(..end)?, text.get(end + 1..)?))
}

fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

/// Whether an event has to be read back before it is kept. What holds only texts, whole numbers and ids reads back as it is; a
/// number with a fraction may be one that JSON has no word for. Storms are made of the former, and are not slowed down by this.
fn may_read_back_otherwise(body: &EventBody) -> bool {
    match body {
        EventBody::Alert(AlertEvent::Opened { alert }) => {
            alert.onset.is_some() || !alert.evidence.is_empty()
        }
        EventBody::Alert(AlertEvent::Repeated { .. }) | EventBody::Notification(_) => false,
        EventBody::Alert(AlertEvent::Recovered { evidence, .. }) => !evidence.is_empty(),
        EventBody::Incident(IncidentEvent { what, .. }) => !matches!(
            what,
            IncidentWhat::Opened { onset: None, .. } | IncidentWhat::LevelReached { .. }
        ),
        EventBody::Installation(_)
        | EventBody::People(_)
        | EventBody::Roster(_)
        | EventBody::Watch(_)
        | EventBody::Input(_) => true,
    }
}

/// The noun whose life an event belongs to: `incident:Q…`. An alert is a part of its incident's life.
fn stream_of(body: &EventBody) -> String {
    match body {
        EventBody::Installation(
            InstallationEvent::SetUp { .. }
            | InstallationEvent::FallbackSet { .. }
            | InstallationEvent::PrioritiesSet { .. }
            | InstallationEvent::ClockSetBack { .. },
        ) => "installation".to_owned(),
        EventBody::People(event) => format!("user:{}", person_of(event)),
        EventBody::Roster(event) => stream_of_roster(event),
        EventBody::Watch(event) => stream_of_watch(event),
        EventBody::Alert(
            AlertEvent::Repeated { incident, .. } | AlertEvent::Recovered { incident, .. },
        ) => stream_of_incident(*incident),
        EventBody::Alert(AlertEvent::Opened { alert }) => stream_of_incident(alert.incident),
        EventBody::Incident(event) => stream_of_incident(event.incident),
        EventBody::Notification(event) => format!("notification:{}", event.notification),
        EventBody::Input(
            InputEvent::Ignored { .. } | InputEvent::Dropped { .. } | InputEvent::Changed { .. },
        ) => "input".to_owned(),
    }
}

fn stream_of_incident(incident: IncidentId) -> String {
    ["incident:", incident.as_str()].concat()
}

fn person_of(event: &PeopleEvent) -> tocsin_domain::id::UserId {
    match event {
        PeopleEvent::UserAdded { user } => user.id,
        PeopleEvent::UserChanged { user, .. }
        | PeopleEvent::UserRemoved { user }
        | PeopleEvent::ContactMethodAdded { user, .. }
        | PeopleEvent::ContactMethodVerified { user, .. }
        | PeopleEvent::ContactMethodGone { user, .. }
        | PeopleEvent::ContactMethodRemoved { user, .. }
        | PeopleEvent::ContactMethodRenamed { user, .. }
        | PeopleEvent::NotificationRulesSet { user, .. } => *user,
    }
}

fn stream_of_roster(event: &RosterEvent) -> String {
    match event {
        RosterEvent::ScheduleSet { schedule } => format!("schedule:{}", schedule.id),
        RosterEvent::ScheduleRemoved { schedule } => format!("schedule:{schedule}"),
        RosterEvent::PolicySet { policy } => format!("policy:{}", policy.id),
        RosterEvent::PolicyRemoved { policy } => format!("policy:{policy}"),
        RosterEvent::ServiceSet { service } => format!("service:{}", service.id),
        RosterEvent::ServiceRemoved { service } => format!("service:{service}"),
        RosterEvent::IntegrationAdded { integration }
        | RosterEvent::IntegrationChanged { integration } => {
            format!("integration:{}", integration.id)
        }
        RosterEvent::IntegrationRemoved { integration } => format!("integration:{integration}"),
        RosterEvent::Intake(event) => stream_of_intake(event),
        RosterEvent::TeamSet { team } => format!("team:{}", team.id),
        RosterEvent::TeamRemoved { team } => format!("team:{team}"),
        RosterEvent::Oncall { what } => stream_of_oncall(what),
        RosterEvent::Webhook(event) => format!("webhook:{}", event.webhook()),
        RosterEvent::Tag(_) => "tags".to_owned(),
        RosterEvent::Business(_) => "business_services".to_owned(),
    }
}

fn stream_of_oncall(event: &OncallEvent) -> String {
    match event {
        OncallEvent::ScheduleChanged { schedule, .. } => format!("schedule:{schedule}"),
        OncallEvent::CalendarSet { calendar } => format!("calendar:{}", calendar.id),
        OncallEvent::CalendarRevoked { calendar } => format!("calendar:{calendar}"),
        OncallEvent::DutySeen { schedule, .. } => format!("schedule:{schedule}"),
        OncallEvent::NoticesSwitched { user, .. } => format!("user:{user}"),
        OncallEvent::FindingAppeared { .. }
        | OncallEvent::FindingsRestated { .. }
        | OncallEvent::FindingEnded { .. }
        | OncallEvent::FindingsTold { .. } => "findings".to_owned(),
        OncallEvent::ChannelsSeen { .. } => "channels".to_owned(),
    }
}

fn stream_of_intake(event: &IntakeEvent) -> String {
    match event {
        IntakeEvent::RulesSet { .. } => "rules".to_owned(),
        IntakeEvent::WindowSet { window } => format!("window:{}", window.id),
        IntakeEvent::WindowEnded { window } | IntakeEvent::WindowRemoved { window } => {
            format!("window:{window}")
        }
        IntakeEvent::HeartbeatSet { heartbeat } => format!("heartbeat:{}", heartbeat.id),
        IntakeEvent::HeartbeatRemoved { heartbeat }
        | IntakeEvent::HeartbeatCalled { heartbeat }
        | IntakeEvent::HeartbeatStarted { heartbeat }
        | IntakeEvent::HeartbeatFailed { heartbeat, .. } => format!("heartbeat:{heartbeat}"),
        IntakeEvent::HeartbeatsSpared { .. } => "heartbeats".to_owned(),
        IntakeEvent::AlertsSpared { .. } => "alerts".to_owned(),
    }
}

fn stream_of_watch(event: &WatchEvent) -> String {
    match event {
        WatchEvent::TargetFound { target } => format!("target:{}", target.id),
        WatchEvent::TargetChanged { target, .. }
        | WatchEvent::TargetRemoved { target }
        | WatchEvent::TargetMuted { target, .. }
        | WatchEvent::TargetUnmuted { target }
        | WatchEvent::MaintenancePlanned { target, .. }
        | WatchEvent::MaintenanceCancelled { target, .. } => format!("target:{target}"),
        WatchEvent::MonitorSet { monitor } => format!("monitor:{}", monitor.id),
        WatchEvent::MonitorSwitched { monitor, .. } => format!("monitor:{monitor}"),
    }
}

#[cfg(test)]
mod tests;
