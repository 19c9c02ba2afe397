//! Who has duty until when, who is next, when it changes hands, and when nobody has it.

use tocsin_domain::id::OverrideId;
use tocsin_domain::oncall::{Override, Refused, Restriction, Span, TimeOfDay, TurnUnit};

use super::{instant, layer, of_layers, person, schedule, span};
use crate::world::Seeded;

#[test]
fn duty_lasts_until_another_person_takes_over_not_until_the_turn_ends() {
    let rota = of_layers(
        "UTC",
        vec![layer(
            "2024-05-06T00:00:00Z",
            1,
            TurnUnit::Weeks,
            &[0, 0, 1],
        )],
    );
    let duty = rota.duty_at(instant("2024-05-07T00:00:00Z"));
    assert_eq!(duty.shift.unwrap().until, instant("2024-05-13T00:00:00Z"));
    assert_eq!(duty.until, Some(instant("2024-05-20T00:00:00Z")));
    let next = duty.next.unwrap();
    assert_eq!(next.user, person(1));
    assert_eq!(
        next.span(),
        span("2024-05-20T00:00:00Z", "2024-05-27T00:00:00Z")
    );
}

#[test]
fn duty_began_when_its_person_took_over_not_when_the_turn_began() {
    let rota = of_layers(
        "UTC",
        vec![layer(
            "2024-05-06T00:00:00Z",
            1,
            TurnUnit::Weeks,
            &[0, 0, 1],
        )],
    );
    let since = |at| rota.duty_since(instant(at));
    let first = Some(instant("2024-05-06T00:00:00Z"));
    assert_eq!(since("2024-05-06T00:00:00Z"), first);
    assert_eq!(since("2024-05-19T23:59:59Z"), first);
    let second = Some(instant("2024-05-20T00:00:00Z"));
    assert_eq!(since("2024-05-20T00:00:00Z"), second);
    assert_eq!(since("2024-05-01T00:00:00Z"), None, "there never was any");
    let alone = schedule("UTC", "2024-05-06T00:00:00Z", 1, TurnUnit::Weeks, 1);
    let since = |at| alone.duty_since(instant(at));
    assert_eq!(since("2024-06-20T00:00:00Z"), first);
    assert_eq!(since("2024-08-01T00:00:00Z"), None, "too long ago to say");
}

#[test]
fn duty_of_one_person_alone_has_no_end_in_sight() {
    let rota = schedule("UTC", "2024-05-06T00:00:00Z", 1, TurnUnit::Weeks, 1);
    let duty = rota.duty_at(instant("2024-05-07T00:00:00Z"));
    assert_eq!(duty.shift.unwrap().user, person(0));
    assert_eq!((duty.until, duty.next), (None, None));
}

#[test]
fn a_gap_ends_with_the_next_shift() {
    let rota = schedule("UTC", "2024-05-06T00:00:00Z", 1, TurnUnit::Days, 2);
    let duty = rota.duty_at(instant("2024-03-01T00:00:00Z"));
    assert_eq!(duty.shift, None);
    assert_eq!(duty.until, Some(instant("2024-05-06T00:00:00Z")));
    assert_eq!(duty.next.unwrap().user, person(0));
    let far = rota.duty_at(instant("2022-03-01T00:00:00Z"));
    assert_eq!((far.shift, far.until, far.next), (None, None, None));
}

#[test]
fn the_next_person_after_a_gap_may_be_the_same() {
    let mut rota = schedule("UTC", "2024-05-06T00:00:00Z", 1, TurnUnit::Weeks, 1);
    rota.layers[0].restrictions = vec![Restriction::Daily {
        from: TimeOfDay::at(9, 0).unwrap(),
        until: TimeOfDay::at(17, 0).unwrap(),
    }];
    let duty = rota.duty_at(instant("2024-05-07T10:00:00Z"));
    assert_eq!(duty.until, Some(instant("2024-05-07T17:00:00Z")));
    assert_eq!(duty.next.unwrap().from, instant("2024-05-08T09:00:00Z"));
}

#[test]
fn hand_offs_are_told_only_when_the_person_changes_and_at_the_first_instant_of_a_range_too() {
    let rota = of_layers(
        "UTC",
        vec![layer("2024-05-06T00:00:00Z", 1, TurnUnit::Days, &[0, 0, 1])],
    );
    let found = rota
        .hand_offs(span("2024-05-06T00:00:00Z", "2024-05-09T00:00:00Z"))
        .unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|one| (one.at.to_rfc3339(), one.from, one.to))
        .collect();
    assert_eq!(
        found,
        [
            ("2024-05-06T00:00:00.000Z".to_owned(), None, Some(person(0))),
            (
                "2024-05-08T00:00:00.000Z".to_owned(),
                Some(person(0)),
                Some(person(1))
            ),
        ]
    );
}

#[test]
fn gaps_are_found_for_two_weeks_ahead() {
    let mut rota = schedule("UTC", "2024-05-06T00:00:00Z", 1, TurnUnit::Weeks, 2);
    rota.layers[0].until = Some(instant("2024-05-13T00:00:00Z"));
    rota.overrides = vec![Override {
        id: OverrideId::random(&mut Seeded(1)),
        user: person(5),
        span: span("2024-05-14T00:00:00Z", "2024-05-15T00:00:00Z"),
    }];
    assert_eq!(
        rota.gaps_ahead(instant("2024-05-10T00:00:00Z")).unwrap(),
        [
            span("2024-05-13T00:00:00Z", "2024-05-14T00:00:00Z"),
            span("2024-05-15T00:00:00Z", "2024-05-24T00:00:00Z"),
        ]
    );
}

#[test]
fn shifts_are_given_at_their_whole_length() {
    let rota = schedule("UTC", "2024-05-06T00:00:00Z", 1, TurnUnit::Weeks, 2);
    let shifts = rota
        .shifts(span("2024-05-10T00:00:00Z", "2024-05-14T00:00:00Z"))
        .unwrap();
    let spans: Vec<Span> = shifts.iter().map(|shift| shift.span()).collect();
    assert_eq!(
        spans,
        [
            span("2024-05-06T00:00:00Z", "2024-05-13T00:00:00Z"),
            span("2024-05-13T00:00:00Z", "2024-05-20T00:00:00Z"),
        ]
    );
    let now = instant("2024-05-10T00:00:00Z");
    assert_eq!(rota.shifts(Span::new(now, now)), Err(Refused::Empty));
}
