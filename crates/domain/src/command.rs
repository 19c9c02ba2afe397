//! What can be asked of the core, and how it refuses.

use crate::alert::{EvidenceSample, Onset};
use crate::event::Actor;
use crate::id::{
    ContactMethodId, IncidentId, IntegrationId, MaintenanceId, MonitorId, NotificationId, PolicyId,
    ScheduleId, SecretId, ServiceId, TargetId, UserId,
};
use crate::monitor::Severity;
use crate::oncall::Layer;
use crate::page::{Fate, Level, Outcome};
use crate::people::{ChannelKind, Role, Urgency};
use crate::target::TargetIdentity;
use crate::time::Timestamp;

/// A request to the core with who asks. `now` and entropy are given beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// Who asks.
    pub actor: Actor,
    /// What for.
    pub ask: Ask,
}

/// Everything that can be asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// Create the first administrator, team, service, schedule, policy.
    SetUp {
        /// The administrator's name.
        name: String,
        /// Vault row of the address, which counts as verified.
        email: SecretId,
        /// The zone of the first schedule.
        time_zone: String,
        /// SHA-256 (hex) of the first integration's routing key.
        key_hash: String,
    },
    /// Bring the stock monitors to this binary's version.
    InstallPack,
    /// Work on people.
    People(PeopleAsk),
    /// Work on schedules, policies and services.
    Roster(RosterAsk),
    /// Work on targets and monitors.
    Watch(WatchAsk),
    /// Alerts from monitors and from outside.
    Alert(AlertAsk),
    /// Work on an incident by a person.
    Respond(RespondAsk),
    /// How a delivery went.
    AttemptFinished {
        /// Of which message.
        notification: NotificationId,
        /// Which attempt.
        number: u32,
        /// How it went.
        outcome: Outcome,
        /// The provider's words, or what went wrong.
        detail: String,
        /// How long the provider wants to be left alone, in milliseconds.
        retry_after_ms: Option<u64>,
        /// What the provider calls the message, where it can be asked for it.
        reference: Option<String>,
    },
    /// The provider says what became of a message that it took.
    ReceiptCame {
        /// Of which message.
        notification: NotificationId,
        /// Of which attempt.
        number: u32,
        /// What.
        fate: Fate,
        /// The provider's words.
        detail: String,
    },
    /// Tocsin was started: attempts of an earlier run are unanswered.
    Recover,
    /// Time has passed: do what is due.
    Tick,
    /// The evidence of a resolved incident is on disk.
    EvidenceFrozen {
        /// Of which incident.
        incident: IncidentId,
        /// SHA-256 of the bundle, in hex.
        sha256: String,
        /// Its size before compression.
        bytes: u64,
    },
}

/// Work on people.
#[derive(Clone, Debug, PartialEq)]
pub enum PeopleAsk {
    /// Add a person; their address becomes an unproved e-mail contact method.
    Add {
        /// Their name.
        name: String,
        /// Vault row of the address.
        email: SecretId,
        /// Vault row of the code that proves the address.
        pending_code: SecretId,
        /// What they may do.
        role: Role,
    },
    /// Change name or role.
    Change {
        /// Who.
        user: UserId,
        /// The new name.
        name: Option<String>,
        /// The new role.
        role: Option<Role>,
    },
    /// Remove a person.
    Remove {
        /// Who.
        user: UserId,
    },
    /// Add a way to reach them.
    AddContactMethod {
        /// Whose.
        user: UserId,
        /// The transport.
        kind: ChannelKind,
        /// What its owner calls it.
        label: String,
        /// Vault row of the address.
        address: SecretId,
        /// Vault row of the signing key.
        signing_key: Option<SecretId>,
        /// Vault row of the code that proves it.
        pending_code: SecretId,
    },
    /// The caller compared the code; the method is proved.
    VerifyContactMethod {
        /// Whose.
        user: UserId,
        /// Which.
        method: ContactMethodId,
    },
    /// Remove a way to reach them.
    RemoveContactMethod {
        /// Whose.
        user: UserId,
        /// Which.
        method: ContactMethodId,
    },
    /// Replace all notification rules: urgency, delay, method.
    SetRules {
        /// Whose.
        user: UserId,
        /// All of them.
        rules: Vec<(Urgency, u64, ContactMethodId)>,
    },
    /// Send a test page by one contact method.
    TestPage {
        /// Whose.
        user: UserId,
        /// By which.
        method: ContactMethodId,
    },
    /// Replace the list of last resort.
    SetFallback {
        /// Who.
        users: Vec<UserId>,
    },
}

/// Work on schedules, policies and services. `None` as id adds.
#[derive(Clone, Debug, PartialEq)]
pub enum RosterAsk {
    /// Add or replace a schedule.
    SetSchedule {
        /// Which, or a new one.
        id: Option<ScheduleId>,
        /// Its name.
        name: String,
        /// Its zone.
        time_zone: String,
        /// Its rotation.
        layer: Layer,
    },
    /// Remove a schedule that no policy names.
    RemoveSchedule(ScheduleId),
    /// Add or replace a policy.
    SetPolicy {
        /// Which, or a new one.
        id: Option<PolicyId>,
        /// Its name.
        name: String,
        /// Its levels.
        levels: Vec<Level>,
        /// How often it is walked through again.
        repeat: u32,
    },
    /// Remove a policy that no service names.
    RemovePolicy(PolicyId),
    /// Add or replace a service.
    SetService {
        /// Which, or a new one.
        id: Option<ServiceId>,
        /// Its name.
        name: String,
        /// Who is paged.
        policy: Option<PolicyId>,
    },
    /// Add an integration.
    AddIntegration {
        /// To which service.
        service: ServiceId,
        /// Its name.
        name: String,
        /// SHA-256 (hex) of its key.
        key_hash: String,
    },
    /// Remove an integration.
    RemoveIntegration(IntegrationId),
}

/// Work on targets and monitors.
#[derive(Clone, Debug, PartialEq)]
pub enum WatchAsk {
    /// The agent sees this instance (again).
    Seen(TargetIdentity),
    /// Stop watching.
    Remove(TargetId),
    /// Page nobody until then.
    Mute {
        /// Which.
        target: TargetId,
        /// Until when.
        until: Timestamp,
        /// Why.
        reason: String,
    },
    /// Take the mute back.
    Unmute(TargetId),
    /// Plan work.
    PlanMaintenance {
        /// Which.
        target: TargetId,
        /// From when.
        from: Timestamp,
        /// Until when.
        until: Timestamp,
        /// What is done.
        reason: String,
    },
    /// Call planned work off.
    CancelMaintenance {
        /// Which target.
        target: TargetId,
        /// Which window.
        window: MaintenanceId,
    },
    /// Switch a monitor on or off.
    SwitchMonitor {
        /// Which.
        monitor: MonitorId,
        /// On or off.
        enabled: bool,
    },
}

/// Alerts.
#[derive(Clone, Debug, PartialEq)]
pub enum AlertAsk {
    /// A monitor's question answers for a target.
    MonitorFired {
        /// Which monitor.
        monitor: MonitorId,
        /// For which target.
        target: TargetId,
        /// At which data time.
        at: Timestamp,
        /// The ending of the title that applies.
        wording: String,
        /// What proves it.
        evidence: Vec<EvidenceSample>,
        /// When the failure began.
        onset: Option<Onset>,
        /// Indexes of the monitor's hold rules that answered.
        holds: Vec<usize>,
    },
    /// A monitor's recovery question answers for a failing target.
    MonitorRecovered {
        /// Which monitor.
        monitor: MonitorId,
        /// For which target.
        target: TargetId,
        /// At which data time.
        at: Timestamp,
        /// What proves it.
        evidence: Vec<EvidenceSample>,
    },
    /// An alert of a rule begins to fire.
    RuleFired(Box<RuleFired>),
    /// An alert of a rule fires no more.
    RuleResolved {
        /// The key it was raised under.
        dedup_key: String,
        /// At which data time.
        at: Timestamp,
        /// What proves it.
        evidence: Vec<EvidenceSample>,
    },
    /// The reason to wait is gone.
    HoldCleared {
        /// Of which incident.
        incident: IncidentId,
    },
    /// Somebody outside says that something fails.
    Trigger {
        /// On which service; the default one when none.
        service: Option<ServiceId>,
        /// By which integration, if by one.
        integration: Option<IntegrationId>,
        /// The sender's key; made here when none.
        dedup_key: Option<String>,
        /// How bad.
        severity: Severity,
        /// What fails.
        title: String,
        /// Where and more.
        summary: String,
        /// Further fields.
        details: Vec<(String, String)>,
        /// When, by the sender's clock.
        at: Option<Timestamp>,
    },
    /// Somebody outside says that a person works on it.
    AcknowledgeByKey {
        /// On which service.
        service: ServiceId,
        /// By which integration, if by one: each has keys of its own.
        integration: Option<IntegrationId>,
        /// The key.
        dedup_key: String,
    },
    /// Somebody outside says that it is over.
    ResolveByKey {
        /// On which service.
        service: ServiceId,
        /// By which integration, if by one: each has keys of its own.
        integration: Option<IntegrationId>,
        /// The key.
        dedup_key: String,
    },
}

/// An alert of a rule that begins to fire.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleFired {
    /// The group the rule stands in.
    pub group: String,
    /// The alert's name.
    pub rule: String,
    /// On which service; the default one when none. Of an alert about a target, the target's.
    pub service: Option<ServiceId>,
    /// The watched server it is about.
    pub target: Option<TargetId>,
    /// A key that is the same whenever this rule fires for these labels.
    pub dedup_key: String,
    /// How bad.
    pub severity: Severity,
    /// What fails, in one line.
    pub title: String,
    /// More about it.
    pub summary: String,
    /// Its labels, and what else is to be shown.
    pub details: Vec<(String, String)>,
    /// At which data time.
    pub at: Timestamp,
    /// What proves it.
    pub evidence: Vec<EvidenceSample>,
}

/// Work on an incident.
#[derive(Clone, Debug, PartialEq)]
pub enum RespondAsk {
    /// Take it.
    Acknowledge {
        /// Which.
        incident: IncidentId,
        /// In whose name.
        by: UserId,
    },
    /// End it.
    Resolve {
        /// Which.
        incident: IncidentId,
        /// A closing word.
        note: Option<String>,
    },
    /// Write something down.
    Note {
        /// Of which.
        incident: IncidentId,
        /// The text.
        text: String,
    },
    /// Open one by hand.
    Declare {
        /// What fails.
        title: String,
        /// On which service; the default one when none.
        service: Option<ServiceId>,
        /// How loudly.
        urgency: Urgency,
    },
}

/// Why the core refuses. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such thing.
    #[error("there is no {what}")]
    NotFound {
        /// What was looked for.
        what: String,
    },
    /// It does not fit what is.
    #[error("{why}")]
    Conflict {
        /// Why, and what to do.
        why: String,
    },
    /// The request itself is wrong.
    #[error("{}", reasons.join("; "))]
    Invalid {
        /// Every reason.
        reasons: Vec<String>,
    },
}

impl Refusal {
    pub(crate) fn not_found(what: impl Into<String>) -> Self {
        Self::NotFound { what: what.into() }
    }

    pub(crate) fn conflict(why: impl Into<String>) -> Self {
        Self::Conflict { why: why.into() }
    }

    pub(crate) fn invalid(reason: impl Into<String>) -> Self {
        Self::Invalid {
            reasons: vec![reason.into()],
        }
    }
}
