//! Finds what a path names by its id, for the native API and for fronts that refuse in other words. It knows no noun, and changes
//! nothing.

use std::str::FromStr;

use tocsin_domain::state::State;

use super::problem::Problem;
use crate::app::App;

/// What this id names; none when it is no id, or nothing has it.
pub(crate) fn known<I: FromStr, T>(
    app: &App,
    id: &str,
    find: impl FnOnce(&State, I) -> Option<T>,
) -> Option<T> {
    let id: I = id.parse().ok()?;
    app.read(|state| find(state, id))
}

/// What a path names, or the refusal: `noun` is what there is none of.
pub(crate) fn in_path<I: FromStr, T>(
    app: &App,
    noun: &str,
    id: &str,
    find: impl FnOnce(&State, I) -> Option<T>,
) -> Result<T, Problem> {
    known(app, id, find).ok_or_else(|| Problem::not_found(&format!("{noun} {id}")))
}
