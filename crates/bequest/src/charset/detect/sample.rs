//! What the detector looks at: the words that have bytes beyond ASCII.

/// At most that many bytes beyond ASCII are looked at, and as many bytes behind the first of them.
const MOST: usize = 768;
const REACH: usize = 16 * 1024;
/// At most that much is looked at altogether, and of ASCII on either side of a byte beyond it.
const LARGEST: usize = 2 * 1024;
const CONTEXT: usize = 12;

/// The words of a text that are not all ASCII, with a byte of what is around them.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) bytes: Vec<u8>,
    /// Each byte with the one before it, but for those in which nothing is a part of a word.
    pub(super) pairs: Vec<[u8; 2]>,
    /// How often such a word stands beside one that is all ASCII, with a space between them.
    pub(super) switches: u32,
    /// The text goes on: its last character may be cut in two.
    pub(super) is_cut: bool,
}

impl Sample {
    /// `first` is where the first byte beyond ASCII is.
    pub(super) fn new(text: &[u8], first: usize) -> Self {
        let start = first.saturating_sub(CONTEXT);
        let end = text.len().min(first.saturating_add(REACH));
        let part = text.get(start..end).unwrap_or_default();
        let mut bytes = vec![b' '];
        let mut is_cut = end < text.len();
        // Where the current word began, how much is done, how much of ASCII is still to be taken.
        let (mut word, mut done, mut context, mut found) = (0, 0, 0, 0);
        for (at, byte) in part.iter().enumerate() {
            if !byte.is_ascii() {
                if found == MOST || bytes.len() > LARGEST {
                    is_cut = true;
                    break;
                }
                found += 1;
                let from = done.max(word).max(at.saturating_sub(CONTEXT));
                bytes.extend_from_slice(part.get(from..=at).unwrap_or_default());
                (done, context) = (at + 1, CONTEXT);
                continue;
            }
            if context > 0 {
                bytes.push(*byte);
                (done, context) = (at + 1, context - 1);
            }
            if !byte.is_ascii_alphabetic() {
                (word, context) = (at, 0);
            }
        }
        let switches = switches(part.get(..done + CONTEXT).unwrap_or(part));
        let is_in_word = |byte: &u8| !byte.is_ascii() || byte.is_ascii_alphabetic();
        let pairs = bytes.windows(2).filter(|pair| is_in_word(&pair[1]) || !pair[0].is_ascii());
        let pairs = pairs.map(|pair| [pair[0], pair[1]]).collect();
        Self { bytes, pairs, switches, is_cut }
    }
}

fn switches(text: &[u8]) -> u32 {
    // Whether the last word was all ASCII; none if it was no word, or is not beside this one.
    let (mut before, mut count) = (None, 0);
    for word in text.split(|byte| *byte == b' ') {
        let is_ascii = word.is_ascii();
        let is_word = word.iter().all(|byte| !byte.is_ascii() || byte.is_ascii_alphabetic());
        let this = (is_word && !word.is_empty()).then_some(is_ascii);
        count += u32::from(matches!((before, this), (Some(a), Some(b)) if a != b));
        before = this;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_ascii_are_left_out() {
        let sample = Sample::new(b"hello w\xf6rld, good \xe9. And so on", 7);
        assert_eq!(sample.bytes, b"  w\xf6rld, \xe9.");
        let pairs = [*b" w", *b"w\xf6", *b"\xf6r", *b"rl", *b"ld", *b" \xe9", *b"\xe9."];
        assert_eq!(sample.pairs, pairs);
        assert_eq!(Sample::new(b"\xe9", 0).bytes, b" \xe9");
        assert_eq!(Sample::new(b"x\xe9y-z-\xe8", 1).bytes, b" x\xe9y--\xe8");
    }

    #[test]
    fn words_beside_each_other() {
        let switches = |text| Sample::new(text, 0).switches;
        assert_eq!(switches(b"\xe8 a \xe8 b\xe9 c \xe8  d \xe8"), 5);
        assert_eq!(switches(b"\xe8\xe9 \xe9\xe8 <a> \xe8 12"), 0);
    }

    #[test]
    fn it_is_bounded() {
        let long = vec![0xe9; 100_000];
        assert_eq!(Sample::new(&long, 0).bytes.len(), 1 + MOST);
        let sparse = [vec![b'a'; 100_000], vec![0xe9], vec![b'a'; 100_000], vec![0xe9]].concat();
        let around = [&b" "[..], &[b'a'; CONTEXT], b"\xe9", &[b'a'; CONTEXT]].concat();
        assert_eq!(Sample::new(&sparse, 100_000).bytes, around);
        assert!(Sample::new(&b"abcdefghijkl\xe9".repeat(1000), 12).bytes.len() < 2 * LARGEST);
    }
}
