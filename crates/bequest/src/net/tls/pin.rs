//! Pins: public keys by their hash.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::error::{Error, ErrorKind, Phase, Result};

/// SHA-256 of a `SubjectPublicKeyInfo`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Pin(pub(super) [u8; 32]);

impl Pin {
    /// From `sha256/` and base64, or from hexadecimal digits.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let hash = match text.strip_prefix("sha256/") {
            Some(base64) => BASE64_STANDARD.decode(base64.trim_start_matches('/')).ok(),
            None => from_hex(text),
        };
        hash.and_then(|hash| hash.try_into().ok()).map(Self).ok_or_else(|| {
            Error::with(ErrorKind::Tls, format!("`{text}` is no pin"))
                .during(Phase::Prepare)
                .remedied("write `sha256/` and the base64 of the SHA-256 of the public key, or 64 hexadecimal digits")
        })
    }

    pub(super) fn missing() -> Error {
        Error::with(ErrorKind::Tls, "without a pin no server is accepted")
            .during(Phase::Prepare)
            .remedied("give at least one, better two")
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256/{}", BASE64_STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Digits as openssl writes them, with or without colons.
fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .filter(|&sign| sign != ':')
        .map(|sign| sign.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let pairs = digits?;
    Some(pairs.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
        .filter(|_| pairs.len() == 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_written_in_several_ways() {
        let base64 = "sha256/AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        let pin = Pin::parse(base64).unwrap();
        assert_eq!(pin.0, std::array::from_fn(|at| u8::try_from(at).unwrap()));
        assert_eq!(pin.to_string(), base64);
        let hex = "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";
        let colons: Vec<&str> = (0..32).map(|at| &hex[2 * at..2 * at + 2]).collect();
        for same in [&base64.replace('/', "//"), hex, &colons.join(":")] {
            assert_eq!(Pin::parse(same).unwrap(), pin, "{same}");
        }
        for none in
            ["", "sha256/", "sha256/AAEC", "sha1/AAEC", "00", &hex[1..], &hex.replace('0', "g")]
        {
            let error = Pin::parse(none).unwrap_err();
            assert!(error.remedy().is_some(), "{none}");
        }
    }
}
