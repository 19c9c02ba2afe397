//! Maintenance windows that name alerts by their labels, as Alertmanager has them.

use super::{HOUR, MINUTE};
use crate::world::World;
use tocsin_domain::command::{Ask, AskedSilence, IntakeAsk, RosterAsk, WatchAsk};
use tocsin_domain::id::MaintenanceId;
use tocsin_domain::intake::{
    LabelMatcher, LabelTest, SERVICE_LABEL, Silence, TARGET_LABEL, Window,
};
use tocsin_domain::monitor::Severity;
use tocsin_domain::oncall::Span;
use tocsin_domain::target::TargetIdentity;

pub(super) fn matcher(name: &str, test: LabelTest, value: &str) -> LabelMatcher {
    LabelMatcher::new(name, test, value).unwrap()
}

impl World {
    pub(super) fn asked(
        &self,
        matchers: Vec<LabelMatcher>,
        from_ms: u64,
        until_ms: u64,
    ) -> AskedSilence {
        AskedSilence {
            id: None,
            comment: "new disks".to_owned(),
            created_by: "ada".to_owned(),
            matchers,
            span: Span::new(self.now.plus_ms(from_ms), self.now.plus_ms(until_ms)),
        }
    }

    pub(super) fn silence(&mut self, asked: AskedSilence) -> MaintenanceId {
        let known: Vec<MaintenanceId> = self.state.windows.keys().copied().collect();
        let changed = asked.id;
        self.ask(Ask::Intake(IntakeAsk::SetSilence(Box::new(asked))));
        let mut windows = self.state.windows.keys();
        let new = windows.find(|id| !known.contains(id)).copied();
        new.or(changed).unwrap()
    }

    pub(super) fn window(&self, id: MaintenanceId) -> &Window {
        &self.state.windows[&id]
    }
}

#[test]
fn a_silence_holds_pages_back_for_the_alerts_that_fit_it() {
    let mut world = World::set_up();
    let web = matcher("job", LabelTest::Fits, "web.*");
    let prod = matcher("stage", LabelTest::Differs, "prod");
    let asked = world.asked(vec![web, prod], 0, HOUR);
    world.silence(asked);
    world.fires("a", &[("job", "web-1"), ("stage", "test")]);
    let (why, until) = world.incident().suppressed.clone().unwrap();
    assert_eq!(why, "maintenance: new disks");
    assert_eq!(until, world.now.plus_ms(HOUR));
    assert_eq!(world.pages(), []);
    for (key, job, stage) in [("b", "db", "test"), ("c", "web-1", "prod")] {
        world.fires(key, &[("job", job), ("stage", stage)]);
        assert_eq!(world.incident().suppressed, None, "{key}");
    }
    assert!(!world.pages().is_empty());
}

#[test]
fn what_burns_when_a_silence_ends_is_paged_then() {
    for early in [false, true] {
        let mut world = World::set_up();
        let asked = world.asked(vec![matcher("a", LabelTest::Equals, "b")], 0, 2 * MINUTE);
        let silence = world.silence(asked);
        world.fires("a", &[("a", "b")]);
        world.wait_ms(MINUTE);
        assert_eq!(world.pages(), []);
        if early {
            world.ask(Ask::Intake(IntakeAsk::ExpireWindow(silence)));
        } else {
            world.wait_ms(MINUTE);
        }
        assert_eq!(world.pages().len(), 1);
    }
}

#[test]
fn a_silence_that_comes_later_takes_planned_pages_back() {
    let mut world = World::set_up();
    world.fires("a", &[("a", "b")]);
    let asked = world.asked(vec![matcher("a", LabelTest::Equals, "b")], 0, HOUR);
    world.silence(asked);
    assert!(world.incident().suppressed.is_some());
}

#[test]
fn an_incident_is_quiet_only_as_long_as_all_that_asks_is_silenced() {
    let mut world = World::set_up();
    // All alerts of the service make one incident.
    let by_time = tocsin_domain::intake::GroupBy::Time {
        within_ms: HOUR,
        rolling: false,
    };
    world.take_in(tocsin_domain::intake::UrgencyBy::Severity, by_time, None);
    let asked = world.asked(vec![matcher("a", LabelTest::Equals, "b")], 0, HOUR);
    world.silence(asked);
    world.fires("quiet", &[("a", "b")]);
    assert_eq!(world.pages(), []);
    world.fires("loud", &[("a", "c")]);
    assert_eq!(world.state.incidents.len(), 1);
    assert_eq!(world.incident().suppressed, None);
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn any_alert_can_be_silenced_by_its_service() {
    let mut world = World::set_up();
    let shop = world.add_service("Shop");
    let asked = world.asked(
        vec![matcher(SERVICE_LABEL, LabelTest::Equals, "Shop")],
        0,
        HOUR,
    );
    world.silence(asked);
    world.trigger_with(Some(shop), "disk", Severity::Critical, &[]);
    assert!(world.incident().suppressed.is_some());
    world.trigger("disk", Severity::Critical);
    assert_eq!(world.incident().suppressed, None);
}

#[test]
fn a_silence_that_only_says_what_is_not_meant_hides_nothing_that_came_without_labels() {
    let but = || matcher("alertname", LabelTest::Differs, "Watchdog");
    let any = || matcher("team", LabelTest::Fits, ".*");
    let not_web = || matcher("team", LabelTest::Misfits, "web|shop");
    let named = || matcher("alertname", LabelTest::Fits, ".+");
    for (matchers, hides_all) in [
        (vec![but()], false),
        (vec![not_web()], false),
        (vec![any(), but()], false),
        // This asks for a label which all of them have.
        (vec![named(), but()], true),
    ] {
        let mut world = World::with_apache();
        let asked = world.asked(matchers.clone(), 0, HOUR);
        world.silence(asked);
        let is_quiet = |world: &World| world.incident().suppressed.is_some();
        world.fires("a", &[("alertname", "Down")]);
        assert!(is_quiet(&world), "{matchers:?}");
        world.crash();
        assert_eq!(is_quiet(&world), hides_all, "ours: {matchers:?}");
        world.trigger("disk", Severity::Critical);
        assert_eq!(is_quiet(&world), hides_all, "no labels: {matchers:?}");
        assert_eq!(world.pages().is_empty(), hides_all, "{matchers:?}");
    }
    // What it excepts is paged for.
    let mut world = World::set_up();
    let asked = world.asked(vec![but()], 0, HOUR);
    world.silence(asked);
    world.fires("b", &[("alertname", "Watchdog")]);
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn a_silence_needs_a_condition_that_a_missing_label_does_not_meet_or_one_that_excepts() {
    let updated_at = World::set_up().now;
    let with = |test, value| vec![matcher("a", test, value)];
    for (matchers, taken) in [
        (with(LabelTest::Equals, ""), false),
        (with(LabelTest::Fits, "b*"), false),
        (with(LabelTest::Differs, "b"), true),
        (with(LabelTest::Differs, ""), true),
        (with(LabelTest::Misfits, "b"), true),
    ] {
        let silence = Silence {
            created_by: "ada".to_owned(),
            matchers: matchers.clone(),
            updated_at,
        };
        assert_eq!(silence.violations().is_empty(), taken, "{matchers:?}");
    }
}

#[test]
fn what_a_silence_names_by_its_service_is_paged_for_when_that_has_another_name_and_quiet_when_it_has_it_again()
 {
    let mut world = World::set_up();
    let shop = world.add_service("Shop");
    let matchers = vec![matcher(SERVICE_LABEL, LabelTest::Equals, "Shop")];
    let asked = world.asked(matchers, 0, HOUR);
    world.silence(asked);
    world.trigger_with(Some(shop), "disk", Severity::Critical, &[]);
    for (name, pages) in [("Store", 1), ("Shop", 1)] {
        let asked = RosterAsk::SetService {
            id: Some(shop),
            name: name.to_owned(),
            policy: None,
        };
        world.ask(Ask::Roster(asked));
        assert_eq!(world.pages().len(), pages);
        let is_quiet = world.incident().suppressed.is_some();
        assert_eq!(is_quiet, name == "Shop");
    }
}

#[test]
fn what_a_silence_names_by_its_target_is_paged_for_when_that_has_another_name() {
    let mut world = World::with_apache();
    let target = world.target();
    let known = world.state.targets[&target].identity.clone();
    let matchers = vec![matcher(TARGET_LABEL, LabelTest::Equals, &known.name)];
    let asked = world.asked(matchers, 0, HOUR);
    world.silence(asked);
    world.crash();
    assert_eq!(world.pages(), []);
    let identity = TargetIdentity {
        name: "moved".to_owned(),
        ..known
    };
    world.ask(Ask::Watch(WatchAsk::Seen(identity)));
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn a_label_of_an_alert_is_found_alone_as_it_is_among_all_of_them() {
    let mut world = World::with_apache();
    let shop = world.add_service("Shop");
    world.crash();
    world.trigger_with(Some(shop), "disk", Severity::Warning, &[]);
    let labels = [
        ("alertname", "Down"),
        ("instance", "web-1"),
        ("annotation instance", "web-2"),
        (SERVICE_LABEL, "Mine"),
        (TARGET_LABEL, "mine"),
    ];
    world.fires("f1", &labels);
    let state = &world.state;
    let known = state.services.values().map(|one| one.name.as_str());
    let known = known.chain(state.monitors.values().map(|one| one.name.as_str()));
    let known = known.chain(state.targets.values().map(|one| one.identity.name.as_str()));
    let known = known.chain(state.alerts.values().map(|one| one.title.as_str()));
    let known = known.chain(labels.into_iter().map(|(_, value)| value));
    let values: Vec<&str> = known.chain(["", "critical", "warning"]).collect();
    let names = labels.into_iter().map(|(name, _)| name);
    let names: Vec<&str> = names.chain(["severity", "absent"]).collect();
    for alert in state.alerts.values() {
        let all = state.matched_labels(alert);
        let mut found = 0;
        for (name, value) in names
            .iter()
            .flat_map(|name| values.iter().map(move |value| (*name, *value)))
        {
            for test in [LabelTest::Equals, LabelTest::Differs] {
                let matchers = [matcher(name, test, value)];
                let fits = state.fits(alert, &matchers);
                assert_eq!(fits, all.fit(&matchers), "{} {}", alert.title, matchers[0]);
                found += usize::from(fits && test == LabelTest::Equals && !value.is_empty());
            }
        }
        assert!(
            found >= 3,
            "name, severity or instance, and service: {found}"
        );
    }
    assert!(state.alerts.values().any(|alert| alert.target.is_some()));
    assert!(state.alerts.len() >= 3);
}
