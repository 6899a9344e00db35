//! The operating system's authorities.

use std::path::PathBuf;

use rustls::RootCertStore;

use crate::error::{Error, ErrorKind, Phase, Result};

/// Where systems keep all of them in one file: Debian, Fedora, openSUSE, RHEL, Alpine and the BSDs.
#[cfg(all(feature = "system-roots", not(target_vendor = "apple")))]
const BUNDLES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
];

/// The file, or the directory where there is none, if there is one at all.
#[cfg(all(feature = "system-roots", not(target_vendor = "apple")))]
pub(super) fn paths() -> Vec<PathBuf> {
    let bundle = BUNDLES.iter().map(PathBuf::from).find(|path| path.is_file());
    let directory = || Some(PathBuf::from("/etc/ssl/certs")).filter(|path| path.is_dir());
    bundle.or_else(directory).into_iter().collect()
}

#[cfg(not(all(feature = "system-roots", not(target_vendor = "apple"))))]
pub(super) fn paths() -> Vec<PathBuf> {
    Vec::new()
}

#[cfg(all(feature = "system-roots", not(target_vendor = "apple")))]
pub(super) fn add(roots: &mut RootCertStore) -> Result<()> {
    use rustls_pki_types::CertificateDer;
    use rustls_pki_types::pem::PemObject;

    let before = roots.len();
    for path in paths() {
        // What the system keeps and we can't use is not the user's fault, nor is it needed.
        for file in super::roots::files(&path)? {
            let pem = super::roots::read(&file).map_err(|error| missing().because(error))?;
            let certificates = CertificateDer::pem_slice_iter(&pem).flatten();
            roots.add_parsable_certificates(certificates);
        }
    }
    if roots.len() == before { Err(missing()) } else { Ok(()) }
}

#[cfg(all(feature = "system-roots", target_vendor = "apple"))]
pub(super) fn add(roots: &mut RootCertStore) -> Result<()> {
    let found = rustls_native_certs::load_native_certs();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    match found.errors.into_iter().next() {
        Some(error) if added == 0 => Err(missing().because(error)),
        _ if added == 0 => Err(missing()),
        _ => Ok(()),
    }
}

#[cfg(not(feature = "system-roots"))]
pub(super) fn add(_: &mut RootCertStore) -> Result<()> {
    Err(Error::with(ErrorKind::Unsupported, "the operating system's authorities can't be read")
        .during(Phase::Prepare)
        .remedied("build bequest with its feature `system-roots`"))
}

#[cfg(feature = "system-roots")]
fn missing() -> Error {
    Error::with(ErrorKind::Tls, "this system has no certificates of authorities")
        .during(Phase::Prepare)
        .remedied(
            "install them (Debian: `ca-certificates`), or use those of the crate: `Verify::Yes`",
        )
}

#[cfg(all(test, feature = "system-roots"))]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_has_is_found_or_missed() {
        let mut roots = RootCertStore::empty();
        match add(&mut roots) {
            Ok(()) => assert!(!roots.is_empty()),
            Err(error) => assert!(error.remedy().is_some() && roots.is_empty(), "{error}"),
        }
    }
}
