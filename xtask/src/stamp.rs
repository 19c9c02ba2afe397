//! What was made once from an input and is good as long as that stays: installed, bundled, unpacked. It does not know what it is.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::failure::{Because, Outcome, fail};

/// Remembers in a file what input something was made from.
pub(crate) struct Stamp {
    file: PathBuf,
    input: String,
}

impl Stamp {
    /// In `file`, for what is made from something that is told by this text.
    pub(crate) const fn new(file: PathBuf, input: String) -> Self {
        Self { file, input }
    }

    /// The same for what is made from these bytes.
    pub(crate) fn of_bytes(file: PathBuf, bytes: &[u8]) -> Self {
        Self::new(file, hex(&Sha256::digest(bytes)))
    }

    /// Whether it was made from the same input before.
    pub(crate) fn is_current(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|text| text == self.input)
    }

    /// It is made now.
    pub(crate) fn set(&self) -> Outcome<()> {
        fs::write(&self.file, &self.input).because(format!("writing {}", self.file.display()))
    }
}

/// Runs a command without showing its output, unless it fails.
pub(crate) fn quiet(mut command: Command, name: &str) -> Outcome<()> {
    let done = command.output().because(format!("running {name}"))?;
    if !done.status.success() {
        let said = [done.stdout, done.stderr].concat();
        fail!(
            "`{name}` failed ({}); it said:\n{}",
            done.status,
            String::from_utf8_lossy(&said).trim_end()
        );
    }
    Ok(())
}

/// Bytes as text.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_from_another_input_is_made_anew() {
        let file = std::env::temp_dir().join(format!("tocsin-stamp-{}", std::process::id()));
        let stamp = |input: &[u8]| Stamp::of_bytes(file.clone(), input);
        assert!(!stamp(b"one").is_current());
        stamp(b"one").set().unwrap();
        assert!(stamp(b"one").is_current());
        assert!(!stamp(b"two").is_current());
        fs::remove_file(&file).unwrap();
    }

    #[test]
    fn what_a_command_said_is_shown_when_it_fails() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo why; exit 3"]);
        let failure = quiet(command, "it").unwrap_err();
        assert!(failure.to_string().contains("why"), "{failure}");
    }
}
