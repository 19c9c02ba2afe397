//! Opens a data directory: lock, journal, vault, accounts, and the state that the journal tells.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use tocsin_domain::state::State;
use tocsin_journal::{Access, DataDir, DataDirLock, Journal, JournalError, Vault};

use crate::system::OsEntropy;

/// An opened data directory; the lock is held for as long as this lives.
pub(crate) struct Data {
    pub(crate) lock: DataDirLock,
    pub(crate) journal: Journal,
    pub(crate) vault: Arc<Vault>,
    pub(crate) access: Access,
    pub(crate) state: State,
}

/// Opens `folder`, creating it when it is missing.
pub(crate) fn open(folder: &Path, key_file: Option<&Path>) -> anyhow::Result<Data> {
    let lock = DataDir::lock(folder)?;
    let journal = Journal::open(&lock)?;
    let from_environment = std::env::var_os("TOCSIN_KEY_FILE").map(std::path::PathBuf::from);
    let key_file = from_environment.as_deref().or(key_file);
    let vault = Arc::new(Vault::open(&lock, key_file, &mut OsEntropy)?);
    let access = Access::open(&lock, &vault)?;
    let mut state = State::default();
    let folded: Result<(), JournalError> = journal.reader().read_all(1, &mut |event| {
        state.evolve(&event);
        Ok(())
    });
    folded.with_context(|| format!("reading the journal in {}", folder.display()))?;
    // What was put into the vault for a person or an integration whose coming or going was cut off by a crash belongs to nobody.
    let users = state.users.values().map(|user| (user.id, user.email));
    let keys = state.integrations.values().filter_map(|one| one.key_row);
    vault.keep_only(&users.collect(), &keys.collect())?;
    Ok(Data {
        lock,
        journal,
        vault,
        access,
        state,
    })
}
