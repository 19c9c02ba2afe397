//! Decisions about alerts that are known by their labels: each is said again and again, by one sender or by several, with the
//! instant at which it is over.

use super::alert::{Condition, dedup_key};
use super::take_in::Taken;
use super::{Decider, title_of_alert};
use crate::alert::{Alert, AlertKey, AlertSource, RESOLVE_TIMEOUT_MS};
use crate::bugs::{self, Bug};
use crate::command::{Labelled, Refusal};
use crate::event::{Cause, IntakeEvent};
use crate::id::{AlertId, ServiceId};

/// Alerts of one event at most.
const SPARED_TOGETHER: usize = 1_000;

impl Decider<'_> {
    /// Opens the alert, takes it to be said once more, or ends it.
    pub(super) fn labelled(&mut self, told: Labelled) -> Result<(), Refusal> {
        let service = match self.service_in_labels(&told) {
            Some(service) => service,
            None => {
                let told_or_own = told.service.or_else(|| self.service_of_integration(&told));
                self.service_or_default(told_or_own)?
            }
        };
        let integration = told.integration;
        let source = AlertSource::Alertmanager { integration };
        let key = AlertKey {
            service,
            sender: source.sender(),
            key: dedup_key(&told.dedup_key)?,
        };
        let title = title_of_alert("summary", &told.title, 1024)?;
        if told.ends_at > self.now {
            self.trigger(Condition {
                service,
                target: None,
                dedup_key: key.key,
                source,
                severity: told.severity,
                title,
                summary: told.summary,
                details: told.details,
                sent_details: None,
                at: told.starts_at.min(self.now),
                onset: None,
                evidence: Vec::new(),
                hold: Vec::new(),
                taken: Taken {
                    ends_at: Some(told.ends_at),
                    ..Taken::default()
                },
            });
            return Ok(());
        }
        // Each sender says for a quarter of an hour that it is over: that is no news, and would fill the journal.
        let Some(alert) = self.state.fires(&key) else {
            return Ok(());
        };
        // Nor does it end what began since: another sender may fire anew while the one repeats the end before that, of which
        // nothing may have been heard here. Who says only an end means what fails now.
        let tells_begin = told.starts_at < told.ends_at;
        let is_old = tells_begin && told.ends_at < self.state.since_begin(alert);
        if is_old && !bugs::on(Bug::OldEndEndsWhatBeganSince) {
            return Ok(());
        }
        let (id, at) = (alert.id, told.ends_at.max(alert.opened_at));
        self.recover_alert(id, at.min(self.now), Cause::Request, Vec::new());
        Ok(())
    }

    /// What was said again while nobody listened was said in vain: an alert that would be over before its sender has had time
    /// to say it once more holds for that time.
    pub(super) fn spare_alerts(&mut self) {
        let until = self.now.plus_ms(RESOLVE_TIMEOUT_MS);
        let alerts = &self.state.alerts;
        let firing = self.state.firing.values().filter_map(|id| alerts.get(id));
        let ends_before = |alert: &&Alert| alert.ends_at.is_some_and(|ends_at| ends_at < until);
        let spared: Vec<AlertId> = firing.filter(ends_before).map(|alert| alert.id).collect();
        for some in spared.chunks(SPARED_TOGETHER) {
            let alerts = some.to_vec();
            self.emit_intake(Cause::Request, IntakeEvent::AlertsSpared { alerts, until });
        }
    }

    /// The service that the integration of an alert belongs to.
    fn service_of_integration(&self, told: &Labelled) -> Option<ServiceId> {
        let integration = self.state.integrations.get(&told.integration?)?;
        Some(integration.service)
    }

    /// The service that an alert names by the label of its integration, by id or by name.
    fn service_in_labels(&self, told: &Labelled) -> Option<ServiceId> {
        let integration = self.state.integrations.get(&told.integration?)?;
        let label = integration.kind.service_label()?;
        let mut labels = told.details.iter();
        let (_, named) = labels.find(|(name, _)| name == label)?;
        // Its text is read once, and not that of each service made.
        let id: Option<ServiceId> = named.parse().ok();
        let mut services = self.state.services.values();
        let found = services.find(|one| Some(one.id) == id || one.name == *named);
        found.map(|service| service.id)
    }
}
