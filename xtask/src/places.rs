//! Where things are: the repository, its build output, the programs the chores run; it makes and changes nothing.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    // Cargo says where the crate is when it runs us; the path from building is right in all other cases.
    let crate_dir = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let crate_dir = crate_dir.filter(|dir| dir.ends_with("xtask"));
    let crate_dir = crate_dir.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    crate_dir
        .parent()
        .map(Path::to_path_buf)
        .unwrap_or(crate_dir)
}

/// Cargo's output directory.
pub(crate) fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root().join(dir),
        None => root().join("target"),
    }
}

/// What cargo tells a program that it runs. Build scripts depend on some of it (ring's does), so that a build from inside
/// `cargo xtask` would otherwise throw away what a build from outside made, and the other way round.
const TOLD_BY_CARGO: &[&str] = &["CARGO", "CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH"];

/// The cargo that runs us, as if called from outside.
pub(crate) fn cargo() -> Command {
    let mut command =
        Command::new(env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from));
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if TOLD_BY_CARGO.contains(&text.as_ref()) || text.starts_with("CARGO_PKG_") {
            command.env_remove(&name);
        }
    }
    command
}

/// The first of `names` that is a program in `PATH` or one of the usual system directories.
pub(crate) fn program(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    let dirs: Vec<PathBuf> = env::split_paths(&path).chain(system).collect();
    names.iter().find_map(|name| {
        dirs.iter()
            .map(|dir| dir.join(name))
            .find(|file| file.is_file())
    })
}
