//! A small supervisor that starts its program again shortly after it died, as systemd or a container runtime would; it
//! does not know what it runs.

use std::ffi::OsString;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::{Because, Outcome, fail};

/// A program that dies this often within `RUSH` is given up.
const DEATHS_MAX: usize = 20;
const RUSH: Duration = Duration::from_secs(10);

/// Runs `command` for ever, `delay` after each death; ends only when it dies too often, cannot start, or is killed.
pub(crate) fn supervise(command: &[OsString], delay: Duration) -> Outcome<()> {
    let [program, arguments @ ..] = command else {
        fail!("supervise needs a program to run")
    };
    let mut deaths: Vec<Instant> = Vec::new();
    loop {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .spawn()
            .because(format!("starting {}", program.display()))?;
        child.wait().because("waiting for the program")?;
        deaths.push(Instant::now());
        deaths.retain(|death| death.elapsed() < RUSH);
        if deaths.len() >= DEATHS_MAX {
            fail!(
                "{} died {DEATHS_MAX} times within {} s and is given up",
                program.display(),
                RUSH.as_secs()
            );
        }
        thread::sleep(delay);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_keeps_dying_is_given_up_after_twenty_starts() {
        let dir = std::env::temp_dir().join(format!("tocsin-supervise-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let count = dir.join("count");
        let script = format!("echo x >> {}", count.display());
        let command = ["sh", "-c", &script].map(OsString::from);
        assert!(supervise(&command, Duration::ZERO).is_err());
        assert_eq!(
            std::fs::read_to_string(&count).unwrap().lines().count(),
            DEATHS_MAX
        );
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn a_program_that_is_not_there_is_said_at_once() {
        assert!(supervise(&["/nonexistent/program".into()], Duration::ZERO).is_err());
    }
}
