//! The fingerprint by which Alertmanager knows an alert: FNV-1a of 64 bits over its labels. It knows no alert.

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;
/// Stands after each name and each value; no UTF-8 text has this byte.
const SEPARATOR: u8 = 0xff;

/// The fingerprint of labels, which must come sorted by name, each name once.
#[must_use]
pub fn fingerprint<'a>(labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> u64 {
    let add = |sum: u64, byte: u8| (sum ^ u64::from(byte)).wrapping_mul(PRIME);
    labels.into_iter().fold(OFFSET, |sum, (name, value)| {
        [name, value]
            .into_iter()
            .fold(sum, |sum, text| add(text.bytes().fold(sum, add), SEPARATOR))
    })
}

/// The same as 16 hexadecimal digits.
#[must_use]
pub fn fingerprint_text<'a>(labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    format!("{:016x}", fingerprint(labels))
}
