//! What bodies say of something beside its name: descriptions, names of layers, what somebody is. Nothing is decided by it.

use tocsin_domain::people::About;
use tocsin_domain::service::DESCRIPTION_CHARS_MAX;

use super::body::{self, Wrong};
use super::refusal::Refusal;

/// Characters of a name at most.
const NAME_CHARS_MAX: usize = 255;

/// Reads the description in a body that holds this; none when nothing is said of it.
///
/// # Errors
/// It is no text, or too long.
pub fn description(bytes: &[u8], noun: &str) -> Result<Option<String>, Refusal> {
    let body = body::object(bytes)?;
    let fields = body::wrapped(&body, noun)?;
    let mut wrong = Wrong::default();
    let text = fields.words(&mut wrong, "description", DESCRIPTION_CHARS_MAX);
    wrong.outcome(Some(text))
}

/// Reads what the layers of a schedule are called, in their order; none when no layers are given.
///
/// # Errors
/// One of the names is no text, or too long.
pub fn layer_names(bytes: &[u8]) -> Result<Option<Vec<String>>, Refusal> {
    let body = body::object(bytes)?;
    let fields = body::wrapped(&body, "schedule")?;
    let mut wrong = Wrong::default();
    let layers = fields.objects(&mut wrong, "schedule_layers");
    let names = layers.map(|layers| {
        let names = layers.iter().map(|layer| {
            let name = layer.words(&mut wrong, "name", NAME_CHARS_MAX);
            name.unwrap_or_default()
        });
        names.collect()
    });
    wrong.outcome(Some(names))
}

/// Reads what is said of a person; what is not said stays as it is known.
///
/// # Errors
/// One of the fields is no text, or too long.
pub fn about(bytes: &[u8], known: &About) -> Result<About, Refusal> {
    let body = body::object(bytes)?;
    let fields = body::wrapped(&body, "user")?;
    let mut wrong = Wrong::default();
    let mut said = |name: &str, known: &str, max: usize| {
        let said = fields.words(&mut wrong, name, max);
        said.unwrap_or_else(|| known.to_owned())
    };
    let about = About {
        job_title: said("job_title", &known.job_title, NAME_CHARS_MAX),
        time_zone: said("time_zone", &known.time_zone, NAME_CHARS_MAX),
        color: said("color", &known.color, NAME_CHARS_MAX),
        description: said("description", &known.description, DESCRIPTION_CHARS_MAX),
        role_word: said("role", &known.role_word, NAME_CHARS_MAX),
    };
    wrong.outcome(Some(about))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn words_are_read_as_they_are_written_and_bounded() {
        let read = |text: serde_json::Value| {
            let body = json!({"team": {"description": text}});
            description(body.to_string().as_bytes(), "team")
        };
        assert_eq!(read(json!(" by us ")), Ok(Some(" by us ".to_owned())));
        assert_eq!(read(json!(null)), Ok(Some(String::new())));
        assert!(read(json!("x".repeat(DESCRIPTION_CHARS_MAX + 1))).is_err());
        assert!(read(json!(7)).is_err());
        assert_eq!(description(br#"{"team": {}}"#, "team"), Ok(None));
    }

    #[test]
    fn what_is_not_said_of_a_person_stays() {
        let known = About {
            job_title: "Cook".to_owned(),
            ..About::default()
        };
        let body = json!({"user": {"time_zone": "Europe/Paris", "role": "user"}});
        let read = about(body.to_string().as_bytes(), &known).unwrap();
        let expected = About {
            time_zone: "Europe/Paris".to_owned(),
            role_word: "user".to_owned(),
            ..known
        };
        assert_eq!(read, expected);
    }

    #[test]
    fn layers_have_their_names_by_their_places() {
        let body = json!({"schedule": {"schedule_layers": [{"name": "Nights"}, {}]}});
        let read = layer_names(body.to_string().as_bytes());
        assert_eq!(read, Ok(Some(vec!["Nights".to_owned(), String::new()])));
        assert_eq!(layer_names(br#"{"schedule": {}}"#), Ok(None));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body in "\\{\"(schedule|user)\":\\PC{0,60}\\}") {
            let body = body.as_bytes();
            let _ = (description(body, "user"), layer_names(body), about(body, &About::default()));
        }
    }
}
