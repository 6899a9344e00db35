//! Which adapter serves which URLs.

use std::fmt;
use std::sync::Arc;

use url::{Position, Url};

use super::pauses::Pauses;
use super::{Adapter, HttpAdapter};
use crate::crew::Crew;
use crate::error::{Error, ErrorKind, Result};
use crate::stats::Stats;
use crate::{secrets, trace};

/// Adapters by prefix. Clones share the adapters, and so their connections, not the table.
#[derive(Clone)]
pub(crate) struct Mounts(Arc<Table>);

#[derive(Clone)]
struct Table {
    mounts: Vec<Mount>,
    shared: Arc<Shared>,
}

/// What clones have together, whatever they mount.
#[derive(Default)]
struct Shared {
    /// Between tries that no adapter knows of.
    pauses: Pauses,
    /// For requests on other threads.
    crew: Crew,
}

#[derive(Clone)]
struct Mount {
    prefix: String,
    adapter: Arc<dyn Adapter>,
}

impl Mounts {
    /// One adapter for both `http://` and `https://`.
    pub(crate) fn new() -> Self {
        let adapter: Arc<dyn Adapter> = Arc::new(HttpAdapter::new());
        let mount =
            |prefix: &str| Mount { prefix: prefix.to_owned(), adapter: Arc::clone(&adapter) };
        let mounts = vec![mount("https://"), mount("http://")];
        Self(Arc::new(Table { mounts, shared: Arc::default() }))
    }

    /// Mounts an adapter, in place of the one that is mounted on the same prefix.
    pub(crate) fn mount(&mut self, prefix: &str, adapter: Arc<dyn Adapter>) {
        let prefix = as_in_urls(prefix);
        if is_cut_short(&prefix) {
            trace::warn(format_args!(
                "an adapter is mounted on `{}`, which is also the beginning of other hosts' URLs: \
                 end it with a slash",
                secrets::masked_text(&prefix)
            ));
        }
        if has_no_scheme(&prefix) {
            trace::warn(format_args!(
                "an adapter is mounted on `{}`, with which no URL begins: write a scheme before it",
                secrets::masked_text(&prefix)
            ));
        }
        let mounts = &mut Arc::make_mut(&mut self.0).mounts;
        let same = mounts.iter_mut().find(|mount| mount.prefix.eq_ignore_ascii_case(&prefix));
        if let Some(mount) = same {
            mount.adapter = adapter;
            return;
        }
        // Longest first; of equal length, the earlier one first.
        let at = mounts.partition_point(|mount| mount.prefix.len() >= prefix.len());
        mounts.insert(at, Mount { prefix, adapter });
    }

    /// Takes away what is mounted on exactly this prefix.
    pub(crate) fn unmount(&mut self, prefix: &str) -> Option<Arc<dyn Adapter>> {
        let prefix = as_in_urls(prefix);
        let mounts = &self.0.mounts;
        let at = mounts.iter().position(|mount| mount.prefix.eq_ignore_ascii_case(&prefix))?;
        Some(Arc::make_mut(&mut self.0).mounts.remove(at).adapter)
    }

    /// Prefixes and adapters, in the order in which they are tried.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Arc<dyn Adapter>)> {
        self.0.mounts.iter().map(|mount| (mount.prefix.as_str(), &mount.adapter))
    }

    /// The adapter with the longest prefix that the URL has, without regard to case.
    pub(crate) fn find(&self, url: &Url) -> Result<&Arc<dyn Adapter>> {
        let found = self.0.mounts.iter().find(|mount| {
            let prefix = mount.prefix.as_bytes();
            let start = url.as_str().as_bytes().get(..prefix.len());
            start.is_some_and(|start| is_same(start, prefix))
        });
        found.map(|mount| &mount.adapter).ok_or_else(|| self.not_found(url))
    }

    pub(crate) fn crew(&self) -> &Crew {
        &self.0.shared.crew
    }

    pub(crate) fn pauses(&self) -> &Pauses {
        &self.0.shared.pauses
    }

    /// What every adapter has done; one that is mounted twice counts once.
    pub(crate) fn stats(&self) -> Stats {
        let mut stats = Stats { retried: self.0.shared.pauses.count(), ..Stats::default() };
        for (at, mount) in self.0.mounts.iter().enumerate() {
            let before = &self.0.mounts[..at];
            if !before.iter().any(|other| Arc::ptr_eq(&other.adapter, &mount.adapter)) {
                stats += mount.adapter.stats();
            }
        }
        stats
    }

    /// Closes every adapter.
    pub(crate) fn close(&self) {
        self.0.shared.crew.close();
        self.0.shared.pauses.close();
        for mount in &self.0.mounts {
            mount.adapter.close();
        }
    }

    #[cold]
    fn not_found(&self, url: &Url) -> Error {
        let prefixes: Vec<&str> = self.0.mounts.iter().map(|mount| mount.prefix.as_str()).collect();
        Error::with(
            ErrorKind::InvalidSchema,
            format!("no adapter is mounted for `{}`", secrets::masked(url)),
        )
        .remedied(format!("mount one, or use a URL that begins with {}", prefixes.join(" or ")))
    }
}

/// The prefix as URLs are compared with it: a parsed URL goes without the port that its scheme
/// implies, and has the ASCII form of its host. A host that no slash ends may be but a part of one,
/// and stays as it is.
fn as_in_urls(prefix: &str) -> String {
    let Some((scheme, rest)) = prefix.split_once("://") else { return prefix.to_owned() };
    let Some(end) = rest.find('/').filter(|end| *end > 0) else { return prefix.to_owned() };
    let path = scheme.len() + 3 + end;
    match Url::parse(&prefix[..path]) {
        Ok(url) => url[..Position::BeforePath].to_owned() + &prefix[path..],
        Err(_) => prefix.to_owned(),
    }
}

/// Whether it names a host that nothing ends: `http://localhost` is the beginning of
/// `http://localhost.evil.example/` and of `http://localhost@evil.example/`.
fn is_cut_short(prefix: &str) -> bool {
    prefix.split_once("://").is_some_and(|(_, rest)| !rest.is_empty() && !rest.contains('/'))
}

/// Whether it begins with a host or a path, and so serves nothing: `example.org/`. A name without a
/// dot may be a scheme, or the beginning of one.
fn has_no_scheme(prefix: &str) -> bool {
    let scheme = prefix.split(':').next().unwrap_or_default();
    scheme.contains(['.', '/', '[', '@']) || scheme.starts_with(|c: char| c.is_ascii_digit())
}

/// Without regard to case. Most differ at their ends, and the others are nearly always the same in
/// case, too, which is cheaper to see.
fn is_same(start: &[u8], prefix: &[u8]) -> bool {
    let end = |text: &[u8]| text.last().map(u8::to_ascii_lowercase);
    end(start) == end(prefix) && (start == prefix || start.eq_ignore_ascii_case(prefix))
}

impl fmt::Debug for Mounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.mounts.iter().map(|mount| &mount.prefix)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::adapter_fn;
    use super::*;
    use crate::response::Response;

    fn mounts(prefixes: &[&str]) -> (Mounts, Vec<Arc<dyn Adapter>>) {
        let mut mounts = Mounts::new();
        let mut adapters = Vec::new();
        for prefix in prefixes {
            let adapter: Arc<dyn Adapter> =
                Arc::new(adapter_fn(|_, _| Response::builder().build()));
            mounts.mount(prefix, Arc::clone(&adapter));
            adapters.push(adapter);
        }
        (mounts, adapters)
    }

    #[test]
    fn the_longest_prefix_wins_without_regard_to_case() {
        let (mounts, own) = mounts(&["http://a.example/", "HTTP://A.example/Deep", "mock://"]);
        let found = |url: &str| mounts.find(&Url::parse(url).unwrap()).unwrap().clone();
        assert!(Arc::ptr_eq(&found("http://a.example/x"), &own[0]));
        assert!(Arc::ptr_eq(&found("http://a.example/deep/x"), &own[1]));
        assert!(Arc::ptr_eq(&found("mock://x"), &own[2]));
        let default = found("http://b.example/");
        assert!(own.iter().all(|adapter| !Arc::ptr_eq(adapter, &default)));
        let error = mounts.find(&Url::parse("ftp://h/").unwrap()).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidSchema);
        assert!(error.to_string().contains("`ftp://h/`"), "{error}");
    }

    #[test]
    fn mounting_again_replaces_and_leaves_clones_alone() {
        let (mut table, first) = mounts(&["http://"]);
        let clone = table.clone();
        let second: Arc<dyn Adapter> = Arc::new(adapter_fn(|_, _| Response::builder().build()));
        table.mount("HTTP://", Arc::clone(&second));
        let url = Url::parse("http://h/").unwrap();
        assert!(Arc::ptr_eq(table.find(&url).unwrap(), &second));
        assert!(Arc::ptr_eq(clone.find(&url).unwrap(), &first[0]));
    }
    #[test]
    fn the_table_has_an_order() {
        let (mut table, own) = mounts(&["http://b/", "http://a/", "mock://", "http://a/deep", ""]);
        let listed = |table: &Mounts| -> Vec<String> {
            table.iter().map(|(prefix, _)| prefix.to_owned()).collect()
        };
        let all = ["http://a/deep", "http://b/", "http://a/", "https://", "http://", "mock://", ""];
        assert_eq!(listed(&table), all);
        // Mounted again, a prefix keeps its place.
        table.mount("http://b/", Arc::clone(&own[2]));
        assert_eq!(listed(&table), all);
        assert!(table.unmount("http://").is_some() && table.unmount("http://").is_none());
        let error = table.find(&Url::parse("http://c/").unwrap());
        assert!(Arc::ptr_eq(error.unwrap(), &own[4]), "the empty prefix is every URL's");
        assert!(table.unmount("").is_some_and(|adapter| Arc::ptr_eq(&adapter, &own[4])));
        assert!(table.find(&Url::parse("http://c/").unwrap()).is_err());
        assert_eq!(
            listed(&table),
            ["http://a/deep", "http://b/", "http://a/", "https://", "mock://"]
        );
    }

    #[test]
    fn a_prefix_is_written_as_urls_are() {
        for (prefix, as_in_urls) in [
            ("http://example.org:80/a b", "http://example.org/a b"),
            ("https://Example.ORG:443/", "https://example.org/"),
            ("https://example.org:80/", "https://example.org:80/"),
            ("http://b\u{fc}cher.example/", "http://xn--bcher-kva.example/"),
            ("http://[0:0::1]/", "http://[::1]/"),
            // A part of a host, or no host at all.
            ("http://example.org:80", "http://example.org:80"),
            ("http://", "http://"),
            ("mock:", "mock:"),
            ("http://[/", "http://[/"),
            ("mock:///x", "mock:///x"),
            ("", ""),
        ] {
            assert_eq!(super::as_in_urls(prefix), as_in_urls);
        }
    }

    #[test]
    fn a_host_wants_a_slash() {
        for prefix in ["http://localhost", "https://example.org:8080", "mock://x"] {
            assert!(is_cut_short(prefix), "{prefix}");
        }
        for prefix in ["http://localhost/", "http://", "mock:", "mock:x", "http://h/deep", ""] {
            assert!(!is_cut_short(prefix), "{prefix}");
        }
    }

    #[test]
    fn a_host_without_a_slash_is_the_beginning_of_others() {
        let (mounts, own) = mounts(&["http://localhost", "http://safe/"]);
        let is = |url: &str, at: usize| {
            Arc::ptr_eq(mounts.find(&Url::parse(url).unwrap()).unwrap(), &own[at])
        };
        assert!(is("http://localhost/", 0) && is("http://localhost:81/", 0));
        assert!(is("http://localhost.evil.example/", 0), "as Requests has it");
        assert!(is("http://safe/x", 1) && is("http://safe:80/", 1));
        assert!(!is("http://safe.evil.example/", 1) && !is("http://safe@evil.example/", 1));
    }
}
