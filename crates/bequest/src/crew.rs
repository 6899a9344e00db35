//! Threads that a session starts when it is asked to, and lets go.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use crate::reactor::Home;

/// How long a thread waits for something to do before it ends.
const PATIENCE: Duration = Duration::from_secs(10);

/// Something to be done on another thread.
pub(crate) trait Task: Send + Sync {
    /// May panic.
    fn run(&self);
    /// The session was closed before it was run.
    fn was_closed(&self);
    /// Whether it is still to be run.
    fn is_wanted(&self) -> bool;
}

/// The threads of a session and its clones; none until there is something to do. Once it is
/// dropped, they do what there is to be done, and end.
///
/// A child process has threads of its own: those of its parent are not in it, and what they had
/// locked stays locked.
#[derive(Default)]
pub(crate) struct Crew {
    shift: OnceLock<Shift>,
}

/// The threads of one process.
struct Shift {
    home: Home,
    board: Arc<Board>,
    child: Box<Crew>,
}

impl Crew {
    /// Has it run by a thread, of which there may be so many.
    ///
    /// # Errors
    /// There is no thread, and none can be started.
    pub(crate) fn take(&self, task: Arc<dyn Task>, most: usize) -> std::io::Result<()> {
        self.board().post(task, most.max(1))
    }

    /// What waits for a thread will not be run.
    pub(crate) fn close(&self) {
        if let Some(board) = self.posted() {
            let waiting = std::mem::take(&mut board.lock().waiting);
            waiting.iter().for_each(|task| task.was_closed());
        }
    }

    fn board(&self) -> &Arc<Board> {
        let shift = self.shift.get_or_init(|| Shift {
            home: Home::here(),
            board: Board::new(PATIENCE),
            child: Box::default(),
        });
        if shift.home.is_this_process() { &shift.board } else { shift.child.board() }
    }

    /// This process's, if it ever had something to do.
    fn posted(&self) -> Option<&Arc<Board>> {
        let shift = self.shift.get()?;
        if shift.home.is_this_process() { Some(&shift.board) } else { shift.child.posted() }
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        if let Some(shift) = self.shift.get()
            && shift.home.is_this_process()
        {
            shift.board.lock().is_over = true;
            shift.board.news.notify_all();
        }
    }
}

impl fmt::Debug for Crew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crew").finish_non_exhaustive()
    }
}

/// Where threads find what is to be done.
struct Board {
    state: Mutex<State>,
    news: Condvar,
    patience: Duration,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Arc<dyn Task>>,
    /// With so many of them, those that nobody wants any more are looked for.
    full: usize,
    threads: usize,
    /// How many of them have nothing to do.
    idle: usize,
    /// How many there were, to name the next one.
    started: u64,
    /// Nobody will have more to do.
    is_over: bool,
}

impl Board {
    fn new(patience: Duration) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), news: Condvar::new(), patience })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn post(self: &Arc<Self>, task: Arc<dyn Task>, most: usize) -> std::io::Result<()> {
        let mut state = self.lock();
        if state.waiting.len() >= state.full {
            state.waiting.retain(|task| task.is_wanted());
            state.full = 2 * state.waiting.len().max(32);
        }
        state.waiting.push_back(task);
        if state.idle < state.waiting.len() && state.threads < most {
            let board = Arc::clone(self);
            let name = format!("bequest-{}", state.started + 1);
            match thread::Builder::new().name(name).spawn(move || board.work()) {
                Ok(_) => (state.threads, state.started) = (state.threads + 1, state.started + 1),
                // The others will do it.
                Err(_) if state.threads > 0 => {}
                Err(error) => {
                    let task = state.waiting.pop_back();
                    drop(state);
                    drop(task);
                    return Err(error);
                }
            }
        }
        drop(state);
        self.news.notify_one();
        Ok(())
    }

    fn work(&self) {
        while let Some(task) = self.next() {
            // A panic is the task's. Its payload is not dropped: that may panic again.
            if let Err(payload) = catch_unwind(AssertUnwindSafe(move || task.run())) {
                std::mem::forget(payload);
            }
        }
    }

    /// `None` if this thread is not needed any more.
    fn next(&self) -> Option<Arc<dyn Task>> {
        let mut state = self.lock();
        let end = Instant::now() + self.patience;
        loop {
            if let Some(task) = state.waiting.pop_front() {
                return Some(task);
            }
            let left = end.saturating_duration_since(Instant::now());
            if state.is_over || left.is_zero() {
                state.threads -= 1;
                return None;
            }
            state.idle += 1;
            let waited = self.news.wait_timeout(state, left);
            state = waited.map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state);
            state.idle -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

    use super::*;

    /// Waits until it is let go.
    #[derive(Default)]
    struct Step {
        begun: AtomicBool,
        free: AtomicBool,
        closed: AtomicBool,
    }

    impl Step {
        fn free() -> Arc<Self> {
            Arc::new(Self { free: AtomicBool::new(true), ..Self::default() })
        }
    }

    impl Task for Step {
        fn run(&self) {
            self.begun.store(true, SeqCst);
            until(|| self.free.load(SeqCst));
        }

        fn was_closed(&self) {
            self.closed.store(true, SeqCst);
        }

        fn is_wanted(&self) -> bool {
            !self.closed.load(SeqCst)
        }
    }

    /// Threads that were started and that are there, and tasks that wait for one.
    fn counts(board: &Board) -> (u64, usize, usize) {
        let state = board.lock();
        (state.started, state.threads, state.waiting.len())
    }

    #[track_caller]
    fn until(condition: impl Fn() -> bool) {
        let start = Instant::now();
        while !condition() {
            assert!(start.elapsed() < PATIENCE, "waited in vain");
            thread::yield_now();
        }
    }

    #[test]
    fn threads_are_started_as_they_are_needed() {
        let board = Board::new(PATIENCE);
        for _ in 0..3 {
            let step = Step::free();
            board.post(Arc::clone(&step) as Arc<_>, 4).unwrap();
            until(|| step.begun.load(SeqCst) && board.lock().idle == 1);
        }
        assert_eq!(board.lock().started, 1, "one that is idle does it");
        let steps: Vec<_> = (0..6).map(|_| Arc::new(Step::default())).collect();
        for step in &steps {
            board.post(Arc::clone(step) as Arc<_>, 4).unwrap();
        }
        until(|| steps.iter().filter(|step| step.begun.load(SeqCst)).count() == 4);
        assert_eq!(counts(&board), (4, 4, 2));
        steps.iter().for_each(|step| step.free.store(true, SeqCst));
        until(|| board.lock().idle == 4);
        assert!(steps.iter().all(|step| step.begun.load(SeqCst)));
    }

    #[test]
    fn threads_end_when_they_are_idle() {
        let board = Board::new(Duration::from_millis(20));
        board.post(Step::free(), 2).unwrap();
        until(|| Arc::strong_count(&board) == 1);
        assert_eq!(board.lock().threads, 0);
        let step = Step::free();
        board.post(Arc::clone(&step) as Arc<_>, 2).unwrap();
        until(|| step.begun.load(SeqCst) && Arc::strong_count(&board) == 1);
        assert_eq!(board.lock().started, 2, "another was started when it was needed");
    }

    #[test]
    fn threads_end_with_the_crew_when_all_is_done() {
        let crew = Crew::default();
        let (held, waiting) = (Arc::new(Step::default()), Step::free());
        crew.take(Arc::clone(&held) as Arc<_>, 1).unwrap();
        crew.take(Arc::clone(&waiting) as Arc<_>, 1).unwrap();
        let board = Arc::clone(crew.board());
        drop(crew);
        assert!(!waiting.begun.load(SeqCst));
        held.free.store(true, SeqCst);
        until(|| Arc::strong_count(&board) == 1);
        assert!(waiting.begun.load(SeqCst));
    }

    #[test]
    fn closing_gives_up_what_waits() {
        let crew = Crew::default();
        crew.close();
        assert!(crew.posted().is_none(), "nothing was ever done");
        let (held, waiting) = (Arc::new(Step::default()), Step::free());
        crew.take(Arc::clone(&held) as Arc<_>, 1).unwrap();
        until(|| held.begun.load(SeqCst));
        crew.take(Arc::clone(&waiting) as Arc<_>, 1).unwrap();
        crew.close();
        held.free.store(true, SeqCst);
        assert!(waiting.closed.load(SeqCst) && !held.closed.load(SeqCst));
        let later = Step::free();
        crew.take(Arc::clone(&later) as Arc<_>, 1).unwrap();
        until(|| later.begun.load(SeqCst));
        assert!(!waiting.begun.load(SeqCst));
    }

    #[test]
    fn a_panic_ends_no_thread() {
        static RUNS: AtomicUsize = AtomicUsize::new(0);
        struct Panics;
        impl Task for Panics {
            fn run(&self) {
                RUNS.fetch_add(1, SeqCst);
                std::panic::panic_any(Mutex::new("of any type"));
            }

            fn was_closed(&self) {}

            fn is_wanted(&self) -> bool {
                true
            }
        }
        let board = Board::new(PATIENCE);
        for _ in 0..3 {
            board.post(Arc::new(Panics), 1).unwrap();
        }
        until(|| RUNS.load(SeqCst) == 3);
        assert_eq!(counts(&board), (1, 1, 0));
    }

    #[test]
    fn what_nobody_wants_does_not_heap_up() {
        let crew = Crew::default();
        let held = Arc::new(Step::default());
        crew.take(Arc::clone(&held) as Arc<_>, 1).unwrap();
        until(|| held.begun.load(SeqCst));
        for _ in 0..10_000 {
            let step = Step::free();
            crew.take(Arc::clone(&step) as Arc<_>, 1).unwrap();
            step.was_closed();
        }
        assert!(crew.board().lock().waiting.len() <= 64);
        held.free.store(true, SeqCst);
    }
}
