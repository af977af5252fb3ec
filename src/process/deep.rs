//! Writes a value that is not too deep: what has too many levels would take more of the stack than there is.
//! `[process-5]`

use std::cell::Cell;

use serde::{
    Serialize, Serializer,
    ser::{
        SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
        SerializeTupleStruct, SerializeTupleVariant,
    },
};

use super::compact::DEPTH;

/// A value on a level, and where it is noted if there are too many.
pub(super) struct Deep<'a, T: ?Sized> {
    value: &'a T,
    left: u32,
    is_too_deep: &'a Cell<bool>,
}

impl<'a, T: ?Sized> Deep<'a, T> {
    pub(super) const fn new(value: &'a T, is_too_deep: &'a Cell<bool>) -> Self {
        Self { value, left: DEPTH, is_too_deep }
    }
}

impl<T: Serialize + ?Sized> Serialize for Deep<'_, T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(Level { to, left: self.left, is_too_deep: self.is_too_deep })
    }
}

/// Where a value of a level is written, or the parts of one.
struct Level<'a, S> {
    to: S,
    left: u32,
    is_too_deep: &'a Cell<bool>,
}

impl<'a, S> Level<'a, S> {
    /// A level deeper.
    fn inside<E: serde::ser::Error>(self) -> Result<Self, E> {
        let Some(left) = self.left.checked_sub(1) else {
            self.is_too_deep.set(true);
            return Err(E::custom("it is too deep"));
        };
        Ok(Self { left, ..self })
    }

    /// A part.
    const fn part<'v, T: ?Sized>(&self, value: &'v T) -> Deep<'v, T>
    where
        'a: 'v,
    {
        Deep { value, left: self.left, is_too_deep: self.is_too_deep }
    }
}

macro_rules! plain {
    ($($method:ident: $type:ty),*) => {$(
        fn $method(self, value: $type) -> Result<S::Ok, S::Error> {
            self.to.$method(value)
        }
    )*};
}

macro_rules! inside {
    ($($method:ident -> $type:ident ($($name:ident: $of:ty),*);)*) => {$(
        fn $method(self, $($name: $of),*) -> Result<Self::$type, S::Error> {
            let Level { to, left, is_too_deep } = self.inside::<S::Error>()?;
            Ok(Level { to: to.$method($($name),*)?, left, is_too_deep })
        }
    )*};
}

impl<'a, S: Serializer> Serializer for Level<'a, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Level<'a, S::SerializeSeq>;
    type SerializeTuple = Level<'a, S::SerializeTuple>;
    type SerializeTupleStruct = Level<'a, S::SerializeTupleStruct>;
    type SerializeTupleVariant = Level<'a, S::SerializeTupleVariant>;
    type SerializeMap = Level<'a, S::SerializeMap>;
    type SerializeStruct = Level<'a, S::SerializeStruct>;
    type SerializeStructVariant = Level<'a, S::SerializeStructVariant>;

    plain! {
        serialize_bool: bool, serialize_char: char, serialize_str: &str, serialize_bytes: &[u8],
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
        serialize_u128: u128, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32,
        serialize_i64: i64, serialize_i128: i128, serialize_f32: f32, serialize_f64: f64,
        serialize_unit_struct: &'static str
    }

    inside! {
        serialize_seq -> SerializeSeq (count: Option<usize>);
        serialize_tuple -> SerializeTuple (count: usize);
        serialize_tuple_struct -> SerializeTupleStruct (name: &'static str, count: usize);
        serialize_tuple_variant -> SerializeTupleVariant
            (name: &'static str, at: u32, variant: &'static str, count: usize);
        serialize_map -> SerializeMap (count: Option<usize>);
        serialize_struct -> SerializeStruct (name: &'static str, count: usize);
        serialize_struct_variant -> SerializeStructVariant
            (name: &'static str, at: u32, variant: &'static str, count: usize);
    }

    fn is_human_readable(&self) -> bool {
        self.to.is_human_readable()
    }

    fn collect_str<T: std::fmt::Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.to.collect_str(value)
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.to.serialize_none()
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.to.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        at: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        self.to.serialize_unit_variant(name, at, variant)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        let level = self.inside::<S::Error>()?;
        let part = level.part(value);
        level.to.serialize_some(&part)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let level = self.inside::<S::Error>()?;
        let part = level.part(value);
        level.to.serialize_newtype_struct(name, &part)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        at: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let level = self.inside::<S::Error>()?;
        let part = level.part(value);
        level.to.serialize_newtype_variant(name, at, variant, &part)
    }
}

macro_rules! parts {
    ($($trait:ident { $($method:ident ($($key:ident)?)),* })*) => {$(
        impl<P: $trait> $trait for Level<'_, P> {
            type Ok = P::Ok;
            type Error = P::Error;

            $(fn $method<T: Serialize + ?Sized>(
                &mut self,
                $($key: &'static str,)?
                value: &T,
            ) -> Result<(), P::Error> {
                let part = Deep { value, left: self.left, is_too_deep: self.is_too_deep };
                self.to.$method($($key,)? &part)
            })*

            fn end(self) -> Result<P::Ok, P::Error> {
                self.to.end()
            }
        }
    )*};
}

parts! {
    SerializeSeq { serialize_element() }
    SerializeTuple { serialize_element() }
    SerializeTupleStruct { serialize_field() }
    SerializeTupleVariant { serialize_field() }
    SerializeMap { serialize_key(), serialize_value() }
    SerializeStruct { serialize_field(key) }
    SerializeStructVariant { serialize_field(key) }
}
