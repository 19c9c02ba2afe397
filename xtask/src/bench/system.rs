//! The servers that are measured: how each is started on fresh data, asked and ended; what is measured of them is not known here.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use crate::failure::{Because, Outcome, fail};
use crate::http::client::{Answer, Ask, ask};
use crate::http::free_address;
use crate::janitor::Janitor;
use crate::places;
use crate::processes::{Identity, wait_until};

/// Until a server answers; on old data it reads its log first.
const START_LIMIT: Duration = Duration::from_secs(60);
/// Until a server that was asked to end has written its data.
const END_LIMIT: Duration = Duration::from_secs(60);
const ANSWER_LIMIT: Duration = Duration::from_secs(120);

/// A kind of server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Prometheus,
    Victoria,
    Tocsin,
}

impl Kind {
    /// In the order of the table's columns.
    pub(crate) const ALL: [Self; 3] = [Self::Prometheus, Self::Victoria, Self::Tocsin];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Prometheus => "Prometheus",
            Self::Victoria => "VictoriaMetrics",
            Self::Tocsin => "Tocsin",
        }
    }

    /// The program's name, which is that of Debian's package too.
    const fn word(self) -> &'static str {
        match self {
            Self::Prometheus => "prometheus",
            Self::Victoria => "victoria-metrics",
            Self::Tocsin => "tocsin",
        }
    }

    /// Answers 200 when the server takes samples and queries.
    const fn health_path(self) -> &'static str {
        match self {
            Self::Prometheus => "/-/ready",
            Self::Victoria => "/health",
            Self::Tocsin => "/healthz",
        }
    }
}

/// A server that can be started.
#[derive(Clone, Debug)]
pub(crate) struct System {
    pub(crate) kind: Kind,
    pub(crate) program: PathBuf,
    /// Its own folder, which is emptied for each fresh start.
    pub(crate) dir: PathBuf,
}

impl System {
    pub(crate) fn new(kind: Kind, program: PathBuf, bench: &Path) -> Self {
        let dir = bench.join(kind.word());
        Self { kind, program, dir }
    }

    /// The rival as the distribution installed it, when it did.
    pub(crate) fn installed(kind: Kind, bench: &Path) -> Option<Self> {
        let program = places::program(&[kind.word()])?;
        Some(Self::new(kind, program, bench))
    }

    /// The version of the distribution's package; none for what is no package.
    pub(crate) fn package_version(&self) -> Option<String> {
        let asked = Command::new("dpkg-query")
            .args(["-W", "-f", "${Version}", self.kind.word()])
            .stdin(Stdio::null())
            .output();
        let answer = asked.ok().filter(|done| done.status.success())?;
        Some(String::from_utf8_lossy(&answer.stdout).into_owned())
    }

    /// Where its samples lie.
    pub(crate) fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// Starts it without any data, with a file of alert rules or none.
    pub(crate) fn start_fresh(
        &self,
        rules: Option<&Path>,
        janitor: &mut Janitor,
    ) -> Outcome<Server> {
        let dir = self.dir.display();
        if self.dir.exists() {
            fs::remove_dir_all(&self.dir).because(format!("removing {dir}"))?;
        }
        fs::create_dir_all(&self.dir).because(format!("making {dir}"))?;
        janitor.will_remove(&self.dir);
        self.configure(rules)?;
        self.start(janitor)
    }

    /// Starts it on the data it has, and waits until it answers.
    pub(crate) fn start(&self, janitor: &mut Janitor) -> Outcome<Server> {
        let address = free_address()?;
        let arguments = self.arguments(address);
        let log_path = self.dir.join("log");
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log_path);
        let log = log.because(format!("opening {}", log_path.display()))?;
        let same = log.try_clone().because("opening the log twice")?;
        let child = Command::new(&self.program)
            .args(&arguments)
            .current_dir(&self.dir)
            // In a group of its own, so that Ctrl-C reaches it through the janitor, in order.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(same)
            .spawn()
            .because(format!("running {}", self.program.display()))?;
        if let Some(identity) = i32::try_from(child.id()).ok().and_then(Identity::of) {
            janitor.will_end(identity);
        }
        let mut server = Server {
            kind: self.kind,
            address,
            child: Some(child),
        };
        server.wait_until_ready(&log_path)?;
        Ok(server)
    }

    fn configure(&self, rules: Option<&Path>) -> Outcome<()> {
        // A path is written in JSON's quotes, which TOML and YAML read alike.
        let rules = rules.map(|path| serde_json::Value::from(path.display().to_string()));
        let (path, text) = match self.kind {
            Kind::Victoria => return Ok(()),
            Kind::Prometheus => {
                let rules = rules.map(|path| format!("rule_files: [{path}]\n"));
                let text = format!(
                    "global: {{evaluation_interval: 15s}}\n{}",
                    rules.unwrap_or_default()
                );
                (self.prometheus_config(), text)
            }
            Kind::Tocsin => {
                let rules = rules.map(|path| format!("\n[prometheus]\nrule_files = [{path}]\n"));
                let text = format!("[watch]\nenabled = false\n{}", rules.unwrap_or_default());
                (self.tocsin_config(), text)
            }
        };
        fs::write(&path, text).because(format!("writing {}", path.display()))
    }

    fn prometheus_config(&self) -> PathBuf {
        self.dir.join("prometheus.yml")
    }

    fn tocsin_config(&self) -> PathBuf {
        self.dir.join("tocsin.toml")
    }

    fn arguments(&self, address: SocketAddr) -> Vec<String> {
        let data = self.data().display().to_string();
        match self.kind {
            Kind::Prometheus => vec![
                format!("--config.file={}", self.prometheus_config().display()),
                format!("--storage.tsdb.path={data}"),
                "--storage.tsdb.retention.time=30d".to_owned(),
                format!("--web.listen-address={address}"),
                "--web.enable-remote-write-receiver".to_owned(),
                "--log.level=warn".to_owned(),
            ],
            Kind::Victoria => vec![
                format!("-storageDataPath={data}"),
                format!("-httpListenAddr={address}"),
                "-retentionPeriod=1y".to_owned(),
                "-loggerLevel=WARN".to_owned(),
            ],
            Kind::Tocsin => vec![
                "serve".to_owned(),
                "--config".to_owned(),
                self.tocsin_config().display().to_string(),
                "--data".to_owned(),
                data,
                "--listen".to_owned(),
                address.to_string(),
                "--insecure-no-auth".to_owned(),
            ],
        }
    }

    /// How it is started, for a person who wants to do the same with other folders and ports.
    pub(crate) fn command(&self) -> String {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let arguments = self.arguments(address).join(" ");
        let arguments = arguments.replace("127.0.0.1:0", "127.0.0.1:PORT");
        let arguments = arguments.replace(&format!("{}/", self.dir.display()), "");
        format!("{} {arguments}", self.kind.word())
    }
}

/// A server that runs. It is ended when this is dropped.
pub(crate) struct Server {
    kind: Kind,
    address: SocketAddr,
    child: Option<Child>,
}

impl Server {
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    /// Asks for a page as text.
    pub(crate) fn get(&self, path: &str) -> Outcome<String> {
        let name = self.kind.name();
        let answer = self
            .ask(path)
            .because(format!("asking {name} for {path}"))?;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        if answer.status != 200 {
            fail!("{name} answered {path} with {}: {text}", answer.status);
        }
        Ok(text)
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn end(mut self) -> Outcome<()> {
        if self.stop() {
            return Ok(());
        }
        fail!(
            "{} did not end within {} s and was killed",
            self.kind.name(),
            END_LIMIT.as_secs()
        );
    }

    fn ask(&self, path: &str) -> std::io::Result<Answer> {
        let asked = Ask {
            method: "GET",
            path,
            headers: &[],
            body: &[],
            limit: ANSWER_LIMIT,
        };
        ask(self.address, asked)
    }

    fn wait_until_ready(&mut self, log: &Path) -> Outcome<()> {
        let mut dead = false;
        let ready = wait_until(START_LIMIT, || {
            let child = self.child.as_mut();
            dead = !child.is_some_and(|child| matches!(child.try_wait(), Ok(None)));
            let answer = self.ask(self.kind.health_path());
            dead || answer.is_ok_and(|answer| answer.status == 200)
        });
        if ready && !dead {
            return Ok(());
        }
        let how = if dead {
            "ended at once"
        } else {
            "did not answer in time"
        };
        let said = fs::read_to_string(log).unwrap_or_default();
        let lines: Vec<&str> = said.lines().collect();
        let last = lines[lines.len().saturating_sub(10)..].join("\n");
        fail!("{} {how}; it said:\n{last}", self.kind.name());
    }

    /// Whether it ended when it was asked.
    fn stop(&mut self) -> bool {
        let Some(mut child) = self.child.take() else {
            return true;
        };
        let identity = i32::try_from(child.id()).ok().and_then(Identity::of);
        let ended = identity.is_none_or(|identity| {
            identity.signal(Signal::TERM);
            let ended = wait_until(END_LIMIT, || !identity.is_alive());
            if !ended {
                identity.signal(Signal::KILL);
            }
            ended
        });
        let _ = child.wait();
        ended
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: Kind, expected: &str) {
        let system = System::new(kind, PathBuf::from("/usr/bin/it"), Path::new("/b"));
        assert_eq!(system.command(), expected);
    }

    #[test]
    fn each_server_is_told_its_folder_and_a_loopback_address() {
        check(
            Kind::Prometheus,
            "prometheus --config.file=prometheus.yml --storage.tsdb.path=data --storage.tsdb.retention.time=30d \
             --web.listen-address=127.0.0.1:PORT --web.enable-remote-write-receiver --log.level=warn",
        );
        check(
            Kind::Victoria,
            "victoria-metrics -storageDataPath=data -httpListenAddr=127.0.0.1:PORT -retentionPeriod=1y -loggerLevel=WARN",
        );
        check(
            Kind::Tocsin,
            "tocsin serve --config tocsin.toml --data data --listen 127.0.0.1:PORT --insecure-no-auth",
        );
    }
}
