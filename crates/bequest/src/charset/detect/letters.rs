//! Single-byte charsets, told apart by which letters stand behind which in which language.

use super::models::{CANDIDATES, LOWER, MODELS};
use super::sample::Sample;

/// `scripts/charset-models` says what is in it.
const LETTERS: &[u8] = include_bytes!("models/letters.bin");

/// Classes from this one on are letters of the language; a capital has the bit `UPPER`.
const FIRST_LETTER: u8 = 9;
const UPPER: u8 = 128;

/// The first look is at that many pairs; then only the best so many are left.
const FIRST_LOOK: usize = 192;
const LEFT: usize = 10;

/// What a small letter and a capital cost behind something else, a small letter and a capital, in
/// eighths of a bit.
const CASES: [[u32; 2]; 3] = [[2, 22], [0, 72], [4, 16]];

/// What a word in another script beside one costs.
const SWITCH: u32 = 32;

/// What it costs that a charset is used at all. This decides where there is little to go by.
fn prior(label: &str) -> u32 {
    match label {
        "windows-1252" => 0,
        _ if label.starts_with("ibm") || label.contains("mac") => 128,
        _ if label.starts_with("iso-") => 32,
        _ => 16,
    }
}

/// A charset and a language that it may be in.
struct Candidate {
    label: &'static str,
    /// The class of each byte.
    classes: [u8; 256],
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
        let mut classes = [0; 256];
        classes[..128].copy_from_slice(LETTERS.get(lower..lower + 128)?);
        classes[128..].copy_from_slice(LETTERS.get(upper..upper + 128)?);
        Some(Self { label, classes, matrix, size })
    }

    fn first_cost(&self, sample: &Sample, pairs: &[[u8; 2]]) -> u32 {
        let is_latin = self.classes[usize::from(b'a')] >= FIRST_LETTER;
        let switches = if is_latin { 0 } else { SWITCH * sample.switches };
        prior(self.label) + switches + self.cost(pairs)
    }

    /// How surprising the pairs are, in eighths of a bit.
    fn cost(&self, pairs: &[[u8; 2]]) -> u32 {
        let mut cost = 0;
        for &[before, byte] in pairs {
            let (before, class) =
                (self.classes[usize::from(before)], self.classes[usize::from(byte)]);
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

/// The charset that the sample is least surprising in, and how surprising it is.
pub(super) fn best(sample: &Sample) -> Option<(&'static str, u32)> {
    let (first, rest) = sample.pairs.split_at(sample.pairs.len().min(FIRST_LOOK));
    let numbers = 0..CANDIDATES.len();
    let mut looked: Vec<(u32, usize)> =
        numbers.filter_map(|i| Some((Candidate::new(i)?.first_cost(sample, first), i))).collect();
    looked.sort_unstable();
    if !rest.is_empty() {
        looked.truncate(LEFT);
        for (cost, number) in &mut looked {
            *cost += Candidate::new(*number)?.cost(rest);
        }
        looked.sort_unstable();
    }
    let (cost, number) = *looked.first()?;
    Some((Candidate::new(number)?.label, cost))
}
