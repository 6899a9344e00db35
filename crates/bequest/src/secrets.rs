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

/// The URL as it may be shown: no password, no values of parameters named like secrets.
pub(crate) fn masked(url: &Url) -> String {
    let mut shown = url.clone();
    if shown.password().is_some() {
        let _ = shown.set_password(Some(MASK));
    }
    if let Some(query) = url.query() {
        shown.set_query(Some(&masked_query(query)));
    }
    shown.into()
}

fn masked_query(query: &str) -> String {
    let shown = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if is_secret_parameter(name) => Cow::Owned(format!("{name}={MASK}")),
        _ => Cow::Borrowed(pair),
    });
    shown.collect::<Vec<_>>().join("&")
}

fn is_secret_parameter(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_PARAMETERS.iter().any(|secret| name.ends_with(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_and_secret_parameters_are_masked() {
        let masked = |text| masked(&Url::parse(text).unwrap());
        assert_eq!(masked("http://u:p@h/"), "http://u:***@h/");
        assert_eq!(masked("http://h/?a=1"), "http://h/?a=1");
        assert_eq!(
            masked("http://h/?api_key=1&page=2&X-Amz-Signature=s&access_token=&code"),
            "http://h/?api_key=***&page=2&X-Amz-Signature=***&access_token=***&code"
        );
    }

    #[test]
    fn userinfo_is_dropped() {
        let url = Url::parse("https://u:p@h:8443/x").unwrap();
        assert_eq!(without_userinfo(&url).as_str(), "https://h:8443/x");
        assert!(is_secret_header("AUTHORIZATION") && !is_secret_header("Accept"));
    }
}
