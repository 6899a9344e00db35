//! What the environment of the process says.

use std::env;
use std::ffi::OsString;
use std::sync::{Arc, Mutex, MutexGuard};

use url::Url;

use crate::net::tls::Verify;

/// Files with CA certificates, the first one that is said and not empty.
const BUNDLES: [&str; 3] = ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"];

/// Read at its first use, once for a session and its clones; reading it for each request would
/// cost more than the request, and change under its feet.
#[derive(Debug, Default)]
pub(crate) struct Environment(Mutex<Option<Arc<Said>>>);

#[derive(Debug)]
struct Said {
    bundle: Option<Verify>,
}

impl Environment {
    /// How the server of a URL is verified, if that is said.
    pub(crate) fn verify(&self, url: &Url) -> Option<Verify> {
        // Others have no certificate, and should not read anything.
        if url.scheme() != "https" {
            return None;
        }
        self.said().bundle.clone()
    }

    /// Reads it again at its next use.
    pub(crate) fn reload(&self) {
        *self.lock() = None;
    }

    fn said(&self) -> Arc<Said> {
        Arc::clone(
            self.lock().get_or_insert_with(|| Arc::new(Said::read(|name| env::var_os(name)))),
        )
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Said>>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Said {
    /// An empty variable says nothing: it never means that nothing is verified.
    fn read(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let said = |name: &&str| variable(name).filter(|value| !value.is_empty());
        Self { bundle: BUNDLES.iter().find_map(said).map(Verify::bundle) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_not_empty_counts() {
        let bundle = |variables: &[(&str, &str)]| {
            let said = Said::read(|name| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| value.into())
            });
            said.bundle
        };
        let (requests, curl, ssl) = (
            ("REQUESTS_CA_BUNDLE", "/requests.pem"),
            ("CURL_CA_BUNDLE", "/curl.pem"),
            ("SSL_CERT_FILE", "/ssl.pem"),
        );
        assert_eq!(bundle(&[]), None);
        assert_eq!(bundle(&[ssl, curl, requests]), Some(Verify::bundle("/requests.pem")));
        assert_eq!(bundle(&[ssl, curl]), Some(Verify::bundle("/curl.pem")));
        assert_eq!(bundle(&[ssl]), Some(Verify::bundle("/ssl.pem")));
        assert_eq!(bundle(&[("REQUESTS_CA_BUNDLE", ""), curl]), Some(Verify::bundle("/curl.pem")));
        assert_eq!(bundle(&[("CURL_CA_BUNDLE", "")]), None, "nothing is switched off");
    }
}
