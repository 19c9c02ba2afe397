//! Many alerts at once over a few connections; what comes of them is measured elsewhere.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::{Because, Failure, Outcome, fail};
use crate::site::Site;
use crate::site::line::Line;

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
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flooded {
    pub(crate) took: Duration,
    /// When the critical one was sent.
    pub(crate) critical: Option<Instant>,
}

impl Flood<'_> {
    /// Sends them all and waits until each is accepted.
    pub(crate) fn run(self, goal: Goal<'_>) -> Outcome<Flooded> {
        let next = AtomicUsize::new(0);
        let lines = (0..self.connections).map(|_| goal.line());
        let lines = lines.collect::<Outcome<Vec<_>>>()?;
        let began = Instant::now();
        let work = |mut line: Line| -> Outcome<Option<Instant>> {
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
                if self
                    .critical
                    .is_some_and(|place| (first..last).contains(&place))
                {
                    critical = Some(sent);
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
            let name = self.name;
            // Writing to a string cannot fail.
            let _ = match goal {
                Goal::Tocsin(site) => {
                    let service = &site.services[place % site.services.len()];
                    write!(
                        body,
                        r#"{{"service_id":"{service}","dedup_key":"{name}-{place}","action":"trigger","summary":"disk {place} of the database is nearly full","severity":"{severity}","source":"db{place}.example.org","details":{{"used":"97 %","mount":"/var/lib/db"}}}}"#
                    )
                }
                Goal::Alertmanager(_) => {
                    let service = place % SERVICES;
                    write!(
                        body,
                        r#"{{"labels":{{"alertname":"{name}-{place}","service":"Service {service}","severity":"{severity}","instance":"db{place}.example.org"}},"annotations":{{"summary":"disk {place} of the database is nearly full","used":"97 %","mount":"/var/lib/db"}}}}"#
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

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
}
