//! What every client of the benchmark shares: its command line, the counting of its allocations,
//! and its report.
//!
//! A client is called as `CLIENT MODE URL COUNT [--first URL] [--ca FILE] [--file FILE] [--bytes N]
//! [--at-once N]`. It makes one request that isn't measured, to open the connection (or as many as
//! there are at once), and then COUNT that are. What it costs a request is the difference between
//! two runs with different COUNTs, whatever measures.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

/// The system's allocator, counting. C libraries have their own way to it and aren't counted.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// What a client was told to do.
#[derive(Debug)]
pub struct Job {
    /// `get`: the whole body in memory. `get-parsed`: the same with a URL that was parsed before.
    /// `download`: the body as it comes, through a buffer. `upload`: the file. `session`: `get`
    /// that keeps cookies and follows redirects. `jar`: the same with cookies of other sites.
    /// `many`: `get`, several at once. `idle`: connections, and then nothing. With
    /// `-h2` behind it, over HTTP/2.
    pub mode: String,
    pub url: String,
    /// The URL of the request that opens the connection, by GET.
    pub first: Option<String>,
    pub count: u64,
    pub at_once: usize,
    /// Whom to trust.
    pub ca: Option<PathBuf>,
    file: Option<PathBuf>,
    bytes: Option<u64>,
}

/// How large the buffer is by which downloads are read.
pub const BUFFER: usize = 64 << 10;

/// Ten cookies of each of 99 sites: URL, name and value.
pub fn cookies_of_sites(mut keep: impl FnMut(&str, &str, &str)) {
    for site in 100..199 {
        for name in 0..10 {
            let site = format!("https://www.site{site}.example/");
            keep(&site, &format!("name{name}"), "sixteen-bytes-ok");
        }
    }
}

/// What a client returns when it can't do what it was told to.
pub fn cannot(mode: &str) -> ! {
    eprintln!("no mode {mode}");
    std::process::exit(3)
}

impl Job {
    pub fn from_args() -> Self {
        let mut args = std::env::args().skip(1);
        let mut next = || args.next();
        let (Some(mode), Some(url), Some(count)) = (next(), next(), next()) else {
            panic!(
                "usage: MODE URL COUNT [--first URL] [--ca FILE] [--file FILE] [--bytes N] [--at-once N]"
            );
        };
        let count = count.parse().expect("COUNT is a number");
        let mut job =
            Self { mode, url, first: None, count, at_once: 1, ca: None, file: None, bytes: None };
        while let (Some(name), Some(value)) = (next(), next()) {
            match name.as_str() {
                "--first" => job.first = Some(value),
                "--ca" => job.ca = Some(value.into()),
                "--file" => job.file = Some(value.into()),
                "--bytes" => job.bytes = Some(value.parse().expect("--bytes is a number")),
                "--at-once" => job.at_once = value.parse().expect("--at-once is a number"),
                other => panic!("no option {other}"),
            }
        }
        job
    }

    /// The mode, whatever the version of HTTP.
    pub fn plain_mode(&self) -> &str {
        self.mode.strip_suffix("-h2").unwrap_or(&self.mode)
    }

    /// The certificate to trust.
    pub fn ca_pem(&self) -> Option<Vec<u8>> {
        self.ca.as_ref().map(|path| std::fs::read(path).expect("the certificate"))
    }

    /// The file to send, and its length.
    pub fn file(&self) -> (File, u64) {
        let file = File::open(self.file.as_ref().expect("--file")).expect("the file");
        let length = file.metadata().expect("its length").len();
        (file, length)
    }

    /// Runs requests by a function that returns how many bytes of body were moved.
    pub fn run(&self, get: impl FnOnce(&str) -> u64, mut one: impl FnMut(&str) -> u64) {
        match &self.first {
            Some(first) => _ = get(first),
            None => self.check(one(&self.url)),
        }
        let (before, start) = (ALLOCATIONS.load(Relaxed), Instant::now());
        for _ in 0..self.count {
            self.check(one(&self.url));
        }
        self.report(before, start.elapsed());
    }

    /// The same for async clients.
    pub async fn run_async(
        &self,
        get: impl AsyncFnOnce(&str) -> u64,
        mut one: impl AsyncFnMut(&str) -> u64,
    ) {
        match &self.first {
            Some(first) => _ = get(first).await,
            None => self.check(one(&self.url).await),
        }
        let (before, start) = (ALLOCATIONS.load(Relaxed), Instant::now());
        for _ in 0..self.count {
            self.check(one(&self.url).await);
        }
        self.report(before, start.elapsed());
    }

    /// The same for many at once, by a function that makes so many requests and returns how many
    /// bytes they all moved.
    pub fn run_many(&self, mut some: impl FnMut(u64) -> u64) {
        let at_once = self.at_once as u64;
        self.check_many(at_once, some(at_once));
        let (before, start) = (ALLOCATIONS.load(Relaxed), Instant::now());
        self.check_many(self.count, some(self.count));
        self.report(before, start.elapsed());
    }

    /// The same for async clients.
    pub async fn run_many_async(&self, mut some: impl AsyncFnMut(u64) -> u64) {
        let at_once = self.at_once as u64;
        self.check_many(at_once, some(at_once).await);
        let (before, start) = (ALLOCATIONS.load(Relaxed), Instant::now());
        self.check_many(self.count, some(self.count).await);
        self.report(before, start.elapsed());
    }

    fn check_many(&self, requests: u64, moved: u64) {
        if let Some(bytes) = self.bytes {
            assert_eq!(moved, bytes * requests, "bytes of body");
        }
    }

    fn check(&self, moved: u64) {
        if let Some(bytes) = self.bytes {
            assert_eq!(moved, bytes, "bytes of body");
        }
    }

    fn report(&self, before: u64, took: Duration) {
        let allocations = ALLOCATIONS.load(Relaxed) - before;
        let status = std::fs::read_to_string("/proc/self/status").expect("a Linux");
        let line = |name| {
            let rest = status.lines().find_map(|line: &str| line.strip_prefix(name));
            rest.and_then(|rest| rest.split_whitespace().next()).expect("the line").to_owned()
        };
        let (peak, now) = (line("VmHWM:"), line("VmRSS:"));
        let nanoseconds = took.as_nanos();
        println!(
            "allocations={allocations} nanoseconds={nanoseconds} peak_kib={peak} now_kib={now}"
        );
    }
}

/// The number that the server answers an upload with: how many bytes it got.
pub fn number(body: &[u8]) -> u64 {
    std::str::from_utf8(body).ok().and_then(|text| text.parse().ok()).expect("a number")
}

/// Reads to the end through a buffer.
pub fn drain(mut reader: impl std::io::Read, buffer: &mut [u8]) -> u64 {
    let mut moved = 0;
    loop {
        match reader.read(buffer).expect("the body") {
            0 => return moved,
            n => moved += n as u64,
        }
    }
}
