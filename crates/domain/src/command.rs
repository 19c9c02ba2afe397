//! What can be asked of the core, and how it refuses.

mod alert;
mod business;
mod intake;
mod respond;
mod roster;
mod tag;
mod team;
mod watch;
mod webhook;

pub use alert::{AlertAsk, Labelled, Restated, RuleFired, SaidOf};
pub use business::BusinessAsk;
pub use intake::{AskedRule, AskedSilence, HeartbeatAsk, IntakeAsk};
pub use respond::{Declared, RespondAsk};
pub use roster::RosterAsk;
pub use tag::TagAsk;
pub use team::TeamAsk;
pub use watch::WatchAsk;
pub use webhook::{ChangeAsk, WebhookAsk};

use crate::code::Apply;
use crate::event::Actor;
use crate::id::{
    ContactMethodId, IncidentId, NotificationId, NotificationRuleId, SecretId, UserId,
};
use crate::page::{Fate, Outcome, Via};
use crate::people::{About, ChannelKind, Role, Urgency};

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
    /// Work on teams and on the installation's priorities.
    Team(TeamAsk),
    /// Work on what becomes of alerts before they page: settings of services, rules, maintenance, heartbeats.
    Intake(IntakeAsk),
    /// Work on targets and monitors.
    Watch(WatchAsk),
    /// Keep a change that somebody tells of.
    Change(ChangeAsk),
    /// Work on subscriptions to what happens to incidents.
    Webhook(WebhookAsk),
    /// Make a document of everything that is set up true, all of it or nothing.
    Apply(Box<Apply>),
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
        /// By which account of its channel it went, where it may have several.
        via: Option<Box<Via>>,
    },
    /// An attempt was not made after all, for want of a place, because its provider had asked to be left alone, or since nobody wanted
    /// it any more: the provider was not asked.
    NotTried {
        /// Of which message.
        notification: NotificationId,
        /// Which attempt.
        number: u32,
        /// Why.
        detail: String,
        /// For how long the provider wants to be left alone yet, in milliseconds.
        retry_after_ms: Option<u64>,
        /// Whether nobody wanted it any more, so that it is missed by nobody.
        moot: bool,
    },
    /// Whoever was to carry an attempt said that its address is gone for ever.
    WayGone {
        /// Of which message.
        notification: NotificationId,
        /// Which attempt.
        number: u32,
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
    /// What is decided can be kept again, or a process that was held up goes on: what was said meanwhile was not heard.
    Resume,
    /// Time has passed: do what is due.
    Tick,
    /// The clock was set back.
    ClockSetBack {
        /// How far.
        by_ms: u64,
    },
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

impl Ask {
    /// The message whose attempt ended, if that is what is told, be it that the attempt was not made.
    #[must_use]
    pub const fn attempt_ended_of(&self) -> Option<NotificationId> {
        if let Self::AttemptFinished { notification, .. } | Self::NotTried { notification, .. } =
            self
        {
            Some(*notification)
        } else {
            None
        }
    }

    /// What is asked for in a word, with nothing of what is said.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::SetUp { .. } => "set_up",
            Self::InstallPack => "install_pack",
            Self::People(_) => "people",
            Self::Roster(_) => "roster",
            Self::Team(_) => "team",
            Self::Intake(_) => "intake",
            Self::Watch(_) => "watch",
            Self::Change(_) => "change",
            Self::Webhook(_) => "webhook",
            Self::Apply(_) => "apply",
            Self::Alert(_) => "alert",
            Self::Respond(_) => "respond",
            Self::AttemptFinished { .. } => "attempt_finished",
            Self::NotTried { .. } => "not_tried",
            Self::WayGone { .. } => "way_gone",
            Self::ReceiptCame { .. } => "receipt_came",
            Self::Recover => "recover",
            Self::Resume => "resume",
            Self::Tick => "tick",
            Self::ClockSetBack { .. } => "clock_set_back",
            Self::EvidenceFrozen { .. } => "evidence_frozen",
        }
    }
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
        /// What is said of them beside that.
        about: Option<About>,
    },
    /// Change name, role or what is said beside that.
    Change {
        /// Who.
        user: UserId,
        /// The new name.
        name: Option<String>,
        /// The new role.
        role: Option<Role>,
        /// All that is said of them.
        about: Option<About>,
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
    /// Add one notification rule.
    AddRule {
        /// Whose.
        user: UserId,
        /// Urgency, delay, method.
        rule: (Urgency, u64, ContactMethodId),
    },
    /// Put another rule in the place of one, under its id.
    ChangeRule {
        /// Whose.
        user: UserId,
        /// Which.
        id: NotificationRuleId,
        /// Urgency, delay, method.
        rule: (Urgency, u64, ContactMethodId),
    },
    /// Remove one notification rule.
    RemoveRule {
        /// Whose.
        user: UserId,
        /// Which.
        id: NotificationRuleId,
    },
    /// Call a way to reach them something else.
    RenameContactMethod {
        /// Whose.
        user: UserId,
        /// Which.
        method: ContactMethodId,
        /// What its owner calls it from now on.
        label: String,
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
    /// Somebody else may do it, but not who asks.
    #[error("{why}")]
    Forbidden {
        /// Why, and who may.
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

    pub(crate) fn forbidden(why: impl Into<String>) -> Self {
        Self::Forbidden { why: why.into() }
    }

    pub(crate) fn invalid(reason: impl Into<String>) -> Self {
        Self::Invalid {
            reasons: vec![reason.into()],
        }
    }
}
