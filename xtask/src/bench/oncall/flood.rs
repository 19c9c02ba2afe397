//! Many alerts at once over a few connections; what comes of them is measured elsewhere.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::failure::{Because, Failure, Outcome, fail};
use crate::site::Site;
use crate::site::line::Line;
use crate::site::sink::Arrival;

/// Services of a rival, which takes any label for one.
const SERVICES: usize = 300;

/// Whom alerts are sent to.
#[derive(Clone, Copy)]
pub(crate) enum Goal<'a> {
    Tocsin(&'a Site),
    Alertmanager(SocketAddr),
}

impl Goal<'_> {
    fn line(self) -> Outcome<Line> {
        match self {
            Self::Tocsin(site) => site.line(),
            Self::Alertmanager(address) => {
                Line::open(address, "none").because("connecting to Alertmanager")
            }
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Tocsin(_) => "/api/tocsin/v1/alerts",
            Self::Alertmanager(_) => "/api/v2/alerts",
        }
    }

    /// The status of what was accepted.
    const fn accepted(self) -> u16 {
        match self {
            Self::Tocsin(_) => 202,
            Self::Alertmanager(_) => 200,
        }
    }
}

/// How alerts are sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flood<'a> {
    /// Stands in front of each key, so that each flood has keys of its own.
    pub(crate) name: &'a str,
    pub(crate) connections: usize,
    pub(crate) per_request: usize,
    pub(crate) alerts: usize,
    pub(crate) severities: &'a [&'a str],
    /// The place of one critical alert.
    pub(crate) critical: Option<usize>,
}

/// How it went.
#[derive(Clone, Debug)]
pub(crate) struct Flooded {
    pub(crate) took: Duration,
    pub(crate) critical: Option<Critical>,
}

/// The one critical alert.
#[derive(Clone, Debug)]
pub(crate) struct Critical {
    pub(crate) sent: Instant,
    title: String,
    /// The incident that the answer to it named.
    incident: String,
}

impl Critical {
    /// Whether this pages for it. Another alert of its incident would page under a title of its own.
    pub(crate) fn is_paged_by(&self, one: &Arrival) -> bool {
        one.is_page_of(&self.incident) && one.tells(&self.title)
    }
}

impl Flood<'_> {
    /// Sends them all and waits until each is accepted.
    pub(crate) fn run(self, goal: Goal<'_>) -> Outcome<Flooded> {
        let next = AtomicUsize::new(0);
        let lines = (0..self.connections).map(|_| goal.line());
        let lines = lines.collect::<Outcome<Vec<_>>>()?;
        let began = Instant::now();
        let work = |mut line: Line| -> Outcome<Option<Critical>> {
            let mut critical = None;
            loop {
                let first = next.fetch_add(self.per_request, Ordering::Relaxed);
                if first >= self.alerts {
                    return Ok(critical);
                }
                let last = (first + self.per_request).min(self.alerts);
                let body = self.body(goal, first..last);
                let sent = Instant::now();
                let answer = line.ask("POST", goal.path(), &body);
                let (status, text) = answer.because("sending alerts")?;
                if status != goal.accepted() {
                    fail!(
                        "alerts were answered {status}: {}",
                        String::from_utf8_lossy(&text)
                    );
                }
                let own = self.critical.filter(|place| (first..last).contains(place));
                if let Some(place) = own {
                    critical = Some(Critical {
                        sent,
                        title: title_of(place),
                        incident: self.incident_in(&text, place - first)?,
                    });
                }
            }
        };
        let outcomes: Vec<_> = thread::scope(|scope| {
            let started = lines.into_iter().map(|line| scope.spawn(|| work(line)));
            let started: Vec<_> = started.collect();
            started
                .into_iter()
                .map(thread::ScopedJoinHandle::join)
                .collect()
        });
        let took = began.elapsed();
        let mut critical = None;
        for outcome in outcomes {
            let outcome = outcome.map_err(|_| Failure::new("a sender panicked"))?;
            critical = critical.or(outcome?);
        }
        Ok(Flooded { took, critical })
    }

    /// The incident of the alert at this place of a request, by the answer to it.
    fn incident_in(self, answer: &[u8], place: usize) -> Outcome<String> {
        let answer: Value = serde_json::from_slice(answer).because("reading what became of it")?;
        let own = match self.per_request {
            1 => &answer,
            _ => &answer["alerts"][place],
        };
        match own["incident_id"].as_str() {
            Some(incident) => Ok(incident.to_owned()),
            None => fail!("the critical alert was accepted without an incident: {own}"),
        }
    }

    fn body(self, goal: Goal<'_>, places: Range<usize>) -> String {
        // Alertmanager takes nothing but lists.
        let list = self.per_request > 1 || matches!(goal, Goal::Alertmanager(_));
        let mut body = String::with_capacity(256 * places.len());
        for (index, place) in places.enumerate() {
            body.push_str(match (list, index) {
                (false, _) => "",
                (true, 0) => "[",
                (true, _) => ",",
            });
            let severity = match self.critical == Some(place) {
                true => "critical",
                false => self.severities[place % self.severities.len()],
            };
            let (name, title) = (self.name, title_of(place));
            // Writing to a string cannot fail.
            let _ = match goal {
                Goal::Tocsin(site) => {
                    let service = &site.services[place % site.services.len()];
                    write!(
                        body,
                        r#"{{"service_id":"{service}","dedup_key":"{name}-{place}","action":"trigger","summary":"{title}","severity":"{severity}","source":"db{place}.example.org","details":{{"used":"97 %","mount":"/var/lib/db"}}}}"#
                    )
                }
                Goal::Alertmanager(_) => {
                    let service = place % SERVICES;
                    write!(
                        body,
                        r#"{{"labels":{{"alertname":"{name}-{place}","service":"Service {service}","severity":"{severity}","instance":"db{place}.example.org"}},"annotations":{{"summary":"{title}","used":"97 %","mount":"/var/lib/db"}}}}"#
                    )
                }
            };
        }
        if list {
            body.push(']');
        }
        body
    }
}

/// What the alert at this place says.
fn title_of(place: usize) -> String {
    format!("disk {place} of the database is nearly full")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rival_is_sent_lists_also_of_one() {
        let flood = Flood {
            name: "one",
            connections: 1,
            per_request: 1,
            alerts: 2,
            severities: &["info", "error"],
            critical: Some(1),
        };
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let body = flood.body(Goal::Alertmanager(address), 1..2);
        let read: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(read[0]["labels"]["alertname"], "one-1");
        assert_eq!(read[0]["labels"]["severity"], "critical");
        assert_eq!(read[0]["annotations"]["mount"], "/var/lib/db");
    }

    #[test]
    fn the_critical_alert_is_paged_by_its_own_page_and_by_no_other_message() {
        let flood = Flood {
            name: "storm",
            connections: 1,
            per_request: 2,
            alerts: 2,
            severities: &["info"],
            critical: Some(1),
        };
        let answer =
            br#"{"alerts":[{"dedup_key":"a","incident_id":"i"},{"dedup_key":"b","incident_id":"j"}]}"#;
        let incident = flood.incident_in(answer, 1).unwrap();
        assert_eq!(incident, "j");
        let critical = Critical {
            sent: Instant::now(),
            title: title_of(1),
            incident,
        };
        let own = Arrival {
            at: Instant::now(),
            id: String::new(),
            path: "/0".to_owned(),
            kind: "page".to_owned(),
            incident: "j".to_owned(),
            title: title_of(1),
            code: None,
        };
        assert!(critical.is_paged_by(&own));
        let along = format!("{} (and 2 more incidents)", title_of(1));
        let with = |change: fn(&mut Arrival)| {
            let mut other = own.clone();
            change(&mut other);
            critical.is_paged_by(&other)
        };
        let telling_others = Arrival {
            title: along,
            ..own.clone()
        };
        assert!(critical.is_paged_by(&telling_others));
        assert!(!with(|one| one.incident = "i".to_owned()));
        assert!(!with(|one| one.kind = "resolved".to_owned()));
        assert!(!with(|one| one.title = title_of(11)));
        assert!(
            flood
                .incident_in(br#"{"alerts":[{"detail":"no"}]}"#, 0)
                .is_err()
        );
    }
}
