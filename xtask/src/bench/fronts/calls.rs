//! What a front adds to the cost of an alert: native calls and those of the front take turns on one fresh server a round, and the core
//! is given the same to do by both. How each front speaks is not known here.

use serde_json::{Value, json};

use super::form::{Alert, Front, Said};
use super::leg::{Leg, Request, SENDERS, Sender};
use super::verdict::Round;
use crate::failure::{Because, Failure, Outcome, fail};
use crate::site::line::Line;
use crate::site::server::text;
use crate::site::{Site, call, made};

/// Requests of each connection before it is measured, and those that are: together what an integration may send in a minute. It
/// has one connection, so that no more keys are needed than a team has.
const WARM: usize = 10;
const MEASURED: usize = 108;
const CALLS: usize = WARM + MEASURED;
/// Critical incidents of one service that open within minutes before further alerts join them.
const PER_SERVICE: usize = 20;
/// What stands in front of the keys of each leg of a round.
const LEGS: [&str; 3] = ["a", "b", "c"];

/// What is asked of the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// Each alert opens an incident.
    New,
    /// An alert is said again and again.
    Repeated,
}

/// A front beside the native call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Comparison {
    pub(super) front: Front,
    pub(super) work: Work,
}

impl Comparison {
    pub(super) fn name(self) -> String {
        let work = match (self.work, self.front.ends_at_once()) {
            (Work::New, true) => "new alerts and their ends",
            (Work::New, false) => "new alerts",
            (Work::Repeated, _) => "an alert said again",
        };
        format!("{}, {work}", self.front.name())
    }

    /// One round on a server of its own.
    pub(super) fn round(self, site: &Site) -> Outcome<Round> {
        let house = House::furnish(site, self)?;
        let before = self.leg(site, &house, 0, true)?;
        let front = self.leg(site, &house, 1, false)?;
        let after = self.leg(site, &house, 2, true)?;
        Ok(Round {
            native: [before, after],
            front,
        })
    }

    /// Runs one leg, and makes sure that the core was given what it should be.
    fn leg(self, site: &Site, house: &House, place: usize, is_native: bool) -> Outcome<f64> {
        let senders = house.secrets.iter().enumerate().map(|(sender, secret)| {
            let requests = (0..CALLS).map(|call| {
                let at = At {
                    place,
                    sender,
                    call,
                };
                self.request(house, at, secret, is_native)
            });
            let token = if is_native { &site.token } else { secret };
            Sender {
                token: token.clone(),
                requests: requests.collect(),
            }
        });
        let leg = Leg {
            senders: senders.collect(),
            status: if is_native {
                202
            } else {
                self.front.accepted()
            },
            warm: WARM,
        };
        let mut line = site.line()?;
        let before = incidents(&mut line)?;
        let figure = leg.run(site)?;
        let opened = incidents(&mut line)? - before;
        if opened != self.opens() {
            fail!(
                "{}: {opened} incidents were opened in place of {}, so that the calls cannot be compared",
                self.name(),
                self.opens()
            );
        }
        Ok(figure)
    }

    /// Incidents that a leg opens.
    const fn opens(self) -> usize {
        let each = match (self.work, self.front.ends_at_once()) {
            (Work::New, true) => CALLS.div_ceil(2),
            (Work::New, false) => CALLS,
            (Work::Repeated, _) => 1,
        };
        each * SENDERS
    }

    fn request(self, house: &House, at: At, secret: &str, is_native: bool) -> Request {
        let (number, said) = self.alert(at.call);
        let key = format!("{}{:02}-{number:04}", LEGS[at.place], at.sender);
        let alert = Alert {
            key: &key,
            service: &house.services[self.service(at, number)],
            secret,
            said,
        };
        if is_native {
            self.front.native(&alert)
        } else {
            self.front.request(&alert)
        }
    }

    /// Which alert of its connection a call is about, and what it says. A new one is ended before the next begins, where that is at
    /// once: no storm makes one incident of them.
    const fn alert(self, call: usize) -> (usize, Said) {
        match (self.work, self.front.ends_at_once()) {
            (Work::Repeated, _) => (0, Said::Fails),
            (Work::New, false) => (call, Said::Fails),
            (Work::New, true) if call.is_multiple_of(2) => (call / 2, Said::Fails),
            (Work::New, true) => (call / 2, Said::Over),
        }
    }

    /// The place of the service of an alert. One that ends at once has that of its integration; others are spread so that no storm
    /// makes one incident of them.
    const fn service(self, at: At, number: usize) -> usize {
        if self.front.ends_at_once() {
            at.sender
        } else {
            (at.place * SENDERS + at.sender) * CALLS.div_ceil(PER_SERVICE) + number / PER_SERVICE
        }
    }

    const fn services(self) -> usize {
        if self.front.ends_at_once() {
            SENDERS
        } else {
            LEGS.len() * SENDERS * CALLS.div_ceil(PER_SERVICE)
        }
    }
}

/// The place of a call.
#[derive(Clone, Copy)]
struct At {
    place: usize,
    sender: usize,
    call: usize,
}

/// What alerts are raised on.
struct House {
    services: Vec<String>,
    /// The key of an integration for each connection.
    secrets: Vec<String>,
}

impl House {
    fn furnish(site: &Site, comparison: Comparison) -> Outcome<Self> {
        let mut line = site.line()?;
        let mut services = Vec::new();
        for number in 0..comparison.services() {
            services.push(quiet_service(&mut line, number)?);
        }
        let mut secrets = Vec::new();
        for service in services.iter().take(SENDERS) {
            let path = format!("/services/{service}/integrations");
            let integration = comparison.front.integration();
            let answer = call(&mut line, "POST", &path, &integration)?;
            secrets.push(text(&answer, "routing_key")?);
        }
        Ok(Self { services, secrets })
    }
}

/// A service whose alerts page nobody, however bad they are: that would be measured, too.
fn quiet_service(line: &mut Line, number: usize) -> Outcome<String> {
    let service = made(
        line,
        "/services",
        &json!({"name": format!("Bench {number}")}),
    )?;
    let intake = json!({"urgency": {"by": "low"}, "grouping": {"by": "nothing"}, "resolve_after_minutes": null});
    call(line, "PUT", &format!("/services/{service}/intake"), &intake)?;
    Ok(service)
}

/// How many incidents there are.
pub(super) fn incidents(line: &mut Line) -> Outcome<usize> {
    let path = "/pagerduty/incidents?limit=1&total=true";
    let (status, body) = line
        .ask("GET", path, "")
        .because("asking for the number of incidents")?;
    let read = serde_json::from_slice::<Value>(&body).ok();
    let total = read.and_then(|read| usize::try_from(read["total"].as_u64()?).ok());
    total.ok_or_else(|| {
        let said = String::from_utf8_lossy(&body);
        Failure::new(format!(
            "the number of incidents was answered {status}: {said}"
        ))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn all() -> impl Iterator<Item = Comparison> {
        Front::ALL
            .into_iter()
            .flat_map(|front| [Work::New, Work::Repeated].map(|work| Comparison { front, work }))
    }

    #[test]
    fn no_service_gets_so_many_new_alerts_that_are_not_ended_that_a_storm_joins_them() {
        for comparison in all() {
            let mut open: BTreeMap<usize, Vec<(usize, usize, usize)>> = BTreeMap::new();
            for place in 0..LEGS.len() {
                for sender in 0..SENDERS {
                    for call in 0..CALLS {
                        let at = At {
                            place,
                            sender,
                            call,
                        };
                        let (number, said) = comparison.alert(call);
                        let open = open.entry(comparison.service(at, number)).or_default();
                        let alert = (place, sender, number);
                        match said {
                            Said::Fails if !open.contains(&alert) => open.push(alert),
                            Said::Fails => {}
                            Said::Over => open.retain(|other| *other != alert),
                        }
                        assert!(open.len() <= PER_SERVICE, "{}", comparison.name());
                    }
                }
            }
            assert!(open.len() <= comparison.services());
        }
    }

    #[test]
    fn every_leg_of_new_alerts_ends_what_it_begins() {
        let ends = |front| {
            let comparison = Comparison {
                front,
                work: Work::New,
            };
            (0..CALLS).map(move |call| comparison.alert(call))
        };
        let said = |wanted: Said| {
            ends(Front::EventsV2)
                .filter(|(_, said)| *said == wanted)
                .count()
        };
        assert_eq!(said(Said::Fails), said(Said::Over));
        assert!(ends(Front::Alertmanager).all(|(_, said)| said == Said::Fails));
    }
}
