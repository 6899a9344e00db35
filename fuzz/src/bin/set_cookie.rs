//! Set-Cookie fields from several hosts, and the Cookie fields of later requests: what a plain reading
//! of RFC 6265bis sends, never a control character, and nothing to a host that nobody named. The input
//! is records that end in 0xFE: a byte that says where, one that says how long after, and the field.
#![no_main]

use bequest::Url;
use bequest::fuzzing::Cookies;
use libfuzzer_sys::fuzz_target;

const HOSTS: [&str; 8] = [
    "a.example",
    "b.a.example",
    "ba.example",
    "a.co.uk",
    "me.github.io",
    "localhost",
    "127.0.0.1",
    "[::1]",
];
const PATHS: [&str; 4] = ["/", "/x", "/x/y", "/xy/"];

fuzz_target!(|input: &[u8]| {
    let mut cookies = Cookies::default();
    for record in input.split(|&byte| byte == 0xfe) {
        let [place, time, field @ ..] = record else { continue };
        cookies.wait(u64::from(*time % 8));
        cookies.receive(&url(*place), field);
        for place in [*place, place ^ 1, place ^ 0b10, place ^ 0b1000, place ^ 0b10000] {
            let to = url(place);
            let (sent, plain) = cookies.send(&to);
            assert_eq!(sent, plain, "to {to}");
            let is_control = |byte: &u8| *byte < 0x20 || *byte == 0x7f;
            assert!(!sent.iter().any(is_control) && !sent.starts_with(b" "), "to {to}");
        }
    }
    for nobody in ["https://example/x", "https://other.co.uk/x", "https://127.0.0.2/x"] {
        let nobody = Url::parse(nobody).expect("a URL");
        assert_eq!(cookies.send(&nobody), (Vec::new(), Vec::new()), "to {nobody}");
    }
});

/// A scheme, one of the hosts, one of the paths.
fn url(place: u8) -> Url {
    let scheme = if place & 1 == 0 { "http" } else { "https" };
    let host = HOSTS[usize::from(place >> 1) % HOSTS.len()];
    let path = PATHS[usize::from(place >> 4) % PATHS.len()];
    Url::parse(&format!("{scheme}://{host}{path}")).expect("a URL")
}
