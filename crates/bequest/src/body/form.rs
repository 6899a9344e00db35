//! Pairs of names and values, from anything that serde can serialize, and their encoding in URLs
//! and forms.

mod pairs;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

pub(crate) use pairs::{Pairs, to_pairs};

/// What `quote_plus` of Python keeps, so that Requests' users see the same bytes.
const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~').remove(b' ');

/// `application/x-www-form-urlencoded`: UTF-8, blanks as `+`, all but `A-Za-z0-9_.-~` escaped.
pub(crate) fn encode<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        encode_part(&mut out, name);
        out.push('=');
        encode_part(&mut out, value);
    }
    out
}

fn encode_part(out: &mut String, text: &str) {
    for part in utf8_percent_encode(text, ENCODED) {
        // Only blanks were left as they are, and `+` was escaped.
        if part.contains(' ') { out.push_str(&part.replace(' ', "+")) } else { out.push_str(part) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_as_requests_writes_them() {
        let pairs = [("a b", "c&d=e"), ("k", ""), ("\u{e9}", "*'()~_.-+/ x"), ("k", "2")];
        assert_eq!(encode(pairs), "a+b=c%26d%3De&k=&%C3%A9=%2A%27%28%29~_.-%2B%2F+x&k=2");
        assert_eq!(encode([]), "");
    }
}
