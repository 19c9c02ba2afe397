//! The load and latency drivers, and the Python they need; what they print is read elsewhere.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::failure::{Because, Outcome, fail};
use crate::janitor::Janitor;
use crate::places;
use crate::processes::Identity;
use crate::screen::Step;

/// What is run here; a folder without one of these is not the drivers'.
const SCRIPTS: [&str; 4] = [
    "rw_load.py",
    "promql_bench.py",
    "rules_gen.py",
    "rules_time.py",
];
/// What the drivers import beside Python's own.
const IMPORTS: &str = "import cramjam, numpy";

/// The drivers, ready to run.
pub(crate) struct Drivers {
    dir: PathBuf,
    python: PathBuf,
}

/// A driver at work.
pub(crate) struct Running {
    child: Child,
    command: String,
}

/// What a driver said, and how it was called.
pub(crate) struct Ran {
    pub(crate) command: String,
    pub(crate) output: String,
}

impl Drivers {
    /// Finds the drivers in `dir`, and a Python for them, which is made under `bench` when need be.
    pub(crate) fn find(dir: &Path, bench: &Path, step: &Step) -> Outcome<Self> {
        for script in SCRIPTS {
            if !dir.join(script).is_file() {
                fail!(
                    "{} is missing: name the folder of the drivers with --drivers DIR",
                    dir.join(script).display()
                );
            }
        }
        let dir = dir
            .canonicalize()
            .because(format!("finding {}", dir.display()))?;
        let python = python(&bench.join("venv"), step)?;
        Ok(Self { dir, python })
    }

    /// Runs a driver to its end.
    pub(crate) fn run(
        &self,
        script: &str,
        arguments: &[String],
        janitor: &mut Janitor,
    ) -> Outcome<Ran> {
        self.begin(script, arguments, janitor)?.finish()
    }

    /// Starts a driver. It is ended with us when we are.
    pub(crate) fn begin(
        &self,
        script: &str,
        arguments: &[String],
        janitor: &mut Janitor,
    ) -> Outcome<Running> {
        let child = Command::new(&self.python)
            .arg(self.dir.join(script))
            .args(arguments)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .because(format!("running {script}"))?;
        if let Some(identity) = i32::try_from(child.id()).ok().and_then(Identity::of) {
            janitor.will_end(identity);
        }
        let command = format!("{script} {}", arguments.join(" "));
        Ok(Running { child, command })
    }
}

impl Running {
    /// Waits until it has ended.
    pub(crate) fn finish(self) -> Outcome<Ran> {
        let Self { child, command } = self;
        let done = child
            .wait_with_output()
            .because(format!("waiting for {command}"))?;
        let output = String::from_utf8_lossy(&done.stdout).into_owned();
        if !done.status.success() {
            fail!(
                "`{command}` failed ({}); it said:\n{output}{}",
                done.status,
                String::from_utf8_lossy(&done.stderr).trim_end()
            );
        }
        Ok(Ran { command, output })
    }
}

/// A Python that has what the drivers import.
fn python(environment: &Path, step: &Step) -> Outcome<PathBuf> {
    let python = environment.join("bin/python");
    if has_imports(&python) {
        return Ok(python);
    }
    let Some(system) = places::program(&["python3"]) else {
        fail!(
            "python3 is missing: the drivers need it (Debian: sudo apt-get install python3 python3-venv)"
        );
    };
    step.now("making a virtual environment");
    let advice = "the drivers need Python 3.11 with `venv`, and numpy and cramjam from the package index \
                  (Debian: sudo apt-get install python3-venv)";
    let make = ["-m", "venv", "--clear"].map(Path::new);
    run(&system, &[&make[..], &[environment]].concat(), advice)?;
    step.now("installing numpy and cramjam");
    let install = ["-m", "pip", "install", "--quiet", "numpy", "cramjam"].map(Path::new);
    run(&python, &install, advice)?;
    if !has_imports(&python) {
        fail!(
            "{} cannot `{IMPORTS}`: {advice}",
            environment.join("bin/python").display()
        );
    }
    Ok(python)
}

fn has_imports(python: &Path) -> bool {
    let done = Command::new(python)
        .args(["-c", IMPORTS])
        .stdin(Stdio::null())
        .output();
    done.is_ok_and(|done| done.status.success())
}

fn run(program: &Path, arguments: &[&Path], advice: &str) -> Outcome<()> {
    let done = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .because(format!("running {}", program.display()))?;
    if !done.status.success() {
        fail!(
            "{} failed ({}): {advice}; it said:\n{}{}",
            program.display(),
            done.status,
            String::from_utf8_lossy(&done.stdout),
            String::from_utf8_lossy(&done.stderr).trim_end()
        );
    }
    Ok(())
}
