//! Good answers of Prometheus' API: the envelope that all of them come in. It knows nothing of what is inside.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use tocsin_promql::{Note, NoteLevel};

use super::json::Json;

/// Warnings and infos of one answer at most, of each; a query over very many series can have one for each.
const NOTES_MAX: usize = 100;

/// The bytes of a good answer: what `write` writes is its data.
pub(crate) fn envelope(capacity: usize, notes: &[Note], write: impl FnOnce(&mut Json)) -> Vec<u8> {
    let mut json = Json::with_capacity(capacity);
    json.begin_object();
    json.named_text("status", "success");
    json.name("data");
    write(&mut json);
    for (name, level) in [("warnings", NoteLevel::Warning), ("infos", NoteLevel::Info)] {
        let of_level = || notes.iter().filter(|note| note.level == level);
        if of_level().next().is_some() {
            json.name(name);
            json.texts(of_level().take(NOTES_MAX).map(|note| &note.text));
        }
    }
    json.end_object();
    json.into_bytes()
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
