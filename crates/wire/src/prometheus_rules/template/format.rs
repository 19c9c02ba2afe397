//! `printf` and its kin, as Go writes them. It knows no template.

use super::TemplateError;
use super::number::{exponential, fixed, general, shortest};
use super::value::Value;

/// The widest field and the longest fraction.
const WIDTH_MAX: usize = 1_000;

/// Values one after the other, with a space between two of which none is a text.
pub(super) fn print_all(values: &[Value]) -> String {
    let mut out = String::new();
    let mut before_is_text = true;
    for value in values {
        let is_text = matches!(value, Value::Text(_));
        if !before_is_text && !is_text {
            out.push(' ');
        }
        out.push_str(&value.print());
        before_is_text = is_text;
    }
    out
}

/// What stands between `%` and the letter.
#[derive(Clone, Copy, Default)]
struct Shape {
    left: bool,
    plus: bool,
    zeros: bool,
    space: bool,
    width: usize,
    precision: Option<usize>,
}

/// Fills values into a format.
pub(super) fn printf(format: &str, values: &[Value]) -> Result<String, TemplateError> {
    let mut out = String::new();
    let mut rest = format;
    let mut given = values.iter();
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let (shape, letter, after) = directive(&rest[at + 1..])?;
        rest = after;
        match letter {
            None => out.push_str("%!(NOVERB)"),
            Some('%') => out.push('%'),
            Some(letter) => match given.next() {
                Some(value) => out.push_str(&padded(&shape, letter, value)),
                None => out.push_str(&format!("%!{letter}(MISSING)")),
            },
        }
        if out.len() > super::OUTPUT_MAX {
            return Err(TemplateError::new("printf: the text gets too long"));
        }
    }
    out.push_str(rest);
    let extra: Vec<String> = given
        .map(|value| format!("{}={}", value.kind(), value.print()))
        .collect();
    if !extra.is_empty() {
        out.push_str(&format!("%!(EXTRA {})", extra.join(", ")));
    }
    Ok(out)
}

fn directive(text: &str) -> Result<(Shape, Option<char>, &str), TemplateError> {
    let mut shape = Shape::default();
    let mut rest = text;
    while let Some(flag) = rest.chars().next().filter(|one| "-+# 0".contains(*one)) {
        match flag {
            '-' => shape.left = true,
            '+' => shape.plus = true,
            ' ' => shape.space = true,
            '0' => shape.zeros = true,
            _ => {}
        }
        rest = &rest[1..];
    }
    (shape.width, rest) = count(rest)?;
    if let Some(after) = rest.strip_prefix('.') {
        let (precision, after) = count(after)?;
        shape.precision = Some(precision);
        rest = after;
    }
    let mut chars = rest.chars();
    let letter = chars.next();
    Ok((shape, letter, chars.as_str()))
}

fn count(text: &str) -> Result<(usize, &str), TemplateError> {
    let digits = text
        .find(|one: char| !one.is_ascii_digit())
        .unwrap_or(text.len());
    if digits == 0 {
        return Ok((0, text));
    }
    let count = text[..digits]
        .parse()
        .ok()
        .filter(|count| *count <= WIDTH_MAX);
    let count = count.ok_or_else(|| TemplateError::new("printf: a width is too large"))?;
    Ok((count, &text[digits..]))
}

fn padded(shape: &Shape, letter: char, value: &Value) -> String {
    let Some((text, is_number)) = plain(shape, letter, value) else {
        return format!("%!{letter}({}={})", value.kind(), value.print());
    };
    let missing = shape.width.saturating_sub(text.chars().count());
    if missing == 0 {
        return text;
    }
    if shape.left {
        return format!("{text}{}", " ".repeat(missing));
    }
    if shape.zeros && is_number {
        let (sign, digits) = match text.strip_prefix(['+', '-']) {
            Some(digits) => (&text[..1], digits),
            None => ("", text.as_str()),
        };
        return format!("{sign}{}{digits}", "0".repeat(missing));
    }
    format!("{}{text}", " ".repeat(missing))
}

/// The text without padding, and whether it is a number; none when the letter does not fit the value.
fn plain(shape: &Shape, letter: char, value: &Value) -> Option<(String, bool)> {
    let signed = |text: String| {
        let sign = if text.starts_with(['+', '-']) || text == "NaN" {
            ""
        } else if shape.plus {
            "+"
        } else if shape.space {
            " "
        } else {
            ""
        };
        Some((format!("{sign}{text}"), true))
    };
    match (letter, value) {
        ('v', Value::Float(float)) => signed(match shape.precision {
            Some(precision) => general(*float, Some(precision)),
            None => shortest(*float),
        }),
        ('v' | 'd', Value::Int(int)) => signed(int.to_string()),
        ('v', other) => Some((other.print(), false)),
        ('s', Value::Text(text)) => Some((cut(text, shape.precision), false)),
        ('s', Value::Labels(_) | Value::Map(_) | Value::Sample(_) | Value::Samples(_)) => {
            Some((value.print(), false))
        }
        ('q', Value::Text(text)) => Some((format!("{text:?}"), false)),
        ('t', Value::Bool(is)) => Some((is.to_string(), false)),
        ('x', Value::Int(int)) => signed(format!("{int:x}")),
        ('f' | 'F', Value::Float(float)) => signed(fixed(*float, shape.precision.unwrap_or(6))),
        ('e', Value::Float(float)) => signed(exponential(*float, shape.precision.unwrap_or(6))),
        ('g', Value::Float(float)) => signed(general(*float, shape.precision)),
        (_, _) => None,
    }
}

fn cut(text: &str, precision: Option<usize>) -> String {
    match precision {
        Some(count) => text.chars().take(count).collect(),
        None => text.to_owned(),
    }
}
