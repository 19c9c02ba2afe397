//! What becomes of a discovered address: its labels after relabelling, where and how often it is scraped. It asks nobody.

use std::collections::BTreeMap;

use super::config::Job;
use super::labels::LabelSet;
use super::relabel::{hash, relabel};
use super::units::Duration;

const ADDRESS: &str = "__address__";
const SCHEME: &str = "__scheme__";
const METRICS_PATH: &str = "__metrics_path__";
const SCRAPE_INTERVAL: &str = "__scrape_interval__";
const SCRAPE_TIMEOUT: &str = "__scrape_timeout__";
const PARAM: &str = "__param_";
const META: &str = "__meta_";
const RESERVED: &str = "__";

/// A target that is scraped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// Labels that its series get.
    pub labels: LabelSet,
    /// Where it is scraped.
    pub url: String,
    /// How often.
    pub interval: Duration,
    /// After how long a scrape is given up; not longer than the interval.
    pub timeout: Duration,
    /// What was known of it before relabelling.
    pub discovered: LabelSet,
}

impl Target {
    /// A number that stays the same for the same target, evenly spread over targets: it tells when in the interval it is scraped.
    #[must_use]
    pub fn spread(&self) -> u64 {
        hash(&format!("{}{}", self.labels, self.url))
    }
}

/// What became of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Populated {
    /// It is scraped.
    Kept(Target),
    /// Relabelling dropped it; what was known of it.
    Dropped(LabelSet),
}

/// Why a target cannot be scraped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetFault {
    /// Relabelling left no address.
    #[error("has no address")]
    NoAddress,
    /// The address is none.
    #[error("{0:?} is no address; expected host:port without a scheme or a path")]
    BadAddress(String),
    /// A label that tells a duration has something else.
    #[error("{label} is {value:?}, which is no duration above 0")]
    BadDuration {
        /// The label.
        label: &'static str,
        /// Its value.
        value: String,
    },
    /// A scrape would last longer than the time between two.
    #[error("the timeout {timeout} is longer than the interval {interval}")]
    TimeoutTooLong {
        /// The timeout.
        timeout: Duration,
        /// The interval.
        interval: Duration,
    },
    /// The scheme is none that is spoken.
    #[error("the scheme is {0:?}; expected http or https")]
    BadScheme(String),
}

/// Relabels a discovered target. `labels` are those of its group and of whatever found it.
///
/// # Errors
/// What is left cannot be scraped.
pub fn populate(job: &Job, address: &str, labels: &LabelSet) -> Result<Populated, TargetFault> {
    let discovered = discovered(job, address, labels);
    let mut all = discovered.clone();
    if !relabel(&mut all, &job.relabel) {
        return Ok(Populated::Dropped(discovered));
    }
    let address = all.get(ADDRESS).to_owned();
    check_address(&address)?;
    let interval = duration(&all, SCRAPE_INTERVAL)?;
    let timeout = duration(&all, SCRAPE_TIMEOUT)?;
    if timeout > interval {
        return Err(TargetFault::TimeoutTooLong { timeout, interval });
    }
    if !["http", "https"].contains(&all.get(SCHEME)) {
        return Err(TargetFault::BadScheme(all.get(SCHEME).to_owned()));
    }
    all.retain(|name| !name.starts_with(META));
    all.set_default("instance", &address);
    let url = url(job, &all);
    all.retain(|name| !name.starts_with(RESERVED));
    Ok(Populated::Kept(Target {
        labels: all,
        url,
        interval,
        timeout,
        discovered,
    }))
}

fn discovered(job: &Job, address: &str, labels: &LabelSet) -> LabelSet {
    let mut all = labels.clone();
    all.set(ADDRESS, address);
    all.set_default("job", &job.name);
    all.set_default(SCRAPE_INTERVAL, &job.scrape_interval.to_string());
    all.set_default(SCRAPE_TIMEOUT, &job.scrape_timeout.to_string());
    all.set_default(METRICS_PATH, &job.metrics_path);
    all.set_default(SCHEME, job.scheme.word());
    for (name, values) in &job.params {
        if let Some(first) = values.first() {
            all.set_default(&format!("{PARAM}{name}"), first);
        }
    }
    all
}

/// Refuses what would mean something else inside a URL.
pub(super) fn check_address(address: &str) -> Result<(), TargetFault> {
    if address.is_empty() {
        return Err(TargetFault::NoAddress);
    }
    let foreign = |symbol: char| {
        "/\\?#@%\"<>^`{|}".contains(symbol) || symbol.is_whitespace() || symbol.is_control()
    };
    if address.contains(foreign) {
        return Err(TargetFault::BadAddress(address.to_owned()));
    }
    Ok(())
}

fn duration(labels: &LabelSet, label: &'static str) -> Result<Duration, TargetFault> {
    let value = labels.get(label);
    Duration::parse(value)
        .filter(|duration| duration.ms > 0)
        .ok_or_else(|| TargetFault::BadDuration {
            label,
            value: value.to_owned(),
        })
}

fn url(job: &Job, labels: &LabelSet) -> String {
    let mut params = job.params.clone();
    for (name, value) in labels.iter() {
        let Some(name) = name.strip_prefix(PARAM) else {
            continue;
        };
        let values: &mut Vec<String> = params.entry(name.to_owned()).or_default();
        match values.first_mut() {
            Some(first) => value.clone_into(first),
            None => values.push(value.to_owned()),
        }
    }
    let path = labels.get(METRICS_PATH);
    let slash = if path.is_empty() || path.starts_with('/') {
        ""
    } else {
        "/"
    };
    format!(
        "{}://{}{slash}{}{}",
        labels.get(SCHEME),
        labels.get(ADDRESS),
        percent(path, "-_.~$&+,/:;=@"),
        query(&params)
    )
}

fn query(params: &BTreeMap<String, Vec<String>>) -> String {
    let mut query = String::new();
    for (name, values) in params {
        for value in values {
            query.push(if query.is_empty() { '?' } else { '&' });
            query.push_str(&percent(name, "-_.~"));
            query.push('=');
            query.push_str(&percent(value, "-_.~"));
        }
    }
    query
}

/// Percent-encodes all but letters, digits and what is named.
fn percent(text: &str, plain: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || plain.as_bytes().contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
