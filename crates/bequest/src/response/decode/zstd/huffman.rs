//! The prefix code of literals (RFC 8878, section 4.2).

use super::Broken;
use super::bits::Backward;
use super::fse;

/// No code is longer.
const MOST_BITS: u32 = 11;
const MOST_WEIGHTS: usize = 255;

/// What the next bits stand for, whatever follows them.
#[derive(Default)]
pub(super) struct Code {
    entries: Vec<Entry>,
    bits: u32,
    /// For the weights, which have a code of their own.
    weights: fse::Table,
}

#[derive(Clone, Copy, Default)]
struct Entry {
    symbol: u8,
    bits: u8,
}

impl Code {
    pub(super) fn is_known(&self) -> bool {
        !self.entries.is_empty()
    }

    pub(super) fn forget(&mut self) {
        self.entries.clear();
    }

    /// Reads a description; returns what is behind it.
    pub(super) fn read<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], Broken> {
        let cut = || Broken::new("a code is cut off");
        let (&first, bytes) = bytes.split_first().ok_or_else(cut)?;
        let mut weights = Vec::with_capacity(MOST_WEIGHTS + 1);
        let size = if first < 128 { usize::from(first) } else { usize::from(first - 126) / 2 };
        let (packed, rest) = bytes.split_at_checked(size).ok_or_else(cut)?;
        if first < 128 {
            self.unpack(packed, &mut weights)?;
        } else {
            weights.extend(packed.iter().flat_map(|byte| [byte >> 4, byte & 15]));
            weights.truncate(usize::from(first - 127));
        }
        self.build(&mut weights)?;
        Ok(rest)
    }

    /// Two states take turns, until the bits are used up.
    fn unpack(&mut self, packed: &[u8], weights: &mut Vec<u8>) -> Result<(), Broken> {
        let table = &mut self.weights;
        let rest = table.read(packed, 6, MOST_BITS as usize + 1)?;
        let mut bits = Backward::new(rest)?;
        let mut state = table.first(&mut bits);
        let mut other = table.first(&mut bits);
        if bits.is_overdrawn() {
            return Err(Broken::new("a code is cut off"));
        }
        while weights.len() < MOST_WEIGHTS {
            bits.fill();
            let entry = table.entries[state];
            weights.push(entry.symbol);
            state = usize::from(entry.next) + bits.read(entry.bits.into()) as usize;
            if bits.is_overdrawn() {
                weights.push(table.entries[other].symbol);
                return Ok(());
            }
            std::mem::swap(&mut state, &mut other);
        }
        Err(Broken::new("a code has too many symbols"))
    }

    /// The last weight is not said: it is what makes the code whole.
    fn build(&mut self, weights: &mut Vec<u8>) -> Result<(), Broken> {
        let wrong = || Broken::new("a code is not whole");
        if weights.iter().any(|weight| u32::from(*weight) > MOST_BITS) {
            return Err(wrong());
        }
        let sum: u32 = weights.iter().map(|weight| (1 << weight) >> 1).sum();
        let bits = sum.checked_ilog2().ok_or_else(wrong)? + 1;
        let left = (1 << bits) - sum;
        if bits > MOST_BITS || !left.is_power_of_two() {
            return Err(wrong());
        }
        weights.push(left.ilog2() as u8 + 1);
        self.bits = bits;
        self.entries.clear();
        for weight in 1..=bits as u8 {
            let entry = Entry { symbol: 0, bits: bits as u8 + 1 - weight };
            for (symbol, _) in weights.iter().enumerate().filter(|(_, its)| **its == weight) {
                let entry = Entry { symbol: symbol as u8, ..entry };
                self.entries.resize(self.entries.len() + (1 << (weight - 1)), entry);
            }
        }
        Ok(())
    }

    /// Fills `out` with what the bits stand for; there must be as many as that takes.
    pub(super) fn decode(&self, bytes: &[u8], out: &mut [u8]) -> Result<(), Broken> {
        let mut bits = Backward::new(bytes)?;
        // Five symbols take at most 55 bits.
        let mut fives = out.chunks_exact_mut(5);
        for five in &mut fives {
            bits.fill();
            for byte in five {
                *byte = self.next(&mut bits);
            }
        }
        bits.fill();
        for byte in fives.into_remainder() {
            *byte = self.next(&mut bits);
        }
        if bits.is_used_up() { Ok(()) } else { Err(Broken::new("literals end at a wrong place")) }
    }

    #[inline]
    fn next(&self, bits: &mut Backward<'_>) -> u8 {
        // There is an entry for whatever `self.bits` bits are.
        let entry = self.entries[bits.peek(self.bits) as usize];
        bits.skip(entry.bits.into());
        entry.symbol
    }
}
