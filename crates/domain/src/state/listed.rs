//! What long lists of incidents are filtered and ordered by, kept in the order of their numbers and close together: of a hundred
//! thousand incidents most are over, and a list that looked at each would wait for the memory. It decides nothing.

use std::collections::BTreeSet;

use super::State;
use crate::id::{IncidentId, ServiceId, TeamId};
use crate::incident::{Incident, Status};
use crate::monitor::Severity;
use crate::people::Urgency;
use crate::time::Timestamp;

/// An incident in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its number.
    pub number: u64,
    /// Which.
    pub id: IncidentId,
    /// Its service.
    pub service: ServiceId,
    /// Its team.
    pub team: TeamId,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was over, if it is.
    pub resolved_at: Option<Timestamp>,
    /// Where it stands.
    pub status: Status,
    /// How loudly it asks.
    pub urgency: Urgency,
    /// How bad it is.
    pub severity: Severity,
}

impl Listed {
    /// What lists need of an incident.
    #[must_use]
    pub const fn of(incident: &Incident) -> Self {
        Self {
            number: incident.number,
            id: incident.id,
            service: incident.service,
            team: incident.team,
            opened_at: incident.opened_at,
            resolved_at: incident.resolved_at,
            status: incident.status,
            urgency: incident.urgency,
            severity: incident.severity,
        }
    }
}

/// Every incident by its number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// In the order of their numbers, each of which is there once.
    all: Vec<Listed>,
    /// Numbers of those that are not resolved.
    open: BTreeSet<u64>,
}

impl Listing {
    /// All of them, by number.
    #[must_use]
    pub fn all(&self) -> &[Listed] {
        &self.all
    }

    /// Those that are not resolved, by number.
    pub fn open(&self) -> impl DoubleEndedIterator<Item = &Listed> {
        self.open.iter().filter_map(|number| self.get(*number))
    }

    /// Those with a lower number, by number.
    #[must_use]
    pub fn before(&self, number: u64) -> &[Listed] {
        let (Ok(end) | Err(end)) = self.place(number);
        self.all.get(..end).unwrap_or_default()
    }

    /// The one with this number.
    #[must_use]
    pub fn get(&self, number: u64) -> Option<&Listed> {
        self.all.get(self.place(number).ok()?)
    }

    /// Where a number is, or where it belongs.
    fn place(&self, number: u64) -> Result<usize, usize> {
        self.all.binary_search_by_key(&number, |one| one.number)
    }

    fn set(&mut self, listed: Listed) {
        if listed.status == Status::Resolved {
            self.open.remove(&listed.number);
        } else {
            self.open.insert(listed.number);
        }
        match self.place(listed.number) {
            Ok(at) => self.all[at] = listed,
            // The next number is the highest: nothing has to be moved for it.
            Err(at) => self.all.insert(at, listed),
        }
    }
}

impl State {
    /// Puts into the list what an incident is by now.
    pub(super) fn refresh_listed(&mut self, id: IncidentId) {
        if let Some(incident) = self.incidents.get(&id) {
            self.numbers.set(Listed::of(incident));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(number: u64, status: Status) -> Listed {
        let id = |letter: char| format!("QAAAAAAAAAAAA{letter}");
        let (team, service) = (id('A').parse().unwrap(), id('B').parse().unwrap());
        let at = Timestamp::from_millis(0);
        let one = Incident {
            number,
            status,
            ..Incident::fresh(id('C').parse().unwrap(), team, service, Severity::Info, at)
        };
        Listed::of(&one)
    }

    #[test]
    fn incidents_are_found_and_gone_through_by_their_numbers() {
        let mut listing = Listing::default();
        for number in [1, 2, 5, 3] {
            listing.set(listed(number, Status::Triggered));
        }
        listing.set(listed(2, Status::Resolved));
        let numbers = |listed: &[Listed]| listed.iter().map(|one| one.number).collect::<Vec<_>>();
        assert_eq!(numbers(listing.all()), [1, 2, 3, 5]);
        assert_eq!(numbers(listing.before(5)), [1, 2, 3]);
        assert_eq!(numbers(listing.before(4)), [1, 2, 3]);
        assert_eq!(numbers(listing.before(u64::MAX)), [1, 2, 3, 5]);
        let open: Vec<u64> = listing.open().rev().map(|one| one.number).collect();
        assert_eq!(open, [5, 3, 1]);
        assert_eq!(listing.get(2).map(|one| one.status), Some(Status::Resolved));
        assert_eq!(listing.get(4), None);
    }
}
