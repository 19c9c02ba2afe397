//! Providers with a certificate that is not theirs, is over, or that nobody knows. Expected: nothing is sent to them, the page goes the
//! person's next way within seconds, the incident and the log tell why, and a good certificate is enough for all to be as before.

use std::time::{Duration, Instant};

use super::Ended;
use super::certificates::Authority;
use super::scene::{Ground, PAGE_LIMIT, Scene, level_of};
use super::tls_front::TlsFront;
use crate::failure::{Outcome, fail};
use crate::places;
use crate::site::{add_user, use_in_order};

const LEVEL: Duration = Duration::from_secs(3_600);
/// The name by which all are reached.
const HOST: &str = "localhost";
const DAYS: i32 = 30;
/// What is wrong with each; the name is that of a person, too.
const WRONG: [&str; 3] = ["foreign", "outdated", "unknown"];

pub(super) fn play(ground: &mut Ground) -> Outcome<Ended> {
    let (openssl, python) = (places::program(&["openssl"]), places::program(&["python3"]));
    let (Some(openssl), Some(python)) = (openssl, python) else {
        let why = "openssl and python3 are not both installed";
        return Ok(Ended::Skipped(why.to_owned()));
    };
    let mut serve = ground.prepare()?;
    let known = Authority::make(&openssl, ground.dir.join("known"), "Known to all")?;
    let unknown = Authority::make(&openssl, ground.dir.join("unknown"), "Known to nobody")?;
    let good = WRONG.map(|_| known.sign(HOST, DAYS));
    let good = good.into_iter().collect::<Outcome<Vec<String>>>()?;
    let wrong = [
        known.sign("other.example", DAYS)?,
        known.sign(HOST, -1)?,
        unknown.sign(HOST, DAYS)?,
    ];
    let authorities = known.certificate().display().to_string();
    serve.environment = vec![("SSL_CERT_FILE".to_owned(), authorities)];
    let mut scene = Scene::set(serve, LEVEL, &mut ground.janitor)?;
    let sink = scene.site.sink_address;
    let front = TlsFront::open(&python, &ground.dir, &good, sink, &mut ground.janitor)?;
    let seen = with_wrong_ones(&mut scene, &front, &good, &wrong);
    let ended = scene.end();
    front.close()?;
    let seen = seen?;
    ended?;
    Ok(Ended::Held(seen))
}

fn with_wrong_ones(
    scene: &mut Scene,
    front: &TlsFront,
    good: &[String],
    wrong: &[String],
) -> Outcome<String> {
    let mut services = Vec::new();
    for (name, port) in WRONG.iter().zip(&front.ports) {
        services.push(add_service(scene, name, *port)?);
    }
    page_each(scene, &services, "")?;
    front.show(wrong)?;
    let sent = Instant::now();
    let incidents = page_each(scene, &services, "-other")?;
    let took = sent.elapsed();
    for (name, incident) in WRONG.iter().zip(&incidents) {
        if scene.pages(incident, &format!("/{name}")) > 0 {
            fail!("a page was sent to whoever showed the certificate that is {name}");
        }
        scene.tells(incident, "certificate")?;
    }
    let said = scene.says("certificate")?;
    front.show(good)?;
    page_each(scene, &services, "")?;
    scene.nothing_is_lost(1)?;
    Ok(format!(
        "{}: the next way was used within {:.1} s, and the first again with good ones; it said \"{said}\"",
        WRONG.join(", "),
        took.as_secs_f64()
    ))
}

/// A service of somebody who is paged by HTTPS, and by HTTP when that fails.
fn add_service(scene: &Scene, name: &str, port: u16) -> Outcome<String> {
    let mut line = scene.site.line()?;
    let person = add_user(&mut line, name)?;
    let base = format!("https://{HOST}:{port}");
    let encrypted = scene
        .site
        .add_webhook_at(&mut line, &person, &base, &format!("/{name}"))?;
    let other = format!("/{name}-other");
    let other = scene.site.add_webhook(&mut line, &person, &other)?;
    use_in_order(&mut line, &person, &[encrypted, other])?;
    scene.add_service(&mut line, name, &[level_of(&person, LEVEL)])
}

/// Raises a critical alert of each service, whose pages must come to the persons' paths with this ending; gives back the incidents.
fn page_each(scene: &mut Scene, services: &[String], ending: &str) -> Outcome<Vec<String>> {
    let mut incidents = Vec::new();
    for service in services {
        incidents.push(scene.alert_of(service)?);
    }
    for (name, incident) in WRONG.iter().zip(&incidents) {
        scene.page(incident, &format!("/{name}{ending}"), PAGE_LIMIT)?;
    }
    Ok(incidents)
}
