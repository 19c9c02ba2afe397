//! Maintenance windows of services and targets: while one lasts, nobody is paged for them.

use serde::{Deserialize, Serialize};

use crate::id::{MaintenanceId, ServiceId, TargetId};
use crate::incident::Incident;
use crate::oncall::{Repeating, Span};
use crate::state::State;
use crate::target::Quiet;
use crate::time::Timestamp;

/// Windows at most, those that are over counted until they are removed.
pub const WINDOWS_MAX: usize = 500;
/// Services and targets of one window at most.
pub const WINDOW_SUBJECTS_MAX: usize = 100;

/// Planned work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Its id.
    pub id: MaintenanceId,
    /// What is done.
    pub reason: String,
    /// Services that are worked on.
    pub services: Vec<ServiceId>,
    /// Targets that are worked on, each without the others of its service.
    pub targets: Vec<TargetId>,
    /// When.
    pub when: When,
    /// What has begun by this instant was ended by it.
    #[serde(default)]
    pub ended_at: Option<Timestamp>,
}

/// When work is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum When {
    /// Once.
    Once {
        /// When.
        span: Span,
    },
    /// Again and again.
    Repeating {
        /// When.
        work: Repeating,
    },
}

impl Window {
    /// The stretch of work that `at` lies in.
    #[must_use]
    pub fn around(&self, at: Timestamp) -> Option<Span> {
        let span = match &self.when {
            When::Once { span } => Some(*span).filter(|span| span.contains(at)),
            When::Repeating { work } => work.around(at),
        };
        span.filter(|span| self.ended_at.is_none_or(|ended| span.from > ended))
    }

    /// The next stretch that begins later than `after`.
    #[must_use]
    pub fn next(&self, after: Timestamp) -> Option<Span> {
        match &self.when {
            When::Once { span } => Some(*span).filter(|span| span.from > after),
            When::Repeating { work } => work.next(after),
        }
    }

    /// Whether an incident is about what is worked on.
    #[must_use]
    pub fn concerns(&self, incident: &Incident) -> bool {
        self.covers(incident.service, incident.target)
    }

    fn covers(&self, service: ServiceId, target: Option<TargetId>) -> bool {
        let of_target = |target: TargetId| self.targets.contains(&target);
        self.services.contains(&service) || target.is_some_and(of_target)
    }
}

impl State {
    /// Why nobody is paged for an incident at `now`, and until when; of several reasons the one that lasts longest.
    #[must_use]
    pub fn quiet_at(&self, incident: &Incident, now: Timestamp) -> Option<Quiet> {
        self.quiet_for(incident.service, incident.target, now)
    }

    /// The same for whatever fails of a service, or of a target.
    #[must_use]
    pub fn quiet_for(
        &self,
        service: ServiceId,
        target: Option<TargetId>,
        now: Timestamp,
    ) -> Option<Quiet> {
        let known = target.and_then(|target| self.targets.get(&target));
        let own = known.and_then(|known| known.quiet_at(now));
        let planned = self.windows.values();
        let planned = planned
            .filter(|window| window.covers(service, target))
            .filter_map(|window| Some((window, window.around(now)?)))
            .map(|(window, span)| Quiet {
                why: format!("maintenance: {}", window.reason),
                until: span.until,
            });
        own.into_iter()
            .chain(planned)
            .max_by_key(|quiet| quiet.until)
    }
}
