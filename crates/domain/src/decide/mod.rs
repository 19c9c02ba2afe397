//! Decisions: a command, the state and the time give events. Nothing here does what it decides.

mod alert;
mod assign;
mod attempt;
mod business;
mod change;
mod code;
mod due;
mod duty;
mod end;
mod heartbeat;
mod help;
mod hold;
mod intake;
mod join;
mod labelled;
mod merge;
mod message;
mod mirror;
mod oncall;
mod paging;
mod people;
mod recipients;
mod rehearsal;
mod relapse;
mod reopen;
mod respond;
mod restate;
mod roster;
mod rule;
mod setup;
mod silence;
mod snooze;
mod swap_word;
mod tag;
mod take_in;
mod team;
mod together;
mod unserve;
mod watch;
mod way_gone;
mod webhook;
mod word;

use std::cell::Cell;

use crate::bugs;
use crate::command::{Ask, Command, Refusal};
use crate::event::{
    Actor, Cause, Event, EventBody, IncidentEvent, IncidentWhat, InstallationEvent, Response,
};
use crate::id::{Entropy, IncidentId};
use crate::service::DESCRIPTION_CHARS_MAX;
use crate::state::{State, Subject};
use crate::text;
use crate::time::Timestamp;
use attempt::Ended;
use duty::OnDuty;

pub use code::rehearse;
pub use rehearsal::first_refused;

/// Decides a command, and folds the events into `state` as it goes, so that a later decision sees an earlier one. What is due
/// at `now`, also by what a command has just done, is decided by [`Ask::Tick`] (and by [`Ask::Recover`]) alone: who asks for
/// something else asks for that next, as long as something is due. The caller makes the events durable before it acts on them,
/// and falls back to its last durable state when it cannot.
///
/// # Errors
/// The command is refused; no event was made and the state is as before.
pub fn decide(
    state: &mut State,
    command: Command,
    now: Timestamp,
    entropy: &mut dyn Entropy,
) -> Result<Vec<Event>, Refusal> {
    decide_noting(state, command, now, entropy, &Cell::new(None))
}

/// Decides as [`decide`] does, and keeps `at_work` at what a decision of what is due is about, so that after a panic it is known
/// what led to it. The state is half done then.
///
/// # Errors
/// As [`decide`].
pub fn decide_noting(
    state: &mut State,
    command: Command,
    now: Timestamp,
    entropy: &mut dyn Entropy,
    at_work: &Cell<Option<Subject>>,
) -> Result<Vec<Event>, Refusal> {
    let before = state.position;
    let does_what_is_due = matches!(command.ask, Ask::Tick | Ask::Recover);
    let mut decider = Decider {
        state,
        now,
        entropy,
        actor: command.actor,
        events: Vec::new(),
        on_duty: OnDuty::at(now),
        at_work,
    };
    if let Err(refusal) = decider.carry_out(command.ask) {
        assert_eq!(
            decider.state.position, before,
            "a refused command leaves no trace"
        );
        return Err(refusal);
    }
    if does_what_is_due {
        decider.actor = Actor::System;
        decider.do_what_is_due();
    }
    Ok(decider.events)
}

/// One decision in the making.
struct Decider<'a> {
    state: &'a mut State,
    now: Timestamp,
    entropy: &'a mut dyn Entropy,
    actor: Actor,
    events: Vec<Event>,
    on_duty: OnDuty,
    /// What of all that is due this is about.
    at_work: &'a Cell<Option<Subject>>,
}

impl Decider<'_> {
    fn carry_out(&mut self, ask: Ask) -> Result<(), Refusal> {
        match ask {
            Ask::SetUp {
                name,
                email,
                time_zone,
                key_hash,
            } => self.set_up(name, email, time_zone, key_hash),
            Ask::InstallPack => self.install_pack(),
            Ask::People(ask) => self.people(ask),
            Ask::Roster(ask) => self.roster(ask),
            Ask::Team(ask) => self.teams(ask),
            Ask::Intake(ask) => self.intake(ask),
            Ask::Watch(ask) => self.watch(ask),
            Ask::Change(ask) => self.keep_change(ask),
            Ask::Webhook(ask) => self.webhooks(ask),
            Ask::Apply(apply) => self.apply(&apply),
            Ask::Alert(ask) => self.alert(ask),
            Ask::Respond(ask) => self.respond(ask),
            Ask::AttemptFinished {
                notification,
                number,
                outcome,
                detail,
                retry_after_ms,
                reference,
                via,
            } => {
                let ended = Ended::tried(outcome, detail, retry_after_ms, reference, via);
                self.attempt_finished(notification, number, ended)
            }
            Ask::NotTried {
                notification,
                number,
                detail,
                retry_after_ms,
                moot,
            } => {
                let ended = Ended::not_tried(&detail, retry_after_ms, moot);
                self.attempt_finished(notification, number, ended)
            }
            Ask::WayGone {
                notification,
                number,
            } => self.way_gone(notification, number),
            Ask::ReceiptCame {
                notification,
                number,
                fate,
                detail,
            } => self.receipt_came(notification, number, fate, &detail),
            ask @ (Ask::Recover | Ask::Resume) => {
                if matches!(ask, Ask::Recover) {
                    self.recover();
                }
                self.spare_heartbeats();
                self.spare_alerts();
                Ok(())
            }
            Ask::Tick => Ok(()),
            Ask::ClockSetBack { by_ms } => {
                self.clock_set_back(by_ms);
                Ok(())
            }
            Ask::EvidenceFrozen {
                incident,
                sha256,
                bytes,
            } => self.evidence_frozen(incident, sha256, bytes),
        }
    }

    fn clock_set_back(&mut self, by_ms: u64) {
        let set_back = InstallationEvent::ClockSetBack { by_ms };
        let cause = Cause::Due { at: self.now };
        self.emit(cause, EventBody::Installation(set_back));
        // By this clock, the planned work that keeps something quiet may not have begun.
        let open = self.state.open_incidents.iter();
        let open = open.filter_map(|id| self.state.incidents.get(id));
        let held = open.filter(|incident| incident.is_held_back());
        let held: Vec<IncidentId> = held.map(|incident| incident.id).collect();
        for incident in held {
            self.work_on(Subject::Incident(incident), |decider| {
                decider.look_again(incident);
            });
        }
    }

    /// Works on one of many things, unless it is left alone.
    fn work_on(&mut self, subject: Subject, work: impl FnOnce(&mut Self)) {
        if self.state.is_left_alone(subject) {
            return;
        }
        self.at_work.set(Some(subject));
        work(self);
        self.at_work.set(None);
    }

    /// Records that something happened at `at`; returns the event's position.
    fn emit_at(&mut self, at: Timestamp, cause: Cause, body: EventBody) -> u64 {
        let position = self.state.position + 1;
        let event = Event {
            position,
            at,
            recorded_at: self.now,
            actor: self.actor.clone(),
            cause,
            body,
        };
        self.state.evolve(&event);
        bugs::trip(|| format!("{:?}", event.body));
        self.events.push(event);
        position
    }

    /// Records that something happens now.
    fn emit(&mut self, cause: Cause, body: EventBody) -> u64 {
        self.emit_at(self.now, cause, body)
    }

    /// Records that something happens to an incident now.
    fn emit_incident(&mut self, cause: Cause, incident: IncidentId, what: IncidentWhat) -> u64 {
        self.emit(cause, EventBody::Incident(IncidentEvent { incident, what }))
    }

    /// Records that something is done about an incident now.
    fn emit_response(&mut self, cause: Cause, incident: IncidentId, what: Response) -> u64 {
        self.emit_incident(cause, incident, IncidentWhat::Response(what))
    }

    /// Notes what Tocsin has to say about an incident: nobody else said it, whosever request it follows from.
    fn say(&mut self, cause: Cause, incident: IncidentId, text: String) {
        let asks = std::mem::replace(&mut self.actor, Actor::System);
        self.emit_incident(cause, incident, IncidentWhat::noted(text));
        self.actor = asks;
    }

    fn evidence_frozen(
        &mut self,
        incident: IncidentId,
        sha256: String,
        bytes: u64,
    ) -> Result<(), Refusal> {
        let Some(known) = self.state.incidents.get(&incident) else {
            return Err(Refusal::not_found(format!("incident {incident}")));
        };
        if known.is_open() {
            return Err(Refusal::conflict(
                "the incident is open again: its evidence will be frozen at the next resolve",
            ));
        }
        if known.evidence.as_ref() != Some(&sha256) {
            self.emit_incident(
                Cause::Request,
                incident,
                IncidentWhat::EvidenceFrozen { sha256, bytes },
            );
        }
        Ok(())
    }
}

/// Refuses text that is empty, longer than `max` characters, or holds control characters other than newline and tab.
fn text_within(field: &str, text: &str, max: usize) -> Result<String, Refusal> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Refusal::invalid(format!("{field}: must not be empty")));
    }
    if text.chars().count() > max {
        return Err(Refusal::invalid(format!(
            "{field}: at most {max} characters"
        )));
    }
    if text
        .chars()
        .any(|character| character.is_control() && character != '\n' && character != '\t')
    {
        return Err(Refusal::invalid(format!("{field}: no control characters")));
    }
    Ok(text.to_owned())
}

/// The same of what is to be read: what cannot be seen is as good as empty. The rest is kept as it was written.
fn seen_within(field: &str, text: &str, max: usize) -> Result<String, Refusal> {
    let text = if text::shows_nothing(text) { "" } else { text };
    text_within(field, text, max)
}

/// The same of what a person writes to be read, without what would turn the direction of the text around it.
fn prose_within(field: &str, text: &str, max: usize) -> Result<String, Refusal> {
    let text = text::without_turns(text);
    seen_within(field, text::trimmed(&text), max)
}

/// The same of a title, which is one line wherever it is shown: in subjects, in messages, in lists.
fn line_within(field: &str, text: &str, max: usize) -> Result<String, Refusal> {
    Ok(prose_within(field, text, max)?.replace(['\n', '\t'], " "))
}

/// The same of the title that a sender gives an alert: because nothing of it can be seen, no alert is refused.
fn title_of_alert(field: &str, text: &str, max: usize) -> Result<String, Refusal> {
    if !text.trim().is_empty() && text::shows_nothing(text) {
        return Ok(text::NO_TITLE.to_owned());
    }
    line_within(field, text, max)
}

/// The same of a name, which holds nothing either that turns the direction of the text around it: it would read as another name.
fn name_within(field: &str, name: &str, max: usize) -> Result<String, Refusal> {
    if name.chars().any(text::turns) {
        return Err(Refusal::invalid(format!(
            "{field}: no characters that turn the direction of text"
        )));
    }
    text_within(field, text::trimmed(name), max)
}

/// Refuses what is said of something when nobody reads that much.
fn said_within<'a>(
    field: &str,
    texts: impl IntoIterator<Item = &'a String>,
) -> Result<(), Refusal> {
    let mut texts = texts.into_iter();
    if texts.any(|text| text.chars().count() > DESCRIPTION_CHARS_MAX) {
        return Err(Refusal::invalid(format!(
            "{field}: at most {DESCRIPTION_CHARS_MAX} characters"
        )));
    }
    Ok(())
}
