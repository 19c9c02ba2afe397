//! Who said that they take an incident, in the second book: it goes from whoever is removed to the first of the others who is
//! there and can be told.

use tocsin_domain::id::{IncidentId, UserId};
use tocsin_domain::time::Timestamp;

use super::{Case, Ledger, Person, Standing};
use crate::check::Check;

impl Ledger {
    /// Whose an incident is to be, if whoever has it was removed and others said that they take it.
    fn heir(&self, case: &Case) -> Option<UserId> {
        let gone = case.taker.filter(|user| !self.people.contains_key(user))?;
        let mut signed = case.signed.iter().copied();
        let can_be_told = |user: &UserId| self.people.get(user).is_some_and(Person::can_be_told);
        signed.find(|user| *user != gone && can_be_told(user))
    }

    /// An incident goes from one person to another: that one's turn it is.
    pub(super) fn check_passed_on(
        &mut self,
        id: IncidentId,
        (from, to): (UserId, UserId),
        at: Timestamp,
    ) {
        let Some(case) = self.cases.get(&id) else {
            return;
        };
        let heir = self.heir(case);
        let is_theirs = case.standing == Standing::Taken && case.taker == Some(from);
        if !is_theirs || heir != Some(to) {
            let what = format!(
                "incident {} of {:?} went from {from} to {to}, and is to go to {heir:?}",
                case.number, case.taker
            );
            self.find(Check::RightPerson, at, what);
        }
    }

    /// An incident is nobody's any more: nobody else who is there said that they take it, where whoever had it was removed.
    pub(super) fn check_nobody_signed(&mut self, id: IncidentId, at: Timestamp) {
        let case = self.cases.get(&id);
        let Some((case, heir)) = case.and_then(|case| Some((case, self.heir(case)?))) else {
            return;
        };
        let what = format!(
            "incident {} of {:?}, who was removed, is nobody's, and is to go to {heir}",
            case.number, case.taker
        );
        self.find(Check::RightPerson, at, what);
    }
}

impl Case {
    /// Somebody says that they take it; where that was a foreign system, nobody does.
    pub(super) fn sign(&mut self, user: Option<UserId>) {
        if let Some(user) = user.filter(|user| !self.signed.contains(user)) {
            self.signed.push(user);
        }
    }

    /// Somebody who was asked to help comes, or does not.
    pub(super) fn answer(&mut self, user: UserId, comes: bool) {
        self.helpers.insert(user, true);
        if !comes {
            self.strike(user);
        }
    }

    /// Somebody does not come to help; what they have stays theirs.
    fn strike(&mut self, user: UserId) {
        if self.taker != Some(user) {
            self.signed.retain(|one| *one != user);
        }
    }
}
