//! What people can ask about an incident.

use crate::id::{IncidentId, PolicyId, ServiceId, UserId};
use crate::incident::Assigned;
use crate::people::Urgency;

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
    /// Say that what is over is not: it is paged for anew, until somebody ends it.
    Reopen {
        /// Which.
        incident: IncidentId,
    },
    /// Write something down.
    Note {
        /// Of which.
        incident: IncidentId,
        /// The text.
        text: String,
        /// Whether it tells how the incident stands, to whoever subscribes to that.
        update: bool,
    },
    /// Open one by hand.
    Declare {
        /// What fails.
        title: String,
        /// On which service; the default one when none.
        service: Option<ServiceId>,
        /// How loudly.
        urgency: Urgency,
        /// What else is said about it.
        more: Box<Declared>,
    },
    /// Take it, be left in peace for a while, and be paged again if it still fails then.
    Snooze {
        /// Which.
        incident: IncidentId,
        /// In whose name.
        by: UserId,
        /// For how long.
        for_ms: u64,
    },
    /// End a snooze early; the incident stays acknowledged.
    CancelSnooze {
        /// Of which.
        incident: IncidentId,
    },
    /// Give it to other people, or to another policy from its first level on.
    Reassign {
        /// Which.
        incident: IncidentId,
        /// To whom.
        to: Assigned,
    },
    /// Page the next level now.
    Escalate {
        /// Which.
        incident: IncidentId,
    },
    /// Ask further people to help, without taking it from whoever has it.
    RequestResponders {
        /// With which.
        incident: IncidentId,
        /// These.
        people: Vec<UserId>,
        /// And whoever the first level of this policy names that pages somebody.
        policy: Option<PolicyId>,
        /// What they are asked.
        message: String,
    },
    /// Say whether one comes.
    AnswerRequest {
        /// To which.
        incident: IncidentId,
        /// Who was asked.
        by: UserId,
        /// Whether they come.
        accept: bool,
    },
    /// Make one of several.
    Merge {
        /// Which end here.
        sources: Vec<IncidentId>,
        /// The one that goes on.
        into: IncidentId,
    },
    /// Say how important it is, by a name of the installation's list.
    SetPriority {
        /// Which.
        incident: IncidentId,
        /// The name; none takes it back.
        priority: Option<String>,
    },
    /// Say how loudly it asks.
    SetUrgency {
        /// Which.
        incident: IncidentId,
        /// How loudly.
        urgency: Urgency,
    },
    /// Say in other words what it is about.
    SetTitle {
        /// Which.
        incident: IncidentId,
        /// The words, on one line.
        title: String,
    },
}

impl RespondAsk {
    /// Writes down a note that is told to nobody but who reads what happened.
    #[must_use]
    pub const fn noted(incident: IncidentId, text: String) -> Self {
        Self::Note {
            incident,
            text,
            update: false,
        }
    }
}

/// What can be said about an incident that is opened by hand.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Declared {
    /// A key that no other open incident of the service has that was opened so; made here when none.
    pub key: Option<String>,
    /// More about it.
    pub summary: Option<String>,
    /// To whom it goes instead of the service's policy.
    pub to: Option<Assigned>,
    /// How important it is, by a name of the installation's list.
    pub priority: Option<String>,
}
