//! A full disk. Expected: paging goes on from the reserve, and it is said; when that is used up too, alerts are refused and not
//! lost; with space again all goes on by itself, and after a crash everything that was accepted is there.

use std::time::Duration;

use super::Ended;
use super::scene::{FIRST, Ground, PAGE_LIMIT, Scene};
use super::small_disk::SmallDisk;
use crate::failure::{Outcome, fail};

/// Room for the data, the reserve, and twice the reserve that must be free before it is taken again.
const DISK: &str = "size=80m";
/// Alerts that the reserve must be good for.
const ON_RESERVE: usize = 50;
/// Far more than goes into what is left when the reserve is gone.
const UNTIL_REFUSED: usize = 3_000;
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
    let seen = on_full_disk(&mut scene, &disk, ground);
    let ended = scene.end();
    disk.unmount()?;
    let seen = seen?;
    ended?;
    Ok(Ended::Held(seen))
}

fn on_full_disk(scene: &mut Scene, disk: &SmallDisk, ground: &mut Ground) -> Outcome<String> {
    disk.fill()?;
    for _ in 0..ON_RESERVE {
        scene.alert()?;
    }
    if disk.seen_from_outside("data/reserve").exists() {
        fail!("the disk is full, and the reserve was not given up");
    }
    let said = scene.says("disk")?;
    // Pages are not only decided but sent.
    scene.nothing_is_lost(1)?;
    disk.fill()?;
    let (accepted, status) = until_refused(scene, disk)?;
    disk.free()?;
    let after = scene.alert()?;
    scene.page(&after, FIRST, PAGE_LIMIT)?;
    scene.nothing_is_lost(1)?;
    scene.crash(&mut ground.janitor)?;
    scene.nothing_is_lost(2)?;
    Ok(format!(
        "{ON_RESERVE} alerts on the reserve paged, {accepted} more until they were refused with {status}, none lost; it said \"{said}\""
    ))
}

fn until_refused(scene: &mut Scene, disk: &SmallDisk) -> Outcome<(usize, u16)> {
    let service = scene.service.clone();
    let mut line = scene.site.line()?;
    for accepted in 0..UNTIL_REFUSED {
        let (status, incident) = scene.try_alert_of(&mut line, &service)?;
        if incident.is_none() {
            return if (500..600).contains(&status) {
                Ok((accepted, status))
            } else {
                fail!("on a disk without a byte an alert was answered {status}")
            };
        }
        // What is freed by the journal's own tidying is taken at once.
        disk.fill()?;
    }
    fail!("{UNTIL_REFUSED} alerts were accepted on a disk without a byte")
}
