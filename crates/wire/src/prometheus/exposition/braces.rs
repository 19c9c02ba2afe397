//! The labels of a series or an exemplar between their braces; both text formats write them so.

use std::borrow::Cow;

use tocsin_domain::write::LabelPair;

use super::scan::Scanner;
use super::{AddLabel, ExpositionError};

/// What stands between braces, which are passed.
#[derive(Debug, Default)]
pub(super) struct Braces<'a> {
    /// A name in quotes without a value: the metric's.
    pub(super) metric: Option<Cow<'a, str>>,
}

/// Reads what follows an opening brace; labels are added behind those that are there, of which those from `first` on belong
/// to the same series, and `max` of which are allowed. `may_name` tells whether the metric's name may stand among them.
pub(super) fn read<'a>(
    scanner: &mut Scanner<'a>,
    out: &mut Vec<LabelPair<'a>>,
    (first, max): (usize, usize),
    may_name: bool,
    add: AddLabel<'a>,
) -> Result<Braces<'a>, ExpositionError> {
    let mut braces = Braces::default();
    loop {
        scanner.skip_blanks();
        if scanner.eat("}") {
            return Ok(braces);
        }
        let line = scanner.line();
        let before = *scanner;
        let (name, is_quoted) = read_name(scanner)?;
        scanner.skip_blanks();
        if scanner.eat("=") {
            scanner.skip_blanks();
            let value = scanner.quoted("a label's value in quotation marks")?;
            add(out, first, max, (name, value))
                .map_err(|fault| ExpositionError::Labels { line, fault })?;
        } else if is_quoted && may_name && matches!(scanner.peek(), Some(b',' | b'}')) {
            if braces.metric.is_some() {
                return Err(before.unexpected("one name of the metric only"));
            }
            braces.metric = Some(name);
        } else {
            return Err(scanner.unexpected("`=` behind a label's name"));
        }
        scanner.skip_blanks();
        // A comma may also stand behind the last label.
        if !scanner.eat(",") && scanner.peek() != Some(b'}') {
            return Err(scanner.unexpected("`,` or `}` behind a label"));
        }
    }
}

fn read_name<'a>(scanner: &mut Scanner<'a>) -> Result<(Cow<'a, str>, bool), ExpositionError> {
    if scanner.peek() == Some(b'"') {
        return Ok((scanner.quoted("a label's name")?, true));
    }
    match scanner.label_name() {
        "" => Err(scanner.unexpected("a label's name or `}`")),
        name => Ok((Cow::Borrowed(name), false)),
    }
}
