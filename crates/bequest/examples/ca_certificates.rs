//! "CA Certificates" of Requests' Advanced Usage: where trust comes from, and how to renew it.
//!
//! ```text
//! cargo run --release --example ca_certificates
//! ```
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

mod support;

use std::process::Command;
use std::{env, fs};

use bequest::{ErrorKind, Result, Session, Verify, tls};
use support::{check, conclude, section};
use testbed::Testbed;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if let Ok(url) = env::var("EXAMPLE_ASKS") {
        // This program once more, with an environment of its own.
        println!("{}", bequest::get(url).send()?.status());
        return Ok(());
    }
    let server = Testbed::start();
    what_comes_along()?;
    own_and_default(&server)?;
    by_environment(&server)?;
    renewed(&server)?;
    of_the_system(&server)?;
    conclude()
}

fn what_comes_along() -> Result<(), Box<dyn std::error::Error>> {
    section("Mozilla's authorities come along, as a crate that is renewed by itself");
    let roots = tls::default_roots();
    println!("   {}: {} of them, list {}", roots.name(), roots.len(), roots.version());
    println!("   cargo update -p webpki-root-certs   # brings the newest list");
    check("there are some", roots.len() > 50);
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("mozilla.pem");
    fs::write(&path, roots.to_pem())?;
    println!("   {} bytes as PEM", fs::metadata(&path)?.len());
    check("other programs can have them", Verify::from_pem(fs::read(&path)?).is_ok());
    Ok(())
}

fn own_and_default(server: &Testbed) -> Result<()> {
    section("Authorities of your own replace them, unless you want both");
    let mut s = Session::new();
    s.verify = Verify::bundle(server.ca_file());
    check("yours alone", s.get(server.https_url("/get")).send()?.ok());
    s.verify = Verify::bundle(server.ca_file()).and_default();
    check("yours and Mozilla's", s.get(server.https_url("/get")).send()?.ok());
    s.verify = Verify::from_pem(server.ca_pem())?;
    check("from text, which is checked at once", s.get(server.https_url("/get")).send()?.ok());
    Ok(())
}

fn by_environment(server: &Testbed) -> Result<(), Box<dyn std::error::Error>> {
    section("REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE, SSL_CERT_FILE and SSL_CERT_DIR are heeded");
    let asks = |variables: &[(&str, &std::path::Path)]| -> std::io::Result<bool> {
        let mut child = Command::new(env::current_exe()?);
        child.env_clear().envs(variables.iter().copied());
        let output = child.env("EXAMPLE_ASKS", server.https_url("/get")).output()?;
        Ok(output.stdout.starts_with(b"200"))
    };
    let (file, nobody) = (server.ca_file(), std::path::Path::new("/dev/null"));
    let folder = file.parent().unwrap_or(file);
    for (name, path) in [
        ("REQUESTS_CA_BUNDLE", file),
        ("CURL_CA_BUNDLE", file),
        ("SSL_CERT_FILE", file),
        ("SSL_CERT_DIR", folder),
    ] {
        println!("   {name}");
        check(name, asks(&[(name, path)])?);
    }
    check("without any, nobody knows it", !asks(&[])?);
    check(
        "Requests' variable comes first",
        !asks(&[("REQUESTS_CA_BUNDLE", nobody), ("SSL_CERT_FILE", file)])?,
    );
    Ok(())
}

fn renewed(server: &Testbed) -> Result<(), Box<dyn std::error::Error>> {
    section("A file that changes is read again, by the next connection");
    let (other, folder) = (Testbed::start(), tempfile::tempdir()?);
    let path = folder.path().join("ca.pem");
    fs::write(&path, other.ca_pem())?;
    let mut s = Session::new();
    s.verify = Verify::bundle(&path);
    let error = s.get(server.https_url("/get")).send().err();
    check("not yet", error.is_some_and(|error| error.kind() == ErrorKind::Tls));
    fs::write(&path, [other.ca_pem(), server.ca_pem()].concat())?;
    check("now it is known", s.get(server.https_url("/get")).send()?.ok());
    Ok(())
}

fn of_the_system(server: &Testbed) -> Result<()> {
    section("`Verify::System` trusts whom the operating system trusts (feature `system-roots`)");
    let error = bequest::get(server.https_url("/get")).verify(Verify::System).send().err();
    println!("   {}", error.as_ref().map_or_else(String::new, ToString::to_string));
    let is_refused =
        |error: bequest::Error| matches!(error.kind(), ErrorKind::Tls | ErrorKind::Unsupported);
    check("which does not know this server", error.is_some_and(is_refused));
    Ok(())
}
