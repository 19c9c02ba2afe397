//! What becomes of a schedule in the second book when it is changed by hand, or when somebody of it leaves. It shares no code with the
//! core, which does the same.

use tocsin_domain::id::{SwapId, UserId};
use tocsin_domain::oncall::{Change, Schedule, Swap, SwapProposal};
use tocsin_domain::time::Timestamp;

use crate::oncall::{running_turn, running_turn_of_shift};

/// So many of each kind are kept; the oldest ones that are over make room.
const OVERRIDES: usize = 500;
const FIXED_SHIFTS: usize = 100;
const EXCHANGES: usize = 100;

/// Something is changed by hand.
pub(super) fn redraw(schedule: &mut Schedule, change: &Change, now: Timestamp) {
    let Schedule {
        overrides,
        temporary,
        swaps,
        proposed,
        ..
    } = schedule;
    match change {
        Change::OverrideAdded { added } => {
            put_last(overrides, *added, OVERRIDES, now, |one| one.span.until);
        }
        Change::OverrideRemoved { id } => overrides.retain(|one| one.id != *id),
        Change::OverrideEnded { id, at } => {
            let ended = overrides.iter_mut().find(|one| one.id == *id);
            if let Some(ended) = ended.filter(|one| *at < one.span.until) {
                ended.span.until = *at;
            }
        }
        Change::TemporaryAdded { added } => {
            let added = added.clone();
            put_last(temporary, added, FIXED_SHIFTS, now, |one| one.span.until);
        }
        Change::TemporaryRemoved { id } => temporary.retain(|one| one.id != *id),
        Change::TemporaryEnded { id, at } => {
            let ended = temporary.iter_mut().find(|one| one.id == *id);
            if let Some(ended) = ended.filter(|one| *at < one.span.until) {
                ended.span.until = *at;
            }
        }
        Change::SwapProposed { proposal } => {
            // An offer that was not taken in time is none any more.
            proposed.retain(|one| begins(&one.swap) > now);
            proposed.push(*proposal);
        }
        Change::SwapAccepted { swap } => {
            if let Some(taken) = take_offer(proposed, *swap) {
                put_last(swaps, taken.swap, EXCHANGES, now, ends);
            }
        }
        Change::SwapDeclined { swap } | Change::SwapWithdrawn { swap } => {
            take_offer(proposed, *swap);
        }
        Change::SwapMade { swap } => put_last(swaps, *swap, EXCHANGES, now, ends),
        Change::SwapUndone { swap } => swaps.retain(|one| one.id != *swap),
    }
}

fn take_offer(proposed: &mut Vec<SwapProposal>, id: SwapId) -> Option<SwapProposal> {
    let place = proposed.iter().position(|one| one.swap.id == id)?;
    Some(proposed.remove(place))
}

fn begins(swap: &Swap) -> Timestamp {
    swap.one.span.from.min(swap.other.span.from)
}

fn ends(swap: &Swap) -> Timestamp {
    swap.one.span.until.max(swap.other.span.until)
}

/// Adds one; what was over first goes as long as there is no room for it.
fn put_last<T>(
    list: &mut Vec<T>,
    added: T,
    most: usize,
    now: Timestamp,
    until: impl Fn(&T) -> Timestamp,
) {
    while list.len() >= most {
        let mut oldest: Option<(usize, Timestamp)> = None;
        for (place, one) in list.iter().enumerate() {
            let ended = until(one);
            if ended <= now && oldest.is_none_or(|(_, before)| ended < before) {
                oldest = Some((place, ended));
            }
        }
        match oldest {
            Some((place, _)) => drop(list.remove(place)),
            None => break,
        }
    }
    list.push(added);
}

/// Somebody leaves: of each layer and each temporary shift, whoever has its turn keeps it, or whoever is next has it, and the others
/// follow as before.
pub(super) fn leave(schedule: &mut Schedule, user: UserId, now: Timestamp) {
    let layers = schedule.layers.iter().map(|layer| {
        let turn = running_turn(schedule, layer, now);
        left_of(&layer.members, turn.ok().flatten(), user)
    });
    let layers: Vec<Vec<UserId>> = layers.collect();
    let shifts = schedule.temporary.iter().map(|fixed| {
        let turn = running_turn_of_shift(schedule, fixed, now);
        left_of(&fixed.members, turn.ok().flatten(), user)
    });
    let shifts: Vec<Vec<UserId>> = shifts.collect();
    for (layer, left) in schedule.layers.iter_mut().zip(layers) {
        layer.members = left;
    }
    for (fixed, left) in schedule.temporary.iter_mut().zip(shifts) {
        fixed.members = left;
    }
    schedule.temporary.retain(|one| !one.members.is_empty());
    schedule.overrides.retain(|one| one.user != user);
    let is_of = |swap: &Swap| swap.one.user == user || swap.other.user == user;
    schedule.swaps.retain(|swap| !is_of(swap));
    schedule.proposed.retain(|offer| !is_of(&offer.swap));
}

/// Members without one of them, in the order in which turns are counted from now on.
fn left_of(members: &[UserId], turn: Option<i64>, user: UserId) -> Vec<UserId> {
    let is_left = |member: &&UserId| **member != user;
    let mut left: Vec<UserId> = members.iter().filter(is_left).copied().collect();
    if left.len() == members.len() {
        return left;
    }
    let had = turn.and_then(|turn| place_of(turn, members.len()));
    let has = turn.and_then(|turn| place_of(turn, left.len()));
    let (Some(had), Some(has)) = (had, has) else {
        return left;
    };
    // Whoever has the turn, or has it next, stands behind as many as are left before them.
    let keeps = members.iter().take(had).filter(is_left).count() % left.len();
    let shift = (keeps + left.len() - has) % left.len();
    left.rotate_left(shift);
    left
}

/// Whose turn it is among so many.
fn place_of(turn: i64, count: usize) -> Option<usize> {
    let count = i64::try_from(count).ok()?;
    usize::try_from(turn.checked_rem_euclid(count)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use tocsin_domain::id::{ScheduleId, TeamId};
    use tocsin_domain::oncall::{Layer, Turn, TurnUnit};

    const START: Timestamp = Timestamp::from_millis(1_723_950_000_000);
    const DAY_MS: u64 = 86_400_000;

    /// Members of a layer, by their number, after one of them left at so many days after it began.
    #[track_caller]
    fn check(members: usize, gone: usize, days: u64, ends_after: Option<u64>, expected: &[usize]) {
        let random = &mut Random::new(5);
        let people: Vec<UserId> = (0..members).map(|_| UserId::random(random)).collect();
        let turn = Turn {
            every: 1,
            unit: TurnUnit::Days,
        };
        let begins = START.plus_ms(10 * DAY_MS);
        let mut layer = Layer::rotation(begins, turn, people.clone());
        layer.until = ends_after.map(|days| begins.plus_ms(days * DAY_MS));
        let mut schedule = Schedule::of_layers(
            ScheduleId::random(random),
            TeamId::random(random),
            "S".to_owned(),
            "UTC".to_owned(),
            vec![layer],
        );
        leave(&mut schedule, people[gone], START.plus_ms(days * DAY_MS));
        let expected: Vec<UserId> = expected.iter().map(|one| people[*one]).collect();
        assert_eq!(schedule.layers[0].members, expected);
    }

    #[test]
    fn whoever_has_the_turn_keeps_it_when_another_one_leaves() {
        check(3, 1, 10, None, &[0, 2]);
        check(3, 0, 11, None, &[2, 1]);
        check(3, 0, 12, None, &[2, 1]);
        check(4, 3, 14, None, &[2, 0, 1]);
    }

    #[test]
    fn whoever_is_next_has_the_turn_when_the_one_who_had_it_leaves() {
        check(3, 0, 10, None, &[1, 2]);
        check(3, 1, 11, None, &[0, 2]);
        check(3, 2, 12, None, &[0, 1]);
        check(1, 0, 10, None, &[]);
    }

    #[test]
    fn a_layer_that_has_not_begun_or_has_ended_is_only_shorter() {
        check(3, 0, 9, None, &[1, 2]);
        check(3, 2, 9, None, &[0, 1]);
        check(4, 0, 13, Some(3), &[1, 2, 3]);
        check(4, 0, 13, Some(4), &[3, 1, 2]);
    }
}
