//! Certificate revocation lists.

use rustls_pki_types::CertificateRevocationListDer;
use rustls_pki_types::pem::PemObject;

use super::options::Crls;
use crate::error::{Error, ErrorKind, Phase, Result};

/// The lists in these texts, each DER or PEM, which may have several.
pub(crate) fn crls<'a>(texts: impl IntoIterator<Item = &'a [u8]>) -> Result<Crls> {
    let mut lists = Vec::new();
    for text in texts {
        let before = lists.len();
        // A sequence in DER; PEM is text.
        if text.first() == Some(&0x30) {
            add(&mut lists, text)?;
        } else {
            for list in CertificateRevocationListDer::pem_slice_iter(text) {
                add(&mut lists, &list.map_err(|error| unusable("is not PEM").because(error))?)?;
            }
        }
        if lists.len() == before {
            return Err(unusable("has no list"));
        }
    }
    Ok(Crls(lists.into()))
}

fn add(lists: &mut Vec<Box<[u8]>>, der: &[u8]) -> Result<()> {
    // What is kept is the text: each configuration reads it for itself.
    webpki::BorrowedCertRevocationList::from_der(der)
        .map_err(|error| unusable("can't be used").because(error))?;
    lists.push(der.into());
    Ok(())
}

fn unusable(what: &str) -> Error {
    Error::with(ErrorKind::Tls, format!("a certificate revocation list {what}"))
        .during(Phase::Prepare)
        .remedied("`crls` takes lists in PEM (`BEGIN X509 CRL`) or DER")
}
