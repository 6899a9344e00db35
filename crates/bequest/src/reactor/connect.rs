//! Connecting one socket to one address.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::task::Poll;

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};

#[cfg(feature = "async")]
use super::socket::TokioSocket;
use super::socket::{BlockingSocket, Socket};
use super::{Reactor, calling_thread};

/// A TCP connection to that address, Nagle's algorithm off: heads and small bodies leave in one
/// write, and what follows a large write must not wait for an acknowledgement.
pub(crate) async fn connect(address: SocketAddr) -> io::Result<Socket> {
    match super::current() {
        Some(Reactor::CallingThread) => connect_here(address).await,
        #[cfg(feature = "async")]
        Some(Reactor::Tokio) => connect_on_tokio(address).await,
        None => Err(io::Error::other("this future is polled outside of a tokio runtime")),
    }
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

async fn connect_here(address: SocketAddr) -> io::Result<Socket> {
    #[cfg(any(test, fuzzing))]
    if let Some(fd) = given::SOCKETS.with_borrow_mut(std::collections::VecDeque::pop_front) {
        return Ok(Socket::CallingThread(BlockingSocket::new(Arc::new(fd))));
    }
    let fd = Arc::new(start(address)?);
    match rustix::net::connect(&fd, &address) {
        Ok(()) => {}
        Err(Errno::INPROGRESS | Errno::INTR) => finish(&fd).await?,
        Err(error) => return Err(error.into()),
    }
    rustix::io::ioctl_fionbio(&fd, false)?;
    sockopt::set_tcp_nodelay(&fd, true)?;
    Ok(Socket::CallingThread(BlockingSocket::new(fd)))
}

#[cfg(feature = "async")]
async fn connect_on_tokio(address: SocketAddr) -> io::Result<Socket> {
    let fd = Arc::new(start(address)?);
    let begun = rustix::net::connect(&fd, &address);
    let socket = TokioSocket::new(Arc::clone(&fd))?;
    match begun {
        Ok(()) => {}
        Err(Errno::INPROGRESS | Errno::INTR) => {
            socket.connected().await?;
            sockopt::socket_error(&fd)??;
        }
        Err(error) => return Err(error.into()),
    }
    sockopt::set_tcp_nodelay(&fd, true)?;
    Ok(Socket::Tokio(socket))
}

/// A socket that does not block: several addresses may be tried at once.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
fn start(address: SocketAddr) -> rustix::io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    rustix::net::socket_with(family(address), SocketType::STREAM, flags, None)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
fn start(address: SocketAddr) -> rustix::io::Result<OwnedFd> {
    let fd = rustix::net::socket(family(address), SocketType::STREAM, None)?;
    rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::CLOEXEC)?;
    rustix::io::ioctl_fionbio(&fd, true)?;
    Ok(fd)
}

fn family(address: SocketAddr) -> AddressFamily {
    if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 }
}

/// Waits until the attempt has succeeded or failed.
async fn finish(fd: &Arc<OwnedFd>) -> io::Result<()> {
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
