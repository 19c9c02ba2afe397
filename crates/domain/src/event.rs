//! What happened: the events that every state is folded from, and the envelope each is journalled in.

mod alert;
mod business;
mod incident;
mod intake;
mod response;
mod tag;

use serde::{Deserialize, Serialize};

pub use crate::actor::Actor;
pub use alert::{AlertEvent, Reworded};
pub use business::BusinessEvent;
pub use incident::{IncidentEvent, IncidentWhat};
pub use intake::IntakeEvent;
pub use response::{AskedLevel, Response};
pub use tag::TagEvent;

use crate::alert::EvidenceSample;
use crate::change::Change;
use crate::id::{
    ContactMethodId, IncidentId, IntegrationId, MaintenanceId, MonitorId, NotificationId, PolicyId,
    RuleId, ScheduleId, ServiceId, TargetId, TeamId, UserId,
};
use crate::monitor::Monitor;
use crate::oncall::Schedule;
use crate::oncall_event::OncallEvent;
use crate::page::{Fate, Notification, Outcome, Policy, Via};
use crate::people::{About, ContactMethod, NotificationRule, Role, User};
use crate::service::{Integration, Service};
use crate::target::{Maintenance, Target, TargetIdentity};
use crate::team::Team;
use crate::time::Timestamp;
use crate::webhook::WebhookEvent;

/// The version that new events are written in. An older event is brought up by the journal before it is folded.
pub const EVENT_VERSION: u16 = 1;

/// One thing that happened, as journalled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its place in the journal, from 1 without a gap.
    pub position: u64,
    /// When it happened.
    pub at: Timestamp,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// What made it happen.
    pub cause: Cause,
    /// What happened.
    pub body: EventBody,
}

/// What made something happen; following it back answers "why was I paged?".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Cause {
    /// A request from outside.
    Request,
    /// An earlier event.
    Event {
        /// Its position.
        position: u64,
    },
    /// A sample, kept here so that it outlives retention.
    Sample {
        /// Which.
        sample: EvidenceSample,
    },
    /// A time that had come.
    Due {
        /// The time.
        at: Timestamp,
    },
}

/// Everything that can happen, by area.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "area", rename_all = "snake_case")]
pub enum EventBody {
    /// The installation itself.
    Installation(InstallationEvent),
    /// People and how to reach them.
    People(PeopleEvent),
    /// Schedules, policies, services.
    Roster(RosterEvent),
    /// Targets and monitors.
    Watch(WatchEvent),
    /// Conditions.
    Alert(AlertEvent),
    /// One failure.
    Incident(IncidentEvent),
    /// One message.
    Notification(NotificationEvent),
    /// Input from outside that raised nothing.
    Input(InputEvent),
}

/// What happened to the installation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum InstallationEvent {
    /// The installation got its first administrator.
    SetUp {
        /// The first team.
        team: TeamId,
        /// The policy of services that name none.
        default_policy: PolicyId,
        /// The service of alerts that name none.
        default_service: ServiceId,
        /// Who is paged when a policy is exhausted.
        fallback: Vec<UserId>,
    },
    /// The list of last resort changed.
    FallbackSet {
        /// Who.
        users: Vec<UserId>,
    },
    /// The names of priorities changed.
    PrioritiesSet {
        /// All of them, the most important first.
        names: Vec<String>,
    },
    /// The clock of the machine shows an earlier time than before: what waits for some time waits that time and no longer.
    ClockSetBack {
        /// How far.
        by_ms: u64,
    },
}

/// What happened to people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PeopleEvent {
    /// A person was added.
    UserAdded {
        /// Who.
        user: User,
    },
    /// A person's name or role changed.
    UserChanged {
        /// Who.
        user: UserId,
        /// The name now.
        name: String,
        /// The role now.
        role: Role,
        /// What is said of them, when that changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        about: Option<About>,
    },
    /// A person was removed, with their vault rows.
    UserRemoved {
        /// Who.
        user: UserId,
    },
    /// A way to reach a person was added.
    ContactMethodAdded {
        /// Whose.
        user: UserId,
        /// Which.
        method: ContactMethod,
    },
    /// Its owner proved to receive there.
    ContactMethodVerified {
        /// Whose.
        user: UserId,
        /// Which.
        method: ContactMethodId,
    },
    /// Whoever carries messages by a way said that its address is gone for ever: it is not used any more.
    ContactMethodGone {
        /// Whose.
        user: UserId,
        /// Which.
        method: ContactMethodId,
    },
    /// A way to reach a person was removed.
    ContactMethodRemoved {
        /// Whose.
        user: UserId,
        /// Which.
        method: ContactMethodId,
    },
    /// A way to reach a person is called something else.
    ContactMethodRenamed {
        /// Whose.
        user: UserId,
        /// Which.
        method: ContactMethodId,
        /// What its owner calls it from now on.
        label: String,
    },
    /// A person's notification rules were replaced.
    NotificationRulesSet {
        /// Whose.
        user: UserId,
        /// All of them.
        rules: Vec<NotificationRule>,
    },
}

/// What happened to schedules, policies and services.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RosterEvent {
    /// A schedule was added or replaced.
    ScheduleSet {
        /// The whole of it.
        schedule: Schedule,
    },
    /// A schedule was removed.
    ScheduleRemoved {
        /// Which.
        schedule: ScheduleId,
    },
    /// An escalation policy was added or replaced.
    PolicySet {
        /// The whole of it.
        policy: Policy,
    },
    /// An escalation policy was removed.
    PolicyRemoved {
        /// Which.
        policy: PolicyId,
    },
    /// A service was added or replaced.
    ServiceSet {
        /// The whole of it.
        service: Service,
    },
    /// A service was removed; what failed on it is kept.
    ServiceRemoved {
        /// Which.
        service: ServiceId,
    },
    /// An integration was added.
    IntegrationAdded {
        /// The whole of it.
        integration: Integration,
    },
    /// An integration was called otherwise, or its mapping changed.
    IntegrationChanged {
        /// The whole of it.
        integration: Integration,
    },
    /// An integration was removed; its key is dead.
    IntegrationRemoved {
        /// Which.
        integration: IntegrationId,
    },
    /// A schedule was changed by hand, or a calendar.
    Oncall {
        /// What happened.
        what: OncallEvent,
    },
    /// A team was added or replaced.
    TeamSet {
        /// The whole of it.
        team: Team,
    },
    /// A team was removed.
    TeamRemoved {
        /// Which.
        team: TeamId,
    },
    /// Rules, maintenance windows or heartbeats changed.
    Intake(IntakeEvent),
    /// Subscriptions to what happens to incidents changed.
    Webhook(WebhookEvent),
    /// Tags, or what has them, changed.
    Tag(TagEvent),
    /// Business services, or what supports what, changed.
    Business(BusinessEvent),
}

/// What happened to targets and monitors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum WatchEvent {
    /// A web server was found for the first time.
    TargetFound {
        /// The whole of it.
        target: Target,
    },
    /// A known web server was found changed (other listeners, logs, files).
    TargetChanged {
        /// Which.
        target: TargetId,
        /// As it is now.
        identity: TargetIdentity,
    },
    /// A person ended the watch.
    TargetRemoved {
        /// Which.
        target: TargetId,
    },
    /// Nobody is paged for a target until then.
    TargetMuted {
        /// Which.
        target: TargetId,
        /// Until when.
        until: Timestamp,
        /// Why.
        reason: String,
    },
    /// The mute was taken back.
    TargetUnmuted {
        /// Which.
        target: TargetId,
    },
    /// Work on a target was planned.
    MaintenancePlanned {
        /// Which.
        target: TargetId,
        /// The window.
        window: Maintenance,
    },
    /// Planned work was called off.
    MaintenanceCancelled {
        /// Which target.
        target: TargetId,
        /// Which window.
        window: MaintenanceId,
    },
    /// A monitor was added or replaced.
    MonitorSet {
        /// The whole of it.
        monitor: Monitor,
    },
    /// A monitor was switched on or off.
    MonitorSwitched {
        /// Which.
        monitor: MonitorId,
        /// On or off.
        enabled: bool,
    },
}

/// Something that happened to a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NotificationEvent {
    /// To which.
    pub notification: NotificationId,
    /// The incident it is about; none for a test page.
    pub incident: Option<IncidentId>,
    /// What.
    #[serde(flatten)]
    pub what: NotificationWhat,
}

/// What happened to a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum NotificationWhat {
    /// A message was planned.
    Planned {
        /// The whole of it.
        message: Notification,
    },
    /// A planned message is sent earlier, because another way failed.
    Advanced {
        /// When it is due now.
        due_at: Timestamp,
        /// Why.
        why: String,
    },
    /// A message waits and tells, when it is sent, what else would have been sent to the same address meanwhile.
    Gathers {
        /// When it is due now.
        due_at: Timestamp,
        /// Why.
        why: String,
    },
    /// A message is told together with others.
    ToldTogether {
        /// By which message.
        by: NotificationId,
    },
    /// The first attempt waits, because whoever carries such messages does not answer.
    Postponed {
        /// When it is due now.
        due_at: Timestamp,
        /// Why.
        why: String,
    },
    /// A message is being sent.
    AttemptStarted {
        /// The attempt, from 1.
        number: u32,
    },
    /// The outcome of a try is known.
    AttemptFinished {
        /// The attempt.
        number: u32,
        /// How it went.
        outcome: Outcome,
        /// The provider's words, or what went wrong.
        detail: String,
        /// When it is tried again; none when it arrived or was given up.
        retry_at: Option<Timestamp>,
        /// What the provider calls the message, where it can be asked for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
        /// Whether nothing was sent, so that it says nothing about the provider.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        not_tried: bool,
        /// Whether nothing was sent because nobody wanted it any more. Unless it is tried again, it is no longer needed; what it would
        /// have told along is told on its own.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        moot: bool,
        /// By which account of its channel it went, where it may have several.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        via: Option<Box<Via>>,
    },
    /// It is known what became of a message after the provider took it.
    Receipt {
        /// Of which attempt.
        number: u32,
        /// What.
        fate: Fate,
        /// The provider's words, or what went wrong.
        detail: String,
    },
    /// A message is no longer needed.
    Cancelled {
        /// Why.
        why: String,
    },
}

impl NotificationWhat {
    /// The attempt that begins with it, if one does.
    #[must_use]
    pub const fn begun(&self) -> Option<u32> {
        match self {
            Self::AttemptStarted { number } => Some(*number),
            Self::Planned { .. }
            | Self::Advanced { .. }
            | Self::Gathers { .. }
            | Self::ToldTogether { .. }
            | Self::Postponed { .. }
            | Self::AttemptFinished { .. }
            | Self::Receipt { .. }
            | Self::Cancelled { .. } => None,
        }
    }
}

/// Input from outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum InputEvent {
    /// An input that was accepted and changed nothing.
    Ignored {
        /// What it was and why it changed nothing.
        what: String,
        /// The service it was about.
        service: Option<ServiceId>,
    },
    /// A rule threw an alert away.
    Dropped {
        /// Which rule.
        rule: RuleId,
        /// The alert, and the rule's name.
        what: String,
        /// The service it was sent to.
        service: ServiceId,
    },
    /// Somebody told of a change.
    Changed {
        /// The whole of it.
        change: Change,
    },
}
