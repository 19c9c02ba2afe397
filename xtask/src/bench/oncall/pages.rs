//! When each page of a storm was due, by the timelines of its incidents, and how long after that it was attempted, by when it came to
//! its receiver. It asks nobody.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::storm::QUIET;
use crate::clock::{self, Millis};
use crate::failure::{Outcome, fail};

/// What is due for longer than this and has not come is a page that never went; before, it may be on its way.
const NEVER_AFTER_MS: Millis = 5_000;

/// One page, as the timeline of its incident tells it.
#[derive(Clone, Debug)]
struct Page {
    incident: String,
    /// Where it goes; empty where nobody has been chosen yet.
    path: String,
    /// When it was to be sent.
    due: Millis,
    course: Course,
}

/// How a page comes to its person.
#[derive(Clone, Copy, Debug)]
enum Course {
    /// By itself.
    Alone,
    /// It waits for others since then, and tells them along.
    Gathers { since: Millis },
    /// By a message that waits for others; it was put there then.
    Along { since: Millis },
}

/// All pages of a storm.
pub(super) struct Pages {
    all: Vec<Page>,
    /// What each level has for an answer.
    level_ms: Millis,
}

/// How long after they were due pages were attempted.
#[derive(Clone, Debug, Default)]
pub(super) struct Delays {
    /// Of what has not come, how long it is due.
    pub(super) times: Vec<Duration>,
    /// How many have not come.
    pub(super) never: usize,
}

impl Pages {
    pub(super) const fn of_levels(level_ms: Millis) -> Self {
        Self {
            all: Vec::new(),
            level_ms,
        }
    }

    /// Adds those of an incident that pages, by its timeline, oldest first. A page of the first level is due since its incident was
    /// opened or got as bad as to page, one of a later level since the level before was over, and one that was put off for others
    /// when its wait is over.
    pub(super) fn read(&mut self, incident: &str, timeline: &[Value]) -> Outcome<()> {
        let mut own = Vec::new();
        // When somebody is to be paged next, and when whoever was paged last was to be.
        let (mut next, mut due, mut is_reached) = (None, 0, false);
        for entry in timeline {
            let entry = Entry::of(entry)?;
            match entry.kind {
                "incident.opened" | "incident.raised" if !is_reached => next = Some(entry.at),
                "incident.level_reached" => {
                    (due, is_reached) = (next.unwrap_or(entry.at), true);
                    next = Some(entry.at + self.level_ms);
                }
                "incident.fallback_reached" => {
                    (due, is_reached) = (next.unwrap_or(entry.at), true);
                    // It is paged again long after what is looked at here.
                    next = None;
                }
                "notification.planned" => own.extend(entry.path().map(|path| Page {
                    incident: incident.to_owned(),
                    path: path.to_owned(),
                    due,
                    course: Course::Alone,
                })),
                _ => entry.change(&mut own)?,
            }
        }
        // Nobody was chosen yet: it is missing once it is due.
        own.extend(next.map(|due| Page {
            incident: incident.to_owned(),
            path: String::new(),
            due,
            course: Course::Alone,
        }));
        self.all.append(&mut own);
        Ok(())
    }

    /// How long after it was due each page came, by when the first page about an incident came to an address, as was seen at `now`.
    /// What is told along was attempted with what told it. What is not due yet, or only just, is left out.
    pub(super) fn delays(&self, came: &BTreeMap<(&str, &str), Millis>, now: Millis) -> Delays {
        let mut delays = Delays::default();
        for page in &self.all {
            let by = self.sent_by(page);
            match came.get(&(by.incident.as_str(), by.path.as_str())) {
                Some(at) => delays.times.push(between(by.due, *at)),
                None if by.due + NEVER_AFTER_MS <= now => {
                    delays.times.push(between(by.due, now));
                    delays.never += 1;
                }
                None => {}
            }
        }
        delays
    }

    /// The message that tells a page: the last one to that address that had begun to wait for others when it was put with them.
    fn sent_by<'a>(&'a self, page: &'a Page) -> &'a Page {
        let put = match page.course {
            Course::Alone | Course::Gathers { .. } => return page,
            Course::Along { since } => since,
        };
        let same = self.all.iter().filter(|one| one.path == page.path);
        let gathering = same.filter_map(|one| match one.course {
            Course::Gathers { since } if since <= put => Some((since, one)),
            Course::Gathers { .. } | Course::Alone | Course::Along { .. } => None,
        });
        let last = gathering.max_by_key(|(since, _)| *since);
        last.map_or(page, |(_, one)| one)
    }
}

fn between(due: Millis, at: Millis) -> Duration {
    Duration::from_millis(u64::try_from(at - due).unwrap_or(0))
}

/// What counts of a line of a timeline.
struct Entry<'a> {
    at: Millis,
    kind: &'a str,
    title: &'a str,
}

impl<'a> Entry<'a> {
    fn of(entry: &'a Value) -> Outcome<Self> {
        let parts = (
            entry["at"].as_str().and_then(clock::parse),
            entry["kind"].as_str(),
            entry["title"].as_str(),
        );
        let (Some(at), Some(kind), Some(title)) = parts else {
            fail!("an entry of a timeline is not understood: {entry}")
        };
        Ok(Self { at, kind, title })
    }

    /// The address that a message wakes somebody at, which is in brackets: `Person 3 by webhook (/3)`.
    fn path(&self) -> Option<&'a str> {
        let (_, rest) = self.title.rsplit_once('(')?;
        let (label, _) = rest.split_once(')')?;
        (label.starts_with('/') && !label.ends_with(QUIET)).then_some(label)
    }

    /// Until when a message waits, which stands in the sentence.
    fn until(&self) -> Outcome<Millis> {
        match self.title.split(' ').find_map(clock::parse) {
            Some(until) => Ok(until),
            None => fail!("it is not told until when it waits: {}", self.title),
        }
    }

    /// What this says of the page to the same address that was planned last.
    fn change(&self, own: &mut Vec<Page>) -> Outcome<()> {
        let path = self.path();
        let known = own
            .iter()
            .rposition(|page| Some(page.path.as_str()) == path);
        let Some(place) = known else {
            return Ok(());
        };
        let page = &mut own[place];
        match self.kind {
            "notification.gathers" => {
                page.due = self.until()?;
                page.course = Course::Gathers { since: self.at };
            }
            "notification.advanced" => {
                page.due = self.until()?;
                page.course = Course::Alone;
            }
            "notification.told_together" => page.course = Course::Along { since: self.at },
            "notification.cancelled" => {
                own.remove(place);
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LEVEL_MS: Millis = 300_000;

    fn line(at: Millis, kind: &str, title: &str) -> Value {
        json!({"at": clock::show(at), "kind": kind, "title": title})
    }

    fn planned(at: Millis, person: u32) -> Value {
        let title = format!("A page goes to Person {person} by webhook (/{person})");
        line(at, "notification.planned", &title)
    }

    /// Opened as an error, and paged a moment later.
    fn paged(opened: Millis, at: Millis) -> Vec<Value> {
        vec![
            line(opened, "incident.opened", "Incident 1 was opened"),
            line(opened, "alert.opened", "Failing: disk 7 (of 9)"),
            line(at, "incident.level_reached", "Paging level 1: Person 3"),
            planned(at, 3),
        ]
    }

    fn gathers(at: Millis, until: Millis) -> Value {
        let until = clock::show(until);
        let title =
            format!("Person 3 by webhook (/3) waits until {until} to be told together with others");
        line(at, "notification.gathers", &title)
    }

    fn along(at: Millis) -> Value {
        let title = "Person 3 by webhook (/3) is told together with others";
        line(at, "notification.told_together", title)
    }

    /// Incidents are called by their places.
    #[track_caller]
    fn check(
        timelines: &[Vec<Value>],
        came: &[(&str, &str, Millis)],
        now: Millis,
        expected: (&[u64], usize),
    ) {
        let mut pages = Pages::of_levels(LEVEL_MS);
        for (place, timeline) in timelines.iter().enumerate() {
            pages.read(&place.to_string(), timeline).unwrap();
        }
        let came = came
            .iter()
            .map(|(incident, path, at)| ((*incident, *path), *at));
        let came: BTreeMap<(&str, &str), Millis> = came.collect();
        let found = pages.delays(&came, now);
        let times: Vec<Duration> = expected
            .0
            .iter()
            .copied()
            .map(Duration::from_millis)
            .collect();
        assert_eq!((found.times, found.never), (times, expected.1));
    }

    #[test]
    fn a_page_counts_from_when_its_incident_was_opened_however_late_it_was_planned() {
        let came = [("0", "/3", 4_100)];
        check(&[paged(1_000, 4_000)], &came, 60_000, (&[3_100], 0));
    }

    #[test]
    fn what_was_raised_to_an_error_pages_from_then_on() {
        let mut timeline = paged(1_000, 9_000);
        timeline.insert(2, line(8_500, "incident.raised", "It got worse"));
        // What got worse after somebody was paged asks nobody anew.
        timeline.push(line(20_000, "incident.raised", "It got worse"));
        check(&[timeline], &[("0", "/3", 9_100)], 60_000, (&[600], 0));
    }

    #[test]
    fn what_is_put_off_counts_from_when_its_wait_is_over_with_all_that_it_tells() {
        let [mut teller, mut told, mut later] = [1_000, 1_001, 1_002].map(|at| paged(at, at));
        teller.push(gathers(1_010, 181_000));
        told.push(along(1_010));
        later.push(along(2_000));
        let timelines = [teller, told, later];
        check(&timelines, &[], 184_000, (&[], 0));
        let came = [("0", "/3", 181_200)];
        check(&timelines, &came, 240_000, (&[200, 200, 200], 0));
        check(&timelines, &[], 241_000, (&[60_000, 60_000, 60_000], 3));
    }

    #[test]
    fn a_page_of_the_next_level_is_due_when_the_one_before_is_over() {
        let mut timeline = paged(1_000, 1_500);
        let level = line(
            302_000,
            "incident.level_reached",
            "Paging level 2: Person 4",
        );
        timeline.extend([level, planned(302_000, 4)]);
        let came = [("0", "/3", 1_600), ("0", "/4", 302_100)];
        check(&[timeline], &came, 303_000, (&[600, 600], 0));
    }

    #[test]
    fn a_page_that_was_never_planned_is_missing_once_it_is_due() {
        let opened = || vec![line(1_000, "incident.opened", "Incident 1 was opened")];
        check(&[opened()], &[], 5_000, (&[], 0));
        check(&[opened()], &[], 9_000, (&[8_000], 1));
        let came = [("0", "/3", 1_600)];
        // The second level was not reached in time.
        check(&[paged(1_000, 1_500)], &came, 310_000, (&[600, 8_500], 1));
    }

    #[test]
    fn digests_are_no_pages() {
        let mut timeline = paged(1_000, 1_500);
        let notice = "A notice goes to Person 3 by webhook (/3-quiet)";
        timeline.insert(1, line(1_000, "notification.planned", notice));
        let waits = format!(
            "Person 3 by webhook (/3-quiet) waits until {} to be told together with others",
            clock::show(901_000)
        );
        timeline.insert(2, line(1_001, "notification.gathers", &waits));
        check(&[timeline], &[("0", "/3", 1_600)], 60_000, (&[600], 0));
    }
}
