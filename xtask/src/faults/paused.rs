//! A process that stands still, as a suspended machine does, while retries and escalations become due. Expected: each is done once
//! when it goes on, and alerts that were sent meanwhile are accepted then.

use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use super::Ended;
use super::scene::{FIRST, Ground, PAGE_LIMIT, SECOND, Scene};
use crate::failure::{Outcome, fail};
use crate::site::sink::Manner;

const LEVEL: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_secs(6);
const BUSY: &str = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";

pub(super) fn play(ground: &mut Ground) -> Outcome<Ended> {
    let mut scene = ground.scene(LEVEL)?;
    // The first attempt fails; the next one is due in a second.
    scene.site.sink.behave(FIRST, Manner::Say(BUSY.to_owned()));
    let escalated = scene.alert()?;
    scene.page(&escalated, FIRST, PAGE_LIMIT)?;
    scene.site.server.pause(true);
    scene.site.sink.behave(FIRST, Manner::Take);
    let sent = alert_meanwhile(&mut scene);
    scene.site.server.pause(false);
    let new = sent?;
    scene.page(&escalated, SECOND, PAGE_LIMIT)?;
    scene.page(&new, FIRST, PAGE_LIMIT)?;
    scene.nothing_is_lost(2)?;
    // Whatever should not come has time to.
    thread::sleep(Duration::from_secs(1));
    let (again, second) = (
        scene.pages(&escalated, FIRST),
        scene.pages(&escalated, SECOND),
    );
    if again > 2 || second != 1 {
        fail!(
            "after the pause the first person was paged {again} times and the second {second} times"
        );
    }
    scene.end()?;
    Ok(Ended::Held(format!(
        "stood still for {} s; the retry and the escalation that were due came once",
        PAUSE.as_secs()
    )))
}

/// An alert whose sender waits for the answer while nothing moves.
fn alert_meanwhile(scene: &mut Scene) -> Outcome<String> {
    let identity = scene.site.server.identity();
    let waiting = thread::spawn(move || {
        thread::sleep(PAUSE);
        identity.signal(Signal::CONT);
    });
    let service = scene.service.clone();
    let mut line = scene.site.line()?;
    let (status, incident) = scene.try_alert_of(&mut line, &service)?;
    let _ = waiting.join();
    match incident {
        Some(incident) => Ok(incident),
        None => fail!("an alert that waited out the pause was answered {status}"),
    }
}
