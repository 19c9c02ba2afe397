//! Many alerts at once over a few connections; what comes of them is measured elsewhere.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::{Because, Failure, Outcome, fail};
use crate::site::Site;
use crate::site::line::Line;

const PATH: &str = "/api/tocsin/v1/alerts";

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
    pub(crate) fn run(self, site: &Site) -> Outcome<Flooded> {
        let next = AtomicUsize::new(0);
        let lines = (0..self.connections).map(|_| site.line());
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
                let body = self.body(site, first..last);
                let sent = Instant::now();
                let answer = line.ask("POST", PATH, &body);
                let (status, text) = answer.because("sending alerts")?;
                if status != 202 {
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

    fn body(self, site: &Site, places: std::ops::Range<usize>) -> String {
        let list = self.per_request > 1;
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
            let service = &site.services[place % site.services.len()];
            // Writing to a string cannot fail.
            let _ = write!(
                body,
                r#"{{"service_id":"{service}","dedup_key":"{}-{place}","action":"trigger","summary":"disk {place} of the database is nearly full","severity":"{severity}","source":"db{place}.example.org","details":{{"used":"97 %","mount":"/var/lib/db"}}}}"#,
                self.name
            );
        }
        if list {
            body.push(']');
        }
        body
    }
}
