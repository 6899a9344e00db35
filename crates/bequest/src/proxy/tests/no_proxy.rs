//! One line a rule.

use super::*;

fn matches(list: &str, target: &str) -> bool {
    let mut no_proxy = NoProxy::default();
    no_proxy.add(list);
    no_proxy.matches(&url(target))
}

#[test]
fn who_is_reached_directly() {
    for (list, target, expected) in [
        // Nobody, and all.
        ("", "http://h/", false),
        (",, ,", "http://h/", false),
        ("*", "http://h/", true),
        ("*", "http://127.0.0.1/", true),
        ("*", "http://[::1]/", true),
        ("h, *", "http://i/", true),
        // Hosts, and what is below them, from a dot on.
        ("example.org", "http://example.org/", true),
        ("example.org", "http://www.example.org/", true),
        ("example.org", "http://a.b.example.org/", true),
        ("example.org", "http://notexample.org/", false),
        ("example.org", "http://example.org.evil.example/", false),
        ("example.org", "http://org/", false),
        ("www.example.org", "http://example.org/", false),
        ("org", "http://example.org/", true),
        ("localhost", "http://localhost:8080/", true),
        // Dots at the ends say nothing.
        (".example.org", "http://example.org/", true),
        (".example.org", "http://www.example.org/", true),
        (".example.org", "http://notexample.org/", false),
        ("..example.org", "http://www.example.org/", true),
        ("example.org.", "http://www.example.org/", true),
        ("example.org", "http://www.example.org./", true),
        ("example.org.", "http://example.org./", true),
        (".", "http://h/", false),
        // Case says nothing, and other alphabets are written as they are in URLs.
        ("EXAMPLE.org", "http://www.example.ORG/", true),
        ("b\u{fc}cher.example", "http://xn--bcher-kva.example/", true),
        ("xn--bcher-kva.example", "http://www.b\u{fc}cher.example/", true),
        // Patterns are none.
        ("*.example.org", "http://www.example.org/", false),
        ("ex*", "http://example.org/", false),
        // A list with commas, blanks, or both.
        ("a,b", "http://b/", true),
        ("a, b ,c", "http://b/", true),
        (" b ", "http://b/", true),
        ("a b\tc", "http://b/", true),
        ("a,,b", "http://b/", true),
        ("a;b", "http://b/", false),
        // A port: that of the URL, whether it is written there or not.
        ("h:8080", "http://h:8080/", true),
        ("h:8080", "http://a.h:8080/", true),
        ("h:8080", "http://h/", false),
        ("h:80", "http://h/", true),
        ("h:80", "http://h:80/", true),
        ("h:80", "https://h/", false),
        ("h:443", "https://h/", true),
        ("h:", "http://h/", false),
        ("h:x", "http://h/", false),
        ("h:+80", "http://h/", false),
        ("h:65536", "http://h/", false),
        ("[h]", "http://h/", false),
        // IPv4 addresses, as a whole, with a port or without.
        ("127.0.0.1", "http://127.0.0.1:8080/", true),
        ("127.0.0.1", "http://127.0.0.2/", false),
        ("127.0.0.1", "http://2130706433/", true),
        ("127.0.0.1", "http://0x7f.1/", true),
        ("0.0.1", "http://127.0.0.1/", false),
        (".0.0.1", "http://127.0.0.1/", false),
        ("127.0.0.1", "http://a.127.0.0.1.example/", false),
        ("127.0.0.1:81", "http://127.0.0.1:81/", true),
        ("127.0.0.1:81", "http://127.0.0.1/", false),
        ("127.0.0.1:80", "http://127.0.0.1/", true),
        // Networks.
        ("10.0.0.0/8", "http://10.1.2.3/", true),
        ("10.0.0.0/8", "http://11.1.2.3/", false),
        ("10.9.8.7/8", "http://10.1.2.3/", true),
        ("192.168.1.0/24", "http://192.168.1.255/", true),
        ("192.168.1.0/24", "http://192.168.2.0/", false),
        ("192.168.1.128/25", "http://192.168.1.127/", false),
        ("192.168.1.1/32", "http://192.168.1.1/", true),
        ("192.168.1.1/32", "http://192.168.1.2/", false),
        ("0.0.0.0/0", "http://192.168.1.2/", true),
        ("0.0.0.0/0", "http://[::1]/", false),
        ("0.0.0.0/0", "http://h/", false),
        ("10.0.0.0/33", "http://10.0.0.0/", false),
        ("10.0.0.0/-1", "http://10.0.0.0/", false),
        ("10.0.0.0/+8", "http://10.0.0.0/", false),
        ("10.0.0.0/", "http://10.0.0.0/", false),
        ("10.0.0.0/x", "http://10.0.0.0/", false),
        ("10/8", "http://10.1.2.3/", false),
        ("example.org/8", "http://example.org/", false),
        // IPv6 addresses, with brackets or without, however they are written.
        ("::1", "http://[::1]/", true),
        ("[::1]", "http://[::1]:8080/", true),
        ("0:0:0:0:0:0:0:1", "http://[::1]/", true),
        ("2001:DB8::1", "http://[2001:db8:0::1]/", true),
        ("::1", "http://[::2]/", false),
        ("[::1]:8080", "http://[::1]:8080/", true),
        ("[::1]:8080", "http://[::1]/", false),
        ("[::1]:80", "http://[::1]/", true),
        ("[::1", "http://[::1]/", false),
        // Networks of them.
        ("fd00::/8", "http://[fd12::1]/", true),
        ("fd00::/8", "http://[fe80::1]/", false),
        ("[fd00::]/8", "http://[fd12::1]/", true),
        ("2001:db8::/33", "http://[2001:db8:7fff::1]/", true),
        ("2001:db8::/33", "http://[2001:db8:8000::1]/", false),
        ("::1/128", "http://[::1]/", true),
        ("::1/128", "http://[::2]/", false),
        ("::/0", "http://[2001:db8::1]/", true),
        ("::/0", "http://127.0.0.1/", false),
        ("::/129", "http://[::]/", false),
        // An IPv4 address in the clothes of IPv6 is one.
        ("10.0.0.0/8", "http://[::ffff:10.1.2.3]/", true),
        ("10.1.2.3", "http://[::ffff:10.1.2.3]/", true),
        ("::ffff:10.1.2.3", "http://[::ffff:10.1.2.3]/", true),
        ("::ffff:0:0/96", "http://10.1.2.3/", false),
        // Who has no host needs no proxy.
        ("h", "data:text/plain,x", true),
        // Names of other schemes are compared in the same way.
        ("example.org", "mock://WWW.Example.ORG/", true),
    ] {
        assert_eq!(matches(list, target), expected, "{list:?} and {target}");
    }
}

#[test]
fn what_is_said_again_adds() {
    let proxies = Proxies::new().all("http://p").unwrap().no_proxy("a").no_proxy("b");
    for (target, expected) in [("http://a/", "direct"), ("http://b/", "direct"), ("http://c/", "p")]
    {
        assert_eq!(chosen(&proxies, target), expected);
    }
}

#[test]
fn long_lists_take_no_long_time() {
    let started = Instant::now();
    for part in ["a.", "a,", ".", ":", "[", "*", "1.", "/", "a:", "\u{fc}", "xn--"] {
        let list = part.repeat((1 << 18) / part.len());
        matches(&list, "http://example.org/");
        let long = "a.".repeat(120);
        matches(&list, &format!("http://{long}a/"));
    }
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

proptest! {
    /// What is meant by a network, bit by bit.
    #[test]
    fn networks_are_compared_bit_by_bit(network: u128, host: u128, bits in 0..=128_u32, near: bool) {
        // Most pairs have nothing in common; some shall.
        let host = if near { network ^ (host & u128::MAX.checked_shr(bits).unwrap_or(0)) } else { host };
        let same = (0..bits).all(|bit| (network ^ host) >> (127 - bit) & 1 == 0);
        let (network, host) = (std::net::Ipv6Addr::from(network), std::net::Ipv6Addr::from(host));
        let is_meant = matches(&format!("{network}/{bits}"), &format!("http://[{host}]/"));
        prop_assert_eq!(is_meant, same);
    }

    #[test]
    fn nothing_in_a_list_disturbs_what_follows(before in "[^,*]{0,40}", host in "[a-z]{1,8}\\.example") {
        let list = format!("{before},{host}");
        prop_assert!(matches(&list, &format!("http://{host}/")), "{}", list);
    }
}
