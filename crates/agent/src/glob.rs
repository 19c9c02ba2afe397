//! Finds the files that a pattern of an `Include` names, the way Apache does (`fnmatch` in each part of the path).

use std::fs;
use std::path::{Path, PathBuf};

/// Files that one pattern may name.
const FILES_MAX: usize = 4_096;
/// Folders below an included folder.
const DEPTH_MAX: usize = 16;

/// The files a full path or pattern names, in alphabetical order; for a folder all files below it.
pub(crate) fn expand(pattern: &str) -> Vec<String> {
    let mut paths = vec![PathBuf::from("/")];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        paths = if part.contains(['*', '?', '[']) {
            paths
                .iter()
                .flat_map(|folder| matching(folder, part))
                .take(FILES_MAX)
                .collect()
        } else {
            paths.iter().map(|folder| folder.join(part)).collect()
        };
    }
    let mut files = Vec::new();
    for path in paths {
        gather(&path, 0, &mut files);
    }
    files
}

fn matching(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    // A hidden file is only named by a pattern that begins with a point.
    let shown = |name: &str| !name.starts_with('.') || pattern.starts_with('.');
    names(folder)
        .into_iter()
        .filter(|name| shown(name) && matches(pattern, name))
        .map(|name| folder.join(name))
        .collect()
}

/// Names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .take(FILES_MAX)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

fn gather(path: &Path, depth: usize, files: &mut Vec<String>) {
    let Ok(metadata) = fs::metadata(path) else {
        return;
    };
    if metadata.is_dir() && depth < DEPTH_MAX {
        for name in names(path) {
            gather(&path.join(name), depth + 1, files);
        }
    } else if metadata.is_file() && files.len() < FILES_MAX {
        files.extend(path.to_str().map(str::to_owned));
    }
}

/// Whether a name matches a pattern of `*`, `?` and `[...]`. The work is bounded by the product of their lengths.
fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut at, mut place) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while place < name.len() {
        if pattern.get(at) == Some(&'*') {
            retry = Some((at, place));
            at += 1;
        } else if let Some(next) = one(&pattern, at, name[place]) {
            at = next;
            place += 1;
        } else if let Some((star, taken)) = retry {
            retry = Some((star, taken + 1));
            at = star + 1;
            place = taken + 1;
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|symbol| *symbol == '*')
}

/// The place after the part of the pattern that takes this one character.
fn one(pattern: &[char], at: usize, symbol: char) -> Option<usize> {
    match pattern.get(at)? {
        '?' => Some(at + 1),
        '[' => {
            let close = at
                + 2
                + pattern
                    .get(at + 2..)?
                    .iter()
                    .position(|symbol| *symbol == ']')?;
            let inside = &pattern[at + 1..close];
            let (negated, set) = match inside.first() {
                Some('!' | '^') => (true, &inside[1..]),
                _ => (false, inside),
            };
            let mut found = false;
            let mut rest = set;
            while let Some(first) = rest.first() {
                if let (Some('-'), Some(last)) = (rest.get(1), rest.get(2)) {
                    found |= (*first..=*last).contains(&symbol);
                    rest = &rest[3..];
                } else {
                    found |= *first == symbol;
                    rest = &rest[1..];
                }
            }
            (found != negated).then_some(close + 1)
        }
        literal => (*literal == symbol).then_some(at + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_patterns_as_with_fnmatch() {
        let check = |pattern: &str, name: &str, expected: bool| {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        };
        check("*.conf", "a.conf", true);
        check("*.conf", "a.conf.bak", false);
        check("*.conf", ".conf", true);
        check("a?c", "abc", true);
        check("[0-9]*", "000-default", true);
        check("[!0-9]*", "000-default", false);
        check("[]x]", "]", true);
        check("[", "[", false);
        check("*a*b*c*", "xxaxxbxxc", true);
        check(&"*a".repeat(50), &"a".repeat(49), false);
    }

    #[test]
    fn a_pattern_names_files_in_order_and_a_folder_all_below_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_str().unwrap();
        for file in ["b.conf", "a.conf", "c.txt", ".d.conf"] {
            fs::write(folder.path().join(file), "").unwrap();
        }
        fs::create_dir(folder.path().join("e")).unwrap();
        fs::write(folder.path().join("e/f"), "").unwrap();
        let check = |pattern: &str, expected: &[&str]| {
            let expected: Vec<String> = expected
                .iter()
                .map(|file| format!("{root}/{file}"))
                .collect();
            assert_eq!(expand(&format!("{root}{pattern}")), expected, "{pattern}");
        };
        check("/*.conf", &["a.conf", "b.conf"]);
        check("/e", &["e/f"]);
        check("/*/f", &["e/f"]);
        check("/none", &[]);
        check("/*.none", &[]);
    }
}
