//! Facts of an incident into documents and pictures; it never sees I/O or a clock.
//!
//! Every document is made from [`Facts`] alone, so the same facts give the same bytes. Text from outside is escaped in each
//! format; nothing in it is ever interpreted.

mod brief;
mod brief_learning;
mod brief_summary;
mod doc;
mod extras;
mod full;
mod html;
mod markdown;
mod svg;
mod wording;

use tocsin_domain::learn::facts::Facts;

pub use svg::chain::chain_svg;
pub use svg::chart::chart_svgs;
pub use svg::waterfall::waterfall_svg;

/// The fewest words of a brief report.
pub const BRIEF_WORDS_MIN: usize = 400;
/// The most words of a brief report.
pub const BRIEF_WORDS_MAX: usize = 600;

/// The brief report, 400 to 600 words in five sections, with the evidence it cites listed at its end. It shows the picture
/// in the file that [`chain_file_name`] names.
#[must_use]
pub fn brief_markdown(facts: &Facts) -> String {
    markdown::render(&brief::document(facts))
}

/// The full report: the same five sections with everything that is known, and all evidence.
#[must_use]
pub fn full_markdown(facts: &Facts) -> String {
    markdown::render(&full::document(facts))
}

/// The brief report as one HTML file that needs nothing else.
#[must_use]
pub fn brief_html(facts: &Facts) -> String {
    html::render(&brief::document(facts), facts)
}

/// The full report as one HTML file that needs nothing else.
#[must_use]
pub fn full_html(facts: &Facts) -> String {
    html::render(&full::document(facts), facts)
}

/// The file beside the Markdown that holds [`chain_svg`].
#[must_use]
pub fn chain_file_name(facts: &Facts) -> String {
    format!("incident-{}-chain.svg", facts.identity.number)
}

/// The file beside the full Markdown that holds [`waterfall_svg`].
#[must_use]
pub fn waterfall_file_name(facts: &Facts) -> String {
    format!("incident-{}-waterfall.svg", facts.identity.number)
}

/// Words of a report in Markdown: of its title and its five sections, without the picture, the citation marks and the list
/// of evidence.
#[must_use]
pub fn words(markdown: &str) -> usize {
    markdown::words(markdown)
}
