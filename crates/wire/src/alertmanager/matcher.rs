//! Conditions on labels as text: `alertname="Down"`, `{job=~"web.*",severity!=info}`. Which alerts they are asked of is not known
//! here.

use tocsin_domain::intake::{LabelMatcher, LabelTest, MATCHERS_MAX};

/// Bytes of a text of conditions.
const TEXT_BYTES_MAX: usize = 16 * 1_024;

/// Reads one condition.
///
/// # Errors
/// Why it is none, in Alertmanager's words where it has some.
pub fn parse_matcher(text: &str) -> Result<LabelMatcher, String> {
    let mut found = parse_matchers(text)?;
    match (found.pop(), found.is_empty()) {
        (Some(matcher), true) => Ok(matcher),
        (_, _) => Err(bad(text)),
    }
}

/// Reads conditions with commas between them, in braces or without. A value may stand in quotes, and a name; one without them has
/// neither spaces nor signs.
///
/// # Errors
/// As [`parse_matcher`].
pub fn parse_matchers(text: &str) -> Result<Vec<LabelMatcher>, String> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(format!("matchers of more than {TEXT_BYTES_MAX} bytes"));
    }
    let mut found = Vec::new();
    for part in parts(text)? {
        if found.len() == MATCHERS_MAX {
            return Err(format!("more than {MATCHERS_MAX} matchers"));
        }
        let (name, test, value) = one(part)?;
        found.push(LabelMatcher::new(name, test, value)?);
    }
    Ok(found)
}

/// A condition as it is written, whether or not it can be used: the name, how it is compared, and with what.
pub(crate) type Written = (String, LabelTest, String);

/// The same without limits, for texts that have one elsewhere.
pub(crate) fn written_matchers(text: &str) -> Result<Vec<Written>, String> {
    parts(text)?.into_iter().map(one).collect()
}

/// What stands between the commas.
fn parts(text: &str) -> Result<Vec<&str>, String> {
    let whole = text.trim();
    let inside = match (whole.strip_prefix('{'), whole.strip_suffix('}')) {
        (Some(rest), Some(_)) => rest.strip_suffix('}').ok_or_else(|| bad(text))?,
        (None, _) => whole,
        (Some(_), None) => return Err(bad(text)),
    };
    let mut parts = split(inside)?;
    // A comma may stand at the end, and nothing in braces is no condition.
    if parts.last().is_some_and(|last| last.trim().is_empty()) {
        parts.pop();
    }
    Ok(parts)
}

fn bad(text: &str) -> String {
    let shown: String = text.chars().take(200).collect();
    format!("bad matcher format: {shown}")
}

/// The parts between commas that are in no quotes.
fn split(text: &str) -> Result<Vec<&str>, String> {
    let (mut parts, mut begin) = (Vec::new(), 0);
    let (mut quoted, mut escaped) = (false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                parts.push(&text[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    if quoted {
        return Err(bad(text));
    }
    parts.push(&text[begin..]);
    Ok(parts)
}

fn one(text: &str) -> Result<Written, String> {
    let rest = text.trim_start();
    let (name, rest, is_old) = match rest.strip_prefix('"') {
        Some(quoted) => {
            let end = end_of_quote(quoted).ok_or_else(|| bad(text))?;
            (unescaped(&quoted[..end]), &quoted[end + 1..], false)
        }
        None => {
            let end = rest.find(is_sign).ok_or_else(|| bad(text))?;
            if end == 0 {
                return Err(bad(text));
            }
            (
                rest[..end].to_owned(),
                &rest[end..],
                is_old_name(&rest[..end]),
            )
        }
    };
    let rest = rest.trim_start();
    let signs = [
        ("=~", LabelTest::Fits),
        ("!~", LabelTest::Misfits),
        ("!=", LabelTest::Differs),
        ("=", LabelTest::Equals),
    ];
    let found = signs
        .into_iter()
        .find_map(|(sign, test)| Some((test, rest.strip_prefix(sign)?)));
    let (test, value) = found.ok_or_else(|| bad(text))?;
    let value = value.trim();
    // Alertmanager has two grammars and takes what is good in one of them. The older one knows such names only, and takes any
    // value for them; the newer one wants quotes around a value with signs in it.
    if !is_old && !value.starts_with('"') && (value.is_empty() || value.contains(is_sign)) {
        return Err(bad(text));
    }
    Ok((name, test, value_of(value)?))
}

/// Whether a character must stand in quotes.
fn is_sign(one: char) -> bool {
    one.is_whitespace() || "{}!=~,\\\"'`".contains(one)
}

fn is_old_name(name: &str) -> bool {
    let is_letter = |one: char| one.is_ascii_alphanumeric() || one == '_' || one == ':';
    name.chars().all(is_letter) && !name.starts_with(|one: char| one.is_ascii_digit())
}

/// Where the quote ends that began before this text.
fn end_of_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at),
            _ => {}
        }
    }
    None
}

fn value_of(text: &str) -> Result<String, String> {
    let Some(quoted) = text.strip_prefix('"') else {
        if text.contains('"') && end_of_quote(text).is_some() {
            return Err(format!(
                "matcher value contains unescaped double quote: {text}"
            ));
        }
        return Ok(unescaped(text));
    };
    match end_of_quote(quoted) {
        Some(end) if end + 1 == quoted.len() => Ok(unescaped(&quoted[..end])),
        Some(_) => Err(format!(
            "matcher value contains unescaped double quote: {text}"
        )),
        None => Err(bad(text)),
    }
}

/// Resolves `\n`, `\"` and `\\`; what else a backslash stands before is kept with it, since patterns are full of them.
fn unescaped(text: &str) -> String {
    let mut found = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            found.push(character);
            continue;
        }
        match characters.next() {
            Some('n') => found.push('\n'),
            Some(kept @ ('"' | '\\')) => found.push(kept),
            Some(other) => {
                found.push('\\');
                found.push(other);
            }
            None => found.push('\\'),
        }
    }
    found
}
