//! Decisions about schedules, escalation policies, services and integrations.

use super::{Decider, name_within, said_within, text_within};
use crate::command::{Refusal, RosterAsk};
use crate::event::{Cause, EventBody, RosterEvent};
use crate::id::{IntegrationId, PolicyId, ScheduleId, SecretId, ServiceId, TeamId};
use crate::intake::Intake;
use crate::oncall::{Schedule, WholeSchedule};
use crate::page::{LEVELS_MAX, Level, Policy, REPEAT_MAX, Recipient, WholePolicy};
use crate::service::{
    DESCRIPTION_CHARS_MAX, Hold, Integration, IntegrationKind, Service, WholeService,
};

/// A level has at least this long for an acknowledgement.
const LEVEL_DELAY_MS_MIN: u64 = 1_000;
/// And at most a day.
const LEVEL_DELAY_MS_MAX: u64 = 86_400_000;
/// An acknowledgement holds at least this long, where it does not hold for ever.
const ACKNOWLEDGEMENT_TIMEOUT_MS_MIN: u64 = 60_000;
/// And at most 7 days.
const ACKNOWLEDGEMENT_TIMEOUT_MS_MAX: u64 = 604_800_000;
/// Recipients of a level at most (PagerDuty's limit).
const RECIPIENTS_MAX: usize = 10;

/// Characters of the label that names a service.
const SERVICE_LABEL_CHARS_MAX: usize = 200;
/// Bytes of a mapping.
const MAPPING_BYTES_MAX: usize = 32 * 1_024;

fn small_enough(kind: &IntegrationKind) -> Result<(), Refusal> {
    if let Some(label) = kind.service_label() {
        text_within("service_label", label, SERVICE_LABEL_CHARS_MAX)?;
    }
    let bytes = kind.mapping().map_or(0, str::len);
    if bytes > MAPPING_BYTES_MAX {
        return Err(Refusal::invalid(format!(
            "mapping: at most {MAPPING_BYTES_MAX} bytes"
        )));
    }
    Ok(())
}

impl Decider<'_> {
    pub(super) fn roster(&mut self, ask: RosterAsk) -> Result<(), Refusal> {
        let event = match ask {
            RosterAsk::SetSchedule {
                id,
                name,
                time_zone,
                layers,
            } => self.schedule_set(WholeSchedule {
                id,
                name,
                time_zone,
                layers,
                description: None,
                layer_names: None,
                given_to: None,
                layer_numbers: None,
            })?,
            RosterAsk::SetWholeSchedule(asked) => self.schedule_set(*asked)?,
            RosterAsk::RemoveSchedule(schedule) => self.schedule_removed(schedule)?,
            RosterAsk::SetPolicy {
                id,
                name,
                levels,
                repeat,
                acknowledgement_timeout_ms,
            } => self.policy_set(WholePolicy {
                id,
                name,
                levels,
                repeat,
                acknowledgement_timeout_ms,
                description: None,
                given_to: None,
                level_numbers: None,
            })?,
            RosterAsk::SetWholePolicy(asked) => self.policy_set(*asked)?,
            RosterAsk::RemovePolicy(policy) => self.policy_removed(policy)?,
            RosterAsk::SetService { id, name, policy } => RosterEvent::ServiceSet {
                service: self.service_called(id, &name, policy)?,
            },
            RosterAsk::SetWholeService(asked) => self.whole_service_set(*asked)?,
            RosterAsk::RemoveService(service) => return self.remove_service(service),
            RosterAsk::AddIntegration {
                service,
                name,
                key_hash,
                key_row,
                vendor,
                kind,
            } => self.integration_added(service, &name, (key_hash, key_row), (vendor, kind))?,
            RosterAsk::ChangeIntegration {
                integration,
                name,
                vendor,
                kind,
            } => self.integration_changed(integration, &name, (vendor, kind))?,
            RosterAsk::RemoveIntegration(integration) => self.integration_removed(integration)?,
            RosterAsk::Oncall(ask) => return self.oncall(ask),
            RosterAsk::Business(ask) => return self.business(ask),
        };
        self.change_roster(event);
        Ok(())
    }

    /// Records it, and does what follows from it for what is open.
    fn change_roster(&mut self, event: RosterEvent) {
        let is_policy = matches!(event, RosterEvent::PolicySet { .. });
        let renamed = self.renamed_by(&event);
        let position = self.emit(Cause::Request, EventBody::Roster(event));
        if is_policy {
            self.take_what_all_have_done(position);
        }
        if let Some(service) = renamed {
            // A silence may name what fails by the name of its service.
            self.decide_quiet_of(|_, incident| {
                incident.service == service || !incident.merged.is_empty()
            });
        }
    }

    /// The service that has another name from now on.
    fn renamed_by(&self, event: &RosterEvent) -> Option<ServiceId> {
        let RosterEvent::ServiceSet { service } = event else {
            return None;
        };
        let known = self.state.services.get(&service.id)?;
        (known.name != service.name).then_some(service.id)
    }

    fn integration_added(
        &mut self,
        service: ServiceId,
        name: &str,
        (key_hash, key_row): (String, Option<SecretId>),
        (vendor, kind): (Option<String>, IntegrationKind),
    ) -> Result<RosterEvent, Refusal> {
        self.service(service)?;
        let name = name_within("name", name, 200)?;
        small_enough(&kind)?;
        Ok(RosterEvent::IntegrationAdded {
            integration: Integration {
                id: IntegrationId::random(self.entropy),
                service,
                name,
                key_hash,
                key_row,
                vendor,
                kind,
            },
        })
    }

    fn integration_removed(&self, integration: IntegrationId) -> Result<RosterEvent, Refusal> {
        if !self.state.integrations.contains_key(&integration) {
            return Err(Refusal::not_found(format!("integration {integration}")));
        }
        Ok(RosterEvent::IntegrationRemoved { integration })
    }

    fn integration_changed(
        &self,
        integration: IntegrationId,
        name: &str,
        (vendor, kind): (Option<String>, IntegrationKind),
    ) -> Result<RosterEvent, Refusal> {
        let known = self.state.integrations.get(&integration);
        let known =
            known.ok_or_else(|| Refusal::not_found(format!("integration {integration}")))?;
        if std::mem::discriminant(&known.kind) != std::mem::discriminant(&kind) {
            return Err(Refusal::conflict(
                "how an integration speaks stays as it was made: make another one",
            ));
        }
        small_enough(&kind)?;
        Ok(RosterEvent::IntegrationChanged {
            integration: Integration {
                name: name_within("name", name, 200)?,
                vendor,
                kind,
                ..known.clone()
            },
        })
    }

    pub(super) fn team(&self) -> Result<TeamId, Refusal> {
        let installation = self.state.installation.as_ref();
        installation
            .map(|all| all.team)
            .ok_or_else(|| Refusal::conflict("set Tocsin up first"))
    }

    pub(super) fn service(&self, service: ServiceId) -> Result<&Service, Refusal> {
        self.state
            .services
            .get(&service)
            .ok_or_else(|| Refusal::not_found(format!("service {service}")))
    }

    fn schedule_set(&mut self, asked: WholeSchedule) -> Result<RosterEvent, Refusal> {
        let WholeSchedule {
            id,
            name,
            time_zone,
            layers,
            description,
            layer_names,
            given_to,
            layer_numbers,
        } = asked;
        let team = self.team()?;
        let name = name_within("name", &name, 200)?;
        said_within("description", &description)?;
        said_within("layer_names", layer_names.iter().flatten())?;
        if layer_names.as_ref().map_or(0, Vec::len) > layers.len() {
            return Err(Refusal::invalid("layer_names: at most one for each layer"));
        }
        if let Some(known) = id
            && !self.state.schedules.contains_key(&known)
        {
            return Err(Refusal::not_found(format!("schedule {known}")));
        }
        self.known_members(&layers)?;
        self.known_owner(given_to)?;
        let id = id.unwrap_or_else(|| ScheduleId::random(self.entropy));
        // The rotations are replaced; what was changed by hand for it stays.
        let mut schedule = match self.state.schedules.get(&id) {
            Some(known) => Schedule {
                // Names are of layers by their places, which others have now.
                layer_names: if known.layers.len() == layers.len() {
                    known.layer_names.clone()
                } else {
                    Vec::new()
                },
                layer_numbers: layer_numbers.unwrap_or_else(|| {
                    let numbers = &known.layer_numbers;
                    numbers.following(&known.layers, &layers)
                }),
                name,
                time_zone,
                layers,
                ..known.clone()
            },
            None => Schedule::of_layers(id, team, name, time_zone, layers),
        };
        if let Some(description) = description {
            schedule.description = description;
        }
        if let Some(names) = layer_names {
            schedule.layer_names = names;
        }
        if let Some(given_to) = given_to {
            schedule.given_to = given_to;
        }
        let reasons = schedule.violations();
        if reasons.is_empty() {
            Ok(RosterEvent::ScheduleSet { schedule })
        } else {
            Err(Refusal::Invalid { reasons })
        }
    }

    fn schedule_removed(&self, schedule: ScheduleId) -> Result<RosterEvent, Refusal> {
        if !self.state.schedules.contains_key(&schedule) {
            return Err(Refusal::not_found(format!("schedule {schedule}")));
        }
        let user = self.state.policies.values().find(|policy| {
            let mut targets = policy.levels.iter().flat_map(|level| &level.targets);
            targets.any(|target| *target == Recipient::Schedule(schedule))
        });
        match user {
            Some(policy) => Err(Refusal::conflict(format!(
                "the escalation policy {:?} pages this schedule: change the policy first",
                policy.name
            ))),
            None => Ok(RosterEvent::ScheduleRemoved { schedule }),
        }
    }

    fn policy_set(&mut self, asked: WholePolicy) -> Result<RosterEvent, Refusal> {
        let WholePolicy {
            id,
            name,
            levels,
            repeat,
            acknowledgement_timeout_ms,
            description,
            given_to,
            level_numbers,
        } = asked;
        let team = self.team()?;
        let name = name_within("name", &name, 200)?;
        said_within("description", &description)?;
        if let Some(known) = id
            && !self.state.policies.contains_key(&known)
        {
            return Err(Refusal::not_found(format!("escalation policy {known}")));
        }
        self.known_owner(given_to)?;
        let mut reasons = Vec::new();
        if levels.is_empty() || levels.len() > LEVELS_MAX {
            reasons.push(format!("levels: 1 to {LEVELS_MAX}"));
        }
        if repeat > REPEAT_MAX {
            reasons.push(format!("repeat: at most {REPEAT_MAX}"));
        }
        let range = ACKNOWLEDGEMENT_TIMEOUT_MS_MIN..=ACKNOWLEDGEMENT_TIMEOUT_MS_MAX;
        if acknowledgement_timeout_ms.is_some_and(|ms| !range.contains(&ms)) {
            reasons.push("acknowledgement_timeout: 1 minute to 7 days".to_owned());
        }
        let known = id.and_then(|id| self.state.policies.get(&id));
        reasons.extend(self.level_violations(&levels, known));
        if !reasons.is_empty() {
            return Err(Refusal::Invalid { reasons });
        }
        let description = description.or_else(|| known.map(|known| known.description.clone()));
        let given_before = known.and_then(|known| known.given_to);
        let following = known.map(|known| {
            let numbers = &known.level_numbers;
            numbers.following(&known.levels, &levels)
        });
        let id = id.unwrap_or_else(|| PolicyId::random(self.entropy));
        Ok(RosterEvent::PolicySet {
            policy: Policy {
                id,
                team,
                given_to: given_to.unwrap_or(given_before),
                name,
                levels,
                repeat,
                acknowledgement_timeout_ms,
                description: description.unwrap_or_default(),
                level_numbers: level_numbers.or(following).unwrap_or_default(),
            },
        })
    }

    /// Why these cannot be the levels of a policy. A level on which nobody is left stays so until somebody is put there, and none is
    /// made so. Levels have no names of their own, so that those are counted that the policy has already.
    fn level_violations(&self, levels: &[Level], known: Option<&Policy>) -> Vec<String> {
        let is_empty = |level: &&Level| level.targets.is_empty();
        let known = known.map_or(&[][..], |known| &known.levels);
        let mut left_empty = known.iter().filter(is_empty).count();
        let mut reasons = Vec::new();
        for (index, level) in levels.iter().enumerate() {
            if !(LEVEL_DELAY_MS_MIN..=LEVEL_DELAY_MS_MAX).contains(&level.delay_ms) {
                reasons.push(format!("levels[{index}].delay: 1 second to 1 day"));
            }
            let count = level.targets.len();
            if count == 0 && left_empty > 0 {
                left_empty -= 1;
            } else if count == 0 || count > RECIPIENTS_MAX {
                reasons.push(format!("levels[{index}].targets: 1 to {RECIPIENTS_MAX}"));
            }
            let targets = level.targets.iter();
            reasons.extend(targets.filter_map(|target| self.unknown(*target)));
        }
        reasons
    }

    /// Refuses to give something to a team that is not there.
    fn known_owner(&self, given_to: Option<Option<TeamId>>) -> Result<(), Refusal> {
        match given_to.flatten() {
            Some(team) if !self.state.teams.contains_key(&team) => {
                let reason = format!("team_id: there is no team {team}");
                Err(Refusal::invalid(reason))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn unknown(&self, recipient: Recipient) -> Option<String> {
        match recipient {
            Recipient::User(user) => (!self.state.users.contains_key(&user))
                .then(|| format!("levels: there is no person {user}")),
            Recipient::Schedule(schedule) => (!self.state.schedules.contains_key(&schedule))
                .then(|| format!("levels: there is no schedule {schedule}")),
            Recipient::Team(team) => (!self.state.teams.contains_key(&team))
                .then(|| format!("levels: there is no team {team}")),
        }
    }

    fn policy_removed(&self, policy: PolicyId) -> Result<RosterEvent, Refusal> {
        if !self.state.policies.contains_key(&policy) {
            return Err(Refusal::not_found(format!("escalation policy {policy}")));
        }
        let default = self
            .state
            .installation
            .as_ref()
            .map(|all| all.default_policy);
        if default == Some(policy) {
            return Err(Refusal::conflict(
                "this is the policy of every service that names none: it cannot be removed",
            ));
        }
        match self
            .state
            .services
            .values()
            .find(|service| service.policy == Some(policy))
        {
            Some(service) => Err(Refusal::conflict(format!(
                "the service {:?} uses this policy: change the service first",
                service.name
            ))),
            None => Ok(RosterEvent::PolicyRemoved { policy }),
        }
    }

    /// A service with this name and policy, and otherwise as it is.
    fn service_called(
        &mut self,
        id: Option<ServiceId>,
        name: &str,
        policy: Option<PolicyId>,
    ) -> Result<Service, Refusal> {
        let team = self.team()?;
        let name = name_within("name", name, 200)?;
        let known = id.map(|id| self.service(id).cloned()).transpose()?;
        if let Some(policy) = policy
            && !self.state.policies.contains_key(&policy)
        {
            return Err(Refusal::not_found(format!("escalation policy {policy}")));
        }
        Ok(match known {
            // What else is known of it is changed elsewhere.
            Some(known) => Service {
                team,
                name,
                policy,
                ..known
            },
            None => Service {
                id: ServiceId::random(self.entropy),
                team,
                name,
                policy,
                intake: Intake::default(),
                description: String::new(),
                acknowledgement: None,
            },
        })
    }

    fn whole_service_set(&mut self, asked: WholeService) -> Result<RosterEvent, Refusal> {
        let known = asked.id.map(|id| self.service(id)).transpose()?;
        let name = asked.name.or_else(|| known.map(|known| known.name.clone()));
        let own = known.and_then(|known| known.policy);
        let (name, policy) = (name.unwrap_or_default(), asked.policy.unwrap_or(own));
        let service = self.service_called(asked.id, &name, policy)?;
        let before = service.intake.clone();
        let intake = Intake {
            urgency: asked.urgency.unwrap_or(before.urgency),
            grouping: asked.grouping.unwrap_or(before.grouping),
            grouping_label: asked.grouping_label.or(before.grouping_label),
            resolve_after_ms: asked.resolve_after_ms.unwrap_or(before.resolve_after_ms),
            rules: before.rules,
        };
        let intake = intake.labelled();
        let mut reasons = intake.violations();
        let acknowledgement = asked.acknowledgement.unwrap_or(service.acknowledgement);
        let range = ACKNOWLEDGEMENT_TIMEOUT_MS_MIN..=ACKNOWLEDGEMENT_TIMEOUT_MS_MAX;
        if let Some(Hold::ForMs(ms)) = acknowledgement
            && !range.contains(&ms)
        {
            reasons.push("acknowledgement_timeout: 1 minute to 7 days".to_owned());
        }
        let said = asked.description;
        let description = said.unwrap_or_else(|| service.description.clone());
        if description.chars().count() > DESCRIPTION_CHARS_MAX {
            reasons.push(format!(
                "description: at most {DESCRIPTION_CHARS_MAX} characters"
            ));
        }
        if !reasons.is_empty() {
            return Err(Refusal::Invalid { reasons });
        }
        Ok(RosterEvent::ServiceSet {
            service: Service {
                intake,
                description,
                acknowledgement,
                ..service
            },
        })
    }
}
