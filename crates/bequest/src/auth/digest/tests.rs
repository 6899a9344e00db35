use super::*;

/// What answers a challenge with the first use of its nonce.
fn field(challenge: &str, user: &str, password: &str, cnonce: &str, asked: (&str, &str)) -> String {
    let found = challenges([challenge.as_bytes()].into_iter());
    let offer = Offer::best(&found).unwrap();
    let terms = Terms::new(&offer, user, password, cnonce.to_owned());
    let body = terms.algorithm.of(&[b"body"]);
    String::from_utf8(terms.field(offer.nonce, 1, asked.0, asked.1, &body)).unwrap()
}

fn value<'a>(field: &'a str, name: &str) -> &'a str {
    let (_, rest) = field.split_once(&format!("{name}=\"")).unwrap();
    rest.split_once('"').unwrap().0
}

#[test]
fn the_first_example_of_rfc_7616() {
    let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
    for (algorithm, expected) in [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ] {
        let challenge = format!(
            "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", \
             algorithm={algorithm}, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
             opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
        );
        let asked = ("GET", "/dir/index.html");
        let field = field(&challenge, "Mufasa", "Circle of Life", cnonce, asked);
        assert_eq!(value(&field, "response"), expected);
    }
}

/// Its values are those of erratum 4897: the RFC's are not of SHA-512/256.
#[test]
fn the_second_example_of_rfc_7616() {
    let challenge = "Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, \
                     nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", \
                     opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", \
                     charset=UTF-8, userhash=true";
    let cnonce = "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v";
    let (user, password) = ("J\u{e4}s\u{f8}n Doe", "Secret, or not?");
    let response = "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5";
    let hashed = field(challenge, user, password, cnonce, ("GET", "/doe.json"));
    assert_eq!(value(&hashed, "response"), response);
    let name = "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b";
    assert_eq!(value(&hashed, "username"), name);
    assert!(hashed.ends_with(", userhash=true"), "{hashed}");

    let challenge = challenge.replace("userhash=true", "userhash=false");
    let extended = field(&challenge, user, password, cnonce, ("GET", "/doe.json"));
    assert_eq!(value(&extended, "response"), response);
    assert!(extended.starts_with("Digest username*=UTF-8''J%C3%A4s%C3%B8n%20Doe, realm="));
    assert!(!extended.contains("userhash"), "{extended}");
}

/// The example of RFC 2069, section 2.4, with the value of its erratum 749.
#[test]
fn without_a_qop_there_is_no_count() {
    let challenge = "Digest realm=\"testrealm@host.com\", \
                     nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", \
                     opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
    let field = field(challenge, "Mufasa", "CircleOfLife", "c", ("GET", "/dir/index.html"));
    let expected = "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", \
                    nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", \
                    response=\"1949323746fe6a43ef61f9606e7febea\", \
                    opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
    assert_eq!(field, expected);
}

/// As Requests writes it.
#[test]
fn parameters_have_an_order_and_are_escaped() {
    let challenge = "DIGEST QOP=auth, algorithm=md5, opaque=\"o\\\"\", nonce=n, realm=\"a\\\\b\"";
    let field = field(challenge, "us\"er", "p", "c0", ("GET", "/\""));
    let response = value(&field, "response");
    let expected = format!(
        "Digest username=\"us\\\"er\", realm=\"a\\\\b\", nonce=\"n\", uri=\"/\\\"\", \
         response=\"{response}\", opaque=\"o\\\"\", algorithm=\"md5\", qop=\"auth\", nc=00000001, \
         cnonce=\"c0\""
    );
    assert_eq!(field, expected);
    let secret = Algorithm::Md5.of(&[b"us\"er", b"a\\b", b"p"]);
    let asked = Algorithm::Md5.of(&[b"GET", b"/\""]);
    let parts = [&secret, &b"n"[..], b"00000001", b"c0", b"auth", &asked];
    assert_eq!(response.as_bytes(), &*Algorithm::Md5.of(&parts));
}

/// The beginnings of what Python's hashlib gave.
#[test]
fn each_algorithm_and_qop() {
    for (algorithm, qop, expected) in [
        ("MD5", "auth", "a6b07e8f3f5e93ae"),
        ("MD5", "auth-int", "55a73fc593331a18"),
        ("MD5-sess", "auth", "89b5089b5d58a0fd"),
        ("MD5-sess", "auth-int", "4466fe9bf77e405c"),
        ("SHA", "auth", "3bde0784f5ef61ed"),
        ("SHA", "auth-int", "11519b1268e35e10"),
        ("SHA-sess", "auth", "6fe9f63011d2a9fe"),
        ("SHA-sess", "auth-int", "7d9260d9b1f8175d"),
        ("SHA-256", "auth", "b3b55bbf6dfdc9ec"),
        ("SHA-256", "auth-int", "5efb4eccbd1d0adf"),
        ("SHA-256-sess", "auth", "0c13f431b04f6622"),
        ("SHA-256-sess", "auth-int", "87f7d14519bfebeb"),
        ("SHA-512-256", "auth", "b36060f16acefba1"),
        ("SHA-512-256", "auth-int", "6ae61c382fba34c2"),
        ("SHA-512-256-sess", "auth", "513270890c32a9b1"),
        ("SHA-512-256-sess", "auth-int", "1be5eb7ce242ba2d"),
        ("SHA-512", "auth", "001207f1db4ee415"),
        ("SHA-512", "auth-int", "376640adfb9c9e25"),
        ("SHA-512-sess", "auth", "a436eaf769157bfb"),
        ("SHA-512-sess", "auth-int", "725474c503ab93ce"),
    ] {
        let name = algorithm.to_lowercase();
        let challenge = format!("Digest realm=r, nonce=n, qop=\"{qop}\", algorithm={name}");
        let field = field(&challenge, "u", "p", "c", ("GET", "/x?y"));
        assert_eq!(&value(&field, "response")[..16], expected, "{algorithm} {qop}");
        assert!(field.ends_with(", cnonce=\"c\""), "{field}");
    }
    let field = field("Digest realm=r, nonce=n, algorithm=MD5-sess", "u", "p", "c", ("GET", "/"));
    assert!(field.ends_with(", algorithm=\"MD5-sess\", cnonce=\"c\""), "{field}");
}

#[test]
fn the_strongest_that_can_be_met_is_chosen() {
    let chosen = |challenge: &str| {
        let found = challenges([challenge.as_bytes()].into_iter());
        Offer::best(&found).map(|offer| String::from_utf8_lossy(offer.nonce).into_owned())
    };
    for (challenge, expected) in [
        ("Digest realm=r, nonce=a, Digest realm=r, nonce=b, algorithm=SHA-256", Some("b")),
        ("Digest realm=r, nonce=a, algorithm=SHA-512-256, Digest realm=r, nonce=b", Some("a")),
        ("Digest realm=r, nonce=a, Digest realm=r, nonce=b, algorithm=MD5-sess", Some("a")),
        ("Digest realm=r, nonce=a, algorithm=FROB, Digest realm=r, nonce=b", Some("b")),
        ("Digest realm=r, nonce=a, algorithm=FROB", None),
        ("Digest realm=r, nonce=a, algorithm=\"\"", None),
        ("Digest realm=r, nonce=a, algorithm=-sess", None),
        ("Digest realm=r, nonce=a, algorithm=\"MD\u{e9}sess\"", None),
        ("Digest realm=r, nonce=a, qop=frob", None),
        ("Digest realm=r, nonce=a, qop=\"\"", None),
        ("Digest realm=r, nonce=a, qop=\"frob , AUTH\"", Some("a")),
        ("Digest realm=r", None),
        ("Digest nonce=a", None),
        ("Digest realm=\"\t\", nonce=a", None),
        ("Digest realm=r, nonce=\"a\tb\"", None),
        ("Digest realm=r, nonce=a, opaque=\"\t\"", None),
        ("Digest", None),
        ("Digest YWJj", None),
        ("Basic realm=r, nonce=a", None),
    ] {
        assert_eq!(chosen(challenge).as_deref(), expected, "{challenge}");
    }
    let field =
        field("Digest realm=r, nonce=n, qop=\"auth-int,auth\"", "u", "p", "c", ("GET", "/"));
    assert_eq!(value(&field, "qop"), "auth");
}

/// A challenge that was met at this URL: the count of its nonce.
fn learn(spaces: &mut Spaces, url: &str, challenge: &str) -> u32 {
    let found = challenges([challenge.as_bytes()].into_iter());
    let offer = Offer::best(&found).unwrap();
    let terms = Arc::new(Terms::new(&offer, "u", "p", "c".into()));
    spaces.learn(&url.parse().unwrap(), offer.domain(), terms, offer.nonce).unwrap().count
}

/// Nonce and count for a request that was not challenged.
fn turn(spaces: &mut Spaces, url: &str) -> Option<(String, u32)> {
    let turn = spaces.turn(&url.parse().unwrap())?;
    Some((String::from_utf8_lossy(&turn.nonce).into_owned(), turn.count))
}

#[test]
fn a_challenge_holds_for_its_protection_space() {
    let mut spaces = Spaces::default();
    let nonce = |spaces: &mut Spaces, url: &str| turn(spaces, url).map(|(nonce, _)| nonce);
    learn(&mut spaces, "http://h/a/b", "Digest realm=r, nonce=whole");
    for (url, expected) in [
        ("http://h/", Some("whole")),
        ("http://u:p@H:80/c?d", Some("whole")),
        ("https://h/", None),
        ("http://h:81/", None),
        ("http://other/", None),
    ] {
        assert_eq!(nonce(&mut spaces, url).as_deref(), expected, "{url}");
    }
    let challenge = "Digest realm=r, nonce=part, domain=\"/x/ http://h/y http://other/ ::: z\"";
    learn(&mut spaces, "http://h/x/1", challenge);
    for (url, expected) in [
        ("http://h/x/2", Some("part")),
        ("http://h/y", Some("part")),
        ("http://h/x/z", Some("part")),
        ("http://h/x", Some("whole")),
        ("http://other/", None),
    ] {
        assert_eq!(nonce(&mut spaces, url).as_deref(), expected, "{url}");
    }
    // The longer path wins, whenever it was told.
    learn(&mut spaces, "http://h/", "Digest realm=r, nonce=later");
    assert_eq!(nonce(&mut spaces, "http://h/x/2").as_deref(), Some("part"));
    assert_eq!(nonce(&mut spaces, "http://h/x").as_deref(), Some("later"));
    spaces.forget(&"http://h/x/2".parse().unwrap());
    assert_eq!(turn(&mut spaces, "http://h/x/2"), None);
}

#[test]
fn no_count_of_a_nonce_comes_twice() {
    let mut spaces = Spaces::default();
    let challenge = |nonce: &str| format!("Digest realm=r, nonce={nonce}");
    assert_eq!(learn(&mut spaces, "http://h/", &challenge("a")), 1);
    assert_eq!(turn(&mut spaces, "http://h/"), Some(("a".into(), 2)));
    // The same again, another one, and back; also at another server, and for a part.
    assert_eq!(learn(&mut spaces, "http://h/", &challenge("a")), 3);
    assert_eq!(learn(&mut spaces, "http://h/", &challenge("b")), 1);
    assert_eq!(learn(&mut spaces, "http://h/", &challenge("a")), 4);
    assert_eq!(learn(&mut spaces, "http://i/", &challenge("a")), 5);
    assert_eq!(learn(&mut spaces, "http://h/", &(challenge("a") + ", domain=\"/x\"")), 6);
    spaces.renew(&"http://h/".parse().unwrap(), b"b");
    assert_eq!(turn(&mut spaces, "http://h/"), Some(("b".into(), 2)));
    spaces.renew(&"http://nowhere/".parse().unwrap(), b"c");
    assert_eq!(turn(&mut spaces, "http://nowhere/"), None);
}

#[test]
fn not_everything_is_remembered() {
    let mut spaces = Spaces::default();
    for at in 0..1000 {
        let (url, nonce) = (format!("http://h{at}/"), format!("Digest realm=r, nonce=n{at}"));
        assert_eq!(learn(&mut spaces, &url, &nonce), 1);
    }
    assert_eq!(turn(&mut spaces, "http://h999/"), Some(("n999".into(), 2)));
    assert_eq!(turn(&mut spaces, "http://h0/"), None);
    let kept = (0..1000).filter(|at| turn(&mut spaces, &format!("http://h{at}/")).is_some());
    assert_eq!(kept.count(), 64);
    // A nonce that has been pushed out can't be used: nobody knows its count.
    for at in 0..64 {
        spaces.renew(&"http://h999/".parse().unwrap(), format!("m{at}").as_bytes());
    }
    assert_eq!(turn(&mut spaces, "http://h998/"), None);
    assert_eq!(turn(&mut spaces, "http://h999/"), Some(("m63".into(), 1)));
}

#[test]
fn secrets_are_not_shown() {
    let shown = format!("{:?}", Digest::new("user", "secret"));
    assert_eq!(shown, "Digest { user: \"user\", .. }");
}
