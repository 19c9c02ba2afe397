//! Debian's Alertmanager as a rival: started on no data, sent a flood of alerts, and ended. What is measured of Tocsin is not known
//! here.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use super::flood::{Flood, Goal};
use super::rate;
use crate::bench::usage;
use crate::failure::{Because, Failure, Outcome, fail};
use crate::http::client::{Ask, ask};
use crate::http::free_address;
use crate::janitor::Janitor;
use crate::packages;
use crate::processes::{Identity, wait_until};
use crate::screen::Step;

const PACKAGE: &str = "prometheus-alertmanager";
/// Where Debian's program looks for its templates, without which it does not start.
const SHARE: &str = "/usr/share";
const START_LIMIT: Duration = Duration::from_secs(30);
const END_LIMIT: Duration = Duration::from_secs(20);
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// Groups by service, as Tocsin's alerts belong to services; nobody is told.
const CONFIG: &str =
    "route: {receiver: nobody, group_by: [service]}\nreceivers: [{name: nobody}]\n";

/// The rival, ready to be started.
pub(super) struct Alertmanager {
    /// Where its package is unpacked.
    root: PathBuf,
    pub(super) version: String,
}

impl Alertmanager {
    pub(super) fn provide(step: &Step) -> Outcome<Self> {
        let root = packages::unpack(PACKAGE, step)?;
        let asked = Command::new(root.join("usr/bin").join(PACKAGE))
            .arg("--version")
            .stdin(Stdio::null())
            .output()
            .because("asking Alertmanager for its version")?;
        // Which of the two it writes to differs between versions.
        let said = [asked.stdout, asked.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        let version = version_in(&said).ok_or_else(|| {
            Failure::new(format!("Alertmanager does not tell its version: {said}"))
        })?;
        Ok(Self { root, version })
    }

    /// The rate of a flood of alerts, and the memory afterwards.
    pub(super) fn measure(
        &self,
        flood: Flood<'_>,
        bench: &Path,
        janitor: &mut Janitor,
    ) -> Outcome<Vec<String>> {
        let dir = bench.join("alertmanager");
        if dir.exists() {
            fs::remove_dir_all(&dir).because(format!("removing {}", dir.display()))?;
        }
        fs::create_dir_all(&dir).because(format!("making {}", dir.display()))?;
        janitor.will_remove(&dir);
        let mut running = self.start(&dir, janitor)?;
        let flooded = flood.run(Goal::Alertmanager(running.address));
        let memory = usage::rss_mib(running.child.id());
        running.end();
        let rate = rate(flood.alerts, flooded?.took);
        Ok(vec![format!("{rate:.0}"), format!("{:.0}", memory?)])
    }

    fn start(&self, dir: &Path, janitor: &mut Janitor) -> Outcome<Running> {
        let config = dir.join("alertmanager.yml");
        fs::write(&config, CONFIG).because(format!("writing {}", config.display()))?;
        let log = dir.join("log");
        let out = File::create(&log).because(format!("making {}", log.display()))?;
        let same = out.try_clone().because("opening the log twice")?;
        let address = free_address()?;
        // It alone sees its templates where it looks for them; every step becomes the next, so that the process is its own.
        let script = "mount --bind \"$1\" \"$2\" && shift 2 && exec \"$@\"";
        let child = Command::new("unshare")
            .args([
                "--user",
                "--map-root-user",
                "--mount",
                "sh",
                "-c",
                script,
                "sh",
            ])
            .arg(self.root.join(&SHARE[1..]))
            .arg(SHARE)
            .arg(self.root.join("usr/bin").join(PACKAGE))
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.path={}", dir.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .args(["--cluster.listen-address=", "--log.level=warn"])
            // In a group of its own, so that Ctrl-C reaches it through the janitor, in order.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(same)
            .spawn()
            .because("running unshare")?;
        if let Some(identity) = i32::try_from(child.id()).ok().and_then(Identity::of) {
            janitor.will_end(identity);
        }
        let mut running = Running { address, child };
        running.wait_until_ready(&log)?;
        Ok(running)
    }
}

/// One that runs.
struct Running {
    address: SocketAddr,
    child: Child,
}

impl Running {
    fn wait_until_ready(&mut self, log: &Path) -> Outcome<()> {
        let question = Ask {
            method: "GET",
            path: "/-/ready",
            headers: &[],
            body: &[],
            limit: ANSWER_LIMIT,
        };
        let mut is_dead = false;
        let is_ready = wait_until(START_LIMIT, || {
            is_dead = !matches!(self.child.try_wait(), Ok(None));
            is_dead || ask(self.address, question).is_ok_and(|answer| answer.status == 200)
        });
        if is_ready && !is_dead {
            return Ok(());
        }
        let said = fs::read_to_string(log).unwrap_or_default();
        fail!("Alertmanager does not answer; it said:\n{said}");
    }

    fn end(&mut self) {
        let identity = i32::try_from(self.child.id()).ok().and_then(Identity::of);
        if let Some(identity) = identity {
            identity.signal(Signal::TERM);
            if !wait_until(END_LIMIT, || !identity.is_alive()) {
                identity.signal(Signal::KILL);
            }
        }
        let _ = self.child.wait();
    }
}

/// The version in what it says of itself.
fn version_in(said: &str) -> Option<String> {
    let mut words = said.lines().next()?.split(' ');
    words.find(|word| *word == "version")?;
    words
        .next()
        .map(|word| word.trim_end_matches(',').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_found_in_what_it_says() {
        let said = "alertmanager, version 0.25.0+ds (branch: debian/sid, revision: 0.25.0+ds-1+b4)\n  go version: go1.19\n";
        assert_eq!(version_in(said).as_deref(), Some("0.25.0+ds"));
        assert_eq!(version_in(""), None);
    }
}
