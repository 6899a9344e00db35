//! A connected stream socket of either reactor, behind tokio's traits.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::pin::Pin;
use std::sync::Arc;
#[cfg(feature = "async")]
use std::task::ready;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send, sendmsg, sockopt};
#[cfg(feature = "async")]
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::busy::BusyPoll;
use super::calling_thread;

/// A connected socket.
#[derive(Debug)]
pub(crate) enum Socket {
    CallingThread(BlockingSocket),
    #[cfg(feature = "async")]
    Tokio(TokioSocket),
}

/// A socket of the caller's tokio runtime. It is not tokio's own, so that both reactors have the
/// same descriptors: whoever has to end what others wait for can shut down either.
#[cfg(feature = "async")]
#[derive(Debug)]
pub(crate) struct TokioSocket {
    fd: AsyncFd<Arc<OwnedFd>>,
    /// The next read or write asks the kernel, whatever tokio knows: its news may be late.
    direct: bool,
}

/// A socket in blocking mode. What must not block says so for each call.
#[derive(Debug)]
pub(crate) struct BlockingSocket {
    fd: Arc<OwnedFd>,
    /// The kernel's receive timeout as last set, to set it again only when it changes.
    receive_timeout: Option<Duration>,
    /// Nothing is there to be read, as far as we know: a request was just written, or the last read
    /// got less than it had room for. The next read waits before it tries.
    drained: bool,
    busy: Option<Box<BusyPoll>>,
}

impl Socket {
    /// Whether the peer has closed, or sent what nobody asked for. Costs one system call.
    pub(crate) fn is_stale(&self) -> bool {
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        let Err(error) = recv(self.as_fd(), &mut [0; 1][..], flags) else { return true };
        error != Errno::AGAIN
    }

    pub(crate) fn descriptor(&self) -> &Arc<OwnedFd> {
        match self {
            Self::CallingThread(socket) => &socket.fd,
            #[cfg(feature = "async")]
            Self::Tokio(socket) => socket.fd.get_ref(),
        }
    }

    /// The next read or write tries at once, whatever happened before.
    pub(crate) fn try_at_once(&mut self) {
        match self {
            Self::CallingThread(socket) => socket.drained = false,
            #[cfg(feature = "async")]
            Self::Tokio(socket) => socket.direct = true,
        }
    }

    /// The next read tries at once: somebody has waited, whoever that was. Under tokio its news say
    /// when to try.
    #[cfg(feature = "http2")]
    pub(crate) fn try_after_wait(&mut self) {
        match self {
            Self::CallingThread(socket) => socket.drained = false,
            #[cfg(feature = "async")]
            Self::Tokio(_) => {}
        }
    }

    /// How long a read may ask before it sleeps; under tokio it is the runtime that waits.
    pub(super) fn busy_poll(&mut self, most: Duration) {
        match self {
            Self::CallingThread(socket) => socket.busy = BusyPoll::new(most),
            #[cfg(feature = "async")]
            Self::Tokio(_) => {}
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::CallingThread(socket) => socket.fd.as_fd(),
            #[cfg(feature = "async")]
            Self::Tokio(socket) => socket.fd.get_ref().as_fd(),
        }
    }
}

impl BlockingSocket {
    pub(super) fn new(fd: Arc<OwnedFd>) -> Self {
        Self { fd, receive_timeout: None, drained: true, busy: None }
    }

    fn poll_read(&mut self, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Some(until) = calling_thread::take_permit(&self.fd) {
            return match self.busy {
                None => self.blocking_read(until, buffer),
                Some(_) => self.busy_read(until, buffer),
            };
        }
        // What is known is of no more use once the kernel has been asked.
        let is_known = calling_thread::take_known(&self.fd, PollFlags::IN);
        if !self.drained || is_known {
            match self.receive(RecvFlags::DONTWAIT, buffer) {
                Err(Errno::AGAIN | Errno::INTR) => {}
                result => return Poll::Ready(result.map_err(Into::into)),
            }
        }
        // Whoever comes back after this has waited.
        self.drained = false;
        self.pend(PollFlags::IN)
    }

    /// The one that the reactor allowed to block, which is preceded by some that don't.
    fn busy_read(
        &mut self,
        until: Option<Instant>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(mut busy) = self.busy.take() else { return self.blocking_read(until, buffer) };
        let asked = busy.ask(until, || self.receive(RecvFlags::DONTWAIT, buffer));
        self.busy = Some(busy);
        match asked {
            Some(result) => Poll::Ready(result.map_err(Into::into)),
            None => self.blocking_read(until, buffer),
        }
    }

    /// The one `recv` that the reactor allowed to block.
    fn blocking_read(
        &mut self,
        until: Option<Instant>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.set_receive_timeout(until)?;
        match self.receive(RecvFlags::empty(), buffer) {
            Err(Errno::AGAIN | Errno::INTR) => {
                calling_thread::note_interruption();
                self.pend(PollFlags::IN)
            }
            result => Poll::Ready(result.map_err(Into::into)),
        }
    }

    fn receive(&mut self, flags: RecvFlags, buffer: &mut ReadBuf<'_>) -> Result<(), Errno> {
        let wanted = buffer.remaining();
        self.drained = receive(&self.fd, flags, buffer)? < wanted;
        Ok(())
    }

    /// Sets the kernel's timeout so that it ends no earlier than `until`, and only a little later:
    /// a value that fits is left as it is.
    fn set_receive_timeout(&mut self, until: Option<Instant>) -> io::Result<()> {
        let wanted = until.map(|at| at.saturating_duration_since(Instant::now()));
        let fits = match (self.receive_timeout, wanted) {
            (None, None) => true,
            (Some(set), Some(wanted)) => set >= wanted && set - wanted <= slack(wanted),
            _ => false,
        };
        if !fits {
            let timeout = wanted.map(|wanted| wanted + slack(wanted) / 2);
            sockopt::set_socket_timeout(&self.fd, sockopt::Timeout::Recv, timeout)?;
            self.receive_timeout = timeout;
        }
        Ok(())
    }

    fn poll_write(
        &mut self,
        write: impl Fn(&OwnedFd) -> Result<usize, Errno>,
    ) -> Poll<io::Result<usize>> {
        match write(&self.fd) {
            Ok(written) => {
                self.drained = true;
                Poll::Ready(Ok(written))
            }
            Err(Errno::AGAIN | Errno::INTR) => self.pend(PollFlags::OUT),
            Err(error) => Poll::Ready(Err(error.into())),
        }
    }

    fn pend<T>(&self, events: PollFlags) -> Poll<io::Result<T>> {
        if !calling_thread::is_entered() {
            return Poll::Ready(Err(io::Error::other(
                "this connection was opened by a blocking call: read it in one",
            )));
        }
        match calling_thread::register(&self.fd, events) {
            Ok(()) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

#[cfg(feature = "async")]
impl TokioSocket {
    #[allow(unsafe_code)] // tokio can't see for itself what `Arc<OwnedFd>` guarantees.
    pub(super) fn new(fd: Arc<OwnedFd>) -> io::Result<Self> {
        // SAFETY: an `OwnedFd` is open, and stays the same, for as long as it lives; the `AsyncFd`
        // has it all its life.
        let fd = unsafe { AsyncFd::register(fd) }?;
        Ok(Self { fd, direct: false })
    }

    /// Waits until the attempt to connect has succeeded or failed.
    pub(super) async fn connected(&self) -> io::Result<()> {
        self.fd.writable().await.map(drop)
    }

    /// Asks the kernel, if that was wanted; `None` if it was not, or the kernel says to wait.
    fn directly<T>(
        &mut self,
        ask: impl FnOnce(BorrowedFd<'_>) -> Result<T, Errno>,
    ) -> Option<io::Result<T>> {
        if !std::mem::take(&mut self.direct) {
            return None;
        }
        match ask(self.fd.get_ref().as_fd()) {
            Err(Errno::AGAIN | Errno::INTR) => None,
            result => Some(result.map_err(Into::into)),
        }
    }

    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(result) = self.directly(|fd| receive(fd, RecvFlags::DONTWAIT, buffer)) {
            return Poll::Ready(result.map(drop));
        }
        loop {
            let mut ready = ready!(self.fd.poll_read_ready(context))?;
            let wanted = buffer.remaining();
            match receive(ready.get_inner(), RecvFlags::DONTWAIT, buffer) {
                Ok(count) => {
                    // Less than there was room for: there is no more, and asking would only say so.
                    if 0 < count && count < wanted {
                        ready.clear_ready();
                    }
                    return Poll::Ready(Ok(()));
                }
                Err(Errno::AGAIN) => ready.clear_ready(),
                Err(Errno::INTR) => {}
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }

    /// Writes what is `wanted` bytes long.
    fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        wanted: usize,
        write: impl Fn(BorrowedFd<'_>) -> Result<usize, Errno>,
    ) -> Poll<io::Result<usize>> {
        if let Some(result) = self.directly(&write) {
            // Where there was room, there may be more, of which tokio has no news either.
            self.direct = result.is_ok();
            return Poll::Ready(result);
        }
        loop {
            let mut ready = ready!(self.fd.poll_write_ready(context))?;
            match write(ready.get_inner().as_fd()) {
                Ok(count) => {
                    if 0 < count && count < wanted {
                        ready.clear_ready();
                    }
                    return Poll::Ready(Ok(count));
                }
                Err(Errno::AGAIN) => ready.clear_ready(),
                Err(Errno::INTR) => {}
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }
}

/// Whether a blocking call would keep the runtime from which it waits for news: of one thread
/// surely, of several if this is the one that listens.
#[cfg(feature = "async")]
fn starves_its_runtime() -> bool {
    calling_thread::is_entered() && tokio::runtime::Handle::try_current().is_ok()
}

/// One `recv` into the free part of the buffer; says how much.
///
/// Filling that part with zeros first, which safe code would have to do, cost a download more user
/// instructions than everything else together: 69 million for 64 MiB, 2 without.
#[allow(unsafe_code)]
fn receive(fd: impl AsFd, flags: RecvFlags, buffer: &mut ReadBuf<'_>) -> Result<usize, Errno> {
    // SAFETY: it is only handed to the kernel, which writes bytes and reads nothing.
    let room = unsafe { buffer.unfilled_mut() };
    let ((received, _), _) = recv(fd, room, flags)?;
    let count = received.len();
    // SAFETY: the kernel has written that many bytes to its beginning.
    unsafe { buffer.assume_init(count) };
    buffer.advance(count);
    Ok(count)
}

/// How much later than asked a blocking read may notice its deadline.
fn slack(wanted: Duration) -> Duration {
    (wanted / 32).clamp(Duration::from_millis(2), Duration::from_millis(500))
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::CallingThread(socket) => socket.poll_read(buffer),
            #[cfg(feature = "async")]
            Self::Tokio(_) if starves_its_runtime() => Poll::Ready(Err(io::Error::other(
                "this connection belongs to the runtime that this call would block: await it",
            ))),
            #[cfg(feature = "async")]
            Self::Tokio(socket) => socket.poll_read(_context, buffer),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        match self.get_mut() {
            Self::CallingThread(socket) => socket.poll_write(|fd| send(fd, bytes, flags)),
            #[cfg(feature = "async")]
            Self::Tokio(socket) => {
                socket.poll_write(_context, bytes.len(), |fd| send(fd, bytes, flags))
            }
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        match self.get_mut() {
            Self::CallingThread(socket) => {
                socket.poll_write(|fd| sendmsg(fd, slices, &mut Default::default(), flags))
            }
            #[cfg(feature = "async")]
            Self::Tokio(socket) => {
                let wanted = slices.iter().map(|slice| slice.len()).sum();
                socket.poll_write(_context, wanted, |fd| {
                    sendmsg(fd, slices, &mut Default::default(), flags)
                })
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = rustix::net::shutdown(self.as_fd(), rustix::net::Shutdown::Write);
        Poll::Ready(done.map_err(Into::into))
    }
}
