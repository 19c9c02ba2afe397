//! The requests of the frozen access log in the order of time, and counts over spans of it; it estimates nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::evidence::Evidence;
use super::ledger::{Counted, LogQuery};
use super::mask::clean;
use super::moment::Moment;
use crate::signal::LogLine;

/// Status that counts as failed from here on.
const FAILED_FROM: u16 = 500;
/// The server gave up waiting for a request that never came.
const REQUEST_TIMEOUT: u16 = 408;

/// One logged request of a user.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    pub(super) at_ms: i64,
    pub(super) status: u16,
    /// Index into the tiers.
    pub(super) tier: usize,
    /// A number for the hash; none when the log does not name the user.
    pub(super) user: Option<u32>,
}

impl Request {
    pub(super) const fn failed(&self) -> bool {
        self.status >= FAILED_FROM
    }
}

/// All of them.
pub(super) struct Requests<'a> {
    /// In the order of time.
    pub(super) all: Vec<Request>,
    /// The tiers that occur, in alphabetical order.
    pub(super) tiers: Vec<&'a str>,
    /// Whether an access log was read at all (own probes count for this).
    pub(super) log_was_read: bool,
}

impl<'a> Requests<'a> {
    pub(super) fn of(evidence: &'a Evidence) -> Self {
        let mut log_was_read = false;
        let mut tiers: BTreeSet<&str> = BTreeSet::new();
        let mut lines = Vec::new();
        for record in &evidence.logs {
            let LogLine::Access {
                status,
                method,
                tier,
                user,
                own_probe,
                ..
            } = &record.line
            else {
                continue;
            };
            if evidence.incident.target != Some(record.target) {
                continue;
            }
            log_was_read = true;
            if *own_probe || is_empty_connection(*status, method) {
                continue;
            }
            tiers.insert(tier);
            lines.push((record.at.as_millis(), *status, tier.as_str(), user.as_str()));
        }
        let tiers: Vec<&str> = tiers.into_iter().collect();
        let mut users: BTreeMap<&str, u32> = BTreeMap::new();
        let mut all: Vec<Request> = lines
            .into_iter()
            .map(|(at_ms, status, tier, user)| Request {
                at_ms,
                status,
                tier: tiers.binary_search(&tier).unwrap_or_default(),
                user: (!user.is_empty()).then(|| {
                    let next = u32::try_from(users.len()).unwrap_or(u32::MAX);
                    *users.entry(user).or_insert(next)
                }),
            })
            .collect();
        all.sort_by_key(|request| request.at_ms);
        Self {
            all,
            tiers,
            log_was_read,
        }
    }

    /// Where counting begins for what happened from `from` on. A log that tells whole seconds only (the usual one does)
    /// puts a request at the beginning of its second, so the second that `from` is in belongs to it: otherwise the first
    /// failures would not be counted.
    pub(super) fn counted_from(&self, from: Moment) -> Moment {
        let whole = |ms: i64| ms.rem_euclid(1_000) == 0;
        if self.all.iter().all(|request| whole(request.at_ms)) {
            from.shifted(-from.as_millis().rem_euclid(1_000))
        } else {
            from
        }
    }

    /// Those in `[from, until)`.
    pub(super) fn within(&self, from: Moment, until: Moment) -> &[Request] {
        let start = self.all.partition_point(|r| r.at_ms < from.as_millis());
        let end = self.all.partition_point(|r| r.at_ms < until.as_millis());
        self.all.get(start..end.max(start)).unwrap_or_default()
    }
}

/// A connection that was closed before a request was read is nobody's request.
fn is_empty_connection(status: u16, method: &str) -> bool {
    status == REQUEST_TIMEOUT && matches!(method, "" | "-")
}

/// The answer to a question to the log.
pub(super) fn answer(
    requests: &Requests<'_>,
    evidence: &Evidence,
    query: &LogQuery,
    from: Moment,
    until: Moment,
) -> u64 {
    if query.counted == Counted::ErrorLines {
        return count(
            evidence
                .logs
                .iter()
                .filter(|record| evidence.incident.target == Some(record.target))
                .filter(|record| matches!(record.line, LogLine::Error { .. }))
                .map(|record| record.at.as_millis())
                .filter(|at| (from.as_millis()..until.as_millis()).contains(at))
                .count(),
        );
    }
    let wanted = requests.within(from, until).iter().filter(|request| {
        query.tier.as_ref().is_none_or(|tier| {
            let name = requests
                .tiers
                .get(request.tier)
                .copied()
                .unwrap_or_default();
            clean(name, super::case::NAME_CHARS) == *tier
        })
    });
    match query.counted {
        Counted::Requests => count(wanted.count()),
        Counted::FailedRequests => count(wanted.filter(|r| r.failed()).count()),
        Counted::Users => distinct(wanted.filter_map(|r| r.user)),
        Counted::FailedUsers => distinct(wanted.filter(|r| r.failed()).filter_map(|r| r.user)),
        Counted::ErrorLines => 0,
    }
}

fn distinct(users: impl Iterator<Item = u32>) -> u64 {
    count(users.collect::<BTreeSet<u32>>().len())
}

/// A count as the number that reports carry.
pub(super) fn count(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of requests logged at `logged_ms` are counted for a failure that began at `onset_ms`.
    #[track_caller]
    fn check(logged_ms: &[i64], onset_ms: i64, expected: &[i64]) {
        let request = |at_ms: &i64| Request {
            at_ms: *at_ms,
            status: 500,
            tier: 0,
            user: None,
        };
        let requests = Requests {
            all: logged_ms.iter().map(request).collect(),
            tiers: vec![""],
            log_was_read: true,
        };
        let from = requests.counted_from(Moment::from_millis(onset_ms));
        let counted = requests.within(from, Moment::from_millis(i64::MAX));
        let counted: Vec<i64> = counted.iter().map(|request| request.at_ms).collect();
        assert_eq!(counted, expected);
    }

    #[test]
    fn in_a_log_of_whole_seconds_the_second_of_the_onset_belongs_to_the_failure() {
        check(&[4_000, 5_000, 5_000, 6_000], 5_636, &[5_000, 5_000, 6_000]);
        check(&[4_000, 5_000], 5_000, &[5_000]);
    }

    #[test]
    fn a_log_that_tells_milliseconds_is_taken_at_its_word() {
        check(&[5_000, 5_400, 5_700], 5_636, &[5_700]);
    }
}
