//! UTF-8, UTF-16, UTF-32 and ISO-8859-1, in pieces.

use super::Order;

const WRONG: char = char::REPLACEMENT_CHARACTER;

#[derive(Debug, Default)]
pub(super) struct Utf8 {
    /// The beginning of a character.
    begun: [u8; 4],
    length: usize,
}

impl Utf8 {
    pub(super) fn push(&mut self, bytes: &[u8], text: &mut String) {
        let bytes = self.complete(bytes, text);
        text.reserve(bytes.len());
        for chunk in bytes.utf8_chunks() {
            text.push_str(chunk.valid());
            let invalid = chunk.invalid();
            let begun = std::str::from_utf8(invalid).err().filter(|e| e.error_len().is_none());
            if begun.is_some() && invalid.as_ptr_range().end == bytes.as_ptr_range().end {
                self.begun[..invalid.len()].copy_from_slice(invalid);
                self.length = invalid.len();
            } else if !invalid.is_empty() {
                text.push(WRONG);
            }
        }
    }

    /// Completes the character that was begun; the rest is what it did not take.
    fn complete<'a>(&mut self, mut bytes: &'a [u8], text: &mut String) -> &'a [u8] {
        while let (1.., Some((&byte, rest))) = (self.length, bytes.split_first()) {
            self.begun[self.length] = byte;
            match std::str::from_utf8(&self.begun[..=self.length]) {
                Ok(char) => text.push_str(char),
                Err(error) if error.error_len().is_none() => {
                    self.length += 1;
                    bytes = rest;
                    continue;
                }
                // The byte does not go on with it, and is read by itself.
                Err(_) => {
                    text.push(WRONG);
                    self.length = 0;
                    return bytes;
                }
            }
            self.length = 0;
            bytes = rest;
        }
        bytes
    }

    pub(super) fn finish(&mut self, text: &mut String) {
        if std::mem::take(&mut self.length) > 0 {
            text.push(WRONG);
        }
    }
}

/// Bytes of fixed length, collected from pieces.
#[derive(Debug)]
struct Units<const N: usize> {
    begun: [u8; N],
    length: usize,
}

impl<const N: usize> Units<N> {
    fn new() -> Self {
        Self { begun: [0; N], length: 0 }
    }

    fn each(&mut self, bytes: &[u8], mut take: impl FnMut([u8; N])) {
        let missing = if self.length == 0 { 0 } else { N - self.length };
        let (head, rest) = bytes.split_at(missing.min(bytes.len()));
        let (units, tail) = rest.as_chunks();
        for &byte in head {
            self.add(byte, &mut take);
        }
        units.iter().for_each(|unit| take(*unit));
        for &byte in tail {
            self.add(byte, &mut take);
        }
    }

    fn add(&mut self, byte: u8, take: &mut impl FnMut([u8; N])) {
        self.begun[self.length] = byte;
        self.length += 1;
        if self.length == N {
            self.length = 0;
            take(self.begun);
        }
    }

    fn is_cut(&mut self) -> bool {
        std::mem::take(&mut self.length) > 0
    }
}

#[derive(Debug)]
pub(super) struct Utf16 {
    order: Order,
    units: Units<2>,
    /// The first half of a pair of surrogates.
    half: Option<u16>,
}

impl Utf16 {
    pub(super) fn new(order: Order) -> Self {
        Self { order, units: Units::new(), half: None }
    }

    pub(super) fn push(&mut self, bytes: &[u8], text: &mut String) {
        let Self { order, units, half } = self;
        units.each(bytes, |unit| {
            let unit = match order {
                Order::Big => u16::from_be_bytes(unit),
                Order::Little => u16::from_le_bytes(unit),
            };
            if let Some(first) = half.take() {
                if let 0xdc00..=0xdfff = unit {
                    text.extend(char::decode_utf16([first, unit]).flatten());
                    return;
                }
                text.push(WRONG);
            }
            match unit {
                0xd800..=0xdbff => *half = Some(unit),
                _ => text.push(char::from_u32(u32::from(unit)).unwrap_or(WRONG)),
            }
        });
    }

    pub(super) fn finish(&mut self, text: &mut String) {
        if self.half.take().is_some() | self.units.is_cut() {
            text.push(WRONG);
        }
    }
}

#[derive(Debug)]
pub(super) struct Utf32 {
    order: Order,
    units: Units<4>,
}

impl Utf32 {
    pub(super) fn new(order: Order) -> Self {
        Self { order, units: Units::new() }
    }

    pub(super) fn push(&mut self, bytes: &[u8], text: &mut String) {
        let order = self.order;
        self.units.each(bytes, |unit| {
            let unit = match order {
                Order::Big => u32::from_be_bytes(unit),
                Order::Little => u32::from_le_bytes(unit),
            };
            text.push(char::from_u32(unit).unwrap_or(WRONG));
        });
    }

    pub(super) fn finish(&mut self, text: &mut String) {
        if self.units.is_cut() {
            text.push(WRONG);
        }
    }
}

#[derive(Debug)]
pub(super) struct Latin1;

impl Latin1 {
    pub(super) fn push(&mut self, bytes: &[u8], text: &mut String) {
        text.reserve(bytes.len());
        let mut rest = bytes;
        while !rest.is_empty() {
            let plain = rest.iter().position(|byte| !byte.is_ascii()).unwrap_or(rest.len());
            let (ascii, behind) = rest.split_at(plain);
            text.push_str(std::str::from_utf8(ascii).unwrap_or_default());
            let high = behind.iter().position(u8::is_ascii).unwrap_or(behind.len());
            let (high, behind) = behind.split_at(high);
            text.extend(high.iter().copied().map(char::from));
            rest = behind;
        }
    }
}
