//! What is in a type, as a number: what its `Deserialize` asks for. So two builds of a program are told apart whose types
//! have the same names and other fields. `[process-5]`
//!
//! The type is read out of nothing: from ones, empty texts, and lists of one element. What it asks for on the way is
//! noted, the names of fields and variants too. Of a type that refuses what it is given, what it had asked for until
//! then is noted, and of one that is endless the beginning.

use std::{any::type_name, collections::BTreeMap};

use serde::{
    Deserializer,
    de::{
        DeserializeOwned, DeserializeSeed, EnumAccess, Error as _, IntoDeserializer, MapAccess,
        SeqAccess, VariantAccess, Visitor, value::Error,
    },
};

use super::job::guarded;

/// How often a type is read at the most, each time with other variants.
const TIMES: usize = 64;

/// How much of a type is looked at: so many questions of each time; below so many levels no list and no option has
/// anything, and below four times as many nothing is read.
const QUESTIONS: usize = 2_000;
const LEVELS: usize = 12;

/// The number of a text, after others.
pub(super) fn note(number: u64, text: &str) -> u64 {
    text.bytes()
        .chain([0])
        .fold(number, |number, byte| (number ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The number of what is in a type, after others.
pub(super) fn of<T: DeserializeOwned>(number: u64) -> u64 {
    let mut survey = Survey { number, enums: BTreeMap::new(), left: 0 };
    for _ in 0..TIMES {
        survey.left = QUESTIONS;
        let read = guarded(|| {
            let read = T::deserialize(Void { survey: &mut survey, level: 0 });
            read.map(drop).map_err(|it| it.to_string())
        });
        survey.number = note(survey.number, if read.is_ok() { "whole" } else { "refused" });
        if survey.enums.values().all(|it| it.met >= it.variants) {
            break;
        }
    }
    survey.number
}

/// What was asked for.
struct Survey {
    number: u64,
    /// The enums in it, by what visits each.
    enums: BTreeMap<&'static str, Met>,
    /// How many questions are answered yet.
    left: usize,
}

/// How often an enum was met, and how many variants it has.
#[derive(Default)]
struct Met {
    met: usize,
    variants: usize,
}

/// Where a type is read from.
struct Void<'a> {
    survey: &'a mut Survey,
    level: usize,
}

impl<'a> Void<'a> {
    /// Notes a question.
    fn note(&mut self, what: &str) -> Result<(), Error> {
        self.survey.number = note(self.survey.number, what);
        let left = self.survey.left.checked_sub(1).filter(|_| self.level < 4 * LEVELS);
        self.survey.left = left.ok_or_else(|| Error::custom("there is no end of it"))?;
        Ok(())
    }

    fn names(&mut self, what: &str, name: &str, names: &[&str]) -> Result<(), Error> {
        self.note(what)?;
        self.note(name)?;
        names.iter().try_for_each(|name| self.note(name))
    }

    fn below(&mut self) -> Void<'_> {
        Void { survey: self.survey, level: self.level + 1 }
    }

    fn is_deep(&self) -> bool {
        self.level >= LEVELS
    }

    fn several(self, left: usize) -> Several<'a> {
        Several { from: self, left }
    }
}

macro_rules! plain {
    ($($method:ident $visit:ident $value:expr;)*) => {$(
        fn $method<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
            self.note(stringify!($method))?;
            visitor.$visit($value)
        }
    )*};
}

macro_rules! unnamed {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(mut self, _: V) -> Result<V::Value, Error> {
            self.note(stringify!($method))?;
            Err(Error::custom("nothing is known of it"))
        }
    )*};
}

impl<'de> Deserializer<'de> for Void<'_> {
    type Error = Error;

    plain! {
        deserialize_bool visit_bool true;
        deserialize_u8 visit_u8 1;
        deserialize_u16 visit_u16 1;
        deserialize_u32 visit_u32 1;
        deserialize_u64 visit_u64 1;
        deserialize_u128 visit_u128 1;
        deserialize_i8 visit_i8 1;
        deserialize_i16 visit_i16 1;
        deserialize_i32 visit_i32 1;
        deserialize_i64 visit_i64 1;
        deserialize_i128 visit_i128 1;
        deserialize_f32 visit_f32 1.0;
        deserialize_f64 visit_f64 1.0;
        deserialize_char visit_char '1';
        deserialize_str visit_borrowed_str "";
        deserialize_string visit_borrowed_str "";
        deserialize_bytes visit_borrowed_bytes &[];
        deserialize_byte_buf visit_borrowed_bytes &[];
    }

    unnamed! { deserialize_any deserialize_identifier deserialize_ignored_any }

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_option<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        self.note("option")?;
        if self.is_deep() { visitor.visit_none() } else { visitor.visit_some(self.below()) }
    }

    fn deserialize_unit<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        self.note("unit")?;
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.names("unit", name, &[])?;
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.names("newtype", name, &[])?;
        visitor.visit_newtype_struct(self.below())
    }

    fn deserialize_seq<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        self.note("list")?;
        let many = usize::from(!self.is_deep());
        visitor.visit_seq(self.several(many))
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        mut self,
        many: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.note("tuple")?;
        self.note(&many.to_string())?;
        visitor.visit_seq(self.several(many))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        many: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.names("tuple", name, &[])?;
        self.note(&many.to_string())?;
        visitor.visit_seq(self.several(many))
    }

    fn deserialize_map<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        self.note("map")?;
        let many = usize::from(!self.is_deep());
        visitor.visit_map(self.several(many))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.names("struct", name, fields)?;
        visitor.visit_seq(self.several(fields.len()))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.names("enum", name, variants)?;
        let met = self.survey.enums.entry(type_name::<V>()).or_default();
        let variant = met.met % variants.len().max(1);
        *met = Met { met: met.met + 1, variants: variants.len() };
        visitor.visit_enum(Chosen { variant, from: self })
    }
}

/// So many elements, fields or entries.
struct Several<'a> {
    from: Void<'a>,
    left: usize,
}

impl Several<'_> {
    fn next<'de, S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        seed.deserialize(self.from.below()).map(Some)
    }
}

impl<'de> SeqAccess<'de> for Several<'_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        self.next(seed)
    }
}

impl<'de> MapAccess<'de> for Several<'_> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        self.next(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(self.from.below())
    }
}

/// The variant of an enum whose turn it is: the next one whenever that enum is met.
struct Chosen<'a> {
    from: Void<'a>,
    variant: usize,
}

impl<'de, 'a> EnumAccess<'de> for Chosen<'a> {
    type Error = Error;
    type Variant = Void<'a>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Void<'a>), Error> {
        let variant = u32::try_from(self.variant).map_err(Error::custom)?;
        let variant: serde::de::value::U32Deserializer<Error> = variant.into_deserializer();
        Ok((seed.deserialize(variant)?, self.from))
    }
}

impl<'de> VariantAccess<'de> for Void<'_> {
    type Error = Error;

    fn unit_variant(mut self) -> Result<(), Error> {
        self.note("unit")
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(mut self, seed: S) -> Result<S::Value, Error> {
        self.note("newtype")?;
        seed.deserialize(self.below())
    }

    fn tuple_variant<V: Visitor<'de>>(self, many: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_tuple(many, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_struct("", fields, visitor)
    }
}
