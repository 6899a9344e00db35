//! "Example: Specific SSL Version" of Requests' Advanced Usage: an adapter with TLS settings of its own.
//!
//! ```text
//! cargo run --release --example tls_version
//! ```
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

mod support;

use bequest::{
    Adapter, BoxFuture, CryptoProvider, Error, ErrorKind, HttpAdapter, PreparedRequest, Response,
    Result, Session, Settings, TlsVersion,
};
use support::{check, conclude, section};
use testbed::Testbed;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Testbed::start();
    by_a_setting(&server)?;
    by_an_adapter(&server)?;
    suites(&server)?;
    names(&server)?;
    resumption(&server)?;
    providers(&server)?;
    conclude()
}

/// A session that trusts the server, with that adapter for https.
fn session(server: &Testbed, adapter: impl Adapter) -> Session {
    let mut s = Session::new();
    s.verify = server.ca_file().into();
    s.mount("https://", adapter);
    s
}

/// How the connection of a response is secured.
fn told(r: &Response) -> Result<&bequest::TlsInfo> {
    let tls = r.tls().ok_or_else(|| Error::other("no TLS"))?;
    println!("   {}, {}", tls.version(), tls.cipher_suite());
    Ok(tls)
}

fn by_a_setting(server: &Testbed) -> Result<()> {
    section("TLS 1.3 where the server has it, else 1.2; older ones are not safe, and not there");
    let r = session(server, HttpAdapter::new()).get(server.https_url("/get")).send()?;
    check("the newest", told(&r)?.version() == TlsVersion::V1_3);
    let old = HttpAdapter::new().tls_versions(TlsVersion::V1_2..=TlsVersion::V1_2);
    let r = session(server, old).get(server.https_url("/get")).send()?;
    check("this one and no other", told(&r)?.version() == TlsVersion::V1_2);
    Ok(())
}

/// A transport adapter that speaks TLS 1.3 and nothing else.
struct Tls13Adapter(HttpAdapter);

impl Tls13Adapter {
    fn new() -> Self {
        Self(HttpAdapter::new().tls_versions(TlsVersion::V1_3..))
    }
}

impl Adapter for Tls13Adapter {
    fn send<'a>(
        &'a self,
        request: &'a mut PreparedRequest,
        settings: &'a Settings,
    ) -> BoxFuture<'a, Result<Response>> {
        self.0.send(request, settings)
    }

    fn close(&self) {
        self.0.close();
    }
}

fn by_an_adapter(server: &Testbed) -> Result<()> {
    section("As an adapter of your own, for some URLs");
    let old = HttpAdapter::new().tls_versions(..=TlsVersion::V1_2);
    let mut s = session(server, old);
    s.mount(server.https_url("/anything/new"), Tls13Adapter::new());
    let r = s.get(server.https_url("/anything/new")).send()?;
    check("those it is mounted for", told(&r)?.version() == TlsVersion::V1_3);
    let r = s.get(server.https_url("/anything/else")).send()?;
    check("not the others", told(&r)?.version() == TlsVersion::V1_2);
    Ok(())
}

fn suites(server: &Testbed) -> Result<()> {
    section("Cipher suites by the names of the standards");
    let name = "TLS_CHACHA20_POLY1305_SHA256";
    let s = session(server, HttpAdapter::new().cipher_suites([name])?);
    let r = s.get(server.https_url("/get")).send()?;
    check("the one that was said", told(&r)?.cipher_suite() == name);
    let error = HttpAdapter::new().cipher_suites(["TLS_RSA_WITH_RC4_128_MD5"]).err();
    let error = error.ok_or_else(|| Error::other("it was taken"))?;
    println!("   {error}");
    check("what is not there is refused", error.kind() == ErrorKind::Unsupported);
    check("and what there is, told", error.remedy().is_some_and(|known| known.contains(name)));
    Ok(())
}

fn names(server: &Testbed) -> Result<()> {
    section("Whom to ask for, where the URL has but an address");
    let url = format!("https://{}/get", server.https_addr());
    let r = session(server, HttpAdapter::new().server_name("localhost")?).get(&url).send()?;
    check("a name", told(&r)?.server_name() == Some("localhost"));
    let quiet = session(server, HttpAdapter::new().sni(false));
    let r = quiet.get(server.https_url("/get")).send()?;
    check("or nothing at all", told(&r)?.server_name().is_none());
    Ok(())
}

fn resumption(server: &Testbed) -> Result<()> {
    section("The next connection resumes the session, which saves half of the work");
    for (adapter, resumes) in
        [(HttpAdapter::new(), true), (HttpAdapter::new().tls_resumption(false), false)]
    {
        let s = session(server, adapter);
        s.get(server.https_url("/get")).header("Connection", "close").send()?;
        let r = s.get(server.https_url("/get")).send()?;
        check("unless that is off", told(&r)?.is_resumed() == resumes);
    }
    Ok(())
}

fn providers(server: &Testbed) -> Result<()> {
    section("Whose cryptography it is, of those that were compiled");
    for provider in [CryptoProvider::Composed, CryptoProvider::Ring, CryptoProvider::AwsLc] {
        let adapter = match HttpAdapter::new().crypto_provider(provider) {
            Ok(adapter) => adapter,
            Err(error) => {
                println!("   {error}");
                check("it says why", error.kind() == ErrorKind::Unsupported);
                continue;
            }
        };
        let r = session(server, adapter).get(server.https_url("/get")).send()?;
        let group = told(&r)?.key_exchange().unwrap_or("no key exchange");
        println!("   {provider:?} by {group}");
        check("answered", r.ok());
    }
    Ok(())
}
