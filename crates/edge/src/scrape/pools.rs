//! Which targets there are: from the configuration and from files, job by job; starts and stops their loops. It asks none.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tocsin_wire::prometheus_scrape::{
    Duration, FileDiscovery, Job, LabelSet, Populated, Target, TargetGroup, populate,
};
use tokio::sync::watch;

use super::client::JobClient;
use super::files::TargetFiles;
use super::target_loop::{Common, JobAtWork, Scraped, run};
use crate::delivery::egress::Egress;
use crate::lock::lock;

/// Targets of one job that are scraped at most.
const TARGETS_MAX: usize = 20_000;
/// Dropped targets of one job that are remembered at most.
const DROPPED_MAX: usize = 1_000;

/// What tells one loop from another: where and how a target is scraped, not how it was found.
type Key = (LabelSet, String, Duration, Duration);

/// One job with its targets.
struct Pool {
    at_work: Arc<JobAtWork>,
    groups: Vec<TargetGroup>,
    discovery: Vec<FileDiscovery>,
    files: TargetFiles,
    loops: BTreeMap<Key, Running>,
    dropped: Vec<LabelSet>,
    dropped_count: u64,
    /// Why targets are not asked at the moment.
    forced: watch::Sender<Option<String>>,
    /// The last fault of a target that was told.
    told: Option<String>,
}

struct Running {
    scraped: Arc<Scraped>,
    stop: watch::Sender<bool>,
}

/// One job as those who ask about it see it.
#[derive(Clone, Default)]
pub(super) struct View {
    pub(super) scraped: Vec<Arc<Scraped>>,
    pub(super) dropped: Vec<LabelSet>,
    pub(super) dropped_count: u64,
}

/// All jobs.
pub(super) struct Pools {
    common: Arc<Common>,
    egress: Egress,
    pools: BTreeMap<String, Pool>,
    views: Arc<Mutex<BTreeMap<String, View>>>,
}

impl Pools {
    pub(super) fn new(
        common: Arc<Common>,
        egress: Egress,
        views: Arc<Mutex<BTreeMap<String, View>>>,
    ) -> Self {
        Self {
            common,
            egress,
            pools: BTreeMap::new(),
            views,
        }
    }

    /// Takes other jobs. The loops of a job that scrapes as before go on.
    pub(super) async fn reload(&mut self, jobs: Vec<Job>) {
        let mut before = std::mem::take(&mut self.pools);
        for mut job in jobs {
            let groups = std::mem::take(&mut job.static_groups);
            let discovery = std::mem::take(&mut job.file_discovery);
            let name = job.name.clone();
            let mut pool = match before.remove(&name) {
                Some(pool) if pool.at_work.job == job => pool,
                Some(pool) => {
                    pool.stop();
                    self.pool(job).await
                }
                None => self.pool(job).await,
            };
            (pool.groups, pool.discovery) = (groups, discovery);
            self.pools.insert(name, pool);
        }
        before.into_values().for_each(|pool| pool.stop());
        self.look().await;
    }

    async fn pool(&self, job: Job) -> Pool {
        let egress = self.egress.clone();
        let made = tokio::task::spawn_blocking(move || {
            let client = JobClient::new(&job, &egress);
            JobAtWork { job, client }
        });
        // Nothing in there can fail but by a fault of ours, which ends this task too.
        let at_work = made.await.expect("making a client does not panic");
        if let Err(why) = &at_work.client {
            tracing::error!(job = at_work.job.name, %why, "the targets of a job cannot be asked");
        }
        Pool {
            at_work: Arc::new(at_work),
            groups: Vec::new(),
            discovery: Vec::new(),
            files: TargetFiles::default(),
            loops: BTreeMap::new(),
            dropped: Vec::new(),
            dropped_count: 0,
            forced: watch::Sender::new(None),
            told: None,
        }
    }

    /// Looks at the files of targets; starts and stops loops accordingly.
    pub(super) async fn look(&mut self) {
        let mut files: Vec<(TargetFiles, Vec<FileDiscovery>)> = self
            .pools
            .values_mut()
            .map(|pool| (std::mem::take(&mut pool.files), pool.discovery.clone()))
            .collect();
        let looked = tokio::task::spawn_blocking(move || {
            let now = Instant::now();
            for (files, discovery) in &mut files {
                files.look(discovery, now);
            }
            files
        });
        let Ok(files) = looked.await else {
            return;
        };
        for (pool, (files, _)) in self.pools.values_mut().zip(files) {
            pool.files = files;
            pool.sync(&self.common);
        }
        let views = self.pools.iter();
        let views = views.map(|(name, pool)| (name.clone(), pool.view()));
        *lock(&self.views) = views.collect();
    }
}

impl Pool {
    /// Starts what is new, stops what is gone.
    fn sync(&mut self, common: &Arc<Common>) {
        let wanted = self.wanted();
        self.loops.retain(|key, running| {
            let stays = wanted.contains_key(key);
            if !stays {
                running.stop.send_replace(true);
            }
            stays
        });
        for (key, target) in wanted {
            if self.loops.contains_key(&key) {
                continue;
            }
            let scraped = Arc::new(Scraped::new(target, Arc::clone(&self.at_work)));
            let stop = watch::Sender::new(false);
            tokio::spawn(run(
                Arc::clone(common),
                Arc::clone(&scraped),
                stop.subscribe(),
                self.forced.subscribe(),
            ));
            self.loops.insert(key, Running { scraped, stop });
        }
        let (count, limit) = (self.loops.len() as u64, self.at_work.job.limits.targets);
        let forced = (limit > 0 && count > limit)
            .then(|| format!("the job has {count} targets; target_limit is {limit}"));
        self.forced.send_if_modified(|now| {
            let differs = *now != forced;
            *now = forced;
            differs
        });
    }

    fn wanted(&mut self) -> BTreeMap<Key, Target> {
        let job = &self.at_work.job;
        let keep = match job.limits.dropped_targets {
            0 => DROPPED_MAX,
            limit => usize::try_from(limit)
                .unwrap_or(DROPPED_MAX)
                .min(DROPPED_MAX),
        };
        let mut wanted = BTreeMap::new();
        let mut fault = None;
        self.dropped.clear();
        self.dropped_count = 0;
        let found = self.files.groups();
        for group in self.groups.iter().chain(&found) {
            for address in &group.targets {
                match populate(job, address, &group.labels) {
                    Ok(Populated::Kept(target)) if wanted.len() < TARGETS_MAX => {
                        let key = (
                            target.labels.clone(),
                            target.url.clone(),
                            target.interval,
                            target.timeout,
                        );
                        wanted.entry(key).or_insert(target);
                    }
                    Ok(Populated::Kept(_)) => {
                        fault = Some(format!(
                            "of more than {TARGETS_MAX} targets the rest is left out"
                        ));
                    }
                    Ok(Populated::Dropped(labels)) => {
                        self.dropped_count += 1;
                        if self.dropped.len() < keep {
                            self.dropped.push(labels);
                        }
                    }
                    Err(why) => fault = Some(format!("the target {address:?} {why}")),
                }
            }
        }
        if fault.is_some() && fault != self.told {
            tracing::warn!(job = job.name, why = fault, "a target is not scraped");
        }
        self.told = fault;
        wanted
    }

    fn stop(&self) {
        for running in self.loops.values() {
            running.stop.send_replace(true);
        }
    }

    fn view(&self) -> View {
        View {
            scraped: self
                .loops
                .values()
                .map(|running| Arc::clone(&running.scraped))
                .collect(),
            dropped: self.dropped.clone(),
            dropped_count: self.dropped_count,
        }
    }
}
