//! The crate from outside: every test works on a real directory and on what is in its files.

mod access;
mod crash;
mod data_dir;
mod disk_full;
mod given;
mod journal;
mod vault;
