//! What waits whether it is over by then, in one incident with what does not: each waits for its own reason.

use tocsin_domain::command::{AlertAsk, Ask, RespondAsk, RuleFired};
use tocsin_domain::id::TargetId;
use tocsin_domain::intake::{Action, Condition, Field, GroupBy, LabelTest, Test, UrgencyBy};
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::{Notification, Outcome};
use tocsin_domain::people::Urgency;

use super::silences::matcher;
use super::{HOUR, MINUTE, rule, title_contains};
use crate::world::World;

/// Alerts with these words in their titles wait so long whether they are over by then.
pub(super) fn paused(pauses: &[(&str, u64)]) -> World {
    let mut world = World::with_apache();
    let rules = pauses.iter().map(|(word, ms)| {
        let pause = Action::Pause { ms: *ms };
        rule(word, title_contains(word), vec![pause])
    });
    world.set_rules_of(None, rules.collect());
    world
}

impl World {
    /// One series of a rule fires, about a target or about none.
    fn series_fires(&mut self, key: &str, severity: Severity, target: Option<TargetId>) {
        let fired = RuleFired {
            group: "web".to_owned(),
            rule: "Down".to_owned(),
            service: None,
            target,
            dedup_key: key.to_owned(),
            severity,
            title: format!("{key} is down"),
            summary: String::new(),
            details: vec![("instance".to_owned(), key.to_owned())],
            at: self.now,
            evidence: Vec::new(),
        };
        self.ask(Ask::Alert(AlertAsk::RuleFired(Box::new(fired))));
    }
}

#[test]
fn a_series_that_does_not_wait_is_paged_for_at_once_beside_one_of_its_rule_that_does() {
    for severity in [Severity::Error, Severity::Critical] {
        let mut world = paused(&[("alpha", HOUR)]);
        world.series_fires("alpha", Severity::Error, None);
        assert_eq!(world.pages(), []);
        world.series_fires("beta", severity, None);
        assert_eq!(world.state.incidents.len(), 1);
        assert_eq!(world.pages().len(), 1, "{severity:?}");
    }
}

#[test]
fn a_series_that_waits_less_long_than_another_of_its_rule_is_paged_for_in_its_time() {
    let mut world = paused(&[("alpha", HOUR), ("beta", MINUTE)]);
    world.series_fires("alpha", Severity::Error, None);
    world.series_fires("beta", Severity::Error, None);
    world.wait_ms(MINUTE - 1);
    assert_eq!(world.pages(), []);
    world.wait_ms(1);
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn a_worse_series_that_waits_holds_back_nothing_of_what_its_rule_is_paged_for_already() {
    let mut world = paused(&[("beta", 5 * MINUTE)]);
    world.series_fires("alpha", Severity::Error, None);
    world.answer_all(Outcome::Accepted);
    world.series_fires("beta", Severity::Critical, None);
    assert_eq!(world.incident().hold, None);
    assert_eq!(world.pages().len(), 2);
}

/// Errors wait an hour whether they are over by then, and one does.
fn waits_as_an_error() -> World {
    let mut world = World::set_up();
    world.set_rules_of(None, vec![rule("r", severity_is("error"), pause(HOUR))]);
    world.trigger("disk", Severity::Error);
    assert_eq!(world.pages(), []);
    world
}

fn pause(ms: u64) -> Vec<Action> {
    vec![Action::Pause { ms }]
}

fn severity_is(word: &str) -> Condition {
    Condition::Field {
        field: Field::Severity,
        test: Test::Equals(word.to_owned()),
    }
}

#[test]
fn what_gets_worse_waits_no_longer_for_the_pause_of_when_it_was_lesser() {
    let mut world = waits_as_an_error();
    world.trigger("disk", Severity::Error);
    assert_eq!(world.pages(), []);
    world.trigger("disk", Severity::Critical);
    assert_eq!(world.alert("disk").hold, None);
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn what_gets_worse_and_has_a_shorter_pause_as_that_is_paged_for_in_its_time() {
    let mut world = waits_as_an_error();
    let rules = vec![rule("r", severity_is("critical"), pause(MINUTE))];
    world.set_rules_of(None, rules);
    world.trigger("disk", Severity::Critical);
    world.wait_ms(MINUTE - 1);
    assert_eq!(world.pages(), []);
    world.wait_ms(1);
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn what_waits_and_wakes_nobody_goes_on_waiting_as_something_urgent_that_a_rule_lets_wait_too() {
    let mut world = World::set_up();
    let all = Condition::All { of: Vec::new() };
    world.set_rules_of(None, vec![rule("r", all, pause(10 * MINUTE))]);
    world.trigger("disk", Severity::Warning);
    world.wait_ms(4 * MINUTE);
    world.trigger("disk", Severity::Critical);
    world.wait_ms(6 * MINUTE - 1);
    assert_eq!(world.pages(), []);
    world.wait_ms(1);
    assert_eq!(world.pages().len(), 1);
}

/// What comes within an hour makes one incident, and what is about a disk waits for ten minutes.
fn disks_wait_beside_others() -> World {
    let mut world = World::set_up();
    let grouping = GroupBy::Time {
        within_ms: HOUR,
        rolling: false,
    };
    world.take_in(UrgencyBy::Severity, grouping, None);
    let waits = rule("r", title_contains("disk"), pause(10 * MINUTE));
    world.set_rules_of(None, vec![waits]);
    world
}

#[test]
fn what_waits_and_wakes_nobody_is_paged_for_at_once_as_something_urgent_beside_what_does_not_wait()
{
    let mut world = disks_wait_beside_others();
    world.trigger("disk", Severity::Warning);
    world.trigger("net", Severity::Error);
    assert_eq!(world.pages().len(), 1);
    world.trigger("disk", Severity::Critical);
    assert_eq!(world.state.incidents.len(), 1);
    assert!(world.incident().hold.is_none(), "{:?}", world.incident());
}

#[test]
fn a_page_that_was_planned_for_something_lesser_is_not_sent_for_what_waits() {
    let mut world = World::set_up();
    let ada = world.ada();
    let method = world.state.users[&ada].contact_methods[0].id;
    world.set_rules(ada, &[(30_000, method)]);
    let waits = rule("r", severity_is("critical"), pause(10 * MINUTE));
    world.set_rules_of(None, vec![waits]);
    world.series_fires("web-1", Severity::Error, None);
    let resolved = AlertAsk::RuleResolved {
        dedup_key: "web-1".to_owned(),
        at: world.now,
        evidence: Vec::new(),
        gone: false,
    };
    world.ask(Ask::Alert(resolved));
    world.series_fires("web-1", Severity::Critical, None);
    assert!(world.incident().hold.is_some(), "{:?}", world.incident());
    world.wait_ms(10 * MINUTE);
    assert_eq!(world.pages(), []);
    world.wait_ms(30_000);
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn a_page_for_what_was_over_is_not_tried_again_for_what_is_back_and_waits() {
    let mut world = World::with_apache();
    world.crash();
    let page = world.sending()[0].id;
    world.wait_ms(1_000);
    world.recover("apache-down");
    world.wait_ms(16_000);
    world.fire("apache-down", &[2]);
    assert!(world.incident().hold.is_some(), "{:?}", world.incident());
    world.answer(page, Outcome::Failed);
    world.wait_ms(30_000);
    assert_eq!(world.sending(), Vec::<&Notification>::new());
    world.wait_ms(30_000);
    assert_eq!(world.sending().len(), 1);
}

#[test]
fn what_a_person_said_is_urgent_does_not_wait_for_the_pause_of_what_joins_it() {
    let mut world = disks_wait_beside_others();
    world.trigger("calm", Severity::Warning);
    let (incident, urgency) = (world.incident().id, Urgency::High);
    world.respond(RespondAsk::SetUrgency { incident, urgency });
    assert_eq!(world.pages().len(), 1);
    world.answer_all(Outcome::Accepted);
    world.trigger("disk", Severity::Critical);
    assert_eq!(world.state.incidents.len(), 1);
    assert_eq!(world.incident().hold, None);
    assert_eq!(world.pages().len(), 2);
}

#[test]
fn what_got_worse_under_a_silence_is_paged_for_when_that_ends() {
    let mut world = World::set_up();
    world.set_rules_of(None, vec![rule("r", severity_is("error"), pause(HOUR))]);
    let matchers = vec![matcher("alertname", LabelTest::Equals, "disk fails")];
    let asked = world.asked(matchers, 0, 10 * MINUTE);
    world.silence(asked);
    world.trigger("disk", Severity::Error);
    world.trigger("disk", Severity::Critical);
    world.wait_ms(10 * MINUTE - 1);
    assert_eq!(world.pages(), []);
    world.wait_ms(1);
    assert_eq!(world.pages().len(), 1);
    world.check_replay();
}

/// All alerts of the service make one incident, "alpha" waits for an hour, and those that say `a="b"` are silenced for a time.
pub(super) fn waits_beside_a_silence(silenced_ms: u64) -> World {
    let mut world = paused(&[("alpha", HOUR)]);
    let by_time = GroupBy::Time {
        within_ms: HOUR,
        rolling: false,
    };
    world.take_in(UrgencyBy::Severity, by_time, None);
    let matchers = vec![matcher("a", LabelTest::Equals, "b")];
    let asked = world.asked(matchers, 0, silenced_ms);
    world.silence(asked);
    world.fires("alpha", &[("a", "c")]);
    world.fires("beta", &[("a", "b")]);
    assert_eq!(world.state.incidents.len(), 1);
    world
}

#[test]
fn what_is_silenced_and_joins_what_waits_pages_nobody_for_that() {
    let mut world = waits_beside_a_silence(2 * HOUR);
    assert_eq!(world.pages(), []);
    world.is_over("alpha");
    world.wait_ms(MINUTE);
    assert_eq!(world.pages(), []);
}

#[test]
fn what_is_silenced_and_joins_what_waits_longer_is_paged_for_when_its_silence_ends() {
    let mut world = waits_beside_a_silence(3 * MINUTE);
    for _ in 0..3 {
        assert_eq!(world.pages(), []);
        world.fires("alpha", &[("a", "c")]);
        world.fires("beta", &[("a", "b")]);
        world.wait_ms(MINUTE);
    }
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn what_is_over_before_its_silence_leaves_the_wait_of_what_it_joined_as_it_was() {
    let mut world = waits_beside_a_silence(3 * MINUTE);
    world.is_over("beta");
    for _ in 0..59 {
        world.fires("alpha", &[("a", "c")]);
        world.wait_ms(MINUTE);
        assert_eq!(world.pages(), []);
    }
    world.fires("alpha", &[("a", "c")]);
    world.wait_ms(MINUTE);
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn what_fails_of_one_target_shares_a_wait_for_a_minute_at_most() {
    let mut world = paused(&[("alpha", HOUR)]);
    let target = world.target();
    world.series_fires("alpha", Severity::Critical, Some(target));
    world.crash();
    assert_eq!(world.state.incidents.len(), 1);
    world.wait_ms(MINUTE - 1);
    assert_eq!(world.pages(), []);
    world.wait_ms(1);
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn what_is_worse_than_what_waits_of_the_same_target_is_paged_for_at_once() {
    let mut world = paused(&[("alpha", HOUR)]);
    let target = world.target();
    world.series_fires("alpha", Severity::Error, Some(target));
    world.crash();
    assert_eq!(world.state.incidents.len(), 1);
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn a_worse_failure_of_a_target_that_waits_stops_no_paging_for_another_of_it() {
    let mut world = paused(&[("beta", HOUR)]);
    let target = world.target();
    world.series_fires("alpha", Severity::Error, Some(target));
    world.answer_all(Outcome::Accepted);
    world.series_fires("beta", Severity::Critical, Some(target));
    assert_eq!(world.state.incidents.len(), 1);
    assert_eq!(world.incident().hold, None);
    assert_eq!(world.pages().len(), 2);
}

#[test]
fn a_worse_failure_of_a_target_that_waits_longer_lets_nothing_wait_longer_that_waits_already() {
    let mut world = paused(&[("alpha", 5 * MINUTE), ("beta", HOUR)]);
    let target = world.target();
    world.series_fires("alpha", Severity::Error, Some(target));
    world.series_fires("beta", Severity::Critical, Some(target));
    assert_eq!(world.state.incidents.len(), 1);
    world.wait_ms(5 * MINUTE - 1);
    assert_eq!(world.pages(), []);
    world.wait_ms(1);
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn what_somebody_had_and_gets_worse_does_not_wait_for_something_worse_that_came_since() {
    let mut world = paused(&[("alpha", HOUR)]);
    let by_time = GroupBy::Time {
        within_ms: HOUR,
        rolling: false,
    };
    world.take_in(UrgencyBy::Severity, by_time, None);
    world.trigger("beta", Severity::Error);
    world.series_fires("gamma", Severity::Warning, None);
    world.answer_all(Outcome::Accepted);
    world.acknowledge();
    // Another series of a rule whose incident that is.
    world.series_fires("alpha", Severity::Critical, None);
    assert_eq!(world.state.incidents.len(), 1);
    assert!(world.incident().hold.is_some());
    world.trigger("beta", Severity::Error);
    assert_eq!(world.pages().len(), 1, "they had that already");
    world.trigger("beta", Severity::Critical);
    assert_eq!(world.pages().len(), 2);
}

#[test]
fn what_somebody_has_and_gets_worse_is_paged_for_at_once_beside_what_waits() {
    for is_new in [false, true] {
        let mut world = paused(&[("alpha", HOUR)]);
        let by_time = GroupBy::Time {
            within_ms: HOUR,
            rolling: false,
        };
        world.take_in(UrgencyBy::Severity, by_time, None);
        world.trigger("alpha", Severity::Error);
        world.trigger("beta", Severity::Warning);
        world.acknowledge();
        assert_eq!(world.pages(), []);
        let worse = if is_new { "gamma" } else { "beta" };
        world.trigger(worse, Severity::Critical);
        assert_eq!(world.state.incidents.len(), 1 + usize::from(is_new));
        assert_eq!(world.pages().len(), 1, "{worse}");
    }
}

#[test]
fn when_a_change_is_over_what_waits_for_another_reason_goes_on_waiting() {
    const CHANGE_RUNNING: usize = 2;
    let mut world = paused(&[("alpha", HOUR)]);
    let target = world.target();
    world.fire("apache-down", &[CHANGE_RUNNING]);
    world.series_fires("alpha", Severity::Critical, Some(target));
    world.recover("apache-down");
    let incident = world.incident().id;
    world.ask(Ask::Alert(AlertAsk::HoldCleared { incident }));
    world.wait_ms(HOUR - 1);
    assert_eq!(world.state.incidents.len(), 1);
    assert_eq!(world.pages(), []);
    world.wait_ms(1);
    assert_eq!(world.pages().len(), 1);
}
