//! What the detector looks at: the bytes beyond ASCII and their neighbours.

/// At most that many bytes beyond ASCII are looked at, and as many bytes behind the first of them.
const MOST: usize = 1024;
const REACH: usize = 16 * 1024;

/// A part of a text in which long runs of ASCII are left out but for their ends.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) bytes: Vec<u8>,
    /// Each byte with the one before it, where at least one is beyond ASCII.
    pub(super) pairs: Vec<[u8; 2]>,
    /// The text goes on: its last character may be cut in two.
    pub(super) is_cut: bool,
}

impl Sample {
    /// `first` is where the first byte beyond ASCII is.
    pub(super) fn new(text: &[u8], first: usize) -> Self {
        let start = first.saturating_sub(1);
        let end = text.len().min(first.saturating_add(REACH));
        let mut bytes = Vec::with_capacity(2 * MOST);
        let (mut run, mut last, mut found) = (0, b' ', 0);
        let mut is_cut = end < text.len();
        for &byte in text.get(start..end).unwrap_or_default() {
            if byte.is_ascii() {
                run += 1;
                if run <= 2 {
                    bytes.push(byte);
                }
            } else {
                if found == MOST {
                    is_cut = true;
                    break;
                }
                found += 1;
                if run > 2 {
                    bytes.push(last);
                }
                run = 0;
                bytes.push(byte);
            }
            last = byte;
        }
        if start == first {
            bytes.insert(0, b' ');
        }
        let pairs = bytes.windows(2).filter(|pair| !pair.is_ascii());
        let pairs = pairs.map(|pair| [pair[0], pair[1]]).collect();
        Self { bytes, pairs, is_cut }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_ascii_only_the_neighbours_are_kept() {
        let sample = Sample::new(b"hello w\xf6rld, good \xe9.", 7);
        assert_eq!(sample.bytes, b"w\xf6rl \xe9.");
        assert_eq!(sample.pairs, [*b"w\xf6", *b"\xf6r", *b" \xe9", *b"\xe9."]);
        assert_eq!(Sample::new(b"\xe9", 0).bytes, b" \xe9");
    }

    #[test]
    fn it_is_bounded() {
        let long = vec![0xe9; 100_000];
        assert_eq!(Sample::new(&long, 0).bytes.len(), 1 + MOST);
        let sparse = [vec![b'a'; 100_000], vec![0xe9], vec![b'a'; 100_000], vec![0xe9]].concat();
        assert_eq!(Sample::new(&sparse, 100_000).bytes, b"a\xe9aa");
    }
}
