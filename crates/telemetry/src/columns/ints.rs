//! Runs of whole numbers as bytes: differences, less their smallest, at their narrowest width, packed by pco; it knows no
//! samples.

use pco::data_types::Number;
use pco::wrapped::{FileCompressor, FileDecompressor};
use pco::{ChunkConfig, DeltaSpec, ModeSpec, PagingSpec};

use super::ColumnError;
use crate::varint::{Reader, put_i64};

/// Most times that differences are taken.
const ORDER_MAX: usize = 2;

/// How hard pco tries, of its 12 levels. Level 8 wins 1.5 % of the room for half of the speed, both ways.
const LEVEL: usize = 4;

/// Packs numbers; its buffers serve run after run.
#[derive(Default)]
pub(crate) struct IntPacker {
    compressor: FileCompressor,
    work: Vec<i64>,
    narrow: Narrow,
}

/// Numbers at each width.
#[derive(Default)]
struct Narrow {
    eight: Vec<u8>,
    sixteen: Vec<u16>,
    thirty_two: Vec<u32>,
    sixty_four: Vec<u64>,
}

impl IntPacker {
    /// What [`IntUnpacker::new`] needs to know of the version of pco that packs; it stands once in a file.
    pub(crate) fn header(&self) -> Result<Vec<u8>, ColumnError> {
        self.compressor
            .write_header(Vec::new())
            .map_err(ColumnError::packing)
    }

    /// Appends the numbers to `out`. How many there were is not said there.
    pub(crate) fn pack(&mut self, numbers: &[i64], out: &mut Vec<u8>) -> Result<(), ColumnError> {
        self.work.clear();
        self.work.extend_from_slice(numbers);
        let order = best_order(numbers);
        let mut firsts = [0; ORDER_MAX];
        for (depth, first) in firsts.iter_mut().enumerate().take(order) {
            let rest = &mut self.work[depth..];
            *first = rest.first().copied().unwrap_or_default();
            for at in (1..rest.len()).rev() {
                rest[at] = rest[at].wrapping_sub(rest[at - 1]);
            }
        }
        let rest = self.work.get(order..).unwrap_or_default();
        let smallest = rest.iter().copied().min().unwrap_or_default();
        let widest = rest
            .iter()
            .map(|one| one.wrapping_sub(smallest).cast_unsigned())
            .max()
            .unwrap_or_default();
        let width = width_of(widest);
        // The order takes two bits, the width three.
        out.push(u8::try_from(order).unwrap_or_default() | (width.code() << 2));
        for first in &firsts[..order] {
            put_i64(out, *first);
        }
        put_i64(out, smallest);
        let above = rest
            .iter()
            .map(|one| one.wrapping_sub(smallest).cast_unsigned());
        let (compressor, narrow) = (&self.compressor, &mut self.narrow);
        match width {
            Width::None => Ok(()),
            Width::Eight => {
                fill(&mut narrow.eight, above);
                compress(compressor, &narrow.eight, out)
            }
            Width::Sixteen => {
                fill(&mut narrow.sixteen, above);
                compress(compressor, &narrow.sixteen, out)
            }
            Width::ThirtyTwo => {
                fill(&mut narrow.thirty_two, above);
                compress(compressor, &narrow.thirty_two, out)
            }
            Width::SixtyFour => {
                narrow.sixty_four.clear();
                narrow.sixty_four.extend(above);
                compress(compressor, &narrow.sixty_four, out)
            }
        }
    }
}

/// How wide the packed numbers are.
#[derive(Clone, Copy)]
enum Width {
    /// All are zero.
    None,
    Eight,
    Sixteen,
    ThirtyTwo,
    SixtyFour,
}

impl Width {
    const fn code(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Eight => 1,
            Self::Sixteen => 2,
            Self::ThirtyTwo => 3,
            Self::SixtyFour => 4,
        }
    }

    const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::None,
            1 => Self::Eight,
            2 => Self::Sixteen,
            3 => Self::ThirtyTwo,
            4 => Self::SixtyFour,
            _ => return None,
        })
    }
}

const fn width_of(widest: u64) -> Width {
    match widest {
        0 => Width::None,
        1..=0xff => Width::Eight,
        0x100..=0xffff => Width::Sixteen,
        0x1_0000..=0xffff_ffff => Width::ThirtyTwo,
        _ => Width::SixtyFour,
    }
}

fn fill<T: TryFrom<u64> + Default>(narrow: &mut Vec<T>, wide: impl Iterator<Item = u64>) {
    narrow.clear();
    // All fit: the width was chosen for the largest.
    narrow.extend(wide.map(|one| T::try_from(one).unwrap_or_default()));
}

fn compress<T: Number>(
    compressor: &FileCompressor,
    numbers: &[T],
    out: &mut Vec<u8>,
) -> Result<(), ColumnError> {
    let config = ChunkConfig::default()
        .with_compression_level(LEVEL)
        .with_mode_spec(ModeSpec::Classic)
        .with_delta_spec(DeltaSpec::NoOp)
        .with_paging_spec(PagingSpec::Exact(vec![numbers.len()]))
        .with_enable_8_bit(true);
    let mut chunk = compressor
        .chunk_compressor(numbers, &config)
        .map_err(ColumnError::packing)?;
    chunk.write_meta(&mut *out).map_err(ColumnError::packing)?;
    chunk
        .write_page(0, &mut *out)
        .map_err(ColumnError::packing)?;
    Ok(())
}

/// How often to take differences: where the numbers that stay have the fewest bits in all.
fn best_order(numbers: &[i64]) -> usize {
    let smallest = numbers.iter().copied().min().unwrap_or_default();
    let mut bits = [0_u64; ORDER_MAX + 1];
    let (mut before, mut before_difference) = (0_i64, 0_i64);
    for (at, number) in numbers.iter().enumerate() {
        let difference = number.wrapping_sub(before);
        if at >= ORDER_MAX {
            bits[0] += u64::from(bits_of(number.wrapping_sub(smallest)));
            bits[1] += u64::from(bits_of(difference));
            bits[2] += u64::from(bits_of(difference.wrapping_sub(before_difference)));
        }
        (before, before_difference) = (*number, difference);
    }
    if numbers.len() <= ORDER_MAX {
        return 0;
    }
    let mut order = 0;
    for candidate in 1..=ORDER_MAX {
        // A tie goes to the lower order, whose first numbers take no room.
        if bits[candidate] < bits[order] {
            order = candidate;
        }
    }
    order
}

/// Bits of a number with its sign folded in.
const fn bits_of(number: i64) -> u32 {
    u64::BITS - ((number << 1) ^ (number >> 63)).leading_zeros()
}

/// Unpacks what [`IntPacker`] packed.
pub(crate) struct IntUnpacker {
    decompressor: FileDecompressor,
}

/// Buffers for unpacking.
#[derive(Default)]
pub(crate) struct Scratch {
    narrow: Narrow,
    /// The numbers that were unpacked.
    pub(crate) numbers: Vec<i64>,
}

impl IntUnpacker {
    /// For what the packer that gave this header packed.
    pub(crate) fn new(header: &[u8]) -> Result<Self, ColumnError> {
        let (decompressor, rest) = FileDecompressor::new(header).map_err(ColumnError::damaged)?;
        if !rest.is_empty() {
            return Err(ColumnError::Damaged("a header has bytes too many".into()));
        }
        Ok(Self { decompressor })
    }

    /// Unpacks `count` numbers into `scratch.numbers`.
    pub(crate) fn unpack(
        &self,
        bytes: &[u8],
        count: usize,
        scratch: &mut Scratch,
    ) -> Result<(), ColumnError> {
        let cut = || ColumnError::Damaged("numbers are cut short".into());
        let mut reader = Reader(bytes);
        let head = reader.u8().ok_or_else(cut)?;
        let order = usize::from(head & 3);
        let width = Width::from_code(head >> 2).filter(|_| order <= ORDER_MAX);
        let width = width.ok_or_else(|| ColumnError::Damaged("a width is unknown".into()))?;
        let mut firsts = [0; ORDER_MAX];
        for first in firsts.iter_mut().take(order) {
            *first = reader.i64().ok_or_else(cut)?;
        }
        let smallest = reader.i64().ok_or_else(cut)?;
        let rest = count.checked_sub(order).ok_or_else(cut)?;
        let Scratch { narrow, numbers } = scratch;
        numbers.clear();
        numbers.extend_from_slice(&firsts[..order]);
        match width {
            Width::None => numbers.resize(count, smallest),
            Width::Eight => self.widen(reader.0, rest, &mut narrow.eight, smallest, numbers)?,
            Width::Sixteen => {
                self.widen(reader.0, rest, &mut narrow.sixteen, smallest, numbers)?;
            }
            Width::ThirtyTwo => {
                self.widen(reader.0, rest, &mut narrow.thirty_two, smallest, numbers)?;
            }
            Width::SixtyFour => {
                self.widen(reader.0, rest, &mut narrow.sixty_four, smallest, numbers)?;
            }
        }
        for depth in (0..order).rev() {
            let mut sum = 0_i64;
            for number in &mut numbers[depth..] {
                sum = sum.wrapping_add(*number);
                *number = sum;
            }
        }
        Ok(())
    }

    fn widen<T: Number + Default + Into<u64>>(
        &self,
        bytes: &[u8],
        count: usize,
        narrow: &mut Vec<T>,
        smallest: i64,
        numbers: &mut Vec<i64>,
    ) -> Result<(), ColumnError> {
        narrow.clear();
        narrow.resize(count, T::default());
        let (mut chunk, rest) = self
            .decompressor
            .chunk_decompressor::<T, _>(bytes)
            .map_err(ColumnError::damaged)?;
        let mut page = chunk
            .page_decompressor(rest, count)
            .map_err(ColumnError::damaged)?;
        let progress = page.read(narrow).map_err(ColumnError::damaged)?;
        if progress.n_processed != count {
            return Err(ColumnError::Damaged("numbers are missing".into()));
        }
        numbers.extend(narrow.iter().map(|one| {
            let above: u64 = (*one).into();
            smallest.wrapping_add(above.cast_signed())
        }));
        Ok(())
    }
}
