//! cookies.txt: what was loaded of any file is saved as one that has no malformed line, and that is
//! loaded and saved as the same.
#![no_main]

use bequest::{Cookie, CookieFile, CookieJar, ErrorKind};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let strict = CookieFile::netscape().session_cookies(true);
    let jar = CookieJar::new();
    match strict.read(&jar, input) {
        Ok(count) => assert_eq!(count, jar.len()),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::InvalidCookie);
            assert!(!error.to_string().contains(char::is_control), "one line: {error}");
            assert!(jar.is_empty());
        }
    }
    let lenient = strict.clone().skip_malformed(true);
    lenient.read(&jar, input).expect("malformed lines are passed over");
    let mut saved = Vec::new();
    let count = strict.write(&jar, &mut saved).expect("memory takes all");

    let again = CookieJar::new();
    assert_eq!(strict.read(&again, &saved[..]).expect("ours is well-formed"), count);
    let mut saved_again = Vec::new();
    strict.write(&again, &mut saved_again).expect("memory takes all");
    assert_eq!(saved, saved_again);
    let kept: Vec<_> = jar.iter().map(|cookie| told(&cookie)).collect();
    assert_eq!(again.iter().map(|cookie| told(&cookie)).collect::<Vec<_>>(), kept);
});

type Told = (Vec<u8>, Vec<u8>, String, String, [bool; 3], Option<std::time::SystemTime>);

fn told(cookie: &Cookie) -> Told {
    (
        cookie.name_bytes().to_vec(),
        cookie.value_bytes().to_vec(),
        cookie.domain().to_owned(),
        cookie.path().to_owned(),
        [cookie.host_only(), cookie.secure(), cookie.http_only()],
        cookie.expires(),
    )
}
