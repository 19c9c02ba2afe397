//! Alerts that are known by their labels, in the second book: each holds as long as whoever said it last says, and is over sooner
//! only where somebody said so of this very failure.

use tocsin_domain::alert::AlertSource;
use tocsin_domain::event::{Cause, Event};
use tocsin_domain::id::{AlertId, IncidentId};
use tocsin_domain::time::Timestamp;

use super::{Alert, Ledger, Subject};
use crate::check::Check;

/// What is said while nobody listens is said again within this time.
const SAID_AGAIN_MS: u64 = 300_000;

impl Ledger {
    /// A sender is about to say that what has these labels was over then.
    pub(crate) fn note_end(&mut self, key: &str, ended_at: Timestamp) {
        let noted = self.ends_told.entry(key.to_owned()).or_insert(ended_at);
        *noted = ended_at.max(*noted);
    }

    /// A person is about to say that an incident is over.
    pub(crate) fn note_resolve(&mut self, incident: IncidentId) {
        self.resolving.insert(incident);
    }

    /// A person is about to say that an incident is not over.
    pub(crate) fn note_reopen(&mut self, incident: IncidentId) {
        self.reopening.insert(incident);
    }

    /// Whatever somebody was about to say was heard in this step, or never will be.
    pub(super) fn forget_notes(&mut self) {
        self.ends_told.clear();
        self.resolving.clear();
        self.reopening.clear();
    }

    /// From now on somebody listens again who did not for a while.
    pub(crate) fn note_absence(&mut self, now: Timestamp) {
        self.absent_at = Some(now);
    }

    /// Since when something with these labels fails.
    pub(crate) fn fails_since(&self, key: &str) -> Option<Timestamp> {
        let open = self.open.iter().filter_map(|id| self.cases.get(id));
        let firing = open.flat_map(|case| case.firing.keys());
        let mut firing = firing.filter_map(|id| self.alerts.get(id));
        let found = firing.find(|known| is_labelled(known) && known.told.dedup_key == key);
        found.map(|known| known.began_at)
    }

    /// Whether an alert is known by these labels.
    pub(crate) fn has_labels(&self, id: AlertId, key: &str) -> bool {
        let known = self.alerts.get(&id);
        known.is_some_and(|known| known.told.dedup_key == key)
    }

    /// Whoever says it again has time for that.
    pub(super) fn spare_alerts(&mut self, alerts: &[AlertId], until: Timestamp, now: Timestamp) {
        if until > now.plus_ms(SAID_AGAIN_MS) {
            let what = format!("alerts hold until {until} although nobody said so");
            self.find(Check::RightCalls, now, what);
        }
        for id in alerts {
            let Some(known) = self.alerts.get_mut(id) else {
                continue;
            };
            known.ends_at = known.ends_at.map(|ends_at| ends_at.max(until));
            let ends_at = known.ends_at;
            self.set_due(Subject::Alert(*id), ends_at);
        }
    }

    /// An alert is over now.
    pub(super) fn check_end(&mut self, id: AlertId, event: &Event) {
        let known = self.alerts.get(&id).filter(|known| is_labelled(known));
        let wrong = known.and_then(|known| self.ended_wrongly(known, event));
        if let Some(wrong) = wrong {
            let what = format!("alert {id} is over, but {wrong}");
            self.find(Check::NothingHidden, event.recorded_at, what);
        }
    }

    /// Why an alert must not be over yet.
    fn ended_wrongly(&self, known: &Alert, event: &Event) -> Option<String> {
        let now = event.recorded_at;
        match event.cause {
            Cause::Due { .. } => {
                let holds = known.ends_at.filter(|ends_at| *ends_at > now);
                let absent = self.absent_at.filter(|absent| {
                    known.heard_at < *absent && now.ms_since(*absent) < SAID_AGAIN_MS
                });
                let holds =
                    holds.map(|until| format!("its sender said that it holds until {until}"));
                holds.or_else(|| {
                    absent.map(|at| format!("nobody listened until {at} to who says it again"))
                })
            }
            Cause::Request | Cause::Sample { .. } | Cause::Event { .. } => {
                let told = self.ends_told.get(&known.told.dedup_key);
                let is_told = told.is_some_and(|ended_at| *ended_at >= known.began_at);
                let is_resolved = self.resolving.contains(&known.incident);
                let began_at = known.began_at;
                (!is_told && !is_resolved).then(|| {
                    format!("what is told to be over is what failed before {began_at}: {told:?}")
                })
            }
        }
    }
}

fn is_labelled(known: &Alert) -> bool {
    matches!(known.told.source, AlertSource::Alertmanager { .. })
}
