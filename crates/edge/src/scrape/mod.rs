//! Scrapes exporters as Prometheus does, on threads of its own, and stores what they answer. What the configuration means is
//! decided in `wire`; it evaluates nothing.

mod client;
mod failure;
mod files;
mod load;
mod memory;
mod pools;
mod sample;
mod schedule;
mod target_loop;
#[cfg(test)]
mod tests;
mod tls;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use tocsin_engine::ports::Clock;
use tocsin_wire::prometheus_scrape::{Job, LabelSet};
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::delivery::egress::{Block, Egress};
use crate::lock::lock;
use crate::ports::Metrics;
use crate::ports::scrape::{ActiveTarget, DroppedTarget, ScrapeTargets};
use pools::{Pools, View};
use target_loop::{Common, Scraped};

pub use load::{LoadError, Loaded, load};

/// Threads that wait for exporters.
const THREADS: usize = 2;
/// Threads that read, store and look up.
const BLOCKING_THREADS: usize = 16;
/// How often files of targets are looked at.
const FILES_LOOK: Duration = Duration::from_secs(5);
/// How long scrapes that are under way may take once Tocsin stops.
const STOP_WAIT: Duration = Duration::from_secs(2);
/// Reloads that wait at most.
const RELOADS_MAX: usize = 4;

/// What scraping needs.
pub struct Needs {
    /// Where samples go.
    pub metrics: Arc<dyn Metrics>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What links begin with: the name under which others reach this machine.
    pub public_url: String,
}

/// Scraping at work; reaches it from any thread, cheap to clone.
#[derive(Clone)]
pub struct Scraper {
    reload: mpsc::Sender<(Vec<Job>, oneshot::Sender<()>)>,
    views: Arc<Mutex<BTreeMap<String, View>>>,
    public_host: Arc<str>,
}

/// The threads of scraping; they end when told, or when this is dropped.
pub struct Scraping {
    stop: Option<std::sync::mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    worker: tokio::task::JoinHandle<()>,
}

/// Starts to scrape.
///
/// # Errors
/// The operating system gives no threads.
pub fn start(jobs: Vec<Job>, needs: Needs) -> io::Result<(Scraper, Scraping)> {
    crate::tls::install_provider();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_name("scrape")
        .enable_all()
        .build()?;
    let common = Arc::new(Common {
        metrics: needs.metrics,
        clock: needs.clock,
        room: Arc::new(Semaphore::new(client::PERMITS)),
        left: Mutex::default(),
    });
    let views = Arc::default();
    let (reload, reloads) = mpsc::channel(RELOADS_MAX);
    let pools = Pools::new(common, everywhere(), Arc::clone(&views));
    let worker = runtime.spawn(work(pools, jobs, reloads));
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::Builder::new()
        .name("scrape".to_owned())
        .spawn(move || {
            // Ends when told or when the sender is dropped; both mean the same.
            let _ = stopped.recv();
            runtime.shutdown_timeout(STOP_WAIT);
        })?;
    let host = reqwest::Url::parse(&needs.public_url).ok();
    let host = host.and_then(|url| url.host_str().map(Arc::from));
    let scraper = Scraper {
        reload,
        views,
        public_host: host.unwrap_or_else(|| Arc::from("localhost")),
    };
    let scraping = Scraping {
        stop: Some(stop),
        thread: Some(thread),
        worker,
    };
    Ok((scraper, scraping))
}

/// Targets stand in the operator's own files, so private addresses are meant; those of cloud metadata stay forbidden.
fn everywhere() -> Egress {
    let all = ["0.0.0.0/0", "::/0"];
    let blocks = all.iter().filter_map(|block| block.parse::<Block>().ok());
    Egress::new(blocks.collect())
}

async fn work(
    mut pools: Pools,
    jobs: Vec<Job>,
    mut reloads: mpsc::Receiver<(Vec<Job>, oneshot::Sender<()>)>,
) {
    pools.reload(jobs).await;
    loop {
        match tokio::time::timeout(FILES_LOOK, reloads.recv()).await {
            Err(_) => pools.look().await,
            Ok(Some((jobs, done))) => {
                pools.reload(jobs).await;
                // Whoever asked may be gone.
                let _ = done.send(());
            }
            // Nobody can reload any more; the files are still looked at.
            Ok(None) => {
                tokio::time::sleep(FILES_LOOK).await;
                pools.look().await;
            }
        }
    }
}

impl Scraper {
    /// Scrapes by other jobs from now on. Targets that are scraped as before are not disturbed. It blocks until the targets are
    /// known.
    ///
    /// # Errors
    /// Scraping has ended.
    pub fn reload(&self, jobs: Vec<Job>) -> Result<(), String> {
        let ended = || "scraping has ended: Tocsin is stopping".to_owned();
        let (done, known) = oneshot::channel();
        self.reload
            .blocking_send((jobs, done))
            .map_err(|_| ended())?;
        known.blocking_recv().map_err(|_| ended())
    }

    fn views(&self) -> BTreeMap<String, View> {
        lock(&self.views).clone()
    }

    fn active_target(&self, pool: &str, scraped: &Scraped) -> ActiveTarget {
        let status = scraped.status();
        let target = &scraped.target;
        ActiveTarget {
            discovered_labels: map(&target.discovered),
            labels: map(&target.labels),
            pool: pool.to_owned(),
            global_url: self.global_url(&target.url),
            scrape_url: target.url.clone(),
            last_error: status.error,
            last_scrape: status.at,
            last_scrape_us: u64::try_from(status.took.as_micros()).unwrap_or(u64::MAX),
            health: status.health,
            interval_ms: target.interval.ms,
            timeout_ms: target.timeout.ms,
            metadata: scraped.metadata(),
        }
    }

    /// The address of a target on this machine as others write it.
    fn global_url(&self, url: &str) -> String {
        let Ok(mut parsed) = reqwest::Url::parse(url) else {
            return url.to_owned();
        };
        let is_here =
            ["localhost", "127.0.0.1", "[::1]"].contains(&parsed.host_str().unwrap_or_default());
        if !is_here || parsed.set_host(Some(&self.public_host)).is_err() {
            return url.to_owned();
        }
        parsed.to_string()
    }
}

impl ScrapeTargets for Scraper {
    fn pools(&self) -> Vec<String> {
        self.views().into_keys().collect()
    }

    fn active(&self) -> Vec<ActiveTarget> {
        let mut all = Vec::new();
        for (pool, view) in self.views() {
            let scraped = view.scraped.iter();
            all.extend(scraped.map(|one| self.active_target(&pool, one)));
        }
        all
    }

    fn dropped(&self) -> Vec<DroppedTarget> {
        let mut all = Vec::new();
        for (pool, view) in self.views() {
            all.extend(view.dropped.iter().map(|labels| DroppedTarget {
                discovered_labels: map(labels),
                pool: pool.clone(),
            }));
        }
        all
    }

    fn dropped_counts(&self) -> BTreeMap<String, u64> {
        let views = self.views().into_iter();
        views
            .map(|(pool, view)| (pool, view.dropped_count))
            .collect()
    }
}

impl Scraping {
    /// Whether it has ended: before it was told to, that is a fault, and nothing is scraped any more.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.worker.is_finished() || self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Begins no further scrape and ends.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has ended too.
            let _ = thread.join();
        }
    }
}

impl Drop for Scraping {
    fn drop(&mut self) {
        self.end();
    }
}

fn map(labels: &LabelSet) -> BTreeMap<String, String> {
    let pairs = labels.iter();
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
