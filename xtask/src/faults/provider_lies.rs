//! Providers that answer nonsense, refuse, tell us to wait, or hang up. Expected: whatever was not clearly taken goes to the
//! person's next way within seconds, each try under one key, and nothing is tried more often than three times.

use std::time::{Duration, Instant};

use serde_json::json;

use super::Ended;
use super::scene::{Ground, PAGE_LIMIT, Scene};
use crate::failure::{Outcome, fail};
use crate::site::sink::Manner;

const LEVEL: Duration = Duration::from_secs(600);
/// Attempts by one way.
const ATTEMPTS_MAX: usize = 3;

/// A way of lying: its name, what is answered, and whether that counts as taken.
const LIES: [(&str, &str, bool); 7] = [
    (
        "busy",
        "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy",
        false,
    ),
    (
        "too-many",
        "HTTP/1.1 429 Slowly\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n",
        false,
    ),
    (
        "refused",
        "HTTP/1.1 404 Gone\r\nContent-Length: 0\r\n\r\n",
        false,
    ),
    (
        "moved",
        "HTTP/1.1 302 There\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        false,
    ),
    ("nonsense", "\u{1}\u{2}these are no headers\r\n\r\n", false),
    ("hangs-up", "HTTP/1.1 20", false),
    (
        "cut-off",
        "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"ok\"",
        true,
    ),
];

pub(super) fn play(ground: &mut Ground) -> Outcome<Ended> {
    let mut scene = ground.scene(LEVEL)?;
    let mut line = scene.site.line()?;
    let mut services = Vec::new();
    for (name, answer, is_taken) in LIES {
        let (liar, other) = (format!("/{name}"), format!("/{name}-other"));
        let person = scene.site.add_person(&mut line, name, &[&liar, &other])?;
        let level = json!({"delay_minutes": 60, "targets": [{"kind": "user", "id": person}]});
        let service = scene.add_service(&mut line, name, &[level])?;
        scene
            .site
            .sink
            .behave(&liar, Manner::Say(answer.to_owned()));
        services.push((liar, other, service, is_taken));
    }
    let began = Instant::now();
    let mut sent = Vec::new();
    for (liar, other, service, is_taken) in services {
        let (status, incident) = scene.try_alert_of(&mut line, &service)?;
        let Some(incident) = incident else {
            fail!("an alert was answered {status}")
        };
        sent.push((liar, other, incident, is_taken));
    }
    for (_, other, incident, is_taken) in &sent {
        if !is_taken {
            scene.page(incident, other, PAGE_LIMIT)?;
        }
    }
    let took = began.elapsed();
    for lie in &sent {
        judge(&scene, lie)?;
    }
    scene.nothing_is_lost(ATTEMPTS_MAX)?;
    scene.end()?;
    Ok(Ended::Held(format!(
        "{} ways to lie; whoever was not reached was reached by the next way within {:.1} s",
        LIES.len(),
        took.as_secs_f64()
    )))
}

fn judge(
    scene: &Scene,
    (liar, other, incident, is_taken): &(String, String, String, bool),
) -> Outcome<()> {
    let tried = scene.pages(incident, liar);
    let right = if *is_taken { 1..=1 } else { 1..=ATTEMPTS_MAX };
    if !right.contains(&tried) {
        fail!("{liar} was tried {tried} times");
    }
    let expected = usize::from(!is_taken);
    let found = scene.pages(incident, other);
    if found != expected {
        fail!("{other} was paged {found} times and not {expected}");
    }
    Ok(())
}
