//! "Encodings" of Requests' Advanced Usage: what a body's bytes mean as text, and who says so.
//!
//! ```text
//! cargo run --release --example encodings
//! ```
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

mod support;

use bequest::{Response, Result, Session};
use support::{check, conclude, section};
use testbed::{RawServer, Script};

/// "Fahrvergnügen", in ISO-8859-1.
const GERMAN: &[u8] = b"Fahrvergn\xfcgen";
/// "Съешь же ещё этих мягких французских булок", in windows-1251.
const RUSSIAN: &[u8] =
    b"\xd1\xfa\xe5\xf8\xfc \xe6\xe5 \xe5\xf9\xb8 \xfd\xf2\xe8\xf5 \xec\xff\xe3\xea\
    \xe8\xf5 \xf4\xf0\xe0\xed\xf6\xf3\xe7\xf1\xea\xe8\xf5 \xe1\xf3\xeb\xee\xea";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    header()?;
    guess()?;
    rule_of_rfc_2616()?;
    without_the_rule()?;
    by_hand()?;
    utf8_under_the_rule()?;
    marks()?;
    conclude()
}

/// Gets a page of a server that says this of it.
fn get(content_type: &str, page: &[u8]) -> Result<Response> {
    send(content_type, page, |url| bequest::get(url).send())
}

fn send(
    content_type: &str,
    page: &[u8],
    send: impl FnOnce(String) -> Result<Response>,
) -> Result<Response> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
        page.len()
    );
    let server = RawServer::start(Script::respond([head.as_bytes(), page].concat()));
    send(server.url("/"))
}

/// Shows what the response says of itself.
fn show(r: &Response) -> Result<()> {
    let content_type = r.headers().get("content-type").unwrap_or_default();
    println!(
        "   {content_type}: encoding {}, apparent {}: {:?}",
        r.encoding().as_deref().unwrap_or("none"),
        r.apparent_encoding()?.unwrap_or("none"),
        r.text()?
    );
    Ok(())
}

fn header() -> Result<()> {
    section("First of all the header says it");
    let r = get("text/html; charset=windows-1251", RUSSIAN)?;
    show(&r)?;
    check("as it stands there", r.encoding().as_deref() == Some("windows-1251"));
    check("the text is decoded so", r.text()?.starts_with("\u{421}\u{44a}\u{435}\u{448}\u{44c}"));
    Ok(())
}

fn guess() -> Result<()> {
    section("If it says nothing, the encoding is guessed from the bytes");
    let r = get("application/octet-stream", RUSSIAN)?;
    show(&r)?;
    check("nothing is said", r.encoding().is_none());
    check("but found", r.apparent_encoding()? == Some("windows-1251"));
    check("so that the text is right", r.text()?.ends_with("\u{431}\u{443}\u{43b}\u{43e}\u{43a}"));
    Ok(())
}

fn rule_of_rfc_2616() -> Result<()> {
    section("But for text: RFC 2616 says that it is ISO-8859-1 then");
    let german = get("text/html", GERMAN)?;
    show(&german)?;
    check("the rule says it", german.encoding().as_deref() == Some("ISO-8859-1"));
    check("and may be right", german.text()? == "Fahrvergn\u{fc}gen");
    let russian = get("text/html", RUSSIAN)?;
    show(&russian)?;
    check("or wrong", russian.text()?.starts_with("\u{d1}\u{fa}\u{e5}\u{f8}\u{fc}"));
    Ok(())
}

fn without_the_rule() -> Result<()> {
    section("`text_is_latin1` turns the rule off, for a request or a session");
    let r = send("text/html", RUSSIAN, |url| bequest::get(url).text_is_latin1(false).send())?;
    show(&r)?;
    check("the encoding is guessed", r.encoding().is_none() && r.text()?.contains('\u{436}'));
    let mut s = Session::new();
    s.text_is_latin1 = false;
    let r = send("text/html", RUSSIAN, |url| s.get(url).send())?;
    check("here, too", r.encoding().is_none());
    Ok(())
}

fn by_hand() -> Result<()> {
    section("What you say wins; the bytes are there in any case");
    let mut r = get("text/html", RUSSIAN)?;
    r.set_encoding("windows-1251");
    show(&r)?;
    check("you are right", r.text()?.contains('\u{436}'));
    r.set_encoding(None);
    check("or leave it to be found", r.text()?.contains('\u{436}'));
    check("or say it once", r.text_with("koi8-r")? != r.text()?);
    check("or take the bytes", r.content()? == RUSSIAN);
    Ok(())
}

fn utf8_under_the_rule() -> Result<()> {
    section("The rule gives way to bytes that are UTF-8: they never are by chance");
    let r = get("text/plain", "\u{2190} \u{2192}".as_bytes())?;
    show(&r)?;
    check("no mojibake", r.text()? == "\u{2190} \u{2192}");
    Ok(())
}

fn marks() -> Result<()> {
    section("A byte order mark knows best");
    let utf16: Vec<u8> = "\u{feff}spam".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let r = get("text/plain; charset=utf-8", &utf16)?;
    show(&r)?;
    check("whatever the header says", r.text()? == "spam");
    Ok(())
}
