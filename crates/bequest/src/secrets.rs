//! What must not be seen in errors, `Debug` output and logs.

use std::borrow::Cow;

use url::Url;

/// What stands in place of a secret.
pub(crate) const MASK: &str = "***";

/// Ends of the names of query parameters whose values are secret.
const SECRET_PARAMETERS: [&str; 6] = ["key", "token", "secret", "password", "signature", "code"];

/// Headers whose values are secret.
const SECRET_HEADERS: [&str; 10] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "x-api-key",
    "api-key",
    "x-auth-token",
    "x-access-token",
    "x-csrf-token",
    "x-amz-security-token",
];

/// Headers whose values are URLs, with whatever is in them.
const URL_HEADERS: [&str; 3] = ["location", "content-location", "referer"];

/// The value of a header as it may be shown.
pub(crate) fn masked_field<'v>(name: &str, value: &'v [u8]) -> Cow<'v, str> {
    let shown = || String::from_utf8_lossy(value);
    match name {
        _ if is_secret_header(name) => MASK.into(),
        _ if URL_HEADERS.iter().any(|url| name.eq_ignore_ascii_case(url)) => {
            match value.iter().any(|byte| b"?@#".contains(byte)) {
                true => masked_text(&shown()).into(),
                false => shown(),
            }
        }
        _ => shown(),
    }
}

pub(crate) fn is_secret_header(name: &str) -> bool {
    SECRET_HEADERS.iter().any(|secret| name.eq_ignore_ascii_case(secret))
}

/// The URL without user name and password.
pub(crate) fn without_userinfo(url: &Url) -> Url {
    let mut url = url.clone();
    // Both fail only for URLs that can't have them, which then have none.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

/// The URL as it may be shown: no user name, which may be a token, no password, no values of
/// parameters named like secrets, nothing of the fragment. That is never sent, so it explains no
/// failure, and it is where tokens are put for the sake of not being sent; that there is one is seen.
pub(crate) fn masked(url: &Url) -> String {
    let mut shown = without_userinfo(url);
    if shown.as_str().len() < url.as_str().len() {
        let _ = shown.set_username(MASK);
    }
    if let Some(query) = url.query() {
        shown.set_query(Some(&masked_query(query)));
    }
    if url.fragment().is_some_and(|fragment| !fragment.is_empty()) {
        shown.set_fragment(Some(MASK));
    }
    shown.into()
}

/// Text that was meant to be a URL, as it may be shown, on one line.
pub(crate) fn masked_text(text: &str) -> String {
    // Before an `@` it may be a part of a password.
    let behind = text.rfind('@').unwrap_or(0);
    if let Some((rest, fragment)) = text[behind..].split_once('#') {
        let mask = if fragment.is_empty() { "" } else { MASK };
        return format!("{}#{mask}", masked_text(&text[..behind + rest.len()]));
    }
    let (text, query) = text.split_once('?').map_or((text, None), |(text, q)| (text, Some(q)));
    // What stands before two slashes is a scheme, or the beginning of a password with slashes in it.
    let is_start = |(start, _): &(&str, &str)| start.is_empty() || start.ends_with(':');
    let authority = text.split_once("//").filter(is_start);
    let (start, rest) = authority.unwrap_or(("", text));
    // Up to the last sign, wherever it stands: what can't be parsed must be suspected.
    let rest = match rest.rfind('@') {
        Some(at) => format!("{MASK}{}", &rest[at..]),
        None => rest.to_owned(),
    };
    let slashes = if authority.is_some() { "//" } else { "" };
    let shown = match query {
        Some(query) if query.contains('@') && !rest.contains('@') => {
            // The question mark may belong to a password.
            let host = query.rsplit('@').next().unwrap_or_default();
            format!("{start}{slashes}{MASK}@{host}")
        }
        Some(query) => format!("{start}{slashes}{rest}?{}", masked_query(query)),
        None => format!("{start}{slashes}{rest}"),
    };
    shown.escape_debug().to_string()
}

fn masked_query(query: &str) -> String {
    let shown = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if is_secret_parameter(name) => Cow::Owned(format!("{name}={MASK}")),
        _ => Cow::Borrowed(pair),
    });
    shown.collect::<Vec<_>>().join("&")
}

pub(crate) fn is_secret_parameter(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_PARAMETERS.iter().any(|secret| name.ends_with(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_and_secret_parameters_are_masked() {
        let masked = |text| masked(&Url::parse(text).unwrap());
        assert_eq!(masked("http://u:p@h/"), "http://***@h/");
        assert_eq!(masked("http://token@h/"), "http://***@h/");
        assert_eq!(masked("http://h/?a=1"), "http://h/?a=1");
        assert_eq!(
            masked("http://h/?api_key=1&page=2&X-Amz-Signature=s&access_token=&code"),
            "http://h/?api_key=***&page=2&X-Amz-Signature=***&access_token=***&code"
        );
        assert_eq!(masked("http://h/?a=1#access_token=S"), "http://h/?a=1#***");
        assert_eq!(masked("http://h/#/S?x"), "http://h/#***");
        assert_eq!(masked("http://h/#"), "http://h/#");
    }

    #[test]
    fn text_that_is_no_url_is_masked_too() {
        for (text, shown) in [
            ("http://user:pa/ss@host/x", "http://***@host/x"),
            ("http://user:pa#ss@host/x", "http://***@host/x"),
            ("http://user:pa?ss@host/x", "http://***@host/x"),
            ("example.org/?token=S&q=1", "example.org/?token=***&q=1"),
            ("example.org/a\nb", "example.org/a\\nb"),
            ("u:p@example.org", "***@example.org"),
            ("user:pa//ss@host/x", "***@host/x"),
            ("http://user:pa//ss@host/x", "http://***@host/x"),
            ("//user:pass@host/x", "//***@host/x"),
            ("example.org/?q=1&token=S#access_token=S", "example.org/?q=1&token=***#***"),
            ("/a#S", "/a#***"),
            ("/a#", "/a#"),
            ("u:p#w@example.org/#S", "***@example.org/#***"),
            ("plain", "plain"),
        ] {
            assert_eq!(masked_text(text), shown);
        }
    }

    #[test]
    fn fields_are_masked_by_their_names() {
        for (name, value, shown) in [
            ("Authorization", "Basic eA==", "***"),
            ("Location", "https://u:p@h/x?token=S&q=1#f", "https://***@h/x?token=***&q=1#***"),
            ("Location", "/x#access_token=S", "/x#***"),
            ("referer", "/x?code=S", "/x?code=***"),
            ("Location", "/a b", "/a b"),
            ("Accept", "a?token=b@c", "a?token=b@c"),
        ] {
            assert_eq!(masked_field(name, value.as_bytes()), shown, "{name}");
        }
    }

    #[test]
    fn userinfo_is_dropped() {
        let url = Url::parse("https://u:p@h:8443/x").unwrap();
        assert_eq!(without_userinfo(&url).as_str(), "https://h:8443/x");
        assert!(is_secret_header("AUTHORIZATION") && !is_secret_header("Accept"));
    }
}
