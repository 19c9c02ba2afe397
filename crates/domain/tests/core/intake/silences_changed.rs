//! How silences are changed, ended, refused and forgotten.

use super::silences::matcher;
use super::{HOUR, MINUTE};
use crate::world::World;
use tocsin_domain::command::{Ask, AskedSilence, IntakeAsk};
use tocsin_domain::event::{EventBody, IncidentWhat};
use tocsin_domain::id::MaintenanceId;
use tocsin_domain::intake::{LabelTest, When};
use tocsin_domain::oncall::{RepeatUnit, Repeating, Span};

#[test]
fn a_silence_is_changed_in_place_as_long_as_its_past_stays() {
    let mut world = World::set_up();
    let matchers = vec![matcher("a", LabelTest::Equals, "b")];
    let asked = world.asked(matchers.clone(), 0, HOUR);
    let id = world.silence(asked.clone());
    let mut longer = AskedSilence {
        id: Some(id),
        comment: "more disks".to_owned(),
        ..asked.clone()
    };
    longer.span.until = world.now.plus_ms(3 * HOUR);
    assert_eq!(world.silence(longer), id);
    assert_eq!(world.window(id).reason, "more disks");
    world.wait_ms(MINUTE);
    // Another beginning, or other conditions: what was stays told as it was.
    let other = AskedSilence {
        matchers: vec![matcher("a", LabelTest::Equals, "c")],
        id: Some(id),
        ..asked
    };
    let new = world.silence(other);
    assert_ne!(new, id);
    let over = world.window(id).once().unwrap();
    assert_eq!(over.until, world.now);
    assert_eq!(world.window(new).once().unwrap().from, world.now);
    // What is over cannot be changed: a new one takes its place.
    let mut again = world.asked(matchers, 0, HOUR);
    again.id = Some(id);
    assert_ne!(world.silence(again), id);
}

#[test]
fn a_silence_that_waits_may_be_moved_and_never_lasts_once_it_is_ended() {
    let mut world = World::set_up();
    let matchers = vec![matcher("a", LabelTest::Equals, "b")];
    let asked = world.asked(matchers.clone(), HOUR, 2 * HOUR);
    let id = world.silence(asked);
    let mut later = world.asked(matchers, 3 * HOUR, 4 * HOUR);
    later.id = Some(id);
    assert_eq!(world.silence(later), id);
    for _ in 0..2 {
        world.ask(Ask::Intake(IntakeAsk::ExpireWindow(id)));
    }
    world.wait_ms(3 * HOUR + MINUTE);
    world.fires("a", &[("a", "b")]);
    assert_eq!(world.incident().suppressed, None);
}

#[test]
fn silences_that_make_no_sense_are_refused_and_leave_no_trace() {
    let mut world = World::set_up();
    let good = matcher("a", LabelTest::Equals, "b");
    let empty = matcher("a", LabelTest::Fits, ".*");
    let mut unknown = world.asked(vec![good.clone()], 0, HOUR);
    unknown.id = Some("QAAAAAAAAAAAAA".parse().unwrap());
    let mut silent = world.asked(vec![good.clone()], 0, HOUR);
    silent.comment = " ".to_owned();
    let wrong = [
        unknown,
        silent,
        world.asked(Vec::new(), 0, HOUR),
        world.asked(vec![empty], 0, HOUR),
        world.asked(vec![good.clone(); 65], 0, HOUR),
        world.asked(vec![good.clone()], 0, 91 * 24 * HOUR),
        world.asked(vec![good], HOUR, HOUR),
    ];
    for asked in wrong {
        let ask = IntakeAsk::SetSilence(Box::new(asked));
        assert!(world.try_ask(Ask::Intake(ask)).is_err());
    }
    assert_eq!(world.state.windows.len(), 0);
}

#[test]
fn work_that_repeats_is_neither_ended_before_it_begins_nor_replaced() {
    let mut world = World::set_up();
    let service = world.default_service();
    let work = Repeating {
        time_zone: "Europe/Paris".to_owned(),
        first: "2030-12-05T22:00".parse().unwrap(),
        minutes: 60,
        every: 1,
        unit: RepeatUnit::Weeks,
        until: None,
    };
    world.ask(Ask::Intake(IntakeAsk::SetWindow {
        id: None,
        reason: "x".to_owned(),
        services: vec![service],
        targets: Vec::new(),
        when: When::Repeating { work },
        matchers: None,
    }));
    let id = *world.state.windows.keys().next().unwrap();
    let mut asked = world.asked(vec![matcher("a", LabelTest::Equals, "b")], 0, HOUR);
    asked.id = Some(id);
    for ask in [
        IntakeAsk::ExpireWindow(id),
        IntakeAsk::SetSilence(Box::new(asked)),
    ] {
        assert!(world.try_ask(Ask::Intake(ask)).is_err());
    }
}

#[test]
fn silences_that_are_long_over_make_room() {
    let mut world = World::set_up();
    let matchers = vec![matcher("a", LabelTest::Equals, "b")];
    let short = world.asked(matchers.clone(), 0, MINUTE);
    let old = world.silence(short);
    world.wait_ms(121 * HOUR);
    let next = world.asked(matchers, 0, MINUTE);
    let new = world.silence(next);
    let kept: Vec<MaintenanceId> = world.state.windows.keys().copied().collect();
    assert_eq!(kept, [new]);
    assert_ne!(old, new);
}

#[test]
fn a_window_that_is_changed_in_another_way_keeps_its_labels() {
    let mut world = World::set_up();
    let asked = world.asked(vec![matcher("a", LabelTest::Equals, "b")], 0, HOUR);
    let id = world.silence(asked);
    let span = Span::new(world.now, world.now.plus_ms(2 * HOUR));
    world.ask(Ask::Intake(IntakeAsk::SetWindow {
        id: Some(id),
        reason: "later".to_owned(),
        services: Vec::new(),
        targets: Vec::new(),
        when: When::Once { span },
        matchers: None,
    }));
    world.fires("a", &[("a", "b")]);
    let (why, until) = world.incident().suppressed.clone().unwrap();
    assert_eq!((why.as_str(), until), ("maintenance: later", span.until));
    let told = world.journal.iter().filter(|event| {
        matches!(&event.body, EventBody::Incident(what) if matches!(what.what, IncidentWhat::PageSuppressed { .. }))
    });
    assert_eq!(told.count(), 1);
}
