//! Who may have a connection, where their number is limited: first come, first served.

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};

use super::PoolKey;
use crate::reactor::Home;

/// The right of at most so many requests to have a connection to one origin.
#[derive(Debug)]
pub(in crate::net) struct Turns {
    most: usize,
    lines: Mutex<Lines>,
}

#[derive(Debug)]
struct Lines {
    /// The process whose turns are counted: a child of a fork has none of its parent's connections.
    home: Home,
    /// Those with turns that are taken.
    lines: HashMap<Arc<PoolKey>, Line>,
    /// Numbers who waits, in the order in which they came.
    next: u64,
}

#[derive(Debug, Default)]
struct Line {
    taken: usize,
    /// Whoever is not in here any more has got a turn.
    waiting: VecDeque<(u64, Option<Waker>)>,
}

/// The right to have a connection, of one request. Dropping it lets the next one have it.
#[derive(Debug)]
pub(crate) struct Turn {
    turns: Arc<Turns>,
    key: Arc<PoolKey>,
    home: Home,
}

/// A place in a line. Dropping it leaves the line, or passes on the turn that came of it.
struct Queued<'a> {
    turns: &'a Arc<Turns>,
    key: &'a Arc<PoolKey>,
    number: u64,
    over: bool,
}

impl Turns {
    pub(in crate::net) fn new(most: usize) -> Arc<Self> {
        let lines = Lines { home: Home::here(), lines: HashMap::new(), next: 0 };
        // Nobody could ever have a connection.
        Arc::new(Self { most: most.max(1), lines: Mutex::new(lines) })
    }

    /// A turn, as soon as there is one.
    pub(in crate::net) async fn next(self: &Arc<Self>, key: Arc<PoolKey>) -> Turn {
        if let Some(number) = self.enter(&key) {
            let mut queued = Queued { turns: self, key: &key, number, over: false };
            poll_fn(|context| queued.poll(context.waker())).await;
        }
        Turn { turns: Arc::clone(self), key, home: Home::here() }
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.lock().lines.values().map(|line| line.waiting.len()).sum()
    }

    /// Takes a turn, or a place in the line for it.
    fn enter(&self, key: &Arc<PoolKey>) -> Option<u64> {
        let mut lines = self.lock();
        lines.next += 1;
        let number = lines.next;
        let line = lines.lines.entry(Arc::clone(key)).or_default();
        // Nobody waits while there is a turn.
        if line.taken < self.most {
            line.taken += 1;
            return None;
        }
        line.waiting.push_back((number, None));
        Some(number)
    }

    /// A turn is free: it is the first one's in the line.
    fn pass_on(&self, key: &Arc<PoolKey>) {
        let mut lines = self.lock();
        let Some(line) = lines.lines.get_mut(key) else { return };
        let next = line.waiting.pop_front();
        if next.is_none() {
            line.taken -= 1;
            if line.taken == 0 {
                lines.lines.remove(key);
            }
        }
        drop(lines);
        if let Some((_, Some(waker))) = next {
            waker.wake();
        }
    }

    /// Nothing that runs under the lock leaves it half changed.
    fn lock(&self) -> MutexGuard<'_, Lines> {
        let mut lines = self.lines.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if !lines.home.is_this_process() {
            *lines = Lines { home: Home::here(), lines: HashMap::new(), next: lines.next };
        }
        lines
    }
}

impl Line {
    fn place_of(&self, number: u64) -> Option<usize> {
        self.waiting.binary_search_by_key(&number, |(number, _)| *number).ok()
    }
}

impl Queued<'_> {
    fn poll(&mut self, waker: &Waker) -> Poll<()> {
        let mut lines = self.turns.lock();
        if let Some(line) = lines.lines.get_mut(self.key)
            && let Some(at) = line.place_of(self.number)
        {
            line.waiting[at].1 = Some(waker.clone());
            return Poll::Pending;
        }
        self.over = true;
        Poll::Ready(())
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        let mut lines = self.turns.lock();
        if let Some(line) = lines.lines.get_mut(self.key)
            && let Some(at) = line.place_of(self.number)
        {
            line.waiting.remove(at);
            return;
        }
        drop(lines);
        self.turns.pass_on(self.key);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.home.is_this_process() {
            self.turns.pass_on(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::{Pin, pin};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Wake};

    use super::*;
    use crate::net::Origin;
    use crate::reactor::block_on;

    fn key(port: u16) -> Arc<PoolKey> {
        let origin =
            Origin { host: "h", port, zone: None, tls: None, route: None, unix_socket: None };
        Arc::new(PoolKey::new(origin))
    }

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// One that waits, by hand.
    struct Asker<'a> {
        asking: Pin<Box<dyn Future<Output = Turn> + 'a>>,
        woken: Arc<Count>,
    }

    impl<'a> Asker<'a> {
        fn new(turns: &'a Arc<Turns>, key: &Arc<PoolKey>) -> Self {
            let asking = Box::pin(turns.next(Arc::clone(key)));
            Self { asking, woken: Arc::default() }
        }

        fn poll(&mut self) -> Option<Turn> {
            let waker = Waker::from(Arc::clone(&self.woken));
            match self.asking.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(turn) => Some(turn),
                Poll::Pending => None,
            }
        }

        fn is_woken(&self) -> bool {
            self.woken.0.load(Ordering::SeqCst) > 0
        }
    }

    #[test]
    fn first_come_first_served() {
        let (turns, key, other) = (Turns::new(2), key(1), key(2));
        let mut held: Vec<_> = (0..2).map(|_| Asker::new(&turns, &key).poll().unwrap()).collect();
        let mut askers: Vec<_> = (0..3).map(|_| Asker::new(&turns, &key)).collect();
        assert!(askers.iter_mut().all(|asker| asker.poll().is_none()));
        assert!(Asker::new(&turns, &other).poll().is_some(), "another origin has its own");
        drop(held.pop());
        let woken: Vec<_> = askers.iter().map(Asker::is_woken).collect();
        assert_eq!(woken, [true, false, false]);
        // Who comes now is not before those who wait, though the one woken has not looked yet.
        assert!(Asker::new(&turns, &key).poll().is_none());
        assert!(askers[1].poll().is_none());
        held.push(askers[0].poll().unwrap());
        drop(held);
        let woken: Vec<_> = askers[1..].iter().map(Asker::is_woken).collect();
        assert_eq!(woken, [true, true]);
        drop((askers[1].poll().unwrap(), askers[2].poll().unwrap()));
        drop(askers);
        assert!(turns.lock().lines.is_empty(), "nothing is kept of origins that nobody uses");
    }

    #[test]
    fn who_gives_up_keeps_nobody_waiting() {
        let (turns, key) = (Turns::new(1), key(1));
        let held = Asker::new(&turns, &key).poll().unwrap();
        let mut askers: VecDeque<_> = (0..4).map(|_| Asker::new(&turns, &key)).collect();
        assert!(askers.iter_mut().all(|asker| asker.poll().is_none()));
        // One that was never first, and one that was woken and did not look.
        askers.remove(1);
        drop(held);
        assert!(askers[0].is_woken() && !askers[1].is_woken());
        askers.pop_front();
        assert!(askers[0].is_woken() && !askers[1].is_woken());
        drop(askers[0].poll().unwrap());
        assert!(askers[1].poll().is_some());
        drop(askers);
        assert!(turns.lock().lines.is_empty());
    }

    /// No turn is lost and no more than there are is given out, whoever gives up when.
    #[test]
    fn threads_take_turns() {
        const MOST: usize = 3;
        let (turns, key) = (&Turns::new(MOST), &key(1));
        let (now, ever) = (&AtomicUsize::new(0), &AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for seed in 0..8_u32 {
                scope.spawn(move || {
                    for n in 0..2_000 {
                        if (seed + n) % 3 == 0 {
                            // Asks once, and goes.
                            let mut asking = pin!(turns.next(Arc::clone(key)));
                            let mut context = Context::from_waker(Waker::noop());
                            drop(asking.as_mut().poll(&mut context));
                            continue;
                        }
                        let turn = block_on(async { Ok(turns.next(Arc::clone(key)).await) });
                        assert!(now.fetch_add(1, Ordering::SeqCst) < MOST);
                        ever.fetch_add(1, Ordering::SeqCst);
                        std::thread::yield_now();
                        now.fetch_sub(1, Ordering::SeqCst);
                        drop(turn.unwrap());
                    }
                });
            }
        });
        assert!(ever.load(Ordering::SeqCst) > 10_000);
        assert!(turns.lock().lines.is_empty());
    }
}
