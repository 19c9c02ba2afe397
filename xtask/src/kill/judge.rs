//! Whether what was accepted was kept and what was owed was done: the senders' book against what Tocsin shows afterwards and what
//! its provider got. It asks nobody.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::book::Book;
use crate::clock::{self, Millis};
use crate::site::sink::Arrival;

/// The same thing wrong in many places is told this often.
const TOLD_MAX: usize = 20;

/// One kill: from the signal to the end of the process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kill {
    pub(crate) begun: Millis,
    pub(crate) over: Millis,
}

/// What is known of a site after everything has settled.
pub(crate) struct Evidence<'a> {
    pub(crate) book: &'a Book,
    /// Each incident as the API shows it, by its id.
    pub(crate) incidents: &'a BTreeMap<String, Value>,
    /// Keys of the alerts that fire.
    pub(crate) firing: &'a BTreeSet<String>,
    pub(crate) arrivals: &'a [Arrival],
    pub(crate) kills: &'a [Kill],
}

/// What came out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) violations: Vec<String>,
    /// Different messages that page.
    pub(crate) pages: usize,
    /// Messages that arrived once more.
    pub(crate) repeats: usize,
    pub(crate) critical_incidents: usize,
}

impl Verdict {
    pub(crate) fn add(&mut self, other: Self) {
        self.violations.extend(other.violations);
        self.pages += other.pages;
        self.repeats += other.repeats;
        self.critical_incidents += other.critical_incidents;
    }

    fn say(&mut self, what: String) {
        if self.violations.len() < TOLD_MAX {
            self.violations.push(what);
        }
    }
}

/// Critical incidents whose page has not arrived, though nobody was faster than it.
pub(crate) fn unpaged<'a>(book: &'a Book, arrivals: &[Arrival]) -> Vec<&'a str> {
    let paged: BTreeSet<&str> = arrivals
        .iter()
        .filter(|one| one.kind == "page")
        .map(|one| one.incident.as_str())
        .collect();
    let critical: BTreeSet<&str> = critical(book);
    critical
        .into_iter()
        .filter(|incident| !paged.contains(incident) && !book.answered_unpaged.contains(*incident))
        .collect()
}

fn critical(book: &Book) -> BTreeSet<&str> {
    let critical = book.alerts.iter().filter(|alert| alert.critical);
    critical.map(|alert| alert.incident.as_str()).collect()
}

/// Looks at everything.
pub(crate) fn judge(evidence: &Evidence<'_>) -> Verdict {
    let mut verdict = Verdict {
        critical_incidents: critical(evidence.book).len(),
        ..Verdict::default()
    };
    for wrong in &evidence.book.wrong {
        verdict.say(wrong.clone());
    }
    for incident in unpaged(evidence.book, evidence.arrivals) {
        verdict.say(format!("critical incident {incident} paged nobody"));
    }
    alerts_are_kept(evidence, &mut verdict);
    answers_are_kept(evidence, &mut verdict);
    let mut arrived: BTreeMap<&str, usize> = BTreeMap::new();
    for arrival in evidence
        .arrivals
        .iter()
        .filter(|one| !one.incident.is_empty())
    {
        *arrived.entry(&arrival.id).or_default() += 1;
    }
    verdict.repeats = arrived.values().map(|count| count - 1).sum();
    for (id, incident) in evidence.incidents {
        pages_are_owed(id, incident, evidence.kills, &arrived, &mut verdict);
    }
    verdict
}

/// What was accepted is there: as firing, or as over where a resolve was accepted.
fn alerts_are_kept(evidence: &Evidence<'_>, verdict: &mut Verdict) {
    for alert in &evidence.book.alerts {
        let Some(incident) = evidence.incidents.get(&alert.incident) else {
            verdict.say(format!(
                "alert {} was accepted into incident {}, which is not there",
                alert.key, alert.incident
            ));
            continue;
        };
        let known = each(&incident["alerts"]).find(|one| one["title"] == *alert.key);
        let status = known.and_then(|known| known["status"].as_str());
        let expected = if alert.resolved {
            "recovered"
        } else {
            "firing"
        };
        if status != Some(expected) || evidence.firing.contains(&alert.key) == alert.resolved {
            verdict.say(format!(
                "alert {} of incident {} should be {expected} and is {}",
                alert.key,
                alert.incident,
                status.unwrap_or("not there")
            ));
        }
    }
}

fn answers_are_kept(evidence: &Evidence<'_>, verdict: &mut Verdict) {
    for id in &evidence.book.acknowledged {
        let status = evidence.incidents.get(id).map(|one| &one["status"]);
        if !status.is_some_and(|status| status == "acknowledged" || status == "resolved") {
            verdict.say(format!(
                "incident {id} was acknowledged and is {}",
                status.unwrap_or(&Value::Null)
            ));
        }
    }
}

/// Each message arrived no more often than it was tried, was tried again only after a kill, and was no page once the incident was
/// over; a further message pages only where the one before has failed.
fn pages_are_owed(
    id: &str,
    incident: &Value,
    kills: &[Kill],
    arrived: &BTreeMap<&str, usize>,
    verdict: &mut Verdict,
) {
    let resolved_at = incident["resolved_at"].as_str().and_then(clock::parse);
    let mut pages: Vec<&Value> = Vec::new();
    for message in each(&incident["pages"]) {
        let name = message["id"].as_str().unwrap_or_default();
        let attempts: Vec<(Option<Millis>, &Value)> = each(&message["attempts"])
            .map(|one| (instant(&one["started_at"]), &one["outcome"]))
            .collect();
        let arrivals = arrived.get(name).copied().unwrap_or(0);
        if arrivals > attempts.len() {
            let tried = attempts.len();
            verdict.say(format!(
                "message {name} of incident {id} arrived {arrivals} times and was tried {tried} times"
            ));
        }
        for pair in attempts.windows(2) {
            let ((before, outcome), (after, _)) = (pair[0], pair[1]);
            let between =
                |kill: &Kill| Some(kill.over) >= before && after.is_some_and(|at| kill.begun <= at);
            if *outcome != "unanswered" || !kills.iter().any(between) {
                verdict.say(format!(
                    "message {name} of incident {id} was tried again after {outcome}, without a kill"
                ));
            }
        }
        if message["purpose"] != "page" {
            continue;
        }
        let begun = attempts.iter().filter_map(|(at, _)| *at).max();
        if let (Some(over), Some(begun)) = (resolved_at, begun)
            && begun > over
        {
            verdict.say(format!(
                "page {name} of incident {id} was begun after the incident was resolved"
            ));
        }
        verdict.pages += usize::from(!attempts.is_empty());
        pages.push(message);
    }
    let reached = pages.iter().filter(|page| page["state"] == "delivered");
    if incident["severity"] == "critical" && reached.count() > 1 {
        verdict.say(format!("incident {id} was paged by more than one message"));
    }
}

fn instant(value: &Value) -> Option<Millis> {
    value.as_str().and_then(clock::parse)
}

fn each(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use serde_json::json;

    use super::super::book::Alert;
    use super::*;

    fn arrival(incident: &str, id: &str) -> Arrival {
        Arrival {
            at: Instant::now(),
            id: id.to_owned(),
            path: "/0".to_owned(),
            kind: "page".to_owned(),
            incident: incident.to_owned(),
            title: String::new(),
            code: None,
        }
    }

    /// A critical alert that was acknowledged, as the API shows it after a kill during its page.
    fn incident() -> Value {
        json!({"status": "acknowledged", "severity": "critical", "resolved_at": null,
            "alerts": [{"title": "a", "status": "firing"}],
            "pages": [{"id": "m", "purpose": "page", "state": "delivered", "attempts": [
                {"started_at": "1970-01-01T00:00:01Z", "outcome": "unanswered"},
                {"started_at": "1970-01-01T00:00:03Z", "outcome": "accepted"}]}]})
    }

    #[track_caller]
    fn check(incident: Value, firing: &[&str], arrivals: &[Arrival], expected: &str) {
        let mut book = Book::default();
        book.alerts.push(Alert {
            key: "a".to_owned(),
            service: 0,
            critical: true,
            incident: "i".to_owned(),
            resolved: false,
        });
        book.acknowledged.insert("i".to_owned());
        let verdict = judge(&Evidence {
            book: &book,
            incidents: &BTreeMap::from([("i".to_owned(), incident)]),
            firing: &firing.iter().map(|key| (*key).to_owned()).collect(),
            arrivals,
            kills: &[Kill {
                begun: 2_000,
                over: 2_001,
            }],
        });
        match (verdict.violations.first(), expected) {
            (None, "") => {}
            (Some(found), expected) if !expected.is_empty() && found.contains(expected) => {}
            (found, _) => panic!("{found:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn a_page_that_a_kill_repeated_is_as_promised() {
        let twice = [arrival("i", "m"), arrival("i", "m")];
        check(incident(), &["a"], &twice, "");
        check(incident(), &["a"], &twice[..1], "");
    }

    #[test]
    fn what_was_lost_is_found() {
        let once = [arrival("i", "m")];
        check(incident(), &["a"], &[], "paged nobody");
        check(incident(), &[], &once, "should be firing");
        let mut gone = incident();
        gone["alerts"] = json!([]);
        check(gone, &["a"], &once, "should be firing and is not there");
        let mut forgotten = incident();
        forgotten["status"] = "triggered".into();
        check(forgotten, &["a"], &once, "was acknowledged and is");
    }

    #[test]
    fn what_was_said_too_often_is_found() {
        let once = [arrival("i", "m")];
        let thrice = [(); 3].map(|()| arrival("i", "m"));
        check(
            incident(),
            &["a"],
            &thrice,
            "arrived 3 times and was tried 2",
        );
        let mut again = incident();
        again["pages"][0]["attempts"][1]["started_at"] = "1970-01-01T00:00:01.5Z".into();
        check(again, &["a"], &once, "without a kill");
        let mut late = incident();
        late["resolved_at"] = "1970-01-01T00:00:02Z".into();
        check(late, &["a"], &once, "after the incident was resolved");
        let mut other = incident();
        let copy = other["pages"][0].clone();
        other["pages"] = json!([copy, copy]);
        check(other, &["a"], &once, "more than one message");
    }
}
