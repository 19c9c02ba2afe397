//! Escalations that are due at once: how soon the next level of thousands of incidents is paged. A message counts when it is the page
//! of one of those incidents at the address of whoever is next, and once; any other that comes ends the run.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

use super::flood::{Flood, Goal};
use super::{Row, Sizes};
use crate::failure::{Outcome, fail};
use crate::site::sink::Arrival;
use crate::site::{Site, each_page};

/// After this the last answer of the receiver has been read: a server that stood still over it might page once more.
const SETTLES: Duration = Duration::from_secs(1);
/// How long it stands still: each level has a minute.
const STANDS: Duration = Duration::from_secs(61);

/// Incidents whose first level is over at the same moment: the server stands still meanwhile, as a paused machine would.
pub(super) fn escalations(site: &Site, sizes: Sizes) -> Outcome<Vec<Row>> {
    let flood = Flood {
        name: "due",
        connections: 8,
        per_request: 16,
        alerts: sizes.escalations,
        severities: &["critical"],
        critical: None,
    };
    let mut seen = site.sink.len();
    let flooded = flood.run(Goal::Tocsin(site))?;
    if flooded.took > Duration::from_secs(30) {
        fail!(
            "the alerts took {:?}: their levels are not over at once",
            flooded.took
        );
    }
    let incidents = incidents(site)?;
    if incidents.len() != sizes.escalations {
        fail!(
            "{} incidents are open in place of {}",
            incidents.len(),
            sizes.escalations
        );
    }
    Owed::of(site, &incidents, 0).await_all(site, &mut seen, Duration::from_secs(40))?;
    thread::sleep(SETTLES);
    site.server.pause(true);
    thread::sleep(STANDS);
    if let Some(early) = site.sink.after(seen).first() {
        fail!(
            "a {} came to {} before the first levels were over",
            early.kind,
            early.path
        );
    }
    let began = Instant::now();
    site.server.pause(false);
    let owed = Owed::of(site, &incidents, 1);
    let last = owed.await_all(site, &mut seen, Duration::from_secs(60))?;
    let took = last.saturating_duration_since(began).as_secs_f64();
    Ok(vec![Row {
        what: format!(
            "{} escalations due at once: until the last page was at its receiver, s",
            sizes.escalations
        ),
        figure: format!("{took:.2}"),
        rival: None,
        must: "<= 2",
        reached: took <= 2.0,
    }])
}

/// The open incidents, each with the place of its service.
fn incidents(site: &Site) -> Outcome<Vec<(String, usize)>> {
    let places = site.services.iter().enumerate();
    let places: BTreeMap<&str, usize> = places.map(|(place, id)| (id.as_str(), place)).collect();
    let mut found = Vec::new();
    let mut line = site.line()?;
    each_page(&mut line, "/incidents?status=open&limit=100", |page| {
        found.extend(page.iter().filter_map(|one| {
            let service = places.get(one["service"]["id"].as_str()?)?;
            Some((one["id"].as_str()?.to_owned(), *service))
        }));
        true
    })?;
    Ok(found)
}

/// Pages that must come, each once: about an incident, to an address.
struct Owed(BTreeSet<(String, String)>);

impl Owed {
    /// Those of a level, which counts from 0.
    fn of(site: &Site, incidents: &[(String, usize)], level: usize) -> Self {
        let pages = incidents.iter();
        let pages = pages.map(|(id, service)| (id.clone(), site.path_of(*service, level)));
        Self(pages.collect())
    }

    /// Strikes out what came; anything that is not owed, or not any more, is a failure.
    fn take(&mut self, one: &Arrival) -> Outcome<()> {
        let page = (one.incident.clone(), one.path.clone());
        if one.kind == "page" && self.0.remove(&page) {
            return Ok(());
        }
        fail!(
            "a {} about incident {:?} came to {}, and {} pages that should come had not",
            one.kind,
            one.incident,
            one.path,
            self.0.len()
        )
    }

    /// Waits until all have come, beginning after the first `seen` arrivals; gives back when the last one did. Each arrival is looked
    /// at once: whoever copies thousands of them time and again takes the processors, and the receiver itself, from what is measured.
    fn await_all(mut self, site: &Site, seen: &mut usize, limit: Duration) -> Outcome<Instant> {
        let deadline = Instant::now() + limit;
        let mut last: Option<Instant> = None;
        loop {
            let fresh = site.sink.after(*seen);
            *seen += fresh.len();
            for one in &fresh {
                self.take(one)?;
                last = last.max(Some(one.at));
            }
            if let (true, Some(last)) = (self.0.is_empty(), last) {
                return Ok(last);
            }
            if Instant::now() >= deadline {
                fail!(
                    "{} pages are missing after {} s",
                    self.0.len(),
                    limit.as_secs()
                );
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(kind: &str, incident: &str, path: &str) -> Arrival {
        Arrival {
            at: Instant::now(),
            id: String::new(),
            path: path.to_owned(),
            kind: kind.to_owned(),
            incident: incident.to_owned(),
            title: String::new(),
            code: None,
        }
    }

    fn owed() -> Owed {
        let pages = [("i", "/1"), ("j", "/2")];
        let pages = pages.map(|(incident, path)| (incident.to_owned(), path.to_owned()));
        Owed(BTreeSet::from(pages))
    }

    #[test]
    fn a_page_counts_for_its_incident_at_its_address_and_once() {
        let mut owed = owed();
        owed.take(&arrival("page", "i", "/1")).unwrap();
        owed.take(&arrival("page", "j", "/2")).unwrap();
        assert!(owed.0.is_empty());
        assert!(owed.take(&arrival("page", "j", "/2")).is_err());
    }

    #[test]
    fn another_message_does_not_stand_in_for_a_page() {
        for (kind, incident, path) in [
            ("handoff", "i", "/1"),
            ("page", "i", "/2"),
            ("page", "k", "/1"),
            ("page", "", "/1"),
        ] {
            let mut owed = owed();
            assert!(owed.take(&arrival(kind, incident, path)).is_err());
            assert_eq!(owed.0.len(), 2);
        }
    }
}
