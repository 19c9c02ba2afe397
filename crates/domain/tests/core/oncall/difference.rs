//! What a change makes of who is on call, against a comparison minute by minute; and gaps as they are told.

use proptest::prelude::*;
use tocsin_domain::id::UserId;
use tocsin_domain::oncall::{Difference, Entry, Schedule, Span, TurnUnit, differences};

use super::properties::any_schedule;
use super::reference::at_minute;
use super::{instant, person, schedule};

const DAYS: u32 = 4;

/// The users of two renderings, minute by minute, compared.
fn by_the_minute(before: &[Entry], after: &[Entry], first: i64, minutes: i64) -> Vec<Difference> {
    let user = |entries: &[Entry], minute: i64| -> Option<UserId> {
        let at = at_minute(minute);
        entries
            .iter()
            .find(|entry| entry.span().contains(at))?
            .user()
    };
    let mut found: Vec<Difference> = Vec::new();
    for minute in first..first + minutes {
        let (before, after) = (user(before, minute), user(after, minute));
        let span = Span::new(at_minute(minute), at_minute(minute + 1));
        if before == after {
            continue;
        }
        match found.last_mut() {
            Some(last)
                if last.span.until == span.from && (last.before, last.after) == (before, after) =>
            {
                last.span.until = span.until;
            }
            _ => found.push(Difference {
                span,
                before,
                after,
            }),
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn differences_equal_a_comparison_by_the_minute((one, odd) in any_schedule(), (other, _) in any_schedule()) {
        let range = Span::of_days(at_minute(odd), DAYS);
        let (before, after) = (one.render(range).unwrap(), other.render(range).unwrap());
        let expected = by_the_minute(&before, &after, odd, i64::from(DAYS) * 1_440);
        prop_assert_eq!(differences(&before, &after), expected);
        prop_assert_eq!(differences(&before, &before), Vec::new());
    }

    #[test]
    fn gaps_told_by_the_week_are_the_gaps((rota, odd) in any_schedule()) {
        let range = Span::of_days(at_minute(odd), DAYS);
        let told = rota.civil_gaps(range).into_iter().map(|gap| gap.span);
        prop_assert_eq!(told.collect::<Vec<_>>(), rota.gaps(range).unwrap());
    }
}

#[test]
fn a_person_put_in_anothers_place_is_the_only_difference() {
    let stored = schedule("UTC", "2024-05-06T00:00:00Z", 1, TurnUnit::Days, 2);
    let mut draft: Schedule = stored.clone();
    draft.layers[0].members[1] = person(2);
    let range = Span::of_days(instant("2024-05-06T00:00:00Z"), 3);
    let found = differences(
        &stored.render(range).unwrap(),
        &draft.render(range).unwrap(),
    );
    let expected = Difference {
        span: Span::of_days(instant("2024-05-07T00:00:00Z"), 1),
        before: Some(person(1)),
        after: Some(person(2)),
    };
    assert_eq!(found, [expected]);
}
