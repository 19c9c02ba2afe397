//! Files that list targets, as JSON or YAML; it opens none.

use serde::Deserialize;

use super::config::TargetGroup;
use super::document::GroupText;
use super::labels::LabelSet;
use super::target::check_address;

/// Targets of one file at most.
const TARGETS_MAX: usize = 100_000;
/// Characters of a target that are repeated in an error.
const SHOWN_CHARS_MAX: usize = 80;

/// How such a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// By the ending `.json`.
    Json,
    /// By the endings `.yml` and `.yaml`.
    Yaml,
}

impl FileFormat {
    /// The format of a file by its name; none when it has another ending.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        match name.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
            "json" => Some(Self::Json),
            "yml" | "yaml" => Some(Self::Yaml),
            _ => None,
        }
    }
}

/// Reads the groups of targets of a file.
///
/// # Errors
/// What is wrong with it, and where.
pub fn read_target_groups(text: &str, format: FileFormat) -> Result<Vec<TargetGroup>, String> {
    let groups: Vec<GroupText> = match format {
        FileFormat::Json => serde_json::from_str(text).map_err(|error| error.to_string())?,
        FileFormat::Yaml => {
            serde_saphyr::from_str::<Option<Groups>>(text)
                .map_err(|error| error.without_snippet().to_string())?
                .unwrap_or_default()
                .0
        }
    };
    let groups: Vec<TargetGroup> = groups.into_iter().map(group_of).collect();
    let count: usize = groups.iter().map(|group| group.targets.len()).sum();
    if count > TARGETS_MAX {
        return Err(format!(
            "it lists {count} targets; at most {TARGETS_MAX} are read"
        ));
    }
    Ok(groups)
}

#[derive(Default, Deserialize)]
#[serde(transparent)]
struct Groups(Vec<GroupText>);

pub(super) fn group_of(text: GroupText) -> TargetGroup {
    TargetGroup {
        targets: text.targets.unwrap_or_default(),
        labels: LabelSet::from_iter(text.labels.unwrap_or_default()),
    }
}

/// Refuses a target that stands in the configuration itself and cannot be an address; where there is relabelling it may become
/// one.
pub(super) fn check_static(group: &TargetGroup) -> Result<(), String> {
    for target in &group.targets {
        check_address(target).map_err(|fault| {
            fault
                .to_string()
                .chars()
                .take(SHOWN_CHARS_MAX)
                .collect::<String>()
        })?;
    }
    Ok(())
}
