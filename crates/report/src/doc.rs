//! A document before it has a format: sections of paragraphs, bullets, tables and pictures; it knows no markup.

use tocsin_domain::learn::ledger::EvidenceRef;

/// A report.
pub(crate) struct Document {
    pub(crate) title: String,
    /// Words under the title, such as the severity.
    pub(crate) tags: Vec<String>,
    pub(crate) opening: Vec<Block>,
    pub(crate) sections: Vec<Section>,
    /// The entries of the evidence list that are cited, or all of them.
    pub(crate) evidence: Vec<(EvidenceRef, String)>,
}

/// One of the five sections.
pub(crate) struct Section {
    pub(crate) heading: &'static str,
    pub(crate) blocks: Vec<Block>,
}

/// What stands below each other.
pub(crate) enum Block {
    Heading(&'static str),
    Paragraph(Vec<Sentence>),
    Bullets(Vec<Vec<Sentence>>),
    Table {
        head: Vec<&'static str>,
        rows: Vec<Vec<Cell>>,
    },
    Lines(Vec<String>),
    Picture(Picture),
}

/// A cell of a table.
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) cites: Vec<EvidenceRef>,
}

/// A picture: drawn in HTML, named in Markdown.
pub(crate) struct Picture {
    pub(crate) svg: String,
    /// Another shape of it for narrow screens.
    pub(crate) narrow_svg: Option<String>,
    /// The file that Markdown shows; none leaves it out there.
    pub(crate) file: Option<String>,
    pub(crate) alt: String,
}

/// One sentence and what it rests on.
#[derive(Clone)]
pub(crate) struct Sentence {
    /// Set in bold before it.
    pub(crate) lead: Option<String>,
    pub(crate) text: String,
    pub(crate) cites: Vec<EvidenceRef>,
}

impl Sentence {
    pub(crate) fn new(text: impl Into<String>, cites: &[EvidenceRef]) -> Self {
        Self {
            lead: None,
            text: text.into(),
            cites: distinct(cites),
        }
    }

    pub(crate) fn lead(
        lead: impl Into<String>,
        text: impl Into<String>,
        cites: &[EvidenceRef],
    ) -> Self {
        Self {
            lead: Some(lead.into()),
            ..Self::new(text, cites)
        }
    }

    /// The text before its last sign and that sign, so that citations stand inside the sentence.
    pub(crate) fn split_end(&self) -> (&str, &str) {
        let end = self.text.trim_end_matches(['.', '!', '?']).len();
        self.text.split_at(end)
    }
}

impl Cell {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            cites: Vec::new(),
        }
    }

    pub(crate) fn cited(text: impl Into<String>, cites: &[EvidenceRef]) -> Self {
        Self {
            text: text.into(),
            cites: distinct(cites),
        }
    }
}

/// At most four citations in rising order, each once.
fn distinct(cites: &[EvidenceRef]) -> Vec<EvidenceRef> {
    let mut cites = cites.to_vec();
    cites.sort_unstable();
    cites.dedup();
    cites.truncate(4);
    cites
}

impl Document {
    /// Every citation of the five sections, in rising order.
    pub(crate) fn cited(&self) -> Vec<EvidenceRef> {
        let mut all: Vec<EvidenceRef> = Vec::new();
        for block in self
            .opening
            .iter()
            .chain(self.sections.iter().flat_map(|s| &s.blocks))
        {
            match block {
                Block::Paragraph(sentences) => {
                    all.extend(sentences.iter().flat_map(|sentence| &sentence.cites));
                }
                Block::Bullets(bullets) => {
                    all.extend(
                        bullets
                            .iter()
                            .flatten()
                            .flat_map(|sentence| &sentence.cites),
                    );
                }
                Block::Table { rows, .. } => {
                    all.extend(rows.iter().flatten().flat_map(|cell| &cell.cites));
                }
                Block::Heading(_) | Block::Lines(_) | Block::Picture(_) => {}
            }
        }
        all.sort_unstable();
        all.dedup();
        all
    }
}
