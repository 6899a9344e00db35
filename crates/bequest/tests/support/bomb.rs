//! Small bodies that decode to large ones: zeros, as many as one likes.

use flate2::{Compress, Compression, FlushCompress, GzBuilder};
use std::io::Write;
use testbed::Script;

/// What a coding makes of zeros; each repetition is a MiB more.
pub(crate) struct Bomb {
    pub(crate) coding: &'static str,
    /// How many zeros are in the start.
    pub(crate) more: usize,
    start: Vec<u8>,
    repeated: Vec<u8>,
    end: Vec<u8>,
}

impl Bomb {
    /// One of each coding.
    pub(crate) fn all() -> [Self; 4] {
        [gzip(), deflate(), brotli(), zstd()]
    }

    /// A response of so many MiB of zeros, and of a few bytes.
    pub(crate) fn script(&self, mebibytes: usize) -> Script {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: {}\r\n\r\n", self.coding);
        let once = Script::new().send(self.repeated.repeat(16));
        let start = Script::new().read_head().send(head).send(self.start.clone());
        start.repeat(mebibytes / 16, once).send(self.end.clone()).close()
    }
}

/// A member for each MiB.
fn gzip() -> Bomb {
    let mut encoder = GzBuilder::new().write(Vec::new(), Compression::best());
    encoder.write_all(&vec![0; 1 << 20]).unwrap();
    let repeated = encoder.finish().unwrap();
    Bomb { coding: "gzip", more: 0, start: Vec::new(), repeated, end: Vec::new() }
}

/// Bare deflate, flushed at each MiB; an empty last block.
fn deflate() -> Bomb {
    let mut compress = Compress::new(Compression::best(), false);
    let mut repeated = Vec::with_capacity(1 << 16);
    compress.compress_vec(&vec![0; 1 << 20], &mut repeated, FlushCompress::Full).unwrap();
    assert_eq!(compress.total_in(), 1 << 20);
    Bomb { coding: "deflate", more: 0, start: Vec::new(), repeated, end: vec![3, 0] }
}

/// What the reference encoder makes of them when it is flushed at each MiB.
fn brotli() -> Bomb {
    let start = b"\xab\xff\xff\x07\x40\x02\x20\x1e\x0b\x24\xf7\xfe\xc1\x00";
    let repeated = b"\xfa\xff\x7f\x00\x24\x00\xe2\xb0\x00\x74\xef\x1f\x0c";
    Bomb {
        coding: "br",
        more: 1 << 20,
        start: start.to_vec(),
        repeated: repeated.to_vec(),
        end: vec![3],
    }
}

/// Blocks that repeat a byte 128 Ki times, in a window of 8 MB.
fn zstd() -> Bomb {
    let header = 128 << 10 << 3 | 1 << 1_u32;
    let block = [&u32::to_le_bytes(header)[..3], &[0]].concat();
    let start = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 13 << 3];
    Bomb { coding: "zstd", more: 0, start, repeated: block.repeat(8), end: vec![1, 0, 0] }
}
