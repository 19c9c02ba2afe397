//! Maintenance windows of services and targets: while one lasts, nobody is paged for them. Those that name labels are
//! matched elsewhere.

use serde::{Deserialize, Serialize};

use super::silence::Silence;
use crate::id::{MaintenanceId, ServiceId, TargetId, UserId};
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
    /// Alerts that are covered besides those, by their labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence: Option<Silence>,
    /// The person who planned it, where one did and it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_by: Option<UserId>,
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

    /// Whether nothing of it is left at `at`.
    pub(crate) fn is_over(&self, at: Timestamp) -> bool {
        self.around(at).or(self.next(at)).is_none()
    }

    /// Whether it was planned, on labels too; else it is a silence, as Alertmanager's clients make them.
    #[must_use]
    pub fn is_planned(&self) -> bool {
        let silence = self.silence.as_ref();
        silence.is_none_or(|silence| silence.created_by.is_empty())
    }

    /// The name of whoever made it: by their own account, where it came as a silence with one, else the person's.
    #[must_use]
    pub fn maker<'a>(&'a self, state: &'a State) -> Option<&'a str> {
        let said = self
            .silence
            .as_ref()
            .map(|silence| silence.created_by.as_str());
        let person = self.made_by.and_then(|user| state.users.get(&user));
        said.filter(|name| !name.is_empty())
            .or_else(|| person.map(|known| known.name.as_str()))
    }

    /// When a window that does not repeat was, is or will be; what was ended early was until then.
    #[must_use]
    pub fn once(&self) -> Option<Span> {
        let When::Once { span } = &self.when else {
            return None;
        };
        let ended = self.ended_at.filter(|ended| *ended < span.until);
        Some(Span::new(span.from, ended.unwrap_or(span.until)))
    }

    /// Why nobody is paged in a stretch of this work.
    pub(super) fn quiet(&self, span: Span) -> Quiet {
        Quiet {
            why: format!("maintenance: {}", self.reason),
            until: span.until,
        }
    }

    /// The same work without a service; none when nothing else is worked on.
    pub(crate) fn without(mut self, service: ServiceId) -> Option<Self> {
        self.services.retain(|one| *one != service);
        self.if_about_something()
    }

    /// The same without a target.
    pub(crate) fn without_target(mut self, target: TargetId) -> Option<Self> {
        self.targets.retain(|one| *one != target);
        self.if_about_something()
    }

    fn if_about_something(self) -> Option<Self> {
        let names_some = !self.services.is_empty() || !self.targets.is_empty();
        (names_some || self.silence.is_some()).then_some(self)
    }

    /// Whether an incident is about a service or a target that is worked on.
    #[must_use]
    pub fn concerns(&self, incident: &Incident) -> bool {
        self.covers(incident.service, incident.target)
    }

    pub(super) fn covers(&self, service: ServiceId, target: Option<TargetId>) -> bool {
        let of_target = |target: TargetId| self.targets.contains(&target);
        self.services.contains(&service) || target.is_some_and(of_target)
    }
}

impl State {
    /// The work that a service is named by.
    pub(crate) fn work_on(&self, service: ServiceId) -> Vec<Window> {
        let all = self.windows.values();
        let named = all.filter(|window| window.services.contains(&service));
        named.cloned().collect()
    }

    /// The work that a target is named by.
    pub(crate) fn work_on_target(&self, target: TargetId) -> Vec<Window> {
        let all = self.windows.values();
        let named = all.filter(|window| window.targets.contains(&target));
        named.cloned().collect()
    }

    /// Why nobody is paged for an incident at `now`, and until when; of several reasons the one that lasts longest. Of merged ones
    /// each alert is of its own service and target.
    #[must_use]
    pub fn quiet_at(&self, incident: &Incident, now: Timestamp) -> Option<Quiet> {
        let is_one = incident.merged.is_empty();
        let own = || self.quiet_for(incident.service, incident.target, now);
        let own = is_one.then(own).flatten();
        own.into_iter()
            .chain(self.silenced(incident, now))
            .max_by_key(|quiet| quiet.until)
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
        own.into_iter()
            .chain(self.planned_for(service, target, now))
            .max_by_key(|quiet| quiet.until)
    }

    /// Why nobody is paged for a target at `now`, where that lasts longer than what holds for its whole service.
    pub(crate) fn quiet_besides(
        &self,
        service: ServiceId,
        target: TargetId,
        now: Timestamp,
    ) -> Option<Quiet> {
        let whole = self.quiet_for(service, None, now);
        let quiet = self.quiet_for(service, Some(target), now)?;
        let is_longer = whole.is_none_or(|whole| whole.until < quiet.until);
        is_longer.then_some(quiet)
    }

    /// The maintenance of a service or a target that lasts longest.
    fn planned_for(
        &self,
        service: ServiceId,
        target: Option<TargetId>,
        now: Timestamp,
    ) -> Option<Quiet> {
        let planned = self.windows.values();
        let planned = planned
            .filter(|window| window.covers(service, target))
            .filter_map(|window| Some((window, window.around(now)?)))
            .map(|(window, span)| window.quiet(span));
        planned.max_by_key(|quiet| quiet.until)
    }
}
