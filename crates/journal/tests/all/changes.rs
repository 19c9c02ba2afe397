//! The events by which something that is set up changed, among all others.

use tocsin_domain::changed::ChangedKind;
use tocsin_domain::event::{
    Event, EventBody, IntakeEvent, PeopleEvent, RosterEvent, TagEvent, WatchEvent,
};
use tocsin_domain::id::{HeartbeatId, TargetId, UserId};
use tocsin_domain::time::Timestamp;
use tocsin_journal::{Journal, JournalReader};

use crate::given::{Seeded, directory, enveloped, everything, input, opened};

fn removed(position: u64, user: UserId) -> Event {
    enveloped(
        position,
        EventBody::People(PeopleEvent::UserRemoved { user }),
    )
}

fn called(position: u64, heartbeat: HeartbeatId) -> Event {
    let called = IntakeEvent::HeartbeatCalled { heartbeat };
    enveloped(position, EventBody::Roster(RosterEvent::Intake(called)))
}

fn tagged(position: u64) -> Event {
    let label = "West".to_owned();
    let added = TagEvent::Added { label };
    enveloped(position, EventBody::Roster(RosterEvent::Tag(added)))
}

fn unmuted(position: u64, target: TargetId) -> Event {
    let unmuted = WatchEvent::TargetUnmuted { target };
    enveloped(position, EventBody::Watch(unmuted))
}

/// The positions of the changes that are found.
fn found(
    reader: &JournalReader,
    of: Option<(ChangedKind, &str)>,
    before: u64,
    until: Option<Timestamp>,
    limit: usize,
) -> Vec<u64> {
    let found = reader.newest_changes(of, before, until, limit).unwrap();
    found.iter().map(|event| event.position).collect()
}

fn newest(journal: &Journal) -> Vec<u64> {
    found(&journal.reader(), None, u64::MAX, None, 10)
}

#[test]
fn changes_are_found_from_the_newest_on_of_all_things_and_of_one() {
    let path = directory();
    let (_lock, mut journal) = opened(path.path());
    let mut entropy = Seeded(3);
    let (one, other) = (UserId::random(&mut entropy), UserId::random(&mut entropy));
    let events = [
        removed(1, one),
        input(2, "two"),
        tagged(3),
        called(4, HeartbeatId::random(&mut entropy)),
        removed(5, other),
        unmuted(6, TargetId::random(&mut entropy)),
    ];
    journal.append(&events, &[]).unwrap();
    let reader = journal.reader();
    let last = u64::MAX;
    assert_eq!(found(&reader, None, last, None, 10), [6, 5, 3, 1]);
    assert_eq!(found(&reader, None, last, None, 2), [6, 5]);
    assert_eq!(found(&reader, None, 5, None, 10), [3, 1]);
    assert_eq!(found(&reader, None, 1, None, 10), [0_u64; 0]);
    let until = Some(events[4].recorded_at);
    assert_eq!(found(&reader, None, last, until, 10), [3, 1]);
    let of = |kind, id| found(&reader, Some((kind, id)), last, None, 10);
    assert_eq!(of(ChangedKind::User, one.as_str()), [1]);
    assert_eq!(of(ChangedKind::Tag, "West"), [3]);
    assert_eq!(of(ChangedKind::Tag, "East"), [0_u64; 0]);
    assert_eq!(of(ChangedKind::Team, one.as_str()), [0_u64; 0]);
}

#[test]
fn changes_are_found_however_much_was_there_at_the_start() {
    let path = directory();
    let mut entropy = Seeded(3);
    let user = UserId::random(&mut entropy);
    let heartbeat = HeartbeatId::random(&mut entropy);
    let (lock, mut journal) = opened(path.path());
    let first = [removed(1, user), called(2, heartbeat), tagged(3)];
    journal.append(&first, &[]).unwrap();
    drop((journal, lock));

    let (lock, mut journal) = opened(path.path());
    journal.append(&[removed(4, user)], &[]).unwrap();
    assert_eq!(newest(&journal), [4, 3, 1], "nothing was read before");
    journal.append(&[tagged(5)], &[]).unwrap();
    assert_eq!(newest(&journal), [5, 4, 3, 1]);
    drop((journal, lock));

    let (_lock, journal) = opened(path.path());
    assert_eq!(everything(&journal).len(), 5);
    assert_eq!(newest(&journal), [5, 4, 3, 1], "all was read before");
}
