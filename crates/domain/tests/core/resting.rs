//! Providers that rest: what waits for them, and what does not.

use tocsin_domain::command::{Ask, PeopleAsk, RosterAsk};
use tocsin_domain::event::{EventBody, RosterEvent};
use tocsin_domain::id::ServiceId;
use tocsin_domain::monitor::Severity;
use tocsin_domain::oncall_command::OncallAsk;
use tocsin_domain::page::{
    BURST_MAX, Delivery, Level, Outcome, PROVIDER_FAILURES_MAX, PROVIDER_REST_MS, Recipient,
    TOGETHER_EVERY_MS,
};
use tocsin_domain::people::{ChannelKind, SetUp};
use tocsin_domain::state::Provider;

use crate::storms::services;
use crate::world::{World, raise};

/// A service of which Bea alone is paged.
fn service_of_bea(world: &mut World) -> ServiceId {
    let bea = world.add_user("Bea");
    let level = Level::of(300_000, vec![Recipient::User(bea)]);
    let policy = world.set_policy(None, 0, vec![level], None);
    let set = world.ask(Ask::Roster(RosterAsk::SetService {
        id: None,
        name: "Bea's".to_owned(),
        policy: Some(policy),
    }));
    let set = set.iter().find_map(|event| {
        let EventBody::Roster(RosterEvent::ServiceSet { service }) = &event.body else {
            return None;
        };
        Some(service.id)
    });
    set.unwrap()
}

#[test]
fn a_page_without_another_way_does_not_wait_with_one_that_waits_for_a_provider_that_rests() {
    let mut world = World::set_up();
    let ada = world.ada();
    let mail = world.state.users[&ada].contact_methods[0].id;
    let mirror = world.add_way(ada, ChannelKind::PagerDuty);
    world.set_rules(ada, &[(0, mirror), (0, mail)]);
    let services = services(&mut world, BURST_MAX / 2 + 2);
    let of_bea = service_of_bea(&mut world);
    // Ada gets each by both ways, until the mail of the last gathers what comes.
    for service in &services[..=BURST_MAX / 2] {
        world.ask(raise(Some(*service), "x", Severity::Error));
        world.answer_all(Outcome::Accepted);
    }
    let gathering = world.incident().id;
    world.wait_ms(TOGETHER_EVERY_MS - 5_000);
    for number in 0..PROVIDER_FAILURES_MAX {
        let key = format!("key-{number}");
        world.ask(raise(Some(of_bea), &key, Severity::Critical));
    }
    world.answer_all(Outcome::Failed);
    // It has come by the other way, so that the mail may wait.
    world.wait_ms(5_000);
    let at = world.now.plus_ms(PROVIDER_REST_MS - 5_000);
    let pages = world.state.messages_about(gathering);
    let states: Vec<Delivery> = pages.map(|page| page.state.clone()).collect();
    assert!(states.contains(&Delivery::Due { at }), "{states:?}");
    world.ask(Ask::People(PeopleAsk::RemoveContactMethod {
        user: ada,
        method: mirror,
    }));
    let last = services.last().copied().unwrap();
    world.ask(raise(Some(last), "x", Severity::Error));
    let pages = world.state.messages_about(world.incident().id);
    let states: Vec<Delivery> = pages.map(|page| page.state.clone()).collect();
    assert_eq!(states, [Delivery::Sending { since: world.now }]);
}

#[test]
fn an_address_at_slack_that_hangs_rests_without_those_of_others() {
    let mut world = World::set_up();
    let of_bea = service_of_bea(&mut world);
    let (ada, bea) = (world.ada(), world.user("Bea"));
    let [hers, of_another] = [ada, bea].map(|user| {
        let way = world.add_way(user, ChannelKind::Slack);
        world.set_rules(user, &[(0, way)]);
        Provider::of(way, ChannelKind::Slack)
    });
    let failures = usize::try_from(PROVIDER_FAILURES_MAX).unwrap();
    for service in services(&mut world, failures) {
        world.ask(raise(Some(service), "x", Severity::Critical));
    }
    world.answer_all(Outcome::TimedOut);
    let rests = |world: &World, which| world.state.provider_rests(which, None, world.now);
    assert!(rests(&world, hers).is_some());
    assert!(rests(&world, of_another).is_none());
    world.ask(raise(Some(of_bea), "x", Severity::Critical));
    let pages = world.state.messages_about(world.incident().id);
    let ways: Vec<_> = pages
        .map(|page| (page.channel, page.state.clone()))
        .collect();
    let sending = Delivery::Sending { since: world.now };
    assert_eq!(ways, [(ChannelKind::Slack, sending)]);
}

/// Ada is paged by texts, and has a verified mail address too, while the provider of texts rests.
fn texts_rest() -> World {
    let mut world = World::set_up();
    let of_bea = service_of_bea(&mut world);
    for user in [world.ada(), world.user("Bea")] {
        let text = world.add_way(user, ChannelKind::Sms);
        world.set_rules(user, &[(0, text)]);
    }
    for number in 0..PROVIDER_FAILURES_MAX {
        let key = format!("key-{number}");
        world.ask(raise(Some(of_bea), &key, Severity::Critical));
    }
    world.answer_all(Outcome::Failed);
    let rests = world.state.provider_rests(Provider::Phone, None, world.now);
    assert!(rests.is_some());
    world
}

/// Somebody looked by which channels messages can leave.
fn only_these_are_set_up(world: &mut World, channels: &[ChannelKind]) {
    let set_up: SetUp = channels.iter().copied().collect();
    let findings = Vec::new();
    let seen = OncallAsk::FindingsSeen { findings, set_up };
    world.ask(Ask::Roster(RosterAsk::Oncall(seen)));
}

/// How the page of the newest incident by that channel stands.
fn stands(world: &World, channel: ChannelKind) -> Option<Delivery> {
    let mut pages = world.state.messages_about(world.incident().id);
    let page = pages.find(|page| page.channel == channel);
    page.map(|page| page.state.clone())
}

#[test]
fn a_page_does_not_wait_for_a_provider_that_rests_where_the_other_way_is_not_set_up() {
    for is_ruled in [false, true] {
        let mut world = texts_rest();
        only_these_are_set_up(&mut world, &[ChannelKind::Sms]);
        if is_ruled {
            let ada = world.ada();
            let ways = &world.state.users[&ada].contact_methods;
            let rules = [(0, ways[0].id), (0, ways[1].id)];
            world.set_rules(ada, &rules);
        }
        world.trigger("disk", Severity::Critical);
        let sending = Some(Delivery::Sending { since: world.now });
        assert_eq!(stands(&world, ChannelKind::Sms), sending);
    }
}

#[test]
fn instead_of_a_provider_that_rests_the_way_that_is_set_up_is_used() {
    let mut world = texts_rest();
    let ada = world.ada();
    world.add_way(ada, ChannelKind::Ntfy);
    only_these_are_set_up(&mut world, &[ChannelKind::Sms, ChannelKind::Ntfy]);
    world.trigger("disk", Severity::Critical);
    let sending = Some(Delivery::Sending { since: world.now });
    let at = world.now.plus_ms(PROVIDER_REST_MS);
    assert_eq!(stands(&world, ChannelKind::Ntfy), sending);
    assert_eq!(stands(&world, ChannelKind::Email), None);
    assert_eq!(stands(&world, ChannelKind::Sms), Some(Delivery::Due { at }));
}

#[test]
fn what_waits_for_a_provider_that_rests_goes_out_once_the_other_way_has_failed_for_good() {
    let mut world = texts_rest();
    world.trigger("disk", Severity::Critical);
    let at = world.now.plus_ms(PROVIDER_REST_MS);
    assert_eq!(stands(&world, ChannelKind::Sms), Some(Delivery::Due { at }));
    world.wait_ms(500);
    let pages = world.state.messages_about(world.incident().id);
    let mails = pages.filter(|page| page.channel == ChannelKind::Email);
    let mails: Vec<_> = mails.map(|page| page.id).collect();
    let mail = mails[0];
    world.answer(mail, Outcome::Refused);
    let sending = Some(Delivery::Sending { since: world.now });
    assert_eq!(stands(&world, ChannelKind::Sms), sending);
}
