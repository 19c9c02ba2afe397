//! The binary `tocsin`: command line, configuration, wiring and signals.

fn main() {}
