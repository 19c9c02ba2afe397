//! Who belongs to a team: changes that are asked for at the same time do not undo each other. And what belongs to one.

use tocsin_domain::command::{Ask, PeopleAsk, RosterAsk, TeamAsk};
use tocsin_domain::event::{EventBody, RosterEvent};
use tocsin_domain::id::TeamId;
use tocsin_domain::monitor::Severity;
use tocsin_domain::oncall::WholeSchedule;
use tocsin_domain::page::{Level, Policy, Recipient, WholePolicy};
use tocsin_domain::state::State;
use tocsin_domain::team::{Team, TeamRole, WholeTeam};
use tocsin_domain::webhook::WebhookScope;

use crate::removed_services::subscribe;
use crate::world::{World, raise};

fn web(world: &mut World) -> TeamId {
    world.ask(Ask::Team(TeamAsk::Set {
        id: None,
        name: "Web".to_owned(),
        members: Vec::new(),
    }));
    let mut teams = world.state.teams.values();
    teams.find(|team| team.name == "Web").unwrap().id
}

/// The same team under another name.
fn called(team: TeamId, name: &str) -> Ask {
    Ask::Team(TeamAsk::SetWhole(Box::new(WholeTeam {
        id: Some(team),
        name: name.to_owned(),
        members: None,
        description: None,
    })))
}

fn known(world: &World, team: TeamId) -> Team {
    world.state.teams.get(&team).unwrap().clone()
}

#[test]
fn people_who_are_put_into_a_team_one_by_one_are_all_in_it_and_a_new_name_keeps_them() {
    let mut world = World::set_up();
    let (ada, bob) = (world.ada(), world.add_user("Bob"));
    let team = web(&mut world);
    for user in [ada, bob, ada] {
        world.ask(Ask::Team(TeamAsk::AddMember {
            team,
            user,
            role: None,
        }));
    }
    world.ask(called(team, "Front"));
    let front = known(&world, team);
    assert_eq!(
        (front.name.as_str(), front.members),
        ("Front", vec![ada, bob])
    );
    for _ in 0..2 {
        world.ask(Ask::Team(TeamAsk::RemoveMember { team, user: ada }));
    }
    assert_eq!(known(&world, team).members, [bob]);
}

#[test]
fn nobody_is_put_into_a_team_that_is_gone_and_no_stranger_into_any() {
    let mut world = World::set_up();
    let bob = world.add_user("Bob");
    let cy = world.add_user("Cy");
    world.ask(Ask::People(PeopleAsk::Remove { user: cy }));
    let team = web(&mut world);
    let into = |user| {
        Ask::Team(TeamAsk::AddMember {
            team,
            user,
            role: None,
        })
    };
    assert!(world.try_ask(into(cy)).is_err());
    world.ask(Ask::Team(TeamAsk::Remove(team)));
    assert!(world.try_ask(into(bob)).is_err());
    let out = Ask::Team(TeamAsk::RemoveMember { team, user: bob });
    assert!(world.try_ask(out).is_err());
    assert!(world.try_ask(called(team, "Front")).is_err());
}

#[test]
fn a_member_keeps_what_they_are_called_until_they_leave() {
    let mut world = World::set_up();
    let (ada, bob) = (world.ada(), world.add_user("Bob"));
    let team = web(&mut world);
    let call = |user, role| Ask::Team(TeamAsk::AddMember { team, user, role });
    world.ask(call(bob, Some(TeamRole::Manager)));
    world.ask(call(bob, None));
    world.ask(call(ada, None));
    let set = |members| {
        Ask::Team(TeamAsk::Set {
            id: Some(team),
            name: "Web".to_owned(),
            members,
        })
    };
    world.ask(set(vec![ada, bob]));
    let role = |world: &World, user| known(world, team).role(user);
    assert_eq!(role(&world, bob), TeamRole::Manager);
    assert_eq!(role(&world, ada), TeamRole::Responder);
    world.ask(set(vec![ada]));
    world.ask(call(bob, None));
    assert_eq!(role(&world, bob), TeamRole::Responder);
    assert_eq!(known(&world, team).members, [ada, bob]);
}

#[test]
fn a_team_of_an_old_journal_has_members_without_a_word_for_them() {
    let mut world = World::set_up();
    let team = web(&mut world);
    let bob = world.add_user("Bob");
    let old = format!("{{\"id\":\"{team}\",\"name\":\"Web\",\"members\":[\"{bob}\"]}}");
    let read: Team = serde_json::from_str(&old).unwrap();
    assert_eq!(read.role(bob), TeamRole::Responder);
    assert_eq!(serde_json::to_string(&read).unwrap(), old);
}

fn scopes(state: &State) -> Vec<WebhookScope> {
    let all = state.webhooks.values();
    all.map(|known| known.webhook.scope).collect()
}

#[test]
fn subscriptions_to_a_team_go_with_it_also_where_the_journal_tells_of_the_team_alone() {
    let mut world = World::set_up();
    let first = world.state.installation.as_ref().unwrap().team;
    let team = web(&mut world);
    subscribe(&mut world, WebhookScope::Team(first));
    for _ in 0..2 {
        subscribe(&mut world, WebhookScope::Team(team));
    }
    let before = world.journal.len();
    world.ask(Ask::Team(TeamAsk::Remove(team)));
    assert_eq!(scopes(&world.state), [WebhookScope::Team(first)]);
    // Both are told, before it is told that the team is gone.
    let (kept, removal) = world.journal.split_at(before);
    assert_eq!(removal.len(), 3);
    let last = &removal[2];
    let gone = RosterEvent::TeamRemoved { team };
    assert_eq!(last.body, EventBody::Roster(gone));
    let mut folded = State::default();
    kept.iter()
        .chain([last])
        .for_each(|event| folded.evolve(event));
    assert_eq!(folded.webhooks, world.state.webhooks);
}

/// Gives the default policy to a team, or to none.
fn give(world: &World, given_to: Option<TeamId>) -> Ask {
    let id = world.state.installation.as_ref().unwrap().default_policy;
    let known = world.state.policies[&id].clone();
    Ask::Roster(RosterAsk::SetWholePolicy(Box::new(WholePolicy {
        id: Some(id),
        name: known.name,
        levels: known.levels,
        repeat: known.repeat,
        acknowledgement_timeout_ms: known.acknowledgement_timeout_ms,
        description: None,
        given_to: Some(given_to),
        level_numbers: None,
    })))
}

/// Gives the first schedule to a team, or to none.
fn give_schedule(world: &World, given_to: Option<TeamId>) -> Ask {
    let known = world.state.schedules.values().next().unwrap().clone();
    Ask::Roster(RosterAsk::SetWholeSchedule(Box::new(WholeSchedule {
        id: Some(known.id),
        name: known.name,
        time_zone: known.time_zone,
        layers: known.layers,
        description: None,
        layer_names: None,
        given_to: Some(given_to),
        layer_numbers: None,
    })))
}

#[test]
fn an_incident_is_the_team_s_whose_policy_its_service_followed_when_it_was_opened() {
    let mut world = World::set_up();
    let first = world.state.installation.as_ref().unwrap().team;
    let web = web(&mut world);
    let opened = |world: &mut World, key: &str| {
        world.ask(raise(None, key, Severity::Critical));
        world.incident().team
    };
    assert_eq!(opened(&mut world, "a"), first);
    let give_web = give(&world, Some(web));
    world.ask(give_web);
    assert_eq!(opened(&mut world, "b"), web);
    // Whoever changes something else of the policy changes nothing of that.
    let levels = vec![Level::of(300_000, vec![Recipient::User(world.ada())])];
    world.set_default_policy(levels, None);
    assert_eq!(opened(&mut world, "c"), web);
    let give_none = give(&world, None);
    world.ask(give_none);
    assert_eq!(opened(&mut world, "d"), first);
    let teams = world.state.incidents.values();
    let of_web = teams.filter(|incident| incident.team == web);
    assert_eq!(of_web.count(), 2, "what was opened stays whose it was");
}

#[test]
fn a_team_goes_once_nothing_belongs_to_it() {
    let mut world = World::set_up();
    let web = web(&mut world);
    type Giving = fn(&World, Option<TeamId>) -> Ask;
    let asks: [(Giving, &str); 2] = [(give, "escalation policy"), (give_schedule, "schedule")];
    for (give, noun) in asks {
        let given = give(&world, Some(web));
        world.ask(given);
        let refusal = world.try_ask(Ask::Team(TeamAsk::Remove(web))).unwrap_err();
        let told = refusal.to_string();
        assert!(told.contains(noun), "{told}");
        assert!(told.contains("belongs to this team"), "{told}");
        let taken = give(&world, None);
        world.ask(taken);
    }
    world.ask(Ask::Team(TeamAsk::Remove(web)));
    for (give, noun) in asks {
        let given = give(&world, Some(web));
        let told = world.try_ask(given).unwrap_err().to_string();
        assert!(told.contains("there is no team"), "{noun}: {told}");
    }
}

#[test]
fn a_policy_of_an_old_journal_is_given_to_none() {
    let old =
        r#"{"id":"QAAAAAAAAAAAAA","team":"QBBBBBBBBBBBBB","name":"Night","levels":[],"repeat":0}"#;
    let read: Policy = serde_json::from_str(old).unwrap();
    assert_eq!((read.given_to, read.owner()), (None, read.team));
    assert_eq!(serde_json::to_string(&read).unwrap(), old);
}
