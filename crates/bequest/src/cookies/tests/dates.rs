//! Section 5.1.1.

use proptest::prelude::{Strategy, any, prop_oneof, proptest};
use proptest::{collection::vec, sample::select};

use super::super::date::parse;

#[test]
fn the_formats_that_servers_write() {
    // Sun, 06 Nov 1994 08:49:37 GMT
    const THEN: Option<i64> = Some(784_111_777);
    for (text, seconds) in [
        ("Sun, 06 Nov 1994 08:49:37 GMT", THEN),
        ("Sunday, 06-Nov-94 08:49:37 GMT", THEN),
        ("Sun Nov  6 08:49:37 1994", THEN),
        ("Sun, 06-Nov-1994 08:49:37 GMT", THEN),
        ("Sun, 6 Nov 94 8:49:37", THEN),
        ("1994 Nov 6 08:49:37", THEN),
        ("08:49:37 6 november 1994", THEN),
        ("6,Nov;1994@08:49:37", THEN),
        ("6nov 6 NOVEMBER1 1994x 08:49:37z", THEN),
        // Zones mean nothing.
        ("Sun, 06 Nov 1994 08:49:37 -0800", THEN),
        ("Sun, 06 Nov 1994 08:49:37 PST", THEN),
        // Only the first of each.
        ("06 Nov 1994 07 Dec 1995 08:49:37 09:50:38", THEN),
        ("06 Nov 1994 08:49:37:99", THEN),
        ("1 Jan 70 00:00:00", Some(0)),
        ("1 Jan 69 00:00:00", Some(3_124_224_000)),
        ("1 Jan 99 00:00:00", Some(915_148_800)),
        ("1 Jan 0 00:00:00 00", Some(946_684_800)),
        ("31 Dec 9999 23:59:59", Some(253_402_300_799)),
        ("1 Jan 1601 0:0:0", Some(-11_644_473_600)),
        ("29 Feb 2000 00:00:00", Some(951_782_400)),
        ("29 Feb 2024 00:00:00", Some(1_709_164_800)),
        ("19 Jan 2038 03:14:08", Some(2_147_483_648)),
        ("\u{fc}06 6 Nov 1994 08:49:37", THEN),
    ] {
        assert_eq!(parse(text.as_bytes()), seconds, "{text}");
    }
}

#[test]
fn what_is_no_date() {
    for text in [
        "",
        "0",
        "06 Nov 1994",
        "06 Nov 08:49:37",
        "Nov 1994 08:49:37",
        "06 1994 08:49:37",
        "31 Dec 1600 23:59:59",
        "29 Feb 1900 00:00:00",
        "29 Feb 2023 00:00:00",
        "31 Apr 2023 00:00:00",
        "00 Nov 1994 08:49:37",
        "32 Nov 1994 08:49:37",
        "06 Nov 1994 24:00:00",
        "06 Nov 1994 00:60:00",
        "06 Nov 1994 00:00:60",
        "06 Nov 1994 008:49:37",
        "06 Nov 1994 08:49",
        "06 Nov 1994 08:49:",
        "06 Nov 1994 08:49:377",
        "06 Nov 1994 :49:37",
        "06 Nov 19945 08:49:37",
        "006 Nov 1994 08:49:37",
        "06 No 1994 08:49:37",
        "1994-11-06T08:49:37Z",
        "Sun, 06 \u{41d}\u{43e}\u{44f} 1994 08:49:37 GMT",
        "784111777",
    ] {
        assert_eq!(parse(text.as_bytes()), None, "{text}");
    }
}

fn word() -> impl Strategy<Value = String> {
    const COMMON: &[&str] = &[
        "Sun", "06", "6", "Nov", "1994", "94", "08:49:37", "GMT", "feb", "29", "31", "1600",
        "24:0:0", "1:2:3x",
    ];
    prop_oneof![4 => select(COMMON).prop_map(str::to_owned), 1 => "[0-9a-n:]{0,6}", 1 => any::<char>().prop_map(String::from)]
}

proptest! {
    #[test]
    fn any_text_is_a_date_or_not(words in vec((word(), select(&[" ", ", ", "-", ";", "\t", ""][..])), 0..8)) {
        let text: String = words.iter().flat_map(|(word, sign)| [word.as_str(), sign]).collect();
        assert_eq!(parse(text.as_bytes()), crate::cookies::model::date(text.as_bytes()), "{text:?}");
    }

    #[test]
    fn every_second_of_these_centuries_is_read(seconds in -11_644_473_600_i64..253_402_300_800) {
        let text = crate::cookies::model::written(seconds);
        assert_eq!(parse(text.as_bytes()), Some(seconds), "{text}");
    }
}
