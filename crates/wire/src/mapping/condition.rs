//! Conditions: `status == "resolved" and not labels.test`. They compare what paths find with constants and with each other.

use serde_json::{Number, Value};

use super::Failure;
use super::cursor::{Cursor, Wrong};
use super::path::Path;
use super::work::{Scope, Work};
use crate::json;

/// Characters of a condition.
const CONDITION_CHARS_MAX: usize = 2_000;
/// Parts of a condition.
const PARTS_MAX: usize = 64;
/// Levels of parentheses and of `not`.
const DEPTH_MAX: usize = 16;
/// Characters of a text that is searched in.
const SEARCHED_CHARS_MAX: usize = 4_000;

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    Any(Vec<Condition>),
    All(Vec<Condition>),
    Not(Box<Condition>),
    Compare(Operand, Operator, Operand),
    Holds(Operand),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand {
    Path(Path),
    Constant(Value),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    AtMost,
    More,
    AtLeast,
    Contains,
    StartsWith,
}

const OPERATORS: &[(&str, Operator)] = &[
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("<", Operator::Less),
    (">", Operator::More),
];

impl Condition {
    pub(super) fn read(text: &str) -> Result<Self, Wrong> {
        let mut reader = Reader {
            cursor: Cursor::new(text),
            parts: 0,
        };
        if text.chars().count() > CONDITION_CHARS_MAX {
            return Err(reader.cursor.wrong(format!(
                "a condition has at most {CONDITION_CHARS_MAX} characters"
            )));
        }
        let condition = reader.any(0)?;
        reader.cursor.blanks();
        if reader.cursor.is_done() {
            Ok(condition)
        } else {
            Err(reader
                .cursor
                .wrong("and, or, an operator or the end was expected"))
        }
    }

    pub(super) fn holds(&self, scope: &Scope<'_>, work: &mut Work) -> Result<bool, Failure> {
        work.take(1)?;
        match self {
            Self::Any(all) => {
                for one in all {
                    if one.holds(scope, work)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::All(all) => {
                for one in all {
                    if !one.holds(scope, work)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Not(one) => Ok(!one.holds(scope, work)?),
            Self::Holds(operand) => Ok(values(operand, scope, work)?.into_iter().any(says_yes)),
            Self::Compare(left, operator, right) => {
                let (left, right) = (values(left, scope, work)?, values(right, scope, work)?);
                work.take(left.len().saturating_mul(right.len()))?;
                let is_any = |test: fn(&Value, &Value) -> bool| {
                    left.iter()
                        .any(|one| right.iter().any(|other| test(one, other)))
                };
                Ok(match operator {
                    Operator::Equal => is_any(equal),
                    Operator::NotEqual => !is_any(equal),
                    Operator::Less => is_any(|one, other| ordered(one, other, |a, b| a < b)),
                    Operator::AtMost => is_any(|one, other| ordered(one, other, |a, b| a <= b)),
                    Operator::More => is_any(|one, other| ordered(one, other, |a, b| a > b)),
                    Operator::AtLeast => is_any(|one, other| ordered(one, other, |a, b| a >= b)),
                    Operator::Contains | Operator::StartsWith => {
                        let pairs = left.len().saturating_mul(right.len());
                        work.take(pairs.saturating_mul(SEARCHED_CHARS_MAX / 16))?;
                        is_any(if *operator == Operator::Contains {
                            contains
                        } else {
                            starts_with
                        })
                    }
                })
            }
        }
    }
}

/// What an operand stands for; a path that finds nothing stands for null.
fn values<'v>(
    operand: &'v Operand,
    scope: &Scope<'v>,
    work: &mut Work,
) -> Result<Vec<&'v Value>, Failure> {
    const NOTHING: &Value = &Value::Null;
    match operand {
        Operand::Constant(value) => Ok(vec![value]),
        Operand::Path(path) => {
            let mut found = path.find(scope, work)?;
            // Long texts take long to compare.
            let bytes: usize = found
                .iter()
                .filter_map(|value| Some(value.as_str()?.len()))
                .sum();
            work.take(bytes / 64)?;
            if found.is_empty() {
                found.push(NOTHING);
            }
            Ok(found)
        }
    }
}

fn says_yes(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(yes) => *yes,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(all) => !all.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

/// A text is equal to a number or a truth value that is written like it; lists and objects are equal to nothing.
fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::String(one), Value::String(other)) => one == other,
        (Value::Number(one), Value::Number(other)) => {
            one == other || one.as_f64() == other.as_f64()
        }
        (Value::String(text), Value::Number(number))
        | (Value::Number(number), Value::String(text)) => {
            let written = number.to_string();
            *text == written
        }
        (Value::String(text), Value::Bool(flag)) | (Value::Bool(flag), Value::String(text)) => {
            text == if *flag { "true" } else { "false" }
        }
        (Value::Bool(one), Value::Bool(other)) => one == other,
        (Value::Null, _) => other.is_null(),
        (
            Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_),
            _,
        ) => false,
    }
}

fn ordered(one: &Value, other: &Value, test: fn(f64, f64) -> bool) -> bool {
    number(one)
        .zip(number(other))
        .is_some_and(|(one, other)| test(one, other))
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Letters match in either case; a list contains a value that is equal.
fn contains(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(all), _) => all
            .iter()
            .take(SEARCHED_CHARS_MAX / 16)
            .any(|value| equal(value, other)),
        (Value::String(text), Value::String(part)) => lowered(text).contains(&lowered(part)),
        (
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_),
            _,
        ) => false,
    }
}

fn starts_with(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::String(text), Value::String(part)) => lowered(text).starts_with(&lowered(part)),
        (
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_),
            _,
        ) => false,
    }
}

fn lowered(text: &str) -> String {
    text.chars()
        .take(SEARCHED_CHARS_MAX)
        .flat_map(char::to_lowercase)
        .collect()
}

struct Reader<'t> {
    cursor: Cursor<'t>,
    parts: usize,
}

impl Reader<'_> {
    fn any(&mut self, depth: usize) -> Result<Condition, Wrong> {
        let mut all = vec![self.all(depth)?];
        while self.word("or") {
            all.push(self.all(depth)?);
        }
        Ok(alone_or(all, Condition::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Condition, Wrong> {
        let mut all = vec![self.one(depth)?];
        while self.word("and") {
            all.push(self.one(depth)?);
        }
        Ok(alone_or(all, Condition::All))
    }

    fn one(&mut self, depth: usize) -> Result<Condition, Wrong> {
        self.parts += 1;
        if depth > DEPTH_MAX || self.parts > PARTS_MAX {
            return Err(self.cursor.wrong(format!(
                "a condition has at most {PARTS_MAX} parts and {DEPTH_MAX} levels"
            )));
        }
        if self.word("not") {
            return Ok(Condition::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.cursor.eat("(") {
            let inner = self.any(depth + 1)?;
            self.cursor.blanks();
            if !self.cursor.eat(")") {
                return Err(self.cursor.wrong("a closing ) was expected"));
            }
            return Ok(inner);
        }
        let left = self.operand()?;
        match self.operator() {
            None => Ok(Condition::Holds(left)),
            Some(operator) => Ok(Condition::Compare(left, operator, self.operand()?)),
        }
    }

    fn operator(&mut self) -> Option<Operator> {
        self.cursor.blanks();
        if let Some((_, operator)) = OPERATORS.iter().find(|(sign, _)| self.cursor.eat(sign)) {
            return Some(*operator);
        }
        if self.word("contains") {
            return Some(Operator::Contains);
        }
        self.word("starts_with").then_some(Operator::StartsWith)
    }

    fn operand(&mut self) -> Result<Operand, Wrong> {
        self.cursor.blanks();
        if let Some(text) = self.cursor.quoted()? {
            return Ok(Operand::Constant(Value::String(text)));
        }
        for (word, value) in [
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("null", Value::Null),
        ] {
            if self.cursor.eat_word(word) {
                return Ok(Operand::Constant(value));
            }
        }
        if let Some(number) = self.number() {
            return Ok(Operand::Constant(number));
        }
        if let Some(path) = Path::read(&mut self.cursor)? {
            return Ok(Operand::Path(path));
        }
        match self.cursor.name()? {
            Some(name) => Path::of_name(&mut self.cursor, name).map(Operand::Path),
            None => Err(self
                .cursor
                .wrong("a path, a number or a text in quotes was expected")),
        }
    }

    /// A number; one that 64 bits do not hold is a text here as it is in bodies.
    fn number(&mut self) -> Option<Value> {
        let rest = self.cursor.rest();
        let digits = rest.strip_prefix('-').unwrap_or(rest);
        if !digits.starts_with(|first: char| first.is_ascii_digit()) {
            return None;
        }
        let sign = rest.len() - digits.len();
        let bytes = digits
            .find(|character: char| !(character.is_ascii_digit() || character == '.'))
            .unwrap_or(digits.len());
        let written = &rest[..sign + bytes];
        let value = if json::is_long(written.as_bytes()) {
            Value::String(written.to_owned())
        } else {
            Value::Number(written.parse::<Number>().ok()?)
        };
        self.cursor.skip(sign + bytes);
        Some(value)
    }

    fn word(&mut self, word: &str) -> bool {
        self.cursor.blanks();
        self.cursor.eat_word(word)
    }
}

fn alone_or(mut all: Vec<Condition>, several: fn(Vec<Condition>) -> Condition) -> Condition {
    match all.pop() {
        Some(one) if all.is_empty() => one,
        Some(last) => {
            all.push(last);
            several(all)
        }
        None => several(all),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_64_bits_do_not_hold_are_told_apart() {
        let body = br#"{"a": 12345678901234567890123, "b": 12345678901234567890124, "c": 7}"#;
        let body: Value = json::read_exact(body).unwrap();
        let scope = Scope {
            body: &body,
            item: &body,
        };
        for (text, expected) in [
            ("a == 12345678901234567890123", true),
            ("a == 12345678901234567890124", false),
            ("a == b", false),
            ("a > 12345678900000000000000 and a > c", true),
            ("a and c == 7", true),
        ] {
            let condition = Condition::read(text).unwrap();
            let holds = condition.holds(&scope, &mut Work::new());
            assert_eq!(holds, Ok(expected), "{text}");
        }
    }
}
