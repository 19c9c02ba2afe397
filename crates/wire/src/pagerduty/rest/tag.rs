//! Tags in bodies: one to add, and those that something gets or loses.

use super::body::{self, Fields, Wrong};
use super::refusal::Refusal;

/// Characters of a label at most.
pub const LABEL_CHARS_MAX: usize = 191;

/// Tags that something gets or loses at once at most.
pub const CHANGES_MAX: usize = 100;

/// What a body calls a tag by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Called {
    /// By its label.
    Label(String),
    /// By its id.
    Id(String),
}

/// Tags that something gets and loses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Those it gets.
    pub add: Vec<Called>,
    /// Those it loses.
    pub remove: Vec<Called>,
}

/// Reads the body of `POST /tags`: the label.
///
/// # Errors
/// There is none.
pub fn tag(bytes: &[u8]) -> Result<String, Refusal> {
    let body = body::object(bytes)?;
    let fields = body::wrapped(&body, "tag")?;
    let mut wrong = Wrong::default();
    let label = fields.required(&mut wrong, "label", LABEL_CHARS_MAX);
    wrong.outcome(label)
}

/// Reads the body of `POST /{entity_type}/{id}/change_tags`, which has no wrapper.
///
/// # Errors
/// Everything that is wrong with it.
pub fn changes(bytes: &[u8]) -> Result<Changes, Refusal> {
    let body = body::object(bytes)?;
    let fields = Fields::new("", &body);
    let mut wrong = Wrong::default();
    let list = |wrong: &mut Wrong, name: &str| {
        let all = fields.objects(wrong, name).unwrap_or_default();
        if all.len() > CHANGES_MAX {
            wrong.add(format!("'{name}' has more than {CHANGES_MAX} entries"));
            return Vec::new();
        }
        let called = all.iter().filter_map(|one| called(one, wrong));
        called.collect::<Vec<Called>>()
    };
    let add = list(&mut wrong, "add");
    let remove = list(&mut wrong, "remove");
    wrong.outcome(Some(Changes { add, remove }))
}

fn called(one: &Fields<'_>, wrong: &mut Wrong) -> Option<Called> {
    if one.value("id").is_some() {
        return one.id(wrong, "tag").map(Called::Id);
    }
    let label = one.required(wrong, "label", LABEL_CHARS_MAX);
    label.map(Called::Label)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn tags_are_called_by_label_or_by_id() {
        let body = json!({
            "add": [{"type": "tag", "label": "West"}, {"type": "tag_reference", "id": "PA"}],
            "remove": [{"type": "tag_reference", "id": "PB"}],
        });
        let read = changes(body.to_string().as_bytes()).unwrap();
        let (west, a) = (
            Called::Label("West".to_owned()),
            Called::Id("PA".to_owned()),
        );
        assert_eq!(read.add, [west, a]);
        assert_eq!(read.remove, [Called::Id("PB".to_owned())]);
        assert_eq!(changes(b"{}"), Ok(Changes::default()));
        for wrong in [
            json!({"add": [{"type": "tag"}]}),
            json!({"add": [{"type": "team_reference", "id": "PA"}]}),
            json!({"add": ["West"]}),
            json!({"remove": {"id": "PA"}}),
            json!({"add": [{"label": "x".repeat(192)}]}),
            json!({"add": vec![json!({"label": "x"}); CHANGES_MAX + 1]}),
        ] {
            let refusal = changes(wrong.to_string().as_bytes()).unwrap_err();
            assert_eq!((refusal.status, refusal.code), (400, 2001), "{wrong}");
        }
    }

    #[test]
    fn a_tag_has_a_label() {
        let read = |label| {
            tag(json!({"tag": {"type": "tag", "label": label}})
                .to_string()
                .as_bytes())
        };
        assert_eq!(read(json!(" West ")), Ok("West".to_owned()));
        for wrong in [json!(""), json!(null), json!(7), json!("x".repeat(192))] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body in "\\{\"(tag|add|remove)\":\\PC{0,60}\\}") {
            let _ = (tag(body.as_bytes()), changes(body.as_bytes()));
        }
    }
}
