//! A person is taken out of a schedule, and all others keep their turns as far as that is possible. It knows no event.
//!
//! Turns are counted from an anchor that stays, so the members who are left are turned round: whoever has the running turn of a layer
//! keeps it, and those after them follow in the order of before. What is past is drawn with those who are left.

use super::rotation::{Rotation, place_of};
use super::schedule::Schedule;
use crate::id::UserId;
use crate::time::Timestamp;

impl Schedule {
    /// Takes a person out of it at `at`, with whatever was changed by hand for them. Where the running turn is theirs, whoever would have
    /// come next has it from now on.
    pub fn forget(&mut self, user: UserId, at: Timestamp) {
        let known = &*self;
        let layers = (0..known.layers.len()).map(|index| Rotation::of_layer(known, index));
        let layers: Vec<i64> = layers.map(|layer| turn_to_keep(layer, at)).collect();
        let temporary = known.temporary.iter();
        let temporary = temporary.map(|fixed| Rotation::of_temporary(known, fixed));
        let temporary: Vec<i64> = temporary.map(|fixed| turn_to_keep(fixed, at)).collect();

        let of_layers = self.layers.iter_mut().map(|layer| &mut layer.members);
        let of_temporary = self.temporary.iter_mut().map(|fixed| &mut fixed.members);
        let all = of_layers.zip(layers).chain(of_temporary.zip(temporary));
        for (members, turn) in all.filter(|(members, _)| members.contains(&user)) {
            *members = without(members, user, turn);
        }
        self.temporary.retain(|fixed| !fixed.members.is_empty());
        self.swaps
            .retain(|swap| swap.one.user != user && swap.other.user != user);
        self.overrides.retain(|one| one.user != user);
        self.proposed
            .retain(|known| known.swap.one.user != user && known.swap.other.user != user);
    }
}

/// The turn that stays with whoever has it. Of what is over, or never has anybody, that is the first: nobody is turned round.
fn turn_to_keep(rotation: Option<Rotation<'_>>, at: Timestamp) -> i64 {
    let running = rotation.and_then(|rotation| rotation.running_turn(at));
    running.unwrap_or(0)
}

/// `members` without one of them, put so that `turn` stays with whoever has it, or goes to the next one who is left, and all turns after
/// it follow in the same order.
fn without(members: &[UserId], gone: UserId, turn: i64) -> Vec<UserId> {
    let place = place_of(turn, members.len()).unwrap_or(0);
    let (earlier, from_this_turn_on) = members.split_at(place);
    let in_order = from_this_turn_on.iter().chain(earlier).copied();
    let mut left: Vec<UserId> = in_order.filter(|member| *member != gone).collect();
    let place = place_of(turn, left.len()).unwrap_or(0);
    left.rotate_right(place);
    left
}
