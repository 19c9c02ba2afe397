//! A lock on a database of Tocsin's that somebody else holds: a back-up that was made by hand, or a person with a shell. What follows
//! from it is not known here.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::failure::{Because, Outcome};
use crate::janitor::Janitor;
use crate::places;
use crate::processes::Identity;

/// Why there is none here.
pub(super) const MISSING: &str = "python3 with its module sqlite3 is not installed";
/// Holds the lock until its input ends.
const HOLD: &str = "\
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], timeout=10, isolation_level=None)
database.execute('BEGIN EXCLUSIVE')
print('held', flush=True)
sys.stdin.read()
database.execute('ROLLBACK')
";

/// A lock that lets nobody else write, held by a process of its own.
pub(super) struct Lock(Child);

impl Lock {
    /// Takes it; none where that cannot be done here.
    pub(super) fn take(database: &Path, janitor: &mut Janitor) -> Outcome<Option<Self>> {
        let Some(python) = places::program(&["python3"]) else {
            return Ok(None);
        };
        let mut holder = Command::new(python)
            .args(["-c", HOLD])
            .arg(database)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .because("starting python3")?;
        if let Some(identity) = i32::try_from(holder.id()).ok().and_then(Identity::of) {
            janitor.will_end(identity);
        }
        let mut said = String::new();
        if let Some(out) = holder.stdout.take() {
            BufReader::new(out)
                .read_line(&mut said)
                .because("waiting for the lock")?;
        }
        let lock = Self(holder);
        if said.trim() == "held" {
            return Ok(Some(lock));
        }
        lock.release()?;
        Ok(None)
    }

    /// Gives it back.
    pub(super) fn release(mut self) -> Outcome<()> {
        drop(self.0.stdin.take());
        self.0.wait().because("waiting for the lock's holder")?;
        Ok(())
    }
}
