//! Keeps in a small file how far the logs were read; a lost or damaged file only means that reading begins at the end.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use tocsin_domain::id::TargetId;

use crate::procfs::read_at_most;
use crate::tail::Position;
use crate::watched::lock;

const VERSION: u32 = 1;
const FILE_BYTES_MAX: u64 = 1_024 * 1_024;

#[derive(Serialize, Deserialize)]
struct Written {
    version: u32,
    targets: BTreeMap<String, Vec<Position>>,
}

/// The positions of all targets.
pub(crate) struct Positions {
    file: Option<PathBuf>,
    targets: Mutex<BTreeMap<String, Vec<Position>>>,
}

impl Positions {
    /// Reads the file, if there is one.
    pub(crate) fn load(file: Option<PathBuf>) -> Self {
        let written = file.as_deref().and_then(|file| match read(file) {
            Ok(written) => Some(written),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                let file = file.display();
                tracing::warn!(%file, %error, "how far the logs were read is not known: reading begins at their ends");
                None
            }
        });
        Self {
            file,
            targets: Mutex::new(written.map(|written| written.targets).unwrap_or_default()),
        }
    }

    pub(crate) fn of(&self, target: TargetId) -> Vec<Position> {
        lock(&self.targets)
            .get(target.as_str())
            .cloned()
            .unwrap_or_default()
    }

    /// Keeps a target's positions, on disk too when they changed.
    pub(crate) fn keep(&self, target: TargetId, positions: Vec<Position>) -> io::Result<()> {
        let mut targets = lock(&self.targets);
        if targets.get(target.as_str()) == Some(&positions) {
            return Ok(());
        }
        targets.insert(target.to_string(), positions);
        let Some(file) = &self.file else {
            return Ok(());
        };
        let written = Written {
            version: VERSION,
            targets: targets.clone(),
        };
        let new = file.with_extension("new");
        // Without an fsync: after a power cut an older position only means that some lines are read twice.
        std::fs::write(
            &new,
            serde_json::to_vec(&written).map_err(io::Error::other)?,
        )?;
        std::fs::rename(&new, file)
    }
}

fn read(file: &Path) -> io::Result<Written> {
    let written: Written =
        serde_json::from_slice(&read_at_most(file, FILE_BYTES_MAX)?).map_err(io::Error::other)?;
    if written.version == VERSION {
        Ok(written)
    } else {
        Err(io::Error::other("its version is not ours"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Zero;

    impl tocsin_domain::id::Entropy for Zero {
        fn fill(&mut self, buffer: &mut [u8]) {
            buffer.fill(0);
        }
    }

    #[test]
    fn positions_survive_a_restart_and_damage_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("positions.json");
        let target = TargetId::random(&mut Zero);
        let position = Position {
            path: "/a".into(),
            device: 1,
            inode: 2,
            offset: 3,
        };
        let positions = Positions::load(Some(file.clone()));
        positions.keep(target, vec![position.clone()]).unwrap();
        assert_eq!(Positions::load(Some(file.clone())).of(target), [position]);
        std::fs::write(&file, "{torn").unwrap();
        assert!(Positions::load(Some(file)).of(target).is_empty());
    }
}
