//! HTTP: tunnels by CONNECT, and requests that are passed on.

use std::io;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};

use super::{Asked, Shared, join, read_until};
use crate::head::{Head, latin1};

pub(super) async fn serve(
    mut client: impl AsyncRead + AsyncWrite + Unpin,
    scheme: &'static str,
    shared: &Shared,
) -> io::Result<()> {
    loop {
        let mut bytes = read_until(&mut client, b"\r\n\r\n").await?;
        bytes.extend_from_slice(b"\r\n\r\n");
        let head = Head::parse(bytes);
        let user = user_of(&head, shared);
        let is_let_in = shared.login.is_none() || user.is_some();
        let (target, text) = (head.target.clone(), latin1(&head.bytes));
        shared.record(Asked { scheme, target, head: text, user });
        if is_let_in {
            return pass(client, &head, shared).await;
        }
        let has_body = head.value("content-length").or(head.value("transfer-encoding")).is_some();
        let end = if has_body { "close" } else { "keep-alive" };
        let reply = format!(
            "HTTP/1.1 407 Proxy Authentication Required\r\nConnection: {end}\r\n\
             Proxy-Authenticate: Basic realm=\"testbed\"\r\nContent-Length: 0\r\n\r\n"
        );
        client.write_all(reply.as_bytes()).await?;
        if has_body {
            return client.shutdown().await;
        }
    }
}

fn user_of(head: &Head, shared: &Shared) -> Option<String> {
    let field = head.value("proxy-authorization")?;
    let decoded = BASE64_STANDARD.decode(field.strip_prefix("Basic ")?).ok()?;
    let (user, password) = shared.login.as_ref()?;
    (decoded == format!("{user}:{password}").as_bytes()).then(|| user.clone())
}

async fn pass(
    mut client: impl AsyncRead + AsyncWrite + Unpin,
    head: &Head,
    shared: &Shared,
) -> io::Result<()> {
    let is_tunnel = head.method == "CONNECT";
    let (authority, path) = if is_tunnel {
        (head.target.as_str(), "")
    } else {
        let rest = head.target.strip_prefix("http://").unwrap_or_default();
        rest.split_at(rest.find('/').unwrap_or(rest.len()))
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().unwrap_or(0)),
        _ => (authority, 80),
    };
    let Ok(mut server) = shared.connect(host, port).await else {
        let reply = "HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        client.write_all(reply.as_bytes()).await?;
        return client.shutdown().await;
    };
    server.set_nodelay(true)?;
    if is_tunnel {
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    } else {
        server.write_all(&for_origin(head, path)).await?;
    }
    join(&mut client, server).await;
    client.shutdown().await
}

/// One request a connection, so that nobody needs to know where a body ends.
fn for_origin(head: &Head, path: &str) -> Vec<u8> {
    let path = if path.is_empty() { "/" } else { path };
    let mut bytes = format!("{} {path} HTTP/1.1\r\n", head.method).into_bytes();
    for (name, value) in &head.headers {
        let name_is = |known: &str| name.eq_ignore_ascii_case(known);
        if !name_is("connection") && !name.to_ascii_lowercase().starts_with("proxy-") {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
    }
    bytes.extend_from_slice(b"Via: 1.1 testbed\r\nConnection: close\r\n\r\n");
    bytes
}
