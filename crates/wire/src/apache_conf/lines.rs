//! The surface of Apache's configuration language: continued lines, comments, quotes, `${variables}`; no directive.

use std::collections::BTreeMap;

/// The lines of a file after joining continued ones, with the number of the first; without comments and empty lines.
pub(super) fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut begun: Option<(usize, String)> = None;
    for (index, line) in text.lines().enumerate() {
        let (number, mut joined) = begun.take().unwrap_or((index + 1, String::new()));
        match line.strip_suffix('\\') {
            Some(part) => {
                joined.push_str(part);
                begun = Some((number, joined));
            }
            None => {
                joined.push_str(line);
                keep(&mut lines, number, &joined);
            }
        }
    }
    if let Some((number, joined)) = begun {
        keep(&mut lines, number, &joined);
    }
    lines
}

fn keep(lines: &mut Vec<(usize, String)>, number: usize, line: &str) {
    let line = line.trim();
    if !line.is_empty() && !line.starts_with('#') {
        lines.push((number, line.to_owned()));
    }
}

/// Bytes of a line that variables may make of it. Apache's own limit is 8 KiB; variables that hold each other several times
/// would double with every line.
const SUBSTITUTED_BYTES_MAX: usize = 16 * 1_024;

/// A line after its variables were replaced.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Substituted {
    pub(super) line: String,
    /// Names that are not defined, which stay as they are.
    pub(super) unknown: Vec<String>,
    /// Whether values were left out because the line became too long.
    pub(super) is_cut: bool,
}

/// The line with each `${NAME}` replaced.
pub(super) fn substitute(line: &str, variables: &BTreeMap<String, String>) -> Substituted {
    let mut out = String::new();
    let mut unknown = Vec::new();
    let mut is_cut = false;
    let mut rest = line;
    while let Some(start) = rest.find("${") {
        let (before, from) = rest.split_at(start);
        out.push_str(before);
        let Some(end) = from.find('}') else {
            rest = from;
            break;
        };
        let name = &from[2..end];
        match variables.get(name) {
            Some(value) if out.len() + value.len() <= SUBSTITUTED_BYTES_MAX => out.push_str(value),
            Some(_) => is_cut = true,
            None => {
                out.push_str(&from[..=end]);
                unknown.push(name.to_owned());
            }
        }
        rest = &from[end + 1..];
    }
    out.push_str(rest);
    Substituted {
        line: out,
        unknown,
        is_cut,
    }
}

/// The words of a line. Single and double quotes hold a word together; inside, a backslash protects the quote or a backslash.
pub(super) fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut symbols = line.chars().peekable();
    loop {
        while symbols.next_if(|symbol| symbol.is_whitespace()).is_some() {}
        let Some(first) = symbols.peek().copied() else {
            return words;
        };
        let quote = (first == '"' || first == '\'').then_some(first);
        if quote.is_some() {
            symbols.next();
        }
        let mut word = String::new();
        while let Some(symbol) = symbols.next() {
            let ends = quote.map_or(symbol.is_whitespace(), |quote| symbol == quote);
            if ends {
                break;
            }
            let protected = symbols
                .peek()
                .copied()
                .filter(|next| *next == '\\' || Some(*next) == quote);
            if symbol == '\\'
                && let Some(next) = protected
            {
                symbols.next();
                word.push(next);
            } else {
                word.push(symbol);
            }
        }
        words.push(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_joined_and_comments_dropped() {
        let text = "# a comment \\\nthat goes on\n  Listen \\\n  80 \n\n#x\r\nUser www\r\nlast\\";
        let expected = [
            (3, "Listen   80".to_owned()),
            (7, "User www".to_owned()),
            (8, "last".to_owned()),
        ];
        assert_eq!(logical_lines(text), expected);
    }

    #[track_caller]
    fn check_words(line: &str, expected: &[&str]) {
        assert_eq!(words(line), expected, "{line}");
    }

    #[test]
    fn words_are_split_as_apache_does() {
        check_words(
            "CustomLog logs/access_log  combined",
            &["CustomLog", "logs/access_log", "combined"],
        );
        check_words(
            r#"LogFormat "%h \"%r\" \\ %t" common"#,
            &["LogFormat", r#"%h "%r" \ %t"#, "common"],
        );
        check_words(r#"A 'it is "so"' "" x"#, &["A", "it is \"so\"", "", "x"]);
        check_words(r#"A "never closed"#, &["A", "never closed"]);
        check_words(
            r"RewriteRule ^/a\.b$ C:\x",
            &["RewriteRule", r"^/a\.b$", r"C:\x"],
        );
        check_words("", &[]);
    }

    #[test]
    fn variables_are_replaced_and_unknown_ones_named() {
        let variables = BTreeMap::from([("DIR".to_owned(), "/var/log".to_owned())]);
        let done = substitute("ErrorLog ${DIR}/error${SUFFIX}.log ${open", &variables);
        assert_eq!(done.line, "ErrorLog /var/log/error${SUFFIX}.log ${open");
        assert_eq!(done.unknown, ["SUFFIX"]);
        assert!(!done.is_cut);
    }
}
