//! HTML as plain text, for mails that have nothing else. It understands no more than where lines end; nothing is ever rendered.

/// Elements whose content nobody reads.
const SILENT: &[&str] = &["script", "style", "head", "title"];
/// Elements that end a line.
const BLOCKS: &[&str] = &[
    "br", "p", "div", "tr", "li", "table", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "pre",
    "hr",
];
/// Characters of an entity.
const ENTITY_CHARS_MAX: usize = 10;

/// The readable text of HTML.
pub(super) fn text(html: &str) -> String {
    let mut out = String::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        unescape(&rest[..at], &mut out);
        let tag = &rest[at..];
        if let Some(comment) = tag.strip_prefix("<!--") {
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
            continue;
        }
        let Some((inside, after)) = tag[1..].split_once('>') else {
            // No tag ends any more: the rest is text.
            unescape(tag, &mut out);
            return squeezed(&out);
        };
        let name: String = inside
            .trim_start_matches('/')
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .take(ENTITY_CHARS_MAX)
            .collect::<String>()
            .to_ascii_lowercase();
        if BLOCKS.contains(&name.as_str()) {
            out.push('\n');
        } else if matches!(name.as_str(), "td" | "th") {
            out.push(' ');
        }
        rest = if SILENT.contains(&name.as_str()) && !inside.starts_with('/') {
            after_end_of(&name, after)
        } else {
            after
        };
    }
    unescape(rest, &mut out);
    squeezed(&out)
}

/// What comes after the end of an element; all of it is passed over when it does not end.
fn after_end_of<'h>(name: &str, html: &'h str) -> &'h str {
    let mut rest = html;
    while let Some((_, after)) = rest.split_once("</") {
        let is_it = after
            .get(..name.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(name));
        if is_it {
            return after.split_once('>').map_or("", |(_, after)| after);
        }
        rest = after;
    }
    ""
}

fn unescape(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let entity = &rest[at + 1..];
        let end = entity
            .char_indices()
            .take(ENTITY_CHARS_MAX)
            .find(|(_, character)| *character == ';');
        match end.and_then(|(end, _)| Some((meaning(&entity[..end])?, end))) {
            Some((character, end)) => {
                out.push(character);
                rest = &entity[end + 1..];
            }
            None => {
                out.push('&');
                rest = entity;
            }
        }
    }
    out.push_str(rest);
}

fn meaning(entity: &str) -> Option<char> {
    match entity {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some(' '),
        _ => {
            let number = entity.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

/// One blank for many, and no more than one empty line.
fn squeezed(text: &str) -> String {
    let mut out = String::new();
    let mut empty = true;
    for line in text.lines() {
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        if line.is_empty() && empty {
            continue;
        }
        empty = line.is_empty();
        out.push_str(&line);
        out.push('\n');
    }
    out
}
