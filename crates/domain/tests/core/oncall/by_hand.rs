//! What people change of a schedule by hand, as commands: each is a small event, and what is past stays as it was.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test picks what it looks at"
)]

use tocsin_domain::command::{Ask, PeopleAsk, Refusal, RosterAsk};
use tocsin_domain::event::{Event, EventBody, RosterEvent};
use tocsin_domain::id::{ScheduleId, SwapId, UserId};
use tocsin_domain::oncall::{Change, Layer, OVERRIDES_MAX, Span, SwapSide, Turn, TurnUnit};
use tocsin_domain::oncall_command::{ChangeAsk, OncallAsk};
use tocsin_domain::oncall_event::OncallEvent;
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;

use super::lines_of;
use crate::world::{START, World};

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

/// Ada, Bea and Cyd by the day, from the start of the test on, in a schedule of its own.
struct Rota {
    world: World,
    id: ScheduleId,
    ada: UserId,
    bea: UserId,
    cyd: UserId,
}

impl Rota {
    fn new() -> Self {
        let mut world = World::set_up();
        let (ada, bea, cyd) = (world.ada(), world.add_user("Bea"), world.add_user("Cyd"));
        let turn = Turn {
            every: 1,
            unit: TurnUnit::Days,
        };
        world.ask(Ask::Roster(RosterAsk::SetSchedule {
            id: None,
            name: "Days".to_owned(),
            time_zone: "UTC".to_owned(),
            layers: vec![Layer::rotation(START, turn, vec![ada, bea, cyd])],
        }));
        let id = world
            .state
            .schedules
            .values()
            .find(|one| one.name == "Days");
        let id = id.expect("the schedule").id;
        Self {
            world,
            id,
            ada,
            bea,
            cyd,
        }
    }

    fn try_change(&mut self, ask: ChangeAsk) -> Result<Change, Refusal> {
        let schedule = self.id;
        let ask = Ask::Roster(RosterAsk::Oncall(OncallAsk::Change { schedule, ask }));
        let events = self.world.try_ask(ask)?;
        let changed = events.into_iter().find_map(|event| match event.body {
            EventBody::Roster(RosterEvent::Oncall {
                what:
                    OncallEvent::ScheduleChanged {
                        schedule: id,
                        change,
                    },
            }) if id == schedule => Some(change),
            _ => None,
        });
        Ok(changed.expect("an event about the schedule"))
    }

    fn change(&mut self, ask: ChangeAsk) -> Change {
        self.try_change(ask).expect("the change is accepted")
    }

    /// The reasons for which a change is refused.
    fn refused(&mut self, ask: ChangeAsk) -> Vec<String> {
        match self.try_change(ask) {
            Err(Refusal::Invalid { reasons }) => reasons,
            Err(
                refusal @ (Refusal::NotFound { .. }
                | Refusal::Conflict { .. }
                | Refusal::Forbidden { .. }),
            ) => vec![refusal.to_string()],
            Ok(change) => panic!("{change:?}"),
        }
    }

    /// Who is on call by the day, from the start on.
    fn days(&self, count: u32) -> Vec<String> {
        let names = |user: UserId| self.world.state.users[&user].name.clone();
        let rendered = self.world.state.schedules[&self.id].render(Span::of_days(START, count));
        lines_of(&rendered.unwrap(), names)
    }

    fn offer(&mut self, one: (UserId, u64), other: (UserId, u64), by: UserId) -> SwapId {
        let change = self.change(swap(one, other, Some(by)));
        match change {
            Change::SwapProposed { proposal } => proposal.swap.id,
            other => panic!("{other:?}"),
        }
    }
}

fn hours(from: u64, until: u64) -> Span {
    Span::new(START.plus_ms(from * HOUR), START.plus_ms(until * HOUR))
}

fn swap(
    (one, day): (UserId, u64),
    (other, other_day): (UserId, u64),
    by: Option<UserId>,
) -> ChangeAsk {
    let side = |user, day: u64| SwapSide {
        user,
        span: hours(24 * day, 24 * (day + 1)),
    };
    ChangeAsk::ProposeSwap {
        one: side(one, day),
        other: side(other, other_day),
        by,
    }
}

#[test]
fn an_override_is_a_small_event_and_begins_now_at_the_earliest() {
    let mut rota = Rota::new();
    rota.world.wait_ms(2 * HOUR);
    let user = rota.cyd;
    let change = rota.change(ChangeAsk::AddOverride {
        user,
        span: hours(0, 6),
    });
    let Change::OverrideAdded { added } = change else {
        panic!("{change:?}")
    };
    assert_eq!((added.user, added.span), (user, hours(2, 6)));
    assert_eq!(
        rota.days(1),
        [
            "Ada 08-18 03:00 08-18 05:00",
            "Cyd 08-18 05:00 08-18 09:00",
            "Ada 08-18 09:00 08-19 03:00"
        ]
    );
    let event = rota.world.journal.last().expect("an event");
    let written = serde_json::to_string(&event.body).unwrap();
    assert!(!written.contains("layers"), "{written}");
    assert_eq!(
        serde_json::from_str::<EventBody>(&written).unwrap(),
        event.body
    );
}

#[test]
fn an_override_is_removed_whole_before_it_begins_and_ended_after() {
    let mut rota = Rota::new();
    let user = rota.cyd;
    let add = |span| ChangeAsk::AddOverride { user, span };
    let id = |change: Change| match change {
        Change::OverrideAdded { added } => added.id,
        other => panic!("{other:?}"),
    };
    let early = id(rota.change(add(hours(1, 3))));
    let late = id(rota.change(add(hours(10, 12))));
    rota.world.wait_ms(2 * HOUR);
    let removed = rota.change(ChangeAsk::RemoveOverride(late));
    assert_eq!(removed, Change::OverrideRemoved { id: late });
    let at = rota.world.now;
    let ended = rota.change(ChangeAsk::RemoveOverride(early));
    assert_eq!(ended, Change::OverrideEnded { id: early, at });
    assert_eq!(
        rota.days(1),
        [
            "Ada 08-18 03:00 08-18 04:00",
            "Cyd 08-18 04:00 08-18 05:00",
            "Ada 08-18 05:00 08-19 03:00"
        ]
    );
    let over = rota.refused(ChangeAsk::RemoveOverride(early));
    assert_eq!(over, ["it is over: what is past stays as it was"]);
    let gone = rota.refused(ChangeAsk::RemoveOverride(late));
    assert_eq!(gone, [format!("there is no override {late}")]);
}

#[test]
fn what_is_wrong_with_a_change_is_said_of_its_field() {
    let mut rota = Rota::new();
    rota.world.wait_ms(2 * HOUR);
    let (ada, bea, stranger) = (rota.ada, rota.bea, super::person(5));
    let over = |user, span| ChangeAsk::AddOverride { user, span };
    for (ask, expected) in [
        (
            over(ada, hours(5, 5)),
            "until: must be later than its from".to_owned(),
        ),
        (
            over(ada, hours(0, 1)),
            "until: must lie ahead: what is past stays as it was".to_owned(),
        ),
        (
            over(ada, hours(3, 24 * 400)),
            "until: at most 366 days".to_owned(),
        ),
        (
            over(stranger, hours(3, 4)),
            format!("user_id: there is no person {stranger}"),
        ),
        (
            ChangeAsk::AddTemporary {
                span: hours(3, 9),
                members: vec![ada, bea],
                turn: None,
            },
            "turn: say how long each of its people is on call".to_owned(),
        ),
        (
            ChangeAsk::AddTemporary {
                span: hours(3, 9),
                members: vec![ada, stranger],
                turn: None,
            },
            format!("members[1]: there is no person {stranger}"),
        ),
        (
            swap((ada, 3), (ada, 4), None),
            "other.user_id: two different people exchange shifts".to_owned(),
        ),
        (
            ChangeAsk::ProposeSwap {
                one: SwapSide {
                    user: ada,
                    span: hours(30, 20),
                },
                other: SwapSide {
                    user: bea,
                    span: hours(30, 40),
                },
                by: None,
            },
            "one.until: must be later than its from".to_owned(),
        ),
    ] {
        assert_eq!(rota.refused(ask.clone()), [expected], "{ask:?}");
    }
    assert!(rota.world.state.schedules[&rota.id].overrides.is_empty());
}

#[test]
fn an_offered_swap_changes_nothing_until_the_other_one_accepts_it() {
    let mut rota = Rota::new();
    let (ada, bea, cyd) = (rota.ada, rota.bea, rota.cyd);
    let before = rota.days(6);
    // Bea has day 1, Cyd day 2.
    let swap = rota.offer((bea, 1), (cyd, 2), bea);
    assert_eq!(rota.days(6), before);
    for by in [ada, bea] {
        let refusal = rota.try_change(ChangeAsk::AcceptSwap { swap, by: Some(by) });
        assert!(
            matches!(refusal, Err(Refusal::Forbidden { .. })),
            "{refusal:?}"
        );
    }
    assert_eq!(rota.days(6), before);
    let accepted = rota.change(ChangeAsk::AcceptSwap {
        swap,
        by: Some(cyd),
    });
    assert_eq!(accepted, Change::SwapAccepted { swap });
    assert_eq!(
        rota.days(4),
        [
            "Ada 08-18 03:00 08-19 03:00",
            "Cyd 08-19 03:00 08-20 03:00",
            "Bea 08-20 03:00 08-21 03:00",
            "Ada 08-21 03:00 08-22 03:00",
        ]
    );
    let again = rota.try_change(ChangeAsk::AcceptSwap {
        swap,
        by: Some(cyd),
    });
    assert!(matches!(again, Err(Refusal::NotFound { .. })), "{again:?}");
    let alone = rota.try_change(ChangeAsk::WithdrawSwap {
        swap,
        by: Some(bea),
    });
    assert!(matches!(alone, Err(Refusal::Forbidden { .. })), "{alone:?}");
    let undone = rota.change(ChangeAsk::WithdrawSwap { swap, by: None });
    assert_eq!(undone, Change::SwapUndone { swap });
    assert_eq!(rota.days(6), before);
}

#[test]
fn an_offer_is_declined_by_the_other_one_and_taken_back_by_whoever_made_it() {
    let mut rota = Rota::new();
    let (bea, cyd) = (rota.bea, rota.cyd);
    let swap = rota.offer((bea, 1), (cyd, 2), bea);
    let not_theirs = rota.try_change(ChangeAsk::DeclineSwap {
        swap,
        by: Some(bea),
    });
    assert!(matches!(not_theirs, Err(Refusal::Forbidden { .. })));
    rota.change(ChangeAsk::DeclineSwap {
        swap,
        by: Some(cyd),
    });
    let swap = rota.offer((bea, 1), (cyd, 2), cyd);
    let not_theirs = rota.try_change(ChangeAsk::WithdrawSwap {
        swap,
        by: Some(bea),
    });
    assert!(matches!(not_theirs, Err(Refusal::Forbidden { .. })));
    rota.change(ChangeAsk::WithdrawSwap {
        swap,
        by: Some(cyd),
    });
    assert!(rota.world.state.schedules[&rota.id].proposed.is_empty());
}

#[test]
fn an_administrator_makes_a_swap_for_both_at_once_and_nobody_else_for_others() {
    let mut rota = Rota::new();
    let (ada, bea, cyd) = (rota.ada, rota.bea, rota.cyd);
    let foreign = rota.try_change(swap((bea, 1), (cyd, 2), Some(ada)));
    assert!(
        matches!(foreign, Err(Refusal::Forbidden { .. })),
        "{foreign:?}"
    );
    let made = rota.change(swap((bea, 1), (cyd, 2), None));
    assert!(matches!(made, Change::SwapMade { .. }), "{made:?}");
    assert_eq!(rota.days(3)[1], "Cyd 08-19 03:00 08-20 03:00");
}

#[test]
fn a_swap_of_nothing_and_one_that_comes_too_late_are_refused() {
    let mut rota = Rota::new();
    let (ada, bea, cyd) = (rota.ada, rota.bea, rota.cyd);
    let nothing = rota.refused(swap((bea, 2), (cyd, 2), Some(bea)));
    assert_eq!(
        nothing,
        ["Bea is not on call within that time, so there is nothing to exchange"]
    );
    let begun = rota.refused(swap((ada, 0), (bea, 1), Some(ada)));
    assert!(begun[0].starts_with("it is too late"), "{begun:?}");
    let offered = rota.offer((bea, 1), (cyd, 2), bea);
    rota.world.wait_ms(DAY);
    let late = rota.refused(ChangeAsk::AcceptSwap {
        swap: offered,
        by: Some(cyd),
    });
    assert!(late[0].starts_with("it is too late"), "{late:?}");
    // The next offer clears away what nobody can take any more.
    rota.offer((cyd, 5), (bea, 4), cyd);
    assert_eq!(rota.world.state.schedules[&rota.id].proposed.len(), 1);
}

#[test]
fn overrides_that_are_over_make_room_and_those_ahead_stay() {
    let mut rota = Rota::new();
    let user = rota.bea;
    let add = |hour: u64| ChangeAsk::AddOverride {
        user,
        span: hours(hour, hour + 1),
    };
    for hour in 0..OVERRIDES_MAX as u64 {
        rota.change(add(hour));
    }
    assert_eq!(rota.refused(add(600)), ["overrides: at most 500"]);
    rota.world.wait_ms(2 * HOUR);
    rota.change(add(600));
    let kept = &rota.world.state.schedules[&rota.id].overrides;
    assert_eq!(kept.len(), OVERRIDES_MAX);
    assert_eq!(kept[0].span, hours(1, 2));
}

#[test]
fn a_replaced_schedule_keeps_what_was_changed_by_hand() {
    let mut rota = Rota::new();
    let (ada, bea) = (rota.ada, rota.bea);
    rota.change(ChangeAsk::AddOverride {
        user: bea,
        span: hours(1, 3),
    });
    let turn = Turn {
        every: 1,
        unit: TurnUnit::Weeks,
    };
    rota.world.ask(Ask::Roster(RosterAsk::SetSchedule {
        id: Some(rota.id),
        name: "Days".to_owned(),
        time_zone: "UTC".to_owned(),
        layers: vec![
            Layer::rotation(START, turn, Vec::new()),
            Layer::rotation(START, turn, vec![ada]),
        ],
    }));
    assert_eq!(rota.days(1)[1], "Bea 08-18 04:00 08-18 06:00");
    let unknown = rota.world.try_ask(Ask::Roster(RosterAsk::SetSchedule {
        id: Some(rota.id),
        name: "Days".to_owned(),
        time_zone: "UTC".to_owned(),
        layers: vec![Layer::rotation(START, turn, vec![ada, super::person(5)])],
    }));
    let Err(Refusal::Invalid { reasons }) = unknown else {
        panic!("{unknown:?}")
    };
    assert!(
        reasons[0].starts_with("layers[0].members[1]: "),
        "{reasons:?}"
    );
}

#[test]
fn whoever_leaves_takes_their_offers_and_calendars_along() {
    let mut rota = Rota::new();
    let (bea, cyd) = (rota.bea, rota.cyd);
    rota.offer((bea, 1), (cyd, 2), bea);
    rota.world
        .ask(Ask::Roster(RosterAsk::Oncall(OncallAsk::AddCalendar {
            user: bea,
            schedule: None,
            only_own: true,
            token_hash: "00".to_owned(),
        })));
    assert_eq!(rota.world.state.calendars.len(), 1);
    rota.world.ask(Ask::People(PeopleAsk::Remove { user: bea }));
    assert!(rota.world.state.calendars.is_empty());
    assert!(rota.world.state.schedules[&rota.id].proposed.is_empty());
}

#[test]
fn the_journal_of_all_this_folds_into_the_same_state() {
    let mut rota = Rota::new();
    let (ada, bea, cyd) = (rota.ada, rota.bea, rota.cyd);
    let swap = rota.offer((bea, 1), (cyd, 2), bea);
    rota.change(ChangeAsk::AcceptSwap { swap, by: None });
    rota.change(ChangeAsk::AddOverride {
        user: ada,
        span: hours(30, 31),
    });
    rota.change(ChangeAsk::AddTemporary {
        span: hours(100, 110),
        members: vec![cyd],
        turn: None,
    });
    rota.world.check_replay();
}

#[test]
fn a_journal_from_before_there_were_several_layers_still_folds() {
    let set = r#"{"position":1,"at":1723939200000000,"recorded_at":1723939200000000,"actor":{"kind":"system"},
        "cause":{"kind":"request"},"body":{"area":"roster","kind":"schedule_set","schedule":{"id":"QAAAAAAAAAAAAA",
        "team":"QBBBBBBBBBBBBB","name":"First schedule","time_zone":"Europe/Paris",
        "layer":{"start":1723939200000000,"every":1,"unit":"weeks","members":["QCCCCCCCCCCCCC"]}}}}"#;
    let mut state = State::default();
    state.evolve(&serde_json::from_str::<Event>(set).unwrap());
    let known = state.schedules.values().next().expect("the schedule");
    assert_eq!(known.layers.len(), 1);
    let later = Timestamp::from_micros(1_723_939_200_000_000).plus_ms(HOUR);
    let shift = known.shift_at(later).expect("a shift");
    assert_eq!(shift.user, "QCCCCCCCCCCCCC".parse().unwrap());
}
