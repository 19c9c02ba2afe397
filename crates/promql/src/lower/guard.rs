//! A look at the text before it is parsed, so that hostile text cannot exhaust the stack; it knows no grammar beyond
//! strings, brackets and words.

use crate::error::ParseError;

/// Bytes of an expression.
const TEXT_BYTES_MAX: usize = 32 * 1024;
/// Depth of brackets.
const DEPTH_MAX: usize = 48;
/// Operators in an expression: each can be one level of the tree. Together with the depth this fits the 2 MiB of a
/// thread's stack, in a build without optimisation too.
const OPERATORS_MAX: usize = 200;
/// Seconds that a duration written as a number may have (some 300 years).
const DURATION_SECONDS_MAX: f64 = 1e10;

/// Refuses what is too large, too deep, or would be a duration out of all bounds.
pub(super) fn check(text: &str) -> Result<(), ParseError> {
    limit("its length in bytes", text.len(), TEXT_BYTES_MAX)?;
    let mut scan = Scan::default();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '"' | '\'' | '`' => {
                let len = quoted_len(rest, first);
                if first != '`' {
                    check_escapes(&rest[..len])?;
                }
                len
            }
            '#' => rest.find('\n').unwrap_or(rest.len()),
            _ if first.is_ascii_alphanumeric() || matches!(first, '_' | '.' | ':') => {
                let end = rest
                    .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':')));
                let end = end.unwrap_or(rest.len());
                scan.word(&rest[..end])?;
                end
            }
            _ => {
                scan.sign(first)?;
                first.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    Ok(())
}

#[derive(Default)]
struct Scan {
    brackets: Vec<char>,
    operators: usize,
    after_offset: bool,
}

impl Scan {
    fn word(&mut self, word: &str) -> Result<(), ParseError> {
        if self.after_offset || self.brackets.last() == Some(&'[') {
            for part in word.split(':') {
                let bad = part
                    .parse::<f64>()
                    .is_ok_and(|n| n.is_nan() || n.abs() > DURATION_SECONDS_MAX);
                if bad {
                    return Err(ParseError::syntax(format!("{part} is no duration")));
                }
            }
        }
        let lower = word.to_ascii_lowercase();
        self.after_offset = lower == "offset";
        if matches!(lower.as_str(), "and" | "or" | "unless" | "atan2") {
            self.operator()?;
        }
        Ok(())
    }

    fn sign(&mut self, sign: char) -> Result<(), ParseError> {
        match sign {
            '(' | '[' | '{' => {
                self.brackets.push(sign);
                limit("its depth", self.brackets.len(), DEPTH_MAX)
            }
            ')' | ']' | '}' => {
                self.brackets.pop();
                Ok(())
            }
            '+' | '-' | '*' | '/' | '%' | '^' | '=' | '!' | '<' | '>'
                if self.brackets.last() != Some(&'{') =>
            {
                self.operator()
            }
            _ => Ok(()),
        }
    }

    fn operator(&mut self) -> Result<(), ParseError> {
        self.operators += 1;
        limit("its number of operators", self.operators, OPERATORS_MAX)
    }
}

fn quoted_len(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if c == '\\' && quote != '`' {
            escaped = true;
        } else if c == quote {
            return at + c.len_utf8();
        }
    }
    text.len()
}

/// Refuses escapes that stand for single bytes above 127: alone they are no text, and the parser would take each for a
/// character.
fn check_escapes(quoted: &str) -> Result<(), ParseError> {
    let mut rest = quoted;
    while let Some(at) = rest.find('\\') {
        let escape = rest.as_bytes().get(at + 1..).unwrap_or_default();
        if matches!(escape, [b'x', b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F', ..] | [b'2' | b'3', ..])
        {
            return Err(ParseError::syntax(
                "a text has an escape for a byte that is no character: write the character itself",
            ));
        }
        let next = rest[at + 1..].chars().next();
        rest = &rest[at + 1 + next.map_or(0, char::len_utf8)..];
    }
    Ok(())
}

fn limit(what: &'static str, found: usize, limit: usize) -> Result<(), ParseError> {
    if found > limit {
        return Err(ParseError::TooLarge { what, found, limit });
    }
    Ok(())
}
