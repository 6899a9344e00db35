//! .netrc: what was understood of any file is written with each word in quotes, and understood as the
//! same; and what stands before it changes nothing but what it says itself.
#![no_main]

use bequest::fuzzing::Netrc;
use libfuzzer_sys::fuzz_target;

const BEFORE: [&str; 3] =
    ["# machine h\n", "macdef m\nmachine h login u\n\n", "machine before login x "];

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    let text = text.trim_start_matches('\u{feff}');
    let Some(netrc) = Netrc::parse(text) else { return };
    assert_eq!(Netrc::parse(&netrc.rewritten()), Some(netrc), "{text:?}");

    let netrc = Netrc::parse(text).expect("it was parsed before");
    for before in BEFORE {
        let more = Netrc::parse(&format!("{before}{text}")).expect("both are well-formed");
        for host in ["h", "i", "::1", "[::1]", "xn--bcher-kva.example", ""] {
            assert_eq!(more.has(host), netrc.has(host), "{host} behind {before:?}");
        }
        assert!(!before.contains("before") || more.has("before") && more.has("BEFORE"));
    }
});
