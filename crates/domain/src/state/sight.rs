//! The alerts that fire, apart from all else that is known, for whoever shows them. It decides nothing.

use std::sync::Arc;

use super::State;
use crate::alert::Alert;
use crate::intake::LabelMatcher;
use crate::time::Timestamp;

impl State {
    /// A state of nothing but the alerts that fire and fit all of `wanted`, what they name, and the windows that last at `now`. It is
    /// taken in little time and holds alerts together with this one, so that much can be made of it while this one goes on; that is
    /// also why `wanted` must be few, and plain texts.
    #[must_use]
    pub fn sight_of_firing(&self, now: Timestamp, wanted: &[LabelMatcher]) -> Self {
        let mut sight = Self::default();
        for id in self.firing.values() {
            if let Some(alert) = self.alerts.held(id)
                && self.fits(alert, wanted)
            {
                sight.learn_names(self, alert);
                sight.alerts.hold(*id, Arc::clone(alert));
            }
        }
        for (id, window) in &self.windows {
            if window.around(now).is_some() {
                sight.windows.insert(*id, window.clone());
            }
        }
        sight
    }

    /// The same with the open incidents, for whoever shows those alerts by them.
    #[must_use]
    pub fn sight_of_open(&self, now: Timestamp, wanted: &[LabelMatcher]) -> Self {
        let mut sight = self.sight_of_firing(now, wanted);
        for id in self.open_incidents.iter() {
            if let Some(incident) = self.incidents.shared(id) {
                sight.open_incidents.insert(*id);
                sight.incidents.hold(*id, incident);
            }
        }
        sight
    }

    /// Takes over from another state what an alert names.
    fn learn_names(&mut self, from: &Self, alert: &Alert) {
        if let Some(service) = from.services.get(&alert.service) {
            let known = self.services.entry(alert.service);
            known.or_insert_with(|| service.clone());
        }
        if let Some(id) = alert.target
            && let Some(target) = from.targets.get(&id)
        {
            let known = self.targets.entry(id);
            known.or_insert_with(|| target.clone());
        }
        if let Some(id) = alert.source.monitor()
            && let Some(monitor) = from.monitors.get(&id)
        {
            let known = self.monitors.entry(id);
            known.or_insert_with(|| monitor.clone());
        }
    }
}
