//! The origin of the last URL that was typed on this thread.
//!
//! Programs ask one origin for many paths, and scheme, host and port are what is dear in a URL: to
//! parse `http://127.0.0.1:8080/path` takes 6,800 instructions, to resolve `/path` against an origin
//! that is parsed takes 1,700.

use std::cell::RefCell;

use url::Url;

/// An origin longer than this is not remembered; host names end at 253.
const MOST: usize = 300;

thread_local! {
    static LAST: RefCell<Option<Origin>> = const { RefCell::new(None) };
}

struct Origin {
    /// `http://host:port`, without a user.
    typed: Box<str>,
    /// The same, with the path `/`.
    root: Url,
}

/// The URL of a text that begins with the last origin and goes on with a path, and that path.
pub(super) fn resolve(text: &str) -> Option<(Url, &str)> {
    let resolve = |last: &RefCell<Option<Origin>>| last.borrow().as_ref()?.resolve(text);
    // No thread has it in its last moments.
    LAST.try_with(resolve).ok()?
}

/// Keeps the origin of a URL, as it was typed.
pub(super) fn remember(typed: &str, url: &Url) {
    if typed.len() > MOST {
        return;
    }
    let mut root = url.clone();
    root.set_path("/");
    root.set_query(None);
    root.set_fragment(None);
    let origin = Origin { typed: typed.into(), root };
    _ = LAST.try_with(|last| last.replace(Some(origin)));
}

impl Origin {
    fn resolve<'t>(&self, text: &'t str) -> Option<(Url, &'t str)> {
        let path = text.strip_prefix(&*self.typed)?;
        let after = path.strip_prefix('/')?;
        // With another slash, or what the standard takes for one, it would be an origin of its own.
        if after.starts_with(['/', '\\']) {
            return None;
        }
        Some((self.root.join(path).ok()?, path))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_path_of_that_origin_is_not_resolved() {
        remember("http://host", &Url::parse("http://host/secret?token=1#x").unwrap());
        for text in [
            "http://host",
            "http://host?q",
            "http://host#f",
            "http://host:80/",
            "http://hostile/",
            "http://host.example/",
            "http://host@other/",
            "http://host//other/",
            "http://host/\\other/",
            "https://host/",
            "HTTP://host/",
        ] {
            assert_eq!(resolve(text), None, "{text}");
        }
        let (url, path) = resolve("http://host/a?b#c").unwrap();
        assert_eq!((url.as_str(), path), ("http://host/a?b#c", "/a?b#c"));
        assert_eq!(resolve("http://host/").unwrap().0.as_str(), "http://host/");
    }

    #[test]
    fn the_last_origin_counts_and_long_ones_do_not() {
        remember("http://one", &Url::parse("http://one/").unwrap());
        remember("http://Two:80", &Url::parse("http://two/").unwrap());
        assert_eq!(resolve("http://one/"), None);
        assert_eq!(resolve("http://Two:80/x").unwrap().0.as_str(), "http://two/x");
        let long = format!("http://{}", "a".repeat(MOST));
        remember(&long, &Url::parse(&long).unwrap());
        assert_eq!(resolve(&format!("{long}/")), None);
    }

    proptest! {
        #[test]
        fn what_is_resolved_is_what_is_parsed(
            origin in prop::sample::select(vec![
                "http://127.0.0.1:8080", "HTTPS://Example.ORG", "http://[::1]:81", "http://0x7f.1",
                "http://b\u{fc}cher.example:80",
            ]),
            path in "/[a-z./\\\\%25?#:@ \u{e9}\"<>{}|^`\\[\\]-]{0,24}",
        ) {
            remember(origin, &Url::parse(origin).unwrap());
            let text = format!("{origin}{path}");
            if let Some((url, rest)) = resolve(&text) {
                prop_assert_eq!(rest, path);
                prop_assert_eq!(url, Url::parse(&text).unwrap());
            }
        }
    }
}
