//! What to say of a key that nobody knows: which one was probably meant. It knows no key itself.

/// Changes of one letter that a misspelt key may be away from the one that is meant.
const DISTANCE_MAX: usize = 3;

/// Shortens the YAML reader's words about an unknown key, which list every key there is, to the one that was probably meant.
pub(super) fn told(words: &str) -> String {
    let Some((given, known)) = words
        .strip_prefix("unknown field `")
        .and_then(|rest| rest.split_once("`, expected one of "))
    else {
        return words.to_owned();
    };
    let known: Vec<&str> = known.split(", ").collect();
    let near = known.iter().map(|one| (distance(given, one), *one)).min();
    match near {
        Some((apart, meant)) if apart <= DISTANCE_MAX && apart < given.chars().count() => {
            format!("there is no key {given:?}; did you mean {meant}?")
        }
        Some(_) | None if known.len() > 12 => format!("there is no key {given:?}"),
        Some(_) | None => format!(
            "there is no key {given:?}; expected one of {}",
            known.join(", ")
        ),
    }
}

/// How many letters are to be changed, added or left out to come from one word to the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (at, expected) in other.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *expected);
            diagonal = row[at + 1];
            row[at + 1] = changed.min(diagonal + 1).min(row[at] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_that_was_meant_is_told() {
        let check = |given: &str, expected: &str| assert_eq!(told(given), expected);
        check(
            "unknown field `static_config`, expected one of job_name, static_configs, scheme",
            "there is no key \"static_config\"; did you mean static_configs?",
        );
        check(
            "unknown field `x`, expected one of targets, labels",
            "there is no key \"x\"; expected one of targets, labels",
        );
        check("unclosed quote", "unclosed quote");
    }
}
