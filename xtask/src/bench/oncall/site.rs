//! A Tocsin that pages real addresses: set up as a newcomer would, with people who are reached by webhooks at the sink, services
//! and policies; what is measured of it is not known here.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::line::Line;
use super::sink::Sink;
use crate::failure::{Because, Failure, Outcome, fail};
use crate::http::client::{Ask, ask};
use crate::http::free_address;
use crate::janitor::Janitor;
use crate::processes::{Identity, wait_until};

const BASE: &str = "/api/tocsin/v1";
const PATIENCE: Duration = Duration::from_secs(60);

/// How many people, and services of each policy; each person is the first level of one policy and the second of another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) people: usize,
    pub(crate) services: usize,
}

/// A running Tocsin with its people.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
    pub(crate) sink: Sink,
    pub(crate) services: Vec<String>,
    child: Child,
    identity: Identity,
}

impl Site {
    /// Sets up and serves `binary` on fresh data below `dir`, with people and services of this size.
    pub(crate) fn start(
        binary: &Path,
        dir: &Path,
        size: Size,
        janitor: &mut Janitor,
    ) -> Outcome<Self> {
        let dir = dir.join("oncall");
        if dir.exists() {
            fs::remove_dir_all(&dir).because(format!("removing {}", dir.display()))?;
        }
        fs::create_dir_all(&dir).because(format!("making {}", dir.display()))?;
        janitor.will_remove(&dir);
        let (sink, sink_address) = Sink::start().because("starting the sink")?;
        let address = free_address()?;
        let config = write_config(&dir, address)?;
        let token = set_up(binary, &dir, &config)?;
        let child = serve(binary, &dir, &config, address)?;
        let identity = i32::try_from(child.id()).ok().and_then(Identity::of);
        let identity = identity.ok_or_else(|| Failure::new("tocsin serve ended at once"))?;
        janitor.will_end(identity);
        let mut site = Self {
            address,
            token,
            sink,
            services: Vec::new(),
            child,
            identity,
        };
        site.wait_until_alive()?;
        site.furnish(size, sink_address)?;
        Ok(site)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A connection of its own.
    pub(crate) fn line(&self) -> Outcome<Line> {
        Line::open(self.address, &self.token).because("connecting to Tocsin")
    }

    /// Stops the process where it is, and lets it go on.
    pub(crate) fn pause(&self, pause: bool) {
        self.identity
            .signal(if pause { Signal::STOP } else { Signal::CONT });
    }

    /// Asks Tocsin to end, and waits for it.
    pub(crate) fn end(mut self) {
        self.identity.signal(Signal::TERM);
        if !wait_until(Duration::from_secs(20), || !self.identity.is_alive()) {
            self.identity.signal(Signal::KILL);
        }
        let _ = self.child.wait();
    }

    fn wait_until_alive(&self) -> Outcome<()> {
        let question = Ask {
            method: "GET",
            path: "/healthz",
            headers: &[],
            body: &[],
            limit: Duration::from_secs(2),
        };
        let alive = wait_until(PATIENCE, || {
            ask(self.address, question).is_ok_and(|answer| answer.status == 200)
        });
        if alive {
            Ok(())
        } else {
            fail!(
                "tocsin serve did not answer /healthz within {} s",
                PATIENCE.as_secs()
            )
        }
    }

    fn furnish(&mut self, size: Size, sink: SocketAddr) -> Outcome<()> {
        let mut line = self.line()?;
        let mut people = Vec::new();
        for number in 0..size.people {
            people.push(self.add_person(&mut line, number, sink)?);
        }
        let mut policies = Vec::new();
        for number in 0..size.people {
            let level = |person: usize| {
                let id = &people[person % people.len()];
                json!({"delay_minutes": 1, "targets": [{"kind": "user", "id": id}]})
            };
            let policy = json!({"name": format!("Policy {number}"), "repeat": 0, "levels": [level(number), level(number + 1)]});
            policies.push(made(&mut line, "/escalation-policies", &policy)?);
        }
        for number in 0..size.services {
            let policy = &policies[number % policies.len()];
            let service =
                json!({"name": format!("Service {number}"), "escalation_policy_id": policy});
            self.services.push(made(&mut line, "/services", &service)?);
        }
        Ok(())
    }

    /// Adds a person who is reached by a webhook of their own, and proves with the code that arrives there that it is theirs.
    fn add_person(&self, line: &mut Line, number: usize, sink: SocketAddr) -> Outcome<String> {
        let person = json!({"name": format!("Person {number}"), "email": format!("p{number}@example.org"), "role": "responder"});
        let id = made(line, "/users", &person)?;
        let methods = format!("/users/{id}/contact-methods");
        let address = format!("http://{sink}/{number}");
        let webhook = json!({"kind": "webhook", "label": "bench", "address": address});
        let method = made(line, &methods, &webhook)?;
        let seen = self.sink.len();
        call(
            line,
            "POST",
            &format!("{methods}/{method}/test"),
            &json!({}),
        )?;
        let arrived = self.sink.wait(seen, PATIENCE, |one| one.code.is_some());
        let code = arrived.and_then(|one| one.code);
        let code = code.ok_or_else(|| Failure::new("no code arrived at the sink"))?;
        call(
            line,
            "POST",
            &format!("{methods}/{method}/verify"),
            &json!({"code": code}),
        )?;
        let rules = json!([{"urgency": "high", "delay_minutes": 0, "contact_method_id": method}]);
        call(
            line,
            "PUT",
            &format!("/users/{id}/notification-rules"),
            &rules,
        )?;
        Ok(id)
    }
}

/// Asks the native API; an answer other than a success is a failure.
pub(crate) fn call(line: &mut Line, method: &str, path: &str, body: &Value) -> Outcome<Value> {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let answer = line.ask(method, &format!("{BASE}{path}"), &body);
    let (status, text) = answer.because(format!("{method} {path}"))?;
    if !(200..300).contains(&status) {
        fail!(
            "{method} {path} answered {status}: {}",
            String::from_utf8_lossy(&text)
        );
    }
    if text.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&text).because(format!("reading the answer to {method} {path}"))
}

fn made(line: &mut Line, path: &str, body: &Value) -> Outcome<String> {
    let answer = call(line, "POST", path, body)?;
    match answer["id"].as_str() {
        Some(id) => Ok(id.to_owned()),
        None => fail!("POST {path} gave no id: {answer}"),
    }
}

fn write_config(dir: &Path, address: SocketAddr) -> Outcome<PathBuf> {
    let text = format!(
        "# Written by `cargo xtask bench oncall`: pages go to this machine, and nothing is watched.\n\
         public_url = \"http://{address}\"\n\n\
         [egress]\nallow = [\"127.0.0.0/8\"]\n\n\
         [watch]\nenabled = false\n"
    );
    let path = dir.join("tocsin.toml");
    fs::write(&path, text).because(format!("writing {}", path.display()))?;
    Ok(path)
}

fn set_up(binary: &Path, dir: &Path, config: &Path) -> Outcome<String> {
    let done = Command::new(binary)
        .args(["setup", "--admin-email", "admin@example.org", "--data"])
        .arg(dir.join("data"))
        .arg("--config")
        .arg(config)
        .current_dir(dir)
        .stdin(Stdio::null())
        .output()
        .because(format!("running {} setup", binary.display()))?;
    if !done.status.success() {
        fail!(
            "tocsin setup failed: {}",
            String::from_utf8_lossy(&done.stderr).trim_end()
        );
    }
    let printed: Value =
        serde_json::from_slice(&done.stdout).because("reading what tocsin setup printed")?;
    match printed["api_token"].as_str() {
        Some(token) => Ok(token.to_owned()),
        None => fail!("tocsin setup printed no token"),
    }
}

fn serve(binary: &Path, dir: &Path, config: &Path, address: SocketAddr) -> Outcome<Child> {
    let log = fs::File::create(dir.join("log")).because("opening the log")?;
    let same = log.try_clone().because("opening the log twice")?;
    Command::new(binary)
        .arg("serve")
        .arg("--data")
        .arg(dir.join("data"))
        .args(["--listen", &address.to_string()])
        .arg("--config")
        .arg(config)
        .current_dir(dir)
        // In a group of its own, so that Ctrl-C reaches it through the janitor, in order.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(same)
        .spawn()
        .because(format!("running {} serve", binary.display()))
}
