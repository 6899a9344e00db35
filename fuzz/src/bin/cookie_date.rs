//! A date of a cookie is what a plain reading of RFC 6265bis, section 5.1.1, finds.
#![no_main]

use bequest::fuzzing::{cookie_date, plain_cookie_date};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let date = cookie_date(input);
    assert_eq!(date, plain_cookie_date(input));
    assert!(date.is_none_or(|date| (-11_644_473_600..=253_402_300_799).contains(&date)));
});
