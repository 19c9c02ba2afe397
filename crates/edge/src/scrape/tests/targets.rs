//! Targets that come, stay and go. Their exporters are never asked: the jobs' encryption cannot be used, so every scrape fails
//! at once, without the network.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tocsin_domain::time::Timestamp;
use tocsin_engine::ports::Clock;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::super::pools::{Pools, View};
use super::super::target_loop::Common;
use super::*;
use crate::ports::scrape::TargetHealth;

/// Tells the time of the paused runtime.
struct Paused(Instant);

impl Clock for Paused {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(i64::try_from(self.0.elapsed().as_micros()).unwrap())
    }
}

struct Rig {
    pools: Pools,
    book: Arc<Book>,
    views: Arc<Mutex<BTreeMap<String, View>>>,
}

impl Rig {
    fn new() -> Self {
        crate::tls::install_provider();
        let book = Arc::new(Book::default());
        let views: Arc<Mutex<BTreeMap<String, View>>> = Arc::default();
        let common = Arc::new(Common {
            metrics: Arc::clone(&book) as _,
            clock: Arc::new(Paused(Instant::now())),
            room: Arc::new(Semaphore::new(1)),
            left: Mutex::default(),
        });
        Self {
            pools: Pools::new(common, super::super::everywhere(), Arc::clone(&views)),
            book,
            views,
        }
    }

    /// Takes a job with these targets and further lines.
    async fn load(&mut self, targets: &str, lines: &str) {
        let job = job(&format!(
            "    scrape_interval: 10s\n    tls_config: {{ca_file: /nowhere/ca.pem}}\n    static_configs: [{{targets: [{targets}]}}]\n{lines}"
        ));
        self.pools.reload(vec![job]).await;
    }

    fn view(&self) -> View {
        self.views.lock().unwrap()["web"].clone()
    }

    /// Lines of `up` that were written since the last look, without their times.
    fn ups(&self) -> Vec<String> {
        let lines = self.book.taken();
        let ups = lines.iter().filter(|line| line.starts_with("up{"));
        ups.map(|line| line.split_once(" @").unwrap().0.to_owned())
            .collect()
    }
}

async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn each_target_is_scraped_once_in_every_interval() {
    let mut rig = Rig::new();
    rig.load("'a:1', 'b:1'", "").await;
    pass(30).await;
    let ups = rig.ups();
    assert_eq!(
        ups.iter()
            .filter(|up| **up == "up{instance=a:1 job=web} 0")
            .count(),
        3,
        "{ups:?}"
    );
    assert_eq!(ups.len(), 6, "{ups:?}");
    let status = rig.view().scraped[0].status();
    assert_eq!(status.health, TargetHealth::Down);
    assert!(status.error.unwrap().contains("/nowhere/ca.pem"));
}

#[tokio::test(start_paused = true)]
async fn a_reload_leaves_unchanged_targets_alone() {
    let mut rig = Rig::new();
    rig.load("'a:1', 'b:1'", "").await;
    let before = rig.view().scraped;
    rig.load("'b:1', 'c:1'", "").await;
    let after = rig.view().scraped;
    assert!(Arc::ptr_eq(&before[1], &after[0]), "b:1 goes on");
    assert_eq!(after.len(), 2);
    rig.load("'b:1', 'c:1'", "    honor_labels: true\n").await;
    assert!(
        !Arc::ptr_eq(&after[0], &rig.view().scraped[0]),
        "another configuration, another loop"
    );
}

#[tokio::test(start_paused = true)]
async fn series_of_a_removed_target_are_ended_after_a_grace() {
    let mut rig = Rig::new();
    rig.load("'a:1', 'b:1'", "").await;
    pass(10).await;
    rig.ups();
    rig.load("'b:1'", "").await;
    pass(20).await;
    assert_eq!(rig.ups(), ["up{instance=b:1 job=web} 0"; 2]);
    pass(10).await;
    assert_eq!(
        rig.ups(),
        [
            "up{instance=a:1 job=web} stale",
            "up{instance=b:1 job=web} 0"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_target_that_comes_back_in_time_is_not_ended() {
    let mut rig = Rig::new();
    rig.load("'a:1'", "").await;
    pass(10).await;
    rig.load("", "").await;
    rig.load("'a:1'", "    honor_labels: true\n").await;
    pass(60).await;
    let ups = rig.ups();
    assert!(
        ups.len() >= 6 && ups.iter().all(|up| up.ends_with(" 0")),
        "{ups:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn more_targets_than_the_limit_are_not_asked() {
    let mut rig = Rig::new();
    rig.load("'a:1', 'b:1'", "    target_limit: 1\n").await;
    pass(10).await;
    let error = rig.view().scraped[0].status().error.unwrap();
    assert_eq!(error, "the job has 2 targets; target_limit is 1");
    rig.load("'a:1'", "    target_limit: 1\n").await;
    pass(10).await;
    let error = rig.view().scraped[0].status().error.unwrap();
    assert!(error.contains("/nowhere/ca.pem"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn dropped_targets_are_counted_and_remembered_up_to_the_limit() {
    let mut rig = Rig::new();
    let rules = "    keep_dropped_targets: 1\n    relabel_configs: [{source_labels: [__address__], regex: 'a.*', action: drop}]\n";
    rig.load("'a:1', 'a:2', 'b:1', 'b:1'", rules).await;
    let view = rig.view();
    assert_eq!(
        (view.scraped.len(), view.dropped.len(), view.dropped_count),
        (1, 1, 2)
    );
    assert_eq!(view.dropped[0].get("__address__"), "a:1");
}

#[tokio::test(start_paused = true)]
async fn files_of_targets_are_followed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("t.yml");
    let mut rig = Rig::new();
    let lines = format!(
        "    file_sd_configs: [{{files: ['{}/*.yml']}}]\n",
        folder.path().display()
    );
    rig.load("", &lines).await;
    assert!(rig.view().scraped.is_empty());
    std::fs::write(&file, "- targets: ['f:1']\n  labels: {env: live}\n").unwrap();
    rig.pools.look().await;
    let view = rig.view();
    assert_eq!(view.scraped[0].target.labels.get("env"), "live");
    let found = view.scraped[0]
        .target
        .discovered
        .get("__meta_filepath")
        .to_owned();
    assert_eq!(found, file.display().to_string());
    std::fs::write(&file, "- targets: [").unwrap();
    rig.pools.look().await;
    assert_eq!(rig.view().scraped.len(), 1, "a broken file changes nothing");
    std::fs::remove_file(&file).unwrap();
    rig.pools.look().await;
    assert!(rig.view().scraped.is_empty());
}
