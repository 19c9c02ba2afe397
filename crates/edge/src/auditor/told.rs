//! What the auditor has told, and whom: each way is asked by itself whether it took a message. It sends nothing, and what time it is
//! is told.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use tocsin_domain::audit::{About, Finding, FindingKind};
use tocsin_domain::id::SecretId;
use tocsin_domain::page::Outcome;
use tocsin_domain::taken::take_in;
use tocsin_domain::time::Timestamp;

/// What keeps no page back is told to whoever took it no oftener than this while it lasts.
const REMIND_CALMLY: Duration = Duration::from_secs(86_400);

/// A message about findings. Ways are known by the rows of their addresses.
pub(super) struct Message {
    /// What it tells.
    pub(super) findings: Vec<Finding>,
    /// When it was written, by which whoever gets it twice knows it.
    pub(super) written_at: Timestamp,
    /// When a way first took it.
    taken_at: Option<Instant>,
    took: BTreeSet<SecretId>,
    /// When those were tried that did not take it, and wait before they are sent it again.
    tried: BTreeMap<SecretId, Instant>,
}

/// The messages that were written, for as long as they are to be sent or are not to be told anew.
#[derive(Default)]
pub(super) struct Told(Vec<Message>);

/// A message that goes by a way now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    /// The message's number.
    pub(super) message: usize,
    /// The way's number among those that were given.
    pub(super) way: usize,
}

impl Told {
    /// Whether a message tells it.
    pub(super) fn knows(&self, key: (FindingKind, About)) -> bool {
        self.0.iter().any(|message| message.tells(key))
    }

    /// What was found that no message tells, once those are forgotten that are over: who took one that long ago is told anew.
    pub(super) fn news(
        &mut self,
        found: &[Finding],
        at: Instant,
        remind: Duration,
    ) -> Vec<Finding> {
        self.0.retain(|message| message.holds(found, at, remind));
        let news = found.iter().filter(|one| !self.knows(one.key()));
        news.cloned().collect()
    }

    /// Writes a message that tells these.
    pub(super) fn write(&mut self, findings: Vec<Finding>, written_at: Timestamp) {
        self.0.push(Message {
            findings,
            written_at,
            taken_at: None,
            took: BTreeSet::new(),
            tried: BTreeMap::new(),
        });
    }

    /// Which messages go by which of these ways now, the newest message first: each whose findings last, by each way that did not
    /// take it and does not wait.
    pub(super) fn due(
        &self,
        found: &[Finding],
        ways: &[SecretId],
        at: Instant,
        again: Duration,
    ) -> Vec<Due> {
        let messages = self.0.iter().enumerate().rev();
        let lasting = messages.filter(|(_, message)| message.lasts(found));
        let due = lasting.flat_map(|(number, message)| {
            let ways = ways.iter().enumerate();
            let due = ways.filter(move |(_, way)| message.is_due(**way, at, again));
            due.map(move |(way, _)| Due {
                message: number,
                way,
            })
        });
        due.collect()
    }

    /// The message of that number.
    pub(super) fn message(&self, number: usize) -> Option<&Message> {
        self.0.get(number)
    }

    /// Takes in how it went with the message of each number by each way. What surely reached nobody is the same message still.
    pub(super) fn went(&mut self, results: &[(usize, SecretId, Outcome)], at: Instant) {
        for (number, message) in self.0.iter_mut().enumerate() {
            let of_it = results.iter().filter(|(of, _, _)| *of == number);
            let of_it: Vec<(SecretId, Outcome)> =
                of_it.map(|(_, way, outcome)| (*way, *outcome)).collect();
            message.went(&of_it, at);
        }
    }
}

impl Message {
    fn tells(&self, key: (FindingKind, About)) -> bool {
        self.findings.iter().any(|one| one.key() == key)
    }

    /// Whether nobody is told anew yet what it tells.
    fn holds(&self, found: &[Finding], at: Instant, remind: Duration) -> bool {
        let Some(taken) = self.taken_at else {
            return self.lasts(found);
        };
        let is_calm = !self.findings.iter().any(|one| one.kind.stops_pages());
        let remind = if is_calm && self.lasts(found) {
            remind.max(REMIND_CALMLY)
        } else {
            remind
        };
        at.saturating_duration_since(taken) < remind
    }

    /// Whether something that it tells is still so.
    fn lasts(&self, found: &[Finding]) -> bool {
        found.iter().any(|one| self.tells(one.key()))
    }

    fn is_due(&self, way: SecretId, at: Instant, again: Duration) -> bool {
        let tried = self.tried.get(&way);
        let waits = tried.is_some_and(|tried| at.saturating_duration_since(*tried) < again);
        !waits && !self.took.contains(&way)
    }

    fn went(&mut self, results: &[(SecretId, Outcome)], at: Instant) {
        if take_in(&mut self.took, &mut self.tried, results, at) {
            self.taken_at = Some(at);
        }
        // Here, what surely came to nobody waits too: whatever is wrong with Tocsin, no provider is asked at every look.
        let failed = results.iter().filter(|(way, _)| !self.took.contains(way));
        self.tried.extend(failed.map(|(way, _)| (*way, at)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGAIN: Duration = Duration::from_secs(60);
    const REMIND: Duration = Duration::from_secs(900);

    /// The auditor's book at looks every 30 s, with two ways that answer as they are told to.
    struct Book {
        told: Told,
        start: Instant,
        ways: [SecretId; 2],
    }

    /// What was sent: the second in which its message was written, and the way.
    type Sent = Vec<(i64, usize)>;

    impl Book {
        fn new() -> Self {
            let way = |text: &str| text.parse().unwrap();
            Self {
                told: Told::default(),
                start: Instant::now(),
                ways: [way("QAAAAAAAAAAAAA"), way("QBBBBBBBBBBBBB")],
            }
        }

        /// Looks in that second, and gives what was sent.
        fn look(&mut self, second: u32, found: &[FindingKind], answers: [Outcome; 2]) -> Sent {
            let at = self.start + Duration::from_secs(second.into());
            let found: Vec<Finding> = found.iter().map(|kind| finding(*kind)).collect();
            let news = self.told.news(&found, at, REMIND);
            if !news.is_empty() {
                let now = Timestamp::from_millis(i64::from(second) * 1_000);
                self.told.write(news, now);
            }
            let due = self.told.due(&found, &self.ways, at, AGAIN);
            let sent = due.iter().map(|one| {
                let message = self.told.message(one.message).unwrap();
                (message.written_at.as_millis() / 1_000, one.way)
            });
            let sent: Sent = sent.collect();
            let results = due.iter();
            let results: Vec<_> = results
                .map(|one| (one.message, self.ways[one.way], answers[one.way]))
                .collect();
            self.told.went(&results, at);
            sent
        }
    }

    fn finding(kind: FindingKind) -> Finding {
        Finding {
            kind,
            about: About::Tocsin,
            what: kind.word().to_owned(),
        }
    }

    const STOPPED: FindingKind = FindingKind::EngineStopped;
    const FAILS: FindingKind = FindingKind::JournalFails;

    #[test]
    fn a_way_that_hangs_is_sent_the_same_message_every_minute_and_masks_no_other() {
        for hangs in [Outcome::TimedOut, Outcome::Unanswered] {
            let mut book = Book::new();
            let answers = [hangs, Outcome::Failed];
            assert_eq!(book.look(0, &[STOPPED], answers), [(0, 0), (0, 1)]);
            assert_eq!(book.look(30, &[STOPPED], answers), []);
            let answers = [hangs, Outcome::Accepted];
            assert_eq!(book.look(60, &[STOPPED], answers), [(0, 0), (0, 1)]);
            assert_eq!(book.look(90, &[STOPPED], answers), []);
            assert_eq!(book.look(120, &[STOPPED], answers), [(0, 0)]);
        }
    }

    #[test]
    fn a_way_that_fails_alone_is_tried_every_minute_and_the_other_hears_again_in_15() {
        let mut book = Book::new();
        let answers = [Outcome::Accepted, Outcome::Refused];
        assert_eq!(book.look(0, &[STOPPED], answers), [(0, 0), (0, 1)]);
        assert_eq!(book.look(30, &[STOPPED], answers), []);
        assert_eq!(book.look(60, &[STOPPED], answers), [(0, 1)]);
        assert_eq!(book.look(870, &[STOPPED], answers), [(0, 1)]);
        assert_eq!(book.look(900, &[STOPPED], answers), [(900, 0), (900, 1)]);
    }

    #[test]
    fn what_surely_reached_nobody_is_sent_again_every_minute_as_the_same_message() {
        let mut book = Book::new();
        let answers = [Outcome::Failed, Outcome::Refused];
        assert_eq!(book.look(0, &[STOPPED], answers), [(0, 0), (0, 1)]);
        assert_eq!(book.look(5, &[STOPPED], answers), []);
        let both = [STOPPED, FAILS];
        assert_eq!(book.look(30, &both, answers), [(30, 0), (30, 1)]);
        assert_eq!(book.look(60, &both, answers), [(0, 0), (0, 1)]);
        assert_eq!(book.look(90, &both, answers), [(30, 0), (30, 1)]);
        let answers = [Outcome::Failed, Outcome::Accepted];
        assert_eq!(book.look(120, &both, answers), [(0, 0), (0, 1)]);
        assert_eq!(book.look(150, &both, answers), [(30, 0), (30, 1)]);
        assert_eq!(book.look(180, &both, answers), [(0, 0)]);
    }

    #[test]
    fn what_is_found_later_has_a_message_of_its_own() {
        let mut book = Book::new();
        let answers = [Outcome::Accepted, Outcome::TimedOut];
        assert_eq!(book.look(0, &[STOPPED], answers), [(0, 0), (0, 1)]);
        let both = [STOPPED, FAILS];
        assert_eq!(book.look(30, &both, answers), [(30, 0), (30, 1)]);
        assert_eq!(book.look(60, &both, answers), [(0, 1)]);
        assert_eq!(book.look(90, &both, answers), [(30, 1)]);
    }

    #[test]
    fn what_is_over_is_not_sent_again_and_is_not_news_when_it_comes_back_soon() {
        let mut book = Book::new();
        let answers = [Outcome::Accepted, Outcome::Failed];
        book.look(0, &[STOPPED], answers);
        assert_eq!(book.look(60, &[], answers), []);
        assert_eq!(book.look(120, &[STOPPED], answers), [(0, 1)]);
        // A message that nobody surely got is forgotten with what it told.
        let mut book = Book::new();
        let answers = [Outcome::TimedOut; 2];
        book.look(0, &[STOPPED], answers);
        assert_eq!(book.look(60, &[], answers), []);
        assert_eq!(book.look(90, &[STOPPED], answers), [(90, 0), (90, 1)]);
    }

    #[test]
    fn what_keeps_no_page_back_is_told_once_a_day_while_it_lasts() {
        const UNWATCHED: FindingKind = FindingKind::Unwatched;
        let mut book = Book::new();
        let answers = [Outcome::Accepted; 2];
        assert_eq!(book.look(0, &[UNWATCHED], answers), [(0, 0), (0, 1)]);
        assert_eq!(book.look(900, &[UNWATCHED], answers), []);
        assert_eq!(book.look(86_370, &[UNWATCHED], answers), []);
        let again = [(86_400, 0), (86_400, 1)];
        assert_eq!(book.look(86_400, &[UNWATCHED], answers), again);
        // What was over meanwhile is told as everything else is.
        assert_eq!(book.look(87_300, &[], answers), []);
        let anew = [(87_330, 0), (87_330, 1)];
        assert_eq!(book.look(87_330, &[UNWATCHED], answers), anew);
    }
}
