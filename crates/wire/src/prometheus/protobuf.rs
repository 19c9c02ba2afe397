//! The wire format of protocol buffers, field by field over borrowed bytes; it knows no message.

/// Bytes of the longest number: 64 bits, seven in each.
const VARINT_BYTES_MAX: usize = 10;

/// Why bytes are no message. Groups, which the format gave up long ago, count as an unknown wire type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtobufError {
    /// The bytes end inside a number.
    #[error("the message ends inside a field")]
    Truncated,
    /// A number of more than ten bytes, or of more than 64 bits.
    #[error("a number is longer than 64 bits")]
    LongNumber,
    /// A length beyond the end.
    #[error("field {field} claims {claimed} bytes where {left} are left")]
    Length {
        /// Number of the field.
        field: u32,
        /// Bytes it claims.
        claimed: u64,
        /// Bytes that are there.
        left: usize,
    },
    /// A field came as something else than its type demands.
    #[error("field {field} has wire type {found}, wire type {expected} was expected")]
    WireType {
        /// Number of the field.
        field: u32,
        /// As it came.
        found: u8,
        /// As it had to come.
        expected: u8,
    },
    /// A wire type that the format does not have.
    #[error("field {field} has the unknown wire type {found}")]
    UnknownWireType {
        /// Number of the field.
        field: u32,
        /// As it came.
        found: u8,
    },
    /// A field number that the format does not have.
    #[error("{0} is no number of a field")]
    FieldNumber(u64),
    /// Text that is not UTF-8.
    #[error("the text of field {0} is not UTF-8")]
    NotUtf8(u32),
}

/// One field: its number and what it holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Field<'a> {
    pub(crate) number: u32,
    content: Content<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Content<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Bytes(&'a [u8]),
    Fixed32([u8; 4]),
}

impl Content<'_> {
    const fn wire_type(&self) -> u8 {
        match self {
            Self::Varint(_) => 0,
            Self::Fixed64(_) => 1,
            Self::Bytes(_) => 2,
            Self::Fixed32(_) => 5,
        }
    }
}

impl<'a> Field<'a> {
    /// A nested message, or bytes.
    #[inline]
    pub(crate) fn bytes(self) -> Result<&'a [u8], ProtobufError> {
        match self.content {
            Content::Bytes(bytes) => Ok(bytes),
            Content::Varint(_) | Content::Fixed64(_) | Content::Fixed32(_) => Err(self.unlike(2)),
        }
    }

    /// Text.
    #[inline]
    pub(crate) fn text(self) -> Result<&'a str, ProtobufError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| ProtobufError::NotUtf8(self.number))
    }

    /// A number without sign.
    #[inline]
    pub(crate) fn unsigned(self) -> Result<u64, ProtobufError> {
        match self.content {
            Content::Varint(number) => Ok(number),
            Content::Bytes(_) | Content::Fixed64(_) | Content::Fixed32(_) => Err(self.unlike(0)),
        }
    }

    /// A number with sign, in two's complement (`int32`, `int64`; not `sint64`).
    #[inline]
    pub(crate) fn signed(self) -> Result<i64, ProtobufError> {
        self.unsigned().map(u64::cast_signed)
    }

    /// A float, every bit of it.
    #[inline]
    pub(crate) fn double(self) -> Result<f64, ProtobufError> {
        match self.content {
            Content::Fixed64(bytes) => Ok(f64::from_le_bytes(bytes)),
            Content::Varint(_) | Content::Bytes(_) | Content::Fixed32(_) => Err(self.unlike(1)),
        }
    }

    #[cold]
    fn unlike(self, expected: u8) -> ProtobufError {
        ProtobufError::WireType {
            field: self.number,
            found: self.content.wire_type(),
            expected,
        }
    }
}

/// Reads fields one after the other. What nobody asks for is skipped by being read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    #[inline]
    pub(crate) const fn of(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    /// Whether nothing is left.
    #[inline]
    pub(crate) const fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next field; nothing at the end.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<Field<'a>>, ProtobufError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        let number = match u32::try_from(key >> 3) {
            Ok(number) if number != 0 && number < 1 << 29 => number,
            Ok(_) | Err(_) => return Err(ProtobufError::FieldNumber(key >> 3)),
        };
        let content = match key & 7 {
            0 => Content::Varint(self.varint()?),
            1 => Content::Fixed64(self.fixed()?),
            2 => Content::Bytes(self.counted(number)?),
            5 => Content::Fixed32(self.fixed()?),
            found => return Err(unknown_wire_type(number, found)),
        };
        Ok(Some(Field { number, content }))
    }

    /// The next number of a packed list; nothing at the end.
    #[inline]
    pub(crate) fn next_packed(&mut self) -> Result<Option<u64>, ProtobufError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        self.varint().map(Some)
    }

    /// A message that is preceded by its length, as in a stream of messages; nothing at the end.
    pub(crate) fn next_delimited(&mut self) -> Result<Option<&'a [u8]>, ProtobufError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        self.counted(0).map(Some)
    }

    #[inline]
    fn varint(&mut self) -> Result<u64, ProtobufError> {
        match self.rest {
            [first, rest @ ..] if *first < 0x80 => {
                self.rest = rest;
                Ok(u64::from(*first))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, ProtobufError> {
        let mut number = 0;
        for (index, byte) in self.rest.iter().enumerate().take(VARINT_BYTES_MAX) {
            // The tenth byte has room for one bit only.
            if index + 1 == VARINT_BYTES_MAX && *byte > 1 {
                return Err(ProtobufError::LongNumber);
            }
            number |= u64::from(byte & 0x7f) << (7 * index);
            if *byte < 0x80 {
                self.rest = &self.rest[index + 1..];
                return Ok(number);
            }
        }
        Err(ProtobufError::Truncated)
    }

    #[inline]
    fn fixed<const BYTES: usize>(&mut self) -> Result<[u8; BYTES], ProtobufError> {
        let (bytes, rest) = self
            .rest
            .split_first_chunk()
            .ok_or(ProtobufError::Truncated)?;
        self.rest = rest;
        Ok(*bytes)
    }

    #[inline]
    fn counted(&mut self, field: u32) -> Result<&'a [u8], ProtobufError> {
        let claimed = self.varint()?;
        let split = usize::try_from(claimed)
            .ok()
            .and_then(|length| self.rest.split_at_checked(length));
        let Some((bytes, rest)) = split else {
            return Err(ProtobufError::Length {
                field,
                claimed,
                left: self.rest.len(),
            });
        };
        self.rest = rest;
        Ok(bytes)
    }
}

#[cold]
fn unknown_wire_type(field: u32, found: u64) -> ProtobufError {
    ProtobufError::UnknownWireType {
        field,
        found: u8::try_from(found).unwrap_or(u8::MAX),
    }
}

/// Writes a number.
pub(crate) fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push((number & 0x7f) as u8);
}

/// Writes a field that holds a number; zero is left out, as the format does.
pub(crate) fn put_number(out: &mut Vec<u8>, field: u32, number: u64) {
    if number != 0 {
        put_varint(out, u64::from(field) << 3);
        put_varint(out, number);
    }
}

/// Writes a field that holds a float.
pub(crate) fn put_double(out: &mut Vec<u8>, field: u32, value: f64) {
    put_varint(out, u64::from(field) << 3 | 1);
    out.extend_from_slice(&value.to_le_bytes());
}

/// Writes a field that holds bytes, text or a message.
pub(crate) fn put_bytes(out: &mut Vec<u8>, field: u32, bytes: &[u8]) {
    put_varint(out, u64::from(field) << 3 | 2);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: Result<&[(u32, u8)], ProtobufError>) {
        let mut fields = Fields::of(bytes);
        let mut found = Vec::new();
        let outcome = loop {
            match fields.next() {
                Ok(Some(field)) => found.push((field.number, field.content.wire_type())),
                Ok(None) => break Ok(found.as_slice()),
                Err(error) => break Err(error),
            }
        };
        assert_eq!(outcome, expected, "{bytes:02x?}");
    }

    #[test]
    fn fields_of_every_wire_type_are_read_and_what_is_damaged_is_refused() {
        check(b"", Ok(&[]));
        check(&[0x08, 0x96, 0x01], Ok(&[(1, 0)]));
        check(&[0x11, 1, 2, 3, 4, 5, 6, 7, 8], Ok(&[(2, 1)]));
        check(&[0x1a, 2, b'h', b'i', 0x08, 1], Ok(&[(3, 2), (1, 0)]));
        check(&[0x25, 1, 2, 3, 4], Ok(&[(4, 5)]));
        check(&[0x80], Err(ProtobufError::Truncated));
        check(&[0x08], Err(ProtobufError::Truncated));
        check(&[0x08, 0xff], Err(ProtobufError::Truncated));
        check(&[0x09, 1, 2, 3], Err(ProtobufError::Truncated));
        check(&[0x0d, 1, 2, 3], Err(ProtobufError::Truncated));
        check(
            &[0x1a, 3, b'h', b'i'],
            Err(ProtobufError::Length {
                field: 3,
                claimed: 3,
                left: 2,
            }),
        );
        check(&[0x00, 0x01], Err(ProtobufError::FieldNumber(0)));
        check(
            &[0x80, 0x80, 0x80, 0x80, 0x10, 0x01],
            Err(ProtobufError::FieldNumber(1 << 29)),
        );
        for wire_type in [3, 4, 6, 7] {
            check(
                &[0x08 | wire_type, 0x01],
                Err(ProtobufError::UnknownWireType {
                    field: 1,
                    found: wire_type,
                }),
            );
        }
    }

    #[test]
    fn a_length_near_the_end_of_the_numbers_does_not_overflow() {
        let mut bytes = vec![0x0a];
        put_varint(&mut bytes, u64::MAX);
        check(
            &bytes,
            Err(ProtobufError::Length {
                field: 1,
                claimed: u64::MAX,
                left: 0,
            }),
        );
    }

    #[test]
    fn numbers_have_ten_bytes_and_64_bits_at_most() {
        let longest = [&[0x08][..], &[0xff; 9], &[0x01]].concat();
        let field = Fields::of(&longest).next().unwrap().unwrap();
        assert_eq!(field.unsigned(), Ok(u64::MAX));
        assert_eq!(field.signed(), Ok(-1));
        let too_many_bits = [&[0x08][..], &[0xff; 9], &[0x02]].concat();
        check(&too_many_bits, Err(ProtobufError::LongNumber));
        let too_many_bytes = [&[0x08][..], &[0x80; 10], &[0x00]].concat();
        check(&too_many_bytes, Err(ProtobufError::LongNumber));
    }

    #[test]
    fn a_field_of_another_wire_type_than_asked_for_is_refused() {
        let field = Fields::of(&[0x08, 1]).next().unwrap().unwrap();
        let refused = field.bytes().unwrap_err();
        assert_eq!(
            refused.to_string(),
            "field 1 has wire type 0, wire type 2 was expected"
        );
        assert!(field.double().is_err());
        let text = Fields::of(&[0x0a, 1, 0xff]).next().unwrap().unwrap();
        assert!(text.unsigned().is_err());
        assert_eq!(text.text(), Err(ProtobufError::NotUtf8(1)));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut out = Vec::new();
        put_number(&mut out, 1, 300);
        put_number(&mut out, 2, 0);
        put_double(&mut out, 3, -0.5);
        put_bytes(&mut out, 2000, "é".as_bytes());
        let mut fields = Fields::of(&out);
        assert_eq!(fields.next().unwrap().unwrap().unsigned(), Ok(300));
        assert_eq!(fields.next().unwrap().unwrap().double(), Ok(-0.5));
        let last = fields.next().unwrap().unwrap();
        assert_eq!((last.number, last.text()), (2000, Ok("é")));
        assert_eq!(fields.next(), Ok(None));
    }
}
