//! How much to read at once, and how to hand it out.

use bytes::{Buf, Bytes, BytesMut};

/// The least and the most that is asked for at once.
const LEAST: usize = 4 * 1024;
const MOST: usize = 64 * 1024;

/// Grows while reads fill it, so that a slow stream of small pieces is not given large memory.
#[derive(Debug)]
pub(super) struct Room(usize);

impl Default for Room {
    fn default() -> Self {
        Self(LEAST)
    }
}

impl Room {
    pub(super) fn size(&self) -> usize {
        self.0
    }

    /// That much was read where so much was asked for.
    pub(super) fn used(&mut self, count: usize, asked: usize) {
        if count == asked {
            self.0 = (self.0 * 2).min(MOST);
        } else if count < self.0 / 4 {
            self.0 = (self.0 / 2).max(LEAST);
        }
    }
}

/// Takes the first bytes out. What is small beside its memory is copied, so that keeping it does
/// not keep all of that.
pub(super) fn take(buffer: &mut BytesMut, length: usize) -> Bytes {
    if length * 4 >= LEAST.max(buffer.capacity() - length) {
        return buffer.split_to(length).freeze();
    }
    let piece = Bytes::copy_from_slice(&buffer[..length]);
    buffer.advance(length);
    piece
}

/// The same for what may be a part of larger memory.
pub(super) fn compact(piece: Bytes) -> Bytes {
    if piece.len() * 4 >= LEAST { piece } else { Bytes::copy_from_slice(&piece) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_follows_what_arrives() {
        let mut room = Room::default();
        for _ in 0..10 {
            room.used(room.size(), room.size());
        }
        assert_eq!(room.size(), MOST);
        room.used(10, MOST);
        assert_eq!(room.size(), MOST / 2);
    }

    #[test]
    fn small_pieces_do_not_keep_large_memory() {
        let mut buffer = BytesMut::from(&[7; 1000][..]);
        buffer.reserve(MOST);
        let start = buffer.as_ptr() as usize;
        let small = take(&mut buffer, 10);
        assert_ne!(small.as_ptr() as usize, start, "copied");
        let next = buffer.as_ptr() as usize;
        let mut large = BytesMut::from(&[7; MOST][..]);
        let whole = large.as_ptr() as usize;
        assert_eq!(take(&mut large, MOST).as_ptr() as usize, whole, "not copied");
        assert_eq!(next, start + 10);
    }
}
