//! Whether the second book minds whose an incident is when whoever has it is removed.

use tocsin_domain::event::{EventBody, IncidentWhat, PeopleEvent, Response};
use tocsin_domain::id::{ContactMethodId, IncidentId, ServiceId, TeamId, UserId};
use tocsin_domain::monitor::Severity;

use super::{START, about};
use crate::ledger::{Ledger, Method, Person};
use crate::random::Random;

/// What becomes of an incident whose holder was removed.
#[derive(Clone, Copy)]
enum Then {
    /// It is that one's.
    Theirs(usize),
    /// It is nobody's.
    Nobodys,
}

/// Whether the book minds that: three people acknowledged one after the other, these of them were removed, the last of whom had it,
/// and somebody may have declined to help before.
fn minds(declined: Option<usize>, removed: &[usize], then: Then) -> bool {
    let mut random = Random::new(21);
    let incident = IncidentId::random(&mut random);
    let users: Vec<UserId> = (0..3).map(|_| UserId::random(&mut random)).collect();
    let mut ledger = Ledger::default();
    for user in &users {
        let method = Method {
            is_verified: true,
            carries_words: true,
        };
        let person = Person {
            methods: [(ContactMethodId::random(&mut random), method)].into(),
            rules: Vec::new(),
        };
        ledger.people.insert(*user, person);
    }
    let opened = IncidentWhat::Opened {
        number: 1,
        team: TeamId::random(&mut random),
        service: ServiceId::random(&mut random),
        target: None,
        title: String::new(),
        severity: Severity::Critical,
        onset: None,
    };
    ledger.read(START, about(incident, opened));
    for by in &users {
        let what = IncidentWhat::Acknowledged {
            by: Some(*by),
            ends_at: None,
            again: *by != users[0],
        };
        ledger.read(START, about(incident, what));
    }
    if let Some(user) = declined.map(|one| users[one]) {
        let accepted = false;
        let what = Response::ResponderAnswered { user, accepted };
        ledger.read(START, about(incident, IncidentWhat::Response(what)));
    }
    for user in removed.iter().map(|one| users[*one]) {
        ledger.read(START, EventBody::People(PeopleEvent::UserRemoved { user }));
    }
    let from = users[0];
    let what = match then {
        Then::Theirs(to) => Response::PassedOn {
            from,
            to: users[to],
            through: None,
            why: String::new(),
        },
        Then::Nobodys => Response::AcknowledgementEnded {
            by: Some(from),
            why: String::new(),
        },
    };
    ledger.read(START, about(incident, IncidentWhat::Response(what)));
    let mut wrong = ledger.wrong.iter();
    wrong.any(|wrong| wrong.what.contains("is to go to"))
}

#[test]
fn what_somebody_had_who_is_removed_goes_to_the_first_of_the_others_who_took_it_too() {
    use Then::{Nobodys, Theirs};
    assert!(!minds(None, &[0], Theirs(1)));
    assert!(minds(None, &[0], Theirs(2)));
    assert!(minds(None, &[0], Nobodys));
    assert!(!minds(None, &[1, 0], Theirs(2)));
    assert!(minds(None, &[1, 0], Theirs(1)));
    assert!(!minds(None, &[1, 2, 0], Nobodys));
    assert!(!minds(Some(1), &[0], Theirs(2)));
    assert!(minds(Some(1), &[0], Theirs(1)));
    assert!(!minds(Some(0), &[0], Theirs(1)));
    assert!(minds(None, &[], Theirs(1)), "it is still whose it was");
    assert!(!minds(None, &[], Nobodys), "its time may be over");
}
