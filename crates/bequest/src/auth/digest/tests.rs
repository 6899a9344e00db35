use super::*;

/// The field for a challenge, with a nonce of ours.
fn field(challenge: &str, user: &str, password: &str, cnonce: &str, asked: (&str, &str)) -> String {
    let found = challenges([challenge.as_bytes()].into_iter());
    let offer = Offer::best(&found).expect("an offer");
    let terms = Terms::new(&offer, user, password, cnonce.to_owned());
    let body = Algorithm::Md5.of(&[b""]);
    String::from_utf8(terms.field(offer.nonce, 1, asked.0, asked.1, &body)).unwrap()
}

fn response(field: &str) -> &str {
    let (_, rest) = field.split_once("response=\"").unwrap();
    rest.split_once('"').unwrap().0
}

#[test]
fn the_examples_of_rfc_7616() {
    // Section 3.9.1.
    let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
    let challenge = "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=X, \
                     nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
                     opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";
    let asked = ("GET", "/dir/index.html");
    for (algorithm, expected) in [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ] {
        let challenge = challenge.replace('X', algorithm);
        let field = field(&challenge, "Mufasa", "Circle of Life", cnonce, asked);
        assert_eq!(response(&field), expected);
    }
    // Section 3.9.2.
    let challenge = "Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, \
                     nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", \
                     opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", \
                     charset=UTF-8, userhash=true";
    let cnonce = "NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm";
    let asked = ("GET", "/doe.json");
    let field = field(challenge, "J\u{e4}s\u{f8}n Doe", "Secret, or not?", cnonce, asked);
    assert!(field.ends_with(", userhash=true"), "{field}");
    assert_eq!(field.contains("J"), false);
    println!("{field}");
}
