//! A private Apache named webserver-01 on loopback, in a directory of its own: started, stopped and signalled here, and
//! nowhere else; the machine's own Apache is never touched.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use super::apache_conf::{self, Conf};
use crate::failure::{Because, Outcome, fail};
use crate::http::client::{Ask, ask};
use crate::http::free_address;
use crate::processes::{Identity, started_with, wait_until};

/// How often processes are looked for that a signal has not reached.
const SIGNAL_ROUNDS_MAX: usize = 10;

/// SIGUSR1 is signal 10 on Linux; a signal's bit in `/proc/PID/status` is its number less one (proc(5)).
const SIGUSR1_MASK: u64 = 1 << 9;
/// How long a server must have been up before it is reloaded.
const SETTLED: Duration = Duration::from_secs(2);
/// How long Apache gets to come up, and to go.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long the supervisor waits before it starts Apache again.
const SUPERVISOR_DELAY_MS: &str = "200";

/// The fixture: configuration on disk, and a server when it runs.
pub(crate) struct Apache {
    pub(crate) program: PathBuf,
    pub(crate) dir: PathBuf,
    pub(crate) address: SocketAddr,
    supervisor: Option<Identity>,
}

impl Apache {
    /// Writes everything the server needs under `dir`; starts nothing.
    pub(crate) fn prepare(program: &Path, dir: &Path, login_app: SocketAddr) -> Outcome<Self> {
        let address = free_address()?;
        fs::create_dir_all(dir.join("htdocs")).because(format!("making {}", dir.display()))?;
        // The workers run as another user when we are root, and must reach the documents.
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(dir, open).because(format!("opening {} for reading", dir.display()))?;
        let page =
            "<!doctype html><title>webserver-01</title><h1>It works: log in at /login</h1>\n";
        fs::write(dir.join("htdocs/index.html"), page).because("writing the start page")?;
        let apache = Self {
            program: program.into(),
            dir: dir.into(),
            address,
            supervisor: None,
        };
        let text = apache_conf::write(&Conf {
            dir,
            address,
            login_app,
            program,
        })?;
        fs::write(apache.conf(), text).because("writing apache.conf")?;
        Ok(apache)
    }

    pub(crate) fn conf(&self) -> PathBuf {
        self.dir.join("apache.conf")
    }

    /// Starts the server in the background, as an init script does, and waits until it answers.
    pub(crate) fn start(&self) -> Outcome<()> {
        if self
            .recorded_parent()
            .is_some_and(|pid| Identity::of(pid).is_none())
        {
            // Where nobody collects the dead, Apache takes its own zombie for a running server and does not start.
            fs::remove_file(self.dir.join("apache.pid"))
                .because("removing the dead server's apache.pid")?;
        }
        self.control("start")?;
        self.wait_for_answer()
    }

    /// Starts the server in the foreground under a supervisor that starts it again when it dies.
    pub(crate) fn start_supervised(&mut self) -> Outcome<Identity> {
        let arguments = self.arguments().into_iter().chain(["-DFOREGROUND".into()]);
        let child = Command::new("/proc/self/exe")
            .arg0("xtask")
            .args(["supervise", "--delay-ms", SUPERVISOR_DELAY_MS, "--"])
            .arg(&self.program)
            .args(arguments)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(self.log("supervisor.log")?)
            .stderr(self.log("supervisor.log")?)
            .spawn()
            .because("starting the supervisor")?;
        let pid = i32::try_from(child.id()).because("the supervisor's process number")?;
        let Some(supervisor) = Identity::of(pid) else {
            fail!("the supervisor died at once")
        };
        self.supervisor = Some(supervisor);
        self.wait_for_answer()?;
        Ok(supervisor)
    }

    /// Waits until the server has been up for two seconds. Its event MPM loses count of its workers when it is reloaded while
    /// the first ones still start, and then serves nobody.
    pub(crate) fn wait_until_settled(&self) -> Outcome<()> {
        let age = || {
            let written =
                fs::metadata(self.dir.join("apache.pid")).and_then(|file| file.modified());
            written.ok().and_then(|at| at.elapsed().ok())
        };
        if !wait_until(PATIENCE, || age().is_some_and(|age| age >= SETTLED)) {
            fail!("webserver-01 was not up for {} s", SETTLED.as_secs());
        }
        Ok(())
    }

    /// Runs `apache2 -k WORD` on the private configuration.
    pub(crate) fn control(&self, word: &str) -> Outcome<()> {
        let done = Command::new(&self.program)
            .args(self.arguments())
            .args(["-k", word])
            .stdin(Stdio::null())
            .stdout(self.log("control.log")?)
            .stderr(self.log("control.log")?)
            .process_group(0)
            .status()
            .because(format!("running {} -k {word}", self.program.display()))?;
        if !done.success() {
            fail!(
                "apache2 -k {word} failed ({done}); it said:\n{}",
                self.last_words()
            );
        }
        Ok(())
    }

    /// Every process of this server, parent first.
    pub(crate) fn tree(&self) -> Vec<Identity> {
        let mut tree = started_with(
            &self.program.to_string_lossy(),
            &self.conf().to_string_lossy(),
        );
        let recorded = self.recorded_parent();
        // False sorts first. The recorded parent is the parent; without a record it is the one whose parent is not here.
        let pids: Vec<i32> = tree.iter().map(|identity| identity.pid).collect();
        tree.sort_by_key(|identity| match recorded {
            Some(pid) if pids.contains(&pid) => identity.pid != pid,
            Some(_) | None => pids.contains(&identity.parent),
        });
        tree
    }

    /// Sends a signal to every process of this server, the parent first; gives back how many it reached. Looks again until
    /// there is none that was not reached: the parent may have begun another one just before.
    pub(crate) fn signal_all(&self, signal: Signal) -> usize {
        let mut reached = BTreeSet::new();
        for _ in 0..SIGNAL_ROUNDS_MAX {
            let before = reached.len();
            for identity in self.tree() {
                if !reached.contains(&identity.pid) && identity.signal(signal) {
                    reached.insert(identity.pid);
                }
            }
            if reached.len() == before {
                break;
            }
        }
        reached.len()
    }

    /// Waits until no process of this server is left.
    pub(crate) fn wait_until_gone(&self) -> Outcome<()> {
        if !wait_until(PATIENCE, || self.tree().is_empty()) {
            fail!("webserver-01 did not end within {} s", PATIENCE.as_secs());
        }
        Ok(())
    }

    pub(crate) fn wait_for_answer(&self) -> Outcome<()> {
        if !wait_until(PATIENCE, || {
            self.answers_within(Duration::from_secs(1)) == Some(200) && self.takes_signals()
        }) {
            let seconds = PATIENCE.as_secs();
            fail!(
                "webserver-01 did not answer within {seconds} s; it said:\n{}",
                self.last_words()
            );
        }
        Ok(())
    }

    /// Whether the parent has put its signal handlers in place. Its children answer a moment earlier, and a reload signal in
    /// that moment ends the server.
    fn takes_signals(&self) -> bool {
        let status = self
            .recorded_parent()
            .and_then(|pid| fs::read_to_string(format!("/proc/{pid}/status")).ok());
        let caught = status.as_deref().and_then(|text| {
            let mask = text.lines().find_map(|line| line.strip_prefix("SigCgt:"))?;
            u64::from_str_radix(mask.trim(), 16).ok()
        });
        caught.is_some_and(|mask| mask & SIGUSR1_MASK != 0)
    }

    /// The status a visitor of the login page gets; none when there is no answer in time.
    pub(crate) fn answers_within(&self, limit: Duration) -> Option<u16> {
        let headers = [("User-Agent", "drill-fixture")];
        let question = Ask {
            method: "GET",
            path: "/login",
            headers: &headers,
            body: b"",
            limit,
        };
        ask(self.address, question).ok().map(|answer| answer.status)
    }

    /// Ends everything, in whatever state it is.
    pub(crate) fn end(&mut self) {
        if let Some(supervisor) = self.supervisor.take() {
            supervisor.signal(Signal::KILL);
            wait_until(PATIENCE, || !supervisor.is_alive());
        }
        wait_until(PATIENCE, || {
            self.signal_all(Signal::KILL) == 0 && self.tree().is_empty()
        });
    }

    fn arguments(&self) -> Vec<OsString> {
        vec![
            "-d".into(),
            self.dir.clone().into(),
            "-f".into(),
            self.conf().into(),
        ]
    }

    fn recorded_parent(&self) -> Option<i32> {
        fs::read_to_string(self.dir.join("apache.pid"))
            .ok()?
            .trim()
            .parse()
            .ok()
    }

    fn log(&self, name: &str) -> Outcome<Stdio> {
        let path = self.dir.join(name);
        let file = fs::OpenOptions::new().create(true).append(true).open(&path);
        file.map(Stdio::from)
            .because(format!("opening {}", path.display()))
    }

    /// The end of what Apache wrote, for a failure's message.
    fn last_words(&self) -> String {
        let names = ["control.log", "supervisor.log", "error.log"];
        let texts = names.map(|name| fs::read_to_string(self.dir.join(name)).unwrap_or_default());
        let lines: Vec<&str> = texts.iter().flat_map(|text| text.lines()).collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }
}

impl Drop for Apache {
    fn drop(&mut self) {
        self.end();
    }
}
