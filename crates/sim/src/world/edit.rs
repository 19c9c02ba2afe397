//! Somebody changes people, contact methods, schedules, policies, services, targets and monitors, in the middle of everything.

use tocsin_domain::command::{Ask, PeopleAsk, RosterAsk, WatchAsk};
use tocsin_domain::event::{Event, EventBody, PeopleEvent, RosterEvent, WatchEvent};
use tocsin_domain::id::{ContactMethodId, PolicyId, ScheduleId, TargetId, UserId};
use tocsin_domain::oncall::{
    Layer, Restriction, Span, TimeOfDay, Turn, TurnUnit, WeekTime, Weekday,
};
use tocsin_domain::oncall_command::{ChangeAsk, OncallAsk};
use tocsin_domain::page::{Level, Recipient};
use tocsin_domain::people::{Role, Urgency};
use tocsin_domain::time::Timestamp;

use super::agenda::Happening;
use super::stage::{ZONES, identity};
use super::{DAY, HOUR, Heard, MINUTE, Ticket, World};
use crate::oncall::next_hand_off;
use crate::providers::CHANNELS;
use crate::tally::Fault;

const PEOPLE_MAX: usize = 8;
const METHODS_MAX: usize = 4;
const LISTS_MAX: usize = 5;
const HALF_HOUR: i64 = 30 * MINUTE;

impl World {
    /// One change, and the next one some hours later.
    pub(super) fn edit(&mut self) {
        if !self.is_rough {
            return;
        }
        let made = match self.random.below(15) {
            0 => self.add_person(),
            1 => self.remove_person(),
            2 => self.add_method(),
            3 => self.remove_method(),
            4 => self.set_rules(),
            5 | 6 => Some(self.change_schedule()),
            7 | 8 => Some(self.change_policy()),
            9 => self.change_service(),
            10 => Some(self.change_fallback()),
            11 => self.change_quiet(),
            12 => self.plan_maintenance(),
            13 => self.override_schedule(),
            _ => self.change_watch(),
        };
        if let Some((ask, fault)) = made {
            self.ask(ask, Ticket::Editor(Some(fault)));
        }
        self.some_time_after(2 * HOUR, Happening::Edit);
    }

    pub(super) fn editor_heard(&mut self, fault: Option<Fault>, heard: &Heard) {
        let Heard::Done(events) = heard else {
            return;
        };
        if let (Some(fault), false) = (fault, events.is_empty()) {
            self.tally.note(fault);
        }
        for event in events {
            self.follow_up(event);
        }
    }

    /// Whoever was added proves to be there; whatever was switched on or found again is asked anew.
    fn follow_up(&mut self, event: &Event) {
        if let EventBody::People(PeopleEvent::UserAdded { user }) = &event.body {
            for method in &user.contact_methods {
                let (user, method) = (user.id, method.id);
                self.some_time_after(4 * HOUR, Happening::Verifies { user, method });
            }
        } else if let EventBody::People(PeopleEvent::ContactMethodAdded { user, method }) =
            &event.body
        {
            let (user, method) = (*user, method.id);
            self.some_time_after(4 * HOUR, Happening::Verifies { user, method });
        } else if let EventBody::Watch(WatchEvent::MonitorSwitched { monitor, enabled }) =
            &event.body
        {
            let slug = self
                .ledger
                .monitors
                .get(monitor)
                .map(|one| one.slug.clone());
            if *enabled {
                self.forget_told(slug.as_deref(), None);
            }
        } else if let EventBody::Watch(WatchEvent::TargetFound { target }) = &event.body {
            let host = target.identity.name.clone();
            self.forget_told(None, Some(&host));
        } else if let EventBody::Roster(RosterEvent::ServiceSet { service }) = &event.body {
            self.give_a_key(service.id);
        } else if let EventBody::Roster(RosterEvent::Oncall { what }) = &event.body {
            self.answer_offer(what);
        }
    }

    pub(super) fn verifies(&mut self, user: UserId, method: ContactMethodId) {
        // Some never do.
        if !self.random.chance(150) {
            let ask = PeopleAsk::VerifyContactMethod { user, method };
            self.ask(Ask::People(ask), Ticket::Editor(None));
        }
    }

    pub(super) fn host_returns(&mut self, host: &str) {
        let ask = Ask::Watch(WatchAsk::Seen(identity(host)));
        self.ask(ask, Ticket::Editor(None));
        // A command that was lost is said again; one that was kept changes nothing.
        if self.is_rough {
            self.some_time_after(DAY, Happening::Returns(host.to_owned()));
        }
    }

    fn somebody(&mut self) -> Option<UserId> {
        let all: Vec<UserId> = self.ledger.people.keys().copied().collect();
        self.random.pick(&all).copied()
    }

    fn some_people(&mut self, at_most: i64) -> Vec<UserId> {
        let count = self.random.between(1, at_most + 1);
        let mut chosen: Vec<UserId> = (0..count).filter_map(|_| self.somebody()).collect();
        chosen.sort();
        chosen.dedup();
        chosen
    }

    pub(super) fn add_person(&mut self) -> Option<(Ask, Fault)> {
        if self.ledger.people.len() >= PEOPLE_MAX {
            return None;
        }
        let (email, pending_code) = (self.secret(), self.secret());
        let role =
            self.random
                .one_of([Role::Responder, Role::Responder, Role::Admin, Role::Viewer]);
        let ask = PeopleAsk::Add {
            name: format!("Newcomer {}", self.ledger.position),
            email,
            pending_code,
            role,
            about: None,
        };
        Some((Ask::People(ask), Fault::UserAdded))
    }

    fn remove_person(&mut self) -> Option<(Ask, Fault)> {
        let user = self.somebody().filter(|user| Some(*user) != self.root)?;
        Some((Ask::People(PeopleAsk::Remove { user }), Fault::UserRemoved))
    }

    fn add_method(&mut self) -> Option<(Ask, Fault)> {
        let user = self.somebody()?;
        if self.ledger.people.get(&user)?.methods.len() >= METHODS_MAX {
            return None;
        }
        let (address, pending_code) = (self.secret(), self.secret());
        let ask = PeopleAsk::AddContactMethod {
            user,
            kind: self.random.one_of(CHANNELS),
            label: "another".to_owned(),
            address,
            signing_key: None,
            pending_code,
        };
        Some((Ask::People(ask), Fault::MethodAdded))
    }

    fn method_of(&mut self, user: UserId) -> Option<ContactMethodId> {
        let methods: Vec<_> = self
            .ledger
            .people
            .get(&user)?
            .methods
            .keys()
            .copied()
            .collect();
        self.random.pick(&methods).copied()
    }

    fn remove_method(&mut self) -> Option<(Ask, Fault)> {
        let user = self.somebody()?;
        let method = self.method_of(user)?;
        let others = self.ledger.people.get(&user)?.methods.iter();
        let mut others = others.filter(|(id, _)| **id != method);
        if Some(user) == self.root && !others.any(|(_, one)| one.is_verified) {
            return None;
        }
        let ask = PeopleAsk::RemoveContactMethod { user, method };
        Some((Ask::People(ask), Fault::MethodRemoved))
    }

    fn set_rules(&mut self) -> Option<(Ask, Fault)> {
        let user = self.somebody()?;
        let mut rules = Vec::new();
        for _ in 0..self.random.below(4) {
            let method = self.method_of(user)?;
            let delay = self.random.one_of([0, 0, 30_000, 120_000, 600_000]);
            let urgency = self
                .random
                .one_of([Urgency::High, Urgency::High, Urgency::Low]);
            rules.push((urgency, delay, method));
        }
        let ask = PeopleAsk::SetRules { user, rules };
        Some((Ask::People(ask), Fault::RulesChanged))
    }

    fn change_schedule(&mut self) -> (Ask, Fault) {
        let known: Vec<ScheduleId> = self.ledger.schedules.keys().copied().collect();
        let is_new = known.len() < LISTS_MAX && self.random.chance(200);
        let id = self.random.pick(&known).copied().filter(|_| !is_new);
        (Ask::Roster(self.some_schedule(id)), Fault::ScheduleChanged)
    }

    pub(super) fn some_schedule(&mut self, id: Option<ScheduleId>) -> RosterAsk {
        let count = self.random.one_of([1, 1, 1, 2]);
        let layers = (0..count).map(|_| self.some_layer()).collect();
        RosterAsk::SetSchedule {
            id,
            name: format!("Schedule {}", self.ledger.schedules.len()),
            time_zone: self.random.one_of(ZONES).to_owned(),
            layers,
        }
    }

    fn some_layer(&mut self) -> Layer {
        let now = self.wall().as_micros();
        let start = (now - self.random.between(0, 3 * DAY)).div_euclid(HALF_HOUR) * HALF_HOUR;
        let (every, unit) = self.random.one_of([
            (1, TurnUnit::Days),
            (1, TurnUnit::Days),
            (7, TurnUnit::Hours),
            (12, TurnUnit::Hours),
            (1, TurnUnit::Weeks),
        ]);
        let mut members = self.some_people(3);
        if self.random.chance(60) {
            members.clear();
        }
        let turn = Turn { every, unit };
        let mut layer = Layer::rotation(Timestamp::from_micros(start), turn, members);
        if self.random.chance(200) {
            layer.restrictions = self.some_restriction().into_iter().collect();
        }
        if self.random.chance(80) {
            let ends = now + self.random.between(HOUR, 5 * DAY);
            layer.until = Some(Timestamp::from_micros(ends));
        }
        layer
    }

    /// Somebody takes over for some hours, or fixed shifts do, beginning soon or exactly when a shift does.
    fn override_schedule(&mut self) -> Option<(Ask, Fault)> {
        if self.random.chance(450)
            && let Some(made) = self.swap_shifts()
        {
            return Some(made);
        }
        let known: Vec<ScheduleId> = self.ledger.schedules.keys().copied().collect();
        let schedule = self.random.pick(&known).copied()?;
        let now = self.wall();
        let next = next_hand_off(self.ledger.schedules.get(&schedule)?, now);
        let next = next.filter(|_| self.random.chance(500));
        let soon = now.as_micros() + self.random.between(MINUTE, 6 * HOUR);
        let from = next.unwrap_or(Timestamp::from_micros(soon));
        let lasts = self.random.between(HOUR, 30 * HOUR);
        let span = Span::new(from, Timestamp::from_micros(from.as_micros() + lasts));
        let ask = if self.random.chance(700) {
            let user = self.somebody()?;
            ChangeAsk::AddOverride { user, span }
        } else {
            let members = self.some_people(2);
            let turn = Some(Turn {
                every: 4,
                unit: TurnUnit::Hours,
            });
            let turn = turn.filter(|_| self.random.chance(500));
            ChangeAsk::AddTemporary {
                span,
                members,
                turn,
            }
        };
        let ask = RosterAsk::Oncall(OncallAsk::Change { schedule, ask });
        Some((Ask::Roster(ask), Fault::ScheduleOverridden))
    }

    fn some_restriction(&mut self) -> Option<Restriction> {
        let mut time = || {
            let hour = u32::try_from(self.random.below(24)).unwrap_or(0);
            TimeOfDay::at(hour, self.random.one_of([0, 30]))
        };
        let (from, until) = (time()?, time()?);
        if from == until {
            return None;
        }
        Some(if self.random.chance(500) {
            Restriction::Daily { from, until }
        } else {
            Restriction::Weekly {
                from: WeekTime {
                    weekday: Weekday::Monday,
                    time: from,
                },
                until: WeekTime {
                    weekday: Weekday::Saturday,
                    time: until,
                },
            }
        })
    }

    fn change_policy(&mut self) -> (Ask, Fault) {
        let known: Vec<PolicyId> = self.ledger.policies.keys().copied().collect();
        let is_new = known.len() < LISTS_MAX && self.random.chance(200);
        let id = self.random.pick(&known).copied().filter(|_| !is_new);
        (Ask::Roster(self.some_policy(id)), Fault::PolicyChanged)
    }

    pub(super) fn some_policy(&mut self, id: Option<PolicyId>) -> RosterAsk {
        let schedules: Vec<ScheduleId> = self.ledger.schedules.keys().copied().collect();
        let mut levels = Vec::new();
        for _ in 0..self.random.between(1, 4) {
            let round_robin = self.random.chance(300);
            let mut targets = Vec::new();
            let most = if round_robin { 5 } else { 3 };
            for _ in 0..self.random.between(1, most) {
                let team = self.ledger.teams.keys().next().copied();
                if let Some(team) = team.filter(|_| self.random.chance(50)) {
                    targets.push(Recipient::Team(team));
                }
                let schedule = self.random.pick(&schedules).copied();
                match schedule.filter(|_| self.random.chance(600)) {
                    Some(schedule) => targets.push(Recipient::Schedule(schedule)),
                    None => targets.extend(self.somebody().map(Recipient::User)),
                }
            }
            let delay_ms = self.random.one_of([30_000, 120_000, 300_000, 900_000]);
            levels.push(Level {
                round_robin,
                each_must_acknowledge: self.random.chance(100),
                ..Level::of(delay_ms, targets)
            });
        }
        RosterAsk::SetPolicy {
            id,
            name: format!("Policy {}", self.ledger.policies.len()),
            levels,
            repeat: self.random.one_of([0, 0, 1, 2]),
            acknowledgement_timeout_ms: self.random.one_of([
                None,
                None,
                Some(240_000),
                Some(600_000),
            ]),
        }
    }

    fn change_service(&mut self) -> Option<(Ask, Fault)> {
        let services: Vec<_> = self.ledger.services.keys().copied().collect();
        let policies: Vec<PolicyId> = self.ledger.policies.keys().copied().collect();
        let id = self.random.pick(&services).copied()?;
        let ask = RosterAsk::SetService {
            id: Some(id),
            name: "Service".to_owned(),
            policy: self
                .random
                .pick(&policies)
                .copied()
                .filter(|_| self.random.chance(800)),
        };
        Some((Ask::Roster(ask), Fault::ServiceChanged))
    }

    fn change_fallback(&mut self) -> (Ask, Fault) {
        let users = self.some_people(3);
        let ask = PeopleAsk::SetFallback { users };
        (Ask::People(ask), Fault::FallbackChanged)
    }

    fn some_target(&mut self) -> Option<TargetId> {
        let targets: Vec<TargetId> = self.ledger.targets.keys().copied().collect();
        self.random.pick(&targets).copied()
    }

    fn change_quiet(&mut self) -> Option<(Ask, Fault)> {
        let target = self.some_target()?;
        let is_muted = self.ledger.targets.get(&target)?.muted_until.is_some();
        let ask = if is_muted && self.random.chance(600) {
            WatchAsk::Unmute(target)
        } else {
            let lasts = self.random.between(MINUTE, 6 * HOUR);
            let until = Timestamp::from_micros(self.wall().as_micros() + lasts);
            let reason = "known".to_owned();
            WatchAsk::Mute {
                target,
                until,
                reason,
            }
        };
        Some((Ask::Watch(ask), Fault::Muted))
    }

    fn plan_maintenance(&mut self) -> Option<(Ask, Fault)> {
        let target = self.some_target()?;
        let now = self.wall().as_micros();
        let known: Vec<_> = self
            .ledger
            .targets
            .get(&target)?
            .maintenance
            .iter()
            .collect();
        let last = known
            .last()
            .map(|(id, (_, until))| (**id, until.as_micros() > now));
        let ask = match last {
            Some((window, true)) if self.random.chance(500) => {
                WatchAsk::CancelMaintenance { target, window }
            }
            Some(_) | None => {
                let from = now + self.random.between(-HOUR, 4 * HOUR);
                let until = from.max(now) + self.random.between(MINUTE, 4 * HOUR);
                WatchAsk::PlanMaintenance {
                    target,
                    from: Timestamp::from_micros(from),
                    until: Timestamp::from_micros(until),
                    reason: "upgrade".to_owned(),
                }
            }
        };
        Some((Ask::Watch(ask), Fault::Maintenance))
    }

    /// A monitor is switched, or a target is no longer watched until it is found again.
    fn change_watch(&mut self) -> Option<(Ask, Fault)> {
        if self.random.chance(350) {
            let target = self.some_target()?;
            let host = self.ledger.targets.get(&target)?.host.clone();
            self.some_time_after(2 * HOUR, Happening::Returns(host));
            return Some((Ask::Watch(WatchAsk::Remove(target)), Fault::TargetRemoved));
        }
        let monitors: Vec<_> = self.ledger.monitors.iter().collect();
        let (monitor, known) = self.random.pick(&monitors).copied()?;
        let ask = WatchAsk::SwitchMonitor {
            monitor: *monitor,
            enabled: !known.enabled,
        };
        Some((Ask::Watch(ask), Fault::MonitorSwitched))
    }
}
