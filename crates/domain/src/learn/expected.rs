//! What was expected while a server logged nothing, as a range: statistics over the seconds before. It knows neither logs
//! nor incidents, only times and numbers.

use std::collections::BTreeMap;

use super::facts::Range;

/// Half width of a range, in standard deviations.
const Z: f64 = 3.0;
/// Traffic is allowed to grow or shrink by this share of itself in a minute; a baseline cannot know the future.
const DRIFT_PER_MINUTE: f64 = 0.02;
/// The most that the allowance for drift can reach.
const DRIFT_MAX: f64 = 0.5;
/// The mean is taken over the last part of the baseline, this many times the silence, within the bounds below.
const RECENT_FACTOR: f64 = 4.0;
const RECENT_MIN_S: f64 = 60.0;
const RECENT_MAX_S: f64 = 300.0;
/// Poisson counts lean to the right: this much is added on top, so that small means are covered as well.
const SKEW: f64 = 3.0;
/// Blocks in which bursts that are longer than a second show.
const BLOCK_S: usize = 10;
/// Windows of which distinct users are counted, at most.
const WINDOWS_MAX: usize = 900;

/// Requests of one kind before the silence.
pub(super) struct Baseline<'a> {
    /// Where it begins, in milliseconds.
    pub(super) from_ms: i64,
    /// Its length in whole seconds.
    pub(super) seconds: usize,
    /// Time in milliseconds and user of each request, in the order of time, all within the baseline.
    pub(super) requests: &'a [(i64, Option<u32>)],
}

/// How long the silence was, at least and at most, in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Silent {
    pub(super) at_least_s: f64,
    pub(super) at_most_s: f64,
}

/// Requests that were to be expected in the silence.
pub(super) fn requests(baseline: &Baseline<'_>, silent: &Silent) -> Range {
    let counts = per_second(baseline);
    let recent_s = recent_seconds(baseline.seconds, silent.at_most_s);
    let recent = &counts[counts.len().saturating_sub(recent_s)..];
    let rate = mean(recent);
    let spread = dispersion(&counts);
    let length = float(recent.len()).max(1.0);
    let bound = |seconds: f64, direction: f64| {
        let expected = rate * seconds;
        let variance = spread * expected * (1.0 + seconds / length);
        let drift = drift(length, seconds) * expected;
        expected + direction * (drift + Z * variance.sqrt())
    };
    // Nothing seen in n seconds still allows a rate of about 7/n (1 chance in 1000).
    let unseen = if rate > 0.0 {
        0.0
    } else {
        7.0 * silent.at_most_s / length
    };
    Range {
        low: floor(bound(silent.at_least_s, -1.0)),
        high: ceil(bound(silent.at_most_s, 1.0) + SKEW + unseen),
    }
}

/// Distinct users that were to be expected in the silence, who made between `requests.low` and `requests.high` requests.
pub(super) fn users(baseline: &Baseline<'_>, silent: &Silent, requests: Range) -> Range {
    let seen = Seen::of(baseline);
    let low = if requests.low == 0 {
        0
    } else {
        users_low(baseline, &seen, silent.at_least_s)
            .max(1)
            .min(requests.low)
    };
    let high = users_high(baseline, &seen, silent.at_most_s).min(requests.high);
    Range {
        low: low.min(high),
        high,
    }
}

fn users_low(baseline: &Baseline<'_>, seen: &Seen, seconds: f64) -> u64 {
    let windows = windows(baseline, seconds);
    let typical = mean(&windows);
    let smallest = windows.iter().copied().fold(typical, f64::min);
    let drift = drift(float(baseline.seconds), seconds).min(0.2);
    let bound = typical - Z * seen.deviation(typical) - drift * typical;
    floor(bound.min(smallest))
}

fn users_high(baseline: &Baseline<'_>, seen: &Seen, seconds: f64) -> u64 {
    let windows = windows(baseline, seconds);
    let typical = mean(&windows);
    let largest = windows.iter().copied().fold(typical, f64::max);
    let drift = drift(float(baseline.seconds), seconds);
    let beyond = (seconds - float(baseline.seconds)).max(0.0);
    let new = seen.growth_per_s * beyond;
    let deviation = seen.deviation(typical).hypot(new.sqrt());
    let bound = typical + new + Z * deviation + drift * (typical + new) + 1.0;
    let bound = bound.max(largest);
    ceil(if seen.is_everybody() {
        bound.min(seen.all)
    } else {
        bound
    })
}

/// The users of a baseline.
struct Seen {
    /// Requests that name a user.
    requests: f64,
    /// Distinct users.
    all: f64,
    /// Those with a single request.
    rare: f64,
    /// New users per second that the time after it may bring, at most: what its second half brought, or what the users
    /// seen once say about those not seen yet (Good and Turing), whichever is more.
    growth_per_s: f64,
}

impl Seen {
    fn of(baseline: &Baseline<'_>) -> Self {
        let seconds = float(baseline.seconds).max(1.0);
        let half = i64::try_from(baseline.seconds)
            .unwrap_or(i64::MAX)
            .saturating_mul(500);
        let mut first_and_count: BTreeMap<u32, (i64, u32)> = BTreeMap::new();
        for (at_ms, user) in baseline.requests {
            let Some(user) = user else { continue };
            let entry = first_and_count
                .entry(*user)
                .or_insert((*at_ms - baseline.from_ms, 0));
            entry.1 = entry.1.saturating_add(1);
        }
        let requests: f64 = first_and_count.values().map(|(_, n)| f64::from(*n)).sum();
        let late = float(
            first_and_count
                .values()
                .filter(|(first, _)| *first >= half)
                .count(),
        );
        let rare = float(first_and_count.values().filter(|(_, n)| *n == 1).count());
        let of_late = (late + Z * late.sqrt()) / (seconds / 2.0);
        let of_rare = (rare + Z * rare.sqrt() + SKEW) / seconds;
        Self {
            requests,
            all: float(first_and_count.len()),
            rare,
            growth_per_s: of_late.max(of_rare),
        }
    }

    /// A baseline in which everybody came a dozen times and nobody once has very likely seen everybody.
    fn is_everybody(&self) -> bool {
        self.rare == 0.0 && self.requests >= 12.0 * self.all
    }

    /// Standard deviation of the number of distinct users around `typical`, if each comes independently of the others.
    /// Users that were not seen yet are estimated from those seen once.
    fn deviation(&self, typical: f64) -> f64 {
        let population = (self.all + self.rare).max(1.0);
        let absent = (1.0 - typical / population).max(0.0);
        (typical * absent).sqrt()
    }
}

/// Distinct users in windows of `seconds` that slide over the baseline; the whole baseline when it is shorter.
fn windows(baseline: &Baseline<'_>, seconds: f64) -> Vec<f64> {
    let total = float(baseline.seconds);
    let length = seconds.min(total);
    let span_s = (RECENT_FACTOR * length)
        .clamp(RECENT_MIN_S, RECENT_MAX_S)
        .max(length)
        .min(total);
    let end_ms = baseline.from_ms + millis(total);
    let starts = usize::try_from(floor(span_s - length))
        .unwrap_or_default()
        .min(WINDOWS_MAX)
        + 1;
    let mut present: BTreeMap<u32, u32> = BTreeMap::new();
    let first_from = end_ms - millis(span_s);
    let mut enters = baseline
        .requests
        .partition_point(|(at, _)| *at < first_from);
    let mut leaves = enters;
    let mut counts = Vec::with_capacity(starts);
    for index in 0..starts {
        let from = first_from + millis(float(index));
        let until = from + millis(length);
        while let Some((_, user)) = baseline.requests.get(enters).filter(|(at, _)| *at < until) {
            enters += 1;
            if let Some(user) = user {
                *present.entry(*user).or_default() += 1;
            }
        }
        while let Some((_, user)) = baseline.requests.get(leaves).filter(|(at, _)| *at < from) {
            leaves += 1;
            enters = enters.max(leaves);
            if let Some(user) = user {
                forget(&mut present, *user);
            }
        }
        counts.push(float(present.len()));
    }
    counts
}

fn forget(present: &mut BTreeMap<u32, u32>, user: u32) {
    if let Some(count) = present.get_mut(&user) {
        *count -= 1;
        if *count == 0 {
            present.remove(&user);
        }
    }
}

fn per_second(baseline: &Baseline<'_>) -> Vec<f64> {
    let mut counts = vec![0.0; baseline.seconds];
    for (at_ms, _) in baseline.requests {
        let second = usize::try_from((at_ms - baseline.from_ms).div_euclid(1_000)).ok();
        if let Some(slot) = second.and_then(|second| counts.get_mut(second)) {
            *slot += 1.0;
        }
    }
    counts
}

/// How much wilder than Poisson the counts are, from neighbouring differences (a slow drift does not count), per second
/// and per block.
fn dispersion(counts: &[f64]) -> f64 {
    let blocks: Vec<f64> = counts
        .chunks_exact(BLOCK_S)
        .map(|block| block.iter().sum())
        .collect();
    let of_blocks = if blocks.len() >= 6 {
        index_of_dispersion(&blocks)
    } else {
        1.0
    };
    index_of_dispersion(counts).max(of_blocks).max(1.0)
}

fn index_of_dispersion(counts: &[f64]) -> f64 {
    let mean = mean(counts);
    if counts.len() < 2 || mean <= 0.0 {
        return 1.0;
    }
    let squares: f64 = counts
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).powi(2))
        .sum();
    squares / (2.0 * float(counts.len() - 1)) / mean
}

fn recent_seconds(seconds: usize, silent_s: f64) -> usize {
    let wanted = (RECENT_FACTOR * silent_s).clamp(RECENT_MIN_S, RECENT_MAX_S);
    usize::try_from(ceil(wanted))
        .unwrap_or(seconds)
        .min(seconds)
}

/// The share that traffic may have drifted by between the middle of the baseline and the middle of the silence.
fn drift(baseline_s: f64, silent_s: f64) -> f64 {
    (DRIFT_PER_MINUTE / 60.0 * f64::midpoint(baseline_s, silent_s)).min(DRIFT_MAX)
}

fn mean(values: &[f64]) -> f64 {
    if values.is_empty() {
        0.0
    } else {
        values.iter().sum::<f64>() / float(values.len())
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn float(value: usize) -> f64 {
    value as f64
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "seconds of a window of an hour"
)]
fn millis(seconds: f64) -> i64 {
    (seconds * 1_000.0) as i64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float cast saturates, and negatives are cut before"
)]
fn floor(value: f64) -> u64 {
    value.max(0.0).floor() as u64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float cast saturates, and negatives are cut before"
)]
fn ceil(value: f64) -> u64 {
    value.max(0.0).ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Random;
    use super::*;

    /// Traffic that does not care whether it is answered, its rate slowly swinging.
    struct Generator {
        rate: f64,
        swing: f64,
        period_s: f64,
        users: u32,
        burst: u32,
    }

    impl Generator {
        fn requests(&self, random: &mut Random, seconds: f64) -> Vec<(i64, Option<u32>)> {
            let top = self.rate * (1.0 + self.swing) / f64::from(self.burst);
            let phase = random.unit() * std::f64::consts::TAU;
            let mut at = 0.0;
            let mut all = Vec::new();
            loop {
                at += -(1.0 - random.unit()).ln() / top;
                if at >= seconds {
                    return all;
                }
                let angle = phase + at / self.period_s * std::f64::consts::TAU;
                if random.unit() * (1.0 + self.swing) > 1.0 + self.swing * angle.sin() {
                    continue;
                }
                let user = u32::try_from(random.below(u64::from(self.users))).unwrap();
                all.extend((0..self.burst).map(|_| (millis(at), Some(user))));
            }
        }
    }

    struct Score {
        runs: usize,
        requests_covered: usize,
        users_covered: usize,
        /// Mean width of the range in parts of the truth.
        width: f64,
        users_width: f64,
    }

    fn play(seeds: u64, make: impl Fn(&mut Random) -> (Generator, usize, f64)) -> Score {
        let mut score = Score {
            runs: 0,
            requests_covered: 0,
            users_covered: 0,
            width: 0.0,
            users_width: 0.0,
        };
        for seed in 0..seeds {
            let mut random = Random::new(seed);
            let (generator, baseline_s, outage_s) = make(&mut random);
            let all = generator.requests(&mut random, float(baseline_s) + outage_s);
            let edge = millis(float(baseline_s));
            let cut = all.partition_point(|(at, _)| *at < edge);
            let baseline = Baseline {
                from_ms: 0,
                seconds: baseline_s,
                requests: &all[..cut],
            };
            let silent = Silent {
                at_least_s: (outage_s - 2.0).max(0.0),
                at_most_s: outage_s + 2.0,
            };
            let range = requests(&baseline, &silent);
            let people = users(&baseline, &silent, range);
            let truth = all.len() - cut;
            let distinct: std::collections::BTreeSet<_> =
                all[cut..].iter().map(|(_, user)| *user).collect();
            let covers = |range: Range, truth: usize| {
                let truth = u64::try_from(truth).unwrap();
                range.low <= truth && truth <= range.high
            };
            score.runs += 1;
            score.requests_covered += usize::from(covers(range, truth));
            score.users_covered += usize::from(covers(people, distinct.len()));
            let relative = |range: Range, truth: usize| {
                (range.high - range.low) as f64 / float(truth).max(1.0)
            };
            score.width += relative(range, truth);
            score.users_width += relative(people, distinct.len());
        }
        score.width /= float(score.runs);
        score.users_width /= float(score.runs);
        score
    }

    #[track_caller]
    fn check_covers(score: &Score, width_max: f64, users_width_max: f64) {
        let needed = score.runs * 99 / 100;
        let told = format!(
            "requests {}/{}, users {}, width {:.2}, users' width {:.2}",
            score.requests_covered, score.runs, score.users_covered, score.width, score.users_width
        );
        assert!(
            score.requests_covered >= needed && score.users_covered >= needed,
            "{told}"
        );
        assert!(
            score.width <= width_max && score.users_width <= users_width_max,
            "{told}"
        );
    }

    fn between(random: &mut Random, low: f64, high: f64) -> f64 {
        low * (high / low).powf(random.unit())
    }

    #[test]
    fn a_drill_of_steady_traffic_is_covered_by_a_tight_range() {
        let score = play(300, |random| {
            let generator = Generator {
                rate: between(random, 10.0, 60.0),
                swing: 0.0,
                period_s: 600.0,
                users: 40,
                burst: 1,
            };
            (
                generator,
                usize::try_from(20 + random.below(280)).unwrap(),
                between(random, 8.0, 60.0),
            )
        });
        check_covers(&score, 0.8, 0.6);
    }

    #[test]
    fn any_rate_and_length_is_covered() {
        let score = play(300, |random| {
            let generator = Generator {
                rate: between(random, 0.2, 80.0),
                swing: 0.0,
                period_s: 600.0,
                users: u32::try_from(1 + random.below(2_000)).unwrap(),
                burst: u32::try_from(1 + random.below(4)).unwrap(),
            };
            (
                generator,
                usize::try_from(10 + random.below(890)).unwrap(),
                between(random, 1.0, 600.0),
            )
        });
        check_covers(&score, 9.0, 9.0);
    }

    #[test]
    fn traffic_that_swings_by_a_fifth_within_the_hour_is_covered() {
        let score = play(300, |random| {
            let generator = Generator {
                rate: between(random, 5.0, 60.0),
                swing: 0.2,
                period_s: between(random, 3_600.0, 86_400.0),
                users: u32::try_from(5 + random.below(500)).unwrap(),
                burst: 1,
            };
            (
                generator,
                usize::try_from(60 + random.below(840)).unwrap(),
                between(random, 5.0, 300.0),
            )
        });
        check_covers(&score, 1.0, 1.0);
    }

    #[test]
    fn no_traffic_before_means_little_or_none_expected() {
        let baseline = Baseline {
            from_ms: 0,
            seconds: 600,
            requests: &[],
        };
        let silent = Silent {
            at_least_s: 10.0,
            at_most_s: 12.0,
        };
        assert_eq!(requests(&baseline, &silent), Range { low: 0, high: 5 });
    }
}
