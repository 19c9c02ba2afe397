//! Of a document that is to become true: what goes because the files hold all of its kind.

use super::of;
use crate::code::{Apply, Fault, Keys, Kind, Part};
use crate::command::{HeartbeatAsk, IntakeAsk, PeopleAsk, Refusal, RosterAsk, TeamAsk};
use crate::decide::Decider;

impl Decider<'_> {
    pub(super) fn apply_removals(&mut self, apply: &Apply) -> Result<(), Fault> {
        let keys = self.keys(apply);
        for part in &apply.removed {
            self.remove_part(part, &keys).map_err(of(part.clone()))?;
        }
        self.keep_keys(apply, &keys)
    }

    fn remove_part(&mut self, part: &Part, keys: &Keys) -> Result<(), Refusal> {
        let name = part.name.as_str();
        let missing = Refusal::not_found;
        match part.kind {
            Kind::Users => {
                let user = keys.users.id(name).map_err(missing)?;
                self.people(PeopleAsk::Remove { user })
            }
            Kind::Teams => self.teams(TeamAsk::Remove(keys.teams.id(name).map_err(missing)?)),
            Kind::Schedules => {
                let id = keys.schedules.id(name).map_err(missing)?;
                self.roster(RosterAsk::RemoveSchedule(id))
            }
            Kind::EscalationPolicies => {
                let id = keys.policies.id(name).map_err(missing)?;
                self.roster(RosterAsk::RemovePolicy(id))
            }
            Kind::Integrations => {
                let id = keys.integration(part).map_err(missing)?;
                self.roster(RosterAsk::RemoveIntegration(id))
            }
            Kind::AlertRules => self.intake(IntakeAsk::SetRules {
                service: None,
                rules: Vec::new(),
            }),
            Kind::Heartbeats => {
                let id = keys.heartbeats.id(name).map_err(missing)?;
                self.intake(IntakeAsk::Heartbeat(HeartbeatAsk::Remove(id)))
            }
            Kind::MaintenanceWindows => {
                let id = keys.windows.id(name).map_err(missing)?;
                self.intake(IntakeAsk::RemoveWindow(id))
            }
            Kind::Services => {
                let id = keys.services.id(name).map_err(missing)?;
                self.roster(RosterAsk::RemoveService(id))
            }
            Kind::Monitors | Kind::Installation => {
                Err(Refusal::conflict("it can never be removed by files"))
            }
        }
    }
}
