//! Regular expressions as Prometheus and Alertmanager mean them. It knows no label.

use regex::{Error, Regex, RegexBuilder};

/// What `.` matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dot {
    /// All but a new line, as in Alertmanager's matchers.
    OfLine,
    /// Every character, as in Prometheus.
    OfText,
}

/// Compiles a pattern into `bytes_max` bytes at most, anchored at both ends. It must be one by itself, so that it cannot break out of
/// that: `a)|(b` is none.
///
/// # Errors
/// When it is no regular expression, or too large a one.
pub fn anchored(text: &str, dot: Dot, bytes_max: usize) -> Result<Regex, Error> {
    let built = |text: &str, bytes_max: usize| {
        let mut builder = RegexBuilder::new(text);
        builder.size_limit(bytes_max).build()
    };
    // With no bytes to compile it into, it is only read; whether it is too large is asked of what is used.
    if let Err(error @ Error::Syntax(_)) = built(text, 0) {
        return Err(error);
    }
    let flags = match dot {
        Dot::OfLine => "",
        Dot::OfText => "s",
    };
    built(&format!("^(?{flags}:{text})$"), bytes_max)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES_MAX: usize = 1 << 20;

    #[test]
    fn a_pattern_matches_the_whole_text_or_not_at_all() {
        let check = |pattern: &str, dot: Dot, text: &str, expected: bool| {
            let pattern = anchored(pattern, dot, BYTES_MAX).unwrap();
            assert_eq!(pattern.is_match(text), expected, "{pattern} {text:?}");
        };
        for dot in [Dot::OfLine, Dot::OfText] {
            check("(a)|(b)", dot, "b", true);
            check("(a)|(b)", dot, "ab", false);
        }
        check("a.b", Dot::OfLine, "a\nb", false);
        check("a.b", Dot::OfText, "a\nb", true);
    }

    #[test]
    fn what_is_no_pattern_by_itself_or_too_large_is_refused() {
        for (pattern, reason) in [
            ("a)|(b", "unopened"),
            (".*)(?-s:.", "unopened"),
            ("(", "unclosed"),
            ("a{1000}{1000}", "size limit"),
        ] {
            let error = anchored(pattern, Dot::OfText, BYTES_MAX).unwrap_err();
            assert!(error.to_string().contains(reason), "{error}");
        }
    }
}
