//! Ends what a drill or a bench started when that itself is gone, however it went: a child of its own in a process group of its
//! own that waits for the end of its input. It starts nothing and asks nobody.

use std::fs;
use std::io::{self, BufRead, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use crate::failure::{Because, Outcome};
use crate::processes::{Identity, started_with, wait_until};
use crate::screen;

/// What has to be tidied up, in the order it was started.
#[derive(Debug, PartialEq)]
enum Duty {
    /// End this process.
    End(Identity),
    /// Kill every process of this program that was started with this argument.
    KillAll { program: String, argument: String },
    /// Remove this directory.
    Remove(PathBuf),
}

impl Duty {
    fn write(&self) -> String {
        match self {
            Self::End(identity) => format!("end\t{}", identity.write()),
            Self::KillAll { program, argument } => format!("kill-all\t{program}\t{argument}"),
            Self::Remove(path) => format!("remove\t{}", path.display()),
        }
    }

    fn read(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.split('\t').collect();
        match fields.as_slice() {
            ["end", identity] => Identity::read(identity).map(Self::End),
            ["kill-all", program, argument] => Some(Self::KillAll {
                program: (*program).into(),
                argument: (*argument).into(),
            }),
            ["remove", path] => Some(Self::Remove((*path).into())),
            _ => None,
        }
    }
}

/// The chore's side of the janitor.
pub(crate) struct Janitor {
    child: Child,
    duties: Option<ChildStdin>,
}

impl Janitor {
    pub(crate) fn hire() -> Outcome<Self> {
        // By this name the program is found also after it was built anew and replaced on disk.
        let mut child = Command::new("/proc/self/exe")
            .arg0("xtask")
            .arg("janitor")
            .process_group(0)
            .stdin(Stdio::piped())
            .spawn()
            .because("starting the janitor")?;
        let duties = child.stdin.take();
        Ok(Self { child, duties })
    }

    pub(crate) fn will_end(&mut self, identity: Identity) {
        self.tell(&Duty::End(identity));
    }

    pub(crate) fn will_kill_all(&mut self, program: &str, argument: &str) {
        self.tell(&Duty::KillAll {
            program: program.into(),
            argument: argument.into(),
        });
    }

    pub(crate) fn will_remove(&mut self, path: &Path) {
        self.tell(&Duty::Remove(path.into()));
    }

    /// Has everything tidied up now, and waits for it.
    pub(crate) fn tidy_up(mut self) {
        drop(self.duties.take());
        let _ = self.child.wait();
    }

    fn tell(&mut self, duty: &Duty) {
        if let Some(duties) = &mut self.duties {
            // Without the janitor the chore still runs; it only leaves more behind when it is killed.
            let _ = writeln!(duties, "{}", duty.write());
        }
    }
}

/// The janitor's own side: collects duties until its input ends, then does them, the youngest first.
pub(crate) fn work() -> Outcome<()> {
    let duties: Vec<Duty> = io::stdin()
        .lock()
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| Duty::read(&line))
        .collect();
    if duties.is_empty() {
        return Ok(());
    }
    for duty in duties.iter().rev() {
        carry_out(duty);
    }
    screen::line("Everything that was started has been stopped.");
    Ok(())
}

fn carry_out(duty: &Duty) {
    match duty {
        Duty::End(identity) => {
            identity.signal(Signal::TERM);
            if !wait_until(Duration::from_secs(5), || !identity.is_alive()) {
                identity.signal(Signal::KILL);
            }
        }
        Duty::KillAll { program, argument } => {
            wait_until(Duration::from_secs(5), || {
                let left = started_with(program, argument);
                for identity in &left {
                    identity.signal(Signal::KILL);
                }
                left.is_empty()
            });
        }
        Duty::Remove(path) => {
            // A directory that cannot be removed is left to whoever cleans the temporary files.
            let _ = fs::remove_dir_all(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duty_is_understood_as_it_was_given() {
        let me = Identity::of(i32::try_from(std::process::id()).unwrap()).unwrap();
        let kill_all = Duty::KillAll {
            program: "/usr/sbin/apache2".into(),
            argument: "/tmp/a b/apache.conf".into(),
        };
        for duty in [Duty::End(me), kill_all, Duty::Remove("/tmp/a b".into())] {
            assert_eq!(Duty::read(&duty.write()), Some(duty));
        }
        assert_eq!(Duty::read("remove"), None);
    }
}
