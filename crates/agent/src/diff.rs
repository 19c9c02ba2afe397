//! The difference of two texts as a person reads it, with the values of secrets masked; it knows nothing of files.

/// Lines shown before and after a change.
const CONTEXT: usize = 3;
/// Cells of the table of common lines; larger changes are shown as one block.
const TABLE_CELLS_MAX: usize = 4_000_000;
/// Bytes of a difference that are kept.
pub(crate) const DIFF_BYTES_MAX: usize = 4 * 1_024;
const CUT_MARK: &str = "\\ the rest of this difference is not shown\n";
const MASK: &str = "***";
/// Parts of names whose values are secret.
const SECRET_NAMES: [&str; 9] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "api_key",
    "credential",
    "authorization",
];

/// One line of the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step<'a> {
    Same(&'a str),
    Gone(&'a str),
    New(&'a str),
}

/// A unified difference of two versions of the file at `path`; empty when they are equal.
pub(crate) fn unified(path: &str, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    let old = mask_secrets(before);
    let new = mask_secrets(after);
    let mut text = format!("--- {path}\n+++ {path}\n");
    if old == new {
        text.push_str("\\ only the value of a secret or the end of the file changed\n");
        return text;
    }
    let steps = compare(&old, &new);
    for hunk in hunks(&steps) {
        text.push_str(&hunk);
        if text.len() > DIFF_BYTES_MAX {
            text.truncate(text.floor_char_boundary(DIFF_BYTES_MAX - CUT_MARK.len()));
            text.truncate(text.rfind('\n').map_or(0, |end| end + 1));
            text.push_str(CUT_MARK);
            break;
        }
    }
    text
}

/// Equal lines at both ends, and the longest common ones between.
fn compare<'a>(old: &'a [String], new: &'a [String]) -> Vec<Step<'a>> {
    let same_start = old
        .iter()
        .zip(new)
        .take_while(|(old, new)| old == new)
        .count();
    let (old_rest, new_rest) = (&old[same_start..], &new[same_start..]);
    let same_end = old_rest
        .iter()
        .rev()
        .zip(new_rest.iter().rev())
        .take_while(|(old, new)| old == new)
        .count();
    let old_middle = &old_rest[..old_rest.len() - same_end];
    let new_middle = &new_rest[..new_rest.len() - same_end];
    let mut steps: Vec<Step<'_>> = old[..same_start]
        .iter()
        .map(|line| Step::Same(line))
        .collect();
    steps.extend(compare_middle(old_middle, new_middle));
    steps.extend(
        old[old.len() - same_end..]
            .iter()
            .map(|line| Step::Same(line)),
    );
    steps
}

fn compare_middle<'a>(old: &'a [String], new: &'a [String]) -> Vec<Step<'a>> {
    let block = || {
        old.iter()
            .map(|line| Step::Gone(line))
            .chain(new.iter().map(|line| Step::New(line)))
    };
    let width = new.len() + 1;
    if (old.len() + 1).saturating_mul(width) > TABLE_CELLS_MAX {
        return block().collect();
    }
    // How many lines the rests have in common, from each place on.
    let mut common = vec![0_u32; (old.len() + 1) * width];
    for row in (0..old.len()).rev() {
        for column in (0..new.len()).rev() {
            common[row * width + column] = if old[row] == new[column] {
                common[(row + 1) * width + column + 1] + 1
            } else {
                common[(row + 1) * width + column].max(common[row * width + column + 1])
            };
        }
    }
    let mut steps = Vec::new();
    let (mut row, mut column) = (0, 0);
    while row < old.len() || column < new.len() {
        let here = |row: usize, column: usize| common[row * width + column];
        if row < old.len() && column < new.len() && old[row] == new[column] {
            steps.push(Step::Same(&old[row]));
            row += 1;
            column += 1;
        } else if column == new.len()
            || (row < old.len() && here(row + 1, column) >= here(row, column + 1))
        {
            steps.push(Step::Gone(&old[row]));
            row += 1;
        } else {
            steps.push(Step::New(&new[column]));
            column += 1;
        }
    }
    steps
}

fn hunks(steps: &[Step<'_>]) -> Vec<String> {
    let changed: Vec<usize> = steps
        .iter()
        .enumerate()
        .filter(|(_, step)| !matches!(step, Step::Same(_)))
        .map(|(place, _)| place)
        .collect();
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for place in changed {
        let (from, to) = (
            place.saturating_sub(CONTEXT),
            (place + CONTEXT + 1).min(steps.len()),
        );
        match ranges.last_mut() {
            Some(last) if from <= last.1 => last.1 = to,
            _ => ranges.push((from, to)),
        }
    }
    ranges
        .into_iter()
        .map(|(from, to)| hunk(steps, from, to))
        .collect()
}

fn hunk(steps: &[Step<'_>], from: usize, to: usize) -> String {
    let lines = |steps: &[Step<'_>]| {
        let old = steps
            .iter()
            .filter(|step| !matches!(step, Step::New(_)))
            .count();
        let new = steps
            .iter()
            .filter(|step| !matches!(step, Step::Gone(_)))
            .count();
        (old, new)
    };
    let ((old_before, new_before), (old, new)) = (lines(&steps[..from]), lines(&steps[from..to]));
    let start = |before: usize, count: usize| if count == 0 { before } else { before + 1 };
    let mut text = format!(
        "@@ -{},{old} +{},{new} @@\n",
        start(old_before, old),
        start(new_before, new)
    );
    for step in &steps[from..to] {
        let (mark, line) = match step {
            Step::Same(line) => (' ', line),
            Step::Gone(line) => ('-', line),
            Step::New(line) => ('+', line),
        };
        text.push(mark);
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// The lines of a configuration with the values behind names of secrets masked, also where a line is continued.
fn mask_secrets(text: &str) -> Vec<String> {
    let mut is_continued = false;
    text.lines()
        .map(|line| {
            let (masked, is_secret) = if is_continued {
                (MASK.to_owned(), true)
            } else {
                mask_line(line)
            };
            is_continued = is_secret && line.ends_with('\\');
            masked
        })
        .collect()
}

/// The line with its secrets masked, and whether there were any behind a name.
fn mask_line(line: &str) -> (String, bool) {
    let mut kept = String::with_capacity(line.len());
    for piece in line.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end();
        let lower = word.to_ascii_lowercase();
        let names_secret = SECRET_NAMES.iter().any(|name| lower.contains(name))
            || lower.ends_with("key")
            || lower.contains("pass=");
        if names_secret && !word.starts_with('/') {
            // `name=value` holds its value itself.
            let name = lower.find('=').map_or(word, |equals| &word[..=equals]);
            kept.push_str(name);
            let rest = line.get(kept.len()..).unwrap_or_default();
            let value = rest.trim_start();
            if value.is_empty() || value == "\\" {
                return (line.to_owned(), true);
            }
            // A path is where a secret lies, not the secret.
            if value.trim_matches('"').starts_with('/') && name.len() == word.len() {
                return (line.to_owned(), false);
            }
            kept.push_str(&rest[..rest.len() - value.len()]);
            kept.push_str(MASK);
            return (kept, true);
        }
        kept.push_str(piece);
    }
    (mask_url(&kept), false)
}

/// `https://user:password@host` without the password.
fn mask_url(line: &str) -> String {
    let Some((scheme, rest)) = line.split_once("://") else {
        return line.to_owned();
    };
    let end = rest
        .find(|symbol: char| symbol == '/' || symbol.is_whitespace())
        .unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://{MASK}{}", &rest[at..]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_change_is_shown_with_its_neighbours() {
        let before = "a\nb\nc\nd\ne\nf\ng\nh\n";
        let after = "a\nb\nc\nd\nE\nf\ng\nh\n";
        let expected = "--- /x\n+++ /x\n@@ -2,7 +2,7 @@\n b\n c\n d\n-e\n+E\n f\n g\n h\n";
        assert_eq!(unified("/x", before, after), expected);
        assert_eq!(unified("/x", before, before), "");
    }

    #[test]
    fn a_new_and_a_removed_file_are_all_new_and_all_gone() {
        assert_eq!(
            unified("/x", "", "a\n"),
            "--- /x\n+++ /x\n@@ -0,0 +1,1 @@\n+a\n"
        );
        assert_eq!(
            unified("/x", "a\n", ""),
            "--- /x\n+++ /x\n@@ -1,1 +0,0 @@\n-a\n"
        );
    }

    #[test]
    fn secrets_are_masked_and_paths_are_not() {
        let check = |line: &str, expected: &str| assert_eq!(mask_line(line).0, expected);
        check("AuthLDAPBindPassword hunter2", "AuthLDAPBindPassword ***");
        check("  SetEnv DB_PASSWORD \"a b\"", "  SetEnv DB_PASSWORD ***");
        check(
            "DBDParams \"host=db pass=x\"",
            "DBDParams \"host=db pass=***",
        );
        check(
            "SSLCertificateKeyFile /etc/ssl/private/a.key",
            "SSLCertificateKeyFile /etc/ssl/private/a.key",
        );
        check(
            "RequestHeader set Authorization \"Basic eA==\"",
            "RequestHeader set Authorization ***",
        );
        check(
            "ProxyPass / http://u:p@backend/",
            "ProxyPass / http://***@backend/",
        );
        check("MaxRequestWorkers 150", "MaxRequestWorkers 150");
        assert_eq!(
            mask_secrets("SetEnv TOKEN \\\n  abc\nListen 80"),
            ["SetEnv TOKEN \\", "***", "Listen 80"]
        );
    }

    #[test]
    fn a_long_difference_is_cut_and_says_so() {
        let after: String = (0..2_000).map(|line| format!("line {line}\n")).collect();
        let text = unified("/x", "", &after);
        assert!(text.len() <= DIFF_BYTES_MAX && text.ends_with(CUT_MARK));
    }

    proptest! {
        #[test]
        fn the_steps_rebuild_both_texts(old in "[abc\n]{0,60}", new in "[abc\n]{0,60}") {
            let (old, new) = (mask_secrets(&old), mask_secrets(&new));
            let steps = compare(&old, &new);
            let left: Vec<&str> = steps.iter().filter_map(|step| match step {
                Step::Same(line) | Step::Gone(line) => Some(*line),
                Step::New(_) => None,
            }).collect();
            let right: Vec<&str> = steps.iter().filter_map(|step| match step {
                Step::Same(line) | Step::New(line) => Some(*line),
                Step::Gone(_) => None,
            }).collect();
            prop_assert_eq!(left, old.iter().map(String::as_str).collect::<Vec<_>>());
            prop_assert_eq!(right, new.iter().map(String::as_str).collect::<Vec<_>>());
        }

        #[test]
        fn no_text_makes_it_panic(old in ".{0,80}", new in ".{0,80}") {
            prop_assert!(unified("/x", &old, &new).len() <= DIFF_BYTES_MAX);
        }
    }
}
