//! Finds the files that a pattern names: `*`, `?` and `[...]` in any part of a path. It reads no file.

use std::path::{Path, PathBuf};

/// Paths that one pattern may name.
const PATHS_MAX: usize = 10_000;

/// Whether anything in it stands for more than itself.
pub(super) fn is_pattern(path: &Path) -> bool {
    path.to_string_lossy().contains(['*', '?', '['])
}

/// The files that a path or pattern names, sorted.
pub(super) fn files(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let text = part.as_os_str().to_string_lossy();
        found = if text.contains(['*', '?', '[']) {
            found
                .iter()
                .flat_map(|folder| matching(folder, &text))
                .take(PATHS_MAX)
                .collect()
        } else {
            found.iter().map(|folder| folder.join(part)).collect()
        };
    }
    found.retain(|path| path.is_file());
    found.sort();
    found
}

fn matching(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    let shown = |name: &str| !name.starts_with('.') || pattern.starts_with('.');
    let place = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let entries = std::fs::read_dir(place).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| shown(name) && matches(pattern, name))
        .map(|name| folder.join(name))
        .collect()
}

/// Whether a name fits a pattern; in time of the product of their lengths.
fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        if pattern.get(p) == Some(&'*') {
            star = Some((p, n));
            p += 1;
            continue;
        }
        if let Some(length) = one(&pattern[p..], name[n]) {
            p += length;
            n += 1;
            continue;
        }
        let Some((at, from)) = star else {
            return false;
        };
        star = Some((at, from + 1));
        p = at + 1;
        n = from + 1;
    }
    pattern[p..].iter().all(|one| *one == '*')
}

/// How much of the pattern stands for this letter; none when it does not.
fn one(pattern: &[char], letter: char) -> Option<usize> {
    match pattern.first()? {
        '?' => Some(1),
        '[' => set(pattern, letter),
        same => (*same == letter).then_some(1),
    }
}

fn set(pattern: &[char], letter: char) -> Option<usize> {
    let negated = matches!(pattern.get(1), Some('^' | '!'));
    let first = 1 + usize::from(negated);
    let end = first
        + 1
        + pattern
            .get(first + 1..)?
            .iter()
            .position(|one| *one == ']')?;
    let mut inside = &pattern[first..end];
    let mut is_in = false;
    while let Some(from) = inside.first() {
        if let [_, '-', to, ..] = inside {
            is_in |= (*from..=*to).contains(&letter);
            inside = &inside[3..];
        } else {
            is_in |= *from == letter;
            inside = &inside[1..];
        }
    }
    (is_in != negated).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_names() {
        for (pattern, name, expected) in [
            ("*.yml", "a.yml", true),
            ("*.yml", "a.yaml", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[!a-c]x", "dx", true),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b", "xxaxxbxx", false),
            ("[", "[", false),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
        assert!(!matches(&"*a".repeat(50), &"a".repeat(40)));
    }

    #[test]
    fn files_of_any_part_of_a_path_are_found_in_order() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b/2.yml", "b/1.yml", "a/3.yml", "a/4.txt", "a/.5.yml"] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let found = files(&folder.path().join("*/*.yml"));
        let names: Vec<String> = found
            .iter()
            .map(|path| {
                path.strip_prefix(folder.path())
                    .unwrap()
                    .display()
                    .to_string()
            })
            .collect();
        assert_eq!(names, ["a/3.yml", "b/1.yml", "b/2.yml"]);
        assert_eq!(files(&folder.path().join("a/4.txt")).len(), 1);
        assert!(files(&folder.path().join("nothing")).is_empty());
    }
}
