//! What must not be seen in errors, `Debug` output and logs.

use std::borrow::Cow;

use url::Url;

/// What stands in place of a secret.
pub(crate) const MASK: &str = "***";

/// What names of secrets end in: those of parameters, and each word of a header's name.
const SECRETS: [&str; 12] = [
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "credential",
    "signature",
    "sig",
    "jwt",
    "otp",
    "authorization",
    "cookie",
];

/// What else names of both end in. Headers about keys, or about how to authenticate, have such words
/// before others.
const LAST: [&str; 2] = ["key", "auth"];

/// What names of parameters end in besides; headers with codes tell of errors and countries.
const LAST_OF_PARAMETERS: [&str; 1] = ["code"];

/// Ends of headers' names with keys that are not secret.
const PUBLIC_KEYS: [&str; 4] = ["idempotency-key", "cache-key", "surrogate-key", "websocket-key"];

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

/// Whether the name says so, whatever the settings say.
pub(crate) fn is_secret_header(name: &str) -> bool {
    let has = |name: &str, ends: &[&str]| ends.iter().any(|end| ends_with(name, end));
    name.split(['-', '_']).any(|word| has(word, &SECRETS))
        || has(name, &LAST) && !has(name, &PUBLIC_KEYS)
        || ["api-key", "apikey"].iter().any(|key| name.to_ascii_lowercase().contains(key))
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
    // Up to the last sign, wherever it stands: what can't be parsed must be suspected.
    let (before, behind) = match text.rsplit_once('@') {
        Some((before, behind)) => (Some(before), behind),
        None => (None, text),
    };
    let (behind, fragment) = match behind.split_once('#') {
        Some((behind, fragment)) => (behind, Some(fragment)),
        None => (behind, None),
    };
    let mut shown = String::new();
    let mut rest = behind;
    if let Some(before) = before {
        shown = format!("{}{MASK}@", beginning(before));
        // Behind a `#` all of it may be a fragment.
        let in_fragment = before.contains('#');
        if in_fragment || ends_in_secret(before) {
            shown += MASK;
            let next = behind.find('&').filter(|_| !in_fragment);
            rest = &behind[next.unwrap_or(behind.len())..];
        }
    }
    shown += &masked_query(rest);
    if let Some(fragment) = fragment {
        shown += if fragment.is_empty() { "#" } else { "#***" };
    }
    shown.escape_debug().to_string()
}

/// A scheme and two slashes, or these alone. Other text before slashes is of a password that has some.
fn beginning(text: &str) -> &str {
    let Some((start, _)) = text.split_once("//") else { return "" };
    let may_be = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    match start.strip_suffix(':') {
        Some(scheme) if scheme.chars().all(may_be) => &text[..start.len() + 2],
        None if start.is_empty() => "//",
        _ => "",
    }
}

/// Whether what follows goes on with a secret of the query.
fn ends_in_secret(text: &str) -> bool {
    let last = text.split_once('?').and_then(|(_, query)| query.rsplit('&').next());
    last.is_some_and(|pair| secret_of(pair).is_some())
}

fn masked_query(query: &str) -> String {
    let shown = query.split('&').map(|pair| match secret_of(pair) {
        Some(at) => Cow::Owned(format!("{}{MASK}", &pair[..at])),
        None => Cow::Borrowed(pair),
    });
    shown.collect::<Vec<_>>().join("&")
}

/// Where the value begins, if its name says that it is secret. The name may have another before it,
/// or the path.
fn secret_of(pair: &str) -> Option<usize> {
    let mut signs = pair.match_indices('=').map(|(at, _)| at);
    signs.find(|&at| is_secret_parameter(&pair[..at])).map(|at| at + 1)
}

pub(crate) fn is_secret_parameter(name: &str) -> bool {
    // `user[password]` is one, too.
    let name = ["]", "%5D", "%5d"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    let mut ends = SECRETS.iter().chain(&LAST).chain(&LAST_OF_PARAMETERS);
    ends.any(|end| ends_with(name, end))
}

/// In any case, and without a copy: names are looked at wherever a text has a sign.
fn ends_with(name: &str, end: &str) -> bool {
    let tail = name.len().checked_sub(end.len()).and_then(|at| name.get(at..));
    tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{Strategy, any, prop_oneof};
    use proptest::sample::select;
    use proptest::test_runner::{Config, TestRunner};

    use super::*;

    /// Any text, with more of what means something in a URL.
    fn secret() -> impl Strategy<Value = String> {
        const SPECIAL: &[&str] =
            &["?", "@", "#", "/", "//", "://", ":", "&", "=", "%", "token=", "a=", "SECR"];
        let part = prop_oneof![select(SPECIAL).prop_map(str::to_owned), any::<String>()];
        vec(part, 0..8).prop_map(|parts| parts.concat())
    }

    fn check(test: impl Fn(&str)) {
        let config = Config { cases: 2000, failure_persistence: None, ..Config::default() };
        let result = TestRunner::new(config).run(&secret(), |secret| {
            test(&secret);
            Ok(())
        });
        if let Err(failed) = result {
            panic!("{failed}");
        }
    }

    #[test]
    fn nothing_of_a_password_is_shown_whatever_is_in_it() {
        check(|password| {
            for start in ["http://", "//", ""] {
                let shown = masked_text(&format!("{start}user:{password}@host/x?page=7#f"));
                // Two slashes at its beginning make a scheme of the user.
                let shown =
                    shown.strip_prefix(start).map(|s| s.strip_prefix("user://").unwrap_or(s));
                let masked = ["***@host/x?page=7#***", "***@***#***"];
                assert!(shown.is_some_and(|shown| masked.contains(&shown)), "{shown:?}");
            }
        });
    }

    #[test]
    fn nothing_of_a_secret_parameter_is_shown_whatever_is_in_it() {
        check(|value| {
            let value = value.replace(['&', '#'], "");
            for start in ["http://ho st/?page=7&", "http://u:p?a=w@h/?", "?", "http://u:p@w@h/?"] {
                let shown = masked_text(&format!("{start}token={value}&q=1"));
                assert!(!shown.contains("SECR") && shown.ends_with("&q=1"), "{shown}");
            }
        });
    }

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
            ("http://user:pa#ss@host/x", "http://***@***"),
            ("/cb#user=a@SECRET", "***@***"),
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
            ("u:p#w@example.org/#S", "***@***#***"),
            ("plain", "plain"),
        ] {
            assert_eq!(masked_text(text), shown);
        }
    }

    #[test]
    fn masking_takes_linear_time() {
        let signs = "=".repeat(1 << 20);
        assert_eq!(masked_text(&signs), signs);
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
    }

    #[test]
    fn names_say_what_is_secret() {
        for name in [
            "AUTHORIZATION",
            "Proxy-Authorization",
            "X-Forwarded-Authorization",
            "Cookie",
            "Set-Cookie",
            "X-API-Key",
            "Api-Key",
            "X-ApiKey",
            "X-Api-Key-V2",
            "Ocp-Apim-Subscription-Key",
            "x-amz-server-side-encryption-customer-key",
            "X-Auth",
            "X-Auth-Token",
            "X-Access-Token",
            "X-CSRFToken",
            "X-Amz-Security-Token",
            "Private-Token",
            "X-Vault-Token",
            "X_Gitlab_Token",
            "X-Client-Secret",
            "X-Secret-Name",
            "X-Password",
            "X-Aws-Credential",
            "X-Hub-Signature-256",
            "X-GitHub-OTP",
        ] {
            assert!(is_secret_header(name), "{name}");
        }
        for name in [
            "Accept",
            "Access-Control-Allow-Credentials",
            "Authentication-Info",
            "Cache-Key",
            "Idempotency-Key",
            "Key-Type",
            "Sec-WebSocket-Key",
            "Surrogate-Key",
            "WWW-Authenticate",
            "X-Error-Code",
            "X-RateLimit-Remaining-Tokens",
        ] {
            assert!(!is_secret_header(name), "{name}");
        }
        for name in
            ["key", "apiKey", "access_token", "code", "sig", "user[password]", "user%5Btoken%5D"]
        {
            assert!(is_secret_parameter(name), "{name}");
        }
        for name in ["q", "keys", "user[name]", "token_type", "max_tokens", "author", "signed"] {
            assert!(!is_secret_parameter(name), "{name}");
        }
    }
}
