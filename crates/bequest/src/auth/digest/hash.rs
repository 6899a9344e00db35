//! The hashes that a challenge can ask for.

use std::ops::Deref;

use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::{Sha256, Sha512, Sha512_256};

/// From the weakest to the strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Algorithm {
    Md5,
    Sha1,
    Sha256,
    Sha512_256,
    Sha512,
}

impl Algorithm {
    /// The one of that name without its `-sess`, in any case.
    pub(super) fn named(name: &str) -> Option<Self> {
        const NAMES: [(&str, Algorithm); 5] = [
            ("MD5", Algorithm::Md5),
            // In no RFC, but Requests knows it.
            ("SHA", Algorithm::Sha1),
            ("SHA-256", Algorithm::Sha256),
            ("SHA-512-256", Algorithm::Sha512_256),
            ("SHA-512", Algorithm::Sha512),
        ];
        let known = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        known.map(|&(_, algorithm)| algorithm)
    }

    pub(super) fn hasher(self) -> Hasher {
        match self {
            Self::Md5 => Hasher::Md5(Md5::new()),
            Self::Sha1 => Hasher::Sha1(Sha1::new()),
            Self::Sha256 => Hasher::Sha256(Sha256::new()),
            Self::Sha512_256 => Hasher::Sha512_256(Sha512_256::new()),
            Self::Sha512 => Hasher::Sha512(Sha512::new()),
        }
    }

    /// The hash of the parts, with a colon between each two.
    pub(super) fn of(self, parts: &[&[u8]]) -> Hex {
        self.of_text(&parts.join(&b':'))
    }

    /// The same, put together where there is room already.
    pub(super) fn of_within(self, room: &mut Vec<u8>, parts: &[&[u8]]) -> Hex {
        room.clear();
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                room.push(b':');
            }
            room.extend_from_slice(part);
        }
        self.of_text(room)
    }

    fn of_text(self, text: &[u8]) -> Hex {
        match self {
            Self::Md5 => Hex::of(&Md5::digest(text)),
            Self::Sha1 => Hex::of(&Sha1::digest(text)),
            Self::Sha256 => Hex::of(&Sha256::digest(text)),
            Self::Sha512_256 => Hex::of(&Sha512_256::digest(text)),
            Self::Sha512 => Hex::of(&Sha512::digest(text)),
        }
    }
}

/// A hash in lower-case hexadecimal digits.
#[derive(Clone, Copy)]
pub(super) struct Hex {
    digits: [u8; 128],
    length: usize,
}

impl Hex {
    fn of(bytes: &[u8]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut hex = Self { digits: [0; 128], length: 2 * bytes.len() };
        for (two, byte) in hex.digits.chunks_exact_mut(2).zip(bytes) {
            two.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        }
        hex
    }
}

impl Default for Hex {
    /// None.
    fn default() -> Self {
        Self::of(&[])
    }
}

impl Deref for Hex {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.digits[..self.length.min(128)]
    }
}

/// Of what comes in pieces.
pub(super) enum Hasher {
    Md5(Md5),
    Sha1(Sha1),
    Sha256(Sha256),
    Sha512_256(Sha512_256),
    Sha512(Sha512),
}

impl Hasher {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Md5(hasher) => hasher.update(bytes),
            Self::Sha1(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512_256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    pub(super) fn hex(self) -> Hex {
        match self {
            Self::Md5(hasher) => Hex::of(&hasher.finalize()),
            Self::Sha1(hasher) => Hex::of(&hasher.finalize()),
            Self::Sha256(hasher) => Hex::of(&hasher.finalize()),
            Self::Sha512_256(hasher) => Hex::of(&hasher.finalize()),
            Self::Sha512(hasher) => Hex::of(&hasher.finalize()),
        }
    }
}
