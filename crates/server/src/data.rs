//! Opens a data directory: lock, journal, vault, accounts, and the state that the journal tells.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
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
    let (mut state, at) = (State::default(), Cell::new(None));
    let folded: Result<(), JournalError> = naming_the_event(&at, || {
        journal.reader().read_all(1, &mut |event| {
            at.set(Some(event.position));
            state.evolve(&event);
            at.set(None);
            Ok(())
        })
    })?;
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

/// Reads the journal. What an event says cannot be left out, so a panic while it is taken in ends the start; which event it was, is
/// told.
fn naming_the_event<T>(at: &Cell<Option<u64>>, read: impl FnOnce() -> T) -> anyhow::Result<T> {
    // The state that is half done is given up with the start.
    catch_unwind(AssertUnwindSafe(read)).or_else(|panic| match at.get() {
        Some(position) => anyhow::bail!(
            "event {position} of the journal cannot be taken in, by a fault of Tocsin itself (told above); nothing was changed: \
             start the version of Tocsin that ran before, and report this"
        ),
        None => resume_unwind(panic),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_while_the_journal_is_taken_in_names_the_event() {
        let at = Cell::new(None);
        let read = naming_the_event(&at, || {
            at.set(Some(7));
            "a fault".parse::<u8>().unwrap()
        });
        let why = read.unwrap_err().to_string();
        assert!(why.contains("event 7 of the journal"), "{why}");
        at.set(None);
        assert_eq!(naming_the_event(&at, || 3).unwrap(), 3);
    }
}
