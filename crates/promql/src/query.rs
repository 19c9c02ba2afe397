//! A parsed query and its evaluation; it knows no store.

use std::collections::BTreeSet;

use crate::answer::Answer;
use crate::ast::{Expr, Kind};
use crate::error::{EvalError, ParseError};
use crate::eval;
use crate::labels::METRIC_NAME;
use crate::limits::Limits;
use crate::lower;
use crate::matcher::Matcher;
use crate::needs::{Need, needs};
use crate::source::Source;

/// A PromQL expression, ready to be evaluated any number of times.
#[derive(Clone, Debug)]
pub struct Query {
    text: String,
    expr: Expr,
}

/// What a query evaluates to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryType {
    /// A number without labels.
    Scalar,
    /// A text literal.
    Text,
    /// One value per series.
    Vector,
    /// A range of samples per series; only an instant query may end in this.
    Matrix,
}

impl Query {
    /// Reads an expression.
    ///
    /// # Errors
    /// When it is no expression, is larger than is allowed, or uses what is not supported.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Ok(Self {
            text: text.to_owned(),
            expr: lower::parse(text)?,
        })
    }

    /// The text as it was given.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The expression laid out as Prometheus' `format_query` does: on one line up to 100 characters, longer ones split and
    /// indented. It means the same.
    #[must_use]
    pub fn format(&self) -> String {
        // The text was read before, so it can be read again.
        lower::format(&self.text).unwrap_or_else(|_| self.text.clone())
    }

    /// Whether both mean the same by their structure, however they are written.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        // Numbers are compared as they print: a NaN is the same as another one here.
        format!("{:?}", self.expr) == format!("{:?}", other.expr)
    }

    /// What it evaluates to.
    #[must_use]
    pub fn query_type(&self) -> QueryType {
        match self.expr.kind() {
            Kind::Scalar => QueryType::Scalar,
            Kind::Text => QueryType::Text,
            Kind::Vector => QueryType::Vector,
            Kind::Matrix => QueryType::Matrix,
        }
    }

    /// Evaluates at one instant.
    ///
    /// # Errors
    /// When a limit is reached, the caller cancels, operands do not match, or the source fails.
    pub fn instant(
        &self,
        source: &dyn Source,
        at_ms: i64,
        limits: &Limits<'_>,
    ) -> Result<Answer, EvalError> {
        eval::instant(&self.expr, source, at_ms, limits)
    }

    /// Evaluates at `start_ms`, each `step_ms` later, up to and including `end_ms`. A scalar is given as one series
    /// without labels.
    ///
    /// # Errors
    /// As [`Query::instant`]; also when the range is empty, has too many steps, or the query is a text or a matrix.
    pub fn range(
        &self,
        source: &dyn Source,
        start_ms: i64,
        end_ms: i64,
        step_ms: i64,
        limits: &Limits<'_>,
    ) -> Result<Answer, EvalError> {
        eval::range(&self.expr, source, (start_ms, end_ms, step_ms), limits)
    }

    /// Names of the metrics it depends on: a query need not be evaluated anew when none of them got a sample. `None`
    /// when some selector does not name its metrics.
    #[must_use]
    pub fn metric_names(&self) -> Option<BTreeSet<String>> {
        let mut names = Some(BTreeSet::new());
        self.expr.visit_selectors(&mut |selector| {
            let candidates = selector
                .matchers
                .iter()
                .filter(|matcher| matcher.name() == METRIC_NAME)
                .find_map(Matcher::candidates)
                .filter(|found| !found.contains(&""));
            match (&mut names, candidates) {
                (Some(names), Some(found)) => names.extend(found.into_iter().map(str::to_owned)),
                _ => names = None,
            }
        });
        names
    }

    /// The matchers of each selector, in the order they are written: what a query reads, for evidence.
    #[must_use]
    pub fn selectors(&self) -> Vec<&[Matcher]> {
        let mut found = Vec::new();
        self.expr
            .visit_selectors(&mut |selector| found.push(selector.matchers.as_slice()));
        found
    }

    /// What each selector reads, in the order they are written, when the query is evaluated from `start_ms` to
    /// `end_ms` (the same twice for an instant): who keeps these samples can evaluate the query again. Of `limits` the
    /// lookback counts.
    #[must_use]
    pub fn needs(&self, start_ms: i64, end_ms: i64, limits: &Limits<'_>) -> Vec<Need<'_>> {
        needs(&self.expr, (start_ms, end_ms), limits)
    }
}

/// Reads a selector of series as it stands in a `match[]` parameter: a name, matchers or both, without a range or an
/// offset.
///
/// # Errors
/// When it is none, or would pass every series because each of its matchers accepts an empty value.
pub fn parse_selector(text: &str) -> Result<Vec<Matcher>, ParseError> {
    lower::parse_selector(text)
}
