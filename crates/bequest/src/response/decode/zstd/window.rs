//! What was decoded last: to be handed out, and to be copied from.

use super::{Broken, MOST_BLOCK};

/// Copies of up to so many bytes are made as one of so many, over what comes next.
pub(super) const CHUNK: usize = 16;

/// What was decoded, as far back as it may be copied from. Memory grows as it fills.
#[derive(Default)]
pub(super) struct Window {
    bytes: Vec<u8>,
    /// How far it is filled.
    end: usize,
    /// How far it was handed out.
    given: usize,
    /// How far back a copy may reach.
    reach: usize,
}

impl Window {
    pub(super) fn begin(&mut self, reach: usize) {
        (self.end, self.given, self.reach) = (0, 0, reach);
    }

    pub(super) fn end(&self) -> usize {
        self.end
    }

    /// What was decoded since the end was there.
    pub(super) fn since(&self, end: usize) -> &[u8] {
        &self.bytes[end..self.end]
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.given == self.end
    }

    /// Hands out what fits; says how much.
    pub(super) fn give(&mut self, out: &mut [u8]) -> usize {
        let count = out.len().min(self.end - self.given);
        out[..count].copy_from_slice(&self.bytes[self.given..self.given + count]);
        self.given += count;
        count
    }

    /// Makes room for a block. What can't be reached any more goes, not for each block but now and
    /// then: the rest has to move.
    pub(super) fn make_room(&mut self, block: usize) {
        let most = self.reach + (self.reach / 4).max(2 * MOST_BLOCK);
        if self.end + block > most && self.end > self.reach {
            let gone = (self.end - self.reach).min(self.given);
            self.bytes.copy_within(gone..self.end, 0);
            self.end -= gone;
            self.given -= gone;
        }
        let needed = self.end + block + CHUNK;
        if self.bytes.len() < needed {
            let size = needed.max((2 * needed).min(most + CHUNK));
            self.bytes.reserve_exact(size - self.bytes.len());
            self.bytes.resize(size, 0);
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes[self.end..self.end + bytes.len()].copy_from_slice(bytes);
        self.end += bytes.len();
    }

    pub(super) fn fill(&mut self, byte: u8, count: usize) {
        self.bytes[self.end..self.end + count].fill(byte);
        self.end += count;
    }

    /// Pushes the first `count` of these bytes, of which there are `CHUNK` more.
    #[inline]
    pub(super) fn push_padded(&mut self, bytes: &[u8], count: usize) {
        if count <= CHUNK {
            self.bytes[self.end..self.end + CHUNK].copy_from_slice(&bytes[..CHUNK]);
            self.end += count;
        } else {
            self.push(&bytes[..count]);
        }
    }

    /// Repeats what is that far back; it may reach into what it makes.
    #[inline]
    pub(super) fn repeat(&mut self, distance: usize, count: usize) -> Result<(), Broken> {
        if distance == 0 || distance > self.end.min(self.reach) {
            return Err(Broken::new("it copies from before its beginning"));
        }
        let from = self.end - distance;
        if count <= CHUNK && distance >= CHUNK {
            self.bytes.copy_within(from..from + CHUNK, self.end);
        } else if distance >= count {
            self.bytes.copy_within(from..from + count, self.end);
        } else {
            self.repeat_overlapping(from, count);
        }
        self.end += count;
        Ok(())
    }

    /// Each copy doubles what there is to copy.
    fn repeat_overlapping(&mut self, from: usize, count: usize) {
        let (mut done, mut there) = (0, self.end - from);
        while done < count {
            let part = there.min(count - done);
            self.bytes.copy_within(from..from + part, self.end + done);
            done += part;
            there += part;
        }
    }
}
