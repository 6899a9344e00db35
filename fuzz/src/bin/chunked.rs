//! A chunked body: in whatever pieces it comes, it is the data, the trailers and the end that a plain
//! decoder finds. The first byte says how it is cut.
#![no_main]

use bequest::ErrorKind;
use bequest::fuzzing::{ChunkStep, ChunkedDecoder};
use bequest_fuzz::chunks::{End, Outcome, plain};
use bequest_fuzz::{fields, pieces};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((&seed, body)) = input.split_first() else { return };
    let expected = plain(body);
    for seed in [0, 1, seed] {
        assert_eq!(decode(body, seed), expected, "pieces {seed}");
    }
});

fn decode(input: &[u8], seed: u8) -> Outcome {
    let mut decoder = ChunkedDecoder::default();
    let mut pieces = pieces(seed);
    let (mut data, mut at, mut end) = (Vec::new(), 0, 0);
    let malformed = |error: bequest::Error| {
        assert_eq!(error.kind(), ErrorKind::ChunkedEncoding);
        End::Malformed
    };
    let end = loop {
        let (taken, step) = match decoder.step(&input[at..end]) {
            Ok(step) => step,
            Err(error) => break malformed(error),
        };
        at += taken;
        match step {
            ChunkStep::Done => match decoder.trailers() {
                Ok(trailers) => break End::Whole(fields(&trailers), input.len() - at),
                Err(error) => break malformed(error),
            },
            ChunkStep::Data(left) if at < end => {
                let count = usize::try_from(left).unwrap_or(usize::MAX).min(end - at);
                assert!(count > 0, "data is never nothing");
                data.extend_from_slice(&input[at..at + count]);
                decoder.took(count as u64);
                at += count;
            }
            _ => {
                assert_eq!(at, end, "what is not data is taken");
                if end == input.len() {
                    break End::Incomplete;
                }
                end = end.saturating_add(pieces.next().unwrap_or(1)).min(input.len());
            }
        }
    };
    Outcome { data, end }
}
