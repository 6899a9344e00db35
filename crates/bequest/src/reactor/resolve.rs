//! Names to addresses, by the system's resolver.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};

use super::{Reactor, calling_thread, fork, interrupt};

/// The addresses of a host, in the order in which the resolver gives them. Literals and `localhost`
/// (RFC 6761, section 6.3) are answered here.
///
/// `bounded` says that somebody will give up waiting: then the look-up, which can't be ended, runs
/// on a thread of its own that is left behind. Without it, the calling thread looks up itself.
///
/// An address with a zone is the resolver's too: it knows the names of interfaces.
pub(crate) async fn resolve(
    host: &str,
    zone: Option<&str>,
    port: u16,
    bounded: bool,
) -> io::Result<Vec<SocketAddr>> {
    let zoned = zone.map(|zone| format!("{}%{zone}", literal(host)));
    if let (None, Some(addresses)) = (&zoned, known(host)) {
        return Ok(addresses.into_iter().map(|ip| SocketAddr::new(ip, port)).collect());
    }
    let host = zoned.as_deref().unwrap_or(host);
    match super::current() {
        #[cfg(feature = "async")]
        Some(Reactor::Tokio) => Ok(tokio::net::lookup_host((host, port)).await?.collect()),
        Some(Reactor::CallingThread)
            if bounded || interrupt::is_installed() || calling_thread::is_one_of_many() =>
        {
            look_up_aside(host.to_owned(), port).await
        }
        Some(Reactor::CallingThread) | None => look_up(host, port),
    }
}

/// The address without the brackets that a URL needs.
fn literal(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

fn known(host: &str) -> Option<Vec<IpAddr>> {
    if let Ok(ip) = literal(host).parse() {
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

/// How many threads look up names at once; what comes beyond that waits for one of them. Look-ups
/// that hang can't be ended, and more threads would not help.
const MOST_THREADS: usize = 32;

static QUEUE: Mutex<Queue> =
    Mutex::new(Queue { threads: 0, generation: 0, waiting: VecDeque::new() });

struct Queue {
    threads: usize,
    /// The process that the threads belong to.
    generation: u64,
    waiting: VecDeque<Job>,
}

type Job = Box<dyn FnOnce() + Send>;

impl Queue {
    fn lock() -> MutexGuard<'static, Self> {
        QUEUE.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Has a thread do the job, sooner or later.
    fn push(job: Job) -> io::Result<()> {
        let mut queue = Self::lock();
        if queue.generation != fork::generation() {
            // A child of a fork has none of its parent's threads.
            *queue = Self { threads: 0, generation: fork::generation(), waiting: VecDeque::new() };
        }
        queue.waiting.push_back(job);
        if queue.threads < MOST_THREADS {
            queue.threads += 1;
            let thread = std::thread::Builder::new().name("bequest-resolve".into());
            if let Err(error) = thread.spawn(Self::work) {
                queue.threads -= 1;
                queue.waiting.pop_back();
                return Err(error);
            }
        }
        Ok(())
    }

    /// What a thread does: jobs, until there are none.
    fn work() {
        loop {
            let mut queue = Self::lock();
            let Some(job) = queue.waiting.pop_front() else {
                queue.threads -= 1;
                return;
            };
            drop(queue);
            job();
        }
    }
}

#[derive(Default)]
struct LookUp {
    result: Option<io::Result<Vec<SocketAddr>>>,
    waker: Option<Waker>,
    /// Nobody waits any more.
    given_up: bool,
}

type Shared = Arc<Mutex<LookUp>>;

fn lock(shared: &Shared) -> MutexGuard<'_, LookUp> {
    shared.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Tells the thread, if it has not begun yet, that it need not.
struct Waiting(Shared);

impl Drop for Waiting {
    fn drop(&mut self) {
        lock(&self.0).given_up = true;
    }
}

async fn look_up_aside(host: String, port: u16) -> io::Result<Vec<SocketAddr>> {
    let ours = Waiting(Shared::default());
    let theirs = Arc::clone(&ours.0);
    Queue::push(Box::new(move || {
        if lock(&theirs).given_up {
            return;
        }
        let result = look_up(&host, port);
        let mut shared = lock(&theirs);
        shared.result = Some(result);
        if let Some(waker) = shared.waker.take() {
            waker.wake();
        }
    }))?;
    std::future::poll_fn(|context| {
        let mut shared = lock(&ours.0);
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
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn more_jobs_than_threads_wait_their_turn() {
        let (done, results) = mpsc::channel();
        for n in 0..3 * MOST_THREADS {
            let done = done.clone();
            Queue::push(Box::new(move || done.send(n).unwrap())).unwrap();
        }
        let mut seen: Vec<_> = results.iter().take(3 * MOST_THREADS).collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..3 * MOST_THREADS).collect::<Vec<_>>());
    }

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
