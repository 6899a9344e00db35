//! Header fields in order, as they were typed or received.

mod value;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Range;

use http::{HeaderMap, HeaderName, HeaderValue};

pub use value::ToHeaderValue;

use crate::error::{Error, ErrorKind};
use crate::secrets;

/// A list of header fields that keeps order and case, and is looked up without regard to case
/// (RFC 9110, section 5.1; Requests' `CaseInsensitiveDict`, but repeats are kept).
///
/// What is put in is what HTTP/1.1 sends, in this order and this case. Nothing is checked here: a
/// name or value that HTTP does not allow is
/// [`ErrorKind::InvalidHeader`](crate::ErrorKind::InvalidHeader) when the request is sent.
///
/// ```
/// # use bequest::Headers;
/// let mut headers = Headers::from([("X-Pizza", "kenneth"), ("Accept", "*/*")]);
/// headers.insert("x-pizza", "margherita"); // replaces, keeps the place
/// headers.append("Accept", "text/html"); // repeats
/// assert_eq!(headers.get("X-PIZZA"), Some("margherita"));
/// assert_eq!(headers.get_all("accept").collect::<Vec<_>>(), ["*/*", "text/html"]);
/// assert_eq!(headers.to_string(), "x-pizza: margherita\r\nAccept: */*\r\nAccept: text/html\r\n");
/// ```
#[derive(Clone, Default)]
pub struct Headers {
    // One allocation for all text, one for the list: a response's head is copied once, as a whole.
    // The text is in the form of the wire, so that fields that stand together are written as one.
    text: Vec<u8>,
    fields: Vec<Field>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Field {
    name: Span,
    value: Span,
}

/// A part of the text: a range that is copied with its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    start: usize,
    end: usize,
}

impl Span {
    fn len(self) -> usize {
        self.end - self.start
    }

    fn of(self, text: &[u8]) -> &[u8] {
        &text[self.start..self.end]
    }
}

impl From<Range<usize>> for Span {
    fn from(Range { start, end }: Range<usize>) -> Self {
        Self { start, end }
    }
}

impl Field {
    /// Whether it has that name. Most differ in length or in the first letter, which is quick to
    /// see, and most that are the same are spelled as usual.
    fn is(&self, name: &str, text: &[u8]) -> bool {
        let name = name.as_bytes();
        self.name.len() == name.len() && {
            let own = self.name.of(text);
            let letter = |name: &[u8]| name.first().map(|letter| letter | 0x20);
            letter(own) == letter(name) && (own == name || own.eq_ignore_ascii_case(name))
        }
    }
}

impl Headers {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// The first value of that name; `None` where there is none, or it is not UTF-8 (then
    /// [`get_bytes`](Self::get_bytes) has it).
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_bytes(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// The first value of that name, as bytes.
    pub fn get_bytes(&self, name: &str) -> Option<&[u8]> {
        self.position(name).map(|at| self.value(at))
    }

    /// Every value of that name that is UTF-8, in order.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.get_all_bytes(name).filter_map(|value| std::str::from_utf8(value).ok())
    }

    /// Every value of that name, as bytes, in order.
    pub fn get_all_bytes<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let mut rest = self.fields.iter();
        std::iter::from_fn(move || {
            let field = rest.find(|field| field.is(name, &self.text))?;
            Some(field.value.of(&self.text))
        })
    }

    /// Whether there is a field of that name.
    pub fn contains(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    /// Sets the field: the first one of that name is replaced where it stands, the others go; a
    /// new name is put at the end.
    pub fn insert(&mut self, name: impl AsRef<str>, value: impl ToHeaderValue) {
        let name = name.as_ref();
        let field = self.store(name.as_bytes(), &value);
        match self.position(name) {
            None => self.fields.push(field),
            Some(first) => {
                let text = &self.text;
                let mut at = 0;
                self.fields.retain(|field| {
                    at += 1;
                    at - 1 <= first || !field.is(name, text)
                });
                self.fields[first] = field;
                self.compact();
            }
        }
    }

    /// Adds a field at the end, whatever there is of that name.
    pub fn append(&mut self, name: impl AsRef<str>, value: impl ToHeaderValue) {
        let field = self.store(name.as_ref().as_bytes(), &value);
        self.fields.push(field);
    }

    /// Takes every field of that name out, and says whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        let Some(first) = self.position(name) else { return false };
        self.fields.remove(first);
        let text = &self.text;
        self.fields.retain(|field| !field.is(name, text));
        self.compact();
        true
    }

    /// Sets every field of `other` here too, in its order: a name that is here already is replaced
    /// where it stands, its repeats included.
    pub fn update(&mut self, other: &Self) {
        for (at, field) in other.fields.iter().enumerate() {
            let (name, value) = (other.name(field), field.value.of(&other.text));
            let seen = other.fields[..at]
                .iter()
                .any(|earlier| other.name(earlier).eq_ignore_ascii_case(name));
            if seen { self.append(name, value) } else { self.insert(name, value) }
        }
    }

    /// Takes every field out.
    pub fn clear(&mut self) {
        self.text.clear();
        self.fields.clear();
    }

    /// How many fields there are, repeats counted.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Names and values in order. Values are bytes; HTTP promises no more.
    pub fn iter(&self) -> Iter<'_> {
        Iter { headers: self, fields: self.fields.iter() }
    }

    fn name(&self, field: &Field) -> &str {
        // Put in as `str`, or parsed as a token: always ASCII or UTF-8.
        std::str::from_utf8(field.name.of(&self.text)).unwrap_or_default()
    }

    fn value(&self, at: usize) -> &[u8] {
        self.fields[at].value.of(&self.text)
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.is(name, &self.text))
    }

    fn store(&mut self, name: &[u8], value: &(impl ToHeaderValue + ?Sized)) -> Field {
        let start = self.text.len();
        self.text.extend_from_slice(name);
        let name = start..self.text.len();
        self.text.extend_from_slice(b": ");
        let start = self.text.len();
        value.write_to(&mut self.text);
        let value = start..self.text.len();
        self.text.extend_from_slice(b"\r\n");
        Field { name: name.into(), value: value.into() }
    }

    /// Drops text that no field points to, once it is the greater part.
    fn compact(&mut self) {
        const SMALL: usize = 1024;
        if self.text.len() <= SMALL {
            return;
        }
        let used: usize = self.fields.iter().map(|f| f.name.len() + f.value.len() + 4).sum();
        if self.text.len() > 2 * used + SMALL {
            *self = self.iter().collect();
        }
    }
}

// For the modules that write and read heads.
impl Headers {
    /// The same as `Debug` shows, with more names of secrets.
    pub(crate) fn masked(&self, is_secret: impl Fn(&str) -> bool) -> impl fmt::Debug {
        fmt::from_fn(move |f| {
            let shown = self.iter().map(|(name, value)| match is_secret(name) {
                true => (name, secrets::MASK.into()),
                false => (name, secrets::masked_field(name, value)),
            });
            f.debug_map().entries(shown).finish()
        })
    }

    /// A received head: its text, and where names and values are in it.
    pub(crate) fn received(
        text: Vec<u8>,
        fields: impl Iterator<Item = (Range<usize>, Range<usize>)>,
    ) -> Self {
        let field =
            |(name, value): (Range<_>, Range<_>)| Field { name: name.into(), value: value.into() };
        let fields = fields.map(field).collect();
        Self { text, fields }
    }

    /// Names and values as bytes, in order.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.fields.iter().map(|f| (f.name.of(&self.text), f.value.of(&self.text)))
    }

    /// The fields behind those of `other`, if it begins with them all; else every field.
    pub(crate) fn fields_behind(&self, other: &Self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let begins = self.text.starts_with(&other.text) && self.fields.starts_with(&other.fields);
        let behind = if begins { &self.fields[other.fields.len()..] } else { &self.fields };
        behind.iter().map(|f| (f.name.of(&self.text), f.value.of(&self.text)))
    }

    /// About how many bytes they are on the wire.
    pub(crate) fn text_len(&self) -> usize {
        self.text.len()
    }

    /// Appends the fields as they are on the wire.
    pub(crate) fn write_to(&self, out: &mut Vec<u8>) {
        let mut run = 0..0;
        for field in &self.fields {
            let end = field.value.end + 2;
            let between = &self.text[field.name.end..field.value.start.max(field.name.end)];
            let in_form = between == b": " && self.text.get(field.value.end..end) == Some(b"\r\n");
            if in_form && field.name.start == run.end {
                run.end = end;
                continue;
            }
            out.extend_from_slice(&self.text[run]);
            run = field.name.start..end;
            if !in_form {
                run = 0..0;
                out.extend_from_slice(field.name.of(&self.text));
                out.extend_from_slice(b": ");
                out.extend_from_slice(field.value.of(&self.text));
                out.extend_from_slice(b"\r\n");
            }
        }
        out.extend_from_slice(&self.text[run]);
    }

    /// A copy with room for some more, so that adding them copies nothing again.
    pub(crate) fn clone_with_room(&self, text: usize, fields: usize) -> Self {
        let mut clone = self.text_with_room(text, fields);
        clone.fields.extend_from_slice(&self.fields);
        clone
    }

    /// The same without the fields of which `drops` says so, by their names.
    pub(crate) fn clone_without(
        &self,
        drops: impl Fn(&[u8]) -> bool,
        text: usize,
        fields: usize,
    ) -> Self {
        let mut clone = self.text_with_room(text, fields);
        for field in &self.fields {
            if !drops(field.name.of(&self.text)) {
                clone.fields.push(*field);
            }
        }
        clone.compact();
        clone
    }

    /// An empty list with room for so many bytes of names and values, and so many fields.
    #[cfg(feature = "http2")]
    pub(crate) fn with_room(text: usize, fields: usize) -> Self {
        let signs = ": \r\n".len();
        let text = Vec::with_capacity(text + fields * signs);
        Self { text, fields: Vec::with_capacity(fields) }
    }

    fn text_with_room(&self, text: usize, fields: usize) -> Self {
        let mut copy = Self {
            text: Vec::with_capacity(self.text.len() + text),
            fields: Vec::with_capacity(self.fields.len() + fields),
        };
        copy.text.extend_from_slice(&self.text);
        copy
    }

    /// Puts a field before all others.
    pub(crate) fn prepend(&mut self, name: &str, value: impl ToHeaderValue) {
        let field = self.store(name.as_bytes(), &value);
        self.fields.insert(0, field);
    }
}

/// The fields of a [`Headers`], in order.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    headers: &'a Headers,
    fields: std::slice::Iter<'a, Field>,
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a str, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let field = self.fields.next()?;
        Some((self.headers.name(field), field.value.of(&self.headers.text)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.fields.size_hint()
    }
}

impl ExactSizeIterator for Iter<'_> {}

impl<'a> IntoIterator for &'a Headers {
    type Item = (&'a str, &'a [u8]);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl<N: AsRef<str>, V: ToHeaderValue> Extend<(N, V)> for Headers {
    fn extend<I: IntoIterator<Item = (N, V)>>(&mut self, fields: I) {
        for (name, value) in fields {
            self.append(name, value);
        }
    }
}

impl<N: AsRef<str>, V: ToHeaderValue> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        let mut headers = Self::new();
        headers.extend(fields);
        headers
    }
}

macro_rules! from_collection {
    ($([$($generics:tt)*] $collection:ty;)*) => {$(
        impl<N: AsRef<str>, V: ToHeaderValue, $($generics)*> From<$collection> for Headers {
            fn from(fields: $collection) -> Self {
                fields.into_iter().collect()
            }
        }
    )*};
}

from_collection! {
    [const LEN: usize] [(N, V); LEN];
    [] Vec<(N, V)>;
    [] BTreeMap<N, V>;
    [S] HashMap<N, V, S>;
}

impl<N: AsRef<str>, V: ToHeaderValue> From<&[(N, V)]> for Headers {
    fn from(fields: &[(N, V)]) -> Self {
        fields.iter().map(|(name, value)| (name, value)).collect()
    }
}

impl From<&Self> for Headers {
    fn from(headers: &Self) -> Self {
        headers.clone()
    }
}

impl From<&HeaderMap> for Headers {
    fn from(map: &HeaderMap) -> Self {
        map.iter().map(|(name, value)| (name.as_str(), value)).collect()
    }
}

impl From<HeaderMap> for Headers {
    fn from(map: HeaderMap) -> Self {
        (&map).into()
    }
}

impl TryFrom<&Headers> for HeaderMap {
    type Error = Error;

    fn try_from(headers: &Headers) -> Result<Self, Error> {
        let mut map = Self::with_capacity(headers.len());
        for (name, value) in headers {
            let invalid = || Error::with(ErrorKind::InvalidHeader, format!("header `{name}`"));
            let key: HeaderName = name.parse().map_err(|error| invalid().because(error))?;
            let value = HeaderValue::from_bytes(value).map_err(|error| invalid().because(error))?;
            map.append(key, value);
        }
        Ok(map)
    }
}

impl TryFrom<Headers> for HeaderMap {
    type Error = Error;

    fn try_from(headers: Headers) -> Result<Self, Error> {
        (&headers).try_into()
    }
}

impl PartialEq for Headers {
    /// The same fields in the same order; names without regard to case.
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self
                .fields()
                .zip(other.fields())
                .all(|(mine, theirs)| mine.0.eq_ignore_ascii_case(theirs.0) && mine.1 == theirs.1)
    }
}

impl Eq for Headers {}

impl fmt::Display for Headers {
    /// As on the wire, each field with its CRLF; what is not UTF-8 is shown as U+FFFD. Nothing is
    /// masked.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in self {
            write!(f, "{name}: {}\r\n", String::from_utf8_lossy(value))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Headers {
    /// As a map; the values of Authorization, Cookie and of whatever has a name like a secret's are
    /// masked, and so is what is secret in the URLs of Location and its like.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.masked(|_| false).fmt(f)
    }
}

#[cfg(test)]
mod tests;
