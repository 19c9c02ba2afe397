//! Ports, the step loop and effects; it decides nothing itself and does no network I/O.
