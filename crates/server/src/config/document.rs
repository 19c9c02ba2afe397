//! A TOML document whose keys are asked for by name. A key that nobody knows, a value of the wrong type and a value that cannot
//! be used become problems with their place. It must not know what any key means.

use std::fmt;

use tocsin_wire::place::line_and_column;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::nearest::nearest;

/// Problems told at once at most.
const PROBLEMS_MAX: usize = 20;
/// Characters of a value that are repeated to its writer.
const SHOWN_CHARS_MAX: usize = 120;

/// What is wrong at one place of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// From 1.
    pub(crate) line: usize,
    /// In characters, from 1.
    pub(crate) column: usize,
    /// The key with its section (`tls.cert`); empty where there is none.
    pub(crate) key: String,
    /// What is wrong, what was expected.
    pub(crate) what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}, column {}: ", self.line, self.column)?;
        if !self.key.is_empty() {
            write!(formatter, "{}: ", self.key)?;
        }
        formatter.write_str(&self.what)
    }
}

/// A section and the keys that it may have; the section of the file's top has no name.
pub(super) struct Shape {
    pub(super) name: &'static str,
    pub(super) keys: &'static [&'static str],
}

/// Reads a document and collects what is wrong with it.
pub(super) struct Reader<'t> {
    text: &'t str,
    shapes: &'static [Shape],
    problems: Vec<Problem>,
}

/// One section, if the file has it.
#[derive(Clone, Copy)]
pub(super) struct Section<'d> {
    name: &'static str,
    table: Option<&'d DeTable<'d>>,
}

impl Section<'_> {
    /// Whether one of the keys stands in the file, whatever its value.
    pub(super) fn has_any(&self, keys: &[&str]) -> bool {
        keys.iter()
            .any(|key| self.table.is_some_and(|table| table.contains_key(*key)))
    }
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str, shapes: &'static [Shape]) -> Self {
        Self {
            text,
            shapes,
            problems: Vec::new(),
        }
    }

    /// Everything that was wrong, in the order of the file.
    pub(super) fn into_problems(mut self) -> Vec<Problem> {
        self.problems.sort_by_key(|one| (one.line, one.column));
        self.problems.truncate(PROBLEMS_MAX);
        self.problems
    }

    /// Reads the text as TOML. What is not TOML is a problem, and then nothing else is looked at.
    pub(super) fn document(&mut self) -> Option<Spanned<DeTable<'t>>> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in &errors {
            let at = error.span().map_or(0, |span| span.start);
            self.problem(
                at,
                String::new(),
                format!("this is not TOML: {}", plain(error.message())),
            );
        }
        errors.is_empty().then_some(table)
    }

    /// The top of the file.
    pub(super) fn top<'d>(&mut self, table: &'d DeTable<'d>) -> Section<'d> {
        let top = Section {
            name: "",
            table: Some(table),
        };
        self.refuse_unknown(top);
        top
    }

    /// A named section.
    pub(super) fn section<'d>(&mut self, top: Section<'d>, name: &'static str) -> Section<'d> {
        let value = top.table.and_then(|table| table.get(name));
        let table = match value.map(Spanned::get_ref) {
            None => None,
            Some(DeValue::Table(table)) => Some(table),
            Some(other) => {
                let at = value.map_or(0, |value| value.span().start);
                let what = format!(
                    "{} stands here; expected a section [{name}]",
                    described(other)
                );
                self.problem(at, name.to_owned(), what);
                None
            }
        };
        let section = Section { name, table };
        self.refuse_unknown(section);
        section
    }

    /// The value of a key, when it is there and `read` can use it; `read` tells what is wrong with it, and what was expected.
    pub(super) fn value<T>(
        &mut self,
        section: Section<'_>,
        key: &str,
        read: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
    ) -> Option<T> {
        let value = section.table?.get(key)?;
        match read(value.get_ref()) {
            Ok(read) => Some(read),
            Err(what) => {
                self.problem(value.span().start, full(section.name, key), what);
                None
            }
        }
    }

    /// The values of a list, each with its own place.
    pub(super) fn values<T>(
        &mut self,
        section: Section<'_>,
        key: &str,
        count_max: usize,
        read: impl Fn(&DeValue<'_>) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        let value = section.table?.get(key)?;
        let at = value.span().start;
        let DeValue::Array(items) = value.get_ref() else {
            let what = format!(
                "{} stands here; expected a list in square brackets",
                described(value.get_ref())
            );
            self.problem(at, full(section.name, key), what);
            return None;
        };
        if items.len() > count_max {
            let what = format!(
                "a list of {} entries; expected at most {count_max}",
                items.len()
            );
            self.problem(at, full(section.name, key), what);
            return None;
        }
        let mut all = Vec::new();
        for item in items {
            match read(item.get_ref()) {
                Ok(read) => all.push(read),
                Err(what) => self.problem(item.span().start, full(section.name, key), what),
            }
        }
        Some(all)
    }

    /// Says that the value of a key does not go with the others.
    pub(super) fn refuse(&mut self, section: Section<'_>, key: &str, what: &str) {
        let at = section
            .table
            .and_then(|table| table.get_key_value(key))
            .map_or(0, |(name, _)| name.span().start);
        self.problem(at, full(section.name, key), what.to_owned());
    }

    fn refuse_unknown(&mut self, section: Section<'_>) {
        let Some(shape) = self.shapes.iter().find(|shape| shape.name == section.name) else {
            return;
        };
        for (name, value) in section.table.into_iter().flatten() {
            if !shape.keys.contains(&name.get_ref().as_ref()) {
                let is_section = matches!(value.get_ref(), DeValue::Table(_));
                let what = self.unknown(shape, name.get_ref(), is_section);
                self.problem(
                    name.span().start,
                    full(section.name, &plain(name.get_ref())),
                    what,
                );
            }
        }
    }

    fn unknown(&self, shape: &Shape, given: &str, is_section: bool) -> String {
        let what = if is_section { "section" } else { "key" };
        if let Some(home) = self
            .shapes
            .iter()
            .find(|home| !is_section && home.keys.contains(&given))
        {
            return match home.name {
                "" => {
                    "this key belongs at the top of the file, above the first [section]".to_owned()
                }
                section => format!("this key belongs under [{section}]"),
            };
        }
        if let Some(meant) = nearest(given, shape.keys.iter().copied()) {
            return format!("there is no such {what}; did you mean {meant}?");
        }
        let elsewhere = self
            .shapes
            .iter()
            .find_map(|home| Some((home.name, nearest(given, home.keys.iter().copied())?)));
        match elsewhere {
            Some(("", meant)) => {
                format!("there is no such {what}; did you mean {meant}, at the top of the file?")
            }
            Some((section, meant)) => {
                format!("there is no such {what}; did you mean {meant} under [{section}]?")
            }
            None => format!(
                "there is no such {what}; expected one of {}",
                shape.keys.join(", ")
            ),
        }
    }

    fn problem(&mut self, at: usize, key: String, what: String) {
        let (line, column) = line_and_column(self.text, at);
        self.problems.push(Problem {
            line,
            column,
            key,
            what,
        });
    }
}

fn full(section: &str, key: &str) -> String {
    if section.is_empty() {
        key.to_owned()
    } else {
        format!("{section}.{key}")
    }
}

/// What stands where something else was expected: `the number 8700`, `"8700"`.
pub(super) fn described(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => shown(text),
        DeValue::Integer(number) => format!("the number {}", plain(&number.to_string())),
        DeValue::Float(number) => format!("the number {}", plain(&number.to_string())),
        DeValue::Boolean(answer) => answer.to_string(),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a section".to_owned(),
    }
}

/// Text in quotes, cut and without anything that a terminal would obey.
pub(super) fn shown(text: &str) -> String {
    format!("\"{}\"", plain(text))
}

fn plain(text: &str) -> String {
    let mut plain = String::new();
    for letter in text.chars().take(SHOWN_CHARS_MAX) {
        match letter {
            '\'' | '"' => plain.push(letter),
            other => plain.extend(other.escape_debug()),
        }
    }
    if text.chars().nth(SHOWN_CHARS_MAX).is_some() {
        plain.push('…');
    }
    plain
}
