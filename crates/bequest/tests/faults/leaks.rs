//! What must be left as it was: descriptors and memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicIsize, Ordering::SeqCst};
use std::thread;

use crate::support::until;

/// How many cells are played at once.
const AT_ONCE: usize = 16;

/// How many bytes the process has in use.
static LIVE: AtomicIsize = AtomicIsize::new(0);

struct Counting;

#[allow(unsafe_code)] // An allocator is unsafe by its trait.
// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size().cast_signed(), SeqCst);
        // SAFETY: as promised by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size().cast_signed(), SeqCst);
        // SAFETY: as promised by the caller.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        LIVE.fetch_add(size.cast_signed() - layout.size().cast_signed(), SeqCst);
        // SAFETY: as promised by the caller.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

pub(crate) fn live_bytes() -> isize {
    LIVE.load(SeqCst)
}

/// What the process has open.
pub(crate) fn descriptors() -> Vec<String> {
    let open = fs::read_dir("/proc/self/fd").unwrap();
    // The one that reads the folder is gone when it is asked what it is.
    let mut names: Vec<_> = open
        .filter_map(|entry| fs::read_link(entry.unwrap().path()).ok())
        .map(|target| target.display().to_string())
        .filter(|target| !target.starts_with("/proc/"))
        .collect();
    names.sort();
    names
}

/// A runtime closes a socket shortly after it was told to.
#[track_caller]
pub(crate) fn assert_descriptors(before: &[String]) {
    until("descriptors are closed", || descriptors().len() <= before.len());
}

/// What is said of each of them, some at once.
pub(crate) fn each_of<T: Sync>(
    all: &[T],
    say: impl Fn(&T) -> Option<String> + Sync,
) -> Vec<String> {
    let (next, said) = (Mutex::new(all.iter()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(one) = next.lock().unwrap().next() else { break };
                    let what = say(one);
                    said.lock().unwrap().extend(what);
                }
            });
        }
    });
    said.into_inner().unwrap()
}
