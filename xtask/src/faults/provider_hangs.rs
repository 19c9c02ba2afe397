//! A provider that takes a message and never answers. Expected: each attempt ends at its deadline of 15 s, and the person's next way
//! is used after the last of three; somebody else's page waits for a place among the attempts of the channel, one deadline at most.

use std::time::{Duration, Instant};

use serde_json::json;

use super::Ended;
use super::scene::{FIRST, FIRST_OTHER, Ground};
use crate::failure::{Outcome, fail};
use crate::site::sink::Manner;

/// Three attempts of 15 s with 1 and 4 s between them, and a busy machine.
const LIMIT: Duration = Duration::from_secs(75);
/// A deadline of those that hold the places, and as much for a busy machine.
const OTHER_LIMIT: Duration = Duration::from_secs(30);
const LEVEL: Duration = Duration::from_secs(600);
/// More than are sent at once by one channel.
const HELD: usize = 24;

pub(super) fn play(ground: &mut Ground) -> Outcome<Ended> {
    let mut scene = ground.scene(LEVEL)?;
    let mut line = scene.site.line()?;
    let person = scene.site.add_person(&mut line, "third", &["/third"])?;
    let level = json!({"delay_minutes": 60, "targets": [{"kind": "user", "id": person}]});
    let service = scene.add_service(&mut line, "Other shop", &[level])?;
    scene.site.sink.behave(FIRST, Manner::Hang);
    let began = Instant::now();
    let first = scene.alert()?;
    // A rest of the provider begins with five attempts; one alone has none.
    scene.page(&first, FIRST_OTHER, LIMIT)?;
    let took = began.elapsed();
    let tried = scene.pages(&first, FIRST);
    if tried > 3 {
        fail!("the provider that hangs was tried {tried} times");
    }
    for _ in 0..HELD {
        scene.alert()?;
    }
    // The connection has been idle for so long that it may have been closed.
    let mut line = scene.site.line()?;
    let sent = Instant::now();
    let (status, incident) = scene.try_alert_of(&mut line, &service)?;
    let Some(incident) = incident else {
        fail!("an alert was answered {status}")
    };
    scene.page(&incident, "/third", OTHER_LIMIT)?;
    let other = sent.elapsed();
    scene.site.sink.behave(FIRST, Manner::Take);
    scene.nothing_is_repeated(3)?;
    scene.site.server.end()?;
    Ok(Ended::Held(format!(
        "the next way was used after {:.1} s; with {HELD} more held up, somebody else's page took {:.1} s",
        took.as_secs_f64(),
        other.as_secs_f64()
    )))
}
