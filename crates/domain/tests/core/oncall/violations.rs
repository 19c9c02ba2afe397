//! A schedule that cannot work says each reason.

use tocsin_domain::id::{OverrideId, SwapId, TemporaryId};
use tocsin_domain::oncall::{
    Override, Restriction, Schedule, Swap, SwapSide, Temporary, TimeOfDay, TurnUnit, WeekTime,
    Weekday,
};
use tocsin_domain::time::Timestamp;

use super::{instant, people, person, schedule, span};
use crate::world::Seeded;

fn good() -> Schedule {
    schedule("UTC", "2024-05-06T00:00:00Z", 1, TurnUnit::Weeks, 2)
}

#[track_caller]
fn check_refused(breaks: impl FnOnce(&mut Schedule), expected: &[&str]) {
    let mut broken = good();
    breaks(&mut broken);
    assert_eq!(broken.violations(), expected);
}

#[test]
fn a_good_schedule_is_taken_also_without_layers_or_members() {
    assert_eq!(good().violations(), Vec::<String>::new());
    check_refused(|rota| rota.layers.clear(), &[]);
    check_refused(|rota| rota.layers[0].members.clear(), &[]);
}

#[test]
fn broken_layers_say_why() {
    check_refused(
        |rota| {
            rota.time_zone = "Mars/Olympus".to_owned();
            let layer = &mut rota.layers[0];
            layer.every = 0;
            layer.members = vec![person(0); 201];
            layer.time_zone = Some("Etc/Unknown".to_owned());
            layer.until = Some(layer.start);
        },
        &[
            "time_zone: \"Mars/Olympus\" is not an IANA zone such as Europe/Paris",
            "layers[0].time_zone: \"Etc/Unknown\" is not an IANA zone such as Europe/Paris",
            "layers[0].until: must be later than its start",
            "layers[0].turn.every: must be 1 to 366",
            "layers[0].members: at most 200",
        ],
    );
    check_refused(
        |rota| rota.layers[0].start = Timestamp::from_micros(i64::MIN),
        &["layers[0].start: must lie in the years 1900 to 2199"],
    );
    check_refused(
        |rota| rota.layers = vec![rota.layers[0].clone(); 21],
        &["layers: at most 20"],
    );
}

#[test]
fn empty_windows_and_too_many_of_them_are_refused() {
    let nine = TimeOfDay::at(9, 0).unwrap();
    let monday = WeekTime {
        weekday: Weekday::Monday,
        time: nine,
    };
    check_refused(
        |rota| {
            rota.layers[0].restrictions = vec![
                Restriction::Daily {
                    from: nine,
                    until: nine,
                },
                Restriction::Weekly {
                    from: monday,
                    until: monday,
                },
            ];
        },
        &[
            "layers[0].restrictions[0]: ends when it begins: leave it out for all times",
            "layers[0].restrictions[1]: ends when it begins: leave it out for all times",
        ],
    );
    let evening = Restriction::Daily {
        from: nine,
        until: TimeOfDay::MIDNIGHT,
    };
    check_refused(
        |rota| rota.layers[0].restrictions = vec![evening; 51],
        &["layers[0].restrictions: at most 50"],
    );
}

#[test]
fn broken_overrides_say_why() {
    let one = Override {
        id: OverrideId::random(&mut Seeded(1)),
        user: person(0),
        span: span("2024-05-06T00:00:00Z", "2024-05-06T00:00:00Z"),
    };
    check_refused(
        |rota| {
            let long = span("2024-05-06T00:00:00Z", "2025-06-06T00:00:00Z");
            rota.overrides = vec![one, Override { span: long, ..one }];
        },
        &[
            "overrides[0].until: must be later than its from",
            "overrides[1]: at most 366 days",
            "overrides: an id stands there twice",
        ],
    );
    check_refused(
        |rota| {
            rota.overrides = (0..501)
                .map(|index| Override {
                    id: OverrideId::random(&mut Seeded(index)),
                    span: span("2024-05-06T00:00:00Z", "2024-05-07T00:00:00Z"),
                    ..one
                })
                .collect();
        },
        &["overrides: at most 500"],
    );
}

#[test]
fn broken_temporary_shifts_say_why() {
    let fixed = |members: &[usize]| Temporary {
        id: TemporaryId::random(&mut Seeded(members.len() as u64)),
        span: span("1899-12-31T00:00:00Z", "1900-05-06T00:00:00Z"),
        members: people(members),
        turn: None,
    };
    check_refused(
        |rota| rota.temporary = vec![fixed(&[]), fixed(&[0, 1])],
        &[
            "temporary[0]: must lie in the years 1900 to 2199",
            "temporary[0].members: at least 1",
            "temporary[1]: must lie in the years 1900 to 2199",
            "temporary[1].turn: say how long each of its people is on call",
        ],
    );
}

#[test]
fn broken_swaps_say_why() {
    let side = |until| SwapSide {
        user: person(0),
        span: span("2024-05-06T00:00:00Z", until),
    };
    let swap = Swap {
        id: SwapId::random(&mut Seeded(1)),
        one: side("2024-05-05T00:00:00Z"),
        other: side("2024-12-06T00:00:00Z"),
    };
    check_refused(
        |rota| rota.swaps = vec![swap],
        &[
            "swaps[0]: two different people exchange shifts",
            "swaps[0].one.until: must be later than its from",
            "swaps[0].other: at most 92 days",
        ],
    );
}

#[test]
fn a_schedule_that_cannot_work_is_rendered_as_far_as_it_goes_and_breaks_nothing() {
    let mut broken = good();
    broken.layers[0].start = Timestamp::from_micros(i64::MIN);
    broken.layers.push(good().layers[0].clone());
    broken.layers[1].every = u32::MAX;
    broken.temporary = vec![Temporary {
        id: TemporaryId::random(&mut Seeded(1)),
        span: tocsin_domain::oncall::Span::new(
            Timestamp::from_micros(i64::MIN),
            Timestamp::from_micros(i64::MAX),
        ),
        members: people(&[0]),
        turn: None,
    }];
    let at = instant("2024-05-06T00:00:00Z");
    assert_eq!(broken.shift_at(at), None);
    assert_eq!(broken.duty_at(Timestamp::from_micros(i64::MAX)).shift, None);
    assert_eq!(broken.gaps_ahead(at).unwrap().len(), 1);
}
