//! What people see of a text: much of Unicode shows as nothing, and some of it turns what stands around it.

use std::borrow::Cow;

/// What an alert is called of whose own title nothing can be seen.
pub const NO_TITLE: &str = "An alert without a title";

/// Whether nothing of a text can be seen.
#[must_use]
pub fn shows_nothing(text: &str) -> bool {
    text.chars().all(is_unseen)
}

/// A text without what turns its direction, or that of the text around it.
#[must_use]
pub fn without_turns(text: &str) -> Cow<'_, str> {
    if text.chars().any(turns) {
        Cow::Owned(text.chars().filter(|one| !turns(*one)).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// A text without what cannot be seen at its ends. What belongs to the character before it, as in flags and in pictures of people,
/// stays at the end.
#[must_use]
pub fn trimmed(text: &str) -> &str {
    let blank = |one: char| one.is_whitespace() || is_formatting(one);
    let blank_at_the_end = |one: char| {
        let is_space = matches!(
            one,
            '\u{ad}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2060}' | '\u{feff}'
        );
        one.is_whitespace() || is_space
    };
    text.trim_start_matches(blank)
        .trim_end_matches(blank_at_the_end)
}

/// Whether a character turns the direction of the text around it: an embedding, an override, an isolate, or the end of one.
#[must_use]
pub const fn turns(one: char) -> bool {
    matches!(one, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn is_unseen(one: char) -> bool {
    one.is_whitespace() || one.is_control() || is_formatting(one)
}

/// Whether a character is there for others alone, or for no eye at all: those that Unicode has programs leave out where they do not
/// know them, tags, fillers, and the empty pattern of Braille.
#[must_use]
pub const fn is_formatting(one: char) -> bool {
    matches!(
        one,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_as_nothing_is_known_in_every_form_and_what_shows_is_not_taken_for_it() {
        for blank in [
            "",
            " \t\n",
            "\u{200b}",
            "\u{feff} \u{2060}",
            "\u{e0041}\u{e0042}",
            "\u{202e}\u{2069}",
            "\u{3164}\u{115f}\u{2800}",
            "\u{ad}\u{34f}\u{fe0f}\u{200d}",
        ] {
            assert!(shows_nothing(blank), "{blank:?}");
            assert_eq!(trimmed(blank).chars().count(), 0, "{blank:?}");
        }
        for seen in [
            "a",
            "\u{feff}a",
            ".",
            "\u{5e2}\u{5d3}",
            "\u{1f525}",
            "\u{301}",
        ] {
            assert!(!shows_nothing(seen), "{seen:?}");
        }
    }

    #[test]
    fn what_cannot_be_seen_is_left_out_at_the_ends_and_what_belongs_to_a_character_is_kept() {
        assert_eq!(trimmed("\u{feff} a\u{200b}b \u{200b}"), "a\u{200b}b");
        let scotland = "\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}";
        for whole in [scotland, "\u{2764}\u{fe0f}"] {
            assert_eq!(trimmed(whole), whole);
        }
    }

    #[test]
    fn what_turns_the_direction_is_left_out_wherever_it_stands() {
        assert_eq!(without_turns("web\u{202e}1\u{2066}"), "web1");
        assert!(matches!(without_turns("web 1"), Cow::Borrowed("web 1")));
    }
}
