//! Paths into JSON (`$.alerts[*].labels.severity`, `.labels["a b"]`): how they are read, and what they find.

use serde_json::Value;

use super::Failure;
use super::cursor::{Cursor, Wrong};
use super::work::{Scope, Work};

/// Steps of a path.
const STEPS_MAX: usize = 16;
/// Steps of a path that take all there is.
const ALL_STEPS_MAX: usize = 3;
/// The largest index.
const INDEX_MAX: usize = 100_000;

/// Where a path begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Root {
    /// `$`: the whole body.
    Body,
    /// `.`: the item that the alert is made of.
    Item,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
    All,
}

/// A path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    root: Root,
    steps: Vec<Step>,
    text: String,
}

impl Path {
    /// The whole body.
    pub(super) fn body() -> Self {
        Self {
            root: Root::Body,
            steps: Vec::new(),
            text: "$".to_owned(),
        }
    }

    /// As it was written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Reads a path that is the whole of `text`.
    pub(super) fn whole(text: &str) -> Result<Self, Wrong> {
        let mut cursor = Cursor::new(text);
        cursor.blanks();
        let path = Self::read(&mut cursor)?
            .ok_or_else(|| cursor.wrong("a path begins with $ (the body) or . (the item)"))?;
        cursor.blanks();
        if cursor.is_done() {
            Ok(path)
        } else {
            Err(cursor.wrong("the path ends before this"))
        }
    }

    /// Reads a path, if one comes next: it begins with `$` or `.`.
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Option<Self>, Wrong> {
        let begin = cursor.rest();
        let mut steps = Vec::new();
        let root = if cursor.eat("$") {
            Root::Body
        } else if cursor.eat(".") {
            if let Some(name) = cursor.name()? {
                steps.push(Step::Name(name));
            }
            Root::Item
        } else {
            return Ok(None);
        };
        read_steps(cursor, &mut steps)?;
        Ok(Some(Self::of(root, steps, begin, cursor)))
    }

    /// A path of the item whose first name was read already; a condition may leave its dot out.
    pub(super) fn of_name(cursor: &mut Cursor<'_>, name: String) -> Result<Self, Wrong> {
        let begin = cursor.rest();
        let mut steps = vec![Step::Name(name.clone())];
        read_steps(cursor, &mut steps)?;
        let mut path = Self::of(Root::Item, steps, begin, cursor);
        path.text.insert_str(0, &name);
        Ok(path)
    }

    fn of(root: Root, steps: Vec<Step>, begin: &str, cursor: &Cursor<'_>) -> Self {
        let bytes = begin.len() - cursor.rest().len();
        let text = begin.get(..bytes).unwrap_or_default().to_owned();
        Self { root, steps, text }
    }

    /// All that it finds, in the order of the body; what is null counts as found.
    pub(super) fn find<'v>(
        &self,
        scope: &Scope<'v>,
        work: &mut Work,
    ) -> Result<Vec<&'v Value>, Failure> {
        let mut found = vec![match self.root {
            Root::Body => scope.body,
            Root::Item => scope.item,
        }];
        for step in &self.steps {
            let values = found.into_iter();
            found = match step {
                // In the room of those before, since each leads to one at most.
                Step::Name(name) => {
                    work.take(values.len())?;
                    values
                        .filter_map(|value| value.get(name.as_str()))
                        .collect()
                }
                Step::Index(index) => {
                    work.take(values.len())?;
                    values.filter_map(|value| value.get(*index)).collect()
                }
                Step::All => {
                    let mut next = Vec::new();
                    for value in values {
                        work.take(1)?;
                        let all = all_of(value);
                        work.take(all.len())?;
                        next.extend(all);
                    }
                    next
                }
            };
        }
        Ok(found)
    }

    /// Whether it ends in all of a list or an object: then an empty one is an answer.
    pub(super) fn list(&self) -> Option<Self> {
        let (last, steps) = self.steps.split_last()?;
        (*last == Step::All).then(|| Self {
            root: self.root,
            steps: steps.to_vec(),
            text: self.text.clone(),
        })
    }
}

fn all_of(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(all) => all.iter().collect(),
        Value::Object(fields) => fields.values().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

fn read_steps(cursor: &mut Cursor<'_>, steps: &mut Vec<Step>) -> Result<(), Wrong> {
    loop {
        if cursor.eat(".") {
            let name = cursor.name()?;
            steps.push(Step::Name(name.ok_or_else(|| {
                cursor.wrong(
                    "a name stands after the dot; one with other characters stands in [\"…\"]",
                )
            })?));
        } else if cursor.eat("[") {
            cursor.blanks();
            let step = if cursor.eat("*") {
                Step::All
            } else if let Some(name) = cursor.quoted()? {
                Step::Name(name)
            } else if let Some(index) = cursor.whole(INDEX_MAX)? {
                Step::Index(index)
            } else {
                return Err(cursor.wrong("in brackets stands *, a number or a name in quotes"));
            };
            cursor.blanks();
            if !cursor.eat("]") {
                return Err(cursor.wrong("a closing ] was expected"));
            }
            steps.push(step);
        } else {
            return Ok(());
        }
        let all = steps.iter().filter(|step| **step == Step::All).count();
        if steps.len() > STEPS_MAX || all > ALL_STEPS_MAX {
            return Err(cursor.wrong(format!(
                "a path has at most {STEPS_MAX} steps, {ALL_STEPS_MAX} of them [*]"
            )));
        }
    }
}
