//! Roots: certificates that are trusted, from wherever they are.

use std::collections::HashSet;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

use super::system;
use super::verify::Verify;
use crate::error::{Error, ErrorKind, Phase, Result};

/// The most that one file may have, in bytes: what is larger is no file of certificates.
pub(super) const LARGEST: u64 = 16 << 20;

/// Device, inode, size and time of change.
pub(super) type FileState = (u64, u64, u64, i64, i64);

/// The roots to trust; `None` trusts anybody.
pub(super) fn roots(verify: &Verify) -> Result<Option<RootCertStore>> {
    if verify.is_off() {
        return Ok(None);
    }
    let mut roots = RootCertStore::empty();
    for source in verify.roots() {
        add(&mut roots, source)?;
    }
    Ok(Some(roots))
}

fn add(roots: &mut RootCertStore, source: &Verify) -> Result<()> {
    match source {
        Verify::Yes => {
            let (_, unusable) =
                roots.add_parsable_certificates(TLS_SERVER_ROOT_CERTS.iter().cloned());
            debug_assert_eq!(unusable, 0);
            Ok(())
        }
        Verify::System => system::add(roots),
        Verify::Pem(pem) => parse(roots, pem, "the PEM text given to `verify`"),
        Verify::Bundle(path) => {
            let before = roots.len();
            for file in files(path)? {
                let pem = read(&file).map_err(|error| unreadable(&file, error))?;
                // A directory may have other files, too.
                if file == **path || has_certificate(&pem) {
                    parse(roots, &pem, &format!("`{}`", file.display()))?;
                }
            }
            let is_none = roots.len() == before;
            if is_none {
                Err(unusable(&format!("`{}`", path.display()), "has no certificate"))
            } else {
                Ok(())
            }
        }
        Verify::No | Verify::Rules(_) => Ok(()),
    }
}

/// Refuses text without a certificate.
pub(super) fn check_pem(pem: &[u8]) -> Result<()> {
    parse(&mut RootCertStore::empty(), pem, "the PEM text")
}

/// Adds the certificates in PEM text, of which there must be at least one.
pub(super) fn parse(roots: &mut RootCertStore, pem: &[u8], source: &str) -> Result<()> {
    let mut is_empty = true;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate =
            certificate.map_err(|error| unusable(source, "is not PEM").because(error))?;
        roots.add(certificate).map_err(|error| {
            unusable(source, "has a certificate that can't be a root").because(error)
        })?;
        is_empty = false;
    }
    if is_empty { Err(unusable(source, "has no certificate")) } else { Ok(()) }
}

fn has_certificate(pem: &[u8]) -> bool {
    CertificateDer::pem_slice_iter(pem).next().is_some()
}

fn unusable(source: &str, what: &str) -> Error {
    Error::with(ErrorKind::Tls, format!("{source} {what}"))
        .during(Phase::Prepare)
        .remedied("`verify` takes CA certificates in PEM form")
}

/// The states of all files that it names: when one changes, it is another setting.
pub(super) fn states(verify: &Verify) -> Result<Vec<FileState>> {
    let mut states = Vec::new();
    for source in verify.roots() {
        let paths = match source {
            Verify::Bundle(path) => vec![PathBuf::from(&**path)],
            Verify::System => system::paths(),
            _ => continue,
        };
        for path in paths {
            add_states(&mut states, &path).map_err(|error| unreadable(&path, error))?;
        }
    }
    Ok(states)
}

fn add_states(states: &mut Vec<FileState>, path: &Path) -> io::Result<()> {
    let metadata = fs::metadata(path)?;
    states.push(file_state(&metadata));
    if metadata.is_dir() {
        for (_, metadata) in entries(path)? {
            states.push(file_state(&metadata));
        }
    }
    Ok(())
}

pub(super) fn file_state(metadata: &Metadata) -> FileState {
    (metadata.dev(), metadata.ino(), metadata.size(), metadata.mtime(), metadata.mtime_nsec())
}

/// The file itself, or those in the directory, each once: links to the same file are usual there.
pub(super) fn files(path: &Path) -> Result<Vec<PathBuf>> {
    let failed = |error| unreadable(path, error);
    if !fs::metadata(path).map_err(failed)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut seen = HashSet::new();
    let entries = entries(path).map_err(failed)?.into_iter();
    let files = entries.filter(|(_, file)| seen.insert((file.dev(), file.ino())));
    Ok(files.map(|(path, _)| path).collect())
}

/// The regular files of a directory, by name; a link that leads nowhere is none.
fn entries(directory: &Path) -> io::Result<Vec<(PathBuf, Metadata)>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => entries.push((path, metadata)),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    entries.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    Ok(entries)
}

pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

fn unreadable(path: &Path, error: io::Error) -> Error {
    Error::with(ErrorKind::Tls, format!("the CA bundle `{}` can't be read", path.display()))
        .during(Phase::Prepare)
        .because(error)
        .remedied("check the path that was given to `verify`, or that the environment names")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(verify: &Verify) -> Option<usize> {
        roots(verify).unwrap().map(|roots| roots.len())
    }

    #[test]
    fn what_is_too_large_for_certificates_is_not_read_to_its_end() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(16 << 20).unwrap();
        assert_eq!(read(file.path()).unwrap().len(), 16 << 20);
        file.as_file().set_len((16 << 20) + 1).unwrap();
        assert_eq!(read(file.path()).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(read(Path::new("/dev/zero")).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn a_bundle_replaces_the_roots_of_the_crate_unless_they_are_asked_for() {
        let own = testbed::Testbed::start();
        let bundle = Verify::bundle(own.ca_file());
        let all = count(&Verify::Yes).unwrap();
        assert!(all > 50);
        assert_eq!(all, TLS_SERVER_ROOT_CERTS.len());
        assert_eq!(count(&Verify::No), None);
        assert_eq!(count(&bundle), Some(1));
        assert_eq!(count(&Verify::Pem(own.ca_pem().as_bytes().into())), Some(1));
        assert_eq!(count(&bundle.and_default()), Some(all + 1));
    }

    #[test]
    fn a_directory_is_all_certificates_in_it() {
        let (one, two) = (testbed::Testbed::start(), testbed::Testbed::start());
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let verify = Verify::bundle(folder.path());
        assert!(roots(&verify).unwrap_err().to_string().contains("has no certificate"));
        fs::write(path("one.pem"), one.ca_pem()).unwrap();
        fs::write(path("README"), "not a certificate").unwrap();
        fs::create_dir(path("deeper")).unwrap();
        std::os::unix::fs::symlink("one.pem", path("0a1b2c3d.0")).unwrap();
        std::os::unix::fs::symlink("nowhere", path("dead.0")).unwrap();
        assert_eq!(count(&verify), Some(1));
        let before = states(&verify).unwrap();
        assert_eq!(states(&verify).unwrap(), before);
        fs::write(path("two.crt"), two.ca_pem()).unwrap();
        assert_eq!(count(&verify), Some(2));
        assert_ne!(states(&verify).unwrap(), before);
        // What is damaged is not overlooked.
        fs::write(path("bad.pem"), "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n")
            .unwrap();
        let error = roots(&verify).unwrap_err().to_string();
        assert!(error.contains("bad.pem"), "{error}");
    }

    #[test]
    fn what_has_no_end_is_no_bundle() {
        let error = roots(&Verify::bundle("/dev/zero")).unwrap_err().to_string();
        assert!(error.contains("/dev/zero") && error.contains("too large"), "{error}");
    }
}
