use std::fs::File;
use std::io::{self, Read, Seek, Write};

use super::*;
use crate::body::Piece;

fn fields(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn form(files: impl IntoIterator<Item = (&'static str, Part)>) -> Result<Body> {
    form_by(&Boundary::chosen("B").unwrap(), files)
}

fn form_by(
    boundary: &Boundary,
    files: impl IntoIterator<Item = (&'static str, Part)>,
) -> Result<Body> {
    let files = files.into_iter().map(|(name, part)| (name.to_owned(), part)).collect();
    body(Vec::new(), files, boundary)
}

/// All of it, read in pieces of that size.
fn read_by(body: &Body, size: usize) -> Result<Vec<u8>> {
    let Some(streamed) = body.source() else {
        return Ok(body.bytes().unwrap_or_default().to_vec());
    };
    let mut lease = streamed.lend()?;
    let source = lease.source.as_mut().unwrap();
    let (mut out, mut room) = (Vec::new(), vec![0; size]);
    loop {
        match source.next(&mut room)? {
            Piece::Read(count) => out.extend_from_slice(&room[..count]),
            Piece::Chunk(chunk) => out.extend_from_slice(&chunk),
            Piece::End => return Ok(out),
        }
    }
}

fn read(body: &Body) -> Result<Vec<u8>> {
    read_by(body, 64 * 1024)
}

fn text(body: &Body) -> String {
    String::from_utf8(read(body).unwrap()).unwrap()
}

fn error(body: &Body) -> Error {
    read(body).unwrap_err()
}

fn file(content: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    file.rewind().unwrap();
    file
}

fn reader(text: &'static str) -> Body {
    Body::reader(text.as_bytes())
}

/// The line that tells what a part is, without its end.
fn disposition(name: &'static str, part: Part) -> String {
    let form = text(&form([(name, part)]).unwrap());
    form.split("\r\n").nth(1).unwrap().to_owned()
}

#[test]
fn the_bytes_of_a_form() {
    let boundary = Boundary::chosen("B").unwrap();
    let files = vec![
        ("images".to_owned(), Part::new("1").file_name("foo.png").mime("image/png")),
        ("images".to_owned(), Part::new(b"2\r\n\xff").file_name("bar.png").header("X-A", "b")),
        ("log".to_owned(), Part::new("3")),
        ("note".to_owned(), Part::field("4").mime("text/plain")),
        ("last".to_owned(), Part::new("").file_name("")),
    ];
    let body = body(fields(&[("k", "v"), ("k", ""), ("ü", "é")]), files, &boundary).unwrap();
    let expected: &[u8] = b"--B\r\nContent-Disposition: form-data; name=\"k\"\r\n\r\nv\r\n\
        --B\r\nContent-Disposition: form-data; name=\"k\"\r\n\r\n\r\n\
        --B\r\nContent-Disposition: form-data; name=\"\xc3\xbc\"\r\n\r\n\xc3\xa9\r\n\
        --B\r\nContent-Disposition: form-data; name=\"images\"; filename=\"foo.png\"\r\n\
        Content-Type: image/png\r\n\r\n1\r\n\
        --B\r\nContent-Disposition: form-data; name=\"images\"; filename=\"bar.png\"\r\n\
        X-A: b\r\n\r\n2\r\n\xff\r\n\
        --B\r\nContent-Disposition: form-data; name=\"log\"; filename=\"log\"\r\n\r\n3\r\n\
        --B\r\nContent-Disposition: form-data; name=\"note\"\r\n\
        Content-Type: text/plain\r\n\r\n4\r\n\
        --B\r\nContent-Disposition: form-data; name=\"last\"; filename=\"\"\r\n\r\n\r\n\
        --B--\r\n";
    assert_eq!(body.as_bytes(), Some(expected), "a small form is bytes: it leaves with its head");
}

#[test]
fn names_are_escaped_as_browsers_do_and_no_further() {
    for (name, escaped) in [
        ("a\"b", "a%22b"),
        ("a\r\nX: y", "a%0D%0AX: y"),
        ("a\\\"", "a\\%22"),
        ("50%22 ü☃;='", "50%22 ü☃;='"),
    ] {
        let expected =
            format!("Content-Disposition: form-data; name=\"{escaped}\"; filename=\"{escaped}\"");
        assert_eq!(disposition(name, Part::new("")), expected);
    }
}

#[test]
fn a_part_says_what_it_was_told_to_say() {
    let own = Part::new("").mime("a/b").header("content-disposition", "attachment");
    let own = own.header("Content-Type", "c/d").header("X-Lang", "en");
    let body = text(&form([("n", own)]).unwrap());
    let expected = "--B\r\ncontent-disposition: attachment\r\nContent-Type: c/d\r\n\
                    X-Lang: en\r\n\r\n\r\n--B--\r\n";
    assert_eq!(body, expected);
    for (name, mime) in [
        ("a.png", "image/png"),
        ("A.HTML", "text/html"),
        ("a.unheard-of", "application/octet-stream"),
        ("", "application/octet-stream"),
    ] {
        let body = text(&form([("n", Part::new("").file_name(name).guess_mime())]).unwrap());
        assert!(body.contains(&format!("\r\nContent-Type: {mime}\r\n\r\n")), "{body}");
    }
    for bad in [Part::new("").mime("a/b\r\nX: y"), Part::new("").header("X Y", "z")] {
        assert_eq!(form([("n", bad)]).unwrap_err().kind(), ErrorKind::InvalidHeader);
    }
}

#[test]
fn each_kind_of_source_is_read_to_its_end_in_any_pieces() {
    let large = "x".repeat(3 * SMALL);
    let files = || {
        [
            ("a", Part::new(reader("reader"))),
            ("b", Part::new(Body::chunks(["", "chu", "nks"]))),
            ("c", Part::new(file(b"file"))),
            ("d", Part::new(large.clone())),
            ("e", Part::new(file(b""))),
            ("f", Part::new(reader("sized").with_length(5))),
        ]
    };
    let head = |name| {
        format!(
            "--B\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\n\r\n"
        )
    };
    let contents = ["reader", "chunks", "file", &large, "", "sized"];
    let parts = ["a", "b", "c", "d", "e", "f"].into_iter().zip(contents);
    let mut expected: String = parts.map(|(name, content)| head(name) + content + "\r\n").collect();
    expected += "--B--\r\n";
    for size in [1, 2, 3, 7, 100, 16 * 1024, 64 * 1024] {
        let body = form(files()).unwrap();
        assert_eq!(body.len(), None, "two of them have no length");
        assert!(read_by(&body, size).unwrap() == expected.as_bytes(), "pieces of {size}");
    }
}

#[test]
fn the_length_is_the_sum_where_all_of_them_are_known() {
    let large = "x".repeat(3 * SMALL);
    for files in [
        vec![("a", Part::new(file(b"file"))), ("b", Part::new("text"))],
        vec![("a", Part::new(large.clone())), ("b", Part::new(large))],
        vec![("a", Part::new(reader("abc").with_length(3))), ("b", Part::new(file(b"")))],
    ] {
        let body = form(files).unwrap();
        assert_eq!(body.len(), Some(read(&body).unwrap().len() as u64));
    }
    let endless = Body::reader(io::empty()).with_length(u64::MAX);
    let files = [("a", Part::new(endless)), ("b", Part::new("x"))];
    assert_eq!(form(files).unwrap().len(), None, "too long for a number");
}

#[test]
fn a_source_is_held_to_its_length() {
    let long = || Part::new(Body::chunks(["abc", "d"]).with_length(3));
    let short = || Part::new(reader("ab").with_length(3));
    for (part, what) in [
        (long(), "the source of the part `n` gives more than the 3 bytes announced"),
        (short(), "the source of the part `n` ended after 2 of the 3 bytes announced"),
    ] {
        let error = error(&form([("n", part)]).unwrap());
        assert_eq!(error.kind(), ErrorKind::LengthMismatch);
        assert_eq!(error.to_string(), what);
    }
    let mut grows = file(b"abc");
    let body = form([("n", Part::new(grows.try_clone().unwrap()))]).unwrap();
    grows.seek(io::SeekFrom::End(0)).unwrap();
    grows.write_all(b"def").unwrap();
    grows.rewind().unwrap();
    assert!(error(&body).to_string().contains("gives more than the 3 bytes"));
    grows.set_len(2).unwrap();
    assert!(error(&body).to_string().contains("ended after 2 of the 3 bytes"));
}

/// Panics if it is asked once more than it should be.
struct Socket(usize);

impl Read for Socket {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(1).expect("asked beyond its length");
        room[0] = b'x';
        Ok(1)
    }
}

#[test]
fn a_reader_is_not_asked_beyond_its_length() {
    let socket = || Body::reader(Socket(2)).with_length(2);
    for size in [1, 3, 1000] {
        let body = form([("a", socket().into()), ("b", socket().into())]).unwrap();
        assert_eq!(read_by(&body, size).unwrap().len() as u64, body.len().unwrap());
    }
}

#[test]
fn what_comes_before_a_source_that_may_wait_does_not_wait_for_it() {
    let body = form([("a", Part::new(Body::reader(Socket(0))))]).unwrap();
    let mut lease = body.source().unwrap().lend().unwrap();
    let first = lease.source.as_mut().unwrap().next(&mut [0; 1000]).unwrap();
    let head = "--B\r\nContent-Disposition: form-data; name=\"a\"; filename=\"a\"\r\n\r\n";
    assert_eq!(first, Piece::Read(head.len()));
}

#[test]
fn a_form_that_was_not_sent_to_its_end_can_be_sent_again() {
    let content = vec![b'x'; 100_000];
    let part = Part::new(file(&content));
    let body = form([("a", part.clone())]).unwrap();
    let mut lease = body.source().unwrap().lend().unwrap();
    lease.source.as_mut().unwrap().next(&mut [0; 1000]).unwrap();
    let other = form([("b", part)]).unwrap();
    let busy = error(&other);
    assert_eq!(busy.kind(), ErrorKind::UnrewindableBody, "{busy}");
    drop(lease);
    assert!(body.is_rewindable());
    body.source().unwrap().check().unwrap();
    other.source().unwrap().check().unwrap();
    assert_eq!(read(&other).unwrap().len() as u64, other.len().unwrap());
    assert_eq!(read(&body).unwrap().len() as u64, body.len().unwrap());
}

#[test]
fn what_is_bytes_can_be_sent_twice_at_once() {
    let body = form([("a", Part::new("x".repeat(3 * SMALL)))]).unwrap();
    let first = body.source().unwrap().lend().unwrap();
    assert_eq!(read(&body).unwrap(), read(&body).unwrap());
    drop(first);
}

#[test]
fn what_can_be_read_once_is_sent_once() {
    let body = form([("a", Part::new(reader("x")))]).unwrap();
    assert!(!body.is_rewindable());
    body.source().unwrap().check().unwrap();
    read(&body).unwrap();
    for spent in [body.source().unwrap().check().unwrap_err(), error(&body)] {
        assert_eq!(spent.kind(), ErrorKind::UnrewindableBody);
    }
    let shared = reader("x");
    let twice = form([("a", Part::new(shared.clone())), ("b", Part::new(shared))]).unwrap_err();
    assert_eq!(twice.kind(), ErrorKind::UnrewindableBody);
    assert!(twice.to_string().contains("the parts `a` and `b`"), "{twice}");
    let file = Body::from(file(b"file"));
    let body = form([("a", Part::new(file.clone())), ("b", Part::new(file))]).unwrap();
    for _ in 0..2 {
        assert_eq!(text(&body).matches("\r\n\r\nfile\r\n").count(), 2, "a file is read again");
    }
}

#[test]
fn a_form_can_be_a_part() {
    let inner = form_by(&Boundary::random(), [("in", Part::new(file(b"file")))]).unwrap();
    let whole = text(&inner);
    let outer = form([("out", Part::new(inner).mime("multipart/mixed"))]).unwrap();
    for _ in 0..2 {
        assert!(text(&outer).contains(&format!("\r\n\r\n{whole}\r\n--B--\r\n")));
    }
    assert_eq!(outer.len(), Some(text(&outer).len() as u64));
}

#[test]
fn errors_of_sources_are_told_with_the_part() {
    let failing = || Body::try_chunks([Err::<&str, _>(io::Error::other("no disk"))]);
    let failed = error(&form([("n", Part::new(failing()))]).unwrap());
    assert_eq!(failed.kind(), ErrorKind::Io);
    assert!(failed.to_string().contains("the source of the part `n` failed: no disk"), "{failed}");
    // What a response said when it is sent on, and what a form within a form says.
    let own = || io::Error::other(Error::with(ErrorKind::ReadTimeout, "silent"));
    let failed =
        error(&form([("n", Part::new(Body::try_chunks([Err::<&str, _>(own())])))]).unwrap());
    assert_eq!((failed.kind(), &*failed.to_string()), (ErrorKind::ReadTimeout, "silent"));
    let inner = form_by(&Boundary::random(), [("in", reader("ab").with_length(3).into())]);
    let failed = error(&form([("out", Part::new(inner.unwrap()))]).unwrap());
    assert_eq!(failed.kind(), ErrorKind::LengthMismatch, "{failed}");
}

#[test]
fn a_boundary_of_the_callers_is_in_no_part() {
    let refused = |part| form([("n", part)]).unwrap_err();
    for part in [
        Part::new("a\r\n--B--\r\n"),
        Part::new("--B"),
        Part::new("x".repeat(3 * SMALL) + "\n--Beta"),
        Part::new("").header("--B", "x"),
    ] {
        assert!(refused(part).to_string().contains("the boundary of your Content-Type is in"));
    }
    form([("n", Part::new("-B --b --"))]).unwrap();
    // What is streamed is looked through as it is sent, however it is cut.
    for cut in 1..20 {
        let (first, rest) = "xx\r\n--\r\n-\r\n--Byy".split_at(cut.min(15));
        let body = form([("n", Part::new(Body::chunks([first, rest])))]).unwrap();
        assert_eq!(error(&body).kind(), ErrorKind::InvalidRequest, "cut at {cut}");
    }
    let body = form([("n", Part::new(file(b"a\r\n--B")))]).unwrap();
    for size in [1, 2, 5, 1000] {
        assert_eq!(read_by(&body, size).unwrap_err().kind(), ErrorKind::InvalidRequest);
    }
}

#[test]
fn a_path_is_opened_at_once_and_gives_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a \"b\".txt");
    std::fs::write(&path, "text").unwrap();
    let part = Part::file(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let body = text(&form([("n", part)]).unwrap());
    assert!(body.contains("; filename=\"a %22b%22.txt\"\r\n\r\ntext\r\n"), "{body}");
    for bad in [&path, folder.path()] {
        let error = Part::file(bad).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.to_string().contains("can't be opened"), "{error}");
    }
}
