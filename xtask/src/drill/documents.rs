//! Fetches the postmortem in all its forms and keeps it where the drill's work directory cannot take it away.

use std::fs;
use std::path::PathBuf;

use super::api::Api;
use super::tocsin::Tocsin;
use crate::failure::{Because, Outcome};
use crate::places;

/// File, format and length of each document.
const DOCUMENTS: [(&str, &str, &str); 6] = [
    ("postmortem-brief.md", "markdown", "brief"),
    ("postmortem-brief.html", "html", "brief"),
    ("postmortem.md", "markdown", "full"),
    ("postmortem.html", "html", "full"),
    ("postmortem.json", "json", "full"),
    ("chain.svg", "svg", "full"),
];

pub(crate) struct Written {
    pub(crate) dir: PathBuf,
    pub(crate) brief_words: usize,
}

/// Writes every document under `target/drill/WORD`.
pub(crate) fn write(api: &Api, incident: &str, word: &str) -> Outcome<Written> {
    let dir = places::target().join("drill").join(word);
    fs::create_dir_all(&dir).because(format!("making {}", dir.display()))?;
    let mut brief_words = 0;
    for (name, format, length) in DOCUMENTS {
        let path = format!("/incidents/{incident}/postmortem?format={format}&length={length}");
        let document = api.document(&path)?;
        if name == "postmortem-brief.md" {
            brief_words = words(&String::from_utf8_lossy(&document));
        }
        let file = dir.join(name);
        fs::write(&file, document).because(format!("writing {}", file.display()))?;
    }
    Ok(Written { dir, brief_words })
}

/// Keeps Tocsin's log of a drill that failed, and says where.
pub(crate) fn keep_log(tocsin: &Tocsin, word: &str) -> String {
    let dir = places::target().join("drill").join(word);
    let kept = dir.join("tocsin.log");
    match fs::create_dir_all(&dir).and_then(|()| fs::copy(&tocsin.log, &kept)) {
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
