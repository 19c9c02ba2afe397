//! What the walks need, each got where it is missing: Python's and npm's packages as the lock files name them, and Debian's programs.
//! All lies in the build output and is kept between runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Client;
use crate::failure::{Because, Failure, Outcome, fail};
use crate::packages::{self, AMTOOL, PROMETHEUS, PYTHON};
use crate::places;
use crate::screen::Step;
use crate::stamp::{Stamp, quiet};

/// The programs that were provided.
#[derive(Default)]
pub(super) struct Tools {
    python: Option<PathBuf>,
    node: Option<PathBuf>,
    library: Option<PathBuf>,
    amtool: Option<PathBuf>,
    prometheus: Option<PathBuf>,
}

impl Tools {
    /// Provides what these clients need, under `dir`.
    pub(super) fn provide(clients: &[Client], dir: &Path, step: &Step) -> Outcome<Self> {
        let mut tools = Self::default();
        for client in clients {
            match client {
                Client::Prometheus => {
                    tools.python = Some(python(dir, step)?);
                    tools.prometheus = Some(PROMETHEUS.provide(step)?);
                    tools.amtool = Some(AMTOOL.provide(step)?);
                }
                Client::Amtool => {
                    tools.python = Some(python(dir, step)?);
                    tools.amtool = Some(AMTOOL.provide(step)?);
                }
                Client::Schemathesis | Client::Pagerduty | Client::Pdpyras => {
                    tools.python = Some(python(dir, step)?);
                }
                Client::Pdjs => {
                    tools.node = places::program(&["node", "nodejs"]);
                    tools.library = Some(library(&dir.join("npm"), step)?);
                }
            }
        }
        Ok(tools)
    }

    /// A Python with the packages of the lock file.
    pub(super) fn python(&self) -> Outcome<PathBuf> {
        provided(self.python.as_ref(), "Python")
    }

    pub(super) fn node(&self) -> Outcome<PathBuf> {
        provided(
            self.node.as_ref(),
            "Node.js (Debian: sudo apt-get install nodejs npm)",
        )
    }

    /// The file beside which npm's packages are.
    pub(super) fn library(&self) -> Outcome<PathBuf> {
        provided(self.library.as_ref(), "npm's library")
    }

    pub(super) fn amtool(&self) -> Outcome<PathBuf> {
        provided(self.amtool.as_ref(), "amtool")
    }

    pub(super) fn prometheus(&self) -> Outcome<PathBuf> {
        provided(self.prometheus.as_ref(), "Prometheus")
    }
}

fn provided(program: Option<&PathBuf>, name: &str) -> Outcome<PathBuf> {
    let missing = || Failure::new(format!("{name} is missing"));
    program.cloned().ok_or_else(missing)
}

fn walks() -> PathBuf {
    places::root().join("xtask/clients")
}

/// An environment with just the packages of the lock file, each with a digest that is written there.
fn python(dir: &Path, step: &Step) -> Outcome<PathBuf> {
    let lock = walks().join("requirements.txt");
    let environment = dir.join("python");
    let python = environment.join("bin/python");
    let bytes = fs::read(&lock).because(format!("reading {}", lock.display()))?;
    let stamp = Stamp::of_bytes(environment.join(".tocsin-installed"), &bytes);
    if stamp.is_current() && python.exists() {
        return Ok(python);
    }
    let system = packages::provide(&PYTHON, step)?;
    step.now("making a virtual environment");
    let mut make = Command::new(system);
    make.args(["-m", "venv", "--clear"]).arg(&environment);
    quiet(
        make,
        "python3 -m venv (Debian: sudo apt-get install python3-venv)",
    )?;
    step.now("installing Python's packages");
    let mut install = Command::new(&python);
    // What is built from source would run programs of its own.
    let safely = ["--require-hashes", "--only-binary", ":all:"];
    install
        .args(["-m", "pip", "install", "--quiet", "--no-input"])
        .args(["--disable-pip-version-check"])
        .args(safely)
        .arg("--requirement")
        .arg(&lock)
        .stdin(Stdio::null());
    quiet(install, "pip install of xtask/clients/requirements.txt")?;
    stamp.set()?;
    Ok(python)
}

/// A folder with just the packages of npm's lock file; gives the file beside which they are.
fn library(folder: &Path, step: &Step) -> Outcome<PathBuf> {
    let names = ["package.json", "package-lock.json"];
    let manifest = folder.join(names[0]);
    let lock = walks().join(names[1]);
    let bytes = fs::read(&lock).because(format!("reading {}", lock.display()))?;
    let stamp = Stamp::of_bytes(folder.join(".tocsin-installed"), &bytes);
    if stamp.is_current() && manifest.exists() {
        return Ok(manifest);
    }
    let Some(npm) = places::program(&["npm"]) else {
        fail!(
            "npm is missing: install Node.js 20 or newer with npm (Debian: sudo apt-get install nodejs npm)"
        );
    };
    step.now("installing npm's packages");
    fs::create_dir_all(folder).because(format!("making {}", folder.display()))?;
    for name in names {
        let copied = fs::copy(walks().join(name), folder.join(name));
        copied.because(format!("copying {name} to {}", folder.display()))?;
    }
    let mut install = Command::new(npm);
    install
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(folder)
        .stdin(Stdio::null());
    quiet(install, "npm ci of xtask/clients/package-lock.json")?;
    stamp.set()?;
    Ok(manifest)
}
