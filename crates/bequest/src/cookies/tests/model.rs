//! The jar does what the plain model does, whatever servers say.

use proptest::prelude::{Just, Strategy, prop_oneof, proptest};
use proptest::test_runner::Config;
use proptest::{collection::vec, sample::select};

use super::super::model::{Asked, Model};
use super::{CookieJar, after, url};

const HOSTS: [&str; 12] = [
    "a.example",
    "b.a.example",
    "c.b.a.example",
    "ba.example",
    "a.co.uk",
    "b.a.co.uk",
    "github.io",
    "me.github.io",
    "localhost",
    "127.0.0.1",
    "1.127.0.0.1.example",
    "[::1]",
];
const PATHS: [&str; 8] = ["/", "/x", "/x/", "/x/y", "/xy", "/x/y/z", "//", "/X"];

fn host() -> impl Strategy<Value = &'static str> {
    select(&HOSTS[..])
}

fn attribute() -> impl Strategy<Value = String> {
    let domain = prop_oneof![
        host().prop_map(str::to_owned),
        select(
            &["example", "co.uk", "io", ".", "", "..a.example", "0.0.1", "a.example.", "ü.example"]
                [..]
        )
        .prop_map(str::to_owned),
        host().prop_map(|host| format!(".{}", host.to_uppercase())),
    ];
    let path = prop_oneof![select(&PATHS[..]), select(&["", "x", "\"/\"", "/ü"][..])];
    const AGES: &[&str] =
        &["0", "1", "5", "60", "-1", "", "-", "x1", "1x", "00", "99999999999999999999"];
    const DATES: &[&str] = &[
        "Wed, 25 Nov 2026 00:00:05 GMT",
        "Wed, 25 Nov 2026 00:01:00 GMT",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "0",
        "1 Jan 2099 0:0:0",
    ];
    prop_oneof![
        3 => domain.prop_map(|domain| format!("Domain={domain}")),
        3 => path.prop_map(|path| format!("pATH ={path}")),
        2 => select(AGES).prop_map(|age| format!("Max-Age= {age}")),
        1 => select(DATES).prop_map(|date| format!("Expires={date}")),
        3 => Just("Secure".to_owned()),
        1 => Just(" HttpOnly=1 ".to_owned()),
        1 => Just("SameSite=Lax".to_owned()),
        1 => Just("Path=/\tx".to_owned()),
        1 => "[ -~ü\t]{0,6}",
        1 => Just(format!("Path=/{}", "x".repeat(1024))),
    ]
}

fn field() -> impl Strategy<Value = String> {
    const NAMES: &[&str] = &[
        "a=",
        "a=",
        "b=",
        "A=",
        " a =",
        "__Secure-a=",
        "__HOST-a=",
        "__Host-a=",
        "",
        "=",
        "=a=",
        "\u{1}=",
        "ü=",
    ];
    const VALUES: &[&str] = &["1", "2", "", " 3 ", "\"4\"", "b=c", "__Host-x", "é", "\u{7f}"];
    let pair = (select(NAMES), select(VALUES)).prop_map(|(name, value)| format!("{name}{value}"));
    (pair, vec(attribute(), 0..4)).prop_map(|(pair, attributes)| {
        attributes.iter().fold(pair, |field, attribute| format!("{field};{attribute}"))
    })
}

#[derive(Clone, Debug)]
enum Step {
    Set(String),
    Ask,
    Expire,
}

fn step() -> impl Strategy<Value = (bool, &'static str, &'static str, u64, Step)> {
    let what = prop_oneof![6 => field().prop_map(Step::Set), 5 => Just(Step::Ask), 1 => Just(Step::Expire)];
    (proptest::bool::ANY, host(), select(&PATHS[..]), 0..4_u64, what)
}

fn compare(steps: Vec<(bool, &'static str, &'static str, u64, Step)>) {
    let (jar, mut model) = (CookieJar::new(), Model::default());
    let mut time = 0;
    for (secure, host, path, passed, step) in steps {
        time += passed;
        let now = after(time);
        let url = url(&format!("{}://{host}{path}", if secure { "https" } else { "http" }));
        let asked = Asked { secure, host, path };
        match step {
            Step::Set(field) => {
                jar.store_at(&url, [field.as_bytes()].into_iter(), now);
                model.receive(asked, field.as_bytes(), now);
            }
            Step::Ask => {
                let header = jar.header_at::<&str, &str>(&url, &[], now).unwrap_or_default();
                assert_eq!(header, model.header(asked, now), "{url}");
            }
            Step::Expire => {
                jar.clear_expired_at(now);
            }
        }
        let all = jar.snapshot(now);
        assert!(model.has(&all, now), "{all:#?}\n{model:#?}");
    }
}

proptest! {
    #![proptest_config(Config { cases: 2000, failure_persistence: None, ..Config::default() })]

    #[test]
    fn a_jar_is_what_the_rfc_says(steps in vec(step(), 0..40)) {
        compare(steps);
    }
}

proptest! {
    #![proptest_config(Config { cases: 20, failure_persistence: None, ..Config::default() })]

    #[test]
    fn a_crowded_jar_is_what_the_rfc_says(choices in vec((proptest::bool::ANY, 0..3_usize, 0..90_u32, 0..2_u64, 0..8_u8), 150..400)) {
        let steps = choices.into_iter().map(|(secure, host, number, passed, kind)| {
            let secured = if secure { "; Secure" } else { "" };
            let step = match kind {
                0 => Step::Ask,
                1 => Step::Set(format!("n{number}=v; Max-Age=3")),
                _ => Step::Set(format!("n{number}=v; Domain=a.example{secured}")),
            };
            (secure, HOSTS[host], "/", passed, step)
        });
        compare(steps.collect());
    }
}
