//! The loop of one target: waits until it is due, asks, stores, remembers how it went. Which targets there are is decided
//! elsewhere.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tocsin_domain::time::Timestamp;
use tocsin_engine::ports::Clock;
use tocsin_wire::prometheus_scrape::{Job, LabelSet, Target};
use tokio::sync::{Semaphore, watch};

use super::client::{Fetched, JobClient};
use super::failure::Failure;
use super::memory::Memory;
use super::sample::{Done, Scrape, end_target};
use super::schedule::Schedule;
use crate::lock::lock;
use crate::ports::Metrics;
use crate::ports::scrape::TargetHealth;

/// What all loops use.
pub(super) struct Common {
    pub(super) metrics: Arc<dyn Metrics>,
    pub(super) clock: Arc<dyn Clock>,
    /// Memory for answers that are being read.
    pub(super) room: Arc<Semaphore>,
    /// Series of targets that are scraped no more, by the labels of the target, until they are ended or taken over.
    pub(super) left: Mutex<BTreeMap<LabelSet, Left>>,
}

impl Common {
    /// What a target left at a time, unless another one took it over.
    fn take_left(&self, labels: &LabelSet, at_ms: i64) -> Option<Left> {
        let mut left = lock(&self.left);
        if left.get(labels)?.at_ms == at_ms {
            left.remove(labels)
        } else {
            None
        }
    }
}

/// What a target left.
pub(super) struct Left {
    series: Vec<LabelSet>,
    /// Tells this from what a later target of the same labels leaves.
    at_ms: i64,
}

/// A job as its targets use it.
pub(super) struct JobAtWork {
    pub(super) job: Job,
    /// Or why it cannot make requests.
    pub(super) client: Result<JobClient, String>,
}

/// One target as its loop and those who ask about it see it.
pub(super) struct Scraped {
    pub(super) target: Target,
    pub(super) job: Arc<JobAtWork>,
    status: Mutex<Status>,
    memory: Mutex<Memory>,
}

/// How the last scrape went.
#[derive(Clone, Debug, Default)]
pub(super) struct Status {
    pub(super) health: TargetHealth,
    pub(super) error: Option<String>,
    pub(super) at: Option<Timestamp>,
    pub(super) took: Duration,
    /// Whether the store refused samples of it.
    refused: bool,
}

impl Scraped {
    pub(super) fn new(target: Target, job: Arc<JobAtWork>) -> Self {
        Self {
            target,
            job,
            status: Mutex::default(),
            memory: Mutex::default(),
        }
    }

    pub(super) fn status(&self) -> Status {
        lock(&self.status).clone()
    }

    /// What it says of its metrics.
    pub(super) fn metadata(&self) -> Vec<(String, tocsin_domain::write::MetricMetadata)> {
        lock(&self.memory).metadata.clone()
    }

    fn schedule(&self) -> Schedule {
        Schedule::new(self.target.interval.ms, self.target.spread())
    }
}

/// Scrapes a target until told to stop. `forced` tells why it is not to be asked at the moment.
pub(super) async fn run(
    common: Arc<Common>,
    scraped: Arc<Scraped>,
    mut stop: watch::Receiver<bool>,
    forced: watch::Receiver<Option<String>>,
) {
    let schedule = scraped.schedule();
    let mut due_ms = schedule.next(common.clock.now().as_millis());
    loop {
        let now_ms = common.clock.now().as_millis();
        let wait = u64::try_from(due_ms - now_ms).unwrap_or_default();
        // A clock that was set back must not silence a target for longer than its interval.
        let wait = Duration::from_millis(wait.min(scraped.target.interval.ms));
        tokio::select! {
            _ = stop.changed() => break,
            () = tokio::time::sleep(wait) => {}
        }
        let why = forced.borrow().clone();
        tokio::select! {
            _ = stop.changed() => break,
            () = once(&common, &scraped, due_ms, why) => {}
        }
        let now_ms = common.clock.now().as_millis();
        due_ms = schedule.next(due_ms.max(now_ms));
    }
    leave(common, scraped).await;
}

/// One scrape.
async fn once(common: &Arc<Common>, scraped: &Arc<Scraped>, due_ms: i64, forced: Option<String>) {
    let begun = Instant::now();
    let at = common.clock.now();
    let at_ms = scraped.schedule().stamp(due_ms, at.as_millis());
    let fetched = match (&scraped.job.client, forced) {
        (_, Some(why)) => Err(Failure::Limit(why)),
        (Err(why), None) => Err(Failure::Unusable(why.clone())),
        (Ok(client), None) => {
            let timeout = Duration::from_millis(scraped.target.timeout.ms);
            client
                .fetch(&scraped.target.url, timeout, &common.room)
                .await
        }
    };
    let (common, scraped) = (Arc::clone(common), Arc::clone(scraped));
    // Once there is an answer it is stored, whether or not the target is scraped any longer.
    let storing = tokio::task::spawn_blocking(move || {
        store(&common, &scraped, fetched, begun, at, at_ms);
    });
    if let Err(error) = storing.await {
        tracing::error!(%error, "a scrape ended in a fault of Tocsin itself");
    }
}

fn store(
    common: &Common,
    scraped: &Scraped,
    fetched: Result<Fetched, Failure>,
    begun: Instant,
    at: Timestamp,
    at_ms: i64,
) {
    let mut memory = lock(&scraped.memory);
    if let Some(left) = lock(&common.left).remove(&scraped.target.labels) {
        memory.orphans.extend(left.series);
    }
    let client = scraped.job.client.as_ref();
    let scrape = Scrape {
        job: &scraped.job.job,
        target: &scraped.target,
        at_ms,
        begun,
        body_bytes_max: client.map_or(0, JobClient::body_bytes_max),
    };
    let done = scrape.finish(fetched, &mut memory, &*common.metrics);
    drop(memory);
    note(scraped, done, at);
}

/// Remembers how a scrape went; the log tells of changes only.
fn note(scraped: &Scraped, done: Done, at: Timestamp) {
    let (job, url) = (&scraped.job.job.name, &scraped.target.url);
    let mut status = lock(&scraped.status);
    let was_down = status.health == TargetHealth::Down;
    match &done.failure {
        Some(failure) if !was_down => {
            tracing::warn!(job, url, %failure, "an exporter could not be scraped");
        }
        None if was_down => tracing::info!(job, url, "an exporter is scraped again"),
        Some(_) | None => {}
    }
    if let Some(why) = done.refused.as_ref().filter(|_| !status.refused) {
        tracing::warn!(job, url, %why, "the store did not take every sample of an exporter");
    }
    *status = Status {
        health: if done.failure.is_some() {
            TargetHealth::Down
        } else {
            TargetHealth::Up
        },
        error: done.failure.map(|failure| failure.to_string()),
        at: Some(at),
        took: done.took,
        refused: done.refused.is_some(),
    };
}

/// Leaves the target's series to one that takes its place, or ends them when none does.
async fn leave(common: Arc<Common>, scraped: Arc<Scraped>) {
    let schedule = scraped.schedule();
    let at_ms = schedule.next(common.clock.now().as_millis());
    let series = std::mem::take(&mut *lock(&scraped.memory)).into_orphans();
    if scraped.status().at.is_none() {
        return;
    }
    let key = &scraped.target.labels;
    lock(&common.left).insert(key.clone(), Left { series, at_ms });
    tokio::time::sleep(Duration::from_millis(schedule.grace_ms())).await;
    let Some(left) = common.take_left(key, at_ms) else {
        return;
    };
    let ending = tokio::task::spawn_blocking(move || {
        let (job, target) = (&scraped.job.job, &scraped.target);
        if let Err(failure) = end_target(job, target, &left.series, left.at_ms, &*common.metrics) {
            tracing::warn!(job = job.name, url = target.url, %failure, "the end of a target's series was not stored");
        }
    });
    // A fault there is logged by the runtime; nothing else waits for it.
    drop(ending);
}
