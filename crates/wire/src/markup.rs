//! Text from outside as text of HTML and XML; it knows no document.

/// Text as text or as a quoted attribute's value of HTML or XML. What XML 1.0 cannot carry, not even escaped, becomes a space: control
/// characters, and the two that are no characters.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for symbol in text.chars() {
        match symbol {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(symbol),
            '\u{fffe}' | '\u{ffff}' => out.push(' '),
            _ if symbol.is_control() => out.push(' '),
            _ => out.push(symbol),
        }
    }
    out
}
