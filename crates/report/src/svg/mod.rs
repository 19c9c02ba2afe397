//! Pictures as SVG: shared colours, text that fits its place, escaping; each picture has a file of its own.

pub(crate) mod chain;
mod chain_parts;
pub(crate) mod chart;
pub(crate) mod waterfall;

use std::fmt::Write as _;

/// Colours for light and dark, and the classes that use them. Pictures carry it, so that each stands alone.
pub(crate) const STYLE: &str = "<style>\
.tp{--bg:#ffffff;--card:#f6f7f9;--line:#d5dae1;--ink:#1b2330;--soft:#5b6675;--bad:#c62f2f;--badbg:#fdecec;--good:#1c7c4a;--goodbg:#e6f5ec;\
--person:#2458c5;--personbg:#e8eefc;--wait:#a35a00;--waitbg:#fdf1df;\
font-family:system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}\
@media (prefers-color-scheme:dark){.tp{--bg:#12161d;--card:#1b212b;--line:#333d4b;--ink:#e8ecf2;--soft:#9aa7b8;--bad:#ff7b74;--badbg:#3a1d1f;\
--good:#5cd394;--goodbg:#16301f;--person:#8fb2ff;--personbg:#1b2a4a;--wait:#f0b35a;--waitbg:#372910}}\
@media print{.tp{--bg:#ffffff;--card:#ffffff;--line:#999999;--ink:#000000;--soft:#444444;--bad:#a31616;--badbg:#ffffff;--good:#0f5c33;\
--goodbg:#ffffff;--person:#173f94;--personbg:#ffffff;--wait:#7a4300;--waitbg:#ffffff}}\
.tp .bg{fill:var(--bg)}.tp .card{fill:var(--card);stroke:var(--line);stroke-width:1}\
.tp .t{font-size:16px;font-weight:650;fill:var(--ink)}.tp .s{font-size:14px;fill:var(--soft)}.tp .c{font-size:13.5px;fill:var(--ink);font-variant-numeric:tabular-nums}\
.tp .h{font-size:18px;font-weight:700;fill:var(--ink)}.tp .v{font-size:15.5px;font-weight:700;font-variant-numeric:tabular-nums}\
.tp .bad{fill:var(--bad)}.tp .good{fill:var(--good)}.tp .person{fill:var(--person)}.tp .wait{fill:var(--wait)}.tp .soft{fill:var(--soft)}\
.tp .badbg{fill:var(--badbg)}.tp .goodbg{fill:var(--goodbg)}.tp .personbg{fill:var(--personbg)}.tp .waitbg{fill:var(--waitbg)}.tp .softbg{fill:var(--card)}\
.tp .l{fill:none;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}\
.tp .lbad{stroke:var(--bad)}.tp .lgood{stroke:var(--good)}.tp .lperson{stroke:var(--person)}.tp .lwait{stroke:var(--wait)}.tp .lsoft{stroke:var(--soft)}\
.tp .grid{stroke:var(--line);stroke-width:1;fill:none}.tp .dash{stroke-dasharray:5 5}\
</style>";

/// The state a thing is drawn in.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Paint {
    Bad,
    Good,
    Person,
    Wait,
    Soft,
}

impl Paint {
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Bad => "bad",
            Self::Good => "good",
            Self::Person => "person",
            Self::Wait => "wait",
            Self::Soft => "soft",
        }
    }
}

/// A picture of that size; `label` is read to those who do not see it.
pub(crate) fn open(width: i64, height: i64, label: &str) -> String {
    let label = escape(label);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"tp\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{label}\">\
         <title>{label}</title>{STYLE}<rect class=\"bg\" width=\"{width}\" height=\"{height}\" rx=\"12\"/>"
    )
}

/// Text at a place; `anchor` is start, middle or end.
pub(crate) fn text(out: &mut String, at: (i64, i64), class: &str, anchor: &str, words: &str) {
    let words = escape(words);
    let (x, y) = at;
    let _ = write!(
        out,
        "<text x=\"{x}\" y=\"{y}\" class=\"{class}\" text-anchor=\"{anchor}\">{words}</text>"
    );
}

/// `words` cut so that they take at most `width` at that font size, an ellipsis where they were cut. Widths are those of
/// a wide font, so that text fits in any.
pub(crate) fn fit(words: &str, width: i64, font: f64) -> String {
    let limit = f64_of(width);
    let total: f64 = words.chars().map(|c| em(c) * font).sum();
    if total <= limit {
        return words.to_owned();
    }
    let mut used = em('…') * font;
    let mut kept = String::new();
    for character in words.chars() {
        used += em(character) * font;
        if used > limit {
            break;
        }
        kept.push(character);
    }
    format!("{}…", kept.trim_end())
}

/// Width of a character in parts of the font size (DejaVu Sans, rounded up: the widest of the fonts asked for).
fn em(character: char) -> f64 {
    match character {
        'i' | 'j' | 'l' => 0.29,
        'I' | 'J' | '|' | '.' | ',' | ':' | ';' | '\'' | ' ' | '/' => 0.34,
        'f' | 't' | '-' | '(' | ')' | '[' | ']' | '!' => 0.4,
        'r' => 0.42,
        's' | 'c' | 'z' | '–' => 0.55,
        'v' | 'x' | 'y' | 'k' => 0.6,
        'a'..='h' | 'n'..='q' | 'u' | '0'..='9' => 0.64,
        'w' => 0.82,
        'm' | 'M' | 'W' | '@' | '%' | '…' => 1.0,
        'A'..='Z' => 0.77,
        ascii if ascii.is_ascii() => 0.84,
        // Chinese, Japanese and Korean signs and pictures are as wide as they are high.
        other if u32::from(other) >= 0x1100 => 1.05,
        _ => 0.84,
    }
}

/// A length of time for a narrow place: `1m 12s`.
pub(crate) fn tight_span(ms: u64) -> String {
    let text = tocsin_domain::learn::moment::span_text(ms);
    if text.contains(" min") || text.contains(" d ") {
        text.replace(" min", "m")
            .replace(" h", "h")
            .replace(" d", "d")
            .replace(" s", "s")
    } else {
        text
    }
}

/// Text that stays text within markup.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other if other.is_control() && other != '\n' => out.push(' '),
            other => out.push(other),
        }
    }
    out
}

/// A count as the numbers that reports carry.
pub(crate) fn count(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "sizes of pictures")]
pub(crate) const fn f64_of(value: i64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_too_long_ends_in_an_ellipsis_and_fits() {
        assert_eq!(fit("webserver-01", 150, 12.0), "webserver-01");
        let cut = fit(&"very-long-name.".repeat(9), 120, 12.0);
        assert!(cut.ends_with('…') && cut.chars().count() < 20, "{cut}");
        assert!(fit("漢字漢字漢字漢字漢字漢字", 100, 12.0).chars().count() <= 8);
    }

    #[test]
    fn markup_in_text_stays_text() {
        assert_eq!(
            escape("<b onload='x'>&\""),
            "&lt;b onload=&#39;x&#39;&gt;&amp;&quot;"
        );
    }
}
