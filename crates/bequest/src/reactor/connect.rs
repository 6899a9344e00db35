//! Connecting one socket to one address.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};

#[cfg(feature = "async")]
use super::socket::TokioSocket;
use super::socket::{BlockingSocket, Socket};
use super::{Reactor, calling_thread};

/// What a TCP socket is made with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SocketOptions {
    /// This machine's address that it has; `None` lets the system choose.
    pub(crate) local: Option<IpAddr>,
    /// Nagle's algorithm is off: heads and small bodies leave in one write, and what follows a large
    /// write must not wait for an acknowledgement.
    pub(crate) nodelay: bool,
    /// After how long a silent connection is probed, and how often then.
    pub(crate) keepalive: Option<Duration>,
    /// How long the calling thread asks before it sleeps; under tokio it never does.
    pub(crate) busy_poll: Duration,
}

impl Default for SocketOptions {
    fn default() -> Self {
        Self { local: None, nodelay: true, keepalive: None, busy_poll: Duration::ZERO }
    }
}

impl SocketOptions {
    fn bind(self, fd: &OwnedFd) -> io::Result<()> {
        let Some(local) = self.local else { return Ok(()) };
        rustix::net::bind(fd, &SocketAddr::new(local, 0)).map_err(|errno| {
            let error = io::Error::from(errno);
            io::Error::new(error.kind(), format!("from {local}: {error}"))
        })
    }

    fn set(self, fd: impl AsFd) -> io::Result<()> {
        if self.nodelay {
            sockopt::set_tcp_nodelay(&fd, true)?;
        }
        if let Some(after) = self.keepalive {
            keep_alive(fd, after)?;
        }
        Ok(())
    }
}

#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd", target_os = "macos"))]
fn keep_alive(fd: impl AsFd, after: Duration) -> io::Result<()> {
    sockopt::set_socket_keepalive(&fd, true)?;
    // What Linux takes; part seconds are none to it.
    let after = after.clamp(Duration::from_secs(1), Duration::from_secs(32_767));
    sockopt::set_tcp_keepidle(&fd, after)?;
    Ok(sockopt::set_tcp_keepintvl(&fd, after)?)
}

#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "macos"
)))]
fn keep_alive(fd: impl AsFd, _: Duration) -> io::Result<()> {
    Ok(sockopt::set_socket_keepalive(fd, true)?)
}

/// A TCP connection to that address.
pub(crate) async fn connect(address: SocketAddr, options: SocketOptions) -> io::Result<Socket> {
    #[cfg(any(test, fuzzing))]
    if let Some(fd) = given::SOCKETS.with_borrow_mut(std::collections::VecDeque::pop_front) {
        return Ok(Socket::CallingThread(BlockingSocket::new(Arc::new(fd))));
    }
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let fd = Arc::new(start(family)?);
    options.bind(&fd)?;
    let begun = rustix::net::connect(&fd, &address);
    let mut socket = finish(fd, begun).await?;
    options.set(&socket)?;
    socket.busy_poll(options.busy_poll);
    Ok(socket)
}

/// Sockets that the next connections of this thread get, in place of their own.
#[cfg(any(test, fuzzing))]
pub(crate) mod given {
    use std::cell::RefCell;
    use std::collections::VecDeque;
    use std::os::fd::OwnedFd;

    thread_local! {
        pub(crate) static SOCKETS: RefCell<VecDeque<OwnedFd>> = const { RefCell::new(VecDeque::new()) };
    }
}

/// Waits until an attempt that was begun has succeeded or failed.
async fn finish(fd: Arc<OwnedFd>, begun: rustix::io::Result<()>) -> io::Result<Socket> {
    match super::current() {
        Some(Reactor::CallingThread) => finish_here(fd, begun).await,
        #[cfg(feature = "async")]
        Some(Reactor::Tokio) => finish_on_tokio(fd, begun).await,
        None => Err(io::Error::other("this future is polled outside of a tokio runtime")),
    }
}

async fn finish_here(fd: Arc<OwnedFd>, begun: rustix::io::Result<()>) -> io::Result<Socket> {
    match begun {
        Ok(()) => {}
        Err(Errno::INPROGRESS | Errno::INTR) => wait_here(&fd).await?,
        Err(error) => return Err(error.into()),
    }
    rustix::io::ioctl_fionbio(&fd, false)?;
    Ok(Socket::CallingThread(BlockingSocket::new(fd)))
}

async fn wait_here(fd: &Arc<OwnedFd>) -> io::Result<()> {
    let events = poll_fn(|_| match calling_thread::readiness(fd) {
        Some(events) => Poll::Ready(Ok(events)),
        None => match calling_thread::register(fd, PollFlags::OUT) {
            Ok(()) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        },
    })
    .await?;
    // Only an attempt that failed has an error to tell.
    if events.intersects(PollFlags::ERR | PollFlags::HUP) {
        sockopt::socket_error(fd)??;
    }
    Ok(())
}

#[cfg(feature = "async")]
async fn finish_on_tokio(fd: Arc<OwnedFd>, begun: rustix::io::Result<()>) -> io::Result<Socket> {
    let socket = TokioSocket::new(Arc::clone(&fd))?;
    match begun {
        Ok(()) => {}
        Err(Errno::INPROGRESS | Errno::INTR) => {
            socket.connected().await?;
            sockopt::socket_error(&fd)??;
        }
        Err(error) => return Err(error.into()),
    }
    Ok(Socket::Tokio(socket))
}

/// A socket that does not block: several addresses may be tried at once.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
fn start(family: AddressFamily) -> rustix::io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    rustix::net::socket_with(family, SocketType::STREAM, flags, None)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
fn start(family: AddressFamily) -> rustix::io::Result<OwnedFd> {
    let fd = rustix::net::socket(family, SocketType::STREAM, None)?;
    rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::CLOEXEC)?;
    rustix::io::ioctl_fionbio(&fd, true)?;
    Ok(fd)
}
