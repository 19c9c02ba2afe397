//! Real clients driven against the binary, each on a Tocsin of its own: what each does and what must come of it stands in
//! `xtask/clients`, one walk a client. What a walk asks is not known here.

mod house;
mod tools;

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};

use self::house::{House, Speaks};
use self::tools::Tools;
use crate::build::Profile;
use crate::chores;
use crate::failure::{Because, Failure, Outcome, fail};
use crate::janitor::Janitor;
use crate::places;
use crate::processes::Identity;
use crate::screen::{self, step};
use crate::site;

/// How many walk beside each other: they wait much of their time.
const AT_ONCE: usize = 2;
/// What schemathesis loads besides its settings.
const HOOKS: &str = "schemathesis_hooks.py";
/// A walk that has not ended by then hangs.
const WALK_LIMIT: Duration = Duration::from_secs(300);

#[derive(Args)]
pub(crate) struct Options {
    /// Only these clients, separated by commas
    #[arg(long, value_enum, value_delimiter = ',', value_name = "NAME")]
    only: Vec<Client>,
    /// Use this binary of Tocsin instead of building one
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
}

/// A client, those first that take longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Client {
    /// Debian's Prometheus, twice, whose alerts fire here
    Prometheus,
    /// Requests made from openapi.json, good and bad ones
    Schemathesis,
    /// PagerDuty's Python library and its command line
    Pagerduty,
    /// PagerDuty's former Python library
    Pdpyras,
    /// PagerDuty's JavaScript library
    Pdjs,
    /// Alertmanager's command line
    Amtool,
}

impl Client {
    fn word(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Most insist on https, or on a name that only https proves; who throws dice is quicker without.
    const fn speaks(self) -> Speaks {
        match self {
            Self::Schemathesis => Speaks::Plainly,
            Self::Prometheus | Self::Pagerduty | Self::Pdpyras | Self::Pdjs | Self::Amtool => {
                Speaks::Tls
            }
        }
    }
}

/// What every walk needs.
struct Ground {
    binary: PathBuf,
    dir: PathBuf,
    tools: Tools,
    janitor: Mutex<Janitor>,
}

impl Ground {
    fn with_janitor<T>(&self, work: impl FnOnce(&mut Janitor) -> T) -> T {
        // Whoever panicked has told the janitor what it could.
        let janitor = self.janitor.lock();
        work(&mut janitor.unwrap_or_else(PoisonError::into_inner))
    }
}

/// Drives each client that was asked for, and says which found Tocsin as it must be.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    let binary = site::binary(options.binary.as_deref(), Profile::default())?;
    let dir = places::target().join("clients");
    fs::create_dir_all(&dir).because(format!("making {}", dir.display()))?;
    let dir = dir.canonicalize().because("finding its folder")?;
    let wanted = Client::value_variants().iter().copied();
    let wanted = wanted.filter(|one| options.only.is_empty() || options.only.contains(one));
    let wanted: Vec<Client> = wanted.collect();
    let tools = step(
        "tools",
        |step| Tools::provide(&wanted, &dir, step),
        |_| dir.display().to_string(),
    )?;
    let janitor = Mutex::new(Janitor::hire()?);
    let ground = Ground {
        binary,
        dir,
        tools,
        janitor,
    };
    let began = Instant::now();
    let walked = chores::side_by_side(AT_ONCE, &wanted, |client| drive(&ground, *client));
    let janitor = ground.janitor.into_inner();
    janitor.unwrap_or_else(PoisonError::into_inner).tidy_up();
    let failed = walked.iter().filter(|good| !**good).count();
    screen::line(format!(
        "clients: {} passed, {failed} failed, in {} s",
        walked.len() - failed,
        began.elapsed().as_secs()
    ));
    if failed > 0 {
        Err(Failure::said())
    } else {
        Ok(())
    }
}

/// One walk, with what it said; whether it found everything as it must be.
fn drive(ground: &Ground, client: Client) -> bool {
    let name = client.word();
    screen::line(format!("  begun: {name}"));
    let began = Instant::now();
    let log = ground.dir.join(format!("{name}.log"));
    let outcome = walk(ground, client, &log);
    let seconds = began.elapsed().as_secs_f64();
    match outcome {
        Ok(()) => {
            screen::line(format!(
                "  ok  {name:<18} {seconds:>6.1} s   {}",
                log.display()
            ));
            true
        }
        Err(failure) => {
            let said = fs::read(&log).unwrap_or_default();
            let said = String::from_utf8_lossy(&said);
            // Said at once, so that nothing of another walk comes between.
            screen::line(format!(
                "\n{}\n  !!  {name:<18} {seconds:>6.1} s   failed: {failure}\n",
                said.trim_end()
            ));
            false
        }
    }
}

fn walk(ground: &Ground, client: Client, log: &Path) -> Outcome<()> {
    let dir = ground.dir.join(client.word());
    clear(&dir)?;
    let mut house = ground
        .with_janitor(|janitor| House::open(&ground.binary, &dir, client.speaks(), janitor))?;
    let command = command(ground, client, &house)?;
    let walked = carry_out(ground, command, log);
    let is_alive = house.site.server.is_alive();
    let ended = house.site.server.end();
    // A Tocsin that has died is why its client failed.
    let judged = judged(&house, is_alive, ended?).and(walked);
    judged.map_err(|failure| kept(&failure, &dir))?;
    clear(&dir)
}

/// What must hold of Tocsin itself, whatever the client found.
fn judged(house: &House, is_alive: bool, ended: ExitStatus) -> Outcome<()> {
    let serve = &house.site.server.serve;
    if !is_alive || !ended.success() {
        let said = serve.last_words();
        fail!("Tocsin ended by itself, or not as it was asked to ({ended}); it said:\n{said}");
    }
    let logged = serve.logged();
    let mut lines = logged.lines();
    let error = lines.find(|line| line.contains("ERROR") || line.contains("panicked"));
    match error {
        None => Ok(()),
        Some(line) => fail!("its log has an error: {line}"),
    }
}

fn kept(failure: &Failure, dir: &Path) -> Failure {
    let dir = dir.display();
    Failure::new(format!("{failure}; data and log are kept in {dir}"))
}

fn clear(dir: &Path) -> Outcome<()> {
    if dir.exists() {
        fs::remove_dir_all(dir).because(format!("removing {}", dir.display()))?;
    }
    Ok(())
}

/// The program of a walk, and what it is told.
fn command(ground: &Ground, client: Client, house: &House) -> Outcome<Command> {
    let walks = places::root().join("xtask/clients");
    let tools = &ground.tools;
    let script = |name: &str, more: &[&Path]| -> Outcome<Command> {
        let words = [walks.join(name), house.file.clone()];
        let words = words.into_iter().chain(more.iter().map(PathBuf::from));
        let words = words.map(PathBuf::into_os_string);
        Ok(told(&tools.python()?, words))
    };
    let mut command = match client {
        Client::Prometheus => {
            let folder = house.dir.join("prometheus");
            fs::create_dir(&folder).because(format!("making {}", folder.display()))?;
            let program = tools.prometheus()?;
            for replica in ["a", "b"] {
                let config = folder.join(replica).join("prometheus.yml");
                let argument = format!("--config.file={}", config.display());
                let program = program.display().to_string();
                ground.with_janitor(|janitor| janitor.will_kill_all(&program, &argument));
            }
            script("walk_prometheus.py", &[&program, &tools.amtool()?, &folder])?
        }
        Client::Schemathesis => schemathesis(&tools.python()?, &walks, house),
        Client::Pagerduty => script("walk_pagerduty.py", &[])?,
        Client::Pdpyras => script("walk_pdpyras.py", &[])?,
        Client::Pdjs => {
            let words = [
                walks.join("walk_pdjs.mjs"),
                house.file.clone(),
                tools.library()?,
            ];
            told(
                &tools.node()?,
                words.into_iter().map(PathBuf::into_os_string),
            )
        }
        Client::Amtool => script("walk_amtool.py", &[&tools.amtool()?])?,
    };
    command
        .current_dir(&house.dir)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    Ok(command)
}

fn told(program: &Path, words: impl IntoIterator<Item = OsString>) -> Command {
    let mut command = Command::new(program);
    command.args(words);
    command
}

/// It is a module of its own, so that the walk is a file of settings, and one of what settings cannot say.
fn schemathesis(python: &Path, walks: &Path, house: &House) -> Command {
    let settings = walks.join("schemathesis.toml");
    let description = places::root().join("openapi.json");
    let words = [
        OsStr::new("-m"),
        OsStr::new("schemathesis.cli"),
        OsStr::new("--config-file"),
        settings.as_os_str(),
        OsStr::new("run"),
        description.as_os_str(),
        OsStr::new("--no-color"),
        OsStr::new("--url"),
        OsStr::new(&house.url),
    ];
    let mut command = told(python, words.map(OsStr::to_owned));
    command
        .env("TOCSIN_TOKEN", &house.site.token)
        .env("TOCSIN_HOUSE", &house.file)
        .env("SCHEMATHESIS_HOOKS", walks.join(HOOKS));
    command
}

/// Runs a walk to its end, what it says into its log.
fn carry_out(ground: &Ground, mut command: Command, log: &Path) -> Outcome<()> {
    let out = File::create(log).because(format!("making {}", log.display()))?;
    let same = out.try_clone().because("opening the log twice")?;
    let program = command.get_program().display().to_string();
    let mut child = command
        // In a group of its own, so that Ctrl-C reaches it through the janitor, in order.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(same)
        .spawn()
        .because(format!("running {program}"))?;
    if let Some(identity) = i32::try_from(child.id()).ok().and_then(Identity::of) {
        ground.with_janitor(|janitor| janitor.will_end(identity));
    }
    let ended = chores::end_of(&mut child, Some(WALK_LIMIT));
    match ended.because(format!("waiting for {program}"))? {
        Some(status) if status.success() => Ok(()),
        Some(status) => fail!("it ended with {status}"),
        None => fail!("it hung and was ended after {WALK_LIMIT:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_walk_and_all_that_it_needs_is_in_the_tree() {
        let walks = places::root().join("xtask/clients");
        for client in Client::value_variants() {
            let name = match client {
                Client::Schemathesis => "schemathesis.toml".to_owned(),
                Client::Pdjs => "walk_pdjs.mjs".to_owned(),
                Client::Prometheus | Client::Pagerduty | Client::Pdpyras | Client::Amtool => {
                    format!("walk_{}.py", client.word())
                }
            };
            assert!(walks.join(&name).is_file(), "{name}");
        }
        assert!(walks.join(HOOKS).is_file(), "{HOOKS}");
    }

    #[test]
    fn every_package_of_the_lock_files_is_pinned_with_its_digest() {
        let walks = places::root().join("xtask/clients");
        let wanted = fs::read_to_string(walks.join("requirements.in")).unwrap();
        let locked = fs::read_to_string(walks.join("requirements.txt")).unwrap();
        for line in wanted.lines() {
            assert!(locked.contains(&format!("{line} \\\n")), "{line}");
        }
        let whole = locked.replace("\\\n", " ");
        let lines = whole.lines().filter(|line| !line.trim().is_empty());
        for line in lines {
            assert!(
                line.contains("==") && line.contains("--hash=sha256:"),
                "{line}"
            );
        }
        let lock = fs::read(walks.join("package-lock.json")).unwrap();
        let lock: serde_json::Value = serde_json::from_slice(&lock).unwrap();
        let packages = lock["packages"].as_object().unwrap();
        for (name, package) in packages.iter().filter(|(name, _)| !name.is_empty()) {
            assert!(package["integrity"].is_string(), "{name}");
        }
    }
}
