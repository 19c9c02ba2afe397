//! Operators between vectors: how series find their partners; it knows no source.

use std::collections::{BTreeMap, BTreeSet};

use crate::ast::{Binary, BinaryOp, Cardinality, Grouping, Matching, SetOp};
use crate::error::EvalError;
use crate::labels::{Labels, METRIC_NAME};

use super::Evaluator;
use super::binary::apply;
use super::columns::{ABSENT, Grid, Row, is_present, merge_equal};

/// Rows of both sides that have the same values in the matching labels.
#[derive(Default)]
struct MatchGroup {
    left: Vec<usize>,
    right: Vec<usize>,
}

impl Evaluator<'_> {
    pub(super) fn between_vectors(
        &mut self,
        binary: &Binary,
        left: Vec<Row>,
        right: Vec<Row>,
        grid: Grid,
    ) -> Result<Vec<Row>, EvalError> {
        let groups = match_groups(&left, &right, &binary.matching.by);
        if let BinaryOp::Set(op) = binary.op {
            return combine(op, left, right, &groups, grid);
        }
        self.budget
            .spend(left.len().max(right.len()) * grid.count)?;
        // The "many" side comes first; operands are put back in their order where the operator is applied.
        let swapped = matches!(binary.matching.cardinality, Cardinality::OneToMany(_));
        let (many, one) = if swapped {
            (&right, &left)
        } else {
            (&left, &right)
        };
        let active: Vec<bool> = (0..grid.count)
            .map(|step| has_any_at(&left, step) && has_any_at(&right, step))
            .collect();
        let mut paired = Pairing {
            binary,
            swapped,
            many,
            one,
            active: &active,
            results: BTreeMap::new(),
        };
        for (signature, group) in &groups {
            let (many, one) = if swapped {
                (&group.right, &group.left)
            } else {
                (&group.left, &group.right)
            };
            paired.pair(signature, many, one)?;
        }
        let rows = paired.results.into_iter().map(|((labels, _), result)| Row {
            labels,
            drop_name: binary.as_bool || result.drop_name,
            values: result.values,
        });
        let mut rows: Vec<Row> = rows.filter(Row::has_any).collect();
        if !self.limits.delayed_name_removal {
            for row in &mut rows {
                if row.drop_name {
                    row.labels = row.labels.without_name();
                    row.drop_name = false;
                }
            }
        }
        merge_equal(rows)
    }
}

/// Pairs under construction.
struct Pairing<'a> {
    binary: &'a Binary,
    swapped: bool,
    many: &'a [Row],
    one: &'a [Row],
    /// Steps at which both sides have something: elsewhere the operator is not looked at, nor are its errors.
    active: &'a [bool],
    results: BTreeMap<(Labels, Labels), Paired>,
}

/// One series of the result.
struct Paired {
    drop_name: bool,
    values: Vec<f64>,
}

impl Pairing<'_> {
    fn pair(&mut self, signature: &Labels, many: &[usize], one: &[usize]) -> Result<(), EvalError> {
        for step in 0..self.active.len() {
            if !self.active[step] {
                continue;
            }
            let Some(one) = self.only_one(signature, one, step)? else {
                continue;
            };
            let mut matched = 0;
            for many in many {
                matched += usize::from(self.pair_at(signature, *many, one, step)?);
                if matched > 1 && matches!(self.binary.matching.cardinality, Cardinality::OneToOne)
                {
                    return Err(EvalError::Matching {
                        reason: format!(
                            "several series on the left match {signature}: say group_left or \
                             group_right if that is meant"
                        ),
                    });
                }
            }
        }
        Ok(())
    }

    /// The partner of the group at a step: there must not be two.
    fn only_one(
        &self,
        signature: &Labels,
        one: &[usize],
        step: usize,
    ) -> Result<Option<usize>, EvalError> {
        let mut present = one
            .iter()
            .copied()
            .filter(|row| is_present(self.one[*row].values[step]));
        let (first, second) = (present.next(), present.next());
        if let (Some(first), Some(second)) = (first, second) {
            let side = if self.swapped { "left" } else { "right" };
            return Err(EvalError::Matching {
                reason: format!(
                    "two series on the {side} match {signature}: {} and {}; the matching labels must \
                     be unique on one side",
                    self.one[first].labels, self.one[second].labels
                ),
            });
        }
        Ok(first)
    }

    /// Computes one value. Returns whether there is one.
    fn pair_at(
        &mut self,
        signature: &Labels,
        many: usize,
        one: usize,
        step: usize,
    ) -> Result<bool, EvalError> {
        let (many, one) = (&self.many[many], &self.one[one]);
        if !is_present(many.values[step]) {
            return Ok(false);
        }
        let (left, right) = if self.swapped {
            (one.values[step], many.values[step])
        } else {
            (many.values[step], one.values[step])
        };
        let Some(value) = apply(self.binary.op, self.binary.as_bool, left, right) else {
            return Ok(false);
        };
        let labels = result_labels(self.binary, &many.labels, &one.labels);
        let steps = self.active.len();
        let result = self
            .results
            .entry((labels, signature.clone()))
            .or_insert_with(|| Paired {
                drop_name: many.drop_name && !matches!(self.binary.op, BinaryOp::Arithmetic(_)),
                values: vec![ABSENT; steps],
            });
        if is_present(result.values[step]) {
            return Err(EvalError::Matching {
                reason: format!(
                    "several series of the result would be {}: the grouping labels must keep them apart",
                    result_labels(self.binary, &many.labels, &one.labels)
                ),
            });
        }
        result.values[step] = value;
        Ok(true)
    }
}

/// The labels of a result: those of the "many" side, less what the operator drops, plus what is taken from the other.
fn result_labels(binary: &Binary, many: &Labels, one: &Labels) -> Labels {
    let mut labels = if matches!(binary.op, BinaryOp::Arithmetic(_)) {
        many.without_name()
    } else {
        many.clone()
    };
    let Matching { by, cardinality } = &binary.matching;
    let included = match cardinality {
        Cardinality::OneToOne => {
            return match by {
                Grouping::Keep(names) => {
                    labels.filtered(|name| names.iter().any(|keep| keep == name))
                }
                Grouping::Drop(names) => {
                    labels.filtered(|name| !names.iter().any(|drop| drop == name))
                }
            };
        }
        Cardinality::ManyToOne(included) | Cardinality::OneToMany(included) => included,
    };
    for name in included {
        labels = labels.with(name, one.get(name));
    }
    labels
}

fn match_groups(left: &[Row], right: &[Row], by: &Grouping) -> BTreeMap<Labels, MatchGroup> {
    let signature = |labels: &Labels| match by {
        Grouping::Keep(names) => labels.filtered(|name| names.iter().any(|keep| keep == name)),
        Grouping::Drop(names) => {
            labels.filtered(|name| name != METRIC_NAME && !names.iter().any(|drop| drop == name))
        }
    };
    let mut groups: BTreeMap<Labels, MatchGroup> = BTreeMap::new();
    for (at, row) in left.iter().enumerate() {
        groups
            .entry(signature(&row.labels))
            .or_default()
            .left
            .push(at);
    }
    for (at, row) in right.iter().enumerate() {
        groups
            .entry(signature(&row.labels))
            .or_default()
            .right
            .push(at);
    }
    groups
}

fn has_any_at(rows: &[Row], step: usize) -> bool {
    rows.iter().any(|row| is_present(row.values[step]))
}

/// `and`, `or`, `unless`.
fn combine(
    op: SetOp,
    mut left: Vec<Row>,
    mut right: Vec<Row>,
    groups: &BTreeMap<Labels, MatchGroup>,
    grid: Grid,
) -> Result<Vec<Row>, EvalError> {
    for group in groups.values() {
        for step in 0..grid.count {
            match op {
                SetOp::And | SetOp::Unless => {
                    let there = group
                        .right
                        .iter()
                        .any(|row| is_present(right[*row].values[step]));
                    if there == (op == SetOp::Unless) {
                        blank(&mut left, &group.left, step);
                    }
                }
                SetOp::Or => {
                    if group
                        .left
                        .iter()
                        .any(|row| is_present(left[*row].values[step]))
                    {
                        blank(&mut right, &group.right, step);
                    }
                }
            }
        }
    }
    if op == SetOp::Or {
        left.append(&mut right);
    }
    left.retain(Row::has_any);
    // With delayed removal of names two rows may differ in that mark alone; they stay apart until the end.
    let marks: BTreeSet<bool> = left.iter().map(|row| row.drop_name).collect();
    if marks.len() > 1 {
        return Ok(left);
    }
    merge_equal(left)
}

fn blank(rows: &mut [Row], which: &[usize], step: usize) {
    for row in which {
        rows[*row].values[step] = ABSENT;
    }
}
