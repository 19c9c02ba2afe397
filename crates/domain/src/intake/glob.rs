//! Patterns with `*` (any text) and `?` (one character). Letters match in either case.

/// Whether the whole of `text` fits `pattern`, in time proportional to the product of their lengths at worst.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let (mut at, mut read) = (0, 0);
    // Where the last `*` stands, and how much of the text it has taken.
    let mut star: Option<(usize, usize)> = None;
    while let Some(character) = text.get(read) {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || wanted == character => {
                at += 1;
                read += 1;
            }
            Some(_) | None => match star {
                None => return false,
                Some((place, taken)) => {
                    star = Some((place, taken + 1));
                    at = place + 1;
                    read = taken + 1;
                }
            },
        }
    }
    pattern
        .get(at..)
        .is_some_and(|rest| rest.iter().all(|left| *left == '*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_fits_whole_texts() {
        for (pattern, text) in [
            ("", ""),
            ("*", ""),
            ("web-*", "web-01"),
            ("*disk*full*", "The DISK of web-01 is full."),
            ("db-?", "db-7"),
            ("a*b*c", "a_b_b_c"),
            ("É*", "étage"),
        ] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("", "x"),
            ("web", "web-01"),
            ("db-?", "db-"),
            ("a*b", "abc"),
            ("*x", "xy"),
        ] {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_hostile_pattern_costs_no_more_than_its_length_allows() {
        let pattern = "*a".repeat(250);
        assert!(!fits(&pattern, &"a".repeat(249)));
        assert!(!fits(&format!("{pattern}b"), &"a".repeat(1_000)));
    }
}
