//! One Tocsin in a folder of its own: set up, served, ended in any way and served again. What it is used for is not known here.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::failure::{Because, Failure, Outcome, fail};
use crate::http::client::{Ask, ask};
use crate::janitor::Janitor;
use crate::processes::{Identity, wait_until};

/// Until a server answers.
const START_LIMIT: Duration = Duration::from_secs(60);
/// Until a server that was asked to end has ended.
const END_LIMIT: Duration = Duration::from_secs(20);
/// One question whether it answers.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
/// Lines of the log that a failure tells.
const LAST_WORDS: usize = 20;

/// How `tocsin` is run, so that it can be run again.
#[derive(Clone, Debug)]
pub(crate) struct Serve {
    pub(crate) binary: PathBuf,
    pub(crate) dir: PathBuf,
    pub(crate) data: PathBuf,
    pub(crate) address: SocketAddr,
    pub(crate) config: PathBuf,
    pub(crate) log: PathBuf,
    /// What stands before the binary in its command line: a program that becomes it.
    pub(crate) before: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
}

impl Serve {
    /// Writes the configuration into `dir`, which is made.
    pub(crate) fn prepare(
        binary: &Path,
        dir: &Path,
        address: SocketAddr,
        config: &str,
    ) -> Outcome<Self> {
        fs::create_dir_all(dir).because(format!("making {}", dir.display()))?;
        let path = dir.join("tocsin.toml");
        fs::write(&path, config).because(format!("writing {}", path.display()))?;
        Ok(Self {
            binary: binary.to_owned(),
            dir: dir.to_owned(),
            data: dir.join("data"),
            address,
            config: path,
            log: dir.join("tocsin.log"),
            before: Vec::new(),
            environment: Vec::new(),
        })
    }

    /// Sets Tocsin up as a newcomer would; gives back what that printed.
    pub(crate) fn set_up(&self, email: &str, name: &str) -> Outcome<Value> {
        let done = self
            .command()
            .arg("setup")
            .arg("--data")
            .arg(&self.data)
            .args(["--admin-email", email, "--admin-name", name])
            .arg("--config")
            .arg(&self.config)
            .current_dir(&self.dir)
            .stdin(Stdio::null())
            .output()
            .because(format!("running {} setup", self.binary.display()))?;
        if !done.status.success() {
            fail!(
                "tocsin setup failed ({}); it said:\n{}",
                done.status,
                String::from_utf8_lossy(&done.stderr).trim_end()
            );
        }
        // For whoever looks into a kept directory; otherwise it goes with the rest.
        let kept = self.dir.join("setup.json");
        fs::write(&kept, &done.stdout).because(format!("writing {}", kept.display()))?;
        let secret = fs::Permissions::from_mode(0o600);
        fs::set_permissions(&kept, secret).because(format!("closing {}", kept.display()))?;
        serde_json::from_slice(&done.stdout).because("reading what tocsin setup printed")
    }

    fn command(&self) -> Command {
        let mut command = match self.before.split_first() {
            None => Command::new(&self.binary),
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(&self.binary);
                command
            }
        };
        let environment = self.environment.iter();
        command.envs(environment.map(|(name, value)| (name, value)));
        command
    }

    fn spawn(&self) -> Outcome<Child> {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log);
        let log = log.because(format!("opening {}", self.log.display()))?;
        let same = log.try_clone().because("opening the log twice")?;
        self.command()
            .arg("serve")
            .arg("--data")
            .arg(&self.data)
            .args(["--listen", &self.address.to_string()])
            .arg("--config")
            .arg(&self.config)
            .current_dir(&self.dir)
            // In a group of its own, so that Ctrl-C reaches it through the janitor, in order.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(same)
            .spawn()
            .because(format!("running {} serve", self.binary.display()))
    }

    /// Everything that was logged so far, in all its runs.
    pub(crate) fn logged(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The end of the log, for a failure's message.
    pub(crate) fn last_words(&self) -> String {
        let text = self.logged();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LAST_WORDS)..].join("\n")
    }
}

/// A Tocsin that runs, or did.
pub(crate) struct Server {
    pub(crate) serve: Serve,
    child: Child,
    identity: Identity,
}

impl Server {
    /// Serves, and waits until it answers.
    pub(crate) fn start(serve: Serve, janitor: &mut Janitor) -> Outcome<Self> {
        let (child, identity) = begin(&serve, janitor)?;
        let mut server = Self {
            serve,
            child,
            identity,
        };
        server.wait_until_alive()?;
        Ok(server)
    }

    /// Serves again on the same data, and does not wait.
    pub(crate) fn begin_again(&mut self, janitor: &mut Janitor) -> Outcome<()> {
        (self.child, self.identity) = begin(&self.serve, janitor)?;
        Ok(())
    }

    /// Serves again on the same data, and waits until it answers.
    pub(crate) fn start_again(&mut self, janitor: &mut Janitor) -> Outcome<()> {
        self.begin_again(janitor)?;
        self.wait_until_alive()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) const fn identity(&self) -> Identity {
        self.identity
    }

    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    pub(crate) fn wait_until_alive(&mut self) -> Outcome<()> {
        let address = self.serve.address;
        let mut dead = false;
        let alive = wait_until(START_LIMIT, || {
            dead = !self.is_alive();
            dead || answers(address)
        });
        if dead {
            fail!(
                "tocsin serve ended by itself; it said:\n{}",
                self.serve.last_words()
            );
        }
        if !alive {
            fail!(
                "tocsin serve did not answer /healthz within {} s; it said:\n{}",
                START_LIMIT.as_secs(),
                self.serve.last_words()
            );
        }
        Ok(())
    }

    /// Ends it as a power cut would, and fails when it had ended by itself.
    pub(crate) fn kill(&mut self) -> Outcome<()> {
        if let Ok(Some(status)) = self.child.try_wait() {
            fail!(
                "tocsin serve ended by itself ({status}); it said:\n{}",
                self.serve.last_words()
            );
        }
        self.child.kill().because("killing Tocsin")?;
        self.child.wait().because("waiting for the killed Tocsin")?;
        Ok(())
    }

    /// Stops the process where it is, and lets it go on.
    pub(crate) fn pause(&self, pause: bool) {
        self.identity
            .signal(if pause { Signal::STOP } else { Signal::CONT });
    }

    /// Asks it to end, and waits for it.
    pub(crate) fn end(&mut self) -> Outcome<ExitStatus> {
        self.identity.signal(Signal::TERM);
        if !wait_until(END_LIMIT, || !self.identity.is_alive()) {
            self.identity.signal(Signal::KILL);
        }
        self.child.wait().because("waiting for Tocsin to end")
    }
}

fn begin(serve: &Serve, janitor: &mut Janitor) -> Outcome<(Child, Identity)> {
    let child = serve.spawn()?;
    let identity = i32::try_from(child.id()).ok().and_then(Identity::of);
    let identity = identity.ok_or_else(|| {
        let said = serve.last_words();
        Failure::new(format!("tocsin serve ended at once; it said:\n{said}"))
    })?;
    janitor.will_end(identity);
    Ok((child, identity))
}

/// Whether somebody answers there.
pub(crate) fn answers(address: SocketAddr) -> bool {
    let question = Ask {
        method: "GET",
        path: "/healthz",
        headers: &[],
        body: &[],
        limit: ANSWER_LIMIT,
    };
    ask(address, question).is_ok_and(|answer| answer.status == 200)
}

/// A field that must be text.
pub(crate) fn text(value: &Value, field: &str) -> Outcome<String> {
    match value[field].as_str() {
        Some(text) => Ok(text.to_owned()),
        None => fail!("the answer has no `{field}`: {value}"),
    }
}
