//! A clock that is set forward by an hour and back again. Expected: what was due in that hour is done once, nothing is said twice, what
//! waits for some time waits for that time and no longer, whoever has duty by the clock is paged, and alerts page at once before,
//! between and after.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::Ended;
use super::faketime::{Clock, MISSING};
use super::scene::{FIRST, Ground, PAGE_LIMIT, SECOND, Scene, level_of};
use crate::clock::{self, Millis};
use crate::failure::{Because, Outcome, fail};
use crate::site::made;

/// How far it jumps, in seconds.
const JUMP: i64 = 3_600;
/// The first level has so long: longer than this fault, shorter than the jump.
const LEVEL: Duration = Duration::from_secs(1_800);
/// A level that runs while the clock is set back.
const SHORT: Duration = Duration::from_secs(10);
/// A level that is not over in this fault, wherever the clock is.
const LONG: Duration = Duration::from_secs(36_000);
/// The clock of the machine may be corrected meanwhile.
const CORRECTION: Duration = Duration::from_secs(1);
/// From now until duty passes from the first person to the second: in the middle of the jump.
const HAND_OFF_AFTER: Millis = 1_800_000;
const DAY: Millis = 86_400_000;

pub(super) fn play(ground: &mut Ground) -> Outcome<Ended> {
    let mut serve = ground.prepare()?;
    let Some(clock) = Clock::give(&mut serve)? else {
        return Ok(Ended::Skipped(MISSING.to_owned()));
    };
    let mut scene = Scene::set(serve, LEVEL, &mut ground.janitor)?;
    let (turns, short) = (add_turns(&scene)?, add_short(&scene)?);
    let mut on_duty = vec![(alert_on_duty(&mut scene, &turns, FIRST)?, FIRST)];
    let waiting = scene.alert()?;
    scene.page(&waiting, FIRST, PAGE_LIMIT)?;
    clock.set(JUMP)?;
    scene.page(&waiting, SECOND, PAGE_LIMIT)?;
    let between = scene.alert()?;
    scene.page(&between, FIRST, PAGE_LIMIT)?;
    on_duty.push((alert_on_duty(&mut scene, &turns, SECOND)?, SECOND));
    let (crossing, took) = wait_through_the_way_back(&mut scene, &short, &clock)?;
    on_duty.push((alert_on_duty(&mut scene, &turns, FIRST)?, FIRST));
    let after = scene.alert()?;
    scene.page(&after, FIRST, PAGE_LIMIT)?;
    // Whatever should not come has time to.
    thread::sleep(Duration::from_secs(2));
    for incident in [&waiting, &crossing] {
        came(&scene, incident, [1, 1])?;
    }
    for (incident, who) in &on_duty {
        let first = usize::from(*who == FIRST);
        came(&scene, incident, [first, 1 - first])?;
    }
    scene.nothing_is_lost(1)?;
    scene.end()?;
    Ok(Ended::Held(format!(
        "an hour forward and back: the level that was over paged once, one of {} s that ran while it was set back after {:.1} s, duty passed there and back, alerts paged at once",
        SHORT.as_secs(),
        took.as_secs_f64()
    )))
}

/// A service whose only level is a schedule with a turn of a day each, in which duty passes while the clock jumps.
fn add_turns(scene: &Scene) -> Outcome<String> {
    let mut line = scene.site.line()?;
    // The third turn begins with the hand-off, so that the second is now.
    let start = clock::show(clock::now() + HAND_OFF_AFTER - 2 * DAY);
    let layer = json!({"start": start, "turn": {"every": 1, "unit": "days"}, "members": [scene.second, scene.first]});
    let schedule = json!({"name": "Turns", "time_zone": "UTC", "layer": layer});
    let schedule = made(&mut line, "/schedules", &schedule)?;
    let level = json!({"delay_minutes": LONG.as_secs() / 60, "targets": [{"kind": "schedule", "id": schedule}]});
    scene.add_service(&mut line, "On duty", &[level])
}

/// A service whose first level is over soon, and whose second is not.
fn add_short(scene: &Scene) -> Outcome<String> {
    let mut line = scene.site.line()?;
    let levels = [level_of(&scene.first, SHORT), level_of(&scene.second, LONG)];
    scene.add_service(&mut line, "Soon", &levels)
}

/// An alert for whoever has duty, who is paged at `path`.
fn alert_on_duty(scene: &mut Scene, turns: &str, path: &str) -> Outcome<String> {
    let incident = scene.alert_of(turns)?;
    scene.page(&incident, path, PAGE_LIMIT)?;
    Ok(incident)
}

/// Sets the clock back while a level runs, which must be over after its time all the same; gives back the incident, and how long it
/// took.
fn wait_through_the_way_back(
    scene: &mut Scene,
    short: &str,
    clock: &Clock,
) -> Outcome<(String, Duration)> {
    let sent = Instant::now();
    let incident = scene.alert_of(short)?;
    scene.page(&incident, FIRST, PAGE_LIMIT)?;
    clock.set(0)?;
    let page = scene.page(&incident, SECOND, SHORT + PAGE_LIMIT);
    let page = page.because("after the clock was set back")?;
    let took = page.at.saturating_duration_since(sent);
    if took + CORRECTION < SHORT {
        fail!(
            "a level of {} s that ran while the clock was set back was over after {:.1} s",
            SHORT.as_secs(),
            took.as_secs_f64()
        );
    }
    Ok((incident, took))
}

/// How often the first person and the second were paged about an incident.
fn came(scene: &Scene, incident: &str, expected: [usize; 2]) -> Outcome<()> {
    let found = [FIRST, SECOND].map(|path| scene.pages(incident, path));
    if found != expected {
        fail!(
            "about incident {incident} the first person and the second were paged {found:?} times and not {expected:?}"
        );
    }
    Ok(())
}
