//! How what clients say of something beside its name is told back.

/// A text as it is told: null when nothing is said.
pub(crate) fn told(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}
