//! A second book, kept from the journal's events alone: who may be paged for what, and what is owed. It shares no code with
//! the core's decisions or its state, and checks each event as it comes.

mod alert;
mod attempt;
mod clock;
mod cover;
mod due;
mod given;
mod gone;
mod group;
mod hours;
mod incident;
mod labelled;
mod late;
mod letter;
mod level;
mod planned;
mod pulse;
mod receipt;
mod redraw;
mod response;
mod roster;
mod rules;
mod signed;
#[cfg(test)]
mod tests;
mod turn;
mod wait;

use std::collections::{BTreeMap, BTreeSet};

use tocsin_domain::event::{Event, EventBody, InputEvent};
use tocsin_domain::id::{
    AlertId, ContactMethodId, HeartbeatId, IncidentId, IntegrationId, MaintenanceId, MonitorId,
    NotificationId, PolicyId, RuleId, ScheduleId, SecretId, ServiceId, TargetId, TeamId, UserId,
};
use tocsin_domain::intake::Rule;
use tocsin_domain::monitor::Severity;
use tocsin_domain::oncall::Schedule;
use tocsin_domain::page::{Fate, Policy, Purpose, Recipient};
use tocsin_domain::people::{ChannelKind, Urgency};
use tocsin_domain::service::Service;
use tocsin_domain::time::Timestamp;

use self::alert::{Alert, Answers, Burning};
pub(crate) use self::cover::Work;
use self::group::Groups;
use self::late::Tried;
pub(crate) use self::pulse::Pulse;
use self::turn::Turn;

use crate::check::{Check, Violation};
use crate::sender::Told;

/// Everything that the events say.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Position of the last event.
    pub(crate) position: u64,
    pub(crate) people: BTreeMap<UserId, Person>,
    pub(crate) fallback: Vec<UserId>,
    pub(crate) default_policy: Option<PolicyId>,
    pub(crate) default_service: Option<ServiceId>,
    pub(crate) policies: BTreeMap<PolicyId, Policy>,
    /// From which of its targets on the next page of a level in turn goes; from the first one where nobody was paged by it yet.
    turns: BTreeMap<(PolicyId, usize), Turn>,
    pub(crate) schedules: BTreeMap<ScheduleId, Schedule>,
    /// Which of the exchanges of a schedule that has any hold.
    holding: BTreeMap<ScheduleId, Vec<bool>>,
    /// Schedules that were changed since somebody looked up who has duty by them.
    pub(crate) redrawn: BTreeSet<ScheduleId>,
    pub(crate) services: BTreeMap<ServiceId, Service>,
    /// The rules of the installation.
    pub(crate) rules: Vec<Rule>,
    /// Planned work and silences.
    pub(crate) work: BTreeMap<MaintenanceId, Work>,
    /// When it was looked up last when work comes again.
    looked_ahead_at: Option<Timestamp>,
    /// Jobs that must call in.
    pub(crate) pulses: BTreeMap<HeartbeatId, Pulse>,
    /// Since all was well last, Tocsin was started or could keep nothing.
    pub(crate) is_deaf: bool,
    groups: Groups,
    /// Until when something with these labels failed, as is told in this step.
    ends_told: BTreeMap<String, Timestamp>,
    /// Incidents that persons say in this step are over, and those that they say are not.
    resolving: BTreeSet<IncidentId>,
    reopening: BTreeSet<IncidentId>,
    /// When it was looked at last whether support hours have begun.
    hours_looked_at: Option<Timestamp>,
    /// Nobody listened for a while until then.
    absent_at: Option<Timestamp>,
    /// The alert that the last event about alerts opened.
    last_opened: Option<AlertId>,
    /// Which reasons to wait the monitors saw, as they said.
    answers: Answers,
    pub(crate) teams: BTreeMap<TeamId, Vec<UserId>>,
    pub(crate) integrations: BTreeMap<IntegrationId, ServiceId>,
    pub(crate) targets: BTreeMap<TargetId, Target>,
    pub(crate) monitors: BTreeMap<MonitorId, Monitor>,
    pub(crate) alerts: BTreeMap<AlertId, Alert>,
    pub(crate) cases: BTreeMap<IncidentId, Case>,
    pub(crate) open: BTreeSet<IncidentId>,
    pub(crate) letters: BTreeMap<NotificationId, Letter>,
    /// What each message tells along.
    together: BTreeMap<NotificationId, BTreeSet<NotificationId>>,
    /// By which ways those who were chosen in this step are still to be paged, and after how many milliseconds.
    unplanned: BTreeMap<(IncidentId, ContactMethodId), u64>,
    /// Positions of events after which another way to the same person may be used.
    given_up: BTreeSet<u64>,
    /// What the sender told of attempts whose end was not journalled then.
    told: BTreeMap<(NotificationId, u32), Vec<Told>>,
    /// Pages, and calls for help, by each way: those that their people have read, or may have, and were not told since that it is
    /// over.
    read: BTreeMap<ContactMethodId, BTreeSet<NotificationId>>,
    /// Those of them whose people are to be told that in this step.
    untold: BTreeSet<NotificationId>,
    /// What is due when.
    due: BTreeSet<(Timestamp, Subject)>,
    due_of: BTreeMap<Subject, Timestamp>,
    /// Incidents that somebody who was removed had, or was alone paged for, and which are looked at after the step.
    orphans: BTreeMap<IncidentId, UserId>,
    /// Cases whose present standing is looked at after the step.
    touched: BTreeSet<IncidentId>,
    /// Attempts that were started by the events of this step.
    pub(crate) started: Vec<(NotificationId, u32)>,
    /// Addresses and their owners, removed ones too: an address is never given to another.
    pub(crate) owners: BTreeMap<SecretId, UserId>,
    /// How far the events said that the clock was set back, since this was taken last.
    pub(crate) told_back_ms: u64,
    /// Incidents that were urgent at some time.
    pub(crate) urgent: u64,
    /// After so many events a step may leave what else is owed to the next one.
    step_events: u64,
    /// Position of the last event of the step before.
    stepped_to: u64,
    /// Steps in a row that made so many events.
    full_steps: u32,
    wrong: Vec<Violation>,
}

/// Somebody.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) methods: BTreeMap<ContactMethodId, Method>,
    /// What their rules say: after how many milliseconds which way is used.
    pub(crate) rules: Vec<(Urgency, u64, ContactMethodId)>,
}

/// One way to reach somebody.
#[derive(Clone, Debug)]
pub(crate) struct Method {
    pub(crate) is_verified: bool,
    /// Whether it carries word that is no page.
    pub(crate) carries_words: bool,
}

/// A watched server.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) host: String,
    /// The service that it belongs to.
    service: ServiceId,
    pub(crate) muted_until: Option<Timestamp>,
    pub(crate) maintenance: BTreeMap<MaintenanceId, (Timestamp, Timestamp)>,
}

/// A monitor.
#[derive(Clone, Debug)]
pub(crate) struct Monitor {
    pub(crate) slug: String,
    pub(crate) enabled: bool,
    name: String,
    severity: Severity,
    /// How long each of its reasons to wait lasts, and how many returns it covers.
    pub(crate) holds: Vec<(u64, u32)>,
}

/// An incident.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) number: u64,
    pub(crate) service: ServiceId,
    pub(crate) target: Option<TargetId>,
    pub(crate) standing: Standing,
    /// What it is about, as its events say.
    severity: Severity,
    urgency: Urgency,
    firing: BTreeMap<AlertId, Burning>,
    /// Alerts that were ever put into it, or came with what was merged into it.
    pub(crate) members: u32,
    /// The last one that was put into it.
    newest: Option<AlertId>,
    /// How often what pages came back, since it was last stable.
    returns: u32,
    /// When the last of what pages ended, as far as is known.
    ended_at: Option<Timestamp>,
    /// It may be held back as what comes and goes: what was merged into it was.
    may_flap: bool,
    opened_at: Timestamp,
    /// When somebody was first chosen since it was to be paged for anew, or waited.
    pub(crate) reached_at: Option<Timestamp>,
    /// A person has done something that pages now, whatever waits.
    is_pressed: bool,
    /// Whether one of its alerts was one of those that only we may end.
    pub(crate) own_judge: bool,
    healthy_since: Option<Timestamp>,
    /// Since when it is over.
    over_since: Option<Timestamp>,
    pub(crate) wait: Wait,
    /// The policy of the level that was reached last.
    walked: Option<PolicyId>,
    /// Whom the levels name that it went by in this round.
    went_by: Vec<Recipient>,
    /// From where that policy is gone on with, as it was changed since.
    goes_on: Option<usize>,
    /// Where the level that was reached stands in it by then.
    stands: Option<usize>,
    /// Position of that level.
    level_event: u64,
    /// Whose turn it was on the level that was reached last, if that pages one in turn.
    turn: Option<Turn>,
    /// Who was given it, or chosen for it since: what is under way to somebody may go another way later.
    chosen: BTreeSet<UserId>,
    /// Who was chosen on the level, or in the round of the fallback list, that was reached last.
    asked: BTreeSet<UserId>,
    /// Whether somebody was told to be chosen since it was to be paged for anew, and a provider accepted a page since.
    pub(crate) is_paged: bool,
    is_urgent: bool,
    /// Who did their part, where each must acknowledge.
    spared: BTreeSet<UserId>,
    /// Who took it since it began or was triggered again.
    takers: BTreeSet<UserId>,
    /// Who has said since then that they take it or their part of it, one after the other, and not that they do not come.
    signed: Vec<UserId>,
    /// When whoever has it is asked again.
    taken_until: Option<Timestamp>,
    snoozed_until: Option<Timestamp>,
    /// Position of the event by which it was given away last.
    given_event: u64,
    /// The people that it was given to by name.
    given_to: Vec<UserId>,
    /// The policy that it was given to.
    given_policy: Option<PolicyId>,
    /// A person said that it is not urgent.
    is_quieted: bool,
    /// A person said that it is.
    is_loud: bool,
    /// It is held back for some time, and not until a time of the day.
    is_flapping: bool,
    /// Who was asked to help with it, and whether they answered.
    helpers: BTreeMap<UserId, bool>,
    /// Who has it, unless it was triggered since.
    taker: Option<UserId>,
    /// Who was asked to help with what was merged into it, has not answered, and is to be asked about this.
    unasked: BTreeSet<UserId>,
    /// Others were merged into it.
    is_merged: bool,
    /// What was merged into it last is critical, and whether its pages hurry was not looked at since.
    is_hurried: bool,
    /// It goes on in this one.
    merged_into: Option<IncidentId>,
    /// Pages that are due or under way.
    active: BTreeSet<NotificationId>,
}

/// Who has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nobody.
    Triggered,
    /// Somebody.
    Taken,
    /// It is over.
    Over,
}

/// What comes next for an incident that nobody has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// Its first page, at once.
    Nothing,
    /// Its first page, then.
    Hold(Timestamp),
    /// Its page, once its target is no longer quiet or it has stopped to come and go.
    Quiet(Timestamp),
    /// The next level.
    Level {
        level: usize,
        round: u32,
        is_fallback: bool,
        next_at: Timestamp,
    },
}

/// A message.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) purpose: Purpose,
    pub(crate) user: UserId,
    pub(crate) method: ContactMethodId,
    pub(crate) attempts: u32,
    /// Position of the event by which it was planned.
    position: u64,
    planned_at: Timestamp,
    state: LetterState,
    pub(crate) channel: ChannelKind,
    /// What its provider said of the last attempt after it took it.
    receipt: Option<Fate>,
    /// What is known of each attempt.
    tries: BTreeMap<u32, Tried>,
    /// Attempts, and accounts within them, after which a repeat is right although a provider may have taken it.
    pub(crate) unanswered: u32,
    /// The last attempt that ended left it to the next account.
    is_left: bool,
    /// Attempts that were not made although they were wanted.
    untried: u32,
    /// Attempts that were not made since nobody wanted them any more: they cost nothing.
    moot: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LetterState {
    Due(Timestamp),
    /// Another message tells it.
    Together(NotificationId),
    Sending(Timestamp),
    /// A provider took it then and owes word of what became of it.
    Owed(Timestamp),
    Over,
}

impl LetterState {
    /// Whether it is not to be sent any more.
    const fn is_over(self) -> bool {
        match self {
            Self::Owed(_) | Self::Over => true,
            Self::Due(_) | Self::Together(_) | Self::Sending(_) => false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Case(IncidentId),
    Alert(AlertId),
    Letter(NotificationId),
    Pulse(HeartbeatId),
}

impl Ledger {
    /// A book of an engine that may leave what else is owed to its next step after so many events.
    pub(crate) fn with_steps_of(events: u64) -> Self {
        Self {
            step_events: events,
            ..Self::default()
        }
    }

    /// Reads one event, in the order of the journal.
    pub(crate) fn see(&mut self, event: &Event) {
        self.position += 1;
        if event.position != self.position {
            let what = format!("event {} stands at place {}", event.position, self.position);
            self.find(Check::Durable, event.recorded_at, what);
        }
        match &event.body {
            EventBody::Installation(what) => self.see_installation(what),
            EventBody::People(what) => self.see_people(what, event.at),
            EventBody::Roster(what) => self.see_roster(what, event),
            EventBody::Watch(what) => self.see_watch(what),
            EventBody::Alert(what) => self.see_alert(what, event),
            EventBody::Incident(what) => self.see_incident(what, event),
            EventBody::Notification(what) => {
                self.see_letter(what, event);
                self.see_late(what, event);
            }
            EventBody::Input(InputEvent::Dropped { rule, .. }) => self.see_dropped(*rule, event.at),
            EventBody::Input(InputEvent::Ignored { .. } | InputEvent::Changed { .. }) => {}
        }
    }

    /// What was found wrong first.
    pub(crate) fn first_wrong(&self) -> Option<&Violation> {
        self.wrong.first()
    }

    pub(crate) fn find(&mut self, check: Check, at: Timestamp, what: String) {
        self.wrong.push(Violation { check, at, what });
    }

    /// Only a rule that throws alerts away does so.
    fn see_dropped(&mut self, rule: RuleId, at: Timestamp) {
        let of_services = self.services.values().flat_map(|one| &one.intake.rules);
        let mut known = self.rules.iter().chain(of_services);
        if !known.any(|one| one.id == rule && rules::drops(one)) {
            let what = format!("an alert was thrown away by the rule {rule}");
            self.find(Check::RightRuling, at, what);
        }
    }
}

impl Case {
    /// The worst that pages and fails now.
    fn worst(&self) -> Option<Severity> {
        let urgent = self.firing.values();
        urgent.filter_map(|one| one.loudest).max()
    }

    fn burns(&self) -> bool {
        self.asking().next().is_some()
    }

    /// One of the alerts that fail now.
    pub(crate) fn some_alert(&self) -> Option<AlertId> {
        self.firing.keys().next().copied()
    }

    /// What somebody has to be reached for now: what pages, or whatever fails where a person said that it is urgent.
    fn asking(&self) -> impl Iterator<Item = AlertId> {
        let asks = |one: &Burning| self.is_loud || one.urgency == Urgency::High;
        let firing = self.firing.iter();
        firing.filter(move |(_, one)| asks(one)).map(|(id, _)| *id)
    }

    /// Whether it waits whether it is over by then.
    const fn is_held(&self) -> bool {
        matches!(self.wait, Wait::Hold(_))
    }

    /// Whether somebody has to be reached for it now.
    pub(crate) fn is_wanting(&self) -> bool {
        self.burns() && self.is_unanswered()
    }

    /// Whether nobody has it and nothing holds its pages back; it may be healthy at this moment.
    fn is_unanswered(&self) -> bool {
        let wakes_nobody = self.urgency == Urgency::Low && !self.burns();
        let is_quiet = self.is_quieted || wakes_nobody || matches!(self.wait, Wait::Quiet(_));
        self.standing == Standing::Triggered && !is_quiet
    }
}

impl Person {
    pub(crate) fn is_reachable(&self) -> bool {
        self.methods.values().any(|method| method.is_verified)
    }

    /// Whether they can be told something that is no page.
    fn can_be_told(&self) -> bool {
        let mut methods = self.methods.values();
        methods.any(|method| method.is_verified && method.carries_words)
    }
}
