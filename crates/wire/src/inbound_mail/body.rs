//! The first readable text of a mail: its parts are walked through within limits, plain text goes before HTML.

use super::header::{Headers, line_end, parameter, trimmed};
use super::{TEXT_CHARS_MAX, charset, decode, html};

/// Levels of parts within parts.
const DEPTH_MAX: usize = 5;
/// Parts that are looked at.
const PARTS_MAX: usize = 50;
/// Bytes of one decoded part.
const DECODED_BYTES_MAX: usize = 128 * 1_024;
/// Bytes of a boundary (RFC 2046 has 70).
const BOUNDARY_BYTES_MAX: usize = 200;

#[derive(Default)]
struct Found {
    plain: Option<String>,
    html: Option<String>,
    parts: usize,
}

/// The text of a mail with these headers.
pub(super) fn text(headers: &Headers<'_>, content: &[u8]) -> String {
    let mut found = Found::default();
    walk(headers, content, 0, &mut found);
    let text = found.plain.or(found.html).unwrap_or_default();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let text: String = lines.join("\n").chars().take(TEXT_CHARS_MAX).collect();
    let unprintable = |one: char| one.is_control() && one != '\n' && one != '\t';
    text.replace(unprintable, " ").trim().to_owned()
}

fn walk(headers: &Headers<'_>, content: &[u8], depth: usize, found: &mut Found) {
    found.parts += 1;
    if depth > DEPTH_MAX || found.parts > PARTS_MAX || found.plain.is_some() {
        return;
    }
    let kind = headers.raw("content-type").unwrap_or_default();
    let name = kind
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    if name.starts_with("multipart/") {
        let boundary = parameter(&kind, "boundary").unwrap_or_default();
        if !boundary.is_empty() && boundary.len() <= BOUNDARY_BYTES_MAX {
            for part in parts(content, &boundary) {
                let (headers, content) = Headers::read(part);
                walk(&headers, content, depth + 1, found);
            }
        }
        return;
    }
    let placed = headers.raw("content-disposition").unwrap_or_default();
    if placed
        .trim_start()
        .to_ascii_lowercase()
        .starts_with("attachment")
    {
        return;
    }
    let is_html = name == "text/html";
    if !(is_html || name == "text/plain" || name.is_empty()) || (is_html && found.html.is_some()) {
        return;
    }
    let text = charset::decode(
        &parameter(&kind, "charset").unwrap_or_default(),
        &decoded(headers, content),
    );
    let text = if is_html { html::text(&text) } else { text };
    if text.trim().is_empty() {
        return;
    }
    if is_html {
        found.html = Some(text);
    } else {
        found.plain = Some(text);
    }
}

fn decoded(headers: &Headers<'_>, content: &[u8]) -> Vec<u8> {
    let encoding = headers.raw("content-transfer-encoding").unwrap_or_default();
    match encoding.trim().to_ascii_lowercase().as_str() {
        "base64" => decode::base64(content, DECODED_BYTES_MAX),
        "quoted-printable" => decode::quoted(content, DECODED_BYTES_MAX),
        _ => content[..content.len().min(DECODED_BYTES_MAX)].to_vec(),
    }
}

/// What stands between the lines with the boundary, no more than is looked at.
fn parts<'m>(content: &'m [u8], boundary: &str) -> Vec<&'m [u8]> {
    let mark = format!("--{boundary}");
    let mut parts = Vec::new();
    let (mut begin, mut at) = (None, 0);
    while at < content.len() && parts.len() < PARTS_MAX {
        let end = line_end(content, at);
        let line = trimmed(&content[at..end]);
        if let Some(after) = line.strip_prefix(mark.as_bytes()) {
            let closes = after.starts_with(b"--");
            if closes || after.iter().all(u8::is_ascii_whitespace) {
                parts.extend(begin.map(|begin| &content[begin..at]));
                begin = Some(end);
                if closes {
                    return parts;
                }
            }
        }
        at = end;
    }
    // A mail that was cut off is still read.
    if parts.len() < PARTS_MAX {
        parts.extend(begin.map(|begin| &content[begin..]));
    }
    parts
}
