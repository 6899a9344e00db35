//! What a block is made of: literals, and copies of what came before (RFC 8878, section 3.1.1.3.2).

use super::Broken;
use super::bits::Backward;
use super::fse::Table;
use super::window::Window;

/// Base and extra bits of the codes of literal lengths from 16 on; those before are the length.
#[rustfmt::skip]
const LITERAL_LENGTHS: [(u32, u8); 20] = [
    (16, 1), (18, 1), (20, 1), (22, 1), (24, 2), (28, 2), (32, 3), (40, 3), (48, 4), (64, 6),
    (128, 7), (256, 8), (512, 9), (1024, 10), (2048, 11), (4096, 12), (8192, 13), (16384, 14),
    (32768, 15), (65536, 16),
];
/// Those of match lengths from 32 on; those before are the length less 3.
#[rustfmt::skip]
const MATCH_LENGTHS: [(u32, u8); 21] = [
    (35, 1), (37, 1), (39, 1), (41, 1), (43, 2), (47, 2), (51, 3), (59, 3), (67, 4), (83, 4),
    (99, 5), (131, 7), (259, 8), (515, 9), (1027, 10), (2051, 11), (4099, 12), (8195, 13),
    (16387, 14), (32771, 15), (65539, 16),
];

/// Tables that need no description.
const LITERAL_COUNTS: [i16; 36] = [
    4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1,
    -1, -1, -1, -1,
];
const OFFSET_COUNTS: [i16; 29] =
    [1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1];
const MATCH_COUNTS: [i16; 53] = [
    1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
];

/// One of the three numbers of a sequence: how it is coded.
struct Kind {
    /// The most bits of a state, and how many codes there are.
    most_log: u32,
    codes: u8,
    counts: &'static [i16],
    log: u32,
}

const LITERALS: Kind = Kind { most_log: 9, codes: 36, counts: &LITERAL_COUNTS, log: 6 };
const OFFSETS: Kind = Kind { most_log: 8, codes: 32, counts: &OFFSET_COUNTS, log: 5 };
const MATCHES: Kind = Kind { most_log: 9, codes: 53, counts: &MATCH_COUNTS, log: 6 };

/// What a block leaves to the next.
pub(super) struct Sequences {
    literals: Table,
    offsets: Table,
    matches: Table,
    recent: [u32; 3],
}

impl Default for Sequences {
    fn default() -> Self {
        let none = Table::default;
        Self { literals: none(), offsets: none(), matches: none(), recent: [1, 4, 8] }
    }
}

impl Sequences {
    pub(super) fn forget(&mut self) {
        for table in [&mut self.literals, &mut self.offsets, &mut self.matches] {
            table.entries.clear();
        }
        self.recent = [1, 4, 8];
    }

    /// Puts a block together, of at most `most` bytes: `bytes` say how, `literals` are `count` and
    /// some padding.
    pub(super) fn run(
        &mut self,
        bytes: &[u8],
        literals: &[u8],
        count: usize,
        window: &mut Window,
        most: usize,
    ) -> Result<(), Broken> {
        let (sequences, bytes) = read_number(bytes)?;
        if sequences == 0 {
            if !bytes.is_empty() {
                return Err(Broken::new("a block has a rest"));
            }
            window.push(&literals[..count]);
            return Ok(());
        }
        let (&modes, bytes) = bytes.split_first().ok_or_else(cut)?;
        if modes & 3 != 0 {
            return Err(Broken::new("a block uses what is reserved"));
        }
        let bytes = prepare(&mut self.literals, &LITERALS, modes >> 6, bytes)?;
        let bytes = prepare(&mut self.offsets, &OFFSETS, modes >> 4 & 3, bytes)?;
        let bytes = prepare(&mut self.matches, &MATCHES, modes >> 2 & 3, bytes)?;
        self.execute(Backward::new(bytes)?, sequences, literals, count, window, most)
    }

    fn execute(
        &mut self,
        mut bits: Backward<'_>,
        sequences: usize,
        literals: &[u8],
        count: usize,
        window: &mut Window,
        most: usize,
    ) -> Result<(), Broken> {
        let end = window.end() + most;
        let mut used = 0;
        bits.fill();
        let mut literal_state = self.literals.first(&mut bits);
        let mut offset_state = self.offsets.first(&mut bits);
        let mut match_state = self.matches.first(&mut bits);
        for left in (0..sequences).rev() {
            // States stay within their tables: see `Table::build`.
            let literal = self.literals.entries[literal_state];
            let offset = self.offsets.entries[offset_state];
            let matching = self.matches.entries[match_state];
            bits.fill();
            let offset_value = (1_u64 << offset.symbol) + bits.read(offset.symbol.into());
            bits.fill();
            let (base, extra) = match_length(matching.symbol);
            let match_length = base as usize + bits.read(extra.into()) as usize;
            let (base, extra) = literal_length(literal.symbol);
            let literal_length = base as usize + bits.read(extra.into()) as usize;
            if left > 0 {
                bits.fill();
                let mut next =
                    |base: u16, count: u8| usize::from(base) + bits.read(count.into()) as usize;
                literal_state = next(literal.next, literal.bits);
                match_state = next(matching.next, matching.bits);
                offset_state = next(offset.next, offset.bits);
            }
            if bits.is_overdrawn() {
                return Err(Broken::new("a block's sequences are cut off"));
            }
            if literal_length > count - used {
                return Err(Broken::new("a block has too few literals"));
            }
            if window.end() + literal_length + match_length > end {
                return Err(too_large());
            }
            window.push_padded(&literals[used..], literal_length);
            used += literal_length;
            let distance = self.distance(offset_value as u32, literal_length == 0);
            window.repeat(distance as usize, match_length)?;
        }
        if !bits.is_used_up() {
            return Err(Broken::new("a block's sequences end at a wrong place"));
        }
        if window.end() + count - used > end {
            return Err(too_large());
        }
        window.push(&literals[used..count]);
        Ok(())
    }

    /// How far back: said, or one of the last three, which it becomes the first of.
    #[inline]
    fn distance(&mut self, value: u32, without_literals: bool) -> u32 {
        let [first, second, third] = self.recent;
        let distance = match value + u32::from(without_literals && value <= 3) {
            1 => return first,
            2 => {
                self.recent = [second, first, third];
                return second;
            }
            3 => third,
            4 if value == 3 => first.saturating_sub(1),
            _ => value - 3,
        };
        self.recent = [distance, first, second];
        distance
    }
}

fn match_length(code: u8) -> (u32, u8) {
    match code.checked_sub(32) {
        None => (u32::from(code) + 3, 0),
        Some(at) => MATCH_LENGTHS[usize::from(at)],
    }
}

fn literal_length(code: u8) -> (u32, u8) {
    match code.checked_sub(16) {
        None => (u32::from(code), 0),
        Some(at) => LITERAL_LENGTHS[usize::from(at)],
    }
}

/// How many sequences there are, and what is behind that.
fn read_number(bytes: &[u8]) -> Result<(usize, &[u8]), Broken> {
    match *bytes {
        [first @ 0..128, ref rest @ ..] => Ok((usize::from(first), rest)),
        [255, low, high, ref rest @ ..] => {
            Ok((usize::from(u16::from_le_bytes([low, high])) + 0x7f00, rest))
        }
        [255, ..] => Err(cut()),
        [first, low, ref rest @ ..] => Ok((usize::from(first - 128) << 8 | usize::from(low), rest)),
        _ => Err(cut()),
    }
}

/// Makes a table ready, in one of four ways; returns what is behind its description.
fn prepare<'a>(
    table: &mut Table,
    kind: &Kind,
    mode: u8,
    bytes: &'a [u8],
) -> Result<&'a [u8], Broken> {
    match mode {
        0 => table.build(kind.counts, kind.log).map(|()| bytes),
        1 => {
            let (&code, rest) = bytes.split_first().ok_or_else(cut)?;
            if code >= kind.codes {
                return Err(Broken::new("a code does not exist"));
            }
            table.set_single(code);
            Ok(rest)
        }
        2 => table.read(bytes, kind.most_log, kind.codes.into()),
        _ if table.entries.is_empty() => Err(Broken::new("a table is used again before it came")),
        _ => Ok(bytes),
    }
}

fn cut() -> Broken {
    Broken::new("a block is cut off")
}

fn too_large() -> Broken {
    Broken::new("a block is larger than blocks may be")
}
