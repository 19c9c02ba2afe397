//! People of whom files say no more than the address.

use tocsin_domain::code::User;
use tocsin_domain::people::Role;

use super::*;

const ADA: &str = "[[users]]\nemail = \"Ada@example.org\"\n";
const BOB: &str = "[[users]]\nemail = \"bob@example.org\"\n";

fn person(email: &str, name: &str, role: Role) -> User {
    User {
        email: email.to_owned(),
        name: Some(name.to_owned()),
        role: Some(role),
    }
}

#[test]
fn who_is_known_keeps_what_the_files_do_not_say_of_them() {
    let mut installation = Installation::new(41);
    let before = installation.export();
    assert!(installation.apply(document(ADA)).unwrap().is_empty());
    assert_eq!(installation.export(), before);
    let renamed = format!("{ADA}name = \"Ada L\"\n");
    installation.apply(document(&renamed)).unwrap();
    let ada = person("ada@example.org", "Ada L", Role::Admin);
    assert_eq!(installation.export().users, *std::slice::from_ref(&ada));
    let kept = format!("[manage]\nremove = [\"users\"]\n\n{ADA}");
    assert!(installation.apply(document(&kept)).unwrap().is_empty());
    assert_eq!(installation.export().users, [ada]);
}

#[test]
fn who_comes_with_an_address_alone_is_a_responder_who_is_called_as_it_begins_and_a_plan_says_so() {
    let mut installation = Installation::new(42);
    let shown = installation.planned(&document(BOB)).unwrap();
    let people = shown.iter().find(|one| one.name == "bob@example.org");
    let fields = people.unwrap().fields.iter();
    let fields: Vec<(&str, Option<&str>, Option<&str>)> = fields
        .map(|one| {
            (
                one.path.as_str(),
                one.before.as_deref(),
                one.after.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        fields,
        [
            ("name", None, Some("\"bob\"")),
            ("role", None, Some("\"responder\"")),
        ]
    );
    installation.apply(document(BOB)).unwrap();
    let bob = person("bob@example.org", "bob", Role::Responder);
    assert_eq!(installation.export().users[1], bob);
    let viewer = format!("{BOB}role = \"viewer\"\n");
    installation.apply(document(&viewer)).unwrap();
    let bob = person("bob@example.org", "bob", Role::Viewer);
    assert_eq!(installation.export().users[1], bob);
    assert!(installation.apply(document(BOB)).unwrap().is_empty());
}

#[test]
fn an_address_alone_reads_back_as_itself() {
    let wanted = document(BOB);
    let (again, _) = read(&write(&wanted)).unwrap();
    assert_eq!(again, wanted);
    assert!(!canonical(&wanted).contains("role"));
}
