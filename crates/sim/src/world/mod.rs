//! One simulated world: a machine with the whole engine on it, servers and senders that fail, people, providers, and whatever
//! befalls them, in virtual time and from one seed.

mod agenda;
mod document;
mod duty;
mod edit;
mod ending;
mod engine;
mod fault;
mod hours;
mod job;
mod person;
mod plan;
mod played;
mod post;
mod recount;
mod removal;
mod source;
mod stage;
mod swap;
mod twin;

use std::sync::Arc;

use tocsin_domain::command::{Ask, Command, HeartbeatAsk};
use tocsin_domain::event::{Actor, Event};
use tocsin_domain::id::{HeartbeatId, IncidentId, NotificationId, UserId};
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;
use tocsin_engine::Core;

use self::agenda::{Agenda, Happening};
use self::recount::Fingerprint;
use self::source::Source;
use self::twin::Twin;
use crate::check::{Check, Violation};
use crate::ledger::Ledger;
use crate::machine::Machine;
use crate::providers::Providers;
use crate::random::Random;
use crate::sender::{Sender, Told};
use crate::tally::{Fault, Tally};

const MS: i64 = 1_000;
const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Which world is run, and how.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// All chance comes from it.
    pub seed: u64,
    /// Days until the faults stop.
    pub days: u32,
    /// Whether everything that happens is printed.
    pub trace: bool,
}

/// What became of a world.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// What happened in it.
    pub tally: Tally,
    /// A number that is the same for the same events.
    pub fingerprint: u64,
    /// What was found wrong first; the world ended there.
    pub violation: Option<Violation>,
}

/// Runs a world to its end, or to the first thing that is wrong.
#[must_use]
pub fn run(plan: Plan) -> Verdict {
    let mut world = World::new(plan);
    world.set_the_stage();
    world.live();
    world.end();
    world.verdict()
}

/// After how many events a step leaves what else is due to the next one: the product's own number, or one that is reached soon.
const fn step_events(seed: u64) -> u64 {
    match seed % 3 {
        0 => 1_000,
        1 => 32,
        _ => 6,
    }
}

type Engine = Core<Machine, Random, Machine>;

/// Who waits for the answer to a command.
#[derive(Clone, Debug)]
enum Ticket {
    /// A failing thing that said how it is.
    Source {
        source: usize,
        said: Option<tocsin_domain::monitor::Severity>,
        fault: Option<Fault>,
    },
    /// The sender of messages.
    Report(Report),
    /// Somebody who takes an incident.
    Taker { user: UserId, incident: IncidentId },
    /// A replica, what it tells of by its labels, and whether that fails.
    Twin { key: String, fails: bool },
    /// A job, and what it said.
    Job(HeartbeatId, Box<HeartbeatAsk>),
    /// Somebody who changes something.
    Editor(Option<Fault>),
    /// Nobody.
    Nobody,
}

/// How an attempt went, as the sender tells the engine.
#[derive(Clone, Debug)]
struct Report {
    /// The run of the process that made it.
    life: u64,
    notification: NotificationId,
    number: u32,
    told: Told,
    /// Whether the provider gave it a name.
    is_named: bool,
    /// How often it was told already.
    tries: u32,
}

/// What comes back for a command.
#[derive(Debug)]
enum Heard {
    /// It is done, and on disk.
    Done(Vec<Event>),
    /// It is refused.
    Refused,
    /// Nothing, or that it could not be kept: ask again.
    Lost,
}

struct World {
    plan: Plan,
    random: Random,
    /// Time that passes steadily, in microseconds; the machine's clock is off by `offset_us`.
    now_us: i64,
    offset_us: i64,
    /// What the machine's clock showed when the engine looked at it last, and how far it was set back that the events do not
    /// tell yet; none before the engine has looked.
    looked_at: Option<Timestamp>,
    untold_back_ms: u64,
    agenda: Agenda,
    machine: Machine,
    engine: Option<Engine>,
    /// Counts the runs of the process.
    life: u64,
    /// The machine does nothing until then.
    suspended_until_us: i64,
    /// The engine looks at its clock every second until then: time in which its next due time is not to be trusted.
    restless_until_us: i64,
    stepped_us: i64,
    /// Steps in a row that did nothing although something was due.
    idle_steps: u32,
    /// When a commit failed last.
    failed_us: i64,
    failures_seen: u64,
    /// The journal, folded by the way.
    shadow: State,
    ledger: Ledger,
    providers: Providers,
    sender: Sender,
    sources: Vec<Source>,
    twins: Vec<Twin>,
    inbox: Vec<(Command, Ticket)>,
    /// The administrator who stays.
    root: Option<UserId>,
    /// Whether faults happen and people act.
    is_rough: bool,
    is_recovering: bool,
    fingerprint: Fingerprint,
    tally: Tally,
    violation: Option<Violation>,
}

impl World {
    fn new(plan: Plan) -> Self {
        let mut random = Random::new(plan.seed);
        let start_us = stage::beginning(&mut random, plan.days);
        let providers = Providers::new(random.fork());
        let sender = Sender::new(random.fork());
        let step_events = step_events(plan.seed);
        Self {
            plan,
            now_us: start_us,
            offset_us: 0,
            looked_at: None,
            untold_back_ms: 0,
            agenda: Agenda::default(),
            machine: Machine::new(),
            engine: None,
            life: 0,
            suspended_until_us: start_us,
            restless_until_us: start_us,
            stepped_us: start_us,
            idle_steps: 0,
            failed_us: i64::MIN / 2,
            failures_seen: 0,
            shadow: State::with_ticks_of(step_events),
            ledger: Ledger::with_steps_of(step_events),
            providers,
            sender,
            sources: Vec::new(),
            twins: Vec::new(),
            inbox: Vec::new(),
            root: None,
            is_rough: false,
            is_recovering: false,
            fingerprint: Fingerprint::default(),
            tally: Tally::default(),
            violation: None,
            random,
        }
    }

    /// The machine's clock.
    fn wall(&self) -> Timestamp {
        Timestamp::from_micros(self.now_us + self.offset_us)
    }

    fn say(&self, what: impl FnOnce() -> String) {
        if self.plan.trace {
            crate::screen::line(format!("{}  {}", self.wall(), what()));
        }
    }

    fn wrong(&mut self, check: Check, what: impl Into<String>) {
        let (at, what) = (self.wall(), what.into());
        self.violation.get_or_insert(Violation { check, at, what });
    }

    fn after(&mut self, delay_us: i64, happening: Happening) {
        self.agenda.add(self.now_us + delay_us.max(0), happening);
    }

    /// After a time that is drawn evenly around `mean_us`.
    fn some_time_after(&mut self, mean_us: i64, happening: Happening) {
        let delay = self.random.between(1, 2 * mean_us);
        self.after(delay, happening);
    }

    fn ask(&mut self, ask: Ask, ticket: Ticket) {
        let person = match &ticket {
            Ticket::Editor(_) => self.root,
            Ticket::Taker { user, .. } => Some(*user),
            Ticket::Source { .. }
            | Ticket::Twin { .. }
            | Ticket::Report(_)
            | Ticket::Job(..)
            | Ticket::Nobody => None,
        };
        let actor = person.map_or(Actor::System, |user| Actor::Person { user });
        if self.engine.is_none() || self.now_us < self.suspended_until_us {
            self.heard(ticket, Heard::Lost);
        } else {
            self.inbox.push((Command { actor, ask }, ticket));
        }
    }

    /// Lets time pass, with everything that happens in it.
    fn run_until(&mut self, end_us: i64) {
        while self.violation.is_none() {
            let next = self
                .alarm_us()
                .into_iter()
                .chain(self.agenda.next_us())
                .min();
            let Some(next) = next.filter(|next| *next < end_us) else {
                break;
            };
            // Now and then the engine is slow, and finds several things at once.
            let lag = if self.random.chance(30) {
                self.random.between(0, 40 * MS)
            } else {
                0
            };
            self.now_us = self.now_us.max(next + lag);
            while let Some(happening) = self.agenda.take(self.now_us) {
                self.happen(happening);
            }
            let is_due = self.alarm_us().is_some_and(|at| at <= self.now_us);
            if is_due || !self.inbox.is_empty() {
                self.step();
            }
        }
        self.now_us = self.now_us.max(end_us);
    }

    /// When the engine wakes up by itself.
    fn alarm_us(&self) -> Option<i64> {
        let due = self.engine.as_ref()?.next_due();
        let due = due.map(|due| due.as_micros().saturating_sub(self.offset_us));
        let restless = self.stepped_us + SECOND;
        let restless = Some(restless).filter(|at| *at <= self.restless_until_us);
        // It looks at its clock as soon as its machine goes on.
        let wakes = Some(self.suspended_until_us).filter(|at| *at > self.stepped_us);
        let at = due.into_iter().chain(restless).chain(wakes).min()?;
        Some(at.max(self.suspended_until_us).max(self.now_us))
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Fails(source) => self.source_fails(source),
            Happening::Repeats(source) => self.source_repeats(source),
            Happening::Worsens(source) => self.source_worsens(source),
            Happening::Recovers(source) => self.source_recovers(source),
            Happening::Syncs(source) => self.sync(source),
            Happening::TwinFails(twin) => self.twin_fails(twin),
            Happening::TwinEnds(twin) => self.twin_ends(twin),
            Happening::TwinSees { twin, replica } => self.twin_sees(twin, replica),
            Happening::TwinTells { twin, replica, saw } => self.twin_tells(twin, replica, saw),
            Happening::Begins(given) => self.begin(given),
            Happening::Answered { errand, answer } => self.answered(errand, answer),
            Happening::Reported(report) => self.report(report),
            Happening::Told {
                notification,
                number,
                fate,
            } => self.told(notification, number, fate),
            Happening::Frozen { life, incident } => self.frozen(life, incident),
            Happening::Reads { user, incident } => self.reads(user, incident),
            Happening::Finishes { user, incident } => self.finishes(user, incident),
            Happening::Sweep => self.sweep(),
            Happening::Edit => self.edit(),
            Happening::Removes => self.removes(),
            Happening::Plans => self.plan_something(),
            Happening::Rethinks => self.rethinks(),
            Happening::Calls(job) => self.job_calls(job),
            Happening::Meddles => self.meddles(),
            Happening::TakesAway { user, incident } => self.takes_away(user, incident),
            Happening::FailsBeside(service) => self.fails_beside(service),
            Happening::Verifies { user, method } => self.verifies(user, method),
            Happening::Returns(host) => self.host_returns(&host),
            Happening::PlansHandOff => self.plan_hand_off(),
            Happening::HandOff(service) => self.hand_off(service),
            Happening::FailsBeforeHours(service) => self.fails_before_hours(service),
            Happening::Befalls(kind) => self.befalls(kind),
            Happening::DiskHeals => self.disk_heals(),
            Happening::Dies(life) => self.dies(life),
            Happening::Restarts => self.restart(),
        }
    }

    fn verdict(mut self) -> Verdict {
        self.tally.worlds += 1;
        self.tally.days += u64::from(self.plan.days);
        self.tally.incidents += u64::try_from(self.ledger.cases.len()).unwrap_or(0);
        self.tally.urgent += self.ledger.urgent;
        self.tally.events += self.ledger.position;
        self.tally.attempts += self.providers.attempts;
        self.tally.repeats += self.providers.repeats();
        Verdict {
            tally: self.tally,
            fingerprint: self.fingerprint.value(),
            violation: self.violation,
        }
    }

    fn no_series() -> Arc<dyn tocsin_promql::Source + Send + Sync> {
        Arc::new(stage::NoSeries)
    }
}
