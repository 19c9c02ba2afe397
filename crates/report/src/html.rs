//! Documents as one HTML file: style inside, pictures inside, no script; every text is escaped.

use std::fmt::Write as _;

use tocsin_domain::learn::facts::Facts;
use tocsin_domain::learn::ledger::EvidenceRef;

use crate::doc::{Block, Cell, Document, Picture, Sentence};
use crate::svg::escape;

const STYLE: &str = include_str!("report.css");

pub(crate) fn render(document: &Document, facts: &Facts) -> String {
    let title = escape(&document.title);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<header>\n<h1>{}</h1>\n<p class=\"tags\">",
        heading(&document.title)
    );
    for tag in &document.tags {
        let _ = write!(out, "<span>{}</span>", escape(tag));
    }
    out.push_str("</p>\n</header>\n");
    for block in &document.opening {
        push(&mut out, block);
    }
    for section in &document.sections {
        let _ = write!(out, "<section>\n<h2>{}</h2>\n", section.heading);
        for block in &section.blocks {
            push(&mut out, block);
        }
        out.push_str("</section>\n");
    }
    evidence(&mut out, document);
    let _ = writeln!(
        out,
        "<footer>Written by Tocsin {} from the frozen evidence of incident {}. The same evidence gives the same report.</footer>",
        escape(&facts.tocsin_version),
        facts.identity.number
    );
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

/// The title, its names and dates unbroken at their hyphens.
fn heading(title: &str) -> String {
    let words = title.split(' ').map(|word| {
        let short = word.contains('-') && word.chars().count() <= 24;
        let word = escape(word);
        if short {
            format!("<span class=\"whole\">{word}</span>")
        } else {
            word
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

fn push(out: &mut String, block: &Block) {
    match block {
        Block::Heading(text) => {
            let _ = writeln!(out, "<h3>{text}</h3>");
        }
        Block::Paragraph(sentences) => {
            let _ = writeln!(out, "<p>{}</p>", line(sentences));
        }
        Block::Bullets(bullets) => {
            out.push_str("<ul>\n");
            for bullet in bullets {
                let _ = writeln!(out, "<li>{}</li>", line(bullet));
            }
            out.push_str("</ul>\n");
        }
        Block::Table { head, rows } => table(out, head, rows),
        Block::Lines(lines) => {
            let lines: Vec<String> = lines.iter().map(|line| escape(line)).collect();
            let _ = writeln!(out, "<pre tabindex=\"0\">{}</pre>", lines.join("\n"));
        }
        Block::Picture(picture) => figure(out, picture),
    }
}

fn table(out: &mut String, head: &[&str], rows: &[Vec<Cell>]) {
    out.push_str("<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr>");
    for title in head {
        let _ = write!(out, "<th scope=\"col\">{title}</th>");
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for cell in row {
            let _ = write!(out, "<td>{}{}</td>", escape(&cell.text), marks(&cell.cites));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
}

fn figure(out: &mut String, picture: &Picture) {
    match &picture.narrow_svg {
        Some(narrow) => {
            let _ = writeln!(
                out,
                "<figure><div class=\"wide\">{}</div><div class=\"narrow\">{}</div></figure>",
                picture.svg.trim_end(),
                narrow.trim_end()
            );
        }
        None => {
            let _ = writeln!(
                out,
                "<figure class=\"small\">{}</figure>",
                picture.svg.trim_end()
            );
        }
    }
}

fn line(sentences: &[Sentence]) -> String {
    sentences.iter().map(sentence).collect::<Vec<_>>().join(" ")
}

fn sentence(sentence: &Sentence) -> String {
    let (text, end) = sentence.split_end();
    let lead = sentence.lead.as_ref().map_or_else(String::new, |lead| {
        format!("<strong>{}</strong> ", escape(lead))
    });
    format!(
        "{lead}{}{}{end}",
        glue(&escape(text)),
        marks(&sentence.cites)
    )
}

/// Keeps a number and its unit on one line.
fn glue(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (index, word) in text.split(' ').enumerate() {
        let bare = word.trim_end_matches([',', '.', ';', ':', ')']);
        let is_unit = matches!(bare, "s" | "ms" | "min" | "h" | "d" | "UTC" | "%");
        if index > 0 {
            out.push_str(if is_unit && out.ends_with(|c: char| c.is_ascii_digit()) {
                "\u{a0}"
            } else {
                " "
            });
        }
        out.push_str(word);
    }
    out
}

fn marks(cites: &[EvidenceRef]) -> String {
    if cites.is_empty() {
        return String::new();
    }
    let marks: String = cites
        .iter()
        .map(|cite| format!("<a href=\"#e{0}\">E{0}</a>", cite.0))
        .collect();
    format!("<sup class=\"cite\">{marks}</sup>")
}

fn evidence(out: &mut String, document: &Document) {
    if document.evidence.is_empty() {
        return;
    }
    out.push_str("<section class=\"evidence\">\n<h2 id=\"evidence\">Evidence</h2>\n<ol>\n");
    for (number, text) in &document.evidence {
        let _ = writeln!(
            out,
            "<li id=\"e{0}\"><b>E{0}</b> {1}</li>",
            number.0,
            escape(text)
        );
    }
    out.push_str("</ol>\n</section>\n");
}
