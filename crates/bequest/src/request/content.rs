//! What a builder was given as the body, and the Content-Type that it brings.

use std::fmt;

use bytes::Bytes;

use crate::body::Body;
use crate::body::form::{self, Pairs};
#[cfg(feature = "multipart")]
use crate::body::multipart::{self, Boundary, Part};
use crate::error::{Error, ErrorKind, Result};
use crate::headers::Headers;

#[derive(Clone, Default)]
pub(super) enum Content {
    #[default]
    None,
    Body(Body),
    Form(Pairs),
    #[cfg_attr(not(feature = "json"), expect(dead_code, reason = "only `json` makes one"))]
    Json(Bytes),
    #[cfg(feature = "multipart")]
    Multipart {
        fields: Vec<(String, String)>,
        files: Vec<(String, Part)>,
    },
}

impl Content {
    /// Sets it. What is set twice by the same method is replaced, but for files, which are added; a
    /// form and files go together.
    pub(super) fn set(&mut self, new: Self) -> Result<()> {
        let old = std::mem::take(self);
        *self = match (old, new) {
            (Self::None, new) => new,
            #[cfg(feature = "multipart")]
            (Self::Multipart { fields, mut files }, Self::Multipart { files: more, .. }) => {
                files.extend(more);
                Self::Multipart { fields, files }
            }
            #[cfg(feature = "multipart")]
            (Self::Multipart { files, .. }, Self::Form(Pairs::List(fields)))
            | (Self::Form(Pairs::List(fields)), Self::Multipart { files, .. }) => {
                Self::Multipart { fields, files }
            }
            #[cfg(feature = "multipart")]
            (Self::Form(Pairs::Raw(_)), Self::Multipart { .. })
            | (Self::Multipart { .. }, Self::Form(Pairs::Raw(_))) => {
                return Err(Error::with(
                    ErrorKind::InvalidRequest,
                    "a form that is text already can't go with files",
                )
                .remedied("give its fields as pairs"));
            }
            (old, new) if old.set_by() == new.set_by() => new,
            (old, new) => {
                let what = format!("both `{}` and `{}` set the body", old.set_by(), new.set_by());
                return Err(Error::with(ErrorKind::InvalidRequest, what)
                    .remedied("a request has one body: use one of them"));
            }
        };
        Ok(())
    }

    fn set_by(&self) -> &'static str {
        match self {
            Self::None => "nothing",
            Self::Body(_) => "body",
            Self::Form(_) => "form",
            Self::Json(_) => "json",
            #[cfg(feature = "multipart")]
            Self::Multipart { .. } => "files",
        }
    }

    /// The body. Its Content-Type is put among the headers, unless the caller has one.
    pub(super) fn into_body(self, headers: &mut Headers) -> Result<Body> {
        let mut bring = |mime| {
            if !headers.contains("content-type") {
                headers.append("Content-Type", mime);
            }
        };
        Ok(match self {
            Self::None => Body::empty(),
            Self::Body(body) => body,
            Self::Json(bytes) => {
                bring("application/json");
                bytes.into()
            }
            Self::Form(pairs) => {
                bring("application/x-www-form-urlencoded");
                encode(pairs).into()
            }
            #[cfg(feature = "multipart")]
            Self::Multipart { fields, files } => {
                let boundary = boundary(headers)?;
                multipart::body(&fields, &files, &boundary)?
            }
        })
    }
}

fn encode(pairs: Pairs) -> String {
    match pairs {
        Pairs::List(pairs) => {
            form::encode(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
        }
        Pairs::Raw(text) => text,
    }
}

/// The delimiter of the parts, so that body and Content-Type agree: the caller's if there is one in
/// a Content-Type of the caller's, else one of ours, which is put there.
#[cfg(feature = "multipart")]
fn boundary(headers: &mut Headers) -> Result<Boundary> {
    let Some(given) = headers.get_bytes("content-type") else {
        let boundary = Boundary::random();
        let mime = format!("multipart/form-data; boundary={}", boundary.as_str());
        headers.append("Content-Type", mime);
        return Ok(boundary);
    };
    let given = String::from_utf8_lossy(given).into_owned();
    let is_multipart =
        given.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("multipart/"));
    if !is_multipart || headers.get_all_bytes("content-type").count() > 1 {
        return Err(Error::with(
            ErrorKind::InvalidRequest,
            format!("Content-Type `{}` does not go with files", given.escape_debug()),
        )
        .remedied("leave it out: bequest adds the right one"));
    }
    match parameter(&given, "boundary") {
        Some(boundary) => Boundary::chosen(&boundary),
        None => {
            let boundary = Boundary::random();
            headers.insert("Content-Type", format!("{given}; boundary={}", boundary.as_str()));
            Ok(boundary)
        }
    }
}

/// A parameter of a media type (RFC 9110, section 5.6.6), without its quotes.
#[cfg(feature = "multipart")]
fn parameter(mime: &str, name: &str) -> Option<String> {
    let mut rest = mime;
    while let Some(at) = rest.find(';') {
        let (found, after) = rest[at + 1..].split_once('=')?;
        let after = after.trim_start();
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => unquote(quoted),
            None => {
                let end = after.find(';').unwrap_or(after.len());
                (after[..end].trim_end().to_owned(), &after[end..])
            }
        };
        if found.trim().eq_ignore_ascii_case(name) {
            return Some(value);
        }
        rest = next;
    }
    None
}

/// What is within the quotes, its escapes undone, and what follows.
#[cfg(feature = "multipart")]
fn unquote(quoted: &str) -> (String, &str) {
    let (mut value, mut escaped) = (String::new(), false);
    for (at, c) in quoted.char_indices() {
        match c {
            c if escaped => value.push(c),
            '\\' => {}
            '"' => return (value, &quoted[at + 1..]),
            c => value.push(c),
        }
        escaped = !escaped && c == '\\';
    }
    (value, "")
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(body) => body.fmt(f),
            other => f.write_str(other.set_by()),
        }
    }
}
