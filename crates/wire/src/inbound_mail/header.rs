//! Headers of a mail or of a part: found, unfolded, and decoded where they are encoded words (RFC 2047).

use super::charset;
use super::decode;

/// Headers that are looked at.
const HEADERS_MAX: usize = 200;
/// Bytes of one header with all its lines.
const HEADER_BYTES_MAX: usize = 8 * 1_024;
/// Bytes of one encoded word.
const WORD_BYTES_MAX: usize = 1_500;
/// Bytes of one message id.
const ID_BYTES_MAX: usize = 250;

/// The headers, each with its raw bytes.
pub(super) struct Headers<'m>(Vec<(String, &'m [u8])>);

impl<'m> Headers<'m> {
    /// The headers at the beginning of `bytes`, and what comes after the empty line.
    pub(super) fn read(bytes: &'m [u8]) -> (Self, &'m [u8]) {
        let mut headers: Vec<(String, &'m [u8])> = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let end = header_end(rest);
            let (header, after) = rest.split_at(end);
            rest = after;
            let line = trimmed(header);
            if line.is_empty() {
                break;
            }
            let Some(colon) = line.iter().position(|byte| *byte == b':') else {
                continue;
            };
            let name = String::from_utf8_lossy(&line[..colon])
                .trim()
                .to_ascii_lowercase();
            if headers.len() < HEADERS_MAX {
                let value = &line[colon + 1..];
                headers.push((name, &value[..value.len().min(HEADER_BYTES_MAX)]));
            }
        }
        (Self(headers), rest)
    }

    fn bytes(&self, name: &str) -> Option<&'m [u8]> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| *value)
    }

    /// The first of that name, in one line, as it was sent.
    pub(super) fn raw(&self, name: &str) -> Option<String> {
        self.bytes(name).map(unfolded)
    }

    /// The first of that name, in one line, decoded.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.bytes(name).map(|value| decoded(&unfolded(value)))
    }

    /// All of them, decoded; the first of a name stands for all.
    pub(super) fn all(&self) -> impl Iterator<Item = (String, String)> {
        let first = |(index, (name, _)): &(usize, &(String, &[u8]))| {
            !self.0.iter().take(*index).any(|(known, _)| known == name)
        };
        let all = self.0.iter().enumerate().filter(first);
        all.map(|(_, (name, value))| (name.clone(), decoded(&unfolded(value))))
    }
}

/// Where a header ends with the lines that go on with it.
fn header_end(bytes: &[u8]) -> usize {
    let mut end = line_end(bytes, 0);
    let is_blank = trimmed(&bytes[..end]).is_empty();
    while !is_blank && matches!(bytes.get(end), Some(b' ' | b'\t')) {
        let next = line_end(bytes, end);
        // A line of blanks alone ends the headers for some programs and goes on with them for others: it ends them.
        if trimmed(&bytes[end..next])
            .iter()
            .all(u8::is_ascii_whitespace)
        {
            break;
        }
        end = next;
    }
    end
}

pub(super) fn line_end(bytes: &[u8], from: usize) -> usize {
    let newline = bytes[from..].iter().position(|byte| *byte == b'\n');
    newline.map_or(bytes.len(), |at| from + at + 1)
}

/// Without the end of its line.
pub(super) fn trimmed(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn unfolded(value: &[u8]) -> String {
    let text = charset::decode("utf-8", value);
    let kept = text.chars().filter(|one| !matches!(one, '\r' | '\n'));
    let text: String = kept
        .map(|one| if one.is_control() { ' ' } else { one })
        .collect();
    text.trim().to_owned()
}

/// Bytes of encoded words that stand beside each other, in one set of characters.
#[derive(Default)]
struct Pending {
    charset: String,
    bytes: Vec<u8>,
}

impl Pending {
    fn flush(&mut self, into: &mut String) {
        if !self.bytes.is_empty() {
            let text = charset::decode(&self.charset, &self.bytes);
            into.extend(
                text.chars()
                    .map(|one| if one.is_control() { ' ' } else { one }),
            );
            self.bytes.clear();
        }
    }
}

/// Text with its encoded words decoded. Blanks between two of them are none (RFC 2047, section 6.2).
fn decoded(text: &str) -> String {
    let mut out = String::new();
    let mut pending = Pending::default();
    let mut rest = text;
    while let Some(at) = rest.find("=?") {
        let (before, word) = rest.split_at(at);
        let Some((charset, bytes, length)) = encoded_word(word) else {
            pending.flush(&mut out);
            out.push_str(&rest[..at + 2]);
            rest = &rest[at + 2..];
            continue;
        };
        let adjoins = !pending.bytes.is_empty() && before.trim().is_empty();
        let goes_on = adjoins && pending.charset.eq_ignore_ascii_case(charset);
        if !goes_on || charset::begins_anew(charset) {
            pending.flush(&mut out);
            if !adjoins {
                out.push_str(before);
            }
            charset.clone_into(&mut pending.charset);
        }
        pending.bytes.extend(bytes);
        rest = &word[length..];
    }
    pending.flush(&mut out);
    out.push_str(rest);
    out
}

/// The set of characters, the bytes and the length of the encoded word at the beginning of a text.
fn encoded_word(text: &str) -> Option<(&str, Vec<u8>, usize)> {
    // No word is longer than 75 characters by the rules; some programs do not split at all.
    let window = &text[..text.floor_char_boundary(WORD_BYTES_MAX)];
    let inner = window.strip_prefix("=?")?;
    let (charset, rest) = inner.split_once('?')?;
    let (encoding, rest) = rest.split_once('?')?;
    if charset.contains(' ') || encoding.len() != 1 {
        return None;
    }
    let (data, _) = rest.split_once("?=")?;
    if data.contains(' ') {
        return None;
    }
    let bytes = if encoding.eq_ignore_ascii_case("b") {
        decode::base64(data.as_bytes(), HEADER_BYTES_MAX)
    } else if encoding.eq_ignore_ascii_case("q") {
        decode::quoted(data.replace('_', " ").as_bytes(), HEADER_BYTES_MAX)
    } else {
        return None;
    };
    // A language may follow the set of characters (RFC 2231, section 5).
    let charset = charset.split('*').next().unwrap_or_default();
    let length = 2 + inner.len() - rest.len() + data.len() + 2;
    Some((charset, bytes, length))
}

/// The message ids in a header, with their angle brackets.
pub(super) fn ids(text: impl AsRef<str>) -> Vec<String> {
    let mut ids = Vec::new();
    let mut rest = text.as_ref();
    while let Some((_, after)) = rest.split_once('<') {
        let Some((id, next)) = after.split_once('>') else {
            break;
        };
        if !id.is_empty() && id.len() <= ID_BYTES_MAX && !id.contains(['<', ' ']) {
            ids.push(format!("<{id}>"));
        }
        rest = next;
    }
    ids
}

/// A value with parameters (`text/plain; charset="utf-8"`): the value in small letters, and the named parameter.
pub(super) fn parameter(value: &str, name: &str) -> Option<String> {
    let mut rest = value.split_once(';')?.1;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ';']);
        let (key, after) = rest.split_once('=')?;
        let (found, next) = match after.trim_start().strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_once(';').unwrap_or((after, "")),
        };
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(found.trim().to_owned());
        }
        rest = next;
    }
}
