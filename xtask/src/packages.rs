//! Programs of the distribution that a chore needs: found, or installed when we are root, or the command to run is said.
//! No service is ever started by it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::{Because, Failure, Outcome, fail};
use crate::places;
use crate::screen::Step;
use crate::stamp::{Stamp, quiet};

/// Something from the distribution.
pub(crate) struct Needed {
    /// What a person calls it.
    pub(crate) name: &'static str,
    /// What the program may be called.
    pub(crate) programs: &'static [&'static str],
    /// Debian's packages.
    pub(crate) apt: &'static [&'static str],
    /// Red Hat's packages.
    pub(crate) dnf: &'static [&'static str],
}

/// Apache's program and modules. Debian's `apache2-bin` is just these: the service, its unit and its configuration are in
/// the package `apache2`, which is not needed, so nothing can start by being installed.
pub(crate) const APACHE: Needed = Needed {
    name: "Apache",
    programs: &["apache2", "httpd"],
    apt: &["apache2-bin"],
    dnf: &["httpd"],
};

pub(crate) const CHROMIUM: Needed = Needed {
    name: "Chromium",
    programs: &["chromium", "chromium-browser", "google-chrome"],
    apt: &["chromium", "fonts-dejavu-core", "fonts-liberation"],
    dnf: &["chromium", "dejavu-sans-fonts"],
};

pub(crate) const PYTHON: Needed = Needed {
    name: "Python",
    programs: &["python3"],
    apt: &["python3", "python3-venv"],
    dnf: &["python3"],
};

/// A program that is used where its package is unpacked: installed, the package would start a service.
pub(crate) struct Unpacked {
    /// Debian's package.
    package: &'static str,
    /// The program in it.
    program: &'static str,
}

pub(crate) const AMTOOL: Unpacked = Unpacked {
    package: "prometheus-alertmanager",
    program: "amtool",
};

pub(crate) const PROMETHEUS: Unpacked = Unpacked {
    package: "prometheus",
    program: "prometheus",
};

impl Unpacked {
    /// The program: the one that is installed, else that of the package, which is unpacked into the build output.
    pub(crate) fn provide(&self, step: &Step) -> Outcome<PathBuf> {
        if let Some(found) = places::program(&[self.program]) {
            return Ok(found);
        }
        Ok(unpack(self.package, step)?
            .join("usr/bin")
            .join(self.program))
    }
}

/// Where a package of Debian is unpacked, which is done once.
pub(crate) fn unpack(package: &str, step: &Step) -> Outcome<PathBuf> {
    let folder = places::target().join("debian").join(package);
    let stamp = Stamp::new(folder.join(".tocsin-unpacked"), package.to_owned());
    if stamp.is_current() {
        return Ok(folder);
    }
    if places::program(&["apt-get"]).is_none() || places::program(&["dpkg-deb"]).is_none() {
        fail!(
            "Debian's package {package} is needed, and there is no apt-get and dpkg-deb to get it"
        );
    }
    step.now(format!("unpacking {package}"));
    fs::create_dir_all(&folder).because(format!("making {}", folder.display()))?;
    if download(package, &folder).is_err() {
        // Without lists of packages, as in a fresh container, nothing can be found; only root may fetch them.
        install("apt-get", &["update".into()])?;
        download(package, &folder)?;
    }
    let archive = archive_in(&folder)?;
    let mut command = Command::new("dpkg-deb");
    command.arg("--extract").args([&archive, &folder]);
    quiet(command, "dpkg-deb --extract")?;
    fs::remove_file(&archive).because(format!("removing {}", archive.display()))?;
    stamp.set()?;
    Ok(folder)
}

fn download(package: &str, folder: &Path) -> Outcome<()> {
    let mut command = Command::new("apt-get");
    command
        .args(["download", package])
        .current_dir(folder)
        .stdin(Stdio::null());
    quiet(command, &format!("apt-get download {package}"))
}

fn archive_in(folder: &Path) -> Outcome<PathBuf> {
    let entries = fs::read_dir(folder).because(format!("reading {}", folder.display()))?;
    let mut paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let found = paths.find(|path| path.extension().is_some_and(|ending| ending == "deb"));
    found.ok_or_else(|| Failure::new(format!("no package came to {}", folder.display())))
}

/// The program, installed first if need be.
pub(crate) fn provide(needed: &Needed, step: &Step) -> Outcome<PathBuf> {
    if let Some(found) = places::program(needed.programs) {
        return Ok(found);
    }
    let Some((program, arguments)) = install_command(needed) else {
        fail!(
            "{} is missing ({}), and there is neither apt-get nor dnf to get it",
            needed.name,
            needed.programs[0]
        );
    };
    let command = format!("{program} {}", arguments.join(" "));
    if !rustix::process::geteuid().is_root() {
        fail!(
            "{} is missing. Install it, then run this again:\n\n    sudo {command}\n",
            needed.name
        );
    }
    step.say(format!(
        "{} is missing and we are root: {command}",
        needed.name
    ));
    step.now(format!("installing {}", needed.apt.join(" ")));
    if program == "apt-get" {
        // Without lists of packages, as in a fresh container, nothing can be found.
        install(program, &["update".into()])?;
    }
    install(program, &arguments)?;
    match places::program(needed.programs) {
        Some(found) => Ok(found),
        None => fail!(
            "{} was installed by `{command}`, but its program is not there",
            needed.name
        ),
    }
}

fn install_command(needed: &Needed) -> Option<(&'static str, Vec<String>)> {
    let words = |first: &[&str], packages: &[&str]| {
        first
            .iter()
            .chain(packages)
            .map(ToString::to_string)
            .collect()
    };
    if places::program(&["apt-get"]).is_some() {
        return Some((
            "apt-get",
            words(&["install", "-y", "--no-install-recommends"], needed.apt),
        ));
    }
    places::program(&["dnf"]).map(|_| ("dnf", words(&["install", "-y"], needed.dnf)))
}

fn install(program: &str, arguments: &[String]) -> Outcome<()> {
    let done = Command::new(program)
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .output()
        .because(format!("running {program}"))?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        fail!(
            "`{program} {}` failed; it said:\n{}",
            arguments.join(" "),
            said.trim_end()
        );
    }
    Ok(())
}
