//! The language: Prometheus' own cases, laws over random samples, hostile texts, and what a query tells of itself.

mod format;
mod hostile;
mod naive;
mod needs;
mod promqltest;
