//! Everything that has to pass, one step after the other; what a step checks is the step's own affair.

use clap::Args;

use crate::failure::Outcome;

#[derive(Args)]
pub(crate) struct Options {}

pub(crate) fn run(_options: &Options) -> Outcome<()> {
    Ok(())
}

pub(crate) fn shots() -> Outcome<()> {
    Ok(())
}
