//! Bits, in the two orders in which zstd has them.

use super::Broken;

/// Bits from the first byte on, the lowest first: what describes tables.
pub(super) struct Forward<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Forward<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next bits, at most 16; they are zeros behind the end, which [`rest`](Self::rest) tells.
    pub(super) fn peek(&self, count: u32) -> u32 {
        let from = self.at / 8;
        let byte = |index: usize| u32::from(self.bytes.get(from + index).copied().unwrap_or(0));
        let window = byte(0) | byte(1) << 8 | byte(2) << 16;
        (window >> (self.at % 8)) & ((1 << count) - 1)
    }

    pub(super) fn skip(&mut self, count: u32) {
        self.at += count as usize;
    }

    pub(super) fn read(&mut self, count: u32) -> u32 {
        let bits = self.peek(count);
        self.skip(count);
        bits
    }

    /// The bytes behind those that were begun.
    pub(super) fn rest(&self) -> Result<&'a [u8], Broken> {
        self.bytes.get(self.at.div_ceil(8)..).ok_or_else(|| Broken::new("a table is cut off"))
    }
}

/// Bits from the end backwards, the highest first, below the mark that tells where they begin.
pub(super) struct Backward<'a> {
    /// What was not taken yet.
    bytes: &'a [u8],
    /// The next bits, from the top.
    held: u64,
    /// How many of them there are; negative once more were read than there were.
    count: i32,
}

impl<'a> Backward<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, Broken> {
        let last = bytes.last().copied().unwrap_or(0);
        if last == 0 {
            return Err(Broken::new("a bit stream has no beginning"));
        }
        let mut bits = Self { bytes, held: 0, count: 0 };
        bits.fill();
        bits.skip(last.leading_zeros() + 1);
        Ok(bits)
    }

    /// Makes at least 56 bits ready, unless fewer are left.
    #[inline]
    pub(super) fn fill(&mut self) {
        if let (Some((rest, word)), 0..) = (self.bytes.split_last_chunk::<8>(), self.count) {
            let taken = (63 - self.count) as usize / 8;
            self.held |= u64::from_le_bytes(*word) >> self.count;
            self.bytes = &self.bytes[..rest.len() + 8 - taken];
            self.count += 8 * taken as i32;
            return;
        }
        while let (0..=56, Some((last, rest))) = (self.count, self.bytes.split_last()) {
            self.held |= u64::from(*last) << (56 - self.count);
            self.bytes = rest;
            self.count += 8;
        }
    }

    /// The next bits, at most 56 between two fills; they are zeros behind the end.
    #[inline]
    pub(super) fn peek(&self, count: u32) -> u64 {
        (self.held >> 1) >> (63 - count)
    }

    #[inline]
    pub(super) fn skip(&mut self, count: u32) {
        self.held <<= count;
        self.count -= count as i32;
    }

    #[inline]
    pub(super) fn read(&mut self, count: u32) -> u64 {
        let bits = self.peek(count);
        self.skip(count);
        bits
    }

    /// More was read than there was.
    pub(super) fn is_overdrawn(&self) -> bool {
        self.count < 0
    }

    /// As much was read as there was.
    pub(super) fn is_used_up(&self) -> bool {
        self.count == 0 && self.bytes.is_empty()
    }
}
