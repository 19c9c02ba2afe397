//! The name that somebody most likely meant by a name that does not exist. It knows no configuration.

/// Names longer than this are nobody's typing mistake.
const LENGTH_MAX: usize = 64;

/// The one of `known` that is nearest to `given`, if any is near: case and the kind of dash do not count, and about a third of
/// the letters may be wrong.
pub(super) fn nearest<'a>(
    given: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let given = folded(given);
    if given.is_empty() || given.len() > LENGTH_MAX {
        return None;
    }
    let near = known.into_iter().filter_map(|name| {
        let wrong = distance(&given, &folded(name));
        let allowed = (name.chars().count().min(given.len()) / 3).max(1);
        (wrong <= allowed).then_some((wrong, name))
    });
    near.min().map(|(_, name)| name)
}

fn folded(name: &str) -> Vec<char> {
    name.chars()
        .take(LENGTH_MAX + 1)
        .map(|letter| {
            if letter == '-' {
                '_'
            } else {
                letter.to_ascii_lowercase()
            }
        })
        .collect()
}

/// How many letters must be put in, taken out, changed or swapped with their neighbour.
fn distance(one: &[char], other: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, against) in other.iter().enumerate() {
            let changed = last[column] + usize::from(letter != against);
            let mut best = changed.min(last[column + 1] + 1).min(current[column] + 1);
            let swapped =
                row > 0 && column > 0 && *letter == other[column - 1] && one[row - 1] == *against;
            if swapped {
                best = best.min(before_last[column - 1] + 1);
            }
            current.push(best);
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(given: &str, expected: Option<&str>) {
        let known = [
            "listen",
            "data",
            "public_url",
            "key_file",
            "behind_proxy",
            "retention",
        ];
        assert_eq!(nearest(given, known), expected, "{given}");
    }

    #[test]
    fn typing_mistakes_find_the_name_that_was_meant() {
        check("lisen", Some("listen"));
        check("lsiten", Some("listen"));
        check("Listen", Some("listen"));
        check("public-url", Some("public_url"));
        check("publicurl", Some("public_url"));
        check("retentions", Some("retention"));
        check("dta", Some("data"));
    }

    #[test]
    fn other_words_find_none() {
        check("colour", None);
        check("", None);
        check("xxxx", None);
        check(&"listen".repeat(100), None);
    }
}
