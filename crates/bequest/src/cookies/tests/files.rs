//! Saving and loading.

use std::fs;
use std::time::Duration;

use super::super::file::CookieFile;
use super::{A, Cookie, CookieJar, S, url};
use crate::error::ErrorKind;

fn year() -> Duration {
    Duration::from_secs(365 * 86_400)
}

fn filled() -> CookieJar {
    let jar = CookieJar::new();
    let far = |name: &str, domain: &str| Cookie::builder(name, "v", domain).max_age(year());
    jar.store(
        &url(S),
        [
            &b"session=1; SameSite=Strict"[..],
            b"only=\"2, 3\"; Max-Age=600; HttpOnly; Secure; Path=/x",
        ],
    );
    jar.insert(far("below", ".a.example").build().unwrap());
    jar.insert(far("six", "[::1]").build().unwrap());
    jar.insert(Cookie::builder("", "nameless", "h").max_age(year()).build().unwrap());
    jar.insert(Cookie::builder("bytes", b"\xff\x80", "h").max_age(year()).build().unwrap());
    jar.insert(Cookie::builder("ü", "☃", "h").max_age(year()).build().unwrap());
    jar
}

/// All but what a format may lose.
fn told(jar: &CookieJar, all: bool) -> Vec<String> {
    let told = jar.iter().map(|c| {
        let seconds = c.expires().map(super::super::cookie::to_unix);
        let site = c.same_site().filter(|_| all);
        format!(
            "{:?}={:?} {} {} {} {} {} {site:?} {seconds:?}",
            c.name_bytes(),
            c.value_bytes(),
            c.domain(),
            c.host_only(),
            c.path(),
            c.secure(),
            c.http_only(),
        )
    });
    told.collect()
}

fn text(file: &CookieFile, jar: &CookieJar) -> Vec<u8> {
    let mut out = Vec::new();
    file.write(jar, &mut out).unwrap();
    out
}

fn formats() -> Vec<(CookieFile, bool)> {
    vec![
        (CookieFile::netscape(), false),
        #[cfg(feature = "json")]
        (CookieFile::json(), true),
    ]
}

#[test]
fn what_is_saved_is_loaded() {
    for (file, all) in formats() {
        let file = file.session_cookies(true);
        let (jar, loaded) = (filled(), CookieJar::new());
        let saved = text(&file, &jar);
        assert_eq!(file.read(&loaded, &saved[..]).unwrap(), 7);
        assert_eq!(told(&loaded, all), told(&jar, all));
        assert_eq!(text(&file, &loaded), saved);
    }
}

#[test]
fn session_cookies_are_left_out() {
    for (file, _) in formats() {
        let (jar, loaded) = (filled(), CookieJar::new());
        assert_eq!(file.read(&loaded, &text(&file, &jar)[..]).unwrap(), 6);
        assert!(!loaded.contains("session") && loaded.contains("only"));
    }
}

#[test]
fn loading_adds_to_a_jar() {
    for (file, _) in formats() {
        let file = file.session_cookies(true);
        let saved = CookieJar::new();
        saved.set("a", "new", A).unwrap();
        let jar = CookieJar::new();
        jar.set("a", "old", A).unwrap();
        jar.set("b", "old", A).unwrap();
        assert_eq!(file.read(&jar, &text(&file, &saved)[..]).unwrap(), 1);
        assert_eq!(jar.header_for(&url(A)).unwrap(), b"a=new; b=old");
    }
}

fn lines(text: &str) -> Result<Vec<String>, String> {
    let jar = CookieJar::new();
    CookieFile::netscape().read(&jar, text.as_bytes()).map_err(|error| {
        assert_eq!(error.kind(), ErrorKind::InvalidCookie);
        assert!(error.remedy().is_some() && jar.is_empty());
        error.to_string()
    })?;
    Ok(told(&jar, false))
}

#[test]
fn lines_of_cookies_txt() {
    let far = 4_102_444_800_i64;
    let one = |domain: &str, host_only: bool, http_only: bool| {
        format!("[107]=[118] {domain} {host_only} / false {http_only} None Some({far})")
    };
    for (line, cookie) in [
        (format!("a.example\tFALSE\t/\tFALSE\t{far}\tk\tv"), one("a.example", true, false)),
        (format!(".a.example\tTRUE\t/\tFALSE\t{far}\tk\tv\r"), one("a.example", false, false)),
        (format!("a.example\tTRUE\t/\tFALSE\t{far}\tk\tv"), one("a.example", false, false)),
        (format!(".a.example\tFALSE\t/\tFALSE\t{far}\tk\tv"), one("a.example", true, false)),
        (
            format!("#HttpOnly_a.example\tfalse\t/\tFALSE\t{far}\tk\tv"),
            one("a.example", true, true),
        ),
        (format!("127.0.0.1:8080\tFALSE\t/\tFALSE\t{far}.5\tk\tv"), one("127.0.0.1", true, false)),
        (format!("::1\tFALSE\t/\tFALSE\t{far}\tk\tv"), one("[::1]", true, false)),
        (format!("[::1]\tFALSE\t/\tFALSE\t{far}\tk\tv"), one("[::1]", true, false)),
        (format!("A.Example\tFALSE\t/\tFALSE\t{far}\tk\tv"), one("a.example", true, false)),
    ] {
        assert_eq!(lines(&line).unwrap(), [cookie], "{line}");
    }
    for (line, count) in [
        ("", 0),
        ("# a.example\tFALSE\t/\tFALSE\t0\tk\tv", 0),
        ("# comment\n \t \n", 0),
        ("a.example\tFALSE\t/\tFALSE\t0\tk\tv", 1),
        ("a.example\tFALSE\t/\tFALSE\t\tk\tv", 1),
        ("a.example\tFALSE\t/\tFALSE\t0\tk", 1),
        ("a.example\tFALSE\t/\tFALSE\t0\t\tv", 1),
        ("a.example\tFALSE\t/\tFALSE\t1\texpired\tv", 0),
        ("a.example\tFALSE\t/\tFALSE\t-1\texpired\tv", 0),
        ("a.example\tFALSE\t/\tFALSE\t99999999999999999999999\tk\tv", 1),
    ] {
        assert_eq!(lines(line).unwrap().len(), count, "{line}");
    }
}

#[test]
fn malformed_lines_are_named_or_passed_over() {
    for (line, rule) in [
        ("a.example", "line 2: it has less than the seven fields"),
        ("a.example FALSE / FALSE 0 k secret", "line 2: it has less than the seven fields"),
        ("a.example\tmaybe\t/\tFALSE\t0\tk\tsecret", "line 2: its second or fourth field"),
        ("a.example\tTRUE\t/\t1\t0\tk\tsecret", "line 2: its second or fourth field"),
        ("a.example\tTRUE\t/\tTRUE\tsoon\tk\tsecret", "line 2: its expiry"),
        ("a.example\tTRUE\t/\tTRUE\t-\tk\tsecret", "line 2: its expiry"),
        ("com\tTRUE\t/\tTRUE\t0\tk\tsecret", "line 2: cookie `k`: `com` is a public suffix"),
        ("\tTRUE\t/\tTRUE\t0\tk\tsecret", "line 2: cookie `k`: its domain"),
        ("a b\tTRUE\t/\tTRUE\t0\tk\tsecret", "line 2: cookie `k`: its domain"),
        ("a.example\tTRUE\tx\tTRUE\t0\tk\tsecret", "line 2: cookie `k`: its path"),
        (
            "a.example\tTRUE\t/\tTRUE\t0\tk\tsecret\0",
            "line 2: cookie `k`: its value has '\\0' at 6",
        ),
        (
            "a.example\tTRUE\t/\tTRUE\t0\tk\tsecret\tb",
            "line 2: cookie `k`: its value has '\\t' at 6",
        ),
        (
            "a.example\tTRUE\t/\tTRUE\t0\tk\tsecret; b=c",
            "line 2: cookie `k`: its value has ';' at 6",
        ),
        (
            "a.example\tTRUE\t/\tFALSE\t0\t__Secure-k\tsecret",
            "line 2: cookie `__Secure-k`: it isn't",
        ),
        ("a.example\tTRUE\t/\tTRUE\t0\t__Host-k\tsecret", "line 2: cookie `__Host-k`: it isn't"),
    ] {
        let text = format!(
            "# Netscape HTTP Cookie File\n{line}\na.example\tFALSE\t/\tFALSE\t0\tgood\tv\n"
        );
        let error = lines(&text).unwrap_err();
        assert!(error.contains(rule) && !error.contains("secret"), "{line}: {error}");
        let jar = CookieJar::new();
        let file = CookieFile::netscape().skip_malformed(true);
        assert_eq!(file.read(&jar, text.as_bytes()).unwrap(), 1, "{line}");
        assert!(jar.contains("good"));
    }
}

#[cfg(feature = "json")]
#[test]
fn malformed_json_is_named_or_passed_over() {
    let good = r#"{"name":"k","value":"secret","domain":"h","host_only":true,"path":"/","secure":false,"http_only":false,"creation":1}"#;
    let file = |entries: &str| format!(r#"{{"version":1,"cookies":[{good},{entries}]}}"#);
    let edit = |from: &str, to: &str| file(&good.replace(from, to));
    for (text, rule, skipped) in [
        ("secret".to_owned(), "not JSON", None),
        ("{}".to_owned(), "no `version`", None),
        (r#"{"version":2,"cookies":[]}"#.to_owned(), "its version", None),
        (r#"{"version":1}"#.to_owned(), "no list `cookies`", None),
        (file("1"), "cookie 2: its `name` is no text", Some(1)),
        (edit(r#""name":"k""#, r#""name":1"#), "cookie 2: its `name` is no text", Some(1)),
        (edit(r#""value":"#, r#""value_base64":"#).replace("secret\",\"domain\":\"h\",\"host_only\":true,\"path\":\"/\",\"secure\":false,\"http_only\":false,\"creation\":1}]", "s\",\"domain\":\"h\",\"host_only\":true,\"path\":\"/\",\"secure\":false,\"http_only\":false,\"creation\":1}]"), "cookie 2: its `value_base64` is not base64", Some(1)),
        (edit("true", "1"), "cookie 2: its `host_only`", Some(1)),
        (edit(r#""creation":1"#, r#""creation":1.5"#), "cookie 2: its `creation`", Some(1)),
        (edit(r#""creation":1"#, r#""creation":1,"expires":"x""#), "cookie 2: its `expires`", Some(1)),
        (edit(r#""secret""#, r#""secret\n""#), "cookie 2: cookie `k`: its value has '\\n' at 6", Some(1)),
        (edit(r#""h""#, r#"".com""#).replace("true,\"path\":\"/\",\"secure\":false,\"http_only\":false,\"creation\":1}]", "false,\"path\":\"/\",\"secure\":false,\"http_only\":false,\"creation\":1}]"), "is a public suffix", Some(1)),
    ] {
        let jar = CookieJar::new();
        let error = CookieFile::json().read(&jar, text.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidCookie);
        assert!(error.to_string().contains(rule), "{text}: {error}");
        assert!(jar.is_empty() && !error.to_string().contains("secret"), "{error}");
        let loaded = CookieFile::json().skip_malformed(true).read(&jar, text.as_bytes());
        assert_eq!(loaded.ok(), skipped, "{text}");
    }
}

#[test]
fn a_file_is_replaced_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jar");
    let jar = filled();
    for (file, all) in formats() {
        assert_eq!(file.save(&jar, &path).unwrap(), 6);
        let loaded = CookieJar::new();
        assert_eq!(file.load(&loaded, &path).unwrap(), 6);
        jar.clear_session();
        assert_eq!(told(&loaded, all), told(&jar, all));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::{PermissionsExt, symlink};
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let (victim, link) = (folder.path().join("victim"), folder.path().join("link"));
        fs::write(&victim, "mine").unwrap();
        symlink(&victim, &link).unwrap();
        CookieFile::netscape().save(&jar, &link).unwrap();
        assert_eq!(fs::read(&victim).unwrap(), b"mine", "a link is not followed");
        fs::remove_file(&victim).unwrap();
        fs::remove_file(&link).unwrap();
    }
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert_eq!(files, ["jar"], "nothing else is left");
}

#[test]
fn what_fails_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = CookieFile::netscape();
    // A folder stands where the file would go.
    let taken = folder.path().join("taken");
    fs::create_dir_all(taken.join("inside")).unwrap();
    let error = file.save(&filled(), &taken).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("taken` can't be written"), "{error}");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "the temporary file is gone");
    let error = file.save(&filled(), folder.path().join("none/jar")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(file.save(&filled(), "/").is_err() && file.save(&filled(), "").is_err());
    let error = file.load(&CookieJar::new(), folder.path().join("none")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("none` can't be read"), "{error}");
}

#[test]
fn a_file_without_end_is_refused() {
    let error = CookieFile::netscape().read(&CookieJar::new(), std::io::repeat(b'\n')).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}
