//! Forms with files: `multipart/form-data` (RFC 7578), streamed part by part.

mod part;
mod segments;

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use bytes::Bytes;
use memchr::memmem;

pub use part::Part;
pub(crate) use segments::Segments;

use segments::Segment;

use super::{Body, Kind, Source};
use crate::error::{Error, ErrorKind, Result};

/// What is no larger than this is copied behind what stands before it: a small form leaves in one
/// write with the head.
const SMALL: usize = 16 * 1024;

/// The delimiter between parts.
pub(crate) struct Boundary {
    text: String,
    /// It was chosen by the caller, and might be in a part by accident.
    chosen: bool,
}

impl Boundary {
    /// One that nobody can foresee, so that no part can have it in it.
    pub(crate) fn random() -> Self {
        // A RandomState has keys from the system, and hashes with a function that does not tell them.
        let random = || RandomState::new().hash_one(0);
        Self { text: format!("{:016x}{:016x}", random(), random()), chosen: false }
    }

    /// The caller's (RFC 2046, section 5.1.1).
    pub(crate) fn chosen(text: &str) -> Result<Self> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
        if (1..=70).contains(&text.len()) && text.bytes().all(allowed) && !text.ends_with(' ') {
            return Ok(Self { text: text.to_owned(), chosen: true });
        }
        Err(Error::with(
            ErrorKind::InvalidHeader,
            format!(
                "boundary `{}`: it must be 1 to 70 letters, digits and '()+_,-./:=?",
                text.escape_debug()
            ),
        )
        .remedied("leave it out: bequest makes one"))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

/// The body: the fields first, then the files, each in their order.
pub(crate) fn body(
    fields: &[(String, String)],
    files: &[(String, Part)],
    boundary: &Boundary,
) -> Result<Body> {
    let mut form = Form { boundary, text: Vec::new(), segments: Vec::new(), length: Some(0) };
    for (name, value) in fields {
        let head = part::head(name, None, None, None)?;
        form.add(name, &head, &Body::from(value))?;
    }
    for (name, part) in files {
        form.add(name, &part.head(name)?, part.body())?;
    }
    form.delimit("--\r\n");
    Ok(form.finish())
}

/// A form being put together.
struct Form<'a> {
    boundary: &'a Boundary,
    /// What was said since the last segment.
    text: Vec<u8>,
    segments: Vec<Segment>,
    /// Of the segments; `None` once nobody knows.
    length: Option<u64>,
}

impl Form<'_> {
    fn add(&mut self, name: &str, head: &[u8], body: &Body) -> Result<()> {
        self.delimit("\r\n");
        self.text.extend_from_slice(head);
        match &body.0 {
            Kind::Empty => {}
            Kind::Bytes(bytes) => {
                self.refuse_boundary(name, bytes)?;
                if bytes.len() <= SMALL {
                    self.text.extend_from_slice(bytes);
                } else {
                    self.push(Segment::Bytes(bytes.clone()), Some(bytes.len() as u64));
                }
            }
            Kind::Streamed(source) => {
                let segment = Segment::Streamed { part: name.into(), source: source.clone() };
                self.push(segment, body.len());
            }
        }
        self.text.extend_from_slice(b"\r\n");
        Ok(())
    }

    fn delimit(&mut self, end: &str) {
        for part in ["--", self.boundary.as_str(), end] {
            self.text.extend_from_slice(part.as_bytes());
        }
    }

    fn push(&mut self, segment: Segment, length: Option<u64>) {
        self.flush();
        self.length = self.length.zip(length).and_then(|(sum, length)| sum.checked_add(length));
        self.segments.push(segment);
    }

    /// Makes a segment of the text.
    fn flush(&mut self) {
        let text = Bytes::from(std::mem::take(&mut self.text));
        self.length = self.length.and_then(|sum| sum.checked_add(text.len() as u64));
        self.segments.push(Segment::Bytes(text));
    }

    fn finish(mut self) -> Body {
        if self.segments.is_empty() && self.text.len() <= SMALL {
            return self.text.into();
        }
        self.flush();
        Body::streamed(Source::Segments(Box::new(Segments::new(self.segments))), self.length)
    }

    /// Ours can't be in a part, a caller's can.
    fn refuse_boundary(&self, name: &str, content: &[u8]) -> Result<()> {
        let delimiter = format!("--{}", self.boundary.as_str());
        if !self.boundary.chosen || memmem::find(content, delimiter.as_bytes()).is_none() {
            return Ok(());
        }
        Err(Error::with(
            ErrorKind::InvalidRequest,
            format!("the boundary of your Content-Type is in the part `{}`", name.escape_debug()),
        )
        .remedied("leave the boundary out: bequest makes one that no part has"))
    }
}

#[cfg(test)]
mod tests;
