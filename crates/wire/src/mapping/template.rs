//! Templates: text with `{{ .path | default "x" }}` in it. What is put in is never read as a template again.

use serde_json::Value;

use super::Failure;
use super::cursor::{Cursor, Wrong};
use super::path::Path;
use super::work::{Scope, TEXT_BYTES_MAX, Work, beginning};

/// Characters of a template.
const TEMPLATE_CHARS_MAX: usize = 4_000;
/// Pieces of a template, texts and expressions.
const PIECES_MAX: usize = 64;
/// Filters of one expression.
const FILTERS_MAX: usize = 8;
/// Characters that `cut` leaves at most.
const CUT_MAX: usize = 10_000;
/// What stands between several values when nothing else is asked for.
const SEPARATOR: &str = ", ";

/// A template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Value(Source, Vec<Filter>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    Path(Path),
    Text(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Filter {
    Default(Source),
    Upper,
    Lower,
    Trim,
    Line,
    Cut(usize),
    Join(String),
    Json,
}

impl Template {
    pub(super) fn read(text: &str) -> Result<Self, Wrong> {
        let mut cursor = Cursor::new(text);
        if text.chars().count() > TEMPLATE_CHARS_MAX {
            return Err(cursor.wrong(format!(
                "a template has at most {TEMPLATE_CHARS_MAX} characters"
            )));
        }
        let mut pieces = Vec::new();
        while !cursor.is_done() {
            if pieces.len() == PIECES_MAX {
                return Err(cursor.wrong(format!("a template has at most {PIECES_MAX} pieces")));
            }
            let rest = cursor.rest();
            match rest.find("{{") {
                Some(0) => pieces.push(expression(&mut cursor)?),
                other => {
                    let bytes = other.unwrap_or(rest.len());
                    pieces.push(Piece::Text(rest[..bytes].to_owned()));
                    cursor.skip(bytes);
                }
            }
        }
        Ok(Self(pieces))
    }

    /// The text that it makes; empty when nothing of it was found.
    pub(super) fn render(&self, scope: &Scope<'_>, work: &mut Work) -> Result<String, Failure> {
        if let [Piece::Value(source, filters)] = self.0.as_slice() {
            let text = value_of(source, filters, scope, work)?;
            return work.write_whole(text);
        }
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(more) => work.write(&mut text, more)?,
                Piece::Value(source, filters) => {
                    let more = value_of(source, filters, scope, work)?;
                    work.write(&mut text, &more)?;
                }
            }
        }
        Ok(text)
    }
}

fn expression(cursor: &mut Cursor<'_>) -> Result<Piece, Wrong> {
    let open = cursor.wrong("the {{ that begins here has no closing }}");
    cursor.eat("{{");
    cursor.blanks();
    let source = source(cursor)?;
    let mut filters = Vec::new();
    loop {
        cursor.blanks();
        if cursor.eat("}}") {
            return Ok(Piece::Value(source, filters));
        }
        if cursor.is_done() {
            return Err(open);
        }
        if !cursor.eat("|") {
            return Err(cursor.wrong("a | with a filter or the closing }} was expected"));
        }
        if filters.len() == FILTERS_MAX {
            return Err(cursor.wrong(format!("an expression has at most {FILTERS_MAX} filters")));
        }
        cursor.blanks();
        filters.push(filter(cursor, filters.is_empty())?);
    }
}

fn source(cursor: &mut Cursor<'_>) -> Result<Source, Wrong> {
    if let Some(text) = cursor.quoted()? {
        return Ok(Source::Text(text));
    }
    let path = Path::read(cursor)?;
    path.map(Source::Path).ok_or_else(|| {
        cursor.wrong("a path ($… of the body, .… of the item) or a text in quotes was expected")
    })
}

fn filter(cursor: &mut Cursor<'_>, is_first: bool) -> Result<Filter, Wrong> {
    let unknown =
        cursor.wrong("the filters are default, upper, lower, trim, line, cut, join and json");
    let only_first = cursor.wrong("join and json come before all other filters");
    let name = cursor.name()?.unwrap_or_default();
    cursor.blanks();
    Ok(match name.as_str() {
        "default" => Filter::Default(source(cursor)?),
        "upper" => Filter::Upper,
        "lower" => Filter::Lower,
        "trim" => Filter::Trim,
        "line" => Filter::Line,
        "cut" => {
            let chars = cursor.whole(CUT_MAX)?;
            Filter::Cut(chars.ok_or_else(|| cursor.wrong("cut takes a number: cut 80"))?)
        }
        "join" | "json" if !is_first => return Err(only_first),
        "join" => {
            let between = cursor.quoted()?;
            Filter::Join(between.ok_or_else(|| cursor.wrong("join takes a text: join \", \""))?)
        }
        "json" => Filter::Json,
        _ => return Err(unknown),
    })
}

fn value_of(
    source: &Source,
    filters: &[Filter],
    scope: &Scope<'_>,
    work: &mut Work,
) -> Result<String, Failure> {
    let mut text = match filters.first() {
        Some(Filter::Join(between)) => text_of(source, between, scope, work)?,
        Some(Filter::Json) => json_of(source, scope, work)?,
        None
        | Some(
            Filter::Default(_)
            | Filter::Upper
            | Filter::Lower
            | Filter::Trim
            | Filter::Line
            | Filter::Cut(_),
        ) => text_of(source, SEPARATOR, scope, work)?,
    };
    for filter in filters {
        text = match filter {
            Filter::Default(other) if text.trim().is_empty() => {
                text_of(other, SEPARATOR, scope, work)?
            }
            Filter::Upper => text.to_uppercase(),
            Filter::Lower => text.to_lowercase(),
            Filter::Trim => text.trim().to_owned(),
            Filter::Line => text.split_whitespace().collect::<Vec<_>>().join(" "),
            Filter::Cut(chars) => text.chars().take(*chars).collect(),
            Filter::Default(_) | Filter::Join(_) | Filter::Json => text,
        };
        // A letter may have more bytes in its other case.
        if text.len() > TEXT_BYTES_MAX {
            text = beginning(&text, TEXT_BYTES_MAX).to_owned();
        }
        work.take(text.len() / 64 + 1)?;
    }
    Ok(text)
}

fn text_of(
    source: &Source,
    between: &str,
    scope: &Scope<'_>,
    work: &mut Work,
) -> Result<String, Failure> {
    let mut text = String::new();
    match source {
        Source::Text(constant) => work.write(&mut text, constant)?,
        Source::Path(path) => {
            for value in path
                .find(scope, work)?
                .into_iter()
                .filter(|value| !value.is_null())
            {
                if text.len() >= TEXT_BYTES_MAX {
                    break;
                }
                if !text.is_empty() {
                    work.write(&mut text, between)?;
                }
                work.write_value(&mut text, value)?;
            }
        }
    }
    Ok(text)
}

fn json_of(source: &Source, scope: &Scope<'_>, work: &mut Work) -> Result<String, Failure> {
    let mut text = String::new();
    match source {
        Source::Text(constant) => work.write_json(&mut text, &Value::from(constant.as_str()))?,
        Source::Path(path) => {
            for value in path.find(scope, work)? {
                if text.len() >= TEXT_BYTES_MAX {
                    break;
                }
                if !text.is_empty() {
                    work.write(&mut text, SEPARATOR)?;
                }
                work.write_json(&mut text, value)?;
            }
        }
    }
    Ok(text)
}
