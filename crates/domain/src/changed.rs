//! What an event changed of what is set up, as far as it did: people, the roster, settings. What merely happens, as an alert, a call of
//! a job or a duty that passes on, changes nothing of it.

use crate::event::{
    BusinessEvent, EventBody, InstallationEvent, IntakeEvent, PeopleEvent, RosterEvent, TagEvent,
    WatchEvent,
};
use crate::id::{PolicyId, TeamId, UserId};
use crate::oncall_event::OncallEvent;
use crate::tag::Tagged;
use crate::webhook::WebhookEvent;

/// What kind of thing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangedKind {
    /// The installation itself: the list of last resort, priorities.
    Installation,
    /// A person.
    User,
    /// A team.
    Team,
    /// A schedule.
    Schedule,
    /// An escalation policy.
    Policy,
    /// A service.
    Service,
    /// An integration of a service.
    Integration,
    /// The rules about the alerts of every service.
    Rules,
    /// A maintenance window.
    Window,
    /// A job that must call in.
    Heartbeat,
    /// A subscription to what happens to incidents.
    Webhook,
    /// A tag, by its label.
    Tag,
    /// A business service.
    BusinessService,
    /// Which services need which.
    Dependencies,
    /// A calendar that is subscribed to.
    Calendar,
    /// A watched web server.
    Target,
    /// A monitor.
    Monitor,
}

/// What was done to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It was made.
    Created,
    /// It was made, or replaced: which of the two follows from what was there before.
    Set,
    /// It was changed.
    Updated,
    /// It was removed.
    Removed,
}

/// What an event changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed<'a> {
    /// What kind of thing.
    pub kind: ChangedKind,
    /// Which of its kind; empty where there is one alone.
    pub id: &'a str,
    /// What was done to it.
    pub deed: Deed,
    /// What it is called, where the event says it.
    pub name: Option<&'a str>,
}

impl<'a> Changed<'a> {
    const fn named(kind: ChangedKind, id: &'a str, deed: Deed, name: &'a str) -> Self {
        let name = Some(name);
        Self {
            kind,
            id,
            deed,
            name,
        }
    }

    const fn by_id(kind: ChangedKind, id: &'a str, deed: Deed) -> Self {
        let name = None;
        Self {
            kind,
            id,
            deed,
            name,
        }
    }

    const fn only(kind: ChangedKind, deed: Deed) -> Self {
        Self::by_id(kind, "", deed)
    }
}

impl EventBody {
    /// What this changed of what is set up; none where it changed nothing of it.
    #[must_use]
    pub fn changed(&self) -> Option<Changed<'_>> {
        match self {
            Self::Installation(event) => installation(event),
            Self::People(event) => Some(person(event)),
            Self::Roster(event) => roster(event),
            Self::Watch(event) => watch(event),
            Self::Alert(_) | Self::Incident(_) | Self::Notification(_) | Self::Input(_) => None,
        }
    }
}

const fn installation(event: &InstallationEvent) -> Option<Changed<'_>> {
    let kind = ChangedKind::Installation;
    match event {
        InstallationEvent::SetUp { .. } => Some(Changed::only(kind, Deed::Created)),
        InstallationEvent::FallbackSet { .. } | InstallationEvent::PrioritiesSet { .. } => {
            Some(Changed::only(kind, Deed::Updated))
        }
        InstallationEvent::ClockSetBack { .. } => None,
    }
}

fn user(id: &UserId, deed: Deed) -> Changed<'_> {
    Changed::by_id(ChangedKind::User, id.as_str(), deed)
}

fn person(event: &PeopleEvent) -> Changed<'_> {
    let kind = ChangedKind::User;
    match event {
        PeopleEvent::UserAdded { user } => {
            Changed::named(kind, user.id.as_str(), Deed::Created, &user.name)
        }
        PeopleEvent::UserChanged { user, name, .. } => {
            Changed::named(kind, user.as_str(), Deed::Updated, name)
        }
        PeopleEvent::UserRemoved { user: id } => user(id, Deed::Removed),
        PeopleEvent::ContactMethodAdded { user: id, .. }
        | PeopleEvent::ContactMethodVerified { user: id, .. }
        | PeopleEvent::ContactMethodRemoved { user: id, .. }
        | PeopleEvent::ContactMethodGone { user: id, .. }
        | PeopleEvent::ContactMethodRenamed { user: id, .. }
        | PeopleEvent::NotificationRulesSet { user: id, .. } => user(id, Deed::Updated),
    }
}

fn roster(event: &RosterEvent) -> Option<Changed<'_>> {
    use ChangedKind::{Integration, Policy, Schedule, Service, Team};
    Some(match event {
        RosterEvent::ScheduleSet { schedule } => {
            Changed::named(Schedule, schedule.id.as_str(), Deed::Set, &schedule.name)
        }
        RosterEvent::ScheduleRemoved { schedule } => {
            Changed::by_id(Schedule, schedule.as_str(), Deed::Removed)
        }
        RosterEvent::PolicySet { policy } => {
            Changed::named(Policy, policy.id.as_str(), Deed::Set, &policy.name)
        }
        RosterEvent::PolicyRemoved { policy } => policy_by(policy, Deed::Removed),
        RosterEvent::ServiceSet { service } => {
            Changed::named(Service, service.id.as_str(), Deed::Set, &service.name)
        }
        RosterEvent::ServiceRemoved { service } => {
            Changed::by_id(Service, service.as_str(), Deed::Removed)
        }
        RosterEvent::IntegrationAdded { integration } => {
            let (id, name) = (integration.id.as_str(), &integration.name);
            Changed::named(Integration, id, Deed::Created, name)
        }
        RosterEvent::IntegrationChanged { integration } => {
            let (id, name) = (integration.id.as_str(), &integration.name);
            Changed::named(Integration, id, Deed::Updated, name)
        }
        RosterEvent::IntegrationRemoved { integration } => {
            Changed::by_id(Integration, integration.as_str(), Deed::Removed)
        }
        RosterEvent::TeamSet { team } => {
            Changed::named(Team, team.id.as_str(), Deed::Set, &team.name)
        }
        RosterEvent::TeamRemoved { team } => team_by(team, Deed::Removed),
        RosterEvent::Oncall { what } => return oncall(what),
        RosterEvent::Intake(event) => return intake(event),
        RosterEvent::Webhook(event) => return webhook(event),
        RosterEvent::Tag(event) => tag(event),
        RosterEvent::Business(event) => business(event),
    })
}

fn policy_by(id: &PolicyId, deed: Deed) -> Changed<'_> {
    Changed::by_id(ChangedKind::Policy, id.as_str(), deed)
}

fn team_by(id: &TeamId, deed: Deed) -> Changed<'_> {
    Changed::by_id(ChangedKind::Team, id.as_str(), deed)
}

fn oncall(event: &OncallEvent) -> Option<Changed<'_>> {
    let calendar = ChangedKind::Calendar;
    match event {
        OncallEvent::ScheduleChanged { schedule, .. } => {
            let kind = ChangedKind::Schedule;
            Some(Changed::by_id(kind, schedule.as_str(), Deed::Updated))
        }
        OncallEvent::CalendarSet { calendar: one } => {
            Some(Changed::by_id(calendar, one.id.as_str(), Deed::Set))
        }
        OncallEvent::CalendarRevoked { calendar: id } => {
            Some(Changed::by_id(calendar, id.as_str(), Deed::Removed))
        }
        OncallEvent::NoticesSwitched { user: id, .. } => Some(user(id, Deed::Updated)),
        OncallEvent::DutySeen { .. }
        | OncallEvent::FindingAppeared { .. }
        | OncallEvent::FindingsRestated { .. }
        | OncallEvent::FindingEnded { .. }
        | OncallEvent::FindingsTold { .. }
        | OncallEvent::ChannelsSeen { .. } => None,
    }
}

fn intake(event: &IntakeEvent) -> Option<Changed<'_>> {
    use ChangedKind::{Heartbeat, Rules, Window};
    Some(match event {
        IntakeEvent::RulesSet { .. } => Changed::only(Rules, Deed::Updated),
        IntakeEvent::WindowSet { window } => {
            Changed::named(Window, window.id.as_str(), Deed::Set, &window.reason)
        }
        IntakeEvent::WindowEnded { window } => {
            Changed::by_id(Window, window.as_str(), Deed::Updated)
        }
        IntakeEvent::WindowRemoved { window } => {
            Changed::by_id(Window, window.as_str(), Deed::Removed)
        }
        IntakeEvent::HeartbeatSet { heartbeat } => {
            Changed::named(Heartbeat, heartbeat.id.as_str(), Deed::Set, &heartbeat.name)
        }
        IntakeEvent::HeartbeatRemoved { heartbeat } => {
            Changed::by_id(Heartbeat, heartbeat.as_str(), Deed::Removed)
        }
        IntakeEvent::HeartbeatCalled { .. }
        | IntakeEvent::HeartbeatStarted { .. }
        | IntakeEvent::HeartbeatFailed { .. }
        | IntakeEvent::HeartbeatsSpared { .. }
        | IntakeEvent::AlertsSpared { .. } => return None,
    })
}

fn webhook(event: &WebhookEvent) -> Option<Changed<'_>> {
    let kind = ChangedKind::Webhook;
    Some(match event {
        WebhookEvent::WebhookSet { webhook } => {
            Changed::named(kind, webhook.id.as_str(), Deed::Set, &webhook.description)
        }
        WebhookEvent::WebhookRemoved { webhook } => {
            Changed::by_id(kind, webhook.as_str(), Deed::Removed)
        }
        WebhookEvent::WebhookEnabled { webhook } => {
            Changed::by_id(kind, webhook.as_str(), Deed::Updated)
        }
        WebhookEvent::WebhookDisabled { .. }
        | WebhookEvent::WebhookUnanswered { .. }
        | WebhookEvent::WebhookAnswered { .. }
        | WebhookEvent::WebhookPinged { .. } => return None,
    })
}

fn tag(event: &TagEvent) -> Changed<'_> {
    let kind = ChangedKind::Tag;
    match event {
        TagEvent::Added { label } => Changed::named(kind, label, Deed::Created, label),
        TagEvent::Removed { label } => Changed::named(kind, label, Deed::Removed, label),
        TagEvent::Changed { on, .. } => match on {
            Tagged::User(id) => user(id, Deed::Updated),
            Tagged::Team(id) => team_by(id, Deed::Updated),
            Tagged::Policy(id) => policy_by(id, Deed::Updated),
        },
    }
}

fn business(event: &BusinessEvent) -> Changed<'_> {
    let kind = ChangedKind::BusinessService;
    match event {
        BusinessEvent::ServiceSet { service } => {
            Changed::named(kind, service.id.as_str(), Deed::Set, &service.name)
        }
        BusinessEvent::ServiceRemoved { service } => {
            Changed::by_id(kind, service.as_str(), Deed::Removed)
        }
        BusinessEvent::Associated { .. } | BusinessEvent::Disassociated { .. } => {
            Changed::only(ChangedKind::Dependencies, Deed::Updated)
        }
    }
}

fn watch(event: &WatchEvent) -> Option<Changed<'_>> {
    use ChangedKind::{Monitor, Target};
    Some(match event {
        WatchEvent::TargetFound { target } => {
            let name = &target.identity.name;
            Changed::named(Target, target.id.as_str(), Deed::Created, name)
        }
        // How a server was found is seen again and again, and done by nobody.
        WatchEvent::TargetChanged { .. } => return None,
        WatchEvent::TargetRemoved { target } => {
            Changed::by_id(Target, target.as_str(), Deed::Removed)
        }
        WatchEvent::TargetMuted { target, .. }
        | WatchEvent::TargetUnmuted { target }
        | WatchEvent::MaintenancePlanned { target, .. }
        | WatchEvent::MaintenanceCancelled { target, .. } => {
            Changed::by_id(Target, target.as_str(), Deed::Updated)
        }
        WatchEvent::MonitorSet { monitor } => {
            Changed::named(Monitor, monitor.id.as_str(), Deed::Set, &monitor.name)
        }
        WatchEvent::MonitorSwitched { monitor, .. } => {
            Changed::by_id(Monitor, monitor.as_str(), Deed::Updated)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(body: &EventBody) -> Option<(ChangedKind, &str, Deed, Option<&str>)> {
        let one = body.changed()?;
        Some((one.kind, one.id, one.deed, one.name))
    }

    #[test]
    fn a_change_names_what_it_is_of_and_what_merely_happens_is_none() {
        let bob: UserId = "QBBBBBBBBBBBBB".parse().unwrap();
        let removed = EventBody::People(PeopleEvent::UserRemoved { user: bob });
        let of_bob = (ChangedKind::User, "QBBBBBBBBBBBBB", Deed::Removed, None);
        assert_eq!(changed(&removed), Some(of_bob));
        let tagged = EventBody::Roster(RosterEvent::Tag(TagEvent::Changed {
            on: Tagged::User(bob),
            add: vec!["West".to_owned()],
            remove: Vec::new(),
        }));
        let of_bob = (ChangedKind::User, "QBBBBBBBBBBBBB", Deed::Updated, None);
        assert_eq!(changed(&tagged), Some(of_bob));
        let label = "West".to_owned();
        let added = EventBody::Roster(RosterEvent::Tag(TagEvent::Added { label }));
        let west = (ChangedKind::Tag, "West", Deed::Created, Some("West"));
        assert_eq!(changed(&added), Some(west));
        let names = Vec::new();
        let priorities = EventBody::Installation(InstallationEvent::PrioritiesSet { names });
        let only = (ChangedKind::Installation, "", Deed::Updated, None);
        assert_eq!(changed(&priorities), Some(only));
        let heartbeat = "QAAAAAAAAAAAAA".parse().unwrap();
        let called = IntakeEvent::HeartbeatCalled { heartbeat };
        assert_eq!(
            changed(&EventBody::Roster(RosterEvent::Intake(called))),
            None
        );
    }
}
