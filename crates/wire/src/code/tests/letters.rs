//! Letters that no eye sees, or that a terminal obeys, are escapes in files and stay what they are.

use tocsin_domain::code::Team;

use super::*;
use crate::plain::is_hostile;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_shows_all_of_itself_and_reads_back_as_itself(text in odd()) {
        let wanted = Document {
            teams: vec![Team {
                name: "Web".to_owned(),
                description: text,
                members: Vec::new(),
            }],
            ..Document::default()
        };
        let files = write(&wanted);
        for file in &files {
            let shown = file.text.chars().all(|letter| letter == '\n' || !is_hostile(letter));
            prop_assert!(shown, "{:?}", file.text);
        }
        let (again, _) = read(&files).map_err(|mistakes| TestCaseError::fail(format!("{mistakes:?}")))?;
        prop_assert_eq!(again, wanted);
    }
}

/// Texts with letters of each of these kinds among others.
fn odd() -> impl Strategy<Value = String> {
    let letters = vec![
        'a',
        'é',
        '"',
        '\\',
        '\n',
        '\r',
        '\u{7f}',
        '\u{9b}',
        '\u{61c}',
        '\u{ad}',
        '\u{3164}',
        '\u{200b}',
        '\u{200d}',
        '\u{200e}',
        '\u{200f}',
        '\u{2028}',
        '\u{202e}',
        '\u{2060}',
        '\u{feff}',
        '\u{fffb}',
        '\u{1f692}',
        '\u{e0041}',
    ];
    let some = prop::collection::vec(prop::sample::select(letters), 0..12);
    some.prop_map(|letters| letters.into_iter().collect::<String>())
}

#[test]
fn letters_beyond_four_digits_have_eight() {
    let mut wanted = Document::default();
    wanted.installation.priorities = Some(vec!["a\u{200b}b\u{e0041}".to_owned()]);
    let text = canonical(&wanted);
    let line = r#"priorities = ["a\u200Bb\U000E0041"]"#;
    assert!(text.contains(line), "{text}");
}
