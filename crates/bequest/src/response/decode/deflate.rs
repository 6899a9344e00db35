//! deflate: the zlib format (RFC 1950), or the bare format within (RFC 1951), which some servers
//! send under that name.

use std::ops::Range;

use flate2::Decompress;

use super::gzip::inflate;
use super::{Broken, Decode, Pushed};

pub(super) struct Deflate {
    /// The first two bytes tell the form; they are kept until it has taken them.
    first: [u8; 2],
    kept: Range<usize>,
    inflate: Option<Decompress>,
    is_whole: bool,
}

impl Deflate {
    pub(super) fn new() -> Self {
        Self { first: [0; 2], kept: 0..0, inflate: None, is_whole: false }
    }

    /// Keeps bytes until there are two; says how many it took.
    fn find_form(&mut self, input: &[u8]) -> usize {
        let room = &mut self.first[self.kept.end..];
        let count = room.len().min(input.len());
        room[..count].copy_from_slice(&input[..count]);
        self.kept.end += count;
        if self.kept.end == self.first.len() {
            self.inflate = Some(Decompress::new(is_zlib(self.first)));
        }
        count
    }
}

impl Decode for Deflate {
    fn push(&mut self, input: &[u8], output: &mut [u8]) -> Result<Pushed, Broken> {
        let mut done = Pushed { consumed: 0, produced: 0, ended: false };
        if self.inflate.is_none() {
            done.consumed = self.find_form(input);
        }
        let Some(decompress) = &mut self.inflate else { return Ok(done) };
        if !self.kept.is_empty() {
            let pushed = inflate(decompress, &self.first[self.kept.clone()], output)?;
            self.kept.start += pushed.consumed;
            (done.produced, done.ended) = (pushed.produced, pushed.ended);
        }
        if self.kept.is_empty() && !done.ended {
            let pushed =
                inflate(decompress, &input[done.consumed..], &mut output[done.produced..])?;
            done.consumed += pushed.consumed;
            done.produced += pushed.produced;
            done.ended = pushed.ended;
        }
        self.is_whole = done.ended;
        Ok(done)
    }

    fn is_whole(&self) -> bool {
        self.is_whole
    }

    fn ignores_rest(&self) -> bool {
        true
    }
}

/// Whether this is the header of zlib: its method, its window, its checksum. In the bare format it
/// would be a stored block with bits set that every encoder leaves clear.
fn is_zlib([method, flags]: [u8; 2]) -> bool {
    method & 0x0f == 8 && method >> 4 <= 7 && u16::from_be_bytes([method, flags]) % 31 == 0
}
