//! Routes that send documents, in several formats and codings.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use hyper::StatusCode;
use serde_json::{Value, json};

use super::echo;
use crate::exchange::Exchange;
use crate::reply::{self, Reply};

const HTML: &str = "text/html; charset=utf-8";

pub(super) fn route(exchange: &Exchange, parts: &[&str]) -> Option<Reply> {
    let reply = match parts {
        [""] => reply::content(HTML, "<!doctype html>\n<title>Testbed</title>\n"),
        ["json"] => reply::json(&slideshow()),
        ["html"] => reply::content(HTML, include_str!("content/page.html")),
        ["xml"] => reply::content("application/xml", include_str!("content/slideshow.xml")),
        ["robots.txt"] => reply::content("text/plain", "User-agent: *\nDisallow: /deny\n"),
        ["deny"] => reply::content("text/plain", "Robots are asked to stay away.\n"),
        ["encoding", "utf8"] => reply::content(HTML, include_str!("content/utf8.html")),
        ["gzip"] => compressed(exchange, "gzip", "gzipped", gzip),
        ["deflate"] => match exchange.parameter("format").as_deref() {
            Some("raw") => compressed(exchange, "deflate", "deflated", deflate),
            _ => compressed(exchange, "deflate", "deflated", zlib),
        },
        ["brotli"] => compressed(exchange, "br", "brotli", brotli),
        ["zstd"] => compressed(exchange, "zstd", "zstd", zstd),
        ["image", "png"] => reply::content("image/png", png().unwrap_or_default()),
        ["links", count] => redirect_to_links(count),
        ["links", count, offset] => links(count.parse().ok()?, offset.parse().ok()?),
        _ => return None,
    };
    Some(reply)
}

fn slideshow() -> Value {
    json!({
        "slideshow": {
            "author": "A. Tester",
            "date": "1 January",
            "title": "How requests travel",
            "slides": [
                { "type": "all", "title": "A request leaves" },
                {
                    "type": "all",
                    "title": "A response arrives",
                    "items": ["First the <em>head</em>", "Then the <em>body</em>"],
                },
            ],
        },
    })
}

fn compressed(
    exchange: &Exchange,
    coding: &str,
    flag: &str,
    compress: fn(&[u8]) -> io::Result<Vec<u8>>,
) -> Reply {
    let mut value = echo::pick(&echo::common(exchange), &["headers", "origin"]);
    value.insert("method".to_owned(), exchange.head.method.clone().into());
    value.insert(flag.to_owned(), true.into());
    match compress(reply::render(&value.into()).as_bytes()) {
        Ok(bytes) => {
            let reply = reply::content("application/json", bytes);
            reply::with_header(reply, "content-encoding", coding)
        }
        Err(error) => reply::error(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// What the name `deflate` means in HTTP: the zlib format.
fn zlib(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// What some servers send under the name `deflate`: no wrapper at all.
fn deflate(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// The brotli format (RFC 7932), though nothing gets smaller: one stored block, and the end.
fn brotli(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let length = u16::try_from(bytes.len().saturating_sub(1)).map_err(io::Error::other)?;
    // A window of 16 bits, not the last block, its length in four digits, stored.
    let header = u32::from(length) << 4 | 1 << 20;
    let last_and_empty = [3];
    Ok([&header.to_le_bytes()[..3], bytes, &last_and_empty].concat())
}

/// The zstd format (RFC 8878), though nothing gets smaller: raw blocks.
fn zstd(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    // One segment, its length in four bytes.
    let mut out = [&[0x28, 0xb5, 0x2f, 0xfd, 0xa0][..], &length.to_le_bytes()].concat();
    let blocks = bytes.chunks(1024);
    let last = blocks.len().saturating_sub(1);
    for (at, block) in blocks.enumerate() {
        let header = (block.len() as u32) << 3 | u32::from(at == last);
        out.extend_from_slice(&header.to_le_bytes()[..3]);
        out.extend_from_slice(block);
    }
    Ok(out)
}

/// An image of one grey pixel.
fn png() -> io::Result<Vec<u8>> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    // Width and height 1; eight bits of grey; no interlacing.
    chunk(&mut png, b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]);
    chunk(&mut png, b"IDAT", &zlib(&[0, 0x80])?);
    chunk(&mut png, b"IEND", &[]);
    Ok(png)
}

fn chunk(png: &mut Vec<u8>, kind: &[u8], data: &[u8]) {
    let mut crc = flate2::Crc::new();
    crc.update(kind);
    crc.update(data);
    // The data above is a few bytes long.
    png.extend((data.len() as u32).to_be_bytes());
    png.extend(kind);
    png.extend(data);
    png.extend(crc.sum().to_be_bytes());
}

fn redirect_to_links(count: &str) -> Reply {
    let reply = reply::empty(StatusCode::FOUND);
    reply::with_header(reply, "location", &format!("/links/{count}/0"))
}

/// A page that links to the other pages of its kind.
fn links(count: usize, offset: usize) -> Reply {
    let links = (0..count.min(200)).map(|page| {
        if page == offset {
            format!("{page} ")
        } else {
            format!("<a href='/links/{count}/{page}'>{page}</a> ")
        }
    });
    let links: String = links.collect();
    reply::content(
        HTML,
        format!("<html><head><title>Links</title></head><body>{links}</body></html>"),
    )
}
