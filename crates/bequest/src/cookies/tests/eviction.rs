//! Section 6.1, and the last paragraphs of section 5.7.

use super::super::store::{MOST, MOST_OF_A_DOMAIN};
use super::{A, CookieJar, S, after, header_at, now, store_at};

fn filled(count: usize, attributes: &str) -> CookieJar {
    let jar = CookieJar::new();
    for number in 0..count {
        store_at(&jar, S, format!("n{number}=v{attributes}"), after(number as u64));
    }
    jar
}

#[test]
fn a_domain_has_50() {
    let jar = filled(MOST_OF_A_DOMAIN + 1, "");
    assert_eq!(jar.len(), 50);
    assert!(!jar.contains("n0") && jar.contains("n1") && jar.contains("n50"));
    // Another domain, though the cookies go along with the same requests.
    store_at(&jar, A, "other=v; Domain=a.example; Path=/x", after(60));
    assert_eq!(jar.len(), 50, "a domain counts with and without hosts below");
    store_at(&jar, "http://b.a.example/", "other=v", after(60));
    assert_eq!(jar.len(), 51);
}

#[test]
fn what_was_used_stays() {
    let jar = filled(MOST_OF_A_DOMAIN, "; Path=/x");
    store_at(&jar, S, "n0=w; Path=/x", after(100));
    store_at(&jar, S, "new=v; Path=/y", after(101));
    assert!(jar.contains("n0") && !jar.contains("n1"));
    assert!(header_at(&jar, "https://a.example/x", after(102)).contains("n2=v"));
    store_at(&jar, S, "newer=v", after(103));
    assert!(jar.contains("n2") && !jar.contains("new"), "all but one were sent");
}

#[test]
fn what_is_not_secure_goes_first() {
    let jar = filled(MOST_OF_A_DOMAIN - 1, "; Secure");
    store_at(&jar, S, "plain=v", after(1000));
    store_at(&jar, S, "new=v; Secure", after(1001));
    assert!(!jar.contains("plain") && jar.contains("n0") && jar.len() == 50);
    store_at(&jar, S, "plain=v", after(1002));
    assert!(!jar.contains("plain"), "it is the only one that is not");
}

#[test]
fn what_has_expired_goes_before_all() {
    let jar = filled(MOST_OF_A_DOMAIN - 1, "");
    store_at(&jar, S, "short=v; Max-Age=1", after(100));
    store_at(&jar, S, "new=v", after(200));
    assert!(jar.contains("n0") && jar.contains("new"));
}

#[test]
fn a_jar_has_3000() {
    let jar = CookieJar::new();
    for number in 0..=MOST {
        let from = format!("http://h{}.example/", number / 40);
        store_at(&jar, &from, format!("n{number}=v"), after(number as u64));
    }
    assert_eq!(jar.len(), 3000);
    assert!(!jar.contains("n0") && jar.contains("n1") && jar.contains("n3000"));
    assert_eq!(jar.clear_expired_at(now()), 0);
}
