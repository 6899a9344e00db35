//! Double-byte charsets of seven bits: ISO-2022-KR (RFC 1557) and HZ (RFC 1843).

use super::web;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shift {
    /// Between SO and SI.
    Korean,
    /// Between `~{` and `~}`.
    Chinese,
}

/// Sets the high bit where the charset is shifted in, and leaves the rest to the eight-bit one.
pub(crate) struct Shifted {
    shift: Shift,
    inside: bool,
    /// An escape that has begun.
    escape: Vec<u8>,
    eight_bit: encoding_rs::Decoder,
    room: Vec<u8>,
}

impl Shifted {
    pub(super) fn new(shift: Shift) -> Self {
        let encoding = match shift {
            Shift::Korean => encoding_rs::EUC_KR,
            Shift::Chinese => encoding_rs::GBK,
        };
        let eight_bit = encoding.new_decoder_without_bom_handling();
        Self { shift, inside: false, escape: Vec::new(), eight_bit, room: Vec::new() }
    }

    pub(super) fn push(&mut self, bytes: &[u8], text: &mut String) {
        for piece in bytes.chunks(4096) {
            for &byte in piece {
                match self.shift {
                    Shift::Korean => self.korean(byte),
                    Shift::Chinese => self.chinese(byte),
                }
            }
            web(&mut self.eight_bit, &self.room, text, false);
            self.room.clear();
        }
    }

    pub(super) fn finish(&mut self, text: &mut String) {
        self.room.append(&mut self.escape);
        web(&mut self.eight_bit, &self.room, text, true);
        self.room.clear();
    }

    fn korean(&mut self, byte: u8) {
        const DESIGNATOR: &[u8] = b"\x1b$)C";
        self.escape.push(byte);
        if DESIGNATOR == self.escape {
            self.escape.clear();
        } else if !DESIGNATOR.starts_with(&self.escape) {
            for byte in std::mem::take(&mut self.escape) {
                match byte {
                    0x0e => self.inside = true,
                    0x0f => self.inside = false,
                    _ => self.put(byte),
                }
            }
        }
    }

    fn chinese(&mut self, byte: u8) {
        if self.escape.pop().is_some() {
            match byte {
                b'{' => self.inside = true,
                b'}' => self.inside = false,
                b'~' => self.room.push(b'~'),
                b'\n' => {}
                _ => self.room.extend([b'~', byte]),
            }
        } else if byte == b'~' {
            self.escape.push(byte);
        } else {
            self.put(byte);
        }
    }

    fn put(&mut self, byte: u8) {
        // A line end ends it, whatever else.
        self.inside &= byte != b'\n';
        let is_half = self.inside && matches!(byte, 0x21..=0x7e);
        self.room.push(if is_half { byte | 0x80 } else { byte });
    }
}
