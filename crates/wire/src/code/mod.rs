//! Files of everything that is set up: TOML to and from the domain's document, with the place of each mistake, and the
//! difference between two documents. What a document means is not known here.

mod difference;
mod read;
mod write;

pub use difference::{Change, FieldChange, What, differences};
pub use read::{FILES_MAX, Files, Mistake, TEXT_BYTES_MAX, read};
pub use write::{File, canonical, write};

#[cfg(test)]
mod tests;
