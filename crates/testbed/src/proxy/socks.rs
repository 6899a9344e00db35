//! SOCKS 4, 4a and 5 (RFC 1928, RFC 1929): CONNECT only.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Asked, Shared, join, read_until};
use crate::head::latin1;

pub(super) async fn four(mut client: TcpStream, shared: &Shared) -> io::Result<()> {
    let (_version, _command) = (client.read_u8().await?, client.read_u8().await?);
    let port = client.read_u16().await?;
    let address = Ipv4Addr::from(client.read_u32().await?);
    let user = latin1(&read_until(&mut client, b"\0").await?);
    let has_name = matches!(address.octets(), [0, 0, 0, last] if last != 0);
    let (scheme, host) = if has_name {
        ("socks4a", latin1(&read_until(&mut client, b"\0").await?))
    } else {
        ("socks4", address.to_string())
    };
    let is_let_in = shared.login.as_ref().is_none_or(|(known, _)| *known == user);
    let (target, user) = (format!("{host}:{port}"), Some(user).filter(|user| !user.is_empty()));
    shared.record(Asked { scheme, target, head: String::new(), user });
    let server = if is_let_in { shared.connect(&host, port).await.ok() } else { None };
    let code = if server.is_some() { 90 } else { 91 };
    client.write_all(&[0, code, 0, 0, 0, 0, 0, 0]).await?;
    if let Some(server) = server {
        join(&mut client, server).await;
    }
    Ok(())
}

pub(super) async fn five(mut client: TcpStream, shared: &Shared) -> io::Result<()> {
    let Some(user) = let_in(&mut client, shared).await? else { return Ok(()) };
    let mut request = [0; 4];
    client.read_exact(&mut request).await?;
    let (scheme, host) = match request[3] {
        1 => ("socks5", Ipv4Addr::from(client.read_u32().await?).to_string()),
        4 => ("socks5", format!("[{}]", Ipv6Addr::from(client.read_u128().await?))),
        _ => ("socks5h", latin1(&read_short(&mut client).await?)),
    };
    let port = client.read_u16().await?;
    shared.record(Asked { scheme, target: format!("{host}:{port}"), head: String::new(), user });
    let server = shared.connect(&host, port).await;
    let code = match &server {
        Ok(_) => 0,
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => 5,
        Err(_) => 4,
    };
    client.write_all(&[5, code, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
    if let Ok(server) = server {
        join(&mut client, server).await;
    }
    Ok(())
}

/// Who it is, which may be nobody; `None` if that is not enough.
async fn let_in(client: &mut TcpStream, shared: &Shared) -> io::Result<Option<Option<String>>> {
    let _version = client.read_u8().await?;
    let methods = read_short(client).await?;
    let Some((user, password)) = &shared.login else {
        client.write_all(&[5, 0]).await?;
        return Ok(Some(None));
    };
    if !methods.contains(&2) {
        client.write_all(&[5, 0xff]).await?;
        return Ok(None);
    }
    client.write_all(&[5, 2]).await?;
    let _version = client.read_u8().await?;
    let told = (read_short(client).await?, read_short(client).await?);
    let is_right = told.0 == user.as_bytes() && told.1 == password.as_bytes();
    client.write_all(&[1, u8::from(!is_right)]).await?;
    Ok(is_right.then(|| Some(user.clone())))
}

async fn read_short(client: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::from(client.read_u8().await?)];
    client.read_exact(&mut bytes).await?;
    Ok(bytes)
}
