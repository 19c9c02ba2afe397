//! Maintenance windows of services, targets and labels, once and again and again.

use super::silences::matcher;
use super::{HOUR, MINUTE};
use crate::world::World;
use tocsin_domain::command::{AlertAsk, Ask, IntakeAsk, PeopleAsk, RespondAsk, WatchAsk};
use tocsin_domain::event::{Event, EventBody, WatchEvent};
use tocsin_domain::id::{MaintenanceId, ServiceId};
use tocsin_domain::intake::{LabelMatcher, LabelTest, When};
use tocsin_domain::monitor::Severity;
use tocsin_domain::oncall::{RepeatUnit, Repeating, Span};
use tocsin_domain::page::Purpose;
use tocsin_domain::people::Urgency;
use tocsin_domain::state::State;

pub(super) fn plan(world: &mut World, services: Vec<ServiceId>, when: When) -> MaintenanceId {
    world.ask(Ask::Intake(IntakeAsk::SetWindow {
        id: None,
        reason: "new disks".to_owned(),
        services,
        targets: Vec::new(),
        when,
        matchers: None,
    }));
    *world.state.windows.keys().next_back().unwrap()
}

/// Work that is under way for an hour, on these services and on the watched server.
pub(super) fn work_on_target(world: &mut World, services: &[ServiceId]) -> MaintenanceId {
    let before: Vec<MaintenanceId> = world.state.windows.keys().copied().collect();
    let (targets, when) = (vec![world.target()], once(world, 0, HOUR));
    world.ask(Ask::Intake(IntakeAsk::SetWindow {
        id: None,
        reason: "new disks".to_owned(),
        services: services.to_vec(),
        targets,
        when,
        matchers: None,
    }));
    let mut all = world.state.windows.keys();
    *all.find(|id| !before.contains(*id)).unwrap()
}

pub(super) fn once(world: &World, from_ms: u64, until_ms: u64) -> When {
    let (from, until) = (world.now.plus_ms(from_ms), world.now.plus_ms(until_ms));
    When::Once {
        span: Span::new(from, until),
    }
}

#[test]
fn while_a_window_lasts_nobody_is_paged_and_what_burns_at_its_end_is_paged_then() {
    let mut world = World::set_up();
    let services = vec![world.default_service(), world.add_service("Disks")];
    let when = once(&world, 0, 2 * HOUR);
    plan(&mut world, services.clone(), when);
    for service in services.clone() {
        world.trigger_with(Some(service), "disk", Severity::Critical, &[]);
        let (why, until) = world.incident().suppressed.clone().unwrap();
        assert_eq!(why, "maintenance: new disks");
        assert_eq!(until, world.now.plus_ms(2 * HOUR));
    }
    world.resolve_key(services[0], "disk");
    world.wait_ms(2 * HOUR - 1);
    assert_eq!(world.pages(), []);
    world.wait_ms(1);
    assert_eq!(world.pages().len(), 1, "only one of them still burns");
}

#[test]
fn a_window_that_is_ended_early_or_removed_pages_for_what_burns() {
    for end in [IntakeAsk::EndWindow, IntakeAsk::RemoveWindow] {
        let mut world = World::set_up();
        let (service, when) = (world.default_service(), once(&world, 0, 8 * HOUR));
        let window = plan(&mut world, vec![service], when);
        world.trigger("disk", Severity::Critical);
        world.wait_ms(HOUR);
        assert_eq!(world.pages(), []);
        world.ask(Ask::Intake(end(window)));
        assert_eq!(world.pages().len(), 1);
    }
}

#[test]
fn a_window_that_is_ended_while_somebody_has_what_fails_keeps_nobody_quiet_when_they_have_it_no_longer()
 {
    for is_removed in [false, true] {
        let mut world = World::set_up();
        let (service, when) = (world.default_service(), once(&world, 0, 8 * HOUR));
        let window = plan(&mut world, vec![service], when);
        world.trigger("disk", Severity::Critical);
        let (incident, bea) = (world.incident().id, world.add_user("Bea"));
        world.respond(RespondAsk::Snooze {
            incident,
            by: bea,
            for_ms: HOUR,
        });
        world.ask(Ask::Intake(IntakeAsk::EndWindow(window)));
        assert_eq!(world.pages(), []);
        if is_removed {
            world.ask(Ask::People(PeopleAsk::Remove { user: bea }));
        } else {
            world.wait_ms(HOUR);
        }
        assert_eq!(world.pages().len(), 1, "{:?}", world.incident());
    }
}

#[test]
fn a_window_that_lasts_when_somebody_has_what_fails_no_longer_keeps_it_quiet_until_its_end() {
    let mut world = World::set_up();
    let (service, when) = (world.default_service(), once(&world, 0, 8 * HOUR));
    plan(&mut world, vec![service], when);
    world.trigger("disk", Severity::Critical);
    let (incident, by) = (world.incident().id, world.ada());
    world.respond(RespondAsk::Snooze {
        incident,
        by,
        for_ms: HOUR,
    });
    world.wait_ms(8 * HOUR - 1);
    assert_eq!(world.pages(), []);
    world.wait_ms(1);
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn a_window_that_is_changed_holds_as_it_says_now() {
    let mut world = World::set_up();
    let (service, when) = (world.default_service(), once(&world, 0, HOUR));
    let id = plan(&mut world, vec![service], when);
    world.trigger("disk", Severity::Critical);
    let when = once(&world, 0, 3 * HOUR);
    world.ask(Ask::Intake(IntakeAsk::SetWindow {
        id: Some(id),
        reason: "more disks".to_owned(),
        services: vec![service],
        targets: Vec::new(),
        when,
        matchers: None,
    }));
    world.wait_ms(3 * HOUR - 1);
    assert_eq!(world.pages(), []);
    world.wait_ms(1);
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn a_window_of_every_week_holds_each_time_and_only_what_lasts_is_ended_early() {
    let mut world = World::set_up();
    let service = world.default_service();
    // The world begins on a Sunday at 05:00 in Paris.
    let work = Repeating {
        time_zone: "Europe/Paris".to_owned(),
        first: "2024-08-18T06:00".parse().unwrap(),
        minutes: 60,
        every: 1,
        unit: RepeatUnit::Weeks,
        until: None,
    };
    let window = plan(&mut world, vec![service], When::Repeating { work });
    world.wait_ms(HOUR);
    world.trigger("a", Severity::Critical);
    world.wait_ms(MINUTE);
    assert_eq!(world.pages(), []);
    world.ask(Ask::Intake(IntakeAsk::EndWindow(window)));
    assert_eq!(world.pages().len(), 1);
    world.acknowledge();
    world.wait_ms(7 * 24 * HOUR);
    world.trigger("b", Severity::Critical);
    assert_eq!(world.pages().len(), 1, "the next week holds again");
    world.wait_ms(HOUR - MINUTE);
    assert_eq!(world.pages().len(), 2);
}

#[test]
fn a_window_of_a_target_leaves_the_rest_of_its_service_alone() {
    let mut world = World::with_apache();
    let target = world.target();
    let service = world.state.targets[&target].service;
    work_on_target(&mut world, &[]);
    world.crash();
    assert_eq!(world.pages(), []);
    world.trigger_with(Some(service), "shop", Severity::Critical, &[]);
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn work_on_a_target_alone_goes_with_it_and_work_on_more_goes_on_without_it() {
    let mut world = World::with_apache();
    let (service, target) = (world.default_service(), world.target());
    let alone = work_on_target(&mut world, &[]);
    let together = work_on_target(&mut world, &[service]);
    let before = world.journal.len();
    world.ask(Ask::Watch(WatchAsk::Remove(target)));
    assert!(!world.state.windows.contains_key(&alone));
    let left = world.state.windows[&together].clone();
    assert_eq!(
        (left.services.as_slice(), left.targets.len()),
        (&[service][..], 0)
    );
    assert!(left.around(world.now).is_some(), "it is still under way");
    let (kept, removal) = world.journal.split_at(before);
    let is_removal = |event: &&Event| {
        matches!(
            event.body,
            EventBody::Watch(WatchEvent::TargetRemoved { .. })
        )
    };
    for told in [true, false] {
        let mut folded = State::default();
        let removal = removal.iter().filter(|event| told || is_removal(event));
        kept.iter()
            .chain(removal)
            .for_each(|event| folded.evolve(event));
        assert_eq!(folded.windows, world.state.windows);
    }
    world.ask(Ask::Intake(IntakeAsk::SetWindow {
        id: Some(together),
        reason: "newer disks".to_owned(),
        services: left.services,
        targets: left.targets,
        when: left.when,
        matchers: None,
    }));
}

#[test]
fn what_fails_under_work_on_a_target_is_over_with_it_and_pages_nobody() {
    let mut world = World::with_apache();
    work_on_target(&mut world, &[]);
    world.crash();
    let target = world.target();
    world.ask(Ask::Watch(WatchAsk::Remove(target)));
    world.wait_ms(2 * HOUR);
    assert_eq!(world.pages(), []);
}

#[test]
fn windows_that_make_no_sense_are_refused() {
    let mut world = World::set_up();
    let service = world.default_service();
    let past = When::Once {
        span: Span::new(world.now.minus_ms(HOUR), world.now),
    };
    let long = once(&world, 0, 91 * 24 * HOUR);
    let good = once(&world, 0, HOUR);
    for (services, when) in [
        (vec![service], past),
        (vec![service], long),
        (Vec::new(), good),
    ] {
        let ask = IntakeAsk::SetWindow {
            id: None,
            reason: "x".to_owned(),
            services,
            targets: Vec::new(),
            when,
            matchers: None,
        };
        assert!(world.try_ask(Ask::Intake(ask)).is_err());
    }
}

fn plan_by_labels(
    world: &World,
    id: Option<MaintenanceId>,
    services: Vec<ServiceId>,
    matchers: Option<Vec<LabelMatcher>>,
) -> Ask {
    Ask::Intake(IntakeAsk::SetWindow {
        id,
        reason: "new disks".to_owned(),
        services,
        targets: Vec::new(),
        when: once(world, 0, HOUR),
        matchers,
    })
}

#[test]
fn a_window_may_name_alerts_by_their_labels_alone_or_besides_its_services() {
    let mut world = World::set_up();
    let shop = world.add_service("Shop");
    let two = vec![
        matcher("job", LabelTest::Fits, "web.*"),
        matcher("a", LabelTest::Equals, "b"),
    ];
    let ask = plan_by_labels(&world, None, Vec::new(), Some(two.clone()));
    world.ask(ask);
    let (&id, window) = world.state.windows.iter().next_back().unwrap();
    let silence = window.silence.clone().unwrap();
    // Sorted, as those are that come by Alertmanager's API.
    assert_eq!(silence.matchers, [two[1].clone(), two[0].clone()]);
    assert_eq!(silence.created_by, "");
    world.fires("quiet", &[("a", "b"), ("job", "web-1")]);
    assert_eq!(world.pages(), []);
    assert!(world.incident().suppressed.is_some());
    // Said nothing, its labels stay; a service comes to them.
    let ask = plan_by_labels(&world, Some(id), vec![shop], None);
    world.ask(ask);
    assert!(world.state.windows[&id].silence.is_some());
    world.trigger_with(Some(shop), "disk", Severity::Critical, &[]);
    assert_eq!(world.pages(), []);
}

#[test]
fn what_a_window_no_longer_names_by_its_labels_is_paged_for() {
    let mut world = World::set_up();
    let service = world.add_service("Shop");
    let one = vec![matcher("a", LabelTest::Equals, "b")];
    let ask = plan_by_labels(&world, None, vec![service], Some(one));
    world.ask(ask);
    let id = *world.state.windows.keys().next_back().unwrap();
    world.fires("quiet", &[("a", "b")]);
    assert_eq!(world.pages(), []);
    let ask = plan_by_labels(&world, Some(id), vec![service], Some(Vec::new()));
    world.ask(ask);
    assert_eq!(world.state.windows[&id].silence, None);
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn labels_of_a_window_that_would_cover_everything_or_nothing_are_refused() {
    let mut world = World::set_up();
    let good = matcher("a", LabelTest::Equals, "b");
    for (matchers, told) in [
        (vec![matcher("a", LabelTest::Fits, ".*")], "empty string"),
        (vec![good; 65], "at most 64"),
        (Vec::new(), "services, targets or matchers"),
    ] {
        let ask = plan_by_labels(&world, None, Vec::new(), Some(matchers));
        let refused = world.try_ask(ask).unwrap_err();
        assert!(format!("{refused:?}").contains(told), "{refused:?}");
    }
    assert_eq!(world.state.windows.len(), 0);
}

#[test]
fn what_wakes_nobody_and_still_fails_when_the_work_is_over_is_told_then() {
    let notices = |world: &World| {
        let messages = world.state.notifications.values();
        let notices = messages.filter(|one| matches!(one.purpose, Purpose::Notice(_)));
        notices.count()
    };
    for (ends_early, gets_worse, recovers) in [
        (false, false, false),
        (true, false, false),
        (false, true, false),
        (false, false, true),
    ] {
        let mut world = World::set_up();
        let (user, service) = (world.ada(), world.default_service());
        let mail = world.state.users[&user].contact_methods[0].id;
        let rules = vec![(Urgency::High, 0, mail), (Urgency::Low, 0, mail)];
        world.ask(Ask::People(PeopleAsk::SetRules { user, rules }));
        let when = once(&world, 0, HOUR);
        let work = plan(&mut world, vec![service], when);
        world.trigger("disk", Severity::Info);
        if gets_worse {
            world.trigger("disk", Severity::Warning);
        }
        world.wait_ms(HOUR - 1);
        assert_eq!(notices(&world), 0);
        if recovers {
            world.ask(Ask::Alert(AlertAsk::ResolveByKey {
                service,
                integration: None,
                dedup_key: "disk".to_owned(),
            }));
        }
        if ends_early {
            world.ask(Ask::Intake(IntakeAsk::EndWindow(work)));
        } else {
            world.wait_ms(1);
        }
        assert_eq!(
            notices(&world),
            usize::from(!recovers),
            "worse: {gets_worse}"
        );
        assert!(recovers || world.incident().suppressed.is_none());
        assert_eq!(world.pages(), []);
    }
}
