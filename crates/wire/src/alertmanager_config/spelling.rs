//! Routes beside each other that only the case of letters tells apart: Alertmanager compares letter by letter, and conditions here
//! take letters in either case. It translates nothing.

use std::collections::BTreeMap;

use tocsin_domain::code::{Condition, FieldName};
use tocsin_domain::intake::Field;

/// A label, and what is asked of it; nothing beyond that it is there when none.
type Asked = (String, Option<String>);

/// What the routes so far ask of labels, by what it is in small letters: each spelling, with the place of the first route that has it.
#[derive(Debug, Default)]
pub(super) struct Spellings(BTreeMap<Asked, Vec<(Asked, usize)>>);

impl Spellings {
    /// Takes what the route of that place asks. Each pair is what a route before it asks, and what this one asks that is the same
    /// here.
    pub(super) fn take(&mut self, place: usize, conditions: &[Condition]) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for one in conditions {
            tests(one, &mut found);
        }
        let mut same = Vec::new();
        for asked in found {
            let known = self.0.entry(in_small_letters(&asked)).or_default();
            if known.iter().any(|(spelling, _)| *spelling == asked) {
                continue;
            }
            if let Some((first, before)) = known.first()
                && *before != place
            {
                same.push((shown(first), shown(&asked)));
            }
            known.push((asked, place));
        }
        same
    }
}

/// All that a condition asks of labels.
fn tests(condition: &Condition, found: &mut Vec<Asked>) {
    if let Some(FieldName(Field::Detail(label))) = &condition.field {
        found.push((label.clone(), condition.text.clone()));
    }
    let lists = condition.all.iter().chain(&condition.any).flatten();
    for inner in lists.chain(condition.not.as_deref()) {
        tests(inner, found);
    }
}

fn in_small_letters((label, text): &Asked) -> Asked {
    let text = text.as_ref().map(|text| text.to_lowercase());
    (label.to_lowercase(), text)
}

fn shown((label, text): &Asked) -> String {
    match text {
        Some(text) => format!("{text:?} of {label:?}"),
        None => format!("{label:?}"),
    }
}
