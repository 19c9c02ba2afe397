//! What a message says that tells others along, when some of it was taken meanwhile.

use tocsin_domain::command::{AlertAsk, Ask, Command, PeopleAsk, RespondAsk, RosterAsk};
use tocsin_domain::decide::decide;
use tocsin_domain::event::{Actor, Event, EventBody, PeopleEvent};
use tocsin_domain::id::{IncidentId, NotificationId, UserId};
use tocsin_domain::page::{BURST_MAX, Level, Outcome, Recipient, TOGETHER_EVERY_MS};
use tocsin_domain::people::Role;
use tocsin_domain::time::Timestamp;

use super::*;
use crate::answers::{carried, may_have_come, subjects};
use crate::delivery::counting::Counting;

/// Two people who must each acknowledge, and three incidents that come to Ada by one message, which is being sent.
struct Bundle {
    state: State,
    entropy: Counting,
    now: Timestamp,
    ada: UserId,
    work: Work,
}

impl Bundle {
    fn new() -> Self {
        let mut bundle = Self {
            state: State::default(),
            entropy: Counting(0),
            now: Timestamp::from_millis(1_723_950_000_000),
            ada: UserId::random(&mut Counting(0)),
            work: Work {
                notification: NotificationId::random(&mut Counting(0)),
                number: 1,
            },
        };
        let address = SecretId::random(&mut bundle.entropy);
        bundle.ask(Ask::SetUp {
            name: "Ada".to_owned(),
            email: address,
            time_zone: "UTC".to_owned(),
            key_hash: "00".to_owned(),
        });
        bundle.ada = *bundle.state.users.keys().next().unwrap();
        bundle.add_bea();
        let everybody = bundle.state.users.keys().copied();
        let each = Level {
            each_must_acknowledge: true,
            ..Level::of(3_600_000, everybody.map(Recipient::User).collect())
        };
        let id = bundle.state.installation.as_ref().unwrap().default_policy;
        bundle.ask(Ask::Roster(RosterAsk::SetPolicy {
            id: Some(id),
            name: "Policy".to_owned(),
            levels: vec![each],
            repeat: 0,
            acknowledgement_timeout_ms: None,
        }));
        for n in 0..BURST_MAX + 3 {
            bundle.fail(n);
            bundle.accept_all();
        }
        bundle.now = bundle.now.plus_ms(TOGETHER_EVERY_MS);
        let begun = bundle.ask(Ask::Tick);
        let carrier = begun.iter().find_map(|event| {
            let EventBody::Notification(about) = &event.body else {
                return None;
            };
            let message = &bundle.state.notifications[&about.notification];
            let is_hers = message.user == bundle.ada && about.what.begun().is_some();
            is_hers.then_some(about.notification)
        });
        bundle.work.notification = carrier.unwrap();
        bundle
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

    fn add_bea(&mut self) {
        let email = SecretId::random(&mut self.entropy);
        let pending_code = SecretId::random(&mut self.entropy);
        let added = self.ask(Ask::People(PeopleAsk::Add {
            name: "Bea".to_owned(),
            email,
            pending_code,
            role: Role::Responder,
            about: None,
        }));
        let bea = added.iter().find_map(|event| {
            let EventBody::People(PeopleEvent::UserAdded { user }) = &event.body else {
                return None;
            };
            Some(user.id)
        });
        let user = bea.unwrap();
        let method = self.state.users[&user].contact_methods[0].id;
        self.ask(Ask::People(PeopleAsk::VerifyContactMethod { user, method }));
    }

    /// A service of its own fails, so that no storm puts it together with others.
    fn fail(&mut self, n: usize) {
        let known: Vec<_> = self.state.services.keys().copied().collect();
        self.ask(Ask::Roster(RosterAsk::SetService {
            id: None,
            name: format!("Service {n}"),
            policy: None,
        }));
        let mut services = self.state.services.keys().copied();
        let service = services.find(|id| !known.contains(id));
        self.ask(Ask::Alert(AlertAsk::Trigger {
            service,
            integration: None,
            dedup_key: Some("x".to_owned()),
            severity: Severity::Error,
            title: format!("number {n} fails"),
            summary: String::new(),
            details: Vec::new(),
            sent_details: None,
            at: None,
        }));
    }

    fn accept_all(&mut self) {
        let sending = self.state.notifications.values();
        let sending: Vec<NotificationId> = sending
            .filter(|message| matches!(message.state, Delivery::Sending { .. }))
            .map(|message| message.id)
            .collect();
        for notification in sending {
            self.ask(Ask::AttemptFinished {
                notification,
                number: 1,
                outcome: Outcome::Accepted,
                detail: String::new(),
                retry_after_ms: None,
                reference: None,
                via: None,
            });
        }
    }

    fn acknowledge(&mut self, incident: IncidentId) {
        let by = self.ada;
        self.ask(Ask::Respond(RespondAsk::Acknowledge { incident, by }));
    }

    fn subjects(&self) -> Vec<IncidentId> {
        subjects(&self.state, self.work.notification)
    }

    /// What it says now; before each further account it is asked no more than whether that is anything.
    fn letter(&self) -> Result<PageMessage, &'static str> {
        let letter = letter(&self.state, self.work, "https://tocsin.example");
        let letter = letter.unwrap().map(|letter| letter.message);
        let called_off = called_off(&self.state, self.work);
        assert_eq!(called_off, letter.as_ref().err().copied());
        letter
    }
}

#[test]
fn whoever_did_their_part_in_the_first_of_it_is_still_told_the_rest() {
    let mut bundle = Bundle::new();
    let told = bundle.subjects();
    assert_eq!(told.len(), 3);
    let all = bundle.letter().unwrap();
    assert_eq!(all.others, 2);
    assert!(all.headline().ends_with("(and 2 more incidents)"));
    bundle.acknowledge(told[0]);
    let rest = bundle.letter().unwrap();
    assert_eq!(rest.incident_id, told[1].to_string());
    assert_eq!(rest.others, 1);
    assert!(rest.headline().ends_with("(and 1 more incident)"));
    assert_eq!(rest.idempotency_key, bundle.work.notification.to_string());
    bundle.acknowledge(told[2]);
    let last = bundle.letter().unwrap();
    assert_eq!(last.others, 0);
    assert!(!last.headline().contains("more incident"));
    bundle.acknowledge(told[1]);
    assert!(bundle.letter().is_err(), "nothing is left");
}

#[test]
fn what_is_over_or_another_attempt_goes_no_further() {
    let mut bundle = Bundle::new();
    let goes_on = |bundle: &Bundle, number: u32| {
        let work = Work {
            number,
            ..bundle.work
        };
        called_off(&bundle.state, work).is_none()
    };
    assert!(goes_on(&bundle, 1));
    assert!(!goes_on(&bundle, 2), "it has not begun");
    bundle.accept_all();
    assert!(!goes_on(&bundle, 1), "it is over");
}

#[test]
fn an_answer_is_about_all_that_a_message_told_before_and_after_it_was_taken() {
    let mut bundle = Bundle::new();
    let told = bundle.subjects();
    bundle.accept_all();
    assert_eq!(bundle.subjects(), told);
    let (source, into) = (told[2], told[0]);
    bundle.ask(Ask::Respond(RespondAsk::Merge {
        sources: vec![source],
        into,
    }));
    assert_eq!(bundle.subjects(), told[..2], "it goes on in the other one");
}

#[test]
fn what_is_told_along_may_have_come_once_an_attempt_of_what_tells_it_began() {
    let mut bundle = Bundle::new();
    let known = |bundle: &Bundle| {
        let message = &bundle.state.notifications[&bundle.work.notification];
        let all = carried(&bundle.state, message);
        let all = all.map(|one| may_have_come(&bundle.state, one));
        all.collect::<Vec<bool>>()
    };
    assert_eq!(known(&bundle), [true; 3], "it is being sent");
    bundle.accept_all();
    assert_eq!(known(&bundle), [true; 3], "it was taken");
    let before: Vec<IncidentId> = bundle.state.incidents.keys().copied().collect();
    bundle.fail(BURST_MAX + 3);
    let mut incidents = bundle.state.incidents.keys().copied();
    let later = incidents.find(|id| !before.contains(id)).unwrap();
    let planned = bundle.state.messages_about(later);
    let planned: Vec<&Notification> = planned.filter(|one| one.user == bundle.ada).collect();
    assert!(!planned.is_empty());
    let mut planned = planned.into_iter();
    assert!(planned.all(|one| !may_have_come(&bundle.state, one)));
}

#[test]
fn a_request_for_help_with_something_critical_is_sent_as_soon_as_a_page_for_it() {
    let id = IncidentId::random(&mut Counting(0));
    for (purpose, critical, other) in [
        (Purpose::Page(id), Rank::Critical, Rank::Page),
        (Purpose::Request(id), Rank::Critical, Rank::Page),
        (Purpose::Resolved(id), Rank::Resolved, Rank::Resolved),
        (Purpose::Notice(id), Rank::Notice, Rank::Notice),
        (Purpose::Test, Rank::Test, Rank::Test),
    ] {
        assert_eq!(rank(purpose, true), critical, "{purpose:?}");
        assert_eq!(rank(purpose, false), other, "{purpose:?}");
    }
}

#[test]
fn a_page_says_where_it_fails_unless_its_title_does() {
    let mut bundle = Bundle::new();
    for (title, summary, expected) in [
        ("replication is late", "on db-1", Some("db-1")),
        ("replication of db-1 is late", "on db-1", None),
        ("no source", "reopened by a person", None),
    ] {
        bundle.ask(Ask::Alert(AlertAsk::Trigger {
            service: None,
            integration: None,
            dedup_key: Some(title.to_owned()),
            severity: Severity::Error,
            title: title.to_owned(),
            summary: summary.to_owned(),
            details: Vec::new(),
            sent_details: None,
            at: None,
        }));
        let state = &bundle.state;
        let mut incidents = state.incidents.values();
        let incident = incidents.find(|incident| incident.title == title).unwrap();
        let alerts: Vec<&Alert> = incident
            .alerts
            .iter()
            .filter_map(|id| state.alerts.get(id))
            .collect();
        let told = place(state, incident, &alerts);
        assert_eq!(told.as_deref(), expected, "{title}");
    }
}
