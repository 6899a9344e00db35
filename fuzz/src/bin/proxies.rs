//! URLs of proxies, which are read as they are written again; and lists of hosts that go without one,
//! which mean what a plain second reading says. One on a line: the URL, the list, and who is asked for.
#![no_main]

use std::net::IpAddr;

use bequest::Url;
use bequest::fuzzing::{goes_directly, proxy_url};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    let mut lines = text.splitn(3, '\n');
    let mut line = || lines.next().unwrap_or_default();
    check_proxy(line());
    let list = line();
    let Ok(url) = Url::parse(line()) else { return };
    if url.has_host() {
        assert_eq!(goes_directly(list, &url), plain(list, &url), "{list:?} {url}");
    }
});

fn check_proxy(text: &str) {
    let read = match proxy_url(text) {
        Ok(read) => read,
        Err(error) => {
            let shown = error.to_string();
            assert!(!shown.contains(char::is_control), "{shown:?}");
            assert!(error.remedy().is_some() || !shown.is_empty());
            return;
        }
    };
    assert!(read.port != 0 && !read.host.is_empty());
    assert!(
        !read.host.contains(|c: char| c.is_whitespace() || c.is_control() || "/@?#\\".contains(c))
    );
    let escaped = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    let user = match &read.credentials {
        None => String::new(),
        Some((user, password)) => format!("{}:{}@", escaped(user), escaped(password)),
    };
    let again = format!("{}://{user}{}:{}", read.scheme, read.host, read.port);
    // An empty user without a password is nobody.
    let nobody = Some((String::new(), String::new()));
    match proxy_url(&again) {
        Ok(again) if read.credentials == nobody => assert_eq!(again.credentials, None),
        again => assert_eq!(again.ok(), Some(read)),
    }
}

/// The rules again, entry by entry, on text where that can be.
fn plain(list: &str, url: &Url) -> bool {
    let port = url.port_or_known_default();
    let text = url.host_str().unwrap_or_default().to_ascii_lowercase();
    let address = if is_name(url) { None } else { literal(&text) };
    list.split(|c: char| c == ',' || c.is_whitespace()).any(|entry| match address {
        _ if entry == "*" => true,
        Some(address) => is_at(entry, address, port),
        None => is_named(entry, text.strip_suffix('.').unwrap_or(&text), port),
    })
}

fn is_name(url: &Url) -> bool {
    url.domain().is_some()
}

fn literal(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    bare.unwrap_or(text).parse().ok()
}

fn number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn is_at(entry: &str, address: IpAddr, port: Option<u16>) -> bool {
    if let Some(same) = literal(entry) {
        return is_within(address, same, u32::MAX);
    }
    if let Some((network, bits)) = entry.split_once('/') {
        let (Some(network), Some(bits)) = (literal(network), number(bits)) else { return false };
        return bits as usize <= bits_of(network).len() && is_within(address, network, bits);
    }
    let Some((host, wanted)) = entry.rsplit_once(':') else { return false };
    let (Some(same), Some(wanted)) = (literal(host), number(wanted)) else { return false };
    let is_clear = same.is_ipv4() || host.starts_with('[');
    is_clear && port.map(u32::from) == Some(wanted) && is_within(address, same, u32::MAX)
}

fn is_within(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    let address = if network.is_ipv4() { address.to_canonical() } else { address };
    let (own, other) = (bits_of(address), bits_of(network));
    let bits = (bits as usize).min(other.len());
    own.len() == other.len() && own[..bits] == other[..bits]
}

fn bits_of(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => format!("{:032b}", address.to_bits()),
        IpAddr::V6(address) => format!("{:0128b}", address.to_bits()),
    }
}

fn is_named(entry: &str, host: &str, port: Option<u16>) -> bool {
    if entry.contains('/') || literal(entry).is_some() {
        return false;
    }
    let (name, wanted) = match entry.rsplit_once(':') {
        None => (entry, None),
        Some((name, wanted)) => (name, Some(number(wanted).filter(|port| *port < 1 << 16))),
    };
    if literal(name).is_some() || wanted.is_some_and(|wanted| wanted != port.map(u32::from)) {
        return false;
    }
    if wanted == Some(None) {
        return false;
    }
    let name = name.trim_start_matches('.');
    let name = name.strip_suffix('.').unwrap_or(name);
    let name = match Url::parse(&format!("http://{name}/")) {
        Ok(url)
            if !name.is_ascii()
                && !name.contains(['/', '?', '#', '@', '\\', ':'])
                && is_name(&url) =>
        {
            url.domain().unwrap_or_default().to_owned()
        }
        _ => name.to_ascii_lowercase(),
    };
    !name.is_empty() && (host == name || host.ends_with(&format!(".{name}")))
}
