//! Tests of the scrape configuration and of relabelling, case by case.

mod config;
mod refused;
mod relabelling;
mod series;
mod target;

use super::*;

/// The only job of a configuration whose job has these further lines (indented by four).
fn job(lines: &str) -> Job {
    let text = format!("scrape_configs:\n  - job_name: web\n{lines}");
    let config = read_config(&text).unwrap_or_else(|fault| panic!("{fault}\n{text}"));
    config.jobs.into_iter().next().unwrap()
}

fn labels(pairs: &[(&str, &str)]) -> LabelSet {
    pairs.iter().copied().collect()
}
