//! The zone of an IPv6 address: which network interface it belongs to (RFC 4007, RFC 6874).

use std::net::Ipv6Addr;

use url::{Host, Url};

use super::into_url::invalid;
use crate::error::Result;

/// A zone, and the address that it was written behind: for no other it means anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Zone {
    address: Ipv6Addr,
    name: Box<str>,
}

impl Zone {
    /// Takes the zone out of a host with its port (`[fe80::1%25eth0]:80`, and `[fe80::1%eth0]:80`
    /// as people write it), and gives what is left; `None` where there is no zone.
    pub(super) fn split(text: &str, host: &str) -> Result<Option<(Self, String)>> {
        let Some(literal) = host.strip_prefix('[') else { return Ok(None) };
        let Some((literal, port)) = literal.split_once(']') else { return Ok(None) };
        let Some((address, name)) = literal.split_once('%') else { return Ok(None) };
        let name = name.strip_prefix("25").filter(|name| !name.is_empty()).unwrap_or(name);
        let Ok(parsed) = address.parse::<Ipv6Addr>() else { return Ok(None) };
        if name.is_empty() || !name.bytes().all(is_unreserved) {
            return Err(invalid(text, "the zone of its address is not the name of an interface")
                .remedied("write it as `[fe80::1%25eth0]`"));
        }
        let without = format!("[{address}]{port}");
        Ok(Some((Self { address: parsed, name: name.into() }, without)))
    }

    /// Its name, if the URL has the address that it is for.
    pub(super) fn of(&self, url: &Url) -> Option<&str> {
        (url.host() == Some(Host::Ipv6(self.address))).then_some(&self.name)
    }
}

/// RFC 6874 allows escapes too; no interface has such a name.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn split(host: &str) -> Option<(String, String)> {
        let split = Zone::split("", host).unwrap();
        split.map(|(zone, without)| (zone.name.into(), without))
    }

    #[test]
    fn zones_are_taken_out() {
        for (host, name, without) in [
            ("[fe80::1%25eth0]", "eth0", "[fe80::1]"),
            ("[fe80::1%eth0]:80", "eth0", "[fe80::1]:80"),
            ("[fe80::1%2525]:80", "25", "[fe80::1]:80"),
            ("[fe80::1%25]", "25", "[fe80::1]"),
            ("[fe80::1%2]", "2", "[fe80::1]"),
        ] {
            assert_eq!(split(host), Some((name.into(), without.into())), "{host}");
        }
        for host in ["", "h:80", "[fe80::1]", "[fe80::1", "h%40", "[no%25zone]"] {
            assert_eq!(split(host), None, "{host}");
        }
    }

    #[test]
    fn what_no_interface_is_called_is_refused() {
        for authority in
            ["[fe80::1%]", "[fe80::1%25a%2fb]", "[fe80::1%25a/b]", "[fe80::1%25\u{e9}]"]
        {
            let error = Zone::split("http://x/", authority).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidUrl, "{authority}");
        }
    }

    #[test]
    fn a_zone_is_for_its_address_alone() {
        let (zone, _) = Zone::split("", "[fe80::1%25eth0]").unwrap().unwrap();
        let of = |url| zone.of(&Url::parse(url).unwrap()).map(str::to_owned);
        assert_eq!(of("http://[fe80:0::1]:80/x").as_deref(), Some("eth0"));
        assert_eq!(of("http://[fe80::2]/"), None);
        assert_eq!(of("http://h/"), None);
    }
}
