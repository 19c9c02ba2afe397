//! The values of one run as bytes. Most series are whole numbers, decimals, or sums of decimals, and are coded as the whole
//! numbers behind them; each is checked to come back bit for bit, and what does not fit stands apart.
//!
//! First byte, the form; then by form:
//! - 0 same: the one value's bits, 8 bytes, little-endian.
//! - 1 decimal: digits behind the point (1 byte), divisor, offset (varints), exceptions, whole numbers `k`:
//!   `value = (offset + k * divisor) / 10^digits`.
//! - 2 sum: digits, exceptions (the first value is one), whole numbers `k`: `value = value before + k / 10^digits`, in floating point.
//! - 3 bits: the bits as whole numbers, in the order of the values they stand for.
//!
//! Forms 16 and up are kept for native histograms. Exceptions: their count, then for each the distance from the one before and
//! its bits.

use super::{ColumnError, IntPacker, IntUnpacker, Scratch};
use crate::varint::{Reader, put_i64, put_len, put_u64};

const SAME: u8 = 0;
const DECIMAL: u8 = 1;
const SUM: u8 = 2;
const BITS: u8 = 3;

/// Most digits behind the point that are tried.
const DIGITS_MAX: usize = 12;
/// Most digits of the steps of a sum: beyond, any step would seem to be a decimal.
const SUM_DIGITS_MAX: usize = 9;
/// Whole numbers of this size and more are not exact in a float.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
/// Steps of a sum must stay below this, or the bits themselves are as short.
const STEP_MAX: f64 = 4_294_967_296.0;
/// One value in so many may be an exception.
const EXCEPTIONS_ONE_IN: usize = 8;
/// Values at the start that decide how many digits there may be.
const PROBE: usize = 16;

/// Powers of ten up to `DIGITS_MAX`; all are exact.
const POWERS: [f64; DIGITS_MAX + 1] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12,
];

/// Encodes values; its buffers serve run after run.
#[derive(Default)]
pub(crate) struct ValueEncoder {
    numbers: Vec<i64>,
    exceptions: Vec<(usize, u64)>,
}

impl ValueEncoder {
    /// Appends the values to `out`. How many there were is not said there.
    pub(crate) fn encode(
        &mut self,
        values: &[f64],
        packer: &mut IntPacker,
        out: &mut Vec<u8>,
    ) -> Result<(), ColumnError> {
        let first = values.first().map_or(0, |value| value.to_bits());
        if values.iter().all(|value| value.to_bits() == first) {
            out.push(SAME);
            out.extend_from_slice(&first.to_le_bytes());
            return Ok(());
        }
        if let Some(digits) = self.as_decimals(values) {
            return self.put_decimals(digits, packer, out);
        }
        if let Some(digits) = self.as_sums(values) {
            out.push(SUM);
            out.push(digits);
            put_exceptions(out, &self.exceptions);
            return packer.pack(&self.numbers, out);
        }
        self.numbers.clear();
        let ordered = values.iter().map(|value| to_ordered(value.to_bits()));
        self.numbers.extend(ordered);
        out.push(BITS);
        packer.pack(&self.numbers, out)
    }

    /// Finds the fewest digits with which nearly all values are decimals.
    fn as_decimals(&mut self, values: &[f64]) -> Option<u8> {
        let exceptions_max = values.len() / EXCEPTIONS_ONE_IN;
        let mut digits = fewest_digits(values)?;
        'digits: loop {
            let power = POWERS[digits];
            self.numbers.clear();
            self.exceptions.clear();
            let mut last = 0_i64;
            for (at, value) in values.iter().enumerate() {
                match decimal(*value, power) {
                    Some(number) => last = number,
                    None if self.exceptions.len() < exceptions_max => {
                        if digits < DIGITS_MAX && is_finer(*value) {
                            digits = (digits + 1..=DIGITS_MAX)
                                .find(|more| decimal(*value, POWERS[*more]).is_some())
                                .unwrap_or(digits);
                            if POWERS[digits] > power {
                                continue 'digits;
                            }
                        }
                        self.exceptions.push((at, value.to_bits()));
                    }
                    None => return None,
                }
                self.numbers.push(last);
            }
            return u8::try_from(digits).ok();
        }
    }

    fn put_decimals(
        &mut self,
        digits: u8,
        packer: &mut IntPacker,
        out: &mut Vec<u8>,
    ) -> Result<(), ColumnError> {
        let offset = self.numbers.first().copied().unwrap_or_default();
        let mut divisor = 0_u64;
        for number in &self.numbers {
            divisor = greatest_divisor(divisor, number.abs_diff(offset));
            if divisor == 1 {
                break;
            }
        }
        let divisor = i64::try_from(divisor.max(1)).unwrap_or(1);
        let offset = if divisor > 1 { offset } else { 0 };
        if divisor > 1 {
            for number in &mut self.numbers {
                *number = (*number - offset) / divisor;
            }
        }
        out.push(DECIMAL);
        out.push(digits);
        put_u64(out, divisor.cast_unsigned());
        put_i64(out, offset);
        put_exceptions(out, &self.exceptions);
        packer.pack(&self.numbers, out)
    }

    /// Finds the fewest digits with which nearly all values are the one before and a decimal step.
    fn as_sums(&mut self, values: &[f64]) -> Option<u8> {
        let exceptions_max = 1 + values.len() / EXCEPTIONS_ONE_IN;
        let mut digits = 0;
        'digits: loop {
            let power = POWERS[digits];
            self.numbers.clear();
            self.exceptions.clear();
            let mut before = f64::NAN;
            for (at, value) in values.iter().enumerate() {
                match step(before, *value, power) {
                    Some(step) => self.numbers.push(step),
                    None if digits < SUM_DIGITS_MAX && before.is_finite() && value.is_finite() => {
                        let more = (digits + 1..=SUM_DIGITS_MAX)
                            .find(|more| step(before, *value, POWERS[*more]).is_some());
                        if let Some(more) = more {
                            digits = more;
                            continue 'digits;
                        }
                        self.except(at, *value, exceptions_max)?;
                    }
                    None => self.except(at, *value, exceptions_max)?,
                }
                if value.is_finite() {
                    before = *value;
                }
            }
            return u8::try_from(digits).ok();
        }
    }

    fn except(&mut self, at: usize, value: f64, exceptions_max: usize) -> Option<()> {
        if self.exceptions.len() >= exceptions_max {
            return None;
        }
        self.exceptions.push((at, value.to_bits()));
        self.numbers.push(0);
        Some(())
    }
}

/// The fewest digits with which one of the first finite values is a decimal; none when none of them is one.
fn fewest_digits(values: &[f64]) -> Option<usize> {
    let probed = values.iter().filter(|value| value.is_finite()).take(PROBE);
    let mut found = None;
    for value in probed {
        let from = found.unwrap_or(0);
        let more = (from..=DIGITS_MAX).find(|digits| decimal(*value, POWERS[*digits]).is_some());
        found = found.max(more);
    }
    found
}

/// Whether more digits could make a decimal of it.
fn is_finer(value: f64) -> bool {
    value.is_finite() && value.fract() != 0.0
}

/// The whole number `k` with `k / power` equal to the value to the bit.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "below 2^53 both ways are exact, and the result is compared to the bit"
)]
fn decimal(value: f64, power: f64) -> Option<i64> {
    let scaled = (value * power).round();
    if scaled.is_nan() || scaled.abs() >= EXACT_MAX {
        return None;
    }
    let number = scaled as i64;
    (number as f64 / power)
        .to_bits()
        .eq(&value.to_bits())
        .then_some(number)
}

/// The whole number `k` with `before + k / power` equal to the value to the bit.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "below 2^53 both ways are exact, and the result is compared to the bit"
)]
fn step(before: f64, value: f64, power: f64) -> Option<i64> {
    let scaled = ((value - before) * power).round();
    if scaled.is_nan() || scaled.abs() >= STEP_MAX {
        return None;
    }
    let number = scaled as i64;
    let again = before + number as f64 / power;
    again.to_bits().eq(&value.to_bits()).then_some(number)
}

fn greatest_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Bits as a number that rises where the value does.
const fn to_ordered(bits: u64) -> i64 {
    let signed = bits.cast_signed();
    signed ^ ((signed >> 63) & i64::MAX)
}

const fn from_ordered(ordered: i64) -> u64 {
    (ordered ^ ((ordered >> 63) & i64::MAX)).cast_unsigned()
}

fn put_exceptions(out: &mut Vec<u8>, exceptions: &[(usize, u64)]) {
    put_len(out, exceptions.len());
    let mut before = 0;
    for (at, bits) in exceptions {
        put_len(out, at - before);
        out.extend_from_slice(&bits.to_le_bytes());
        before = *at;
    }
}

fn read_exceptions(reader: &mut Reader<'_>, count: usize) -> Option<Vec<(usize, u64)>> {
    let exceptions = reader.count()?;
    let mut found = Vec::with_capacity(exceptions.min(count));
    let mut at = 0_usize;
    for _ in 0..exceptions {
        at = at.checked_add(reader.len()?).filter(|at| *at < count)?;
        found.push((at, u64::from_le_bytes(reader.fixed()?)));
    }
    Some(found)
}

/// Appends the `count` values that were encoded to `values`.
#[expect(
    clippy::cast_precision_loss,
    reason = "the encoder checked that these numbers are exact"
)]
pub(crate) fn decode_values(
    bytes: &[u8],
    count: usize,
    unpacker: &IntUnpacker,
    scratch: &mut Scratch,
    values: &mut Vec<f64>,
) -> Result<(), ColumnError> {
    let cut = || ColumnError::Damaged("values are cut short".into());
    let mut reader = Reader(bytes);
    let first = values.len();
    match reader.u8().ok_or_else(cut)? {
        SAME => {
            let bits = u64::from_le_bytes(reader.fixed().ok_or_else(cut)?);
            values.resize(first + count, f64::from_bits(bits));
        }
        DECIMAL => {
            let power = power_of(reader.u8()).ok_or_else(cut)?;
            let divisor = reader.u64().ok_or_else(cut)?.cast_signed();
            let offset = reader.i64().ok_or_else(cut)?;
            let exceptions = read_exceptions(&mut reader, count).ok_or_else(cut)?;
            unpacker.unpack(reader.0, count, scratch)?;
            let numbers = scratch.numbers.iter();
            if divisor == 1 && power == 1.0 {
                values.extend(numbers.map(|one| *one as f64));
            } else {
                values.extend(
                    numbers
                        .map(|one| offset.wrapping_add(one.wrapping_mul(divisor)) as f64 / power),
                );
            }
            for (at, bits) in exceptions {
                values[first + at] = f64::from_bits(bits);
            }
        }
        SUM => {
            let power = power_of(reader.u8()).ok_or_else(cut)?;
            let exceptions = read_exceptions(&mut reader, count).ok_or_else(cut)?;
            unpacker.unpack(reader.0, count, scratch)?;
            sum_up(&scratch.numbers, power, &exceptions, values);
        }
        BITS => {
            unpacker.unpack(reader.0, count, scratch)?;
            let numbers = scratch.numbers.iter();
            values.extend(numbers.map(|one| f64::from_bits(from_ordered(*one))));
        }
        form => return Err(ColumnError::Damaged(format!("form {form} is unknown"))),
    }
    Ok(())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the encoder checked that these numbers are exact"
)]
fn sum_up(steps: &[i64], power: f64, exceptions: &[(usize, u64)], values: &mut Vec<f64>) {
    let mut exceptions = exceptions.iter().peekable();
    let mut before = f64::NAN;
    for (at, step) in steps.iter().enumerate() {
        let value = match exceptions.next_if(|(exception, _)| *exception == at) {
            Some((_, bits)) => f64::from_bits(*bits),
            None => before + *step as f64 / power,
        };
        if value.is_finite() {
            before = value;
        }
        values.push(value);
    }
}

fn power_of(digits: Option<u8>) -> Option<f64> {
    POWERS.get(usize::from(digits?)).copied()
}

#[cfg(test)]
mod tests;
