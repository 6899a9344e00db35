//! Names to addresses, by the system's resolver or the caller's.

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};
use std::thread;

use super::{Reactor, Resolver, calling_thread, fork, interrupt};

/// Why there is no address: what the system says, or the caller's resolver.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The addresses of a host, in the order in which the resolver gives them. Literals and `localhost`
/// (RFC 6761, section 6.3) are answered here.
///
/// `bounded` says that somebody will give up waiting: then the look-up, which can't be ended, runs
/// on a thread of its own that is left behind. Without it, the calling thread looks up itself.
///
/// An address with a zone is the system's, too: it knows the names of interfaces.
pub(crate) async fn resolve(
    resolver: Option<&Arc<dyn Resolver>>,
    host: &str,
    zone: Option<&str>,
    port: u16,
    bounded: bool,
) -> Result<Vec<SocketAddr>, Cause> {
    let with_port =
        |ips: Vec<IpAddr>| ips.into_iter().map(|ip| SocketAddr::new(ip, port)).collect();
    if let Some(zone) = zone {
        return Ok(ask_system(&format!("{}%{zone}", literal(host)), port, bounded).await?);
    }
    match (known(host), resolver) {
        (Some(addresses), _) => Ok(with_port(addresses)),
        (None, Some(resolver)) => Ok(with_port(ask(resolver, host, bounded).await?)),
        (None, None) => Ok(ask_system(host, port, bounded).await?),
    }
}

async fn ask_system(host: &str, port: u16, bounded: bool) -> io::Result<Vec<SocketAddr>> {
    match super::current() {
        #[cfg(feature = "async")]
        Some(Reactor::Tokio) => Ok(tokio::net::lookup_host((host, port)).await?.collect()),
        Some(Reactor::CallingThread) if is_aside(bounded) => {
            let host = host.to_owned();
            aside(move || look_up(&host, port)).await?
        }
        Some(Reactor::CallingThread) | None => look_up(host, port),
    }
}

async fn ask(
    resolver: &Arc<dyn Resolver>,
    host: &str,
    bounded: bool,
) -> crate::error::Result<Vec<IpAddr>> {
    match super::current() {
        #[cfg(feature = "async")]
        Some(Reactor::Tokio) => Arc::clone(resolver).resolve_async(host.to_owned()).await,
        Some(Reactor::CallingThread) if is_aside(bounded) => {
            let (resolver, host) = (Arc::clone(resolver), host.to_owned());
            aside(move || resolver.resolve(&host)).await?
        }
        Some(Reactor::CallingThread) | None => resolver.resolve(host),
    }
}

/// Whether the calling thread must be free to notice something else meanwhile.
fn is_aside(bounded: bool) -> bool {
    bounded || interrupt::is_installed() || calling_thread::is_one_of_many()
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

static QUEUE: Mutex<Queue> = Mutex::new(Queue::new(0));

struct Queue {
    threads: usize,
    /// The process that the threads belong to.
    generation: u64,
    waiting: VecDeque<Box<dyn Job>>,
    /// With so many that wait, those that nobody wants any more are looked for.
    full: usize,
}

trait Job: Send {
    fn run(self: Box<Self>);

    /// Whether nobody waits for it any more.
    fn is_given_up(&self) -> bool;
}

impl Queue {
    const fn new(generation: u64) -> Self {
        Self { threads: 0, generation, waiting: VecDeque::new(), full: MOST_THREADS }
    }

    fn lock() -> MutexGuard<'static, Self> {
        QUEUE.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Has a thread do the job, sooner or later.
    fn push(job: Box<dyn Job>) -> io::Result<()> {
        // Dropped when the lock is gone: they may have a resolver of the caller's.
        let _given_up;
        let mut queue = Self::lock();
        if queue.generation != fork::generation() {
            // A child of a fork has none of its parent's threads.
            *queue = Self::new(fork::generation());
        }
        _given_up = queue.take_given_up();
        queue.waiting.push_back(job);
        if queue.threads < MOST_THREADS {
            queue.threads += 1;
            let thread = thread::Builder::new().name("bequest-resolve".into());
            if let Err(error) = thread.spawn(Self::work) {
                queue.threads -= 1;
                queue.waiting.pop_back();
                return Err(error);
            }
        }
        Ok(())
    }

    /// Takes out what nobody wants any more, once it may be many: threads that hang don't.
    fn take_given_up(&mut self) -> Vec<Box<dyn Job>> {
        if self.waiting.len() < self.full {
            return Vec::new();
        }
        let all = mem::take(&mut self.waiting).into_iter();
        let (given_up, wanted): (Vec<_>, Vec<_>) = all.partition(|job| job.is_given_up());
        self.waiting = wanted.into();
        self.full = 2 * self.waiting.len().max(MOST_THREADS);
        given_up
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
            job.run();
        }
    }
}

struct LookUp<T> {
    result: Option<thread::Result<T>>,
    waker: Option<Waker>,
    /// Nobody waits any more.
    given_up: bool,
}

type Shared<T> = Arc<Mutex<LookUp<T>>>;

fn lock<T>(shared: &Shared<T>) -> MutexGuard<'_, LookUp<T>> {
    shared.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// A look-up that somebody waits for.
struct Asked<F, T> {
    look_up: F,
    shared: Shared<T>,
}

impl<T: Send, F: FnOnce() -> T + Send> Job for Asked<F, T> {
    fn run(self: Box<Self>) {
        let Self { look_up, shared } = *self;
        if lock(&shared).given_up {
            return;
        }
        // Nothing of it is left to be seen half done but by the panic's own cause.
        let result = panic::catch_unwind(AssertUnwindSafe(look_up));
        let mut shared = lock(&shared);
        shared.result = Some(result);
        if let Some(waker) = shared.waker.take() {
            waker.wake();
        }
    }

    fn is_given_up(&self) -> bool {
        lock(&self.shared).given_up
    }
}

/// Tells the thread, if it has not begun yet, that it need not.
struct Waiting<T>(Shared<T>);

impl<T> Drop for Waiting<T> {
    fn drop(&mut self) {
        lock(&self.0).given_up = true;
    }
}

/// Runs the look-up on another thread; a panic there is the caller's.
async fn aside<T: Send + 'static>(look_up: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    let ours = Waiting(Arc::new(Mutex::new(LookUp { result: None, waker: None, given_up: false })));
    Queue::push(Box::new(Asked { look_up, shared: Arc::clone(&ours.0) }))?;
    let result = std::future::poll_fn(|context| {
        let mut shared = lock(&ours.0);
        match shared.result.take() {
            Some(result) => Poll::Ready(result),
            None => {
                shared.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    })
    .await;
    Ok(result.unwrap_or_else(|cause| panic::resume_unwind(cause)))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::task::Context;

    use super::*;

    struct Wanted<F>(F);

    impl<F: FnOnce() + Send> Job for Wanted<F> {
        fn run(self: Box<Self>) {
            self.0();
        }

        fn is_given_up(&self) -> bool {
            false
        }
    }

    #[test]
    fn more_jobs_than_threads_wait_their_turn() {
        let (done, results) = mpsc::channel();
        for n in 0..3 * MOST_THREADS {
            let done = done.clone();
            Queue::push(Box::new(Wanted(move || done.send(n).unwrap()))).unwrap();
        }
        let mut seen: Vec<_> = results.iter().take(3 * MOST_THREADS).collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..3 * MOST_THREADS).collect::<Vec<_>>());
    }

    /// Look-ups can hang for ever, and programs go on asking.
    #[test]
    fn nothing_is_kept_for_those_who_gave_up() {
        let (release, hang) = mpsc::channel::<()>();
        let hang = Arc::new(Mutex::new(hang));
        for _ in 0..MOST_THREADS {
            let hang = Arc::clone(&hang);
            let job = Wanted(move || drop(hang.lock().map(|hang| hang.recv())));
            Queue::push(Box::new(job)).unwrap();
        }
        let mut most = 0;
        for _ in 0..1000 {
            let mut asking = std::pin::pin!(aside(|| ()));
            assert!(asking.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            most = most.max(Queue::lock().waiting.len());
        }
        drop(release);
        assert!(most < 500, "{most}");
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
