//! The text that relabelling puts in the place of a match: `$1`, `${1}` and `${name}` stand for groups of the pattern, `$$` for a
//! dollar sign. It knows no rule.

use regex::Captures;

/// A template, read once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Group(usize),
    Named(String),
}

impl Template {
    /// Reads a template; a dollar sign that begins nothing stands for itself.
    pub(super) fn new(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            plain.push_str(before);
            if let Some(after) = after.strip_prefix('$') {
                plain.push('$');
                rest = after;
            } else if let Some((name, after)) = group_name(after) {
                if !plain.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                }
                parts.push(group(name));
                rest = after;
            } else {
                plain.push('$');
                rest = after;
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Self {
            text: text.to_owned(),
            parts,
        }
    }

    /// As it was written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether a dollar sign stands in it.
    pub(super) fn has_dollar(&self) -> bool {
        self.text.contains('$')
    }

    /// The text for a match. A group that took no part, or that does not exist, gives nothing.
    pub(super) fn expand(&self, found: &Captures<'_>) -> String {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Group(index) => {
                    out.push_str(found.get(*index).map_or("", |one| one.as_str()))
                }
                Part::Named(name) => out.push_str(found.name(name).map_or("", |one| one.as_str())),
            }
        }
        out
    }
}

/// The longest name of letters, digits and underscores, or what stands in braces; and what follows.
fn group_name(text: &str) -> Option<(&str, &str)> {
    let is_word = |symbol: char| symbol.is_alphanumeric() || symbol == '_';
    let (braced, inner) = match text.strip_prefix('{') {
        Some(inner) => (true, inner),
        None => (false, text),
    };
    let end = inner.find(|symbol| !is_word(symbol)).unwrap_or(inner.len());
    let (name, after) = inner.split_at(end);
    let after = if braced {
        after.strip_prefix('}')?
    } else {
        after
    };
    (!name.is_empty()).then_some((name, after))
}

fn group(name: &str) -> Part {
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit())
        && (name.len() == 1 || !name.starts_with('0'));
    match name.parse() {
        Ok(index) if is_number => Part::Group(index),
        Ok(_) | Err(_) => Part::Named(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    #[test]
    fn groups_are_named_by_the_longest_word_and_a_lone_dollar_stands_for_itself() {
        let pattern = Regex::new("^(?P<first>[a-z]+)-(.*?)(x)?$").unwrap();
        let found = pattern.captures("abc-12").unwrap();
        let check = |template: &str, expected: &str| {
            assert_eq!(
                Template::new(template).expand(&found),
                expected,
                "{template}"
            );
        };
        check("$1", "abc");
        check("${1}:$2", "abc:12");
        check("$1x", "");
        check("${1}x", "abcx");
        check("$first/${first}", "abc/abc");
        check("$0", "abc-12");
        check("$3|$9|$nobody", "||");
        check("$$1", "$1");
        check("$$$1", "$abc");
        check("a$", "a$");
        check("$-$1", "$-abc");
        check("${1", "${1");
        check("${}", "${}");
        check("$01", "");
        check("plain", "plain");
        check("", "");
    }
}
