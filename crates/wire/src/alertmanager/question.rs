//! What `GET /api/v2/alerts`, `/alerts/groups` and `/silences` ask for. Which alerts there are is not known here.

use tocsin_domain::intake::{LabelMatcher, LabelTest, MATCHERS_MAX};

use super::fault::Fault;
use super::matcher::parse_matchers;

/// Filters of one request.
pub const FILTERS_MAX: usize = 64;
/// Filters by which alerts are looked through while everything else waits.
const PLAIN_MAX: usize = 4;

/// Which alerts are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertQuestion {
    /// Those that nothing holds back.
    pub active: bool,
    /// Those that a silence covers.
    pub silenced: bool,
    /// Those that another alert makes needless.
    pub inhibited: bool,
    /// Those that are held back at this time.
    pub muted: bool,
    /// Each must hold.
    pub filters: Vec<LabelMatcher>,
    receiver: Option<LabelMatcher>,
}

impl AlertQuestion {
    /// Reads the parameters of a request.
    ///
    /// # Errors
    /// A parameter cannot be used.
    pub fn read<'a>(
        parameters: impl Iterator<Item = (&'a str, &'a str)> + Clone,
    ) -> Result<Self, Fault> {
        let all = parameters.clone();
        let flag = |name: &str| {
            let given = all.clone().filter(|(other, _)| *other == name);
            let last = given.last();
            last.is_none_or(|(_, value)| boolean(value))
        };
        let mut receiver = parameters
            .clone()
            .filter(|(name, value)| *name == "receiver" && !value.is_empty());
        let receiver = receiver.next().map(|(_, pattern)| {
            LabelMatcher::new("receiver", LabelTest::Fits, pattern)
                .map_err(|why| Fault::bad(format!("failed to parse receiver param: {why}")))
        });
        Ok(Self {
            // Nothing is unprocessed here: what is on disk is decided about.
            active: flag("active"),
            silenced: flag("silenced"),
            inhibited: flag("inhibited"),
            muted: flag("muted"),
            filters: filters(parameters)?,
            receiver: receiver.transpose()?,
        })
    }

    /// The first of the filters that name a plain text: so cheap to ask that they come before all else. Of what they leave, every
    /// filter is to be asked.
    #[must_use]
    pub fn plain_filters(&self) -> Vec<LabelMatcher> {
        let filters = self.filters.iter();
        let plain = filters.filter(|filter| filter.test == LabelTest::Equals);
        plain.take(PLAIN_MAX).cloned().collect()
    }

    /// Whether alerts of this receiver are asked for.
    #[must_use]
    pub fn wants_receiver(&self, name: &str) -> bool {
        let receiver = self.receiver.as_ref();
        receiver.is_none_or(|pattern| pattern.accepts(name))
    }
}

/// The conditions of all `filter` parameters.
///
/// # Errors
/// One of them is none, or there are too many.
pub fn filters<'a>(
    parameters: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<Vec<LabelMatcher>, Fault> {
    let mut found = Vec::new();
    let given = parameters.filter(|(name, _)| *name == "filter");
    for (index, (_, text)) in given.enumerate() {
        if index == FILTERS_MAX {
            return Err(Fault::bad(format!("more than {FILTERS_MAX} filters")));
        }
        let matchers = parse_matchers(text).map_err(Fault::bad)?;
        if matchers.is_empty() {
            return Err(Fault::bad("bad matcher format: "));
        }
        found.extend(matchers);
        if found.len() > MATCHERS_MAX {
            return Err(Fault::bad(format!("more than {MATCHERS_MAX} matchers")));
        }
    }
    Ok(found)
}

/// A flag as go-openapi reads it: empty counts as left out, and whatever is no yes is a no.
fn boolean(value: &str) -> bool {
    let yes = [
        "", "true", "1", "yes", "ok", "y", "on", "selected", "checked", "t", "enabled",
    ];
    yes.contains(&value.to_ascii_lowercase().as_str())
}
