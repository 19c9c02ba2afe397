//! What PagerDuty's front adds to reading an incident and to taking it, beside the native calls on the same server.

use std::thread;

use serde_json::json;

use super::leg::{Leg, Request, SENDERS, Sender};
use super::verdict::Round;
use crate::failure::{Failure, Outcome};
use crate::site::{Site, made};

/// Requests of each connection before it is measured, and those that are. A person may send 960 to PagerDuty's front in a minute,
/// whatever token they use.
const WARM: usize = 5;
const MEASURED: usize = 50;
const CALLS: usize = WARM + MEASURED;
/// Legs of a round.
const LEGS: usize = 3;

/// What is done with incidents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// One is read, again and again.
    Read,
    /// Each is taken once.
    Take,
}

impl Deed {
    pub(super) const ALL: [Self; 2] = [Self::Read, Self::Take];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Read => "PagerDuty REST, an incident read",
            Self::Take => "PagerDuty REST, an incident acknowledged",
        }
    }

    /// One round on a server of its own.
    pub(super) fn round(self, site: &Site) -> Outcome<Round> {
        let known = declare_all(site, LEGS * self.needs())?;
        let before = self.leg(site, &known, 0, true).run(site)?;
        let front = self.leg(site, &known, 1, false).run(site)?;
        let after = self.leg(site, &known, 2, true).run(site)?;
        Ok(Round {
            native: [before, after],
            front,
        })
    }

    /// Incidents that a connection needs for a leg.
    const fn needs(self) -> usize {
        match self {
            Self::Read => 1,
            Self::Take => CALLS,
        }
    }

    fn leg(self, site: &Site, known: &[Vec<String>], place: usize, is_native: bool) -> Leg {
        let senders = known.iter().map(|known| {
            let first = place * self.needs();
            let requests = (0..CALLS).map(|call| {
                let id = &known[first + call % self.needs()];
                self.request(id, is_native)
            });
            Sender {
                token: site.token.clone(),
                requests: requests.collect(),
            }
        });
        Leg {
            senders: senders.collect(),
            status: 200,
            warm: WARM,
        }
    }

    fn request(self, id: &str, is_native: bool) -> Request {
        let (method, path, body) = match (self, is_native) {
            (Self::Read, true) => (
                "GET",
                format!("/api/tocsin/v1/incidents/{id}"),
                String::new(),
            ),
            (Self::Read, false) => ("GET", format!("/incidents/{id}"), String::new()),
            (Self::Take, true) => (
                "POST",
                format!("/api/tocsin/v1/incidents/{id}/acknowledge"),
                "{}".to_owned(),
            ),
            (Self::Take, false) => {
                let body =
                    json!({"incident": {"type": "incident_reference", "status": "acknowledged"}});
                ("PUT", format!("/incidents/{id}"), body.to_string())
            }
        };
        Request { method, path, body }
    }
}

/// Opens so many incidents for each connection, which page nobody.
fn declare_all(site: &Site, each: usize) -> Outcome<Vec<Vec<String>>> {
    let outcomes: Vec<_> = thread::scope(|scope| {
        let started = (0..SENDERS).map(|_| scope.spawn(move || declare(site, each)));
        let started: Vec<_> = started.collect();
        started
            .into_iter()
            .map(thread::ScopedJoinHandle::join)
            .collect()
    });
    let mut known = Vec::new();
    for outcome in outcomes {
        known.push(outcome.map_err(|_| Failure::new("a sender panicked"))??);
    }
    Ok(known)
}

fn declare(site: &Site, count: usize) -> Outcome<Vec<String>> {
    let mut line = site.line()?;
    let incident = json!({"title": "The database is slow", "urgency": "low"});
    let all = (0..count).map(|_| made(&mut line, "/incidents", &incident));
    all.collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_incident_is_taken_twice() {
        let known: Vec<String> = (0..LEGS * CALLS).map(|id| id.to_string()).collect();
        let mut seen = BTreeSet::new();
        for place in 0..LEGS {
            let first = place * Deed::Take.needs();
            for call in 0..CALLS {
                assert!(seen.insert(&known[first + call % Deed::Take.needs()]));
            }
        }
        assert_eq!(seen.len(), known.len());
    }

    #[test]
    fn a_person_sends_no_more_than_the_front_takes_of_them() {
        const { assert!(SENDERS * CALLS <= 960) };
    }
}
