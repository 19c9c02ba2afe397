//! What single values of the configuration must look like: text in, the value or the reason against it out. It opens no file
//! and resolves no name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Component, Path, PathBuf};

use reqwest::Url;
use toml::de::DeValue;

use super::document::{described, shown};
use super::{Allowed, Retention};

/// Longest retention, in days: a hundred years.
const RETENTION_DAYS_MAX: u32 = 36_500;
/// Shortest interval of rules, in milliseconds.
const INTERVAL_MS_MIN: u64 = 100;
/// Longest path, in bytes; the operating system takes no longer one.
const PATH_BYTES_MAX: usize = 4_096;
/// Longest host name (RFC 1035).
const HOST_CHARS_MAX: usize = 253;
/// Longest name of a log field.
const FIELD_CHARS_MAX: usize = 100;

pub(super) fn answer(value: &DeValue<'_>) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| {
        format!(
            "{} stands here; expected true or false, without quotes",
            described(value)
        )
    })
}

/// The text of a value; `example` shows what was expected.
fn text<'v>(value: &'v DeValue<'_>, example: &str) -> Result<&'v str, String> {
    value.as_str().ok_or_else(|| {
        format!(
            "{} stands here; expected text in quotes such as \"{example}\"",
            described(value)
        )
    })
}

/// A duration as Prometheus writes them, in milliseconds.
pub(super) fn interval(value: &DeValue<'_>) -> Result<u64, String> {
    let ms = tocsin_wire::prometheus_rules::duration::parse(text(value, "15s")?)?;
    if ms < INTERVAL_MS_MIN {
        return Err(format!("the shortest is {INTERVAL_MS_MIN}ms"));
    }
    Ok(ms)
}

/// The address to listen on.
pub(super) fn listen(value: &DeValue<'_>) -> Result<SocketAddr, String> {
    parse_listen(text(value, "127.0.0.1:8700")?)
}

/// Reads `ADDRESS:PORT`.
///
/// # Errors
/// What is wrong, what was expected.
pub(crate) fn parse_listen(given: &str) -> Result<SocketAddr, String> {
    let given = given.trim();
    given.parse().map_err(|_| {
        let port = given
            .strip_prefix("localhost:")
            .or_else(|| given.strip_prefix(':'))
            .unwrap_or(given);
        let hint = match port.parse::<u16>() {
            Ok(port) => format!("; did you mean \"127.0.0.1:{port}\"?"),
            Err(_) if given.parse::<Ipv6Addr>().is_ok() => {
                format!("; did you mean \"[{given}]:8700\"?")
            }
            Err(_) if given.parse::<Ipv4Addr>().is_ok() => {
                format!("; did you mean \"{given}:8700\"?")
            }
            Err(_) => String::new(),
        };
        format!(
            "{} is not an address to listen on; expected IP:PORT such as \"127.0.0.1:8700\"{hint}",
            shown(given)
        )
    })
}

/// A file or folder; a relative one is meant from `base`.
pub(super) fn path(value: &DeValue<'_>, base: &Path, example: &str) -> Result<PathBuf, String> {
    let given = text(value, example)?;
    let expected = format!("expected a path such as \"{example}\"");
    if given.trim().is_empty() {
        return Err(format!("empty text is no path; {expected}"));
    }
    if given.contains('\0') || given.len() > PATH_BYTES_MAX {
        return Err(format!("{} cannot be a path; {expected}", shown(given)));
    }
    if given.starts_with('~') {
        return Err(format!(
            "{}: ~ is not replaced here; {expected}",
            shown(given)
        ));
    }
    Ok(base.join(given))
}

/// A folder of web server configurations: absolute, since nothing says from where else.
pub(super) fn watched(value: &DeValue<'_>) -> Result<PathBuf, String> {
    let found = path(value, Path::new(""), "/etc/apache2")?;
    let climbs = found.components().any(|part| part == Component::ParentDir);
    if !found.is_absolute() || climbs {
        let given = shown(&found.to_string_lossy());
        return Err(format!(
            "{given} is relative; expected an absolute path such as \"/etc/apache2\", without .."
        ));
    }
    Ok(found)
}

/// Where people reach this server.
pub(super) fn public_url(value: &DeValue<'_>) -> Result<String, String> {
    parse_public_url(text(value, "https://tocsin.example.org")?)
}

/// Reads the address under which people reach this server; the result has no slash at the end.
///
/// # Errors
/// What is wrong, what was expected.
pub(crate) fn parse_public_url(given: &str) -> Result<String, String> {
    let expected = "expected scheme and host alone, such as \"https://tocsin.example.org\" or \"http://10.0.0.5:8700\"";
    let wrong = |what: &str| format!("{} {what}; {expected}", shown(given));
    let url = Url::parse(given.trim()).map_err(|_| wrong("is not a URL"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(wrong("is not an http or https URL"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!(
            "it holds a name or a password, which every link would show; {expected}"
        ));
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("has more than a host"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// How long samples and logs are kept.
pub(super) fn retention(value: &DeValue<'_>) -> Result<Retention, String> {
    text(value, "30d")?.parse()
}

pub(super) fn parse_retention(given: &str) -> Result<Retention, String> {
    let given = given.trim();
    if given.eq_ignore_ascii_case("forever") {
        return Ok(Retention::Forever);
    }
    let days = given
        .strip_suffix('d')
        .and_then(|days| days.trim_end().parse().ok());
    match days {
        Some(days) if (1..=RETENTION_DAYS_MAX).contains(&days) => Ok(Retention::Days(days)),
        Some(_) | None => Err(format!(
            "{} is not a time to keep; expected days such as \"30d\" (1 to {RETENTION_DAYS_MAX}), or \"forever\"",
            shown(given)
        )),
    }
}

/// Bytes that samples and logs may take.
pub(super) fn size(value: &DeValue<'_>) -> Result<u64, String> {
    parse_size(text(value, "50GB")?)
}

/// Bytes as `50GB`: a whole number and MB, GB or TB (powers of ten).
fn parse_size(given: &str) -> Result<u64, String> {
    let units = [
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("TB", 1_000_000_000_000),
    ];
    let bytes = units.iter().find_map(|(unit, factor): &(&str, u64)| {
        let number: u64 = given.strip_suffix(unit)?.trim_end().parse().ok()?;
        number.checked_mul(*factor).filter(|bytes| *bytes > 0)
    });
    bytes.ok_or_else(|| {
        format!(
            "{} is not a size; expected a number and MB, GB or TB, such as \"50GB\"",
            shown(given)
        )
    })
}

/// One entry of `[egress] allow`.
pub(super) fn allowed(value: &DeValue<'_>) -> Result<Allowed, String> {
    let given = text(value, "10.0.0.0/8")?.trim();
    let wrong = |what: &str| {
        let expected = "expected a block such as \"10.0.0.0/8\", an address, or a host name";
        format!("{} {what}; {expected}", shown(given))
    };
    if given.contains("://") {
        return Err(wrong("is a URL"));
    }
    if let Some((address, bits)) = given.split_once('/') {
        let first: IpAddr = address
            .parse()
            .map_err(|_| wrong("is not a block of addresses"))?;
        let bits: u8 = bits.parse().map_err(|_| wrong("has no number of bits"))?;
        return block(first, bits).map_err(|what| wrong(&what));
    }
    if let Ok(address) = given.parse::<IpAddr>() {
        return Ok(Allowed::Block(
            address,
            if address.is_ipv4() { 32 } else { 128 },
        ));
    }
    let label = |label: &str| {
        let letters = label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        (1..=63).contains(&label.len()) && letters && !label.starts_with('-')
    };
    let all_digits = given
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let is_host = given.len() <= HOST_CHARS_MAX
        && !all_digits
        && given.trim_end_matches('.').split('.').all(label);
    if is_host {
        Ok(Allowed::Host(given.to_ascii_lowercase()))
    } else {
        Err(wrong("is neither"))
    }
}

fn block(address: IpAddr, bits: u8) -> Result<Allowed, String> {
    let width = if address.is_ipv4() { 32 } else { 128 };
    if bits > width {
        return Err(format!("has more than {width} bits"));
    }
    let first = match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(u32::from(width - bits)).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & mask))
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(u32::from(width - bits)).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
    };
    if first == address {
        Ok(Allowed::Block(first, bits))
    } else {
        Err(format!("begins inside the block {first}/{bits}"))
    }
}

/// The name of a field of the access log.
pub(super) fn field(value: &DeValue<'_>) -> Result<String, String> {
    let given = text(value, "X-User-Tier")?;
    let good = (1..=FIELD_CHARS_MAX).contains(&given.len())
        && given
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'"');
    if good {
        Ok(given.to_owned())
    } else {
        Err(format!(
            "{} is not the name of a log field; expected one word such as \"X-User-Tier\"",
            shown(given)
        ))
    }
}
