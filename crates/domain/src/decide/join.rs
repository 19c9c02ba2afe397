//! Which incident that is there already an alert joins, besides that of its group.

use super::Decider;
use super::alert::Condition;
use crate::alert::Grouped;
use crate::id::IncidentId;
use crate::incident::RELAPSE_WINDOW_MS;
use crate::intake::ALERTS_PER_INCIDENT_MAX;

impl Decider<'_> {
    /// An alert joins the open incident of its own target, rule or labels, or the one that was resolved a moment ago.
    pub(super) fn incident_to_join(&self, condition: &Condition) -> Option<IncidentId> {
        let line = || {
            condition
                .source
                .line(condition.service, &condition.dedup_key)
        };
        let last = match condition.target {
            Some(target) => self.state.last_of_target.get(&target),
            None => line().and_then(|line| self.state.last_of_rule.get(&line)),
        };
        let last = self.state.incidents.get(last?)?;
        let over_since = self.state.since_resolve(last);
        let recent = over_since.is_some_and(|at| self.now.ms_since(at) < RELAPSE_WINDOW_MS);
        let has_room = last.alerts.len() < ALERTS_PER_INCIDENT_MAX;
        (has_room && (last.is_open() || recent)).then_some(last.id)
    }

    /// The incident of others of its service that takes in what has none of its own, and why.
    pub(super) fn others_to_join(&self, condition: &Condition) -> Option<(IncidentId, Grouped)> {
        let of_group = self.group_to_join(condition);
        let of_group = of_group.map(|incident| (incident, Grouped::Group));
        of_group.or_else(|| Some((self.storm_to_join(condition)?, Grouped::Storm)))
    }

    /// In a storm, what is raised from outside joins the newest incident of its service. What a person declares does not, nor
    /// what Tocsin judges itself: it has an incident of its own by its target or rule.
    fn storm_to_join(&self, condition: &Condition) -> Option<IncidentId> {
        let outside = !condition.source.is_own_judge() && !condition.taken.alone;
        let (newcomer, urgency) = (condition.features(), condition.urgency());
        let storm = || self.state.storm_of(newcomer, urgency, self.now);
        outside.then(storm).flatten()
    }
}
