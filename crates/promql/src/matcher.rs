//! Label matchers; it knows no index.

use std::fmt;

use regex::Regex;
use tocsin_domain::pattern::{Dot, anchored};

use crate::labels::Labels;

/// Bytes that a compiled pattern may take.
const REGEX_BYTES_MAX: usize = 1 << 20;

/// How a label's value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`, anchored at both ends
    Matches,
    /// `!~`, anchored at both ends
    NotMatches,
}

/// A pattern that is no regular expression, or too large a one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the pattern {pattern:?} cannot be used: {reason}")]
pub struct MatcherError {
    /// The pattern as written.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: String,
}

/// A condition on one label. A label that is missing counts as empty.
#[derive(Clone, Debug)]
pub struct Matcher {
    name: String,
    op: MatchOp,
    value: String,
    pattern: Option<Pattern>,
}

/// A pattern, with the cheap cases told apart.
#[derive(Clone, Debug)]
enum Pattern {
    /// Only these values match.
    OneOf(Vec<String>),
    Regex(Regex),
}

impl Matcher {
    /// A matcher of `name`.
    ///
    /// # Errors
    /// When `op` takes a pattern and `value` is none.
    pub fn new(
        op: MatchOp,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> Result<Self, MatcherError> {
        let value = value.into();
        let pattern = match op {
            MatchOp::Equal | MatchOp::NotEqual => None,
            MatchOp::Matches | MatchOp::NotMatches => Some(Pattern::of(&value)?),
        };
        Ok(Self {
            name: name.into(),
            op,
            value,
            pattern,
        })
    }

    /// The matcher `name="value"`.
    #[must_use]
    pub fn equal(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            op: MatchOp::Equal,
            value: value.into(),
            pattern: None,
        }
    }

    /// The label's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The comparison.
    #[must_use]
    pub fn op(&self) -> MatchOp {
        self.op
    }

    /// The value or pattern as written.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether a value passes. It costs most for a pattern: an index asks once per distinct value.
    #[must_use]
    pub fn accepts(&self, value: &str) -> bool {
        match (self.op, &self.pattern) {
            (MatchOp::Equal, _) => self.value == value,
            (MatchOp::NotEqual, _) => self.value != value,
            (MatchOp::Matches, Some(pattern)) => pattern.accepts(value),
            (MatchOp::NotMatches, Some(pattern)) => !pattern.accepts(value),
            (MatchOp::Matches | MatchOp::NotMatches, None) => false,
        }
    }

    /// Whether the labels pass.
    #[must_use]
    pub fn accepts_labels(&self, labels: &Labels) -> bool {
        self.accepts(labels.get(&self.name))
    }

    /// The only values that can pass, where the matcher names them; an index looks them up directly.
    #[must_use]
    pub fn candidates(&self) -> Option<Vec<&str>> {
        match (self.op, &self.pattern) {
            (MatchOp::Equal, _) => Some(vec![&self.value]),
            (MatchOp::Matches, Some(Pattern::OneOf(values))) => {
                Some(values.iter().map(String::as_str).collect())
            }
            (MatchOp::NotEqual | MatchOp::Matches | MatchOp::NotMatches, _) => None,
        }
    }
}

impl Pattern {
    fn of(text: &str) -> Result<Self, MatcherError> {
        let plain = |part: &str| !part.chars().any(|c| r"\.+*?()[]{}^$".contains(c));
        if plain(text) {
            return Ok(Self::OneOf(text.split('|').map(str::to_owned).collect()));
        }
        compile(text).map(Self::Regex)
    }

    fn accepts(&self, value: &str) -> bool {
        match self {
            Self::OneOf(values) => values.iter().any(|one| one == value),
            Self::Regex(regex) => regex.is_match(value),
        }
    }
}

/// Compiles a pattern as PromQL means it: anchored at both ends, `.` matching newlines too. It must be one by itself, so that it
/// cannot break out of that.
pub(crate) fn compile(text: &str) -> Result<Regex, MatcherError> {
    anchored(text, Dot::OfText, REGEX_BYTES_MAX).map_err(|error| MatcherError {
        pattern: text.to_owned(),
        reason: error.to_string(),
    })
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        self.op == other.op && self.name == other.name && self.value == other.value
    }
}

impl Eq for Matcher {}

impl fmt::Display for Matcher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let op = match self.op {
            MatchOp::Equal => "=",
            MatchOp::NotEqual => "!=",
            MatchOp::Matches => "=~",
            MatchOp::NotMatches => "!~",
        };
        write!(formatter, "{}{op}{:?}", self.name, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(op: MatchOp, pattern: &str, value: &str, expected: bool) {
        let matcher = Matcher::new(op, "x", pattern).unwrap();
        assert_eq!(matcher.accepts(value), expected, "{matcher} on {value:?}");
    }

    #[test]
    fn patterns_are_anchored_and_a_dot_matches_a_newline() {
        check(MatchOp::Matches, "5..", "503", true);
        check(MatchOp::Matches, "5..", "1503", false);
        check(MatchOp::Matches, "a|b", "b", true);
        check(MatchOp::Matches, "a|b", "ab", false);
        check(MatchOp::NotMatches, "a|b", "", true);
        check(MatchOp::Matches, ".*", "a\nb", true);
        check(MatchOp::Matches, "", "", true);
    }

    #[test]
    fn a_broken_pattern_is_refused_with_its_reason() {
        let error = Matcher::new(MatchOp::Matches, "x", "(").unwrap_err();
        assert!(error.to_string().contains("unclosed"), "{error}");
        let error = Matcher::new(MatchOp::Matches, "x", "a{1000}{1000}").unwrap_err();
        assert!(error.to_string().contains("size limit"), "{error}");
    }

    #[test]
    fn a_pattern_does_not_break_out_of_its_anchors() {
        for op in [MatchOp::Matches, MatchOp::NotMatches] {
            for pattern in ["a)|(b", "(a)(b))(c", ".*)(?-s:."] {
                let error = Matcher::new(op, "x", pattern).unwrap_err();
                assert!(error.to_string().contains("unopened"), "{error}");
            }
        }
        check(MatchOp::Matches, "(a)|(b)", "b", true);
        check(MatchOp::Matches, "(a)|(b)", "ab", false);
    }
}
