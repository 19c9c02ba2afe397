//! JSON as a schema of it has it: what has fields is an object, never a list of their values, and a number is whole by its value,
//! however it is written. It knows no fields.

use std::fmt;

use serde::de::{
    DeserializeSeed, EnumAccess, Error, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};
use serde::{Deserialize, Deserializer};

/// Up to here, either side of 0, each whole number is a float of its own.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// What is read so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsDescribed<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for AsDescribed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(Strict(deserializer)).map(Self)
    }
}

/// What the reader of a type asks for, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Fields,
    Whole,
    Else,
}

/// A source of which everything is read so.
struct Strict<D>(D);

macro_rules! ask {
    ($wanted:expr => $($name:ident)*) => {$(
        fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.0.$name(Reader { visitor, wanted: $wanted })
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Strict<D> {
    type Error = D::Error;

    ask!(Wanted::Whole => deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128);
    ask!(Wanted::Else => deserialize_any deserialize_bool deserialize_f32 deserialize_f64 deserialize_char deserialize_str
        deserialize_string deserialize_bytes deserialize_byte_buf deserialize_option deserialize_unit deserialize_seq
        deserialize_map deserialize_identifier deserialize_ignored_any);

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let wanted = Wanted::Fields;
        self.0
            .deserialize_struct(name, fields, Reader { visitor, wanted })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let wanted = Wanted::Else;
        self.0
            .deserialize_enum(name, variants, Reader { visitor, wanted })
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let wanted = Wanted::Else;
        self.0
            .deserialize_unit_struct(name, Reader { visitor, wanted })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let wanted = Wanted::Else;
        self.0
            .deserialize_newtype_struct(name, Reader { visitor, wanted })
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let wanted = Wanted::Else;
        self.0.deserialize_tuple(len, Reader { visitor, wanted })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let wanted = Wanted::Else;
        self.0
            .deserialize_tuple_struct(name, len, Reader { visitor, wanted })
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

/// The reader of a type, which is given what is there unless a schema would not have it.
struct Reader<V> {
    visitor: V,
    wanted: Wanted,
}

macro_rules! give {
    ($($name:ident: $kind:ty),*) => {$(
        fn $name<E: Error>(self, value: $kind) -> Result<V::Value, E> {
            self.visitor.$name(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Reader<V> {
    type Value = V::Value;

    give!(visit_bool: bool, visit_i8: i8, visit_i16: i16, visit_i32: i32, visit_i64: i64, visit_i128: i128, visit_u8: u8,
        visit_u16: u16, visit_u32: u32, visit_u64: u64, visit_u128: u128, visit_f32: f32, visit_char: char, visit_str: &str,
        visit_borrowed_str: &'de str, visit_string: String, visit_bytes: &[u8], visit_borrowed_bytes: &'de [u8],
        visit_byte_buf: Vec<u8>);

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(formatter)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<V::Value, E> {
        match whole(value) {
            Some(whole) if self.wanted == Wanted::Whole => self.visitor.visit_i64(whole),
            Some(_) | None => self.visitor.visit_f64(value),
        }
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, some: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_some(Strict(some))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_newtype_struct(Strict(inner))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<V::Value, A::Error> {
        if self.wanted == Wanted::Fields {
            return Err(Error::invalid_type(Unexpected::Seq, &self));
        }
        self.visitor.visit_seq(Parts(seq))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(Parts(map))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_enum(Parts(data))
    }
}

/// What something is made of, each part of which is read so too.
struct Parts<A>(A);

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Parts<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(Part(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Parts<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.0.next_key_seed(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(Part(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for Parts<A> {
    type Error = A::Error;
    type Variant = Parts<A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), A::Error> {
        let (value, variant) = self.0.variant_seed(seed)?;
        Ok((value, Parts(variant)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Parts<A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.0.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.0.newtype_variant_seed(Part(seed))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        let wanted = Wanted::Else;
        self.0.tuple_variant(len, Reader { visitor, wanted })
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let wanted = Wanted::Fields;
        self.0.struct_variant(fields, Reader { visitor, wanted })
    }
}

/// One part.
struct Part<S>(S);

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Part<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Strict(deserializer))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "checked to be whole and small"
)]
fn whole(value: f64) -> Option<i64> {
    let is_whole = value.fract() == 0.0 && value.abs() <= WHOLE_MAX;
    is_whole.then_some(value as i64)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Inner {
        least: Option<u8>,
        not: Option<Box<Inner>>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Word {
        Plain,
        Named { count: i32 },
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Outer {
        count: u64,
        all: Vec<Inner>,
        word: Word,
        pair: (u8, bool),
        rate: f64,
        more: Value,
    }

    const GOOD: &str = r#"{"count": 8, "all": [{}, {"least": 3, "not": {"not": null}}],
        "word": "plain", "pair": [1, true], "rate": 2, "more": {"list": [1.0, 2], "text": "é"}}"#;

    fn read<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, String> {
        let read: Result<AsDescribed<T>, _> = serde_json::from_str(text);
        read.map(|AsDescribed(read)| read)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_written_as_described_is_read_as_by_anybody() {
        let plainly: Outer = serde_json::from_str(GOOD).unwrap();
        assert_eq!(read::<Outer>(GOOD).unwrap(), plainly);
        let word = read::<Word>(r#"{"named": {"count": -5}}"#).unwrap();
        assert_eq!(word, Word::Named { count: -5 });
        assert_eq!(read::<Vec<Inner>>("[{}]").unwrap(), [Inner::default()]);
        assert_eq!(read::<Option<Inner>>("null").unwrap(), None);
    }

    #[test]
    fn a_list_is_never_what_has_fields() {
        for text in ["[]", "[null, null]", r#"{"not": {"not": [null, null]}}"#] {
            assert!(serde_json::from_str::<Inner>(text).is_ok(), "{text}");
            let error = read::<Inner>(text).unwrap_err();
            let said = "invalid type: sequence, expected struct Inner at line 1 column ";
            assert!(error.starts_with(said), "{error}");
        }
        assert!(read::<Vec<Inner>>("[[null, null]]").is_err());
        assert!(read::<Word>(r#"{"named": [5]}"#).is_err());
    }

    #[test]
    fn a_number_is_whole_by_its_value_where_a_whole_one_is_wanted() {
        let with_points = GOOD.replace("8,", "8.0,").replace("3,", "0.3e1,");
        let plainly: Outer = serde_json::from_str(GOOD).unwrap();
        assert_eq!(read::<Outer>(&with_points).unwrap(), plainly);
        assert_eq!(read::<Vec<i64>>("[-2.0, -0.0]").unwrap(), [-2, 0]);
        // What is only carried on stays as it was written.
        assert_eq!(read::<Value>("1.0").unwrap(), Value::from(1.0));
        for text in ["8.5", "-8.0", "1e300", "9007199254740994.0"] {
            assert!(read::<u64>(text).is_err(), "{text}");
        }
        assert!(read::<u8>("300.0").is_err());
    }
}
