//! "SOCKS" of Requests' Advanced Usage: proxies that pass on whatever comes, and may look up names.
//!
//! ```text
//! cargo run --release --features socks --example socks
//! ```
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

mod support;

use bequest::{Error, ErrorKind, Proxies, Result, Session};
use support::{check, conclude, section};
use testbed::{Proxy, Testbed};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Testbed::start();
    with_login(&server)?;
    names(&server)?;
    each_version(&server)?;
    refusals(&server)?;
    conclude()
}

/// What the proxy was asked for last: by which kind, and for what.
fn last(proxy: &Proxy) -> (&'static str, String) {
    let asked = proxy.asked().pop().map(|asked| (asked.scheme, asked.target));
    let (scheme, target) = asked.unwrap_or_default();
    println!("   the {scheme} proxy was asked for {target}");
    (scheme, target)
}

fn with_login(server: &Testbed) -> Result<()> {
    section("A SOCKS proxy is set like any other, with user and password");
    let proxy = Proxy::with_login("user", "pass");
    let mut s = Session::new();
    s.verify = server.ca_file().into();
    s.proxies = Proxies::new()
        .http(proxy.url_with_login("socks5"))?
        .https(proxy.url_with_login("socks5"))?;
    check("http", s.get(server.url("/get")).send()?.ok());
    check("and https", s.get(server.https_url("/get")).send()?.ok());
    let known = proxy.asked().iter().all(|asked| asked.user.as_deref() == Some("user"));
    check("it knows who asks", known && proxy.asked().len() >= 2);
    Ok(())
}

fn names(server: &Testbed) -> Result<()> {
    section("socks5 looks up names here, socks5h has the proxy do it");
    let proxy = Proxy::start();
    proxy.leads("only.the.proxy.knows.test", server.addr());
    let url = "http://only.the.proxy.knows.test/get";
    let s = Session::new();
    s.get(url).proxies(Proxies::new().all(proxy.url("socks5h"))?).send()?;
    check("the name went there", last(&proxy).1.starts_with("only.the.proxy.knows.test:"));
    let here = format!("http://localhost:{}/get", server.addr().port());
    s.get(&here).proxies(Proxies::new().all(proxy.url("socks5"))?).send()?;
    check("or an address", last(&proxy).1.starts_with("127.0.0.1:"));
    Ok(())
}

fn each_version(server: &Testbed) -> Result<()> {
    section("Versions 4, 4a and 5");
    let proxy = Proxy::start();
    let s = Session::new();
    let url = format!("http://localhost:{}/get", server.addr().port());
    for scheme in ["socks4", "socks4a", "socks5", "socks5h"] {
        s.get(&url).proxies(Proxies::new().all(proxy.url(scheme))?).send()?;
        check(scheme, last(&proxy).0 == scheme);
    }
    Ok(())
}

fn refusals(server: &Testbed) -> Result<()> {
    section("What it refuses is told, with what may help");
    let proxy = Proxy::with_login("user", "pass");
    let s = Session::new();
    let wrong = proxy.url_with_login("socks5h").replace(":pass@", ":guessed@");
    for url in [proxy.url("socks5h"), wrong] {
        let error = s.get(server.url("/get")).proxies(Proxies::new().all(url)?).send().err();
        let error = error.ok_or_else(|| Error::other("the proxy let us in"))?;
        println!("   {error}");
        check("it is the proxy's", error.kind() == ErrorKind::Proxy);
        check("without the password", !error.to_string().contains("guessed"));
    }
    let open = Proxy::start();
    let proxies = Proxies::new().all(open.url("socks5h"))?;
    let error = s.get("http://nobody.knows.test/").proxies(proxies).send().err();
    let error = error.ok_or_else(|| Error::other("there is no such host"))?;
    println!("   {error}");
    check(
        "a host that it can't reach is named",
        error.to_string().contains("nobody.knows.test:80"),
    );
    Ok(())
}
