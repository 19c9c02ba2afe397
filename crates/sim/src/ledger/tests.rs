//! What the second book finds wrong where no world gets to in its few days.

use tocsin_domain::event::{
    Actor, Cause, Event, EventBody, IncidentEvent, IncidentWhat, NotificationEvent,
    NotificationWhat, RosterEvent,
};
use tocsin_domain::id::{
    ContactMethodId, IncidentId, NotificationId, PolicyId, ScheduleId, ServiceId, TeamId, UserId,
};
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::{Delivery, Level, Notification, Outcome, Policy, Purpose, Recipient};
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
        number: 1,
        outcome: Outcome::Failed,
        detail: String::new(),
        retry_at: again_after.map(|ms| START.plus_ms(ms)),
        reference: None,
    };
    let mut ledger = Ledger::default();
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
        name: String::new(),
        levels: vec![Level::of(MINUTE_MS, vec![Recipient::Schedule(schedule)])],
        repeat: 0,
        acknowledgement_timeout_ms: None,
        description: String::new(),
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

/// Whether the book minds that a page which ends so, when its incident is over, is followed by this at the same instant.
fn minds_late(ends: Outcome, then: impl Fn(IncidentId, &Notification) -> Vec<EventBody>) -> bool {
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
    };
    let mut ledger = Ledger::with_steps_of(1_000);
    let method = Method { is_verified: true };
    let person = Person {
        methods: [(page.contact_method, method)].into(),
    };
    ledger.people.insert(page.user, person);
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
    let finished = NotificationWhat::AttemptFinished {
        not_tried: false,
        number: 1,
        outcome: ends,
        detail: String::new(),
        retry_at: None,
        reference: None,
    };
    let message = page.clone();
    for body in [
        about(incident, opened),
        of(&page, NotificationWhat::Planned { message }),
        of(&page, NotificationWhat::AttemptStarted { number: 1 }),
        about(incident, resolved),
        of(&page, finished),
    ] {
        ledger.read(START, body);
    }
    for body in then(incident, &page) {
        ledger.read(START, body);
    }
    ledger.end_step(START, true);
    let mut wrong = ledger.wrong.iter();
    wrong.any(|wrong| wrong.what.contains("was not told that"))
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

#[test]
fn whoever_gets_a_page_when_it_is_over_is_to_be_told_that_by_the_same_way_unless_it_is_back() {
    let nothing = |_: IncidentId, _: &Notification| Vec::new();
    let told_by = |purpose: fn(IncidentId) -> Purpose| {
        move |incident, page: &Notification| {
            let message = Notification {
                id: NotificationId::random(&mut Random::new(12)),
                purpose: purpose(incident),
                ..page.clone()
            };
            let planned = NotificationWhat::Planned {
                message: message.clone(),
            };
            vec![of(&message, planned)]
        }
    };
    let reopened = |incident, _: &Notification| {
        let back = IncidentWhat::Relapsed {
            reopened: true,
            pages: true,
            urgent: true,
            afresh: false,
            failing: None,
            by_hand: true,
        };
        vec![about(incident, back)]
    };
    for ends in [Outcome::Accepted, Outcome::TimedOut, Outcome::Unanswered] {
        assert!(minds_late(ends, nothing), "{ends:?}");
        assert!(!minds_late(ends, told_by(Purpose::Resolved)), "{ends:?}");
        assert!(minds_late(ends, told_by(Purpose::Acknowledged)), "{ends:?}");
        assert!(!minds_late(ends, reopened), "{ends:?}");
    }
    assert!(!minds_late(Outcome::Refused, nothing));
}
