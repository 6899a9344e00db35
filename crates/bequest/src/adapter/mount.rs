//! Which adapter serves which URLs.

use std::fmt;
use std::sync::Arc;

use url::Url;

use super::{Adapter, HttpAdapter};
use crate::error::{Error, ErrorKind, Result};
use crate::secrets;

/// Adapters by prefix. Clones share the adapters, and so their connections, not the table.
#[derive(Clone)]
pub(crate) struct Mounts(Arc<Vec<Mount>>);

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
        Self(Arc::new(vec![mount("https://"), mount("http://")]))
    }

    /// Mounts an adapter; one that is mounted on the same prefix goes.
    pub(crate) fn mount(&mut self, prefix: String, adapter: Arc<dyn Adapter>) {
        let mounts = Arc::make_mut(&mut self.0);
        mounts.retain(|mount| !mount.prefix.eq_ignore_ascii_case(&prefix));
        // Longest first; of equal length, the earlier one first.
        let at = mounts.partition_point(|mount| mount.prefix.len() >= prefix.len());
        mounts.insert(at, Mount { prefix, adapter });
    }

    /// The adapter with the longest prefix that the URL has, without regard to case.
    pub(crate) fn find(&self, url: &Url) -> Result<&Arc<dyn Adapter>> {
        let found = self.0.iter().find(|mount| {
            let prefix = mount.prefix.as_bytes();
            let start = url.as_str().as_bytes().get(..prefix.len());
            // Nearly always it is the same case, too, which is cheaper to see.
            start.is_some_and(|start| start == prefix || start.eq_ignore_ascii_case(prefix))
        });
        found.map(|mount| &mount.adapter).ok_or_else(|| self.not_found(url))
    }

    /// Closes every adapter.
    pub(crate) fn close(&self) {
        for mount in self.0.iter() {
            mount.adapter.close();
        }
    }

    #[cold]
    fn not_found(&self, url: &Url) -> Error {
        let prefixes: Vec<&str> = self.0.iter().map(|mount| mount.prefix.as_str()).collect();
        Error::with(
            ErrorKind::InvalidSchema,
            format!("no adapter is mounted for `{}`", secrets::masked(url)),
        )
        .remedied(format!("mount one, or use a URL that begins with {}", prefixes.join(" or ")))
    }
}

impl fmt::Debug for Mounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|mount| &mount.prefix)).finish()
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
            mounts.mount((*prefix).to_owned(), Arc::clone(&adapter));
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
        table.mount("http://".to_owned(), Arc::clone(&second));
        let url = Url::parse("http://h/").unwrap();
        assert!(Arc::ptr_eq(table.find(&url).unwrap(), &second));
        assert!(Arc::ptr_eq(clone.find(&url).unwrap(), &first[0]));
    }
}
