//! Decisions about the settings of services, rules and maintenance windows.

use super::{Decider, name_within, seen_within};
use crate::bugs::{self, Bug};
use crate::command::{AskedRule, IntakeAsk, Refusal};
use crate::event::{Cause, EventBody, IntakeEvent, RosterEvent};
use crate::id::{MaintenanceId, RuleId, ServiceId, TargetId};
use crate::incident::Incident;
use crate::intake::{
    Action, Intake, LabelMatcher, RULES_MAX, Rule, Silence, WINDOW_SUBJECTS_MAX, WINDOWS_MAX, When,
    Window,
};
use crate::service::Service;
use crate::state::State;
use crate::time::Timestamp;

/// A window that does not repeat lasts at most so many days.
const WINDOW_MS_MAX: u64 = 90 * 86_400_000;

impl Decider<'_> {
    pub(super) fn intake(&mut self, ask: IntakeAsk) -> Result<(), Refusal> {
        match ask {
            IntakeAsk::SetService {
                service,
                urgency,
                grouping,
                resolve_after_ms,
            } => {
                let known = self.service(service)?;
                let intake = Intake {
                    urgency,
                    grouping,
                    grouping_label: known.intake.grouping_label.clone(),
                    resolve_after_ms,
                    rules: known.intake.rules.clone(),
                };
                let intake = intake.labelled();
                let reasons = intake.violations();
                if !reasons.is_empty() {
                    return Err(Refusal::Invalid { reasons });
                }
                self.set_intake(service, intake)
            }
            IntakeAsk::SetRules { service, rules } => self.set_rule_list(service, rules),
            IntakeAsk::SetWindow { .. } => self.set_window(ask),
            IntakeAsk::SetSilence(asked) => self.set_silence(*asked),
            IntakeAsk::ExpireWindow(id) => self.expire_window(id),
            IntakeAsk::EndWindow(id) => {
                let lasts = self.window(id)?.around(self.now).is_some();
                if !lasts {
                    return Err(Refusal::conflict("no work of this window is under way"));
                }
                self.change_window(id, IntakeEvent::WindowEnded { window: id });
                Ok(())
            }
            IntakeAsk::RemoveWindow(id) => {
                self.window(id)?;
                self.change_window(id, IntakeEvent::WindowRemoved { window: id });
                Ok(())
            }
            IntakeAsk::Heartbeat(ask) => self.heartbeat(ask),
        }
    }

    fn set_intake(&mut self, service: ServiceId, intake: Intake) -> Result<(), Refusal> {
        let service = Service {
            intake,
            ..self.service(service)?.clone()
        };
        let event = EventBody::Roster(RosterEvent::ServiceSet { service });
        self.emit(Cause::Request, event);
        Ok(())
    }

    fn set_rule_list(
        &mut self,
        service: Option<ServiceId>,
        asked: Vec<AskedRule>,
    ) -> Result<(), Refusal> {
        let before = match service {
            Some(service) => &self.service(service)?.intake.rules,
            None => {
                self.team()?;
                &self.state.rules
            }
        };
        let known: Vec<RuleId> = before.iter().map(|rule| rule.id).collect();
        let mut reasons = Vec::new();
        if asked.len() > RULES_MAX {
            reasons.push(format!("rules: at most {RULES_MAX}"));
        }
        let mut rules: Vec<Rule> = Vec::new();
        for (index, one) in asked.into_iter().take(RULES_MAX).enumerate() {
            let place = format!("rules[{index}]");
            let is_taken = |id: RuleId| rules.iter().any(|rule| rule.id == id);
            let id = one.id.filter(|id| known.contains(id) && !is_taken(*id));
            if one.id.is_some() && id.is_none() {
                reasons.push(format!(
                    "{place}.id: not a rule of this list, or there twice"
                ));
            }
            let rule = Rule {
                id: id.unwrap_or_else(|| RuleId::random(self.entropy)),
                name: name_within(&format!("{place}.name"), &one.name, 200)?,
                when: one.when,
                then: one.then,
                go_on: one.go_on,
            };
            reasons.extend(rule.violations(&place));
            reasons.extend(self.misrouted(&place, &rule, service));
            rules.push(rule);
        }
        if !reasons.is_empty() {
            return Err(Refusal::Invalid { reasons });
        }
        match service {
            Some(id) => {
                let known = self.service(id)?.intake.clone();
                self.set_intake(id, Intake { rules, ..known })
            }
            None => {
                self.emit_intake(Cause::Request, IntakeEvent::RulesSet { rules });
                Ok(())
            }
        }
    }

    /// Why a rule cannot send alerts where it says.
    fn misrouted(&self, place: &str, rule: &Rule, of: Option<ServiceId>) -> Vec<String> {
        let routes = rule.then.iter().filter_map(|action| match action {
            Action::Route { service } => Some(*service),
            Action::SetSeverity { .. }
            | Action::SetPriority { .. }
            | Action::Suppress
            | Action::Pause { .. }
            | Action::Drop
            | Action::Note { .. } => None,
        });
        routes
            .filter_map(|service| {
                if of.is_some() {
                    Some(format!(
                        "{place}.then: only rules of the installation send alerts to other services"
                    ))
                } else if self.state.services.contains_key(&service) {
                    None
                } else {
                    Some(format!("{place}.then: there is no service {service}"))
                }
            })
            .collect()
    }

    pub(super) fn window(&self, id: MaintenanceId) -> Result<&Window, Refusal> {
        let known = self.state.windows.get(&id);
        known.ok_or_else(|| Refusal::not_found(format!("maintenance window {id}")))
    }

    fn set_window(&mut self, ask: IntakeAsk) -> Result<(), Refusal> {
        let IntakeAsk::SetWindow {
            id,
            reason,
            mut services,
            mut targets,
            when,
            matchers,
        } = ask
        else {
            return Ok(());
        };
        self.team()?;
        let reason = seen_within("reason", &reason, 500)?;
        let mut silence = None;
        if let Some(id) = id {
            silence.clone_from(&self.window(id)?.silence);
        } else if self.state.windows.len() >= WINDOWS_MAX {
            return Err(Refusal::conflict(format!(
                "there are {WINDOWS_MAX} maintenance windows: remove those that are over first"
            )));
        }
        if let Some(matchers) = matchers {
            silence = labelled(silence, matchers, self.now);
        }
        services.sort();
        services.dedup();
        targets.sort();
        targets.dedup();
        let mut reasons = self.window_violations(&when);
        let count = services.len() + targets.len();
        if count == 0 && silence.is_none() {
            reasons.push("name services, targets or matchers".to_owned());
        } else if count > WINDOW_SUBJECTS_MAX {
            reasons.push(format!(
                "services and targets: at most {WINDOW_SUBJECTS_MAX} together"
            ));
        }
        let misfits = silence.iter().flat_map(Silence::violations);
        reasons.extend(misfits.map(|why| format!("matchers: {why}")));
        let unknown = services
            .iter()
            .filter(|id| !self.state.services.contains_key(id));
        reasons.extend(unknown.map(|id| format!("services: there is no service {id}")));
        let unknown = targets
            .iter()
            .filter(|id| !self.state.targets.contains_key(id));
        reasons.extend(unknown.map(|id| format!("targets: there is no target {id}")));
        if !reasons.is_empty() {
            return Err(Refusal::Invalid { reasons });
        }
        let id = id.unwrap_or_else(|| MaintenanceId::random(self.entropy));
        self.place_window(id, reason, (services, targets), when, silence);
        Ok(())
    }

    /// Puts a window in the place of the one of its id, if there is one. What it says about labels is of now.
    pub(super) fn place_window(
        &mut self,
        id: MaintenanceId,
        reason: String,
        (services, targets): (Vec<ServiceId>, Vec<TargetId>),
        when: When,
        silence: Option<Silence>,
    ) {
        let silence = silence.map(|silence| Silence {
            updated_at: self.now,
            ..silence
        });
        let made_by = match self.state.windows.get(&id) {
            Some(known) => known.made_by,
            None => self.actor.person(),
        };
        let window = Window {
            id,
            reason,
            services,
            targets,
            when,
            ended_at: None,
            silence,
            made_by,
        };
        self.change_window(id, IntakeEvent::WindowSet { window });
    }

    pub(super) fn window_violations(&self, when: &When) -> Vec<String> {
        match when {
            When::Repeating { work } => {
                let mut reasons = work.violations("repeat");
                if reasons.is_empty() && work.next(self.now).or(work.around(self.now)).is_none() {
                    reasons.push("repeat.until: nothing of it is left".to_owned());
                }
                reasons
            }
            When::Once { span } if span.until <= self.now || span.is_empty() => {
                vec!["until: must be later than the beginning and than now".to_owned()]
            }
            When::Once { span } if span.until.ms_since(span.from) > WINDOW_MS_MAX => {
                vec!["until: at most 90 days after the beginning".to_owned()]
            }
            When::Once { .. } => Vec::new(),
        }
    }

    /// Changes a window, and decides anew about whatever was or is concerned.
    pub(super) fn change_window(&mut self, id: MaintenanceId, event: IntakeEvent) {
        let before = self.state.windows.get(&id).cloned();
        let is_end = matches!(event, IntakeEvent::WindowEnded { .. });
        self.emit_intake(Cause::Request, event);
        if is_end && bugs::on(Bug::EndedWorkNotLookedAtAgain) {
            return;
        }
        let now = self.state.windows.get(&id).cloned();
        let is_about = |state: &State, incident: &Incident| {
            let mut windows = before.iter().chain(&now);
            windows.any(|window| state.concerns(window, incident))
        };
        self.decide_quiet_of(is_about);
    }
}

/// Work that goes on as what is left of it, or is called off where nothing is.
pub(super) fn going_on_as(window: MaintenanceId, left: Option<Window>) -> IntakeEvent {
    match left {
        Some(window) => IntakeEvent::WindowSet { window },
        None => IntakeEvent::WindowRemoved { window },
    }
}

/// What a window says about labels now, by whoever made it.
fn labelled(
    before: Option<Silence>,
    mut matchers: Vec<LabelMatcher>,
    now: Timestamp,
) -> Option<Silence> {
    if matchers.is_empty() {
        return None;
    }
    // As they are kept elsewhere, so that the same conditions in another order are the same.
    matchers.sort();
    Some(Silence {
        created_by: before.map(|known| known.created_by).unwrap_or_default(),
        matchers,
        updated_at: now,
    })
}
