//! A disk with room that can have no further file. Expected: pages go on, since what is written has its files; so they do after a
//! crash, which leaves them there.

use std::time::Duration;

use super::Ended;
use super::scene::{FIRST, Ground, PAGE_LIMIT, Scene};
use super::small_disk::SmallDisk;
use crate::failure::{Outcome, fail};

/// Room enough, and few files.
const DISK: &str = "size=200m,nr_inodes=200";
const ALERTS: usize = 10;
const LEVEL: Duration = Duration::from_secs(600);

pub(super) fn play(ground: &mut Ground) -> Outcome<Ended> {
    let mut serve = ground.prepare()?;
    let mount = ground.dir.join("disk");
    let Some(disk) = SmallDisk::mount(&mount, DISK, &mut ground.janitor)? else {
        let why = "no tmpfs may be mounted here, not even in a name space of its own";
        return Ok(Ended::Skipped(why.to_owned()));
    };
    serve.before = disk.before();
    serve.data = mount.join("data");
    let mut scene = Scene::set(serve, LEVEL, &mut ground.janitor)?;
    let seen = without_files(&mut scene, &disk, ground);
    let ended = scene.end();
    disk.unmount()?;
    let files = seen?;
    ended?;
    Ok(Ended::Held(format!(
        "{files} files used up what there was; {ALERTS} alerts paged at once, and as many after a crash"
    )))
}

fn without_files(scene: &mut Scene, disk: &SmallDisk, ground: &mut Ground) -> Outcome<usize> {
    let files = disk.use_up_files()?;
    if files == 0 {
        fail!("the disk had no file left before any was used up");
    }
    page_each(scene)?;
    scene.nothing_is_lost(1)?;
    scene.crash(&mut ground.janitor)?;
    // What it may have removed at its start is used up as well.
    disk.use_up_files()?;
    page_each(scene)?;
    scene.nothing_is_lost(2)?;
    Ok(files)
}

fn page_each(scene: &mut Scene) -> Outcome<()> {
    for _ in 0..ALERTS {
        let incident = scene.alert()?;
        scene.page(&incident, FIRST, PAGE_LIMIT)?;
    }
    Ok(())
}
