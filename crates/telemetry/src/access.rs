//! Requests counted from raw lines of an access log; it knows no store.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tocsin_domain::signal::{LogLine, LogRecord};

/// The requests of one second that have the same tier and class of status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessSecond {
    /// Seconds since the epoch.
    pub second: i64,
    /// The users' tier; empty when unknown.
    pub tier: String,
    /// Class of the status: 2 for 200 to 299.
    pub class: u16,
    /// How many requests.
    pub requests: u64,
    /// Their users (keyed hashes), each once; requests without a user are not in it.
    pub users: BTreeSet<String>,
}

/// Second, tier, class.
type Key = (i64, String, u16);

/// Counts while lines come in.
#[derive(Debug, Default)]
pub(crate) struct AccessSeconds(BTreeMap<Key, (u64, BTreeSet<String>)>);

impl AccessSeconds {
    pub(crate) fn add(&mut self, log: &LogRecord) {
        let LogLine::Access {
            status,
            tier,
            user,
            own_probe: false,
            ..
        } = &log.line
        else {
            return;
        };
        let second = log.at.as_millis().div_euclid(1_000);
        let key = (second, tier.clone(), status / 100);
        let (requests, users) = self.0.entry(key).or_default();
        *requests += 1;
        if !user.is_empty() {
            users.insert(user.clone());
        }
    }

    pub(crate) fn finish(self) -> Vec<AccessSecond> {
        let seconds = self.0.into_iter();
        seconds
            .map(|((second, tier, class), (requests, users))| AccessSecond {
                second,
                tier,
                class,
                requests,
                users,
            })
            .collect()
    }
}

/// Counts requests by second, tier and class of status, own probes left out.
#[must_use]
pub fn access_per_second<'a>(logs: impl IntoIterator<Item = &'a LogRecord>) -> Vec<AccessSecond> {
    let mut seconds = AccessSeconds::default();
    logs.into_iter().for_each(|log| seconds.add(log));
    seconds.finish()
}
