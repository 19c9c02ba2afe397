//! Apache's configuration: what its own dumps say and what its files say; it opens no file and runs no program.
//!
//! The dumps (`-t -D DUMP_RUN_CFG`, `-t -D DUMP_VHOSTS`) are the truth about paths; the files tell what no dump does: the log
//! formats, the access logs and where the status page is. The reader of files is tolerant: what it does not know it skips,
//! what is wrong it notes, since Apache itself is the judge of the configuration.

mod conditions;
mod config;
mod directives;
mod dump;
mod enable_status;
mod lines;
mod reader;

pub use config::{
    AccessLog, Config, ErrorLog, Listen, LogTarget, Place, Problem, StatusPage, VirtualHost,
};
pub use dump::{DumpedHost, RunConfig, parse_run_cfg, parse_vhosts};
pub use enable_status::{Paste, enable_status};
pub use reader::{Files, Start, read};

/// Files may include each other this deep.
pub const INCLUDE_DEPTH_MAX: usize = 64;
/// Bytes read from all files together.
pub const BYTES_MAX: usize = 8 * 1_024 * 1_024;
/// Files read, each as often as it is included.
pub const FILES_MAX: usize = 4_096;
/// Sections may be nested this deep.
pub const SECTION_DEPTH_MAX: usize = 128;

#[cfg(test)]
mod tests;
