//! What is found to be wrong in the days ahead.

use tocsin_domain::ahead::{Finding, Roster};
use tocsin_domain::command::{Ask, PeopleAsk, RosterAsk, TeamAsk};
use tocsin_domain::id::{ContactMethodId, ScheduleId, UserId};
use tocsin_domain::monitor::Severity;
use tocsin_domain::oncall::{Layer, Restriction, Span, TimeOfDay, Turn, TurnUnit};
use tocsin_domain::oncall_command::{ChangeAsk, OncallAsk};
use tocsin_domain::page::{Level, Outcome, Recipient};
use tocsin_domain::people::{ChannelKind, SetUp};

use super::instant;
use crate::world::{START, World};

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

fn layer(members: Vec<UserId>) -> Layer {
    let turn = Turn {
        every: 1,
        unit: TurnUnit::Weeks,
    };
    Layer::rotation(START.minus_ms(DAY), turn, members)
}

fn add_schedule(world: &mut World, name: &str, zone: &str, layers: Vec<Layer>) -> ScheduleId {
    world.ask(Ask::Roster(RosterAsk::SetSchedule {
        id: None,
        name: name.to_owned(),
        time_zone: zone.to_owned(),
        layers,
    }));
    let mut all = world.state.schedules.values();
    all.rfind(|one| one.name == name).expect("it").id
}

/// Lets a policy of its own page these, one level each.
fn use_in_policy(world: &mut World, targets: &[Recipient]) {
    let level = |target: &Recipient| Level {
        delay_ms: 60_000,
        targets: vec![*target],
        round_robin: false,
        each_must_acknowledge: false,
    };
    world.ask(Ask::Roster(RosterAsk::SetPolicy {
        id: None,
        name: "Web".to_owned(),
        levels: targets.iter().map(level).collect(),
        repeat: 0,
        acknowledgement_timeout_ms: None,
    }));
}

/// Every channel is set up.
pub(super) fn everything() -> SetUp {
    ChannelKind::ALL.into_iter().collect()
}

fn findings(world: &World) -> Vec<Finding> {
    Roster::of(&world.state, &everything()).findings(world.now)
}

fn texts(world: &World) -> Vec<String> {
    findings(world).into_iter().map(|one| one.text).collect()
}

/// Takes away the first of somebody's ways to be reached.
fn take_first_way(world: &mut World, user: UserId) {
    let method = world.state.users[&user].contact_methods[0].id;
    world.ask(Ask::People(PeopleAsk::RemoveContactMethod { user, method }));
}

#[test]
fn where_all_is_well_nothing_is_found() {
    assert_eq!(findings(&World::set_up()), []);
}

#[test]
fn an_empty_schedule_and_the_level_that_relies_on_it_are_found() {
    let mut world = World::set_up();
    let id = add_schedule(&mut world, "Nobody", "UTC", vec![layer(Vec::new())]);
    assert_eq!(
        texts(&world),
        ["Nobody is on call in \"Nobody\" in the next 14 days"]
    );
    use_in_policy(&mut world, &[Recipient::Schedule(id)]);
    assert_eq!(
        texts(&world),
        [
            "Level 1 of \"Web\" would page nobody from Sun 2024-08-18 03:00 (UTC) on",
            "Nobody is on call in \"Nobody\" in the next 14 days, although \"Web\" pages it",
        ]
    );
}

#[test]
fn a_gap_is_found_in_a_schedule_that_is_used_and_only_there() {
    let mut world = World::set_up();
    let ada = world.ada();
    let mut once = layer(vec![ada]);
    once.until = Some(instant("2024-08-22T12:00:00Z"));
    let mut again = layer(vec![ada]);
    again.start = instant("2024-08-23T06:00:00Z");
    let id = add_schedule(&mut world, "Holes", "Europe/Paris", vec![once, again]);
    assert_eq!(findings(&world), []);
    use_in_policy(&mut world, &[Recipient::Schedule(id)]);
    let found = findings(&world);
    let gap = found
        .iter()
        .find(|one| one.key.starts_with("gap:"))
        .expect("a gap");
    assert_eq!(
        gap.text,
        "Nobody is on call in \"Holes\" from Thu 2024-08-22 14:00 until Fri 2024-08-23 08:00 (Europe/Paris)"
    );
    assert_eq!(gap.since, instant("2024-08-22T12:00:00Z"));
    assert_eq!(gap.until, Some(instant("2024-08-23T06:00:00Z")));
    assert!(found.iter().any(|one| one.key.starts_with("empty-level:")));
    assert_eq!(found.len(), 2);
}

#[test]
fn a_gap_of_every_week_is_one_finding_whose_key_stays_while_time_passes() {
    let mut world = World::set_up();
    let ada = world.ada();
    let mut office = layer(vec![ada]);
    office.restrictions = vec![Restriction::Daily {
        from: TimeOfDay::at(9, 0).unwrap(),
        until: TimeOfDay::at(17, 0).unwrap(),
    }];
    let id = add_schedule(&mut world, "Office", "Europe/Paris", vec![office]);
    use_in_policy(&mut world, &[Recipient::Schedule(id)]);
    let keys = |world: &World| {
        let mut keys: Vec<String> = findings(world).into_iter().map(|one| one.key).collect();
        keys.sort();
        keys
    };
    let (first, at_first) = (keys(&world), findings(&world));
    // For each night of the week one of the schedule, and one of the level.
    assert_eq!(first.len(), 14, "{first:?}");
    assert!(
        at_first
            .iter()
            .any(|one| one.text.ends_with(", and once more within 14 days"))
    );
    // Over the change of clocks on 2024-10-27 too, at whatever hour one looks.
    for _ in 0..90 {
        world.now = world.now.plus_ms(DAY + 7 * HOUR);
        assert_eq!(keys(&world), first, "{}", world.now);
    }
}

#[test]
fn somebody_who_cannot_be_reached_is_found_where_they_would_be_paged() {
    let mut world = World::set_up();
    let bea = world.add_user("Bea");
    take_first_way(&mut world, bea);
    let ada = world.ada();
    let id = add_schedule(&mut world, "Days", "UTC", vec![layer(vec![ada])]);
    use_in_policy(&mut world, &[Recipient::Schedule(id)]);
    assert_eq!(findings(&world), []);
    let span = Span::new(START.plus_ms(DAY), START.plus_ms(2 * DAY));
    let ask = ChangeAsk::AddOverride { user: bea, span };
    world.ask(Ask::Roster(RosterAsk::Oncall(OncallAsk::Change {
        schedule: id,
        ask,
    })));
    let found = findings(&world);
    let text = "Bea would be paged by \"Days\" but has no verified contact method";
    let unreachable = found.iter().find(|one| one.text == text).expect("Bea");
    assert_eq!(
        (unreachable.since, unreachable.until),
        (span.from, Some(span.until))
    );
    let level = found.iter().find(|one| one.key.starts_with("empty-level:"));
    let level = level.expect("the level");
    assert_eq!((level.since, level.until), (span.from, Some(span.until)));
    assert_eq!(found.len(), 2);
}

#[test]
fn each_of_a_team_who_cannot_be_reached_is_found_though_others_of_it_can_be() {
    let mut world = World::set_up();
    let (bea, cyd) = (world.add_user("Bea"), world.add_user("Cyd"));
    world.ask(Ask::Team(TeamAsk::Set {
        id: None,
        name: "Web".to_owned(),
        members: vec![bea, cyd],
    }));
    let mut teams = world.state.teams.values();
    let team = teams.find(|team| team.name == "Web").unwrap().id;
    use_in_policy(&mut world, &[Recipient::Team(team), Recipient::User(bea)]);
    assert_eq!(findings(&world), []);
    take_first_way(&mut world, bea);
    let found = findings(&world);
    let of_people = found
        .iter()
        .filter(|one| one.key.starts_with("unreachable:"));
    let texts: Vec<&str> = of_people.map(|one| one.text.as_str()).collect();
    let text = "Bea would be paged by \"Web\" but has no verified contact method";
    assert_eq!(texts, [text], "by the team and by name");
}

/// Puts somebody on call in a schedule from one hour until another.
fn take_over(world: &mut World, schedule: ScheduleId, user: UserId, hours: (u64, u64)) {
    let at = |hour: u64| START.plus_ms(hour * HOUR);
    let span = Span::new(at(hours.0), at(hours.1));
    let ask = ChangeAsk::AddOverride { user, span };
    let ask = OncallAsk::Change { schedule, ask };
    world.ask(Ask::Roster(RosterAsk::Oncall(ask)));
}

#[test]
fn each_hole_of_a_level_is_a_finding_of_its_own() {
    let mut world = World::set_up();
    let (ada, bea) = (world.ada(), world.add_user("Bea"));
    take_first_way(&mut world, bea);
    let id = add_schedule(&mut world, "Days", "UTC", vec![layer(vec![ada])]);
    use_in_policy(&mut world, &[Recipient::Schedule(id)]);
    take_over(&mut world, id, bea, (24, 48));
    let of_level = |world: &World| -> Vec<(String, String)> {
        let found = findings(world).into_iter();
        found
            .filter(|one| one.key.starts_with("empty-level:"))
            .map(|one| (one.key, one.text))
            .collect()
    };
    let first = of_level(&world);
    let text = "Level 1 of \"Web\" would page nobody from Mon 2024-08-19 03:00 until Tue 2024-08-20 03:00 (UTC)";
    assert_eq!(first.len(), 1, "{first:?}");
    assert_eq!(first[0].1, text);
    take_over(&mut world, id, bea, (72, 78));
    let both = of_level(&world);
    assert_eq!(both.len(), 2, "{both:?}");
    assert_eq!(both[0], first[0], "the first is what it was");
    // The same a week later is the same trouble.
    take_over(&mut world, id, bea, (72 + 168, 78 + 168));
    let again = of_level(&world);
    let keys = |found: &[(String, String)]| -> Vec<String> {
        found.iter().map(|(key, _)| key.clone()).collect()
    };
    assert_eq!(keys(&again), keys(&both));
    let ending = ", and once more within 14 days";
    assert_eq!(again[1].1, format!("{}{ending}", both[1].1));
}

#[test]
fn a_level_with_somebody_else_who_can_be_reached_is_not_empty() {
    let mut world = World::set_up();
    let ada = world.ada();
    let id = add_schedule(&mut world, "Nobody", "UTC", vec![layer(Vec::new())]);
    world.ask(Ask::Roster(RosterAsk::SetPolicy {
        id: None,
        name: "Web".to_owned(),
        levels: vec![Level {
            delay_ms: 60_000,
            targets: vec![Recipient::Schedule(id), Recipient::User(ada)],
            round_robin: false,
            each_must_acknowledge: false,
        }],
        repeat: 0,
        acknowledgement_timeout_ms: None,
    }));
    let found = findings(&world);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].key.starts_with("empty-schedule:"));
}

#[test]
fn a_list_of_last_resort_that_nobody_would_hear_is_found() {
    let mut world = World::set_up();
    let (ada, bea) = (world.ada(), world.add_user("Bea"));
    world.ask(Ask::People(PeopleAsk::SetFallback { users: vec![bea] }));
    assert_eq!(findings(&world), []);
    take_first_way(&mut world, bea);
    let found = findings(&world);
    assert_eq!(
        texts(&world),
        ["Nobody on the list of last resort has a verified contact method: Bea"]
    );
    assert_eq!((found[0].since, found[0].until), (world.now, None));
    world.ask(Ask::People(PeopleAsk::SetFallback {
        users: vec![bea, ada],
    }));
    assert_eq!(
        texts(&world),
        ["Bea would be paged by the list of last resort but has no verified contact method"],
        "Ada would hear, and who would not is found by themself"
    );
    // No command leaves it so; a journal of old may.
    let installation = world.state.installation.as_mut().unwrap();
    installation.fallback.clear();
    assert_eq!(texts(&world), ["The list of last resort is empty"]);
}

#[test]
fn whoever_stands_on_the_list_of_last_resort_and_in_a_policy_is_one_finding() {
    let mut world = World::set_up();
    let (ada, bea) = (world.ada(), world.add_user("Bea"));
    take_first_way(&mut world, bea);
    world.ask(Ask::People(PeopleAsk::SetFallback {
        users: vec![bea, ada],
    }));
    use_in_policy(&mut world, &[Recipient::User(ada), Recipient::User(bea)]);
    let found = findings(&world);
    let of_bea = found
        .iter()
        .filter(|one| one.key == format!("unreachable:{bea}"));
    let of_bea: Vec<&str> = of_bea.map(|one| one.text.as_str()).collect();
    let text =
        "Bea would be paged by \"Web\", the list of last resort but has no verified contact method";
    assert_eq!(of_bea, [text]);
}

#[test]
fn whoever_hears_of_a_page_only_when_their_level_is_over_is_found() {
    let mut world = World::set_up();
    let (ada, bea) = (world.ada(), world.add_user("Bea"));
    let mail = world.state.users[&bea].contact_methods[0].id;
    use_in_policy(&mut world, &[Recipient::User(bea), Recipient::User(ada)]);
    let late = |world: &World| {
        let found = findings(world).into_iter();
        found
            .filter(|one| one.key == format!("late:{bea}"))
            .map(|one| one.text)
            .collect::<Vec<_>>()
    };
    world.set_rules(bea, &[(59_999, mail)]);
    assert_eq!(late(&world), [""; 0]);
    world.set_rules(bea, &[(120_000, mail)]);
    let text = "Bea would hear of a page only 2 min after it, when level 1 of \"Web\" is over, which has 1 min";
    assert_eq!(late(&world), [text]);
    assert_eq!(findings(&world).len(), 1);
    // By another way they hear at once.
    let hook = world.add_webhook(bea);
    world.set_rules(bea, &[(120_000, mail), (0, hook)]);
    assert_eq!(findings(&world), []);
}

#[test]
fn whoever_stands_on_the_last_level_is_late_only_where_somebody_follows() {
    let mut world = World::set_up();
    let bea = world.add_user("Bea");
    let mail = world.state.users[&bea].contact_methods[0].id;
    world.set_rules(bea, &[(120_000, mail)]);
    use_in_policy(&mut world, &[Recipient::User(bea)]);
    let is_late = |world: &World| {
        let found = findings(world);
        found.iter().any(|one| one.key.starts_with("late:"))
    };
    assert!(is_late(&world), "Ada is on the list of last resort");
    let cy = world.add_user("Cy");
    world.ask(Ask::People(PeopleAsk::SetFallback { users: vec![cy] }));
    assert!(is_late(&world), "now Cy is");
    take_first_way(&mut world, cy);
    assert!(!is_late(&world), "nobody on the list hears");
}

#[test]
fn before_anybody_has_set_tocsin_up_no_list_of_last_resort_is_missed() {
    let state = tocsin_domain::state::State::default();
    assert_eq!(Roster::of(&state, &everything()).findings(START), []);
}

/// What is found while these channels alone are set up.
fn texts_by(world: &World, set_up: &[ChannelKind]) -> Vec<String> {
    let set_up = set_up.iter().copied().collect();
    let found = Roster::of(&world.state, &set_up).findings(world.now);
    found.into_iter().map(|one| one.text).collect()
}

#[test]
fn whoever_is_reached_by_a_channel_that_is_not_set_up_alone_is_found_with_what_is_missing() {
    let mut world = World::set_up();
    let ada = world.ada();
    let by_phone = [ChannelKind::Sms, ChannelKind::Voice];
    assert_eq!(texts_by(&world, &[ChannelKind::Email]), [""; 0]);
    let of_ada = |why: &str| {
        [
            "Level 1 of \"First policy\" would page nobody from Sun 2024-08-18 03:00 (UTC) on"
                .to_owned(),
            format!("Nobody on the list of last resort can be reached: Ada {why}"),
            format!("Ada would be paged by \"First schedule\" but {why}"),
        ]
    };
    let why = "can be reached by mail only, and no mail server is set up";
    assert_eq!(texts_by(&world, &by_phone), of_ada(why));
    world.add_way(ada, ChannelKind::Sms);
    assert_eq!(texts_by(&world, &by_phone), [""; 0]);
    let why = "can be reached by mail and text message only, and none of these is set up: mail server, Twilio account";
    assert_eq!(texts_by(&world, &[ChannelKind::Telegram]), of_ada(why));
    take_first_way(&mut world, ada);
    world.add_way(ada, ChannelKind::Voice);
    let why = "can be reached by text message and call only, and no Twilio account is set up";
    assert_eq!(texts_by(&world, &[ChannelKind::Email]), of_ada(why));
}

#[test]
fn of_two_ways_by_one_channel_the_one_that_needs_nothing_but_its_address_reaches() {
    let mut world = World::set_up();
    let ada = world.ada();
    let member = world.add_way(ada, ChannelKind::Slack);
    let texts = |world: &World, by_address: &[ContactMethodId]| {
        let set_up = SetUp {
            by_address: by_address.iter().copied().collect(),
            ..SetUp::default()
        };
        let found = Roster::of(&world.state, &set_up).findings(world.now);
        found.into_iter().map(|one| one.text).collect::<Vec<_>>()
    };
    let why = "Ada would be paged by \"First schedule\" but can be reached by mail and Slack only, and none of these is set up: mail server, Slack app";
    let found = texts(&world, &[]);
    assert!(found.iter().any(|one| one == why), "{found:?}");
    let hook = world.add_way(ada, ChannelKind::Slack);
    assert_eq!(texts(&world, &[hook]), [""; 0]);
    world.ask(Ask::People(PeopleAsk::RemoveContactMethod {
        user: ada,
        method: hook,
    }));
    let found = texts(&world, &[hook]);
    assert!(found.iter().any(|one| one == why), "{found:?}");
    assert_eq!(texts(&world, &[member]), [""; 0]);
}

#[test]
fn whoever_is_called_alone_needs_an_account_that_has_a_number() {
    let mut world = World::set_up();
    let ada = world.ada();
    world.add_way(ada, ChannelKind::Voice);
    take_first_way(&mut world, ada);
    let why = "Ada would be paged by \"First schedule\" but can be reached by call only, and no Twilio account with a number is set up";
    let found = texts_by(&world, &[ChannelKind::Sms]);
    assert!(found.iter().any(|one| one == why), "{found:?}");
    assert_eq!(texts_by(&world, &[ChannelKind::Voice]), [""; 0]);
}

#[test]
fn whoever_has_a_way_at_once_by_what_is_not_set_up_hears_at_once_by_the_next_and_is_not_late() {
    let mut world = World::set_up();
    let ada = world.ada();
    let mail = world.state.users[&ada].contact_methods[0].id;
    let push = world.add_way(ada, ChannelKind::Ntfy);
    world.set_rules(ada, &[(0, mail), (600_000, push)]);
    world.set_levels(1, &[(60_000, &[ada])]);
    assert_eq!(texts_by(&world, &[ChannelKind::Ntfy]), [""; 0]);
    world.trigger("disk", Severity::Critical);
    // So delivery says where there is no mail server.
    world.answer_all(Outcome::Refused);
    let by = |channel: ChannelKind| ("Ada".to_owned(), channel, 1);
    assert_eq!(
        world.pages(),
        [by(ChannelKind::Email), by(ChannelKind::Ntfy)]
    );
}

#[test]
fn on_a_list_of_last_resort_that_is_deaf_in_several_ways_each_is_named_with_why() {
    let mut world = World::set_up();
    let (ada, bea) = (world.ada(), world.add_user("Bea"));
    take_first_way(&mut world, bea);
    world.ask(Ask::People(PeopleAsk::SetFallback {
        users: vec![ada, bea],
    }));
    let text = "Nobody on the list of last resort can be reached: Ada can be reached by mail only, and no mail server is set up; Bea has no verified contact method";
    let found = texts_by(&world, &[ChannelKind::Ntfy]);
    assert!(found.iter().any(|one| one == text), "{found:?}");
}
