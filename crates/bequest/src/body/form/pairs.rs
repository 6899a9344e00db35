//! A serde serializer whose output is a list of pairs.
//!
//! Maps, structs and sequences of pairs are lists of pairs; a value that is itself a sequence
//! repeats its name; `None` leaves it out (Requests' rules for `params` and `data`).

mod values;

use serde::ser::{self, Impossible, Serialize};

use values::{Pair, Values};

use crate::error::{Error, ErrorKind, Result};

/// What a value serialized to.
#[derive(Debug, PartialEq, Eq, Clone)]
pub(crate) enum Pairs {
    /// Names and values, to be encoded.
    List(Vec<(String, String)>),
    /// Text that is used as it is.
    Raw(String),
}

pub(crate) fn to_pairs(value: &impl Serialize) -> Result<Pairs> {
    value.serialize(Top).map_err(|Refused(what)| {
        Error::with(ErrorKind::InvalidRequest, format!("parameters: {what}"))
            .remedied("use pairs, a map, or a struct, of text, numbers and lists of these")
    })
}

/// Why a value has no form as pairs.
#[derive(Debug)]
struct Refused(String);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

impl ser::Error for Refused {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

fn refused<T>(what: &str) -> Result<T, Refused> {
    Err(Refused(format!("{what} can't be written as name and value")))
}

/// Methods that refuse: what has no form as pairs.
macro_rules! refuse {
    ($($method:ident($($type:ty),*) = $what:literal;)*) => {$(
        fn $method(self, $(_: $type),*) -> Result<Self::Ok, Refused> {
            refused($what)
        }
    )*};
}

/// Compound types that refuse.
macro_rules! refuse_compounds {
    ($($method:ident($($type:ty),*) -> $compound:ident = $what:literal;)*) => {$(
        fn $method(self, $(_: $type),*) -> Result<Self::$compound, Refused> {
            refused($what)
        }
    )*};
}

use {refuse, refuse_compounds};

/// The whole value.
struct Top;

impl ser::Serializer for Top {
    type Ok = Pairs;
    type Error = Refused;
    type SerializeSeq = List;
    type SerializeTuple = List;
    type SerializeTupleStruct = List;
    type SerializeTupleVariant = Impossible<Pairs, Refused>;
    type SerializeMap = List;
    type SerializeStruct = List;
    type SerializeStructVariant = Impossible<Pairs, Refused>;

    fn serialize_str(self, text: &str) -> Result<Pairs, Refused> {
        Ok(Pairs::Raw(text.to_owned()))
    }

    fn serialize_none(self) -> Result<Pairs, Refused> {
        Ok(Pairs::List(Vec::new()))
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Pairs, Refused> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Pairs, Refused> {
        self.serialize_none()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Pairs, Refused> {
        self.serialize_none()
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Pairs, Refused> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Pairs, Refused> {
        refused("an enum")
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<List, Refused> {
        Ok(List::default())
    }

    fn serialize_tuple(self, _: usize) -> Result<List, Refused> {
        Ok(List::default())
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<List, Refused> {
        Ok(List::default())
    }

    fn serialize_map(self, _: Option<usize>) -> Result<List, Refused> {
        Ok(List::default())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<List, Refused> {
        Ok(List::default())
    }

    refuse! {
        serialize_bool(bool) = "a single value";
        serialize_i8(i8) = "a single value";
        serialize_i16(i16) = "a single value";
        serialize_i32(i32) = "a single value";
        serialize_i64(i64) = "a single value";
        serialize_i128(i128) = "a single value";
        serialize_u8(u8) = "a single value";
        serialize_u16(u16) = "a single value";
        serialize_u32(u32) = "a single value";
        serialize_u64(u64) = "a single value";
        serialize_u128(u128) = "a single value";
        serialize_f32(f32) = "a single value";
        serialize_f64(f64) = "a single value";
        serialize_char(char) = "a single value";
        serialize_bytes(&[u8]) = "a single value";
        serialize_unit_variant(&'static str, u32, &'static str) = "an enum";
    }

    refuse_compounds! {
        serialize_tuple_variant(&'static str, u32, &'static str, usize)
            -> SerializeTupleVariant = "an enum";
        serialize_struct_variant(&'static str, u32, &'static str, usize)
            -> SerializeStructVariant = "an enum";
    }
}

/// Collects the pairs.
#[derive(Default)]
struct List {
    pairs: Vec<(String, String)>,
    name: String,
}

impl List {
    fn add<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Refused> {
        let values = value.serialize(Values { nested: false })?;
        self.pairs.extend(values.into_iter().map(|value| (name.to_owned(), value)));
        Ok(())
    }

    fn pair<T: Serialize + ?Sized>(&mut self, pair: &T) -> Result<(), Refused> {
        let (name, values) = pair.serialize(Pair)?;
        self.pairs.extend(values.into_iter().map(|value| (name.clone(), value)));
        Ok(())
    }
}

impl ser::SerializeSeq for List {
    type Ok = Pairs;
    type Error = Refused;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, pair: &T) -> Result<(), Refused> {
        self.pair(pair)
    }

    fn end(self) -> Result<Pairs, Refused> {
        Ok(Pairs::List(self.pairs))
    }
}

impl ser::SerializeTuple for List {
    type Ok = Pairs;
    type Error = Refused;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, pair: &T) -> Result<(), Refused> {
        self.pair(pair)
    }

    fn end(self) -> Result<Pairs, Refused> {
        Ok(Pairs::List(self.pairs))
    }
}

impl ser::SerializeTupleStruct for List {
    type Ok = Pairs;
    type Error = Refused;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, pair: &T) -> Result<(), Refused> {
        self.pair(pair)
    }

    fn end(self) -> Result<Pairs, Refused> {
        Ok(Pairs::List(self.pairs))
    }
}

impl ser::SerializeMap for List {
    type Ok = Pairs;
    type Error = Refused;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Refused> {
        self.name = name(key)?;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
        let name = std::mem::take(&mut self.name);
        self.add(&name, value)
    }

    fn end(self) -> Result<Pairs, Refused> {
        Ok(Pairs::List(self.pairs))
    }
}

impl ser::SerializeStruct for List {
    type Ok = Pairs;
    type Error = Refused;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Refused> {
        self.add(name, value)
    }

    fn end(self) -> Result<Pairs, Refused> {
        Ok(Pairs::List(self.pairs))
    }
}

fn name<T: Serialize + ?Sized>(value: &T) -> Result<String, Refused> {
    match value.serialize(Values { nested: true })?.pop() {
        Some(name) => Ok(name),
        None => refused("a name of nothing"),
    }
}

#[cfg(test)]
mod tests;
