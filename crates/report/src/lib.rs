//! Facts of an incident into documents and pictures; it never sees I/O or a clock.
