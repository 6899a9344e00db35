//! The parts of a pair: a name with its values, and the values.

use serde::ser::{self, Impossible, Serialize};

use super::{Refused, name, refused};

/// One element of a list of pairs: a tuple or sequence of two.
pub(super) struct Pair;

/// Collects a name, then values.
#[derive(Default)]
pub(super) struct Halves {
    name: Option<String>,
    values: Option<Vec<String>>,
}

impl Halves {
    fn add<T: Serialize + ?Sized>(&mut self, half: &T) -> Result<(), Refused> {
        if self.name.is_none() {
            self.name = Some(name(half)?);
        } else if self.values.is_none() {
            self.values = Some(half.serialize(Values { nested: false })?);
        } else {
            return refused("a list of more than two");
        }
        Ok(())
    }

    fn end(self) -> Result<(String, Vec<String>), Refused> {
        match (self.name, self.values) {
            (Some(name), Some(values)) => Ok((name, values)),
            _ => refused("a list of fewer than two"),
        }
    }
}

/// A value: a scalar is one, a sequence of scalars several, `None` is none.
pub(super) struct Values {
    pub(super) nested: bool,
}

#[derive(Default)]
pub(super) struct Several(Vec<String>);

macro_rules! scalars {
    ($($method:ident: $type:ty;)*) => {$(
        fn $method(self, value: $type) -> Result<Vec<String>, Refused> {
            Ok(vec![value.to_string()])
        }
    )*};
}

impl ser::Serializer for Values {
    type Ok = Vec<String>;
    type Error = Refused;
    type SerializeSeq = Several;
    type SerializeTuple = Several;
    type SerializeTupleStruct = Several;
    type SerializeTupleVariant = Impossible<Vec<String>, Refused>;
    type SerializeMap = Impossible<Vec<String>, Refused>;
    type SerializeStruct = Impossible<Vec<String>, Refused>;
    type SerializeStructVariant = Impossible<Vec<String>, Refused>;

    scalars! {
        serialize_bool: bool;
        serialize_i8: i8;
        serialize_i16: i16;
        serialize_i32: i32;
        serialize_i64: i64;
        serialize_i128: i128;
        serialize_u8: u8;
        serialize_u16: u16;
        serialize_u32: u32;
        serialize_u64: u64;
        serialize_u128: u128;
        serialize_f32: f32;
        serialize_f64: f64;
        serialize_char: char;
        serialize_str: &str;
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<Vec<String>, Refused> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(vec![text.to_owned()]),
            Err(_) => refused("bytes that are not UTF-8"),
        }
    }

    fn serialize_none(self) -> Result<Vec<String>, Refused> {
        Ok(Vec::new())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Vec<String>, Refused> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Vec<String>, Refused> {
        Ok(Vec::new())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Vec<String>, Refused> {
        Ok(Vec::new())
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Vec<String>, Refused> {
        Ok(vec![variant.to_owned()])
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Vec<String>, Refused> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Vec<String>, Refused> {
        refused("an enum with a value")
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Several, Refused> {
        if self.nested { refused("a list within a list") } else { Ok(Several::default()) }
    }

    fn serialize_tuple(self, _: usize) -> Result<Several, Refused> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Several, Refused> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Refused> {
        refused("an enum with values")
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Refused> {
        refused("a map within another value")
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Refused> {
        refused("a struct within another value")
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Refused> {
        refused("an enum with values")
    }
}

/// The three sequences of serde do the same.
macro_rules! sequences {
    ($type:ty, $ok:ty, $add:expr, $end:expr;
     $($trait:ident::$method:ident),*) => {$(
        impl ser::$trait for $type {
            type Ok = $ok;
            type Error = Refused;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
                let add: fn(&mut Self, &T) -> Result<(), Refused> = $add;
                add(self, value)
            }

            fn end(self) -> Result<$ok, Refused> {
                let end: fn(Self) -> Result<$ok, Refused> = $end;
                end(self)
            }
        }
    )*};
}

sequences! {
    Several, Vec<String>,
    |several, value| {
        several.0.extend(value.serialize(Values { nested: true })?);
        Ok(())
    },
    |several| Ok(several.0);
    SerializeSeq::serialize_element, SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field
}

sequences! {
    Halves, (String, Vec<String>), |halves, half| halves.add(half), |halves| halves.end();
    SerializeSeq::serialize_element, SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field
}

/// Everything but a sequence of two is refused, by way of a serializer that refuses everything.
impl ser::Serializer for Pair {
    type Ok = (String, Vec<String>);
    type Error = Refused;
    type SerializeSeq = Halves;
    type SerializeTuple = Halves;
    type SerializeTupleStruct = Halves;
    type SerializeTupleVariant = Impossible<Self::Ok, Refused>;
    type SerializeMap = Impossible<Self::Ok, Refused>;
    type SerializeStruct = Impossible<Self::Ok, Refused>;
    type SerializeStructVariant = Impossible<Self::Ok, Refused>;

    fn serialize_seq(self, _: Option<usize>) -> Result<Halves, Refused> {
        Ok(Halves::default())
    }

    fn serialize_tuple(self, _: usize) -> Result<Halves, Refused> {
        Ok(Halves::default())
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Halves, Refused> {
        Ok(Halves::default())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Self::Ok, Refused> {
        value.serialize(self)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Self::Ok, Refused> {
        value.serialize(self)
    }

    super::refuse! {
        serialize_bool(bool) = "what is not a pair";
        serialize_i8(i8) = "what is not a pair";
        serialize_i16(i16) = "what is not a pair";
        serialize_i32(i32) = "what is not a pair";
        serialize_i64(i64) = "what is not a pair";
        serialize_u8(u8) = "what is not a pair";
        serialize_u16(u16) = "what is not a pair";
        serialize_u32(u32) = "what is not a pair";
        serialize_u64(u64) = "what is not a pair";
        serialize_f32(f32) = "what is not a pair";
        serialize_f64(f64) = "what is not a pair";
        serialize_char(char) = "what is not a pair";
        serialize_str(&str) = "what is not a pair";
        serialize_bytes(&[u8]) = "what is not a pair";
        serialize_none() = "what is not a pair";
        serialize_unit() = "what is not a pair";
        serialize_unit_struct(&'static str) = "what is not a pair";
        serialize_unit_variant(&'static str, u32, &'static str) = "what is not a pair";
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Self::Ok, Refused> {
        refused("what is not a pair")
    }

    super::refuse_compounds! {
        serialize_tuple_variant(&'static str, u32, &'static str, usize)
            -> SerializeTupleVariant = "what is not a pair";
        serialize_map(Option<usize>) -> SerializeMap = "what is not a pair";
        serialize_struct(&'static str, usize) -> SerializeStruct = "what is not a pair";
        serialize_struct_variant(&'static str, u32, &'static str, usize)
            -> SerializeStructVariant = "what is not a pair";
    }
}
