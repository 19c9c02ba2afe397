//! Who would be contacted when, if a service failed at an instant and nobody answered. The real decisions run on a copy of the
//! state that holds no incidents, in virtual time, so that this can never disagree with what pages.

mod canary;

use std::collections::BTreeMap;

use crate::actor::Actor;
use crate::command::{AlertAsk, Ask, Command, Refusal, RuleFired};
use crate::decide::decide;
use crate::event::{Cause, Event, EventBody, IncidentWhat, NotificationEvent, NotificationWhat};
use crate::id::{ContactMethodId, Entropy, NotificationId, PolicyId, ServiceId, TargetId, UserId};
use crate::monitor::Severity;
use crate::page::{Outcome, Purpose};
use crate::people::{ChannelKind, Urgency};
use crate::state::State;
use crate::target::Quiet;
use crate::time::Timestamp;

pub use canary::Canary;

/// How far ahead is looked.
const AHEAD_MS: u64 = 24 * 3_600_000;
/// How often the list of last resort is reached before it is clear how it goes on.
const FALLBACKS: usize = 2;
/// Contacts that are told at most.
pub const CONTACTS_MAX: usize = 500;
/// What a failure that is played through is called.
const TITLE: &str = "simulated";
/// Instants at which something is due that are gone through at most.
const INSTANTS_MAX: usize = 4_000;

/// What is to be played through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The service that fails.
    pub service: ServiceId,
    /// Which of its targets the alert is of; none for one from outside, which no mute of a target holds back.
    pub target: Option<TargetId>,
    /// When.
    pub at: Timestamp,
    /// How loudly it asks.
    pub urgency: Urgency,
}

/// What would happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simulation {
    /// Everything that would happen, in order.
    pub steps: Vec<Step>,
    /// Why it ends there.
    pub end: End,
    /// Targets of the service of which nobody would be paged then although the service itself pages; none where one was asked for.
    pub quiet: Vec<QuietTarget>,
}

/// A target of which nobody is paged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuietTarget {
    /// Which one.
    pub target: TargetId,
    /// Why, and until when.
    pub quiet: Quiet,
}

/// Why a simulation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The list of last resort was reached twice: it goes on like that.
    Repeats,
    /// The time that is looked ahead has passed.
    Ahead,
    /// Nothing more happens: nobody (else) is contacted.
    Nothing,
    /// More happens than is told.
    TooMuch,
}

/// One thing that would happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Milliseconds after the failure.
    pub after_ms: u64,
    /// What.
    pub what: What,
}

/// What would happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A level of the policy is reached.
    Level {
        /// The policy.
        policy: Option<PolicyId>,
        /// The level, counted from 0.
        level: usize,
        /// How often the policy was walked through before.
        round: u32,
        /// Who is paged.
        people: Vec<UserId>,
        /// Who or what is passed over, and why.
        skipped: Vec<String>,
    },
    /// The list of last resort is paged.
    Fallback {
        /// Who is paged.
        people: Vec<UserId>,
        /// Why, with who or what was passed over.
        why: Vec<String>,
    },
    /// A message is sent to a person.
    Contact(Contact),
    /// The page waits.
    Held {
        /// Why.
        why: String,
        /// Milliseconds after the failure at which it goes out at the latest.
        until_ms: u64,
    },
    /// Nobody is paged although it is urgent.
    Suppressed {
        /// Why.
        why: String,
        /// Milliseconds after the failure at which somebody is.
        until_ms: u64,
    },
}

/// A message to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Who.
    pub user: UserId,
    /// By which contact method.
    pub method: ContactMethodId,
    /// By which transport.
    pub channel: ChannelKind,
    /// The level, counted from 0; none for whom it is given to, and for the list of last resort.
    pub level: Option<usize>,
    /// How often the policy was walked through before the level was reached from which this message follows; it may be sent when
    /// the policy is walked through again.
    pub round: u32,
    /// Why this person by this way.
    pub why: String,
}

/// Plays through what would happen if the service failed then, nobody answered, and every provider took every message.
///
/// # Errors
/// There is no such service or it has no such target, or nobody has set Tocsin up.
pub fn simulate(state: &State, wanted: &Wanted) -> Result<Simulation, Refusal> {
    let mut play = Play::on(state.without_incidents(), wanted.at, Counted(0));
    if !play.state.services.contains_key(&wanted.service) {
        return Err(Refusal::not_found(format!("service {}", wanted.service)));
    }
    if let Some(target) = wanted.target {
        let known = state.targets.get(&target);
        if known.is_none_or(|known| known.service != wanted.service) {
            let of = wanted.service;
            return Err(Refusal::not_found(format!(
                "target {target} of service {of}"
            )));
        }
    }
    play.ask(failure(wanted))?;
    let end = play.run(wanted.at.plus_ms(AHEAD_MS));
    Ok(Simulation {
        steps: play.steps,
        end,
        quiet: quiet_targets(state, wanted),
    })
}

/// The targets of the service that are muted or worked on for longer than the service itself.
fn quiet_targets(state: &State, wanted: &Wanted) -> Vec<QuietTarget> {
    if wanted.target.is_some() {
        return Vec::new();
    }
    let of_service = state.targets.values();
    let of_service = of_service.filter(|target| target.service == wanted.service);
    let quiet = of_service.filter_map(|known| {
        let target = known.id;
        let quiet = state.quiet_besides(wanted.service, target, wanted.at)?;
        Some(QuietTarget { target, quiet })
    });
    quiet.collect()
}

/// The failure of a service, or of one of its targets.
fn failure(wanted: &Wanted) -> Ask {
    let severity = match wanted.urgency {
        Urgency::High => Severity::Critical,
        Urgency::Low => Severity::Warning,
    };
    let text = || TITLE.to_owned();
    Ask::Alert(AlertAsk::RuleFired(Box::new(RuleFired {
        group: text(),
        rule: text(),
        service: Some(wanted.service),
        target: wanted.target,
        dedup_key: text(),
        severity,
        title: text(),
        summary: String::new(),
        details: Vec::new(),
        at: wanted.at,
        evidence: Vec::new(),
    })))
}

/// A simulation under way.
struct Play {
    state: State,
    entropy: Counted,
    from: Timestamp,
    now: Timestamp,
    /// Of the level that was reached last.
    round: u32,
    /// In which round the events are by which a message can be caused, by their positions.
    rounds: BTreeMap<u64, u32>,
    /// In which round a message was planned.
    planned_in: BTreeMap<NotificationId, u32>,
    fallbacks: usize,
    contacts: usize,
    steps: Vec<Step>,
    /// Attempts that wait for their provider.
    started: Vec<(NotificationId, u32)>,
}

impl Play {
    /// One that begins now, on a copy in which nothing fails yet.
    fn on(state: State, now: Timestamp, entropy: Counted) -> Self {
        Self {
            state,
            entropy,
            from: now,
            now,
            round: 0,
            rounds: BTreeMap::new(),
            planned_in: BTreeMap::new(),
            fallbacks: 0,
            contacts: 0,
            steps: Vec::new(),
            started: Vec::new(),
        }
    }

    fn run(&mut self, last: Timestamp) -> End {
        for _ in 0..INSTANTS_MAX {
            if self.contacts > CONTACTS_MAX {
                return End::TooMuch;
            }
            if self.fallbacks >= FALLBACKS {
                return End::Repeats;
            }
            if let Some((notification, number)) = self.started.pop() {
                let accepted = Ask::AttemptFinished {
                    notification,
                    number,
                    outcome: Outcome::Accepted,
                    detail: String::new(),
                    retry_after_ms: None,
                    reference: None,
                    via: None,
                };
                // Only an attempt that has ended meanwhile is refused.
                let _ = self.ask(accepted);
                continue;
            }
            let Some(due) = self.state.next_due() else {
                return End::Nothing;
            };
            if due > last {
                return End::Ahead;
            }
            self.now = self.now.max(due);
            // A tick is never refused.
            if !self.ask(Ask::Tick).unwrap_or_default() {
                return End::Nothing;
            }
        }
        End::TooMuch
    }

    /// Carries a command out; whether anything happened.
    fn ask(&mut self, ask: Ask) -> Result<bool, Refusal> {
        let command = Command {
            actor: Actor::System,
            ask,
        };
        let events = decide(&mut self.state, command, self.now, &mut self.entropy)?;
        events.iter().for_each(|event| self.note(event));
        Ok(!events.is_empty())
    }

    fn note(&mut self, event: &Event) {
        match &event.body {
            EventBody::Incident(incident) => {
                self.note_incident(&incident.what);
                self.rounds.insert(event.position, self.round);
            }
            EventBody::Notification(message) => {
                self.note_round(event, message);
                self.note_message(message);
            }
            EventBody::Installation(_)
            | EventBody::People(_)
            | EventBody::Roster(_)
            | EventBody::Watch(_)
            | EventBody::Alert(_)
            | EventBody::Input(_) => {}
        }
    }

    fn note_incident(&mut self, what: &IncidentWhat) {
        match what {
            IncidentWhat::LevelReached {
                policy,
                level,
                round,
                recipients,
                skipped,
                ..
            } => {
                self.round = *round;
                self.step(What::Level {
                    policy: *policy,
                    level: *level,
                    round: *round,
                    people: recipients.clone(),
                    skipped: skipped.clone(),
                });
            }
            IncidentWhat::FallbackReached {
                recipients, why, ..
            } => {
                self.fallbacks += 1;
                self.step(What::Fallback {
                    people: recipients.clone(),
                    why: why.clone(),
                });
            }
            IncidentWhat::PageHeld { hold } => {
                let (why, until_ms) = (hold.why.clone(), self.offset(hold.until));
                self.step(What::Held { why, until_ms });
            }
            IncidentWhat::PageSuppressed { why, until, .. } => {
                let (why, until_ms) = (why.clone(), self.offset(*until));
                self.step(What::Suppressed { why, until_ms });
            }
            IncidentWhat::Opened { .. }
            | IncidentWhat::Raised { .. }
            | IncidentWhat::UrgencySet { .. }
            | IncidentWhat::Response(_)
            | IncidentWhat::Acknowledged { .. }
            | IncidentWhat::NoteAdded { .. }
            | IncidentWhat::QuietEnded
            | IncidentWhat::Recovered { .. }
            | IncidentWhat::Relapsed { .. }
            | IncidentWhat::Resolved { .. }
            | IncidentWhat::EvidenceFrozen { .. } => {}
        }
    }

    /// A message belongs to the round of what caused it: of a level, or of a message that went another way before.
    fn note_round(&mut self, event: &Event, message: &NotificationEvent) {
        if let (NotificationWhat::Planned { .. }, Cause::Event { position }) =
            (&message.what, &event.cause)
        {
            let round = self.rounds.get(position).copied().unwrap_or(self.round);
            self.planned_in.insert(message.notification, round);
        }
        let round = self.round_of(message.notification);
        self.rounds.insert(event.position, round);
    }

    fn round_of(&self, message: NotificationId) -> u32 {
        let planned_in = self.planned_in.get(&message).copied();
        planned_in.unwrap_or(self.round)
    }

    fn note_message(&mut self, event: &NotificationEvent) {
        let Some(number) = event.what.begun() else {
            return;
        };
        self.started.push((event.notification, number));
        let Some(message) = self.state.notifications.get(&event.notification) else {
            return;
        };
        match message.purpose {
            Purpose::Page(_) | Purpose::Notice(_) => {}
            Purpose::Request(_)
            | Purpose::Resolved(_)
            | Purpose::Acknowledged(_)
            | Purpose::Test
            | Purpose::Word(_) => return,
        }
        let contact = Contact {
            user: message.user,
            method: message.contact_method,
            channel: message.channel,
            level: message.level,
            round: self.round_of(message.id),
            why: message.why.clone(),
        };
        self.contacts += 1;
        self.step(What::Contact(contact));
    }

    fn step(&mut self, what: What) {
        let after_ms = self.offset(self.now);
        self.steps.push(Step { after_ms, what });
    }

    fn offset(&self, at: Timestamp) -> u64 {
        at.ms_since(self.from)
    }
}

/// Ids of a simulation need only differ from each other; later ones are greater, so that what comes at one instant comes in the
/// order it was planned in.
pub(crate) struct Counted(pub(crate) u64);

impl Entropy for Counted {
    fn fill(&mut self, buffer: &mut [u8]) {
        self.0 += 1;
        let mut rest = self.0;
        for byte in buffer.iter_mut().rev() {
            *byte = rest.to_le_bytes()[0] & 31;
            rest >>= 5;
        }
    }
}
