//! Reads what the crate `postcard` writes, within bounds: whatever the bytes are, neither the stack nor time nor memory
//! runs out, of types of a few KiB each. `[process-5]`
//!
//! Of the stack a level of nesting takes some; of the bytes each element takes one at least, but for those which take
//! none, and these are counted.

use std::{fmt, slice};

use serde::{
    Deserializer,
    de::{
        DeserializeOwned, DeserializeSeed, EnumAccess, Error as _, IntoDeserializer, MapAccess,
        SeqAccess, VariantAccess, Visitor, value,
    },
};

/// How deep lists, maps, structs, variants and options may be inside each other.
pub(crate) const DEPTH: u32 = 256;

/// How many elements and entries that take no bytes may be in all lists and maps together.
pub(crate) const EMPTY: usize = 1 << 20;

/// Reads a value that all of the bytes are.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let mut reader = Reader { rest: bytes.iter(), depth: DEPTH, empty: EMPTY };
    let value = T::deserialize(&mut reader)?;
    match reader.rest.len() {
        0 => Ok(value),
        left => Err(Error::custom(format_args!("{left} bytes are left over"))),
    }
}

/// What is wrong with the bytes. It is one word, beside which there is room for what is read: in two, as serde's own, a byte
/// took a quarter longer.
#[derive(Debug)]
pub(crate) struct Error(Box<value::Error>);

impl serde::de::Error for Error {
    fn custom<T: fmt::Display>(why: T) -> Self {
        Self(Box::new(value::Error::custom(why)))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Error {}

#[cold]
fn too_early() -> Error {
    Error::custom("it ends too early")
}

struct Reader<'a> {
    rest: slice::Iter<'a, u8>,
    /// How much deeper, and how many more that take no bytes.
    depth: u32,
    empty: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self.rest.as_slice().split_at_checked(count).ok_or_else(too_early)?;
        self.rest = rest.iter();
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        Ok(self.take(N)?.try_into().expect("it is as long as that"))
    }

    fn byte(&mut self) -> Result<u8, Error> {
        match self.rest.next() {
            Some(byte) => Ok(*byte),
            None => Err(too_early()),
        }
    }

    /// A number of so many bits: seven in each byte, the lowest first, and whether more come.
    fn number(&mut self, bits: u32) -> Result<u128, Error> {
        let (mut number, mut at) = (0, 0);
        loop {
            let byte = self.byte()?;
            let part = u128::from(byte & 0x7F);
            let room = bits.saturating_sub(at);
            if room < 7 && part >> room != 0 || room == 0 {
                return Err(Error::custom("a number is too large"));
            }
            number |= part << at;
            if byte < 0x80 {
                return Ok(number);
            }
            at += 7;
        }
    }

    /// The same with a sign, which is the lowest bit.
    fn signed(&mut self, bits: u32) -> Result<i128, Error> {
        let number = self.number(bits)?;
        Ok((number >> 1) as i128 ^ -((number & 1) as i128))
    }

    fn length(&mut self) -> Result<usize, Error> {
        self.number(usize::BITS).map(|it| it as usize)
    }

    fn text(&mut self) -> Result<&'a str, Error> {
        let length = self.length()?;
        str::from_utf8(self.take(length)?).map_err(Error::custom)
    }

    fn flag(&mut self) -> Result<bool, Error> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(Error::custom(format_args!("{other} is neither yes nor no"))),
        }
    }

    fn inside<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        let deeper = || Error::custom(format_args!("it is more than {DEPTH} levels deep"));
        self.depth = self.depth.checked_sub(1).ok_or_else(deeper)?;
        let read = read(self);
        self.depth += 1;
        read
    }

    /// As many as the type has.
    fn fields<V: Visitor<'a>>(&mut self, count: usize, visitor: V) -> Result<V::Value, Error> {
        self.inside(|reader| visitor.visit_seq(Several { reader, left: count }))
    }

    /// As many as the bytes say. All that take no bytes are counted, and before they are read those for which there are
    /// none: each of the others takes one that no other takes.
    fn elements<T>(
        &mut self,
        read: impl FnOnce(Several<'_, 'a>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let left = self.length()?;
        let begin = self.rest.len();
        self.without_bytes(left.saturating_sub(begin))?;
        let value = self.inside(|reader| read(Several { reader, left }))?;
        let taken = begin - self.rest.len();
        self.without_bytes(left.min(begin).saturating_sub(taken))?;
        Ok(value)
    }

    fn without_bytes(&mut self, count: usize) -> Result<(), Error> {
        let more = || Error::custom(format_args!("more than {EMPTY} elements in it take no bytes"));
        self.empty = self.empty.checked_sub(count).ok_or_else(more)?;
        Ok(())
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $type:ty: $read:ident),*) => {$(
        fn $method<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.$visit(self.$read(<$type>::BITS)? as $type)
        }
    )*};
}

macro_rules! unnamed {
    ($($method:ident),*) => {$(
        fn $method<V: Visitor<'a>>(self, _: V) -> Result<V::Value, Error> {
            Err(Error::custom("its type asks what comes, which the bytes do not say"))
        }
    )*};
}

impl<'a> Deserializer<'a> for &mut Reader<'a> {
    type Error = Error;

    fn is_human_readable(&self) -> bool {
        false
    }

    numbers! {
        deserialize_u16 visit_u16 u16: number,
        deserialize_u32 visit_u32 u32: number,
        deserialize_u64 visit_u64 u64: number,
        deserialize_u128 visit_u128 u128: number,
        deserialize_i16 visit_i16 i16: signed,
        deserialize_i32 visit_i32 i32: signed,
        deserialize_i64 visit_i64 i64: signed,
        deserialize_i128 visit_i128 i128: signed
    }

    unnamed! { deserialize_any, deserialize_identifier, deserialize_ignored_any }

    fn deserialize_bool<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_bool(self.flag()?)
    }

    fn deserialize_u8<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_u8(self.byte()?)
    }

    fn deserialize_i8<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_i8(self.byte()?.cast_signed())
    }

    fn deserialize_f32<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_f32(f32::from_le_bytes(self.array()?))
    }

    fn deserialize_f64<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_f64(f64::from_le_bytes(self.array()?))
    }

    fn deserialize_char<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        let mut letters = self.text()?.chars();
        match (letters.next(), letters.next()) {
            (Some(letter), None) => visitor.visit_char(letter),
            _ => Err(Error::custom("a text is no single letter")),
        }
    }

    fn deserialize_str<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_str(self.text()?)
    }

    fn deserialize_string<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        let length = self.length()?;
        visitor.visit_borrowed_bytes(self.take(length)?)
    }

    fn deserialize_byte_buf<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.flag()? {
            self.inside(|reader| visitor.visit_some(reader))
        } else {
            visitor.visit_none()
        }
    }

    fn deserialize_unit<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.inside(|reader| visitor.visit_newtype_struct(reader))
    }

    fn deserialize_seq<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        self.elements(|elements| visitor.visit_seq(elements))
    }

    fn deserialize_tuple<V: Visitor<'a>>(
        self,
        count: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.fields(count, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        count: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.fields(count, visitor)
    }

    fn deserialize_map<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        self.elements(|entries| visitor.visit_map(entries))
    }

    fn deserialize_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.fields(fields.len(), visitor)
    }

    fn deserialize_enum<V: Visitor<'a>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(self)
    }
}

/// The elements of a list, the entries of a map, or the fields of a type.
struct Several<'r, 'a> {
    reader: &'r mut Reader<'a>,
    left: usize,
}

impl Several<'_, '_> {
    /// Whether there is one more.
    fn begin(&mut self) -> bool {
        let Some(left) = self.left.checked_sub(1) else { return false };
        self.left = left;
        true
    }

    /// For how many there is room.
    fn hint(&self) -> Option<usize> {
        Some(self.left.min(self.reader.rest.len()))
    }
}

impl<'a> SeqAccess<'a> for Several<'_, 'a> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'a>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        if !self.begin() {
            return Ok(None);
        }
        Ok(Some(seed.deserialize(&mut *self.reader)?))
    }

    fn size_hint(&self) -> Option<usize> {
        self.hint()
    }
}

impl<'a> MapAccess<'a> for Several<'_, 'a> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'a>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        self.next_element_seed(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'a>>(&mut self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(&mut *self.reader)
    }

    fn size_hint(&self) -> Option<usize> {
        self.hint()
    }
}

impl<'a> EnumAccess<'a> for &mut Reader<'a> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'a>>(self, seed: S) -> Result<(S::Value, Self), Error> {
        let variant = self.number(32)? as u32;
        let variant: value::U32Deserializer<Error> = variant.into_deserializer();
        Ok((seed.deserialize(variant)?, self))
    }
}

impl<'a> VariantAccess<'a> for &mut Reader<'a> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'a>>(self, seed: S) -> Result<S::Value, Error> {
        self.inside(|reader| seed.deserialize(reader))
    }

    fn tuple_variant<V: Visitor<'a>>(self, count: usize, visitor: V) -> Result<V::Value, Error> {
        self.fields(count, visitor)
    }

    fn struct_variant<V: Visitor<'a>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.fields(fields.len(), visitor)
    }
}
