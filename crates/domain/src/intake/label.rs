//! Labels of alerts and what is asked of them, as Alertmanager's silences do. No label is looked up here.

use std::fmt;
use std::sync::{Arc, OnceLock};

use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::pattern::{Dot, anchored};

/// Bytes of a label's name, or of what its value is compared with, at most.
pub const MATCHER_BYTES_MAX: usize = 1_024;
/// Bytes that a compiled pattern may take.
const REGEX_BYTES_MAX: usize = 1 << 18;

/// How the value of a label is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelTest {
    /// It is this text.
    Equals,
    /// It is not.
    Differs,
    /// The whole of it fits this regular expression.
    Fits,
    /// It does not.
    Misfits,
}

impl LabelTest {
    /// From whether it asks for likeness, and whether by a pattern.
    #[must_use]
    pub const fn of(is_equal: bool, is_regex: bool) -> Self {
        match (is_equal, is_regex) {
            (true, false) => Self::Equals,
            (false, false) => Self::Differs,
            (true, true) => Self::Fits,
            (false, true) => Self::Misfits,
        }
    }

    /// Whether it asks for likeness.
    #[must_use]
    pub const fn is_equal(self) -> bool {
        matches!(self, Self::Equals | Self::Fits)
    }

    /// Whether it compares with a pattern.
    #[must_use]
    pub const fn is_regex(self) -> bool {
        matches!(self, Self::Fits | Self::Misfits)
    }

    /// As Prometheus writes it.
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Equals => "=",
            Self::Differs => "!=",
            Self::Fits => "=~",
            Self::Misfits => "!~",
        }
    }
}

/// A condition on one label. A label that is missing counts as empty.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LabelMatcher {
    /// The label's name.
    pub name: String,
    /// How.
    pub test: LabelTest,
    /// With what.
    pub value: String,
    /// The pattern, once it was asked for, of this one or of a copy; none when it cannot be used.
    #[serde(skip)]
    compiled: Arc<OnceLock<Option<Regex>>>,
}

impl PartialEq for LabelMatcher {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for LabelMatcher {}

impl PartialOrd for LabelMatcher {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for LabelMatcher {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.parts().cmp(&other.parts())
    }
}

impl fmt::Display for LabelMatcher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}{}{:?}",
            self.name,
            self.test.sign(),
            self.value
        )
    }
}

impl LabelMatcher {
    /// A condition that can be used.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn new(
        name: impl Into<String>,
        test: LabelTest,
        value: impl Into<String>,
    ) -> Result<Self, String> {
        let (name, value) = (name.into(), value.into());
        let is_name = !name.is_empty() && !name.chars().any(char::is_control);
        if !is_name || name.len() > MATCHER_BYTES_MAX {
            return Err(format!("invalid label name {name:?}"));
        }
        if value.len() > MATCHER_BYTES_MAX {
            return Err(format!(
                "the value of {name} has more than {MATCHER_BYTES_MAX} bytes"
            ));
        }
        let compiled = Arc::new(OnceLock::new());
        if test.is_regex() {
            let pattern = compile(&value).map_err(|why| {
                format!("invalid regular expression {value:?} of the label {name}: {why}")
            })?;
            let _ = compiled.set(Some(pattern));
        }
        Ok(Self {
            name,
            test,
            value,
            compiled,
        })
    }

    /// A condition that stands for something else and is shown in its place, as long as that needs.
    #[must_use]
    pub fn standing_in(name: impl Into<String>, test: LabelTest, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            test,
            value: value.into(),
            compiled: Arc::default(),
        }
    }

    fn parts(&self) -> (&str, LabelTest, &str) {
        (&self.name, self.test, &self.value)
    }

    /// Whether a value passes.
    #[must_use]
    pub fn accepts(&self, value: &str) -> bool {
        match self.test {
            LabelTest::Equals => self.value == value,
            LabelTest::Differs => self.value != value,
            LabelTest::Fits => self.fits(value) == Some(true),
            LabelTest::Misfits => self.fits(value) == Some(false),
        }
    }

    /// Whether the whole value fits the pattern; none when that cannot be said.
    fn fits(&self, value: &str) -> Option<bool> {
        let pattern = self.compiled.get_or_init(|| compile(&self.value).ok());
        pattern.as_ref().map(|pattern| pattern.is_match(value))
    }
}

/// A pattern as Alertmanager means it.
fn compile(text: &str) -> Result<Regex, String> {
    anchored(text, Dot::OfLine, REGEX_BYTES_MAX).map_err(told)
}

/// Why a pattern cannot be used.
fn told(error: regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
        // The last line says what is wrong, those before it show where.
        other @ (regex::Error::Syntax(_) | _) => {
            let text = other.to_string();
            text.lines().last().unwrap_or_default().to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(test: LabelTest, pattern: &str, value: &str, expected: bool) {
        let matcher = LabelMatcher::new("x", test, pattern).unwrap();
        assert_eq!(matcher.accepts(value), expected, "{matcher} on {value:?}");
        // One that was read back from the journal compiles its pattern when it is asked.
        let json = serde_json::to_string(&matcher).unwrap();
        let read: LabelMatcher = serde_json::from_str(&json).unwrap();
        assert_eq!(read.accepts(value), expected, "{json}");
        assert_eq!(read, matcher);
    }

    #[test]
    fn values_are_compared_as_a_whole() {
        check(LabelTest::Equals, "a", "a", true);
        check(LabelTest::Equals, "a", "ab", false);
        check(LabelTest::Differs, "a", "", true);
        check(LabelTest::Fits, "5..", "503", true);
        check(LabelTest::Fits, "5..", "1503", false);
        check(LabelTest::Fits, "a|b", "b", true);
        check(LabelTest::Fits, "a|b", "ab", false);
        check(LabelTest::Fits, "", "", true);
        check(LabelTest::Fits, "", "a", false);
        check(LabelTest::Misfits, "a|b", "", true);
        check(LabelTest::Misfits, "web.*", "web-1", false);
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_its_reason() {
        let large = "a{1000}{1000}";
        for (name, pattern, told) in [
            ("x", "(", "unclosed"),
            ("x", "a)|(b", "unopened"),
            ("x", "(a)(b))(c", "unopened"),
            ("x", "[a", "unclosed"),
            ("x", "*", "missing"),
            ("x", r"\p{Odd}", "not found"),
            // A comment would take the bracket that is put behind it.
            ("x", "(?x)a # b", "unclosed"),
            ("x", large, "too large"),
            ("", "a", "name"),
            ("a\n", "a", "name"),
        ] {
            let error = LabelMatcher::new(name, LabelTest::Fits, pattern).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
        let long = "x".repeat(MATCHER_BYTES_MAX + 1);
        assert!(LabelMatcher::new("x", LabelTest::Equals, long.clone()).is_err());
        assert!(LabelMatcher::new(long, LabelTest::Equals, "x").is_err());
    }
}
