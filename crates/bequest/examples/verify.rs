//! "SSL Cert Verification" of Requests' Advanced Usage: whom to trust.
//!
//! ```text
//! cargo run --release --example verify
//! ```
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

mod support;

use bequest::{Error, ErrorKind, Result, Session, TlsServer, Verify};
use support::{check, conclude, section};
use testbed::Testbed;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Its certificate is from an authority that nobody else knows.
    let server = Testbed::start();
    by_default(&server)?;
    by_a_file(&server)?;
    not_at_all(&server)?;
    by_key(&server)?;
    by_a_check(&server)?;
    what_is_wrong(&server)?;
    conclude()
}

/// The error of what should not have worked.
fn refused<T>(sent: Result<T>) -> Result<Error> {
    let error = sent.err().ok_or_else(|| Error::other("it was answered"))?;
    println!("   {error}");
    Ok(error)
}

fn by_default(server: &Testbed) -> Result<()> {
    section("A server whose certificate nobody vouches for gets no request");
    let error = refused(bequest::get(server.https_url("/get")).send())?;
    check("it is an error of TLS", error.kind() == ErrorKind::Tls);
    check("which says what can be done", error.remedy().is_some_and(|r| r.contains(".verify(")));
    check("nothing was sent", server.requests().is_empty());
    Ok(())
}

fn by_a_file(server: &Testbed) -> Result<()> {
    section("`verify` names the authorities to trust: a PEM file, or a directory of them");
    let r = bequest::get(server.https_url("/get")).verify(server.ca_file()).send()?;
    check("the request is answered", r.status() == 200);
    let mut s = Session::new();
    s.verify = server.ca_file().into();
    check("so are all of a session", s.get(server.https_url("/get")).send()?.ok());
    let folder = server.ca_file().parent().unwrap_or(server.ca_file());
    check("or by its folder", s.get(server.https_url("/get")).verify(folder).send()?.ok());
    let error = refused(s.get(server.https_url("/get")).verify("/no/such.pem").send())?;
    check("a path that leads nowhere is named", error.to_string().contains("/no/such.pem"));
    Ok(())
}

fn not_at_all(server: &Testbed) -> Result<()> {
    section("`verify(false)` asks for nothing: for tests, and never for what matters");
    let s = Session::new();
    let r = s.get(server.https_url("/get")).verify(false).send()?;
    check("anybody would do", r.status() == 200);
    let error = refused(s.get(server.https_url("/get")).send())?;
    check("the next request wants to know again", error.kind() == ErrorKind::Tls);
    Ok(())
}

fn by_key(server: &Testbed) -> Result<()> {
    section("A pin is a key that the server must have, besides; or it is all that counts");
    let url = server.https_url("/get");
    let other = format!("sha256/{}=", "A".repeat(43));
    let trusted = || Verify::bundle(server.ca_file());
    let error = refused(bequest::get(&url).verify(trusted().pinned([&other])?).send())?;
    let message = error.to_string();
    // What an error shows of a server's key is its pin.
    let pin = message.split("the server's is ").nth(1).and_then(|rest| rest.split(';').next());
    let pin = pin.ok_or_else(|| Error::other("no pin"))?;
    check("the right one", bequest::get(&url).verify(trusted().pinned([pin])?).send()?.ok());
    let alone = Verify::No.pinned([pin])?;
    check("without any authority", bequest::get(&url).verify(alone).send()?.ok());
    Ok(())
}

fn by_a_check(server: &Testbed) -> Result<()> {
    section("A function of yours has the last word");
    let url = server.https_url("/get");
    let strict = |server: &TlsServer<'_>| {
        println!("   {} shows {} certificate(s)", server.name(), server.certificates().len());
        let is_ours = server.name().ends_with(".example.org");
        if is_ours { Ok(()) } else { Err(Error::other("not one of ours")) }
    };
    let verify = Verify::bundle(server.ca_file()).checked_by(strict);
    let error = refused(bequest::get(&url).verify(verify).send())?;
    check("it said no", error.to_string().contains("not one of ours"));
    Ok(())
}

fn what_is_wrong(server: &Testbed) -> Result<()> {
    section("The server must be who it was asked to be, and speak TLS");
    // The same server under a name that its certificate is not for.
    let named = bequest::HttpAdapter::new().resolve("www.example.org", server.https_addr())?;
    let mut s = Session::new();
    s.verify = server.ca_file().into();
    s.mount("https://www.example.org/", named);
    let error = refused(s.get("https://www.example.org/get").send())?;
    check("another name", error.to_string().contains("asked for www.example.org"));
    let plain = format!("https://{}/get", server.addr());
    let error = refused(s.get(plain).send())?;
    check("no TLS there", error.remedy().is_some_and(|remedy| remedy.contains("http://")));
    Ok(())
}
