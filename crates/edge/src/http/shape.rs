//! Shapes that several nouns of the API share: an instant, a name with its id, and the words of the domain's enums.

use serde::{Deserialize, Serialize};
use tocsin_domain::monitor;
use tocsin_domain::people;
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;
use tocsin_domain::webhook::WebhookKind;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// An id in the description of a request. What it is the id of is read where it is used.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Id {}

impl PartialSchema for Id {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let text = text.description(Some("An id: `Q` and 13 characters of A-Z and 2-7."));
        text.pattern(Some("^Q[A-Z2-7]{13}$")).into()
    }
}

impl ToSchema for Id {}

/// An id that may be left out, to keep what is there, or be null, for nothing.
pub(crate) fn id_or_null<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A word for what webhooks tell, in the description of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum WebhookEvent {}

impl PartialSchema for WebhookEvent {
    fn schema() -> RefOr<Schema> {
        let words = WebhookKind::ALL.map(WebhookKind::word);
        let text = ObjectBuilder::new().schema_type(Type::String);
        text.enum_values(Some(words)).into()
    }
}

impl ToSchema for WebhookEvent {}

/// An instant: RFC 3339 in UTC with milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
#[schema(value_type = String, format = DateTime, example = "2026-11-23T07:12:58.123Z")]
pub(crate) struct Instant(pub(crate) Timestamp);

impl Serialize for Instant {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wanted = "an instant is written as in 2026-11-23T07:12:58Z";
        let wrong = || serde::de::Error::custom(Timestamp::refusal(&text, wanted));
        Timestamp::parse_rfc3339(&text).map(Self).ok_or_else(wrong)
    }
}

/// Something with its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Named {
    /// Its id.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
}

/// What a person may do; each role includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// Reads everything but secrets.
    Viewer,
    /// Also works on incidents.
    Responder,
    /// Also changes people, schedules, channels and tokens.
    Admin,
}

impl From<people::Role> for Role {
    fn from(role: people::Role) -> Self {
        match role {
            people::Role::Viewer => Self::Viewer,
            people::Role::Responder => Self::Responder,
            people::Role::Admin => Self::Admin,
        }
    }
}

impl From<Role> for people::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Viewer,
            Role::Responder => Self::Responder,
            Role::Admin => Self::Admin,
        }
    }
}

/// A part of what Tocsin does, to which a token may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scope {
    /// Alerts and changes that are sent, heartbeats, silences.
    Alerts,
    /// Incidents: reading and responding.
    Incidents,
    /// People, teams, schedules, policies.
    Roster,
    /// Services, rules, integrations, planned work, channels, tokens.
    Settings,
    /// Samples: queries, remote write, metrics.
    Telemetry,
}

impl From<people::Scope> for Scope {
    fn from(scope: people::Scope) -> Self {
        match scope {
            people::Scope::Alerts => Self::Alerts,
            people::Scope::Incidents => Self::Incidents,
            people::Scope::Roster => Self::Roster,
            people::Scope::Settings => Self::Settings,
            people::Scope::Telemetry => Self::Telemetry,
        }
    }
}

impl From<Scope> for people::Scope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Alerts => Self::Alerts,
            Scope::Incidents => Self::Incidents,
            Scope::Roster => Self::Roster,
            Scope::Settings => Self::Settings,
            Scope::Telemetry => Self::Telemetry,
        }
    }
}

/// How loudly an incident asks for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Urgency {
    /// Pages, escalates, repeats.
    High,
    /// Nobody is woken.
    Low,
}

impl From<people::Urgency> for Urgency {
    fn from(urgency: people::Urgency) -> Self {
        match urgency {
            people::Urgency::High => Self::High,
            people::Urgency::Low => Self::Low,
        }
    }
}

impl From<Urgency> for people::Urgency {
    fn from(urgency: Urgency) -> Self {
        match urgency {
            Urgency::High => Self::High,
            Urgency::Low => Self::Low,
        }
    }
}

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// Hurts now.
    Critical,
    /// Hurts some.
    Error,
    /// Will hurt if nothing is done.
    Warning,
    /// Worth knowing.
    Info,
}

impl From<monitor::Severity> for Severity {
    fn from(severity: monitor::Severity) -> Self {
        match severity {
            monitor::Severity::Critical => Self::Critical,
            monitor::Severity::Error => Self::Error,
            monitor::Severity::Warning => Self::Warning,
            monitor::Severity::Info => Self::Info,
        }
    }
}

impl From<Severity> for monitor::Severity {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Critical => Self::Critical,
            Severity::Error => Self::Error,
            Severity::Warning => Self::Warning,
            Severity::Info => Self::Info,
        }
    }
}

/// The transports of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChannelKind {
    /// Mail.
    Email,
    /// A signed HTTP POST.
    Webhook,
    /// A push by an ntfy server.
    Ntfy,
    /// A message in Slack.
    Slack,
    /// A message in Telegram.
    Telegram,
    /// A push by Pushover.
    Pushover,
    /// A text message.
    Sms,
    /// A call.
    Voice,
    /// A push to a browser.
    WebPush,
    /// An event for PagerDuty.
    #[serde(rename = "pagerduty")]
    PagerDuty,
}

impl From<people::ChannelKind> for ChannelKind {
    fn from(kind: people::ChannelKind) -> Self {
        match kind {
            people::ChannelKind::Email => Self::Email,
            people::ChannelKind::Webhook => Self::Webhook,
            people::ChannelKind::Ntfy => Self::Ntfy,
            people::ChannelKind::Slack => Self::Slack,
            people::ChannelKind::Telegram => Self::Telegram,
            people::ChannelKind::Pushover => Self::Pushover,
            people::ChannelKind::Sms => Self::Sms,
            people::ChannelKind::Voice => Self::Voice,
            people::ChannelKind::WebPush => Self::WebPush,
            people::ChannelKind::PagerDuty => Self::PagerDuty,
        }
    }
}

impl From<ChannelKind> for people::ChannelKind {
    fn from(kind: ChannelKind) -> Self {
        match kind {
            ChannelKind::Email => Self::Email,
            ChannelKind::Webhook => Self::Webhook,
            ChannelKind::Ntfy => Self::Ntfy,
            ChannelKind::Slack => Self::Slack,
            ChannelKind::Telegram => Self::Telegram,
            ChannelKind::Pushover => Self::Pushover,
            ChannelKind::Sms => Self::Sms,
            ChannelKind::Voice => Self::Voice,
            ChannelKind::WebPush => Self::WebPush,
            ChannelKind::PagerDuty => Self::PagerDuty,
        }
    }
}

/// A person by name; one who was removed keeps a place in old records.
pub(crate) fn named_user(state: &State, user: tocsin_domain::id::UserId) -> Named {
    let name = state
        .users
        .get(&user)
        .map_or_else(|| "a removed person".to_owned(), |user| user.name.clone());
    Named {
        id: user.to_string(),
        name,
    }
}

/// A schedule by name.
pub(crate) fn named_schedule(state: &State, schedule: tocsin_domain::id::ScheduleId) -> Named {
    let name = state
        .schedules
        .get(&schedule)
        .map_or_else(|| "a removed schedule".to_owned(), |one| one.name.clone());
    Named {
        id: schedule.to_string(),
        name,
    }
}

/// A service by name.
pub(crate) fn named_service(state: &State, service: tocsin_domain::id::ServiceId) -> Named {
    let name = state
        .services
        .get(&service)
        .map_or_else(|| "a removed service".to_owned(), |one| one.name.clone());
    Named {
        id: service.to_string(),
        name,
    }
}

/// A team by name.
pub(crate) fn named_team(state: &State, team: tocsin_domain::id::TeamId) -> Named {
    let name = state
        .teams
        .get(&team)
        .map_or_else(|| "a removed team".to_owned(), |one| one.name.clone());
    Named {
        id: team.to_string(),
        name,
    }
}

/// A target by name.
pub(crate) fn named_target(state: &State, target: tocsin_domain::id::TargetId) -> Named {
    let name = state.targets.get(&target).map_or_else(
        || "a removed target".to_owned(),
        |one| one.identity.name.clone(),
    );
    Named {
        id: target.to_string(),
        name,
    }
}

/// An escalation policy by name; one that was removed keeps it in old records.
pub(crate) fn named_policy(state: &State, policy: tocsin_domain::id::PolicyId) -> Named {
    let known = state.policies.get(&policy).map(|one| one.name.as_str());
    let name = known.or_else(|| state.removed_policies.name_of(policy));
    Named {
        id: policy.to_string(),
        name: name.unwrap_or("a removed policy").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_in_utc_and_read_with_any_offset() {
        let instant: Instant = serde_json::from_str("\"2024-08-18T05:12:07.041+02:00\"").unwrap();
        assert_eq!(
            serde_json::to_string(&instant).unwrap(),
            "\"2024-08-18T03:12:07.041Z\""
        );
        assert!(serde_json::from_str::<Instant>("\"tomorrow\"").is_err());
        assert!(serde_json::from_str::<Instant>("5").is_err());
    }
}
