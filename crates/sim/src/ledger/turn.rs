//! Levels that page one of their targets in turn, in the second book: whose turn it is, and whose it is next.

use std::collections::BTreeSet;

use tocsin_domain::id::{IncidentId, PolicyId, ServiceId, UserId};
use tocsin_domain::page::{Policy, Recipient};
use tocsin_domain::time::Timestamp;

use super::Ledger;
use super::level::Place;

/// The place of one of a level's targets, and what all of them were then: of others, it says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    place: usize,
    targets: Vec<Recipient>,
}

impl Turn {
    fn next(&self) -> Self {
        Self {
            place: self.place + 1,
            targets: self.targets.clone(),
        }
    }

    /// A turn of which nobody can tell whose it is.
    const fn unknown() -> Self {
        Self {
            place: 0,
            targets: Vec::new(),
        }
    }
}

impl Ledger {
    /// What is wrong with who was chosen of a level that pages one in turn: whoever's turn it is, or, where nobody can be reached by
    /// that target, the next one after it by whom somebody can.
    pub(super) fn turn_fault(
        &self,
        id: IncidentId,
        policy: &Policy,
        place: Place,
        (turn, chosen): (Option<usize>, &BTreeSet<UserId>),
        at: Timestamp,
    ) -> Option<String> {
        let targets = &policy.levels.get(place.0)?.targets;
        let Some(first) = self.first_in_turn(id, policy, place) else {
            let named = turn.and_then(|turn| targets.get(turn));
            let named = named.map(|target| self.named_by(id, *target, at).ok());
            let may_be = named.is_some_and(|named| named.is_none_or(|named| named == *chosen));
            let what = || format!("{chosen:?} were chosen, which are not target {turn:?}");
            return (!may_be).then(what);
        };
        for step in 0..targets.len() {
            let index = (first + step) % targets.len();
            let named = self.named_by(id, *targets.get(index)?, at).ok()?;
            if named.is_empty() {
                continue;
            }
            let is_right = turn == Some(index) && named == *chosen;
            let what = || {
                format!(
                    "{chosen:?} were chosen, target {turn:?}: it is the turn of {index}, {named:?}"
                )
            };
            return (!is_right).then(what);
        }
        None
    }

    /// From which target on somebody is looked for; none where the targets were others when that was known.
    fn first_in_turn(&self, id: IncidentId, policy: &Policy, place: Place) -> Option<usize> {
        let targets = &policy.levels.get(place.0)?.targets;
        let again = self.same_turn(id, policy.id, place);
        let known = again.or_else(|| self.turns.get(&(policy.id, place.0)));
        match known {
            None => Some(0),
            Some(turn) => (turn.targets == *targets).then_some(turn.place),
        }
    }

    /// Whose turn it was, where an incident comes to the level where it is in the same round again.
    fn same_turn(&self, id: IncidentId, policy: PolicyId, place: Place) -> Option<&Turn> {
        let case = self.cases.get(&id)?;
        let is_same = case.walked == Some(policy) && self.place_of(id) == Some(place);
        case.turn.as_ref().filter(|_| is_same)
    }

    /// A level is reached: the turn passes on, unless the same one is paged again.
    pub(super) fn take_turn(
        &mut self,
        id: IncidentId,
        policy: Option<PolicyId>,
        place: Place,
        turn: Option<usize>,
    ) {
        let known = policy.and_then(|policy| self.policies.get(&policy));
        let level = known.and_then(|known| known.levels.get(place.0));
        let taken = turn.zip(level).map(|(turn, level)| Turn {
            place: turn,
            targets: level.targets.clone(),
        });
        if let (Some(policy), Some(taken)) = (policy, &taken) {
            let next = match self.same_turn(id, policy, place) {
                None => Some(taken.next()),
                Some(before) if before == taken => None,
                // Whether that was their turn, who stand in for somebody, is not said.
                Some(_) => Some(Turn::unknown()),
            };
            if let Some(next) = next {
                self.turns.insert((policy, place.0), next);
            }
        }
        self.change(id, |case| case.turn = taken);
    }

    /// Whether an incident comes to a level in turn again, of which others had their turn since.
    pub(crate) fn repeats_turn(&self, id: IncidentId, policy: PolicyId, place: Place) -> bool {
        let next = self.turns.get(&(policy, place.0));
        let before = self.same_turn(id, policy, place);
        before.zip(next).is_some_and(|(before, next)| {
            before.targets == next.targets && before.next().place != next.place
        })
    }

    /// The service of an incident for which one was paged in turn last.
    pub(crate) fn paged_in_turn(&self, id: IncidentId) -> Option<ServiceId> {
        let case = self.cases.get(&id)?;
        case.turn.as_ref().map(|_| case.service)
    }
}
