//! What a commit promises.

use std::io::{Seek, SeekFrom, Write};

use tocsin_domain::alert::EvidenceSample;
use tocsin_domain::event::{AlertEvent, EventBody, NotificationEvent, NotificationWhat};
use tocsin_domain::id::{AlertId, IncidentId, NotificationId};
use tocsin_domain::time::Timestamp;
use tocsin_journal::{EVENT_BYTES_MAX, Journal, JournalError};

use crate::given::{
    Seeded, directory, enveloped, everything, input, locked, note, opened, tampered,
};

#[test]
fn what_was_committed_is_there_after_opening_again() {
    let path = directory();
    let incident = IncidentId::random(&mut Seeded(1));
    let events = vec![
        input(1, "first"),
        note(
            2,
            incident,
            "a \"quoted\" note\nwith \u{1F514} and '; DROP TABLE events; --",
        ),
    ];
    {
        let (_lock, mut journal) = opened(path.path());
        journal
            .append(&events, &[("monitors_evaluated_to", "17")])
            .unwrap();
        journal
            .append(&[], &[("monitors_evaluated_to", "18")])
            .unwrap();
        journal.append(&[], &[]).unwrap();
    }
    let (_lock, mut journal) = opened(path.path());
    assert_eq!(everything(&journal), events);
    assert_eq!(journal.last_position().unwrap(), 2);
    let reader = journal.reader();
    assert_eq!(
        reader.meta("monitors_evaluated_to").unwrap().as_deref(),
        Some("18")
    );
    assert_eq!(reader.meta("unheard_of").unwrap(), None);
    assert_eq!(reader.event(2).unwrap().as_ref(), Some(&events[1]));
    assert_eq!(reader.event(3).unwrap(), None);
    assert_eq!(reader.events_since(u64::MAX, 5).unwrap(), vec![]);
}

#[test]
fn every_float_reads_back_to_the_bit_and_a_nan_as_a_nan() {
    let path = directory();
    let (_lock, mut journal) = opened(path.path());
    let mut entropy = Seeded(2);
    let alert = AlertId::random(&mut entropy);
    let incident = IncidentId::random(&mut entropy);
    let recovered = |position, value| {
        enveloped(
            position,
            EventBody::Alert(AlertEvent::Recovered {
                alert,
                incident,
                evidence: vec![EvidenceSample {
                    series: "probe_up{target=\"Q\"}".to_owned(),
                    at: Timestamp::from_millis(5),
                    value,
                }],
                closed: None,
            }),
        )
    };
    let mut position = 0;
    let mut given = Vec::new();
    while position < 300 {
        let value = f64::from_bits(entropy.next());
        if value.is_finite() {
            position += 1;
            given.push(recovered(position, value));
        }
    }
    journal.append(&given, &[]).unwrap();
    assert_eq!(everything(&journal), given);
    journal.append(&[recovered(301, f64::NAN)], &[]).unwrap();
    let last = journal.reader().event(301).unwrap().unwrap();
    assert!(format!("{last:?}").contains("value: NaN"));
}

#[test]
fn a_commit_that_does_not_continue_the_journal_is_refused_whole() {
    let path = directory();
    let (_lock, mut journal) = opened(path.path());
    journal.append(&[input(1, "first")], &[]).unwrap();
    for (given, expected, found) in [
        (vec![input(3, "late")], 2, 3),
        (vec![input(1, "again")], 2, 1),
        (vec![input(2, "good"), input(4, "bad")], 3, 4),
    ] {
        let refusal = journal.append(&given, &[("key", "value")]).unwrap_err();
        let as_expected = matches!(
            refusal,
            JournalError::Gap { expected: wanted, found: came } if (wanted, came) == (expected, found)
        );
        assert!(as_expected, "{refusal}");
    }
    assert_eq!(everything(&journal).len(), 1);
    assert_eq!(journal.reader().meta("key").unwrap(), None);
    journal.append(&[input(2, "second")], &[]).unwrap();
}

#[test]
fn an_event_that_is_too_large_is_refused_before_anything_is_written() {
    let path = directory();
    let (_lock, mut journal) = opened(path.path());
    let refusal = journal
        .append(
            &[input(1, "fine"), input(2, &"x".repeat(EVENT_BYTES_MAX))],
            &[],
        )
        .unwrap_err();
    assert!(
        matches!(refusal, JournalError::Refused { position: 2, .. }),
        "{refusal}"
    );
    assert_eq!(journal.last_position().unwrap(), 0);
}

#[test]
fn a_server_that_was_taken_over_can_no_longer_commit() {
    let path = directory();
    let (_old_lock, mut old) = opened(path.path());
    old.append(&[input(1, "old")], &[]).unwrap();
    // The lock cannot stop a second server once somebody removes its file; the epoch does.
    std::fs::remove_file(path.path().join("lock")).unwrap();
    let (_new_lock, mut new) = opened(path.path());
    let refusal = old
        .append(&[input(2, "old")], &[("key", "old")])
        .unwrap_err();
    assert!(
        matches!(refusal, JournalError::Fenced { own: 1, current: 2 }),
        "{refusal}"
    );
    new.append(&[input(2, "new")], &[]).unwrap();
    let refusal = old.append(&[input(2, "old")], &[]).unwrap_err();
    assert!(matches!(refusal, JournalError::Fenced { .. }), "{refusal}");
    assert_eq!(everything(&new), vec![input(1, "old"), input(2, "new")]);
    assert_eq!(new.reader().meta("key").unwrap(), None);
}

#[test]
fn an_incident_s_life_is_found_with_its_alerts_and_messages() {
    let path = directory();
    let (_lock, mut journal) = opened(path.path());
    let mut entropy = Seeded(3);
    let (ours, other) = (
        IncidentId::random(&mut entropy),
        IncidentId::random(&mut entropy),
    );
    let message = EventBody::Notification(NotificationEvent {
        notification: NotificationId::random(&mut entropy),
        incident: Some(ours),
        what: NotificationWhat::AttemptStarted { number: 1 },
    });
    let repeated = EventBody::Alert(AlertEvent::Recovered {
        alert: AlertId::random(&mut entropy),
        incident: ours,
        evidence: vec![],
        closed: None,
    });
    let events = [
        note(1, ours, "one"),
        note(2, other, "two"),
        enveloped(3, message),
        input(4, "four"),
        enveloped(5, repeated),
    ];
    journal.append(&events, &[]).unwrap();
    let reader = journal.reader();
    let positions = |after, limit| -> Vec<u64> {
        let found = reader.events_of_incident(ours, after, limit).unwrap();
        found.iter().map(|event| event.position).collect()
    };
    assert_eq!(positions(0, 10), [1, 3, 5]);
    assert_eq!(positions(1, 10), [3, 5]);
    assert_eq!(positions(0, 2), [1, 3]);
    assert_eq!(positions(5, 10), [0_u64; 0]);
    let before = |count| reader.before_newest_of_incident(ours, count).unwrap();
    assert_eq!([before(0), before(2), before(3), before(4)], [5, 1, 0, 0]);
}

#[test]
fn an_incident_s_life_is_found_however_much_of_it_was_there_at_the_start() {
    let path = directory();
    let ours = IncidentId::random(&mut Seeded(3));
    let of_ours = |position| note(position, ours, "ours");
    let (lock, mut journal) = opened(path.path());
    journal.append(&[of_ours(1), input(2, "two")], &[]).unwrap();
    drop((journal, lock));

    let (_lock, mut journal) = opened(path.path());
    journal.append(&[of_ours(3)], &[]).unwrap();
    let found = |journal: &Journal| -> Vec<u64> {
        let found = journal.reader().events_of_incident(ours, 0, 10).unwrap();
        found.iter().map(|event| event.position).collect()
    };
    assert_eq!(found(&journal), [1, 3], "nothing was read before");
    journal.append(&[of_ours(4)], &[]).unwrap();
    assert_eq!(found(&journal), [1, 3, 4]);
}

#[test]
fn a_reader_sees_each_commit_at_once_and_the_whole_journal_in_batches() {
    let path = directory();
    let (_lock, mut journal) = opened(path.path());
    let reader = journal.reader();
    for position in 1..=3 {
        journal.append(&[input(position, "one")], &[]).unwrap();
        assert_eq!(reader.last_position().unwrap(), position);
    }
    let many: Vec<_> = (4..=1_203)
        .map(|position| input(position, "many"))
        .collect();
    journal.append(&many, &[]).unwrap();
    let read = everything(&journal);
    let positions: Vec<u64> = read.iter().map(|event| event.position).collect();
    assert_eq!(positions, (1..=1_203).collect::<Vec<_>>());
    let mut from_600 = 0;
    reader
        .read_all(600, &mut |event| {
            from_600 += 1;
            if event.position == 700 {
                return Err(JournalError::Gap {
                    expected: 0,
                    found: 0,
                });
            }
            Ok(())
        })
        .unwrap_err();
    assert_eq!(from_600, 101, "reading ends where its caller wants it to");
}

#[test]
fn a_reader_in_the_middle_of_reading_does_not_hold_up_the_writer() {
    let path = directory();
    let (_lock, mut journal) = opened(path.path());
    let first: Vec<_> = (1..=600).map(|position| input(position, "first")).collect();
    journal.append(&first, &[]).unwrap();
    let reader = journal.reader();
    let mut next = 600;
    let mut seen = 0;
    reader
        .read_all(1, &mut |event| {
            seen = event.position;
            if event.position % 100 == 0 && next < 610 {
                next += 1;
                journal.append(&[input(next, "meanwhile")], &[])?;
            }
            Ok::<(), JournalError>(())
        })
        .unwrap();
    assert_eq!(next, 606);
    assert_eq!(seen, 606, "what is committed meanwhile is read as well");
}

#[test]
fn many_readers_share_a_few_connections() {
    let path = directory();
    let (_lock, mut journal) = opened(path.path());
    journal.append(&[input(1, "one")], &[]).unwrap();
    let threads: Vec<_> = (0..20)
        .map(|_| {
            let reader = journal.reader();
            std::thread::spawn(move || {
                (0..50).all(|_| reader.events_since(0, 10).unwrap().len() == 1)
            })
        })
        .collect();
    assert!(threads.into_iter().all(|thread| thread.join().unwrap()));
}

#[test]
fn a_damaged_journal_is_refused_and_left_alone() {
    let path = directory();
    {
        let (_lock, mut journal) = opened(path.path());
        let many: Vec<_> = (1..=500)
            .map(|position| input(position, &"x".repeat(100)))
            .collect();
        journal.append(&many, &[]).unwrap();
    }
    let file = path.path().join("journal.sqlite3");
    let mut opened = std::fs::OpenOptions::new().write(true).open(&file).unwrap();
    opened.seek(SeekFrom::Start(4_096 * 6)).unwrap();
    opened.write_all(&[0xff; 4_096 * 4]).unwrap();
    drop(opened);
    let before = std::fs::read(&file).unwrap();
    let refusal = Journal::open(&locked(path.path())).unwrap_err();
    assert!(matches!(refusal, JournalError::Corrupt { .. }), "{refusal}");
    assert!(refusal.to_string().contains("restore a backup"));
    assert!(std::fs::read(&file).unwrap() == before);
    std::fs::write(&file, "this is not a database, but it is long enough to be looked at as one, all of it, up to here").unwrap();
    let refusal = Journal::open(&locked(path.path())).unwrap_err();
    assert!(matches!(refusal, JournalError::Corrupt { .. }), "{refusal}");
}

const INSERT: &str =
    "INSERT INTO events (position, at, recorded_at, kind, version, stream, actor, cause, body)";

#[test]
fn an_event_of_a_newer_release_or_a_damaged_one_stops_the_reading_with_its_position() {
    for (version, body, expected) in [
        (2, "{}", "this binary reads versions 1 to 1"),
        (
            1,
            "{\"area\":\"people\",\"kind\":\"unheard_of\"}",
            "unknown variant",
        ),
        (1, "not json", "expected"),
    ] {
        let path = directory();
        let (_lock, mut journal) = opened(path.path());
        journal.append(&[input(1, "one")], &[]).unwrap();
        tampered(
            path.path(),
            "journal.sqlite3",
            &format!(
                "{INSERT} SELECT 2, at, recorded_at, 'people.new', {version}, stream, actor, cause, '{body}' FROM events"
            ),
        );
        let refusal = journal.reader().events_since(0, 10).unwrap_err();
        assert!(matches!(
            refusal,
            JournalError::Unreadable { position: 2, .. }
        ));
        assert!(refusal.to_string().contains(expected), "{refusal}");
    }
}

#[test]
fn events_are_neither_changed_nor_removed_and_a_gap_is_noticed() {
    let path = directory();
    let (_lock, mut journal) = opened(path.path());
    journal.append(&[input(1, "one")], &[]).unwrap();
    for sql in ["UPDATE events SET at = 0", "DELETE FROM events"] {
        let refused = std::panic::catch_unwind(|| tampered(path.path(), "journal.sqlite3", sql));
        assert!(refused.is_err(), "{sql}");
    }
    tampered(
        path.path(),
        "journal.sqlite3",
        &format!(
            "{INSERT} SELECT 3, at, recorded_at, kind, version, stream, actor, cause, body FROM events"
        ),
    );
    let refusal = journal
        .reader()
        .read_all(1, &mut |_| Ok::<(), JournalError>(()))
        .unwrap_err();
    assert!(
        refusal.to_string().contains("event 2 is missing"),
        "{refusal}"
    );
}

#[test]
fn tables_of_a_newer_release_are_refused() {
    let path = directory();
    drop(opened(path.path()));
    tampered(
        path.path(),
        "journal.sqlite3",
        "INSERT INTO __diesel_schema_migrations (version) VALUES ('9999')",
    );
    let refusal = Journal::open(&locked(path.path())).unwrap_err();
    assert!(matches!(refusal, JournalError::NewerTables { .. }));
    assert!(
        refusal
            .to_string()
            .contains("newer Tocsin (migration 9999)"),
        "{refusal}"
    );
}
