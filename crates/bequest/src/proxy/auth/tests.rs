use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::*;
use crate::error::ErrorKind;
use crate::proxy::Proxies;

/// The proxy that a URL and an auth make.
fn server(url: &str, auth: Option<ProxyAuth>) -> Arc<ProxyServer> {
    let proxies = Proxies::new().all(url).unwrap();
    let proxies = match auth {
        Some(auth) => proxies.auth(auth),
        None => proxies,
    };
    Arc::clone(proxies.select(&"http://h/".parse().unwrap()).unwrap().unwrap())
}

struct Talk(Arc<ProxyServer>);

impl Talk {
    fn request(&self, answered: usize) -> ProxyRequest<'_> {
        ProxyRequest { server: &self.0, method: "CONNECT", target: "h:443", answered }
    }

    fn at_once(&self) -> Option<String> {
        shown(self.0.proof.as_ref()?.at_once(&self.request(0)).unwrap())
    }

    fn answer(&self, answered: usize, challenges: &[&str]) -> Option<String> {
        let challenge: Headers =
            challenges.iter().map(|value| ("Proxy-Authenticate", *value)).collect();
        shown(self.0.proof.as_ref()?.answer(&self.request(answered), &challenge).unwrap())
    }
}

/// Basic as `user:password`, Digest as it is.
fn shown(field: Option<Vec<u8>>) -> Option<String> {
    let field = String::from_utf8(field?).unwrap();
    let Some(encoded) = field.strip_prefix("Basic ") else { return Some(field) };
    Some(String::from_utf8(BASE64_STANDARD.decode(encoded).unwrap()).unwrap())
}

#[test]
fn what_a_url_says_is_sent_at_once() {
    for (url, expected) in [
        ("http://h", None),
        ("http://@h", None),
        ("http://u:p@h", Some("u:p")),
        ("http://u@h", Some("u:")),
        ("http://:p@h", Some(":p")),
        ("http://%C3%A9%40:p%3A%2F@h", Some("\u{e9}@:p:/")),
    ] {
        assert_eq!(Talk(server(url, None)).at_once().as_deref(), expected, "{url}");
    }
    let talk = Talk(server("http://a%3Ab:p@h", None));
    let refused = talk.0.proof.as_ref().unwrap().at_once(&talk.request(0));
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Auth, "nobody could tell where it ends");
}

#[test]
fn the_url_of_a_proxy_wins_over_what_is_said_for_all() {
    let talk = |url| Talk(server(url, Some(("v", "q").into())));
    assert_eq!(talk("http://u:p@h").at_once().as_deref(), Some("u:p"));
    assert_eq!(talk("http://h").at_once().as_deref(), Some("v:q"));
    // What is said last counts, before and after the proxy.
    let said_twice = |proxies: Proxies| {
        let url = "http://h/".parse().unwrap();
        Talk(Arc::clone(proxies.select(&url).unwrap().unwrap())).at_once()
    };
    let proxies = Proxies::new().auth(("a", "b")).all("http://h").unwrap();
    assert_eq!(said_twice(proxies.clone()).as_deref(), Some("a:b"));
    assert_eq!(said_twice(proxies.auth(("c", "d"))).as_deref(), Some("c:d"));
}

#[test]
fn basic_may_be_latin1() {
    let auth = Basic::new("\u{e9}", "p").latin1();
    let talk = Talk(server("http://h", Some(auth.into())));
    let field = talk.0.proof.as_ref().unwrap().at_once(&talk.request(0)).unwrap().unwrap();
    assert_eq!(field, b"Basic 6Tpw");
}

#[test]
fn basic_is_not_said_twice() {
    let talk = Talk(server("http://u:p@h", None));
    assert_eq!(talk.answer(0, &["Basic realm=\"x\""]), None);
    assert_eq!(talk.answer(0, &[]), None);
}

#[cfg(feature = "digest")]
mod digest {
    use super::*;

    const CHALLENGE: &str = "Digest realm=\"x\", nonce=\"n\", qop=\"auth\", algorithm=MD5";

    fn count(field: Option<String>) -> String {
        let field = field.unwrap();
        assert!(field.starts_with("Digest username=\"u\", realm=\"x\""), "{field}");
        assert!(field.contains("uri=\"h:443\""), "{field}");
        field.split_once("nc=").unwrap().1[..8].to_owned()
    }

    #[test]
    fn digest_waits_for_a_challenge_and_knows_it_then() {
        for auth in [None, Some(Digest::new("u", "p").into())] {
            let url = if auth.is_none() { "http://u:p@h" } else { "http://h" };
            let (by_url, talk) = (auth.is_none(), Talk(server(url, auth)));
            assert_eq!(talk.at_once().as_deref(), by_url.then_some("u:p"), "{url}");
            assert_eq!(count(talk.answer(0, &["Basic realm=\"x\"", CHALLENGE])), "00000001");
            assert_eq!(count(talk.at_once()), "00000002");
            // The nonce is said again, as some proxies do, and its uses count on.
            assert_eq!(count(talk.answer(0, &[CHALLENGE])), "00000003");
            // The credentials are wrong.
            assert_eq!(talk.answer(1, &[CHALLENGE]), None);
            assert_eq!(talk.at_once().as_deref(), by_url.then_some("u:p"), "{url}");
        }
    }

    #[test]
    fn a_stale_nonce_is_replaced() {
        let talk = Talk(server("http://h", Some(Digest::new("u", "p").into())));
        assert_eq!(count(talk.answer(0, &[CHALLENGE])), "00000001");
        let stale = "Digest realm=\"x\", nonce=\"m\", qop=auth, stale=TRUE";
        assert_eq!(count(talk.answer(1, &[stale])), "00000001");
        assert!(talk.at_once().unwrap().contains("nonce=\"m\""));
        // But not for ever.
        assert_eq!(talk.answer(MOST_ANSWERS, &[stale]), None);
    }

    #[test]
    fn the_proof_is_that_of_rfc_7616() {
        let talk = Talk(server("http://h", Some(Digest::new("u", "p").into())));
        let field = talk.answer(0, &["Digest realm=\"x\", nonce=\"n\""]).unwrap();
        // MD5(MD5("u:x:p"):n:MD5("CONNECT:h:443")), by md5sum.
        assert!(field.contains("response=\"d8b1a74f036ddaaf765b532fe809b22f\""), "{field}");
        let whole = talk.answer(0, &["Digest realm=\"x\", nonce=\"n\", qop=\"auth-int\""]);
        assert!(whole.unwrap().contains("qop=\"auth-int\""), "CONNECT has no body to hash");
    }

    #[test]
    fn a_body_is_not_hashed() {
        let server = server("http://h", Some(Digest::new("u", "p").into()));
        let request =
            ProxyRequest { server: &server, method: "POST", target: "http://h/", answered: 0 };
        let challenge = [("Proxy-Authenticate", "Digest realm=x, nonce=n, qop=\"auth-int\"")];
        let answer = server.proof.as_ref().unwrap().answer(&request, &challenge.into());
        assert_eq!(answer.unwrap(), None);
    }

    #[test]
    fn who_is_asked_is_asked_once() {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&asked);
        let auth = ProxyAuth::ask(move |challenge| {
            let (proxy, is_again) = (challenge.proxy(), challenge.is_again());
            told.lock().unwrap().push(format!("{proxy} {:?} {is_again}", challenge.realm()));
            (!is_again).then(|| ("u".into(), "p".into()))
        });
        let talk = Talk(server("http://h:3128", Some(auth)));
        assert_eq!(talk.at_once(), None);
        assert_eq!(count(talk.answer(0, &[CHALLENGE])), "00000001");
        assert_eq!(count(talk.at_once()), "00000002");
        assert_eq!(asked.lock().unwrap().as_slice(), ["http://h:3128 Some(\"x\") false"]);
        assert_eq!(talk.answer(1, &[CHALLENGE]), None);
        assert_eq!(asked.lock().unwrap()[1], "http://h:3128 Some(\"x\") true");
        assert_eq!(talk.at_once(), None, "what was refused is not said again");
    }
}

#[test]
fn who_is_asked_may_know_basic_credentials() {
    let auth = ProxyAuth::ask(|challenge| {
        Some(("u".into(), if challenge.is_again() { "right" } else { "wrong" }.into()))
    });
    let talk = Talk(server("http://h", Some(auth)));
    assert_eq!(talk.answer(0, &["Negotiate"]), None, "which has no user and password");
    let basic = &["Basic realm=\"x\""];
    assert_eq!(talk.answer(1, basic).as_deref(), Some("u:right"));
    assert_eq!(talk.at_once().as_deref(), Some("u:right"));
    assert_eq!(talk.answer(MOST_ANSWERS, basic), None);
}

#[test]
fn what_one_proxy_is_told_is_not_said_to_another() {
    let asking = ProxyAuth::ask(|_| Some(("u".into(), "p".into())));
    let proxies = Proxies::new().http("http://a").unwrap().https("http://b").unwrap().auth(asking);
    let talk =
        |url: &str| Talk(Arc::clone(proxies.select(&url.parse().unwrap()).unwrap().unwrap()));
    assert_eq!(talk("http://h/").answer(0, &["Basic"]).as_deref(), Some("u:p"));
    assert_eq!(talk("http://h/").at_once().as_deref(), Some("u:p"));
    assert_eq!(talk("https://h/").at_once(), None);
}

#[test]
fn nothing_shows_what_is_secret() {
    let asking = ProxyAuth::ask(|_| Some(("u".into(), "secret".into())));
    for auth in [("u", "secret").into(), asking, Basic::new("u", "secret").into()] {
        let talk = Talk(server("http://h", Some(auth.clone())));
        let _ = talk.answer(0, &["Basic"]);
        let shown = format!("{auth:?} {:?} {:?}", talk.0, talk.0.proof);
        assert!(!shown.contains("secret"), "{shown}");
    }
}

#[cfg(all(feature = "socks", feature = "digest"))]
#[test]
fn socks_gets_no_password_that_must_not_be_sent() {
    let plain = server("socks5://h", Some(("u", "p").into()));
    assert!(plain.credentials.is_some());
    let digest = server("socks5://h", Some(Digest::new("u", "p").into()));
    assert_eq!(digest.credentials, None);
}
