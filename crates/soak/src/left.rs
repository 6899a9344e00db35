//! What is left after a round: memory and descriptors.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::sync::atomic::{AtomicIsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::Outcome;

/// What memory may differ by between two rounds: what a runtime and a session have room for, which
/// is as large as it had to be at most.
const ROOM: isize = 256 * 1024;

/// How many bytes the process has in use.
static LIVE: AtomicIsize = AtomicIsize::new(0);

struct Counting;

#[allow(unsafe_code)] // An allocator is unsafe by its trait.
// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size().cast_signed(), Relaxed);
        // SAFETY: as promised by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size().cast_signed(), Relaxed);
        // SAFETY: as promised by the caller.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        LIVE.fetch_add(size.cast_signed() - layout.size().cast_signed(), Relaxed);
        // SAFETY: as promised by the caller.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[derive(Clone, Copy, Debug)]
struct Look {
    live: isize,
    resident: u64,
    descriptors: usize,
}

/// What was left after each round since it settled.
#[derive(Debug, Default)]
pub(crate) struct Left {
    first: Option<Look>,
    last: Option<Look>,
    most: (isize, u64),
}

impl Left {
    /// Fails if it is more than after the first round that counts.
    pub(crate) fn look(&mut self, round: usize, counts: bool) -> Outcome {
        if !counts {
            return Ok(());
        }
        let first = match self.first {
            Some(first) => first,
            None => *self.first.insert(settled(|_| true)?),
        };
        let is_flat =
            |look: &Look| look.live - first.live <= ROOM && look.descriptors <= first.descriptors;
        let look = settled(is_flat)?;
        self.last = Some(look);
        self.most = (self.most.0.max(look.live), self.most.1.max(look.resident));
        match is_flat(&look) {
            true => Ok(()),
            false => Err(format!("round {round} has left {look:?}, the first {first:?}").into()),
        }
    }

    pub(crate) fn report(&self) {
        let (Some(first), Some(last)) = (self.first, self.last) else { return };
        println!("after the first round that counts: {first:?}");
        println!(
            "after the last: {last:?}; most: {} live, {} kB resident",
            self.most.0, self.most.1
        );
    }
}

/// A runtime frees what a task held shortly after that was done: looks until it is well, or long
/// enough.
fn settled(is_well: impl Fn(&Look) -> bool) -> Outcome<Look> {
    let start = Instant::now();
    loop {
        let look = Look { live: LIVE.load(Relaxed), resident: resident()?, descriptors: open()? };
        if is_well(&look) || start.elapsed() > Duration::from_secs(5) {
            return Ok(look);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn open() -> Outcome<usize> {
    Ok(fs::read_dir("/proc/self/fd")?.count())
}

/// In kB.
fn resident() -> Outcome<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
