//! A clock that is set back: what waits for some time waits that time and no longer; what waits for a time of the day waits for
//! that.

use crate::world::{World, sample};
use tocsin_domain::alert::Onset;
use tocsin_domain::command::{AlertAsk, Ask, HeartbeatAsk, IntakeAsk, RespondAsk, WatchAsk};
use tocsin_domain::event::{EventBody, IncidentWhat, Response};
use tocsin_domain::incident::Status;
use tocsin_domain::intake::{GroupBy, UrgencyBy};
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::{Level, Outcome, Recipient};

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;

impl World {
    fn set_back(&mut self, by_ms: u64) {
        self.now = self.now.minus_ms(by_ms);
        self.ask(Ask::ClockSetBack { by_ms });
    }

    fn remaining_ms(&self) -> u64 {
        let due = self.state.next_due().expect("something waits");
        due.ms_since(self.now)
    }

    /// Sets the clock back by an hour: what comes next comes after the same time as before, and the journal folds to the same.
    fn waits_no_longer(mut self, remaining_ms: u64) -> Self {
        assert_eq!(self.remaining_ms(), remaining_ms);
        self.set_back(HOUR);
        assert_eq!(self.remaining_ms(), remaining_ms);
        self.check_replay();
        self
    }
}

fn paged(world: &mut World) {
    world.crash();
    world.answer_all(Outcome::Accepted);
}

#[test]
fn the_next_level_is_paged_after_its_delay() {
    let mut world = World::with_apache();
    let (ada, bob) = (world.ada(), world.add_user("Bob"));
    world.set_levels(0, &[(5 * MINUTE, &[ada]), (5 * MINUTE, &[bob])]);
    paged(&mut world);
    world.wait_ms(MINUTE);
    let mut world = world.waits_no_longer(4 * MINUTE);
    world.wait_ms(4 * MINUTE);
    assert_eq!(world.paged(), ["Ada", "Bob"]);
}

#[test]
fn a_page_that_is_held_goes_out_after_the_hold() {
    let mut world = World::with_apache();
    world.fire("apache-down", &[0]);
    let held = world.incident().hold.clone().expect("it is held");
    let remaining = held.until.ms_since(world.now);
    let mut world = world.waits_no_longer(remaining);
    world.wait_ms(remaining);
    assert_eq!(world.paged(), ["Ada"]);
}

#[test]
fn a_retry_and_the_next_step_of_a_persons_rules_come_in_their_time() {
    let mut world = World::with_apache();
    let ada = world.ada();
    let (mail, hook) = (
        world.state.users[&ada].contact_methods[0].id,
        world.add_webhook(ada),
    );
    world.set_rules(ada, &[(0, mail), (2 * MINUTE, hook)]);
    world.crash();
    world.answer_all(Outcome::Failed);
    let mut world = world.waits_no_longer(1_000);
    world.wait_ms(1_000);
    world.answer_all(Outcome::Accepted);
    let mut world = world.waits_no_longer(2 * MINUTE - 1_000);
    world.wait_ms(2 * MINUTE - 1_000);
    assert_eq!(world.pages().len(), 3);
}

#[test]
fn an_attempt_without_an_answer_times_out_in_its_time() {
    let mut world = World::with_apache();
    world.crash();
    world.waits_no_longer(20_000);
}

#[test]
fn a_snooze_and_an_acknowledgement_end_in_their_time() {
    let mut world = World::with_apache();
    paged(&mut world);
    let (incident, by) = (world.incident().id, world.ada());
    world.respond(RespondAsk::Snooze {
        incident,
        by,
        for_ms: 30 * MINUTE,
    });
    world.waits_no_longer(30 * MINUTE);

    let mut world = World::with_apache();
    let levels = vec![Level::of(5 * MINUTE, vec![Recipient::User(world.ada())])];
    world.set_default_policy(levels, Some(90 * MINUTE));
    paged(&mut world);
    world.acknowledge();
    let mut world = world.waits_no_longer(90 * MINUTE);
    world.wait_ms(90 * MINUTE);
    let ended = world.journal.iter().find_map(|event| {
        if let EventBody::Incident(incident) = &event.body
            && let IncidentWhat::Response(Response::AcknowledgementEnded { why, .. }) =
                &incident.what
        {
            return Some(why.clone());
        }
        None
    });
    let why = "its acknowledgement has run out and it still fails";
    assert_eq!(ended.as_deref(), Some(why), "how long ago is not known");
}

#[test]
fn health_a_heartbeat_and_news_of_an_alert_are_waited_for_no_longer() {
    let mut world = World::with_apache();
    paged(&mut world);
    world.recover("apache-down");
    world.wait_ms(5_000);
    world.waits_no_longer(10_000);

    let mut world = World::set_up();
    let ask = HeartbeatAsk::Set {
        id: None,
        name: "backup".to_owned(),
        service: None,
        every_ms: 10 * MINUTE,
        grace_ms: MINUTE,
        severity: Severity::Error,
        token_hash: Some("00".to_owned()),
    };
    world.ask(Ask::Intake(IntakeAsk::Heartbeat(ask)));
    let heartbeat = *world.state.pulses.keys().next().unwrap();
    let at = world.now;
    let called = HeartbeatAsk::Called { heartbeat, at };
    world.ask(Ask::Intake(IntakeAsk::Heartbeat(called)));
    world.waits_no_longer(11 * MINUTE);
}

#[test]
fn a_level_that_is_reached_after_it_does_not_take_an_earlier_page_for_its_own() {
    let mut world = World::with_apache();
    let (ada, bob, cyd) = (world.ada(), world.add_user("Bob"), world.add_user("Cyd"));
    world.set_levels(
        0,
        &[(MINUTE, &[ada]), (5 * MINUTE, &[bob]), (MINUTE, &[cyd])],
    );
    paged(&mut world);
    world.set_back(HOUR);
    world.wait_ms(MINUTE);
    world.answer_all(Outcome::Refused);
    assert_eq!(
        world.paged(),
        ["Ada", "Bob", "Cyd"],
        "nobody has got Bob's page, so the next level is paged at once"
    );
}

#[test]
fn a_target_is_quiet_until_its_time_of_the_day() {
    let mut world = World::with_apache();
    let (target, until) = (world.target(), world.now.plus_ms(30 * MINUTE));
    let reason = "work".to_owned();
    world.ask(Ask::Watch(WatchAsk::Mute {
        target,
        until,
        reason,
    }));
    world.crash();
    assert_eq!(world.remaining_ms(), 30 * MINUTE);
    world.set_back(10 * MINUTE);
    assert_eq!(world.remaining_ms(), 40 * MINUTE);
    world.wait_ms(40 * MINUTE);
    assert_eq!(world.paged(), ["Ada"]);
}

/// The crash that Ada took is over.
fn resolved() -> World {
    let mut world = World::with_apache();
    paged(&mut world);
    world.acknowledge();
    world.recover("apache-down");
    world.wait_ms(15_000);
    assert_eq!(world.incident().status, Status::Resolved);
    world
}

#[test]
fn what_was_over_long_ago_is_not_opened_again_and_its_record_stays_as_it_is() {
    let mut world = resolved();
    world.wait_ms(30 * MINUTE);
    let first = world.incident().clone();
    world.set_back(HOUR);
    let after = &world.state.incidents[&first.id];
    assert_eq!(after.resolved_at, first.resolved_at);
    world.crash();
    assert_eq!(world.state.incidents.len(), 2, "it is another failure");
}

#[test]
fn what_was_over_a_moment_ago_is_opened_again_in_its_time_and_no_longer() {
    for (wait_ms, incidents) in [(4 * MINUTE, 1), (6 * MINUTE, 2)] {
        let mut world = resolved();
        world.wait_ms(5 * MINUTE);
        world.set_back(HOUR);
        world.wait_ms(wait_ms);
        world.crash();
        assert_eq!(world.state.incidents.len(), incidents, "{wait_ms}");
    }
}

#[test]
fn a_crash_after_a_rest_is_paged_anew_although_a_warning_kept_the_incident_open() {
    let mut world = World::with_apache();
    paged(&mut world);
    world.fire("apache-config-broken", &[]);
    world.acknowledge();
    world.recover("apache-down");
    world.wait_ms(10 * MINUTE);
    world.set_back(HOUR);
    world.crash();
    assert_eq!(world.paged(), ["Ada", "Ada"]);
}

#[test]
fn a_group_by_time_takes_in_nothing_that_comes_after_its_time() {
    for rolling in [false, true] {
        let mut world = World::set_up();
        let installation = world.state.installation.as_ref().unwrap();
        let service = installation.default_service;
        let within_ms = 10 * MINUTE;
        world.ask(Ask::Intake(IntakeAsk::SetService {
            service,
            urgency: UrgencyBy::Severity,
            grouping: GroupBy::Time { within_ms, rolling },
            resolve_after_ms: None,
        }));
        world.trigger("a", Severity::Error);
        world.trigger("b", Severity::Error);
        world.ask(Ask::Alert(AlertAsk::ResolveByKey {
            service,
            integration: None,
            dedup_key: "b".to_owned(),
        }));
        world.wait_ms(5 * MINUTE);
        world.set_back(HOUR);
        world.wait_ms(6 * MINUTE);
        world.trigger("c", Severity::Error);
        assert_eq!(world.state.incidents.len(), 2, "rolling: {rolling}");
    }
}

#[test]
fn a_page_is_not_held_back_until_a_time_that_was_before_it() {
    let mut world = World::with_apache();
    let (monitor, target, at) = (world.monitor("apache-down"), world.target(), world.now);
    world.set_back(HOUR);
    world.ask(Ask::Alert(AlertAsk::MonitorFired {
        monitor,
        target,
        at,
        wording: String::new(),
        evidence: vec![sample(at)],
        onset: Some(Onset {
            at,
            uncertainty_ms: 10,
            evidence: sample(at),
        }),
        holds: vec![0],
    }));
    world.wait_ms(19_000);
    assert_eq!(world.paged(), ["Ada"]);
}
