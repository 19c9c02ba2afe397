//! Who is asked about, in which order, and which answers settle a question.

use tocsin_domain::command::{AlertAsk, Command, PeopleAsk, RespondAsk, RosterAsk};
use tocsin_domain::decide::decide;
use tocsin_domain::event::{Event, EventBody, RosterEvent};
use tocsin_domain::id::SecretId;
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::Outcome;
use tocsin_domain::people::Urgency;

use super::*;
use crate::delivery::counting::Counting;

/// Ada, who is reached by one channel.
struct World {
    state: State,
    entropy: Counting,
    now: Timestamp,
}

impl World {
    fn new() -> Self {
        Self::reached_by(ChannelKind::Pushover)
    }

    fn reached_by(kind: ChannelKind) -> Self {
        let mut world = Self {
            state: State::default(),
            entropy: Counting(0),
            now: Timestamp::from_millis(1_723_950_000_000),
        };
        let [email, address, pending_code] = [(); 3].map(|()| SecretId::random(&mut world.entropy));
        world.ask(Ask::SetUp {
            name: "Ada".to_owned(),
            email,
            time_zone: "UTC".to_owned(),
            key_hash: "00".to_owned(),
        });
        let user = *world.state.users.keys().next().unwrap();
        world.ask(Ask::People(PeopleAsk::AddContactMethod {
            user,
            kind,
            label: "Phone".to_owned(),
            address,
            signing_key: None,
            pending_code,
        }));
        let method = world.state.users[&user].contact_methods.last().unwrap().id;
        world.ask(Ask::People(PeopleAsk::VerifyContactMethod { user, method }));
        let rules = vec![(Urgency::High, 0, method)];
        world.ask(Ask::People(PeopleAsk::SetRules { user, rules }));
        world
    }

    /// Carries a command out, and what is due with it, as a step of the engine does.
    fn ask(&mut self, ask: Ask) -> Vec<Event> {
        let mut events = self.decide(ask);
        while self.state.next_due().is_some_and(|due| due <= self.now) {
            events.extend(self.decide(Ask::Tick));
        }
        events
    }

    fn decide(&mut self, ask: Ask) -> Vec<Event> {
        let actor = Actor::System;
        let command = Command { actor, ask };
        decide(&mut self.state, command, self.now, &mut self.entropy).unwrap()
    }

    /// A second later a service of its own fails, and the provider takes the page.
    fn fail(&mut self, number: usize) -> (IncidentId, NotificationId) {
        self.now = self.now.plus_ms(1_000);
        let set = self.ask(Ask::Roster(RosterAsk::SetService {
            id: None,
            name: format!("Service {number}"),
            policy: None,
        }));
        let service = set.iter().find_map(|event| {
            let EventBody::Roster(RosterEvent::ServiceSet { service }) = &event.body else {
                return None;
            };
            Some(service.id)
        });
        let raised = self.ask(Ask::Alert(AlertAsk::Trigger {
            service,
            integration: None,
            dedup_key: Some("x".to_owned()),
            severity: Severity::Critical,
            title: format!("number {number} fails"),
            summary: String::new(),
            details: Vec::new(),
            sent_details: None,
            at: None,
        }));
        let begun = raised.iter().find_map(|event| {
            let EventBody::Notification(about) = &event.body else {
                return None;
            };
            about.what.begun().and(Some(about.notification))
        });
        let notification = begun.unwrap();
        self.ask(Ask::AttemptFinished {
            notification,
            number: 1,
            outcome: Outcome::Accepted,
            detail: String::new(),
            retry_after_ms: None,
            reference: Some(format!("receipt{number}")),
            via: None,
        });
        let purpose = self.state.notifications[&notification].purpose;
        (purpose.incident().unwrap(), notification)
    }
}

#[test]
fn after_a_start_emergencies_are_looked_for_among_open_incidents_and_the_newest() {
    let mut world = World::new();
    let all: Vec<_> = (0..4).map(|number| world.fail(number)).collect();
    for (incident, _) in all[1..].iter().copied() {
        let note = None;
        world.ask(Ask::Respond(RespondAsk::Resolve { incident, note }));
    }
    let check = |now: Timestamp, newest: usize, expected: &[usize]| {
        let expected: Vec<NotificationId> = expected.iter().map(|one| all[*one].1).collect();
        assert_eq!(left(&world.state, now, newest), expected, "{newest}");
    };
    let now = world.now;
    check(now, 10, &[0, 1, 2, 3]);
    check(now, 1, &[0, 3]);
    check(now, 0, &[0]);
    // They have rung.
    check(now.plus_ms(RING_MS), 10, &[0]);
}

#[test]
fn of_more_receipts_than_can_be_asked_for_the_newest_are_and_the_others_are_counted() {
    let mut world = World::reached_by(ChannelKind::Sms);
    let all: Vec<NotificationId> = (0..4).map(|number| world.fail(number).1).collect();
    let check = |most: usize, expected: &[NotificationId], left_out: usize| {
        let expected: BTreeSet<NotificationId> = expected.iter().copied().collect();
        assert_eq!(
            newest(owed(&world.state), most),
            (expected, left_out),
            "{most}"
        );
    };
    check(10, &all, 0);
    check(4, &all, 0);
    check(1, &all[3..], 3);
    check(2, &all[2..], 2);
}

fn ids(letters: &str) -> Vec<NotificationId> {
    let text = letters
        .chars()
        .map(|letter| format!("QAAAAAAAAAAAA{letter}"));
    text.map(|text| text.parse::<NotificationId>().unwrap())
        .collect()
}

#[test]
fn everybody_has_their_turn_however_many_there_are() {
    let check = |all: &str, asked_last: Option<&str>, expected: &str| {
        let all: BTreeSet<NotificationId> = ids(all).into_iter().collect();
        let asked_last = asked_last.and_then(|last| ids(last).first().copied());
        let turn: Vec<NotificationId> = in_turn(&all, asked_last).collect();
        assert_eq!(turn, ids(expected), "{all:?} after {asked_last:?}");
    };
    check("", None, "");
    check("", Some("B"), "");
    check("ABCDE", None, "ABCDE");
    check("ABCDE", Some("B"), "CDEAB");
    check("ABCDE", Some("E"), "ABCDE");
    // Who was asked last may be gone meanwhile.
    check("ABDE", Some("C"), "DEAB");
}

#[test]
fn only_an_answer_that_lasts_settles_a_cancel() {
    let check = |status: u16, expected: bool| {
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(is_settled(status), expected, "{status}");
    };
    for settled in [200, 204, 400, 401, 404, 410] {
        check(settled, true);
    }
    for passing in [302, 408, 425, 429, 500, 503] {
        check(passing, false);
    }
}
