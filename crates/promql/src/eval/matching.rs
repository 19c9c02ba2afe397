//! Operators between vectors: how series find their partners; it knows no source.

use std::collections::{BTreeMap, BTreeSet};

use crate::ast::{Binary, BinaryOp, Cardinality, Grouping, Matching, SetOp};
use crate::error::EvalError;
use crate::labels::Labels;
use crate::limits::Budget;

use super::Evaluator;
use super::binary::apply;
use super::columns::{ABSENT, Grid, Row, is_present, merge_equal};
use super::feed::Name;
use super::group::Groups;

/// Values of 8 bytes that an `Option<usize>` takes, and one for the marks of a step.
const PARTNER_VALUES: usize = 3;

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
        // The partners of one group at each step, and whether there is something.
        let working = grid.count.saturating_mul(PARTNER_VALUES);
        self.budget.hold(working)?;
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
            budget: &mut self.budget,
            results: Vec::new(),
        };
        for (signature, group) in &groups {
            let (many, one) = if swapped {
                (&group.right, &group.left)
            } else {
                (&group.left, &group.right)
            };
            paired.pair(signature, many, one)?;
        }
        let mut rows: Vec<Row> = paired.results;
        self.budget.give_back(working);
        for row in &mut rows {
            row.drop_name |= binary.as_bool;
            if row.drop_name && !self.limits.delayed_name_removal {
                row.labels = row.labels.without_name();
                row.drop_name = false;
            }
        }
        rows.sort_by(|a, b| a.labels.cmp(&b.labels));
        merge_equal(rows)
    }
}

/// Pairs under construction.
struct Pairing<'a, 'limits> {
    binary: &'a Binary,
    swapped: bool,
    many: &'a [Row],
    one: &'a [Row],
    /// Steps at which both sides have something: elsewhere the operator is not looked at, nor are its errors.
    active: &'a [bool],
    budget: &'a mut Budget<'limits>,
    results: Vec<Row>,
}

impl Pairing<'_, '_> {
    /// Computes the results of one group, row by row.
    fn pair(&mut self, signature: &Labels, many: &[usize], one: &[usize]) -> Result<(), EvalError> {
        if one.is_empty() {
            return Ok(());
        }
        let partners = self.partners(signature, one)?;
        let is_alone = matches!(self.binary.matching.cardinality, Cardinality::OneToOne);
        let mut taken = vec![false; if is_alone { self.active.len() } else { 0 }];
        // Results of this group by their labels; those of another group may be equal and are merged in the end.
        let mut places: BTreeMap<Labels, usize> = BTreeMap::new();
        for many in many.iter().map(|at| &self.many[*at]) {
            self.budget.work(self.active.len())?;
            // The partner seldom changes, and with it the labels of the result.
            let mut last: Option<(usize, usize)> = None;
            for (step, partner) in partners.iter().enumerate() {
                let Some(partner) = partner.filter(|_| is_present(many.values[step])) else {
                    continue;
                };
                let one = &self.one[partner];
                let Some(value) = self.apply(many.values[step], one.values[step]) else {
                    continue;
                };
                if is_alone && std::mem::replace(&mut taken[step], true) {
                    return Err(EvalError::Matching {
                        reason: format!(
                            "several series on the {} match {signature}: say group_left or \
                             group_right if that is meant",
                            if self.swapped { "right" } else { "left" }
                        ),
                    });
                }
                let place = match last {
                    Some((known, place)) if known == partner => place,
                    _ => self.place(many, one, &mut places)?,
                };
                last = Some((partner, place));
                self.put(place, step, value)?;
            }
        }
        Ok(())
    }

    fn apply(&self, many: f64, one: f64) -> Option<f64> {
        let (left, right) = if self.swapped {
            (one, many)
        } else {
            (many, one)
        };
        apply(self.binary.op, self.binary.as_bool, left, right)
    }

    /// The place of the result of two series.
    fn place(
        &mut self,
        many: &Row,
        one: &Row,
        places: &mut BTreeMap<Labels, usize>,
    ) -> Result<usize, EvalError> {
        let labels = result_labels(self.binary, &many.labels, &one.labels);
        if let Some(known) = places.get(&labels) {
            return Ok(*known);
        }
        self.budget.spend(self.active.len())?;
        places.insert(labels.clone(), self.results.len());
        self.results.push(Row {
            labels,
            drop_name: many.drop_name && !matches!(self.binary.op, BinaryOp::Arithmetic(_)),
            values: vec![ABSENT; self.active.len()],
        });
        Ok(self.results.len() - 1)
    }

    fn put(&mut self, place: usize, step: usize, value: f64) -> Result<(), EvalError> {
        let result = &mut self.results[place];
        if is_present(result.values[step]) {
            return Err(EvalError::Matching {
                reason: format!(
                    "several series of the result would be {}: the grouping labels must keep them apart",
                    result.labels
                ),
            });
        }
        result.values[step] = value;
        Ok(())
    }

    /// The partner of a group at each step: there must not be two.
    fn partners(&self, signature: &Labels, one: &[usize]) -> Result<Vec<Option<usize>>, EvalError> {
        let mut partners: Vec<Option<usize>> = vec![None; self.active.len()];
        for at in one {
            let values = self.one[*at].values.iter().zip(self.active);
            for (partner, (value, is_active)) in partners.iter_mut().zip(values) {
                if !is_active || !is_present(*value) {
                    continue;
                }
                if let Some(other) = partner.replace(*at) {
                    let side = if self.swapped { "left" } else { "right" };
                    return Err(EvalError::Matching {
                        reason: format!(
                            "two series on the {side} match {signature}: {} and {}; the matching \
                             labels must be unique on one side",
                            self.one[other].labels, self.one[*at].labels
                        ),
                    });
                }
            }
        }
        Ok(partners)
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

fn match_groups(left: &[Row], right: &[Row], by: &Grouping) -> Vec<(Labels, MatchGroup)> {
    let mut groups = Groups::new(by);
    let mut members: Vec<MatchGroup> = Vec::new();
    let mut place = |row: &Row, members: &mut Vec<MatchGroup>| {
        let place = groups.place(&row.labels, Name::Kept);
        if place == members.len() {
            members.push(MatchGroup::default());
        }
        place
    };
    for (at, row) in left.iter().enumerate() {
        let place = place(row, &mut members);
        members[place].left.push(at);
    }
    for (at, row) in right.iter().enumerate() {
        let place = place(row, &mut members);
        members[place].right.push(at);
    }
    let sorted = groups.sorted_with(members).into_iter();
    sorted.map(|(key, group)| (key.labels, group)).collect()
}

fn has_any_at(rows: &[Row], step: usize) -> bool {
    rows.iter().any(|row| is_present(row.values[step]))
}

/// `and`, `or`, `unless`.
fn combine(
    op: SetOp,
    mut left: Vec<Row>,
    mut right: Vec<Row>,
    groups: &[(Labels, MatchGroup)],
    grid: Grid,
) -> Result<Vec<Row>, EvalError> {
    for (_, group) in groups {
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
