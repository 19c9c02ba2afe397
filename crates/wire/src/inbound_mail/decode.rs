//! Base64 and quoted-printable as mails have them: what is no part of them is passed over, and no more than asked for is made.

/// The bytes of base64, without what is none of it.
pub(super) fn base64(text: &[u8], bytes_max: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0_u32);
    for digit in text {
        if *digit == b'=' || bytes.len() == bytes_max {
            break;
        }
        let Some(value) = digit_of(*digit) else {
            continue;
        };
        bits = (bits << 6 | value) & 0xffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
        }
    }
    bytes
}

fn digit_of(digit: u8) -> Option<u32> {
    let value = match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

/// The bytes of quoted-printable; what is wrong in it stays as it is.
pub(super) fn quoted(text: &[u8], bytes_max: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        if bytes.len() == bytes_max {
            break;
        }
        rest = after;
        if *first != b'=' {
            bytes.push(*first);
            continue;
        }
        match after {
            [b'\r', b'\n', next @ ..] | [b'\n', next @ ..] => rest = next,
            [high, low, next @ ..] => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    bytes.push(high << 4 | low);
                    rest = next;
                }
                _ => bytes.push(b'='),
            },
            [] | [_] => bytes.push(b'='),
        }
    }
    bytes
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
