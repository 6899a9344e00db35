//! HTTP/2 without TLS, on one thread. `/bytes/N` has N bytes.

use bytes::Bytes;
use h2::RecvStream;
use h2::server::{Builder, SendResponse};
use http::{Request, Response};
use tokio::net::{TcpListener, TcpStream};

const BLOCK: usize = 64 << 10;

/// Serves for ever.
pub(crate) fn serve(listener: std::net::TcpListener) {
    listener.set_nonblocking(true).expect("a socket");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
    runtime.expect("a runtime").block_on(async move {
        let listener = TcpListener::from_std(listener).expect("a listener");
        loop {
            if let Ok((socket, _)) = listener.accept().await {
                _ = socket.set_nodelay(true);
                tokio::spawn(connection(socket));
            }
        }
    });
}

/// A client that goes away is no news.
async fn connection(socket: TcpStream) -> Result<(), h2::Error> {
    let mut connection = Builder::new()
        .max_concurrent_streams(1000)
        .max_send_buffer_size(1 << 20)
        .handshake(socket)
        .await?;
    while let Some(accepted) = connection.accept().await {
        let (request, answer) = accepted?;
        tokio::spawn(respond(request, answer));
    }
    Ok(())
}

async fn respond(
    request: Request<RecvStream>,
    mut answer: SendResponse<Bytes>,
) -> Result<(), h2::Error> {
    let length = request.uri().path().strip_prefix("/bytes/").and_then(|l| l.parse().ok());
    let mut left: usize = length.unwrap_or(0);
    let response = Response::builder()
        .header("server", "bench")
        .header("date", "Sun, 06 Nov 1994 08:49:37 GMT")
        .header("content-type", "text/plain")
        .header("content-length", left)
        .body(())
        .expect("a response");
    let mut stream = answer.send_response(response, left == 0)?;
    let block = Bytes::from(vec![b'x'; BLOCK]);
    while left > 0 {
        stream.reserve_capacity(left.min(BLOCK));
        let Some(capacity) = std::future::poll_fn(|cx| stream.poll_capacity(cx)).await else {
            return Ok(());
        };
        let size = capacity?.min(left).min(BLOCK);
        left -= size;
        stream.send_data(block.slice(..size), left == 0)?;
    }
    Ok(())
}
