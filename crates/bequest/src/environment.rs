//! What the environment of the process says.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use url::Url;

use crate::auth::{Basic, Netrc};
use crate::net::tls::Verify;
use crate::proxy::Proxies;
use crate::trace;

/// Files with CA certificates, or directories of them; the first one that is said and not empty.
const BUNDLES: [&str; 2] = ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"];
/// Where the user's folder is.
const HOMES: &[&str] = if cfg!(windows) { &["HOME", "USERPROFILE"] } else { &["HOME"] };
/// The most that a netrc file may have, in bytes; one that is larger is none.
const LARGEST_NETRC: u64 = 1 << 20;

/// Read at its first use, once for a session and its clones; reading it for each request would
/// cost more than the request, and change under its feet.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    bundle: Once<Option<Verify>>,
    netrc: Once<Netrc>,
    proxies: Once<Proxies>,
}

impl Environment {
    /// How the server of a URL is verified, if that is said.
    pub(crate) fn verify(&self, url: &Url) -> Option<Verify> {
        // Others have no certificate, and should not read anything.
        if url.scheme() != "https" {
            return None;
        }
        self.bundle.ask(|| bundle(variable), Option::clone)
    }

    /// The credentials that .netrc has for the URL that a caller named.
    pub(crate) fn credentials(&self, url: &Url) -> Option<Basic> {
        self.ask_netrc(url, Netrc::find)
    }

    /// The same for a URL that a redirect named: who answers must have proved to be that host, and
    /// its own entry must be meant. The default one is for those whom the caller names.
    pub(crate) fn credentials_elsewhere(&self, url: &Url) -> Option<Basic> {
        let is_proved = url.scheme() == "https";
        is_proved.then(|| self.ask_netrc(url, Netrc::find_machine)).flatten()
    }

    /// Which proxies there are.
    pub(crate) fn proxies(&self) -> Proxies {
        self.proxies.ask(|| Proxies::from_environment(variable), Proxies::clone)
    }

    /// Reads it again at its next use.
    pub(crate) fn reload(&self) {
        self.proxies.forget();
        self.bundle.forget();
        self.netrc.forget();
    }

    fn ask_netrc(&self, url: &Url, find: fn(&Netrc, &str) -> Option<Basic>) -> Option<Basic> {
        // Never text before an `@`, which only looks like a host (CVE-2024-47081).
        let host = url.host_str().filter(|host| !host.is_empty())?;
        self.netrc.ask(
            || netrc(variable).unwrap_or_default(),
            |netrc| if netrc.is_empty() { None } else { find(netrc, host) },
        )
    }
}

/// What is read at its first use.
#[derive(Debug)]
struct Once<T>(Mutex<Option<T>>);

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T> Once<T> {
    fn ask<R>(&self, read: impl FnOnce() -> T, answer: impl FnOnce(&T) -> R) -> R {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answer(known.get_or_insert_with(read))
    }

    fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

fn variable(name: &str) -> Option<OsString> {
    env::var_os(name)
}

/// An empty variable says nothing: it never means that nothing is verified.
fn bundle(variable: impl Fn(&str) -> Option<OsString>) -> Option<Verify> {
    let said = |name: &&str| variable(name).filter(|value| !value.is_empty());
    BUNDLES.iter().find_map(said).map(Verify::bundle).or_else(|| {
        // As OpenSSL has it: both count, and the second one is a list.
        let file = said(&"SSL_CERT_FILE").map(PathBuf::from);
        let directories = said(&"SSL_CERT_DIR").unwrap_or_default();
        let directories = env::split_paths(&directories).filter(|path| *path != OsStr::new(""));
        file.into_iter().chain(directories).map(Verify::bundle).reduce(Verify::and)
    })
}

/// The user's netrc file; one that can't be read, or is malformed, is none, as it is for Requests.
/// One that others may read is used, and warned of.
fn netrc(variable: impl Fn(&str) -> Option<OsString>) -> Option<Netrc> {
    for path in netrc_paths(variable) {
        match read(&path) {
            Ok((text, others_may_read)) => {
                let netrc = Netrc::parse(&text);
                if others_may_read && netrc.as_ref().is_some_and(|netrc| !netrc.is_empty()) {
                    trace::warn(format_args!(
                        "the passwords in {path:?} can be read by other users: `chmod 600` keeps \
                         them to yourself"
                    ));
                }
                return netrc;
            }
            Err(error) if is_missing(&error) => {}
            Err(_) => return None,
        }
    }
    None
}

/// The file that `NETRC` names, and no other; else the first of these that exists.
fn netrc_paths(variable: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let said = |name: &&str| variable(name).filter(|value| !value.is_empty());
    let home = HOMES.iter().find_map(said).map(PathBuf::from);
    let in_home = |name: &Path| home.as_ref().map(|home| home.join(name));
    match variable("NETRC").map(PathBuf::from) {
        Some(path) => {
            let of_home = path.strip_prefix("~").ok().and_then(in_home);
            vec![of_home.unwrap_or(path)]
        }
        None => [".netrc", "_netrc"].iter().filter_map(|name| in_home(Path::new(name))).collect(),
    }
}

/// The text of a file, and whether other users may read it.
fn read(path: &Path) -> io::Result<(String, bool)> {
    // An empty path is how `NETRC` says that there is none.
    if path == OsStr::new("") {
        return Err(ErrorKind::NotFound.into());
    }
    let mut bytes = Vec::new();
    let file = File::open(path)?;
    let others_may_read = is_open_to_others(&file.metadata()?);
    file.take(LARGEST_NETRC + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST_NETRC {
        return Err(ErrorKind::FileTooLarge.into());
    }
    // Older editors write ISO-8859-1.
    let text = String::from_utf8(bytes)
        .unwrap_or_else(|error| error.as_bytes().iter().map(|&byte| char::from(byte)).collect());
    Ok((text, others_may_read))
}

#[cfg(unix)]
fn is_open_to_others(file: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.permissions().mode() & 0o044 != 0
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Metadata) -> bool {
    false
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given<'a>(variables: &'a [(&str, &str)]) -> impl Fn(&str) -> Option<OsString> + 'a {
        |name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.into())
        }
    }

    #[test]
    fn a_netrc_file_has_a_mebibyte_at_most() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(1 << 20).unwrap();
        assert_eq!(read(file.path()).unwrap().0.len(), 1 << 20);
        file.as_file().set_len((1 << 20) + 1).unwrap();
        assert_eq!(read(file.path()).unwrap_err().kind(), ErrorKind::FileTooLarge);
        assert_eq!(read(Path::new("/dev/zero")).unwrap_err().kind(), ErrorKind::FileTooLarge);
    }

    #[test]
    fn the_first_variable_that_is_not_empty_counts() {
        let bundle = |variables: &[(&str, &str)]| bundle(given(variables));
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
        let directory = |list| ("SSL_CERT_DIR", list);
        assert_eq!(bundle(&[directory("/certs")]), Some(Verify::bundle("/certs")));
        assert_eq!(bundle(&[directory("/certs"), curl]), Some(Verify::bundle("/curl.pem")));
        let all = Verify::bundle("/ssl.pem").and(Verify::bundle("/a")).and(Verify::bundle("/b"));
        assert_eq!(bundle(&[directory("/a::/b"), ssl]), Some(all));
        assert_eq!(bundle(&[directory(""), ("SSL_CERT_FILE", "")]), None);
        assert_eq!(bundle(&[directory(":")]), None);
    }

    #[test]
    fn where_a_netrc_file_may_be() {
        for (variables, expected) in [
            (&[][..], &[][..]),
            (&[("HOME", "")], &[]),
            (&[("HOME", "/h")], &["/h/.netrc", "/h/_netrc"]),
            (&[("HOME", "/h"), ("NETRC", "/n")], &["/n"]),
            (&[("HOME", "/h"), ("NETRC", "~/n")], &["/h/n"]),
            (&[("HOME", "/h"), ("NETRC", "~other/n")], &["~other/n"]),
            (&[("NETRC", "~/n")], &["~/n"]),
            (&[("HOME", "/h"), ("NETRC", "")], &[""]),
        ] {
            let expected: Vec<PathBuf> = expected.iter().map(PathBuf::from).collect();
            assert_eq!(netrc_paths(given(variables)), expected, "{variables:?}");
        }
        assert_eq!(netrc(given(&[("NETRC", "")])), None);
    }

    #[cfg(unix)]
    #[test]
    fn what_has_no_end_is_no_netrc_file() {
        assert_eq!(netrc(given(&[("NETRC", "/dev/zero")])), None);
        assert_eq!(netrc(given(&[("NETRC", "/")])), None);
        assert_eq!(netrc(given(&[("NETRC", "/dev/null")])), Some(Netrc::default()));
    }
}
