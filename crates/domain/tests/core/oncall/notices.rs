//! Word that can wait: each hand-off and each finding is told once.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test picks what it looks at"
)]

use tocsin_domain::ahead::Roster;
use tocsin_domain::command::{Ask, PeopleAsk, RosterAsk};
use tocsin_domain::event::{Event, EventBody, NotificationWhat, RosterEvent};
use tocsin_domain::id::{ScheduleId, UserId};
use tocsin_domain::oncall::{
    Layer, Restriction, Span, SwapSide, TimeOfDay, Turn, TurnUnit, WeekTime, Weekday,
};
use tocsin_domain::oncall_command::{ChangeAsk, OncallAsk};
use tocsin_domain::oncall_event::OncallEvent;
use tocsin_domain::page::{Delivery, Level, Outcome, Purpose, Recipient};
use tocsin_domain::people::SetUp;
use tocsin_domain::time::Timestamp;

use super::ahead::everything;
use crate::world::{START, World};

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

pub(super) fn oncall(world: &mut World, ask: OncallAsk) -> Vec<Event> {
    world.ask(Ask::Roster(RosterAsk::Oncall(ask)))
}

/// Looks who has duty; gives who is told what.
pub(super) fn look(world: &mut World) -> Vec<(String, String)> {
    let events = oncall(world, OncallAsk::NoticeHandOffs);
    told(world, &events)
}

/// Looks ahead; gives who is told.
pub(super) fn look_ahead(world: &mut World) -> Vec<String> {
    look_ahead_by(world, everything())
}

/// The same while these channels are set up.
pub(super) fn look_ahead_by(world: &mut World, set_up: SetUp) -> Vec<String> {
    let findings = Roster::of(&world.state, &set_up).findings(world.now);
    let events = oncall(world, OncallAsk::FindingsSeen { findings, set_up });
    told(world, &events)
        .into_iter()
        .map(|(name, _)| name)
        .collect()
}

fn told(world: &World, events: &[Event]) -> Vec<(String, String)> {
    let planned = events.iter().filter_map(|event| match &event.body {
        EventBody::Notification(message) => match &message.what {
            NotificationWhat::Planned { message } => Some(message),
            _ => None,
        },
        _ => None,
    });
    planned
        .inspect(|message| assert!(matches!(message.purpose, Purpose::Word(_))))
        .map(|message| {
            (
                world.state.users[&message.user].name.clone(),
                message.why.clone(),
            )
        })
        .collect()
}

fn count(world: &World, wanted: fn(&OncallEvent) -> bool) -> usize {
    let events = world.journal.iter();
    let is_it = |event: &&Event| match &event.body {
        EventBody::Roster(RosterEvent::Oncall { what }) => wanted(what),
        _ => false,
    };
    events.filter(is_it).count()
}

fn appeared_and_ended(world: &World) -> (usize, usize) {
    (
        count(world, |what| {
            matches!(what, OncallEvent::FindingAppeared { .. })
        }),
        count(world, |what| {
            matches!(what, OncallEvent::FindingEnded { .. })
        }),
    )
}

fn times_restated(world: &World) -> usize {
    count(world, |what| {
        matches!(what, OncallEvent::FindingsRestated { .. })
    })
}

/// Bea and Cyd by the day, Bea first.
pub(super) fn days(world: &mut World) -> (ScheduleId, UserId, UserId) {
    let (bea, cyd) = (world.add_user("Bea"), world.add_user("Cyd"));
    let turn = Turn {
        every: 1,
        unit: TurnUnit::Days,
    };
    world.ask(Ask::Roster(RosterAsk::SetSchedule {
        id: None,
        name: "Days".to_owned(),
        time_zone: "Europe/Paris".to_owned(),
        layers: vec![Layer::rotation(START, turn, vec![bea, cyd])],
    }));
    let mut all = world.state.schedules.values();
    let id = all.find(|one| one.name == "Days").expect("it").id;
    (id, bea, cyd)
}

fn to_cyd() -> Vec<(String, String)> {
    let why = "You are on call for \"Days\" until Tue 2024-08-20 05:00 (Europe/Paris)";
    vec![("Cyd".to_owned(), why.to_owned())]
}

#[test]
fn whoever_gets_duty_is_told_once_and_whoever_has_it_at_first_is_not() {
    let mut world = World::set_up();
    days(&mut world);
    assert_eq!(look(&mut world), []);
    world.wait_ms(DAY - 1);
    assert_eq!(look(&mut world), []);
    world.wait_ms(1);
    assert_eq!(look(&mut world), to_cyd());
    assert_eq!(look(&mut world), []);
    world.check_replay();
    // After a start nothing is told again.
    world.state = world.replayed();
    assert_eq!(look(&mut world), []);
}

#[test]
fn hand_offs_that_nobody_looked_at_count_as_the_last_one() {
    let mut world = World::set_up();
    days(&mut world);
    look(&mut world);
    world.wait_ms(3 * DAY);
    let told = look(&mut world);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].0, "Cyd");
    world.wait_ms(2 * DAY);
    assert_eq!(look(&mut world), []);
}

#[test]
fn an_override_is_a_hand_off_and_so_is_its_end() {
    let mut world = World::set_up();
    let (schedule, bea, cyd) = days(&mut world);
    look(&mut world);
    let span = Span::new(world.now, world.now.plus_ms(HOUR));
    let ask = ChangeAsk::AddOverride { user: cyd, span };
    oncall(&mut world, OncallAsk::Change { schedule, ask });
    assert_eq!(look(&mut world)[0].0, "Cyd");
    world.wait_ms(HOUR);
    assert_eq!(look(&mut world)[0].0, world.state.users[&bea].name);
}

#[test]
fn who_wants_no_word_gets_none() {
    let mut world = World::set_up();
    let (_, _, cyd) = days(&mut world);
    look(&mut world);
    let switch = |wanted| OncallAsk::SwitchNotices { user: cyd, wanted };
    oncall(&mut world, switch(false));
    world.wait_ms(DAY);
    assert_eq!(look(&mut world), []);
    oncall(&mut world, switch(true));
    world.wait_ms(2 * DAY);
    assert_eq!(look(&mut world), []);
    world.wait_ms(DAY);
    look(&mut world);
    world.wait_ms(DAY);
    assert_eq!(look(&mut world)[0].0, "Cyd");
}

#[test]
fn word_that_is_no_longer_true_is_not_sent() {
    let mut world = World::set_up();
    let (schedule, bea, _) = days(&mut world);
    look(&mut world);
    world.wait_ms(DAY);
    assert_eq!(look(&mut world), to_cyd());
    world.answer_all(Outcome::Failed);
    let span = Span::new(world.now, world.now.plus_ms(HOUR));
    let ask = ChangeAsk::AddOverride { user: bea, span };
    oncall(&mut world, OncallAsk::Change { schedule, ask });
    world.wait_ms(2_000);
    let message = world.state.notifications.values().next().expect("the word");
    assert!(
        matches!(message.state, Delivery::Cancelled { .. }),
        "{message:?}"
    );
}

#[test]
fn findings_are_told_to_administrators_together_and_once() {
    let mut world = World::set_up();
    world.add_user("Bea");
    assert_eq!(look_ahead(&mut world), Vec::<String>::new());
    let turn = Turn {
        every: 1,
        unit: TurnUnit::Days,
    };
    let empty = |name: &str| {
        Ask::Roster(RosterAsk::SetSchedule {
            id: None,
            name: name.to_owned(),
            time_zone: "UTC".to_owned(),
            layers: vec![Layer::rotation(START, turn, Vec::new())],
        })
    };
    world.ask(empty("One"));
    world.ask(empty("Two"));
    assert_eq!(look_ahead(&mut world), ["Ada"]);
    world.answer_all(Outcome::Accepted);
    assert_eq!(appeared_and_ended(&world), (2, 0));
    world.ask(empty("Three"));
    // One word a day at most; what came since is told then.
    for _ in 0..23 {
        world.wait_ms(HOUR);
        assert_eq!(look_ahead(&mut world), Vec::<String>::new());
    }
    assert_eq!(appeared_and_ended(&world), (3, 0));
    world.wait_ms(HOUR);
    assert_eq!(look_ahead(&mut world), ["Ada"]);
    world.answer_all(Outcome::Accepted);
    world.wait_ms(2 * DAY);
    assert_eq!(look_ahead(&mut world), Vec::<String>::new());
    let mut all = world.state.schedules.values();
    let one = all.find(|one| one.name == "One").expect("it").id;
    world.ask(Ask::Roster(RosterAsk::RemoveSchedule(one)));
    assert_eq!(look_ahead(&mut world), Vec::<String>::new());
    assert_eq!(appeared_and_ended(&world), (3, 1));
    assert_eq!(world.state.duty.standing().len(), 2);
}

#[test]
fn another_hole_of_a_level_is_told_though_one_of_it_stands() {
    let mut world = World::set_up();
    let (schedule, _, _) = days(&mut world);
    let dee = world.add_user("Dee");
    let method = world.state.users[&dee].contact_methods[0].id;
    world.ask(Ask::People(PeopleAsk::RemoveContactMethod {
        user: dee,
        method,
    }));
    let level = Level::of(60_000, vec![Recipient::Schedule(schedule)]);
    world.set_policy(None, 0, vec![level], None);
    let take_over = |world: &mut World, from: u64, until: u64| {
        let span = Span::new(START.plus_ms(from * HOUR), START.plus_ms(until * HOUR));
        let ask = ChangeAsk::AddOverride { user: dee, span };
        oncall(world, OncallAsk::Change { schedule, ask });
    };
    take_over(&mut world, 48, 72);
    assert_eq!(look_ahead(&mut world), ["Ada"]);
    world.answer_all(Outcome::Accepted);
    world.wait_ms(DAY);
    take_over(&mut world, 96, 100);
    assert_eq!(look_ahead(&mut world), ["Ada"]);
    world.answer_all(Outcome::Accepted);
    world.wait_ms(DAY);
    assert_eq!(look_ahead(&mut world), Vec::<String>::new());
}

/// A schedule, or another wording of one, that has nobody on Saturdays.
fn without_saturdays(world: &mut World, id: Option<ScheduleId>, name: &str) -> ScheduleId {
    let midnight = |weekday| WeekTime {
        weekday,
        time: TimeOfDay::at(0, 0).unwrap(),
    };
    let turn = Turn {
        every: 1,
        unit: TurnUnit::Weeks,
    };
    let mut layer = Layer::rotation(START.minus_ms(7 * DAY), turn, vec![world.ada()]);
    layer.restrictions = vec![Restriction::Weekly {
        from: midnight(Weekday::Sunday),
        until: midnight(Weekday::Saturday),
    }];
    world.ask(Ask::Roster(RosterAsk::SetSchedule {
        id,
        name: name.to_owned(),
        time_zone: "UTC".to_owned(),
        layers: vec![layer],
    }));
    let mut all = world.state.schedules.values();
    all.find(|one| one.name == name).expect("it").id
}

/// What a word that is written now says of the gap.
fn told_of_the_gap(world: &World) -> (Timestamp, String) {
    let standing = world.state.duty.standing();
    let mut gaps = standing.iter().filter(|one| one.key.starts_with("gap:"));
    let gap = gaps.next().expect("a gap");
    (gap.since, gap.text.clone())
}

#[test]
fn a_gap_that_comes_every_week_is_told_as_the_one_that_comes_next() {
    let mut world = World::set_up();
    let schedule = without_saturdays(&mut world, None, "Week");
    let level = Level::of(60_000, vec![Recipient::Schedule(schedule)]);
    world.set_policy(None, 0, vec![level], None);
    let on = |name: &str, from: &str, until: &str| {
        format!(
            "Nobody is on call in {name:?} from Sat {from} 00:00 until Sun {until} 00:00 (UTC), and once more within 14 days"
        )
    };
    let first = START.plus_ms(5 * DAY + 21 * HOUR);
    let of_first = (first, on("Week", "2024-08-24", "2024-08-25"));
    assert_eq!(look_ahead(&mut world), ["Ada"]);
    world.answer_all(Outcome::Accepted);
    assert_eq!(told_of_the_gap(&world), of_first);
    // Nobody is told anything, so nothing is written down.
    for _ in 0..9 {
        world.wait_ms(DAY);
        assert_eq!(look_ahead(&mut world), Vec::<String>::new());
    }
    assert_eq!(times_restated(&world), 0);
    let turn = Turn {
        every: 1,
        unit: TurnUnit::Days,
    };
    world.ask(Ask::Roster(RosterAsk::SetSchedule {
        id: None,
        name: "Nobody's".to_owned(),
        time_zone: "UTC".to_owned(),
        layers: vec![Layer::rotation(START, turn, Vec::new())],
    }));
    assert_eq!(look_ahead(&mut world), ["Ada"]);
    let second = first.plus_ms(7 * DAY);
    let of_second = (second, on("Week", "2024-08-31", "2024-09-01"));
    assert_eq!(told_of_the_gap(&world), of_second);
    assert_eq!(appeared_and_ended(&world), (3, 0));
    // As long as that is tried, it says what is so by then.
    look_ahead(&mut world);
    assert_eq!(times_restated(&world), 1);
    without_saturdays(&mut world, Some(schedule), "Weeks");
    look_ahead(&mut world);
    let renamed = (second, on("Weeks", "2024-08-31", "2024-09-01"));
    assert_eq!(told_of_the_gap(&world), renamed);
    world.answer_all(Outcome::Accepted);
    assert!(!world.state.duty.has_news());
    world.wait_ms(2 * DAY);
    assert_eq!(look_ahead(&mut world), Vec::<String>::new());
    assert_eq!(times_restated(&world), 2);
    world.check_replay();
}

#[test]
fn what_is_said_of_a_gap_that_has_begun_stands_while_it_lasts() {
    let mut world = World::set_up();
    let schedule = without_saturdays(&mut world, None, "Week");
    let level = Level::of(60_000, vec![Recipient::Schedule(schedule)]);
    world.set_policy(None, 0, vec![level], None);
    assert_eq!(look_ahead(&mut world), ["Ada"]);
    world.answer_all(Outcome::Accepted);
    // Two seconds before a full minute of the Saturday.
    world.wait_ms(5 * DAY + 22 * HOUR - 2_000);
    without_saturdays(&mut world, Some(schedule), "Weeks");
    let other = without_saturdays(&mut world, None, "Others");
    let level = Level::of(60_000, vec![Recipient::Schedule(other)]);
    world.set_policy(None, 0, vec![level], None);
    assert_eq!(look_ahead(&mut world), ["Ada"]);
    assert_eq!(times_restated(&world), 1);
    world.wait_ms(4_000);
    assert_eq!(look_ahead(&mut world), Vec::<String>::new());
    assert_eq!(times_restated(&world), 1);
}

#[test]
fn findings_stay_news_until_somebody_can_be_told() {
    let mut world = World::set_up();
    let ada = world.ada();
    let method = world.state.users[&ada].contact_methods[0].id;
    world.ask(Ask::People(PeopleAsk::RemoveContactMethod {
        user: ada,
        method,
    }));
    assert_eq!(look_ahead(&mut world), Vec::<String>::new());
    assert!(world.state.duty.has_news());
    world.add_webhook(ada);
    // Ada can be reached again, so that is over; her schedule is well.
    assert_eq!(look_ahead(&mut world), Vec::<String>::new());
    assert!(!world.state.duty.has_news());
}

#[test]
fn the_people_of_a_swap_are_told_what_becomes_of_it() {
    let mut world = World::set_up();
    let (schedule, bea, cyd) = days(&mut world);
    let day = |user, day: u64| SwapSide {
        user,
        span: Span::new(START.plus_ms(day * DAY), START.plus_ms((day + 1) * DAY)),
    };
    let change = |world: &mut World, ask| {
        let events = oncall(world, OncallAsk::Change { schedule, ask });
        let swaps = &world.state.schedules[&schedule];
        let swap = swaps.proposed.first().map(|offer| offer.swap.id);
        let swap = swap.or(swaps.swaps.first().map(|swap| swap.id));
        (told(world, &events), swap)
    };
    let offer = |by| ChangeAsk::ProposeSwap {
        one: day(bea, 2),
        other: day(cyd, 3),
        by,
    };
    let (beas, cyds) = (
        "Tue 2024-08-20 05:00 to Wed 2024-08-21 05:00",
        "Wed 2024-08-21 05:00 to Thu 2024-08-22 05:00",
    );
    let is_told = |news: Vec<(String, String)>, name: &str, text: String| {
        assert_eq!(news, [(name.to_owned(), text)]);
    };
    let (news, swap) = change(&mut world, offer(Some(bea)));
    let text = format!(
        "Bea offers you a swap in \"Days\": you would have {beas}, and give {cyds} (Europe/Paris)"
    );
    is_told(news, "Cyd", text);
    let swap = swap.unwrap();
    let by = Some(cyd);
    let (news, _) = change(&mut world, ChangeAsk::DeclineSwap { swap, by });
    let text = "The swap that you offered Cyd in \"Days\" is declined";
    is_told(news, "Bea", text.to_owned());
    let swap = change(&mut world, offer(Some(bea))).1.unwrap();
    let by = Some(bea);
    let (news, _) = change(&mut world, ChangeAsk::WithdrawSwap { swap, by });
    let text = "The swap that Bea offered you in \"Days\" is withdrawn";
    is_told(news, "Cyd", text.to_owned());
    let swap = change(&mut world, offer(Some(bea))).1.unwrap();
    let by = Some(cyd);
    let (news, _) = change(&mut world, ChangeAsk::AcceptSwap { swap, by });
    let text = format!(
        "Your swap with Cyd in \"Days\" is agreed: you have {cyds}, and no longer {beas} (Europe/Paris)"
    );
    is_told(news, "Bea", text);
    let (news, _) = change(&mut world, ChangeAsk::WithdrawSwap { swap, by: None });
    let text = |with: &str| format!("Your swap with {with} in \"Days\" was taken back");
    let both = [("Bea", "Cyd"), ("Cyd", "Bea")];
    assert_eq!(news, both.map(|(name, with)| (name.to_owned(), text(with))));
    let (news, _) = change(&mut world, offer(None));
    let names: Vec<&str> = news.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Bea", "Cyd"]);
}
