//! Kills that fall into a start: the very first one, which makes the data, and later ones, which read it while a page is owed.
//! Expected: the next start goes on from there, and the page comes.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::Ended;
use super::scene::{FIRST, Ground, PAGE_LIMIT, Scene, clear};
use crate::failure::{Outcome, fail};
use crate::processes::wait_until;
use crate::random::Random;
use crate::site::call;
use crate::site::server::Server;
use crate::site::sink::Manner;

/// Kills of each sort.
const KILLS: u64 = 6;
/// How often one message is tried.
const ATTEMPTS_MAX: usize = 3;
const SEED: u64 = 20_261_127;
const LEVEL: Duration = Duration::from_secs(600);
/// How long the provider takes, so that every kill finds the page under way.
const SLOW: Duration = Duration::from_secs(2);

pub(super) fn play(ground: &mut Ground) -> Outcome<Ended> {
    let mut random = Random::new(SEED);
    let took = first_starts(ground, &mut random)?;
    let mut scene = ground.scene(LEVEL)?;
    scene.site.sink.behave(FIRST, Manner::Late(SLOW));
    let incident = scene.alert()?;
    scene.site.server.kill()?;
    for _ in 0..KILLS {
        scene.site.server.begin_again(&mut ground.janitor)?;
        sleep_within(took, &mut random);
        scene.site.server.kill()?;
    }
    scene.site.sink.behave(FIRST, Manner::Take);
    scene.site.server.start_again(&mut ground.janitor)?;
    wait_until(PAGE_LIMIT, || is_delivered(&scene, &incident));
    if !is_delivered(&scene, &incident) {
        fail!("after {KILLS} kills at its start no page of incident {incident} was delivered");
    }
    scene.nothing_is_lost(ATTEMPTS_MAX)?;
    scene.end()?;
    Ok(Ended::Held(format!(
        "{KILLS} kills in the first start and {KILLS} in later ones; a start takes {} ms",
        took.as_millis()
    )))
}

/// Whether it is on record that a provider took a page.
fn is_delivered(scene: &Scene, incident: &str) -> bool {
    let path = format!("/incidents/{incident}");
    let shown = scene.site.line();
    let shown = shown.and_then(|mut line| call(&mut line, "GET", &path, &Value::Null));
    let pages = shown.map(|shown| shown["pages"].clone());
    let pages = pages.unwrap_or_default();
    let mut pages = pages.as_array().into_iter().flatten();
    pages.any(|page| page["purpose"] == "page" && page["state"] == "delivered")
}

/// Kills the first start on empty data again and again, until one is left alone; gives back how long that took.
fn first_starts(ground: &mut Ground, random: &mut Random) -> Outcome<Duration> {
    let serve = ground.prepare()?;
    let began = Instant::now();
    let mut server = Server::start(serve.clone(), &mut ground.janitor)?;
    let took = began.elapsed();
    server.kill()?;
    for _ in 0..KILLS {
        clear(&serve.data)?;
        // Twice on the same data: the second start finds what the first one left.
        for _ in 0..2 {
            server.begin_again(&mut ground.janitor)?;
            sleep_within(took, random);
            server.kill()?;
        }
    }
    let mut scene = Scene::set(serve, LEVEL, &mut ground.janitor)?;
    let incident = scene.alert()?;
    scene.page(&incident, FIRST, PAGE_LIMIT)?;
    scene.end()?;
    Ok(took)
}

fn sleep_within(span: Duration, random: &mut Random) {
    let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
    thread::sleep(Duration::from_micros(random.below(micros.max(1))));
}
