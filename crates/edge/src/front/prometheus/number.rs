//! Floats and times as Prometheus' API writes them: the shortest digits that give the same float again, with an exponent only
//! where its JSON has one. It knows no JSON.

/// From here on whole numbers have digits that a float does not tell apart.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
/// Decimal numbers of up to 15 digits are each next to a float of their own.
const THOUSANDTHS_MAX: f64 = 1e15;
/// Smaller than this, and not zero: written with an exponent.
const PLAIN_FROM: f64 = 1e-6;
/// As large as this: written with an exponent.
const PLAIN_BELOW: f64 = 1e21;

/// Appends a float.
pub(crate) fn write_float(out: &mut Vec<u8>, value: f64) {
    if value.fract() == 0.0 && value.abs() < EXACT_MAX {
        if value.is_sign_negative() {
            out.push(b'-');
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number below 2^53 that is not negative"
        )]
        write_whole(out, value.abs() as u64);
        return;
    }
    if !value.is_finite() {
        write_word(out, value);
        return;
    }
    if write_thousandths(out, value) {
        return;
    }
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value);
    if (PLAIN_FROM..EXACT_MAX).contains(&value.abs()) && !text.contains('e') {
        out.extend_from_slice(text.as_bytes());
    } else {
        write_rescaled(out, text, value.abs());
    }
}

/// Appends a float that has three decimals or fewer, as most measured values do; whether it was one. The float next to so few
/// digits is next to no others as few, so they are the shortest.
fn write_thousandths(out: &mut Vec<u8>, value: f64) -> bool {
    let magnitude = value.abs();
    let thousandths = (magnitude * 1e3).round();
    if thousandths >= THOUSANDTHS_MAX || thousandths / 1e3 != magnitude {
        return false;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number below the limit that is not negative"
    )]
    let thousandths = thousandths as u64;
    if value.is_sign_negative() {
        out.push(b'-');
    }
    write_whole(out, thousandths / 1_000);
    out.push(b'.');
    let rest = thousandths % 1_000;
    out.push(b'0' + (rest / 100) as u8);
    if !rest.is_multiple_of(100) {
        out.push(b'0' + (rest / 10 % 10) as u8);
    }
    if !rest.is_multiple_of(10) {
        out.push(b'0' + (rest % 10) as u8);
    }
    true
}

/// Appends a float with an exponent, whatever its size: the values of alerts are written so.
pub(crate) fn write_with_exponent(out: &mut Vec<u8>, value: f64) {
    if !value.is_finite() {
        write_word(out, value);
        return;
    }
    if value == 0.0 {
        let sign: &[u8] = if value.is_sign_negative() { b"-" } else { b"" };
        out.extend_from_slice(sign);
        write_scientific(out, "0", 0);
        return;
    }
    let mut buffer = zmij::Buffer::new();
    let parts = Parts::of(buffer.format_finite(value));
    out.extend_from_slice(parts.sign.as_bytes());
    write_scientific(out, parts.digits(), parts.point - 1);
}

fn write_word(out: &mut Vec<u8>, value: f64) {
    out.extend_from_slice(if value.is_nan() {
        b"NaN"
    } else if value > 0.0 {
        b"+Inf"
    } else {
        b"-Inf"
    });
}

/// A float that is not zero: its sign, and 0.DIGITS times ten to the power of `point`.
struct Parts {
    sign: &'static str,
    all: String,
    leading: usize,
    point: i32,
}

impl Parts {
    fn of(text: &str) -> Self {
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let exponent: i32 = exponent.parse().unwrap_or_default();
        let (sign, mantissa) = match mantissa.strip_prefix('-') {
            Some(rest) => ("-", rest),
            None => ("", mantissa),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = [whole, fraction].concat();
        let leading = all.len() - all.trim_start_matches('0').len();
        let places = |count: usize| i32::try_from(count).unwrap_or_default();
        Self {
            sign,
            leading,
            point: places(whole.len()) - places(leading) + exponent,
            all,
        }
    }

    fn digits(&self) -> &str {
        let from_first = self.all.get(self.leading..).unwrap_or_default();
        from_first.trim_end_matches('0')
    }
}

/// Appends digits whose exponent, or whose lack of one, is not what the API writes.
fn write_rescaled(out: &mut Vec<u8>, text: &str, magnitude: f64) {
    let parts = Parts::of(text);
    let (digits, point) = (parts.digits(), parts.point);
    out.extend_from_slice(parts.sign.as_bytes());
    if !(PLAIN_FROM..PLAIN_BELOW).contains(&magnitude) {
        write_scientific(out, digits, point - 1);
    } else if point <= 0 {
        out.extend_from_slice(b"0.");
        out.extend((point..0).map(|_| b'0'));
        out.extend_from_slice(digits.as_bytes());
    } else {
        let places = usize::try_from(point).unwrap_or_default();
        let (before, after) = digits.split_at(places.min(digits.len()));
        out.extend_from_slice(before.as_bytes());
        out.extend((before.len()..places).map(|_| b'0'));
        if !after.is_empty() {
            out.push(b'.');
            out.extend_from_slice(after.as_bytes());
        }
    }
}

/// Appends `1.5e-07`: at least two digits of exponent.
fn write_scientific(out: &mut Vec<u8>, digits: &str, exponent: i32) {
    let (first, rest) = digits.split_at(digits.len().min(1));
    out.extend_from_slice(first.as_bytes());
    if !rest.is_empty() {
        out.push(b'.');
        out.extend_from_slice(rest.as_bytes());
    }
    out.extend_from_slice(if exponent < 0 { b"e-" } else { b"e+" });
    if exponent.abs() < 10 {
        out.push(b'0');
    }
    write_whole(out, u64::from(exponent.unsigned_abs()));
}

/// Appends a whole number.
pub(crate) fn write_whole(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0_u8; 20];
    let mut from = digits.len();
    loop {
        from -= 1;
        if let Some(place) = digits.get_mut(from) {
            *place = b'0' + (number % 10) as u8;
        }
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(from..).unwrap_or_default());
}

/// Appends milliseconds since the epoch as seconds, with three decimals where they are no whole second.
pub(crate) fn write_seconds(out: &mut Vec<u8>, at_ms: i64) {
    if at_ms < 0 {
        out.push(b'-');
    }
    let at_ms = at_ms.unsigned_abs();
    write_whole(out, at_ms / 1_000);
    let ms = at_ms % 1_000;
    if ms > 0 {
        out.push(b'.');
        for unit in [100, 10, 1] {
            out.push(b'0' + (ms / unit % 10) as u8);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn float(value: f64) -> String {
        let mut out = Vec::new();
        write_float(&mut out, value);
        String::from_utf8(out).unwrap()
    }

    fn seconds(at_ms: i64) -> String {
        let mut out = Vec::new();
        write_seconds(&mut out, at_ms);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn floats_have_an_exponent_only_where_prometheus_writes_one() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-17.0, "-17"),
            (0.1, "0.1"),
            (-2.5, "-2.5"),
            (1e-6, "0.000001"),
            (1.25e-6, "0.00000125"),
            (-0.000_012_34, "-0.00001234"),
            (9.99e-7, "9.99e-07"),
            (-1e-7, "-1e-07"),
            (5e-324, "5e-324"),
            (9_007_199_254_740_991.0, "9007199254740991"),
            (9_007_199_254_740_992.0, "9007199254740992"),
            (1e16, "10000000000000000"),
            (123_456_789_012_345_680_000.0, "123456789012345680000"),
            (999_999_999_999_999_900_000.0, "999999999999999900000"),
            (1e21, "1e+21"),
            (1.5e300, "1.5e+300"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
            (1_700_000_000.5, "1700000000.5"),
            (818.9, "818.9"),
            (-0.05, "-0.05"),
            (0.001, "0.001"),
            (10.101, "10.101"),
            (999_999_999_999.999, "999999999999.999"),
            (0.1 + 0.2, "0.30000000000000004"),
        ] {
            assert_eq!(float(value), expected);
        }
    }

    #[test]
    fn times_are_seconds_with_three_decimals_or_none() {
        assert_eq!(seconds(0), "0");
        assert_eq!(seconds(1_500), "1.500");
        assert_eq!(seconds(1_700_000_000_007), "1700000000.007");
        assert_eq!(seconds(1_700_000_000_000), "1700000000");
        assert_eq!(seconds(-1_050), "-1.050");
        assert_eq!(seconds(i64::MIN), "-9223372036854775.808");
    }

    #[test]
    fn values_of_alerts_have_an_exponent_always() {
        for (value, expected) in [
            (1.0, "1e+00"),
            (0.0, "0e+00"),
            (-0.0, "-0e+00"),
            (-123.5, "-1.235e+02"),
            (0.05, "5e-02"),
            (1e100, "1e+100"),
            (f64::NAN, "NaN"),
        ] {
            let mut out = Vec::new();
            write_with_exponent(&mut out, value);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    proptest! {
        #[test]
        fn every_float_reads_back_to_the_bit(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            prop_assume!(!value.is_nan());
            prop_assert_eq!(float(value).parse::<f64>().unwrap().to_bits(), bits);
        }

        #[test]
        fn floats_of_few_decimals_have_no_digit_too_many(whole in -1_000_000_000_000_000_i64..1_000_000_000_000_000) {
            let value = whole as f64 / 1e3;
            prop_assert_eq!(float(value), value.to_string());
        }

        #[test]
        fn floats_of_common_sizes_read_back_to_the_bit(value in -1e22_f64..1e22, shift in -12..12_i32) {
            let value = value * 10_f64.powi(shift) / 1e15;
            prop_assert_eq!(float(value).parse::<f64>().unwrap().to_bits(), value.to_bits());
        }
    }
}
