//! Asks one server for its front page once a second, as a visitor would, and times every phase of the answer.
//!
//! Two threads take turns, so that a request that hangs never delays the next one.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tocsin_domain::signal::{Batch, Sample, metric};
use tocsin_domain::time::Timestamp;

use crate::http_client::{Answer, Failure, Request, ask};
use crate::watched::{Watched, flag};

const PERIOD: Duration = Duration::from_secs(1);
/// A request must be over before its thread's next turn.
const TOTAL_MS_MAX: u64 = 1_900;
/// Marks our requests in logs that do not tell who asked.
pub(crate) const MARK: &str = "tocsin-probe";

/// Where a URL of ours leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) address: SocketAddr,
    pub(crate) tls: bool,
    /// Host and port as written.
    pub(crate) host: String,
    /// Path and query.
    pub(crate) path: String,
}

/// Reads `http://ADDRESS:PORT/PATH`; names are not resolved, since only this machine's own addresses are asked.
pub(crate) fn place(url: &str) -> Option<Place> {
    let (tls, rest) = match url.strip_prefix("http://") {
        Some(rest) => (false, rest),
        None => (true, url.strip_prefix("https://")?),
    };
    let (host, path) = rest
        .find('/')
        .map_or((rest, "/"), |slash| rest.split_at(slash));
    let good = |byte: u8| byte.is_ascii_graphic();
    if !path.bytes().all(good) || !host.bytes().all(good) {
        return None;
    }
    let address = host
        .parse()
        .ok()
        .or_else(|| {
            Some(SocketAddr::new(
                host.parse().ok()?,
                if tls { 443 } else { 80 },
            ))
        })
        .or_else(|| {
            let port = host
                .strip_prefix("localhost")?
                .strip_prefix(':')?
                .parse()
                .ok()?;
            Some(SocketAddr::from(([127, 0, 0, 1], port)))
        })?;
    Some(Place {
        address,
        tls,
        host: host.to_owned(),
        path: path.to_owned(),
    })
}

/// The first of the two threads.
pub(crate) fn even_seconds(watched: &Watched) {
    probe(watched, Duration::ZERO);
}

/// The second.
pub(crate) fn odd_seconds(watched: &Watched) {
    probe(watched, PERIOD);
}

fn probe(watched: &Watched, offset: Duration) {
    let mut next = Instant::now() + offset;
    while !watched
        .stop
        .wait(next.saturating_duration_since(Instant::now()))
    {
        let identity = watched.identity();
        match place(&identity.probe_url) {
            Some(place) => {
                watched.set_problem("probe", None);
                probe_once(watched, place);
            }
            None => {
                let problem = format!(
                    "the probe's address {:?} is none of this machine",
                    identity.probe_url
                );
                watched.set_problem("probe", Some(problem));
            }
        }
        // The rhythm is kept; turns that were missed are not caught up.
        next = (next + 2 * PERIOD).max(Instant::now());
    }
}

fn probe_once(watched: &Watched, place: Place) {
    let path = if watched.needs_mark() {
        marked(&place.path)
    } else {
        place.path
    };
    let request = Request {
        address: place.address,
        tls: place.tls,
        host: place.host,
        path,
        first_byte_ms_max: watched.settings.first_byte_ms_max.min(TOTAL_MS_MAX),
        total_ms_max: TOTAL_MS_MAX,
    };
    let outcome = ask(&request);
    // A probe that ends with the watch tells of the watch, not of the server.
    if watched.stop.is_raised() {
        return;
    }
    let samples = samples(watched, &outcome, watched.now());
    watched.deliver(Batch {
        samples,
        ..Batch::default()
    });
}

/// The same address with our mark.
pub(crate) fn marked(path: &str) -> String {
    let joint = if path.contains('?') { '&' } else { '?' };
    format!("{path}{joint}{MARK}")
}

/// Phases that were reached are written, also of a probe that failed.
fn samples(watched: &Watched, outcome: &Result<Answer, Failure>, at: Timestamp) -> Vec<Sample> {
    let up = outcome.as_ref().is_ok_and(|answer| answer.status < 500);
    let timed_out = matches!(outcome, Err(Failure::TimedOut { .. }));
    let refused = matches!(outcome, Err(Failure::Refused));
    let verdicts = [
        (metric::PROBE_UP, up),
        (metric::PROBE_TIMEOUT, timed_out),
        (metric::PROBE_REFUSED, refused),
    ];
    let verdicts = verdicts.map(|(metric, yes)| watched.sample(metric, &[], at, flag(yes)));
    let details = details(outcome);
    let was_whole = watched
        .last_probe_was_whole
        .swap(details.iter().all(Option::is_some), Ordering::Relaxed);
    let names = [
        (metric::PROBE_DURATION_SECONDS, Some("connect")),
        (metric::PROBE_DURATION_SECONDS, Some("first_byte")),
        (metric::PROBE_DURATION_SECONDS, Some("total")),
        (metric::PROBE_STATUS_CODE, None),
    ];
    let detailed = names
        .into_iter()
        .zip(details)
        .filter_map(|((metric, phase), number)| {
            let labels: Vec<(&str, &str)> =
                phase.map(|phase| ("phase", phase)).into_iter().collect();
            let sample = watched.sample(metric, &labels, at, number.unwrap_or_default());
            match number {
                Some(_) => Some(sample),
                // What this probe did not reach must not go on with the value of the last one that did.
                None => was_whole.then(|| Sample::stale(sample.labels, at)),
            }
        });
    verdicts.into_iter().chain(detailed).collect()
}

/// Seconds to connect, to the first byte and in all, and the status; `None` for what was not reached.
fn details(outcome: &Result<Answer, Failure>) -> [Option<f64>; 4] {
    let seconds = |duration: Duration| Some(duration.as_secs_f64());
    match outcome {
        Ok(answer) => [
            seconds(answer.connect),
            seconds(answer.first_byte),
            seconds(answer.total),
            Some(f64::from(answer.status)),
        ],
        Err(Failure::TimedOut { connect }) => [connect.and_then(seconds), None, None, None],
        Err(Failure::Refused | Failure::Broken(_) | Failure::NotHttp) => [None; 4],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_urls_of_addresses_are_places() {
        let check = |url: &str, expected: Option<(&str, bool, &str)>| {
            let found = place(url).map(|place| (place.address.to_string(), place.tls, place.path));
            assert_eq!(
                found,
                expected.map(|(address, tls, path)| (address.to_owned(), tls, path.to_owned())),
                "{url}"
            );
        };
        check(
            "http://127.0.0.1:8080/",
            Some(("127.0.0.1:8080", false, "/")),
        );
        check("https://[::1]:8443/a?b", Some(("[::1]:8443", true, "/a?b")));
        check("http://10.0.0.1", Some(("10.0.0.1:80", false, "/")));
        check("http://localhost:81/x", Some(("127.0.0.1:81", false, "/x")));
        check("http://example.org/", None);
        check("http://127.0.0.1:80/a\r\nX: y", None);
        check("ftp://127.0.0.1/", None);
    }

    #[test]
    fn the_mark_joins_a_query() {
        assert_eq!(marked("/"), "/?tocsin-probe");
        assert_eq!(marked("/a?auto"), "/a?auto&tocsin-probe");
    }
}
