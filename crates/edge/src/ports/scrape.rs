//! The exporters that are scraped, as Prometheus' API and its clients see them. It knows no JSON and no sockets.

use std::collections::BTreeMap;

use tocsin_domain::signal::Labels;
use tocsin_domain::time::Timestamp;
use tocsin_domain::write::MetricMetadata;

/// Tells of every exporter that is scraped. Calls may block.
pub trait ScrapeTargets: Send + Sync + 'static {
    /// Names of the pools (Prometheus' scrape configurations), sorted.
    fn pools(&self) -> Vec<String>;

    /// Targets that are scraped, by pool.
    fn active(&self) -> Vec<ActiveTarget>;

    /// Targets that relabelling dropped, by pool.
    fn dropped(&self) -> Vec<DroppedTarget>;

    /// How many targets relabelling dropped in each pool; more than [`ScrapeTargets::dropped`] may remember.
    fn dropped_counts(&self) -> BTreeMap<String, u64>;
}

/// Nothing is scraped.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoScrapeTargets;

impl ScrapeTargets for NoScrapeTargets {
    fn pools(&self) -> Vec<String> {
        Vec::new()
    }

    fn active(&self) -> Vec<ActiveTarget> {
        Vec::new()
    }

    fn dropped(&self) -> Vec<DroppedTarget> {
        Vec::new()
    }

    fn dropped_counts(&self) -> BTreeMap<String, u64> {
        BTreeMap::new()
    }
}

/// An exporter that is scraped.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ActiveTarget {
    /// What was known of it before relabelling.
    pub discovered_labels: Labels,
    /// The labels that its series get.
    pub labels: Labels,
    /// The pool it belongs to.
    pub pool: String,
    /// Where it is scraped; no secrets.
    pub scrape_url: String,
    /// The same address as others can reach it.
    pub global_url: String,
    /// Why the last scrape failed.
    pub last_error: Option<String>,
    /// When it was scraped last; none before the first time.
    pub last_scrape: Option<Timestamp>,
    /// How long that took, microseconds.
    pub last_scrape_us: u64,
    /// How the last scrape went.
    pub health: TargetHealth,
    /// How often it is scraped, milliseconds.
    pub interval_ms: u64,
    /// After how long a scrape is given up, milliseconds.
    pub timeout_ms: u64,
    /// What it says of its metrics, sorted by name.
    pub metadata: Vec<(String, MetricMetadata)>,
}

/// How a target's last scrape went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TargetHealth {
    /// It was not scraped yet.
    #[default]
    Unknown,
    /// It answered.
    Up,
    /// It did not answer, or what it answered could not be read.
    Down,
}

/// A target that relabelling dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DroppedTarget {
    /// What was known of it.
    pub discovered_labels: Labels,
    /// The pool it would belong to.
    pub pool: String,
}
