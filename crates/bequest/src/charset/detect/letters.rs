//! Single-byte charsets, told apart by which letters stand behind which in which language.

use super::models::{CANDIDATES, LOWER, MODELS};
use super::sample::Sample;

/// `scripts/charset-models` says what is in it.
const LETTERS: &[u8] = include_bytes!("models/letters.bin");

/// Classes from this one on are letters of the language; a capital has the bit `UPPER`.
const FIRST_LETTER: u8 = 9;
const UPPER: u8 = 128;

/// How many pairs are looked at, and how many candidates are left then.
const LOOKS: [(usize, usize); 3] = [(40, 24), (140, 5), (usize::MAX, 1)];

/// What a small letter and a capital cost behind something else, a small letter and a capital, in
/// eighths of a bit.
const CASES: [[u32; 2]; 3] = [[2, 22], [0, 72], [4, 16]];

/// What a word in another script beside one costs.
const SWITCH: u32 = 32;

/// What it costs that a charset is used at all. This decides where there is little to go by.
fn prior(label: &str) -> u32 {
    match label {
        "windows-1252" => 0,
        _ if label.starts_with("ibm") || label.contains("mac") => 64,
        _ if label.starts_with("iso-") => 32,
        _ => 16,
    }
}

/// A charset and a language that it may be in.
struct Candidate {
    label: &'static str,
    /// The classes of the bytes.
    lower: &'static [u8; 128],
    upper: &'static [u8; 128],
    matrix: &'static [u8],
    size: usize,
}

impl Candidate {
    fn new(number: usize) -> Option<Self> {
        let (label, model) = *CANDIDATES.get(number)?;
        let (_, size, at) = *MODELS.get(model)?;
        let matrix = LETTERS.get(at..at + size * size)?;
        let lower = LOWER + model * 128;
        let upper = LOWER + (MODELS.len() + number) * 128;
        let lower = LETTERS.get(lower..)?.first_chunk()?;
        let upper = LETTERS.get(upper..)?.first_chunk()?;
        Some(Self { label, lower, upper, matrix, size })
    }

    fn first_cost(&self, sample: &Sample) -> u32 {
        let is_latin = self.lower[usize::from(b'a')] >= FIRST_LETTER;
        let switches = if is_latin { 0 } else { SWITCH * sample.switches };
        prior(self.label) + switches
    }

    /// How surprising the pairs are, in eighths of a bit.
    fn cost(&self, pairs: &[[u8; 2]]) -> u32 {
        let mut classes = [0; 256];
        classes[..128].copy_from_slice(self.lower);
        classes[128..].copy_from_slice(self.upper);
        let mut cost = 0;
        for &[before, byte] in pairs {
            let (before, class) = (classes[usize::from(before)], classes[usize::from(byte)]);
            let at = usize::from(before & !UPPER) * self.size + usize::from(class & !UPPER);
            cost += self.matrix.get(at).copied().map_or(0, u32::from);
            if class & !UPPER >= FIRST_LETTER {
                let behind = match before {
                    _ if before & !UPPER < FIRST_LETTER => 0,
                    _ if before < UPPER => 1,
                    _ => 2,
                };
                cost += CASES[behind][usize::from(class >> 7)];
            }
        }
        cost
    }
}

/// The charset that the sample is least surprising in, and how surprising it is. All are compared
/// by a few pairs, the better of them by more.
pub(super) fn best(sample: &Sample) -> Option<(&'static str, u32)> {
    let all = (0..CANDIDATES.len()).filter_map(Candidate::new);
    let mut left: Vec<(u32, Candidate)> =
        all.map(|candidate| (candidate.first_cost(sample), candidate)).collect();
    let mut rest = sample.pairs.as_slice();
    for (look, keep) in LOOKS {
        let now = rest.split_off(..look.min(rest.len())).unwrap_or_default();
        for (cost, candidate) in &mut left {
            *cost += candidate.cost(now);
        }
        // Stable: a tie is the earlier one's.
        left.sort_by_key(|(cost, _)| *cost);
        if rest.is_empty() {
            break;
        }
        left.truncate(keep);
    }
    left.first().map(|(cost, candidate)| (candidate.label, *cost))
}
