//! Reads files into one document. Whatever is wrong has a file, a line and a column.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use tocsin_domain::code::{Document, Fault, Integration, Kind, OBJECTS_MAX, Part};
use tocsin_domain::command::Refusal;
use toml::de::{DeTable, DeValue};

use super::write::File;
use crate::mapping::Mapping;
use crate::misread;
use crate::pagerduty::rest::vendor::{VENDORS, Vendor};
use crate::place::line_and_column;

/// Files at most.
pub const FILES_MAX: usize = 200;
/// Bytes of all files together at most.
pub const TEXT_BYTES_MAX: usize = 900_000;
/// Characters of the name of a file at most.
const FILE_NAME_MAX: usize = 200;
/// Characters of a name at most, as the core has it.
const NAME_MAX: usize = 500;
/// Mistakes told at once at most.
const MISTAKES_MAX: usize = 20;
/// Characters told of one at most: it repeats what stands in the file, which may be very long.
const WHAT_CHARS_MAX: usize = 1_000;

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// The name of the file; empty when it is about all of them.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// What is wrong, what was expected.
    pub what: String,
}

impl Mistake {
    fn of_all(what: &str) -> Self {
        Self {
            file: String::new(),
            line: 0,
            column: 0,
            what: plain(what),
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            let Self {
                file, line, column, ..
            } = self;
            write!(formatter, "{file}, line {line}, column {column}: ")?;
        }
        formatter.write_str(&self.what)
    }
}

/// Where each part of a document stands.
#[derive(Clone, Debug)]
pub struct Files {
    files: Vec<File>,
    /// Of each part, its file and its place in the list there.
    places: BTreeMap<Part, (usize, Place)>,
    /// Of each kind that the files hold wholly, the file and the place in the list that say so.
    managed: BTreeMap<Kind, (usize, usize)>,
}

/// Where a part stands in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// There is only one of its kind.
    Single,
    /// At this index of the list of its kind.
    Item(usize),
    /// An integration: at an index of the services, and at one of theirs.
    Inner(usize, usize),
}

/// Reads files, in the order of their names, into one document in its tidy form.
///
/// # Errors
/// Everything that is wrong.
pub fn read(files: &[File]) -> Result<(Document, Files), Vec<Mistake>> {
    let bytes: usize = files.iter().map(|file| file.text.len()).sum();
    if files.is_empty() || files.len() > FILES_MAX || bytes > TEXT_BYTES_MAX {
        let what = format!("1 to {FILES_MAX} files are taken, of {TEXT_BYTES_MAX} bytes together");
        return Err(vec![Mistake::of_all(&what)]);
    }
    let mut files = files.to_vec();
    for file in &mut files {
        let plain = file.name.chars().filter(|letter| !letter.is_control());
        file.name = plain.take(FILE_NAME_MAX).collect();
    }
    files.sort_by(|one, other| one.name.cmp(&other.name));
    let mut reading = Reading {
        document: Document::default(),
        places: BTreeMap::new(),
        managed: BTreeMap::new(),
        mistakes: Vec::new(),
    };
    for (index, file) in files.iter().enumerate() {
        match toml::from_str::<Document>(&file.text) {
            Ok(read) => reading.take(index, &files, with_small_addresses(read)),
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                let what = misread::toml(&error);
                reading.mistakes.push(mistake(file, at, &what));
            }
        }
    }
    let Reading {
        document,
        places,
        managed,
        mut mistakes,
    } = reading;
    if document.len() > OBJECTS_MAX {
        let what = format!("at most {OBJECTS_MAX} things");
        mistakes.push(Mistake::of_all(&what));
    }
    if mistakes.is_empty() {
        let files = Files {
            files,
            places,
            managed,
        };
        Ok((document.tidied(), files))
    } else {
        mistakes.sort();
        mistakes.truncate(MISTAKES_MAX);
        Err(mistakes)
    }
}

/// Addresses in small letters, and nothing moved, so that places still count.
fn with_small_addresses(mut document: Document) -> Document {
    for user in &mut document.users {
        user.email = user.email.to_lowercase();
    }
    document
}

/// A document in the making.
struct Reading {
    document: Document,
    places: BTreeMap<Part, (usize, Place)>,
    managed: BTreeMap<Kind, (usize, usize)>,
    mistakes: Vec<Mistake>,
}

impl Reading {
    /// Adds what a file says; what another one says already is a mistake.
    fn take(&mut self, index: usize, files: &[File], read: Document) {
        for kind in Kind::ALL {
            for (place, part, name) in named(&read, kind) {
                self.look_at_name(index, files, (&part, place), &name);
                self.place(index, files, part, place);
            }
        }
        let single = [
            (Kind::Installation, !read.installation.is_empty()),
            (Kind::AlertRules, read.alert_rules.is_some()),
        ];
        for (kind, _) in single.into_iter().filter(|(_, is_there)| *is_there) {
            self.place(index, files, Part::new(kind, ""), Place::Single);
        }
        for (place, one) in read.manage.remove.iter().enumerate() {
            self.managed.entry(one.kind()).or_insert((index, place));
        }
        self.look_at_integrations(index, files, &read);
        // Taken apart whole, so that nothing that is read is dropped.
        let Document {
            manage,
            installation,
            users,
            teams,
            schedules,
            escalation_policies,
            services,
            alert_rules,
            heartbeats,
            monitors,
            maintenance_windows,
        } = read;
        let all = &mut self.document;
        all.manage.remove.extend(manage.remove);
        if !installation.is_empty() {
            all.installation = installation;
        }
        all.alert_rules = alert_rules.or(all.alert_rules.take());
        all.users.extend(users);
        all.teams.extend(teams);
        all.schedules.extend(schedules);
        all.escalation_policies.extend(escalation_policies);
        all.services.extend(services);
        all.heartbeats.extend(heartbeats);
        all.monitors.extend(monitors);
        all.maintenance_windows.extend(maintenance_windows);
    }

    /// What is wrong in what the core keeps of an integration as text is found here.
    fn look_at_integrations(&mut self, index: usize, files: &[File], read: &Document) {
        let Some(file) = files.get(index) else { return };
        for (outer, service) in read.services.iter().enumerate() {
            for (inner, one) in service.integrations.iter().enumerate() {
                for (field, wrong) in wrong_in(one) {
                    if self.mistakes.len() >= MISTAKES_MAX {
                        return;
                    }
                    let part = Part::integration(&service.name, &one.name);
                    let at = at(file, &part, Place::Inner(outer, inner), field);
                    let what = format!("{part}: {field}: {wrong}");
                    self.mistakes.push(mistake(file, at, &what));
                }
            }
        }
    }

    fn look_at_name(
        &mut self,
        index: usize,
        files: &[File],
        (part, place): (&Part, Place),
        name: &str,
    ) {
        let Some(file) = files.get(index) else { return };
        if self.mistakes.len() >= MISTAKES_MAX {
            return;
        }
        if name.is_empty() || name.trim() != name || name.chars().count() > NAME_MAX {
            let key = part.kind.key();
            let what = format!("{key}: must not be empty, too long, nor begin or end with a space");
            let mistake = mistake(file, at(file, part, place, key), &what);
            self.mistakes.push(mistake);
        }
    }

    fn place(&mut self, index: usize, files: &[File], part: Part, place: Place) {
        let Some(file) = files.get(index) else { return };
        // Each place is looked for in the whole file: more of them than are told are not worth it.
        if self.mistakes.len() >= MISTAKES_MAX {
            return;
        }
        let key = part.kind.key();
        match self.places.entry(part.clone()) {
            Entry::Vacant(free) => {
                free.insert((index, place));
            }
            Entry::Occupied(taken) => {
                let (other, first) = *taken.get();
                let Some(other) = files.get(other) else {
                    return;
                };
                let (line, _) = line_and_column(&other.text, at(other, &part, first, key));
                let what = format!(
                    "{part} is there twice: it stands in {}, line {line}, too",
                    other.name
                );
                let mistake = mistake(file, at(file, &part, place, key), &what);
                self.mistakes.push(mistake);
            }
        }
    }
}

/// The fields of an integration that the core keeps as text and in which something is wrong, and what.
fn wrong_in(one: &Integration) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    if let Some(Err(wrong)) = one.mapping.as_deref().map(Mapping::parse) {
        let wrong = wrong.first().map(ToString::to_string);
        found.push(("mapping", wrong.unwrap_or_default()));
    }
    if let Some(named) = &one.vendor
        && Vendor::of_id(named).is_none_or(|known| known.speaks != one.kind)
    {
        let known = VENDORS.iter().filter(|known| known.speaks == one.kind);
        let known: Vec<String> = known
            .map(|known| format!("{} ({})", known.id(), known.name))
            .collect();
        let known = known.join(", ");
        found.push((
            "vendor",
            format!("{named:?} is none that speaks so; there is {known}"),
        ));
    }
    found
}

/// A file's parts of a kind, with their places and the names that are written there.
fn named(read: &Document, kind: Kind) -> Vec<(Place, Part, String)> {
    if kind != Kind::Integrations {
        let names = read.names(kind).into_iter().enumerate();
        return names
            .map(|(index, name)| (Place::Item(index), Part::new(kind, &name), name))
            .collect();
    }
    let services = read.services.iter().enumerate();
    let names = services.flat_map(|(outer, service)| {
        let own = service.integrations.iter().enumerate();
        own.map(move |(inner, one)| {
            let part = Part::integration(&service.name, &one.name);
            (Place::Inner(outer, inner), part, one.name.clone())
        })
    });
    names.collect()
}

impl Files {
    /// What is wrong with a part, at the places of its fields. What is about one that goes stands where the files say that they
    /// hold all of its kind.
    #[must_use]
    pub fn mistakes(&self, fault: &Fault) -> Vec<Mistake> {
        // Only what is said of fields begins with the path of one.
        let (reasons, of_fields) = match &fault.refusal {
            Refusal::NotFound { what } => (vec![format!("there is no {what}")], false),
            Refusal::Conflict { why } | Refusal::Forbidden { why } => (vec![why.clone()], false),
            Refusal::Invalid { reasons } => (reasons.clone(), true),
        };
        let part = &fault.part;
        let found = self.places.get(part);
        let found = found.and_then(|(file, place)| Some((self.files.get(*file)?, *place)));
        let goes = self.managed.get(&part.kind);
        let goes = goes.and_then(|(file, place)| Some((self.files.get(*file)?, *place)));
        let told = reasons.iter().map(|reason| {
            let what = format!("{part}: {reason}");
            match (found, goes) {
                (Some((file, place)), _) => {
                    let path = reason.split_once(": ").filter(|_| of_fields);
                    let path = path.map_or("", |(path, _)| path);
                    mistake(file, at(file, part, place, path), &what)
                }
                (None, Some((file, place))) => {
                    let at = at_path(file, &format!("manage.remove[{place}]"));
                    mistake(
                        file,
                        at,
                        &format!("{what} (it goes, since it stands in no file)"),
                    )
                }
                (None, None) => Mistake::of_all(&what),
            }
        });
        told.take(MISTAKES_MAX).collect()
    }
}

fn mistake(file: &File, at: usize, what: &str) -> Mistake {
    let (line, column) = line_and_column(&file.text, at);
    Mistake {
        file: file.name.clone(),
        line,
        column,
        what: plain(what),
    }
}

/// On one line, without what a terminal would obey, and cut where it is too long.
fn plain(what: &str) -> String {
    let what = what.trim();
    let plain = |letter: char| if letter.is_control() { ' ' } else { letter };
    let mut told: String = what.chars().take(WHAT_CHARS_MAX).map(plain).collect();
    if what.chars().nth(WHAT_CHARS_MAX).is_some() {
        told.push('…');
    }
    told
}

/// The byte at which a field of a part begins, or as much of its path as there is.
fn at(file: &File, part: &Part, place: Place, path: &str) -> usize {
    let list = part.kind.word();
    // The core calls every list of rules the same.
    let path = match path.strip_prefix("rules") {
        Some(rest) if part.kind == Kind::AlertRules => rest,
        Some(_) | None => path,
    };
    let start = match place {
        Place::Single if part.kind == Kind::Installation => list.to_owned(),
        Place::Single => format!("{list}{}", if path.starts_with('[') { "" } else { "." }),
        Place::Item(index) => format!("{list}[{index}]"),
        Place::Inner(outer, inner) => format!("services[{outer}].integrations[{inner}]"),
    };
    let separator = if path.is_empty() || path.starts_with('[') {
        ""
    } else {
        "."
    };
    at_path(
        file,
        &format!("{}{separator}{path}", start.trim_end_matches('.')),
    )
}

/// The byte at which what a path names begins, or as much of it as there is.
fn at_path(file: &File, path: &str) -> usize {
    let Ok(table) = DeTable::parse(&file.text) else {
        return 0;
    };
    walk(table.get_ref(), path)
}

/// Follows `name[index].name` as far as it leads.
fn walk(table: &DeTable<'_>, path: &str) -> usize {
    let (mut at, mut table) = (0, table);
    for step in path.split('.') {
        let (name, mut indexes) = match step.split_once('[') {
            Some((name, rest)) => (name, rest),
            None => (step, ""),
        };
        let Some((key, value)) = table.get_key_value(name) else {
            return at;
        };
        at = key.span().start;
        let mut value = value;
        while let Some((index, rest)) = indexes.split_once(']') {
            let DeValue::Array(items) = value.get_ref() else {
                return at;
            };
            let item = index.parse().ok().and_then(|index: usize| items.get(index));
            let Some(item) = item else { return at };
            at = item.span().start;
            value = item;
            indexes = rest.trim_start_matches('[');
        }
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_) => return at,
        }
    }
    at
}
