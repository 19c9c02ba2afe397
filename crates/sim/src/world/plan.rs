//! Somebody changes what becomes of alerts: rules, grouping and urgency of services, planned work, silences, jobs that must call in.

use tocsin_domain::command::{Ask, AskedRule, AskedSilence, HeartbeatAsk, IntakeAsk};
use tocsin_domain::id::{HeartbeatId, MaintenanceId, ServiceId, TargetId};
use tocsin_domain::intake::{
    Action, Condition, Field, GroupBy, LabelMatcher, LabelTest, Test, UrgencyBy, When,
};
use tocsin_domain::monitor::Severity;
use tocsin_domain::oncall::{RepeatUnit, Repeating, Span};
use tocsin_domain::time::Timestamp;

use super::agenda::Happening;
use super::source::{COMPONENTS, REGIONS, RULES};
use super::stage::ZONES;
use super::{DAY, HOUR, MINUTE, SECOND, Ticket, World};
use crate::tally::Fault;

/// Planned works and silences at a time, those that are over counted.
const WORK_MAX: usize = 9;
/// A minute has so many milliseconds.
const MINUTE_MS: u64 = 60_000;

type Made = Option<(IntakeAsk, Fault)>;

impl World {
    /// One change, and the next one some hours later.
    pub(super) fn plan_something(&mut self) {
        if !self.is_rough {
            return;
        }
        let made = match self.random.below(20) {
            0..3 => self.replace_rules(),
            3..6 => self.change_intake(),
            6..9 => self.plan_work(None),
            9 => self.repeat_work(),
            10..13 => self.silence_something(None),
            13 => self.change_work(),
            14 => self.change_silence(),
            15 => self.end_work(),
            16 => self.expire_silence(),
            17 => self.remove_work(),
            18 => self.change_job(),
            _ => None,
        };
        let made_fault = made.as_ref().map(|(_, fault)| *fault);
        if let Some((ask, fault)) = made {
            self.ask(Ask::Intake(ask), Ticket::Editor(Some(fault)));
        }
        self.clear_work();
        self.some_time_after(100 * MINUTE, Happening::Plans);
        // Whoever planned something thinks again before it is over.
        if matches!(
            made_fault,
            Some(Fault::WorkPlanned | Fault::SilenceMade | Fault::SilenceChanged)
        ) && self.random.chance(600)
        {
            self.some_time_after(6 * MINUTE, Happening::Rethinks);
        }
    }

    /// Somebody moves or ends what was planned.
    pub(super) fn rethinks(&mut self) {
        if !self.is_rough {
            return;
        }
        let made = match self.random.below(4) {
            0 => self.change_work(),
            1 => self.change_silence(),
            2 => self.end_work(),
            _ => self.expire_silence(),
        };
        if let Some((ask, fault)) = made {
            self.ask(Ask::Intake(ask), Ticket::Editor(Some(fault)));
        }
    }

    /// What is over is removed now and then.
    fn clear_work(&mut self) {
        let now = self.wall();
        let known = self.ledger.work.iter();
        let over = known.filter(|(_, work)| work.is_over(now));
        let over: Vec<MaintenanceId> = over.map(|(id, _)| *id).collect();
        for id in over.into_iter().skip(2) {
            self.ask(Ask::Intake(IntakeAsk::RemoveWindow(id)), Ticket::Nobody);
        }
    }

    pub(super) fn replace_rules(&mut self) -> Made {
        let services: Vec<ServiceId> = self.ledger.services.keys().copied().collect();
        let service = self.random.pick(&services).copied();
        let service = service.filter(|_| self.random.chance(350));
        let count = self.random.below(5);
        let mut rules = Vec::new();
        for number in 0..count {
            let when = self.some_condition();
            let mut then = vec![self.some_action(service.is_none())?];
            if self.random.chance(200) {
                then.push(self.some_action(service.is_none())?);
            }
            rules.push(AskedRule {
                id: None,
                name: format!("rule {number}"),
                when,
                then,
                go_on: self.random.chance(500),
            });
        }
        Some((IntakeAsk::SetRules { service, rules }, Fault::RulesReplaced))
    }

    fn some_condition(&mut self) -> Condition {
        let is = |field, text: &str| Condition::Field {
            field,
            test: Test::Equals(text.to_owned()),
        };
        let component = is(Field::Component, self.random.one_of(COMPONENTS));
        let region = is(
            Field::Detail("region".to_owned()),
            self.random.one_of(REGIONS),
        );
        let severity = self
            .random
            .one_of([Severity::Warning, Severity::Error, Severity::Critical]);
        let severity = is(Field::Severity, severity.word());
        let start = self
            .random
            .one_of(["check-1", "storm", "HighLatency", "Apache"]);
        match self.random.below(6) {
            0 | 1 => Condition::All {
                of: vec![component, region],
            },
            2 => Condition::All {
                of: vec![component, severity],
            },
            3 => Condition::Any {
                of: vec![Condition::All {
                    of: vec![region, severity],
                }],
            },
            4 => Condition::All {
                of: vec![
                    component,
                    Condition::Not {
                        of: Box::new(region),
                    },
                ],
            },
            _ => Condition::Field {
                field: Field::Title,
                test: Test::StartsWith(start.to_owned()),
            },
        }
    }

    fn some_action(&mut self, of_all: bool) -> Option<Action> {
        let services: Vec<ServiceId> = self.ledger.services.keys().copied().collect();
        Some(match self.random.below(20) {
            0..9 => Action::Pause {
                ms: MINUTE_MS * self.random.one_of([1, 2, 5, 5, 10, 20]),
            },
            9..13 if of_all => Action::Route {
                service: self.random.pick(&services).copied()?,
            },
            9..15 => Action::SetSeverity {
                severity: self.random.one_of([
                    Severity::Warning,
                    Severity::Error,
                    Severity::Critical,
                ]),
            },
            15..18 => Action::Suppress,
            18 => Action::Drop,
            _ => Action::Note {
                text: "see the wiki".to_owned(),
            },
        })
    }

    pub(super) fn change_intake(&mut self) -> Made {
        let services: Vec<ServiceId> = self.ledger.services.keys().copied().collect();
        let service = self.random.pick(&services).copied()?;
        let grouping = match self.random.below(10) {
            0..4 => GroupBy::Nothing,
            4..7 => GroupBy::Time {
                within_ms: MINUTE_MS * self.random.one_of([1, 5, 30]),
                rolling: self.random.chance(500),
            },
            _ => {
                let all = [Field::Component, Field::Detail("region".to_owned())];
                let count = self.random.one_of([1, 2]);
                GroupBy::Content {
                    fields: all.into_iter().take(count).collect(),
                }
            }
        };
        let urgency = match self.random.below(14) {
            0..8 => UrgencyBy::Severity,
            8 => UrgencyBy::High,
            9 => UrgencyBy::Low,
            _ => self.some_support(service)?,
        };
        let ask = IntakeAsk::SetService {
            service,
            urgency,
            grouping,
            resolve_after_ms: None,
        };
        Some((ask, Fault::IntakeChanged))
    }

    /// Work on something, more often than not on what fails just now.
    pub(super) fn plan_work(&mut self, on: Option<ServiceId>) -> Made {
        if self.ledger.work.len() >= WORK_MAX {
            return self.remove_work();
        }
        let (services, targets) = match on {
            Some(service) => (vec![service], Vec::new()),
            None => self.some_subjects()?,
        };
        let ask = IntakeAsk::SetWindow {
            id: None,
            reason: "new disks".to_owned(),
            services,
            targets,
            when: self.some_time(),
            matchers: None,
        };
        Some((ask, Fault::WorkPlanned))
    }

    fn some_subjects(&mut self) -> Option<(Vec<ServiceId>, Vec<TargetId>)> {
        let open: Vec<_> = self.ledger.open.iter().copied().collect();
        let failing = self.random.pick(&open).copied();
        let failing = failing.filter(|_| self.random.chance(600));
        let case = failing.and_then(|id| self.ledger.cases.get(&id));
        let failing = case.map(|case| (case.service, case.target));
        let services: Vec<ServiceId> = self.ledger.services.keys().copied().collect();
        let targets: Vec<TargetId> = self.ledger.targets.keys().copied().collect();
        Some(match failing {
            Some((_, Some(target))) if self.ledger.targets.contains_key(&target) => {
                (Vec::new(), vec![target])
            }
            Some((service, _)) => (vec![service], Vec::new()),
            None if self.random.chance(300) => {
                (Vec::new(), vec![self.random.pick(&targets).copied()?])
            }
            None => (vec![self.random.pick(&services).copied()?], Vec::new()),
        })
    }

    /// Once: begun already, or soon; for some minutes, or some hours.
    fn some_time(&mut self) -> When {
        let now = self.wall().as_micros();
        let from = now + self.random.between(-20 * MINUTE, 40 * MINUTE);
        let lasts = match self.random.below(10) {
            0..7 => self.random.between(MINUTE, 25 * MINUTE),
            _ => self.random.between(25 * MINUTE, 3 * HOUR),
        };
        let until = from.max(now) + lasts;
        let span = Span::new(Timestamp::from_micros(from), Timestamp::from_micros(until));
        When::Once { span }
    }

    /// Some minutes of every day or second day, by the clocks of a zone.
    fn repeat_work(&mut self) -> Made {
        if self.ledger.work.len() >= WORK_MAX {
            return self.remove_work();
        }
        let (services, targets) = self.some_subjects()?;
        let hour = self.random.below(24);
        let minute = self.random.one_of([0, 15, 30]);
        let day = Timestamp::from_micros(self.wall().as_micros() - DAY);
        let day = day.to_rfc3339();
        let day = day.get(..10)?;
        let until = self.wall().as_micros() + self.random.between(DAY, 20 * DAY);
        let work = Repeating {
            time_zone: self.random.one_of(ZONES).to_owned(),
            first: format!("{day}T{hour:02}:{minute:02}").parse().ok()?,
            minutes: self.random.one_of([10, 45, 90]),
            every: self.random.one_of([1, 1, 2]),
            unit: RepeatUnit::Days,
            until: Some(Timestamp::from_micros(until)).filter(|_| self.random.chance(500)),
        };
        let ask = IntakeAsk::SetWindow {
            id: None,
            reason: "backups".to_owned(),
            services,
            targets,
            when: When::Repeating { work },
            matchers: None,
        };
        Some((ask, Fault::WorkRepeats))
    }

    fn some_matchers(&mut self) -> Option<Vec<LabelMatcher>> {
        let matcher = |name: &str, test, value: &str| LabelMatcher::new(name, test, value).ok();
        let names: Vec<String> = self
            .ledger
            .services
            .values()
            .map(|one| one.name.clone())
            .collect();
        let named = self.random.pick(&names).cloned()?;
        let service = matcher("tocsin_service", LabelTest::Equals, &named)?;
        let firing = self
            .ledger
            .open
            .iter()
            .filter_map(|id| self.ledger.cases.get(id)?.some_alert());
        let firing: Vec<_> = firing.collect();
        let title = self
            .random
            .pick(&firing)
            .and_then(|id| self.ledger.alerts.get(id));
        let title = title.map(|alert| alert.told.title.clone());
        Some(match self.random.below(8) {
            0 => vec![service],
            1 => vec![
                service,
                matcher("severity", LabelTest::Fits, "critical|error")?,
            ],
            2 => vec![
                service,
                matcher("severity", LabelTest::Misfits, "critical|warning")?,
            ],
            3 => vec![matcher("tocsin_target", LabelTest::Equals, "web-1")?],
            4 => vec![matcher(
                "instance",
                LabelTest::Equals,
                self.random.one_of(["a", "b"]),
            )?],
            5 => vec![
                matcher("alertname", LabelTest::Fits, &RULES.join("|"))?,
                matcher("instance", LabelTest::Differs, "b")?,
            ],
            _ => vec![matcher("alertname", LabelTest::Equals, &title?)?],
        })
    }

    /// A silence, more often than not of what fails just now.
    pub(super) fn silence_something(&mut self, id: Option<MaintenanceId>) -> Made {
        if id.is_none() && self.ledger.work.len() >= WORK_MAX {
            return self.remove_work();
        }
        let matchers = match id {
            Some(id) if self.random.chance(500) => self.ledger.work.get(&id)?.matchers().to_vec(),
            Some(_) | None => self.some_matchers()?,
        };
        let When::Once { mut span } = self.some_time() else {
            return None;
        };
        // Its past stays as it is.
        if let Some(known) = id.and_then(|id| self.ledger.work.get(&id)?.span()) {
            span.from = known.from;
        }
        let fault = if id.is_some() {
            Fault::SilenceChanged
        } else {
            Fault::SilenceMade
        };
        let asked = AskedSilence {
            id,
            comment: "known".to_owned(),
            created_by: "amtool".to_owned(),
            matchers,
            span,
        };
        Some((IntakeAsk::SetSilence(Box::new(asked)), fault))
    }

    fn some_work(
        &mut self,
        fits: impl Fn(&crate::ledger::Work, Timestamp) -> bool,
    ) -> Option<MaintenanceId> {
        let now = self.wall();
        let known = self.ledger.work.iter();
        let known: Vec<MaintenanceId> = known
            .filter(|(_, work)| fits(work, now))
            .map(|(id, _)| *id)
            .collect();
        self.random.pick(&known).copied()
    }

    fn change_silence(&mut self) -> Made {
        let id = self.some_work(|work, now| {
            !work.matchers().is_empty() && !work.is_over(now) && !work.repeats()
        });
        match id {
            Some(id) => self.silence_something(Some(id)),
            None => self.silence_something(None),
        }
    }

    /// Other subjects, another time, or other labels.
    fn change_work(&mut self) -> Made {
        let Some(id) = self.some_work(|work, now| !work.is_over(now)) else {
            return self.plan_work(None);
        };
        let (services, targets) = self.some_subjects()?;
        let matchers = match self.random.below(4) {
            0 => Some(Vec::new()),
            1 => self.some_matchers(),
            _ => None,
        };
        let ask = IntakeAsk::SetWindow {
            id: Some(id),
            reason: "more disks".to_owned(),
            services,
            targets,
            when: self.some_time(),
            matchers,
        };
        Some((ask, Fault::WorkChanged))
    }

    fn end_work(&mut self) -> Made {
        match self.some_work(crate::ledger::Work::lasts) {
            Some(id) => Some((IntakeAsk::EndWindow(id), Fault::WorkEnded)),
            None => self.plan_work(None),
        }
    }

    fn expire_silence(&mut self) -> Made {
        let id = self.some_work(|work, now| {
            !work.matchers().is_empty() && !work.is_over(now) && !work.repeats()
        });
        match id {
            Some(id) => Some((IntakeAsk::ExpireWindow(id), Fault::SilenceEnded)),
            None => self.silence_something(None),
        }
    }

    fn remove_work(&mut self) -> Made {
        let over = self.some_work(crate::ledger::Work::is_over);
        let id = over.or_else(|| self.some_work(|_, _| true))?;
        Some((IntakeAsk::RemoveWindow(id), Fault::WorkRemoved))
    }

    fn change_job(&mut self) -> Made {
        let known: Vec<HeartbeatId> = self.ledger.pulses.keys().copied().collect();
        let id = self.random.pick(&known).copied()?;
        Some((
            IntakeAsk::Heartbeat(self.some_job(Some(id))),
            Fault::JobChanged,
        ))
    }

    /// A job and how it must call in.
    pub(super) fn some_job(&mut self, id: Option<HeartbeatId>) -> HeartbeatAsk {
        let services: Vec<ServiceId> = self.ledger.services.keys().copied().collect();
        let service = self.random.pick(&services).copied();
        HeartbeatAsk::Set {
            id,
            name: format!("job {}", self.ledger.pulses.len()),
            service: service.filter(|_| id.is_none() || self.random.chance(300)),
            every_ms: MINUTE_MS * self.random.one_of([60, 120, 480]),
            grace_ms: MINUTE_MS * self.random.one_of([2, 15]),
            severity: self
                .random
                .one_of([Severity::Critical, Severity::Error, Severity::Warning]),
            token_hash: Some("02".to_owned()),
        }
    }

    /// Work on a service, or a silence of it, a moment before or within what comes now.
    pub(super) fn cover_storm(&mut self, service: ServiceId) {
        let made = if self.random.chance(500) {
            self.plan_work(Some(service))
        } else {
            self.silence_something(None)
        };
        if let Some((ask, fault)) = made {
            self.tally.note(Fault::StormCovered);
            self.ask(Ask::Intake(ask), Ticket::Editor(Some(fault)));
        }
        let ends = self.random.between(10 * SECOND, 4 * MINUTE);
        if self.random.chance(500) {
            self.after(ends, Happening::Rethinks);
        }
    }
}
