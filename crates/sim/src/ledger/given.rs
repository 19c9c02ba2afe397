//! Incidents that were given to people by name, in the second book: who has to be paged for them, how often, and for how long.

use std::collections::BTreeSet;

use tocsin_domain::id::{IncidentId, UserId};
use tocsin_domain::time::Timestamp;

use super::level::Place;
use super::{Ledger, LetterState};
use crate::check::Check;

/// Whom an incident was given to has this long for an acknowledgement.
const GIVEN_FOR_MS: u64 = 300_000;
/// And is paged so often again.
const GIVEN_AGAIN: u32 = 2;

impl Ledger {
    /// The people an incident was given to by name who are still there. None where it was not, or where none of them is: then its
    /// policy counts, as for one that was never given away.
    pub(super) fn given_people(&self, id: IncidentId) -> Option<BTreeSet<UserId>> {
        let named = self.cases.get(&id)?.given_to.iter().copied();
        let there: BTreeSet<UserId> = named
            .filter(|user| self.people.contains_key(user))
            .collect();
        (!there.is_empty()).then_some(there)
    }

    /// Whether it was given to people of whom nobody is left.
    pub(super) fn is_left_by_all(&self, id: IncidentId) -> bool {
        let case = self.cases.get(&id);
        case.is_some_and(|case| !case.given_to.is_empty()) && self.given_people(id).is_none()
    }

    /// What is wrong with a page of the people an incident was given to: each of them who can be reached is paged, at first and twice
    /// again, before the list of last resort is.
    pub(super) fn given_faults(
        &self,
        id: IncidentId,
        (level, round): Place,
        (named, recipients): (BTreeSet<UserId>, &[UserId]),
        next_at: Timestamp,
        at: Timestamp,
    ) -> Vec<(Check, String)> {
        let mut found = Vec::new();
        let chosen: BTreeSet<UserId> = recipients.iter().copied().collect();
        let wanted = self.reachable(named.into_iter());
        if chosen != wanted {
            let what = format!("{chosen:?} were chosen, it was given to {wanted:?}");
            found.push((Check::RightLevel, what));
        }
        if next_at != at.plus_ms(GIVEN_FOR_MS) {
            let what = format!("whom it was given to are asked again at {next_at}");
            found.push((Check::NothingForgotten, what));
        }
        let may_be = match self.place_of(id) {
            None => round == 0,
            Some(_) if self.is_exhausted(id) => false,
            Some((_, before)) => (before..=before + 1).contains(&round) && round <= GIVEN_AGAIN,
        };
        if level != 0 || !may_be {
            let before = self.place_of(id);
            let what = format!("whom it was given to come after {before:?}");
            found.push((Check::RightLevel, what));
        }
        found
    }

    /// Whether it is the turn of the list of last resort for what was given to these people.
    pub(super) fn is_through_with(&self, id: IncidentId, named: BTreeSet<UserId>) -> bool {
        let was_last = self
            .place_of(id)
            .is_some_and(|(_, round)| round >= GIVEN_AGAIN);
        was_last || self.is_exhausted(id) || self.reachable(named.into_iter()).is_empty()
    }

    /// Whether a page to somebody is under way for an incident.
    pub(crate) fn is_being_sent(&self, id: IncidentId) -> bool {
        let active = self.cases.get(&id).map(|case| &case.active);
        let pages = active.into_iter().flatten();
        let mut pages = pages.filter_map(|page| self.letters.get(page));
        pages.any(|page| matches!(page.state, LetterState::Sending(_)))
    }
}
