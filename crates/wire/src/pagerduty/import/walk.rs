//! What is asked of PagerDuty's REST API, question by question and page by page. It sends nothing: whoever walks sends each
//! question and hands back the answer.

use std::collections::{BTreeSet, VecDeque};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tocsin_domain::time::Timestamp;

use super::names::Remarks;
use super::raw;
use super::{Imported, translate};

/// Entries of a page that are asked for.
const LIMIT: usize = 100;
/// Entries of a list that PagerDuty gives at most.
const REACH_MAX: usize = 10_000;
/// Questions at most.
const QUESTIONS_MAX: usize = 20_000;
/// Bytes of all answers together at most.
const BYTES_MAX: usize = 256 * 1024 * 1024;
/// What an account answers that has nothing of a kind.
const HAS_NONE: &[u16] = &[402, 404];
/// What an account answers that does not tell who takes turns: one without that feature, or a key that may not see it.
const TELLS_NO_TURNS: &[u16] = &[400, 402, 403];
/// What has a policy tell which of its rules take turns: no answer does without it.
const STRATEGIES: &str = "escalation_rule_assignment_strategies";
/// Characters of an id at most.
const ID_CHARS_MAX: usize = 64;

/// One question: a GET.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The steps of its path.
    pub path: Vec<String>,
    /// Its parameters.
    pub query: Vec<(&'static str, String)>,
    /// The answers that say no more than that the account has nothing of the kind; then [`Walk::lack`] goes on.
    pub lacking: &'static [u16],
}

/// What is read, in the order in which it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    Users,
    Teams,
    Schedules,
    Policies,
    Services,
    Windows,
    Priorities,
    /// Who belongs to the team of that place.
    Members(usize),
    /// The schedule of that place, with its layers.
    Layers(usize),
}

impl Subject {
    /// The key of its list, or of its object.
    const fn word(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Teams => "teams",
            Self::Schedules => "schedules",
            Self::Policies => "escalation_policies",
            Self::Services => "services",
            Self::Windows => "maintenance_windows",
            Self::Priorities => "priorities",
            Self::Members(_) => "members",
            Self::Layers(_) => "schedule",
        }
    }
}

/// Everything that was read.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) users: Vec<raw::User>,
    pub(super) teams: Vec<raw::Team>,
    pub(super) schedules: Vec<raw::Schedule>,
    pub(super) policies: Vec<raw::Policy>,
    pub(super) services: Vec<raw::Service>,
    pub(super) windows: Vec<raw::Window>,
    pub(super) priorities: Vec<raw::Priority>,
}

/// A walk through an account.
#[derive(Debug)]
pub struct Walk {
    ahead: VecDeque<Subject>,
    offset: usize,
    /// Ids of the list under way: pages move when something comes in between.
    seen: BTreeSet<String>,
    asked: usize,
    bytes: usize,
    /// Whether policies are asked for with their rules that take turns.
    asks_turns: bool,
    account: Account,
    remarks: Remarks,
}

impl Default for Walk {
    fn default() -> Self {
        Self::new()
    }
}

impl Walk {
    /// Before the first question.
    #[must_use]
    pub fn new() -> Self {
        let ahead = [
            Subject::Users,
            Subject::Teams,
            Subject::Schedules,
            Subject::Policies,
            Subject::Services,
            Subject::Windows,
            Subject::Priorities,
        ];
        Self {
            ahead: ahead.into(),
            offset: 0,
            seen: BTreeSet::new(),
            asked: 0,
            bytes: 0,
            asks_turns: true,
            account: Account::default(),
            remarks: Remarks::default(),
        }
    }

    /// The question to ask now; none when everything is read.
    #[must_use]
    pub fn question(&self) -> Option<Question> {
        let subject = *self.ahead.front()?;
        let word = subject.word();
        let path = match subject {
            Subject::Members(place) => {
                let id = self.account.teams.get(place)?.id.as_deref()?;
                vec!["teams", id, word]
            }
            Subject::Layers(place) => {
                let id = self.account.schedules.get(place)?.id.as_deref()?;
                vec!["schedules", id]
            }
            Subject::Users
            | Subject::Teams
            | Subject::Schedules
            | Subject::Policies
            | Subject::Services
            | Subject::Windows
            | Subject::Priorities => vec![word],
        };
        let mut query = Vec::new();
        if !matches!(subject, Subject::Layers(_)) {
            query.push(("limit", LIMIT.to_string()));
            query.push(("offset", self.offset.to_string()));
        }
        let asks_turns = subject == Subject::Policies && self.asks_turns;
        if asks_turns {
            query.push(("include[]", STRATEGIES.to_owned()));
        }
        if subject == Subject::Services {
            query.push(("include[]", "integrations".to_owned()));
        }
        if subject == Subject::Windows {
            query.push(("filter", "open".to_owned()));
        }
        let lacking = match subject {
            Subject::Priorities | Subject::Members(_) | Subject::Layers(_) => HAS_NONE,
            Subject::Policies if asks_turns => TELLS_NO_TURNS,
            Subject::Users
            | Subject::Teams
            | Subject::Schedules
            | Subject::Policies
            | Subject::Services
            | Subject::Windows => &[],
        };
        Some(Question {
            path: path.into_iter().map(str::to_owned).collect(),
            query,
            lacking,
        })
    }

    /// Takes the body of the answer to the question of now.
    ///
    /// # Errors
    /// It is not what PagerDuty answers, or there is too much of it.
    pub fn take(&mut self, body: &[u8]) -> Result<(), String> {
        let Some(subject) = self.ahead.front().copied() else {
            return Ok(());
        };
        let word = subject.word();
        self.asked += 1;
        self.bytes = self.bytes.saturating_add(body.len());
        if self.asked > QUESTIONS_MAX || self.bytes > BYTES_MAX {
            return Err(format!(
                "the account is larger than {QUESTIONS_MAX} answers of {BYTES_MAX} bytes together"
            ));
        }
        let mut answer: Map<String, Value> = serde_json::from_slice(body)
            .map_err(|error| format!("{word}: the answer is no JSON object: {error}"))?;
        let Some(found) = answer.remove(word) else {
            return Err(format!("{word}: the answer has no {word:?}"));
        };
        if let Subject::Layers(place) = subject {
            self.layers(place, found);
            self.next();
            return Ok(());
        }
        let Value::Array(rows) = found else {
            return Err(format!("{word}: {word:?} of the answer is no list"));
        };
        let count = rows.len();
        if subject == Subject::Users {
            check_addresses(&rows)?;
        }
        self.rows(subject, rows);
        if answer.get("more").and_then(Value::as_bool) != Some(true) {
            self.end(subject)?;
            return Ok(());
        }
        // The page that was given counts, which may be smaller than what was asked for.
        let limit = answer.get("limit").and_then(Value::as_u64);
        let limit = limit.and_then(|limit| usize::try_from(limit).ok());
        let limit = limit.filter(|limit| (1..=LIMIT).contains(limit));
        let step = limit.unwrap_or(count);
        if step == 0 {
            return Err(format!(
                "{word}: the answer says that there is more, and gives nothing"
            ));
        }
        self.offset += step;
        if self.offset + LIMIT > REACH_MAX {
            return Err(format!("{word}: there are more than {REACH_MAX}"));
        }
        Ok(())
    }

    /// Goes on when the account has nothing of what the question of now is about. Where only that was not told which rules take
    /// turns, the same is asked again without it.
    pub fn lack(&mut self) {
        match self.ahead.front().copied() {
            Some(Subject::Policies) if self.asks_turns => {
                self.asks_turns = false;
                return;
            }
            Some(Subject::Priorities) => self.remarks.add("priorities: the account has none"),
            Some(Subject::Members(place)) => {
                let name = self
                    .account
                    .teams
                    .get(place)
                    .and_then(|one| one.name.clone());
                let name = name.unwrap_or_default();
                self.remarks
                    .add(format!("team {name:?}: who belongs to it is not told"));
            }
            Some(Subject::Layers(place)) => {
                let known = self.account.schedules.get(place);
                let name = known.and_then(|one| one.name.clone()).unwrap_or_default();
                self.remarks
                    .add(format!("schedule {name:?}: its layers are not told"));
            }
            Some(
                Subject::Users
                | Subject::Teams
                | Subject::Schedules
                | Subject::Policies
                | Subject::Services
                | Subject::Windows,
            )
            | None => {}
        }
        self.next();
    }

    /// What becomes of everything that was read; what is over at `now` is left out.
    #[must_use]
    pub fn finish(self, now: Timestamp) -> Imported {
        translate(&self.account, self.remarks, now)
    }

    fn next(&mut self) {
        self.ahead.pop_front();
        self.offset = 0;
        self.seen.clear();
    }

    /// A list is read; what has to be asked of each of its entries comes after everything else.
    fn end(&mut self, subject: Subject) -> Result<(), String> {
        self.next();
        match subject {
            Subject::Teams => {
                check_ids(self.account.teams.iter().map(|one| one.id.as_deref()))?;
                let places = 0..self.account.teams.len();
                self.ahead.extend(places.map(Subject::Members));
            }
            Subject::Schedules => {
                check_ids(self.account.schedules.iter().map(|one| one.id.as_deref()))?;
                let places = 0..self.account.schedules.len();
                self.ahead.extend(places.map(Subject::Layers));
            }
            Subject::Users
            | Subject::Policies
            | Subject::Services
            | Subject::Windows
            | Subject::Priorities
            | Subject::Members(_)
            | Subject::Layers(_) => {}
        }
        Ok(())
    }

    fn layers(&mut self, place: usize, found: Value) {
        let Some(known) = self.account.schedules.get_mut(place) else {
            return;
        };
        let name = known.name.clone().unwrap_or_default();
        match serde_json::from_value::<raw::Schedule>(found) {
            // The id is the one that was asked for.
            Ok(read) => {
                known.description = read.description.or(known.description.take());
                known.time_zone = read.time_zone.or(known.time_zone.take());
                known.teams = read.teams.or(known.teams.take());
                known.schedule_layers = read.schedule_layers;
            }
            Err(error) => self.remarks.add(format!(
                "schedule {name:?}: its layers are not in a form that is known: {error}"
            )),
        }
    }

    fn rows(&mut self, subject: Subject, mut rows: Vec<Value>) {
        rows.retain(|row| match row.get("id").and_then(Value::as_str) {
            Some(id) => self.seen.insert(id.to_owned()),
            None => true,
        });
        let (account, remarks) = (&mut self.account, &mut self.remarks);
        let word = subject.word();
        match subject {
            Subject::Users => account.users.extend(read(word, rows, remarks)),
            Subject::Teams => account.teams.extend(read(word, rows, remarks)),
            Subject::Schedules => account.schedules.extend(read(word, rows, remarks)),
            Subject::Policies => account.policies.extend(read(word, rows, remarks)),
            Subject::Services => account.services.extend(read(word, rows, remarks)),
            Subject::Windows => account.windows.extend(read(word, rows, remarks)),
            Subject::Priorities => account.priorities.extend(read(word, rows, remarks)),
            Subject::Members(place) => {
                if let Some(team) = account.teams.get_mut(place) {
                    team.members.extend(read(word, rows, remarks));
                }
            }
            Subject::Layers(_) => {}
        }
    }
}

/// The entries that can be read; the others are told.
fn read<T: DeserializeOwned>(word: &str, rows: Vec<Value>, remarks: &mut Remarks) -> Vec<T> {
    let mut found = Vec::new();
    for row in rows {
        let name = row.get("name").or_else(|| row.get("summary"));
        let name = name.and_then(Value::as_str).unwrap_or_default().to_owned();
        match serde_json::from_value(row) {
            Ok(read) => found.push(read),
            Err(error) => remarks.add(format!(
                "{word} {name:?}: left out, since it is not in a form that is known: {error}"
            )),
        }
    }
    found
}

/// A Tocsin shows the addresses of others as hints (`a…@example.org`) to whoever is no administrator. None is one to sign in
/// with, and everything that names people would name nobody.
fn check_addresses(rows: &[Value]) -> Result<(), String> {
    let mut addresses = rows
        .iter()
        .filter_map(|row| row.get("email").and_then(Value::as_str));
    match addresses.find(|address| address.contains('…')) {
        Some(hint) => Err(format!(
            "users: {hint:?} is the hint of an address and no address to sign in with: a token of an administrator is needed, who \
             is shown them whole"
        )),
        None => Ok(()),
    }
}

/// Ids become steps of a path, so that they are looked at.
fn check_ids<'a>(mut ids: impl Iterator<Item = Option<&'a str>>) -> Result<(), String> {
    let is_good = |id: Option<&str>| {
        id.is_some_and(|id| {
            (1..=ID_CHARS_MAX).contains(&id.len())
                && id
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        })
    };
    match ids.find(|id| !is_good(*id)) {
        Some(id) => Err(format!(
            "{:?} is no id of PagerDuty",
            id.unwrap_or_default()
        )),
        None => Ok(()),
    }
}
