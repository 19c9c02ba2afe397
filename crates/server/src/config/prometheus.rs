//! The section `[prometheus]`: which of Prometheus' own files are used. It reads none of them.

use std::path::{Path, PathBuf};

use super::document::{Reader, Section};
use super::{LIST_ENTRIES_MAX, value};

/// What Prometheus' own files give.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Prometheus {
    /// A `prometheus.yml`: what is scraped, and further rule files.
    pub(crate) config: Option<PathBuf>,
    /// Rule files, and patterns of such.
    pub(crate) rule_files: Vec<PathBuf>,
    /// The interval of groups that name none, milliseconds.
    pub(crate) evaluation_interval_ms: Option<u64>,
}

impl Prometheus {
    /// With the command line's word over it; no rule files are no word.
    pub(super) fn merge(self, config: Option<PathBuf>, rule_files: Vec<PathBuf>) -> Self {
        Self {
            config: config.or(self.config),
            rule_files: if rule_files.is_empty() {
                self.rule_files
            } else {
                rule_files
            },
            ..self
        }
    }
}

pub(super) fn read(reader: &mut Reader<'_>, section: Section<'_>, base: &Path) -> Prometheus {
    let rule_files = reader.values(section, "rule_files", LIST_ENTRIES_MAX, |value| {
        value::path(value, base, "rules/*.yml")
    });
    Prometheus {
        config: reader.value(section, "config", |value| {
            value::path(value, base, "/etc/prometheus/prometheus.yml")
        }),
        rule_files: rule_files.unwrap_or_default(),
        evaluation_interval_ms: reader.value(section, "evaluation_interval", value::interval),
    }
}
