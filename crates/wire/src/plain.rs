//! Whether a text of a sender has to be changed before it is kept. It knows no format.

use tocsin_domain::text::{is_formatting, turns};

/// Whether it holds nothing but what ASCII prints: then there is nothing to replace in it. So it is with nearly all, and to look
/// at each character of those costs more than all else that is done with them.
pub(crate) fn is_plain(text: &str) -> bool {
    // Looking at all is faster than to end with the first that is none.
    text.bytes()
        .fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~'))
}

/// Whether it is [plain](is_plain) and has one blank at most between two words, and none around them.
pub(crate) fn is_plain_line(text: &str) -> bool {
    let mut pairs = text.as_bytes().windows(2);
    let around = text.starts_with(' ') || text.ends_with(' ');
    is_plain(text) && !around && !pairs.any(|pair| pair == b"  ")
}

/// The first characters of a text.
#[must_use]
pub fn cut(text: &str, chars_max: usize) -> String {
    // No character has less than a byte.
    if text.len() <= chars_max {
        return text.to_owned();
    }
    text.chars().take(chars_max).collect()
}

/// A name as it can be kept: in one line, without what turns the direction of text, and not too long.
pub(crate) fn tidy(text: &str, chars_max: usize) -> String {
    let spaced = text.chars().map(|letter| {
        if matches!(letter, '\n' | '\r' | '\t') {
            ' '
        } else {
            letter
        }
    });
    let kept: String = spaced.filter(|letter| !is_bad(*letter)).collect();
    let cut: String = kept.trim().chars().take(chars_max).collect();
    cut.trim_end().to_owned()
}

/// Whether a letter does something instead of being read: to a terminal, or to the direction of text.
pub(crate) fn is_bad(letter: char) -> bool {
    letter.is_control() || turns(letter)
}

/// Whether a terminal, or the eye, would be led astray: control characters of both sets, marks of writing direction, line
/// separators, and characters that cannot be seen at all, but for those that join others or choose their form, as in pictures of
/// people. Tab and newline are among them.
#[must_use]
pub fn is_hostile(letter: char) -> bool {
    let joins = matches!(letter, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}');
    let separates = matches!(letter, '\u{2028}' | '\u{2029}');
    letter.is_control() || separates || (is_formatting(letter) && !joins)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_plain_has_no_control_character(text in any::<String>()) {
            let whole = text.chars().all(|one| (' '..='~').contains(&one));
            prop_assert_eq!(is_plain(&text), whole);
            if whole {
                prop_assert!(!text.chars().any(char::is_control));
            }
        }

        #[test]
        fn the_words_of_a_plain_line_make_it_again(text in "[ a-c\\t]{0,8}") {
            let words: Vec<&str> = text.split_whitespace().collect();
            prop_assert_eq!(is_plain_line(&text), words.join(" ") == text);
        }

        #[test]
        fn the_beginning_is_of_so_many_characters(text in any::<String>(), chars in 0..40_usize) {
            let expected: String = text.chars().take(chars).collect();
            prop_assert_eq!(cut(&text, chars), expected);
        }
    }

    #[test]
    fn a_text_is_plain_as_long_as_all_of_it_is_printed_by_ascii() {
        for (text, expected) in [
            ("", true),
            ("97 % of ~", true),
            ("two\nlines", false),
            ("\u{7f}", false),
            ("\u{85}", false),
            ("voll für", false),
        ] {
            assert_eq!(is_plain(text), expected, "{text:?}");
        }
    }
}
