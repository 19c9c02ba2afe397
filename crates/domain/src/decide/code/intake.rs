//! Of a document that is to become true: services with their integrations and rules, heartbeats, planned work.

use super::{not_prepared, of};
use crate::code::{self, Apply, Fault, Keys, Kind, MaintenanceWindow, Part, Rule, Service};
use crate::command::{AskedRule, HeartbeatAsk, IntakeAsk, RosterAsk};
use crate::decide::Decider;
use crate::id::{IntegrationId, ServiceId};
use crate::intake::{self, When};
use crate::oncall::{Repeating, Span};
use crate::time::Timestamp;

const MS_PER_MINUTE: u64 = 60_000;

impl Decider<'_> {
    pub(super) fn apply_services(&mut self, apply: &Apply) -> Result<(), Fault> {
        let (keys, standing) = (self.keys(apply), &apply.standing);
        for service in &apply.wanted.services {
            let mut known = standing.services.iter();
            let known = known.find(|known| known.name == service.name);
            if known != Some(service) {
                self.apply_service(service, known, &keys)?;
            }
        }
        // Rules may name services that have just come.
        let keys = self.keys(apply);
        for service in &apply.wanted.services {
            self.apply_service_rules(service, &keys)?;
            self.apply_integrations(service, &keys, apply)?;
        }
        Ok(())
    }

    fn apply_service(
        &mut self,
        service: &Service,
        known: Option<&Service>,
        keys: &Keys,
    ) -> Result<(), Fault> {
        let part = Part::new(Kind::Services, &service.name);
        let mut id = keys.services.find(&service.name);
        if known.map(|known| &known.escalation_policy) != Some(&service.escalation_policy) {
            let policy = service.escalation_policy.as_deref();
            let policy = policy.map(|name| keys.policies.id(name)).transpose();
            let policy =
                policy.map_err(|wrong| Fault::at(part.clone(), "escalation_policy", &wrong))?;
            let own = id.and_then(|id| self.state.services.get(&id));
            let ask = RosterAsk::SetService {
                id,
                name: own.map_or(&service.name, |own| &own.name).clone(),
                policy,
            };
            self.roster(ask).map_err(of(part.clone()))?;
            id = id.or_else(|| self.service_made());
        }
        let Some(id) = id else {
            return Err(not_prepared(&part, "name"));
        };
        let ask = IntakeAsk::SetService {
            service: id,
            urgency: service.urgency.read(),
            grouping: service.grouping.read(),
            resolve_after_ms: service.resolve_after.map(|one| one.ms),
        };
        let same = self.state.services.get(&id).is_some_and(|own| {
            let own = code::of_service(&service.name, own, Vec::new(), keys);
            (&own.urgency, &own.grouping, own.resolve_after)
                == (&service.urgency, &service.grouping, service.resolve_after)
        });
        if same {
            return Ok(());
        }
        self.intake(ask).map_err(of(part))
    }

    /// The service that the last event set.
    fn service_made(&self) -> Option<ServiceId> {
        use crate::event::{EventBody, RosterEvent};
        let last = self.events.last()?;
        if let EventBody::Roster(RosterEvent::ServiceSet { service }) = &last.body {
            Some(service.id)
        } else {
            None
        }
    }

    fn apply_service_rules(&mut self, service: &Service, keys: &Keys) -> Result<(), Fault> {
        let part = Part::new(Kind::Services, &service.name);
        let Some(id) = keys.services.find(&service.name) else {
            return Err(not_prepared(&part, "name"));
        };
        let Some(own) = self.state.services.get(&id) else {
            return Err(not_prepared(&part, "name"));
        };
        if code::of_service(&service.name, own, Vec::new(), keys).rules == service.rules {
            return Ok(());
        }
        let known = own.intake.rules.clone();
        let ask = IntakeAsk::SetRules {
            service: Some(id),
            rules: rules_read(keys, &part, "rules", &service.rules, &known)?,
        };
        self.intake(ask).map_err(of(part))
    }

    fn apply_integrations(
        &mut self,
        service: &Service,
        keys: &Keys,
        apply: &Apply,
    ) -> Result<(), Fault> {
        for wanted in &service.integrations {
            let part = Part::integration(&service.name, &wanted.name);
            let id = keys.services.find(&service.name);
            let id = id.ok_or_else(|| not_prepared(&part, "name"))?;
            let kind = wanted.kind();
            let kind = kind.map_err(|(field, why)| Fault::at(part.clone(), field, why))?;
            let known = self.state.integrations.values();
            let known = known.filter(|one| one.service == id && one.name == wanted.name);
            let known: Vec<(IntegrationId, bool)> =
                known.map(|one| (one.id, one.kind == kind)).collect();
            if known.iter().any(|(_, is_the_same)| *is_the_same) {
                continue;
            }
            if let Some((integration, _)) = known.first() {
                let ask = RosterAsk::ChangeIntegration {
                    integration: *integration,
                    name: wanted.name.clone(),
                    kind,
                };
                self.roster(ask).map_err(of(part))?;
                continue;
            }
            let hash = apply.key_hashes.get(&part);
            let ask = RosterAsk::AddIntegration {
                service: id,
                name: wanted.name.clone(),
                key_hash: hash.ok_or_else(|| not_prepared(&part, "name"))?.clone(),
                key_row: None,
                kind,
            };
            self.roster(ask).map_err(of(part))?;
        }
        Ok(())
    }

    pub(super) fn apply_heartbeats(&mut self, apply: &Apply) -> Result<(), Fault> {
        let (keys, standing) = (self.keys(apply), &apply.standing);
        for heartbeat in &apply.wanted.heartbeats {
            if standing.heartbeats.contains(heartbeat) {
                continue;
            }
            let part = Part::new(Kind::Heartbeats, &heartbeat.name);
            let service = keys.services.id(&heartbeat.service);
            let service = service.map_err(|wrong| Fault::at(part.clone(), "service", &wrong))?;
            let id = keys.heartbeats.find(&heartbeat.name);
            let known = id.and_then(|id| self.state.pulses.get(&id));
            let token_hash = match known {
                Some(_) => None,
                None => {
                    let hash = apply.key_hashes.get(&part).cloned();
                    Some(hash.ok_or_else(|| not_prepared(&part, "name"))?)
                }
            };
            let name = known.map_or(&heartbeat.name, |known| &known.heartbeat.name);
            let ask = HeartbeatAsk::Set {
                id,
                name: name.clone(),
                service: Some(service),
                every_ms: heartbeat.every.ms,
                grace_ms: heartbeat.grace.ms,
                severity: heartbeat.severity,
                token_hash,
            };
            self.intake(IntakeAsk::Heartbeat(ask)).map_err(of(part))?;
        }
        Ok(())
    }

    pub(super) fn apply_windows(&mut self, apply: &Apply) -> Result<(), Fault> {
        let (keys, standing) = (self.keys(apply), &apply.standing);
        for window in &apply.wanted.maintenance_windows {
            if standing.maintenance_windows.contains(window) {
                continue;
            }
            let part = Part::new(Kind::MaintenanceWindows, &window.reason);
            let when = when(&part, window)?;
            let id = keys.windows.find(&window.reason);
            if id.is_none() && is_over(&when, self.now) {
                continue;
            }
            let named = |path: &str, index: usize, wrong: &str| {
                Fault::at(part.clone(), &format!("{path}[{index}]"), wrong)
            };
            let services = window.services.iter().enumerate().map(|(index, name)| {
                let id = keys.services.id(name);
                id.map_err(|wrong| named("services", index, &wrong))
            });
            let targets = window.targets.iter().enumerate().map(|(index, name)| {
                let id = keys.targets.id(name);
                id.map_err(|wrong| named("targets", index, &wrong))
            });
            let known = id.and_then(|id| self.state.windows.get(&id));
            let ask = IntakeAsk::SetWindow {
                id,
                reason: known.map_or(&window.reason, |known| &known.reason).clone(),
                services: services.collect::<Result<_, Fault>>()?,
                targets: targets.collect::<Result<_, Fault>>()?,
                when,
                matchers: None,
            };
            self.intake(ask).map_err(of(part))?;
        }
        Ok(())
    }
}

/// Nothing of it is left, so that files need not be changed when work is done.
fn is_over(when: &When, now: Timestamp) -> bool {
    match when {
        When::Once { span } => !span.is_empty() && span.until <= now,
        When::Repeating { work } => {
            work.violations("repeat").is_empty() && work.around(now).or(work.next(now)).is_none()
        }
    }
}

fn when(part: &Part, window: &MaintenanceWindow) -> Result<When, Fault> {
    match (window.from, window.until, &window.repeat) {
        (Some(from), Some(until), None) => Ok(When::Once {
            span: Span::new(from.0, until.0),
        }),
        (None, None, Some(repeat)) => {
            let minutes = u32::try_from(repeat.lasts.ms / MS_PER_MINUTE).ok();
            let whole = minutes.filter(|_| repeat.lasts.ms.is_multiple_of(MS_PER_MINUTE));
            let minutes = whole
                .ok_or_else(|| Fault::at(part.clone(), "repeat.lasts", "must be whole minutes"))?;
            let work = Repeating {
                time_zone: repeat.time_zone.clone(),
                first: repeat.first,
                minutes,
                every: repeat.every,
                unit: repeat.unit,
                until: repeat.until.map(|until| until.0),
            };
            Ok(When::Repeating { work })
        }
        (_, _, _) => Err(Fault::at(
            part.clone(),
            "reason",
            "say either from and until, or repeat",
        )),
    }
}

/// Rules as they are asked for; those that are known by their names keep their ids.
pub(super) fn rules_read(
    keys: &Keys,
    part: &Part,
    path: &str,
    rules: &[Rule],
    known: &[intake::Rule],
) -> Result<Vec<AskedRule>, Fault> {
    let mut known: Vec<&intake::Rule> = known.iter().collect();
    let mut made = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        let (when, then) = rule.read(keys).map_err(|(field, wrong)| {
            Fault::at(part.clone(), &format!("{path}[{index}].{field}"), &wrong)
        })?;
        let same = known.iter().position(|one| one.name == rule.name);
        made.push(AskedRule {
            id: same.map(|place| known.remove(place).id),
            name: rule.name.clone(),
            when,
            then,
            go_on: rule.go_on,
        });
    }
    Ok(made)
}
