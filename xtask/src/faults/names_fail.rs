//! A name of a provider that resolves no more, as when the resolver is down. Expected: the page is tried as after any failure and goes
//! the person's next way within seconds, the incident tells why, and the first way is used again when the name is back.

use std::time::{Duration, Instant};

use super::Ended;
use super::private_names::PrivateNames;
use super::scene::{Ground, PAGE_LIMIT, Scene, level_of};
use crate::failure::{Outcome, fail};
use crate::site::{add_user, use_in_order};

/// No other resolver has ever heard of it.
const NAME: &str = "pages.invalid";
const NAMED: &str = "/named";
const OTHER: &str = "/named-other";
const LEVEL: Duration = Duration::from_secs(3_600);

pub(super) fn play(ground: &mut Ground) -> Outcome<Ended> {
    let mut serve = ground.prepare()?;
    let Some(names) = PrivateNames::make(&ground.dir.join("names"))? else {
        let why = "no process may see files of its own here, not even in a name space of its own";
        return Ok(Ended::Skipped(why.to_owned()));
    };
    names.know(Some(NAME))?;
    serve.before = names.before();
    let mut scene = Scene::set(serve, LEVEL, &mut ground.janitor)?;
    let service = add_service(&scene)?;
    page(&mut scene, &service, NAMED)?;
    names.know(None)?;
    let sent = Instant::now();
    let incident = page(&mut scene, &service, OTHER)?;
    let took = sent.elapsed();
    if scene.pages(&incident, NAMED) > 0 {
        fail!("a page came by a name that does not resolve");
    }
    let told = scene.tells(&incident, "could not be resolved")?;
    names.know(Some(NAME))?;
    page(&mut scene, &service, NAMED)?;
    scene.nothing_is_lost(1)?;
    scene.end()?;
    Ok(Ended::Held(format!(
        "the next way was used after {:.1} s, and the first again when the name was back; it said \"{told}\"",
        took.as_secs_f64()
    )))
}

/// A service of somebody who is paged by the name, and by an address when that fails.
fn add_service(scene: &Scene) -> Outcome<String> {
    let mut line = scene.site.line()?;
    let person = add_user(&mut line, "named")?;
    let port = scene.site.sink_address.port();
    let base = format!("http://{NAME}:{port}");
    let named = scene
        .site
        .add_webhook_at(&mut line, &person, &base, NAMED)?;
    let other = scene.site.add_webhook(&mut line, &person, OTHER)?;
    use_in_order(&mut line, &person, &[named, other])?;
    scene.add_service(&mut line, "Named", &[level_of(&person, LEVEL)])
}

/// Raises a critical alert whose page must come to `path`.
fn page(scene: &mut Scene, service: &str, path: &str) -> Outcome<String> {
    let incident = scene.alert_of(service)?;
    scene.page(&incident, path, PAGE_LIMIT)?;
    Ok(incident)
}
