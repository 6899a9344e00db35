//! Chunked bodies (RFC 9112, section 7.1), both ways.

use super::limits::Limits;
use crate::error::{Error, ErrorKind, Result};
use crate::headers::Headers;

/// Finds the data in a chunked body. Data is not touched, only pointed at.
#[derive(Debug)]
pub(crate) struct ChunkedDecoder {
    state: State,
    extensions: usize,
    trailers: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In a chunk's size; the digits so far and their value.
    Size {
        digits: u32,
        value: u64,
    },
    /// Behind the size, before the line's end.
    SizeEnd {
        value: u64,
        part: SizeEnd,
    },
    /// In the data; how much is left.
    Data(u64),
    /// Behind the data, before its CRLF has ended.
    DataEnd {
        carriage_return: bool,
    },
    /// Behind the last chunk.
    Trailers,
    Done,
}

/// What may come behind a chunk's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SizeEnd {
    /// Blanks, then an extension or the line's end.
    Blank,
    /// An extension: anything until the line's end.
    Extension,
    /// The CR was there.
    CarriageReturn,
}

/// What the next bytes are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ChunkStep {
    /// Data follows: at most this many bytes. Report what was taken to
    /// [`took`](ChunkedDecoder::took).
    Data(u64),
    /// More input is needed.
    More,
    /// The body is over.
    Done,
}

impl ChunkedDecoder {
    pub(crate) fn new() -> Self {
        let state = State::Size { digits: 0, value: 0 };
        Self { state, extensions: 0, trailers: Vec::new() }
    }

    /// Reads what is not data from the front of `input`; says how many bytes that was and what
    /// follows.
    pub(crate) fn step(&mut self, input: &[u8], limits: &Limits) -> Result<(usize, ChunkStep)> {
        for (at, &byte) in input.iter().enumerate() {
            match self.state {
                State::Data(left) => return Ok((at, ChunkStep::Data(left))),
                State::Done => return Ok((at, ChunkStep::Done)),
                State::Size { digits, value } => self.state = size(digits, value, byte)?,
                State::SizeEnd { value, part } => {
                    self.extensions += usize::from(part == SizeEnd::Extension);
                    self.state = size_end(value, part, byte)?;
                    if self.extensions > limits.extensions {
                        return Err(malformed("the chunk extensions are too long").remedied(
                            "if they may be, say so by the adapter's `max_chunk_extensions`",
                        ));
                    }
                }
                State::DataEnd { carriage_return } => {
                    self.state = match (byte, carriage_return) {
                        (b'\r', false) => State::DataEnd { carriage_return: true },
                        (b'\n', true) => State::Size { digits: 0, value: 0 },
                        _ => return Err(malformed("a chunk does not end where its size says")),
                    };
                }
                State::Trailers => self.trailer(byte, limits)?,
            }
        }
        Ok((
            input.len(),
            match self.state {
                State::Data(left) => ChunkStep::Data(left),
                State::Done => ChunkStep::Done,
                _ => ChunkStep::More,
            },
        ))
    }

    /// That much of the data was taken.
    pub(crate) fn took(&mut self, count: u64) {
        if let State::Data(left) = self.state {
            self.state = match left.saturating_sub(count) {
                0 => State::DataEnd { carriage_return: false },
                left => State::Data(left),
            };
        }
    }

    /// The fields behind the last chunk, once the body is over.
    pub(crate) fn trailers(&self, limits: &Limits) -> Result<Headers> {
        if matches!(&self.trailers[..], b"\n" | b"\r\n") {
            return Ok(Headers::new());
        }
        // `a:` and a line end are three bytes.
        let most = limits.fields.min(self.trailers.len() / 3 + 1);
        let mut fields = vec![httparse::EMPTY_HEADER; most];
        match httparse::parse_headers(&self.trailers, &mut fields) {
            Ok(httparse::Status::Complete((_, fields))) => {
                Ok(fields.iter().map(|field| (field.name, field.value)).collect())
            }
            Ok(httparse::Status::Partial) => Ok(Headers::new()),
            Err(error @ httparse::Error::TooManyHeaders) => {
                Err(malformed("the trailers have too many fields")
                    .because(error)
                    .remedied("if they may, say so by the adapter's `max_fields`"))
            }
            Err(error) => Err(malformed("the trailers are malformed").because(error)),
        }
    }

    fn trailer(&mut self, byte: u8, limits: &Limits) -> Result<()> {
        self.trailers.push(byte);
        if self.trailers.len() > limits.trailers {
            return Err(malformed("the trailers are too long")
                .remedied("if they may be, say so by the adapter's `max_trailers`"));
        }
        if matches!(&self.trailers[..], b"\n" | b"\r\n")
            || self.trailers.ends_with(b"\n\r\n")
            || self.trailers.ends_with(b"\n\n")
        {
            self.state = State::Done;
        }
        Ok(())
    }
}

fn size(digits: u32, value: u64, byte: u8) -> Result<State> {
    let Some(digit) = char::from(byte).to_digit(16) else {
        if digits == 0 {
            return Err(malformed("a chunk has no size"));
        }
        return size_end(value, SizeEnd::Blank, byte);
    };
    // 16 digits are all that fits; leading zeros don't count, but don't go on for ever either.
    if value >> 60 != 0 || digits >= 64 {
        return Err(malformed("a chunk's size is too large"));
    }
    Ok(State::Size { digits: digits + 1, value: value << 4 | u64::from(digit) })
}

/// Extensions are ignored, but must not hide a line's end: a CR that no LF follows is how one
/// message is read as two.
fn size_end(value: u64, part: SizeEnd, byte: u8) -> Result<State> {
    let part = match (byte, part) {
        (b'\n', SizeEnd::CarriageReturn) if value == 0 => return Ok(State::Trailers),
        (b'\n', SizeEnd::CarriageReturn) => return Ok(State::Data(value)),
        (b'\n', _) => return Err(malformed("a chunk's size ends in a bare LF")),
        (_, SizeEnd::CarriageReturn) => {
            return Err(malformed("a chunk's size ends in a bare CR"));
        }
        (b'\r', _) => SizeEnd::CarriageReturn,
        (b';', _) | (_, SizeEnd::Extension) => SizeEnd::Extension,
        (b' ' | b'\t', SizeEnd::Blank) => SizeEnd::Blank,
        _ => return Err(malformed("a chunk's size is not hexadecimal")),
    };
    Ok(State::SizeEnd { value, part })
}

fn malformed(what: &'static str) -> Error {
    Error::with(ErrorKind::ChunkedEncoding, what)
}

/// The line before a chunk's data.
pub(crate) struct ChunkSize {
    line: [u8; 18],
    start: usize,
}

impl ChunkSize {
    pub(crate) fn new(length: usize) -> Self {
        let mut line = *b"0123456789abcdef\r\n";
        let (mut left, mut start) = (length, 16);
        loop {
            start -= 1;
            line[start] = b"0123456789abcdef"[left % 16];
            left /= 16;
            if left == 0 {
                return Self { line, start };
            }
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.line[self.start..]
    }
}

/// Behind a chunk's data.
pub(crate) const CHUNK_END: &[u8] = b"\r\n";

/// The last chunk, and no trailers.
pub(crate) const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

#[cfg(test)]
mod tests;
