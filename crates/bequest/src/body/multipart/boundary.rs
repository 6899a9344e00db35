//! The delimiter between parts, and the Content-Type that tells it.

use bytes::Bytes;
use memchr::memmem;

use crate::error::{Error, ErrorKind, Result};
use crate::h1;
use crate::headers::Headers;
use crate::random::random;

/// The delimiter between parts.
#[derive(Debug)]
pub(crate) struct Boundary {
    text: String,
    /// It was chosen by the caller, and might be in a part by accident.
    chosen: bool,
}

impl Boundary {
    /// One on which body and Content-Type agree: the caller's, if there is one in a Content-Type of
    /// the caller's; else one of ours, which is put there.
    pub(crate) fn agreed(headers: &mut Headers) -> Result<Self> {
        let mut all = headers.get_all_bytes("content-type");
        let given = all.next().map(|first| std::str::from_utf8(first).map(str::to_owned));
        let is_one_of_several = all.next().is_some();
        drop(all);
        match given {
            None => {
                let boundary = Self::random();
                let mime = format!("multipart/form-data; boundary={}", boundary.text);
                headers.append("Content-Type", mime);
                Ok(boundary)
            }
            Some(Ok(mime)) if !is_one_of_several => match Self::told_by(&mime)? {
                Some(boundary) => Ok(boundary),
                None => {
                    let boundary = Self::random();
                    let mime = mime.trim_end_matches([' ', ';']);
                    headers.insert("Content-Type", format!("{mime}; boundary={}", boundary.text));
                    Ok(boundary)
                }
            },
            Some(Ok(mime)) => Err(unfit(&mime, "there is another one")),
            Some(Err(_)) => Err(unfit("", "it is not UTF-8")),
        }
    }

    /// One that nobody can foresee, so that no part can have it in it.
    pub(super) fn random() -> Self {
        Self { text: format!("{:016x}{:016x}", random(), random()), chosen: false }
    }

    /// The one that a media type has; where two readers could find two, it is refused.
    fn told_by(mime: &str) -> Result<Option<Self>> {
        if !mime.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("multipart/")) {
            return Err(unfit(mime, "it is not `multipart/form-data`"));
        }
        let parameters = parameters(mime).ok_or_else(|| {
            unfit(mime, "its parameters must be tokens, or in quotes: `boundary=\"a/b\"`")
        })?;
        let mut values = Vec::new();
        for (name, value) in parameters {
            // Forms for long or foreign values (RFC 2231), which not everybody reads.
            if name.get(..9).is_some_and(|start| start.eq_ignore_ascii_case("boundary*")) {
                return Err(unfit(mime, "its boundary must be in one piece"));
            }
            if name.eq_ignore_ascii_case("boundary") {
                values.push(value);
            }
        }
        match values[..] {
            [] => Ok(None),
            [value] => Self::chosen(value).map(Some),
            _ => Err(unfit(mime, "it has several boundaries")),
        }
    }

    /// The caller's (RFC 2046, section 5.1.1).
    pub(super) fn chosen(text: &str) -> Result<Self> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
        if (1..=70).contains(&text.len()) && text.bytes().all(allowed) && !text.ends_with(' ') {
            return Ok(Self { text: text.to_owned(), chosen: true });
        }
        Err(Error::with(
            ErrorKind::InvalidHeader,
            format!(
                "boundary `{}`: it must be 1 to 70 letters, digits, blanks and '()+_,-./:=?",
                text.escape_debug()
            ),
        )
        .remedied("leave it out: bequest makes one"))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// What looks for it in a part, if it could be there: ours can't.
    pub(super) fn watch(&self) -> Option<Watch> {
        let delimiter = || Bytes::from(format!("--{}", self.text));
        self.chosen.then(|| Watch { delimiter: delimiter(), end: Vec::new() })
    }
}

/// Looks for a delimiter in what comes piece by piece.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    delimiter: Bytes,
    /// The end of what has come, where one may have begun.
    end: Vec<u8>,
}

impl Watch {
    /// Refuses a piece with which the part `name` has the delimiter in it.
    pub(super) fn look(&mut self, name: &str, piece: &[u8]) -> Result<()> {
        let most = self.delimiter.len() - 1;
        self.end.extend_from_slice(&piece[..piece.len().min(most)]);
        let is_there = |bytes: &[u8]| memmem::find(bytes, &self.delimiter).is_some();
        if is_there(&self.end) || is_there(piece) {
            return Err(Error::with(
                ErrorKind::InvalidRequest,
                format!(
                    "the boundary of your Content-Type is in the part `{}`",
                    name.escape_debug()
                ),
            )
            .remedied("leave the boundary out: bequest makes one that no part has"));
        }
        if piece.len() >= most {
            self.end.clear();
            self.end.extend_from_slice(&piece[piece.len() - most..]);
        } else {
            self.end.drain(..self.end.len().saturating_sub(most));
        }
        Ok(())
    }
}

fn unfit(mime: &str, why: &str) -> Error {
    Error::with(
        ErrorKind::InvalidRequest,
        format!("Content-Type `{}` does not go with files: {why}", mime.escape_debug()),
    )
    .remedied("leave it out: bequest adds the right one")
}

/// Names and values of a media type's parameters, without quotes (RFC 9110, section 5.6.6). `None`
/// where it breaks the grammar, since readers then differ.
fn parameters(mime: &str) -> Option<Vec<(&str, &str)>> {
    let (kind, mut rest) = mime.split_at(mime.find(';').unwrap_or(mime.len()));
    let (_, subtype) = kind.trim_end_matches(' ').split_once('/')?;
    if !h1::is_token(subtype.as_bytes()) {
        return None;
    }
    let mut found = Vec::new();
    while let Some(parameter) = rest.strip_prefix(';') {
        let parameter = parameter.trim_start_matches(' ');
        if parameter.is_empty() {
            return Some(found);
        }
        let (name, after) = parameter.split_once('=')?;
        let (value, after) = value(after)?;
        if !h1::is_token(name.as_bytes()) {
            return None;
        }
        found.push((name, value));
        rest = after.trim_start_matches(' ');
    }
    rest.is_empty().then_some(found)
}

/// A token, or what is within quotes, its escapes as they are; and what follows.
fn value(text: &str) -> Option<(&str, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([';', ' ']).unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        return h1::is_token(value.as_bytes()).then_some((value, rest));
    };
    let mut escaped = false;
    for (at, byte) in quoted.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some((&quoted[..at], &quoted[at + 1..])),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreed(content_types: &[&str]) -> Result<(String, String)> {
        let mut headers = Headers::new();
        content_types.iter().for_each(|value| headers.append("content-TYPE", value));
        let boundary = Boundary::agreed(&mut headers)?;
        assert_eq!(headers.len(), 1);
        Ok((boundary.text, headers.get("content-type").unwrap_or_default().to_owned()))
    }

    #[test]
    fn a_boundary_of_the_callers_is_used() {
        for (content_type, boundary) in [
            ("multipart/form-data; boundary=B", "B"),
            ("Multipart/Mixed;BOUNDARY=\"a b/c\"", "a b/c"),
            ("multipart/related; x=\"; boundary=C\\\"\"; boundary=B ; charset=utf-8", "B"),
            (
                "multipart/form-data; boundary=----WebKitFormBoundaryyEmKNDsBKjB7QEqu",
                "----WebKitFormBoundaryyEmKNDsBKjB7QEqu",
            ),
        ] {
            let expected = (boundary.to_owned(), content_type.to_owned());
            assert_eq!(agreed(&[content_type]).unwrap(), expected);
        }
    }

    #[test]
    fn where_there_is_none_ours_is_added() {
        for (given, start) in [
            (&[][..], "multipart/form-data; boundary="),
            (&["multipart/form-data"], "multipart/form-data; boundary="),
            (&["multipart/mixed; a=b; "], "multipart/mixed; a=b; boundary="),
        ] {
            let (boundary, content_type) = agreed(given).unwrap();
            assert_eq!(content_type, format!("{start}{boundary}"));
        }
    }

    #[test]
    fn what_two_readers_could_read_in_two_ways_is_refused() {
        for content_type in [
            "multipart/form-data; boundary=",
            "multipart/form-data; boundary=\"\"",
            "multipart/form-data; boundary=a b",
            "multipart/form-data; boundary=a/b",
            "multipart/form-data; boundary=\"a ",
            "multipart/form-data; boundary=\"a \"",
            "multipart/form-data; boundary=\"a\\b\"",
            "multipart/form-data; boundary=\"a\"b",
            "multipart/form-data; boundary =a",
            "multipart/form-data; boundary= a",
            "multipart/form-data; boundary=a; boundary=b",
            "multipart/form-data; boundary=a; Boundary=a",
            "multipart/form-data; boundary*0=a; boundary*1=b",
            "multipart/form-data; boundary*=utf-8''a",
            "multipart/form-data; x; boundary=a",
            "multipart/form-data; x=\"; boundary=a",
            "multipart/form-data, multipart/form-data; boundary=a",
            "multipart/; boundary=a",
            "multipart/form-data; boundary=é",
            "application/json",
            "text/plain; boundary=a",
            "",
        ] {
            let error = agreed(&[content_type]).map(|found| panic!("{found:?}")).unwrap_err();
            let known =
                matches!(error.kind(), ErrorKind::InvalidRequest | ErrorKind::InvalidHeader);
            assert!(known, "{content_type}: {error}");
        }
        let long = format!("multipart/form-data; boundary={}", "x".repeat(71));
        assert_eq!(agreed(&[&long]).unwrap_err().kind(), ErrorKind::InvalidHeader);
        assert!(agreed(&["multipart/form-data", "multipart/form-data"]).is_err());
    }

    #[test]
    fn our_boundaries_are_32_hexadecimal_digits_and_differ() {
        let (one, other) = (Boundary::random(), Boundary::random());
        assert_ne!(one.text, other.text);
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        assert!(one.text.len() == 32 && one.text.bytes().all(hex), "{}", one.text);
    }
}
