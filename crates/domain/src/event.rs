//! What happened: the events that every state is folded from, and the envelope each is journalled in.

use serde::{Deserialize, Serialize};

use crate::alert::{Alert, EvidenceSample, Onset};
use crate::id::{
    AlertId, ContactMethodId, IncidentId, IntegrationId, MaintenanceId, MonitorId, NotificationId,
    PolicyId, ScheduleId, ServiceId, TargetId, TeamId, TokenId, UserId,
};
use crate::incident::Hold;
use crate::monitor::{Monitor, Severity};
use crate::oncall::Schedule;
use crate::page::{Notification, Outcome, Policy};
use crate::people::{ContactMethod, NotificationRule, Role, Urgency, User};
use crate::service::{Integration, Service};
use crate::target::{Maintenance, Target, TargetIdentity};
use crate::time::Timestamp;

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

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    /// Tocsin itself.
    System,
    /// A person, by the UI, a link or their own token.
    Person {
        /// Who.
        user: UserId,
    },
    /// A token of the installation that belongs to nobody.
    Token {
        /// Which.
        token: TokenId,
    },
    /// A foreign system.
    Integration {
        /// Which.
        integration: IntegrationId,
    },
    /// A monitor.
    Monitor {
        /// Which.
        monitor: MonitorId,
    },
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

/// Everything that can happen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EventBody {
    /// The installation got its first administrator.
    InstallationSetUp {
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
    /// A way to reach a person was removed.
    ContactMethodRemoved {
        /// Whose.
        user: UserId,
        /// Which.
        method: ContactMethodId,
    },
    /// A person's notification rules were replaced.
    NotificationRulesSet {
        /// Whose.
        user: UserId,
        /// All of them.
        rules: Vec<NotificationRule>,
    },
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
    /// An integration was added.
    IntegrationAdded {
        /// The whole of it.
        integration: Integration,
    },
    /// An integration was removed; its key is dead.
    IntegrationRemoved {
        /// Which.
        integration: IntegrationId,
    },
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
    /// A condition began to fail.
    AlertOpened {
        /// The whole of it.
        alert: Alert,
    },
    /// It was said again while open.
    AlertRepeated {
        /// Which.
        alert: AlertId,
        /// The severity said this time.
        severity: Severity,
        /// The summary said this time.
        summary: String,
    },
    /// The condition is over.
    AlertRecovered {
        /// Which.
        alert: AlertId,
        /// What proves it.
        evidence: Vec<EvidenceSample>,
    },
    /// An input that was accepted and changed nothing.
    InputIgnored {
        /// What it was and why it changed nothing.
        what: String,
        /// The service it was about.
        service: Option<ServiceId>,
    },
    /// A failure became an incident.
    IncidentOpened {
        /// Its id.
        incident: IncidentId,
        /// Its number.
        number: u64,
        /// The team that answers.
        team: TeamId,
        /// The service that fails.
        service: ServiceId,
        /// The target that fails.
        target: Option<TargetId>,
        /// What fails.
        title: String,
        /// How bad.
        severity: Severity,
        /// When the failure began.
        onset: Option<Onset>,
    },
    /// A worse alert joined: the incident is now about that.
    IncidentRaised {
        /// Which.
        incident: IncidentId,
        /// The title now.
        title: String,
        /// The severity now.
        severity: Severity,
        /// The urgency now.
        urgency: Urgency,
        /// The onset now.
        onset: Option<Onset>,
    },
    /// The first page waits.
    PageHeld {
        /// Of which incident.
        incident: IncidentId,
        /// How long and why.
        hold: Hold,
    },
    /// Nobody is paged although it is urgent.
    PageSuppressed {
        /// Of which incident.
        incident: IncidentId,
        /// Why.
        why: String,
        /// When paging resumes if it still fails.
        until: Timestamp,
    },
    /// Somebody is paged: a level of the policy was reached.
    LevelReached {
        /// Of which incident.
        incident: IncidentId,
        /// The policy.
        policy: Option<PolicyId>,
        /// The level, counted from 0.
        level: usize,
        /// How often the policy was walked through before.
        round: u32,
        /// Who is paged.
        recipients: Vec<UserId>,
        /// Who or what was passed over, and why.
        skipped: Vec<String>,
        /// When the next level is due.
        next_at: Timestamp,
    },
    /// The policy is through, or pages nobody: the fallback list is paged.
    FallbackReached {
        /// Of which incident.
        incident: IncidentId,
        /// Who is paged.
        recipients: Vec<UserId>,
        /// Why, with who or what was passed over.
        why: Vec<String>,
        /// When it is paged again.
        next_at: Timestamp,
    },
    /// Somebody works on it.
    IncidentAcknowledged {
        /// Which.
        incident: IncidentId,
        /// Who.
        by: UserId,
    },
    /// Something was written down.
    NoteAdded {
        /// Of which incident.
        incident: IncidentId,
        /// The text.
        text: String,
    },
    /// All its alerts are healthy.
    IncidentRecovered {
        /// Which.
        incident: IncidentId,
    },
    /// The failure came back before or soon after the resolve.
    IncidentRelapsed {
        /// Which.
        incident: IncidentId,
        /// Whether it had been resolved.
        reopened: bool,
        /// Whether it is paged for anew.
        pages: bool,
    },
    /// It is over.
    IncidentResolved {
        /// Which.
        incident: IncidentId,
        /// Why.
        why: String,
    },
    /// Its evidence was frozen.
    EvidenceFrozen {
        /// Of which incident.
        incident: IncidentId,
        /// SHA-256 of the bundle, in hex.
        sha256: String,
        /// Its size before compression.
        bytes: u64,
    },
    /// A message was planned.
    NotificationPlanned {
        /// The whole of it.
        notification: Notification,
    },
    /// A planned message is sent earlier, because another way failed.
    NotificationAdvanced {
        /// Which.
        notification: NotificationId,
        /// When it is due now.
        due_at: Timestamp,
        /// Why.
        why: String,
    },
    /// A message is being sent.
    AttemptStarted {
        /// Which.
        notification: NotificationId,
        /// Its incident.
        incident: Option<IncidentId>,
        /// The attempt, from 1.
        number: u32,
    },
    /// The outcome of a try is known.
    AttemptFinished {
        /// Which.
        notification: NotificationId,
        /// Its incident.
        incident: Option<IncidentId>,
        /// The attempt.
        number: u32,
        /// How it went.
        outcome: Outcome,
        /// The provider's words, or what went wrong.
        detail: String,
        /// When it is tried again; none when it arrived or was given up.
        retry_at: Option<Timestamp>,
    },
    /// A message is no longer needed.
    NotificationCancelled {
        /// Which.
        notification: NotificationId,
        /// Its incident.
        incident: Option<IncidentId>,
        /// Why.
        why: String,
    },
}
