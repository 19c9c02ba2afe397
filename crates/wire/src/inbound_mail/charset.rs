//! Bytes of a mail as text, for the sets of characters that browsers know too. Others are read as UTF-8 or Windows-1252, and what is
//! no UTF-8 though it says so, or stands in a header as it is, by its letters in Windows-1252.

use encoding_rs::{
    BIG5, EUC_KR, Encoding, GBK, ISO_2022_JP, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252,
};

use crate::json::with_letters;

/// The text of `bytes`.
pub(super) fn decode(charset: &str, bytes: &[u8]) -> String {
    let unicode = std::str::from_utf8(bytes);
    let Some(encoding) = named(charset) else {
        let latin = || WINDOWS_1252.decode_without_bom_handling(bytes).0;
        return unicode.map_or_else(|_| latin().into_owned(), str::to_owned);
    };
    // One sign for all letters that are no UTF-8 would make one alert of two.
    if encoding == UTF_8 && unicode.is_err() && Encoding::for_bom(bytes).is_none() {
        return with_letters(bytes);
    }
    let (text, _, is_broken) = encoding.decode(bytes);
    // Sets that shift between characters, or have two bytes for each, are UTF-8 by their bytes too, with these in them.
    let shifts = bytes.iter().any(|byte| matches!(byte, 0 | 0x1b));
    match unicode {
        // It says that it is in another set than it is in.
        Ok(unicode) if is_broken && !shifts => unicode.to_owned(),
        Ok(_) | Err(_) => text.into_owned(),
    }
}

/// Whether each encoded word of a header is a text by itself: it begins with no shift to other characters, or with a mark of its
/// order of bytes. Of other sets, a program may cut a character in two.
pub(super) fn begins_anew(charset: &str) -> bool {
    let stateful = [ISO_2022_JP, UTF_16BE, UTF_16LE];
    named(charset).is_some_and(|encoding| stateful.contains(&encoding))
}

/// A set of characters by its name; none where it is not known, or says nothing.
fn named(charset: &str) -> Option<&'static Encoding> {
    let name = charset.trim().to_ascii_lowercase();
    match name.as_str() {
        // This is also said of what has other characters, and is UTF-8 then more often than not.
        "us-ascii" | "ascii" | "ansi_x3.4-1968" => None,
        "cp932" => Some(SHIFT_JIS),
        "cp936" => Some(GBK),
        "cp949" => Some(EUC_KR),
        "cp950" => Some(BIG5),
        // Of what browsers refuse to read (ISO-2022-KR, HZ), at least the letters of ASCII are read here.
        other => Encoding::for_label_no_replacement(other.as_bytes()),
    }
}
