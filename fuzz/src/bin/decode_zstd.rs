//! zstd: in whatever pieces it comes and goes, the same comes of it, and what is whole is what
//! another decoder makes of it. The first byte says how it is cut.
#![no_main]

use bequest_fuzz::decoding::{End, decode};
use libfuzzer_sys::fuzz_target;
use ruzstd::decoding::FrameDecoder;

fuzz_target!(|input: &[u8]| {
    let Some(decoded) = decode("zstd", input) else { return };
    if decoded.end == End::Whole(0) {
        let mut other = vec![0; decoded.data.len()];
        let count = FrameDecoder::new().decode_all(&input[1..], &mut other);
        assert_eq!(count.expect("it is whole for both"), other.len());
        assert!(other == decoded.data, "other data");
    }
});
