//! The roots that come with the crate.

use std::fmt::Write;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

/// The authorities that [`Verify::Yes`](crate::Verify::Yes) trusts where the environment says
/// nothing: Mozilla's list.
///
/// `cargo update -p webpki-root-certs` brings a newer list; no newer version of this crate is needed
/// for it.
///
/// ```
/// let roots = bequest::tls::default_roots();
/// println!("{} ({}): {}", roots.name(), roots.version(), roots.len());
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("roots.pem");
/// std::fs::write(&path, roots.to_pem())?; // for other programs, or to be edited
/// # assert!(bequest::Verify::from_pem(std::fs::read(&path)?).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct DefaultRoots(());

/// Which roots come with the crate.
pub fn default_roots() -> DefaultRoots {
    DefaultRoots(())
}

impl DefaultRoots {
    /// Whose list it is, and which crate it is from.
    pub fn name(&self) -> &'static str {
        "Mozilla's root certificates for servers, from webpki-root-certs"
    }

    /// What changes when the list does: 16 hexadecimal digits. `cargo tree -i webpki-root-certs`
    /// tells the version of the crate.
    pub fn version(&self) -> String {
        format!("{:016x}", fingerprint())
    }

    /// How many they are.
    #[expect(clippy::len_without_is_empty, reason = "it never is")]
    pub fn len(&self) -> usize {
        TLS_SERVER_ROOT_CERTS.len()
    }

    /// The certificates in DER, in no order.
    pub fn certificates(&self) -> impl Iterator<Item = &'static [u8]> {
        TLS_SERVER_ROOT_CERTS.iter().map(AsRef::as_ref)
    }

    /// All of them as PEM text.
    pub fn to_pem(&self) -> String {
        let mut pem = String::new();
        for certificate in self.certificates() {
            pem.push_str("-----BEGIN CERTIFICATE-----\n");
            let base64 = BASE64_STANDARD.encode(certificate);
            for line in base64.as_bytes().chunks(64) {
                // Base64 is ASCII, and writing to a String can't fail.
                let _ = writeln!(pem, "{}", String::from_utf8_lossy(line));
            }
            pem.push_str("-----END CERTIFICATE-----\n");
        }
        pem
    }
}

/// FNV-1a: it has to tell lists apart, not to withstand an attack.
fn fingerprint() -> u64 {
    let bytes = TLS_SERVER_ROOT_CERTS.iter().flat_map(|certificate| certificate.iter());
    bytes.fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::tls::Verify;

    #[test]
    fn the_list_is_told_and_written() {
        let roots = default_roots();
        assert!(roots.len() > 50 && roots.name().contains("Mozilla"));
        assert_eq!(roots.version().len(), 16);
        assert_eq!(roots.version(), default_roots().version());
        let pem = roots.to_pem();
        assert_eq!(pem.matches("BEGIN CERTIFICATE").count(), roots.len());
        assert!(pem.lines().all(|line| line.len() <= 64));
        let read = super::super::roots::roots(&Verify::from_pem(&pem).unwrap()).unwrap().unwrap();
        assert_eq!(read.len(), roots.len());
    }
}
