//! Fetches the postmortem in all its forms and keeps it where the drill's work directory cannot take it away.

use std::fs;
use std::path::Path;

use super::api::Api;
use super::tocsin::Tocsin;
use crate::failure::{Because, Outcome};

/// File, format and length of each document.
const DOCUMENTS: [(&str, &str, &str); 6] = [
    ("postmortem-brief.md", "markdown", "brief"),
    ("postmortem-brief.html", "html", "brief"),
    ("postmortem.md", "markdown", "full"),
    ("postmortem.html", "html", "full"),
    ("postmortem.json", "json", "full"),
    ("chain.svg", "svg", "full"),
];

/// Writes every document into `dir`, and counts the words of the brief.
pub(crate) fn write(api: &Api, incident: &str, dir: &Path) -> Outcome<usize> {
    let mut brief_words = 0;
    for (name, format, length) in DOCUMENTS {
        let path = format!("/incidents/{incident}/postmortem?format={format}&length={length}");
        let document = api.document(&path)?;
        if name == "postmortem-brief.md" {
            brief_words = words(&String::from_utf8_lossy(&document));
        }
        keep(&dir.join(name), document)?;
    }
    Ok(brief_words)
}

/// Writes one file, in a directory that need not be there yet.
pub(crate) fn keep(file: &Path, content: impl AsRef<[u8]>) -> Outcome<()> {
    if let Some(dir) = file.parent() {
        fs::create_dir_all(dir).because(format!("making {}", dir.display()))?;
    }
    fs::write(file, content).because(format!("writing {}", file.display()))
}

/// Keeps Tocsin's log of a drill that failed, and says where.
pub(crate) fn keep_log(tocsin: &Tocsin, dir: &Path) -> String {
    let kept = dir.join("tocsin.log");
    match fs::create_dir_all(dir).and_then(|()| fs::copy(&tocsin.log, &kept)) {
        Ok(_) => kept.display().to_string(),
        Err(error) => format!("it could not be kept: {error}"),
    }
}

/// Words of a text: what stands between blanks and has a letter or a digit in it.
fn words(text: &str) -> usize {
    text.split_whitespace()
        .filter(|word| word.chars().any(char::is_alphanumeric))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_the_format_are_no_words() {
        assert_eq!(words("# Issue Summary\n\n- 07:12 UTC | down\n---\n"), 5);
    }
}
