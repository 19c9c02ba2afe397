//! Business services in bodies, and which services support which.

use super::body::{self, Fields, Wrong};
use super::refusal::Refusal;

/// Characters of a name at most.
const NAME_CHARS_MAX: usize = 255;
/// Characters of a description at most.
const DESCRIPTION_CHARS_MAX: usize = 2_000;
/// Characters of an id at most.
const ID_CHARS_MAX: usize = 64;
/// Relationships of one body at most.
pub const RELATIONSHIPS_MAX: usize = 100;

/// A business service to add or to change; what is not said stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusinessService {
    /// Its name.
    pub name: Option<String>,
    /// What it is; empty when nothing is to be said.
    pub description: Option<String>,
    /// Whom to ask; empty when nobody is to be named.
    pub point_of_contact: Option<String>,
    /// The id of its team; `Some(None)` is none.
    pub team: Option<Option<String>>,
}

/// Of which kind a service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One that is made of others.
    Business,
    /// One that incidents belong to.
    Technical,
}

/// A service of either kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// Its id.
    pub id: String,
    /// Of which kind it is.
    pub kind: Kind,
}

/// One service needs another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relationship {
    /// The one that needs the other.
    pub dependent: Side,
    /// The one that is needed.
    pub supporting: Side,
}

/// Reads the body of `POST /business_services` or `PUT /business_services/{id}`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn business_service(bytes: &[u8]) -> Result<BusinessService, Refusal> {
    let body = body::object(bytes)?;
    let fields = body::wrapped(&body, "business_service")?;
    let mut wrong = Wrong::default();
    let words = |wrong: &mut Wrong, name: &str, max: usize| {
        let told = fields.has(name);
        told.then(|| fields.text(wrong, name, max).unwrap_or_default())
    };
    let description = words(&mut wrong, "description", DESCRIPTION_CHARS_MAX);
    let point_of_contact = words(&mut wrong, "point_of_contact", NAME_CHARS_MAX);
    let name = fields.name(&mut wrong, "name", NAME_CHARS_MAX);
    // Terraform's provider writes an empty object where no team is named.
    let team = fields.has("team").then(|| {
        let team = fields.object(&mut wrong, "team")?;
        let is_it = team.is_of(&mut wrong, "team");
        let id = team.text(&mut wrong, "id", ID_CHARS_MAX);
        id.filter(|_| is_it)
    });
    wrong.outcome(Some(BusinessService {
        name,
        description,
        point_of_contact,
        team,
    }))
}

/// Reads the body of `POST /service_dependencies/associate` or `/disassociate`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn relationships(bytes: &[u8]) -> Result<Vec<Relationship>, Refusal> {
    let body = body::object(bytes)?;
    let all = body::wrapped_list(&body, "relationships", RELATIONSHIPS_MAX)?;
    let mut wrong = Wrong::default();
    let mut read = Vec::new();
    for one in &all {
        let supporting = side(one, &mut wrong, "supporting_service");
        let dependent = side(one, &mut wrong, "dependent_service");
        if let (Some(dependent), Some(supporting)) = (dependent, supporting) {
            read.push(Relationship {
                dependent,
                supporting,
            });
        }
    }
    wrong.outcome(Some(read))
}

fn side(one: &Fields<'_>, wrong: &mut Wrong, name: &str) -> Option<Side> {
    let path = one.path(name);
    if one.value(name).is_none() {
        wrong.add(format!("'{path}' is missing"));
        return None;
    }
    let named = one.object(wrong, name)?.named(wrong)?;
    let kind = match named.kind.as_str() {
        "business_service" => Kind::Business,
        "service" | "technical_service" => Kind::Technical,
        _ => {
            wrong.add(format!(
                "'{path}.type' is invalid: it is business_service or service"
            ));
            return None;
        }
    };
    Some(Side { id: named.id, kind })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn read(service: Value) -> Result<BusinessService, Refusal> {
        let body = json!({ "business_service": service });
        business_service(body.to_string().as_bytes())
    }

    #[test]
    fn what_is_not_said_of_a_business_service_stays_and_what_is_null_is_taken_away() {
        let whole = json!({
            "type": "business_service", "name": " Shop ", "description": "Where people buy",
            "point_of_contact": "Ada", "team": {"id": "QA", "type": "team_reference"},
        });
        let whole = read(whole).unwrap();
        assert_eq!(whole.name.as_deref(), Some("Shop"));
        assert_eq!(whole.description.as_deref(), Some("Where people buy"));
        assert_eq!(whole.point_of_contact.as_deref(), Some("Ada"));
        assert_eq!(whole.team, Some(Some("QA".to_owned())));
        let nothing = BusinessService {
            name: None,
            description: None,
            point_of_contact: None,
            team: None,
        };
        assert_eq!(read(json!({})), Ok(nothing));
        let empty = read(json!({"description": null, "point_of_contact": "", "team": null}));
        let empty = empty.unwrap();
        assert_eq!(empty.description.as_deref(), Some(""));
        assert_eq!(empty.point_of_contact.as_deref(), Some(""));
        assert_eq!(empty.team, Some(None));
        for none in [
            json!({}),
            json!({"id": null}),
            json!({"id": " "}),
            json!({"id": "", "type": "team_reference"}),
        ] {
            let read = read(json!({ "team": none.clone() })).unwrap();
            assert_eq!(read.team, Some(None), "{none}");
        }
        for wrong in [
            json!({"name": 7}),
            json!({"name": "x".repeat(NAME_CHARS_MAX + 1)}),
            json!({"description": ["x"]}),
            json!({"description": "x".repeat(DESCRIPTION_CHARS_MAX + 1)}),
            json!({"team": "QA"}),
            json!({"team": {"id": 7}}),
            json!({"team": {"id": "QA", "type": "user_reference"}}),
            json!({"team": {"type": "schedule"}}),
            json!({"team": {"id": "QA", "type": 7}}),
            json!("Shop"),
        ] {
            assert_eq!(read(wrong.clone()).unwrap_err().status, 400, "{wrong}");
        }
    }

    fn related(supporting: Value, dependent: Value) -> Result<Vec<Relationship>, Refusal> {
        let one = json!({"supporting_service": supporting, "dependent_service": dependent});
        let body = json!({ "relationships": [one] });
        relationships(body.to_string().as_bytes())
    }

    #[test]
    fn services_of_both_kinds_are_related_by_the_words_of_requests_and_of_answers() {
        for (word, kind) in [
            ("business_service", Kind::Business),
            ("business_service_reference", Kind::Business),
            ("service", Kind::Technical),
            ("service_reference", Kind::Technical),
            ("technical_service", Kind::Technical),
            ("technical_service_reference", Kind::Technical),
        ] {
            let supporting = json!({"id": "QA", "type": word});
            let dependent = json!({"id": "QB", "type": "business_service"});
            let read = related(supporting, dependent).unwrap();
            let side = |id: &str, kind| Side {
                id: id.to_owned(),
                kind,
            };
            let expected = Relationship {
                supporting: side("QA", kind),
                dependent: side("QB", Kind::Business),
            };
            assert_eq!(read, [expected], "{word}");
        }
        let good = || json!({"id": "QA", "type": "service"});
        for wrong in [
            json!(null),
            json!("QA"),
            json!({"id": "QA"}),
            json!({"type": "service"}),
            json!({"id": "QA", "type": "team"}),
        ] {
            let refusal = related(good(), wrong.clone()).unwrap_err();
            assert_eq!(refusal.status, 400, "{wrong}");
            let told = refusal.errors.join("; ");
            let place = "relationships[0].dependent_service";
            assert!(told.contains(place), "{wrong}: {told}");
        }
    }

    #[test]
    fn only_so_many_relationships_are_read_at_once() {
        let side = json!({"id": "QA", "type": "service"});
        let one = json!({"supporting_service": side, "dependent_service": side});
        let body = |count: usize| json!({"relationships": vec![one.clone(); count]}).to_string();
        let most = relationships(body(RELATIONSHIPS_MAX).as_bytes());
        assert_eq!(most.unwrap().len(), RELATIONSHIPS_MAX);
        let over = relationships(body(RELATIONSHIPS_MAX + 1).as_bytes());
        assert_eq!(over.unwrap_err().status, 413);
        for none in ["{}", "{\"relationships\": []}", "{\"relationships\": {}}"] {
            let refusal = relationships(none.as_bytes()).unwrap_err();
            assert_eq!((refusal.status, refusal.code), (400, 2003), "{none}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body in "\\{\"(business_service|relationships)\":\\PC{0,60}\\}") {
            let _ = (business_service(body.as_bytes()), relationships(body.as_bytes()));
        }
    }
}
