//! Layers: their borders, their windows, and which one wins.

use tocsin_domain::oncall::{
    By, Entry, Layer, Refused, Restriction, Span, TimeOfDay, TurnUnit, WeekTime, Weekday,
};

use super::{check, instant, layer, lines, of_layers, schedule, span};

fn daily(from: (u32, u32), until: (u32, u32)) -> Restriction {
    Restriction::Daily {
        from: TimeOfDay::at(from.0, from.1).unwrap(),
        until: TimeOfDay::at(until.0, until.1).unwrap(),
    }
}

fn weekly(from: (Weekday, u32), until: (Weekday, u32)) -> Restriction {
    let at = |(weekday, hour)| WeekTime {
        weekday,
        time: TimeOfDay::at(hour, 0).unwrap(),
    };
    Restriction::Weekly {
        from: at(from),
        until: at(until),
    }
}

fn restricted(layer: Layer, restrictions: &[Restriction]) -> Layer {
    Layer {
        restrictions: restrictions.to_vec(),
        ..layer
    }
}

#[test]
fn a_later_layer_takes_the_place_of_an_earlier_one_where_it_has_somebody() {
    let base = layer("2024-05-06T00:00:00Z", 1, TurnUnit::Weeks, &[0]);
    let nights = restricted(
        layer("2024-05-06T00:00:00Z", 1, TurnUnit::Days, &[1, 2]),
        &[daily((22, 0), (6, 0))],
    );
    let rota = of_layers("UTC", vec![base, nights]);
    check(
        &rota,
        span("2024-05-06T12:00:00Z", "2024-05-08T00:00:00Z"),
        &[
            "0 05-06 12:00 05-06 22:00",
            "1 05-06 22:00 05-07 00:00",
            "2 05-07 00:00 05-07 06:00",
            "0 05-07 06:00 05-07 22:00",
            "2 05-07 22:00 05-08 00:00",
        ],
    );
    let entries = rota
        .render(span("2024-05-06T21:00:00Z", "2024-05-06T23:00:00Z"))
        .unwrap();
    let by: Vec<By> = entries
        .iter()
        .filter_map(|entry| match entry {
            Entry::Shift(shift) => Some(shift.by),
            Entry::Gap(_) => None,
        })
        .collect();
    assert_eq!(by, [By::Layer(0), By::Layer(1)]);
}

#[test]
fn each_layer_is_rendered_by_itself_too() {
    let base = layer("2024-05-06T00:00:00Z", 1, TurnUnit::Weeks, &[0]);
    let office = restricted(
        layer("2024-05-06T00:00:00Z", 1, TurnUnit::Days, &[1]),
        &[daily((9, 0), (17, 0))],
    );
    let rota = of_layers("UTC", vec![base, office]);
    let day = span("2024-05-06T00:00:00Z", "2024-05-07T00:00:00Z");
    assert_eq!(
        lines(&rota.render_layer(1, day).unwrap()),
        [
            "- 05-06 00:00 05-06 09:00",
            "1 05-06 09:00 05-06 17:00",
            "- 05-06 17:00 05-07 00:00",
        ]
    );
    assert_eq!(rota.render_layer(2, day), Err(Refused::NoSuchLayer(2)));
}

#[test]
fn weekly_windows_may_cross_the_end_of_the_week() {
    let weekends = restricted(
        layer("2024-05-01T00:00:00Z", 4, TurnUnit::Weeks, &[0]),
        &[weekly((Weekday::Friday, 18), (Weekday::Monday, 8))],
    );
    check(
        &of_layers("UTC", vec![weekends]),
        span("2024-05-09T00:00:00Z", "2024-05-15T00:00:00Z"),
        &[
            "- 05-09 00:00 05-10 18:00",
            "0 05-10 18:00 05-13 08:00",
            "- 05-13 08:00 05-15 00:00",
        ],
    );
}

#[test]
fn windows_that_touch_or_overlap_are_one() {
    let layer = restricted(
        layer("2024-05-01T00:00:00Z", 4, TurnUnit::Weeks, &[0]),
        &[
            daily((8, 0), (12, 0)),
            daily((12, 0), (14, 0)),
            daily((13, 0), (15, 0)),
        ],
    );
    check(
        &of_layers("UTC", vec![layer]),
        span("2024-05-09T00:00:00Z", "2024-05-10T00:00:00Z"),
        &[
            "- 05-09 00:00 05-09 08:00",
            "0 05-09 08:00 05-09 15:00",
            "- 05-09 15:00 05-10 00:00",
        ],
    );
}

#[test]
fn a_window_that_the_clocks_skip_does_not_open_and_one_at_the_skip_opens_then() {
    // Clocks in Paris go from 02:00 to 03:00 on 2024-03-31, at 01:00 UTC.
    let within = |from, until| {
        restricted(
            layer("2024-03-01T00:00:00Z", 9, TurnUnit::Weeks, &[0]),
            &[daily(from, until)],
        )
    };
    let range = span("2024-03-30T23:00:00Z", "2024-03-31T04:00:00Z");
    check(
        &of_layers("Europe/Paris", vec![within((2, 10), (2, 40))]),
        range,
        &["- 03-30 23:00 03-31 04:00"],
    );
    check(
        &of_layers("Europe/Paris", vec![within((2, 30), (4, 0))]),
        range,
        &[
            "- 03-30 23:00 03-31 01:00",
            "0 03-31 01:00 03-31 02:00",
            "- 03-31 02:00 03-31 04:00",
        ],
    );
}

#[test]
fn a_layer_has_nobody_outside_of_its_start_and_end() {
    let mut short = layer("2024-05-06T09:00:00Z", 1, TurnUnit::Days, &[0, 1]);
    short.until = Some(instant("2024-05-07T15:00:00Z"));
    check(
        &of_layers("UTC", vec![short]),
        span("2024-05-06T00:00:00Z", "2024-05-08T00:00:00Z"),
        &[
            "- 05-06 00:00 05-06 09:00",
            "0 05-06 09:00 05-07 09:00",
            "1 05-07 09:00 05-07 15:00",
            "- 05-07 15:00 05-08 00:00",
        ],
    );
}

#[test]
fn the_hand_off_may_lie_before_or_after_the_start() {
    // Both Mondays at 09:00 give the same turns, a whole round of two apart.
    for hand_off in ["2024-04-29T09:00", "2024-05-27T09:00"] {
        let mut weekly = layer("2024-05-08T00:00:00Z", 1, TurnUnit::Weeks, &[0, 1]);
        weekly.hand_off = Some(hand_off.parse().unwrap());
        check(
            &of_layers("Europe/Paris", vec![weekly]),
            span("2024-05-07T00:00:00Z", "2024-05-21T00:00:00Z"),
            &[
                "- 05-07 00:00 05-08 00:00",
                "1 05-08 00:00 05-13 07:00",
                "0 05-13 07:00 05-20 07:00",
                "1 05-20 07:00 05-21 00:00",
            ],
        );
    }
}

#[test]
fn a_layer_may_follow_the_clocks_of_another_zone() {
    let paris = layer("2024-03-28T09:00:00+01:00", 1, TurnUnit::Days, &[0, 1]);
    let mut tokyo = restricted(
        layer("2024-03-28T00:00:00Z", 1, TurnUnit::Weeks, &[2]),
        &[daily((9, 0), (12, 0))],
    );
    tokyo.time_zone = Some("Asia/Tokyo".to_owned());
    check(
        &of_layers("Europe/Paris", vec![paris, tokyo]),
        span("2024-03-30T08:00:00Z", "2024-03-31T08:00:00Z"),
        &[
            "0 03-30 08:00 03-31 00:00",
            "2 03-31 00:00 03-31 03:00",
            "0 03-31 03:00 03-31 07:00",
            "1 03-31 07:00 03-31 08:00",
        ],
    );
}

#[test]
fn a_layer_in_a_zone_that_is_not_known_has_nobody_and_the_others_go_on() {
    let mut lost = layer("2024-05-01T00:00:00Z", 1, TurnUnit::Days, &[1]);
    lost.time_zone = Some("Mars/Olympus".to_owned());
    let rota = of_layers(
        "UTC",
        vec![
            layer("2024-05-01T00:00:00Z", 9, TurnUnit::Weeks, &[0]),
            lost,
        ],
    );
    let day = span("2024-05-06T00:00:00Z", "2024-05-07T00:00:00Z");
    assert_eq!(
        lines(&rota.render(day).unwrap()),
        ["0 05-06 00:00 05-07 00:00"]
    );
}

#[test]
fn a_range_that_is_malformed_or_too_much_work_is_refused() {
    let hourly = schedule("UTC", "2024-01-01T00:00:00Z", 1, TurnUnit::Hours, 2);
    let from = instant("2024-05-06T00:00:00Z");
    assert_eq!(hourly.render(Span::new(from, from)), Err(Refused::Empty));
    assert_eq!(
        hourly.render(Span::of_days(from, 401)),
        Err(Refused::TooLong)
    );
    assert_eq!(
        hourly.render(Span::of_days(instant("2199-12-01T00:00:00Z"), 60)),
        Err(Refused::OutsideCalendar)
    );
    assert_eq!(
        hourly.render(Span::of_days(from, 400)).unwrap().len(),
        9_600
    );
    let many = of_layers("UTC", vec![hourly.layers[0].clone(); 6]);
    assert_eq!(
        many.render(Span::of_days(from, 400)),
        Err(Refused::TooManyEntries)
    );
    assert_eq!(
        Refused::TooManyEntries.to_string(),
        "the range holds more than 50000 shifts: ask for a shorter one"
    );
}

#[test]
fn a_turn_of_years_is_known_to_both_its_ends() {
    let rota = schedule(
        "Europe/Paris",
        "2020-01-06T09:00:00+01:00",
        366,
        TurnUnit::Weeks,
        2,
    );
    let shift = rota.shift_at(instant("2024-05-06T00:00:00Z")).unwrap();
    assert_eq!(shift.from, instant("2020-01-06T09:00:00+01:00"));
    assert_eq!(shift.until, instant("2027-01-11T09:00:00+01:00"));
}
