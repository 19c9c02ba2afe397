//! Schedules in journals: the first form is still read, and what is written reads back.

use tocsin_domain::id::{OverrideId, SwapId, TeamId, TemporaryId};
use tocsin_domain::oncall::{
    Layer, Override, Restriction, Schedule, Swap, SwapSide, Temporary, TimeOfDay, Turn, TurnUnit,
    WeekTime, Weekday,
};
use tocsin_domain::time::Timestamp;

use super::{instant, layer, of_layers, people, person, schedule, span};
use crate::world::Seeded;

/// A schedule as it was written when it had one layer.
const FIRST_FORM: &str = r#"{"id":"QAAAAAAAAAAAAA","team":"QBBBBBBBBBBBBB","name":"First schedule","time_zone":"Europe/Paris",
    "layer":{"start":1723939200000000,"every":1,"unit":"weeks","members":["QCCCCCCCCCCCCC","QDDDDDDDDDDDDD"]}}"#;

/// Everything that a schedule can hold.
fn full() -> Schedule {
    let night = TimeOfDay::at(22, 0).unwrap();
    let mut nights = layer("2024-05-06T00:00:00Z", 12, TurnUnit::Hours, &[0, 1]);
    nights.until = Some(instant("2025-05-06T00:00:00Z"));
    nights.time_zone = Some("Asia/Tokyo".to_owned());
    nights.hand_off = Some("2024-05-06T09:30".parse().unwrap());
    nights.restrictions = vec![
        Restriction::Daily {
            from: night,
            until: TimeOfDay::MIDNIGHT,
        },
        Restriction::Weekly {
            from: WeekTime {
                weekday: Weekday::Friday,
                time: night,
            },
            until: WeekTime {
                weekday: Weekday::Monday,
                time: TimeOfDay::MIDNIGHT,
            },
        },
    ];
    let day = span("2024-05-07T00:00:00Z", "2024-05-08T00:00:00Z");
    let mut full = of_layers(
        "Europe/Paris",
        vec![
            layer("2024-05-06T00:00:00Z", 1, TurnUnit::Weeks, &[2]),
            nights,
        ],
    );
    full.temporary = vec![Temporary {
        id: TemporaryId::random(&mut Seeded(1)),
        span: day,
        members: people(&[3, 4]),
        turn: Some(Turn {
            every: 6,
            unit: TurnUnit::Hours,
        }),
    }];
    full.swaps = vec![Swap {
        id: SwapId::random(&mut Seeded(2)),
        one: SwapSide {
            user: person(0),
            span: day,
        },
        other: SwapSide {
            user: person(5),
            span: day,
        },
    }];
    full.overrides = vec![Override {
        id: OverrideId::random(&mut Seeded(3)),
        user: person(6),
        span: day,
    }];
    full.given_to = Some(TeamId::random(&mut Seeded(4)));
    full
}

#[test]
fn the_first_form_with_one_layer_is_still_read() {
    let read: Schedule = serde_json::from_str(FIRST_FORM).unwrap();
    let members = vec![
        "QCCCCCCCCCCCCC".parse().unwrap(),
        "QDDDDDDDDDDDDD".parse().unwrap(),
    ];
    let turn = Turn {
        every: 1,
        unit: TurnUnit::Weeks,
    };
    let layer = Layer::rotation(Timestamp::from_millis(1_723_939_200_000), turn, members);
    let expected = Schedule::of_layers(
        "QAAAAAAAAAAAAA".parse().unwrap(),
        "QBBBBBBBBBBBBB".parse().unwrap(),
        "First schedule".to_owned(),
        "Europe/Paris".to_owned(),
        vec![layer],
    );
    assert_eq!(read, expected);
    let written = serde_json::to_string(&read).unwrap();
    assert_eq!(serde_json::from_str::<Schedule>(&written).unwrap(), read);
}

#[test]
fn everything_that_a_schedule_holds_reads_back() {
    let written = serde_json::to_string(&full()).unwrap();
    assert_eq!(serde_json::from_str::<Schedule>(&written).unwrap(), full());
    for part in [
        r#""hand_off":"2024-05-06T09:30""#,
        r#"{"kind":"daily","from":"22:00","until":"00:00"}"#,
        r#""given_to":"Q"#,
        r#""from":{"weekday":"friday","time":"22:00"}"#,
    ] {
        assert!(written.contains(part), "{part} is not in {written}");
    }
}

#[test]
fn everybody_whom_a_schedule_names_is_known_and_can_be_taken_out() {
    let mut rota = full();
    let everybody: Vec<_> = people(&[0, 1, 2, 3, 4, 5, 6]);
    assert!(everybody.iter().all(|user| rota.people().contains(user)));
    assert_eq!(rota.people().len(), everybody.len());
    for user in everybody {
        rota.forget(user, instant("2024-05-07T12:00:00Z"));
        assert!(!rota.people().contains(&user));
    }
    assert_eq!(rota.layers.len(), 2);
    assert!(rota.temporary.is_empty() && rota.swaps.is_empty() && rota.overrides.is_empty());
    assert_eq!(rota.violations(), Vec::<String>::new());
    let plain = schedule("UTC", "2024-05-06T00:00:00Z", 1, TurnUnit::Weeks, 2);
    assert_eq!(plain.people().len(), 2);
}
