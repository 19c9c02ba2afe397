//! What is learned from an incident: frozen evidence, the facts computed from it, nothing that is not in it.

pub mod evidence;
