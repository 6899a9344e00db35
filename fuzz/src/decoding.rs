//! Content codings: however input and output are cut, the same comes of it.

use bequest::fuzzing::Decoder;

use crate::pieces;

/// No more is decoded than this.
const MOST: usize = 1 << 20;

/// What came, and how it ended.
#[derive(Debug)]
pub struct Decoded {
    pub data: Vec<u8>,
    pub end: End,
}

#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// The data may end here; so much input was left.
    Whole(usize),
    Cut,
    Broken,
    /// There would be more.
    Stopped,
}

/// Decodes in several ways, which must agree; returns what they agree on.
pub fn decode(coding: &str, input: &[u8]) -> Option<Decoded> {
    let (&seed, input) = input.split_first()?;
    let expected = run(coding, input, 0);
    for seed in [1, seed] {
        let got = run(coding, input, seed);
        let common = got.data.len().min(expected.data.len());
        assert!(got.data[..common] == expected.data[..common], "pieces {seed}: other data");
        if matches!((&got.end, &expected.end), (End::Stopped, _) | (_, End::Stopped)) {
            continue;
        }
        assert_eq!(got.end, expected.end, "pieces {seed}");
        // What came in the same call as an error is lost with it.
        assert!(got.end == End::Broken || got.data.len() == expected.data.len(), "pieces {seed}");
    }
    Some(expected)
}

fn run(coding: &str, input: &[u8], seed: u8) -> Decoded {
    let mut decoder = Decoder::of(coding);
    let (mut inputs, mut outputs) = (pieces(seed), pieces(seed.rotate_left(3)));
    let (mut at, mut end, mut data) = (0, 0, Vec::new());
    let mut out = vec![0; 64 * 1024];
    loop {
        let room = outputs.next().unwrap_or(1).clamp(1, out.len());
        let Ok((consumed, produced, ended)) = decoder.push(&input[at..end], &mut out[..room])
        else {
            return Decoded { data, end: End::Broken };
        };
        assert!(consumed <= end - at && produced <= room);
        data.extend_from_slice(&out[..produced]);
        at += consumed;
        if ended {
            return Decoded { data, end: End::Whole(input.len() - at) };
        }
        if data.len() > MOST {
            return Decoded { data, end: End::Stopped };
        }
        if produced < room && consumed == 0 {
            assert_eq!(at, end, "it makes no progress");
            if end == input.len() {
                let end = if decoder.is_whole() { End::Whole(0) } else { End::Cut };
                return Decoded { data, end };
            }
            end = end.saturating_add(inputs.next().unwrap_or(1)).min(input.len());
        }
    }
}
