//! Whether the second book minds who is paged after an incident was given away, and whose turn it is on a level in turn.

use std::collections::BTreeSet;

use tocsin_domain::event::{EventBody, IncidentWhat, NotificationWhat, Response};
use tocsin_domain::id::{
    ContactMethodId, IncidentId, NotificationId, PolicyId, ServiceId, TeamId, UserId,
};
use tocsin_domain::incident::Assigned;
use tocsin_domain::monitor::Severity;
use tocsin_domain::numbers::Numbers;
use tocsin_domain::page::{Delivery, Level, Notification, Policy, Purpose, Recipient};
use tocsin_domain::people::ChannelKind;

use super::{MINUTE_MS, START, about, of};
use crate::ledger::{Ledger, Method, Person};
use crate::random::Random;

fn opened(incident: IncidentId, random: &mut Random) -> EventBody {
    let what = IncidentWhat::Opened {
        number: 1,
        team: TeamId::random(random),
        service: ServiceId::random(random),
        target: None,
        title: String::new(),
        severity: Severity::Critical,
        onset: None,
    };
    about(incident, what)
}

fn reached(
    incident: IncidentId,
    policy: Option<PolicyId>,
    recipients: Vec<UserId>,
    turn: Option<usize>,
) -> EventBody {
    let what = IncidentWhat::LevelReached {
        policy,
        level: 0,
        round: 0,
        recipients,
        skipped: Vec::new(),
        next_at: START.plus_ms(5 * MINUTE_MS),
        turn,
        each: false,
    };
    about(incident, what)
}

fn given(incident: IncidentId, to: Assigned) -> EventBody {
    about(
        incident,
        IncidentWhat::Response(Response::Reassigned { to }),
    )
}

fn reachable(random: &mut Random) -> (ContactMethodId, Person) {
    let method = ContactMethodId::random(random);
    let person = Person {
        methods: [(
            method,
            Method {
                is_verified: true,
                carries_words: true,
            },
        )]
        .into(),
        rules: Vec::new(),
    };
    (method, person)
}

/// What the book says of these people, by their number: the first was chosen, the incident was given to these, and those were chosen
/// since; then an attempt to page the first one begins.
fn said_of(to: &[usize], since: &[usize]) -> Vec<String> {
    let mut random = Random::new(15);
    let incident = IncidentId::random(&mut random);
    let users: Vec<UserId> = (0..3).map(|_| UserId::random(&mut random)).collect();
    let mut ledger = Ledger::default();
    let ways: Vec<ContactMethodId> = users
        .iter()
        .map(|user| {
            let (method, person) = reachable(&mut random);
            ledger.people.insert(*user, person);
            method
        })
        .collect();
    let page = Notification {
        id: NotificationId::random(&mut random),
        purpose: Purpose::Page(incident),
        user: users[0],
        contact_method: ways[0],
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
    let people = |chosen: &[usize]| {
        chosen
            .iter()
            .map(|one| users[*one])
            .collect::<Vec<UserId>>()
    };
    let message = page.clone();
    let mut happens = vec![
        opened(incident, &mut random),
        reached(incident, None, people(&[0]), None),
        of(&page, NotificationWhat::Planned { message }),
        given(incident, Assigned::People(people(to))),
    ];
    if !since.is_empty() {
        happens.push(reached(incident, None, people(since), None));
    }
    happens.push(of(&page, NotificationWhat::AttemptStarted { number: 1 }));
    for body in happens {
        ledger.read(START, body);
    }
    let wrong = ledger.wrong.into_iter();
    wrong.map(|wrong| wrong.what).collect()
}

#[test]
fn no_attempt_begins_for_whom_an_incident_was_taken_from_unless_they_were_chosen_since() {
    let minds = |to: &[usize], since: &[usize]| {
        let said = said_of(to, since);
        said.iter()
            .any(|what| what.contains("its incident was given to others"))
    };
    assert!(minds(&[1], &[]));
    assert!(minds(&[1], &[1]));
    assert!(!minds(&[0], &[]));
    assert!(!minds(&[1, 0], &[1]));
    assert!(!minds(&[1], &[0]));
}

#[test]
fn all_people_to_whom_an_incident_was_given_are_chosen_and_nobody_else() {
    let minds = |to: &[usize], since: &[usize]| {
        let said = said_of(to, since);
        said.iter().any(|what| what.contains("it was given to"))
    };
    assert!(!minds(&[1], &[1]));
    assert!(!minds(&[2, 1], &[1, 2]));
    assert!(minds(&[1], &[0]));
    assert!(minds(&[1, 2], &[1]));
}

#[test]
fn the_turn_passes_on_with_each_new_page_and_stays_where_the_same_is_paged_again() {
    let mut random = Random::new(13);
    let users: Vec<UserId> = (0..3).map(|_| UserId::random(&mut random)).collect();
    let targets = users.iter().map(|user| Recipient::User(*user)).collect();
    let in_turn = Level {
        round_robin: true,
        ..Level::of(MINUTE_MS, targets)
    };
    let policy = Policy {
        id: PolicyId::random(&mut random),
        team: TeamId::random(&mut random),
        given_to: None,
        name: String::new(),
        levels: vec![in_turn],
        repeat: 0,
        acknowledgement_timeout_ms: None,
        description: String::new(),
        level_numbers: Numbers::default(),
    };
    let mut ledger = Ledger::default();
    for user in &users {
        ledger.people.insert(*user, reachable(&mut random).1);
    }
    ledger.policies.insert(policy.id, policy.clone());
    let incidents: Vec<IncidentId> = (0..4).map(|_| IncidentId::random(&mut random)).collect();
    for incident in &incidents {
        ledger.read(START, opened(*incident, &mut random));
    }
    // Whether it is right to page the one of that number for this incident; if so, they are.
    let mut pages = |incident: usize, turn: usize| {
        let (id, user) = (incidents[incident], users[turn]);
        let chosen = (Some(turn), &BTreeSet::from([user]));
        let is_right = ledger
            .turn_fault(id, &policy, (0, 0), chosen, START)
            .is_none();
        if is_right {
            ledger.read(START, reached(id, Some(policy.id), vec![user], Some(turn)));
        }
        is_right
    };
    assert!(!pages(0, 1));
    assert!(pages(0, 0));
    assert!(!pages(1, 0));
    assert!(pages(1, 1));
    assert!(!pages(0, 2), "it stays with the first");
    assert!(pages(0, 0));
    assert!(!pages(2, 1), "that moved nothing back");
    assert!(pages(2, 2));
    assert!(pages(3, 0));
}
