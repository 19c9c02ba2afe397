//! What a drill measured: links with their times, checks with their outcome; shown as a table and written as JSON. It
//! measures nothing itself.

use serde_json::{Value, json};

use crate::clock::{self, Millis, seconds_between};
use crate::failure::{Failure, Outcome};
use crate::screen;

struct Link {
    name: String,
    at: Millis,
    limit_s: Option<f64>,
    note: String,
}

struct Check {
    name: String,
    passed: bool,
    detail: String,
}

/// Everything about one break.
pub(crate) struct Record {
    word: &'static str,
    pub(crate) broken_at: Millis,
    links: Vec<Link>,
    checks: Vec<Check>,
    /// Further facts for the JSON file.
    pub(crate) extra: Value,
}

impl Record {
    /// Begins with the break itself.
    pub(crate) fn begin(word: &'static str, broken_at: Millis, note: &str) -> Self {
        screen::heading(format!("{:<26}{:>9}{:>9}", "The chain", "seconds", "limit"));
        let mut record = Self {
            word,
            broken_at,
            links: Vec::new(),
            checks: Vec::new(),
            extra: json!({}),
        };
        record.link("broken", broken_at, None, note);
        record
    }

    /// Adds a link and shows it.
    pub(crate) fn link(
        &mut self,
        name: &str,
        at: Millis,
        limit_s: Option<f64>,
        note: impl Into<String>,
    ) {
        let note = note.into();
        let seconds = seconds_between(self.broken_at, at);
        let limit = limit_s
            .map(|limit| format!("{limit:.1}"))
            .unwrap_or_default();
        screen::line(format!("  {name:<24}{seconds:>9.3}{limit:>9}   {note}").trim_end());
        self.links.push(Link {
            name: name.to_owned(),
            at,
            limit_s,
            note,
        });
    }

    /// Adds a check; they are shown together at the end.
    pub(crate) fn check(&mut self, name: &str, passed: bool, detail: impl Into<String>) {
        self.checks.push(Check {
            name: name.to_owned(),
            passed,
            detail: detail.into(),
        });
    }

    /// Judges every limit, shows the checks, and fails with the names of those that did not pass.
    pub(crate) fn close(&mut self) -> Outcome<()> {
        self.judge_limits();
        screen::heading("Checks");
        for check in &self.checks {
            let sign = if check.passed { "ok" } else { "!!" };
            screen::line(format!("  {sign}  {:<34} {}", check.name, check.detail).trim_end());
        }
        let failed: Vec<String> = self
            .checks
            .iter()
            .filter(|check| !check.passed)
            .map(Check::sentence)
            .collect();
        if failed.is_empty() {
            return Ok(());
        }
        Err(Failure::new(format!(
            "the chain is complete, but not right:\n  {}",
            failed.join("\n  ")
        )))
    }

    pub(crate) fn json(&self, failure: Option<&Failure>) -> Value {
        let links: Vec<Value> = self
            .links
            .iter()
            .map(|link| link.json(self.broken_at))
            .collect();
        let checks: Vec<Value> = self
            .checks
            .iter()
            .map(
                |check| json!({"name": check.name, "passed": check.passed, "detail": check.detail}),
            )
            .collect();
        let passed = failure.is_none();
        let failure = failure.map(ToString::to_string);
        let break_word = self.word;
        json!({
            "break": break_word, "passed": passed, "failure": failure, "links": links, "checks": checks,
            "facts": self.extra,
        })
    }

    fn judge_limits(&mut self) {
        for link in &self.links {
            let Some(limit_s) = link.limit_s else {
                continue;
            };
            let seconds = seconds_between(self.broken_at, link.at);
            let passed = seconds <= limit_s;
            let remark = if passed { "" } else { " (too late)" };
            let detail = format!("{seconds:.3} s of {limit_s:.1} s{remark}");
            self.checks.push(Check {
                name: format!("{} in time", link.name),
                passed,
                detail,
            });
        }
    }
}

impl Link {
    fn json(&self, broken_at: Millis) -> Value {
        json!({
            "name": self.name, "at": clock::show(self.at), "seconds": seconds_between(broken_at, self.at),
            "limit_s": self.limit_s, "note": self.note,
        })
    }
}

impl Check {
    fn sentence(&self) -> String {
        format!("{}: {}", self.name, self.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(arrived_ms: Millis, expected: bool) {
        let mut record = Record::begin("kill", 1_000, "");
        record.link("page", 1_000 + arrived_ms, Some(0.5), "");
        assert_eq!(record.close().is_ok(), expected, "{arrived_ms} ms");
    }

    #[test]
    fn a_limit_is_kept_or_the_drill_fails() {
        check(500, true);
        check(501, false);
    }

    #[test]
    fn a_check_that_failed_is_named() {
        let mut record = Record::begin("kill", 0, "");
        record.check("one incident", true, "1");
        record.check("one page", false, "2 mails");
        let failure = record.close().unwrap_err();
        assert!(
            failure.to_string().contains("one page: 2 mails"),
            "{failure}"
        );
        assert_eq!(record.json(Some(&failure))["passed"], false);
    }
}
