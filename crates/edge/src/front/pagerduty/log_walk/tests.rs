//! How far back is looked, and what is said of what was not looked at.

use tocsin_domain::changed::ChangedKind;
use tocsin_domain::event::{Actor, Cause, EventBody, InputEvent};

use super::*;
use crate::ports::ChangeLog;

/// A journal in which every event is about the one incident there is.
pub(in crate::front::pagerduty) struct Log(Vec<Event>);

impl ChangeLog for Log {
    fn changes(
        &self,
        _: Option<(ChangedKind, &str)>,
        _: u64,
        _: Option<Timestamp>,
        _: usize,
    ) -> Result<Vec<Event>, StorageError> {
        Ok(Vec::new())
    }
}

impl EventLog for Log {
    fn after(&self, position: u64, limit: usize) -> Result<Vec<Event>, StorageError> {
        let later = self.0.iter().filter(|event| event.position > position);
        Ok(later.take(limit).cloned().collect())
    }

    fn of_incident(
        &self,
        _: IncidentId,
        position: u64,
        limit: usize,
    ) -> Result<Vec<Event>, StorageError> {
        self.after(position, limit)
    }

    fn before_newest(&self, _: IncidentId, count: usize) -> Result<u64, StorageError> {
        let older = self.0.iter().rev().nth(count);
        Ok(older.map_or(0, |event| event.position))
    }

    fn at(&self, position: u64) -> Result<Option<Event>, StorageError> {
        let mut all = self.0.iter();
        Ok(all.find(|event| event.position == position).cloned())
    }
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_millis(second * 1_000)
}

/// One event in each of these seconds.
pub(in crate::front::pagerduty) fn log(seconds: impl Iterator<Item = i64>) -> Log {
    let events = (1..).zip(seconds);
    let events = events.map(|(position, at)| Event {
        position,
        at: second(at),
        recorded_at: second(at),
        actor: Actor::System,
        cause: Cause::Request,
        body: EventBody::Input(InputEvent::Ignored {
            what: "nothing".to_owned(),
            service: None,
        }),
    });
    Log(events.collect())
}

/// Ten events at once and fifty at most, between these seconds.
fn walk(log: &Log, (since, until): (Option<i64>, Option<i64>)) -> Walk {
    Walk {
        incident: None,
        end: log.0.len() as u64,
        since: since.map(second),
        until: until.map(second),
        set_back_ms: 0,
        block: 10,
        events_max: 50,
    }
}

/// The positions that are shown, in their order, and where it was stopped.
fn seen(log: &Log, walk: &Walk) -> (Vec<u64>, Option<Timestamp>) {
    let mut seen = Vec::new();
    let see = |events: &[Event]| {
        seen.extend(events.iter().rev().map(|event| event.position));
        ControlFlow::Continue(())
    };
    let stopped_at = walk.each_block(log, see).unwrap();
    (seen, stopped_at)
}

#[test]
fn every_event_is_seen_once_and_the_newest_first() {
    let log = log(1..=34);
    let all = walk(&log, (None, None));
    let of_incident = Walk {
        incident: Some("QAAAAAAAAAAAAA".parse().unwrap()),
        ..all
    };
    let expected: Vec<u64> = (1..=34).rev().collect();
    assert_eq!(seen(&log, &all), (expected.clone(), None));
    assert_eq!(seen(&log, &of_incident), (expected, None));
    let none = Log(Vec::new());
    assert_eq!(seen(&none, &walk(&none, (None, None))), (Vec::new(), None));
}

#[test]
fn a_span_that_is_long_ago_is_found_however_much_came_since() {
    let log = log(1..=5_000);
    for incident in [None, Some("QAAAAAAAAAAAAA".parse().unwrap())] {
        let walk = Walk {
            incident,
            ..walk(&log, (Some(20), Some(30)))
        };
        let (seen, stopped_at) = seen(&log, &walk);
        assert_eq!(stopped_at, None);
        assert!(
            (20..30).all(|position| seen.contains(&position)),
            "{seen:?}"
        );
        assert!(seen.len() <= 40, "{seen:?}");
    }
}

#[test]
fn where_more_is_there_than_is_looked_at_it_is_told_from_when_it_is() {
    let log = log(1..=200);
    let (seen, stopped_at) = seen(&log, &walk(&log, (None, None)));
    assert_eq!(seen, (151..=200).rev().collect::<Vec<u64>>());
    assert_eq!(stopped_at, Some(second(151)));
}

#[test]
fn what_reaches_back_just_so_far_is_whole() {
    let log = log(1..=200);
    let walk = walk(&log, (Some(152), None));
    assert_eq!(seen(&log, &walk).1, None);
}

#[test]
fn a_clock_that_was_set_back_hides_nothing() {
    let log = log((1..=40).chain(21..=60));
    let walk = Walk {
        set_back_ms: 20_000,
        events_max: 100,
        ..walk(&log, (Some(25), Some(30)))
    };
    let (seen, _) = seen(&log, &walk);
    // Those of the first time, and those of the second.
    let mut wanted = (25..30).chain(45..50);
    assert!(wanted.all(|position| seen.contains(&position)), "{seen:?}");
}

fn page(offset: usize, counted: bool) -> Found<usize> {
    let mut found = Found::new(Paging {
        limit: 2,
        offset,
        counted,
    });
    let _ = (0..5).try_for_each(|one| found.meet(one));
    found
}

#[test]
fn a_page_is_whole_where_all_was_looked_at() {
    let cut = page(1, false).cut(None).unwrap();
    assert_eq!((cut.items, cut.more), (vec![1, 2], true));
    let cut = page(4, true).cut(None).unwrap();
    assert_eq!((cut.items, cut.more, cut.total), (vec![4], false, 5));
    let cut = page(9, false).cut(None).unwrap();
    assert_eq!((cut.items, cut.more), (Vec::new(), false));
}

#[test]
fn an_end_that_is_none_is_never_told() {
    let stopped = || Some(Timestamp::parse_rfc3339("2026-11-23T07:00:00.5Z").unwrap());
    let cut = page(4, false).cut(stopped()).unwrap();
    assert_eq!((cut.items, cut.more), (vec![4], true));
    let refusal = page(5, false).cut(stopped()).unwrap_err();
    assert_eq!((refusal.status, refusal.code), (400, 2001));
    let told = &refusal.errors[0];
    assert!(told.contains("until=2026-11-23T07:00:01Z"), "{told}");
    let refusal = page(0, true).cut(stopped()).unwrap_err();
    assert!(refusal.errors[0].contains("'total'"), "{refusal}");
}

#[test]
fn a_first_page_of_which_nothing_was_found_names_no_offset_and_says_how_to_go_on() {
    let paging = Paging {
        limit: 2,
        offset: 0,
        counted: false,
    };
    let nothing = || Found::<usize>::new(paging);
    let cut = nothing().cut(None).unwrap();
    assert_eq!((cut.items, cut.more), (Vec::new(), false));
    let refusal = nothing().cut(Some(second(60))).unwrap_err();
    assert_eq!((refusal.status, refusal.code), (400, 2001));
    let told = &refusal.errors[0];
    assert!(told.contains("by 'until=1970-01-01T00:01:01Z'"), "{told}");
    assert!(!told.contains("'offset'"), "{told}");
}
