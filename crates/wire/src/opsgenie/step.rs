//! Requests that acknowledge or close a known alert or note something about it: which there are, and what they say in words. It does
//! not know what becomes of that.

use tocsin_domain::text::shows_nothing;

use super::{Rejection, object, text, unprocessable};

/// Characters of a note that are kept.
const NOTE_CHARS_MAX: usize = 4_000;

/// What a request about a known alert asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is over.
    Close,
    /// Somebody works on it.
    Acknowledge,
    /// Something is noted about it.
    Note,
}

impl Step {
    /// The step of that name in a path; Tocsin has no counterpart for the others.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "close" => Some(Self::Close),
            "acknowledge" => Some(Self::Acknowledge),
            "notes" => Some(Self::Note),
            _ => None,
        }
    }

    /// What is said of whoever did it, where they say nothing themselves; who notes something says it.
    const fn done_by(self) -> Option<&'static str> {
        match self {
            Self::Close => Some("Closed by"),
            Self::Acknowledge => Some("Acknowledged by"),
            Self::Note => None,
        }
    }
}

/// Reads what a request says in words, as a note: its `note` with its `user` before it, or which `user` did what it asks for. None
/// where it says neither, or has no body: only who notes something has to.
///
/// # Errors
/// It is not JSON, no object, or has no note where there has to be one.
pub fn said(step: Step, body: &[u8]) -> Result<Option<String>, Rejection> {
    let done_by = step.done_by();
    if done_by.is_some() && body.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let object = object(body)?;
    let (note, user) = (text(&object, "note")?, text(&object, "user")?);
    let said = match (shows_nothing(note), shows_nothing(user)) {
        (false, true) => note.to_owned(),
        (false, false) => format!("{user}: {note}"),
        (true, is_nobody) => match done_by {
            None => return Err(unprocessable("note", "Note can not be empty.")),
            Some(_) if is_nobody => return Ok(None),
            Some(done_by) => format!("{done_by} {user}"),
        },
    };
    let printable = |letter: char| match letter {
        '\n' | '\t' => letter,
        letter if letter.is_control() => ' ',
        letter => letter,
    };
    Ok(Some(
        said.chars().map(printable).take(NOTE_CHARS_MAX).collect(),
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn read(step: Step, body: &Value) -> Result<Option<String>, Rejection> {
        said(step, body.to_string().as_bytes())
    }

    fn told(text: &str) -> Result<Option<String>, Rejection> {
        Ok(Some(text.to_owned()))
    }

    #[test]
    fn a_note_is_read_with_who_notes_it() {
        let read = |body: Value| read(Step::Note, &body);
        assert_eq!(read(json!({"note": " on it "})), told("on it"));
        let both = json!({"note": "on\u{1b} it", "user": "Zabbix"});
        assert_eq!(read(both), told("Zabbix: on  it"));
        let unseen = json!({"note": "on it", "user": "\u{200b}"});
        assert_eq!(read(unseen), told("on it"));
        for wrong in [
            json!({}),
            json!({"note": " ", "user": "Zabbix"}),
            json!({"note": 5}),
        ] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
        let long = read(json!({"note": "x".repeat(5_000)})).unwrap().unwrap();
        assert_eq!(long.len(), NOTE_CHARS_MAX);
        assert_eq!(said(Step::Note, b""), Err(Rejection::Syntax));
    }

    #[test]
    fn whoever_closes_or_acknowledges_may_say_something_with_it() {
        let both = json!({"note": "disks came", "user": "Ada", "source": "desk"});
        for (step, done) in [
            (Step::Close, "Closed by Ada"),
            (Step::Acknowledge, "Acknowledged by Ada"),
        ] {
            assert_eq!(read(step, &both), told("Ada: disks came"));
            assert_eq!(read(step, &json!({"note": "ok"})), told("ok"));
            assert_eq!(read(step, &json!({"user": "Ada"})), told(done));
            for nothing in ["", " \n", "{}", r#"{"note": null, "user": " "}"#] {
                assert_eq!(said(step, nothing.as_bytes()), Ok(None), "{nothing}");
            }
            assert!(read(step, &json!({"note": ["ok"]})).is_err());
            assert!(read(step, &json!({"user": 5})).is_err());
            assert!(read(step, &json!([])).is_err());
            assert_eq!(said(step, b"nonsense"), Err(Rejection::Syntax));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for step in [Step::Close, Step::Acknowledge, Step::Note] {
                drop(said(step, &bytes));
            }
        }
    }
}
