//! Bodies that are larger than the memory they may take. All tests here stream, so that the peak
//! of the whole process says it of each.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::sync::LazyLock;

use bequest::Body;
use sha2::{Digest, Sha256};
use support::{Door, Reply, doors, get, peak_memory, post};
use testbed::Testbed;

doors![
    a_large_file_goes_up,
    a_large_reader_goes_up,
    large_chunks_go_up,
    a_large_body_comes_down,
    a_large_body_goes_through,
    #[cfg(feature = "multipart")]
    a_form_beyond_4_gib_goes_up,
];

/// 64 MiB and a bit, so that nothing comes out even.
const LENGTH: usize = (64 << 20) + 12_345;
/// What the process may take in all: the testbed, the test binary, and all tests at once.
const MOST_MEMORY: u64 = 48 << 20;

fn assert_little_memory() {
    assert!(peak_memory() < MOST_MEMORY, "{} KiB", peak_memory() / 1024);
}

/// One period of what `/big` sends; what goes up is the same.
fn pattern() -> &'static [u8] {
    static PATTERN: LazyLock<Vec<u8>> = LazyLock::new(|| testbed::pattern(64 << 10));
    &PATTERN
}

/// `LENGTH` bytes that never are in memory at once.
fn content() -> impl Read + Send + 'static {
    struct Cycle(usize);
    impl Read for Cycle {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let rest = &pattern()[self.0..];
            let count = rest.len().min(out.len());
            out[..count].copy_from_slice(&rest[..count]);
            self.0 = (self.0 + count) % pattern().len();
            Ok(count)
        }
    }
    Cycle(0).take(LENGTH as u64)
}

/// The digest of what [`content`] reads.
fn digest() -> &'static str {
    static DIGEST: LazyLock<String> = LazyLock::new(|| {
        let mut digest = Sha256::new();
        let periods = LENGTH / pattern().len();
        (0..periods).for_each(|_| digest.update(pattern()));
        digest.update(&pattern()[..LENGTH % pattern().len()]);
        digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    });
    &DIGEST
}

/// Takes what [`content`] reads, and nothing else.
#[derive(Default)]
struct Checked(usize);

impl Write for Checked {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let expected = &pattern()[self.0 % pattern().len()..];
            let count = expected.len().min(rest.len());
            assert!(rest[..count] == expected[..count], "wrong bytes after {}", self.0);
            self.0 += count;
            rest = &rest[count..];
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn assert_sent(server: &Testbed, door: Door, body: Body) {
    let r = door.send(post(server.url("/sink")).body(body)).unwrap();
    let told = r.json().unwrap();
    assert_eq!(told["length"], LENGTH);
    assert_eq!(told["sha256"], digest());
    assert_little_memory();
}

fn a_large_file_goes_up(door: Door) {
    let server = Testbed::start();
    let mut file: File = tempfile::tempfile().unwrap();
    file.write_all(b"skipped").unwrap();
    std::io::copy(&mut content(), &mut file).unwrap();
    file.seek(std::io::SeekFrom::Start(7)).unwrap();
    assert_sent(&server, door, file.into());
    assert_eq!(server.requests()[0].header("content-length"), Some(&*LENGTH.to_string()));
}

fn a_large_reader_goes_up(door: Door) {
    let server = Testbed::start();
    assert_sent(&server, door, Body::reader(content()).with_length(LENGTH as u64));
    assert_sent(&server, door, Body::reader(content()));
    assert_eq!(server.requests()[1].header("transfer-encoding"), Some("chunked"));
}

fn large_chunks_go_up(door: Door) {
    let server = Testbed::start();
    let mut content = content();
    let chunks = std::iter::from_fn(move || {
        let mut chunk = Vec::new();
        let read = content.by_ref().take(100_000).read_to_end(&mut chunk);
        (read.unwrap() > 0).then_some(chunk)
    });
    assert_sent(&server, door, Body::chunks(chunks));
}

/// More than 32 bits can count; the file takes no room on the disk.
#[cfg(feature = "multipart")]
fn a_form_beyond_4_gib_goes_up(door: Door) {
    let server = Testbed::start();
    // In memory, a hole is read without room being made for it in the cache.
    let file = tempfile::tempfile_in("/dev/shm").or_else(|_| tempfile::tempfile()).unwrap();
    file.set_len(4 << 30).unwrap();
    let files = [("large", bequest::Part::new(file)), ("behind", "x".into())];
    let r = door.send(post(server.url("/count")).files(files).form([("k", "v")])).unwrap();
    let told = r.json().unwrap()["length"].as_u64().unwrap();
    assert!(told > 4 << 30 && told < (4 << 30) + 1000, "{told}");
    assert_eq!(server.requests()[0].header("content-length"), Some(&*told.to_string()));
    assert_little_memory();
}

fn a_large_body_comes_down(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    for path in ["big", "big-chunked"] {
        let url = server.url(&format!("/{path}/{LENGTH}"));
        for size in [Some(1000), Some(64 << 10), Some(1 << 20), None] {
            let r = s.send(get(&url).stream(true)).unwrap();
            let mut checked = Checked::default();
            for piece in r.iter_content(size) {
                let piece = piece.unwrap();
                checked.write_all(&piece).unwrap();
                let whole = size.is_none_or(|size| piece.len() == size);
                assert!(whole || checked.0 == LENGTH, "{} bytes of {size:?}", piece.len());
            }
            assert_eq!(checked.0, LENGTH, "{path} in pieces of {size:?}");
        }
        let mut checked = Checked::default();
        let r = s.send(get(&url).stream(true)).unwrap();
        std::io::copy(&mut r.reader(), &mut checked).unwrap();
        assert_eq!(checked.0, LENGTH, "{path} by a reader");
    }
    assert_eq!(server.connections(), 1);
    assert_little_memory();
}

/// The response of one session is the request of another.
fn a_large_body_goes_through(door: Door) {
    type Through = fn(Reply) -> Body;
    let ways: &[(&str, Through)] = match door {
        Door::Blocking => &[("big-chunked", |r| Body::reader(r.into_reader()))],
        #[cfg(feature = "async")]
        Door::Aio => &[
            ("big-chunked", |r| Body::stream(aio(r).into_iter_content(None))),
            ("big", |r| Body::stream(aio(r).into_iter_content(100_000))),
            ("big-chunked", |r| Body::async_reader(aio(r).into_reader())),
            ("big", |r| Body::async_reader(aio(r).into_reader()).with_length(LENGTH as u64)),
        ],
    };
    let (source, sink) = (Testbed::start(), Testbed::start());
    let (from, to) = (door.session(), door.session());
    for (path, way) in ways {
        let url = source.url(&format!("/{path}/{LENGTH}"));
        let r = from.send(get(url).stream(true)).unwrap();
        let r = to.send(post(sink.url("/sink")).body(way(r))).unwrap();
        assert_eq!(r.json().unwrap()["sha256"], digest());
    }
    // All connections are free again.
    from.send(get(source.url("/get"))).unwrap();
    to.send(get(sink.url("/get"))).unwrap();
    assert_eq!((source.connections(), sink.connections()), (1, 1));
    assert_little_memory();
}

#[cfg(feature = "async")]
fn aio(reply: Reply) -> bequest::aio::Response {
    reply.into_response().into()
}
