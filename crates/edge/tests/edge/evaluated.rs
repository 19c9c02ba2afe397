//! Rules and scraped exporters as a test says they are.

use std::collections::BTreeMap;
use std::sync::Mutex;

use tocsin_edge::ports::rules::{RuleGroup, Rules};
use tocsin_edge::ports::scrape::{ActiveTarget, DroppedTarget, ScrapeTargets};

#[derive(Default)]
pub(crate) struct FixedRules(pub(crate) Mutex<Vec<RuleGroup>>);

impl Rules for FixedRules {
    fn groups(&self) -> Vec<RuleGroup> {
        self.0.lock().unwrap().clone()
    }
}

#[derive(Default)]
pub(crate) struct FixedTargets {
    pub(crate) active: Mutex<Vec<ActiveTarget>>,
    pub(crate) dropped: Mutex<Vec<DroppedTarget>>,
}

impl ScrapeTargets for FixedTargets {
    fn pools(&self) -> Vec<String> {
        let active = self.active.lock().unwrap();
        active.iter().map(|target| target.pool.clone()).collect()
    }

    fn active(&self) -> Vec<ActiveTarget> {
        self.active.lock().unwrap().clone()
    }

    fn dropped(&self) -> Vec<DroppedTarget> {
        self.dropped.lock().unwrap().clone()
    }

    fn dropped_counts(&self) -> BTreeMap<String, u64> {
        BTreeMap::from([("web".to_owned(), 3)])
    }
}
