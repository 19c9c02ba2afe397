//! Programs of the distribution that a chore needs: found, or installed when we are root, or the command to run is said.
//! No service is ever started by it.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::failure::{Because, Outcome, fail};
use crate::places;
use crate::screen::Step;

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
