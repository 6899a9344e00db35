//! What a Set-Cookie field says (RFC 6265bis, section 5.6).

use super::cookie::SameSite;
use super::date;

/// Name and value together (section 5.6).
pub(super) const LONGEST_PAIR: usize = 4096;
/// The value of an attribute (section 5.6).
pub(super) const LONGEST_ATTRIBUTE: usize = 1024;

/// A field as it was received; of several attributes of one name the last.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SetCookie<'a> {
    pub(super) name: &'a [u8],
    pub(super) value: &'a [u8],
    /// Seconds since 1970.
    pub(super) expires: Option<i64>,
    /// Seconds from now.
    pub(super) max_age: Option<i64>,
    pub(super) domain: Option<&'a [u8]>,
    pub(super) path: Option<&'a [u8]>,
    pub(super) secure: bool,
    pub(super) http_only: bool,
    pub(super) same_site: Option<SameSite>,
}

impl<'a> SetCookie<'a> {
    /// `None` where the field is to be ignored as a whole.
    pub(super) fn parse(field: &'a [u8]) -> Option<Self> {
        // Without an early exit this is a loop over vectors.
        let has_controls = field.iter().fold(false, |found, &byte| found | is_control(byte));
        if has_controls && field.iter().any(|&byte| is_control(byte) && byte != b'\t') {
            return None;
        }
        let mut parts = Parts(Some(field));
        let pair = parts.next().unwrap_or_default();
        let (name, value) = split(pair).unwrap_or((b"", pair.trim_ascii()));
        if name.len() + value.len() > LONGEST_PAIR || (name.is_empty() && value.is_empty()) {
            return None;
        }
        // The RFC lets tabs pass; here no header that is sent has one, and curl ignores these, too.
        if has_controls && (name.contains(&b'\t') || value.contains(&b'\t')) {
            return None;
        }
        let mut read = Self { name, value, ..Self::default() };
        for part in parts {
            let (name, value) = split(part).unwrap_or((part.trim_ascii(), b""));
            if value.len() <= LONGEST_ATTRIBUTE {
                read.attribute(name, value);
            }
        }
        Some(read)
    }

    /// Sections 5.6.1 to 5.6.7.
    fn attribute(&mut self, name: &[u8], value: &'a [u8]) {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        if is("expires") {
            self.expires = date::parse(value).or(self.expires);
        } else if is("max-age") {
            self.max_age = read_age(value).or(self.max_age);
        } else if is("domain") {
            self.domain = Some(value.strip_prefix(b".").unwrap_or(value));
        } else if is("path") {
            self.path = Some(value);
        } else if is("secure") {
            self.secure = true;
        } else if is("httponly") {
            self.http_only = true;
        } else if is("samesite") {
            self.same_site = SameSite::parse(value);
        }
    }
}

/// What stands between the semicolons.
struct Parts<'a>(Option<&'a [u8]>);

impl<'a> Iterator for Parts<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.0?;
        let end = memchr::memchr(b';', rest);
        self.0 = end.map(|end| &rest[end + 1..]);
        Some(&rest[..end.unwrap_or(rest.len())])
    }
}

/// Around the first `=`, without blanks.
fn split(part: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(b'=', part)?;
    Some((part[..at].trim_ascii(), part[at + 1..].trim_ascii()))
}

pub(super) fn is_control(byte: u8) -> bool {
    (byte < 0x20) | (byte == 0x7f)
}

/// More seconds than a number has room for are as many as there is room for.
fn read_age(value: &[u8]) -> Option<i64> {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let add = |sum: i64, byte: &u8| sum.saturating_mul(10).saturating_add(i64::from(byte - b'0'));
    let age = digits.iter().fold(0, add);
    Some(if digits.len() < value.len() { -age } else { age })
}
