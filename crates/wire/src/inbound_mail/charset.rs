//! Bytes of a mail as text, for the sets of characters that mails of monitoring have. Others are read as UTF-8 or Latin-1.

/// What Windows-1252 has where Latin-1 has controls (0x80 to 0x9f).
const WINDOWS: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// The text of `bytes`.
pub(super) fn decode(charset: &str, bytes: &[u8]) -> String {
    let name = charset.trim().to_ascii_lowercase();
    let is_latin = matches!(
        name.as_str(),
        "iso-8859-1" | "iso8859-1" | "latin1" | "iso-8859-15" | "windows-1252" | "cp1252"
    );
    let is_unicode = matches!(name.as_str(), "utf-8" | "utf8");
    match std::str::from_utf8(bytes) {
        Ok(text) if !is_latin => text.to_owned(),
        Err(_) if is_unicode => String::from_utf8_lossy(bytes).into_owned(),
        Ok(_) | Err(_) => bytes.iter().map(|byte| latin(&name, *byte)).collect(),
    }
}

fn latin(name: &str, byte: u8) -> char {
    match byte {
        0xa4 if name == "iso-8859-15" => '€',
        0x80..=0x9f => WINDOWS[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}
