//! Fetches the server's own status page once a second and turns it into samples; what it means is decided elsewhere.

use std::time::{Duration, Instant};

use tocsin_domain::signal::{Batch, FactKind, Labels, Sample, metric};
use tocsin_domain::time::Timestamp;
use tocsin_wire::apache_status::{self, Status};

use crate::http_client::{Failure, Request, ask};
use crate::probe::{marked, place};
use crate::procfs::ProcessKey;
use crate::watched::{Watched, flag, value};

const PERIOD: Duration = Duration::from_secs(1);
const FETCH_MS_MAX: u64 = 1_000;
/// The address that a stock configuration has.
const USUAL_PATH: &str = "server-status";

/// What was seen before.
#[derive(Default)]
struct Before {
    /// Series that live now and end when the page stops.
    series: Vec<Labels>,
    generation: Option<(Option<ProcessKey>, u64)>,
    reason: Option<Reason>,
}

/// Fetches until the target is forgotten or the agent stops.
pub(crate) fn poll(watched: &Watched) {
    let mut before = Before::default();
    let mut next = Instant::now();
    while !watched
        .stop
        .wait(next.saturating_duration_since(Instant::now()))
    {
        let parent = watched.parent();
        let outcome = fetch(watched);
        if watched.stop.is_raised() {
            return;
        }
        watched.deliver(before.take(watched, parent, outcome));
        next = (next + PERIOD).max(Instant::now());
    }
}

/// Why there is no status.
#[derive(Debug, PartialEq, Eq)]
enum Missing {
    /// The server does not answer: that is told by other signals.
    Silent,
    /// It answers, but not with its status.
    Unavailable(Reason),
}

/// What is in the way of the status page.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reason {
    text: String,
    /// Whether switching the page on in the server's configuration would help.
    mendable: bool,
}

fn unavailable(text: String, mendable: bool) -> Missing {
    Missing::Unavailable(Reason { text, mendable })
}

fn fetch(watched: &Watched) -> Result<Status, Missing> {
    let identity = watched.identity();
    let url = identity
        .status_url
        .clone()
        .unwrap_or_else(|| format!("{}{USUAL_PATH}", identity.probe_url));
    let place = place(&url)
        .ok_or_else(|| unavailable(format!("its address {url:?} cannot be asked"), false))?;
    let request = Request {
        address: place.address,
        tls: place.tls,
        host: place.host,
        path: marked(&format!("{}?auto", place.path)),
        first_byte_ms_max: FETCH_MS_MAX,
        total_ms_max: FETCH_MS_MAX,
    };
    let answer = ask(&request).map_err(|failure| match failure {
        Failure::Refused | Failure::TimedOut { .. } | Failure::Broken(_) => Missing::Silent,
        Failure::NotHttp => unavailable("what answers there does not speak HTTP".to_owned(), false),
    })?;
    if answer.status >= 500 {
        return Err(Missing::Silent);
    }
    if answer.status != 200 {
        return Err(unavailable(
            format!("{url} answers with status {}", answer.status),
            true,
        ));
    }
    apache_status::parse(&answer.body).map_err(|error| unavailable(error.to_string(), true))
}

impl Before {
    fn take(
        &mut self,
        watched: &Watched,
        parent: Option<ProcessKey>,
        outcome: Result<Status, Missing>,
    ) -> Batch {
        let at = watched.now();
        let mut batch = Batch::default();
        batch
            .samples
            .push(watched.sample(metric::UP, &[], at, flag(outcome.is_ok())));
        match outcome {
            Ok(status) => {
                self.reason = None;
                watched.set_problem("status", None);
                let samples = samples(watched, &status, at);
                self.series = samples.iter().map(|sample| sample.labels.clone()).collect();
                batch.samples.extend(samples);
                if let Some(generation) = status.config_generation {
                    let reloaded = self
                        .generation
                        .is_some_and(|(of, before)| of == parent && generation > before);
                    self.generation = Some((parent, generation));
                    if reloaded {
                        watched.note_reload();
                        batch
                            .facts
                            .push(watched.fact(at, FactKind::Reloaded { generation }));
                    }
                }
            }
            Err(missing) => {
                batch.samples.extend(
                    self.series
                        .drain(..)
                        .map(|labels| Sample::stale(labels, at)),
                );
                if let Missing::Unavailable(reason) = missing
                    && self.reason.as_ref() != Some(&reason)
                {
                    watched.set_problem(
                        "status",
                        Some(format!("the status page cannot be read: {}", reason.text)),
                    );
                    self.reason = Some(reason.clone());
                    let what = FactKind::StatusUnavailable {
                        reason: reason.text,
                        mendable: reason.mendable,
                    };
                    batch.facts.push(watched.fact(at, what));
                }
            }
        }
        batch
    }
}

fn samples(watched: &Watched, status: &Status, at: Timestamp) -> Vec<Sample> {
    let counts = [
        (metric::WORKERS_BUSY, status.busy_workers),
        (metric::WORKERS_IDLE, status.idle_workers),
        (metric::WORKERS_MAX, status.workers_max()),
        (metric::REQUESTS_TOTAL, status.total_accesses),
        (metric::TRAFFIC_BYTES_TOTAL, status.total_bytes()),
        (metric::UPTIME_SECONDS, status.uptime_seconds),
        (metric::CONFIG_GENERATION, status.config_generation),
    ];
    let mut samples: Vec<Sample> = counts
        .into_iter()
        .filter_map(|(metric, count)| Some(watched.sample(metric, &[], at, value(count?))))
        .collect();
    if let Some(scoreboard) = &status.scoreboard {
        samples.extend(scoreboard.each().map(|(state, count)| {
            watched.sample(
                metric::SCOREBOARD,
                &[("state", state.label())],
                at,
                value(count),
            )
        }));
    }
    samples
}
