//! Text from outside made fit for a report: secrets and addresses masked, control characters gone, length bounded; it does
//! not know what the text is about.

/// What stands in place of a secret.
pub const MASK: &str = "[masked]";

const KEY_WORDS: [&str; 12] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "api_key",
    "apikey",
    "api-key",
    "authorization",
    "cookie",
    "credential",
];
const SCHEMES: [&str; 3] = ["bearer", "basic", "digest"];
/// A word this long that mixes letters and digits is taken for a key.
const KEY_LENGTH_MIN: usize = 20;

/// `text` in one line with secrets masked, at most `chars_max` characters (an ellipsis marks a cut).
#[must_use]
pub fn clean(text: &str, chars_max: usize) -> String {
    clip(&mask(text), chars_max)
}

/// `text` cut to `chars_max` characters.
#[must_use]
pub fn clip(text: &str, chars_max: usize) -> String {
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    let kept: String = text.chars().take(chars_max.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// `text` in one line, with what looks like a secret, a mail address or a client's address replaced.
#[must_use]
pub fn mask(text: &str) -> String {
    let mut masked: Vec<String> = Vec::new();
    let mut hide_next = Hide::No;
    for word in printable(text).split_whitespace() {
        let (shown, next) = mask_word(word, hide_next);
        hide_next = next;
        masked.push(shown);
    }
    masked.join(" ")
}

#[derive(Clone, Copy, PartialEq)]
enum Hide {
    No,
    /// The word before named a secret: `password:`.
    Value,
    /// The word before was `client`: an address follows.
    Address,
}

fn printable(text: &str) -> String {
    text.chars()
        .filter(|c| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'))
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

fn mask_word(word: &str, hide: Hide) -> (String, Hide) {
    let lower = word.to_ascii_lowercase();
    let bare = lower.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    if hide == Hide::Value {
        let is_scheme = SCHEMES.contains(&bare) || matches!(bare, "is" | "was" | "");
        return if is_scheme {
            (word.to_owned(), Hide::Value)
        } else {
            (MASK.to_owned(), Hide::No)
        };
    }
    if hide == Hide::Address && word.chars().any(|c| c.is_ascii_digit()) {
        return ("[address]".to_owned(), Hide::No);
    }
    if SCHEMES.contains(&bare) && bare != "digest" && bare != "basic" {
        return (word.to_owned(), Hide::Value);
    }
    let next = if bare == "client" {
        Hide::Address
    } else if names_secret(bare) && lower.ends_with([':', '=']) {
        Hide::Value
    } else if names_secret(bare) && is_bare_setting(word) {
        // `SSLPassPhrase x`, `password is x`
        Hide::Value
    } else {
        Hide::No
    };
    (mask_inside(word, &lower), next)
}

fn names_secret(word: &str) -> bool {
    KEY_WORDS.iter().any(|key| word.contains(key))
}

/// A word that is nothing but the key word itself, so that the value may follow without a sign: `password hunter2`.
fn is_bare_setting(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    matches!(lower.as_str(), "password" | "passwd" | "pwd" | "passphrase")
}

/// Secrets within one word: `key=value`, `"key":"value"`, `scheme://user:password@host`, keys by their look, addresses.
fn mask_inside(word: &str, lower: &str) -> String {
    if let Some(masked) = mask_assignments(word, lower) {
        return masked;
    }
    if let Some((scheme, rest)) = word.split_once("://")
        && let Some((_, host)) = rest.split_once('@')
    {
        return format!(
            "{scheme}://{MASK}@{}",
            mask_inside(host, &host.to_ascii_lowercase())
        );
    }
    if is_mail_address(word) {
        return "[address]".to_owned();
    }
    word.split_inclusive([
        '/', '?', '&', ',', ';', '"', '\'', '(', ')', '<', '>', '=', ':',
    ])
    .map(mask_key)
    .collect()
}

fn mask_assignments(word: &str, lower: &str) -> Option<String> {
    // Lower-casing ASCII keeps every byte index.
    let (at, key) = KEY_WORDS
        .iter()
        .filter_map(|key| lower.find(key).map(|at| (at, *key)))
        .min()?;
    let after_key = at + key.len();
    let sign = lower[after_key..].find(['=', ':'])? + after_key;
    if sign + 1 >= word.len() {
        return None;
    }
    let value = &word[sign + 1..];
    let quoted = value.trim_start_matches(['"', '\'']);
    let end = quoted
        .find(['&', ';', ',', '"', '\'', '}'])
        .unwrap_or(quoted.len());
    if quoted.is_empty() || end == 0 {
        return None;
    }
    let rest = &quoted[end..];
    Some(format!(
        "{}{MASK}{}",
        &word[..=sign],
        mask_inside(rest, &rest.to_ascii_lowercase())
    ))
}

fn is_mail_address(word: &str) -> bool {
    word.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && host.contains('.') && host.len() > 3 && !host.contains('/')
    })
}

fn mask_key(part: &str) -> String {
    let body = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    let is_key = body.len() >= KEY_LENGTH_MIN
        && body
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '.'))
        && body.chars().any(|c| c.is_ascii_digit())
        && body.chars().any(|c| c.is_ascii_alphabetic())
        && !looks_like_time_or_name(body);
    if is_key {
        format!("{MASK}{}", &part[body.len()..])
    } else {
        part.to_owned()
    }
}

/// `2026-11-23T07:12:58.123Z` and `webserver-01.example.org` are long and mixed, but words, not keys.
fn looks_like_time_or_name(body: &str) -> bool {
    body.split(['-', '.', '_']).all(|piece| {
        piece.len() <= 12
            && (piece.chars().all(|c| c.is_ascii_digit())
                || piece
                    .trim_end_matches(|c: char| c.is_ascii_digit())
                    .chars()
                    .all(|c| c.is_ascii_alphabetic())
                || piece.contains('T'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(given: &str, expected: &str) {
        assert_eq!(mask(given), expected, "{given}");
    }

    #[test]
    fn what_looks_like_a_secret_is_masked() {
        check(
            "login with password=hunter2 failed",
            "login with password=[masked] failed",
        );
        check("password: hunter2 ok", "password: [masked] ok");
        check("the password is hunter2", "the password is [masked]");
        check(
            "Authorization: Bearer abc.def",
            "Authorization: Bearer [masked]",
        );
        check("GET /?api_key=AbC1&x=2", "GET /?api_key=[masked]&x=2");
        check(
            "{\"token\":\"q1\",\"a\":1}",
            "{\"token\":[masked]\",\"a\":1}",
        );
        check(
            "https://ada:pw@example.org/x",
            "https://[masked]@example.org/x",
        );
        check("key AKIAIOSFODNN7EXAMPLE9 leaked", "key [masked] leaked");
        check("mail ada@example.org now", "mail [address] now");
        check(
            "[client 10.0.0.7:4432] AH00128: gone",
            "[client [address] AH00128: gone",
        );
    }

    #[test]
    fn plain_text_stays_as_it_was() {
        for text in [
            "AH00491: caught SIGTERM, shutting down",
            "at 2026-11-23T07:12:58.123Z on webserver-01.internal.example.org",
            "MaxRequestWorkers 150 in /etc/apache2/mods-enabled/mpm_event.conf",
            "tokens were fine",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn control_and_direction_characters_are_gone_and_length_is_bounded() {
        check("a\n\u{202e}b\tc", "a b c");
        assert_eq!(clip("abcdef", 4), "abc…");
        assert_eq!(clean("", 4), "");
    }
}
