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
use super::requests::{self, Request, RequestLog, count};
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
    let log = &case.evidence.requests;
    if let Some(why) = uncountable(log) {
        return Impact {
            from,
            until,
            recorded: Stated::unknown(),
            tiers: Vec::new(),
            expected: Stated::unknown(),
            method: why.to_owned(),
        };
    }
    let counted_from = log.counted_from(from);
    let (counts, cited) = counted(case, None, counted_from, until);
    let tiers = shown_tiers(log)
        .into_iter()
        .map(|tier| {
            let name = clean(log.tier_name(tier), NAME_CHARS);
            let (counts, evidence) = counted(case, Some(&name), counted_from, until);
            TierRecorded {
                tier: name,
                counts,
                evidence,
            }
        })
        .collect();
    let question = Question {
        log,
        window_from: case.evidence.window.0.into(),
        from,
        onset: moments.onset.value,
        until,
        failure,
        waiting: most_waiting(case, from, until),
    };
    let (expected, method) = match expect(&question) {
        Ok(expected) => {
            let method = method_of(&expected, log, question.waited() > 0);
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

/// Why nothing can be counted in this log.
fn uncountable(log: &RequestLog) -> Option<&'static str> {
    if !log.was_read {
        Some("The evidence holds no access log, so neither requests nor users can be counted.")
    } else if log.left_out > 0 {
        Some(
            "The access log had more requests than can be kept, so neither requests nor users can be counted.",
        )
    } else {
        None
    }
}

/// What is asked about a failure, which may still last.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The requests before it and during it.
    pub log: &'a RequestLog,
    /// Where the log begins at the earliest.
    pub window_from: Moment,
    /// When the failure began at the earliest.
    pub from: Moment,
    /// The measured onset, when there is one.
    pub onset: Option<Moment>,
    /// Its end, or now.
    pub until: Moment,
    /// What kind of failure it is.
    pub failure: Option<FailureKind>,
    /// The most connections that waited in the accept queue.
    pub waiting: u64,
}

impl Question<'_> {
    /// Connections that waited in the accept queue may have been answered when the server went on.
    const fn waited(&self) -> u64 {
        if matches!(
            self.failure,
            Some(FailureKind::Hung | FailureKind::Saturated)
        ) {
            self.waiting
        } else {
            0
        }
    }
}

/// Who is hurt, without citations: for those who respond, while the report is not yet written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hurt {
    /// What was logged, of all and by tier.
    pub recorded: Recorded,
    /// The tiers that matter most, "premium" first.
    pub tiers: Vec<(String, Recorded)>,
    /// What a silent log did not tell; none where it was not silent or nothing can be expected.
    pub expected: Option<Expected>,
    /// How the expectation was made, or why there is none.
    pub method: String,
}

/// Counts and expects as a report would, were it written now. The error says why nothing can be counted.
///
/// # Errors
/// When no log was read, or not all of it.
pub fn hurt(question: &Question<'_>) -> Result<Hurt, &'static str> {
    let log = question.log;
    if let Some(why) = uncountable(log) {
        return Err(why);
    }
    let during = log.within(log.counted_from(question.from), question.until);
    let tiers = shown_tiers(log).into_iter().map(|tier| {
        let of_tier = during.iter().filter(|request| request.tier == tier);
        (
            clean(log.tier_name(tier), NAME_CHARS),
            requests::recorded(of_tier),
        )
    });
    let (expected, method) = match expect(question) {
        Ok(expected) => {
            let method = method_of(&expected, log, question.waited() > 0);
            (Some(expected), method)
        }
        Err(why) => (None, why.to_owned()),
    };
    Ok(Hurt {
        recorded: requests::recorded(during.iter()),
        tiers: tiers.collect(),
        expected,
        method,
    })
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
fn shown_tiers(log: &RequestLog) -> Vec<u16> {
    let mut sizes = vec![0_u64; log.tiers.len()];
    for request in &log.requests {
        if let Some(size) = sizes.get_mut(usize::from(request.tier)) {
            *size += 1;
        }
    }
    let mut order: Vec<u16> = (0..).take(sizes.len()).collect();
    order.sort_by_key(|tier| {
        let name = log.tier_name(*tier);
        let size = sizes.get(usize::from(*tier)).copied();
        (name != "premium", std::cmp::Reverse(size), name)
    });
    order.truncate(TIERS_MAX);
    order
}

fn expect(question: &Question<'_>) -> Result<Expected, &'static str> {
    let log = question.log;
    let baseline = baseline(question)
        .ok_or("Less than ten seconds of traffic were logged before the onset, too little to expect anything from.")?;
    let before = log.within(baseline.0, baseline.1);
    let seconds = seconds_between(baseline.0, baseline.1);
    let silences = silences(question, rate_per_ms(before.len(), seconds));
    if silences.is_empty() {
        return Err(
            "Requests were logged all through the failure, so nothing had to be estimated.",
        );
    }
    let silent = silent(question, &silences, before.len(), seconds);
    let all = range_of(before, |_| true, &baseline, seconds, &silent);
    let tiers = shown_tiers(log)
        .into_iter()
        .map(|tier| {
            let (requests, users) =
                range_of(before, |r| r.tier == tier, &baseline, seconds, &silent);
            TierExpected {
                tier: clean(log.tier_name(tier), NAME_CHARS),
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
fn baseline(question: &Question<'_>) -> Option<(Moment, Moment)> {
    let until = question.from.shifted(-1_000);
    let first_logged = question.log.requests.first()?.at_ms;
    let earliest = until
        .shifted(-BASELINE_MAX_MS)
        .max(Moment::from_millis(first_logged))
        .max(question.window_from);
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
fn silences(question: &Question<'_>, rate: f64) -> Vec<Silence> {
    let (from, until) = (question.from, question.until);
    let during = question.log.within(from, until).iter();
    let times = during.map(|request| Moment::from_millis(request.at_ms));
    let mut edges: Vec<Moment> = vec![from];
    edges.extend(times.filter(|at| from < *at));
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
    if long.is_empty() && answers_nobody(question.failure) {
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
    question: &Question<'_>,
    silences: &[Silence],
    requests: usize,
    seconds: usize,
) -> Silent {
    let apart_s = float(seconds) / float(requests).max(1.0);
    let edge_s = edge_s(question.log);
    let mut silent = Silent {
        at_least_s: 0.0,
        at_most_s: 0.0,
    };
    for silence in silences {
        let longest_s = seconds_of(silence.from, silence.until);
        let onset = question.onset.unwrap_or(silence.from);
        let start_lag_s = seconds_of(silence.from, onset).min(CHANCE_PAUSE * apart_s);
        let end_lag_s = (CHANCE_PAUSE * apart_s).min(10.0);
        let shortest_s = longest_s - start_lag_s - end_lag_s - 2.0 * edge_s;
        silent.at_least_s += shortest_s.max(0.0);
        silent.at_most_s += longest_s + 2.0 * edge_s;
    }
    // Those who waited came within a span of their own, which counts as answered.
    let waited_s = float_ms(question.waited()) * apart_s;
    silent.at_least_s = (silent.at_least_s - waited_s).max(0.0);
    silent
}

fn seconds_of(from: Moment, until: Moment) -> f64 {
    float_ms(until.ms_since(from).unwrap_or_default()) / 1_000.0
}

fn edge_s(log: &RequestLog) -> f64 {
    if log.tells_whole_seconds() {
        EDGE_OF_SECONDS_S
    } else {
        EDGE_OF_FRACTIONS_S
    }
}

fn most_waiting(case: &Case<'_>, from: Moment, until: Moment) -> u64 {
    let during = from.as_millis()..=until.as_millis();
    case.series(metric::LISTENER_QUEUE)
        .iter()
        .flat_map(|series| &series.samples)
        .filter(|(ms, _)| during.contains(ms))
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

fn method_of(expected: &Expected, log: &RequestLog, waited: bool) -> String {
    let before = expected
        .baseline_until
        .ms_since(expected.baseline_from)
        .unwrap_or_default();
    let edge = if log.tells_whole_seconds() {
        "one second"
    } else {
        "half a second"
    };
    let waited = if waited {
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
