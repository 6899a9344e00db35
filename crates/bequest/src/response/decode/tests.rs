use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tokio::io::ReadBuf;

use super::*;
use crate::body::Body;
use crate::error::Result as Answer;
use crate::response::Response;
use crate::response::builder::Own;

const TEXT: &str = "The quick brown fox jumps over the lazy dog. ";

/// Eight times the text, packed by Python's gzip and zlib and by the reference brotli and zstd.
const GZIP: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x0b\xc9HU(,\xcdL\xceVH*\xca/\xcf\
    SH\xcb\xafP\xc8*\xcd-(V\xc8/K-R(\x01J\xe7$VU*\xa4\xe4\xa7\xeb)\x84\x8c*&W1\x00\xbb\x16\x0f\xe3\
    h\x01\x00\x00";
const ZLIB: &[u8] = b"x\x9c\x0b\xc9HU(,\xcdL\xceVH*\xca/\xcfSH\xcb\xafP\xc8*\xcd-(V\xc8/K-R(\x01J\
    \xe7$VU*\xa4\xe4\xa7\xeb)\x84\x8c*&W1\x00e1\x819";
const BROTLI: &[u8] = b"\x1bg\x01\x88,\x0ex\xd3\xd0\x95]\x97\x10\xbb\x17+\xa9\xca\xd0\x92\xcc\
    \x8c\xadA\x5c\xe6\xf26\xc8\x19\x9e\x9e\x0a{\x83\x0d8pH o$\xbcA\xa7\x15\xce\x1c\x1e'\xaa)8\xc2\
    \xa9\xef\xd3`";

const ZSTD: &[u8] = b"(\xb5/\xfddh\x00\xb5\x01\x00\xd4\x02The quick brown fox jumps over the \
    lazy dog. \x01\x00\xc5\x81\xaa*\x03\xe4!\xb1\xe6";

/// The bare format is what zlib has between its header and its checksum.
fn bare() -> &'static [u8] {
    &ZLIB[2..ZLIB.len() - 4]
}

fn samples() -> [(&'static str, Vec<u8>); 7] {
    [
        ("gzip", GZIP.to_vec()),
        ("X-GZip", GZIP.to_vec()),
        ("deflate", ZLIB.to_vec()),
        ("deflate", bare().to_vec()),
        ("br", BROTLI.to_vec()),
        ("BR", BROTLI.to_vec()),
        ("zstd", ZSTD.to_vec()),
    ]
}

fn response(coding: &str, sent: &[u8]) -> Response {
    let builder = Response::builder().header("Content-Encoding", coding);
    builder.body(sent.to_vec()).build().unwrap()
}

fn content(coding: &str, sent: &[u8]) -> Answer<String> {
    response(coding, sent).text()
}

/// Why it can't be decoded.
fn refused(coding: &str, sent: &[u8]) -> String {
    let error = content(coding, sent).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ContentDecoding, "{coding}: {error}");
    error.to_string()
}

/// Applies gzip once more.
fn gzip(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    flate2::read::GzEncoder::new(data, flate2::Compression::fast()).read_to_end(&mut out).unwrap();
    out
}

#[test]
fn each_coding_is_undone() {
    for (coding, sent) in samples() {
        assert_eq!(content(coding, &sent).unwrap(), TEXT.repeat(8), "{coding}");
        let r = response(coding, &sent);
        assert_eq!(r.headers().get("content-encoding"), Some(coding), "as it was sent");
        let pieces: Vec<_> = r.iter_content(7).map(Answer::unwrap).collect();
        assert_eq!(pieces.concat(), TEXT.repeat(8).as_bytes());
        assert!(pieces[..pieces.len() - 1].iter().all(|piece| piece.len() == 7));
    }
}

#[test]
fn the_last_coding_is_undone_first() {
    let twice = gzip(BROTLI);
    assert_eq!(content("br, gzip", &twice).unwrap(), TEXT.repeat(8));
    assert_eq!(content("identity,br,,Identity , gzip", &twice).unwrap(), TEXT.repeat(8));
    assert!(refused("gzip, br", &twice).contains("br coding is broken"));

    let lines = Response::builder().header("Content-Encoding", "br");
    let lines = lines.header("content-encoding", "gzip").body(twice).build().unwrap();
    assert_eq!(lines.text().unwrap(), TEXT.repeat(8));

    let five = (0..5).fold(b"deep".to_vec(), |data, _| gzip(&data));
    assert_eq!(content("gzip,gzip,gzip,gzip,gzip", &five).unwrap(), "deep");
    let six = refused("gzip,gzip,gzip,gzip,gzip,identity,gzip", &gzip(&five));
    assert!(six.contains("more than 5 codings"), "{six}");
}

#[test]
fn what_is_unknown_is_handed_out_as_it_is_unless_something_is_known_of_it() {
    for coding in ["frob", "compress", "identity", "", " , ", "gzip2", "gz", "frob;q=1"] {
        assert_eq!(content(coding, b"as it is").unwrap(), "as it is", "{coding}");
    }
    for coding in ["frob, gzip", "gzip, frob", "frob, frob"] {
        let error = refused(coding, GZIP);
        assert!(error.contains("`frob`") && error.contains("`raw()`"), "{error}");
        let mut sent = Vec::new();
        response(coding, GZIP).raw().read_to_end(&mut sent).unwrap();
        assert_eq!(sent, GZIP);
    }
}

fn lines(count: u32) -> String {
    const WORDS: [&str; 5] = ["alpha", "beta", "gamma", "delta", "epsilon"];
    let line =
        |i| format!("{} {} {}\n", i / 10, WORDS[usize::try_from(i * i % 5).unwrap()], i * i % 97);
    (0..count).map(line).collect()
}

/// What the reference programs make of more than a sentence: codes, tables, several blocks.
#[test]
fn larger_bodies_are_undone() {
    let few = lines(700);
    assert_eq!(content("br", include_bytes!("tests/few.br")).unwrap(), few);
    assert_eq!(content("zstd", include_bytes!("tests/few.zst")).unwrap(), few);
    assert_eq!(content("zstd", include_bytes!("tests/lines.zst")).unwrap(), lines(22_000));
    assert_eq!(content("gzip", &gzip(few.as_bytes())).unwrap(), few);
}

#[test]
fn an_empty_body_is_empty_in_every_coding() {
    for coding in ["gzip", "deflate", "br", "zstd", "gzip, br, deflate"] {
        assert_eq!(content(coding, b"").unwrap(), "");
    }
}

#[test]
fn data_that_is_cut_off_is_an_error_wherever() {
    for (coding, sent) in samples() {
        for length in 1..sent.len() {
            let error = refused(coding, &sent[..length]);
            assert!(error.contains("ends within its data"), "{coding} {length}: {error}");
        }
    }
    let twice = gzip(BROTLI);
    assert!(refused("br, gzip", &twice[..twice.len() - 1]).contains("gzip coding"));
    assert!(refused("br, gzip", &gzip(&BROTLI[..40])).contains("br coding"));
}

#[test]
fn what_is_not_in_its_coding_is_an_error() {
    for coding in ["gzip", "deflate", "br", "zstd"] {
        let error = refused(coding, b"<html>not packed at all</html>");
        assert!(error.contains(&format!("the body's {coding} coding is broken")), "{error}");
    }
    refused("gzip", ZLIB);
    refused("deflate", GZIP);
    for (coding, sent, at) in [("gzip", GZIP, 8), ("gzip", GZIP, 4), ("deflate", ZLIB, 4)] {
        let mut wrong = sent.to_vec();
        wrong[sent.len() - at] ^= 1;
        let error = refused(coding, &wrong);
        assert!(error.contains("incorrect"), "{error}");
    }
    let dictionary = [&[0x78, 0xbb, 0, 0, 0, 1][..], bare()].concat();
    assert!(refused("deflate", &dictionary).contains("needs a dictionary"));
}

/// As Requests does: gzip and deflate have an end behind which anything may be; brotli and zstd
/// have not.
#[test]
fn what_follows_the_data() {
    let with = |sent: &[u8], rest: &[u8]| [sent, rest].concat();
    for rest in [&b"junk"[..], &[0; 600], b"\x1f", b"\x1fjunk", &[7; 60_000]] {
        for (coding, sent) in [("gzip", GZIP), ("deflate", ZLIB), ("deflate", bare())] {
            assert_eq!(content(coding, &with(sent, rest)).unwrap(), TEXT.repeat(8), "{coding}");
        }
        assert!(refused("br", &with(BROTLI, rest)).contains("something follows"));
        refused("zstd", &with(ZSTD, rest));
    }
    assert_eq!(content("deflate", &with(ZLIB, ZLIB)).unwrap(), TEXT.repeat(8));
    assert_eq!(content("gzip", &with(GZIP, GZIP)).unwrap(), TEXT.repeat(16));
    let three = [&gzip(b""), GZIP, &gzip(b"end"), &[0; 9]].concat();
    assert_eq!(content("gzip", &three).unwrap(), TEXT.repeat(8) + "end");
    refused("gzip", &with(GZIP, b"\x1f\x8b\x09 another"));
    for length in 3..GZIP.len() {
        refused("gzip", &with(GZIP, &GZIP[..length]));
    }
}

/// Rubbish without an end is not read for ever: the connection is given up.
#[test]
fn little_is_skipped_behind_the_data() {
    let read = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&read);
    let endless = std::iter::once(GZIP.to_vec()).chain(std::iter::repeat(vec![0; 1000]));
    let counted = endless.inspect(move |_| {
        count.fetch_add(1, Relaxed);
    });
    let builder = Response::builder().header("Content-Encoding", "gzip");
    let r = builder.body(Body::chunks(counted)).build().unwrap();
    assert_eq!(r.text().unwrap(), TEXT.repeat(8));
    assert!((60..80).contains(&read.load(Relaxed)), "{read:?}");
}

/// A decoder that is stuck must not hold its caller for ever.
#[test]
fn a_decoder_that_makes_no_progress_is_an_error() {
    struct Stuck;
    impl Decode for Stuck {
        fn push(&mut self, _: &[u8], _: &mut [u8]) -> Result<Pushed, Broken> {
            Ok(Pushed { consumed: 0, produced: 0, ended: false })
        }

        fn is_whole(&self) -> bool {
            false
        }
    }
    let body = Box::new(Own::from(Bytes::from_static(b"data")));
    let mut stage = Stage::new("stuck", Box::new(Stuck), body);
    let (mut out, mut context) = ([0; 10], Context::from_waker(Waker::noop()));
    match stage.poll_read(&mut context, &mut ReadBuf::new(&mut out)) {
        Poll::Ready(Err(error)) => assert!(error.to_string().contains("no progress"), "{error}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn raw_gives_the_bytes_as_sent() {
    let read = |mut reader: crate::response::Reader<'_>| {
        let mut sent = Vec::new();
        reader.read_to_end(&mut sent).map(|_| sent)
    };
    let r = response("gzip", GZIP);
    drop((r.reader(), r.iter_content(1), r.iter_lines()));
    assert_eq!(read(r.raw()).unwrap(), GZIP, "nobody has read");
    assert_eq!(r.content().unwrap_err().kind(), ErrorKind::StreamConsumed);
    assert_eq!(read(response("gzip", GZIP).into_raw()).unwrap(), GZIP);

    // Half of it so, half of it so, would be neither.
    let r = response("gzip", GZIP);
    let mut begun = [0; 10];
    r.raw().read_exact(&mut begun).unwrap();
    let error = r.iter_content(1).next().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StreamConsumed);
    assert_eq!(read(r.raw()).unwrap(), &GZIP[10..], "it goes on where it stopped");

    let r = response("gzip", GZIP);
    assert_eq!(r.iter_content(3).next().unwrap().unwrap(), "The");
    let error = Error::from(read(r.raw()).unwrap_err());
    assert_eq!(error.kind(), ErrorKind::StreamConsumed);
    assert!(error.to_string().contains("decoded"), "{error}");
    assert_eq!(r.iter_content(6).next().unwrap().unwrap(), " quick");

    let r = response("gzip", GZIP);
    r.content().unwrap();
    assert!(read(r.raw()).is_err(), "what was sent is gone");

    let r = response("identity", b"same");
    r.content().unwrap();
    assert_eq!(read(r.raw()).unwrap(), b"same");
}

/// Whoever asks for `n` bytes gets at most `n`, and the same in the end, however input and output
/// are cut.
#[test]
fn pushes_of_any_size_give_the_same() {
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % below as u64).unwrap()
    };
    for (name, sent) in samples() {
        for _ in 0..200 {
            let mut decoder = Coding::named(name).unwrap().decoder();
            let (mut at, mut whole) = (0, Vec::new());
            let (most_in, most_out) = (1 + random(40), 1 + random(100));
            for _ in 0..10_000 {
                let end = sent.len().min(at + random(most_in + 1));
                let mut out = vec![0xaa; most_out + 1];
                let room = random(most_out + 1);
                let pushed = decoder.push(&sent[at..end], &mut out[..room]).unwrap();
                assert!(pushed.produced <= room && pushed.consumed <= end - at);
                assert!(out[room..].iter().all(|byte| *byte == 0xaa));
                whole.extend_from_slice(&out[..pushed.produced]);
                at += pushed.consumed;
                if at == sent.len() && decoder.is_whole() && pushed.produced < room {
                    break;
                }
            }
            assert_eq!(at, sent.len());
            assert_eq!(whole, TEXT.repeat(8).as_bytes(), "{name}");
        }
    }
}
