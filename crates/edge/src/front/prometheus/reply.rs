//! Good answers of Prometheus' API: the envelope that all of them come in. It knows nothing of what is inside.

use std::convert::Infallible;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use tocsin_promql::{Note, NoteLevel};

use super::json::Json;
use super::refusal::{Kind, Refusal};

/// Bytes of one answer at most: a few of them at once must fit into memory.
const BYTES_MAX: usize = 256 * 1024 * 1024;
/// Warnings and infos of one answer at most, of each; a query over very many series can have one for each.
const NOTES_MAX: usize = 100;

/// How large an answer may become.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    bytes_max: usize,
    advice: &'static str,
}

impl Bound {
    /// As large as any answer may be; who asks for more is told what to do.
    pub(crate) const fn new(advice: &'static str) -> Self {
        Self {
            bytes_max: BYTES_MAX,
            advice,
        }
    }

    #[cfg(test)]
    pub(crate) const fn of_bytes(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            advice: "ask for less",
        }
    }

    /// Refuses an answer that has grown too large. Every loop over what was found asks, so that none is finished first.
    pub(crate) fn check(self, bytes: usize) -> Result<(), Refusal> {
        if bytes <= self.bytes_max {
            return Ok(());
        }
        let Self { bytes_max, advice } = self;
        Err(Refusal::new(
            Kind::Execution,
            format!("the answer is larger than {bytes_max} bytes: {advice}"),
        ))
    }
}

/// The bytes of a good answer: what `write` writes is its data.
pub(crate) fn envelope(capacity: usize, notes: &[Note], write: impl FnOnce(&mut Json)) -> Vec<u8> {
    let Ok(bytes) = try_envelope(capacity, notes, |json| {
        write(json);
        Ok::<(), Infallible>(())
    });
    bytes
}

/// As [`envelope`], unless writing its data fails.
pub(crate) fn try_envelope<E>(
    capacity: usize,
    notes: &[Note],
    write: impl FnOnce(&mut Json) -> Result<(), E>,
) -> Result<Vec<u8>, E> {
    let mut json = Json::with_capacity(capacity);
    json.begin_object();
    json.named_text("status", "success");
    json.name("data");
    write(&mut json)?;
    for (name, level) in [("warnings", NoteLevel::Warning), ("infos", NoteLevel::Info)] {
        let of_level = || notes.iter().filter(|note| note.level == level);
        if of_level().next().is_some() {
            json.name(name);
            json.texts(of_level().take(NOTES_MAX).map(|note| &note.text));
        }
    }
    json.end_object();
    Ok(json.into_bytes())
}

/// A good answer without remarks.
pub(crate) fn success(write: impl FnOnce(&mut Json)) -> Response {
    json(envelope(1_024, &[], write))
}

/// The answer whose bytes these are.
pub(crate) fn json(bytes: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], bytes).into_response()
}

/// The remark that there was more than was asked for.
pub(crate) fn truncated() -> Note {
    Note {
        level: NoteLevel::Warning,
        text: "results truncated due to limit".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remarks_stand_behind_the_data_by_their_level() {
        let note = |level, text: &str| Note {
            level,
            text: text.to_owned(),
        };
        let notes = [
            note(NoteLevel::Warning, "w"),
            note(NoteLevel::Info, "i"),
            truncated(),
        ];
        let text = envelope(0, &notes, |json| json.text("x"));
        assert_eq!(
            String::from_utf8(text).unwrap(),
            r#"{"status":"success","data":"x","warnings":["w","results truncated due to limit"],"infos":["i"]}"#
        );
        let text = envelope(0, &[], |json| json.texts(["x"; 0]));
        assert_eq!(text, br#"{"status":"success","data":[]}"#);
    }
}
