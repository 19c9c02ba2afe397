//! Since which event each thing has its name: of several with one name, who had it first keeps it to themselves in files.

use std::collections::BTreeMap;

use super::State;
use crate::event::{IntakeEvent, RosterEvent};
use crate::id::{
    HeartbeatId, IntegrationId, MaintenanceId, PolicyId, ScheduleId, ServiceId, TeamId,
};

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
    /// An integration, among those of its service.
    Integration(IntegrationId),
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
        match naming(event) {
            Naming::Set(thing, name) => {
                if self.present_name(thing) != Some(name) {
                    self.named_since.0.insert(thing, position);
                }
            }
            Naming::Removed(thing) => self.forget_name(thing),
            Naming::Other => {}
        }
    }

    pub(super) fn forget_name(&mut self, thing: Named) {
        self.named_since.0.remove(&thing);
    }

    fn present_name(&self, thing: Named) -> Option<&str> {
        match thing {
            Named::Team(id) => self.teams.get(&id).map(|one| &*one.name),
            Named::Schedule(id) => self.schedules.get(&id).map(|one| &*one.name),
            Named::Policy(id) => self.policies.get(&id).map(|one| &*one.name),
            Named::Service(id) => self.services.get(&id).map(|one| &*one.name),
            Named::Integration(id) => self.integrations.get(&id).map(|one| &*one.name),
            Named::Heartbeat(id) => self.pulses.get(&id).map(|one| &*one.heartbeat.name),
            Named::Window(id) => self.windows.get(&id).map(|one| &*one.reason),
        }
    }
}

/// What an event does to a name.
enum Naming<'a> {
    /// This thing has this name by it, as before or from now on.
    Set(Named, &'a str),
    /// This thing is gone by it.
    Removed(Named),
    /// It is about no name.
    Other,
}

fn naming(event: &RosterEvent) -> Naming<'_> {
    match event {
        RosterEvent::TeamSet { team } => Naming::Set(Named::Team(team.id), &team.name),
        RosterEvent::TeamRemoved { team } => Naming::Removed(Named::Team(*team)),
        RosterEvent::ScheduleSet { schedule } => {
            Naming::Set(Named::Schedule(schedule.id), &schedule.name)
        }
        RosterEvent::ScheduleRemoved { schedule } => Naming::Removed(Named::Schedule(*schedule)),
        RosterEvent::PolicySet { policy } => Naming::Set(Named::Policy(policy.id), &policy.name),
        RosterEvent::PolicyRemoved { policy } => Naming::Removed(Named::Policy(*policy)),
        RosterEvent::ServiceSet { service } => {
            Naming::Set(Named::Service(service.id), &service.name)
        }
        RosterEvent::ServiceRemoved { service } => Naming::Removed(Named::Service(*service)),
        RosterEvent::IntegrationAdded { integration }
        | RosterEvent::IntegrationChanged { integration } => {
            Naming::Set(Named::Integration(integration.id), &integration.name)
        }
        RosterEvent::IntegrationRemoved { integration } => {
            Naming::Removed(Named::Integration(*integration))
        }
        RosterEvent::Intake(IntakeEvent::HeartbeatSet { heartbeat }) => {
            Naming::Set(Named::Heartbeat(heartbeat.id), &heartbeat.name)
        }
        RosterEvent::Intake(IntakeEvent::HeartbeatRemoved { heartbeat }) => {
            Naming::Removed(Named::Heartbeat(*heartbeat))
        }
        RosterEvent::Intake(IntakeEvent::WindowSet { window }) => {
            Naming::Set(Named::Window(window.id), &window.reason)
        }
        RosterEvent::Intake(IntakeEvent::WindowRemoved { window }) => {
            Naming::Removed(Named::Window(*window))
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
        | RosterEvent::Webhook(_)
        | RosterEvent::Tag(_)
        | RosterEvent::Business(_) => Naming::Other,
    }
}
