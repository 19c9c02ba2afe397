//! Files that list targets, read again when they change. A broken one leaves what it said last. It knows no job.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use tocsin_wire::prometheus_scrape::{FileDiscovery, FileFormat, TargetGroup, read_target_groups};

use super::load::matching;
use super::tls::read_small;

/// A file is not larger, bytes.
const FILE_BYTES_MAX: u64 = 16 << 20;
/// The label that tells which file a target comes from.
const FILE_LABEL: &str = "__meta_filepath";

/// The files of one job.
#[derive(Debug, Default)]
pub(super) struct TargetFiles(BTreeMap<PathBuf, Known>);

/// What is known of a file.
#[derive(Debug)]
struct Known {
    stamp: Option<(SystemTime, u64)>,
    read_at: Instant,
    groups: Vec<TargetGroup>,
    fault: Option<String>,
}

impl TargetFiles {
    /// Looks at the files and reads those that changed, or that were not read for long. It blocks.
    pub(super) fn look(&mut self, discovery: &[FileDiscovery], now: Instant) {
        let mut present = BTreeMap::new();
        for one in discovery {
            let refresh = Duration::from_millis(one.refresh_interval.ms);
            for path in one.files.iter().flat_map(|file| matching(Path::new(file))) {
                present.entry(path).or_insert(refresh);
            }
        }
        self.0.retain(|path, _| present.contains_key(path));
        for (path, refresh) in present {
            self.look_at(path, refresh, now);
        }
    }

    fn look_at(&mut self, path: PathBuf, refresh: Duration, now: Instant) {
        let stamp = std::fs::metadata(&path)
            .and_then(|metadata| Ok((metadata.modified()?, metadata.len())))
            .ok();
        let known = self.0.get(&path);
        if let Some(known) = known
            && known.stamp == stamp
            && now.saturating_duration_since(known.read_at) < refresh
        {
            return;
        }
        let read = read(&path);
        let known = self.0.entry(path.clone()).or_insert_with(|| Known {
            stamp,
            read_at: now,
            groups: Vec::new(),
            fault: None,
        });
        (known.stamp, known.read_at) = (stamp, now);
        match read {
            Ok(groups) => {
                if known.fault.take().is_some() {
                    tracing::info!(file = %path.display(), "the list of targets can be read again");
                }
                known.groups = groups;
            }
            Err(why) => {
                if known.fault.as_ref() != Some(&why) {
                    tracing::warn!(file = %path.display(), %why, "the list of targets cannot be used; what it said last stays in force");
                }
                known.fault = Some(why);
            }
        }
    }

    /// The groups of all files, each with the label that names its file.
    pub(super) fn groups(&self) -> Vec<TargetGroup> {
        let mut all = Vec::new();
        for (path, known) in &self.0 {
            for group in &known.groups {
                let mut group = group.clone();
                group.labels.set(FILE_LABEL, path.to_string_lossy());
                all.push(group);
            }
        }
        all
    }
}

fn read(path: &Path) -> Result<Vec<TargetGroup>, String> {
    let name = path.to_string_lossy();
    let format = FileFormat::of_name(&name)
        .ok_or_else(|| "ends in none of .json, .yml and .yaml".to_owned())?;
    let bytes = read_small(&name, FILE_BYTES_MAX)?;
    let text = String::from_utf8(bytes).map_err(|_| "is no UTF-8 text".to_owned())?;
    read_target_groups(&text, format)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_file_leaves_what_it_said_last_and_a_removed_one_takes_its_targets_along() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let discovery = [FileDiscovery {
            files: vec![path("*.json").display().to_string()],
            refresh_interval: Default::default(),
        }];
        let mut files = TargetFiles::default();
        let mut look = || {
            files.look(&discovery, Instant::now());
            let groups = files.groups();
            groups
                .iter()
                .map(|one| one.targets.join(","))
                .collect::<Vec<_>>()
        };
        assert!(look().is_empty());
        std::fs::write(path("a.json"), r#"[{"targets": ["a:1"]}]"#).unwrap();
        std::fs::write(path("b.json"), r#"[{"targets": ["b:1", "b:2"]}]"#).unwrap();
        std::fs::write(path("c.txt"), r#"[{"targets": ["c:1"]}]"#).unwrap();
        assert_eq!(look(), ["a:1", "b:1,b:2"]);
        std::fs::write(path("a.json"), "[{\"targets\": [").unwrap();
        assert_eq!(look(), ["a:1", "b:1,b:2"]);
        std::fs::write(path("a.json"), r#"[{"targets": ["a:9"]}]"#).unwrap();
        std::fs::remove_file(path("b.json")).unwrap();
        assert_eq!(look(), ["a:9"]);
    }
}
