//! What is asked of PagerDuty's REST API, question by question and page by page. It sends nothing: whoever walks sends each
//! question and hands back the answer.

mod subject;

use std::collections::{BTreeSet, VecDeque};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tocsin_domain::time::Timestamp;

use super::names::Remarks;
use super::raw;
use super::{Imported, translate};
use subject::{LISTS, Subject};

/// Entries of a page that are asked for.
const LIMIT: usize = 100;
/// Entries of a list that PagerDuty gives at most.
const REACH_MAX: usize = 10_000;
/// Questions at most.
const QUESTIONS_MAX: usize = 20_000;
/// Bytes of all answers together at most.
const BYTES_MAX: usize = 256 * 1024 * 1024;
/// What is answered where there is no such thing.
const NOT_FOUND: u16 = 404;
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
    pub(super) orchestrations: Vec<raw::Orchestration>,
    pub(super) rulesets: Vec<raw::Titled>,
    pub(super) webhooks: Vec<raw::Webhook>,
    pub(super) extensions: Vec<raw::Titled>,
    pub(super) business_services: Vec<raw::Titled>,
    pub(super) tags: Vec<raw::Titled>,
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
        Self {
            ahead: LISTS.into(),
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
        let path = subject.path(&self.account)?;
        let mut query = Vec::new();
        if subject.is_list() {
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
        Some(Question {
            path: path.into_iter().map(str::to_owned).collect(),
            query,
            lacking: subject.lacking(asks_turns),
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
        if !subject.is_list() {
            self.object(subject, found);
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

    /// Goes on when the account does not give what the question of now is about, and answered this instead. Where only that was not
    /// told which rules take turns, the same is asked again without it.
    pub fn lack(&mut self, status: u16) {
        let Some(subject) = self.ahead.front().copied() else {
            return;
        };
        if subject == Subject::Policies && self.asks_turns {
            self.asks_turns = false;
            return;
        }
        if let Some(told) = subject.lack(&self.account, status) {
            self.remarks.add(told);
        }
        self.next();
        // Who may not see the orchestration of one service sees none of the others.
        if matches!(subject, Subject::ServiceRules(_)) && status != NOT_FOUND {
            let is_other = |one: &Subject| !matches!(one, Subject::ServiceRules(_));
            self.ahead.retain(is_other);
        }
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
            Subject::Services => {
                let services = self.account.services.iter().enumerate();
                let known = services.filter(|(_, one)| is_id(one.id.as_deref()));
                let places = known.map(|(place, _)| Subject::ServiceRules(place));
                self.ahead.extend(places);
            }
            Subject::Orchestrations => {
                let known = &self.account.orchestrations;
                check_ids(known.iter().map(|one| one.id.as_deref()))?;
                let places = 0..known.len();
                self.ahead
                    .extend(places.flat_map(Subject::of_orchestration));
            }
            Subject::Users
            | Subject::Policies
            | Subject::Windows
            | Subject::Priorities
            | Subject::Rulesets
            | Subject::Webhooks
            | Subject::Extensions
            | Subject::BusinessServices
            | Subject::Tags
            | Subject::Members(_)
            | Subject::Layers(_)
            | Subject::Orchestration(_)
            | Subject::Router(_)
            | Subject::Global(_)
            | Subject::Unrouted(_)
            | Subject::ServiceRules(_) => {}
        }
        Ok(())
    }

    /// Takes what is no list.
    fn object(&mut self, subject: Subject, found: Value) {
        match subject {
            Subject::Layers(place) => self.layers(place, found),
            Subject::ServiceRules(place) => {
                if let Some(service) = self.account.services.get_mut(place) {
                    service.orchestration = Some(found);
                }
            }
            Subject::Orchestration(place) => self.keys(place, found),
            Subject::Router(place) => self.part(place, |one| one.router = Some(found)),
            Subject::Global(place) => self.part(place, |one| one.global = Some(found)),
            Subject::Unrouted(place) => self.part(place, |one| one.unrouted = Some(found)),
            Subject::Users
            | Subject::Teams
            | Subject::Schedules
            | Subject::Policies
            | Subject::Services
            | Subject::Windows
            | Subject::Priorities
            | Subject::Orchestrations
            | Subject::Rulesets
            | Subject::Webhooks
            | Subject::Extensions
            | Subject::BusinessServices
            | Subject::Tags
            | Subject::Members(_) => {}
        }
    }

    fn part(&mut self, place: usize, keep: impl FnOnce(&mut raw::Orchestration)) {
        if let Some(known) = self.account.orchestrations.get_mut(place) {
            keep(known);
        }
    }

    /// The keys of an event orchestration, which its list may not have.
    fn keys(&mut self, place: usize, found: Value) {
        let Some(known) = self.account.orchestrations.get_mut(place) else {
            return;
        };
        match serde_json::from_value::<raw::Orchestration>(found) {
            Ok(read) => {
                known.description = read.description.or(known.description.take());
                known.integrations = read.integrations.or(known.integrations.take());
            }
            Err(error) => self.remarks.add(format!(
                "event orchestration {:?}: its keys are not in a form that is known: {error}",
                known.name.as_deref().unwrap_or_default()
            )),
        }
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
            Subject::Orchestrations => account.orchestrations.extend(read(word, rows, remarks)),
            Subject::Rulesets => account.rulesets.extend(read(word, rows, remarks)),
            Subject::Webhooks => account.webhooks.extend(read(word, rows, remarks)),
            Subject::Extensions => account.extensions.extend(read(word, rows, remarks)),
            Subject::BusinessServices => {
                account.business_services.extend(read(word, rows, remarks));
            }
            Subject::Tags => account.tags.extend(read(word, rows, remarks)),
            Subject::Layers(_)
            | Subject::Orchestration(_)
            | Subject::Router(_)
            | Subject::Global(_)
            | Subject::Unrouted(_)
            | Subject::ServiceRules(_) => {}
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
    match ids.find(|id| !is_id(*id)) {
        Some(id) => Err(format!(
            "{:?} is no id of PagerDuty",
            id.unwrap_or_default()
        )),
        None => Ok(()),
    }
}

fn is_id(id: Option<&str>) -> bool {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    id.is_some_and(|id| (1..=ID_CHARS_MAX).contains(&id.len()) && id.bytes().all(is_good))
}
