//! Jobs that must call in: when a call is missed. Whoever takes the calls is not known here.

use serde::{Deserialize, Serialize};

use crate::alert::{AlertKey, AlertSource};
use crate::id::{HeartbeatId, ServiceId};
use crate::monitor::Severity;
use crate::state::State;
use crate::time::Timestamp;

/// Heartbeats at most.
pub const HEARTBEATS_MAX: usize = 1_000;
/// The shortest time between two calls: half a minute.
pub const EVERY_MS_MIN: u64 = 30_000;
/// The longest: 400 days.
pub const EVERY_MS_MAX: u64 = 400 * 86_400_000;
/// The shortest grace.
pub const GRACE_MS_MIN: u64 = 1_000;
/// The longest: 30 days.
pub const GRACE_MS_MAX: u64 = 30 * 86_400_000;
/// A call that comes within this time after one that is on disk says nothing new.
pub const CALLS_APART_MS: u64 = 1_000;

/// A job that must call in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Its id.
    pub id: HeartbeatId,
    /// Its name.
    pub name: String,
    /// The service that fails when it does not call.
    pub service: ServiceId,
    /// How long after a call the next one is expected.
    pub every_ms: u64,
    /// How late it may be.
    pub grace_ms: u64,
    /// How bad it is when it does not call.
    pub severity: Severity,
    /// SHA-256 of its token, in hex; the token itself is shown once and not kept.
    pub token_hash: String,
}

/// A heartbeat and what was heard of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulse {
    /// What is expected.
    pub heartbeat: Heartbeat,
    /// When it called last.
    pub called_at: Option<Timestamp>,
    /// When that was written down.
    pub told_at: Option<Timestamp>,
    /// When it first said since then that it begins.
    pub started_at: Option<Timestamp>,
    /// When it last said that it failed.
    pub failed_at: Option<Timestamp>,
    /// The wait began anew then: it was changed, or Tocsin was away when the call was expected.
    pub spared_at: Option<Timestamp>,
}

impl Pulse {
    pub(crate) const fn new(heartbeat: Heartbeat) -> Self {
        Self {
            heartbeat,
            called_at: None,
            told_at: None,
            started_at: None,
            failed_at: None,
            spared_at: None,
        }
    }

    /// The instant at which a call is missed, if none comes; none before anything was heard of it.
    ///
    /// That is the grace after the call is expected, or after the job has said that it begins, whichever is later.
    #[must_use]
    pub fn missed_at(&self) -> Option<Timestamp> {
        let heartbeat = &self.heartbeat;
        let next = |since: Timestamp| since.plus_ms(heartbeat.every_ms);
        let spared = self.called_at.and(self.spared_at);
        let expected = self.called_at.max(spared).map(next);
        let latest = expected.max(self.started_at)?;
        Some(latest.plus_ms(heartbeat.grace_ms))
    }

    /// Whether the call may have come while Tocsin was away until `now`: it was expected by then, give or take the grace. A job
    /// gets that time only once after each call.
    pub(crate) fn may_have_called(&self, now: Timestamp) -> bool {
        let Some(called_at) = self.called_at else {
            return false;
        };
        let expected = called_at.plus_ms(self.heartbeat.every_ms);
        let slack_ms = self.heartbeat.grace_ms.saturating_add(CALLS_APART_MS);
        let spared = self.spared_at.is_some_and(|spared| spared > called_at);
        !spared && expected <= now.plus_ms(slack_ms)
    }

    /// Whether a call at `at` says no more than the one before it, which is on disk.
    #[must_use]
    pub fn is_said(&self, at: Timestamp) -> bool {
        let told_at = self.told_at.filter(|told_at| *told_at <= at);
        told_at.is_some_and(|told_at| at < told_at.plus_ms(CALLS_APART_MS))
    }

    /// Under what its alert is found.
    #[must_use]
    pub fn alert_key(&self) -> AlertKey {
        let heartbeat = self.heartbeat.id;
        AlertKey {
            service: self.heartbeat.service,
            sender: AlertSource::Heartbeat { heartbeat }.sender(),
            key: heartbeat.to_string(),
        }
    }
}

impl State {
    /// When something is to be done about a heartbeat: none while its alert fires.
    #[must_use]
    pub fn heartbeat_due(&self, id: HeartbeatId) -> Option<Timestamp> {
        let pulse = self.pulses.get(&id)?;
        if self.fires(&pulse.alert_key()).is_some() {
            return None;
        }
        pulse.missed_at()
    }
}
