//! A database that somebody else has locked: a back-up that was made by hand, or a person with a shell. Expected: an alert waits for
//! a short while; then it is refused plainly and nobody is paged for it, and it is said; when the lock is gone all goes on by itself,
//! and what became due meanwhile is done once.

use std::thread;
use std::time::Duration;

use super::Ended;
use super::lock::{self, Lock};
use super::scene::{FIRST, Ground, PAGE_LIMIT, SECOND, Scene};
use crate::failure::{Outcome, fail};

/// Short enough that a writer waits for it.
const SHORT: Duration = Duration::from_secs(1);
/// It becomes due while the database is locked for longer than anybody waits.
const LEVEL: Duration = Duration::from_secs(6);
/// Alerts that are tried meanwhile; each is waited for until it is refused.
const TRIES: usize = 2;

pub(super) fn play(ground: &mut Ground) -> Outcome<Ended> {
    let mut scene = ground.scene(LEVEL)?;
    let journal = scene.site.server.serve.data.join("journal.sqlite3");
    let Some(lock) = Lock::take(&journal, &mut ground.janitor)? else {
        scene.end()?;
        return Ok(Ended::Skipped(lock::MISSING.to_owned()));
    };
    let short = while_it_lasts_shortly(&mut scene, lock)?;
    scene.page(&short, FIRST, PAGE_LIMIT)?;
    let Some(lock) = Lock::take(&journal, &mut ground.janitor)? else {
        fail!("the database could be locked once and not again");
    };
    let seen = scene.site.sink.len();
    let refused = while_it_lasts(&mut scene, seen);
    lock.release()?;
    let (said, status) = refused?;
    scene.page(&short, SECOND, PAGE_LIMIT)?;
    let after = scene.alert()?;
    scene.page(&after, FIRST, PAGE_LIMIT)?;
    // Whatever should not come has time to.
    thread::sleep(Duration::from_secs(1));
    let found = [FIRST, SECOND].map(|path| scene.pages(&short, path));
    if found != [1, 1] {
        fail!("the first person and the second were paged {found:?} times");
    }
    scene.nothing_is_lost(1)?;
    scene.crash(&mut ground.janitor)?;
    scene.nothing_is_lost(2)?;
    scene.end()?;
    Ok(Ended::Held(format!(
        "an alert waited for a lock of {} s; {TRIES} were refused with {status} under a longer one; what became due meanwhile came once; it said \"{said}\"",
        SHORT.as_secs()
    )))
}

/// An alert that is sent under a lock that is gone soon.
fn while_it_lasts_shortly(scene: &mut Scene, lock: Lock) -> Outcome<String> {
    let service = scene.service.clone();
    let mut line = scene.site.line()?;
    let releasing = thread::spawn(move || {
        thread::sleep(SHORT);
        lock.release()
    });
    let tried = scene.try_alert_of(&mut line, &service);
    match releasing.join() {
        Ok(released) => released?,
        Err(_) => fail!("the thread that was to release the lock ended by a fault"),
    }
    match tried? {
        (_, Some(incident)) => Ok(incident),
        (status, None) => fail!("an alert under a lock of {SHORT:?} was answered {status}"),
    }
}

fn while_it_lasts(scene: &mut Scene, seen: usize) -> Outcome<(String, u16)> {
    let service = scene.service.clone();
    let mut line = scene.site.line()?;
    let mut last = 0;
    for _ in 0..TRIES {
        let (status, incident) = scene.try_alert_of(&mut line, &service)?;
        if incident.is_some() || !(500..600).contains(&status) {
            fail!("while the database is locked an alert was answered {status}");
        }
        last = status;
    }
    let said = scene.says("locked")?;
    if let Some(page) = scene.site.sink.after(seen).first() {
        fail!(
            "incident {} was paged for meanwhile, and nothing of that is on disk",
            page.incident
        );
    }
    Ok((said, last))
}
