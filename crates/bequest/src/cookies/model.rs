//! RFC 6265bis once more, for tests: its words one by one, as plain and as slow as they are. It knows
//! the public suffixes of the tests only.

use std::time::{Duration, SystemTime};

use super::cookie::{Cookie, from_unix};

type Text = Vec<u8>;

/// Section 5.7, the fields of a cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stored {
    name: Text,
    value: Text,
    expiry: Option<SystemTime>,
    domain: String,
    path: String,
    creation: SystemTime,
    last_access: SystemTime,
    host_only: bool,
    secure_only: bool,
    http_only: bool,
}

/// A user agent's store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    // In the order of creation.
    cookies: Vec<Stored>,
}

const SUFFIXES: [&str; 4] = ["co.uk", "github.io", "com", "example"];

fn is_public_suffix(domain: &str) -> bool {
    SUFFIXES.contains(&domain) || !domain.contains('.')
}

/// A request: scheme, host and path. Hosts are canonical.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) secure: bool,
    pub(crate) host: &'a str,
    pub(crate) path: &'a str,
}

impl Model {
    /// Sections 5.6 and 5.7.
    pub(crate) fn receive(&mut self, from: Asked<'_>, field: &[u8], now: SystemTime) {
        self.cookies.retain(|cookie| cookie.expiry.is_none_or(|end| end > now));
        let Some(new) = create(from, field, now) else { return };
        let hidden = |old: &Stored| {
            old.name == new.name
                && old.secure_only
                && (domain_matches(&old.domain, &new.domain)
                    || domain_matches(&new.domain, &old.domain))
                && path_matches(&new.path, &old.path)
        };
        if !new.secure_only && !from.secure && self.cookies.iter().any(hidden) {
            return;
        }
        let same = |old: &Stored| {
            (&old.name, &old.domain, old.host_only, &old.path)
                == (&new.name, &new.domain, new.host_only, &new.path)
        };
        match self.cookies.iter().position(same) {
            Some(at) => {
                let creation = self.cookies[at].creation;
                self.cookies[at] = Stored { creation, ..new };
            }
            None => self.cookies.push(new),
        }
        self.cookies.retain(|cookie| cookie.expiry.is_none_or(|end| end > now));
        self.evict();
    }

    /// The last paragraphs of section 5.7.
    fn evict(&mut self) {
        let count =
            |all: &[Stored], domain: &str| all.iter().filter(|c| c.domain == domain).count();
        loop {
            let all = &self.cookies;
            let crowded = |c: &Stored| count(all, &c.domain) > 50;
            let classes: [&dyn Fn(&Stored) -> bool; 3] =
                [&|c| !c.secure_only && crowded(c), &|c| crowded(c), &|_| all.len() > 3000];
            let Some(class) = classes.into_iter().find(|class| all.iter().any(*class)) else {
                return;
            };
            let indexes = (0..all.len()).filter(|&at| class(&all[at]));
            let Some(at) = indexes.min_by_key(|&at| all[at].last_access) else { return };
            self.cookies.remove(at);
        }
    }

    /// Section 5.8.3.
    pub(crate) fn header(&mut self, to: Asked<'_>, now: SystemTime) -> Text {
        let mut list: Vec<&mut Stored> = Vec::new();
        for cookie in &mut self.cookies {
            let for_host = if cookie.host_only {
                to.host == cookie.domain
            } else {
                domain_matches(to.host, &cookie.domain)
            };
            let is_secret = cookie.secure_only && !to.secure;
            let is_live = cookie.expiry.is_none_or(|end| end > now);
            if for_host && !is_secret && is_live && path_matches(to.path, &cookie.path) {
                cookie.last_access = now;
                list.push(cookie);
            }
        }
        // Those of one length stay as they were created.
        list.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let mut out = Text::new();
        for (at, cookie) in list.into_iter().enumerate() {
            if at > 0 {
                out.extend(b"; ");
            }
            if !cookie.name.is_empty() {
                out.extend(&cookie.name);
                out.push(b'=');
            }
            out.extend(&cookie.value);
        }
        out
    }

    /// Whether these are the cookies that there are.
    #[cfg(test)]
    pub(crate) fn has(&self, cookies: &[Cookie], now: SystemTime) -> bool {
        let live = self.cookies.iter().filter(|cookie| cookie.expiry.is_none_or(|end| end > now));
        live.eq(cookies.iter())
    }
}

impl PartialEq<&Cookie> for &Stored {
    fn eq(&self, other: &&Cookie) -> bool {
        *self.name == *other.name_bytes()
            && *self.value == *other.value_bytes()
            && *self.domain == *other.domain
            && *self.path == *other.path
            && self.expiry == other.expires
            && self.creation == other.creation
            && self.host_only == other.host_only
            && self.secure_only == other.secure
            && self.http_only == other.http_only
    }
}

fn create(from: Asked<'_>, field: &[u8], now: SystemTime) -> Option<Stored> {
    // 5.6
    if field.iter().any(|byte| (*byte <= 0x1f && *byte != 9) || *byte == 0x7f) {
        return None;
    }
    let (pair, attributes) = cut(field, b';').unwrap_or((field.to_vec(), Text::new()));
    let (name, value) = cut(&pair, b'=').unwrap_or((Text::new(), pair));
    let (name, value) = (trim(&name), trim(&value));
    // Not the RFC's, but ours.
    if name.contains(&b'\t') || value.contains(&b'\t') {
        return None;
    }
    if name.len() + value.len() > 4096 || name.len() + value.len() == 0 {
        return None;
    }
    let list: Vec<(String, Text)> = attributes
        .split(|byte| *byte == b';')
        .map(|av| cut(av, b'=').unwrap_or((av.to_vec(), Text::new())))
        .map(|(name, value)| (trim(&name), trim(&value)))
        .filter(|(_, value)| value.len() <= 1024)
        .map(|(name, value)| (String::from_utf8_lossy(&name).to_lowercase(), value))
        .collect();
    let last = |name: &str| list.iter().rev().find(|(key, _)| key == name).map(|(_, v)| v.clone());
    let limit = now + Duration::from_secs(400 * 24 * 60 * 60);
    let mut ages = list.iter().filter(|(key, _)| key == "max-age").filter_map(|(_, v)| age(v, now));
    let mut dates = list.iter().filter(|(key, _)| key == "expires").filter_map(|(_, v)| date(v));
    let expiry = ages.next_back().or(dates.next_back().map(from_unix)).map(|end| end.min(limit));
    // 5.7
    let mut domain = String::from_utf8_lossy(&last("domain").unwrap_or_default()).to_string();
    if !domain.is_ascii() {
        return None;
    }
    domain = domain.strip_prefix('.').map(str::to_owned).unwrap_or(domain).to_ascii_lowercase();
    if !domain.is_empty() && is_public_suffix(&domain) {
        if domain != from.host {
            return None;
        }
        domain.clear();
    }
    let host_only = domain.is_empty();
    if host_only {
        domain = from.host.to_owned();
    } else if !domain_matches(from.host, &domain) {
        return None;
    }
    let path = last("path").map(|path| String::from_utf8_lossy(&path).to_string());
    let said = path.is_some();
    let default = default_path(from.path);
    let path = path.filter(|p| p.starts_with('/')).unwrap_or_else(|| default.clone());
    if path.contains('\t') || (path == default && default.len() > 1024) {
        return None;
    }
    let secure_only = last("secure").is_some();
    if secure_only && !from.secure {
        return None;
    }
    let starts = |text: &[u8], prefix: &str| {
        String::from_utf8_lossy(text).to_lowercase().starts_with(prefix)
    };
    if starts(&name, "__secure-") && !secure_only {
        return None;
    }
    if starts(&name, "__host-") && !(secure_only && host_only && said && path == "/") {
        return None;
    }
    if name.is_empty() && (starts(&value, "__secure-") || starts(&value, "__host-")) {
        return None;
    }
    let http_only = last("httponly").is_some();
    let (creation, last_access) = (now, now);
    Some(Stored {
        name,
        value,
        expiry,
        domain,
        path,
        creation,
        last_access,
        host_only,
        secure_only,
        http_only,
    })
}

fn cut(text: &[u8], sign: u8) -> Option<(Text, Text)> {
    let at = text.iter().position(|byte| *byte == sign)?;
    Some((text[..at].to_vec(), text[at + 1..].to_vec()))
}

fn trim(text: &[u8]) -> Text {
    let mut text = text.to_vec();
    while matches!(text.last(), Some(b' ' | b'\t')) {
        text.pop();
    }
    while matches!(text.first(), Some(b' ' | b'\t')) {
        text.remove(0);
    }
    text
}

/// 5.6.2
fn age(value: &[u8], now: SystemTime) -> Option<SystemTime> {
    let text = std::str::from_utf8(value).ok()?;
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    if text.starts_with('-') || digits.chars().all(|c| c == '0') {
        return Some(from_unix(0));
    }
    let seconds = digits.parse().unwrap_or(u64::MAX).min(1 << 40);
    Some(now + Duration::from_secs(seconds))
}

/// 5.1.3; the hosts of tests are addresses if they are numbers.
fn domain_matches(host: &str, domain: &str) -> bool {
    let is_address = host.split('.').all(|label| label.parse::<u8>().is_ok()) || host.contains('[');
    host == domain || (!is_address && host.ends_with(&format!(".{domain}")))
}

/// 5.1.4
fn path_matches(request: &str, cookie: &str) -> bool {
    request == cookie
        || (request.starts_with(cookie) && cookie.ends_with('/'))
        || request.starts_with(&format!("{cookie}/"))
}

fn default_path(path: &str) -> String {
    let slashes = path.matches('/').count();
    if !path.starts_with('/') || slashes == 1 {
        return "/".to_owned();
    }
    path.split('/').take(slashes).collect::<Vec<_>>().join("/")
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// 5.1.1
pub(crate) fn date(text: &[u8]) -> Option<i64> {
    let is_delimiter = |c: char| matches!(u32::from(c), 0x09 | 0x20..=0x2f | 0x3b..=0x40 | 0x5b..=0x60 | 0x7b..=0x7e);
    // Each byte is a character of its own.
    let text: String = text.iter().map(|&byte| char::from(byte)).collect();
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for token in text.split(is_delimiter).filter(|token| !token.is_empty()) {
        if let (None, Some(found)) = (time, time_of(token)) {
            time = Some(found);
        } else if let (None, Some(found)) = (day, digits(token, 1, 2)) {
            day = Some(found);
        } else if let (None, Some(found)) = (month, month_of(token)) {
            month = Some(found);
        } else if let (None, Some(found)) = (year, digits(token, 2, 4)) {
            year = Some(found);
        }
    }
    let ((hour, minute, second), day, month, mut year) = (time?, day?, month?, year?);
    if (70..=99).contains(&year) {
        year += 1900;
    }
    if (0..=69).contains(&year) {
        year += 2000;
    }
    if year < 1601 || day < 1 || hour > 23 || minute > 59 || second > 59 || day > days(month, year)
    {
        return None;
    }
    let years: i64 = (1601..year).map(days_of_year).sum();
    let months: i64 = (0..month).map(|month| days(month, year)).sum();
    let since_1601 = (years + months + day - 1) * 86_400 + hour * 3600 + minute * 60 + second;
    Some(since_1601 - 11_644_473_600)
}

/// A second as a server writes it.
#[cfg(test)]
pub(crate) fn written(seconds: i64) -> String {
    let mut rest = (seconds + 11_644_473_600) / 86_400;
    let second = (seconds + 11_644_473_600) % 86_400;
    let mut year = 1601;
    while rest >= days_of_year(year) {
        rest -= days_of_year(year);
        year += 1;
    }
    let mut month = 0;
    while rest >= days(month, year) {
        rest -= days(month, year);
        month += 1;
    }
    let [hour, minute, second] = [second / 3600, second / 60 % 60, second % 60];
    let month = MONTHS[usize::try_from(month).unwrap()];
    format!("Day, {:02} {month} {year} {hour:02}:{minute:02}:{second:02} GMT", rest + 1)
}

/// A number of so many digits, with nothing or no digit behind it.
fn digits(token: &str, least: usize, most: usize) -> Option<i64> {
    let digits: String = token.chars().take_while(char::is_ascii_digit).collect();
    (least..=most).contains(&digits.len()).then(|| digits.parse().ok()).flatten()
}

fn time_of(token: &str) -> Option<(i64, i64, i64)> {
    let (hour, rest) = token.split_once(':')?;
    let (minute, rest) = rest.split_once(':')?;
    let whole = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    (whole(hour) && whole(minute))
        .then(|| Some((digits(hour, 1, 2)?, digits(minute, 1, 2)?, digits(rest, 1, 2)?)))
        .flatten()
}

/// From 0.
fn month_of(token: &str) -> Option<i64> {
    let token = token.to_ascii_lowercase();
    let at = MONTHS.iter().position(|month| token.starts_with(month))?;
    i64::try_from(at).ok()
}

fn days(month: i64, year: i64) -> i64 {
    match month {
        1 => days_of_year(year) - 337,
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    }
}

fn days_of_year(year: i64) -> i64 {
    if (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 { 366 } else { 365 }
}
