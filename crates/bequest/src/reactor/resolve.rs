//! Names to addresses, by the system's resolver.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use super::{Reactor, interrupt};

/// The addresses of a host, in the order in which the resolver gives them. Literals and `localhost`
/// (RFC 6761, section 6.3) are answered here.
///
/// `bounded` says that somebody will give up waiting: then the look-up, which can't be ended, runs
/// on a thread of its own that is left behind. Without it, the calling thread looks up itself.
pub(crate) async fn resolve(host: &str, port: u16, bounded: bool) -> io::Result<Vec<SocketAddr>> {
    if let Some(addresses) = known(host) {
        return Ok(addresses.into_iter().map(|ip| SocketAddr::new(ip, port)).collect());
    }
    match super::current() {
        #[cfg(feature = "async")]
        Some(Reactor::Tokio) => Ok(tokio::net::lookup_host((host, port)).await?.collect()),
        Some(Reactor::CallingThread) if bounded || interrupt::is_installed() => {
            look_up_aside(host.to_owned(), port).await
        }
        Some(Reactor::CallingThread) | None => look_up(host, port),
    }
}

fn known(host: &str) -> Option<Vec<IpAddr>> {
    let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if let Ok(ip) = literal.parse() {
        return Some(vec![ip]);
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let is_localhost = name.eq_ignore_ascii_case("localhost")
        || name.len() > 10
            && name.as_bytes()[name.len() - 10..].eq_ignore_ascii_case(b".localhost");
    is_localhost.then(|| vec![Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()])
}

fn look_up(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    Ok((host, port).to_socket_addrs()?.collect())
}

/// How many look-ups may hang at once; more threads would not help.
const MOST_LOOK_UPS: usize = 32;

static RUNNING: AtomicUsize = AtomicUsize::new(0);

#[derive(Default)]
struct LookUp {
    result: Option<io::Result<Vec<SocketAddr>>>,
    waker: Option<Waker>,
}

async fn look_up_aside(host: String, port: u16) -> io::Result<Vec<SocketAddr>> {
    if RUNNING.fetch_add(1, SeqCst) >= MOST_LOOK_UPS {
        RUNNING.fetch_sub(1, SeqCst);
        return Err(io::Error::other(format!("{MOST_LOOK_UPS} name look-ups hang already")));
    }
    let shared = Arc::new(Mutex::new(LookUp::default()));
    let theirs = Arc::clone(&shared);
    let thread = std::thread::Builder::new().name("bequest-resolve".into());
    let started = thread.spawn(move || {
        let result = look_up(&host, port);
        RUNNING.fetch_sub(1, SeqCst);
        let mut shared = theirs.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        shared.result = Some(result);
        if let Some(waker) = shared.waker.take() {
            waker.wake();
        }
    });
    if let Err(error) = started {
        RUNNING.fetch_sub(1, SeqCst);
        return Err(error);
    }
    std::future::poll_fn(|context| {
        let mut shared = shared.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        match shared.result.take() {
            Some(result) => Poll::Ready(result),
            None => {
                shared.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_localhost_need_no_resolver() {
        let known = |host: &str| known(host).unwrap_or_default();
        assert_eq!(known("127.0.0.1"), [IpAddr::from([127, 0, 0, 1])]);
        assert_eq!(known("[::1]"), [IpAddr::from(Ipv6Addr::LOCALHOST)]);
        let both = [IpAddr::from(Ipv6Addr::LOCALHOST), IpAddr::from(Ipv4Addr::LOCALHOST)];
        for name in ["localhost", "LocalHost.", "a.b.localhost"] {
            assert_eq!(known(name), both, "{name}");
        }
        for name in ["localhost.example", "notlocalhost", "", ".", "example.org"] {
            assert!(known(name).is_empty(), "{name}");
        }
    }
}
