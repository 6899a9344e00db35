//! An HTTP/2 server whose streams do what their paths say.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use h2::server::{self, SendResponse};
use h2::{Reason, RecvStream, SendStream};
use http::{Request, Response};
use hyper::body::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot, watch};

/// An HTTP/2 server without TLS, for what depends on other streams and on the connection:
///
/// | path | what it does |
/// |---|---|
/// | `/hello` | answers `hello` |
/// | `/hold` | answers `held` when [`StreamServer::release`] was called |
/// | `/stall` | sends a head and `begun`, and nothing more |
/// | `/fill/N` | sends N bytes, as the client gives room for them |
/// | `/last` | answers `last`, and accepts no further stream on the connection (GOAWAY) |
/// | `/refused` | the first time it does nothing (REFUSED_STREAM), then it answers `hello` |
/// | `/silent` | never answers |
/// | `/torn` | sends all the bytes that it has announced, and no end: it resets the stream when it is released |
/// | `/sink` | reads the request's body, and answers how long it was |
#[derive(Debug)]
pub struct StreamServer {
    addr: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    limit: u32,
    /// Once it answers nothing at all any more, not even PING.
    deaf: watch::Sender<bool>,
    connections: AtomicUsize,
    requests: AtomicUsize,
    open: AtomicUsize,
    most: AtomicUsize,
    cancelled: AtomicUsize,
    received: AtomicUsize,
    has_refused: AtomicBool,
    released: watch::Sender<bool>,
}

impl StreamServer {
    /// Starts a server that allows so many streams at a time on each connection.
    ///
    /// # Panics
    ///
    /// If the system grants no port or thread.
    pub fn start(limit: u32) -> Self {
        let shared = Arc::new(Shared {
            limit,
            deaf: watch::Sender::new(false),
            connections: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            cancelled: AtomicUsize::new(0),
            received: AtomicUsize::new(0),
            has_refused: AtomicBool::new(false),
            released: watch::Sender::new(false),
        });
        let (stop, stopped) = oneshot::channel();
        let (ready, address) = mpsc::sync_channel(1);
        let thread = thread::Builder::new()
            .name("streams".to_owned())
            .spawn({
                let shared = Arc::clone(&shared);
                move || run(&shared, &ready, stopped)
            })
            .expect("a thread for the server");
        let addr = address.recv().expect("the server starts");
        Self { addr, shared, stop: Some(stop), thread: Some(thread) }
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{}", self.addr, path.trim_start_matches('/'))
    }

    /// Lets what is held, and what will be, be answered.
    pub fn release(&self) {
        self.shared.released.send_replace(true);
    }

    /// From now on connections are open, and nothing is read from them.
    pub fn fall_silent(&self) {
        self.shared.deaf.send_replace(true);
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// How many requests came.
    pub fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }

    /// How many streams are open now.
    pub fn open(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }

    /// The most streams that were open at one time, over all connections.
    pub fn most(&self) -> usize {
        self.shared.most.load(Ordering::SeqCst)
    }

    /// How many streams the client has cancelled.
    pub fn cancelled(&self) -> usize {
        self.shared.cancelled.load(Ordering::SeqCst)
    }

    /// How many bytes came, whatever frames they are.
    pub fn received(&self) -> usize {
        self.shared.received.load(Ordering::SeqCst)
    }
}

impl Drop for StreamServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the server has been reported on its own thread.
            let _ = thread.join();
        }
    }
}

fn run(shared: &Arc<Shared>, ready: &mpsc::SyncSender<SocketAddr>, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime for the server");
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let addr = listener.local_addr().expect("the port's address");
        tokio::spawn(accept(listener, Arc::clone(shared)));
        ready.send(addr).expect("the starter waits");
        let _ = stopped.await;
    });
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        };
        shared.connections.fetch_add(1, Ordering::SeqCst);
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            // A failed connection is the client's business, and often the test.
            let _ = serve(stream, shared).await;
        });
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut builder = server::Builder::new();
    builder.max_concurrent_streams(shared.limit);
    let stream = Counted { stream, shared: Arc::clone(&shared) };
    let mut connection = builder.handshake::<_, Bytes>(stream).await.map_err(io::Error::other)?;
    let leaving = Arc::new(Notify::new());
    let mut deaf = shared.deaf.subscribe();
    loop {
        tokio::select! {
            // Held, so that the connection stays open.
            () = async { drop(deaf.wait_for(|deaf| *deaf).await) } => std::future::pending().await,
            () = leaving.notified() => connection.graceful_shutdown(),
            accepted = connection.accept() => {
                let Some(accepted) = accepted else { return Ok(()) };
                let (request, respond) = accepted.map_err(io::Error::other)?;
                let (shared, leaving) = (Arc::clone(&shared), Arc::clone(&leaving));
                tokio::spawn(answer(request, respond, shared, leaving));
            }
        }
    }
}

/// A connection that counts what comes: `h2` tells of no PING that it answers.
struct Counted {
    stream: TcpStream,
    shared: Arc<Shared>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.shared.received.fetch_add(buffer.filled().len() - before, Ordering::SeqCst);
        read
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// One stream that is open.
struct Open(Arc<Shared>);

impl Open {
    fn new(shared: &Arc<Shared>) -> Self {
        shared.requests.fetch_add(1, Ordering::SeqCst);
        let open = shared.open.fetch_add(1, Ordering::SeqCst) + 1;
        shared.most.fetch_max(open, Ordering::SeqCst);
        Self(Arc::clone(shared))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn answer(
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    shared: Arc<Shared>,
    leaving: Arc<Notify>,
) {
    let _open = Open::new(&shared);
    let path = request.uri().path().to_owned();
    let work = async {
        match path.as_str() {
            "/hold" => {
                let mut released = shared.released.subscribe();
                let _ = released.wait_for(|released| *released).await;
                send(&mut respond, "held").await
            }
            "/stall" => {
                let mut body = respond.send_response(Response::new(()), false)?;
                body.send_data("begun".into(), false)?;
                cancelled(&shared, poll_fn(|context| body.poll_reset(context)).await)
            }
            "/last" => {
                leaving.notify_one();
                send(&mut respond, "last").await
            }
            "/refused" if !shared.has_refused.swap(true, Ordering::SeqCst) => {
                respond.send_reset(Reason::REFUSED_STREAM);
                Ok(())
            }
            "/torn" => {
                let head = Response::builder().header("content-length", 5).body(());
                let mut body = respond.send_response(head.unwrap_or_default(), false)?;
                body.send_data("begun".into(), false)?;
                let mut released = shared.released.subscribe();
                let _ = released.wait_for(|released| *released).await;
                body.send_reset(Reason::INTERNAL_ERROR);
                Ok(())
            }
            "/silent" => cancelled(&shared, poll_fn(|context| respond.poll_reset(context)).await),
            "/sink" => {
                let length = sink(request.into_body()).await?;
                send(&mut respond, &length.to_string()).await
            }
            path => match path.strip_prefix("/fill/").and_then(|count| count.parse().ok()) {
                Some(count) => {
                    let body = respond.send_response(Response::new(()), false)?;
                    fill(body, count).await
                }
                None => send(&mut respond, "hello").await,
            },
        }
    };
    // That it failed is the client's business.
    let _: Result<(), h2::Error> = work.await;
}

/// The client has ended the stream.
fn cancelled(shared: &Shared, reason: Result<Reason, h2::Error>) -> Result<(), h2::Error> {
    if reason? == Reason::CANCEL {
        shared.cancelled.fetch_add(1, Ordering::SeqCst);
    }
    Ok(())
}

async fn send(respond: &mut SendResponse<Bytes>, text: &str) -> Result<(), h2::Error> {
    let mut body = respond.send_response(Response::new(()), false)?;
    body.send_data(Bytes::copy_from_slice(text.as_bytes()), true)
}

async fn sink(mut body: RecvStream) -> Result<usize, h2::Error> {
    let mut length = 0;
    while let Some(data) = body.data().await {
        let data = data?;
        length += data.len();
        body.flow_control().release_capacity(data.len())?;
    }
    Ok(length)
}

async fn fill(mut body: SendStream<Bytes>, mut count: usize) -> Result<(), h2::Error> {
    while count > 0 {
        body.reserve_capacity(count.min(64 * 1024));
        let room = poll_fn(|context| body.poll_capacity(context)).await;
        let room = room.unwrap_or_else(|| Err(Reason::CANCEL.into()))?;
        body.send_data(vec![b'x'; room].into(), false)?;
        count -= room;
    }
    body.send_data(Bytes::new(), true)
}
