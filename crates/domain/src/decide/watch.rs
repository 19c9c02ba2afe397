//! Decisions about targets and monitors.

use super::intake::going_on_as;
use super::{Decider, seen_within};
use crate::command::{Refusal, WatchAsk};
use crate::event::{Cause, EventBody, RosterEvent, WatchEvent};
use crate::id::{AlertId, IncidentId, MaintenanceId, MonitorId, ServiceId, TargetId};
use crate::incident::{Incident, Status};
use crate::intake::Intake;
use crate::service::Service;
use crate::state::State;
use crate::target::{Maintenance, Target, TargetIdentity};
use crate::time::Timestamp;

/// A mute or a maintenance window lasts at most this long: 90 days.
const QUIET_MS_MAX: u64 = 90 * 86_400_000;

impl Decider<'_> {
    pub(super) fn watch(&mut self, ask: WatchAsk) -> Result<(), Refusal> {
        match ask {
            WatchAsk::Seen(identity) => self.seen(identity),
            WatchAsk::Remove(target) => self.remove_target(target),
            WatchAsk::Mute {
                target,
                until,
                reason,
            } => {
                self.target(target)?;
                let reason = seen_within("reason", &reason, 500)?;
                self.check_quiet(self.now, until)?;
                self.emit_watch(WatchEvent::TargetMuted {
                    target,
                    until,
                    reason,
                });
                self.decide_quiet_anew(target);
                Ok(())
            }
            WatchAsk::Unmute(target) => {
                if self.target(target)?.muted_until.is_some() {
                    self.emit_watch(WatchEvent::TargetUnmuted { target });
                    self.decide_quiet_anew(target);
                }
                Ok(())
            }
            WatchAsk::PlanMaintenance {
                target,
                from,
                until,
                reason,
            } => {
                self.target(target)?;
                let reason = seen_within("reason", &reason, 500)?;
                self.check_quiet(from, until)?;
                let id = MaintenanceId::random(self.entropy);
                let window = Maintenance {
                    id,
                    from,
                    until,
                    reason,
                };
                self.emit_watch(WatchEvent::MaintenancePlanned { target, window });
                self.decide_quiet_anew(target);
                Ok(())
            }
            WatchAsk::CancelMaintenance { target, window } => {
                let known = self
                    .target(target)?
                    .maintenance
                    .iter()
                    .any(|one| one.id == window);
                if !known {
                    return Err(Refusal::not_found(format!("maintenance window {window}")));
                }
                self.emit_watch(WatchEvent::MaintenanceCancelled { target, window });
                self.decide_quiet_anew(target);
                Ok(())
            }
            WatchAsk::SwitchMonitor { monitor, enabled } => self.switch(monitor, enabled),
        }
    }

    /// Removes a target with the work that is planned on it alone; work on more goes on without it.
    fn remove_target(&mut self, target: TargetId) -> Result<(), Refusal> {
        self.target(target)?;
        let alerts = self.firing_alerts(|alert| alert.target == Some(target));
        // Nothing is paged for that this leaves loud before its alerts are over.
        for window in self.state.work_on_target(target) {
            let left = going_on_as(window.id, window.without_target(target));
            self.emit_intake(Cause::Request, left);
        }
        let removed = self.emit_watch(WatchEvent::TargetRemoved { target });
        let cause = Cause::Event { position: removed };
        self.close_alerts(&alerts, &cause, "its target was removed");
        self.decide_quiet_anew(target);
        Ok(())
    }

    fn emit_watch(&mut self, event: WatchEvent) -> u64 {
        self.emit(Cause::Request, EventBody::Watch(event))
    }

    fn target(&self, target: TargetId) -> Result<&Target, Refusal> {
        self.state
            .targets
            .get(&target)
            .ok_or_else(|| Refusal::not_found(format!("target {target}")))
    }

    /// A mute or a window came, went or changed: what fails is held back as long as it lasts now, or paged when nothing lasts.
    fn decide_quiet_anew(&mut self, target: TargetId) {
        self.decide_quiet_of(|state, incident| is_about(state, incident, target));
    }

    /// The same for each incident that this is about.
    pub(super) fn decide_quiet_of(&mut self, is_about: impl Fn(&State, &Incident) -> bool) {
        let open = self
            .state
            .open_incidents
            .iter()
            .filter_map(|id| self.state.incidents.get(id));
        let concerned: Vec<(IncidentId, bool)> = open
            .filter(|incident| is_about(self.state, incident))
            .filter(|incident| incident.status == Status::Triggered && !incident.flapping)
            .filter(|incident| {
                self.state.burns(incident) || incident.told_after_quiet_at().is_some()
            })
            .filter(|incident| incident.is_held_back() || incident.paging.is_some())
            .map(|incident| (incident.id, incident.paging.is_some()))
            .collect();
        for (incident, is_paged) in concerned {
            let known = self.state.incidents.get(&incident);
            if is_paged {
                self.suppress_if_quiet(incident);
            } else if known.is_some_and(|known| known.told_after_quiet_at().is_some()) {
                self.tell_after_quiet(incident);
            } else {
                self.look_again(incident);
            }
        }
    }

    /// Pages for an incident that was quiet, when what fails of it now is not: another alert of it is not covered, and does not wait
    /// either.
    pub(super) fn end_quiet(&mut self, id: IncidentId) {
        let known = self.state.incidents.get(&id);
        if known.is_some_and(|incident| incident.suppressed.is_some()) {
            self.look_again(id);
        }
    }

    /// Whether an alert by itself is quiet at least as long as its incident. When it is said again as loudly as before, its
    /// incident is then as quiet as before: the other alerts of it are what they were.
    pub(super) fn is_quiet_as_long(&self, alert: AlertId, incident: IncidentId) -> bool {
        let incident = self.state.incidents.get(&incident);
        let held = incident.and_then(|incident| incident.suppressed.as_ref());
        let (Some((_, until)), Some(alert)) = (held, self.state.alerts.get(&alert)) else {
            return false;
        };
        let quiet = self.state.quiet_alert(alert.features(), self.now);
        quiet.is_some_and(|quiet| quiet.until >= *until)
    }

    fn check_quiet(&self, from: Timestamp, until: Timestamp) -> Result<(), Refusal> {
        if until <= from || until <= self.now {
            return Err(Refusal::invalid(
                "until: must be later than the beginning and than now",
            ));
        }
        if until.ms_since(from) > QUIET_MS_MAX {
            return Err(Refusal::invalid(
                "until: at most 90 days after the beginning",
            ));
        }
        Ok(())
    }

    /// An instance is known by its main configuration file. A new one gets a service of its own.
    fn seen(&mut self, identity: TargetIdentity) -> Result<(), Refusal> {
        let team = self.team()?;
        let known = self
            .state
            .targets
            .values()
            .find(|target| target.identity.config_path == identity.config_path);
        if let Some(target) = known {
            let (id, changed) = (target.id, target.identity != identity);
            if changed {
                self.emit_watch(WatchEvent::TargetChanged {
                    target: id,
                    identity,
                });
                // A silence may name what fails by the name of its target.
                self.decide_quiet_anew(id);
            }
            return Ok(());
        }
        let service = Service {
            id: ServiceId::random(self.entropy),
            team,
            name: format!("Apache on {}", identity.name),
            policy: None,
            intake: Intake::default(),
            description: String::new(),
            acknowledgement: None,
        };
        let target = Target {
            id: TargetId::random(self.entropy),
            team,
            service: service.id,
            identity,
            found_at: self.now,
            muted_until: None,
            maintenance: Vec::new(),
        };
        self.emit(
            Cause::Request,
            EventBody::Roster(RosterEvent::ServiceSet { service }),
        );
        self.emit_watch(WatchEvent::TargetFound { target });
        Ok(())
    }

    /// A monitor that is switched off cannot say when things are well again: its alerts end with it.
    fn switch(&mut self, monitor: MonitorId, enabled: bool) -> Result<(), Refusal> {
        let Some(known) = self.state.monitors.get(&monitor) else {
            return Err(Refusal::not_found(format!("monitor {monitor}")));
        };
        if known.enabled == enabled {
            return Ok(());
        }
        let switched = self.emit_watch(WatchEvent::MonitorSwitched { monitor, enabled });
        if !enabled {
            let alerts = self.firing_alerts(|alert| alert.source.monitor() == Some(monitor));
            let cause = Cause::Event { position: switched };
            self.close_alerts(&alerts, &cause, "its monitor was switched off");
        }
        Ok(())
    }

    fn firing_alerts(&self, wanted: impl Fn(&crate::alert::Alert) -> bool) -> Vec<AlertId> {
        let firing = self
            .state
            .firing
            .values()
            .filter_map(|id| self.state.alerts.get(id));
        firing
            .filter(|alert| wanted(alert))
            .map(|alert| alert.id)
            .collect()
    }
}

/// Whether an incident is about a target, or was merged with one that is.
fn is_about(state: &State, incident: &Incident, target: TargetId) -> bool {
    let alerts = incident.alerts.iter();
    let mut known = alerts.filter_map(|alert| state.alerts.get(alert));
    let merged = !incident.merged.is_empty();
    incident.target == Some(target) || (merged && known.any(|one| one.target == Some(target)))
}
