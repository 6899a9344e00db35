use super::*;
use crate::auth::Auth;
use crate::request::Request;

/// What a request to the host gets: `user:password`.
fn shown(basic: Option<Basic>) -> Option<String> {
    let mut request = Request::new("GET", "http://h/").prepare().unwrap();
    basic?.apply(&mut request).unwrap();
    let encoded = request.headers.get("authorization").unwrap().strip_prefix("Basic ").unwrap();
    let decoded = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, encoded).unwrap();
    Some(String::from_utf8(decoded).unwrap())
}

fn found(text: &str, host: &str) -> Option<String> {
    shown(Netrc::parse(text).unwrap().find(host))
}

#[test]
fn what_a_host_gets() {
    for (text, expected) in [
        ("machine h login u password p", Some("u:p")),
        ("machine h user u password p", Some("u:p")),
        ("machine h\n\tlogin\tu\r\n  password\n\n p\n", Some("u:p")),
        ("\u{feff}machine h password p login u", Some("u:p")),
        ("machine H login u password p", Some("u:p")),
        // The first entry of a host counts, wherever the default one is.
        ("machine h login u password p machine h login v password q", Some("u:p")),
        ("default login d password e machine h login u password p", Some("u:p")),
        ("machine i login v password q\ndefault login d password e", Some("d:e")),
        ("default login d password e default login f password g", Some("d:e")),
        ("machine i login v password q", None),
        ("machine hh login v password q machine h.h login v password q", None),
        // Login or account; the password may be empty, and the user too.
        ("machine h account a password p", Some("a:p")),
        ("machine h account a login u password p", Some("u:p")),
        ("machine h login u password \"\"", Some("u:")),
        ("machine h login u", Some("u:")),
        ("machine h password p", Some(":p")),
        ("machine h", None),
        ("machine h login \"\" account \"\" password \"\"", None),
        ("machine h default login d password e", None),
        // Quotes and escapes.
        (
            "machine h login \"a user\" password \"a \\\"word\\\" \\\\\"",
            Some("a user:a \"word\" \\"),
        ),
        ("machine h login u\\ v password p\\\"\\\\q", Some("u v:p\"\\q")),
        ("machine \"h\" login u password a\"b\"", Some("u:a\"b\"")),
        ("machine h login \"machine\" password default", Some("machine:default")),
        ("machine h login u password \"p\nq\"", Some("u:p\nq")),
        ("machine h login é password пароль", Some("é:пароль")),
        ("machine h login u password p\\", Some("u:p")),
        // Comments are where a keyword would be; a password may look like one.
        (
            "# one\n#two machine h login v\nmachine h # three\n#\nlogin u # four\npassword p #",
            Some("u:p"),
        ),
        ("machine h login #u password #p", Some("#u:#p")),
        ("machine #h login u password p", None),
        // Macros end with an empty line.
        (
            "macdef init\ncd /pub\nmachine h login v password q\n\nmachine h login u password p",
            Some("u:p"),
        ),
        ("machine h login u password p\r\nmacdef m\r\nbin\r\n\r\nmachine i", Some("u:p")),
        ("machine h login u password p\nmacdef m\nno end", Some("u:p")),
        ("macdef m\n\nmachine h login u password p", Some("u:p")),
        ("machine h login u password p macdef", Some("u:p")),
        ("", None),
        (" \n\t\r\n", None),
    ] {
        assert_eq!(found(text, "h").as_deref(), expected, "{text:?}");
    }
}

#[test]
fn hosts_are_compared_as_urls_have_them() {
    for (name, host) in [
        ("EXAMPLE.org", "example.org"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "[::1]"),
        ("weird_name", "weird_name"),
    ] {
        let text = format!("machine {name} login u password p");
        assert_eq!(found(&text, host).as_deref(), Some("u:p"), "{name}");
    }
    for name in ["example.org:80", "user@example.org", "http://example.org", "*.org", ".org"] {
        let text = format!("machine {name} login u password p");
        assert_eq!(found(&text, "example.org"), None, "{name}");
    }
}

#[test]
fn a_malformed_file_gives_nobody_anything() {
    for text in [
        "machine",
        "machine \"\" login u",
        "machine h login",
        "machine h login u password",
        "machine h login u password \"p",
        "machine h login u password \"p\\\"",
        "machine h login u password \"p\"q",
        "machine h port 80 login u password p",
        "login u password p",
        "word",
        "machine i login v password q\nmachine h login u passwd p",
        "{\"machine\": \"h\"}",
    ] {
        assert_eq!(Netrc::parse(text), None, "{text:?}");
    }
}

#[test]
fn the_default_is_no_machine() {
    let netrc = Netrc::parse("machine a login u password p default login d").unwrap();
    assert_eq!(shown(netrc.find_machine("a")).as_deref(), Some("u:p"));
    assert_eq!(shown(netrc.find_machine("b")), None);
    assert_eq!(shown(netrc.find("b")).as_deref(), Some("d:"));
    let named = Netrc::parse("machine default login u password p").unwrap();
    assert_eq!(shown(named.find("b")), None, "a host of that name");
}

#[test]
fn it_tells_nobody() {
    let netrc = Netrc::parse("machine a login name password secret").unwrap();
    assert_eq!(format!("{netrc:?}"), "Netrc { .. }");
    assert_eq!(Netrc::parse(&netrc.to_string()), Some(netrc));
}

/// Each word is looked at once, whatever it looks like.
#[test]
fn a_large_file_takes_no_long_time() {
    let start = std::time::Instant::now();
    for text in ["\\".repeat(1 << 20), "#\n".repeat(1 << 19), "machine a ".repeat(100_000)] {
        let _ = Netrc::parse(&text);
    }
    let macros = "macdef x\n\n".repeat(100_000);
    assert!(Netrc::parse(&macros).unwrap().is_empty());
    assert!(start.elapsed().as_secs() < 5);
}
