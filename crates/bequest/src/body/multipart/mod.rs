//! Forms with files: `multipart/form-data` (RFC 7578), streamed part by part.

mod boundary;
mod part;
mod segments;

use bytes::Bytes;

pub(crate) use boundary::Boundary;
pub use part::Part;
pub(crate) use segments::Segments;

use segments::Segment;

use super::source::Streamed;
use super::{Body, Kind, Source};
use crate::error::{Error, ErrorKind, Result};

/// A form that is no larger than this, and all there, is made one piece: it leaves in one write with
/// the head.
const SMALL: usize = 16 * 1024;

/// The body: the fields first, then the files, each in their order.
pub(crate) fn body(
    fields: Vec<(String, String)>,
    files: Vec<(String, Part)>,
    boundary: &Boundary,
) -> Result<Body> {
    let mut form = Form { boundary, text: Vec::new(), segments: Vec::new(), length: Some(0) };
    for (name, value) in fields {
        form.add(&name, &part::head(&name, None, None, None)?, &value.into())?;
    }
    for (name, part) in files {
        form.add(&name, &part.head(&name)?, part.body())?;
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
        self.look_through(name, head)?;
        self.text.extend_from_slice(head);
        match &body.0 {
            Kind::Empty => {}
            Kind::Bytes(bytes) => {
                self.look_through(name, bytes)?;
                self.push(Segment::Bytes(bytes.clone()), Some(bytes.len() as u64));
            }
            Kind::Streamed(source) => {
                self.refuse_twice(name, source)?;
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
        self.flush();
        if self.length.is_some_and(|length| length <= SMALL as u64)
            && let Some(parts) =
                self.segments.iter().map(Segment::as_bytes).collect::<Option<Vec<_>>>()
        {
            return parts.concat().into();
        }
        let segments = Segments::new(self.segments, self.boundary.watch());
        Body::streamed(Source::Segments(Box::new(segments)), self.length)
    }

    fn look_through(&self, name: &str, bytes: &[u8]) -> Result<()> {
        self.boundary.watch().map_or(Ok(()), |mut watch| watch.look(name, bytes))
    }

    /// What can be read only once can't be two parts: known here, nothing of it is sent.
    fn refuse_twice(&self, name: &str, source: &Streamed) -> Result<()> {
        let same = |segment: &&Segment| segment.shares(source);
        match source.is_read_once().then(|| self.segments.iter().find(same)).flatten() {
            Some(Segment::Streamed { part, .. }) => Err(Error::with(
                ErrorKind::UnrewindableBody,
                format!(
                    "the parts `{}` and `{}` share what can be read only once",
                    part.escape_debug(),
                    name.escape_debug()
                ),
            )
            .remedied("give each part a body of its own")),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
