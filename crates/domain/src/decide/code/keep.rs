//! Of a document that is to become true: what stays keeps the key that it has in files, when others of its name go.

use super::of;
use crate::code::{Apply, Fault, Keys, Kind, Names, Part};
use crate::command::{HeartbeatAsk, IntakeAsk, RosterAsk, TeamAsk};
use crate::decide::Decider;
use crate::event::IntakeEvent;
use crate::intake::{Intake, Window};
use crate::oncall::WholeSchedule;
use crate::page::WholePolicy;
use crate::service::{Service, WholeService};
use crate::team::WholeTeam;

impl Decider<'_> {
    /// Of several things with one name, files name all but the first with a number behind it. Once one of them has gone, the others
    /// would be counted anew and the same files would mean others: whatever would have another key is named by the one that it had.
    pub(super) fn keep_keys(&mut self, apply: &Apply, before: &Keys) -> Result<(), Fault> {
        if apply.removed.is_empty() {
            return Ok(());
        }
        let after = self.keys(apply);
        for (name, id) in moved(&before.teams, &after.teams) {
            let part = Part::new(Kind::Teams, &name);
            let wanted = WholeTeam {
                id: Some(id),
                name,
                members: None,
                description: None,
            };
            let ask = TeamAsk::SetWhole(Box::new(wanted));
            self.teams(ask).map_err(of(part))?;
        }
        self.keep_keys_of_duty(before, &after)?;
        self.keep_keys_of_services(before, &after)?;
        for (reason, id) in moved(&before.windows, &after.windows) {
            let Some(known) = self.state.windows.get(&id).cloned() else {
                continue;
            };
            // What was ended early of it stays so.
            let window = Window { reason, ..known };
            self.change_window(id, IntakeEvent::WindowSet { window });
        }
        Ok(())
    }

    fn keep_keys_of_duty(&mut self, before: &Keys, after: &Keys) -> Result<(), Fault> {
        for (name, id) in moved(&before.schedules, &after.schedules) {
            let Some(known) = self.state.schedules.get(&id).cloned() else {
                continue;
            };
            let part = Part::new(Kind::Schedules, &name);
            let wanted = WholeSchedule {
                id: Some(id),
                name,
                time_zone: known.time_zone,
                layers: known.layers,
                description: None,
                layer_names: None,
            };
            let ask = RosterAsk::SetWholeSchedule(Box::new(wanted));
            self.roster(ask).map_err(of(part))?;
        }
        for (name, id) in moved(&before.policies, &after.policies) {
            let Some(known) = self.state.policies.get(&id).cloned() else {
                continue;
            };
            let part = Part::new(Kind::EscalationPolicies, &name);
            let wanted = WholePolicy {
                id: Some(id),
                name,
                levels: known.levels,
                repeat: known.repeat,
                acknowledgement_timeout_ms: known.acknowledgement_timeout_ms,
                description: None,
            };
            let ask = RosterAsk::SetWholePolicy(Box::new(wanted));
            self.roster(ask).map_err(of(part))?;
        }
        Ok(())
    }

    fn keep_keys_of_services(&mut self, before: &Keys, after: &Keys) -> Result<(), Fault> {
        for (name, id) in moved(&before.services, &after.services) {
            let Some(known) = self.state.services.get(&id).cloned() else {
                continue;
            };
            let part = Part::new(Kind::Services, &name);
            let ask = RosterAsk::SetWholeService(Box::new(named(known, name)));
            self.roster(ask).map_err(of(part))?;
        }
        for (name, id) in moved(&before.heartbeats, &after.heartbeats) {
            let known = self.state.pulses.get(&id);
            let Some(known) = known.map(|pulse| pulse.heartbeat.clone()) else {
                continue;
            };
            let part = Part::new(Kind::Heartbeats, &name);
            let ask = HeartbeatAsk::Set {
                id: Some(id),
                name,
                service: Some(known.service),
                every_ms: known.every_ms,
                grace_ms: known.grace_ms,
                severity: known.severity,
                token_hash: None,
            };
            self.intake(IntakeAsk::Heartbeat(ask)).map_err(of(part))?;
        }
        Ok(())
    }
}

/// A service under another name.
fn named(known: Service, name: String) -> WholeService {
    let Service {
        id,
        team: _,
        name: _,
        policy,
        intake,
        description,
        acknowledgement,
    } = known;
    let Intake {
        urgency,
        grouping,
        resolve_after_ms,
        // They stay.
        rules: _,
    } = intake;
    WholeService {
        id: Some(id),
        name,
        policy,
        description,
        acknowledgement,
        urgency,
        grouping,
        resolve_after_ms,
    }
}

/// What is there still and has another key than before, with the one that it had.
fn moved<I: Ord + Copy>(before: &Names<I>, after: &Names<I>) -> Vec<(String, I)> {
    let all = after.all().map(|(now, id)| (now, before.name(id), id));
    all.filter(|(now, was, _)| !was.is_empty() && now != was)
        .map(|(_, was, id)| (was, id))
        .collect()
}
