//! brotli: in whatever pieces it comes and goes, the same comes of it. The first byte says how it is cut.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    bequest_fuzz::decoding::decode("br", input);
});
