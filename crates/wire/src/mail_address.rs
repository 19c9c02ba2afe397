//! Whether a text is an address of a person that mail can go to and that they can sign in with; it knows no list and no format.

/// Characters of an address at most (RFC 5321).
const ADDRESS_CHARS_MAX: usize = 254;
/// Bytes at most of what stands before the `@`.
const LOCAL_BYTES_MAX: usize = 64;
/// Bytes at most of what stands behind it.
const DOMAIN_BYTES_MAX: usize = 254;
/// Bytes of each part of that at most.
const LABEL_BYTES_MAX: usize = 63;
/// What may stand before an `@` without quotes, besides letters, digits and dots.
const ATOM: &str = "!#$%&'*+-/=?^_`{|}~";

/// Whether mail can go there. Nothing is taken here that a server does not take where somebody is added.
#[must_use]
pub fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let is_atom = |atom: &str| {
        let may_stand = |one: char| one.is_alphanumeric() || ATOM.contains(one);
        !atom.is_empty() && atom.chars().all(may_stand)
    };
    let is_label = |label: &str| {
        let may_stand = |one: char| one.is_alphanumeric() || one == '-';
        !label.is_empty()
            && label.len() <= LABEL_BYTES_MAX
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(may_stand)
    };
    text.chars().count() <= ADDRESS_CHARS_MAX
        && local.len() <= LOCAL_BYTES_MAX
        && domain.len() <= DOMAIN_BYTES_MAX
        && local.split('.').all(is_atom)
        && domain.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_name_and_a_host_of_what_may_stand_there() {
        for good in [
            "ann@example.org",
            "ann.o'neil+page@mail.example.org",
            "björn@exämple.org",
        ] {
            assert!(is_address(good), "{good}");
        }
        let long = format!("{}@example.org", "a".repeat(65));
        for bad in [
            "",
            "ann",
            "@",
            "ann@",
            "@example.org",
            "ann@@example.org",
            "a..b@example.org",
            ".a@example.org",
            "ann@example..org",
            "ann@-example.org",
            "ann@exam_ple.org",
            "a,b@example.org",
            "<ann@example.org>",
            "a b@example.org",
            "ann@example.org\r\nBcc: x@example.org",
            &long,
        ] {
            assert!(!is_address(bad), "{bad}");
        }
    }
}
