//! A machine that is suspended for eight hours while incidents wait for an answer. Expected: the level that is over pages once and
//! not once for every time that it would have been paged, what is lesser is told together, what is new pages at once, and nobody
//! takes the hours for a fault of Tocsin.

use std::thread;
use std::time::{Duration, Instant};

use super::Ended;
use super::faketime::{Clock, MISSING};
use super::scene::{FIRST, Ground, PAGE_LIMIT, SECOND, Scene, level_of};
use crate::failure::{Outcome, fail};
use crate::processes::wait_until;

/// Where somebody is paged for what is lesser.
const THIRD: &str = "/third";
/// Until the machine wakes up, in seconds, and until what waits to be told together has gone out.
const ASLEEP: i64 = 8 * 3_600;
const TOLD: i64 = ASLEEP + 300;
/// Each level has so long: there would have been many rounds meanwhile.
const LEVEL: Duration = Duration::from_secs(1_800);
const CRITICAL: usize = 5;
/// As many as are incidents of their own in one service.
const LESSER: usize = 10;
/// Messages to one person before what is lesser is told together.
const ONE_BY_ONE: usize = 8;
/// Whatever should not come has so long to.
const QUIET: Duration = Duration::from_secs(2);

pub(super) fn play(ground: &mut Ground) -> Outcome<Ended> {
    let mut serve = ground.prepare()?;
    let Some(clock) = Clock::give(&mut serve)? else {
        return Ok(Ended::Skipped(MISSING.to_owned()));
    };
    let mut scene = Scene::set(serve, LEVEL, &mut ground.janitor)?;
    let mut critical = Vec::new();
    for _ in 0..CRITICAL {
        critical.push(scene.alert()?);
    }
    for incident in &critical {
        scene.page(incident, FIRST, PAGE_LIMIT)?;
    }
    let lesser = raise_lesser(&mut scene)?;
    let before = scene.site.sink.len();
    scene.site.server.pause(true);
    let woken = clock.set(ASLEEP);
    scene.site.server.pause(false);
    woken?;
    let woke = Instant::now();
    for incident in &critical {
        scene.page(incident, SECOND, PAGE_LIMIT)?;
    }
    let took = woke.elapsed();
    let new = scene.alert()?;
    scene.page(&new, FIRST, PAGE_LIMIT)?;
    thread::sleep(QUIET);
    for incident in &critical {
        let found = [FIRST, SECOND].map(|path| scene.pages(incident, path));
        if found != [1, 1] {
            fail!("the first person and the second were paged {found:?} times for one incident");
        }
    }
    let told = count_told(&scene, &clock, before, &lesser)?;
    scene.nothing_is_lost(1)?;
    if let Some(error) = error_in(&scene.site.server.serve.logged()) {
        fail!("it took the hours for a fault: {error}");
    }
    scene.end()?;
    Ok(Ended::Held(format!(
        "after {} h {CRITICAL} levels that were over paged once, within {:.1} s; {LESSER} lesser incidents came in {told} messages",
        ASLEEP / 3_600,
        took.as_secs_f64()
    )))
}

/// Raises what is lesser, and waits until as much of it is told as is told one by one.
fn raise_lesser(scene: &mut Scene) -> Outcome<Vec<String>> {
    let mut line = scene.site.line()?;
    let person = scene.site.add_person(&mut line, "third", &[THIRD])?;
    let levels = [level_of(&person, LEVEL), level_of(&person, LEVEL)];
    let service = scene.add_service(&mut line, "Lesser", &levels)?;
    let mut incidents = Vec::new();
    for _ in 0..LESSER {
        incidents.push(scene.lesser_alert_of(&mut line, &service)?);
    }
    wait_until(PAGE_LIMIT, || told_since(scene, 0) >= ONE_BY_ONE);
    thread::sleep(QUIET);
    let told = told_since(scene, 0);
    if told != ONE_BY_ONE {
        fail!("{told} messages about {LESSER} lesser incidents came, and not {ONE_BY_ONE}");
    }
    Ok(incidents)
}

/// In how many messages what is lesser came after the machine woke up: no more than otherwise, and all of it.
fn count_told(scene: &Scene, clock: &Clock, before: usize, incidents: &[String]) -> Outcome<usize> {
    let at_once = told_since(scene, before);
    if at_once > ONE_BY_ONE {
        fail!("{at_once} messages about what is lesser came at once");
    }
    clock.set(TOLD)?;
    let all_came = || incidents.iter().all(|incident| is_told(scene, incident));
    if !wait_until(PAGE_LIMIT, all_came) {
        fail!("not all of the {LESSER} lesser incidents were told");
    }
    let told = told_since(scene, before);
    if told > at_once + 1 {
        fail!(
            "the rest of what is lesser came in {} messages",
            told - at_once
        );
    }
    Ok(told)
}

/// How many messages about what is lesser came after the first `seen` of all.
fn told_since(scene: &Scene, seen: usize) -> usize {
    let arrivals = scene.site.sink.after(seen);
    let pages = arrivals
        .iter()
        .filter(|one| one.path == THIRD && one.kind == "page");
    pages.count()
}

/// Whether every message about an incident has come to whom it was for.
fn is_told(scene: &Scene, incident: &str) -> bool {
    let messages = scene.messages(incident).unwrap_or_default();
    !messages.is_empty() && messages.iter().all(|one| one["state"] == "delivered")
}

fn error_in(log: &str) -> Option<&str> {
    log.lines().find(|line| line.contains(" ERROR "))
}
