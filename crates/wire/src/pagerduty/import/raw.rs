//! Answers of PagerDuty's REST API, as far as something is made of them. Any field may be missing or null, and others are not
//! looked at.

use serde::Deserialize;
use serde_json::Value;

/// Another thing, by its id.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Reference {
    pub(super) id: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) summary: Option<String>,
}

/// A person.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct User {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) email: Option<String>,
    pub(super) role: Option<String>,
}

/// A team.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Team {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) parent: Option<Reference>,
    /// They are asked for one by one.
    #[serde(skip)]
    pub(super) members: Vec<Member>,
}

/// Who belongs to a team.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Member {
    pub(super) user: Option<Reference>,
    pub(super) role: Option<String>,
}

/// A schedule; lists have it without its layers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Schedule {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) time_zone: Option<String>,
    pub(super) teams: Option<Vec<Reference>>,
    pub(super) schedule_layers: Option<Vec<Layer>>,
}

/// A rotation.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Layer {
    pub(super) name: Option<String>,
    /// PagerDuty's have none; those of a Tocsin that is read as one may.
    pub(super) time_zone: Option<String>,
    pub(super) start: Option<String>,
    pub(super) end: Option<String>,
    pub(super) rotation_virtual_start: Option<String>,
    pub(super) rotation_turn_length_seconds: Option<u64>,
    pub(super) users: Option<Vec<LayerUser>>,
    pub(super) restrictions: Option<Vec<Restriction>>,
}

/// One of those who take turns.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LayerUser {
    pub(super) user: Option<Reference>,
}

/// When a layer has somebody.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Restriction {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) start_time_of_day: Option<String>,
    pub(super) start_day_of_week: Option<u64>,
    pub(super) duration_seconds: Option<u64>,
}

/// An escalation policy.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Policy {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) teams: Option<Vec<Reference>>,
    pub(super) num_loops: Option<u64>,
    pub(super) escalation_rules: Option<Vec<EscalationRule>>,
}

/// One level of it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct EscalationRule {
    pub(super) escalation_delay_in_minutes: Option<u64>,
    pub(super) targets: Option<Vec<Reference>>,
    /// An object with a type, and in some answers the type alone.
    pub(super) escalation_rule_assignment_strategy: Option<Value>,
}

/// A service.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Service {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) status: Option<String>,
    pub(super) escalation_policy: Option<Reference>,
    pub(super) integrations: Option<Vec<Integration>>,
    pub(super) auto_resolve_timeout: Option<u64>,
    pub(super) acknowledgement_timeout: Option<u64>,
    pub(super) incident_urgency_rule: Option<UrgencyRule>,
    pub(super) support_hours: Option<SupportHours>,
    pub(super) scheduled_actions: Option<Vec<ScheduledAction>>,
    pub(super) alert_grouping: Option<String>,
    pub(super) alert_grouping_timeout: Option<u64>,
    pub(super) alert_grouping_parameters: Option<GroupingParameters>,
    pub(super) auto_pause_notifications_parameters: Option<AutoPause>,
    /// Its own rules, which are asked for one by one.
    #[serde(skip)]
    pub(super) orchestration: Option<Value>,
}

/// What raises alerts on a service; its key is not read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Integration {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) name: Option<String>,
    pub(super) summary: Option<String>,
    pub(super) vendor: Option<Reference>,
}

/// How urgent incidents are.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct UrgencyRule {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) urgency: Option<String>,
    pub(super) during_support_hours: Option<InHours>,
    pub(super) outside_support_hours: Option<InHours>,
}

/// How urgent they are at some hours.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct InHours {
    pub(super) urgency: Option<String>,
}

/// The same hours of some days.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SupportHours {
    pub(super) time_zone: Option<String>,
    pub(super) start_time: Option<String>,
    pub(super) end_time: Option<String>,
    pub(super) days_of_week: Option<Vec<u64>>,
}

/// What happens when hours begin or end.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ScheduledAction {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) at: Option<NamedTime>,
    pub(super) to_urgency: Option<String>,
}

/// A time by its name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NamedTime {
    pub(super) name: Option<String>,
}

/// Which alerts make one incident.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct GroupingParameters {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) config: Option<GroupingConfig>,
}

/// The details of that.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct GroupingConfig {
    pub(super) timeout: Option<u64>,
    pub(super) aggregate: Option<String>,
    pub(super) fields: Option<Vec<String>>,
    pub(super) time_window: Option<u64>,
}

/// Whether alerts that pass by themselves wait before they page.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AutoPause {
    pub(super) enabled: Option<bool>,
}

/// Planned work.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Window {
    pub(super) description: Option<String>,
    pub(super) start_time: Option<String>,
    pub(super) end_time: Option<String>,
    pub(super) services: Option<Vec<Reference>>,
}

/// The name of a priority.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Priority {
    pub(super) name: Option<String>,
    /// The greater, the more important.
    pub(super) order: Option<i64>,
}

/// An event orchestration. Its rules are asked for one set after the other.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Orchestration {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) integrations: Option<Vec<OrchestrationKey>>,
    #[serde(skip)]
    pub(super) router: Option<Value>,
    #[serde(skip)]
    pub(super) global: Option<Value>,
    #[serde(skip)]
    pub(super) unrouted: Option<Value>,
}

/// By which alerts come to it; the key itself is not read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct OrchestrationKey {
    pub(super) label: Option<String>,
}

/// What is told by what it is called alone.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Titled {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) label: Option<String>,
    pub(super) summary: Option<String>,
}

/// Where somebody is told of what happens.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Webhook {
    pub(super) id: Option<String>,
    pub(super) description: Option<String>,
    pub(super) delivery_method: Option<DeliveryMethod>,
}

/// How.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DeliveryMethod {
    pub(super) url: Option<String>,
}
