//! The first administrator and what comes with them; and the stock monitors at every start.

use super::{Decider, name_within};
use crate::command::Refusal;
use crate::event::{Cause, EventBody, InstallationEvent, PeopleEvent, RosterEvent, WatchEvent};
use crate::id::{
    ContactMethodId, IntegrationId, MonitorId, PolicyId, ScheduleId, SecretId, ServiceId, TeamId,
    UserId,
};
use crate::intake::Intake;
use crate::monitor::Monitor;
use crate::numbers::Numbers;
use crate::oncall::{Layer, Schedule, Turn, TurnUnit};
use crate::pack;
use crate::page::{Level, Policy, Recipient};
use crate::people::{About, ChannelKind, ContactMethod, NotificationRule, Role, User};
use crate::service::{Integration, IntegrationKind, Service};
use crate::time::Timestamp;

/// Time for an acknowledgement before the next level, in the first policy.
const FIRST_LEVEL_DELAY_MS: u64 = 300_000;
const MS_PER_DAY: i64 = 86_400_000;

impl Decider<'_> {
    pub(super) fn set_up(
        &mut self,
        name: String,
        email: SecretId,
        time_zone: String,
        key_hash: String,
    ) -> Result<(), Refusal> {
        if self.state.installation.is_some() {
            return Err(Refusal::conflict(
                "this installation is set up already: sign in, or ask an administrator for a login",
            ));
        }
        let name = name_within("name", &name, 200)?;
        let team = TeamId::random(self.entropy);
        let user = self.first_user(team, name, email);
        let schedule = self.first_schedule(team, user.id, time_zone);
        let reasons = schedule.violations();
        if !reasons.is_empty() {
            return Err(Refusal::Invalid { reasons });
        }
        let policy = Policy {
            id: PolicyId::random(self.entropy),
            team,
            given_to: None,
            name: "First policy".to_owned(),
            levels: vec![Level::of(
                FIRST_LEVEL_DELAY_MS,
                vec![Recipient::Schedule(schedule.id)],
            )],
            repeat: 2,
            acknowledgement_timeout_ms: None,
            description: String::new(),
            level_numbers: Numbers::default(),
        };
        let service = Service {
            id: ServiceId::random(self.entropy),
            team,
            name: "First service".to_owned(),
            policy: None,
            intake: Intake::default(),
            description: String::new(),
            acknowledgement: None,
        };
        let integration = Integration {
            id: IntegrationId::random(self.entropy),
            service: service.id,
            name: "Events API v2".to_owned(),
            key_hash,
            key_row: None,
            vendor: None,
            kind: IntegrationKind::default(),
        };
        let installation = InstallationEvent::SetUp {
            team,
            default_policy: policy.id,
            default_service: service.id,
            fallback: vec![user.id],
        };
        self.emit(Cause::Request, EventBody::Installation(installation));
        self.emit(
            Cause::Request,
            EventBody::People(PeopleEvent::UserAdded { user }),
        );
        for event in [
            RosterEvent::ScheduleSet { schedule },
            RosterEvent::PolicySet { policy },
            RosterEvent::ServiceSet { service },
            RosterEvent::IntegrationAdded { integration },
        ] {
            self.emit(Cause::Request, EventBody::Roster(event));
        }
        self.install_pack()
    }

    /// One person at all times, from the midnight before on.
    fn first_schedule(&mut self, team: TeamId, user: UserId, time_zone: String) -> Schedule {
        let midnight =
            Timestamp::from_millis(self.now.as_millis().div_euclid(MS_PER_DAY) * MS_PER_DAY);
        let turn = Turn {
            every: 1,
            unit: TurnUnit::Weeks,
        };
        Schedule::of_layers(
            ScheduleId::random(self.entropy),
            team,
            "First schedule".to_owned(),
            time_zone,
            vec![Layer::rotation(midnight, turn, vec![user])],
        )
    }

    fn first_user(&mut self, team: TeamId, name: String, email: SecretId) -> User {
        let method = ContactMethod {
            id: ContactMethodId::random(self.entropy),
            kind: ChannelKind::Email,
            label: "E-mail".to_owned(),
            address: email,
            signing_key: None,
            pending_code: None,
            verified_at: Some(self.now),
            gone_at: None,
        };
        let rule = NotificationRule::at_once(self.entropy, method.id);
        User {
            id: UserId::random(self.entropy),
            team,
            name,
            role: Role::Admin,
            email,
            contact_methods: vec![method],
            rules: vec![rule],
            about: About::default(),
        }
    }

    /// Adds stock monitors that are not there and replaces those that an older binary brought; ids and switches stay.
    pub(super) fn install_pack(&mut self) -> Result<(), Refusal> {
        let Some(installation) = &self.state.installation else {
            return Err(Refusal::conflict("set Tocsin up first"));
        };
        let team = installation.team;
        for stock in pack::apache() {
            let known = self
                .state
                .monitors
                .values()
                .find(|monitor| monitor.slug == stock.slug)
                .cloned();
            let id = match &known {
                Some(monitor) => monitor.id,
                None => MonitorId::random(self.entropy),
            };
            let enabled = known.as_ref().is_none_or(|monitor| monitor.enabled);
            let monitor = Monitor {
                enabled,
                ..stock.with_id(id, team)
            };
            if known.as_ref() != Some(&monitor) {
                self.emit(
                    Cause::Request,
                    EventBody::Watch(WatchEvent::MonitorSet { monitor }),
                );
            }
        }
        Ok(())
    }
}
