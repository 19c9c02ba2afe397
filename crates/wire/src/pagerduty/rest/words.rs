//! What bodies say of something beside its name: descriptions, names of layers, what somebody is. Nothing is decided by it.

use tocsin_domain::people::About;
use tocsin_domain::service::DESCRIPTION_CHARS_MAX;

use super::body::{self, Wrong};
use super::refusal::Refusal;
use super::schedule::zone_of;

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
/// One of the fields is no text, or too long, or the zone is none.
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
    let zone = fields.value("time_zone").map(|_| about.time_zone.as_str());
    if zone.is_some_and(|zone| !zone.is_empty() && zone_of(zone).is_none()) {
        let path = fields.path("time_zone");
        wrong.add(format!("'{path}' is invalid: there is no such time zone"));
    }
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
        let lines = "by us\r\n\tand others\n";
        assert_eq!(read(json!(lines)), Ok(Some(lines.to_owned())));
        for control in ["by\0us", "\u{1b}[1m", "\u{7f}"] {
            assert!(read(json!(control)).is_err(), "{control:?}");
        }
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
    fn what_is_said_of_a_person_can_be_read_and_their_zone_is_one() {
        let read = |name: &str, value: serde_json::Value| {
            let known = About {
                time_zone: "Mars/Olympus".to_owned(),
                ..About::default()
            };
            let body = json!({"user": {name: value}});
            about(body.to_string().as_bytes(), &known)
        };
        for name in ["job_title", "color", "description"] {
            let refusal = read(name, json!("a\u{1b}b")).unwrap_err();
            assert!(refusal.errors[0].contains(name), "{refusal}");
        }
        let refusal = read("time_zone", json!("Mars/Olympus")).unwrap_err();
        assert!(refusal.errors[0].contains("'user.time_zone'"), "{refusal}");
        for zone in [json!("America/Lima"), json!("UTC"), json!(""), json!(null)] {
            assert!(read("time_zone", zone.clone()).is_ok(), "{zone}");
        }
        // What was kept before stays as long as nothing is said of it.
        assert!(read("color", json!("teal")).is_ok());
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
