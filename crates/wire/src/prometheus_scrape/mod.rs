//! How Prometheus is told what to scrape: its configuration file, relabelling, files of targets, negotiation of the format, and
//! the labels that a scraped series gets. It fetches nothing and keeps nothing.

mod config;
mod document;
mod file_sd;
mod http;
mod labels;
mod protocol;
mod relabel;
mod resolve;
mod series;
mod target;
mod template;
mod units;
mod unknown;

pub use config::{
    Auth, Escaping, FileDiscovery, Global, HeaderSource, HttpClient, Ignored, Job, Limits, Names,
    PrometheusConfig, Scheme, Secret, SecretSource, TargetGroup, TlsClient,
};
pub use file_sd::{FileFormat, read_target_groups};
pub use labels::LabelSet;
pub use protocol::{NoFormat, Protocol, accept_header, format_of};
pub use relabel::{Action, BadRule, Rule, RuleText, relabel};
pub use resolve::{Fault, check_job_names, read_config, read_job_file};
pub use series::{LabelLimitFault, series_labels};
pub use target::{Populated, Target, TargetFault, populate};
pub use units::{Duration, matches_glob};

#[cfg(test)]
mod tests;
