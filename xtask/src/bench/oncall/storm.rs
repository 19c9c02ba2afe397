//! A storm with one critical alert in it: how soon that one pages, how soon each page is attempted, and how many messages one person
//! gets.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::flood::{Critical, Flood, Goal};
use super::pages::{Delays, Pages};
use super::{Row, Sizes, percentile};
use crate::clock::{self, Millis};
use crate::failure::{Failure, Outcome, fail};
use crate::site::sink::Arrival;
use crate::site::{Site, call, each_page};

/// What a level has for an answer, as in the first policy of every installation.
pub(super) const LEVEL_MINUTES: u32 = 5;
/// Their number and that of the services have no divisor in common, so that every service gets each: errors page, the others wake
/// nobody.
const SEVERITIES: [&str; 7] = [
    "info", "warning", "error", "info", "warning", "error", "warning",
];
/// How long the page of the critical alert may take until the run is given up.
const CRITICAL_LIMIT: Duration = Duration::from_secs(60);
/// How the address ends at which a person hears of what wakes nobody: digests are counted with their pages, and are none.
pub(super) const QUIET: &str = "-quiet";

/// All that came to the receiver, and when that was looked at, by both clocks.
struct Received {
    arrivals: Vec<Arrival>,
    at: (Instant, Millis),
}

pub(super) fn storm(site: &Site, sizes: Sizes) -> Outcome<Vec<Row>> {
    prepare(site)?;
    // Any place does; this one moves from run to run.
    let place = usize::try_from(clock::now()).unwrap_or_default() % sizes.alerts;
    let flood = Flood {
        name: "storm",
        connections: 8,
        per_request: 16,
        alerts: sizes.alerts,
        severities: &SEVERITIES,
        critical: Some(place),
    };
    let seen = site.sink.len();
    let flooded = flood.run(Goal::Tocsin(site))?;
    let over = Instant::now();
    let Some(critical) = &flooded.critical else {
        fail!("the critical alert was not sent")
    };
    let critical = page_of_critical(site, seen, critical)?;
    thread::sleep(sizes.storm_wait.saturating_sub(over.elapsed()));
    let received = Received {
        arrivals: site.sink.after(seen),
        at: (Instant::now(), clock::now()),
    };
    let delays = pages(site)?.delays(&received.first_pages(), received.at.1);
    if delays.times.is_empty() {
        fail!("no incident of the storm is to page anybody");
    }
    let alerts = sizes.alerts;
    Ok(vec![
        row_of_critical(alerts, flooded.took, critical),
        row_of_pages(delays),
        row_of_messages(received.most_to_one(), sizes.storm_wait),
    ])
}

/// Gives everybody a second address for what wakes nobody, and the list of last resort somebody who can be reached there.
fn prepare(site: &Site) -> Outcome<()> {
    let mut line = site.line()?;
    for (number, person) in site.people.iter().enumerate() {
        let path = format!("/users/{person}");
        let known = call(&mut line, "GET", &path, &Value::Null)?;
        let loud = &known["notification_rules"][0]["contact_method_id"];
        let quiet = site.add_webhook(&mut line, person, &format!("/{number}{QUIET}"))?;
        let rules = json!([
            {"urgency": "high", "delay_minutes": 0, "contact_method_id": loud},
            {"urgency": "low", "delay_minutes": 0, "contact_method_id": quiet},
        ]);
        call(
            &mut line,
            "PUT",
            &format!("{path}/notification-rules"),
            &rules,
        )?;
    }
    let last = site.add_person(&mut line, "last", &["/last"])?;
    let fallback = json!({"users": [last]});
    call(&mut line, "PUT", "/fallback", &fallback)?;
    Ok(())
}

/// From the moment the critical alert was sent until its page arrived.
fn page_of_critical(site: &Site, seen: usize, critical: &Critical) -> Outcome<Duration> {
    let page = site
        .sink
        .wait(seen, CRITICAL_LIMIT, |one| critical.is_paged_by(one));
    let page =
        page.ok_or_else(|| Failure::new("the critical alert paged nobody within a minute"))?;
    Ok(page.at.saturating_duration_since(critical.sent))
}

/// The pages of all incidents that are to page.
fn pages(site: &Site) -> Outcome<Pages> {
    // An older connection may have been idle for so long that it was closed.
    let mut line = site.line()?;
    let mut urgent = Vec::new();
    each_page(&mut line, "/incidents?status=open&limit=100", |page| {
        let high = page.iter().filter(|one| one["urgency"] == "high");
        urgent.extend(high.filter_map(|one| one["id"].as_str().map(str::to_owned)));
        true
    })?;
    let mut pages = Pages::of_levels(Millis::from(LEVEL_MINUTES) * 60_000);
    for incident in urgent {
        let path = format!("/incidents/{incident}/timeline?limit=200");
        let mut timeline = Vec::new();
        each_page(&mut line, &path, |page| {
            timeline.extend_from_slice(page);
            true
        })?;
        pages.read(&incident, &timeline)?;
    }
    Ok(pages)
}

impl Received {
    /// When the first page about an incident came to an address.
    fn first_pages(&self) -> BTreeMap<(&str, &str), Millis> {
        let (looked, now) = self.at;
        let mut first = BTreeMap::new();
        for one in self.arrivals.iter().filter(|one| one.kind == "page") {
            let before_ms = looked.saturating_duration_since(one.at).as_millis();
            let at = now - Millis::try_from(before_ms).unwrap_or(Millis::MAX);
            first
                .entry((one.incident.as_str(), one.path.as_str()))
                .or_insert(at);
        }
        first
    }

    /// The most messages of any kind that one person got.
    fn most_to_one(&self) -> usize {
        let mut count: BTreeMap<&str, usize> = BTreeMap::new();
        for one in &self.arrivals {
            let person = one.path.strip_suffix(QUIET).unwrap_or(&one.path);
            *count.entry(person).or_default() += 1;
        }
        count.into_values().max().unwrap_or(0)
    }
}

fn row_of_critical(alerts: usize, took: Duration, after: Duration) -> Row {
    let after_s = after.as_secs_f64();
    Row {
        what: format!(
            "storm of {alerts} alerts in {:.1} s: the critical one, sent -> page at its receiver, s",
            took.as_secs_f64()
        ),
        figure: format!("{after_s:.2}"),
        rival: None,
        must: "<= 10",
        reached: after_s <= 10.0,
    }
}

fn row_of_pages(mut delays: Delays) -> Row {
    let p99_s = percentile(&mut delays.times, 99).as_secs_f64();
    let never = match delays.never {
        0 => String::new(),
        never => format!(", {never} never"),
    };
    Row {
        what: format!(
            "storm: accepted -> page attempted, p99 of {} pages, s",
            delays.times.len()
        ),
        figure: format!("{p99_s:.2}{never}"),
        rival: None,
        must: "<= 5",
        reached: p99_s <= 5.0 && delays.never == 0,
    }
}

fn row_of_messages(most: usize, within: Duration) -> Row {
    Row {
        what: format!(
            "storm: most messages to one person in it and {} minutes after",
            within.as_secs() / 60
        ),
        figure: most.to_string(),
        rival: None,
        must: "<= 20",
        reached: most <= 20,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn arrival(path: &str, kind: &str, at: Instant) -> Arrival {
        Arrival {
            at,
            id: String::new(),
            path: path.to_owned(),
            kind: kind.to_owned(),
            incident: "i".to_owned(),
            title: String::new(),
            code: None,
        }
    }

    #[test]
    fn every_service_gets_alerts_of_each_severity() {
        for services in [300, 30] {
            let places = 0..services * SEVERITIES.len();
            let met: BTreeSet<(usize, usize)> = places
                .map(|place| (place % services, place % SEVERITIES.len()))
                .collect();
            assert_eq!(met.len(), services * SEVERITIES.len());
        }
    }

    #[test]
    fn whatever_comes_to_a_person_counts_and_the_first_page_tells_when_it_was_attempted() {
        let began = Instant::now();
        let after = |ms: u64| began + Duration::from_millis(ms);
        let received = Received {
            arrivals: vec![
                arrival("/3", "handoff", after(5)),
                arrival("/3", "page", after(10)),
                arrival("/3", "page", after(400)),
                arrival("/3-quiet", "page", after(900)),
                arrival("/4", "page", after(20)),
            ],
            at: (after(1_000), 51_000),
        };
        assert_eq!(received.most_to_one(), 4);
        let expected = BTreeMap::from([
            (("i", "/3"), 50_010),
            (("i", "/3-quiet"), 50_900),
            (("i", "/4"), 50_020),
        ]);
        assert_eq!(received.first_pages(), expected);
    }

    #[test]
    fn a_page_that_never_went_spoils_the_row_however_soon_the_others_did() {
        let delays = |never| Delays {
            times: vec![Duration::from_millis(20); 200],
            never,
        };
        assert!(row_of_pages(delays(0)).reached);
        let spoilt = row_of_pages(delays(1));
        assert_eq!(spoilt.figure, "0.02, 1 never");
        assert!(!spoilt.reached);
        let slow = Delays {
            times: vec![Duration::from_millis(5_010); 3],
            never: 0,
        };
        assert!(!row_of_pages(slow).reached);
    }
}
