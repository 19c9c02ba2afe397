//! The chain after a break that pages: page, acknowledgement, repair, recovery, postmortem; it times each link and checks
//! that each happened once and said what is true.

use std::process::Child;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::Options;
use super::breaks::{Break, CrashAt, Done};
use super::documents;
use super::record::Record;
use super::stage::Stage;
use super::tocsin::Tocsin;
use super::verdict;
use crate::clock::{self, Millis};
use crate::failure::{Because, Failure, Outcome, fail};
use crate::processes::wait_until;
use crate::screen::{self, Step};
use crate::site::server::text;

/// How long each link may take before it counts as missing.
const PAGE_LIMIT: Duration = Duration::from_secs(30);
const PERSON_LIMIT: Duration = Duration::from_secs(3_600);
const COMMAND_LIMIT: Duration = Duration::from_secs(120);
const RECOVERY_LIMIT: Duration = Duration::from_secs(30);
const RESOLVE_LIMIT: Duration = Duration::from_secs(60);
const POSTMORTEM_LIMIT: Duration = Duration::from_secs(30);
/// How long the outage lasts at least, so that there is something to measure.
const OUTAGE: Duration = Duration::from_secs(8);

/// Everything a chain is played with.
pub(crate) struct Play<'a> {
    pub(crate) options: &'a Options,
    pub(crate) stage: &'a mut Stage,
    pub(crate) tocsin: &'a mut Tocsin,
    /// The command that plays the engineer on call, once it runs.
    pub(crate) person: Option<Child>,
}

impl Play<'_> {
    /// Plays the whole chain for a break that must page.
    pub(crate) fn page(&mut self, record: &mut Record, limit_s: f64) -> Outcome<()> {
        let how = self.options.how;
        // A crash costs the time of a restart: what counts then is that nothing is lost.
        let limit_s = self.options.crash_tocsin.is_none().then_some(limit_s);
        self.crash_at(record, CrashAt::AfterBreak)?;
        named("page", self.wait_for_page(record, limit_s))?;
        let id = named("incident", self.find_incident(record, how))?;
        let acknowledged_at = named("acknowledgement", self.acknowledge(record, &id))?;
        self.crash_at(record, CrashAt::AfterAcknowledge)?;
        let repaired = named("repair", self.repair(record, how))?;
        self.crash_at(record, CrashAt::AfterRepair)?;
        let incident = named("recovery", self.wait_for_end(record, &id))?;
        let kept = time(&incident, "acknowledged_at") == Some(acknowledged_at);
        record.check(
            "the acknowledgement is on record",
            kept,
            clock::show(acknowledged_at),
        );
        named("postmortem", self.postmortem(record, &id))?;
        named("engineer's own command", self.wait_for_command(record))?;
        self.judge_pages(record, &incident, repaired.at)?;
        self.judge_incidents(record)?;
        named("impact", self.judge_impact(record, how, &id))?;
        record.extra["incident"] = incident;
        Ok(())
    }

    /// Kills Tocsin and serves again, if this is the moment that was asked for.
    fn crash_at(&mut self, record: &mut Record, when: CrashAt) -> Outcome<()> {
        if self.options.crash_tocsin != Some(when) {
            return Ok(());
        }
        let at = clock::now();
        self.tocsin.crash()?;
        record.link("Tocsin killed", at, None, when.word());
        named(
            "crash of Tocsin itself",
            self.tocsin.serve_again(self.stage),
        )?;
        record.link("Tocsin serves again", clock::now(), None, "");
        Ok(())
    }

    fn wait_for_page(&mut self, record: &mut Record, limit_s: Option<f64>) -> Outcome<()> {
        let step = Step::begin("waiting for the page");
        let mail = self.tocsin.mails.wait(record.broken_at, PAGE_LIMIT);
        if mail.is_some() {
            self.crash_at(record, CrashAt::AfterPage)?;
        }
        let call = self.tocsin.calls.wait(record.broken_at, PAGE_LIMIT);
        step.hide();
        self.link_cause(record)?;
        let Some(mail) = mail else {
            fail!("no mail arrived within {} s", PAGE_LIMIT.as_secs())
        };
        let Some(call) = call else {
            fail!(
                "the webhook was not called within {} s",
                PAGE_LIMIT.as_secs()
            )
        };
        record.link(
            "page by mail",
            mail.at,
            limit_s,
            format!("{} <{}>", mail.item.subject(), mail.item.to.join(", ")),
        );
        let signature = if call.item.signed {
            "signature right"
        } else {
            "signature WRONG"
        };
        record.link("page by webhook", call.at, limit_s, signature);
        record.check("the webhook is signed", call.item.signed, signature);
        Ok(())
    }

    /// What Tocsin wrote down before the page went out.
    fn link_cause(&self, record: &mut Record) -> Outcome<()> {
        let Some(incident) = self.incidents_since(record.broken_at)?.into_iter().next() else {
            return Ok(());
        };
        let uncertainty = incident["onset_uncertainty_ms"].as_i64();
        if let Some(onset) = time(&incident, "onset_at") {
            record.link(
                "onset",
                onset,
                None,
                uncertainty.map_or(String::new(), |ms| format!("± {ms} ms")),
            );
        }
        if let Some(opened) = time(&incident, "opened_at") {
            record.link(
                "detected",
                opened,
                None,
                incident["title"].as_str().unwrap_or_default(),
            );
        }
        Ok(())
    }

    /// The id of the one incident, and whether it is named for what it is.
    fn find_incident(&self, record: &mut Record, how: Break) -> Outcome<String> {
        let incidents = self.incidents_since(record.broken_at)?;
        let Some(incident) = incidents.first() else {
            fail!("the page arrived, but the API shows no incident")
        };
        verdict::judge_title(record, incident, how);
        text(incident, "id")
    }

    fn acknowledge(&mut self, record: &mut Record, id: &str) -> Outcome<Millis> {
        if let Some(command) = &self.options.person {
            self.person = Some(self.start_command(command, id)?);
            self.wait_for_acknowledgement(id, COMMAND_LIMIT)?;
        } else if self.options.manual {
            screen::line(format!(
                "\n  Your turn: log in and acknowledge the incident.\n    {}\n    then {}/ui/incidents/{id}\n",
                self.tocsin.login_url, self.tocsin.url
            ));
            self.wait_for_acknowledgement(id, PERSON_LIMIT)?;
        } else {
            let path = format!("/incidents/{id}/acknowledge");
            self.tocsin.api.post(&path, &json!({}))?;
        }
        let incident = self.incident(id)?;
        let Some(at) = time(&incident, "acknowledged_at") else {
            fail!("the acknowledgement was accepted, but the incident does not show it");
        };
        record.link(
            "acknowledged",
            at,
            None,
            format!(
                "by {}",
                incident["acknowledged_by"]["name"].as_str().unwrap_or("?")
            ),
        );
        Ok(at)
    }

    fn repair(&mut self, record: &mut Record, how: Break) -> Outcome<Done> {
        let step = Step::begin("the outage goes on for a while");
        let over =
            record.broken_at + i64::try_from(OUTAGE.as_millis()).because("the outage's length")?;
        thread::sleep(Duration::from_millis(
            u64::try_from(over - clock::now()).unwrap_or(0),
        ));
        step.hide();
        let repaired = self.stage.fixture.repair(how)?;
        record.link("repaired", repaired.at, None, repaired.what.clone());
        Ok(repaired)
    }

    /// Waits for recovery and for the end of the incident.
    fn wait_for_end(&self, record: &mut Record, id: &str) -> Outcome<Value> {
        let recovered = self.wait_for(id, "recovered_at", RECOVERY_LIMIT)?;
        record.link("recovered", recovered.0, None, "");
        let resolved = self.wait_for(id, "resolved_at", RESOLVE_LIMIT)?;
        record.link("resolved", resolved.0, None, "");
        Ok(resolved.1)
    }

    fn wait_for(&self, id: &str, field: &str, limit: Duration) -> Outcome<(Millis, Value)> {
        let step = Step::begin(format!("waiting for {}", field.trim_end_matches("_at")));
        let mut found = None;
        wait_until(limit, || {
            thread::sleep(Duration::from_millis(100));
            found = self
                .incident(id)
                .ok()
                .and_then(|incident| Some((time(&incident, field)?, incident)));
            found.is_some()
        });
        step.hide();
        found.ok_or_else(|| {
            Failure::new(format!(
                "the incident shows no {field} after {} s",
                limit.as_secs()
            ))
        })
    }

    fn postmortem(&self, record: &mut Record, id: &str) -> Outcome<()> {
        let step = Step::begin("waiting for the postmortem");
        let mut ready = false;
        wait_until(POSTMORTEM_LIMIT, || {
            thread::sleep(Duration::from_millis(50));
            ready = self
                .incident(id)
                .is_ok_and(|incident| incident["postmortem_ready"] == true);
            ready
        });
        step.hide();
        if !ready {
            fail!("it was not ready within {} s", POSTMORTEM_LIMIT.as_secs());
        }
        let at = clock::now();
        let dir = self.options.results();
        let brief_words = documents::write(&self.tocsin.api, id, &dir)?;
        record.link("postmortem", at, None, dir.display().to_string());
        let right = (400..=600).contains(&brief_words);
        record.check(
            "the brief has 400 to 600 words",
            right,
            brief_words.to_string(),
        );
        record.extra["postmortem"] = json!({"dir": dir, "brief_words": brief_words});
        Ok(())
    }

    pub(crate) fn incident(&self, id: &str) -> Outcome<Value> {
        self.tocsin.api.get(&format!("/incidents/{id}"))
    }

    /// Incidents that were opened since shortly before `at`, the oldest first.
    pub(crate) fn incidents_since(&self, at: Millis) -> Outcome<Vec<Value>> {
        let mut incidents = self.tocsin.api.list("/incidents?status=all&limit=50")?;
        incidents.retain(|incident| {
            time(incident, "opened_at").is_some_and(|opened| opened >= at - 1_000)
        });
        incidents.reverse();
        Ok(incidents)
    }
}

/// A time in one of the API's objects.
pub(crate) fn time(value: &Value, field: &str) -> Option<Millis> {
    clock::parse(value[field].as_str()?)
}

/// Says which link a failure belongs to.
pub(crate) fn named<T>(link: &str, outcome: Outcome<T>) -> Outcome<T> {
    outcome.because(format!("the chain broke at the {link}"))
}
