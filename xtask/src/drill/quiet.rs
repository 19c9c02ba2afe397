//! Breaks that must page nobody: a warning that is shown, or nothing that lasts; it watches long enough to be sure.

use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::chain::{Play, time};
use super::record::Record;
use super::verdict::judge_title;
use crate::clock;
use crate::failure::{Outcome, fail};
use crate::processes::wait_until;
use crate::screen::Step;

/// How long it is watched that no page comes.
const WATCHED: Duration = Duration::from_secs(8);
const WARNING_LIMIT: Duration = Duration::from_secs(15);
const RESOLVE_LIMIT: Duration = Duration::from_secs(60);

impl Play<'_> {
    /// A break that must be shown as a warning and page nobody.
    pub(crate) fn warning(&mut self, record: &mut Record, limit_s: f64) -> Outcome<()> {
        let how = self.options.how;
        let incident = self.wait_for_warning(record, limit_s)?;
        judge_title(record, &incident, how);
        let severity = incident["severity"].as_str().unwrap_or("none");
        record.check("it is a warning", severity == "warning", severity);
        self.watch(record)?;
        let repaired = self.stage.fixture.repair(how)?;
        record.link("repaired", repaired.at, None, repaired.what);
        let resolved_at = self.wait_for_resolve(incident["id"].as_str().unwrap_or_default())?;
        record.link("resolved", resolved_at, None, "");
        record.extra["incident"] = incident;
        Ok(())
    }

    /// A break that heals and must page nobody.
    pub(crate) fn quiet(&mut self, record: &mut Record) -> Outcome<()> {
        self.watch(record)?;
        self.stage.fixture.apache.wait_for_answer()?;
        for incident in self.incidents_since(record.broken_at)? {
            let title = incident["title"].as_str().unwrap_or_default();
            if let Some(opened) = time(&incident, "opened_at") {
                let why = incident["hold"]["why"]
                    .as_str()
                    .or(incident["suppressed"].as_str())
                    .unwrap_or_default();
                record.link("noted, not paged", opened, None, format!("{title} {why}"));
            }
            let paged = incident["paged_at"].as_str();
            record.check(
                "the incident paged nobody",
                paged.is_none(),
                paged.unwrap_or(title),
            );
        }
        Ok(())
    }

    fn wait_for_warning(&self, record: &mut Record, limit_s: f64) -> Outcome<Value> {
        let step = Step::begin("waiting for the warning");
        let mut found = None;
        wait_until(WARNING_LIMIT, || {
            thread::sleep(Duration::from_millis(20));
            found = self
                .incidents_since(record.broken_at)
                .ok()
                .and_then(|incidents| incidents.into_iter().next());
            found.is_some()
        });
        step.hide();
        let Some(incident) = found else {
            fail!("no warning was shown within {} s", WARNING_LIMIT.as_secs())
        };
        let opened = time(&incident, "opened_at").unwrap_or_else(clock::now);
        record.link(
            "warning",
            opened,
            Some(limit_s),
            incident["title"].as_str().unwrap_or_default(),
        );
        Ok(incident)
    }

    /// Watches that no page comes.
    fn watch(&self, record: &mut Record) -> Outcome<()> {
        let step = Step::begin("watching that nobody is paged");
        let mail = self.tocsin.mails.wait(record.broken_at, WATCHED);
        step.hide();
        let mails = self.tocsin.mails.since(record.broken_at).len();
        let calls = self.tocsin.calls.since(record.broken_at).len();
        record.link(
            "watched",
            clock::now(),
            None,
            format!("{mails} mails, {calls} webhooks"),
        );
        record.check(
            "nobody was paged",
            mails + calls == 0,
            format!("{mails} mails, {calls} webhooks"),
        );
        if let Some(mail) = mail {
            fail!(
                "a page arrived that should not have: {}",
                mail.item.subject()
            );
        }
        Ok(())
    }

    fn wait_for_resolve(&self, id: &str) -> Outcome<clock::Millis> {
        let step = Step::begin("waiting for resolved");
        let mut found = None;
        wait_until(RESOLVE_LIMIT, || {
            thread::sleep(Duration::from_millis(100));
            found = self
                .incident(id)
                .ok()
                .and_then(|incident| time(&incident, "resolved_at"));
            found.is_some()
        });
        step.hide();
        match found {
            Some(at) => Ok(at),
            None => fail!(
                "the warning was not resolved within {} s of the repair",
                RESOLVE_LIMIT.as_secs()
            ),
        }
    }
}
