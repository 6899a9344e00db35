//! A form with files: it has the parts that were asked for and no others, each with its lines and its
//! content, however the parts are read. The input is records that end in 0xFE, of fields that end in
//! 0xFF: a Content-Type, which may be empty; then `f`ields with name and value, and parts (the first byte
//! says how they are read) with name, file name, content, media type, and a header's name and value.
#![no_main]

use std::io::Cursor;

use bequest::{Body, ErrorKind, Part, Request, Response, Session, adapter_fn};
use bequest_fuzz::{is_token, trim};
use libfuzzer_sys::{Corpus, fuzz_target};

/// What a part must be.
#[derive(Debug, PartialEq)]
struct Read {
    lines: Vec<String>,
    content: Vec<u8>,
}

fuzz_target!(|input: &[u8]| -> Corpus {
    let mut records = input.split(|&byte| byte == 0xfe);
    let content_type = records.next().unwrap_or_default();
    let mut form = Form::default();
    for record in records {
        let Some((&kind, rest)) = record.split_first() else { continue };
        if form.add(kind, &mut rest.split(|&byte| byte == 0xff)).is_none() {
            return Corpus::Reject;
        }
    }
    if form.files.is_empty() {
        return Corpus::Reject;
    }
    send(form, content_type);
    Corpus::Keep
});

#[derive(Default)]
struct Form {
    fields: Vec<(String, String)>,
    files: Vec<(String, Part)>,
    /// What fields and files must be.
    expected: (Vec<Read>, Vec<Read>),
    /// A header is malformed.
    is_bad: bool,
}

impl Form {
    /// `None`, if names are no text.
    fn add<'a>(&mut self, kind: u8, values: &mut impl Iterator<Item = &'a [u8]>) -> Option<()> {
        let mut next = || values.next().unwrap_or_default();
        let name = std::str::from_utf8(next()).ok()?;
        let mut lines = vec![format!("Content-Disposition: form-data; name=\"{}\"", escaped(name))];
        if kind == b'f' {
            let value = std::str::from_utf8(next()).ok()?;
            self.fields.push((name.to_owned(), value.to_owned()));
            self.expected.0.push(Read { lines, content: value.as_bytes().to_vec() });
            return Some(());
        }
        let [file_name, content, mime, header, value] = [next(), next(), next(), next(), next()];
        let [file_name, mime, header, value] =
            [file_name, mime, header, value].map(|text| std::str::from_utf8(text).ok());
        let (file_name, mime, header, value) = (file_name?, mime?, header?, value?);
        let mut part = Part::field(body(kind, content));
        if !file_name.is_empty() {
            part = part.file_name(file_name);
            lines[0] += &format!("; filename=\"{}\"", escaped(file_name));
        }
        let is = |name: &str| header.eq_ignore_ascii_case(name);
        if is("content-disposition") {
            lines.clear();
        }
        if !mime.is_empty() {
            part = part.mime(mime);
            if !is("content-type") {
                lines.push(format!("Content-Type: {mime}"));
                self.is_bad |= !is_value(mime);
            }
        }
        if !header.is_empty() {
            part = part.header(header, value);
            lines.push(format!("{header}: {value}"));
            self.is_bad |= !is_token(header.as_bytes()) || !is_value(value);
        }
        self.files.push((name.to_owned(), part));
        self.expected.1.push(Read { lines, content: content.to_vec() });
        Some(())
    }
}

fn body(kind: u8, content: &[u8]) -> Body {
    let length = content.len() as u64;
    let content = content.to_vec();
    match kind % 4 {
        0 => content.into(),
        1 => Body::reader(Cursor::new(content)),
        2 => Body::reader(Cursor::new(content)).with_length(length),
        _ => Body::chunks(content.chunks(3).map(<[u8]>::to_vec).collect::<Vec<_>>()),
    }
}

fn escaped(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

fn is_value(value: &str) -> bool {
    !value.starts_with(' ') && !value.bytes().any(|byte| byte < 0x20 || byte == 0x7f)
}

fn send(form: Form, content_type: &[u8]) {
    let Form { fields, files, expected, is_bad } = form;
    let mut request = Request::new("POST", "echo://h/").form(&fields).files(files);
    if !content_type.is_empty() {
        request = request.header("Content-Type", content_type);
    }
    let mut session = Session::new();
    session.mount(
        "echo://",
        adapter_fn(|request, _| Response::builder().body(request.body.clone()).build()),
    );
    let prepared = match request.prepare() {
        Ok(prepared) => prepared,
        Err(error) => {
            assert!(is_bad || !content_type.is_empty(), "{error}");
            assert!(!error.to_string().contains(char::is_control), "an error is one line: {error}");
            return;
        }
    };
    assert!(!is_bad, "a malformed header of a part");
    let told = prepared.headers.get("content-type").expect("it is there, and text").to_owned();
    let length = prepared.body.len();
    let sent = session.send(prepared, bequest::SendOptions::new()).and_then(|r| r.content());
    let sent = match sent {
        Ok(sent) => sent,
        Err(error) => {
            // The caller's boundary was in what is streamed.
            let own = error.to_string();
            assert!(!content_type.is_empty() && own.contains("boundary"), "{error}");
            assert!(matches!(error.kind(), ErrorKind::InvalidRequest | ErrorKind::Io));
            return;
        }
    };
    assert!(length.is_none_or(|length| length == sent.len() as u64));
    let boundary = boundary(&told);
    assert!(content_type.is_empty() || told.as_bytes().starts_with(trimmed(content_type)));
    let expected: Vec<_> = expected.0.into_iter().chain(expected.1).collect();
    assert_eq!(split(&sent, &boundary), expected);
}

/// Ours is put behind what ends without a semicolon.
fn trimmed(content_type: &[u8]) -> &[u8] {
    let end = content_type.iter().rposition(|byte| !b" ;".contains(byte));
    trim(&content_type[..end.map_or(0, |end| end + 1)])
}

/// The one boundary of a media type; quotes are minded, and nothing else.
fn boundary(content_type: &str) -> String {
    let (mut parts, mut quoted, mut escaped) = (vec![String::new()], false, false);
    for c in content_type.chars() {
        match c {
            ';' if !quoted => {
                parts.push(String::new());
                continue;
            }
            '"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = quoted && c == '\\' && !escaped;
        parts.last_mut().expect("one at least").push(c);
    }
    assert!(!quoted, "{content_type}");
    let pairs = parts.iter().filter_map(|part| part.split_once('='));
    let of_it = |name: &str| name.trim().to_ascii_lowercase().starts_with("boundary");
    let all: Vec<_> = pairs.filter(|(name, _)| of_it(name) && !is_longer(name)).collect();
    assert_eq!(all.len(), 1, "{content_type}");
    let value = all[0].1.trim();
    let unquoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    let value = unquoted.unwrap_or(value);
    assert!(unquoted.is_some() || is_token(value.as_bytes()), "{content_type}");
    assert!(!value.is_empty() && !value.contains(['"', '\\']), "{content_type}");
    value.to_owned()
}

/// Another parameter that begins as `boundary` does.
fn is_longer(name: &str) -> bool {
    !matches!(name.trim().as_bytes().get(8), None | Some(b'*'))
}

fn split(body: &[u8], boundary: &str) -> Vec<Read> {
    let delimiter = format!("\r\n--{boundary}").into_bytes();
    let framed = [b"\r\n", body].concat();
    let mut rest = &framed[..];
    let mut pieces = Vec::new();
    while let Some(at) = find(rest, &delimiter) {
        pieces.push(&rest[..at]);
        rest = &rest[at + delimiter.len()..];
    }
    assert_eq!(rest, b"--\r\n", "nothing comes behind the form");
    assert_eq!(pieces.first(), Some(&&b""[..]), "nothing comes before it");
    let part = |piece: &&[u8]| {
        let piece = piece.strip_prefix(b"\r\n").expect("the delimiter is a line");
        // A part without a line at all has the empty line alone.
        let (head, content) = match piece.strip_prefix(b"\r\n") {
            Some(content) => (&b""[..], content),
            None => {
                let end = find(piece, b"\r\n\r\n").expect("a head has an end");
                (&piece[..end], &piece[end + 4..])
            }
        };
        let head = std::str::from_utf8(head).expect("text");
        let lines = head.split("\r\n").filter(|line| !line.is_empty());
        for line in lines.clone() {
            assert!(!line.contains(['\r', '\n']), "{line:?}");
        }
        Read { lines: lines.map(str::to_owned).collect(), content: content.to_vec() }
    };
    pieces[1..].iter().map(part).collect()
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
