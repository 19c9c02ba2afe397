//! Since which event each thing has its name: of several with one name, who had it first keeps it to themselves in files.

use std::collections::BTreeMap;

use super::State;
use crate::event::{IntakeEvent, RosterEvent};
use crate::id::{HeartbeatId, MaintenanceId, PolicyId, ScheduleId, ServiceId, TeamId};

/// What stands in files by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Named {
    /// A team.
    Team(TeamId),
    /// A schedule.
    Schedule(ScheduleId),
    /// An escalation policy.
    Policy(PolicyId),
    /// A service.
    Service(ServiceId),
    /// A job that must call in.
    Heartbeat(HeartbeatId),
    /// Planned work, by what is done.
    Window(MaintenanceId),
}

/// Positions of the events by which things got the names that they have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct NamedSince(BTreeMap<Named, u64>);

impl State {
    /// The position of the event by which it got the name that it has; 0 for the first team as long as it is called as at first: set-up
    /// makes it without an event of its own.
    pub(crate) fn named_since(&self, thing: Named) -> u64 {
        self.named_since.0.get(&thing).copied().unwrap_or_default()
    }

    /// Notes what has another name by this event, before it is folded in.
    pub(super) fn note_name(&mut self, event: &RosterEvent, position: u64) {
        let (thing, is_same) = match event {
            RosterEvent::TeamSet { team } => {
                let known = self.teams.get(&team.id);
                let is_same = known.is_some_and(|known| known.name == team.name);
                (Named::Team(team.id), is_same)
            }
            RosterEvent::ScheduleSet { schedule } => {
                let known = self.schedules.get(&schedule.id);
                let is_same = known.is_some_and(|known| known.name == schedule.name);
                (Named::Schedule(schedule.id), is_same)
            }
            RosterEvent::PolicySet { policy } => {
                let known = self.policies.get(&policy.id);
                let is_same = known.is_some_and(|known| known.name == policy.name);
                (Named::Policy(policy.id), is_same)
            }
            RosterEvent::ServiceSet { service } => {
                let known = self.services.get(&service.id);
                let is_same = known.is_some_and(|known| known.name == service.name);
                (Named::Service(service.id), is_same)
            }
            RosterEvent::Intake(IntakeEvent::HeartbeatSet { heartbeat }) => {
                let known = self.pulses.get(&heartbeat.id);
                let is_same = known.is_some_and(|known| known.heartbeat.name == heartbeat.name);
                (Named::Heartbeat(heartbeat.id), is_same)
            }
            RosterEvent::Intake(IntakeEvent::WindowSet { window }) => {
                let known = self.windows.get(&window.id);
                let is_same = known.is_some_and(|known| known.reason == window.reason);
                (Named::Window(window.id), is_same)
            }
            RosterEvent::TeamRemoved { team } => return self.forget_name(Named::Team(*team)),
            RosterEvent::ScheduleRemoved { schedule } => {
                return self.forget_name(Named::Schedule(*schedule));
            }
            RosterEvent::PolicyRemoved { policy } => {
                return self.forget_name(Named::Policy(*policy));
            }
            RosterEvent::ServiceRemoved { service } => {
                return self.forget_name(Named::Service(*service));
            }
            RosterEvent::Intake(IntakeEvent::HeartbeatRemoved { heartbeat }) => {
                return self.forget_name(Named::Heartbeat(*heartbeat));
            }
            RosterEvent::Intake(IntakeEvent::WindowRemoved { window }) => {
                return self.forget_name(Named::Window(*window));
            }
            RosterEvent::Intake(
                IntakeEvent::RulesSet { .. }
                | IntakeEvent::WindowEnded { .. }
                | IntakeEvent::HeartbeatCalled { .. }
                | IntakeEvent::HeartbeatStarted { .. }
                | IntakeEvent::HeartbeatFailed { .. }
                | IntakeEvent::HeartbeatsSpared { .. }
                | IntakeEvent::AlertsSpared { .. },
            )
            | RosterEvent::Oncall { .. }
            | RosterEvent::IntegrationAdded { .. }
            | RosterEvent::IntegrationChanged { .. }
            | RosterEvent::IntegrationRemoved { .. }
            | RosterEvent::Webhook(_)
            | RosterEvent::Tag(_)
            | RosterEvent::Business(_) => return,
        };
        if !is_same {
            self.named_since.0.insert(thing, position);
        }
    }

    pub(super) fn forget_name(&mut self, thing: Named) {
        self.named_since.0.remove(&thing);
    }
}
