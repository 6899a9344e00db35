//! "Client Side Certificates" of Requests' Advanced Usage: showing the server who asks.
//!
//! ```text
//! cargo run --release --example client_certificates
//! ```
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use bequest::{Error, ErrorKind, Identity, Result, Session};
use support::{check, conclude, section};
use testbed::Testbed;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let server = Testbed::for_known_clients();
    let files = Files::write(&server, folder.path())?;
    of_a_request(&server, &files)?;
    of_a_session(&server, &files)?;
    read_at_once(&server, &files)?;
    who_gets_to_see_it(&server, &files)?;
    what_is_wrong(&server, &files)?;
    conclude()
}

/// The same certificate and key as two files and as one.
struct Files {
    certificate: PathBuf,
    key: PathBuf,
    both: PathBuf,
}

impl Files {
    fn write(server: &Testbed, folder: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let (certificate, key) = server.client_pem().ok_or("a server that asks nobody")?;
        let path = |name: &str| folder.join(name);
        let files = Self {
            certificate: path("client.cert"),
            key: path("client.key"),
            both: path("client.pem"),
        };
        fs::write(&files.certificate, certificate)?;
        fs::write(&files.key, key)?;
        fs::write(&files.both, format!("{certificate}{key}"))?;
        Ok(files)
    }
}

/// A session that trusts the server; it is the server that does not trust.
fn session(server: &Testbed) -> Session {
    let mut s = Session::new();
    s.verify = server.ca_file().into();
    s
}

fn refused<T>(sent: Result<T>) -> Result<Error> {
    let error = sent.err().ok_or_else(|| Error::other("it was answered"))?;
    println!("   {error}");
    Ok(error)
}

fn of_a_request(server: &Testbed, files: &Files) -> Result<()> {
    section("`cert` of a request: a pair of paths, or one file with both");
    let s = session(server);
    let url = server.https_url("/get");
    check("a pair", s.get(&url).cert((&files.certificate, &files.key)).send()?.ok());
    check("one file", s.get(&url).cert(files.both.as_path()).send()?.ok());
    let seen = server.requests().iter().all(|request| request.client.is_some());
    check("the server has seen it", seen);
    Ok(())
}

fn of_a_session(server: &Testbed, files: &Files) -> Result<()> {
    section("`cert` of a session is shown by all of its requests");
    let mut s = session(server);
    s.cert = Some(files.both.clone().into());
    for _ in 0..3 {
        check("answered", s.get(server.https_url("/get")).send()?.ok());
    }
    let error = refused(session(server).get(server.https_url("/get")).send())?;
    check("who has none is not served", error.kind() == ErrorKind::Tls);
    check("and told what is missing", error.to_string().contains("wants a client certificate"));
    Ok(())
}

fn read_at_once(server: &Testbed, files: &Files) -> Result<(), Box<dyn std::error::Error>> {
    section("An `Identity` is read, and checked, when it is made");
    let identity = Identity::from_pem(fs::read(&files.both)?)?;
    println!("   {identity:?}");
    let r = session(server).get(server.https_url("/get")).cert(identity).send()?;
    check("from text", r.ok());
    check("from files", Identity::from_pem_files(&files.certificate, &files.key).is_ok());
    println!(
        "   Keys with a passphrase: `Identity::from_pem_encrypted` (feature `encrypted-keys`);"
    );
    println!("   .p12 and .pfx files: `Identity::from_pkcs12` (feature `pkcs12`).");
    Ok(())
}

fn who_gets_to_see_it(server: &Testbed, files: &Files) -> Result<()> {
    section("It is for the server that was asked; a redirect takes it nowhere else");
    let other = Testbed::for_known_clients();
    let mut s = session(server);
    s.verify = bequest::Verify::from_pem([server.ca_pem(), other.ca_pem()].concat())?;
    s.cert = Some(files.both.clone().into());
    let before = server.requests().len();
    let to = other.https_url("/get");
    let sent = s.get(server.https_url("/redirect-to")).params([("url", &to)]).send();
    refused(sent)?;
    check("the first server has seen it", server.requests().len() == before + 1);
    check("the second one has not", other.requests().is_empty());
    Ok(())
}

fn what_is_wrong(server: &Testbed, files: &Files) -> Result<()> {
    section("What can't be used is told before anything is sent");
    let s = session(server);
    let url = server.https_url("/get");
    let error = refused(s.get(&url).cert("/no/such.pem").send())?;
    check("no such file", error.to_string().contains("/no/such.pem"));
    let error = refused(s.get(&url).cert(files.certificate.as_path()).send())?;
    check("no key", error.to_string().contains("no private key"));
    let error = refused(Identity::from_pem_files(&files.key, &files.key))?;
    check("no certificate", error.to_string().contains("no client certificate"));
    check("all are of one kind", error.kind() == ErrorKind::Tls);
    Ok(())
}
