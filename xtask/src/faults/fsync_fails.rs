//! A disk whose fsync fails. Expected: nothing is accepted and nobody paged for it as long as that lasts, it is said, and it goes on
//! by itself afterwards; what was accepted before and after is there after a crash.

use std::time::Duration;

use super::Ended;
use super::scene::{FIRST, Ground, PAGE_LIMIT, Scene};
use super::strace::Strace;
use crate::failure::{Outcome, fail};

const TRIES: usize = 5;
const LEVEL: Duration = Duration::from_secs(600);

pub(super) fn play(ground: &mut Ground) -> Outcome<Ended> {
    let mut scene = ground.scene(LEVEL)?;
    let before = scene.alert()?;
    scene.page(&before, FIRST, PAGE_LIMIT)?;
    let log = ground.dir.join("strace.log");
    let inject = "fsync,fdatasync:error=EIO";
    let pid = scene.site.server.pid();
    let Some(strace) = Strace::attach(pid, inject, &log, &mut ground.janitor)? else {
        scene.end()?;
        let why = "strace is not installed, or may not look at processes here";
        return Ok(Ended::Skipped(why.to_owned()));
    };
    let failing = while_it_fails(&mut scene);
    strace.detach()?;
    let (said, status) = failing?;
    let after = scene.alert()?;
    scene.page(&after, FIRST, PAGE_LIMIT)?;
    scene.nothing_is_lost(1)?;
    scene.crash(&mut ground.janitor)?;
    scene.nothing_is_lost(2)?;
    scene.end()?;
    Ok(Ended::Held(format!(
        "{TRIES} alerts were refused with {status} meanwhile; it said \"{said}\""
    )))
}

fn while_it_fails(scene: &mut Scene) -> Outcome<(String, u16)> {
    let service = scene.service.clone();
    let mut line = scene.site.line()?;
    let seen = scene.site.sink.len();
    let mut last = 0;
    for _ in 0..TRIES {
        let (status, incident) = scene.try_alert_of(&mut line, &service)?;
        if incident.is_some() || !(500..600).contains(&status) {
            fail!("while no fsync succeeds an alert was answered {status}");
        }
        last = status;
    }
    let said = scene.says("disk")?;
    if let Some(page) = scene.site.sink.after(seen).first() {
        fail!(
            "incident {} was paged for, which is not on disk",
            page.incident
        );
    }
    Ok((said, last))
}
