//! What a server asks for: WWW-Authenticate and Proxy-Authenticate, and lists of parameters like
//! theirs (RFC 9110, sections 11.3 to 11.6).

use std::borrow::Cow;

use crate::h1::is_tchar;

/// A scheme, and what the server says for it.
#[derive(Debug)]
pub(crate) struct Challenge<'a> {
    /// As it was written; case does not matter.
    pub(crate) scheme: &'a str,
    /// What some schemes have in place of parameters.
    pub(crate) token68: Option<&'a str>,
    pub(crate) params: AuthParams<'a>,
}

/// Names and values in order, the values without quotes.
#[derive(Debug, Default)]
pub(crate) struct AuthParams<'a>(Vec<(&'a str, Cow<'a, [u8]>)>);

impl AuthParams<'_> {
    /// The first value of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&[u8]> {
        let found = self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| &**value)
    }

    #[cfg(any(fuzzing, test))]
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(name, value)| (*name, &**value))
    }

    /// The same, where it is UTF-8.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(|value| std::str::from_utf8(value).ok())
    }
}

/// The challenges of all fields, in order. What is none is skipped.
pub(crate) fn challenges<'a>(fields: impl Iterator<Item = &'a [u8]>) -> Vec<Challenge<'a>> {
    let mut found = Vec::new();
    for field in fields {
        // What stands before the first scheme of a field is nobody's.
        let mut current: Option<Challenge<'_>> = None;
        for element in Elements::of(field) {
            match (element, &mut current) {
                (Element::Scheme(scheme), _) => {
                    let params = AuthParams::default();
                    found.extend(current.replace(Challenge { scheme, token68: None, params }));
                }
                (Element::Token68(token), Some(challenge)) => challenge.token68 = Some(token),
                (Element::Param(name, value), Some(challenge)) => {
                    challenge.params.0.push((name, value));
                }
                (_, None) => {}
            }
        }
        found.extend(current);
    }
    found
}

/// The parameters of a field without schemes: Authentication-Info.
#[cfg(feature = "digest")]
pub(crate) fn parameters(field: &[u8]) -> AuthParams<'_> {
    AuthParams(
        Elements::of(field)
            .filter_map(|element| match element {
                Element::Param(name, value) => Some((name, value)),
                Element::Scheme(_) | Element::Token68(_) => None,
            })
            .collect(),
    )
}

enum Element<'a> {
    Scheme(&'a str),
    Token68(&'a str),
    Param(&'a str, Cow<'a, [u8]>),
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A scheme or a parameter.
    Start,
    /// A token68 or a parameter.
    AfterScheme,
    /// Another parameter, from servers that forget the comma.
    AfterValue,
    /// Nothing up to the next comma.
    Spent,
}

/// Reads a field from its start to its end, and no byte more often than a few times.
struct Elements<'a> {
    rest: &'a [u8],
    place: Place,
}

impl<'a> Elements<'a> {
    fn of(field: &'a [u8]) -> Self {
        Self { rest: field, place: Place::Start }
    }

    fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.rest.iter().position(|&byte| !wanted(byte)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// A token68, if it is all there is up to the next comma.
    fn token68(&mut self) -> Option<&'a str> {
        let before = self.rest;
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
        let letters = self.take_while(is_letter).len();
        let length = letters + self.take_while(|byte| byte == b'=').len();
        self.take_while(is_blank);
        if letters > 0 && matches!(self.rest.first(), None | Some(b',')) {
            return before.get(..length).and_then(ascii);
        }
        self.rest = before;
        None
    }

    /// A name and its value; or the name alone, where no value follows.
    fn named(&mut self) -> Option<(&'a str, Option<Cow<'a, [u8]>>)> {
        let name = ascii(self.take_while(is_tchar)).filter(|name| !name.is_empty())?;
        let behind = self.rest;
        self.take_while(is_blank);
        let Some((b'=', rest)) = self.rest.split_first() else {
            self.rest = behind;
            return Some((name, None));
        };
        self.rest = rest;
        self.take_while(is_blank);
        Some((name, Some(self.value())))
    }

    fn value(&mut self) -> Cow<'a, [u8]> {
        match self.rest.split_first() {
            Some((b'"', rest)) => {
                self.rest = rest;
                self.quoted()
            }
            // Not a token only: nonces in Base64 are seen without quotes.
            _ => Cow::Borrowed(self.take_while(|byte| byte != b',' && !is_blank(byte))),
        }
    }

    /// What is within quotes, up to the end where the second one is missing.
    fn quoted(&mut self) -> Cow<'a, [u8]> {
        let mut value = Cow::Borrowed(self.take_while(|byte| byte != b'"' && byte != b'\\'));
        loop {
            let Some((&byte, rest)) = self.rest.split_first() else { return value };
            self.rest = rest;
            if byte == b'"' {
                return value;
            }
            let owned = value.to_mut();
            if let Some((&escaped, rest)) = rest.split_first() {
                owned.push(escaped);
                self.rest = rest;
            }
            owned.extend_from_slice(self.take_while(|byte| byte != b'"' && byte != b'\\'));
        }
    }

    /// Skips to the next comma that is not within quotes.
    fn skip(&mut self) {
        loop {
            self.take_while(|byte| byte != b',' && byte != b'"');
            match self.rest.split_first() {
                Some((b'"', rest)) => {
                    self.rest = rest;
                    self.quoted();
                }
                _ => return,
            }
        }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        loop {
            self.take_while(is_blank);
            let (&first, rest) = self.rest.split_first()?;
            if first == b',' {
                (self.rest, self.place) = (rest, Place::Start);
                continue;
            }
            if self.place == Place::AfterScheme
                && let Some(token) = self.token68()
            {
                self.place = Place::Spent;
                return Some(Element::Token68(token));
            }
            if self.place != Place::Spent {
                match (self.named(), self.place) {
                    (Some((name, Some(value))), _) => {
                        self.place = Place::AfterValue;
                        return Some(Element::Param(name, value));
                    }
                    (Some((scheme, None)), Place::Start) => {
                        self.place = Place::AfterScheme;
                        return Some(Element::Scheme(scheme));
                    }
                    _ => {}
                }
            }
            self.place = Place::Spent;
            self.skip();
        }
    }
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

fn ascii(text: &[u8]) -> Option<&str> {
    std::str::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Challenges as `scheme[token68]{name=value;...}`, one behind the other.
    fn read(fields: &[&str]) -> String {
        let mut told = String::new();
        for challenge in challenges(fields.iter().map(|field| field.as_bytes())) {
            told += challenge.scheme;
            if let Some(token) = challenge.token68 {
                told += &format!("[{token}]");
            }
            told += "{";
            for (name, value) in challenge.params.iter() {
                told += &format!("{name}={};", String::from_utf8_lossy(value));
            }
            told += "}";
        }
        told
    }

    #[test]
    fn challenges_are_read_as_they_are_sent() {
        for (fields, expected) in [
            (&["Basic realm=\"a b\""][..], "Basic{realm=a b;}"),
            (&["Basic"], "Basic{}"),
            (&["basic realm=x, DIGEST nonce=n"], "basic{realm=x;}DIGEST{nonce=n;}"),
            (&["Basic realm=x", "Digest nonce=n"], "Basic{realm=x;}Digest{nonce=n;}"),
            (
                &["Basic, Digest nonce=n, qop=\"auth,auth-int\""],
                "Basic{}Digest{nonce=n;qop=auth,auth-int;}",
            ),
            (&["Negotiate YWJj/+==, Basic realm=x"], "Negotiate[YWJj/+==]{}Basic{realm=x;}"),
            (&["Negotiate, NTLM"], "Negotiate{}NTLM{}"),
            (
                &[
                    "Newauth realm=\"apps\", type=1, title=\"Login to \\\"apps\\\"\", Basic realm=\"simple\"",
                ],
                "Newauth{realm=apps;type=1;title=Login to \"apps\";}Basic{realm=simple;}",
            ),
            (&["Digest realm = \"a\" ,\tnonce\t=\"b\""], "Digest{realm=a;nonce=b;}"),
            (
                &["Digest realm=\"a, Basic b=\\\\\\\"\", nonce=\"n,=\""],
                "Digest{realm=a, Basic b=\\\";nonce=n,=;}",
            ),
            (&["Digest nonce=a/b+c==, opaque=\"\""], "Digest{nonce=a/b+c==;opaque=;}"),
            (&["Digest realm=\"a\" nonce=\"b\""], "Digest{realm=a;nonce=b;}"),
            (&["Digest realm=my own, nonce=b"], "Digest{realm=my;nonce=b;}"),
            (&["Digest realm=\"a\"junk \"b, c=d\", nonce=b"], "Digest{realm=a;nonce=b;}"),
            (&[",, Digest ,, realm=a,,nonce=b,"], "Digest{realm=a;nonce=b;}"),
            (&["realm=a, Digest nonce=b"], "Digest{nonce=b;}"),
            (&["Digest nonce=b", "realm=a"], "Digest{nonce=b;}"),
            (&["Digest realm=\"a"], "Digest{realm=a;}"),
            (&["Digest realm=\"a\\"], "Digest{realm=a;}"),
            (&["Digest realm=\"\u{e9}\", \u{e9}=x, nonce=b"], "Digest{realm=\u{e9};nonce=b;}"),
            (&["Digest realm=a, realm=b"], "Digest{realm=a;realm=b;}"),
            (&[",,,==\""], ""),
            (&["", " ", "\"", "=", "\\", "(Basic) x=y"], ""),
        ] {
            assert_eq!(read(fields), expected, "{fields:?}");
        }
    }

    #[test]
    fn fields_without_schemes_are_read_too() {
        let params =
            parameters(b"nextnonce=\"a,b\", qop=auth, rspauth=\"\", cnonce=\"c\", nc=00000001");
        assert_eq!(params.get("NextNonce"), Some(&b"a,b"[..]));
        assert_eq!(params.text("nc"), Some("00000001"));
        assert_eq!(params.get("rspauth"), Some(&b""[..]));
        assert_eq!(params.get("realm"), None);
        assert_eq!(parameters(b"x=\"\xff\"").text("x"), None);
    }
}
