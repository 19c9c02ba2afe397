//! Rules that are set one by one, and what ways to people are called.

use tocsin_domain::command::{Ask, PeopleAsk, Refusal};
use tocsin_domain::id::NotificationRuleId;
use tocsin_domain::people::Urgency;

use crate::world::World;

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
