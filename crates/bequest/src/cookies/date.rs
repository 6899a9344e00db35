//! Dates as cookies have them: whatever order, whatever signs between (RFC 6265bis, section 5.1.1).

use std::ops::RangeInclusive;

/// Seconds since 1970 in UTC, or `None` where the text is no date.
///
/// The text is cut into tokens; the first one that looks like a time, a day, a month, a year is it,
/// and all others (weekday, zone) mean nothing.
pub(crate) fn parse(text: &[u8]) -> Option<i64> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for token in text.split(|&byte| is_delimiter(byte)) {
        if time.is_none()
            && let Some(found) = read_time(token)
        {
            time = Some(found);
        } else if day.is_none()
            && let Some(found) = read_number(token, 1..=2)
        {
            day = Some(found);
        } else if month.is_none()
            && let Some(found) = read_month(token)
        {
            month = Some(found);
        } else if year.is_none()
            && let Some(found) = read_number(token, 2..=4)
        {
            year = Some(found);
        }
    }
    let year = match year? {
        short @ 70..=99 => short + 1900,
        short @ 0..=69 => short + 2000,
        year => year,
    };
    let (day, month, [hour, minute, second]) = (day?, month?, time?);
    if year < 1601 || !(1..=days_in(month, year)).contains(&day) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = days_since_1970(year, month, day);
    Some(days * 86_400 + i64::from(hour * 3600 + minute * 60 + second))
}

fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'/' | b';'..=b'@' | b'['..=b'`' | b'{'..=b'~')
}

/// The number that a token begins with, if it has that many digits.
fn read_number(token: &[u8], digits: RangeInclusive<usize>) -> Option<u32> {
    let count = token.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !digits.contains(&count) {
        return None;
    }
    Some(token.iter().take(count).fold(0, |sum, byte| sum * 10 + u32::from(byte - b'0')))
}

/// `8:49:37`, and anything behind it that is no digit.
fn read_time(token: &[u8]) -> Option<[u32; 3]> {
    let mut parts = token.splitn(3, |&byte| byte == b':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    if hour.len() > 2 || minute.len() > 2 {
        return None;
    }
    let whole = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    if !whole(hour) || !whole(minute) {
        return None;
    }
    Some([read_number(hour, 1..=2)?, read_number(minute, 1..=2)?, read_number(second, 1..=2)?])
}

/// 1 for `Jan`, `JANUARY`, `janitor`.
fn read_month(token: &[u8]) -> Option<u32> {
    const MONTHS: &[u8] = b"janfebmaraprmayjunjulaugsepoctnovdec";
    let start = token.get(..3)?;
    let at = MONTHS.chunks(3).position(|month| month.eq_ignore_ascii_case(start))?;
    u32::try_from(at + 1).ok()
}

fn days_in(month: u32, year: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_since_1970(year: u32, month: u32, day: u32) -> i64 {
    // Years begin in March here, so that the day that is not always there is their last.
    let year = if month <= 2 { year - 1 } else { year };
    let from_march = (month + 9) % 12;
    let days = year * 365 + year / 4 - year / 100 + year / 400;
    let days = days + (from_march * 153 + 2) / 5 + day - 1;
    i64::from(days) - 719_468
}
