//! Who acknowledges when it is not the drill itself: a person at the browser, or a command that plays one.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::chain::{Play, time};
use super::record::Record;
use crate::failure::{Because, Outcome, fail};
use crate::places;
use crate::processes::{Identity, wait_until};
use crate::screen::Step;

/// How long the command may go on after the incident is over.
const FAREWELL_LIMIT: Duration = Duration::from_secs(120);

impl Play<'_> {
    /// Starts the command that is to acknowledge; its output goes to the screen.
    pub(crate) fn start_command(&mut self, command: &str, incident: &str) -> Outcome<Child> {
        let child = Command::new("sh")
            .args(["-c", command])
            .env("TOCSIN_URL", &self.tocsin.url)
            .env("TOCSIN_LOGIN_URL", &self.tocsin.login_url)
            .env("TOCSIN_TOKEN", self.tocsin.api.token())
            .env("TOCSIN_INCIDENT", incident)
            .current_dir(places::root())
            .process_group(0)
            .stdin(Stdio::null())
            .spawn()
            .because(format!("running {command}"))?;
        if let Some(identity) = i32::try_from(child.id()).ok().and_then(Identity::of) {
            self.stage.janitor.will_end(identity);
        }
        Ok(child)
    }

    pub(crate) fn wait_for_acknowledgement(&mut self, id: &str, limit: Duration) -> Outcome<()> {
        let step = Step::begin("waiting for somebody to acknowledge");
        let mut gone = None;
        let done = wait_until(limit, || {
            thread::sleep(Duration::from_millis(100));
            let incident = self.incident(id);
            let acknowledged =
                incident.is_ok_and(|incident| time(&incident, "acknowledged_at").is_some());
            let person = self.person.as_mut();
            gone = person.and_then(|person| person.try_wait().ok().flatten());
            acknowledged || gone.is_some_and(|status| !status.success())
        });
        step.hide();
        if let Some(status) = gone.filter(|status| !status.success()) {
            fail!("the command that was to acknowledge ended with {status}");
        }
        if !done {
            fail!("nobody acknowledged within {} s", limit.as_secs());
        }
        Ok(())
    }

    /// Waits for the command, which watches the incident to its end, and notes whether it was content.
    pub(crate) fn wait_for_command(&mut self, record: &mut Record) -> Outcome<()> {
        let Some(mut person) = self.person.take() else {
            return Ok(());
        };
        let mut status = None;
        wait_until(FAREWELL_LIMIT, || {
            status = person.try_wait().ok().flatten();
            status.is_some()
        });
        match status {
            Some(status) => {
                record.check(
                    "the engineer's own command",
                    status.success(),
                    status.to_string(),
                );
                Ok(())
            }
            None => fail!(
                "it did not end within {} s of the incident",
                FAREWELL_LIMIT.as_secs()
            ),
        }
    }
}
