//! Retry-After (RFC 9110, section 10.2.3).

use std::time::{Duration, SystemTime};

/// How long it says to wait: seconds, or a date, one that has passed being no time at all. `None` is
/// neither, which says nothing.
pub(super) fn parse(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim_ascii();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number has are for ever.
        return Some(value.parse().map_or(Duration::MAX, Duration::from_secs));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_or_a_date() {
        // Sun, 06 Nov 1994 08:49:37 GMT
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(784_111_777_250);
        let secs = |count| Some(Duration::from_secs(count));
        for (value, expected) in [
            ("0", secs(0)),
            ("120", secs(120)),
            ("\t007 ", secs(7)),
            ("99999999999999999999999", Some(Duration::MAX)),
            ("Sun, 06 Nov 1994 08:49:38 GMT", Some(Duration::from_millis(750))),
            ("Sunday, 06-Nov-94 08:50:37 GMT", Some(Duration::from_millis(59_750))),
            ("Sun Nov  6 08:49:47 1994", Some(Duration::from_millis(9750))),
            ("Sun, 06 Nov 1994 08:49:37 GMT", secs(0)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", secs(0)),
            ("", None),
            ("-1", None),
            ("1.5", None),
            ("0x10", None),
            ("1 2", None),
            ("\u{661}", None),
            ("soon", None),
            ("Sun, 99 Nov 1994 08:49:37 GMT", None),
        ] {
            assert_eq!(parse(value, now), expected, "{value:?}");
        }
    }
    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*|[ -~]{0,40}|[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT") {
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 31);
            let digits = text.trim_ascii();
            let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            let read = parse(&text, now);
            proptest::prop_assert!(read.is_some() || !is_number);
            proptest::prop_assert_eq!(parse(&format!(" {text}\t"), now), read);
        }
    }
}
