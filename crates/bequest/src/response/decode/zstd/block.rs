//! A compressed block (RFC 8878, section 3.1.1.3).

use super::Broken;
use super::huffman::Code;
use super::sequences::Sequences;
use super::window::{CHUNK, Window};

/// Decodes blocks; keeps what the next one may use.
#[derive(Default)]
pub(super) struct Blocks {
    code: Code,
    sequences: Sequences,
    literals: Vec<u8>,
}

impl Blocks {
    /// Another frame begins.
    pub(super) fn forget(&mut self) {
        self.code.forget();
        self.sequences.forget();
    }

    /// Decodes one into the window, which has room for `most` bytes; more than that is an error.
    pub(super) fn decode(
        &mut self,
        bytes: &[u8],
        window: &mut Window,
        most: usize,
    ) -> Result<(), Broken> {
        let (count, rest) = self.read_literals(bytes, most)?;
        self.sequences.run(rest, &self.literals, count, window, most)
    }

    /// Reads the literals; says how many there are, and what is behind them.
    fn read_literals<'a>(
        &mut self,
        bytes: &'a [u8],
        most: usize,
    ) -> Result<(usize, &'a [u8]), Broken> {
        let header = LiteralsHeader::read(bytes)?;
        let rest = bytes.get(header.length..).ok_or_else(cut)?;
        if header.count > most {
            return Err(Broken::new("a block has too many literals"));
        }
        let (packed, rest) = rest.split_at_checked(header.packed).ok_or_else(cut)?;
        self.literals.resize(header.count + CHUNK, 0);
        let out = &mut self.literals[..header.count];
        match header.kind {
            0 => out.copy_from_slice(packed),
            1 => out.fill(packed[0]),
            kind => {
                let packed = if kind == 2 { self.code.read(packed)? } else { packed };
                if !self.code.is_known() {
                    return Err(Broken::new("a code is used again before it came"));
                }
                match header.is_split {
                    true => decode_split(&self.code, packed, out)?,
                    false => self.code.decode(packed, out)?,
                }
            }
        }
        Ok((header.count, rest))
    }
}

struct LiteralsHeader {
    /// Raw, one byte repeated, packed with a code, packed with the code before.
    kind: u8,
    length: usize,
    count: usize,
    packed: usize,
    /// In four parts.
    is_split: bool,
}

impl LiteralsHeader {
    fn read(bytes: &[u8]) -> Result<Self, Broken> {
        let first = *bytes.first().ok_or_else(cut)?;
        let (kind, format) = (first & 3, first >> 2 & 3);
        let mut word = [0; 8];
        let there = bytes.len().min(5);
        word[..there].copy_from_slice(&bytes[..there]);
        let word = u64::from_le_bytes(word);
        let part = |from: u32, bits: u32| (word >> from) as usize & ((1 << bits) - 1);
        if kind < 2 {
            let (length, count) = match format {
                1 => (2, part(4, 12)),
                3 => (3, part(4, 20)),
                _ => (1, part(3, 5)),
            };
            let packed = if kind == 0 { count } else { 1 };
            return Ok(Self { kind, length, count, packed, is_split: false });
        }
        let (length, bits) = match format {
            2 => (4, 14),
            3 => (5, 18),
            _ => (3, 10),
        };
        let (count, packed) = (part(4, bits), part(4 + bits, bits));
        Ok(Self { kind, length, count, packed, is_split: format > 0 })
    }
}

/// Literals in four parts, of which three are as long as each other.
fn decode_split(code: &Code, bytes: &[u8], out: &mut [u8]) -> Result<(), Broken> {
    let (sizes, mut bytes) = bytes.split_at_checked(6).ok_or_else(cut)?;
    let part = out.len().div_ceil(4);
    if out.len() < 3 * part {
        return Err(Broken::new("literals are in too many parts"));
    }
    let mut out = out;
    for size in sizes.chunks_exact(2) {
        let size = usize::from(u16::from_le_bytes([size[0], size[1]]));
        let (packed, rest) = bytes.split_at_checked(size).ok_or_else(cut)?;
        let (now, later) = out.split_at_mut(part);
        code.decode(packed, now)?;
        (bytes, out) = (rest, later);
    }
    code.decode(bytes, out)
}

fn cut() -> Broken {
    Broken::new("a block is cut off")
}
