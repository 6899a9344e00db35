//! Content-Type (RFC 9110, section 8.3), read as leniently as servers write it.

use std::borrow::Cow;

/// The media type and its parameters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ContentType<'a> {
    /// `text/html`, as it was sent.
    pub(crate) media_type: &'a str,
    rest: &'a str,
}

impl<'a> ContentType<'a> {
    pub(crate) fn parse(value: &'a str) -> Self {
        let (media_type, rest) = value.split_once(';').unwrap_or((value, ""));
        Self { media_type: media_type.trim(), rest }
    }

    /// The first parameter of this name that says something, without its quotes.
    pub(crate) fn parameter(&self, name: &str) -> Option<Cow<'a, str>> {
        let found = |(other, value): &(&str, Cow<'_, str>)| {
            other.eq_ignore_ascii_case(name) && !value.is_empty()
        };
        self.parameters().find(found).map(|(_, value)| value)
    }

    fn parameters(&self) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> {
        let mut rest = self.rest;
        std::iter::from_fn(move || {
            while !rest.is_empty() {
                let end = rest.find([';', '=']).unwrap_or(rest.len());
                let (name, behind) = rest.split_at(end);
                match behind.strip_prefix('=') {
                    Some(behind) => {
                        let (value, behind) = value(behind.trim_start());
                        rest = behind;
                        return Some((name.trim(), value));
                    }
                    // A name alone says nothing.
                    None => rest = behind.get(1..).unwrap_or_default(),
                }
            }
            None
        })
    }

    /// Whether the media type is `text/...`.
    pub(crate) fn is_text(&self) -> bool {
        self.main_is("text")
    }

    /// Whether it is JSON: `application/json`, or one that is named `...+json` (RFC 6839).
    pub(crate) fn is_json(&self) -> bool {
        let Some((_, subtype)) = self.media_type.split_once('/') else { return false };
        let ending = subtype.rsplit_once('+').map(|(_, ending)| ending.trim());
        self.main_is("application") && subtype.trim().eq_ignore_ascii_case("json")
            || ending.is_some_and(|ending| ending.eq_ignore_ascii_case("json"))
    }

    fn main_is(&self, wanted: &str) -> bool {
        let main = self.media_type.split_once('/').map(|(main, _)| main.trim());
        main.is_some_and(|main| main.eq_ignore_ascii_case(wanted))
    }
}

/// The value that `text` begins with, and what follows behind its semicolon.
fn value(text: &str) -> (Cow<'_, str>, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, behind) = text.split_once(';').unwrap_or((text, ""));
        // Single quotes are no quotes, but servers write them.
        return (Cow::Borrowed(value.trim().trim_matches(['\'', '"']).trim()), behind);
    };
    let (mut value, mut chars) = (String::new(), quoted.char_indices());
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => {
                let plain = quoted.get(..at).filter(|plain| *plain == value);
                let value = plain.map_or(Cow::Owned(value), Cow::Borrowed);
                let behind = quoted.get(at + 1..).unwrap_or_default();
                return (value, behind.split_once(';').map_or("", |(_, behind)| behind));
            }
            '\\' => value.extend(chars.next().map(|(_, char)| char)),
            _ => value.push(char),
        }
    }
    // It never ends: a semicolon ends it, as if there were no quote.
    let (value, behind) = quoted.split_once(';').unwrap_or((quoted, ""));
    (Cow::Borrowed(value.trim()), behind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn charset(value: &str) -> Option<String> {
        ContentType::parse(value).parameter("charset").map(Cow::into_owned)
    }

    #[test]
    fn parameters_as_servers_write_them() {
        for (value, wanted) in [
            ("text/html; charset=UTF-8", Some("UTF-8")),
            ("text/html;CHARSET = utf-8 ;x", Some("utf-8")),
            ("text/html; charset=\"utf-8\"", Some("utf-8")),
            ("text/html; charset='utf-8'", Some("utf-8")),
            ("text/html; charset=\"a\\\"b\"; x=1", Some("a\"b")),
            ("text/html; a=\"; charset=no\"; charset=yes", Some("yes")),
            ("text/html; charset=\"utf-8; x=1", Some("utf-8")),
            ("text/html; charset=; charset=latin1", Some("latin1")),
            ("text/html; charset=a; charset=b", Some("a")),
            ("text/html; charset", None),
            ("text/html; xcharset=a", None),
            ("text/html charset=a", None),
            ("; charset=a", Some("a")),
            ("text/html;;; ; charset=a", Some("a")),
            ("text/html; charset=\"\"", None),
            ("", None),
            ("=;=\"", None),
            ("text/html; charset=\"\\", Some("\\")),
        ] {
            assert_eq!(charset(value).as_deref(), wanted, "{value}");
        }
    }

    #[test]
    fn kinds() {
        let kinds = |value| {
            let it = ContentType::parse(value);
            (it.is_text(), it.is_json())
        };
        assert_eq!(kinds("TEXT/Html; a=b"), (true, false));
        assert_eq!(kinds("image/svg+text"), (false, false));
        assert_eq!(kinds("Application/JSON"), (false, true));
        assert_eq!(kinds("application/vnd.x+json; charset=x"), (false, true));
        assert_eq!(kinds("text"), (false, false));
        assert_eq!(kinds("application/json5"), (false, false));
        assert_eq!(kinds(""), (false, false));
    }
}
