//! The store of tokens, sign-ins and addresses, which somebody else has locked. Expected: paging goes on, also while somebody waits for
//! that lock; a token is checked as ever; a sign-in and a new token are refused plainly after a short while, and it is said; when the
//! lock is gone, the link that was refused signs in, and nothing is there of what was refused.

use std::fs;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::{Value, json};

use super::Ended;
use super::lock::{self, Lock};
use super::scene::{FIRST, Ground, PAGE_LIMIT, SECOND, Scene};
use crate::failure::{Because, Failure, Outcome, fail};
use crate::site::call;
use crate::site::line::Line;
use crate::site::server::text;

const STORE: &str = "access.sqlite3";
/// It is over while the store is locked.
const LEVEL: Duration = Duration::from_secs(6);
const TOKENS: &str = "/api/tocsin/v1/api-tokens";
const SESSION: &str = "/api/tocsin/v1/session";
/// What nobody has.
const WRONG_TOKEN: &str = "aaaaaaaaaaaaaaaaaaaa";

pub(super) fn play(ground: &mut Ground) -> Outcome<Ended> {
    let mut scene = ground.scene(LEVEL)?;
    let before = scene.alert()?;
    scene.page(&before, FIRST, PAGE_LIMIT)?;
    let mut line = scene.site.line()?;
    let made = call(&mut line, "POST", "/api-tokens", &token("before"))?;
    let unused = text(&made, "token")?;
    let store = scene.site.server.serve.data.join(STORE);
    let Some(lock) = Lock::take(&store, &mut ground.janitor)? else {
        scene.end()?;
        return Ok(Ended::Skipped(lock::MISSING.to_owned()));
    };
    let met = while_it_lasts(&mut scene, &unused);
    lock.release()?;
    let (incident, said) = met?;
    all_is_well(&scene)?;
    let after = scene.alert()?;
    scene.page(&after, FIRST, PAGE_LIMIT)?;
    // Whatever should not come has time to.
    thread::sleep(Duration::from_secs(1));
    let found = [FIRST, SECOND].map(|path| scene.pages(&incident, path));
    if found != [1, 1] {
        fail!("the first person and the second were paged {found:?} times");
    }
    scene.nothing_is_lost(1)?;
    scene.crash(&mut ground.janitor)?;
    scene.nothing_is_lost(2)?;
    scene.end()?;
    Ok(Ended::Held(format!(
        "two levels were paged under the lock and tokens checked; a sign-in and a new token were refused with 503, and went well afterwards; it said \"{said}\""
    )))
}

/// Gives back the incident that was opened and paged for meanwhile, and what was said of the lock.
fn while_it_lasts(scene: &mut Scene, unused: &str) -> Outcome<(String, String)> {
    // It waits for the lock while all else goes on.
    let waiting = sign_in(scene)?;
    let incident = scene.alert()?;
    scene.page(&incident, FIRST, PAGE_LIMIT)?;
    is_refused("a sign-in", &joined(waiting)?)?;
    for (token, expected) in [(unused, 200), (WRONG_TOKEN, 401)] {
        let line = Line::open(scene.site.address, token);
        let mut line = line.because("connecting to Tocsin")?;
        let answer = line.ask("GET", "/api/tocsin/v1/users", "");
        let (status, _) = answer.because("asking with a token")?;
        if status != expected {
            fail!("a token was answered {status} in place of {expected}");
        }
    }
    let mut line = scene.site.line()?;
    let answer = line.ask("POST", TOKENS, &token("meanwhile").to_string());
    is_refused("a new token", &answer.because("asking for a token")?)?;
    scene.page(&incident, SECOND, LEVEL + PAGE_LIMIT)?;
    let said = scene.says(STORE)?;
    Ok((incident, said))
}

/// What was refused works, and has left nothing.
fn all_is_well(scene: &Scene) -> Outcome<()> {
    let (status, body) = joined(sign_in(scene)?)?;
    if status != 200 {
        let said = String::from_utf8_lossy(&body);
        fail!("the link that was refused under the lock is answered {status}: {said}");
    }
    let mut line = scene.site.line()?;
    call(&mut line, "POST", "/api-tokens", &token("after"))?;
    let list = call(&mut line, "GET", "/api-tokens?limit=100", &Value::Null)?;
    let tokens = list["items"].as_array().into_iter().flatten();
    let mut names: Vec<&str> = tokens.filter_map(|one| one["name"].as_str()).collect();
    names.sort_unstable();
    if names != ["after", "before", "setup"] {
        fail!("the tokens are {names:?}");
    }
    Ok(())
}

fn token(name: &str) -> Value {
    json!({"name": name, "role": "viewer"})
}

type Answered = (u16, Vec<u8>);

/// Begins to sign in with the link of the set-up, which is good once.
fn sign_in(scene: &Scene) -> Outcome<JoinHandle<Outcome<Answered>>> {
    let printed = scene.site.server.serve.dir.join("setup.json");
    let printed = fs::read(&printed).because(format!("reading {}", printed.display()))?;
    let printed: Value =
        serde_json::from_slice(&printed).because("reading what tocsin setup printed")?;
    let link = text(&printed, "login_url")?;
    let Some((_, login)) = link.split_once("?token=") else {
        fail!("the link of the set-up has no token: {link}")
    };
    let body = json!({"login_token": login}).to_string();
    let mut line = scene.site.line()?;
    Ok(thread::spawn(move || {
        line.ask("POST", SESSION, &body).because("signing in")
    }))
}

fn joined(waiting: JoinHandle<Outcome<Answered>>) -> Outcome<Answered> {
    let answered = waiting.join();
    answered.map_err(|_| Failure::new("the thread that signs in ended by a fault"))?
}

/// Refused in words that name the lock, so that it can be tried again.
fn is_refused(what: &str, answered: &Answered) -> Outcome<()> {
    let (status, body) = answered;
    let said = String::from_utf8_lossy(body);
    if *status != 503 || !said.contains("lock") {
        fail!("under the lock {what} was answered {status}: {said}");
    }
    Ok(())
}
