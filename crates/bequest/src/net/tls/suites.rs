//! Cipher suites by name.

use rustls::SupportedCipherSuite;
use rustls::crypto::CryptoProvider;

use crate::error::{Error, ErrorKind, Result};

/// The numbers of these suites.
pub(crate) fn numbers<'a>(
    names: impl IntoIterator<Item = &'a str>,
    provider: &CryptoProvider,
) -> Result<Vec<u16>> {
    let mut numbers = Vec::new();
    for name in names {
        let number = number(name, provider)?;
        if !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    match numbers.is_empty() {
        false => Ok(numbers),
        true => Err(refused("no cipher suite is named".to_owned(), provider)),
    }
}

fn number(name: &str, provider: &CryptoProvider) -> Result<u16> {
    let known = provider.cipher_suites.iter().map(SupportedCipherSuite::suite);
    let found = known.clone().find(|suite| super::suite_name(*suite).eq_ignore_ascii_case(name));
    found.map(u16::from).ok_or_else(|| {
        let what = format!("there is no cipher suite `{}`", name.escape_debug());
        refused(what, provider)
    })
}

fn refused(what: String, provider: &CryptoProvider) -> Error {
    Error::with(ErrorKind::Unsupported, what)
        .remedied(format!("those that there are: {}", known(&provider.cipher_suites)))
}

/// The names of suites.
pub(super) fn known(suites: &[SupportedCipherSuite]) -> String {
    let names: Vec<String> = suites.iter().map(|suite| super::suite_name(suite.suite())).collect();
    names.join(", ")
}

/// The provider with these suites alone, in this order.
pub(super) fn restricted(provider: &CryptoProvider, numbers: &[u16]) -> CryptoProvider {
    let of = |number: &u16| {
        let suites = &provider.cipher_suites;
        suites.iter().find(|suite| u16::from(suite.suite()) == *number).copied()
    };
    CryptoProvider { cipher_suites: numbers.iter().filter_map(of).collect(), ..provider.clone() }
}
