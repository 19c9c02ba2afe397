//! What happens to an incident.

use serde::{Deserialize, Serialize};

use super::Response;
use crate::alert::Onset;
use crate::id::{AlertId, IncidentId, PolicyId, ServiceId, TargetId, TeamId, UserId};
use crate::incident::{Failing, Hold};
use crate::monitor::Severity;
use crate::people::Urgency;
use crate::time::Timestamp;

/// Something that happened to an incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IncidentEvent {
    /// To which.
    pub incident: IncidentId,
    /// What.
    #[serde(flatten)]
    pub what: IncidentWhat,
}

/// What happened to an incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum IncidentWhat {
    /// A failure became an incident.
    Opened {
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
    Raised {
        /// The title now.
        title: String,
        /// The severity now.
        severity: Severity,
        /// The urgency now.
        urgency: Urgency,
        /// The onset now.
        onset: Option<Onset>,
    },
    /// It asks more or less loudly than its severity says, or than before.
    UrgencySet {
        /// The urgency now.
        urgency: Urgency,
        /// Why.
        why: String,
        /// Its alerts that ask that loudly from now on.
        #[serde(default)]
        alerts: Vec<AlertId>,
        /// Whether support hours in which something of it would have been raised are over by now: that waits for the next ones.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        hours_passed: bool,
    },
    /// The first page waits.
    PageHeld {
        /// How long and why.
        hold: Hold,
    },
    /// Nobody is paged although it is urgent.
    PageSuppressed {
        /// Why.
        why: String,
        /// When paging resumes if it still fails.
        until: Timestamp,
        /// Whether it is because the failure comes and goes, and not because its target is quiet.
        #[serde(default)]
        flapping: bool,
    },
    /// What kept quiet what wakes nobody is over, and it still fails: who hears of such is told now.
    QuietEnded,
    /// Somebody is paged: a level of the policy was reached.
    LevelReached {
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
        /// On a level that pages one target in turn: whose turn it was, counted from 0.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        turn: Option<usize>,
        /// Whether each of them must acknowledge.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        each: bool,
    },
    /// The policy is through, or pages nobody: the fallback list is paged.
    FallbackReached {
        /// Who is paged.
        recipients: Vec<UserId>,
        /// Why, with who or what was passed over.
        why: Vec<String>,
        /// When it is paged again.
        next_at: Timestamp,
        /// How far the list was widened: 0 is the list itself.
        #[serde(default)]
        circle: usize,
    },
    /// Somebody works on it. Where a person has it already it stays theirs, and only holds until another time.
    Acknowledged {
        /// Who; nobody known when a foreign system says so.
        by: Option<UserId>,
        /// When it counts no longer and the incident is triggered again, if the policy says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ends_at: Option<Timestamp>,
        /// Whether it was acknowledged already, so that nobody was being paged for it. Old records do not say.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        again: bool,
    },
    /// Something was written down.
    NoteAdded {
        /// The text.
        text: String,
        /// Whether it tells how the incident stands, to whoever subscribes to that. Old records do not say.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        update: bool,
    },
    /// None of its alerts is open any more.
    Recovered {
        /// Why one of them was closed that nobody saw healthy, where that was so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        closed: Option<String>,
    },
    /// The failure came back before or soon after the resolve.
    Relapsed {
        /// Whether it had been resolved.
        reopened: bool,
        /// Whether it is paged for anew.
        pages: bool,
        /// Whether what came back pages at all. Old records do not say; they were counted as if it did.
        #[serde(default = "yes")]
        urgent: bool,
        /// Whether nothing that pages had failed for so long that its returns are counted afresh.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        afresh: bool,
        /// What the incident is about from now on, when that is not what it was about before.
        #[serde(default)]
        failing: Option<Box<Failing>>,
        /// Whether it was reopened by somebody, and nothing was seen to fail anew.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        by_hand: bool,
    },
    /// It is over.
    Resolved {
        /// Why.
        why: String,
    },
    /// Its evidence was frozen.
    EvidenceFrozen {
        /// SHA-256 of the bundle, in hex.
        sha256: String,
        /// Its size before compression.
        bytes: u64,
    },
    /// Somebody did something about it, or what they did came to its end.
    Response(Response),
}

impl IncidentWhat {
    /// A note that is written down, and told to nobody but who reads what happened.
    #[must_use]
    pub const fn noted(text: String) -> Self {
        Self::NoteAdded {
            text,
            update: false,
        }
    }
}

const fn yes() -> bool {
    true
}
