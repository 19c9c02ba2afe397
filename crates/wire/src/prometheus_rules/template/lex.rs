//! Cuts a template into text and actions, and an action into words. It knows no meaning.

use super::TemplateError;

/// A part of a template.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    /// As it is.
    Text(String),
    /// What stands between `{{` and `}}`.
    Action(Vec<Word>),
}

/// A word of an action.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Word {
    /// `if`, `humanize`, `true`, ...
    Name(String),
    /// `.Labels.x` without its first point; empty for the point alone.
    Field(Vec<String>),
    /// `$x.y` as `x`, `[y]`; `$` is the empty name.
    Variable(String, Vec<String>),
    /// `.y` right behind a closing parenthesis.
    FieldOf(Vec<String>),
    Text(String),
    Int(i64),
    Float(f64),
    Pipe,
    Open,
    Close,
    Comma,
    /// `:=`
    Declare,
    /// `=`
    Assign,
}

/// Cuts a template.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece>, TemplateError> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut trim_next = false;
    while let Some(at) = rest.find("{{") {
        let (before, after) = (&rest[..at], &rest[at + 2..]);
        let before = if trim_next {
            before.trim_start()
        } else {
            before
        };
        let trims_before = after.starts_with('-') && after[1..].starts_with(is_space);
        let before = if trims_before {
            before.trim_end()
        } else {
            before
        };
        if !before.is_empty() {
            pieces.push(Piece::Text(before.to_owned()));
        }
        let inside = if trims_before { &after[1..] } else { after };
        let (action, length, trims_after) = action(inside)?;
        if let Some(words) = action {
            pieces.push(Piece::Action(words));
        }
        trim_next = trims_after;
        rest = &inside[length..];
    }
    let last = if trim_next { rest.trim_start() } else { rest };
    if !last.is_empty() {
        pieces.push(Piece::Text(last.to_owned()));
    }
    Ok(pieces)
}

fn is_space(one: char) -> bool {
    matches!(one, ' ' | '\t' | '\r' | '\n')
}

/// Reads an action up to its end: its words (none of a comment), how long it is, and whether it trims what follows.
fn action(text: &str) -> Result<(Option<Vec<Word>>, usize, bool), TemplateError> {
    let begins = text.trim_start_matches(is_space);
    if begins.starts_with("/*") {
        return comment(text);
    }
    let mut words = Vec::new();
    let mut at = 0;
    loop {
        let rest = &text[at..];
        if rest.starts_with("}}") {
            return Ok((Some(words), at + 2, false));
        }
        let spaces = rest.len() - rest.trim_start_matches(is_space).len();
        if spaces > 0 {
            at += spaces;
            if text[at..].starts_with("-}}") {
                return Ok((Some(words), at + 3, true));
            }
            continue;
        }
        if rest.is_empty() {
            return Err(TemplateError::new("an action is not closed: }} is missing"));
        }
        let (word, length) = word(rest, words.last())?;
        words.push(word);
        at += length;
    }
}

fn comment(text: &str) -> Result<(Option<Vec<Word>>, usize, bool), TemplateError> {
    let unclosed = || TemplateError::new("a comment is not closed: */}} is missing");
    let end = text.find("*/").ok_or_else(unclosed)? + 2;
    let rest = &text[end..];
    if rest.starts_with("}}") {
        return Ok((None, end + 2, false));
    }
    let spaces = rest.len() - rest.trim_start_matches(is_space).len();
    if spaces > 0 && rest[spaces..].starts_with("-}}") {
        return Ok((None, end + spaces + 3, true));
    }
    Err(unclosed())
}

fn word(text: &str, before: Option<&Word>) -> Result<(Word, usize), TemplateError> {
    let simple = [
        (":=", Word::Declare),
        ("|", Word::Pipe),
        ("(", Word::Open),
        (")", Word::Close),
        (",", Word::Comma),
        ("=", Word::Assign),
    ];
    for (sign, word) in simple {
        if text.starts_with(sign) {
            return Ok((word, sign.len()));
        }
    }
    let Some(first) = text.chars().next() else {
        return Err(TemplateError::new("an action is not closed: }} is missing"));
    };
    match first {
        '"' => quoted(text),
        '`' => raw(text),
        '$' => {
            let name = name_length(&text[1..]);
            let (fields, length) = fields(&text[1 + name..])?;
            let word = Word::Variable(text[1..=name].to_owned(), fields);
            Ok((word, 1 + name + length))
        }
        '.' if !text[1..].starts_with(|next: char| next.is_ascii_digit()) => {
            let (fields, length) = fields(text)?;
            if fields.is_empty() {
                return Ok((Word::Field(fields), 1));
            }
            let word = if before == Some(&Word::Close) {
                Word::FieldOf(fields)
            } else {
                Word::Field(fields)
            };
            Ok((word, length))
        }
        '0'..='9' | '+' | '-' | '.' => number(text),
        _ if name_length(text) > 0 => {
            let length = name_length(text);
            Ok((Word::Name(text[..length].to_owned()), length))
        }
        _ => Err(TemplateError::new(format!(
            "{first:?} has no meaning in an action"
        ))),
    }
}

fn name_length(text: &str) -> usize {
    let is_part = |one: char| one.is_alphanumeric() || one == '_';
    text.find(|one| !is_part(one)).unwrap_or(text.len())
}

/// `.a.b` at the beginning of a text.
fn fields(text: &str) -> Result<(Vec<String>, usize), TemplateError> {
    let mut found = Vec::new();
    let mut at = 0;
    while text[at..].starts_with('.') {
        let length = name_length(&text[at + 1..]);
        if length == 0 {
            if found.is_empty() {
                break;
            }
            return Err(TemplateError::new("a name is missing behind a point"));
        }
        found.push(text[at + 1..at + 1 + length].to_owned());
        at += 1 + length;
    }
    Ok((found, at))
}

fn number(text: &str) -> Result<(Word, usize), TemplateError> {
    let is_part = |one: char| one.is_ascii_alphanumeric() || matches!(one, '.' | '_' | '+' | '-');
    let mut length = 1;
    for one in text[1..].chars() {
        let sign = matches!(one, '+' | '-');
        let after_exponent = text[..length].ends_with(['e', 'E']);
        if !is_part(one) || (sign && !after_exponent) {
            break;
        }
        length += one.len_utf8();
    }
    let digits = &text[..length];
    if let Ok(int) = digits.parse() {
        return Ok((Word::Int(int), length));
    }
    let float = digits.parse::<f64>().ok();
    float
        .filter(|_| digits.contains(|one: char| one.is_ascii_digit()))
        .map(|float| (Word::Float(float), length))
        .ok_or_else(|| TemplateError::new(format!("{digits:?} is no number")))
}

fn raw(text: &str) -> Result<(Word, usize), TemplateError> {
    let end = text[1..].find('`');
    let end = end.ok_or_else(|| TemplateError::new("a text is not closed: ` is missing"))?;
    Ok((Word::Text(text[1..=end].to_owned()), end + 2))
}

fn quoted(text: &str) -> Result<(Word, usize), TemplateError> {
    let mut out = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, one)) = chars.next() {
        match one {
            '"' => return Ok((Word::Text(out), at + 1)),
            '\n' => break,
            '\\' => {
                let escaped = chars.next().map(|(_, escaped)| escaped);
                out.push(match escaped {
                    Some('n') => '\n',
                    Some('t') => '\t',
                    Some('r') => '\r',
                    Some('a') => '\u{7}',
                    Some('b') => '\u{8}',
                    Some('f') => '\u{c}',
                    Some('v') => '\u{b}',
                    Some(same @ ('\\' | '"' | '\'')) => same,
                    Some(kind @ ('x' | 'u' | 'U')) => {
                        let digits = match kind {
                            'x' => 2,
                            'u' => 4,
                            _ => 8,
                        };
                        let hex: String = chars.by_ref().take(digits).map(|(_, one)| one).collect();
                        let code = u32::from_str_radix(&hex, 16).ok();
                        code.filter(|_| hex.len() == digits)
                            .and_then(char::from_u32)
                            .ok_or_else(|| {
                                TemplateError::new(format!("\\{kind}{hex} is no character"))
                            })?
                    }
                    Some(other) => {
                        return Err(TemplateError::new(format!(
                            "\\{other} has no meaning in a text"
                        )));
                    }
                    None => break,
                });
            }
            other => out.push(other),
        }
    }
    Err(TemplateError::new("a text is not closed: \" is missing"))
}
