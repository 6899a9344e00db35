//! Finding the ends of lines and records in bytes that arrive in pieces.

use bytes::{Buf, Bytes, BytesMut};
use memchr::memmem;

use super::room::take;
use crate::error::{Error, ErrorKind, Result};

/// Takes lines out of a buffer. No byte is searched twice, and an end may be split between pieces.
pub(super) struct Splitter {
    ends: Ends,
    /// How much of the buffer was searched.
    searched: usize,
}

enum Ends {
    /// LF, CR, or both. `after_cr`: the last line ended in CR, an LF that follows belongs to it.
    Lines {
        after_cr: bool,
    },
    /// The same in units of two or four bytes.
    WideLines {
        after_cr: bool,
        width: usize,
        big_endian: bool,
    },
    Records(Box<memmem::Finder<'static>>),
}

impl Splitter {
    pub(super) fn lines() -> Self {
        Self { ends: Ends::Lines { after_cr: false }, searched: 0 }
    }

    pub(super) fn records(delimiter: &[u8]) -> Result<Self> {
        if delimiter.is_empty() {
            return Err(Error::with(ErrorKind::InvalidRequest, "an empty delimiter ends nothing")
                .remedied("give it at least one byte, or leave it out to have lines"));
        }
        let finder = memmem::Finder::new(delimiter).into_owned();
        Ok(Self { ends: Ends::Records(Box::new(finder)), searched: 0 })
    }

    pub(super) fn widen(&mut self, width: usize, big_endian: bool) {
        if let Ends::Lines { after_cr } = self.ends {
            self.ends = Ends::WideLines { after_cr, width, big_endian };
        }
    }

    /// The bytes of an LF, if one that comes next belongs to the line before.
    pub(super) fn line_feed(&self) -> Option<&'static [u8]> {
        match self.ends {
            Ends::Lines { after_cr: true } => Some(b"\n"),
            Ends::WideLines { after_cr: true, width, big_endian } => {
                Some(match (width, big_endian) {
                    (2, true) => b"\0\n",
                    (2, false) => b"\n\0",
                    (_, true) => b"\0\0\0\n",
                    (_, false) => b"\n\0\0\0",
                })
            }
            _ => None,
        }
    }

    /// How many bytes the end of a line has at most before it is found.
    pub(super) fn end_length(&self) -> usize {
        match &self.ends {
            Ends::Lines { .. } => 1,
            Ends::WideLines { width, .. } => *width,
            Ends::Records(finder) => finder.needle().len(),
        }
    }

    /// Takes the first line out of the buffer, if it is whole. A line that ends in CR is whole at
    /// once: an LF that may follow is skipped when it comes.
    pub(super) fn split(&mut self, buffer: &mut BytesMut) -> Option<Bytes> {
        match &mut self.ends {
            Ends::Lines { after_cr } => split_lines(
                buffer,
                &mut self.searched,
                after_cr,
                1,
                |_| true,
                |unit| unit[0].into(),
            ),
            &mut Ends::WideLines { ref mut after_cr, width, big_endian } => {
                let value = |unit: &[u8]| value(unit, big_endian);
                let is_end = |unit: &[u8]| matches!(value(unit), LF | CR);
                split_lines(buffer, &mut self.searched, after_cr, width, is_end, value)
            }
            Ends::Records(finder) => {
                // The delimiter may begin in what was searched.
                let from = self.searched.saturating_sub(finder.needle().len() - 1);
                let Some(found) = finder.find(&buffer[from..]) else {
                    self.searched = buffer.len();
                    return None;
                };
                let record = take(buffer, from + found);
                buffer.advance(finder.needle().len());
                self.searched = 0;
                Some(record)
            }
        }
    }
}

const LF: u32 = b'\n' as u32;
const CR: u32 = b'\r' as u32;

fn value(unit: &[u8], big_endian: bool) -> u32 {
    let fold = |value: u32, byte: &u8| value << 8 | u32::from(*byte);
    if big_endian { unit.iter().fold(0, fold) } else { unit.iter().rev().fold(0, fold) }
}

/// Lines in units of `width` bytes.
fn split_lines(
    buffer: &mut BytesMut,
    searched: &mut usize,
    after_cr: &mut bool,
    width: usize,
    is_end: impl Fn(&[u8]) -> bool,
    value: impl Fn(&[u8]) -> u32,
) -> Option<Bytes> {
    if *after_cr && buffer.len() >= width {
        if value(&buffer[..width]) == LF {
            buffer.advance(width);
        }
        *after_cr = false;
        *searched = 0;
    }
    let Some(found) = find_end(&buffer[*searched..], width, is_end) else {
        // Only whole units were looked at.
        *searched = buffer.len() - buffer.len() % width;
        return None;
    };
    let line = take(buffer, *searched + found);
    *searched = 0;
    let carriage_return = value(&buffer[..width]) == CR;
    buffer.advance(width);
    if carriage_return && buffer.len() >= width && value(&buffer[..width]) == LF {
        buffer.advance(width);
    } else {
        *after_cr = carriage_return && buffer.len() < width;
    }
    Some(line)
}

fn find_end(bytes: &[u8], width: usize, is_end: impl Fn(&[u8]) -> bool) -> Option<usize> {
    if width == 1 {
        return memchr::memchr2(b'\n', b'\r', bytes);
    }
    bytes.chunks_exact(width).position(is_end).map(|at| at * width)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every way of splitting the bytes in two, and all of them byte by byte.
    fn split(make: impl Fn() -> Splitter, bytes: &[u8], expected: &[&[u8]]) {
        let pieces = (0..=bytes.len()).map(|at| vec![&bytes[..at], &bytes[at..]]);
        for pieces in pieces.chain([bytes.chunks(1).collect()]) {
            let (mut splitter, mut buffer, mut lines) = (make(), BytesMut::new(), Vec::new());
            for piece in &pieces {
                buffer.extend_from_slice(piece);
                while let Some(line) = splitter.split(&mut buffer) {
                    lines.push(line);
                }
            }
            lines.extend((!buffer.is_empty()).then(|| buffer.freeze()));
            assert_eq!(lines, expected, "{pieces:?}");
        }
    }

    #[test]
    fn lines_end_in_lf_cr_or_both() {
        let lines = Splitter::lines;
        split(lines, b"a\r\nb\nc\rd\r\r\n\ne", &[b"a", b"b", b"c", b"d", b"", b"", b"e"]);
        split(lines, b"\n", &[b""]);
        split(lines, b"", &[]);
    }

    #[test]
    fn wide_lines_do_too() {
        let encode =
            |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        let wide = |big| {
            move || {
                let mut splitter = Splitter::lines();
                splitter.widen(2, big);
                splitter
            }
        };
        // U+0A0D and U+0D0A have the bytes of line ends.
        let (a, b) = (encode("a\u{a0d}\u{d0a}"), encode("b"));
        split(wide(false), &encode("a\u{a0d}\u{d0a}\r\nb\rb\n\n"), &[&a, &b, &b, &[]]);
        let big = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>();
        split(wide(true), &big("a\u{a0d}\r\nb"), &[&big("a\u{a0d}"), &big("b")]);
    }

    #[test]
    fn records_end_in_their_delimiter() {
        let records = |delimiter: &'static [u8]| move || Splitter::records(delimiter).unwrap();
        split(records(b"\x1e"), b"a\x1e\x1eb\nc\x1e", &[b"a", b"", b"b\nc"]);
        split(records(b"--=--"), b"a--=-b--=----=--c", &[b"a--=-b", b"", b"c"]);
        split(records(b"aab"), b"aaab", &[b"a"]);
        assert_eq!(Splitter::records(b"").err().unwrap().kind(), ErrorKind::InvalidRequest);
    }
}
