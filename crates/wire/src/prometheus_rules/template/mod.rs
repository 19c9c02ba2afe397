//! The templates of labels and annotations: the part of Go's template language that rule files use. What is filled in is text
//! and is never read as a template. It knows no store: queries are answered by whoever asks.

mod format;
mod functions;
mod lex;
mod number;
mod parse;
mod run;
mod value;

use std::collections::BTreeMap;
use std::fmt;

pub use value::Sample;

/// Bytes of a template.
const TEXT_MAX: usize = 64 * 1024;
/// Bytes that a template may give.
const OUTPUT_MAX: usize = 64 * 1024;

/// A template that was read.
#[derive(Clone, Debug)]
pub struct Template {
    nodes: Vec<parse::Node>,
}

/// What a template speaks of.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// `$labels`, `.Labels`
    pub labels: BTreeMap<String, String>,
    /// `$externalLabels`, `.ExternalLabels`
    pub external_labels: BTreeMap<String, String>,
    /// `$externalURL`, `.ExternalURL`, `externalURL`
    pub external_url: String,
    /// `$value`, `.Value`
    pub value: f64,
    /// When it is filled in, milliseconds since the epoch.
    pub at_ms: i64,
}

/// A template that cannot be read or filled in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TemplateError(String);

impl TemplateError {
    fn new(why: impl fmt::Display) -> Self {
        Self(why.to_string())
    }
}

impl Template {
    /// Reads a template; `None` when there is nothing to fill in.
    ///
    /// # Errors
    /// The text is no template, or uses what is not supported.
    pub fn parse(text: &str) -> Result<Option<Self>, TemplateError> {
        if text.len() > TEXT_MAX {
            return Err(TemplateError::new(format!(
                "a template may have {TEXT_MAX} bytes"
            )));
        }
        if !text.contains("{{") {
            return Ok(None);
        }
        let pieces = lex::pieces(text)?;
        Ok(Some(Self {
            nodes: parse::nodes(&pieces)?,
        }))
    }

    /// Fills it in; `ask` answers the queries in it.
    ///
    /// # Errors
    /// A function refuses its arguments, a query fails, or the text gets too long.
    pub fn expand(
        &self,
        facts: &Facts,
        ask: &mut dyn FnMut(&str) -> Result<Vec<Sample>, String>,
    ) -> Result<String, TemplateError> {
        run::run(&self.nodes, facts, ask)
    }
}

#[cfg(test)]
mod tests;
