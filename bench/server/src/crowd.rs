//! Thousands of connections on one thread. `/bytes/N` has N bytes; `/together/N/...` is answered
//! when N connections have asked for it.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Barrier;

type Barriers = Mutex<HashMap<usize, Arc<Barrier>>>;

/// Serves for ever.
pub(crate) fn serve(listener: std::net::TcpListener) {
    listener.set_nonblocking(true).expect("a socket");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
    runtime.expect("a runtime").block_on(async move {
        let listener = TcpListener::from_std(listener).expect("a listener");
        let barriers = Arc::new(Barriers::default());
        loop {
            if let Ok((socket, _)) = listener.accept().await {
                // A client that goes away is no news.
                _ = socket.set_nodelay(true);
                tokio::spawn(connection(socket, Arc::clone(&barriers)));
            }
        }
    });
}

async fn connection(mut socket: TcpStream, barriers: Arc<Barriers>) -> io::Result<()> {
    let (mut buffer, mut filled) = (vec![0; 2048], 0);
    loop {
        let end = loop {
            if let Some(at) = buffer[..filled].windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            match socket.read(&mut buffer[filled..]).await? {
                0 => return Ok(()),
                n => filled += n,
            }
        };
        let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
        buffer.copy_within(end..filled, 0);
        filled -= end;
        let mut path = head.split(' ').nth(1).unwrap_or_default();
        if let Some((count, rest)) = path.strip_prefix("/together/").and_then(|p| p.split_once('/'))
        {
            wait_for(count.parse().map_err(io::Error::other)?, &barriers).await;
            path = &path[path.len() - rest.len() - 1..];
        }
        let length = path.strip_prefix("/bytes/").and_then(|length| length.parse().ok());
        let length = length.unwrap_or(0_usize);
        let mut answer = format!(
            "HTTP/1.1 200 OK\r\nServer: bench\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
             Content-Type: text/plain\r\nContent-Length: {length}\r\n\r\n"
        )
        .into_bytes();
        answer.resize(answer.len() + length, b'x');
        socket.write_all(&answer).await?;
    }
}

async fn wait_for(count: usize, barriers: &Barriers) {
    let barrier = {
        let mut barriers = barriers.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(barriers.entry(count).or_insert_with(|| Arc::new(Barrier::new(count))))
    };
    barrier.wait().await;
}
