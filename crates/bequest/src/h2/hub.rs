//! One connection, and what all of its streams share.

use std::any::Any;
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use ::h2::client::{Builder, Connection, SendRequest};
use bytes::Bytes;
use http::Request;

use super::call::Call;
use super::end::End;
use super::line::{Bell, Line};
use super::ping::Pinger;
use super::wire::{Transport, Wire};
use crate::reactor::{self, Home, Reactor};

/// How much of a body may have arrived that nobody has read: of one stream, and of all together. A
/// few that nobody reads leave the others room.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 8 << 20;
/// How much of a request's body is kept that the server, or the kernel, has not taken.
const SEND_BUFFER: usize = 256 * 1024;
/// How many streams there may be before the server has said how many it allows. Only one is opened
/// until then: this number, which no server names, is how that is known.
const UNKNOWN_STREAMS: usize = 101;

/// What is set for a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HubOptions {
    /// The most bytes of a head.
    pub(crate) head: usize,
    /// After how long a silent server is asked whether it is there.
    pub(crate) keepalive: Option<Duration>,
}

/// A connection that many requests use at once.
pub(crate) struct Hub {
    /// `None` as it is dropped.
    sender: Option<SendRequest<Bytes>>,
    state: Arc<State>,
    /// Driven by those who wait; `None`: by a task of the runtime that it was opened under.
    driven: Option<Driven>,
    home: Home,
}

struct Driven {
    /// `None` once it is over.
    link: Mutex<Option<Link>>,
    line: Arc<Line>,
    waker: Waker,
}

/// What is told of the connection while it is driven elsewhere.
#[derive(Debug)]
pub(super) struct State {
    over: AtomicBool,
    /// It was given up since the server had not answered a PING.
    silent: AtomicBool,
    streams: AtomicUsize,
    /// How often something was read.
    pub(super) heard: AtomicU64,
    /// The server, or the network, has ended it.
    pub(super) lost: AtomicBool,
    /// Since when there is no stream.
    idle_since: Mutex<Instant>,
    /// The server has said how many streams it allows, or has answered a request.
    settled: AtomicBool,
    /// What is held until then.
    held: Mutex<Option<Box<dyn Any + Send>>>,
}

impl State {
    pub(super) fn open_streams(&self) -> usize {
        self.streams.load(Ordering::Acquire)
    }

    /// From now on it is known how many streams there may be.
    pub(super) fn settle(&self) {
        if !self.settled.swap(true, Ordering::AcqRel) {
            let held = self.held().take();
            drop(held);
        }
    }

    fn held(&self) -> MutexGuard<'_, Option<Box<dyn Any + Send>>> {
        self.held.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn idle_since(&self) -> MutexGuard<'_, Instant> {
        self.idle_since.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// The place of one request among the streams of a connection.
#[derive(Debug)]
pub(crate) struct Slot(Arc<State>);

impl Drop for Slot {
    fn drop(&mut self) {
        if self.0.streams.fetch_sub(1, Ordering::AcqRel) == 1 {
            *self.0.idle_since() = Instant::now();
        }
    }
}

/// The connection itself.
struct Link {
    connection: Connection<Wire, Bytes>,
    pinger: Pinger,
    state: Arc<State>,
}

impl Link {
    /// Reads and writes as much as there is; is ready when the connection is over.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            if let Poll::Ready(ended) = Pin::new(&mut self.connection).poll(context) {
                if ended.is_err() {
                    // A write may be what failed: what was sent before may have arrived.
                    self.state.lost.store(true, Ordering::Release);
                }
                self.state.over.store(true, Ordering::Release);
                self.state.settle();
                return Poll::Ready(());
            }
            let is_settled = self.state.settled.load(Ordering::Acquire);
            if !is_settled && self.connection.max_concurrent_send_streams() != UNKNOWN_STREAMS {
                self.state.settle();
            }
            match self.pinger.poll(&self.state, context) {
                Poll::Ready(true) => {}
                Poll::Ready(false) => {
                    self.state.silent.store(true, Ordering::Release);
                    self.state.over.store(true, Ordering::Release);
                    self.state.settle();
                    return Poll::Ready(());
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl Hub {
    /// Begins to speak HTTP/2.
    pub(crate) async fn open(
        transport: Box<dyn Transport>,
        options: HubOptions,
    ) -> Result<Self, End> {
        let state = Arc::new(State {
            over: AtomicBool::new(false),
            silent: AtomicBool::new(false),
            streams: AtomicUsize::new(0),
            heard: AtomicU64::new(0),
            lost: AtomicBool::new(false),
            idle_since: Mutex::new(Instant::now()),
            settled: AtomicBool::new(false),
            held: Mutex::default(),
        });
        let wire = Wire::new(transport, Arc::clone(&state));
        let handshake = Builder::new()
            .enable_push(false)
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .initial_max_send_streams(UNKNOWN_STREAMS)
            .max_header_list_size(u32::try_from(options.head).unwrap_or(u32::MAX))
            .max_send_buffer_size(SEND_BUFFER)
            .handshake::<_, Bytes>(wire);
        let (sender, mut connection) = handshake.await?;
        let pings = options.keepalive.and_then(|_| connection.ping_pong());
        let pinger = Pinger::new(pings, options.keepalive);
        let link = Link { connection, pinger, state: Arc::clone(&state) };
        Ok(Self { sender: Some(sender), state, driven: drive(link), home: Home::here() })
    }

    /// Whether there may be another stream.
    pub(crate) fn is_open(&self) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        let Some(mut sender) = self.sender.clone() else { return false };
        !self.state.over.load(Ordering::Acquire)
            && !matches!(sender.poll_ready(&mut context), Poll::Ready(Err(_)))
    }

    /// Whether it was given up since the server did not answer.
    pub(crate) fn fell_silent(&self) -> bool {
        self.state.silent.load(Ordering::Acquire)
    }

    /// Whether it was ended here, since the server had said that it takes no more requests and none
    /// was under way: those that were to be sent never left.
    pub(crate) fn was_left(&self) -> bool {
        self.state.over.load(Ordering::Acquire)
            && !self.state.lost.load(Ordering::Acquire)
            && !self.fell_silent()
    }

    /// Whether it may be used by whoever asks.
    pub(crate) fn is_ours(&self) -> bool {
        self.home == Home::here()
    }

    /// Whether it was opened by this process.
    pub(crate) fn is_of_this_process(&self) -> bool {
        self.home.is_this_process()
    }

    /// Whether whoever asks can drive it, or need not.
    pub(crate) fn can_be_awaited(&self) -> bool {
        self.driven.is_none() || reactor::current() == Some(Reactor::CallingThread)
    }

    pub(crate) fn open_streams(&self) -> usize {
        self.state.open_streams()
    }

    /// Since when it has no stream.
    pub(crate) fn idle_since(&self) -> Instant {
        *self.state.idle_since()
    }

    /// Keeps it until it is known how many streams there may be.
    pub(crate) fn hold_until_settled(&self, what: Box<dyn Any + Send>) {
        let mut held = self.state.held();
        *held = Some(what);
        drop(held);
        // In between it may have become known.
        if self.state.settled.load(Ordering::Acquire) {
            let held = self.state.held().take();
            drop(held);
        }
    }

    pub(super) fn settle(&self) {
        self.state.settle();
    }

    /// A place for one more stream, unless the server allows no more, or has not said how many.
    pub(crate) fn join(&self) -> Option<Slot> {
        let most = match self.state.settled.load(Ordering::Acquire) {
            true => self.sender.as_ref()?.current_max_send_streams(),
            false => 1,
        };
        let add = |streams| (streams < most).then_some(streams + 1);
        let added = self.state.streams.fetch_update(Ordering::AcqRel, Ordering::Acquire, add);
        added.ok().map(|_| Slot(Arc::clone(&self.state)))
    }

    /// Begins a request; without a body that is all of it.
    pub(crate) fn call(
        self: &Arc<Self>,
        request: Request<()>,
        slot: Slot,
        has_body: bool,
    ) -> Result<Call, End> {
        let Some(mut sender) = self.sender.clone() else { return Err(End::Lost(None)) };
        let (response, sending) = sender.send_request(request, !has_body)?;
        Ok(Call::new(Arc::clone(self), slot, response, has_body.then_some(sending)))
    }

    /// Looks at what has come meanwhile, and sends what waits, unless somebody else does.
    pub(crate) fn look(&self) {
        let Some(driven) = &self.driven else { return };
        let Some(presence) = reactor::presence() else { return };
        let bell = Arc::new(Bell::default());
        if driven.line.enter(&bell, &presence) {
            self.drive();
        }
        driven.line.leave(&bell);
    }

    /// The same, from wherever, if there is something that nobody was there for.
    pub(super) fn catch_up(&self) {
        let is_due = self.driven.as_ref().is_some_and(|driven| driven.line.is_due());
        if !is_due || !self.home.is_this_process() {
            return;
        }
        match reactor::current() {
            Some(Reactor::CallingThread) => self.look(),
            _ => {
                let _ = reactor::block_on(async {
                    self.look();
                    Ok(())
                });
            }
        }
    }

    /// Polls for one who waits for a stream: the stream, and before that the connection, if nobody
    /// else does.
    pub(super) fn poll<T>(
        &self,
        bell: &Arc<Bell>,
        context: &mut Context<'_>,
        mut stream: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let Some(driven) = &self.driven else { return stream(context) };
        let line = &driven.line;
        bell.hang(context.waker());
        let ringing = Waker::from(Arc::clone(bell));
        let context = &mut Context::from_waker(&ringing);
        let mut has_driven = false;
        if line.is_due()
            && let Some(presence) = reactor::presence()
            && line.enter(bell, &presence)
        {
            self.drive();
            has_driven = true;
        }
        let mut polled = stream(context);
        if polled.is_pending()
            && (!has_driven || line.is_due())
            && let Some(presence) = reactor::presence()
            && line.enter(bell, &presence)
        {
            self.drive();
            polled = stream(context);
        }
        if polled.is_ready() {
            line.leave(bell);
        }
        polled
    }

    /// One who has waited does not, any more.
    pub(super) fn leave(&self, bell: &Arc<Bell>) {
        if let Some(driven) = &self.driven {
            driven.line.leave(bell);
        }
    }

    /// Only for the one who leads.
    fn drive(&self) {
        let Some(driven) = &self.driven else { return };
        let mut link = driven.link.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let mut context = Context::from_waker(&driven.waker);
        let is_over = link.as_mut().is_some_and(|link| link.poll(&mut context).is_ready());
        // Dropping it ends the streams that are left.
        let over = is_over.then(|| link.take());
        drop(link);
        drop(over);
    }
}

/// Who drives the connection: under tokio a task, since a future that is alive there need not be
/// polled, and none could rely on another.
fn drive(link: Link) -> Option<Driven> {
    #[cfg(feature = "async")]
    if reactor::current() == Some(Reactor::Tokio) {
        let mut link = link;
        tokio::spawn(std::future::poll_fn(move |context| link.poll(context)));
        return None;
    }
    let line = Arc::new(Line::of_a_new_connection());
    let waker = Waker::from(Arc::clone(&line));
    Some(Driven { link: Mutex::new(Some(link)), line, waker })
}

impl Drop for Hub {
    fn drop(&mut self) {
        if !self.home.is_this_process() {
            // As for a stream: what is locked in a child is so for ever.
            std::mem::forget((self.sender.take(), self.driven.take()));
        }
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("state", &self.state).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::io;

    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

    use super::*;

    /// A peer that says nothing, and a way there that breaks.
    struct Breaking(Arc<AtomicBool>);

    impl AsyncRead for Breaking {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl AsyncWrite for Breaking {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(match self.0.load(Ordering::Relaxed) {
                true => Err(io::ErrorKind::BrokenPipe.into()),
                false => Ok(bytes.len()),
            })
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    impl Transport for Breaking {
        fn try_at_once(&mut self) {}

        fn try_after_wait(&mut self) {}
    }

    /// What was sent may have arrived: nothing says that the server has done nothing.
    #[test]
    fn a_write_that_fails_is_no_leave() {
        let broken = Arc::new(AtomicBool::new(false));
        let transport = Box::new(Breaking(Arc::clone(&broken)));
        let ended = reactor::block_on(async {
            let options = HubOptions { head: 1 << 16, keepalive: None };
            let hub = Arc::new(Hub::open(transport, options).await.unwrap());
            let slot = hub.join().unwrap();
            let request = Request::post("http://h/").body(()).unwrap();
            let mut call = hub.call(request, slot, true).unwrap();
            broken.store(true, Ordering::Relaxed);
            let end = poll_fn(|context| call.poll_head(context)).await.unwrap_err();
            Ok((matches!(end, End::Lost(_)), hub.was_left()))
        });
        assert_eq!(ended.unwrap(), (true, false));
    }
}
