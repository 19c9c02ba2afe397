//! How long lists of 100 incidents take where there are 100,000: those of PagerDuty's front, the native one, and Alertmanager's alerts.
//! All are asked for where 600 services follow two escalation policies; the one that shows whole policies also where they follow 30.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::calls::incidents;
use super::verdict::{Row, list_row};
use crate::bench::oncall::{millis, percentile};
use crate::failure::{Because, Outcome, fail};
use crate::screen::Step;
use crate::site::line::Line;
use crate::site::{Site, call};

/// Services whose incidents stay open, and those whose incidents are over.
const OPEN_SERVICES: usize = 500;
const PAST_SERVICES: usize = 100;
pub(super) const SERVICES: usize = OPEN_SERVICES + PAST_SERVICES;
/// One of so many incidents stays open: ten of each service that has such, and no storm makes one of them.
const OPEN_EACH: usize = 20;
/// Open incidents with one title, so that a filter finds as many alerts.
const LABELLED: usize = 100;
/// Alerts of one request at most.
const PER_REQUEST: usize = 200;
/// Requests before the measured ones.
const WARM: usize = 10;
/// Requests that a person may send to PagerDuty's front in a minute, with a few to spare.
const PER_MINUTE: usize = 900;

/// Over how many escalation policies the services are spread. A policy that is shown whole names each service that follows it, again
/// in every incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Account {
    /// Two, with half of all services each.
    FewPolicies,
    /// As many as an account has whose teams have one each, with their own services.
    ManyPolicies,
}

impl Account {
    pub(super) const ALL: [Self; 2] = [Self::FewPolicies, Self::ManyPolicies];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::FewPolicies => "lists",
            Self::ManyPolicies => "lists, many policies",
        }
    }

    /// Their number, and that of the people: each is the first of one.
    pub(super) const fn policies(self) -> usize {
        match self {
            Self::FewPolicies => 2,
            Self::ManyPolicies => 30,
        }
    }

    /// Services that follow one policy.
    const fn services_each(self) -> usize {
        SERVICES / self.policies()
    }

    fn lists(self, site: &Site, sizes: Sizes) -> Vec<Asked> {
        match self {
            Self::FewPolicies => lists(site, sizes),
            Self::ManyPolicies => vec![self.with_policies()],
        }
    }

    /// The list that shows the policy of each incident whole.
    fn with_policies(self) -> Asked {
        let what = match self {
            Self::FewPolicies => "PagerDuty, include[] of four, 2 policies of 300 services",
            Self::ManyPolicies => "PagerDuty, include[] of four, 30 policies of 20 services",
        };
        let include = "&include%5B%5D=services&include%5B%5D=users&include%5B%5D=teams&include%5B%5D=escalation_policies";
        Asked {
            policy_services: Some(self.services_each()),
            ..Asked::of_pagerduty(what, include)
        }
    }
}

/// How many.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub(super) incidents: usize,
    pub(super) requests: usize,
}

/// A list that is asked for.
struct Asked {
    what: &'static str,
    path: String,
    /// Where its entries are; none where they are the whole answer.
    field: Option<&'static str>,
    /// Whether it counts against the limit of PagerDuty's front.
    is_limited: bool,
    /// How many services the policy of each entry names; none where it is not shown whole.
    policy_services: Option<usize>,
}

/// Makes the incidents and asks for the lists of this account. Gives the rows of the table.
pub(super) fn measure(
    site: &Site,
    account: Account,
    sizes: Sizes,
    step: &Step,
) -> Outcome<Vec<Row>> {
    let mut line = site.line()?;
    step.now("making incidents");
    fill(site, &mut line, sizes.incidents)?;
    let found = incidents(&mut line)?;
    if found != sizes.incidents {
        fail!(
            "{found} incidents are there in place of {}",
            sizes.incidents
        );
    }
    let (mut rows, mut sent) = (Vec::new(), 1);
    for asked in account.lists(site, sizes) {
        step.now(asked.what);
        let requests = WARM + sizes.requests;
        if asked.is_limited {
            sent += requests;
            if sent > PER_MINUTE {
                thread::sleep(Duration::from_secs(61));
                sent = requests;
            }
        }
        // The one before may have been idle for so long that it was closed.
        let mut line = site.line()?;
        let mut times = Vec::new();
        for place in 0..requests {
            let began = Instant::now();
            let body = asked.get(&mut line)?;
            if place >= WARM {
                times.push(began.elapsed());
            } else {
                asked.is_whole(&body)?;
            }
        }
        let p50_ms = millis(percentile(&mut times, 50));
        let p99_ms = millis(percentile(&mut times, 99));
        rows.push(list_row(asked.what, p50_ms, p99_ms));
    }
    Ok(rows)
}

/// Opens the incidents in one connection, so that one is over before the next of its service begins.
fn fill(site: &Site, line: &mut Line, count: usize) -> Outcome<()> {
    let mut alerts = Vec::new();
    for number in 0..count {
        alerts.extend(told_of(site, number));
        if alerts.len() + 2 > PER_REQUEST || number + 1 == count {
            let list = Value::Array(std::mem::take(&mut alerts));
            let answer = call(line, "POST", "/alerts", &list)?;
            let answers = answer["alerts"].as_array().map_or(&[][..], Vec::as_slice);
            if let Some(refused) = answers.iter().find(|one| one["detail"].is_string()) {
                fail!("an alert was refused: {refused}");
            }
        }
    }
    Ok(())
}

/// Whether an incident stays open.
const fn is_open(number: usize) -> bool {
    number.is_multiple_of(OPEN_EACH)
}

/// The place of its service.
const fn service_of(number: usize) -> usize {
    if is_open(number) {
        number / OPEN_EACH % OPEN_SERVICES
    } else {
        OPEN_SERVICES + number % PAST_SERVICES
    }
}

/// The alert of an incident, and its end where it is over.
fn told_of(site: &Site, number: usize) -> Vec<Value> {
    let service = &site.services[service_of(number)];
    let key = format!("list-{number}");
    // The title is what a filter of Alertmanager's clients finds these by.
    let title = if is_open(number) {
        format!("disks of batch {}", number / OPEN_EACH / LABELLED)
    } else {
        format!("disk {number} of the database is nearly full")
    };
    let begins = json!({"service_id": service, "dedup_key": key, "action": "trigger", "severity": "warning",
        "summary": title, "source": format!("db{number}.example.org"),
        "details": {"used": "97 %", "mount": "/var/lib/db"}});
    let ends = json!({"service_id": service, "dedup_key": key, "action": "resolve"});
    if is_open(number) {
        vec![begins]
    } else {
        vec![begins, ends]
    }
}

fn lists(site: &Site, sizes: Sizes) -> Vec<Asked> {
    let pagerduty = Asked::of_pagerduty;
    let native = |what: &'static str, query: String| Asked {
        what,
        path: format!("/api/tocsin/v1/incidents?limit=100{query}"),
        field: Some("items"),
        is_limited: false,
        policy_services: None,
    };
    // Incidents of this one are over: none of those that stay open has its place.
    let service = &site.services[OPEN_SERVICES + 1];
    let of_service = format!("&service_ids%5B%5D={service}");
    let mut all = vec![
        native("native, first page", String::new()),
        native("native, open ones", "&status=open".to_owned()),
        native(
            "native, by a cursor in the middle",
            format!("&cursor={}", sizes.incidents / 2),
        ),
        pagerduty("PagerDuty, first page", ""),
        pagerduty("PagerDuty, offset 9,900", "&offset=9900"),
        pagerduty("PagerDuty, statuses[]", "&statuses%5B%5D=triggered"),
        pagerduty("PagerDuty, service_ids[]", &of_service),
        pagerduty("PagerDuty, total=true", "&total=true"),
        Account::FewPolicies.with_policies(),
    ];
    all.push(Asked {
        what: "Alertmanager, alerts by a filter",
        path: "/api/v2/alerts?filter=alertname%3D%22disks%20of%20batch%201%22".to_owned(),
        field: None,
        is_limited: false,
        policy_services: None,
    });
    all
}

impl Asked {
    fn of_pagerduty(what: &'static str, query: &str) -> Self {
        Self {
            what,
            path: format!("/incidents?limit=100{query}"),
            field: Some("incidents"),
            is_limited: true,
            policy_services: None,
        }
    }

    fn get(&self, line: &mut Line) -> Outcome<Vec<u8>> {
        let answer = line.ask("GET", &self.path, "");
        let (status, body) = answer.because(format!("asking for {}", self.path))?;
        if status != 200 {
            let said = String::from_utf8_lossy(&body);
            fail!("{} was answered {status}: {said}", self.path);
        }
        Ok(body)
    }

    /// Makes sure that there are 100 entries, since a short list is no list of 100, and that their policies are as large as is told.
    fn is_whole(&self, body: &[u8]) -> Outcome<()> {
        let read: Value = serde_json::from_slice(body).because(format!("reading {}", self.path))?;
        let list = match self.field {
            Some(field) => &read[field],
            None => &read,
        };
        let entries = list.as_array().map_or(&[][..], Vec::as_slice);
        if entries.len() != 100 {
            let found = entries.len();
            fail!("{} has {found} entries in place of 100", self.path);
        }
        let Some(wanted) = self.policy_services else {
            return Ok(());
        };
        let named = |one: &Value| {
            let services = one["escalation_policy"]["services"].as_array();
            services.map_or(0, Vec::len)
        };
        match entries.iter().map(named).find(|found| *found != wanted) {
            Some(found) => fail!("a policy names {found} services in place of {wanted}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_row_with_whole_policies_is_named_for_how_many_there_are_and_how_large() {
        for account in Account::ALL {
            let (policies, each) = (account.policies(), account.services_each());
            assert_eq!(policies * each, SERVICES);
            let named = format!("{policies} policies of {each} services");
            assert!(account.with_policies().what.ends_with(&named), "{named}");
        }
    }

    #[test]
    fn a_policy_of_another_size_is_not_what_the_row_tells() {
        let answer = |services: usize| {
            let policy = json!({"services": vec![json!({}); services]});
            let incidents = vec![json!({"escalation_policy": policy}); 100];
            json!({"incidents": incidents}).to_string()
        };
        let asked = Account::ManyPolicies.with_policies();
        assert!(asked.is_whole(answer(20).as_bytes()).is_ok());
        assert!(asked.is_whole(answer(300).as_bytes()).is_err());
    }

    #[test]
    fn no_service_keeps_so_many_incidents_open_that_a_storm_joins_them() {
        let mut open: BTreeMap<usize, usize> = BTreeMap::new();
        for number in (0..100_000).filter(|number| is_open(*number)) {
            *open.entry(service_of(number)).or_default() += 1;
        }
        assert_eq!(open.len(), OPEN_SERVICES);
        assert!(open.values().all(|count| *count == 10));
        let mut over = (0..100_000).filter(|number| !is_open(*number));
        assert!(over.all(|number| (OPEN_SERVICES..SERVICES).contains(&service_of(number))));
    }
}
