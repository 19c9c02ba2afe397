//! Of a document that is to become true: services with their integrations and rules, heartbeats, planned work.

use super::{not_prepared, of};
use crate::code::{self, Apply, Fault, Keys, Kind, MaintenanceWindow, Part, Repeat, Rule, Service};
use crate::command::{AskedRule, HeartbeatAsk, IntakeAsk, RosterAsk};
use crate::decide::Decider;
use crate::intake::{self, LabelMatcher, MATCHERS_MAX, When};
use crate::oncall::{Repeating, Span};
use crate::service::WholeService;
use crate::time::Timestamp;

const MS_PER_MINUTE: u64 = 60_000;

impl Decider<'_> {
    pub(super) fn apply_services(&mut self, apply: &Apply) -> Result<(), Fault> {
        let keys = self.keys(apply);
        for service in &apply.wanted.services {
            self.apply_service(service, &keys)?;
        }
        // Rules may name services that have just come.
        let keys = self.keys(apply);
        for service in &apply.wanted.services {
            self.apply_service_rules(service, &keys)?;
            self.apply_integrations(service, &keys, apply)?;
        }
        Ok(())
    }

    /// Sets a service, but for its rules and integrations, which are set once all services are there.
    fn apply_service(&mut self, service: &Service, keys: &Keys) -> Result<(), Fault> {
        let Service {
            name,
            description,
            escalation_policy,
            acknowledgement_timeout,
            urgency,
            grouping,
            resolve_after,
            integrations,
            rules,
        } = service;
        let id = keys.services.find(name);
        let own = id.and_then(|id| self.state.services.get(&id));
        let as_it_is = own.map(|own| Service {
            integrations: integrations.clone(),
            rules: rules.clone(),
            ..code::of_service(name, own, Vec::new(), keys)
        });
        if as_it_is.as_ref() == Some(service) {
            return Ok(());
        }
        let part = Part::new(Kind::Services, name);
        let policy = escalation_policy.as_deref();
        let policy = policy.map(|name| keys.policies.id(name)).transpose();
        let policy =
            policy.map_err(|wrong| Fault::at(part.clone(), "escalation_policy", &wrong))?;
        let wanted = WholeService {
            id,
            name: Some(own.map_or(name, |own| &own.name).clone()),
            policy: Some(policy),
            description: Some(description.clone()),
            acknowledgement: Some(acknowledgement_timeout.map(code::Timeout::hold)),
            urgency: Some(urgency.read()),
            grouping: Some(grouping.read()),
            grouping_label: None,
            resolve_after_ms: Some(resolve_after.map(|one| one.ms)),
        };
        let ask = RosterAsk::SetWholeService(Box::new(wanted));
        self.roster(ask).map_err(of(part))
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
            let own = keys.integrations.get(&id);
            let known = own.and_then(|own| own.find(&wanted.name));
            let known = known.and_then(|known| self.state.integrations.get(&known));
            if let Some(known) = known {
                if known.kind == kind && known.vendor == wanted.vendor {
                    continue;
                }
                let ask = RosterAsk::ChangeIntegration {
                    integration: known.id,
                    name: known.name.clone(),
                    vendor: wanted.vendor.clone(),
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
                vendor: wanted.vendor.clone(),
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
            let code::Heartbeat {
                name,
                service,
                every,
                grace,
                severity,
            } = heartbeat;
            let part = Part::new(Kind::Heartbeats, name);
            let service = keys.services.id(service);
            let service = service.map_err(|wrong| Fault::at(part.clone(), "service", &wrong))?;
            let id = keys.heartbeats.find(name);
            let known = id.and_then(|id| self.state.pulses.get(&id));
            let token_hash = match known {
                Some(_) => None,
                None => {
                    let hash = apply.key_hashes.get(&part).cloned();
                    Some(hash.ok_or_else(|| not_prepared(&part, "name"))?)
                }
            };
            let ask = HeartbeatAsk::Set {
                id,
                name: known.map_or(name, |known| &known.heartbeat.name).clone(),
                service: Some(service),
                every_ms: every.ms,
                grace_ms: grace.ms,
                severity: *severity,
                token_hash,
            };
            self.intake(IntakeAsk::Heartbeat(ask)).map_err(of(part))?;
        }
        Ok(())
    }

    pub(super) fn apply_windows(&mut self, apply: &Apply) -> Result<(), Fault> {
        let (keys, standing) = (self.keys(apply), &apply.standing);
        let removed = apply.gone(Kind::Services);
        for window in &apply.wanted.maintenance_windows {
            // Also what stands so already would not any more once a service that it names has gone.
            let mut services = window.services.iter();
            let gone = services.find(|name| removed.contains(name.as_str()));
            if gone.is_none() && standing.maintenance_windows.contains(window) {
                continue;
            }
            self.apply_window(window, &keys, gone)?;
        }
        Ok(())
    }

    /// Whether the same work is known, and somebody ended the last of it: files that planned it plan it no second time.
    fn was_ended(&self, wanted: &MaintenanceWindow, keys: &Keys) -> bool {
        let mut ended = self.state.windows.values().filter(|known| {
            let of_files = known.is_planned() && known.reason == wanted.reason;
            of_files && known.ended_at.is_some() && known.is_over(self.now)
        });
        ended.any(|known| code::of_window(&wanted.reason, known, keys) == *wanted)
    }

    /// Sets planned work, unless it names a service that is `gone` when all is done.
    fn apply_window(
        &mut self,
        window: &MaintenanceWindow,
        keys: &Keys,
        gone: Option<&String>,
    ) -> Result<(), Fault> {
        let MaintenanceWindow {
            reason,
            services,
            targets,
            matchers,
            from,
            until,
            repeat,
        } = window;
        let part = Part::new(Kind::MaintenanceWindows, reason);
        let when = when(
            &part,
            (from.map(|at| at.0), until.map(|at| at.0)),
            repeat.as_ref(),
        )?;
        let id = keys.windows.find(reason);
        let is_over = id.is_none() && is_over(&when, self.now);
        if is_over || self.was_ended(window, keys) {
            return Ok(());
        }
        if let Some(name) = gone {
            // Without its place in the list: what is written in a file stands sorted here.
            return Err(Fault::names_gone(part, "services", Kind::Services, name));
        }
        let named = |path: &str, index: usize, wrong: &str| {
            Fault::at(part.clone(), &format!("{path}[{index}]"), wrong)
        };
        let services = services.iter().enumerate().map(|(index, name)| {
            let id = keys.services.id(name);
            id.map_err(|wrong| named("services", index, &wrong))
        });
        let targets = targets.iter().enumerate().map(|(index, name)| {
            let id = keys.targets.id(name);
            id.map_err(|wrong| named("targets", index, &wrong))
        });
        let known = id.and_then(|id| self.state.windows.get(&id));
        let ask = IntakeAsk::SetWindow {
            id,
            reason: known.map_or(reason, |known| &known.reason).clone(),
            services: services.collect::<Result<_, Fault>>()?,
            targets: targets.collect::<Result<_, Fault>>()?,
            when,
            matchers: Some(labels_read(&part, matchers)?),
        };
        self.intake(ask).map_err(of(part))
    }
}

/// Conditions on labels, as the core has them. They are told without their place: what is written in a file stands sorted here.
fn labels_read(part: &Part, matchers: &[code::Matcher]) -> Result<Vec<LabelMatcher>, Fault> {
    let wrong = |why: &str| Fault::at(part.clone(), "matchers", why);
    // Patterns are compiled when they are read.
    if matchers.len() > MATCHERS_MAX {
        return Err(wrong(&format!("at most {MATCHERS_MAX}")));
    }
    let read = matchers.iter().map(code::Matcher::read);
    read.map(|one| one.map_err(|why| wrong(&why))).collect()
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

fn when(
    part: &Part,
    (from, until): (Option<Timestamp>, Option<Timestamp>),
    repeat: Option<&Repeat>,
) -> Result<When, Fault> {
    match (from, until, repeat) {
        (Some(from), Some(until), None) => Ok(When::Once {
            span: Span::new(from, until),
        }),
        (None, None, Some(repeat)) => {
            let Repeat {
                time_zone,
                first,
                lasts,
                every,
                unit,
                until,
            } = repeat;
            let minutes = u32::try_from(lasts.ms / MS_PER_MINUTE).ok();
            let whole = minutes.filter(|_| lasts.ms.is_multiple_of(MS_PER_MINUTE));
            let minutes = whole
                .ok_or_else(|| Fault::at(part.clone(), "repeat.lasts", "must be whole minutes"))?;
            let work = Repeating {
                time_zone: time_zone.clone(),
                first: *first,
                minutes,
                every: *every,
                unit: *unit,
                until: until.map(|until| until.0),
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
        let Rule {
            name,
            when: _,
            then: _,
            go_on,
        } = rule;
        let (when, then) = rule.read(keys).map_err(|(field, wrong)| {
            Fault::at(part.clone(), &format!("{path}[{index}].{field}"), &wrong)
        })?;
        let same = known.iter().position(|one| one.name == *name);
        made.push(AskedRule {
            id: same.map(|place| known.remove(place).id),
            name: name.clone(),
            when,
            then,
            go_on: *go_on,
        });
    }
    Ok(made)
}
