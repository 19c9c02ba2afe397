//! A clock that is set forward by an hour and back again. Expected: what was due in that hour is done once, nothing is said twice,
//! and alerts page at once before, between and after.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::Ended;
use super::scene::{FIRST, Ground, PAGE_LIMIT, SECOND, Scene};
use crate::failure::{Because, Outcome, fail};

/// The first level has so long: longer than this fault, shorter than the jump.
const LEVEL: Duration = Duration::from_secs(1_800);
/// How the offset is read from a file is libfaketime's affair; it looks again at every call.
const LIBRARIES: [&str; 4] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib64/faketime/libfaketimeMT.so.1",
    "/usr/local/lib/faketime/libfaketimeMT.so.1",
];

pub(super) fn play(ground: &mut Ground) -> Outcome<Ended> {
    let named = std::env::var_os("LIBFAKETIME").map(PathBuf::from);
    let library = named.into_iter().chain(LIBRARIES.map(PathBuf::from));
    let Some(library) = library.into_iter().find(|path| path.is_file()) else {
        let why = "libfaketime is not installed (Debian: faketime); `cargo xtask sim` sets clocks in virtual time";
        return Ok(Ended::Skipped(why.to_owned()));
    };
    let mut serve = ground.prepare()?;
    let offset = ground.dir.join("offset");
    set(&offset, "+0")?;
    let variables = [
        ("LD_PRELOAD", library.display().to_string()),
        ("FAKETIME_TIMESTAMP_FILE", offset.display().to_string()),
        ("FAKETIME_NO_CACHE", "1".to_owned()),
        // Only the clock on the wall jumps; time goes on as it did.
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
    ];
    serve.environment = variables
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec();
    let mut scene = Scene::set(serve, LEVEL, &mut ground.janitor)?;
    let waiting = scene.alert()?;
    scene.page(&waiting, FIRST, PAGE_LIMIT)?;
    set(&offset, "+3600")?;
    scene.page(&waiting, SECOND, PAGE_LIMIT)?;
    let between = scene.alert()?;
    scene.page(&between, FIRST, PAGE_LIMIT)?;
    set(&offset, "+0")?;
    let after = scene.alert()?;
    scene.page(&after, FIRST, PAGE_LIMIT)?;
    // Whatever should not come has time to.
    thread::sleep(Duration::from_secs(2));
    let (first, second) = (scene.pages(&waiting, FIRST), scene.pages(&waiting, SECOND));
    if (first, second) != (1, 1) {
        fail!("the first person was paged {first} times and the second {second} times");
    }
    scene.nothing_is_lost(1)?;
    scene.end()?;
    let seen = "an hour forward and back: the level that was over paged once, alerts paged at once";
    Ok(Ended::Held(seen.to_owned()))
}

fn set(file: &Path, offset: &str) -> Outcome<()> {
    // Renamed into place, so that it is never read half.
    let beside = file.with_extension("new");
    fs::write(&beside, offset).because(format!("writing {}", beside.display()))?;
    fs::rename(&beside, file).because(format!("writing {}", file.display()))
}
