//! Memory stays flat, however many requests a session makes.

#![allow(clippy::unwrap_used)] // A failed expectation of a test is a panic.

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use bequest::Session;

/// What this thread has allocated: how often, and how many bytes are still in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Used {
    count: usize,
    live: isize,
}

thread_local! {
    static USED: Cell<Used> = const { Cell::new(Used { count: 0, live: 0 }) };
}

fn note(count: usize, grown: isize) {
    // At the end of a thread there is nothing left to count.
    let _ = USED.try_with(|used| {
        let before = used.get();
        used.set(Used { count: before.count + count, live: before.live + grown });
    });
}

struct Counting;

#[allow(unsafe_code)] // An allocator is unsafe by its trait.
// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(1, layout.size().cast_signed());
        // SAFETY: as promised by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        note(0, -layout.size().cast_signed());
        // SAFETY: as promised by the caller.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(1, size.cast_signed() - layout.size().cast_signed());
        // SAFETY: as promised by the caller.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What is resident is the whole process's: its tests come one after the other.
fn alone() -> MutexGuard<'static, ()> {
    static ORDER: Mutex<()> = Mutex::new(());
    ORDER.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// What is downloaded.
const LARGE: usize = 16 << 20;

/// A server that keeps nothing, and counts its connections.
fn serve() -> (SocketAddr, Arc<AtomicUsize>) {
    serve_all(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 14\r\n\r\nHello, world!\n",
    )
}

/// One that answers each request with the same bytes.
fn serve_all(answer: impl Into<Vec<u8>>) -> (SocketAddr, Arc<AtomicUsize>) {
    let answer = answer.into();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    thread::spawn(move || {
        for stream in listener.incoming() {
            counted.fetch_add(1, SeqCst);
            let mut stream = stream.unwrap();
            stream.set_nodelay(true).unwrap();
            let mut head = [0; 4096];
            // Each request is small, and answered before the next: one read has all of it.
            while stream.read(&mut head).unwrap_or(0) > 0 {
                if stream.write_all(&answer).is_err() {
                    break;
                }
            }
        }
    });
    (address, connections)
}

fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_hundred_thousand_requests() {
    let _alone = alone();
    let (address, connections) = serve();
    let session = Session::new();
    let url = format!("http://{address}/get?page=1");
    let requests = |count| {
        for _ in 0..count {
            let response = session.get(&url).send().unwrap();
            assert_eq!(response.content().unwrap().len(), 14);
        }
    };
    requests(10_000);
    let (used, resident_before) = (USED.get(), cfg!(target_os = "linux").then(resident));
    requests(90_000);
    let after = USED.get();
    assert_eq!(after.live, used.live, "bytes in use");
    let each = (after.count - used.count) as f64 / 90_000.0;
    println!("{each} allocations for each GET over a connection that is kept");
    assert!(each <= 40.0, "{each} allocations for each GET");
    if let Some(before) = resident_before {
        let grown = resident().saturating_sub(before);
        assert!(grown <= 1024, "grown by {grown} KiB");
    }
    assert_eq!(connections.load(SeqCst), 1);
}

/// Errors, dropped streams and closed sessions leave nothing behind either.
#[test]
fn what_goes_wrong_is_freed() {
    let _alone = alone();
    let (address, _) = serve();
    let url = format!("http://{address}/");
    let round = || {
        let session = Session::new();
        drop(session.get(&url).stream(true).send().unwrap());
        assert_eq!(session.get(&url).send().unwrap().status(), 200);
        assert!(session.get("http://127.0.0.1:1/").send().is_err());
        assert!(session.get("no scheme").send().is_err());
        session.close();
    };
    (0..10).for_each(|_| round());
    let before = USED.get().live;
    (0..200).for_each(|_| round());
    assert_eq!(USED.get().live, before, "bytes in use");
}

/// Lines of 64 bytes, no two of them the same.
fn lines() -> Vec<u8> {
    (0..LARGE / 64).flat_map(|number| format!("{number:063}\n").into_bytes()).collect()
}

/// A large body, with its length and in chunks.
fn large() -> [Vec<u8>; 2] {
    let body = lines();
    let whole = format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n").into_bytes();
    let mut chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for chunk in body.chunks(10_000) {
        chunked.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        chunked.extend_from_slice(chunk);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    [[whole, body].concat(), chunked]
}

/// A piece that the caller lets go gives its memory to the next one; those that are kept have their
/// own.
#[test]
fn pieces_use_their_memory_again() {
    let _alone = alone();
    for answer in large() {
        let (address, _) = serve_all(answer);
        let r = bequest::get(format!("http://{address}/")).stream(true).send().unwrap();
        let (before, mut most, mut length) = (USED.get(), 0, 0);
        for piece in r.iter_content(64 * 1024) {
            let piece = piece.unwrap();
            most = most.max(USED.get().live - before.live);
            length += piece.len();
        }
        let count = USED.get().count - before.count;
        println!("{count} allocations, at most {most} bytes");
        assert_eq!(length, LARGE);
        assert!(count <= 20, "{count} allocations");
        assert!(most <= 256 * 1024, "{most} bytes at once");
    }
}

#[test]
fn pieces_that_are_kept_have_their_own_memory() {
    let _alone = alone();
    for answer in large() {
        let (address, _) = serve_all(answer);
        let r = bequest::get(format!("http://{address}/")).stream(true).send().unwrap();
        let before = USED.get();
        let pieces: Vec<_> = r.iter_content(64 * 1024).map(|piece| piece.unwrap()).collect();
        let used = USED.get().live - before.live;
        assert_eq!(pieces.len(), LARGE / (64 * 1024));
        assert!(pieces.iter().flatten().eq(&lines()), "none was written over");
        assert!(used <= (LARGE + LARGE / 4).cast_signed(), "{used} bytes");
        // A single one that is kept keeps little more than itself.
        let kept = pieces[7].clone();
        drop(pieces);
        let used = USED.get().live - before.live;
        assert!(used <= 256 * 1024, "{used} bytes for {}", kept.len());
    }
}

/// Lines are not given memory of the size of a read each.
#[test]
fn lines_use_their_memory_again() {
    let _alone = alone();
    for answer in large() {
        let (address, _) = serve_all(answer);
        let r = bequest::get(format!("http://{address}/")).stream(true).send().unwrap();
        let (before, mut most, mut count) = (USED.get(), 0, 0);
        for line in r.iter_lines() {
            assert_eq!(line.unwrap().len(), 63);
            most = most.max(USED.get().live - before.live);
            count += 1;
        }
        let allocated = USED.get().count - before.count;
        println!("{allocated} allocations for {count} lines, at most {most} bytes");
        assert_eq!(count, LARGE / 64);
        assert!(allocated <= count + 30, "{allocated} allocations for {count} lines");
        assert!(most <= 256 * 1024, "{most} bytes at once");
    }
}

/// However much comes of it, no more is held than the window that its coding may look back into.
#[test]
#[cfg(feature = "compression")]
fn a_bomb_is_streamed_in_little_memory() {
    let _alone = alone();
    const MEBIBYTES: usize = 256;
    for bomb in support::bomb::Bomb::all() {
        let server = testbed::RawServer::start(bomb.script(MEBIBYTES));
        let response = bequest::get(server.url("/")).stream(true).send().unwrap();
        let mut out = vec![0xff; 1 << 20];
        let (before, mut most, mut whole) = (USED.get().live, 0, 0);
        let mut reader = response.reader();
        loop {
            let count = reader.read(&mut out).unwrap();
            assert!(count <= 64 * 1024, "{count} bytes by one call");
            assert!(out[..count].iter().all(|byte| *byte == 0));
            most = most.max(USED.get().live - before);
            whole += count;
            if count == 0 {
                break;
            }
        }
        assert_eq!(whole, (MEBIBYTES << 20) + bomb.more);
        println!("{}: {most} bytes at most", bomb.coding);
        assert!(most <= 16 << 20, "{}: {most} bytes", bomb.coding);
    }
}
