//! Incidents: one failure, its alerts, who is paged for it and how it ends.

mod engaged;
mod given;
mod paging;
mod responder;

use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Serialize};

pub use engaged::{Acknowledger, ENGAGED_MAX, Engaged};
pub use given::Given;
pub use paging::Paging;
pub use responder::{AlsoAsked, PolicyRequest, Responder};

use crate::alert::Onset;
use crate::id::{AlertId, IncidentId, PolicyId, ServiceId, TargetId, TeamId, UserId};
use crate::monitor::Severity;
use crate::people::{ChannelKind, Urgency};
use crate::time::Timestamp;

/// Alerts that one incident has at most after a merge: the event that moves them on is of a size that is kept.
pub const MERGED_ALERTS_MAX: usize = 20_000;
/// How long all alerts must be healthy before the incident resolves by itself.
pub const RESOLVE_AFTER_HEALTHY_MS: u64 = 15_000;
/// A failure this soon after a resolve reopens the old incident.
pub const RELAPSE_WINDOW_MS: u64 = 600_000;
/// From this relapse on, one page is enough until [`RELAPSE_WINDOW_MS`] were stable.
pub const FLAPPING_RELAPSES: u32 = 3;
/// An exhausted policy pages the fallback list this often.
pub const FALLBACK_EVERY_MS: u64 = 900_000;

/// When so many incidents of one service that are not critical opened within [`STORM_WINDOW_MS`], further alerts join the newest.
pub const STORM_INCIDENTS: usize = 10;
/// The same for critical alerts, which join critical incidents only.
pub const STORM_INCIDENTS_CRITICAL: usize = 20;
/// The time in which incidents make a storm: 5 minutes.
pub const STORM_WINDOW_MS: u64 = 300_000;

/// Where an incident stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nobody has taken it.
    Triggered,
    /// Somebody works on it; escalation has stopped.
    Acknowledged,
    /// Over.
    Resolved,
}

/// Waiting before the first page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// When the page goes out at the latest.
    pub until: Timestamp,
    /// Whether it goes out earlier when the reason is gone.
    pub until_clear: bool,
    /// Why waiting avoids a false page.
    pub why: String,
}

/// Whom a person gave an incident to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Assigned {
    /// These people.
    People(Vec<UserId>),
    /// Another policy than the service's.
    Policy(PolicyId),
}

/// What an incident is about since the failure came back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failing {
    /// What fails, in one line.
    pub title: String,
    /// How bad.
    pub severity: Severity,
    /// When this failure began.
    pub onset: Option<Onset>,
}

/// One failure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// Its id.
    pub id: IncidentId,
    /// Its number, from 1, never used twice.
    pub number: u64,
    /// Whose its service was when it was opened.
    pub team: TeamId,
    /// The service that fails.
    pub service: ServiceId,
    /// The target that fails, when it is a watched one.
    pub target: Option<TargetId>,
    /// What fails, in one line: the title of its worst alert.
    pub title: String,
    /// Where it stands.
    pub status: Status,
    /// When it was opened, taken, snoozed, set back to nobody's or over, whichever came last.
    #[serde(skip)]
    pub status_set_at: Timestamp,
    /// How loudly it asks.
    pub urgency: Urgency,
    /// The worst severity among its alerts.
    pub severity: Severity,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// How far the clock had been set back by then, all times together: how long ago it was is counted with it.
    #[serde(skip)]
    pub opened_set_back_ms: u64,
    /// When the failure began, as measured.
    pub onset: Option<Onset>,
    /// Its alerts in the order they joined.
    pub alerts: AlertIds,
    /// How many of them fail now.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub firing: u32,
    /// How many of those page.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub burning: u32,
    /// Waiting before the first page, if it waits.
    pub hold: Option<Hold>,
    /// Why nobody is paged although it is urgent, and when that ends.
    pub suppressed: Option<(String, Timestamp)>,
    /// Whether it is suppressed because it comes and goes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub flapping: bool,
    /// The escalation, once somebody was chosen.
    pub paging: Option<Paging>,
    /// When somebody was first chosen to be paged.
    pub paged_at: Option<Timestamp>,
    /// The worst that was ever paged for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paged_severity: Option<Severity>,
    /// Who acknowledged first (nobody known when a foreign system did) and when, of the present trouble.
    pub acknowledged: Option<(Option<UserId>, Timestamp)>,
    /// By which channel, where it was the answer to a message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_through: Option<ChannelKind>,
    /// When the acknowledgement counts no longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledgement_ends_at: Option<Timestamp>,
    /// Until when whoever has it is left in peace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snoozed_until: Option<Timestamp>,
    /// Whom a person gave it to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned: Option<Assigned>,
    /// When that was, and who was paged since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<Box<Given>>,
    /// Who was asked to help.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub responders: Vec<Responder>,
    /// The incidents that ended in this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged: Vec<IncidentId>,
    /// The incident this one ended in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<IncidentId>,
    /// The alert that it began with, where that is the other one's by now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began_with: Option<Box<AlertId>>,
    /// How important it is, by a name of the installation's list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
    /// Whether a person said that it is urgent, although no alert of it is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub urgent_by_hand: bool,
    /// Whether a person said that it is not urgent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub low_by_hand: bool,
    /// Whether its title is a person's words.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub titled_by_hand: bool,
    /// Support hours that were over then, and had raised nothing of it: that waits for those which begin later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours_passed_at: Option<Timestamp>,
    /// Since when no alert is open.
    pub healthy_since: Option<Timestamp>,
    /// Why an alert was closed, since it last came back, that nobody saw healthy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<String>,
    /// When it was over.
    pub resolved_at: Option<Timestamp>,
    /// The person by whose deed it was over last: who resolved it, ended what still failed of it, or merged it into another. Whether
    /// it was asked for itself, [`Event::is_resolved_by_hand`](crate::event::Event::is_resolved_by_hand) tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_by: Option<UserId>,
    /// How far the clock had been set back by then.
    #[serde(skip)]
    pub resolved_set_back_ms: u64,
    /// How often something that pages came back.
    pub relapses: u32,
    /// How many of those returns count no more: they came before it was stable for [`RELAPSE_WINDOW_MS`], or after just that.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub relapses_forgotten: u32,
    /// SHA-256 of the frozen evidence, in hex.
    pub evidence: Option<String>,
    /// Position of the last event that bears on who is paged: the cause of the next page.
    pub paging_event: u64,
    /// Who has worked on it so far, once anybody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engaged: Option<Box<Engaged>>,
    /// Position of the event that opened it, where it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_event: Option<u64>,
}

/// Whether a count is worth a field: what is over has none.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// Alerts in the order they joined. A copy has room for more: an incident is copied by whoever adds to it.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AlertIds(Vec<AlertId>);

impl Clone for AlertIds {
    fn clone(&self) -> Self {
        let mut copy = Vec::with_capacity(self.0.len() + self.0.len() / 4 + 4);
        copy.extend_from_slice(&self.0);
        Self(copy)
    }
}

impl Deref for AlertIds {
    type Target = Vec<AlertId>;

    fn deref(&self) -> &Vec<AlertId> {
        &self.0
    }
}

impl DerefMut for AlertIds {
    fn deref_mut(&mut self) -> &mut Vec<AlertId> {
        &mut self.0
    }
}

impl Incident {
    /// One that was just opened: nothing was done about it.
    #[must_use]
    pub const fn fresh(
        id: IncidentId,
        team: TeamId,
        service: ServiceId,
        severity: Severity,
        opened_at: Timestamp,
    ) -> Self {
        Self {
            id,
            number: 0,
            team,
            service,
            target: None,
            title: String::new(),
            status: Status::Triggered,
            status_set_at: opened_at,
            urgency: severity.urgency(),
            severity,
            opened_at,
            opened_set_back_ms: 0,
            onset: None,
            alerts: AlertIds(Vec::new()),
            firing: 0,
            burning: 0,
            hold: None,
            suppressed: None,
            flapping: false,
            paging: None,
            paged_at: None,
            paged_severity: None,
            acknowledged: None,
            acknowledged_through: None,
            acknowledgement_ends_at: None,
            snoozed_until: None,
            assigned: None,
            given: None,
            responders: Vec::new(),
            merged: Vec::new(),
            merged_into: None,
            began_with: None,
            priority: None,
            urgent_by_hand: false,
            low_by_hand: false,
            titled_by_hand: false,
            hours_passed_at: None,
            healthy_since: None,
            closed: None,
            resolved_at: None,
            resolved_by: None,
            resolved_set_back_ms: 0,
            relapses: 0,
            relapses_forgotten: 0,
            evidence: None,
            paging_event: 0,
            engaged: None,
            opened_event: None,
        }
    }

    /// Whether it still needs somebody.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        match self.status {
            Status::Triggered | Status::Acknowledged => true,
            Status::Resolved => false,
        }
    }

    /// How often something that pages came back since it was stable for so long that all before is forgotten.
    #[must_use]
    pub const fn recent_relapses(&self) -> u32 {
        self.relapses.saturating_sub(self.relapses_forgotten)
    }

    /// Whether it is urgent, nobody has taken it and nothing holds its pages back.
    #[must_use]
    pub fn is_unanswered(&self) -> bool {
        let asks = self.status == Status::Triggered && self.urgency == Urgency::High;
        asks && self.suppressed.is_none()
    }

    /// Until when it is quiet, where it wakes nobody and is told of only then.
    #[must_use]
    pub fn told_after_quiet_at(&self) -> Option<Timestamp> {
        let wakes_nobody = self.status == Status::Triggered && self.urgency == Urgency::Low;
        let is_told = wakes_nobody && self.firing > 0;
        let quiet = self.suppressed.as_ref().filter(|_| is_told);
        quiet.map(|(_, until)| *until)
    }

    /// Whether its pages are held back: it waits, or is quiet.
    #[must_use]
    pub const fn is_held_back(&self) -> bool {
        self.hold.is_some() || self.suppressed.is_some()
    }

    /// Whether this person acknowledged for their part, and is left in peace while others are still paged.
    #[must_use]
    pub fn spares(&self, user: UserId) -> bool {
        let paging = self.paging.as_ref();
        paging.is_some_and(|paging| paging.has_done(user))
    }

    /// Whether this person was asked to help and has not answered.
    #[must_use]
    pub fn awaits(&self, user: UserId) -> bool {
        let mut asked = self.responders.iter();
        self.is_open() && asked.any(|one| one.user == user && one.answer.is_none())
    }
}
