//! What a response links to: the Link field (RFC 8288).

use url::Url;

/// So many bytes of URLs are made: a server may send very many links, each of them short, to be
/// resolved against a long URL.
const MOST_URLS: usize = 1 << 20;

/// The links of a response, in order ([`Response::links`](crate::Response::links)): as many as have
/// a mebibyte of URLs.
///
/// ```
/// # use bequest::Response;
/// let r = Response::builder()
///     .header("Link", r#"</things?page=2>; rel="next", </things?page=9>; rel=last"#)
///     .url("https://api.example.org/things".parse()?)
///     .build()?;
/// let next = r.links().get("next").map(|link| link.url().to_owned());
/// assert_eq!(next.as_deref(), Some("https://api.example.org/things?page=2"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links(Vec<Link>);

/// One link: where to, and what is said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    target: String,
    url: Option<Url>,
    params: Vec<(String, String)>,
}

impl Links {
    /// The links of several fields; their targets are relative to `base`.
    pub(super) fn parse<'a>(fields: impl Iterator<Item = &'a str>, base: &Url) -> Self {
        let (mut links, mut room) = (Vec::new(), MOST_URLS);
        for field in fields {
            let mut rest = field;
            while let Some((link, after)) = parse_link(rest, base) {
                let Some(left) = room.checked_sub(link.url().len()) else { break };
                room = left;
                links.push(link);
                rest = after;
            }
        }
        Self(links)
    }

    /// The first link with that relation, whose case does not matter; of those without a relation,
    /// the one with that target, as in Requests.
    pub fn get(&self, key: &str) -> Option<&Link> {
        self.0.iter().find(|link| match link.param("rel") {
            Some(_) => link.relations().any(|relation| relation.eq_ignore_ascii_case(key)),
            None => link.target == key,
        })
    }

    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Link> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> IntoIterator for &'a Links {
    type Item = &'a Link;
    type IntoIter = std::slice::Iter<'a, Link>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Link {
    /// Where it leads: resolved against the URL of the response; as it was sent, if that is no URL.
    pub fn url(&self) -> &str {
        self.url.as_ref().map_or(&self.target, Url::as_str)
    }

    /// Where it leads, as it was sent.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Its relations, as `next` or `last`: one link may have several.
    pub fn relations(&self) -> impl Iterator<Item = &str> {
        self.param("rel").unwrap_or_default().split_ascii_whitespace()
    }

    /// The first parameter of that name, whose case does not matter.
    pub fn param(&self, name: &str) -> Option<&str> {
        let found = self.params.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// All parameters, in order.
    pub fn params(&self) -> impl Iterator<Item = (&str, &str)> {
        self.params.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// The next link, and what follows it. What is no link is skipped, up to the next one.
fn parse_link<'a>(text: &'a str, base: &Url) -> Option<(Link, &'a str)> {
    let (_, text) = text.split_once('<')?;
    let (target, mut rest) = text.split_once('>')?;
    let target = target.trim().to_owned();
    let mut params = Vec::new();
    loop {
        rest = rest.trim_start();
        let Some(after) = rest.strip_prefix(';') else { break };
        let end = after.find(['=', ';', ',']).unwrap_or(after.len());
        let name = after[..end].trim().to_owned();
        rest = &after[end..];
        let value = match rest.strip_prefix('=') {
            Some(after) => {
                let (value, after) = parse_value(after.trim_start());
                rest = after;
                value
            }
            None => String::new(),
        };
        if !name.is_empty() {
            params.push((name, value));
        }
    }
    let url = base.join(&target).ok();
    // Whatever stands before the comma is nobody's.
    let rest = rest.find(',').map_or("", |at| &rest[at + 1..]);
    Some((Link { target, url, params }, rest))
}

/// A token or a quoted string, and what follows it (RFC 9110, section 5.6).
fn parse_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([';', ',']).unwrap_or(text.len());
        return (text[..end].trim().to_owned(), &text[end..]);
    };
    let (mut value, mut escaped) = (String::new(), false);
    for (at, c) in quoted.char_indices() {
        match c {
            '"' if !escaped => return (value, &quoted[at + 1..]),
            '\\' if !escaped => escaped = true,
            c => {
                value.push(c);
                escaped = false;
            }
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(fields: &[&str]) -> Links {
        Links::parse(fields.iter().copied(), &Url::parse("http://h/a/b").unwrap())
    }

    #[test]
    fn github_pages() {
        let next = "https://api.github.com/users/k/repos?page=2&per_page=10";
        let last = "https://api.github.com/users/k/repos?page=7&per_page=10";
        let links = links(&[&format!(r#"<{next}>; rel="next", <{last}>; rel="last""#)]);
        assert_eq!(links.len(), 2);
        assert_eq!(links.get("next").map(Link::url), Some(next));
        assert_eq!(links.get("LAST").map(Link::url), Some(last));
        assert_eq!(links.get("prev"), None);
    }

    #[test]
    fn what_is_said_of_a_link() {
        let links = links(&[
            r#"<c>; rel="next prev"; title="a, b; \"c\" <d>"; Type = text/html ; flag;x="#,
            "</>; rel=up,<http:>;rel=odd",
            "<plain>",
        ]);
        let link = links.get("prev").unwrap();
        assert_eq!((link.target(), link.url()), ("c", "http://h/a/c"));
        let params: Vec<_> = link.params().collect();
        assert_eq!(
            params,
            [
                ("rel", "next prev"),
                ("title", r#"a, b; "c" <d>"#),
                ("Type", "text/html"),
                ("flag", ""),
                ("x", "")
            ]
        );
        assert_eq!(links.get("up").map(Link::url), Some("http://h/"));
        assert_eq!(links.get("plain").map(Link::url), Some("http://h/a/plain"));
        assert_eq!(links.get("plain").map(|link| link.relations().count()), Some(0));
        assert_eq!(links.iter().count(), 4);
    }

    #[test]
    fn many_links_to_a_long_url_are_not_all_kept() {
        let base = Url::parse(&format!("http://h/{}", "x".repeat(50_000))).unwrap();
        let links = Links::parse(["<>,".repeat(30_000).as_str()].into_iter(), &base);
        let memory: usize = links.iter().map(|link| link.url().len()).sum();
        assert!((MOST_URLS - 60_000..=MOST_URLS).contains(&memory), "{memory}");
        let few = Links::parse(["<>,".repeat(3000).as_str()].into_iter(), &base.join("/").unwrap());
        assert_eq!(few.len(), 3000);
    }

    #[test]
    fn what_is_no_link_is_skipped() {
        for field in ["", "<", "<a", "a>", ";rel=next", ",,,", "rel=next", "\u{e9}"] {
            assert!(links(&[field]).is_empty(), "{field}");
        }
        // What is broken ends with the next comma that no quotes hold; the rest counts.
        for (field, targets) in [
            ("junk, <a>; rel=x", vec!["a"]),
            ("<a>; rel=x junk, more", vec!["a"]),
            ("<a>;;;rel=x", vec!["a"]),
            ("<a>junk;rel=y, <b>;rel=x", vec!["a", "b"]),
            ("<a>; rel=\"x, <b>; rel=x", vec!["a"]),
        ] {
            let links = links(&[field]);
            let found: Vec<_> = links.iter().map(Link::target).collect();
            assert_eq!(found, targets, "{field}");
        }
        assert_eq!(links(&["<a>; rel=\"x"]).get("x").map(Link::target), Some("a"));
    }
}
