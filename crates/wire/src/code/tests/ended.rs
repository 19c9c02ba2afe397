//! Planned work that somebody ended early, in the files that planned it.

use tocsin_domain::command::IntakeAsk;
use tocsin_domain::id::MaintenanceId;
use tocsin_domain::intake::When;
use tocsin_domain::oncall::Span;

use super::*;

const HOUR_MS: u64 = 3_600_000;

/// Work on the first service that is under way, in a night that is the last of it or not.
fn work(when: &str) -> Document {
    document(&format!(
        "[[maintenance_windows]]\nreason = \"disks\"\nservices = [\"First service\"]\n{when}\n"
    ))
}

const ONCE: &str = "from = 2026-11-22T22:00:00Z\nuntil = 2026-11-23T06:00:00Z";
const LAST_NIGHT: &str = "repeat = { time_zone = \"UTC\", first = \"2026-11-21T22:00\", lasts = \"8h\", every = 1, unit = \"days\", until = 2026-11-23T12:00:00Z }";
const EACH_NIGHT: &str = "repeat = { time_zone = \"UTC\", first = \"2026-11-21T22:00\", lasts = \"8h\", every = 1, unit = \"days\" }";

fn under_way(installation: &Installation) -> Vec<MaintenanceId> {
    let all = installation.state.windows.values();
    let all = all.filter(|window| window.around(NOW).is_some());
    all.map(|window| window.id).collect()
}

/// An installation in which this was planned by files, and ended by somebody.
fn ended(seed: u64, when: &str) -> Installation {
    let mut installation = Installation::new(seed);
    installation.apply(work(when)).unwrap();
    let planned = under_way(&installation);
    assert_eq!(planned.len(), 1, "{when}");
    let end = IntakeAsk::EndWindow(planned[0]);
    installation.ask(Ask::Intake(end)).unwrap();
    assert!(under_way(&installation).is_empty(), "{when}");
    installation
}

#[test]
fn work_that_was_ended_is_planned_no_second_time_by_the_same_files() {
    for when in [ONCE, LAST_NIGHT] {
        let mut installation = ended(41, when);
        assert!(installation.export().maintenance_windows.is_empty());
        let events = installation.apply(work(when)).unwrap();
        assert!(events.is_empty(), "{when}: {events:?}");
        assert_eq!(installation.state.windows.len(), 1);
    }
}

#[test]
fn work_that_comes_again_stays_ended_until_its_next_night() {
    let mut installation = ended(42, EACH_NIGHT);
    assert_eq!(installation.export().maintenance_windows.len(), 1);
    assert!(installation.apply(work(EACH_NIGHT)).unwrap().is_empty());
    assert!(under_way(&installation).is_empty());
    let window = installation.state.windows.values().next().unwrap();
    let next = window.next(NOW).unwrap();
    assert_eq!(next.from, NOW.plus_ms(22 * HOUR_MS));
}

#[test]
fn files_that_say_something_else_than_what_was_ended_plan_work_anew() {
    let reason = |text: &str, of: &str| {
        let mut wanted = work(text);
        wanted.maintenance_windows[0].reason = of.to_owned();
        wanted
    };
    let longer = ONCE.replace("06:00", "07:00");
    let on_labels =
        format!("{ONCE}\nmatchers = [{{ name = \"job\", operator = \"=\", value = \"web\" }}]");
    for wanted in [
        work(&longer),
        work(&on_labels),
        reason(ONCE, "the other disks"),
    ] {
        let mut installation = ended(43, ONCE);
        installation.apply(wanted.clone()).unwrap();
        assert_eq!(installation.state.windows.len(), 2);
        assert_eq!(under_way(&installation).len(), 1);
        assert_eq!(
            installation.export().maintenance_windows,
            wanted.maintenance_windows
        );
    }
}

#[test]
fn work_of_the_same_reason_that_was_planned_since_is_not_changed_into_what_was_ended() {
    let mut installation = ended(44, ONCE);
    let tomorrow = Span::new(NOW.plus_ms(22 * HOUR_MS), NOW.plus_ms(23 * HOUR_MS));
    let by_hand = IntakeAsk::SetWindow {
        id: None,
        reason: "disks".to_owned(),
        services: installation.state.services.keys().copied().collect(),
        targets: Vec::new(),
        when: When::Once { span: tomorrow },
        matchers: None,
    };
    installation.ask(Ask::Intake(by_hand)).unwrap();
    assert!(installation.apply(work(ONCE)).unwrap().is_empty());
    assert!(under_way(&installation).is_empty());
    assert_eq!(installation.state.windows.len(), 2);
}
