//! A Tocsin that pages real addresses: set up as a newcomer would, with people who are reached by webhooks at the sink, services
//! and policies; what is done to it, and what is measured of it, is not known here.

pub(crate) mod line;
pub(crate) mod server;
pub(crate) mod sink;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use self::line::Line;
use self::server::{Serve, Server, text};
use self::sink::Sink;
use crate::build::{self, Profile};
use crate::failure::{Because, Failure, Outcome, fail};
use crate::http::free_address;
use crate::janitor::Janitor;
use crate::screen::step;

const BASE: &str = "/api/tocsin/v1";
const PATIENCE: Duration = Duration::from_secs(60);

/// How many people, and services of all policies; each person is the first level of one policy and the second of another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) people: usize,
    pub(crate) services: usize,
    /// What a level has for an answer.
    pub(crate) level_minutes: u32,
}

/// A running Tocsin with its people.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
    pub(crate) sink: Sink,
    pub(crate) sink_address: SocketAddr,
    pub(crate) people: Vec<String>,
    pub(crate) services: Vec<String>,
    pub(crate) server: Server,
}

impl Site {
    /// Sets up and serves `binary` on fresh data in `dir`, with people and services of this size.
    pub(crate) fn start(
        binary: &Path,
        dir: &Path,
        size: Size,
        janitor: &mut Janitor,
    ) -> Outcome<Self> {
        let mut site = Self::bare(binary, dir, janitor)?;
        site.furnish(size)?;
        Ok(site)
    }

    /// The same with nobody but its first administrator, whose mail goes nowhere.
    pub(crate) fn bare(binary: &Path, dir: &Path, janitor: &mut Janitor) -> Outcome<Self> {
        let serve = Self::prepare(binary, dir)?;
        Self::open(serve, janitor)
    }

    /// An empty folder, and how Tocsin will be run in it.
    pub(crate) fn prepare(binary: &Path, dir: &Path) -> Outcome<Serve> {
        Self::prepare_known_as(binary, dir, None)
    }

    /// The same for a Tocsin that tells others to reach it at `public_url`, else at the address where it listens.
    pub(crate) fn prepare_known_as(
        binary: &Path,
        dir: &Path,
        public_url: Option<&str>,
    ) -> Outcome<Serve> {
        if dir.exists() {
            fs::remove_dir_all(dir).because(format!("removing {}", dir.display()))?;
        }
        let address = free_address()?;
        let own = format!("http://{address}");
        let config = config(public_url.unwrap_or(&own));
        Serve::prepare(binary, dir, address, &config)
    }

    /// Sets up and serves.
    pub(crate) fn open(serve: Serve, janitor: &mut Janitor) -> Outcome<Self> {
        let (sink, sink_address) = Sink::start().because("starting the sink")?;
        let token = text(
            &serve.set_up("admin@example.org", "Ada Admin")?,
            "api_token",
        )?;
        let server = Server::start(serve, janitor)?;
        Ok(Self {
            address: server.serve.address,
            token,
            sink,
            sink_address,
            people: Vec::new(),
            services: Vec::new(),
            server,
        })
    }

    /// A connection of its own.
    pub(crate) fn line(&self) -> Outcome<Line> {
        Line::open(self.address, &self.token).because("connecting to Tocsin")
    }

    fn furnish(&mut self, size: Size) -> Outcome<()> {
        let mut line = self.line()?;
        for number in 0..size.people {
            let path = format!("/{number}");
            let person = self.add_person(&mut line, &number.to_string(), &[&path])?;
            self.people.push(person);
        }
        let mut policies = Vec::new();
        for number in 0..size.people {
            let level = |person: usize| {
                let id = &self.people[person % self.people.len()];
                json!({"delay_minutes": size.level_minutes, "targets": [{"kind": "user", "id": id}]})
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

    /// Where the pages of a level arrive, which counts from 0, about the service at this place.
    pub(crate) fn path_of(&self, service: usize, level: usize) -> String {
        format!("/{}", (service + level) % self.people.len())
    }

    /// Adds a person who is reached by webhooks to these paths of the sink, each used at once when the one before has failed.
    pub(crate) fn add_person(
        &self,
        line: &mut Line,
        name: &str,
        paths: &[&str],
    ) -> Outcome<String> {
        let id = add_user(line, name)?;
        let mut ways = Vec::new();
        for path in paths {
            ways.push(self.add_webhook(line, &id, path)?);
        }
        use_in_order(line, &id, &ways)?;
        Ok(id)
    }

    /// Adds a webhook to a path of the sink, and proves with the code that arrives there that it is theirs.
    pub(crate) fn add_webhook(&self, line: &mut Line, user: &str, path: &str) -> Outcome<String> {
        self.add_webhook_at(line, user, &format!("http://{}", self.sink_address), path)
    }

    /// The same by an address before the path that leads to the sink in another way.
    pub(crate) fn add_webhook_at(
        &self,
        line: &mut Line,
        user: &str,
        base: &str,
        path: &str,
    ) -> Outcome<String> {
        let webhook = json!({"kind": "webhook", "label": path, "address": format!("{base}{path}")});
        let seen = self.sink.len();
        add_method(line, user, &webhook, || {
            let arrived = self.sink.wait(seen, PATIENCE, |one| one.code.is_some());
            arrived?.code
        })
    }
}

/// Adds somebody who cannot be reached yet.
pub(crate) fn add_user(line: &mut Line, name: &str) -> Outcome<String> {
    let person = json!({"name": format!("Person {name}"), "email": format!("p{name}@example.org"), "role": "responder"});
    made(line, "/users", &person)
}

/// Adds a contact method, and proves with the code that `arrived` waits for that it is theirs.
pub(crate) fn add_method(
    line: &mut Line,
    user: &str,
    method: &Value,
    arrived: impl FnOnce() -> Option<String>,
) -> Outcome<String> {
    let methods = format!("/users/{user}/contact-methods");
    let address = &method["address"];
    let method = made(line, &methods, method)?;
    let test = format!("{methods}/{method}/test");
    call(line, "POST", &test, &json!({}))?;
    let code = arrived().ok_or_else(|| Failure::new(format!("no code came to {address}")))?;
    let verify = format!("{methods}/{method}/verify");
    call(line, "POST", &verify, &json!({"code": code}))?;
    Ok(method)
}

/// Has somebody paged by the first of these ways, and by each further one at once when the one before has failed.
pub(crate) fn use_in_order(line: &mut Line, user: &str, ways: &[String]) -> Outcome<()> {
    let rules = ways.iter().enumerate().map(|(place, way)| {
        // Those after the first would have their turn long after what is watched here is over.
        let delay_minutes = place * 60;
        json!({"urgency": "high", "delay_minutes": delay_minutes, "contact_method_id": way})
    });
    let rules = Value::Array(rules.collect());
    let path = format!("/users/{user}/notification-rules");
    call(line, "PUT", &path, &rules)?;
    Ok(())
}

/// The binary that was named, or one that is built now.
pub(crate) fn binary(named: Option<&Path>, profile: Profile) -> Outcome<PathBuf> {
    match named {
        Some(binary) => binary
            .canonicalize()
            .because(format!("finding {}", binary.display())),
        None => step(
            "tocsin",
            |_| build::binary(profile),
            |path| path.display().to_string(),
        ),
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

/// Makes something, and gives back its id.
pub(crate) fn made(line: &mut Line, path: &str, body: &Value) -> Outcome<String> {
    let answer = call(line, "POST", path, body)?;
    match answer["id"].as_str() {
        Some(id) => Ok(id.to_owned()),
        None => fail!("POST {path} gave no id: {answer}"),
    }
}

/// Shows the items of each page of a list to `look`, until that has seen enough.
pub(crate) fn each_page(
    line: &mut Line,
    path: &str,
    mut look: impl FnMut(&[Value]) -> bool,
) -> Outcome<()> {
    let mut page = call(line, "GET", path, &Value::Null)?;
    while look(page["items"].as_array().map_or(&[][..], Vec::as_slice)) {
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        let next = format!("{path}&cursor={cursor}");
        page = call(line, "GET", &next, &Value::Null)?;
    }
    Ok(())
}

fn config(public_url: &str) -> String {
    format!(
        "# Written by a chore: pages go to this machine, and nothing is watched.\n\
         public_url = \"{public_url}\"\n\n\
         [egress]\nallow = [\"127.0.0.0/8\"]\n\n\
         [watch]\nenabled = false\n"
    )
}
