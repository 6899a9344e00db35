//! One jar, many threads.

use std::sync::Arc;
use std::thread;

use super::super::policy::CookiePolicy;
use super::{Cookie, CookieJar, after, header_at, store_at};
use url::Url;

#[test]
fn eight_threads_set_get_and_expire() {
    let jar = CookieJar::new();
    thread::scope(|scope| {
        for thread in 0..8 {
            let jar = &jar;
            scope.spawn(move || {
                let own = format!("http://t{thread}.example/");
                for round in 0..300 {
                    store_at(jar, &own, format!("own={round}"), after(round));
                    store_at(
                        jar,
                        "http://all.example/",
                        format!("n{thread}={round}; Max-Age=1"),
                        after(round),
                    );
                    assert_eq!(header_at(jar, &own, after(round)), format!("own={round}"));
                    jar.clear_expired_at(after(round));
                    assert!(jar.snapshot(after(round)).len() <= 16);
                }
            });
        }
    });
    assert_eq!(jar.snapshot(after(299)).len(), 8 + 8);
    assert_eq!(header_at(&jar, "http://t3.example/", after(300)), "own=299");
}

#[test]
fn jars_are_shared_by_threads() {
    fn check<T: Send + Sync + 'static>() {}
    check::<Arc<CookieJar>>();
    check::<Cookie>();
}

/// Looks into the jar that asks it.
struct Curious(Arc<CookieJar>);

impl CookiePolicy for Curious {
    fn may_set(&self, _: &Url, cookie: &Cookie) -> bool {
        !self.0.contains(&cookie.name().into_owned())
    }

    fn may_send(&self, _: &Url, _: &Cookie) -> bool {
        self.0.len() == 1
    }
}

#[test]
fn a_policy_may_use_the_jar() {
    let jar = Arc::new(CookieJar::new());
    jar.set_policy(Curious(Arc::clone(&jar)));
    let url: Url = "http://h/".parse().unwrap();
    assert_eq!(jar.store(&url, [&b"a=1"[..], b"a=2"]).len(), 1);
    assert_eq!(jar.header_for(&url).as_deref(), Some(&b"a=1"[..]));
}
