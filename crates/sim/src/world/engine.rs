//! The engine's process: it starts, steps, dies and starts again; what it hands out goes to the providers, and every step is
//! checked.

use std::sync::{Arc, Mutex, PoisonError};

use tocsin_domain::command::{Ask, Command};
use tocsin_domain::event::Event;
use tocsin_domain::id::IncidentId;
use tocsin_domain::time::Timestamp;
use tocsin_engine::{AskError, Core, Done, Past};

use super::agenda::Happening;
use super::{Engine, HOUR, Heard, MINUTE, Report, SECOND, Ticket, World};
use crate::check::Check;
use crate::machine::{HandedOut, Mishap};
use crate::tally::Fault;

/// After a failed commit the engine has this long until it must have tried again with success.
const RECOVERED_AFTER: i64 = 5 * SECOND;
/// How often the clock is looked at while nothing is due. The thread does so every second, which would show no more.
const LOOK_EVERY: i64 = 10 * SECOND;
/// When so much has gone by between two looks, nobody listened meanwhile.
const AWAY_MS: u64 = 30_000;
/// Steps in a row that may do nothing although something is due: a clock is read again in between.
const IDLE_STEPS_MAX: u32 = 20;
/// How often the sender tells an outcome that cannot be kept.
const TELLS_MAX: u32 = 10;

type Replies = Arc<Mutex<Vec<(usize, Result<Done, AskError>)>>>;
type Reply = Box<dyn FnOnce(Result<Done, AskError>) + Send>;

impl World {
    /// Starts the process on what the disk holds.
    pub(super) fn boot(&mut self) {
        self.life += 1;
        self.sender.forget();
        self.machine = self.machine.successor();
        let past = Past {
            state: self.shadow.clone(),
            ..Past::default()
        };
        let engine = Core::new(
            past,
            self.machine.clone(),
            self.random.fork(),
            self.machine.clone(),
            Self::no_series(),
        );
        self.engine = Some(engine);
        self.stepped_us = self.now_us;
        (self.looked_at, self.untold_back_ms) = (None, 0);
        // The thread looks at the clock every second anyway; that matters only while its due time may be wrong.
        self.restless_until_us = self.now_us + 3 * SECOND;
        self.say(|| "the process starts".to_owned());
        let now = self.wall();
        self.ledger.note_deaf(now);
        self.ledger.note_absence(now);
        if let Some(engine) = &mut self.engine {
            engine.recover(now);
            engine.run_ahead();
        }
        self.is_recovering = true;
        self.after_step(Vec::new(), Vec::new());
        self.is_recovering = false;
    }

    /// One step with all that waits.
    pub(super) fn step(&mut self) {
        let Some(mut engine) = self.engine.take() else {
            self.lose(Vec::new());
            return;
        };
        self.look_on(&mut engine);
        let waiting = std::mem::take(&mut self.inbox);
        let replies = Replies::default();
        let (mut commands, mut tickets) = (Vec::new(), Vec::new());
        for (index, (command, ticket)) in waiting.into_iter().enumerate() {
            commands.push((command, reply_to(&replies, index)));
            tickets.push(ticket);
        }
        let position = self.ledger.position;
        let has_asked = !commands.is_empty();
        let later = self.decided_ahead(&mut commands);
        engine.step(commands, Vec::new(), self.wall());
        if let Some(later) = later {
            engine.step(later, Vec::new(), self.wall());
        }
        engine.settle(self.wall());
        self.stepped_us = self.now_us;
        let back_ms = self.looked_at.map_or(0, |at| at.ms_since(self.wall()));
        self.untold_back_ms += back_ms;
        self.engine = Some(engine);
        let heard = replies.lock().map(|mut all| std::mem::take(&mut *all));
        self.after_step(tickets, heard.unwrap_or_default());
        self.count_idle(has_asked || self.ledger.position > position);
    }

    /// The engine has looked at its clock since the last step, unless its machine was suspended. When more time has gone by than
    /// it saw, whoever said something meanwhile was not heard.
    fn look_on(&mut self, engine: &mut Engine) {
        let mut was_away = false;
        let mut at_us = self.stepped_us + LOOK_EVERY;
        while at_us < self.now_us {
            if at_us >= self.suspended_until_us {
                let shows = Timestamp::from_micros(at_us + self.offset_us);
                engine.look(shows);
                was_away |= self.was_away(shows);
                self.looked_at = self.looked_at.map(|_| shows);
            }
            at_us += LOOK_EVERY;
        }
        let now = self.wall();
        if was_away || self.was_away(now) {
            self.ledger.note_deaf(now);
            self.ledger.note_absence(now);
        }
    }

    fn was_away(&self, now: Timestamp) -> bool {
        let looked_at = self.looked_at;
        looked_at.is_some_and(|at| now.ms_since(at) >= AWAY_MS)
    }

    /// What is decided while the journal still works on the rest, if anything.
    fn decided_ahead(
        &mut self,
        commands: &mut Vec<(Command, Reply)>,
    ) -> Option<Vec<(Command, Reply)>> {
        if self.random.chance(500) {
            let first = self.random.index(commands.len() + 1);
            return Some(commands.split_off(first));
        }
        None
    }

    fn count_idle(&mut self, did_something: bool) {
        let is_due = self.engine.as_ref().and_then(Core::next_due);
        let is_due = is_due.is_some_and(|due| due <= self.wall());
        self.idle_steps = if is_due && !did_something {
            self.idle_steps + 1
        } else {
            0
        };
        if self.idle_steps > IDLE_STEPS_MAX {
            self.wrong(
                Check::NothingForgotten,
                "something is due, and no step does it",
            );
        }
    }

    fn after_step(&mut self, tickets: Vec<Ticket>, heard: Vec<(usize, Result<Done, AskError>)>) {
        self.machine.end_step();
        self.read_journal();
        self.count_mishaps();
        let is_dead = self.machine.is_dead();
        let out = self.machine.take_out();
        self.check_handed_out(&out, is_dead);
        self.check_served();
        self.look_up_duty();
        let now = self.wall();
        let is_calm = !is_dead && self.now_us - self.failed_us > RECOVERED_AFTER;
        self.check_clock(now, is_calm);
        self.ledger.end_step(now, is_calm);
        if let (true, Some(engine)) = (is_calm, &self.engine) {
            let alarm = engine.next_due();
            self.ledger.check_alarm(alarm, now);
        }
        if let (None, Some(wrong)) = (&self.violation, self.ledger.first_wrong()) {
            self.violation = Some(wrong.clone());
        }
        self.deliver(out);
        if is_dead {
            self.say(|| "the process dies".to_owned());
            self.fall(tickets);
            return;
        }
        let mut answers: Vec<Option<Result<Done, AskError>>> = Vec::new();
        answers.resize_with(tickets.len(), || None);
        for (index, outcome) in heard {
            if let Some(place) = answers.get_mut(index) {
                *place = Some(outcome);
            }
        }
        for (ticket, outcome) in tickets.into_iter().zip(answers) {
            let heard = self.understood(outcome);
            self.heard(ticket, heard);
        }
    }

    /// What the clock was set back is told once, as soon as it can be kept, and no more than that. What it showed before the
    /// process began is known to the second book no better than to the engine.
    fn check_clock(&mut self, now: Timestamp, is_calm: bool) {
        let told_ms = std::mem::take(&mut self.ledger.told_back_ms);
        if self.looked_at.is_some() {
            let surplus_ms = told_ms.saturating_sub(self.untold_back_ms);
            self.untold_back_ms = self.untold_back_ms.saturating_sub(told_ms);
            if surplus_ms > 0 || (is_calm && self.untold_back_ms > 0) {
                let left_ms = self.untold_back_ms;
                let what = format!(
                    "{left_ms} ms that the clock went back are not told, {surplus_ms} ms too much are"
                );
                self.wrong(Check::NothingForgotten, what);
            }
        }
        if is_calm || self.looked_at.is_some() {
            self.looked_at = Some(now);
        }
    }

    fn understood(&mut self, outcome: Option<Result<Done, AskError>>) -> Heard {
        match outcome {
            Some(Ok(done)) => {
                self.check_kept(done.events());
                Heard::Done(done.events().to_vec())
            }
            Some(Err(AskError::Refused(why))) => {
                self.say(|| format!("refused: {why}"));
                Heard::Refused
            }
            // Found by what the state keeps of it.
            Some(Err(
                AskError::NotDurable(_) | AskError::Fault | AskError::Busy | AskError::Stopped,
            )) => Heard::Lost,
            None => {
                self.wrong(Check::Durable, "a command got no answer");
                Heard::Lost
            }
        }
    }

    /// What the journal holds that was not read yet goes into the second book.
    fn read_journal(&mut self) {
        let machine = self.machine.clone();
        let disk = machine.disk();
        self.ledger.is_deaf |= disk.failures > self.failures_seen;
        let from = usize::try_from(self.ledger.position).unwrap_or(usize::MAX);
        for event in disk.events.get(from..).unwrap_or_default() {
            if self.plan.trace {
                let text = serde_json::to_string(&event.body).unwrap_or_default();
                crate::screen::line(format!("{}  {:>6} {text}", self.wall(), event.position));
            }
            self.note_played(event);
            self.shadow.evolve(event);
            self.fingerprint.add(event);
            self.ledger.see(event);
        }
        if disk.failures > self.failures_seen {
            self.failures_seen = disk.failures;
            self.failed_us = self.now_us;
            self.restless_until_us = self.now_us + 2 * RECOVERED_AFTER;
            drop(disk);
            self.ledger.note_deaf(self.wall());
        }
    }

    fn count_mishaps(&mut self) {
        let suffered = std::mem::take(&mut self.machine.disk().suffered);
        for mishap in suffered {
            let fault = match mishap {
                Mishap::Refused => Fault::CommitRefused,
                Mishap::UnclearKept => Fault::UnclearKept,
                Mishap::UnclearLost => Fault::UnclearLost,
                Mishap::KeptThenGone => {
                    let gone = self.random.between(SECOND, 30 * SECOND);
                    self.after(gone, Happening::DiskHeals);
                    Fault::UnclearThenGone
                }
                Mishap::CrashBefore | Mishap::CrashAfter | Mishap::CrashWithin(_)
                    if self.is_recovering =>
                {
                    Fault::CrashInRecovery
                }
                Mishap::CrashBefore => Fault::CrashBeforeCommit,
                Mishap::CrashAfter => Fault::CrashAfterCommit,
                Mishap::CrashWithin(_) => Fault::CrashWithinEffects,
            };
            self.tally.note(fault);
        }
    }

    /// Nothing is handed out that was not journalled before, nothing twice, and, unless the process died, all of it.
    fn check_handed_out(&mut self, out: &HandedOut, is_dead: bool) {
        let mut owed = std::mem::take(&mut self.ledger.started);
        for send in &out.sends {
            match owed.iter().position(|one| one == send) {
                Some(place) => {
                    owed.swap_remove(place);
                }
                None => {
                    let what = format!("attempt {} of {} was made, not journalled", send.1, send.0);
                    self.wrong(Check::Durable, what);
                }
            }
        }
        let can_wait = is_dead || self.machine.disk().is_gone;
        if can_wait || self.now_us - self.failed_us <= RECOVERED_AFTER {
            // Handed out once the journal can be read again, or lost with the process.
            self.ledger.started = if is_dead { Vec::new() } else { owed };
        } else if let Some((id, number)) = owed.first() {
            let what = format!("attempt {number} of {id} was journalled, not made");
            self.wrong(Check::NothingForgotten, what);
        }
    }

    fn check_served(&mut self) {
        let Some(engine) = &self.engine else {
            return;
        };
        let published = engine.published();
        let (served, faults) = published.read().map_or((0, 0), |state| {
            let broken = usize::from(state.broken().is_some());
            (state.position, state.left_alone().count() + broken)
        });
        if faults > 0 {
            let what = "a decision panicked, as was told where it did";
            self.wrong(Check::NothingForgotten, what);
        }
        if served > self.ledger.position {
            let what = format!("event {served} is served, the journal ends before");
            self.wrong(Check::Durable, what);
        }
    }

    fn check_kept(&mut self, events: &[Event]) {
        let machine = self.machine.clone();
        let disk = machine.disk();
        let lost = events.iter().find(|event| {
            let place = usize::try_from(event.position).ok();
            let kept = place.and_then(|place| disk.events.get(place.checked_sub(1)?));
            kept != Some(event)
        });
        if let Some(event) = lost {
            let what = format!("event {} was answered for, and is not kept", event.position);
            self.wrong(Check::Durable, what);
        }
    }

    pub(super) fn frozen(&mut self, life: u64, incident: IncidentId) {
        if life == self.life && !self.random.chance(50) {
            let ask = Ask::EvidenceFrozen {
                incident,
                sha256: "00".to_owned(),
                bytes: 1,
            };
            self.ask(ask, Ticket::Nobody);
        }
    }

    pub(super) fn heard(&mut self, ticket: Ticket, heard: Heard) {
        match ticket {
            Ticket::Source {
                source,
                said,
                fault,
            } => self.source_heard(source, said, fault, &heard),
            Ticket::Report(report) => {
                if matches!(heard, Heard::Lost) && report.tries < TELLS_MAX {
                    let again = Report {
                        tries: report.tries + 1,
                        ..report
                    };
                    self.after(SECOND, Happening::Reported(again));
                }
            }
            Ticket::Taker { user, incident } => self.taker_heard(user, incident, &heard),
            Ticket::Twin { key, fails: true } => self.twin_heard(&key, &heard),
            Ticket::Job(job, said) => self.job_heard(job, &said, &heard),
            Ticket::Editor(fault) => self.editor_heard(fault, &heard),
            Ticket::Twin { fails: false, .. } | Ticket::Nobody => {}
        }
    }

    /// The process is gone, with all that waited for it.
    pub(super) fn fall(&mut self, tickets: Vec<Ticket>) {
        self.engine = None;
        self.ledger.started.clear();
        self.lose(tickets);
        let down = match self.random.below(100) {
            0..80 => self.random.between(SECOND, 30 * SECOND),
            80..98 => self.random.between(MINUTE, 15 * MINUTE),
            _ => self.random.between(HOUR, 4 * HOUR),
        };
        self.after(down, Happening::Restarts);
    }

    fn lose(&mut self, mut tickets: Vec<Ticket>) {
        let waiting = std::mem::take(&mut self.inbox);
        tickets.extend(waiting.into_iter().map(|(_, ticket)| ticket));
        for ticket in tickets {
            self.heard(ticket, Heard::Lost);
        }
    }

    pub(super) fn restart(&mut self) {
        if self.engine.is_some() || self.now_us < self.suspended_until_us {
            if self.engine.is_none() {
                let wait = self.suspended_until_us - self.now_us;
                self.after(wait, Happening::Restarts);
            }
            return;
        }
        if self.is_rough && self.random.chance(250) {
            let mishap = self.random.one_of([
                Mishap::CrashBefore,
                Mishap::CrashAfter,
                Mishap::CrashWithin(0),
                Mishap::CrashWithin(1),
            ]);
            self.machine.disk().mishaps.push_front(mishap);
        }
        if self.random.chance(4) {
            self.recount();
        }
        self.boot();
    }

    /// Another server takes the journal over while this one still runs: this one must not send or keep anything more.
    pub(super) fn take_over(&mut self) {
        let Some(mut old) = self.engine.take() else {
            return;
        };
        let stale = self.machine.clone();
        // What it owed is lost with it.
        self.ledger.started.clear();
        self.lose(Vec::new());
        self.boot();
        let replies = Replies::default();
        let (command, _) = self.declaration();
        old.step(
            vec![(command, reply_to(&replies, 0))],
            Vec::new(),
            self.wall(),
        );
        let answers = replies.lock().map(|mut all| std::mem::take(&mut *all));
        let kept = answers
            .unwrap_or_default()
            .into_iter()
            .any(|(_, one)| one.is_ok());
        if kept || !stale.take_out().sends.is_empty() {
            self.wrong(Check::Durable, "a server without its journal still works");
        }
    }

    fn declaration(&self) -> (Command, Ticket) {
        let ask = Ask::Respond(tocsin_domain::command::RespondAsk::Declare {
            title: "something fails".to_owned(),
            service: None,
            urgency: tocsin_domain::people::Urgency::High,
            more: Box::default(),
        });
        let actor = tocsin_domain::event::Actor::System;
        (Command { actor, ask }, Ticket::Nobody)
    }
}

fn reply_to(replies: &Replies, index: usize) -> Reply {
    let replies = Arc::clone(replies);
    Box::new(move |outcome| {
        let mut all = replies.lock().unwrap_or_else(PoisonError::into_inner);
        all.push((index, outcome));
    })
}
