//! What each fault is played on: a Tocsin of its own with two people, what was accepted there, and what must hold afterwards
//! whatever happened; it does not know the faults.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::failure::{Because, Failure, Outcome, fail};
use crate::janitor::Janitor;
use crate::processes::wait_until;
use crate::site::line::Line;
use crate::site::server::Serve;
use crate::site::sink::Arrival;
use crate::site::{Site, call, each_page, made};

/// Where the first person is paged, and where when that fails.
pub(super) const FIRST: &str = "/first";
pub(super) const FIRST_OTHER: &str = "/first-other";
/// Where the second level is paged.
pub(super) const SECOND: &str = "/second";
/// Until a page must be there when nothing stands in its way but a busy machine.
pub(super) const PAGE_LIMIT: Duration = Duration::from_secs(15);
/// Between two tries of what was not accepted.
const AGAIN_AFTER: Duration = Duration::from_millis(100);

/// What a fault is played with.
pub(super) struct Ground {
    pub(super) binary: PathBuf,
    pub(super) dir: PathBuf,
    pub(super) janitor: Janitor,
}

impl Ground {
    /// How Tocsin will be run for a fault, in an empty folder.
    pub(super) fn prepare(&self) -> Outcome<Serve> {
        Site::prepare(&self.binary, &self.dir)
    }

    /// The same for a Tocsin that tells others to reach it at this address.
    pub(super) fn prepare_known_as(&self, public_url: &str) -> Outcome<Serve> {
        Site::prepare_known_as(&self.binary, &self.dir, Some(public_url))
    }

    /// A scene on an ordinary disk, whose first level has so long.
    pub(super) fn scene(&mut self, level: Duration) -> Outcome<Scene> {
        let serve = self.prepare()?;
        Scene::set(serve, level, &mut self.janitor)
    }
}

/// A Tocsin with its people.
pub(super) struct Scene {
    pub(super) site: Site,
    /// Who is paged first, and who then.
    pub(super) first: String,
    pub(super) second: String,
    pub(super) service: String,
    /// Keys that were accepted, each with its incident.
    pub(super) accepted: BTreeMap<String, String>,
    sent: usize,
}

impl Scene {
    /// Sets up and serves, with one person on each of two levels.
    pub(super) fn set(serve: Serve, level: Duration, janitor: &mut Janitor) -> Outcome<Self> {
        let site = Site::open(serve, janitor)?;
        let mut line = site.line()?;
        let first = site.add_person(&mut line, "first", &[FIRST, FIRST_OTHER])?;
        let second = site.add_person(&mut line, "second", &[SECOND])?;
        let levels = [&first, &second].map(|person| level_of(person, level));
        let mut scene = Self {
            site,
            first,
            second,
            service: String::new(),
            accepted: BTreeMap::new(),
            sent: 0,
        };
        scene.service = scene.add_service(&mut line, "Shop", &levels)?;
        Ok(scene)
    }

    pub(super) fn add_service(
        &self,
        line: &mut Line,
        name: &str,
        levels: &[Value],
    ) -> Outcome<String> {
        let policy = json!({"name": name, "repeat": 0, "levels": levels});
        let policy = made(line, "/escalation-policies", &policy)?;
        let service = json!({"name": name, "escalation_policy_id": policy});
        made(line, "/services", &service)
    }

    /// Asks once for a new critical alert of a service; gives back the status and, if it was accepted, its incident.
    pub(super) fn try_alert_of(
        &mut self,
        line: &mut Line,
        service: &str,
    ) -> Outcome<(u16, Option<String>)> {
        self.sent += 1;
        let key = format!("alert-{}", self.sent);
        let (status, incident) = send(line, service, &key, "critical")?;
        if let Some(incident) = &incident {
            self.accepted.insert(key, incident.clone());
        }
        Ok((status, incident))
    }

    /// Raises an alert that is not critical, of which not each is paged for by itself; gives back its incident.
    pub(super) fn lesser_alert_of(&mut self, line: &mut Line, service: &str) -> Outcome<String> {
        self.sent += 1;
        let key = format!("alert-{}", self.sent);
        match send(line, service, &key, "error")? {
            (_, Some(incident)) => Ok(incident),
            (status, None) => fail!("an alert was answered {status}"),
        }
    }

    /// Raises a critical alert over a connection of its own, again until it is accepted; gives back its incident.
    pub(super) fn alert(&mut self) -> Outcome<String> {
        let service = self.service.clone();
        self.alert_of(&service)
    }

    /// The same of a certain service.
    pub(super) fn alert_of(&mut self, service: &str) -> Outcome<String> {
        let deadline = Instant::now() + PAGE_LIMIT;
        let mut last = String::from("nobody listens");
        while Instant::now() < deadline {
            let tried = match self.site.line() {
                Ok(mut line) => self.try_alert_of(&mut line, service),
                Err(failure) => Err(failure),
            };
            match tried {
                Ok((_, Some(incident))) => return Ok(incident),
                Ok((status, None)) => last = format!("the answer is {status}"),
                Err(failure) => last = failure.to_string(),
            }
            thread::sleep(AGAIN_AFTER);
        }
        fail!(
            "no alert was accepted within {} s: {last}",
            PAGE_LIMIT.as_secs()
        )
    }

    /// The first page about an incident that came to `path` in time.
    pub(super) fn page(&self, incident: &str, path: &str, limit: Duration) -> Outcome<Arrival> {
        let found = self
            .site
            .sink
            .wait(0, limit, |one| one.path == path && one.is_page_of(incident));
        found.ok_or_else(|| {
            let within = limit.as_secs();
            Failure::new(format!(
                "no page about incident {incident} came to {path} within {within} s"
            ))
        })
    }

    /// How many pages about an incident came to `path`.
    pub(super) fn pages(&self, incident: &str, path: &str) -> usize {
        let arrivals = self.site.sink.after(0);
        let pages = arrivals
            .iter()
            .filter(|one| one.path == path && one.is_page_of(incident));
        pages.count()
    }

    /// Every message about an incident, as the API shows it.
    pub(super) fn messages(&self, incident: &str) -> Outcome<Vec<Value>> {
        let mut line = self.site.line()?;
        let path = format!("/incidents/{incident}");
        let shown = call(&mut line, "GET", &path, &Value::Null)?;
        Ok(shown["pages"].as_array().cloned().unwrap_or_default())
    }

    /// Waits until the incident tells something with this word in it of a message: of how an attempt ended, or of what became of it
    /// afterwards.
    pub(super) fn tells(&self, incident: &str, word: &str) -> Outcome<String> {
        let mut told = None;
        wait_until(PAGE_LIMIT, || {
            let messages = self.messages(incident).unwrap_or_default();
            let mut details = messages.iter().flat_map(details);
            told = details.find(|detail| detail.contains(word));
            told.is_some()
        });
        told.ok_or_else(|| {
            Failure::new(format!(
                "no message about incident {incident} tells anything of `{word}`"
            ))
        })
    }

    /// Kills it and serves again.
    pub(super) fn crash(&mut self, janitor: &mut Janitor) -> Outcome<()> {
        self.site.server.kill()?;
        self.site.server.start_again(janitor)
    }

    /// Everything that was accepted fires, every incident of it has paged somebody, and no message came more than `times` times.
    pub(super) fn nothing_is_lost(&self, times: usize) -> Outcome<()> {
        let mut line = self.site.line()?;
        let mut firing = Vec::new();
        each_page(&mut line, "/alerts?limit=100", |page| {
            let keys = page.iter().filter_map(|alert| alert["dedup_key"].as_str());
            firing.extend(keys.map(str::to_owned));
            true
        })?;
        let lost = self.accepted.keys().find(|key| !firing.contains(key));
        if let Some(key) = lost {
            fail!("{key} was accepted and is gone");
        }
        let unpaged = || {
            let mut incidents = self.accepted.values();
            incidents.find(|incident| !self.site.sink.has_page(incident))
        };
        wait_until(PAGE_LIMIT, || unpaged().is_none());
        if let Some(incident) = unpaged() {
            fail!("incident {incident} was accepted and paged nobody");
        }
        self.nothing_is_repeated(times)
    }

    /// No message came more than `times` times.
    pub(super) fn nothing_is_repeated(&self, times: usize) -> Outcome<()> {
        let mut arrived: BTreeMap<String, usize> = BTreeMap::new();
        for one in self.site.sink.after(0) {
            *arrived.entry(one.id).or_default() += 1;
        }
        match arrived.iter().find(|(_, count)| **count > times) {
            Some((id, count)) => {
                fail!("message {id} came {count} times, and {times} were expected at most")
            }
            None => Ok(()),
        }
    }

    /// Every check of `doctor` that is not well, in its words.
    pub(super) fn complaints(&self) -> Outcome<Vec<String>> {
        let mut line = self.site.line()?;
        let found = call(&mut line, "GET", "/doctor", &Value::Null)?;
        let checks = found["checks"].as_array().into_iter().flatten();
        let unwell = checks.filter(|check| check["state"] != "ok");
        let words = unwell.map(|check| {
            format!(
                "{}: {}",
                check["name"].as_str().unwrap_or_default(),
                check["detail"].as_str().unwrap_or_default()
            )
        });
        Ok(words.collect())
    }

    /// Waits until `doctor` or the log says something with this word in it, in any case of letters.
    pub(super) fn says(&self, word: &str) -> Outcome<String> {
        let mut said = None;
        wait_until(PAGE_LIMIT, || {
            let complaints = self.complaints().unwrap_or_default();
            let log = self.site.server.serve.logged();
            let warnings = log
                .lines()
                .filter(|line| line.contains("ERROR") || line.contains("WARN"))
                .map(str::to_owned);
            said = complaints
                .into_iter()
                .chain(warnings)
                .find(|one| one.to_lowercase().contains(word));
            said.is_some()
        });
        said.ok_or_else(|| {
            Failure::new(format!(
                "neither doctor nor the log says anything of `{word}`"
            ))
        })
    }

    /// Asks it to end, which it must do in good order.
    pub(super) fn end(&mut self) -> Outcome<()> {
        let status = self.site.server.end()?;
        if !status.success() {
            fail!("asked to end, it ended with {status}");
        }
        Ok(())
    }
}

/// A level that pages one person, and has so long for an answer.
pub(super) fn level_of(person: &str, answer_within: Duration) -> Value {
    let delay_minutes = answer_within.as_secs_f64() / 60.0;
    json!({"delay_minutes": delay_minutes, "targets": [{"kind": "user", "id": person}]})
}

/// Sends an alert once; gives back the status and, if it was accepted, its incident.
fn send(
    line: &mut Line,
    service: &str,
    key: &str,
    severity: &str,
) -> Outcome<(u16, Option<String>)> {
    let alert = json!({"service_id": service, "dedup_key": key, "action": "trigger", "summary": key, "severity": severity, "source": "web1"});
    let answer = line.ask("POST", "/api/tocsin/v1/alerts", &alert.to_string());
    let (status, body) = answer.because("sending an alert")?;
    if status != 202 {
        return Ok((status, None));
    }
    let answer: Value = serde_json::from_slice(&body).because("reading an answer")?;
    let Some(incident) = answer["incident_id"].as_str() else {
        fail!("an alert was accepted without an incident: {answer}")
    };
    Ok((status, Some(incident.to_owned())))
}

/// The words about each attempt of a message, and about what became of it.
fn details(message: &Value) -> Vec<String> {
    let attempts = message["attempts"].as_array().into_iter().flatten();
    let words = attempts.flat_map(|attempt| [&attempt["detail"], &attempt["receipt"]["detail"]]);
    words.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Removes what a fault that went well has left.
pub(super) fn clear(dir: &Path) -> Outcome<()> {
    if dir.exists() {
        fs::remove_dir_all(dir).because(format!("removing {}", dir.display()))?;
    }
    Ok(())
}
