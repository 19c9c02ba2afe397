//! What the second book finds wrong where no world gets to in its few days, or where it must not be taken for right.

mod accounts;
mod given;
mod signed;

use tocsin_domain::event::{
    Actor, Cause, Event, EventBody, IncidentEvent, IncidentWhat, NotificationEvent,
    NotificationWhat, RosterEvent,
};
use tocsin_domain::id::{
    ContactMethodId, IncidentId, NotificationId, PolicyId, ScheduleId, ServiceId, TeamId, UserId,
};
use tocsin_domain::monitor::Severity;
use tocsin_domain::numbers::Numbers;
use tocsin_domain::page::{
    Delivery, Fate, Level, Notification, Outcome, Policy, Purpose, Recipient,
};
use tocsin_domain::people::ChannelKind;
use tocsin_domain::time::Timestamp;

use super::{Ledger, Method, Person};
use crate::check::Check;
use crate::random::Random;

const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 86_400_000;
const START: Timestamp = Timestamp::from_millis(1_723_950_000_000);

impl Ledger {
    fn read(&mut self, at: Timestamp, body: EventBody) {
        self.see(&Event {
            position: self.position + 1,
            at,
            recorded_at: at,
            actor: Actor::System,
            cause: Cause::Request,
            body,
        });
    }
}

/// Whether the book minds that the end of an incident, which does not get through to a system that keeps it too, is tried again
/// then, after an attempt that failed so long after the end. In milliseconds after the end.
fn minds_repeat(failed_after: u64, again_after: Option<u64>) -> bool {
    minds_repeat_to(true, failed_after, again_after)
}

/// The same of a system whose person is still there, or was removed.
fn minds_repeat_to(is_there: bool, failed_after: u64, again_after: Option<u64>) -> bool {
    let mut random = Random::new(7);
    let incident = IncidentId::random(&mut random);
    let message = Notification {
        id: NotificationId::random(&mut random),
        purpose: Purpose::Resolved(incident),
        user: UserId::random(&mut random),
        contact_method: ContactMethodId::random(&mut random),
        channel: ChannelKind::PagerDuty,
        level: None,
        planned_at: START,
        why: String::new(),
        state: Delivery::Due { at: START },
        attempts: Vec::new(),
        last_event: 0,
        instead_of: None,
        planned_event: None,
    };
    let opened = IncidentWhat::Opened {
        number: 1,
        team: TeamId::random(&mut random),
        service: ServiceId::random(&mut random),
        target: None,
        title: String::new(),
        severity: Severity::Critical,
        onset: None,
    };
    let resolved = IncidentWhat::Resolved { why: String::new() };
    let notification = message.id;
    let failed = NotificationWhat::AttemptFinished {
        not_tried: false,
        moot: false,
        number: 1,
        outcome: Outcome::Failed,
        detail: String::new(),
        retry_at: again_after.map(|ms| START.plus_ms(ms)),
        reference: None,
        via: None,
    };
    let mut ledger = Ledger::default();
    if is_there {
        ledger.people.insert(message.user, person_with(&message));
    }
    for what in [opened, resolved] {
        let event = IncidentEvent { incident, what };
        ledger.read(START, EventBody::Incident(event));
    }
    let failed_at = START.plus_ms(failed_after);
    for (at, what) in [
        (START, NotificationWhat::Planned { message }),
        (failed_at, NotificationWhat::AttemptStarted { number: 1 }),
        (failed_at, failed),
    ] {
        let event = NotificationEvent {
            notification,
            incident: Some(incident),
            what,
        };
        ledger.read(at, EventBody::Notification(event));
    }
    let mut wrong = ledger.wrong.iter();
    wrong.any(|wrong| wrong.what.contains("a repeat is owed"))
}

#[test]
fn news_to_another_system_is_tried_on_for_a_day_and_no_longer() {
    let late = DAY_MS - 10 * MINUTE_MS;
    assert!(!minds_repeat(late, Some(DAY_MS)));
    assert!(minds_repeat(late, Some(DAY_MS + 1)));
    assert!(!minds_repeat(late, None));
    assert!(minds_repeat(10 * MINUTE_MS, None));
    assert!(!minds_repeat(10 * MINUTE_MS, Some(40 * MINUTE_MS)));
    assert!(minds_repeat(10 * MINUTE_MS, Some(40 * MINUTE_MS + 1)));
}

#[test]
fn what_was_under_way_to_whoever_was_removed_is_not_repeated() {
    assert!(!minds_repeat_to(false, 10 * MINUTE_MS, None));
    assert!(minds_repeat_to(false, 10 * MINUTE_MS, Some(40 * MINUTE_MS)));
}

#[test]
fn no_schedule_goes_that_a_policy_pages_and_no_service_on_which_something_fails() {
    let mut random = Random::new(9);
    let (schedule, service) = (
        ScheduleId::random(&mut random),
        ServiceId::random(&mut random),
    );
    let team = TeamId::random(&mut random);
    let policy = Policy {
        id: PolicyId::random(&mut random),
        team,
        given_to: None,
        name: String::new(),
        levels: vec![Level::of(MINUTE_MS, vec![Recipient::Schedule(schedule)])],
        repeat: 0,
        acknowledgement_timeout_ms: None,
        description: String::new(),
        level_numbers: Numbers::default(),
    };
    let incident = IncidentId::random(&mut random);
    let what = IncidentWhat::Opened {
        number: 1,
        team,
        service,
        target: None,
        title: String::new(),
        severity: Severity::Critical,
        onset: None,
    };
    let found_after = |before: EventBody, gone: RosterEvent| {
        let mut ledger = Ledger::default();
        ledger.read(START, before);
        ledger.read(START, EventBody::Roster(gone));
        ledger.first_wrong().map(|wrong| wrong.check)
    };
    let set = EventBody::Roster(RosterEvent::PolicySet { policy });
    let gone = RosterEvent::ScheduleRemoved { schedule };
    assert_eq!(found_after(set.clone(), gone), Some(Check::RightLevel));
    let opened = EventBody::Incident(IncidentEvent { incident, what });
    let gone = RosterEvent::ServiceRemoved { service };
    assert_eq!(
        found_after(opened, gone.clone()),
        Some(Check::NothingHidden)
    );
    assert_eq!(found_after(set, gone), None);
}

/// What happens to a page and to its incident.
type Happens = fn(IncidentId, &Notification) -> EventBody;

/// Whoever gets a message, with the way that it goes by.
fn person_with(message: &Notification) -> Person {
    let method = Method {
        is_verified: true,
        carries_words: true,
    };
    Person {
        methods: [(message.contact_method, method)].into(),
        rules: Vec::new(),
    }
}

/// Whether the book minds that nobody is told of the end, after an attempt of a page began and this happened.
fn minds_untold(happens: &[Happens]) -> bool {
    minds("was not told that", happens)
}

/// Whether the book says so after an attempt of a page began and this happened, all at one instant.
fn minds(says: &str, happens: &[Happens]) -> bool {
    let mut random = Random::new(11);
    let incident = IncidentId::random(&mut random);
    let page = Notification {
        id: NotificationId::random(&mut random),
        purpose: Purpose::Page(incident),
        user: UserId::random(&mut random),
        contact_method: ContactMethodId::random(&mut random),
        channel: ChannelKind::Webhook,
        level: Some(0),
        planned_at: START,
        why: String::new(),
        state: Delivery::Due { at: START },
        attempts: Vec::new(),
        last_event: 0,
        instead_of: None,
        planned_event: None,
    };
    let mut ledger = Ledger::with_steps_of(1_000);
    ledger.people.insert(page.user, person_with(&page));
    let opened = IncidentWhat::Opened {
        number: 1,
        team: TeamId::random(&mut random),
        service: ServiceId::random(&mut random),
        target: None,
        title: String::new(),
        severity: Severity::Critical,
        onset: None,
    };
    let message = page.clone();
    for body in [
        about(incident, opened),
        of(&page, NotificationWhat::Planned { message }),
        of(&page, NotificationWhat::AttemptStarted { number: 1 }),
    ] {
        ledger.read(START, body);
    }
    for what in happens {
        ledger.read(START, what(incident, &page));
    }
    ledger.end_step(START, true);
    let mut wrong = ledger.wrong.iter();
    wrong.any(|wrong| wrong.what.contains(says))
}

fn about(incident: IncidentId, what: IncidentWhat) -> EventBody {
    EventBody::Incident(IncidentEvent { incident, what })
}

fn of(message: &Notification, what: NotificationWhat) -> EventBody {
    EventBody::Notification(NotificationEvent {
        notification: message.id,
        incident: message.purpose.incident(),
        what,
    })
}

fn ends(page: &Notification, outcome: Outcome) -> EventBody {
    let what = NotificationWhat::AttemptFinished {
        not_tried: false,
        moot: false,
        number: 1,
        outcome,
        detail: String::new(),
        retry_at: None,
        reference: None,
        via: None,
    };
    of(page, what)
}

fn receipt(page: &Notification, fate: Fate) -> EventBody {
    let what = NotificationWhat::Receipt {
        number: 1,
        fate,
        detail: String::new(),
    };
    of(page, what)
}

fn told(page: &Notification, purpose: Purpose) -> EventBody {
    let message = Notification {
        id: NotificationId::random(&mut Random::new(12)),
        purpose,
        ..page.clone()
    };
    let planned = NotificationWhat::Planned {
        message: message.clone(),
    };
    of(&message, planned)
}

const ACCEPTED: Happens = |_, page| ends(page, Outcome::Accepted);
const TIMED_OUT: Happens = |_, page| ends(page, Outcome::TimedOut);
const UNANSWERED: Happens = |_, page| ends(page, Outcome::Unanswered);
const FAILED: Happens = |_, page| ends(page, Outcome::Failed);
const REFUSED: Happens = |_, page| ends(page, Outcome::Refused);
const DELIVERED: Happens = |_, page| receipt(page, Fate::Delivered);
const LOST: Happens = |_, page| receipt(page, Fate::Failed);
const TAKEN_BACK: Happens = |_, page| {
    let why = String::new();
    of(page, NotificationWhat::Cancelled { why })
};
const OVER: Happens = |incident, _| {
    let why = String::new();
    about(incident, IncidentWhat::Resolved { why })
};
const BACK: Happens = |incident, _| {
    let back = IncidentWhat::Relapsed {
        reopened: true,
        pages: true,
        urgent: true,
        afresh: false,
        failing: None,
        by_hand: true,
    };
    about(incident, back)
};
const TOLD: Happens = |incident, page| told(page, Purpose::Resolved(incident));
const TOLD_OTHERWISE: Happens = |incident, page| told(page, Purpose::Acknowledged(incident));

#[test]
fn what_is_on_its_way_is_not_taken_back() {
    let says = "it was taken back while it was on its way";
    assert!(minds(says, &[TAKEN_BACK]));
    assert!(!minds(says, &[FAILED, TAKEN_BACK]));
}

#[test]
fn whoever_gets_a_page_when_it_is_over_is_to_be_told_that_by_the_same_way_unless_it_is_back() {
    for ends in [ACCEPTED, TIMED_OUT, UNANSWERED] {
        assert!(minds_untold(&[OVER, ends]));
        assert!(!minds_untold(&[OVER, ends, TOLD]));
        assert!(minds_untold(&[OVER, ends, TOLD_OTHERWISE]));
        assert!(!minds_untold(&[OVER, ends, BACK]));
    }
    assert!(!minds_untold(&[OVER, FAILED]));
    assert!(!minds_untold(&[OVER, REFUSED]));
    assert!(!minds_untold(&[OVER]), "it is under way");
}

#[test]
fn whoever_may_have_got_a_page_before_it_was_over_is_to_be_told_that_too() {
    for ends in [ACCEPTED, TIMED_OUT, UNANSWERED] {
        assert!(!minds_untold(&[ends]));
        assert!(minds_untold(&[ends, OVER]));
        assert!(!minds_untold(&[ends, OVER, TOLD]));
        assert!(!minds_untold(&[ends, OVER, BACK]));
        assert!(!minds_untold(&[ends, LOST, OVER]));
    }
    assert!(!minds_untold(&[FAILED, OVER]));
    assert!(!minds_untold(&[REFUSED, OVER]));
}

#[test]
fn whoever_is_known_to_have_got_a_page_only_when_it_is_over_is_to_be_told_that_once() {
    assert!(minds_untold(&[FAILED, OVER, DELIVERED]));
    assert!(!minds_untold(&[FAILED, OVER, DELIVERED, TOLD]));
    assert!(!minds_untold(&[TIMED_OUT, OVER, TOLD, DELIVERED]));
    assert!(!minds_untold(&[OVER, DELIVERED]), "it is under way");
    assert!(minds_untold(&[OVER, DELIVERED, FAILED]));
}
