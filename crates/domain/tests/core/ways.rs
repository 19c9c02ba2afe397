//! Rules that are set one by one, which ways join them by themselves, and what ways to people are called.

use tocsin_domain::command::{Ask, PeopleAsk, Refusal};
use tocsin_domain::event::{Cause, EventBody, PeopleEvent};
use tocsin_domain::id::{ContactMethodId, NotificationRuleId, SecretId, UserId};
use tocsin_domain::monitor::Severity;
use tocsin_domain::people::{ChannelKind, Role, Urgency};

use crate::world::World;

impl World {
    /// A verified way to a person that no rule names: it is used when those that are named fail.
    pub(crate) fn add_spare_way(&mut self, user: UserId, kind: ChannelKind) -> ContactMethodId {
        let named = rules_of(self, user);
        let method = self.add_way(user, kind);
        let ask = PeopleAsk::SetRules { user, rules: named };
        self.ask(Ask::People(ask));
        method
    }
}

fn rules_of(world: &World, user: UserId) -> Vec<(Urgency, u64, ContactMethodId)> {
    let rules = world.state.users[&user].rules.iter();
    let told = rules.map(|rule| (rule.urgency, rule.delay_ms, rule.contact_method));
    told.collect()
}

fn ask(world: &mut World, ask: PeopleAsk) -> Result<(), Refusal> {
    world.try_ask(Ask::People(ask)).map(drop)
}

#[test]
fn a_rule_keeps_its_id_and_the_others_stay_when_it_is_changed() {
    let mut world = World::set_up();
    let user = world.ada();
    let method = world.add_webhook(user);
    world.set_rules(user, &[(0, method)]);
    let first = world.state.users[&user].rules[0].clone();
    let rule = (Urgency::Low, 300_000, method);
    ask(&mut world, PeopleAsk::AddRule { user, rule }).unwrap();
    let second = world.state.users[&user].rules[1].clone();
    assert_eq!((second.urgency, second.delay_ms), (Urgency::Low, 300_000));
    let rule = (Urgency::High, 600_000, method);
    let id = second.id;
    ask(&mut world, PeopleAsk::ChangeRule { user, id, rule }).unwrap();
    let rules = &world.state.users[&user].rules;
    assert_eq!((rules[0].id, rules[1].id), (first.id, second.id));
    assert_eq!(rules[1].delay_ms, 600_000);
    let id = first.id;
    ask(&mut world, PeopleAsk::RemoveRule { user, id }).unwrap();
    assert_eq!(world.state.users[&user].rules.len(), 1);
    assert!(ask(&mut world, PeopleAsk::RemoveRule { user, id }).is_err());
    assert!(ask(&mut world, PeopleAsk::ChangeRule { user, id, rule }).is_err());
    let rule = (Urgency::High, 86_400_001, method);
    assert!(ask(&mut world, PeopleAsk::AddRule { user, rule }).is_err());
}

#[test]
fn a_rule_names_a_way_of_its_own_person() {
    let mut world = World::set_up();
    let (ada, bob) = (world.ada(), world.add_user("Bob"));
    let method = world.add_webhook(bob);
    let rule = (Urgency::High, 0, method);
    assert!(ask(&mut world, PeopleAsk::AddRule { user: ada, rule }).is_err());
    let others: NotificationRuleId = world.state.users[&bob].rules[0].id;
    let wrong = PeopleAsk::RemoveRule {
        user: ada,
        id: others,
    };
    assert!(ask(&mut world, wrong).is_err());
}

#[test]
fn a_way_that_is_called_something_else_stays_what_it_is() {
    let mut world = World::set_up();
    let user = world.ada();
    let method = world.add_webhook(user);
    let before = world.state.users[&user]
        .contact_method(method)
        .cloned()
        .unwrap();
    let label = " Office ".to_owned();
    let rename = PeopleAsk::RenameContactMethod {
        user,
        method,
        label,
    };
    ask(&mut world, rename).unwrap();
    let after = world.state.users[&user]
        .contact_method(method)
        .cloned()
        .unwrap();
    assert_eq!(after.label, "Office");
    assert_eq!(after.verified_at, before.verified_at);
    assert_eq!(after.address, before.address);
}

#[test]
fn a_way_that_is_confirmed_joins_the_rules_of_whoever_wrote_none_in_the_same_decision() {
    let mut world = World::with_apache();
    let user = world.ada();
    let mail = world.state.users[&user].contact_methods[0].id;
    let hook = world.add_webhook(user);
    let at_once = |method| (Urgency::High, 0, method);
    assert_eq!(rules_of(&world, user), [at_once(mail), at_once(hook)]);
    let [.., confirmed, joined] = world.journal.as_slice() else {
        panic!("two events");
    };
    assert!(matches!(
        confirmed.body,
        EventBody::People(PeopleEvent::ContactMethodVerified { method, .. }) if method == hook
    ));
    let position = confirmed.position;
    assert_eq!(joined.cause, Cause::Event { position });
    let push = world.add_way(user, ChannelKind::Ntfy);
    let all = [mail, hook, push].map(at_once);
    assert_eq!(rules_of(&world, user), all);
    // Confirming it twice adds nothing.
    let method = push;
    ask(&mut world, PeopleAsk::VerifyContactMethod { user, method }).unwrap();
    assert_eq!(rules_of(&world, user), all);
    world.crash();
    let mut paged: Vec<ChannelKind> = world.pages().into_iter().map(|page| page.1).collect();
    paged.sort();
    let every = [ChannelKind::Email, ChannelKind::Webhook, ChannelKind::Ntfy];
    assert_eq!(paged, every);
}

#[test]
fn a_way_joins_the_rules_of_whoever_has_confirmed_none_before_or_has_none_left() {
    let mut world = World::set_up();
    let (email, pending_code) = (
        SecretId::random(&mut world.entropy),
        SecretId::random(&mut world.entropy),
    );
    let add = PeopleAsk::Add {
        name: "Bea".to_owned(),
        email,
        pending_code,
        role: Role::Responder,
        about: None,
    };
    ask(&mut world, add).unwrap();
    let user = world.user("Bea");
    let mail = world.state.users[&user].contact_methods[0].id;
    let hook = world.add_webhook(user);
    let at_once = |method| (Urgency::High, 0, method);
    assert_eq!(rules_of(&world, user), [at_once(mail), at_once(hook)]);
    for method in [mail, hook] {
        ask(&mut world, PeopleAsk::RemoveContactMethod { user, method }).unwrap();
    }
    let push = world.add_way(user, ChannelKind::Ntfy);
    assert_eq!(rules_of(&world, user), [at_once(push)]);
}

#[test]
fn rules_that_somebody_wrote_stay_as_they_are_when_a_way_is_confirmed() {
    for (urgency, delay_ms) in [(Urgency::High, 60_000), (Urgency::Low, 0)] {
        let mut world = World::set_up();
        let user = world.ada();
        let mail = world.state.users[&user].contact_methods[0].id;
        let rules = vec![(Urgency::High, 0, mail), (urgency, delay_ms, mail)];
        let set = PeopleAsk::SetRules {
            user,
            rules: rules.clone(),
        };
        ask(&mut world, set).unwrap();
        world.add_webhook(user);
        assert_eq!(rules_of(&world, user), rules);
    }
    let mut world = World::set_up();
    let user = world.ada();
    // Mail alone, although there is another way: that was chosen.
    world.add_spare_way(user, ChannelKind::Webhook);
    let chosen = rules_of(&world, user);
    world.add_way(user, ChannelKind::Ntfy);
    assert_eq!(rules_of(&world, user), chosen);
    world.set_rules(user, &[]);
    world.add_way(user, ChannelKind::Sms);
    assert_eq!(rules_of(&world, user), []);
}

/// A person with confirmed mail (0) and a confirmed webhook (1), and by which of them they hear of something, after how long.
fn check_ways(rules: &[(Urgency, u64, usize)], severity: Severity, expected: &[(usize, u64)]) {
    let mut world = World::set_up();
    let user = world.ada();
    let mail = world.state.users[&user].contact_methods[0].id;
    let methods = [mail, world.add_webhook(user)];
    let rules = rules
        .iter()
        .map(|(urgency, delay_ms, at)| (*urgency, *delay_ms, methods[*at]));
    let rules = rules.collect();
    ask(&mut world, PeopleAsk::SetRules { user, rules }).unwrap();
    let known = &world.state.users[&user];
    let ways = match severity {
        Severity::Critical | Severity::Error => known.page_ways(),
        Severity::Warning | Severity::Info => known.notice_ways(),
    };
    let told = ways.iter().map(|way| (way.method, way.delay_ms));
    let expected = expected
        .iter()
        .map(|(at, delay_ms)| (methods[*at], *delay_ms));
    assert_eq!(told.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    world.trigger("web", severity);
    let messages = world.state.notifications.values();
    let messages: Vec<_> = messages
        .filter(|one| one.purpose.incident().is_some())
        .collect();
    let mut planned: Vec<_> = messages.iter().map(|one| one.contact_method).collect();
    let mut told: Vec<_> = ways.iter().map(|way| way.method).collect();
    planned.sort();
    told.sort();
    assert_eq!(planned, told);
    for message in messages {
        let way = ways.iter().find(|way| way.method == message.contact_method);
        assert!(message.why.ends_with(way.unwrap().why), "{}", message.why);
    }
}

#[test]
fn by_which_ways_somebody_is_told_is_answered_as_it_is_decided() {
    let (high, low) = (Urgency::High, Urgency::Low);
    let (critical, warning) = (Severity::Critical, Severity::Warning);
    check_ways(
        &[(high, 60_000, 0), (high, 0, 1)],
        critical,
        &[(1, 0), (0, 60_000)],
    );
    check_ways(&[(high, 0, 1), (low, 0, 0)], critical, &[(1, 0)]);
    check_ways(&[(high, 0, 1), (low, 60_000, 0)], warning, &[(0, 60_000)]);
    // Without a rule for what wakes them they are woken by all they have, and hear of nothing else.
    check_ways(&[(low, 60_000, 0)], critical, &[(0, 0), (1, 0)]);
    check_ways(&[(high, 0, 0)], warning, &[]);
}

#[test]
fn a_confirmed_way_goes_when_an_earlier_rule_names_one_that_is_not() {
    let mut world = World::with_apache();
    let user = world.ada();
    let mail = world.state.users[&user].contact_methods[0].id;
    let hook = world.add_webhook(user);
    let (address, pending_code) = (
        SecretId::random(&mut world.entropy),
        SecretId::random(&mut world.entropy),
    );
    let add = PeopleAsk::AddContactMethod {
        user,
        kind: ChannelKind::Ntfy,
        label: "phone".to_owned(),
        address,
        signing_key: None,
        pending_code,
    };
    ask(&mut world, add).unwrap();
    let methods = &world.state.users[&user].contact_methods;
    let unproved = methods.last().unwrap().id;
    let rules = [(30_000, unproved), (600_000, hook), (900_000, mail)];
    world.set_rules(user, &rules);
    // The level is over before the first confirmed way of theirs would have had its turn.
    world.set_levels(0, &[(300_000, &[user])]);
    let ways = world.state.users[&user].page_ways();
    let told: Vec<_> = ways.iter().map(|way| (way.method, way.delay_ms)).collect();
    assert_eq!(told, [(hook, 30_000), (mail, 900_000)]);
    assert!(ways[0].why.contains("not verified"), "{}", ways[0].why);
    assert_eq!(ways[1].why, "by their notification rule");
    world.crash();
    assert_eq!(world.pages(), []);
    world.wait_ms(30_000);
    let name = world.state.users[&user].name.clone();
    assert_eq!(world.pages(), [(name, ChannelKind::Webhook, 1)]);
}
