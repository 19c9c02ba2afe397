//! Who was hurt: counts of the access log, and a range for what a silent log cannot count; how the range is computed is
//! not known here.

use super::case::{Case, NAME_CHARS};
use super::expected::{self, Baseline, Silent};
use super::facts::{
    Expected, FailureKind, Impact, Moments, Recorded, Silence, TierExpected, TierRecorded,
};
use super::ledger::{Counted, EvidenceRef, Stated};
use super::mask::clean;
use super::moment::{Moment, span_text};
use super::requests::{Request, count};
use crate::signal::metric;

/// The longest baseline.
const BASELINE_MAX_MS: i64 = 900_000;
/// The shortest baseline that anything is computed from.
const BASELINE_MIN_S: i64 = 10;
/// The edges of a silence are known to this: a log in whole seconds tells less than one with fractions.
const EDGE_OF_SECONDS_S: f64 = 1.0;
const EDGE_OF_FRACTIONS_S: f64 = 0.5;
/// A living server leaves a pause of this many times the usual distance between requests once in a thousand pauses.
const CHANCE_PAUSE: f64 = 7.0;
/// Tiers that are told apart at most.
const TIERS_MAX: usize = 6;
/// A pause is a silence when it is this many times the usual distance between requests, and not shorter than the minimum.
const SILENCE_FACTOR: f64 = 10.0;
const SILENCE_MIN_MS: f64 = 1_500.0;

pub(super) fn impact(
    case: &mut Case<'_>,
    moments: &Moments,
    failure: Option<FailureKind>,
) -> Impact {
    let (from, until) = (moments.earliest(case), moments.trouble_end(case));
    if !case.requests.log_was_read {
        return Impact {
            from,
            until,
            recorded: Stated::unknown(),
            tiers: Vec::new(),
            expected: Stated::unknown(),
            method:
                "The evidence holds no access log, so neither requests nor users can be counted."
                    .to_owned(),
        };
    }
    let counted_from = case.requests.counted_from(from);
    let (counts, cited) = counted(case, None, counted_from, until);
    let tiers = shown_tiers(case)
        .into_iter()
        .map(|tier| {
            let name = case
                .requests
                .tiers
                .get(tier)
                .copied()
                .unwrap_or_default()
                .to_owned();
            let (counts, evidence) = counted(case, Some(&name), counted_from, until);
            TierRecorded {
                tier: clean(&name, NAME_CHARS),
                counts,
                evidence,
            }
        })
        .collect();
    let (expected, method) = match expect(case, moments, failure, from, until) {
        Ok(expected) => {
            let waited = waited(case, failure, &expected.silences);
            let method = method_of(&expected, edge_s(case), waited);
            let cited = cite_expectation(case, &expected);
            (Stated::known(expected, cited), method)
        }
        Err(why) => (Stated::unknown(), why.to_owned()),
    };
    Impact {
        from,
        until,
        recorded: Stated::known(counts, cited),
        tiers,
        expected,
        method,
    }
}

fn counted(
    case: &mut Case<'_>,
    tier: Option<&str>,
    from: Moment,
    until: Moment,
) -> (Recorded, Vec<EvidenceRef>) {
    let mut cited = Vec::new();
    let mut ask = |counted| {
        let (count, number) = case.ask_logs(counted, tier, from, until);
        cited.push(number);
        count
    };
    let counts = Recorded {
        requests: ask(Counted::Requests),
        failed: ask(Counted::FailedRequests),
        users: ask(Counted::Users),
        users_failed: ask(Counted::FailedUsers),
    };
    (counts, cited)
}

/// The tiers with the most requests, "premium" always first.
fn shown_tiers(case: &Case<'_>) -> Vec<usize> {
    let requests = &case.requests;
    let mut sizes = vec![0_u64; requests.tiers.len()];
    for request in &requests.all {
        if let Some(size) = sizes.get_mut(request.tier) {
            *size += 1;
        }
    }
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|tier| {
        let premium = requests.tiers.get(*tier) == Some(&"premium");
        (
            !premium,
            std::cmp::Reverse(sizes.get(*tier).copied()),
            *tier,
        )
    });
    order.truncate(TIERS_MAX);
    order
}

fn expect(
    case: &Case<'_>,
    moments: &Moments,
    failure: Option<FailureKind>,
    from: Moment,
    until: Moment,
) -> Result<Expected, &'static str> {
    let baseline = baseline(case, from)
        .ok_or("Less than ten seconds of traffic were logged before the onset, too little to expect anything from.")?;
    let before = case.requests.within(baseline.0, baseline.1);
    let seconds = seconds_between(baseline.0, baseline.1);
    let silences = silences(
        case,
        failure,
        from,
        until,
        rate_per_ms(before.len(), seconds),
    );
    if silences.is_empty() {
        return Err(
            "Requests were logged all through the failure, so nothing had to be estimated.",
        );
    }
    let silent = silent(case, moments, failure, &silences, before.len(), seconds);
    let all = range_of(before, |_| true, &baseline, seconds, &silent);
    let tiers = shown_tiers(case)
        .into_iter()
        .map(|tier| {
            let (requests, users) =
                range_of(before, |r| r.tier == tier, &baseline, seconds, &silent);
            let name = case.requests.tiers.get(tier).copied().unwrap_or_default();
            TierExpected {
                tier: clean(name, NAME_CHARS),
                requests,
                users,
            }
        })
        .collect();
    Ok(Expected {
        silent_ms: silences
            .iter()
            .filter_map(|s| s.until.ms_since(s.from))
            .sum(),
        silences,
        baseline_from: baseline.0,
        baseline_until: baseline.1,
        baseline_requests: count(before.len()),
        requests: all.0,
        tiers,
    })
}

/// The minutes before the failure in which the log was written: whole seconds, ending one second before the onset.
fn baseline(case: &Case<'_>, from: Moment) -> Option<(Moment, Moment)> {
    let until = from.shifted(-1_000);
    let first_logged = case.requests.all.first()?.at_ms;
    let window: Moment = case.evidence.window.0.into();
    let earliest = until
        .shifted(-BASELINE_MAX_MS)
        .max(Moment::from_millis(first_logged))
        .max(window);
    let seconds = (until.as_millis() - earliest.as_millis()).div_euclid(1_000);
    (seconds >= BASELINE_MIN_S).then(|| (until.shifted(-seconds * 1_000), until))
}

fn seconds_between(from: Moment, until: Moment) -> usize {
    usize::try_from(until.ms_since(from).unwrap_or_default() / 1_000).unwrap_or_default()
}

fn rate_per_ms(requests: usize, seconds: usize) -> f64 {
    float(requests) / (float(seconds).max(1.0) * 1_000.0)
}

/// Pauses of the log within the failure that are too long to be chance. A server that is known to answer nobody is silent
/// in its longest pause, however rare requests are.
fn silences(
    case: &Case<'_>,
    failure: Option<FailureKind>,
    from: Moment,
    until: Moment,
    rate: f64,
) -> Vec<Silence> {
    let times = case
        .requests
        .all
        .iter()
        .map(|request| Moment::from_millis(request.at_ms));
    let mut edges: Vec<Moment> = vec![from];
    edges.extend(times.filter(|at| from < *at && *at < until));
    edges.push(until);
    let pauses = edges.windows(2).filter_map(|pair| {
        let [from, until] = pair else { return None };
        Some(Silence {
            from: *from,
            until: *until,
        })
    });
    let length = |pause: &Silence| pause.until.ms_since(pause.from).unwrap_or_default();
    let pauses: Vec<Silence> = pauses.collect();
    let threshold = (SILENCE_FACTOR / rate.max(1e-9)).max(SILENCE_MIN_MS);
    let long: Vec<Silence> = pauses
        .iter()
        .filter(|pause| float_ms(length(pause)) >= threshold)
        .copied()
        .collect();
    if long.is_empty() && answers_nobody(failure) {
        return pauses
            .into_iter()
            .filter(|pause| length(pause) >= 1_000)
            .max_by_key(length)
            .into_iter()
            .collect();
    }
    long
}

const fn answers_nobody(failure: Option<FailureKind>) -> bool {
    match failure {
        Some(
            FailureKind::Crashed
            | FailureKind::Stopped
            | FailureKind::FoundDead
            | FailureKind::Hung
            | FailureKind::Saturated
            | FailureKind::Unreachable,
        ) => true,
        Some(
            FailureKind::Orphaned
            | FailureKind::ServerErrors
            | FailureKind::BadConfiguration
            | FailureKind::Other,
        )
        | None => false,
    }
}

/// The shortest and the longest that the silence can have been. The failure began between the earliest and the measured
/// onset, and not much later than the log fell silent; requests resume a little after the server does.
fn silent(
    case: &Case<'_>,
    moments: &Moments,
    failure: Option<FailureKind>,
    silences: &[Silence],
    requests: usize,
    seconds: usize,
) -> Silent {
    let apart_s = float(seconds) / float(requests).max(1.0);
    let edge_s = edge_s(case);
    let mut silent = Silent {
        at_least_s: 0.0,
        at_most_s: 0.0,
    };
    for silence in silences {
        let longest_s = seconds_of(silence.from, silence.until);
        let onset = moments.onset.value.unwrap_or(silence.from);
        let start_lag_s = seconds_of(silence.from, onset).min(CHANCE_PAUSE * apart_s);
        let end_lag_s = (CHANCE_PAUSE * apart_s).min(10.0);
        let shortest_s = longest_s - start_lag_s - end_lag_s - 2.0 * edge_s;
        silent.at_least_s += shortest_s.max(0.0);
        silent.at_most_s += longest_s + 2.0 * edge_s;
    }
    // Those who waited came within a span of their own, which counts as answered.
    let waited_s = float_ms(waited(case, failure, silences)) * apart_s;
    silent.at_least_s = (silent.at_least_s - waited_s).max(0.0);
    silent
}

fn seconds_of(from: Moment, until: Moment) -> f64 {
    float_ms(until.ms_since(from).unwrap_or_default()) / 1_000.0
}

fn edge_s(case: &Case<'_>) -> f64 {
    let whole_seconds = case
        .requests
        .all
        .iter()
        .all(|request| request.at_ms % 1_000 == 0);
    if whole_seconds {
        EDGE_OF_SECONDS_S
    } else {
        EDGE_OF_FRACTIONS_S
    }
}

/// Connections that waited in the accept queue may have been answered when the server went on.
fn waited(case: &Case<'_>, failure: Option<FailureKind>, silences: &[Silence]) -> u64 {
    if !matches!(failure, Some(FailureKind::Hung | FailureKind::Saturated)) {
        return 0;
    }
    let inside = |ms: i64| {
        silences
            .iter()
            .any(|s| s.from.as_millis() <= ms && ms <= s.until.as_millis())
    };
    case.series(metric::LISTENER_QUEUE)
        .iter()
        .flat_map(|series| &series.samples)
        .filter(|(ms, _)| inside(*ms))
        .map(|(_, bits)| whole(f64::from_bits(*bits)))
        .max()
        .unwrap_or_default()
}

fn range_of(
    before: &[Request],
    wanted: impl Fn(&Request) -> bool,
    span: &(Moment, Moment),
    seconds: usize,
    silent: &Silent,
) -> (super::facts::Range, Option<super::facts::Range>) {
    let requests: Vec<(i64, Option<u32>)> = before
        .iter()
        .filter(|request| wanted(request))
        .map(|request| (request.at_ms, request.user))
        .collect();
    let baseline = Baseline {
        from_ms: span.0.as_millis(),
        seconds,
        requests: &requests,
    };
    let range = expected::requests(&baseline, silent);
    let named = requests.iter().any(|(_, user)| user.is_some());
    (
        range,
        named.then(|| expected::users(&baseline, silent, range)),
    )
}

fn method_of(expected: &Expected, edge_s: f64, waited: u64) -> String {
    let before = expected
        .baseline_until
        .ms_since(expected.baseline_from)
        .unwrap_or_default();
    let edge = if edge_s < EDGE_OF_SECONDS_S {
        "half a second"
    } else {
        "one second"
    };
    let waited = if waited > 0 {
        " The low end takes every connection that waited as answered afterwards."
    } else {
        ""
    };
    format!(
        "The range is computed from the {} requests logged in the {} before the onset: their rate and its spread, times {} without a logged request, within three standard deviations and {edge} at each edge, allowing a drift of 2 % a minute.{waited} Whether clients tried again is not known.",
        expected.baseline_requests,
        span_text(before),
        span_text(expected.silent_ms),
    )
}

fn cite_expectation(case: &mut Case<'_>, expected: &Expected) -> Vec<EvidenceRef> {
    let (_, before) = case.ask_logs(
        Counted::Requests,
        None,
        expected.baseline_from,
        expected.baseline_until,
    );
    let mut cited = vec![before];
    for silence in expected.silences.iter().take(5) {
        // Half open, without the request that the silence begins after.
        let from = silence.from.shifted(1).min(silence.until);
        let (_, number) = case.ask_logs(Counted::Requests, None, from, silence.until);
        cited.push(number);
    }
    cited
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn float(value: usize) -> f64 {
    value as f64
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds of an incident, far below 2^52"
)]
fn float_ms(value: u64) -> f64 {
    value as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float cast saturates, and negatives are cut before"
)]
fn whole(value: f64) -> u64 {
    value.max(0.0) as u64
}
