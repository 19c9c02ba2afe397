//! A clock on the wall that can be set for one process alone, by libfaketime; it does not know why it is set.

use std::fs;
use std::path::PathBuf;

use crate::failure::{Because, Outcome};
use crate::site::server::Serve;

/// Where the library is, besides what `$LIBFAKETIME` names.
const LIBRARIES: [&str; 4] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib64/faketime/libfaketimeMT.so.1",
    "/usr/local/lib/faketime/libfaketimeMT.so.1",
];
/// Why a fault cannot be tried without it.
pub(super) const MISSING: &str = "libfaketime is not installed (Debian: faketime); `cargo xtask sim` sets clocks in virtual time";

/// The clock of what is run with it.
pub(super) struct Clock {
    /// Seconds before or after the machine's own clock. How they are read from there is libfaketime's affair; it looks again at
    /// every call.
    offset: PathBuf,
}

impl Clock {
    /// Gives `serve` a clock of its own, which is right at first; none where the library is missing.
    pub(super) fn give(serve: &mut Serve) -> Outcome<Option<Self>> {
        let named = std::env::var_os("LIBFAKETIME").map(PathBuf::from);
        let mut libraries = named.into_iter().chain(LIBRARIES.map(PathBuf::from));
        let Some(library) = libraries.find(|path| path.is_file()) else {
            return Ok(None);
        };
        let clock = Self {
            offset: serve.dir.join("offset"),
        };
        clock.set(0)?;
        let variables = [
            ("LD_PRELOAD", library.display().to_string()),
            (
                "FAKETIME_TIMESTAMP_FILE",
                clock.offset.display().to_string(),
            ),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            // Only the clock on the wall jumps; time goes on as it did.
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ];
        serve.environment = variables
            .map(|(name, value)| (name.to_owned(), value))
            .to_vec();
        Ok(Some(clock))
    }

    /// Sets it so many seconds before or after the machine's own.
    pub(super) fn set(&self, seconds: i64) -> Outcome<()> {
        // Renamed into place, so that it is never read half.
        let beside = self.offset.with_extension("new");
        fs::write(&beside, format!("{seconds:+}"))
            .because(format!("writing {}", beside.display()))?;
        fs::rename(&beside, &self.offset).because(format!("writing {}", self.offset.display()))
    }
}
