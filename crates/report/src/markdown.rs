//! Documents as Markdown; what comes from outside is escaped so that it stays text.

use tocsin_domain::learn::ledger::EvidenceRef;

use crate::doc::{Block, Cell, Document, Sentence};

const EVIDENCE_HEADING: &str = "## Evidence";

pub(crate) fn render(document: &Document) -> String {
    let mut out = format!("# {}\n", escape(&document.title));
    for block in &document.opening {
        push(&mut out, block);
    }
    for section in &document.sections {
        out.push_str(&format!("\n## {}\n", section.heading));
        for block in &section.blocks {
            push(&mut out, block);
        }
    }
    if !document.evidence.is_empty() {
        let entries: Vec<String> = document
            .evidence
            .iter()
            .map(|(number, text)| format!("E{} {}", number.0, escape(text)))
            .collect();
        out.push_str(&format!(
            "\n{EVIDENCE_HEADING}\n\n{}.\n",
            entries.join("; ")
        ));
    }
    out
}

fn push(out: &mut String, block: &Block) {
    match block {
        Block::Heading(text) => out.push_str(&format!("\n### {text}\n")),
        Block::Paragraph(sentences) => out.push_str(&format!("\n{}\n", line(sentences))),
        Block::Bullets(bullets) => {
            out.push('\n');
            for bullet in bullets {
                out.push_str(&format!("- {}\n", line(bullet)));
            }
        }
        Block::Table { head, rows } => {
            out.push_str(&format!("\n| {} |\n", head.join(" | ")));
            out.push_str(&format!("|{}\n", " --- |".repeat(head.len())));
            for row in rows {
                let cells: Vec<String> = row.iter().map(cell).collect();
                out.push_str(&format!("| {} |\n", cells.join(" | ")));
            }
        }
        Block::Lines(lines) => {
            out.push('\n');
            for text in lines {
                // Indented code: nothing in it is interpreted, whatever signs it holds.
                out.push_str(&format!("    {text}\n"));
            }
        }
        Block::Picture(picture) => {
            if let Some(file) = &picture.file {
                out.push_str(&format!("\n![{}]({file})\n", escape(&picture.alt)));
            }
        }
    }
}

fn line(sentences: &[Sentence]) -> String {
    sentences.iter().map(sentence).collect::<Vec<_>>().join(" ")
}

fn sentence(sentence: &Sentence) -> String {
    let (text, end) = sentence.split_end();
    let lead = sentence
        .lead
        .as_ref()
        .map_or_else(String::new, |lead| format!("**{}** ", escape(lead)));
    format!("{lead}{}{}{end}", escape(text), marks(&sentence.cites))
}

fn cell(cell: &Cell) -> String {
    format!("{}{}", escape(&cell.text), marks(&cell.cites))
}

fn marks(cites: &[EvidenceRef]) -> String {
    if cites.is_empty() {
        return String::new();
    }
    let marks: String = cites
        .iter()
        .map(|cite| format!("[\\[E{}\\]](#evidence)", cite.0))
        .collect();
    format!(" {marks}")
}

/// Backslashes before every sign that Markdown or the HTML in it could take for markup.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' | '$' => {
                out.push('\\');
                out.push(character);
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // A bare address would become a link.
            ':' if out.ends_with("http") || out.ends_with("https") => out.push_str("&#58;"),
            other => out.push(other),
        }
    }
    if out.starts_with(['-', '+', '='])
        || out.starts_with(|c: char| c.is_ascii_digit()) && is_list_like(&out)
    {
        out.insert(0, '\u{200b}');
    }
    out
}

/// `1. text` would become a list.
fn is_list_like(text: &str) -> bool {
    text.trim_start_matches(|c: char| c.is_ascii_digit())
        .starts_with(['.', ')'])
}

/// Words of the title and the sections: pieces between spaces that hold a letter or a digit, without pictures, citation
/// marks and the list of evidence.
pub(crate) fn words(markdown: &str) -> usize {
    let text = markdown
        .split_once(&format!("\n{EVIDENCE_HEADING}\n"))
        .map_or(markdown, |(text, _)| text);
    text.lines()
        .filter(|line| !line.starts_with("!["))
        .flat_map(str::split_whitespace)
        .filter(|word| !word.starts_with("[\\[E"))
        .filter(|word| word.chars().any(char::is_alphanumeric))
        .count()
}
