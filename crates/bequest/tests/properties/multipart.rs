//! Forms with files.

use std::io::{Cursor, Seek, Write};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bequest::{Body, Part};
use memchr::memmem;
use proptest::option;
use testbed::Testbed;

use super::*;

doors![forms_with_files_are_what_was_asked_for, forms_with_files_arrive_at_httpbin];

/// A part, and where its content comes from.
#[derive(Clone, Debug)]
struct File {
    name: String,
    file_name: Option<String>,
    content: Vec<u8>,
    source: Source,
}

#[derive(Clone, Copy, Debug)]
enum Source {
    Bytes,
    File,
    Reader,
    SizedReader,
    Chunks,
}

impl File {
    fn part(&self) -> (String, Part) {
        let content = self.content.clone();
        let body = match self.source {
            Source::Bytes => content.into(),
            Source::Reader => Body::reader(Cursor::new(content)),
            Source::SizedReader => {
                let length = content.len() as u64;
                Body::reader(Cursor::new(content)).with_length(length)
            }
            Source::Chunks => {
                Body::chunks(content.chunks(3).map(<[u8]>::to_vec).collect::<Vec<_>>())
            }
            Source::File => {
                let mut file = tempfile::tempfile().unwrap();
                file.write_all(&content).unwrap();
                file.rewind().unwrap();
                file.into()
            }
        };
        let part = match &self.file_name {
            Some(file_name) => Part::new(body).file_name(file_name),
            None => Part::field(body),
        };
        (self.name.clone(), part)
    }
}

/// Content in which delimiters begin.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [&b"\r\n--"[..], b"--", b"\r\n", b"\r", b"\n", b"--\r\n", b"\0", b"\xff", b"x"];
    let noise = vec(any::<u8>(), 0..8);
    let piece = prop_oneof![select(pieces.to_vec()).prop_map(<[u8]>::to_vec), noise];
    let large = (0..100_000_usize, any::<u8>()).prop_map(|(length, byte)| vec![byte; length]);
    prop_oneof![19 => vec(piece, 0..8).prop_map(|pieces| pieces.concat()), 1 => large]
}

fn file() -> impl Strategy<Value = File> {
    use Source::{Bytes, Chunks, File as InFile, Reader, SizedReader};
    let source = select(vec![Bytes, InFile, Reader, SizedReader, Chunks]);
    (text(), option::of(text()), content(), source)
        .prop_map(|(name, file_name, content, source)| File { name, file_name, content, source })
}

fn forms() -> impl Strategy<Value = (Vec<(String, String)>, Vec<File>)> {
    (pairs(), vec(file(), 1..5))
}

fn request(url: &str, fields: &[(String, String)], files: &[File]) -> Request {
    post(url).form(fields).files(files.iter().map(File::part))
}

/// The browsers' rule, said in another way than the crate says it.
fn escaped(text: &str) -> String {
    text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

/// Splits a form where its delimiter stands, and nowhere else.
fn split(body: &[u8], boundary: &str) -> Vec<(String, Vec<u8>)> {
    let delimiter = format!("\r\n--{boundary}");
    let framed = [b"\r\n", body].concat();
    let mut rest = &framed[..];
    let mut pieces = Vec::new();
    while let Some(at) = memmem::find(rest, delimiter.as_bytes()) {
        pieces.push(&rest[..at]);
        rest = &rest[at + delimiter.len()..];
    }
    assert_eq!(pieces.remove(0), b"", "nothing comes before the first delimiter");
    assert_eq!(rest, b"--\r\n", "nothing comes behind the last one");
    let part = |piece: &[u8]| {
        let piece = piece.strip_prefix(b"\r\n").unwrap();
        let end = memmem::find(piece, b"\r\n\r\n").unwrap();
        (String::from_utf8(piece[..end].to_vec()).unwrap(), piece[end + 4..].to_vec())
    };
    pieces.into_iter().map(part).collect()
}

fn forms_with_files_are_what_was_asked_for(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    check(150, forms(), |(fields, files)| {
        let r = s.send(request(&server.url("/wire"), &fields, &files)).unwrap();
        let wire = r.content().unwrap();
        let at = memmem::find(&wire, b"\r\n\r\n").unwrap() + 4;
        let content_type = r.request().headers.get("content-type").unwrap();
        let boundary = content_type.strip_prefix("multipart/form-data; boundary=").unwrap();
        if let Some(length) = r.request().headers.get("content-length") {
            assert_eq!(length, (wire.len() - at).to_string());
        }
        let disposition = |name: &str, file_name: Option<&String>| {
            let file_name = file_name.map(|name| format!("; filename=\"{}\"", escaped(name)));
            let name = escaped(name);
            let file_name = file_name.unwrap_or_default();
            format!("Content-Disposition: form-data; name=\"{name}\"{file_name}")
        };
        let fields =
            fields.iter().map(|(name, value)| (disposition(name, None), value.as_bytes().to_vec()));
        let files = files
            .iter()
            .map(|file| (disposition(&file.name, file.file_name.as_ref()), file.content.clone()));
        assert_eq!(split(&wire[at..], boundary), fields.chain(files).collect::<Vec<_>>());
    });
}

/// What werkzeug reads where this name stands: it undoes what browsers escape of quotes, and what
/// they don't escape of backslashes.
fn as_werkzeug_reads(name: &str) -> String {
    let escaped = escaped(name);
    let (mut read, mut chars) = (String::new(), escaped.chars());
    while let Some(c) = chars.next() {
        read.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    read.replace("%22", "\"")
}

/// Whether the quote behind it would be taken for a part of it.
fn ends_open(name: &str) -> bool {
    name.chars().rev().take_while(|&c| c == '\\').count() % 2 == 1
}

fn forms_with_files_arrive_at_httpbin(door: Door) {
    let (s, url) = httpbin(door);
    check(150, forms(), |(fields, files)| {
        let names = fields.iter().map(|(name, _)| name).chain(
            files.iter().flat_map(|file| [Some(&file.name), file.file_name.as_ref()]).flatten(),
        );
        if names.into_iter().any(|name| ends_open(name)) {
            return; // Browsers' names that werkzeug does not read.
        }
        let r = s.send(request(&url, &fields, &files)).unwrap();
        let told = r.json().unwrap();
        let (mut form, mut uploads) = (Vec::new(), serde_json::Map::new());
        for (name, value) in fields {
            form.push((as_werkzeug_reads(&name), value));
        }
        for file in files {
            let name = as_werkzeug_reads(&file.name);
            if file.file_name.is_none() {
                form.push((name, String::from_utf8_lossy(&file.content).into_owned()));
                continue;
            }
            // It shows the first file of a name only.
            let shown = String::from_utf8(file.content).unwrap_or_else(|not_text| {
                let encoded = BASE64_STANDARD.encode(not_text.into_bytes());
                format!("data:application/octet-stream;base64,{encoded}")
            });
            uploads.entry(name).or_insert(shown.into());
        }
        assert_eq!(told["form"], grouped(form));
        assert_eq!(told["files"], Value::Object(uploads));
    });
}
