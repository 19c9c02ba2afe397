//! What a subject says: whether it is over, and which alert it is about. `Disk full`, `Re: Disk full` and `[RESOLVED] Disk full`
//! are about one.

/// Marks that a mail program puts before an answer or what is sent on.
const ANSWERS: &[&str] = &["re", "fw", "fwd", "aw", "wg", "sv"];
/// Words that say that it is over.
const OVER: &[&str] = &["resolved", "recovered", "recovery", "ok", "closed"];
/// Words that say that it fails, which its end has another word for.
const FAILING: &[&str] = &["problem", "firing", "alert", "triggered", "open"];
/// Characters of a subject.
const SUBJECT_CHARS_MAX: usize = 1_000;
/// Marks that are taken off.
const MARKS_MAX: usize = 20;

/// What a subject says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// All of it, in one line.
    pub whole: String,
    /// Without the marks of answers and of an end.
    pub title: String,
    /// What names the alert: without all marks, in small letters.
    pub key: String,
    /// Whether it says that it is over.
    pub resolved: bool,
}

/// Reads a subject.
#[must_use]
pub fn subject(text: &str) -> Subject {
    let whole: String = text.chars().take(SUBJECT_CHARS_MAX).collect();
    let whole = whole.split_whitespace().collect::<Vec<_>>().join(" ");
    let (mut resolved, mut rest) = (false, whole.as_str());
    let mut title = rest;
    let mut is_title = true;
    for _ in 0..MARKS_MAX {
        let after = if let Some(after) = without_answer(rest) {
            after
        } else if let Some(after) = without_word(rest, OVER) {
            resolved = true;
            after
        } else if let Some(after) = without_word(rest, FAILING) {
            // People read this mark; only the key goes without.
            is_title = false;
            after
        } else {
            break;
        };
        rest = after;
        if is_title {
            title = rest;
        }
    }
    let titled = if title.is_empty() { &whole } else { title };
    let keyed = if rest.is_empty() { &whole } else { rest };
    Subject {
        title: titled.to_owned(),
        key: keyed.to_lowercase(),
        resolved,
        whole,
    }
}

/// `Re: x`, `RE[2]: x`
fn without_answer(text: &str) -> Option<&str> {
    let (mark, rest) = text.split_once(':')?;
    let word = mark.split(['[', '(']).next().unwrap_or_default();
    let known = ANSWERS
        .iter()
        .any(|one| one.eq_ignore_ascii_case(word.trim()));
    (known && mark.len() <= 8).then(|| rest.trim_start())
}

/// `[RESOLVED] x`, `Resolved: x`, `RESOLVED - x`; `RESOLVED x` in capitals alone, since other words begin sentences.
fn without_word<'t>(text: &'t str, words: &[&str]) -> Option<&'t str> {
    if let Some(inside) = text.strip_prefix('[') {
        let (word, rest) = inside.split_once(']')?;
        let known = words
            .iter()
            .any(|one| one.eq_ignore_ascii_case(word.trim()));
        return known.then(|| rest.trim_start_matches([' ', ':', '-']));
    }
    let end = text
        .find(|character: char| !character.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    words.iter().find(|one| one.eq_ignore_ascii_case(word))?;
    if let Some(rest) = rest.trim_start().strip_prefix(':') {
        return Some(rest.trim_start());
    }
    if let Some(rest) = rest.strip_prefix(" - ") {
        return Some(rest.trim_start());
    }
    (word == "RESOLVED" && rest.starts_with(' ')).then(|| rest.trim_start())
}
