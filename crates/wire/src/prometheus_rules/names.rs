//! Names of metrics, labels and annotations. It knows no file.

/// Whether it can name a metric: letters, digits, underscores and colons, no digit first.
pub(super) fn is_metric(name: &str) -> bool {
    let is_first = |one: char| one.is_ascii_alphabetic() || one == '_' || one == ':';
    name.starts_with(is_first)
        && name
            .chars()
            .all(|one| is_first(one) || one.is_ascii_digit())
}

/// Whether it can name a label: letters, digits and underscores, no digit first.
pub(super) fn is_label(name: &str) -> bool {
    is_metric(name) && !name.contains(':')
}
