//! The requests of an access log in a span of time, and counts over parts of it; it estimates nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::evidence::Evidence;
use super::facts::Recorded;
use super::ledger::{Counted, LogQuery};
use super::mask::clean;
use super::moment::Moment;
use crate::signal::{LogLine, LogRecord};

/// Status that counts as failed from here on.
const FAILED_FROM: u16 = 500;
/// The server gave up waiting for a request that never came.
const REQUEST_TIMEOUT: u16 = 408;
/// Requests of one log at most, about 70 MB of memory; what is beyond is only counted.
const REQUESTS_MAX: usize = 3_000_000;
/// Tiers that are told apart at most: what the log names as a tier comes from outside.
const TIERS_MAX: usize = 100;
/// The tier of requests whose own one is not told apart.
const OTHER_TIER: &str = "other";

/// One logged request of a user. As text it is the array of its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Row", into = "Row")]
pub struct Request {
    /// Milliseconds since the epoch.
    pub at_ms: i64,
    /// HTTP status.
    pub status: u16,
    /// Index into [`RequestLog::tiers`].
    pub tier: u16,
    /// A number for the user, the same for all requests of a user in this log; none when the log does not name them.
    pub user: Option<u32>,
}

type Row = (i64, u16, u16, Option<u32>);

impl From<Row> for Request {
    fn from((at_ms, status, tier, user): Row) -> Self {
        Self {
            at_ms,
            status,
            tier,
            user,
        }
    }
}

impl From<Request> for Row {
    fn from(request: Request) -> Self {
        (request.at_ms, request.status, request.tier, request.user)
    }
}

impl Request {
    pub(super) const fn failed(&self) -> bool {
        self.status >= FAILED_FROM
    }
}

/// Enough of an access log to count and to expect by; neither lines nor names of users are in it. Requests of own probes
/// and connections that were closed without a request are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestLog {
    /// Whether an access log was read at all (own probes count for this).
    pub was_read: bool,
    /// The tiers that occur, in the order in which they did.
    pub tiers: Vec<String>,
    /// In the order of time.
    pub requests: Vec<Request>,
    /// Requests that were too many to keep. Unless it is 0, nothing can be counted.
    pub left_out: u64,
}

/// Makes a [`RequestLog`] of the lines of one target.
#[derive(Debug, Default)]
pub struct RequestLogBuilder {
    log: RequestLog,
    users: BTreeMap<String, u32>,
}

impl RequestLogBuilder {
    /// Adds a line; one that tells of no user's request adds nothing.
    pub fn add(&mut self, record: &LogRecord) {
        let LogLine::Access {
            status,
            method,
            tier,
            user,
            own_probe,
            ..
        } = &record.line
        else {
            return;
        };
        self.log.was_read = true;
        if *own_probe || is_empty_connection(*status, method) {
            return;
        }
        if self.log.requests.len() >= REQUESTS_MAX {
            self.log.left_out = self.log.left_out.saturating_add(1);
            return;
        }
        let request = Request {
            at_ms: record.at.as_millis(),
            status: *status,
            tier: self.tier(tier),
            user: self.user(user),
        };
        self.log.requests.push(request);
    }

    fn tier(&mut self, tier: &str) -> u16 {
        let tiers = &mut self.log.tiers;
        let known = |tier: &str, tiers: &[String]| tiers.iter().position(|known| known == tier);
        let index = known(tier, tiers).unwrap_or_else(|| {
            let tier = if tiers.len() < TIERS_MAX {
                tier
            } else {
                OTHER_TIER
            };
            known(tier, tiers).unwrap_or_else(|| {
                tiers.push(tier.to_owned());
                tiers.len() - 1
            })
        });
        u16::try_from(index).unwrap_or(u16::MAX)
    }

    fn user(&mut self, user: &str) -> Option<u32> {
        if user.is_empty() {
            return None;
        }
        if let Some(number) = self.users.get(user) {
            return Some(*number);
        }
        let next = u32::try_from(self.users.len()).unwrap_or(u32::MAX);
        self.users.insert(user.to_owned(), next);
        Some(next)
    }

    /// What was added, in the order of time.
    #[must_use]
    pub fn finish(mut self) -> RequestLog {
        self.log.requests.sort_by_key(|request| request.at_ms);
        self.log
    }
}

impl RequestLog {
    /// The name of a tier.
    #[must_use]
    pub fn tier_name(&self, tier: u16) -> &str {
        self.tiers.get(usize::from(tier)).map_or("", String::as_str)
    }

    /// Where counting begins for what happened from `from` on. A log that tells whole seconds only (the usual one does)
    /// puts a request at the beginning of its second, so the second that `from` is in belongs to it: otherwise the first
    /// failures would not be counted.
    pub(super) fn counted_from(&self, from: Moment) -> Moment {
        if self.tells_whole_seconds() {
            from.shifted(-from.as_millis().rem_euclid(1_000))
        } else {
            from
        }
    }

    /// Whether no request has a fraction of a second.
    pub(super) fn tells_whole_seconds(&self) -> bool {
        let whole = |request: &Request| request.at_ms.rem_euclid(1_000) == 0;
        self.requests.iter().all(whole)
    }

    /// Those in `[from, until)`.
    pub(super) fn within(&self, from: Moment, until: Moment) -> &[Request] {
        let requests = &self.requests;
        let start = requests.partition_point(|r| r.at_ms < from.as_millis());
        let end = requests.partition_point(|r| r.at_ms < until.as_millis());
        requests.get(start..end.max(start)).unwrap_or_default()
    }
}

/// A connection that was closed before a request was read is nobody's request.
fn is_empty_connection(status: u16, method: &str) -> bool {
    status == REQUEST_TIMEOUT && matches!(method, "" | "-")
}

/// The answer to a question to the log.
pub(super) fn answer(evidence: &Evidence, query: &LogQuery, from: Moment, until: Moment) -> u64 {
    let log = &evidence.requests;
    let printed = |tier: &String| clean(tier, super::case::NAME_CHARS);
    let names: Vec<String> = log.tiers.iter().map(printed).collect();
    let asked = |request: &&Request| {
        let name = names.get(usize::from(request.tier));
        query.tier.is_none() || name == query.tier.as_ref()
    };
    let wanted = log.within(from, until).iter().filter(asked);
    match query.counted {
        Counted::Requests => count(wanted.count()),
        Counted::FailedRequests => count(wanted.filter(|r| r.failed()).count()),
        Counted::Users => distinct(wanted.filter_map(|r| r.user)),
        Counted::FailedUsers => distinct(wanted.filter(|r| r.failed()).filter_map(|r| r.user)),
    }
}

/// All that can be counted of some requests.
pub(super) fn recorded<'a>(requests: impl Iterator<Item = &'a Request> + Clone) -> Recorded {
    let failed = requests.clone().filter(|request| request.failed());
    Recorded {
        requests: count(requests.clone().count()),
        failed: count(failed.clone().count()),
        users: distinct(requests.filter_map(|request| request.user)),
        users_failed: distinct(failed.filter_map(|request| request.user)),
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
    use crate::time::Timestamp;

    /// Which of requests logged at `logged_ms` are counted for a failure that began at `onset_ms`.
    #[track_caller]
    fn check(logged_ms: &[i64], onset_ms: i64, expected: &[i64]) {
        let request = |at_ms: &i64| Request {
            at_ms: *at_ms,
            status: 500,
            tier: 0,
            user: None,
        };
        let requests = RequestLog {
            requests: logged_ms.iter().map(request).collect(),
            ..RequestLog::default()
        };
        let from = requests.counted_from(Moment::from_millis(onset_ms));
        let counted = requests.within(from, Moment::from_millis(i64::MAX));
        let counted: Vec<i64> = counted.iter().map(|request| request.at_ms).collect();
        assert_eq!(counted, expected);
    }

    fn line(ms: i64, status: u16, tier: &str, user: &str) -> LogRecord {
        LogRecord {
            at: Timestamp::from_millis(ms),
            target: "QAAAAAAAAAAAAA".parse().unwrap(),
            line: LogLine::Access {
                status,
                method: "GET".to_owned(),
                path: "/login".to_owned(),
                duration_us: None,
                tier: tier.to_owned(),
                user: user.to_owned(),
                own_probe: user == "probe",
            },
            raw: "the line itself".to_owned(),
        }
    }

    #[test]
    fn a_log_is_kept_without_lines_names_probes_and_endless_tiers() {
        let mut builder = RequestLogBuilder::default();
        assert!(!RequestLogBuilder::default().finish().was_read);
        builder.add(&line(2_000, 200, "free", "probe"));
        builder.add(&line(3_000, 503, "premium", "cafe"));
        builder.add(&line(1_000, 200, "premium", "cafe"));
        builder.add(&line(4_000, 408, "", ""));
        for n in 0..500 {
            builder.add(&line(5_000, 200, &format!("tier {n}"), ""));
        }
        let log = builder.finish();
        assert!(log.was_read);
        let first: Vec<Row> = log.requests[..3].iter().map(|one| (*one).into()).collect();
        assert_eq!(
            first,
            [
                (1_000, 200, 0, Some(0)),
                (3_000, 503, 0, Some(0)),
                (4_000, 408, 1, None)
            ]
        );
        assert_eq!(log.tiers.len(), TIERS_MAX + 1);
        assert_eq!(log.tiers.last().map(String::as_str), Some(OTHER_TIER));
        let text = serde_json::to_string(&log).unwrap();
        assert!(!text.contains("cafe") && !text.contains("itself"), "{text}");
        assert_eq!(serde_json::from_str::<RequestLog>(&text).unwrap(), log);
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
