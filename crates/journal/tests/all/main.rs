//! The crate from outside: every test works on a real directory and on what is in its files.
//!
//! The modules are marked as tests so that the lints allow them to unwrap.

#[cfg(test)]
mod access;
#[cfg(test)]
mod changes;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod data_dir;
#[cfg(test)]
mod disk_full;
#[cfg(test)]
mod given;
#[cfg(test)]
mod journal;
#[cfg(test)]
mod vault;
