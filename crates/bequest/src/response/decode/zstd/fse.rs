//! Finite state entropy (RFC 8878, section 4.1): tables of states, each of which stands for a
//! symbol and says how to reach the next.

use super::Broken;
use super::bits::{Backward, Forward};

/// The symbols of any table are fewer.
const MOST_SYMBOLS: usize = 256;

/// A table; a state is a place in it.
#[derive(Default)]
pub(super) struct Table {
    pub(super) entries: Vec<Entry>,
    /// How many bits the first state has.
    pub(super) log: u32,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Entry {
    pub(super) symbol: u8,
    /// The next state is this and so many bits.
    pub(super) bits: u8,
    pub(super) next: u16,
}

impl Table {
    /// A table that has one symbol only, which takes no bits.
    pub(super) fn set_single(&mut self, symbol: u8) {
        self.log = 0;
        self.entries.clear();
        self.entries.push(Entry { symbol, bits: 0, next: 0 });
    }

    /// Reads a description; returns what is behind it.
    pub(super) fn read<'a>(
        &mut self,
        bytes: &'a [u8],
        most_log: u32,
        symbols: usize,
    ) -> Result<&'a [u8], Broken> {
        let mut bits = Forward::new(bytes);
        let log = bits.read(4) + 5;
        if log > most_log {
            return Err(Broken::new("a table is too large"));
        }
        let mut counts = [0; MOST_SYMBOLS];
        let symbols = symbols.min(MOST_SYMBOLS);
        let (mut left, mut at) = (1 << log, 0);
        while left > 0 {
            let count = read_count(&mut bits, left);
            // «Less than one» takes one place.
            left -= i32::from(count).abs();
            *counts[..symbols].get_mut(at).ok_or_else(too_many)? = count;
            at += 1;
            let mut more = count == 0;
            while more {
                let repeated = bits.read(2) as usize;
                more = repeated == 3;
                at += repeated;
                if at > symbols {
                    return Err(too_many());
                }
            }
        }
        let rest = bits.rest()?;
        if left < 0 {
            return Err(Broken::new("a table's counts are too high"));
        }
        self.build(&counts[..at], log)?;
        Ok(rest)
    }

    /// Makes the table of how many states each symbol has; -1 is «less than one».
    pub(super) fn build(&mut self, counts: &[i16], log: u32) -> Result<(), Broken> {
        let size = 1_usize << log;
        self.log = log;
        self.entries.clear();
        self.entries.resize(size, Entry::default());
        let mut next = [0_u16; MOST_SYMBOLS];
        let mut high = size;
        for (symbol, &count) in counts.iter().enumerate() {
            if count == -1 {
                high -= 1;
                self.entries[high].symbol = symbol as u8;
            }
            next[symbol] = count.unsigned_abs();
        }
        let (step, mut at) = ((size >> 1) + (size >> 3) + 3, 0);
        for (symbol, &count) in counts.iter().enumerate() {
            for _ in 0..count {
                self.entries[at].symbol = symbol as u8;
                at = (at + step) & (size - 1);
                while at >= high {
                    at = (at + step) & (size - 1);
                }
            }
        }
        for entry in &mut self.entries {
            let state = &mut next[usize::from(entry.symbol)];
            // Every symbol in the table has a count.
            let bits = log - state.ilog2();
            entry.bits = bits as u8;
            entry.next = ((u32::from(*state) << bits) - size as u32) as u16;
            *state += 1;
        }
        Ok(())
    }

    pub(super) fn first(&self, bits: &mut Backward<'_>) -> usize {
        bits.read(self.log) as usize
    }
}

/// One count of a description: the less is left, the fewer bits it takes.
fn read_count(bits: &mut Forward<'_>, left: i32) -> i16 {
    let highest = left as u32 + 1;
    let size = highest.ilog2() + 1;
    let below = (1 << (size - 1)) - 1;
    let short = (1 << size) - 1 - highest;
    let value = bits.peek(size);
    let value = if value & below < short {
        bits.skip(size - 1);
        value & below
    } else {
        bits.skip(size);
        if value > below { value - short } else { value }
    };
    value as i16 - 1
}

fn too_many() -> Broken {
    Broken::new("a table has too many symbols")
}
