//! Builds the browser side and the binary, each only where its input changed; it knows the commands, not what they build.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Args;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::failure::{Because, Outcome, fail};
use crate::places;
use crate::reference;
use crate::screen::{self, Step, step};
use crate::stamp::{Stamp, hex, quiet};

#[derive(Args, Clone, Copy, Default)]
pub(crate) struct Profile {
    /// Optimise the binary, as a release is
    #[arg(long)]
    release: bool,
}

impl Profile {
    pub(crate) const RELEASE: Self = Self { release: true };
}

/// Builds everything, says where the binary is.
pub(crate) fn run(profile: Profile) -> Outcome<()> {
    everything(profile).map(|_| ())
}

/// Builds everything and gives back the binary `tocsin`.
pub(crate) fn everything(profile: Profile) -> Outcome<PathBuf> {
    step("browser side", web, |what| (*what).to_owned())?;
    step(
        "tocsin",
        |_| binary(profile),
        |path| path.display().to_string(),
    )
}

/// Writes `openapi.json`, the page of the API from it, and has the browser's client generated from it.
pub(crate) fn openapi() -> Outcome<()> {
    let done = places::cargo()
        .args(["run", "--quiet", "-p", "tocsin", "--", "openapi"])
        .current_dir(places::root())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .because("running tocsin openapi")?;
    if !done.status.success() {
        fail!(
            "`tocsin openapi` failed ({}); openapi.json was left as it was",
            done.status
        );
    }
    let description = serde_json::from_slice(&done.stdout).because("reading the description")?;
    fs::write(places::root().join("openapi.json"), done.stdout).because("writing openapi.json")?;
    let page = places::root().join("docs/reference/api.md");
    fs::write(page, reference::page(&description)).because("writing docs/reference/api.md")?;
    step(
        "npm ci",
        |step| npm_ci(&places::root().join("web"), step),
        |what| (*what).to_owned(),
    )?;
    npm(&["run", "generate"])?;
    screen::line("openapi.json, docs/reference/api.md and the browser's client are up to date.");
    Ok(())
}

/// Runs one npm command in `web`, its output on the screen.
pub(crate) fn npm(arguments: &[&str]) -> Outcome<()> {
    let done = npm_command(arguments)?.status().because("running npm")?;
    if !done.success() {
        fail!("`npm --prefix web {}` failed ({done})", arguments.join(" "));
    }
    Ok(())
}

fn npm_command(arguments: &[&str]) -> Outcome<Command> {
    let Some(npm) = places::program(&["npm"]) else {
        fail!(
            "npm is missing: install Node.js 20 or newer with npm (Debian: sudo apt-get install nodejs npm)"
        );
    };
    let mut command = Command::new(npm);
    command
        .arg("--prefix")
        .arg(places::root().join("web"))
        .args(arguments);
    command
        .current_dir(places::root().join("web"))
        .stdin(Stdio::null());
    Ok(command)
}

/// The browser side: dependencies and bundle, skipped where their input is what it was at the last run.
pub(crate) fn web(step: &Step) -> Outcome<&'static str> {
    let web = places::root().join("web");
    if !web.join("package.json").exists() {
        fail!(
            "{} is missing: the browser side cannot be built",
            web.join("package.json").display()
        );
    }
    npm_ci(&web, step)?;
    let stamp = Stamp::new(web.join("node_modules/.tocsin-bundle"), fingerprint(&web)?);
    if web.join("dist/index.html").exists() && stamp.is_current() {
        return Ok("unchanged");
    }
    step.now("bundling");
    quiet(npm_command(&["run", "build"])?, "npm run build in web")?;
    stamp.set()?;
    Ok("bundled")
}

/// Installs the browser side's dependencies, when the lock file is not the one they were installed from.
pub(crate) fn npm_ci(web: &Path, step: &Step) -> Outcome<&'static str> {
    let lock = fs::read(web.join("package-lock.json")).because("reading web/package-lock.json")?;
    let stamp = Stamp::of_bytes(web.join("node_modules/.tocsin-installed"), &lock);
    if stamp.is_current() {
        return Ok("unchanged");
    }
    step.now("installing its dependencies (npm ci)");
    quiet(
        npm_command(&["ci", "--no-audit", "--no-fund"])?,
        "npm ci in web",
    )?;
    stamp.set()?;
    Ok("installed")
}

/// Builds the binary alone and gives back its path.
pub(crate) fn binary(profile: Profile) -> Outcome<PathBuf> {
    let mut command = places::cargo();
    command.args([
        "build",
        "-p",
        "tocsin",
        "--message-format=json-render-diagnostics",
    ]);
    if profile.release {
        command.arg("--release");
    }
    // Standard error stays on the screen: cargo shows its own progress there.
    let command = command
        .current_dir(places::root())
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut child = command.spawn().because("running cargo build")?;
    let mut executable = None;
    for line in child
        .stdout
        .take()
        .into_iter()
        .flat_map(|out| BufReader::new(out).lines())
    {
        let line = line.because("reading cargo's messages")?;
        executable = executable_in(&line).or(executable);
    }
    let done = child.wait().because("waiting for cargo build")?;
    match executable {
        Some(path) if done.success() => Ok(path),
        Some(_) | None => fail!("`cargo build -p tocsin` failed ({done}); the errors are above"),
    }
}

/// The path of the binary `tocsin` in one of cargo's JSON messages.
fn executable_in(line: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    let is_ours = message["target"]["name"] == "tocsin" && message["target"]["kind"][0] == "bin";
    message["executable"]
        .as_str()
        .filter(|_| is_ours)
        .map(PathBuf::from)
}

/// One number for names and contents of everything the bundle is made from.
fn fingerprint(web: &Path) -> Outcome<String> {
    let mut files = Vec::new();
    collect(web, &mut files)?;
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        let content = fs::read(&file).because(format!("reading {}", file.display()))?;
        hash.update(file.to_string_lossy().as_bytes());
        hash.update(Sha256::digest(content));
    }
    Ok(hex(&hash.finalize()))
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> Outcome<()> {
    for entry in fs::read_dir(dir).because(format!("reading {}", dir.display()))? {
        let path = entry.because(format!("reading {}", dir.display()))?.path();
        if path.is_file() {
            files.push(path);
        } else if path.is_dir()
            && !["node_modules", "dist", "e2e"]
                .iter()
                .any(|name| path.ends_with(name))
        {
            collect(&path, files)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binary_is_taken_from_what_cargo_says() {
        let line = r#"{"target":{"name":"tocsin","kind":["bin"]},"executable":"/t/debug/tocsin"}"#;
        assert_eq!(executable_in(line), Some("/t/debug/tocsin".into()));
        let library = r#"{"target":{"name":"tocsin","kind":["lib"]},"executable":null}"#;
        assert_eq!(executable_in(library), None);
        assert_eq!(executable_in("not JSON"), None);
    }
}
