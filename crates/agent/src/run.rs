//! Runs another program with limits on its time, its output and its rights; what it prints is for others to read.

use std::io::{self, PipeReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::stop::timespec;
use crate::trust::RunAs;

/// The longest any program may take.
pub(crate) const RUN_MS_MAX: u64 = 5_000;
/// Bytes kept of what a program prints; the rest is thrown away.
const OUTPUT_BYTES_MAX: usize = 512 * 1_024;

/// What a program did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    /// Exit code; of a signal, minus its number.
    pub(crate) code: i32,
    /// Standard output and standard error in one, in the order they came.
    pub(crate) output: String,
}

/// Runs `program` to its end, with an empty environment but for `environment`.
///
/// # Errors
/// When it cannot be started, or did not end in `ms_max` (it and all that it started are then killed).
pub(crate) fn run(
    program: &Path,
    arguments: &[String],
    environment: &[(String, String)],
    run_as: RunAs,
    ms_max: u64,
) -> io::Result<Ran> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)));
    // One pipe for both outputs keeps their lines in order.
    let (mut reader, writer) = io::pipe()?;
    command
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer);
    // A group of its own, so that what it starts ends with it.
    command.process_group(0);
    if let RunAs::User { uid, gid } = run_as {
        command.gid(gid).uid(uid);
    }
    let mut child = command.spawn()?;
    // Our ends for writing must be closed for the reader to see the end.
    drop(command);
    let outcome = gather(&mut reader, Instant::now() + Duration::from_millis(ms_max));
    if outcome.is_err()
        && let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw)
    {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let status = child.wait()?;
    let code = status
        .code()
        .unwrap_or_else(|| -status.signal().unwrap_or(0));
    Ok(Ran {
        code,
        output: outcome?,
    })
}

/// Reads until the other end is closed.
fn gather(reader: &mut PipeReader, deadline: Instant) -> io::Result<String> {
    let mut output = Vec::new();
    let mut buffer = [0; 16 * 1_024];
    loop {
        let rest = deadline.saturating_duration_since(Instant::now());
        if rest.is_zero() {
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the program did not end in time",
            ));
        }
        let ready = poll(
            &mut [PollFd::new(&*reader, PollFlags::IN)],
            Some(&timespec(rest)),
        )?;
        if ready == 0 {
            continue;
        }
        let size = reader.read(&mut buffer)?;
        if size == 0 {
            return Ok(String::from_utf8_lossy(&output).into_owned());
        }
        let room = OUTPUT_BYTES_MAX.saturating_sub(output.len());
        output.extend_from_slice(&buffer[..size.min(room)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, ms_max: u64) -> io::Result<Ran> {
        let arguments = ["-c".to_owned(), script.to_owned()];
        let environment = [("A".to_owned(), "1".to_owned())];
        run(
            Path::new("/bin/sh"),
            &arguments,
            &environment,
            RunAs::Ourselves,
            ms_max,
        )
    }

    #[test]
    fn output_and_code_come_back_and_the_environment_is_only_what_was_given() {
        let ran = sh("echo out$A$HOME; echo err >&2; exit 3", RUN_MS_MAX).unwrap();
        assert_eq!(ran.code, 3);
        assert!(ran.output.contains("out1\n") && ran.output.contains("err\n"));
    }

    #[test]
    fn a_program_that_does_not_end_is_killed_with_all_it_started() {
        let error = sh("(exec sleep 600) & exec sleep 600", 50).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn endless_output_is_cut() {
        let ran = sh("head -c 2000000 /dev/zero | tr '\\0' x", RUN_MS_MAX).unwrap();
        assert_eq!(ran.output.len(), OUTPUT_BYTES_MAX);
    }
}
