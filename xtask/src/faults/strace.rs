//! strace at a running process: makes system calls of it fail for as long as it is there; it does not know what they are for.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use crate::failure::{Because, Outcome};
use crate::janitor::Janitor;
use crate::places;
use crate::processes::{Identity, wait_until};

/// Until every thread is held.
const ATTACH_LIMIT: Duration = Duration::from_secs(5);

/// An strace that is attached.
pub(super) struct Strace {
    child: Child,
}

impl Strace {
    /// Makes the calls of `pid` fail as `inject` says; none when strace is missing or may not do it.
    pub(super) fn attach(
        pid: u32,
        inject: &str,
        log: &Path,
        janitor: &mut Janitor,
    ) -> Outcome<Option<Self>> {
        let Some(program) = places::program(&["strace"]) else {
            return Ok(None);
        };
        let calls = inject.split(':').next().unwrap_or_default();
        let child = Command::new(program)
            .args(["-f", "-q", "-p", &pid.to_string()])
            .args(["-e", &format!("trace={calls}")])
            .args(["-e", &format!("inject={inject}")])
            .arg("-o")
            .arg(log)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .because("starting strace")?;
        if let Some(identity) = i32::try_from(child.id()).ok().and_then(Identity::of) {
            janitor.will_end(identity);
        }
        let mut strace = Self { child };
        let held = wait_until(ATTACH_LIMIT, || {
            holds_all(pid) || !matches!(strace.child.try_wait(), Ok(None))
        });
        if held && holds_all(pid) {
            return Ok(Some(strace));
        }
        strace.detach()?;
        Ok(None)
    }

    /// Lets the process go.
    pub(super) fn detach(mut self) -> Outcome<()> {
        if let Some(identity) = i32::try_from(self.child.id()).ok().and_then(Identity::of) {
            identity.signal(Signal::TERM);
        }
        self.child.wait().because("waiting for strace")?;
        Ok(())
    }
}

/// Whether each thread has a tracer.
fn holds_all(pid: u32) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return false;
    };
    threads.flatten().all(|thread| {
        let status = fs::read_to_string(thread.path().join("status")).unwrap_or_default();
        let mut lines = status.lines();
        let tracer = lines.find_map(|line| line.strip_prefix("TracerPid:"));
        tracer.is_some_and(|tracer| tracer.trim() != "0")
    })
}
