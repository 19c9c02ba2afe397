//! The server that `tocsin watch` watches is gone at once, and the watcher has the intervals that it is shipped with. Expected: its
//! own place is told within 90 s, and once.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use super::Ended;
use super::scene::{Ground, PAGE_LIMIT, Scene};
use crate::failure::{Because, Failure, Outcome, fail};
use crate::http::client::{Ask, ask};
use crate::janitor::Janitor;
use crate::processes::{Identity, wait_until};
use crate::site::call;
use crate::site::server::text;

/// What is promised.
const PROMISE: Duration = Duration::from_secs(90);
/// So long it is waited, to tell late from never.
const WALL: Duration = Duration::from_secs(120);
/// Until the server says that it is able to page: its first audit and canary take some seconds.
const READY_LIMIT: Duration = Duration::from_secs(60);
const READY_LOOK: Duration = Duration::from_millis(250);
/// The watcher asks as soon as it has started.
const FIRST_QUESTION: Duration = Duration::from_secs(2);
const LEVEL: Duration = Duration::from_secs(600);
/// Where the watcher tells.
const PLACE: &str = "/watch";

pub(super) fn play(ground: &mut Ground) -> Outcome<Ended> {
    let mut scene = ground.scene(LEVEL)?;
    make_able_to_page(&scene)?;
    let mut watcher = Watcher::start(&scene, &mut ground.janitor)?;
    thread::sleep(FIRST_QUESTION);
    if told(&scene) > 0 {
        fail!("the watcher told of an outage before there was one");
    }
    let seen = scene.site.sink.len();
    let killed = Instant::now();
    scene.site.server.kill()?;
    let arrived = scene.site.sink.wait(seen, WALL, |one| one.path == PLACE);
    let Some(arrived) = arrived else {
        fail!(
            "the watcher told nobody within {} s; it said:\n{}",
            WALL.as_secs(),
            watcher.logged()
        )
    };
    let took = arrived.at.saturating_duration_since(killed);
    if took > PROMISE {
        fail!(
            "the watcher told of the outage after {:.1} s, and {} s are promised",
            took.as_secs_f64(),
            PROMISE.as_secs()
        );
    }
    if arrived.kind != "page" {
        fail!("the watcher sent a message of kind {}", arrived.kind);
    }
    watcher.end()?;
    let times = told(&scene);
    if times != 1 {
        fail!("the watcher told of one outage {times} times");
    }
    Ok(Ended::Held(format!(
        "the watcher's own place was told {:.1} s after the kill; {} s are promised",
        took.as_secs_f64(),
        PROMISE.as_secs()
    )))
}

/// How many messages of the watcher have come.
fn told(scene: &Scene) -> usize {
    let arrivals = scene.site.sink.after(0);
    arrivals.iter().filter(|one| one.path == PLACE).count()
}

/// Has somebody on the list of last resort be reached, without which the server would say itself that it pages nobody.
fn make_able_to_page(scene: &Scene) -> Outcome<()> {
    let mut line = scene.site.line()?;
    let admin = call(&mut line, "GET", "/me", &Value::Null)?;
    let admin = text(&admin, "id")?;
    scene.site.add_webhook(&mut line, &admin, "/admin")?;
    let deadline = Instant::now() + READY_LIMIT;
    while !is_able_to_page(scene.site.address) {
        if Instant::now() >= deadline {
            fail!(
                "the server is not able to page before anything was done to it: {}",
                scene.complaints()?.join("; ")
            );
        }
        thread::sleep(READY_LOOK);
    }
    Ok(())
}

fn is_able_to_page(address: SocketAddr) -> bool {
    let question = Ask {
        method: "GET",
        path: "/readyz",
        headers: &[],
        body: &[],
        limit: PAGE_LIMIT,
    };
    ask(address, question).is_ok_and(|answer| answer.status == 200)
}

/// A second process of the shipped binary.
struct Watcher {
    child: Child,
    identity: Identity,
    log: PathBuf,
}

impl Watcher {
    /// Starts it with nothing but what it must be told, and waits until it watches.
    fn start(scene: &Scene, janitor: &mut Janitor) -> Outcome<Self> {
        let serve = &scene.site.server.serve;
        let log = serve.dir.join("watch.log");
        let written = fs::File::create(&log).because(format!("making {}", log.display()))?;
        let same = written.try_clone().because("opening the log twice")?;
        let child = Command::new(&serve.binary)
            .args(["watch", "--allow", "127.0.0.0/8"])
            .args(["--peer", &format!("http://{}", serve.address)])
            .arg(format!(
                "--notify=webhook:http://{}{PLACE}",
                scene.site.sink_address
            ))
            .arg("--state")
            .arg(serve.dir.join("watch.json"))
            .env("TOCSIN_WATCH_KEY", "a-signing-key-of-the-chore")
            .current_dir(&serve.dir)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(written)
            .stderr(same)
            .spawn()
            .because(format!("running {} watch", serve.binary.display()))?;
        let identity = i32::try_from(child.id()).ok().and_then(Identity::of);
        let identity = identity.ok_or_else(|| Failure::new("tocsin watch ended at once"))?;
        janitor.will_end(identity);
        let watcher = Self {
            child,
            identity,
            log,
        };
        if !wait_until(PAGE_LIMIT, || watcher.logged().contains("Watching ")) {
            fail!(
                "tocsin watch does not watch; it said:\n{}",
                watcher.logged()
            );
        }
        Ok(watcher)
    }

    fn logged(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn end(&mut self) -> Outcome<()> {
        self.identity.signal(Signal::TERM);
        self.child
            .wait()
            .because("waiting for tocsin watch to end")?;
        Ok(())
    }
}
